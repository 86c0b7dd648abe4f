//! Answering what steps ask a person for.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act};

/// List what steps ask a person for
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct List {
    /// Answered ones, too
    #[arg(long)]
    #[serde(default)]
    pub all: bool,
}

impl Act for List {
    const NAME: &'static str = "requests.list";
    const ACCESS: Access = Access::Read;
}

/// Approve a request: what it asks for is done
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Approve {
    /// The request
    pub id: String,
    /// Why; kept with the request and in the audit log
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Act for Approve {
    const NAME: &'static str = "requests.approve";
    const ACCESS: Access = Access::Decide;
}

/// Deny a request: whoever waits for it is told so
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deny {
    /// The request
    pub id: String,
    /// Why; the step that asked is told
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Act for Deny {
    const NAME: &'static str = "requests.deny";
    const ACCESS: Access = Access::Decide;
}
