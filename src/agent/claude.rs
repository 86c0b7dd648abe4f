//! The lines of `claude -p --output-format stream-json --verbose`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Reset,
    event::{End, Event, essence, flat},
};
use crate::model::{Denial, Usage};

/// A line; fields of all kinds of lines together.
#[derive(Deserialize)]
pub(super) struct Line {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    subtype: Option<String>,
    #[serde(default)]
    session_id: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    result: Option<Value>,
    #[serde(default)]
    is_error: bool,
    #[serde(default)]
    errors: Option<Vec<Value>>,
    #[serde(default)]
    num_turns: Option<u64>,
    #[serde(default)]
    total_cost_usd: Option<f64>,
    #[serde(default)]
    usage: Option<Tokens>,
    #[serde(default)]
    permission_denials: Option<Vec<Refused>>,
    #[serde(default)]
    api_error_status: Option<Value>,
    #[serde(default)]
    rate_limit_info: Option<Limit>,
}

#[derive(Deserialize)]
struct Limit {
    #[serde(default)]
    status: String,
    #[serde(default, rename = "resetsAt")]
    resets_at: Option<f64>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Value,
}

#[derive(Deserialize)]
struct Refused {
    #[serde(default)]
    tool_name: String,
    #[serde(default)]
    tool_input: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    #[serde(rename = "input_tokens")]
    input: Option<u64>,
    #[serde(rename = "cache_creation_input_tokens")]
    cached_now: Option<u64>,
    #[serde(rename = "cache_read_input_tokens")]
    cached_before: Option<u64>,
    #[serde(rename = "output_tokens")]
    output: Option<u64>,
}

pub(super) fn events(line: Line) -> Vec<Event> {
    match line.kind.as_str() {
        "system" if line.subtype.as_deref() == Some("init") => vec![Event::Session { id: line.session_id, model: line.model }],
        "assistant" | "user" => {
            let content = line.message.map(|message| message.content).unwrap_or_default();
            content.as_array().into_iter().flatten().filter_map(block).collect()
        }
        "rate_limit_event" => {
            line.rate_limit_info.as_ref().filter(|limit| limit.status == "rejected").map(limited).into_iter().collect()
        }
        "result" => {
            let is_limited = line.api_error_status.as_ref().is_some_and(|status| *status == 429);
            let mut events = vec![Event::Session { id: line.session_id.clone(), model: None }];
            events.extend(is_limited.then_some(Event::Limited(Reset::Unknown)));
            events.push(Event::Ended(Box::new(end(line))));
            events
        }
        _ => Vec::new(),
    }
}

/// What a limit says of its end, in seconds since 1970.
fn limited(limit: &Limit) -> Event {
    #[expect(clippy::cast_possible_truncation, reason = "a moment that does not fit is none")]
    let at = limit.resets_at.and_then(|seconds| Timestamp::from_second(seconds as i64).ok());
    Event::Limited(at.map_or(Reset::Unknown, Reset::At))
}

/// A part of a message: text, the use of a tool, or its result.
fn block(block: &Value) -> Option<Event> {
    let text = |key: &str| block.get(key).map(flat).unwrap_or_default();
    match block.get("type")?.as_str()? {
        "text" => Some(Event::Said { text: text("text"), is_part: false }),
        "tool_use" => Some(Event::Called { tool: text("name"), argument: block.get("input").map(essence).unwrap_or_default() }),
        "tool_result" => {
            let is_error = block.get("is_error").and_then(Value::as_bool).unwrap_or(false);
            Some(Event::Answered { text: text("content"), is_error })
        }
        _ => None,
    }
}

fn end(line: Line) -> End {
    let text = line.result.as_ref().map(flat).filter(|text| !text.is_empty());
    let why = || {
        let words = line.errors.iter().flatten().map(flat).chain(text.clone()).find(|words| !words.is_empty());
        words.or_else(|| line.subtype.clone()).unwrap_or_else(|| "it reported an error".into())
    };
    let tokens = line.usage.unwrap_or_default();
    End {
        failure: line.is_error.then(why),
        usage: Some(Usage {
            input_tokens: [tokens.input, tokens.cached_now, tokens.cached_before]
                .into_iter()
                .fold(0, |sum, part| sum.saturating_add(part.unwrap_or(0))),
            cached_input_tokens: tokens.cached_before.unwrap_or(0),
            output_tokens: tokens.output.unwrap_or(0),
            cost_usd: line.total_cost_usd,
        }),
        turns: line.num_turns,
        denials: line
            .permission_denials
            .into_iter()
            .flatten()
            .map(|denied| Denial { tool: denied.tool_name, argument: essence(&denied.tool_input) })
            .collect(),
        text,
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        agent::{Report, report::read},
        model::OutputFormat,
    };

    fn report(stream: &str) -> Report {
        read(OutputFormat::Claude, stream.as_bytes())
    }

    #[test]
    fn work_that_went_well() {
        let report = report(include_str!("fixtures/claude.jsonl"));
        assert_eq!(report.facts.session_id.as_deref(), Some("a5570ecb-1ecd-4de5-8766-4cb981ab1f67"));
        assert_eq!(report.facts.model.as_deref(), Some("claude-opus-4-8[1m]"));
        assert_eq!((report.facts.turns, report.failure), (Some(2), None));
        let usage = report.facts.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.cached_input_tokens, usage.output_tokens), (3000, 600, 52));
        assert!(usage.cost_usd.is_some_and(|cost| (cost - 0.0136).abs() < 1e-9));
        assert_eq!(report.text, "All done: the file is written.");
    }

    #[test]
    fn work_that_was_denied_or_failed() {
        let denied = report(include_str!("fixtures/claude-denied.jsonl"));
        assert_eq!(denied.facts.denials[0].tool, "Write");
        assert_eq!(denied.facts.denials[0].argument, "/home/ada/shop/out.txt");
        let budget = report(include_str!("fixtures/claude-budget.jsonl"));
        assert_eq!(budget.failure.as_deref(), Some("Reached maximum budget ($0.00001)"));
        let missing = report(include_str!("fixtures/claude-failed.jsonl"));
        assert!(missing.failure.unwrap().starts_with("No conversation found with session ID"));
    }
}
