//! Taking changes of the plan back.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act};

/// Take back the last change of the plan or of prompts; outcomes and runs stay
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Undo {
    /// The change, as `audit list` numbers it; the last one where absent
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<u64>,
}

impl Act for Undo {
    const NAME: &'static str = "undo";
    const ACCESS: Access = Access::Decide;
}

/// Make a change again that was taken back
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Redo {
    /// The change, as `audit list` numbers it; the one taken back last where absent
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<u64>,
}

impl Act for Redo {
    const NAME: &'static str = "redo";
    const ACCESS: Access = Access::Decide;
}
