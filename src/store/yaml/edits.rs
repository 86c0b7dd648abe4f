//! Changes to a text that are made all at once.

use std::ops::Range;

/// What goes, and what comes in its place.
#[derive(Debug)]
struct Edit {
    from: usize,
    to: usize,
    with: String,
}

/// Changes to a text, by places in the text as it was.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<Edit>);

impl Edits {
    /// Puts `with` in the place of `span`.
    pub(super) fn replace(&mut self, span: Range<usize>, with: impl Into<String>) {
        self.0.push(Edit { from: span.start, to: span.end, with: with.into() });
    }

    /// Takes `span` out. Deletions may overlap.
    pub(super) fn delete(&mut self, span: Range<usize>) {
        if !span.is_empty() {
            self.replace(span, "");
        }
    }

    /// Puts `with` before `at`; what was put there earlier stands first.
    pub(super) fn insert(&mut self, at: usize, with: impl Into<String>) {
        self.replace(at..at, with);
    }

    /// The part `span` of `text` with all changes made.
    pub(super) fn apply(mut self, text: &str, span: Range<usize>) -> String {
        self.0.sort_by_key(|edit| (edit.from, edit.from < edit.to));
        let grown: usize = self.0.iter().map(|edit| edit.with.len()).sum();
        let mut new = String::with_capacity(span.len() + grown);
        let mut here = span.start;
        for edit in &self.0 {
            new.push_str(&text[here..edit.from.max(here)]);
            new.push_str(&edit.with);
            here = here.max(edit.to);
        }
        new.push_str(&text[here..span.end.max(here)]);
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_made_in_the_order_of_the_text() {
        let mut edits = Edits::default();
        edits.insert(6, "!");
        edits.delete(1..3);
        edits.delete(2..4);
        edits.replace(4..5, "E");
        edits.insert(4, "1");
        edits.insert(4, "2");
        assert_eq!(edits.apply("abcdef", 0..6), "a12Ef!");
    }
}
