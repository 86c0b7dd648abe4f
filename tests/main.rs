//! The real binary in temporary projects.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

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
mod harness;
mod kill;
mod layers;
mod life;
mod processes;
mod prompts;
mod readonly;
mod schemas;
mod steps;
mod templates;
mod terminal;
mod undo;
