//! Looking at the policy, and the little of it that commands change.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act};
use crate::model::{Id, Mode};

/// Show what is in force, and where each value comes from
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Show {}

impl Act for Show {
    const NAME: &'static str = "policy.show";
    const ACCESS: Access = Access::Read;
}

/// Say whether the policy lets a step run, without running it
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Check {
    /// The step
    pub id: Id,
}

impl Act for Check {
    const NAME: &'static str = "policy.check";
    const ACCESS: Access = Access::Read;
}

/// Write SAFE or POWER into policy.yaml
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct SetMode {
    /// SAFE asks before anything runs, POWER only before something is taken away
    #[arg(value_parser = mode, value_name = "MODE")]
    pub mode: Mode,
}

impl Act for SetMode {
    const NAME: &'static str = "policy.set-mode";
    const ACCESS: Access = Access::Decide;
}

/// Let this project's policy.yaml and config.yaml count as they stand, for you
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Trust {}

impl Act for Trust {
    const NAME: &'static str = "trust";
    const ACCESS: Access = Access::Decide;
}

fn mode(word: &str) -> Result<Mode, String> {
    match word.to_ascii_uppercase().as_str() {
        "SAFE" => Ok(Mode::Safe),
        "POWER" => Ok(Mode::Power),
        _ => Err("expected `SAFE` or `POWER`".into()),
    }
}
