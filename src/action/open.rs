//! Handing the terminal to a step's agent.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act};
use crate::model::Id;

/// Talk to a step's agent in this terminal, in the session of its last attempt
///
/// The agent's program takes the terminal over until you leave it. Of a step that runs a command, a shell
/// is opened in its folder, with its environment.
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    /// The step
    pub id: Id,
}

impl Act for Open {
    const NAME: &'static str = "open";
    const ACCESS: Access = Access::Decide;
}
