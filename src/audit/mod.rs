//! The audit log: append-only JSON lines, each chained to the one before by SHA-256. Its lines are
//! the commit points of all transactions.

mod backward;
mod entry;
mod log;
mod read;
mod redact;

pub use entry::{Draft, Entry};
pub use log::Log;
pub use read::{Expected, Tail, head, last_entries, last_entries_that, verify};
pub use redact::{redact, redact_text};
