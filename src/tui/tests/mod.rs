//! The whole screen, with keys pressed through the real keymap, on real projects.

mod acting;
mod anything;
mod dialogs;
mod every_key;
mod first_minutes;
mod folding;
mod guide;
mod inspector;
mod logs;
mod moving;
mod pointing;
mod project;
mod proposing;
mod reordering;
mod running;
mod saying;
mod screens;
mod settings;
mod stage;
mod states;
mod thread_types;
mod writing;
