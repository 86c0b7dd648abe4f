//! Running, waiting and stopping.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act};
use crate::model::{Id, Span};

/// How a run is started and watched.
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Options {
    /// Start it and return at once
    #[arg(long, short, conflicts_with = "wait")]
    #[serde(skip_serializing_if = "is_false")]
    pub detach: bool,
    /// Stay until it is over, also at a pending gate
    #[arg(long)]
    #[serde(skip_serializing_if = "is_false")]
    pub wait: bool,
    /// Show what would start and start nothing
    #[arg(long)]
    #[serde(skip_serializing_if = "is_false")]
    pub dry_run: bool,
    /// Start nothing more once a step has failed
    #[arg(long)]
    #[serde(skip_serializing_if = "is_false")]
    pub fail_fast: bool,
    /// With --json: print events as JSON lines
    #[arg(long)]
    #[serde(skip_serializing_if = "is_false")]
    pub watch: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Run everything that can run, until nothing more can start
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct All {
    #[command(flatten)]
    #[serde(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub options: Options,
}

impl Act for All {
    const NAME: &'static str = "run.all";
    const ACCESS: Access = Access::Run;
}

/// Run what can start now, and nothing after it
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Runnable {
    #[command(flatten)]
    #[serde(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub options: Options,
}

impl Act for Runnable {
    const NAME: &'static str = "run.runnable";
    const ACCESS: Access = Access::Run;
}

/// Run steps
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Steps {
    /// The steps
    #[arg(required = true)]
    pub ids: Vec<Id>,
    #[command(flatten)]
    #[serde(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub options: Options,
}

impl Act for Steps {
    const NAME: &'static str = "run.step";
    const ACCESS: Access = Access::Run;
}

/// Run the members of a group
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// The group
    pub id: Id,
    #[command(flatten)]
    #[serde(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub options: Options,
}

impl Act for Group {
    const NAME: &'static str = "run.group";
    const ACCESS: Access = Access::Run;
}

/// Run the candidates of a synthesis, and then the synthesis
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fusion {
    /// The step that makes one result of its candidates
    pub synth: Id,
    #[command(flatten)]
    #[serde(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub options: Options,
}

impl Act for Fusion {
    const NAME: &'static str = "run.fusion";
    const ACCESS: Access = Access::Run;
}

/// Watch a run that is going on
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attach {
    /// The run; the one that is going on where absent
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// With --json: print events as JSON lines
    #[arg(long)]
    #[serde(default, skip_serializing_if = "is_false")]
    pub watch: bool,
}

impl Act for Attach {
    const NAME: &'static str = "attach";
    const ACCESS: Access = Access::Read;
}

/// What to wait for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Until {
    /// Every one is DONE.
    Done,
    /// None runs or will start by itself.
    #[default]
    Settled,
    /// Something needs a person, or nothing more will happen.
    Attention,
}

/// Wait for steps or a run
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wait {
    /// Steps, or a run; the run that is going on where absent
    #[serde(default)]
    pub targets: Vec<String>,
    /// What to wait for
    #[arg(long = "for", value_enum, default_value_t = Until::Settled, value_name = "WHAT")]
    #[serde(default, rename = "for")]
    pub until: Until,
    /// Give up after this time
    #[arg(long, value_name = "TIME")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
}

impl Act for Wait {
    const NAME: &'static str = "wait";
    const ACCESS: Access = Access::Read;
}

/// Stop a step, a run, or everything
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    /// A step or a run
    #[arg(required_unless_present = "all")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Everything that runs
    #[arg(long, conflicts_with = "target")]
    #[serde(default)]
    pub all: bool,
    /// Declare a step dead that another machine claimed, once nothing runs there any more
    #[arg(long)]
    #[serde(default)]
    pub force: bool,
}

impl Act for Stop {
    const NAME: &'static str = "stop";
    const ACCESS: Access = Access::Stop;
}

/// Run a step again, stopping it first if it runs
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restart {
    /// The step
    pub id: Id,
    /// And everything that depends on it
    #[arg(long)]
    #[serde(default)]
    pub downstream: bool,
    #[command(flatten)]
    #[serde(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub options: Options,
}

impl Act for Restart {
    const NAME: &'static str = "restart";
    const ACCESS: Access = Access::Run;
}

/// Remove the folders of old runs
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prune {
    /// How many of the newest to keep
    #[arg(long, value_name = "N", default_value_t = 20)]
    #[serde(default = "twenty")]
    pub keep: usize,
}

const fn twenty() -> usize {
    20
}

impl Act for Prune {
    const NAME: &'static str = "runs.prune";
    const ACCESS: Access = Access::Destroy;
}
