//! The lines of `codex exec --json`.

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
    thread_id: Option<String>,
    #[serde(default)]
    item: Value,
    #[serde(default)]
    usage: Option<Tokens>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    error: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    #[serde(rename = "input_tokens")]
    input: Option<u64>,
    #[serde(rename = "cached_input_tokens")]
    cached: Option<u64>,
    #[serde(rename = "output_tokens")]
    output: Option<u64>,
}

pub(super) fn events(line: Line) -> Vec<Event> {
    match line.kind.as_str() {
        "thread.started" => vec![Event::Session { id: line.thread_id, model: None }],
        "item.started" => started(&line.item).into_iter().collect(),
        "item.completed" => completed(&line.item),
        "error" => line.message.into_iter().map(Event::Notice).collect(),
        "turn.completed" => {
            let usage = line.usage.map(|tokens| Usage {
                input_tokens: tokens.input.unwrap_or(0),
                cached_input_tokens: tokens.cached.unwrap_or(0),
                output_tokens: tokens.output.unwrap_or(0),
                cost_usd: None,
            });
            vec![Event::Ended(Box::new(End { usage, ..End::default() }))]
        }
        "turn.failed" => {
            let why = line.error.get("message").map(flat).filter(|why| !why.is_empty());
            let failure = Some(why.unwrap_or_else(|| "its turn failed".into()));
            vec![Event::Ended(Box::new(End { failure, ..End::default() }))]
        }
        _ => Vec::new(),
    }
}

fn word<'a>(item: &'a Value, key: &str) -> &'a str {
    item.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Tools that are told of when they begin.
fn started(item: &Value) -> Option<Event> {
    let (tool, argument) = match word(item, "type") {
        "command_execution" => ("command".to_owned(), word(item, "command").to_owned()),
        "mcp_tool_call" => {
            let tool = format!("{}.{}", word(item, "server"), word(item, "tool"));
            (tool, item.get("arguments").map(essence).unwrap_or_default())
        }
        "web_search" => ("web search".to_owned(), word(item, "query").to_owned()),
        _ => return None,
    };
    Some(Event::Called { tool, argument })
}

fn completed(item: &Value) -> Vec<Event> {
    let (status, text) = (word(item, "status"), |key: &str| item.get(key).map(flat).unwrap_or_default());
    match word(item, "type") {
        "agent_message" => vec![Event::Said { text: text("text"), is_part: false }],
        "error" => vec![Event::Notice(text("message"))],
        "command_execution" if status == "declined" => denied("command", word(item, "command")),
        "command_execution" => {
            let is_error = item.get("exit_code").and_then(Value::as_i64).is_some_and(|code| code != 0);
            vec![Event::Answered { text: text("aggregated_output"), is_error }]
        }
        "file_change" => {
            let changes = item.get("changes").and_then(Value::as_array).into_iter().flatten();
            let paths: Vec<&str> = changes.map(|change| word(change, "path")).collect();
            let paths = paths.join(" ");
            match status {
                "declined" => denied("edit", &paths),
                "failed" => vec![
                    Event::Called { tool: "edit".into(), argument: paths },
                    Event::Answered { text: "it did not apply".into(), is_error: true },
                ],
                _ => vec![Event::Called { tool: "edit".into(), argument: paths }],
            }
        }
        "mcp_tool_call" => {
            let failure = item.get("error").filter(|error| !error.is_null());
            let answer = failure.or_else(|| item.get("result"));
            let text =
                answer.map(|answer| answer.get("message").or_else(|| answer.get("content")).map_or_else(String::new, flat));
            vec![Event::Answered { text: text.unwrap_or_default(), is_error: failure.is_some() }]
        }
        _ => Vec::new(),
    }
}

fn denied(tool: &str, argument: &str) -> Vec<Event> {
    vec![Event::Denied(Denial { tool: tool.into(), argument: argument.into() })]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{agent::report::read, model::OutputFormat};

    #[test]
    fn work_that_went_well() {
        let report = read(OutputFormat::Codex, include_str!("fixtures/codex.jsonl").as_bytes());
        assert_eq!(report.facts.session_id.as_deref(), Some("01a2032e-12d4-7341-bf53-3f7c6c9ad486"));
        let usage = report.facts.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.cached_input_tokens, usage.output_tokens), (1800, 200, 60));
        assert_eq!((report.text.as_str(), report.failure), ("All done: the file is written.", None));
        assert!(report.has_ended);
    }

    #[test]
    fn work_that_failed_or_was_declined() {
        let stream = r#"{"type":"error","message":"stream disconnected"}
{"type":"item.completed","item":{"id":"i","type":"command_execution","command":"rm -rf /","status":"declined"}}
{"type":"turn.failed","error":{"message":"stream disconnected before completion"}}
"#;
        let report = read(OutputFormat::Codex, stream.as_bytes());
        assert_eq!(report.failure.as_deref(), Some("stream disconnected before completion"));
        assert_eq!(report.facts.denials, [Denial { tool: "command".into(), argument: "rm -rf /".into() }]);
    }
}
