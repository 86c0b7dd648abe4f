//! ThreadOS: run, watch and remember sequences of AI agents and shell commands.

pub mod action;
pub mod agent;
pub mod audit;
pub mod cli;
pub mod client;
pub mod clock;
pub mod engine;
pub mod error;
pub mod fault;
pub mod layout;
pub mod model;
pub mod mprocs;
pub mod policy;
pub mod prompt;
pub mod runner;
pub mod store;
pub mod sys;
pub mod template;
pub mod tui;
