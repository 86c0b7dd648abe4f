//! Whether this machine and this project are fit for use: one sentence for each thing that was looked at.

mod check;
mod machine;
mod project;
mod tools;

pub use check::{Check, Health, doctor};
