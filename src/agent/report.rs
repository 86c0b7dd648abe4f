//! What an agent's output says of its work as a whole.

use std::io::{BufRead, Read};

use super::{Event, Lines, Reset, parse};
use crate::model::{AgentReport, Denial, OutputFormat};

/// The most of a final text that is kept, in bytes.
const TEXT: usize = 256 * 1024;

/// The most denials that are kept.
const DENIALS: usize = 20;

/// The most of a summary, and of what was denied, in bytes.
const SUMMARY: usize = 200;

/// What is known of an agent's work, folded from its events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// What status.json has of it.
    pub facts: AgentReport,
    /// Its final text.
    pub text: String,
    /// Why it failed, in its own words.
    pub failure: Option<String>,
    /// Whether the agent said or did anything.
    pub has_begun: bool,
    /// The usage limit that it told of beside its words.
    limit: Option<Reset>,
    /// Whether its output has come to its end.
    pub has_ended: bool,
    /// Whether more of the same text may follow.
    is_part: bool,
    /// What the last tool was called with, for a denial that does not say.
    argument: String,
}

impl Report {
    /// Reads an output to its end. Whatever cannot be read or parsed is left out.
    pub fn read<R: Read>(&mut self, format: OutputFormat, output: R) {
        self.read_lines(format, &mut Lines::of(output));
    }

    fn read_lines<R: BufRead>(&mut self, format: OutputFormat, lines: &mut Lines<R>) {
        let mut line = Vec::new();
        while let Ok(Some(_)) = lines.next(&mut line) {
            for event in parse(format, &line) {
                self.take(event);
            }
        }
        let first = self.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        self.facts.summary = (!first.is_empty()).then(|| cut(first.trim(), SUMMARY));
    }

    fn take(&mut self, event: Event) {
        self.has_begun |= matches!(event, Event::Said { .. } | Event::Called { .. });
        match event {
            Event::Session { id, model } => {
                self.facts.session_id = id.filter(|id| is_plain_id(id)).or_else(|| self.facts.session_id.take());
                self.facts.model = model.or_else(|| self.facts.model.take());
            }
            Event::Said { text, is_part } => {
                if !(self.is_part && is_part) {
                    self.text.clear();
                }
                self.is_part = is_part;
                let room = TEXT.saturating_sub(self.text.len());
                self.text.push_str(&text[..text.floor_char_boundary(room)]);
            }
            Event::Called { argument, .. } => {
                self.is_part = false;
                self.argument = cut(&argument, SUMMARY);
            }
            Event::Answered { .. } | Event::Notice(_) => self.is_part = false,
            Event::Denied(denial) => {
                let argument = if denial.argument.is_empty() { self.argument.clone() } else { denial.argument };
                self.deny(&Denial { tool: denial.tool, argument });
            }
            Event::Limited(reset) => self.limit = Some(self.limit.take().unwrap_or_default().or(reset)),
            Event::Ended(end) => {
                self.has_ended = true;
                self.failure = end.failure;
                self.facts.usage = end.usage.or(self.facts.usage);
                self.facts.turns = end.turns.or(self.facts.turns);
                if let Some(text) = end.text {
                    self.text = cut(&text, TEXT);
                }
                end.denials.iter().for_each(|denial| self.deny(denial));
            }
        }
    }

    fn deny(&mut self, denial: &Denial) {
        if self.facts.denials.len() < DENIALS {
            self.facts.denials.push(Denial { argument: cut(&denial.argument, SUMMARY), tool: cut(&denial.tool, SUMMARY) });
        }
    }

    /// When the usage limit is over that made it fail; nothing where something else did, or nothing.
    pub fn limit(&self) -> Option<Reset> {
        let in_words = Reset::in_words(self.failure.as_ref()?);
        match (self.limit.clone(), in_words) {
            (Some(told), Some(said)) => Some(told.or(said)),
            (told, said) => told.or(said),
        }
    }

    /// What was denied, in words; nothing where nothing was.
    pub fn denied(&self) -> Option<String> {
        let (first, rest) = self.facts.denials.split_first()?;
        let mut words = format!("denied: {}", first.tool);
        if !first.argument.is_empty() {
            words = format!("{words} {}", first.argument);
        }
        Some(if rest.is_empty() { words } else { format!("{words}, and {} more", rest.len()) })
    }
}

/// Whether a session's id can stand in a command line: it comes from outside, and must not turn into
/// an option there.
fn is_plain_id(id: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    id.len() <= 128 && id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.chars().all(is_plain)
}

/// At most so many bytes of a text, cut between characters.
fn cut(text: &str, bytes: usize) -> String {
    text[..text.floor_char_boundary(bytes)].to_owned()
}

#[cfg(test)]
pub(super) fn read(format: OutputFormat, output: &[u8]) -> Report {
    let mut report = Report::default();
    report.read(format, output);
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_parse_is_left_out() {
        let stream = include_str!("fixtures/claude.jsonl");
        let whole = read(OutputFormat::Claude, stream.as_bytes());
        let noisy = format!("npm warn\n\u{0}\n{{\"type\":\n[]\n7\n{stream}\n{{\"type\":\"resu");
        assert_eq!(read(OutputFormat::Claude, noisy.as_bytes()), whole);
    }

    #[test]
    fn the_last_of_what_was_said_is_the_final_text() {
        let say = |text: &str| format!("{{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"{text}\",\"delta\":true}}\n");
        let call = "{\"type\":\"tool_use\",\"tool_name\":\"ls\",\"parameters\":{}}\n";
        let stream = [say("let me look"), call.into(), say("it is "), say("fine")].concat();
        let report = read(OutputFormat::Gemini, stream.as_bytes());
        assert_eq!(report.text, "it is fine");
        assert!(!report.has_ended);
    }

    #[test]
    fn a_session_cannot_be_an_option() {
        for (id, wanted) in [("a1-b.c:2", Some("a1-b.c:2")), ("--yolo", None), ("", None), ("a b", None), ("$(x)", None)] {
            let line = serde_json::json!({"type": "thread.started", "thread_id": id}).to_string();
            assert_eq!(read(OutputFormat::Codex, line.as_bytes()).facts.session_id.as_deref(), wanted, "{id}");
        }
    }

    #[test]
    fn a_giant_line_costs_nothing_but_itself() {
        let stream = include_str!("fixtures/claude.jsonl").replace("File created successfully", &"x".repeat(3_000_000));
        assert_eq!(read(OutputFormat::Claude, stream.as_bytes()).facts.turns, Some(2));
    }
}
