//! One line of the audit log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A line of the audit log.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Entry {
    /// The format.
    pub v: u8,
    /// Its number, which is the transaction's.
    pub seq: u64,
    /// RFC 3339.
    #[serde(alias = "timestamp")]
    pub at: String,
    /// SHA-256 of the previous line's bytes without its newline.
    pub prev: String,
    /// What it says.
    #[serde(flatten)]
    pub body: Draft,
}

/// What an entry says, before it has its place in the chain.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Draft {
    /// Who: user, orchestrator, api, chat, mcp or system.
    pub actor: String,
    /// Through which face, and for which step.
    pub via: String,
    /// The action's name, `apply` for several, or one of the engine's own (`claim`, `commit`, …).
    pub action: String,
    /// The step, gate or run it is about.
    #[serde(default)]
    pub target: Option<String>,
    /// Whether `state/tx/<seq>/` holds the rest of it.
    #[serde(default)]
    pub tx: bool,
    /// SHA-256 of sequence.yaml before.
    #[serde(default)]
    pub pre_sha: Option<String>,
    /// SHA-256 of sequence.yaml after.
    #[serde(default)]
    pub post_sha: Option<String>,
    /// SAFE or POWER.
    #[serde(default)]
    pub policy_mode: Option<String>,
    /// `ok` or `denied`.
    pub result: String,
    /// Why it was denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The facts, redacted.
    #[serde(default)]
    pub payload: Value,
}

impl Draft {
    /// Whether it is about a step, gate or run, alone or among others.
    pub fn is_about(&self, id: &str) -> bool {
        fn names(value: &Value, id: &str) -> bool {
            match value {
                Value::String(text) => text == id,
                Value::Array(items) => items.iter().any(|item| names(item, id)),
                Value::Object(fields) => fields.values().any(|value| names(value, id)),
                Value::Null | Value::Bool(_) | Value::Number(_) => false,
            }
        }
        self.target.as_deref() == Some(id) || names(&self.payload, id)
    }
}
