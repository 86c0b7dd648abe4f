//! Making projects, and changing them by a list of actions.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act};

/// Make a project in this folder
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Init {
    /// What people call the sequence; the folder's name where absent
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Begin without the three example steps
    #[arg(long)]
    #[serde(default)]
    pub empty: bool,
    /// Begin with what a template makes: base, parallel, chained, fusion, orchestrated or long-autonomy
    #[arg(long, value_name = "NAME", conflicts_with = "empty")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
}

impl Act for Init {
    const NAME: &'static str = "init";
    const ACCESS: Access = Access::Change;
}

/// Apply a list of actions as one change
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Apply {
    /// JSON or YAML list of actions, `-` for standard input
    #[arg(long, short, value_name = "FILE")]
    pub file: PathBuf,
    /// Show what would change and change nothing
    #[arg(long)]
    #[serde(default)]
    pub dry_run: bool,
    /// Only if the plan is still at this revision
    #[arg(long, value_name = "REV")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_unchanged: Option<String>,
}

impl Act for Apply {
    const NAME: &'static str = "apply";
    const ACCESS: Access = Access::Change;
}

/// Make a small project, and show how it runs
///
/// On a terminal it opens the full-screen interface on it, where its gate waits for you. In a pipe, with --no-ui, --json or
/// --quiet it runs to its end by itself.
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Demo {
    /// Where to make it; a temporary folder where absent
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// Print how it goes to its end, instead of opening the full-screen interface
    #[arg(long)]
    #[serde(default)]
    pub no_ui: bool,
}

impl Act for Demo {
    const NAME: &'static str = "demo";
    const ACCESS: Access = Access::Change;
}
