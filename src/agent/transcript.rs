//! One readable transcript for the output of all agents: what was said, which tools were used, what
//! they answered, what it took.

use std::fmt::Write as _;

use super::{Event, event::End, parse};
use crate::model::OutputFormat;

/// The most of a tool's answer that is shown, in lines and in characters a line.
const ANSWER: (usize, usize) = (5, 160);

/// Turns lines of an output into text, one after the other.
#[derive(Clone, Debug)]
pub struct Transcript {
    format: OutputFormat,
    /// Whether the last text was part of a longer one and has no line end yet.
    is_open: bool,
    said: String,
}

impl Transcript {
    /// A transcript of an output that has just begun.
    pub const fn new(format: OutputFormat) -> Self {
        Self { format, is_open: false, said: String::new() }
    }

    /// What a line of the output adds to the transcript. A line that is not the agent's own stays
    /// as it is.
    pub fn line(&mut self, line: &[u8]) -> String {
        let mut text = String::new();
        let is_json = line.trim_ascii_start().first() == Some(&b'{');
        if self.format.is_text() || !is_json {
            self.close(&mut text);
            text.push_str(&plain(&String::from_utf8_lossy(line)));
            text.push('\n');
            return text;
        }
        for event in parse(self.format, line) {
            self.event(event, &mut text);
        }
        text
    }

    /// What is left to say at the end.
    pub fn end(&mut self) -> String {
        let mut text = String::new();
        self.close(&mut text);
        text
    }

    fn close(&mut self, text: &mut String) {
        if std::mem::take(&mut self.is_open) {
            text.push('\n');
        }
    }

    fn event(&mut self, event: Event, text: &mut String) {
        if let Event::Said { text: said, is_part: true } = event {
            if !self.is_open {
                self.said.clear();
            }
            self.said.push_str(&said);
            text.push_str(&plain(&said));
            self.is_open = true;
            return;
        }
        self.close(text);
        match event {
            Event::Session { .. } | Event::Denied(_) | Event::Limited(_) => {}
            Event::Said { text: said, .. } => {
                let _ = writeln!(text, "{}", plain(said.trim_end()));
                self.said = said;
            }
            Event::Called { tool, argument } => {
                let _ = writeln!(text, "→ {}", one_line(&format!("{tool} {argument}"), ANSWER.1));
            }
            Event::Answered { text: answer, is_error } => answered(text, &answer, is_error),
            Event::Notice(notice) => {
                let _ = writeln!(text, "! {}", one_line(&notice, 1000));
            }
            Event::Ended(end) => self.ended(text, &end),
        }
    }

    fn ended(&self, text: &mut String, end: &End) {
        // Most agents have said it already.
        if let Some(last) = end.text.as_ref().filter(|last| last.trim() != self.said.trim() && end.failure.is_none()) {
            let _ = writeln!(text, "{}", plain(last.trim_end()));
        }
        for denial in &end.denials {
            let _ = writeln!(text, "! denied: {}", one_line(&format!("{} {}", denial.tool, denial.argument), ANSWER.1));
        }
        if let Some(why) = &end.failure {
            let _ = writeln!(text, "! {}", one_line(why, 1000));
        }
        let turns = end.turns.map(|turns| crate::error::count(usize::try_from(turns).unwrap_or(usize::MAX), "turn"));
        let words: Vec<String> = turns.into_iter().chain(end.usage.map(|usage| usage.words())).collect();
        if !words.is_empty() {
            let _ = writeln!(text, "— {}", words.join(" · "));
        }
    }
}

fn answered(text: &mut String, answer: &str, is_error: bool) {
    let sign = if is_error { "  ✖ " } else { "  " };
    let lines: Vec<&str> = answer.lines().filter(|line| !line.trim().is_empty()).collect();
    for line in lines.iter().take(ANSWER.0) {
        let _ = writeln!(text, "{sign}{}", one_line(line, ANSWER.1));
    }
    if lines.len() > ANSWER.0 {
        let _ = writeln!(text, "  … and {} more", crate::error::count(lines.len() - ANSWER.0, "line"));
    }
}

