//! The real binary in temporary projects.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod agents;
mod attention;
mod catalog;
mod cli;
mod completions;
mod concurrent;
mod docs;
mod doctor;
mod editor;
mod elsewhere;
mod errors;
mod fanout;
mod faults;
mod gates;
mod graph;
mod harness;
mod hostile;
mod kill;
mod layers;
mod life;
mod limits;
mod log_window;
mod metrics;
mod open;
mod policy;
mod processes;
mod products;
mod progress;
mod prompts;
mod readonly;
#[cfg(feature = "real-tools")]
mod real;
mod redteam;
mod schemas;
mod snapshots;
mod steps;
mod tampering;
mod templates;
mod terminal;
mod threads;
mod threads_l;
mod undo;
