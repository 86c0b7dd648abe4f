//! What may run, and what a person has to confirm first. Pure: decisions only.

mod command;
mod file;
mod verdict;

pub use file::{Policy, Timeouts};
pub use verdict::{Execution, Verdict};
