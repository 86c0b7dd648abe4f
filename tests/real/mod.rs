//! Programs that are not ours: the agents' own against providers of our own on loopback, git, and mprocs.

mod agents;
mod anthropic;
mod git;
mod google;
mod limits;
mod mprocs;
mod open;
mod openai;
mod provider;
mod shells;
mod tools;
mod zsh;
