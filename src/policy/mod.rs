//! What may run, and what a person has to confirm first. Pure: decisions only.

mod command;
mod environment;
mod file;
mod shell;
mod verdict;

pub use command::interpreter;
pub use environment::is_cleared;
pub use file::{Policy, Timeouts};
pub use verdict::{Execution, Verdict};
