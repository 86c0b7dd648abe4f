//! The plan as plain data: steps, gates, their graph and their readiness. No I/O, no clock.

mod agent;
mod decision;
mod duration;
mod gate;
mod graph;
mod group;
mod id;
mod merge;
mod metrics;
mod outcome;
mod product;
mod readiness;
mod resolve;
mod sequence;
mod status;
mod step;
mod unblock;
mod worker;

pub use agent::{AgentReport, AgentSettings, Denial, OutputFormat, PromptBy, Usage};
pub use decision::Decision;
pub use duration::Span;
pub use gate::Gate;
pub use graph::{Graph, Node, nearest};
pub use group::{Group, Groups};
pub use id::{Id, MODE_WORDS};
pub use merge::redo_on;
pub use metrics::{AgentWork, Agreement, FanoutUse, Kept, Latency, Metrics, Thread, Work};
pub use outcome::{Outcome, Reason};
pub use product::{Artifact, DiffFacts, Products};
pub use readiness::{Blocker, Readiness, State};
pub use resolve::Resolved;
pub use sequence::{Defaults, Metadata, Mode, PolicyLimits, Sequence};
pub use status::{GateStatus, StepStatus};
pub use step::{Candidates, CommandLine, FailPolicy, Orchestrator, Step, Synth, ThreadType};
pub use unblock::{Root, Unblock, Unblocking, Why};
pub use worker::{Fanout, WorkerEnd};
