//! What happens in an agent's output, whichever agent it is.

use serde::Deserialize;
use serde_json::Value;

use super::{Reset, claude, codex, gemini};
use crate::model::{Denial, OutputFormat, Usage};

/// Something an agent's output tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A session began, or goes on.
    Session {
        /// Its id.
        id: Option<String>,
        /// The model that works in it.
        model: Option<String>,
    },
    /// The agent said something.
    Said {
        /// The text.
        text: String,
        /// Whether more of the same text follows.
        is_part: bool,
    },
    /// The agent used a tool.
    Called {
        /// The tool.
        tool: String,
        /// What it is about: a path, a command, a pattern.
        argument: String,
    },
    /// A tool answered.
    Answered {
        /// With what.
        text: String,
        /// Whether it failed.
        is_error: bool,
    },
    /// Something was not permitted.
    Denied(Denial),
    /// The usage limit of its provider is reached.
    Limited(Reset),
    /// The agent's program has something to say.
    Notice(String),
    /// The work is over.
    Ended(Box<End>),
}

/// How an agent's work ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct End {
    /// Its final text, where it does not follow from what was said.
    pub text: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// What it took.
    pub usage: Option<Usage>,
    /// How often it asked its model.
    pub turns: Option<u64>,
    /// What was not permitted, where it is told at the end.
    pub denials: Vec<Denial>,
}

/// What a line of an agent's output tells; nothing for a line of another kind.
pub fn parse(format: OutputFormat, line: &[u8]) -> Vec<Event> {
    fn read<'a, T: Deserialize<'a>>(line: &'a [u8], events: impl FnOnce(T) -> Vec<Event>) -> Vec<Event> {
        serde_json::from_slice(line).map(events).unwrap_or_default()
    }
    match format {
        OutputFormat::Text => Vec::new(),
        OutputFormat::Claude => read(line, claude::events),
        OutputFormat::Codex => read(line, codex::events),
        OutputFormat::Gemini => read(line, gemini::events),
    }
}

/// What a tool's call is about: the argument that says most, in one word or line.
pub(super) fn essence(arguments: &Value) -> String {
    const TELLING: [&str; 14] = [
        "command",
        "cmd",
        "file_path",
        "absolute_path",
        "path",
        "notebook_path",
        "pattern",
        "query",
        "url",
        "description",
        "prompt",
        "subject",
        "skill",
        "name",
    ];
    let Some(fields) = arguments.as_object() else { return flat(arguments) };
    let telling = TELLING.iter().find_map(|name| fields.get(*name));
    telling.or_else(|| fields.values().find(|value| value.is_string())).map(flat).unwrap_or_default()
}

/// A value as text: strings as they are, lists of texts joined, anything else as JSON.
pub(super) fn flat(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().map(|part| part.get("text").map_or_else(|| flat(part), flat));
            texts.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const FORMATS: [OutputFormat; 4] = [OutputFormat::Text, OutputFormat::Claude, OutputFormat::Codex, OutputFormat::Gemini];

    #[test]
    fn what_a_call_is_about() {
        assert_eq!(essence(&json!({"content": "long", "file_path": "a.txt"})), "a.txt");
        assert_eq!(essence(&json!({"command": ["sh", "-c", "ls"]})), "sh -c ls");
        assert_eq!(essence(&json!({"number": 3, "text": "x"})), "x");
        assert_eq!(essence(&json!({})), "");
        assert_eq!(flat(&json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])), "a b");
    }

    /// A line of one of the real streams with a value somewhere in it replaced by something else.
    fn damaged() -> impl Strategy<Value = String> {
        let streams = [
            include_str!("fixtures/claude.jsonl"),
            include_str!("fixtures/claude-denied.jsonl"),
            include_str!("fixtures/codex.jsonl"),
            include_str!("fixtures/gemini.jsonl"),
        ];
        let lines: Vec<&str> = streams.iter().flat_map(|stream| stream.lines()).collect();
        let values = ["null", "7", "-1.5e300", "\"\"", "[]", "{}", "[[1]]", "true", ""];
        (prop::sample::select(lines), any::<prop::sample::Index>(), prop::sample::select(values.to_vec())).prop_map(
            |(line, at, value)| {
                let colons: Vec<usize> = line.match_indices(':').map(|(at, _)| at + 1).collect();
                let at = colons[at.index(colons.len())];
                let end = line[at..].find([',', '}']).map_or(line.len(), |end| at + end);
                format!("{}{value}{}", &line[..at], &line[end..])
            },
        )
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for format in FORMATS {
                parse(format, &bytes);
            }
        }

        #[test]
        fn no_damage_makes_it_panic(line in damaged()) {
            for format in FORMATS {
                parse(format, line.as_bytes());
            }
        }
    }
}
