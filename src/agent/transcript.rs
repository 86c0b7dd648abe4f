//! One readable transcript for the output of all agents: what was said, which tools were used, what
//! they answered, what it took.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::{Event, event::End, parse};
use crate::{error::count, model::OutputFormat};

/// The most of a tool's answer that is shown, in lines and in characters a line.
const ANSWER: (usize, usize) = (5, 160);

/// What a piece of a transcript is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PieceKind {
    /// Something that is not in the agent's own format.
    #[default]
    Output,
    /// What the agent said.
    Said,
    /// Which tool it used.
    Called,
    /// What the tool answered.
    Answered,
    /// A tool's answer that is an error.
    Failed,
    /// What was denied or went wrong, and what else its program has to say.
    Notice,
    /// What the work took.
    Took,
}

/// A piece of a transcript: whole lines, or a part of a text that goes on in the next piece.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    /// What it is.
    pub kind: PieceKind,
    /// Its text, with the line ends.
    pub text: String,
}

/// Turns lines of an output into text, one after the other.
#[derive(Clone, Debug)]
pub struct Transcript {
    format: OutputFormat,
    /// A text of which there was a part, and that has no line end yet.
    open: Option<String>,
    /// The hash of what was said last.
    said: u64,
}

impl Transcript {
    /// A transcript of an output that has just begun.
    pub const fn new(format: OutputFormat) -> Self {
        Self { format, open: None, said: 0 }
    }

    /// Whether nothing that was said goes on.
    pub const fn is_closed(&self) -> bool {
        self.open.is_none()
    }

    /// What a line of the output adds to the transcript. A line that is not the agent's own stays
    /// as it is.
    pub fn line(&mut self, line: &[u8]) -> String {
        self.pieces(line).into_iter().map(|piece| piece.text).collect()
    }

    /// The same in pieces.
    pub fn pieces(&mut self, line: &[u8]) -> Vec<Piece> {
        let mut to = Pieces(Vec::new());
        let is_json = line.trim_ascii_start().first() == Some(&b'{');
        if self.format.is_text() || !is_json {
            self.close(&mut to);
            to.line(PieceKind::Output, plain(&String::from_utf8_lossy(line)));
            return to.0;
        }
        for event in parse(self.format, line) {
            self.event(event, &mut to);
        }
        to.0
    }

    /// What is left to say at the end.
    pub fn end(&mut self) -> String {
        self.last_pieces().into_iter().map(|piece| piece.text).collect()
    }

    /// The same in pieces.
    pub fn last_pieces(&mut self) -> Vec<Piece> {
        let mut to = Pieces(Vec::new());
        self.close(&mut to);
        to.0
    }

    fn close(&mut self, to: &mut Pieces) {
        if let Some(said) = self.open.take() {
            self.said = hash(&said);
            to.line(PieceKind::Said, String::new());
        }
    }

    fn event(&mut self, event: Event, to: &mut Pieces) {
        if let Event::Said { text: said, is_part: true } = event {
            to.0.push(Piece { kind: PieceKind::Said, text: plain(&said) });
            self.open.get_or_insert_default().push_str(&said);
            return;
        }
        self.close(to);
        match event {
            Event::Session { .. } | Event::Denied(_) | Event::Limited(_) => {}
            Event::Said { text: said, .. } => {
                to.line(PieceKind::Said, plain(said.trim_end()));
                self.said = hash(&said);
            }
            Event::Called { tool, argument } => {
                to.line(PieceKind::Called, format!("→ {}", one_line(&format!("{tool} {argument}"), ANSWER.1)));
            }
            Event::Answered { text: answer, is_error } => answered(to, &answer, is_error),
            Event::Notice(notice) => to.line(PieceKind::Notice, format!("! {}", one_line(&notice, 1000))),
            Event::Ended(end) => self.ended(to, &end),
        }
    }

    fn ended(&self, to: &mut Pieces, end: &End) {
        // Most agents have said it already.
        if let Some(last) = end.text.as_ref().filter(|last| hash(last) != self.said && end.failure.is_none()) {
            to.line(PieceKind::Said, plain(last.trim_end()));
        }
        for denial in &end.denials {
            let denied = one_line(&format!("{} {}", denial.tool, denial.argument), ANSWER.1);
            to.line(PieceKind::Notice, format!("! denied: {denied}"));
        }
        if let Some(why) = &end.failure {
            to.line(PieceKind::Notice, format!("! {}", one_line(why, 1000)));
        }
        let turns = end.turns.map(|turns| count(usize::try_from(turns).unwrap_or(usize::MAX), "turn"));
        let words: Vec<String> = turns.into_iter().chain(end.usage.map(|usage| usage.words())).collect();
        if !words.is_empty() {
            to.line(PieceKind::Took, format!("— {}", words.join(" · ")));
        }
    }
}

/// The pieces that a line of the output makes.
struct Pieces(Vec<Piece>);

impl Pieces {
    fn line(&mut self, kind: PieceKind, mut text: String) {
        text.push('\n');
        self.0.push(Piece { kind, text });
    }
}

/// A hash of a text but for the space around it.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.trim().hash(&mut hasher);
    hasher.finish()
}

fn answered(to: &mut Pieces, answer: &str, is_error: bool) {
    let (kind, sign) = if is_error { (PieceKind::Failed, "  ✖ ") } else { (PieceKind::Answered, "  ") };
    let lines: Vec<&str> = answer.lines().filter(|line| !line.trim().is_empty()).collect();
    for line in lines.iter().take(ANSWER.0) {
        to.line(kind, format!("{sign}{}", one_line(line, ANSWER.1)));
    }
    if lines.len() > ANSWER.0 {
        to.line(kind, format!("  … and {} more", count(lines.len() - ANSWER.0, "line")));
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
