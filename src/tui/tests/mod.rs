//! The whole screen, with keys pressed through the real keymap, on real projects.

mod first;
mod first_minutes;
mod inspector;
mod project;
mod settings;
mod stage;
