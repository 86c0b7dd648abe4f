//! The layers that can lie over the screen.

pub(super) mod confirm;
mod field;
pub(super) mod form;
pub(super) mod help;
pub(super) mod menu;
pub(super) mod palette;
