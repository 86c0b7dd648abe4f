//! `.threados/`: its paths, its files, its locks, and how they are changed without losing anything.

mod config;
pub mod displaced;
pub mod file;
mod lease;
mod lock;
mod machine;
mod pack;
mod paths;
mod prompt;
mod record;
pub mod runs;
mod stamp;
pub mod tx;
mod watch;
pub mod yaml;

pub use config::{Config, ConfigFile};
pub use lease::{Lease, Probe, active, is_held, look, probe, void};
pub use lock::ProjectLock;
pub use machine::{Machine, ProcStat, start_of, stat_of};
pub use pack::pack;
pub use paths::Paths;
pub use prompt::{Prompt, read_prompt};
pub use record::{Claim, Decided, Exit, Line, Record, Records, Resume, records};
pub use runs::{AttemptStatus, Run, RunKind, RunState, RunnerFile, list_runs, open_runs};
pub use stamp::{FileId, Stamp, sha256, sha256_of};
pub use watch::{Bell, FALLBACK, Listener, Watch, ring};
