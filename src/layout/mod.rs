//! Where everything of a plan is drawn, and the drawing itself: a layered layout from left to
//! right, edges at right angles, and a painter of any part of it. Pure: no I/O, no terminal.
//!
//! [`Layout::of`] decides columns and order once for a plan, [`Layout::plane`] places them on cells
//! at a zoom, and [`Plane::paint`] draws what a window shows.

mod band;
mod bundle;
mod canvas;
mod column;
mod difference;
mod face;
mod frame;
mod order;
mod outline;
mod paint;
mod plane;
mod settle;
mod slot;
mod text;
mod tie;
mod track;

pub use band::{Band, bands};
pub use canvas::{Canvas, Cell, Ink};
pub use difference::{Difference, Mark};
pub use face::{Face, Glyphs};
pub use frame::Frame;
pub use order::Layout;
pub use outline::{Figure, Folded, Outline};
pub use plane::{Area, Plane, Point, Zoom};
pub use text::{fit, tame, width};
pub use tie::{Tie, TieKind};
