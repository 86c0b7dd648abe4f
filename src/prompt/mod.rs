//! What an agent is told: its prompt with everything around it that it needs to know. Pure: facts in, Markdown out.

mod brief;
mod compile;
mod share;

pub use brief::{Brief, Finding, Limits, Listed, Text, Worker};
pub use compile::compile;
pub use share::{BUDGET, shares};
