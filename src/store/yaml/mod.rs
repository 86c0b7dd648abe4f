//! `.threados/sequence.yaml`: reading it with positions, and changing only the bytes that must change.
//!
//! [`parse`] gives the plan, what is odd about the text, and the lines things stand on. [`patch()`] turns one text into
//! the next. [`Statuses`] remembers where the statuses stand, so that an outcome costs a splice. [`render`] writes the
//! text of a new project.
//!
//! What belongs to what, when lines come and go:
//! - an item of a list on lines owns the comment lines directly above its `-`, in the same column and without a blank line
//!   between, and the comment lines below it that stand deeper than the `-`. It takes the blank lines above it along; the
//!   first item, where there are none, those below;
//! - a key owns its lines and the comment behind its value. A comment above it stays. A list or mapping on lines also owns
//!   the comment lines below it that stand deeper than its key;
//! - in brackets and braces an element owns the comment behind its comma; comment lines above it stay;
//! - a new key comes behind the nearest key that precedes it in the canonical order, else before the nearest that follows,
//!   else last; a new item behind the item before it, with a blank line between where most items have one;
//! - a scalar keeps its style where that can say the new text. What is new is written plainly where every reader agrees,
//!   text of several lines as a literal block, else in double quotes;
//! - blank lines below a `|+` text, and deep comments below any block, would become a part of it. Where the next text would
//!   not say what it should, it is made once more without new blocks and without blank lines beside what changed.

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
mod schema;
mod shape;
mod source;
mod status;
mod template;
mod tree;
mod typed;
mod usual;
mod value;

pub use decode::{parse, read};
pub use emit::render;
pub use parsed::{Lines, Parsed, Warning};
pub use patch::patch;
pub use schema::schema;
pub use source::SIZE_LIMIT;
pub use status::Statuses;
pub use template::{expand, template};
pub use typed::typed;
