//! The whole screen, with keys pressed through the real keymap, on real projects.

mod acting;
mod guide;
mod moving;
mod pointing;
mod screens;
mod stage;
