//! mprocs, the viewer of terminals: finding it, its configuration, what it is told, and which of its
//! panes is which step. Nothing else knows that it is mprocs.

mod config;
mod control;
mod key;
mod panes;
mod program;

pub use config::Config;
pub use control::{Command, GAP, free_port, is_free, send};
pub use key::Key;
pub use panes::{Changes, Pane, Panes};
pub use program::Program;

/// The version that this was written against: later ones cannot be told anything.
pub const VERSION: &str = "0.9.6";

/// The variable that names the program.
pub const PATH_VARIABLE: &str = "THREADOS_MPROCS_PATH";
