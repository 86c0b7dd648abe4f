//! Lines of logs with their colours and nothing else that a terminal would obey.

use ansi_to_tui::IntoText as _;
use ratatui::text::{Line, Span};

use super::draw::tame;

/// A line with its colours; every other escape sequence and control character is gone, tabs are blanks.
pub(super) fn line(text: &str, has_colours: bool) -> Line<'static> {
    let text = text.replace('\t', "    ");
    if !text.contains('\x1b') {
        return Line::raw(tame(&text));
    }
    let parsed = only_colours(&text).into_text().ok().and_then(|text| text.lines.into_iter().next());
    let Some(parsed) = parsed else { return Line::raw(tame(&text)) };
    let spans = parsed.spans.into_iter().map(|span| {
        let style = if has_colours { span.style } else { ratatui::style::Style::new() };
        Span::styled(tame(&span.content), style)
    });
    Line::from(spans.collect::<Vec<_>>())
}

/// The text with no sequence but those that set colours (`ESC [ … m`).
fn only_colours(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\x1b') {
        kept.push_str(&rest[..at]);
        let sequence = &rest[at..];
        let length = length(sequence);
        if sequence.starts_with("\x1b[") && sequence[..length].ends_with('m') {
            kept.push_str(&sequence[..length]);
        }
        rest = &sequence[length..];
    }
    kept.push_str(rest);
    kept
}

/// How long the escape sequence is that a text begins with (ECMA-48).
fn length(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    let end = |found: Option<(usize, char)>| found.map_or(text.len(), |(at, letter)| at + letter.len_utf8());
    match letters.next() {
        Some((_, '[')) => end(letters.find(|(_, letter)| ('\x40'..='\x7e').contains(letter))),
        // A string: up to BEL or ESC \.
        Some((_, ']' | 'P' | 'X' | '^' | '_')) => {
            let mut is_escaped = false;
            end(letters.find(|&(_, letter)| {
                let is_end = letter == '\x07' || (is_escaped && letter == '\\');
                is_escaped = letter == '\x1b';
                is_end
            }))
        }
        other => end(other),
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use super::*;

    #[test]
    fn colours_stay_and_everything_else_goes() {
        let line = line("a\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[2Jb\x1b]8;;http://x\x1b\\c\x07\td\x1b", true);
        let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
        assert_eq!(text, "aredbc    d");
        assert_eq!(line.spans[1].style.fg, Some(Color::Red));
    }

    #[test]
    fn what_is_no_whole_sequence_does_no_harm() {
        for text in ["\x1b", "\x1b[", "\x1b[31", "\x1b]0;never ends", "\x1bPq", "é\x1b[mé", "\u{9b}31m"] {
            let line = line(text, false);
            assert!(line.spans.iter().all(|span| !span.content.contains(|c: char| c.is_control())), "{text:?}");
        }
    }
}
