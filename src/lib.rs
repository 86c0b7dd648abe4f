//! ThreadOS: run, watch and remember sequences of AI agents and shell commands.

pub mod error;
pub mod model;
