//! The layers that can lie over the screen.

pub(super) mod confirm;
pub(super) mod help;
