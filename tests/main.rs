//! The real binary in temporary projects.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod agents;
mod cli;
mod concurrent;
mod editor;
mod elsewhere;
mod faults;
mod gates;
mod graph;
mod harness;
mod hostile;
mod kill;
mod layers;
mod life;
mod processes;
mod readonly;
mod redteam;
#[cfg(feature = "real-tools")]
mod real;
mod steps;
mod undo;
