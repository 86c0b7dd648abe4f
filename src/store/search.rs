//! What somebody looks for in a text: as it is written, and in any case unless it has a capital letter.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

/// A text that is searched for.
#[derive(Clone, Debug)]
pub struct Search {
    text: Regex,
}

/// Where it was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Found {
    /// In this line.
    Line(u64),
    /// In none of the lines.
    Nowhere,
    /// These lines have still to be looked at.
    NotYet(Range<u64>),
}

impl Search {
    /// A search for `text`; nothing for an empty one.
    pub fn new(text: &str) -> Option<Self> {
        let is_any_case = !text.chars().any(char::is_uppercase);
        let pattern = RegexBuilder::new(&regex::escape(text)).case_insensitive(is_any_case).build().ok()?;
        (!text.is_empty()).then_some(Self { text: pattern })
    }

    /// Whether a line has it. Colours and the like between its letters do not hide it.
    pub fn is_in(&self, line: &[u8]) -> bool {
        if memchr::memchr(0x1b, line).is_none() {
            return self.text.is_match(line);
        }
        self.text.is_match(&anstream::adapter::strip_bytes(line).into_vec())
    }

    /// Whether one of the lines of a text may have it; quicker than to look at each.
    pub(super) fn may_be_in(&self, lines: &[u8]) -> bool {
        memchr::memchr(0x1b, lines).is_some() || self.text.is_match(lines)
    }

    /// Where a text has it, in bytes.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        self.text.find_iter(text.as_bytes()).map(|found| found.range()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capital_letter_makes_the_case_count() {
        let is_in = |text: &str, line: &[u8]| Search::new(text).unwrap().is_in(line);
        assert!(is_in("error", b"an ERROR") && is_in("Error", b"Error") && !is_in("Error", b"error"));
        assert!(is_in("ärger", "ÄRGER".as_bytes()) && is_in("a.b*", b"xa.b*") && !is_in("a.b*", b"aabb"));
        assert!(is_in("x", b"\xff\xfex\0"));
        assert!(Search::new("").is_none());
    }

    #[test]
    fn colours_hide_nothing_and_are_not_found() {
        let red = b"an \x1b[31mer\x1b[0mror";
        assert!(Search::new("error").unwrap().is_in(red));
        assert!(!Search::new("31").unwrap().is_in(red));
        assert_eq!(Search::new("é").unwrap().places("éaÉ"), [0..2, 3..5]);
    }
}
