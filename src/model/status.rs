//! The words a status can be, as they stand in sequence.yaml.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a step is. Only outcomes are written to the file; READY and BLOCKED are computed,
/// RUNNING is a held lease.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepStatus {
    /// Everything it depends on is satisfied.
    Ready,
    /// A lease is held for it.
    Running,
    /// It ended and wants a person's eye.
    NeedsReview,
    /// It ended well.
    Done,
    /// It ended badly.
    Failed,
    /// Something it depends on is not satisfied.
    Blocked,
}

impl StepStatus {
    /// Every status, in the order people want to see counts in.
    pub const ALL: [Self; 6] = [Self::Running, Self::NeedsReview, Self::Done, Self::Failed, Self::Ready, Self::Blocked];

    /// The word in the file, in JSON and on screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Running => "RUNNING",
            Self::NeedsReview => "NEEDS_REVIEW",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
            Self::Blocked => "BLOCKED",
        }
    }

    /// The status named by `word`.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether it is the result of an attempt (or of a person's word) rather than computed.
    pub const fn is_outcome(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::NeedsReview)
    }
}

/// Where a gate is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GateStatus {
    /// Nobody has decided.
    #[default]
    Pending,
    /// What comes after it may start.
    Approved,
    /// Somebody said no.
    Blocked,
}

impl GateStatus {
    /// Every status of a gate.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Approved, Self::Blocked];

    /// The word in the file, in JSON and on screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Blocked => "BLOCKED",
        }
    }

    /// The status named by `word`.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}
