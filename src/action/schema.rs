//! Asking what files and documents look like.

use std::fmt::{self, Display, Formatter};

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act};

/// What a schema is of.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    /// sequence.yaml
    Sequence,
    /// policy.yaml
    Policy,
    /// config.yaml
    Config,
    /// The arguments of an action, as `apply` takes them
    Action,
    /// What an action answers with under --json
    Output,
    /// What every failure looks like under --json
    Error,
}

impl Display for Of {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sequence => "sequence",
            Self::Policy => "policy",
            Self::Config => "config",
            Self::Action => "action",
            Self::Output => "output",
            Self::Error => "error",
        })
    }
}

/// Print the JSON Schema of a file or a document
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// What it describes
    #[arg(value_enum)]
    pub of: Of,
    /// The action, like gate.approve; for `action` and `output`
    #[arg(value_name = "ACTION")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Write the one of sequence.yaml to .threados/schema.json, where editors look for it
    #[arg(long)]
    #[serde(default)]
    pub write: bool,
}

impl Act for Schema {
    const NAME: &'static str = "schema";
    const ACCESS: Access = Access::Read;
}
