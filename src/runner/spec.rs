//! What a supervisor is told to run.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::model::{Fanout, Id, OnLimit, OutputFormat, Sha, ThreadType, Usage, WorkerEnd};

/// Everything a supervisor needs; nothing is looked up after the claim.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Spec {
    /// The project root.
    pub root: PathBuf,
    /// The step.
    pub step: Id,
    /// The run.
    pub run: String,
    /// The claim.
    pub nonce: String,
    /// The number of the first attempt.
    pub attempt: u32,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Where it runs; absolute.
    pub cwd: PathBuf,
    /// Added to the environment.
    pub env: BTreeMap<String, String>,
    /// Taken out of the inherited environment.
    pub unset: Vec<String>,
    /// The longest an attempt may take, in milliseconds.
    pub timeout_ms: u64,
    /// How many more attempts a failure gets.
    pub retries: u32,
    /// The pause before each, in milliseconds.
    pub retry_delay_ms: u64,
    /// Whether a success wants a review.
    pub review: bool,
    /// Whether prompt.md is its standard input; otherwise there is nothing on it.
    #[serde(default)]
    pub stdin: bool,
    /// What its standard output is made of.
    #[serde(default)]
    pub output: OutputFormat,
    /// Globs of what it makes, from where it runs.
    #[serde(default)]
    pub artifacts: Vec<String>,
    /// Whether its changes of a git work tree are kept as a patch.
    #[serde(default)]
    pub diff: bool,
    /// What happens at its provider's usage limit.
    #[serde(default)]
    pub limit: OnLimit,
    /// Whether its agent stands in for another that is at its limit.
    #[serde(default)]
    pub stands_in: bool,
    /// When the limit of that one is over, if somebody said so; RFC 3339.
    #[serde(default)]
    pub own_limit: Option<String>,
    /// What a watchdog watches.
    #[serde(default)]
    pub watch: Option<Watch>,
    /// Whether several workers run it.
    #[serde(default)]
    pub fanout: Option<Fanout>,
    /// What each worker runs, where that is not the same for all.
    #[serde(default)]
    pub argvs: Vec<Vec<String>>,
    /// How the workers ended who had nothing left to do when it was claimed.
    #[serde(default)]
    pub workers: Vec<WorkerEnd>,
}

/// What a watchdog watches, and how often it looks.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Watch {
    /// The step.
    pub step: Id,
    /// The run in which that was claimed.
    pub run: String,
    /// The claim.
    pub nonce: String,
    /// From the beginning of one look to the next, in milliseconds.
    pub interval_ms: u64,
}

impl Spec {
    /// When the usage limit of the agent is over that this one stands in for.
    pub(super) fn own_limit(&self) -> Option<jiff::Timestamp> {
        self.own_limit.as_ref()?.parse().ok()
    }
}

impl Watch {
    /// From the beginning of one look to the next.
    pub const fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms)
    }
}

/// spec.json: what was run, without the values of the environment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SpecFile {
    /// The format.
    pub v: u8,
    /// The step.
    pub step: Id,
    /// The run.
    pub run: String,
    /// The first attempt that was made of it.
    #[serde(default)]
    pub attempt: u32,
    /// The thread type of the step.
    #[serde(rename = "type", default)]
    pub kind: ThreadType,
    /// The agent; `shell` for commands.
    pub agent: String,
    /// Whether it stands in for the step's own agent, which is at its limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stands_in: bool,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Where it runs.
    pub cwd: PathBuf,
    /// The longest an attempt may take.
    pub timeout_ms: u64,
    /// How many more attempts a failure gets.
    pub retries: u32,
    /// The pause before each.
    pub retry_delay_ms: u64,
    /// Whether a success wants a review.
    pub review: bool,
    /// What its standard output is made of.
    #[serde(default, skip_serializing_if = "OutputFormat::is_text")]
    pub output: OutputFormat,
    /// What the session that it goes on with has taken before, where its agent goes on counting from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Usage>,
    /// Globs of what it makes, from where it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<String>,
    /// Whether several workers run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fanout: Option<Fanout>,
    /// How the workers ended who had nothing left to do when this was claimed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workers: Vec<WorkerEnd>,
    /// What the sessions have taken before that workers go on with, by their numbers, like `spent`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub workers_spent: BTreeMap<u32, Usage>,
    /// SHA-256 of the definition.
    pub defhash: Sha,
    /// The names that the plan adds to the environment.
    pub env: Vec<String>,
    /// The search path it had.
    pub path: String,
}
