//! What happened, for whoever watches: read off the audit log, so that every process sees the same.

use serde::Serialize;
use serde_json::Value;

use super::settle::Committed;
use crate::{
    audit::Entry,
    model::{Id, Outcome},
};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// The audit entry it comes from.
    pub seq: u64,
    /// RFC 3339.
    pub at: String,
    /// What it was.
    #[serde(flatten)]
    pub kind: Kind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the JSON lines")]
pub enum Kind {
    StepStarted {
        step: Id,
        run: String,
        attempt: u32,
    },
    StepEnded {
        step: Id,
        run: String,
        attempt: u32,
        #[serde(flatten)]
        outcome: Outcome,
        duration_ms: u64,
    },
    RunStarted {
        run: String,
    },
    RunWaiting {
        run: String,
        waits_for: Vec<String>,
    },
    RunEnded {
        run: String,
    },
    /// A step left a request for a person.
    Requested {
        request: String,
        run: String,
        by: String,
        what: String,
    },
    StopRequested {
        steps: Vec<Id>,
    },
    Changed {
        action: String,
        target: Option<String>,
        by: String,
    },
    Denied {
        action: String,
        target: Option<String>,
        why: String,
    },
}

impl Event {
    /// The events of an audit entry.
    pub fn of(entry: &Entry) -> Vec<Self> {
        let body = &entry.body;
        let run = || body.target.clone().unwrap_or_default();
        let list = |key: &str| body.payload.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let kinds = match body.action.as_str() {
            _ if body.result == "denied" => {
                vec![Kind::Denied {
                    action: body.action.clone(),
                    target: body.target.clone(),
                    why: body.error.clone().unwrap_or_default(),
                }]
            }
            "claim" => list("claims").iter().filter_map(|claim| started(claim, &run())).collect(),
            "commit" => list("outcomes").into_iter().filter_map(ended).collect(),
            "run.wait" => {
                let waits_for = list("waitsFor").iter().filter_map(|text| text.as_str().map(str::to_owned)).collect();
                vec![Kind::RunWaiting { run: run(), waits_for }]
            }
            "request" => {
                let text = |key: &str| body.payload.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
                let by = body.via.split_once(':').map_or_else(String::new, |(_, step)| step.to_owned());
                vec![Kind::Requested { request: run(), run: text("run"), by, what: text("what") }]
            }
            "run.end" => vec![Kind::RunEnded { run: run() }],
            "restart" => {
                let run = body.payload.get("run").and_then(Value::as_str).unwrap_or_default().to_owned();
                vec![
                    Kind::Changed { action: "restart".into(), target: body.target.clone(), by: body.actor.clone() },
                    Kind::RunStarted { run },
                ]
            }
            // A step asked for more in the run that it is in.
            action if body.payload.get("within").is_some() => {
                vec![Kind::Changed { action: action.into(), target: body.target.clone(), by: body.actor.clone() }]
            }
            "run.all" | "run.runnable" | "run.step" | "run.group" => vec![Kind::RunStarted { run: run() }],
            "stop" => vec![Kind::StopRequested {
                steps: list("steps").into_iter().filter_map(|id| serde_json::from_value(id).ok()).collect(),
            }],
            "void" | "merge" => Vec::new(),
            action => vec![Kind::Changed { action: action.into(), target: body.target.clone(), by: body.actor.clone() }],
        };
        kinds.into_iter().map(|kind| Self { seq: entry.seq, at: entry.at.clone(), kind }).collect()
    }

    /// The run it belongs to, if any.
    pub fn run(&self) -> Option<&str> {
        match &self.kind {
            Kind::StepStarted { run, .. }
            | Kind::StepEnded { run, .. }
            | Kind::RunStarted { run }
            | Kind::RunWaiting { run, .. }
            | Kind::Requested { run, .. }
            | Kind::RunEnded { run } => Some(run),
            Kind::StopRequested { .. } | Kind::Changed { .. } | Kind::Denied { .. } => None,
        }
    }
}

fn started(claim: &Value, run: &str) -> Option<Kind> {
    let step = serde_json::from_value(claim.get("step")?.clone()).ok()?;
    let attempt = claim.get("attempt").and_then(Value::as_u64).and_then(|attempt| attempt.try_into().ok()).unwrap_or(1);
    Some(Kind::StepStarted { step, run: run.into(), attempt })
}

fn ended(outcome: Value) -> Option<Kind> {
    let Committed { step, run, attempt, outcome, duration_ms, .. } = serde_json::from_value(outcome).ok()?;
    Some(Kind::StepEnded { step, run, attempt, outcome, duration_ms })
}