/// A text on one line, cut to so many characters.
fn one_line(text: &str, characters: usize) -> String {
    let words = plain(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(characters) {
        Some((at, _)) => format!("{}…", &words[..at]),
        None => words,
    }
}

/// A text without anything that a terminal would obey, or that shows it in another order than it
/// has; lines and tabs stay.
pub fn plain(text: &str) -> String {
    let stripped = anstream::adapter::strip_str(text).to_string();
    let is_obeyed =
        |c: char| (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    stripped.chars().filter(|&c| !is_obeyed(c)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn transcript(format: OutputFormat, stream: &str) -> String {
        let mut transcript = Transcript::new(format);
        let text: String = stream.lines().map(|line| transcript.line(line.as_bytes())).collect();
        text + &transcript.end()
    }

    #[test]
    fn of_claude() {
        let written = transcript(OutputFormat::Claude, include_str!("fixtures/claude.jsonl"));
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(lines[..2], ["I will write the file.", "→ Write /home/ada/shop/out.txt"]);
        assert!(lines[2].starts_with("  File created successfully"));
        assert_eq!(lines[3..], ["All done: the file is written.", "— 2 turns · 3.1k tokens · $0.0136"]);
        let denied = transcript(OutputFormat::Claude, include_str!("fixtures/claude-denied.jsonl"));
        assert!(denied.contains("\n  ✖ Claude requested permissions to write"), "{denied}");
        assert!(denied.contains("\n! denied: Write /home/ada/shop/out.txt\n— 2 turns"), "{denied}");
        let budget = transcript(OutputFormat::Claude, include_str!("fixtures/claude-budget.jsonl"));
        assert!(budget.contains("\n! Reached maximum budget ($0.00001)\n— 1 turn "), "{budget}");
    }

    #[test]
    fn of_codex() {
        let text = transcript(OutputFormat::Codex, include_str!("fixtures/codex.jsonl"));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("! Model metadata for `stub` not found."));
        assert_eq!(lines[1], "→ command /bin/bash -lc 'echo hello from codex > /home/ada/shop/out.txt'");
        assert_eq!(lines[2..], ["All done: the file is written.", "— 1.9k tokens"]);
    }

    #[test]
    fn of_gemini() {
        assert_eq!(
            transcript(OutputFormat::Gemini, include_str!("fixtures/gemini.jsonl")),
            "I will write the file.\n→ write_file /home/ada/shop/out.txt\nAll done: the file is written.\n— 1.6k tokens\n"
        );
        let denied = transcript(OutputFormat::Gemini, include_str!("fixtures/gemini-denied.jsonl"));
        assert!(denied.contains("\n  ✖ Tool \"write_file\" not found."), "{denied}");
    }

    #[test]
    fn long_answers_are_shortened_and_what_is_no_json_stays() {
        let answer = (1..=9).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
        let line = serde_json::json!({"type": "user", "message": {"content": [{"type": "tool_result", "content": answer}]}});
        let text = transcript(OutputFormat::Claude, &format!("warning: {{\n{line}\n"));
        assert_eq!(text, "warning: {\n  line 1\n  line 2\n  line 3\n  line 4\n  line 5\n  … and 4 lines more\n");
    }

    proptest! {
        #[test]
        fn nothing_in_it_is_obeyed(bytes in prop::collection::vec(any::<u8>(), 0..200), said in any::<String>()) {
            let line = serde_json::json!({"type": "assistant", "message": {"content": [{"type": "text", "text": said}]}});
            for line in [bytes, line.to_string().into_bytes()] {
                for format in [OutputFormat::Text, OutputFormat::Claude] {
                    let text = Transcript::new(format).line(&line);
                    prop_assert!(text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
                }
            }
        }
    }
}
