//! The real binary in temporary projects.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod agents;
mod catalog;
mod cli;
mod concurrent;
mod docs;
mod doctor;
mod editor;
mod elsewhere;
mod errors;
mod faults;
mod gates;
mod graph;
mod harness;
mod hostile;
mod kill;
mod layers;
mod life;
mod mprocs;
mod policy;
mod processes;
mod products;
mod prompts;
mod readonly;
#[cfg(feature = "real-tools")]
mod real;
mod redteam;
mod schemas;
mod steps;
mod templates;
mod terminal;
mod undo;
