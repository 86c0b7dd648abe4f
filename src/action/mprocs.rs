//! Working beside mprocs, the viewer of terminals.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act};
use crate::model::Id;

/// Open the sequence in mprocs, a pane for each step
///
/// Runs nothing by itself. In the list, s starts the step of a pane, r runs it again and x stops it. Leaving mprocs, or
/// losing it, ends no step.
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    /// Write .threados/mprocs.yaml and start nothing
    #[arg(long)]
    #[serde(default)]
    pub config_only: bool,
}

impl Act for Open {
    const NAME: &'static str = "mprocs.open";
    const ACCESS: Access = Access::Read;
}

/// Select the pane of a step
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Select {
    /// The step
    pub id: Id,
}

impl Act for Select {
    const NAME: &'static str = "mprocs.select";
    const ACCESS: Access = Access::Read;
}

/// Run a step, and select its pane
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Start {
    /// The step
    pub id: Id,
}

impl Act for Start {
    const NAME: &'static str = "mprocs.start";
    const ACCESS: Access = Access::Run;
}

/// Stop a step through its pane
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Stop {
    /// The step
    pub id: Id,
}

impl Act for Stop {
    const NAME: &'static str = "mprocs.stop";
    const ACCESS: Access = Access::Stop;
}

/// Run a step again, stopping it through its pane first if it runs
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Restart {
    /// The step
    pub id: Id,
}

impl Act for Restart {
    const NAME: &'static str = "mprocs.restart";
    const ACCESS: Access = Access::Run;
}

/// Type a key into the pane of a step
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct SendKey {
    /// The step
    pub id: Id,
    /// The key, like s, Enter, F5 or C-c
    pub key: String,
}

impl Act for SendKey {
    const NAME: &'static str = "mprocs.send-key";
    const ACCESS: Access = Access::Run;
}

/// Show whether mprocs is open, and its panes
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Status {}

impl Act for Status {
    const NAME: &'static str = "mprocs.status";
    const ACCESS: Access = Access::Read;
}

/// Close mprocs; what runs goes on
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Close {}

impl Act for Close {
    const NAME: &'static str = "mprocs.close";
    const ACCESS: Access = Access::Destroy;
}
