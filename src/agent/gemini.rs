//! The lines of `gemini -o stream-json`.

use serde::Deserialize;
use serde_json::Value;

use super::event::{End, Event, essence, flat};
use crate::model::{Denial, Usage};

/// A line; fields of all kinds of lines together.
#[derive(Deserialize)]
pub(super) struct Line {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    session_id: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    content: Value,
    #[serde(default)]
    delta: bool,
    #[serde(default)]
    tool_name: String,
    #[serde(default)]
    tool_id: String,
    #[serde(default)]
    parameters: Value,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    output: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    stats: Option<Stats>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stats {
    input_tokens: Option<u64>,
    cached: Option<u64>,
    output_tokens: Option<u64>,
}

pub(super) fn events(line: Line) -> Vec<Event> {
    match line.kind.as_str() {
        "init" => vec![Event::Session { id: line.session_id, model: line.model }],
        "message" if line.role.as_deref() == Some("assistant") => {
            vec![Event::Said { text: flat(&line.content), is_part: line.delta }]
        }
        "tool_use" => vec![Event::Called { argument: essence(&line.parameters), tool: line.tool_name }],
        "tool_result" => answered(&line),
        "error" => vec![Event::Notice(flat(&line.message))],
        "result" => vec![Event::Ended(Box::new(end(line)))],
        _ => Vec::new(),
    }
}

fn answered(line: &Line) -> Vec<Event> {
    let is_error = line.status.as_deref() == Some("error");
    let word = |key: &str| line.error.get(key).and_then(Value::as_str).unwrap_or_default();
    let text = if line.output.is_null() { word("message").to_owned() } else { flat(&line.output) };
    let mut events = vec![Event::Answered { text, is_error }];
    // Without a person to ask, it leaves out the tools that would need one: calling one of them is as good
    // as being denied.
    const ASKING: [&str; 3] = ["run_shell_command", "write_file", "replace"];
    let tool = line.tool_id.split("__").next().unwrap_or_default();
    let is_left_out = word("type") == "tool_not_registered" && ASKING.contains(&tool);
    if is_error && (is_left_out || matches!(word("type"), "policy_violation" | "sandbox_expansion_required")) {
        events.push(Event::Denied(Denial { tool: tool.into(), argument: String::new() }));
    }
    events
}

fn end(line: Line) -> End {
    let is_error = line.status.as_deref().is_some_and(|status| status != "success");
    let why = line.error.get("message").map_or_else(|| flat(&line.error), flat);
    let stats = line.stats;
    End {
        failure: is_error.then(|| if why.is_empty() { "it reported an error".into() } else { why }),
        usage: stats.map(|stats| Usage {
            input_tokens: stats.input_tokens.unwrap_or(0),
            cached_input_tokens: stats.cached.unwrap_or(0),
            output_tokens: stats.output_tokens.unwrap_or(0),
            cost_usd: None,
        }),
        ..End::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::{agent::report::read, model::OutputFormat};

    #[test]
    fn work_that_went_well() {
        let report = read(OutputFormat::Gemini, include_str!("fixtures/gemini.jsonl").as_bytes());
        assert_eq!(report.facts.session_id.as_deref(), Some("b5f60a56-f8bf-4a7e-a90a-040a92e893fb"));
        assert_eq!(report.facts.model.as_deref(), Some("gemini-2.5-flash"));
        let usage = report.facts.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (1600, 40));
        assert_eq!((report.text.as_str(), report.failure), ("All done: the file is written.", None));
        assert_eq!(report.facts.denials, []);
    }

    #[test]
    fn work_that_was_denied() {
        let report = read(OutputFormat::Gemini, include_str!("fixtures/gemini-denied.jsonl").as_bytes());
        assert_eq!(report.facts.denials[0].tool, "write_file");
        assert_eq!(report.facts.denials[0].argument, "/home/ada/shop/out.txt");
    }
}
