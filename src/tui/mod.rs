//! The full-screen terminal UI. It knows a project through `client` alone.
//!
//! Everything that happens is a `Msg`; `App::update` is the only place where the state changes,
//! and answers with `Effect`s, which are carried out elsewhere and end in new messages. Drawing
//! reads the state and changes nothing. What lies over the screen is a stack of `layer::Layer`s that
//! take keys from the top. Every key is a row of `keymap::BINDINGS`.

mod act;
mod agents;
mod ansi;
mod app;
mod arrange;
mod board;
mod choice;
mod command;
mod crash;
mod draw;
mod effect;
mod folding;
mod inspector;
mod keymap;
mod keys;
mod layer;
mod layers;
mod log_panel;
mod log_reader;
mod main_loop;
mod markdown;
mod menus;
mod minimap;
mod mouse;
mod msg;
mod outside;
mod panels;
mod proposal;
mod region;
mod reorder;
mod run;
mod scene;
mod settings;
mod snapshot;
mod tails;
mod terminal;
mod theme;
mod toast;
mod typing;
mod update;
mod welcome;
mod worker;

#[cfg(test)]
mod tests;

pub use run::{Options, run};
pub use welcome::{Start, welcome};
