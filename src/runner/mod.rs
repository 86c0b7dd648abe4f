//! The mechanics of running: who starts a step, who watches over it, and who cleans up after it.
//! Decisions (what may run, and when) are the engine's.

mod allowance;
mod artifact;
mod child;
mod crew;
mod diff;
mod executor;
mod finish;
mod limit;
mod looks;
mod message;
mod product;
mod recover;
pub mod scheduler;
mod spawner;
mod spec;
mod stop;
mod supervisor;
mod sweep;
mod times;
mod word;

pub use allowance::Allowance;
pub use executor::{Executor, LocalExecutor, Report};
pub use finish::write_status;
pub use looks::{Look, Verdict};
pub use recover::{Leftover, declare_dead, leftover, orphaned, repair};
pub use spawner::{Spawner, fork as fork_spawner, serve_standard as serve_spawner};
pub use spec::{Spec, SpecFile, Watch};
pub use stop::{StopRequest, deliver, end_supervisor, grace, hurry};
