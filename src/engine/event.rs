//! What happened, for whoever watches: read off the audit log, so that every process sees the same.

use serde::{Deserialize, Serialize};
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
    /// The time of an attempt is nearly over.
    TimeShort {
        step: Id,
        run: String,
        attempt: u32,
        timeout_ms: u64,
        left_ms: u64,
    },
    /// Somebody gave an attempt more time.
    Extended {
        step: Id,
        run: String,
        attempt: u32,
        added_ms: u64,
        timeout_ms: u64,
        by: String,
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
        let list = |key: &str| body.payload.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let kinds = match body.action.as_str() {
            _ if body.result == "denied" => {
                vec![Kind::Denied {
                    action: body.action.clone(),
                    target: body.target.clone(),
                    why: body.error.clone().unwrap_or_default(),
                }]
            }
            "claim" => list("claims").iter().filter_map(|claim| started(claim, &run())).collect(),
            "commit" => list("outcomes").iter().filter_map(ended).collect(),
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
            "time.short" => time_short(&body.payload).into_iter().collect(),
            "extend" => extended(&body.payload, &body.actor).into_iter().collect(),
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
            "run.all" | "run.runnable" | "run.step" | "run.group" | "run.fusion" => vec![Kind::RunStarted { run: run() }],
            "stop" => {
                vec![Kind::StopRequested { steps: list("steps").iter().filter_map(|id| Id::deserialize(id).ok()).collect() }]
            }
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
            | Kind::RunEnded { run }
            | Kind::Requested { run, .. }
            | Kind::TimeShort { run, .. }
            | Kind::Extended { run, .. } => Some(run),
            Kind::StopRequested { .. } | Kind::Changed { .. } | Kind::Denied { .. } => None,
        }
    }
}

fn started(claim: &Value, run: &str) -> Option<Kind> {
    let step = Id::deserialize(claim.get("step")?).ok()?;
    let attempt = claim.get("attempt").and_then(Value::as_u64).and_then(|attempt| attempt.try_into().ok()).unwrap_or(1);
    Some(Kind::StepStarted { step, run: run.into(), attempt })
}

fn ended(outcome: &Value) -> Option<Kind> {
    let Committed { step, run, attempt, outcome, duration_ms, .. } = Committed::deserialize(outcome).ok()?;
    Some(Kind::StepEnded { step, run, attempt, outcome, duration_ms })
}

/// What entries about the time of an attempt say.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Time {
    step: Id,
    run: String,
    attempt: u32,
    timeout_ms: u64,
    #[serde(default)]
    left_ms: u64,
    #[serde(default)]
    added_ms: u64,
}

fn time_short(payload: &Value) -> Option<Kind> {
    let Time { step, run, attempt, timeout_ms, left_ms, .. } = Time::deserialize(payload).ok()?;
    Some(Kind::TimeShort { step, run, attempt, timeout_ms, left_ms })
}

fn extended(payload: &Value, by: &str) -> Option<Kind> {
    let Time { step, run, attempt, timeout_ms, added_ms, .. } = Time::deserialize(payload).ok()?;
    Some(Kind::Extended { step, run, attempt, added_ms, timeout_ms, by: by.to_owned() })
}
