//! The layers that can lie over the screen.

pub(super) mod confirm;
pub(super) mod editor;
mod field;
pub(super) mod form;
pub(super) mod help;
pub(super) mod list;
pub(super) mod menu;
pub(super) mod palette;
pub(super) mod propose;
mod rows;
pub(super) mod search;
