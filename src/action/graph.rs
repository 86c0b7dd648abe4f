//! Looking at the plan as a graph, and at what holds a step back.

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act};
use crate::model::Id;

/// What a graph is written as.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A drawing for the terminal
    #[default]
    Text,
    /// A Mermaid flowchart, for Markdown
    Mermaid,
    /// Graphviz
    Dot,
    /// Nodes and edges as one JSON document
    Json,
}

/// How large steps and gates are drawn.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// One character each
    Overview,
    /// One row each
    Compact,
    /// A box with the name and a line about it
    Normal,
    /// A box with everything that is known
    Detail,
}

/// Draw the plan as a graph
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Graph {
    /// What to write it as
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    #[serde(default)]
    pub format: Format,
    /// Draw with ASCII characters only
    #[arg(long)]
    #[serde(default)]
    pub ascii: bool,
    /// How large to draw; what fits the terminal where absent
    #[arg(long, value_enum, value_name = "SIZE")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zoom: Option<Size>,
    /// Only this step or gate, what it needs and what depends on it
    #[arg(long, value_name = "ID")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<Id>,
}

impl Act for Graph {
    const NAME: &'static str = "graph";
    const ACCESS: Access = Access::Read;
}

/// Say what holds a step or gate back, and what would let it start
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// The step or gate
    pub id: Id,
}

impl Act for Why {
    const NAME: &'static str = "why";
    const ACCESS: Access = Access::Read;
}
