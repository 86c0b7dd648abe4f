//! What a person can decide.

use serde::{Deserialize, Serialize};

/// A decision about a gate, or about what counts for a step.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// A gate lets through.
    Approved,
    /// A gate is undecided again.
    Pending,
    /// A gate is closed.
    Blocked,
    /// A step counts as done.
    Skip,
    /// A step counts as never run.
    Reset,
    /// What a step did is good.
    Accept,
    /// What a step did is not good.
    Reject,
    /// A step's agent is to go on with its session.
    Continue,
}
