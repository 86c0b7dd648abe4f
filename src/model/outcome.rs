//! How an attempt ended, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StepStatus;

/// Why a step ended otherwise than by its own success.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It exited with a code that means failure.
    Exit,
    /// A signal ended it.
    Signal,
    /// It took longer than its timeout.
    Timeout,
    /// Somebody stopped it.
    Stopped,
    /// Another member of its group failed.
    FailFast,
    /// Its watchdog stopped it.
    Watchdog,
    /// Its supervisor was killed.
    OrphanedProcess,
    /// The machine went down while it ran.
    Interrupted,
    /// It could not be started.
    Spawn,
    /// The policy forbade it.
    Policy,
    /// The agent said that it failed, whatever its exit code.
    Agent,
    /// A person reviewed it and said no.
    Rejected,
    /// Its provider's usage limit was reached.
    Limit,
}

impl Reason {
    /// The word in JSON and on screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Signal => "signal",
            Self::Timeout => "timeout",
            Self::Stopped => "stopped",
            Self::FailFast => "fail_fast",
            Self::Watchdog => "watchdog",
            Self::OrphanedProcess => "orphaned_process",
            Self::Interrupted => "interrupted",
            Self::Spawn => "spawn",
            Self::Policy => "policy",
            Self::Agent => "agent",
            Self::Rejected => "rejected",
            Self::Limit => "limit",
        }
    }

    /// Whether another attempt may mend it.
    pub const fn is_retried(self) -> bool {
        matches!(self, Self::Exit | Self::Signal | Self::Timeout | Self::Agent)
    }
}

/// How a step ended.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// DONE, FAILED or NEEDS_REVIEW.
    pub status: StepStatus,
    /// Why, unless it simply exited with 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// What it, or who stopped it, said; at most 200 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When the step goes on by itself, where it waits for the end of a usage limit; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl Outcome {
    /// A failure for `reason`, with what there is to say about it.
    pub fn failed(reason: Reason, note: Option<String>) -> Self {
        Self { status: StepStatus::Failed, reason: Some(reason), code: None, signal: None, note, until: None }
    }

    /// In a few words, with its note.
    pub fn explained(&self) -> String {
        match &self.note {
            Some(note) => format!("{}, {note}", self.words()),
            None => self.words(),
        }
    }

    /// In a few words: `exit 1`, `signal 9`, `timeout`, `done`.
    pub fn words(&self) -> String {
        match (self.reason, self.code, self.signal) {
            (Some(Reason::Exit), Some(code), _) => format!("exit {code}"),
            (Some(Reason::Signal), _, Some(signal)) => format!("signal {signal}"),
            (Some(Reason::Agent), _, _) => "the agent failed".into(),
            (Some(Reason::Limit), _, _) => "usage limit".into(),
            (Some(reason), _, _) => reason.as_str().replace('_', " "),
            (None, _, _) => match self.status {
                StepStatus::NeedsReview => "needs review".into(),
                status => status.as_str().to_lowercase(),
            },
        }
    }
}
