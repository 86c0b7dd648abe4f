//! What may run, and what a person has to confirm first. Pure: decisions only.

mod command;
mod file;
mod shell;
mod verdict;

pub use command::interpreter;
pub use shell::is_risky;
pub use file::{Policy, Timeouts};
pub use verdict::{Execution, Verdict};
