//! More time for a step that runs.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act};
use crate::model::{Id, Span};

/// Give a running step more time
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[command(after_help = "It counts for the attempt that runs now; the next one has the step's own timeout again. \
    A step can extend only what it added itself.")]
pub struct Extend {
    /// The step
    pub id: Id,
    /// How much is added to its timeout
    pub time: Span,
}

impl Act for Extend {
    const NAME: &'static str = "extend";
    const ACCESS: Access = Access::Stop;
}
