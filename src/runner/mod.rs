//! The mechanics of running: who starts a step, who watches over it, and who cleans up after it.
//! Decisions (what may run, and when) are the engine's.

mod artifact;
mod child;
mod crew;
mod diff;
mod executor;
mod finish;
mod message;
mod product;
mod recover;
pub mod scheduler;
mod spawner;
mod spec;
mod stop;
mod supervisor;
mod sweep;

pub use executor::{Executor, LocalExecutor, Report};
pub use finish::write_status;
pub use recover::{Leftover, declare_dead, leftover, orphaned, repair};
pub use spawner::{Spawner, fork as fork_spawner, serve_standard as serve_spawner};
pub use spec::{Spec, SpecFile};
pub use stop::{StopRequest, deliver, end_supervisor, grace, hurry};
