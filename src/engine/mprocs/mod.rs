//! The sequence in mprocs. mprocs shows and hosts, it never holds the truth: a pane is a view of its step, and what
//! runs lives under supervisors of its own.

mod keep;
mod open;
mod pane;
mod session;
mod tell;

pub use open::Hosted;
pub use pane::{Glance, PANE_VARIABLE, PaneMark};
pub(super) use tell::{Through, as_run};
