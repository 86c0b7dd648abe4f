//! The agents' own programs against providers of our own on loopback.

mod agents;
mod anthropic;
mod google;
mod openai;
mod provider;
mod shells;
mod tools;
