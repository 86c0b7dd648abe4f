//! Durable stop requests, and their delivery.

use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

use super::word::cut;
use crate::{
    error::Error,
    model::{Id, Outcome, Reason, StepStatus},
    store::{Paths, Record, file, start_of},
};

/// `state/active/<step>.stop`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct StopRequest {
    /// The format.
    pub v: u8,
    /// The claim to stop; another one is not meant.
    pub nonce: String,
    /// Who asked.
    pub by: String,
    /// Why: `stopped`, `fail_fast` or `watchdog`.
    pub reason: Reason,
    /// What a watchdog found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
}

/// Why a watchdog stops its step.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// In its own words.
    pub note: String,
    /// Whether a person shall look at what the step did, instead of its having failed.
    pub review: bool,
}

impl StopRequest {
    /// A request by `by` to stop the claim `nonce`.
    pub const fn new(nonce: String, by: String, reason: Reason) -> Self {
        Self { v: 1, nonce, by, reason, finding: None }
    }

    /// A watchdog's request to stop the claim that it watches.
    pub(super) fn by_watchdog(nonce: String, by: String, finding: Finding) -> Self {
        Self { finding: Some(finding), ..Self::new(nonce, by, Reason::Watchdog) }
    }

    /// How a step ends that is stopped by it while it runs.
    pub(super) fn outcome(&self) -> Outcome {
        let Some(finding) = &self.finding else { return Outcome::failed(self.reason, Some(cut(&format!("by {}", self.by)))) };
        let status = if finding.review { StepStatus::NeedsReview } else { StepStatus::Failed };
        Outcome { status, ..Outcome::failed(self.reason, Some(cut(&format!("{}: {}", self.by, finding.note)))) }
    }

    /// The request for a step's claim, if there is one.
    pub fn read(paths: &Paths, step: &str, nonce: &str) -> Option<Self> {
        file::read_json::<Self>(&paths.stop_request(step)).filter(|request| request.nonce == nonce)
    }

    /// Puts the request where the supervisor finds it.
    pub fn write(&self, paths: &Paths, step: &Id) -> Result<(), Error> {
        file::replace(&paths.stop_request(step.as_str()), &file::pretty(self)?)
    }
}

/// How long a step may take to end after SIGTERM, before SIGKILL.
pub fn grace() -> Duration {
    #[cfg(feature = "faults")]
    if let Some(ms) = std::env::var("THREADOS_GRACE_MS").ok().and_then(|text| text.parse().ok()) {
        return Duration::from_millis(ms);
    }
    Duration::from_secs(5)
}

/// Wakes the supervisor of a held lease, so that it sees its request now.
pub fn deliver(record: &Record) {
    signal(record, Signal::TERM);
}

/// Makes the supervisor of a step that is being stopped kill it now.
pub fn hurry(record: &Record) {
    signal(record, Signal::INT);
}

/// Kills a supervisor that does not answer. Only under the project lock.
pub fn end_supervisor(record: &Record) {
    signal(record, Signal::KILL);
}

fn signal(record: &Record, signal: Signal) {
    let Some((pid, start)) = record.supervisor else { return };
    // The pid may be another process by now; with its start it cannot be.
    if let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw)
        && start_of(pid).is_none_or(|now| now == start)
    {
        let _ = rustix::process::kill_process(raw, signal);
    }
}
