//! One line of the audit log.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A line of the audit log.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Entry {
    /// The format.
    pub v: u8,
    /// Its number, which is the transaction's.
    pub seq: u64,
    /// RFC 3339.
    pub at: String,
    /// SHA-256 of the previous line's bytes without its newline.
    pub prev: String,
    /// What it says.
    #[serde(flatten)]
    pub body: Draft,
}

/// What an entry says, before it has its place in the chain.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
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

/// An entry as it is read. A flattened field would make serde keep all of the line before it knows what is in it, and
/// whoever follows a run reads a line for every step.
#[derive(Deserialize)]
struct FlatEntry {
    v: u8,
    seq: u64,
    #[serde(alias = "timestamp")]
    at: String,
    prev: String,
    actor: String,
    via: String,
    action: String,
    #[serde(default)]
    target: Option<String>,
    #[serde(default)]
    tx: bool,
    #[serde(default)]
    pre_sha: Option<String>,
    #[serde(default)]
    post_sha: Option<String>,
    #[serde(default)]
    policy_mode: Option<String>,
    result: String,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    payload: Value,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let FlatEntry {
            v,
            seq,
            at,
            prev,
            actor,
            via,
            action,
            target,
            tx,
            pre_sha,
            post_sha,
            policy_mode,
            result,
            error,
            payload,
        } = FlatEntry::deserialize(deserializer)?;
        let body = Draft { actor, via, action, target, tx, pre_sha, post_sha, policy_mode, result, error, payload };
        Ok(Self { v, seq, at, prev, body })
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let body = Draft {
            actor: "user".into(),
            via: "cli".into(),
            action: "step.add".into(),
            target: Some("a".into()),
            tx: true,
            pre_sha: Some("1".into()),
            post_sha: Some("2".into()),
            policy_mode: Some("SAFE".into()),
            result: "denied".into(),
            error: Some("no".into()),
            payload: json!({"id": "a"}),
        };
        let entry = Entry { v: 1, seq: 7, at: "2026-11-22T06:48:00.000Z".into(), prev: "0".into(), body };
        let line = serde_json::to_string(&entry).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), entry);
        assert_eq!(serde_json::from_str::<Entry>(&line.replace("\"at\"", "\"timestamp\"")).unwrap(), entry);
        let short = r#"{"v":1,"seq":7,"at":"x","prev":"0","actor":"user","via":"cli","action":"init","result":"ok"}"#;
        assert_eq!(serde_json::from_str::<Entry>(short).unwrap().body.payload, Value::Null);
    }
}
