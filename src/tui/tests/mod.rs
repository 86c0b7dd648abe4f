//! The whole screen, with keys pressed through the real keymap, on real projects.

mod first;
mod stage;
