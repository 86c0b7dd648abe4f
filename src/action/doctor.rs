//! Asking whether a machine and a project are fit for use.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act};

/// Check this machine and this project for what could get in the way
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Doctor {}

impl Act for Doctor {
    const NAME: &'static str = "doctor";
    const ACCESS: Access = Access::Read;
}
