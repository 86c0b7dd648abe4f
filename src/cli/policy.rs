//! The policy as text for people.

use std::path::Path;

use serde_json::Value;

use super::table::{Table, tame};
use crate::{
    client::{Judgement, Rule},
    model::Mode,
};

/// What is in force, one key a line.
pub(super) fn rules(rules: &[Rule], ignored: &[String], width: Option<usize>) -> String {
    let mut table = Table::default();
    for rule in rules {
        // Of the lists only this one means everything where it is empty.
        let is_open = rule.key == "allowed_commands" && rule.value.as_array().is_some_and(Vec::is_empty);
        let shown = if is_open { "all".into() } else { value(&rule.value) };
        table.row([rule.key.clone(), tame(&shown), rule.from.to_owned()]);
    }
    let mut text = table.lines("", width);
    for what in ignored {
        text.push_str(&format!("\nyou have not trusted {what}, so it does not count: read it, then seqctl trust\n"));
    }
    text
}

/// What the policy says of a step that it allows.
pub(super) fn judgement(judgement: &Judgement) -> String {
    let (step, why) = (&judgement.step, judgement.why.as_deref().map_or(String::new(), |why| format!(": {}", tame(why))));
    let first = if why.is_empty() {
        format!("the policy allows `{step}`")
    } else {
        format!("the policy allows `{step}`, but it cannot be run{why}")
    };
    let asks = judgement.asks.as_ref().map_or(String::new(), |why| format!("\n  a person is asked first: {why}"));
    format!("{first}{asks}\n  it runs: {}\n", tame(&judgement.work))
}

/// What was trusted.
pub(super) fn trusted(path: &Path, mode: Mode, agents: &[String], notify: Option<&str>, place: &Path) -> String {
    let agents = if agents.is_empty() { String::new() } else { format!(", agents {}", agents.join(", ")) };
    let notify = notify.map_or(String::new(), |command| format!(", notify by `{}`", tame(command)));
    format!(
        "trusted {} as it stands: {} mode{agents}{notify}\n  until policy.yaml or config.yaml change; remembered in {}\n",
        path.display(),
        mode.as_str(),
        place.display()
    )
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".into(),
        Value::Array(items) => items.iter().map(self::value).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| format!("{name} {}", self::value(field))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
