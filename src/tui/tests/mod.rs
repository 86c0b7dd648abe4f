//! The whole screen, with keys pressed through the real keymap, on real projects.

mod acting;
mod first_minutes;
mod guide;
mod inspector;
mod moving;
mod pointing;
mod project;
mod screens;
mod settings;
mod stage;
