//! Questions: they take no lock and write nothing.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act};
use crate::model::Id;

macro_rules! query {
    ($name:literal, $args:ty) => {
        impl Act for $args {
            const NAME: &'static str = $name;
            const ACCESS: Access = Access::Read;
        }
    };
}

/// Show how the sequence stands
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Show it again at every change
    #[arg(long, short)]
    #[serde(default)]
    pub watch: bool,
    /// One line for a prompt or a status bar, also where the plan cannot be read; nothing outside a project
    #[arg(long, conflicts_with = "watch")]
    #[serde(default)]
    pub short: bool,
}
query!("status", Status);

/// List what needs a person, what holds up the most first
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Attention {}
query!("attention", Attention);

/// Check the plan
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Validate {
    /// Count warnings as errors
    #[arg(long)]
    #[serde(default)]
    pub strict: bool,
}
query!("validate", Validate);

/// List the steps
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepList {
    /// Only those with this status
    #[arg(long, value_name = "STATUS", ignore_case = true)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}
query!("step.list", StepList);

/// Show everything about a step
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepShow {
    /// The step
    pub id: Id,
}
query!("step.show", StepShow);

/// List the gates
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct GateList {}
query!("gate.list", GateList);

/// Print what a step wrote
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Logs {
    /// The step
    pub step: Id,
    /// Go on until the step ends
    #[arg(long, short)]
    #[serde(default)]
    pub follow: bool,
    /// Standard error instead of standard output
    #[arg(long)]
    #[serde(default)]
    pub stderr: bool,
    /// Of this run; the last one where absent
    #[arg(long, value_name = "RUN")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Of this attempt; the last one where absent
    #[arg(long, value_name = "N")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Of this worker of a fan-out; of all where absent, in the order in which they were written, with their numbers
    #[arg(long, value_name = "N")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<u32>,
    /// Only the last lines, with --follow those of each worker
    #[arg(long, short = 'n', value_name = "N")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<usize>,
    /// An agent's output as it is, not as a transcript
    #[arg(long)]
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub raw: bool,
    /// Only what came after this cursor of an earlier answer: a number of bytes of this attempt's log
    #[arg(long, value_name = "CURSOR", conflicts_with = "tail")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// How many bytes at most, of an agent's log whole lines; with --json a mebibyte where absent
    #[arg(long, visible_alias = "max-bytes", value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

impl Logs {
    /// The whole log of a step's last attempt.
    pub const fn of(step: Id) -> Self {
        Self {
            step,
            follow: false,
            stderr: false,
            run: None,
            attempt: None,
            worker: None,
            tail: None,
            raw: false,
            after: None,
            limit: None,
        }
    }
}
query!("logs", Logs);

/// An attempt of a step.
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The step
    pub step: Id,
    /// Of this run; the last one where absent
    #[arg(long, value_name = "RUN")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Of this attempt; the last one where absent
    #[arg(long, value_name = "N")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
}

impl Attempt {
    /// Where its log is.
    pub fn logs(&self) -> Logs {
        Logs { run: self.run.clone(), attempt: self.attempt, ..Logs::of(self.step.clone()) }
    }
}

/// Print what came out of a step: its agent's final text, or its output
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Which attempt.
    #[command(flatten)]
    #[serde(flatten)]
    pub of: Attempt,
    /// Of this worker of a fan-out; of all where absent
    #[arg(long, value_name = "N")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<u32>,
}
query!("result", Answer);

/// Print what an agent's step changed in its git work tree, as a patch
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diff {
    /// Which attempt.
    #[command(flatten)]
    #[serde(flatten)]
    pub of: Attempt,
}
query!("diff", Diff);

/// List the runs, newest first
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunsList {
    /// How many at most
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    #[serde(default = "twenty")]
    pub limit: usize,
}
query!("runs.list", RunsList);

const fn twenty() -> usize {
    20
}

/// Show a run with its attempts
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunsShow {
    /// The run; the last one where absent
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}
query!("runs.show", RunsShow);

/// Show what runs took and how they went, in numbers
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Only of this run; of all that are kept where absent
    #[arg(long, value_name = "RUN")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}
query!("metrics", Metrics);

/// Show the last entries of the audit log
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditTail {
    /// How many
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    #[serde(default = "twenty")]
    pub limit: usize,
}
query!("audit.tail", AuditTail);

/// List entries of the audit log
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditList {
    /// Only of this action, like gate.approve
    #[arg(long, value_name = "ACTION")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Only about this step, gate or run
    #[arg(long, value_name = "ID")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Only after this entry
    #[arg(long, value_name = "SEQ")]
    #[serde(default)]
    pub after: Option<u64>,
    /// How many at most
    #[arg(long, short = 'n', value_name = "N", default_value_t = 1000)]
    #[serde(default = "thousand")]
    pub limit: usize,
}
query!("audit.list", AuditList);

const fn thousand() -> usize {
    1000
}

/// Check the chain of the audit log
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditVerify {
    /// What `audit head` said once: this entry must be in the log
    #[arg(long, value_name = "HEAD")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
}
query!("audit.verify", AuditVerify);

/// Show the number and hash of the last entry
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct AuditHead {}
query!("audit.head", AuditHead);
