//! `.threados/sequence.yaml`: reading it with positions, and changing only the bytes that must change.
//!
//! [`parse`] gives the plan, what is odd about the text, and the lines things stand on. [`patch`] turns one text into
//! the next. [`Statuses`] remembers where the statuses stand, so that an outcome costs a splice. [`render`] writes the
//! text of a new project.
//!
//! What belongs to what, when lines come and go:
//! - an item of a block list owns the comment lines directly above its `-`, at the same column and without a blank line
//!   between, and the comment lines below it that stand deeper than the `-`; it takes one run of blank lines with it;
//! - a key owns its lines and the comment behind its value; a comment above it stays; a block list or mapping also owns
//!   the comment lines below it that stand deeper than the key;
//! - a new key comes after the nearest key that precedes it in the canonical order, else before the nearest that follows;
//! - a new item follows the item before it, with a blank line between if its neighbours have one;
//! - in `[…]` and `{…}` an element owns the comment behind its comma.

mod build;
mod complaint;
mod decode;
mod decode_step;
mod edits;
mod emit;
#[cfg(test)]
mod examples;
mod extent;
mod field;
mod flow;
#[cfg(test)]
mod fragments;
mod keys;
mod list;
mod mapping;
#[cfg(test)]
mod mutate;
mod parsed;
mod patch;
#[cfg(test)]
mod properties;
mod quote;
mod scan;
mod shape;
mod source;
mod status;
mod tree;
mod value;

pub use decode::parse;
pub use emit::render;
pub use parsed::{Lines, Parsed, Warning};
pub use patch::patch;
pub use status::Statuses;
