//! From one text to the next, by way of what differs between two plans.

use std::{ops::Range, path::Path};

use super::{
    decode::root,
    edits::Edits,
    emit,
    keys::SEQUENCE,
    mapping::changes,
    shape::sequence_fields,
    source::Source,
    tree::{Node, Value},
};
use crate::{error::Error, model::Sequence};

/// The text in which only what differs between the two plans is changed. `before` is what `text` says.
///
/// # Errors
/// `Yaml` where the text is written in a way that cannot be changed piecemeal; `Internal` when the result would not say
/// `after`.
pub fn patch(text: &str, before: &Sequence, after: &Sequence, path: &Path) -> Result<String, Error> {
    if before == after {
        return Ok(text.to_owned());
    }
    let source = Source::new(text, path)?;
    let root = root(&source)?;
    let (old, new) = (sequence_fields(before), sequence_fields(after));
    let changes = changes(&old, &new);
    let next = |is_careful: bool| {
        let items_indent = items_indent(&source, &root);
        let mut made = Patch { source: &source, edits: Edits::default(), is_ended: false, items_indent, is_careful };
        made.mapping(&root, Some(&SEQUENCE), &changes)?;
        let next = format!("{}{}", source.mark, made.edits.apply(source.text, 0..source.text.len()));
        emit::check(&next, after, path).map(|()| next)
    };
    // Blank lines below a `|+` text are a part of it, as are comments that stand deep enough below any block.
    next(false).or_else(|error| if matches!(error, Error::Internal { .. }) { next(true) } else { Err(error) })
}

/// The changes to a text, as they are found.
pub(super) struct Patch<'a, 't> {
    pub(super) source: &'a Source<'t>,
    pub(super) edits: Edits,
    /// Whether the line ending that the text lacks at its end was added.
    is_ended: bool,
    /// How far steps and gates are indented below their key.
    pub(super) items_indent: usize,
    /// Whether no blank line may come to stand below something else, and no text become a block.
    pub(super) is_careful: bool,
}

impl Patch<'_, '_> {
    /// The text of `span` with the changes that `change` makes inside it.
    pub(super) fn piece(&self, span: Range<usize>, change: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<String, Error> {
        let mut inner = Self { edits: Edits::default(), is_ended: false, ..*self };
        change(&mut inner)?;
        Ok(inner.edits.apply(self.source.text, span))
    }

    /// Puts lines, each with a line feed at its end, before the line that begins at `at`.
    pub(super) fn insert_lines(&mut self, at: usize, lines: &str) {
        let lines = self.source.fit(lines);
        self.insert_as_is(at, lines);
    }

    /// Puts lines that have the file's line endings before the line that begins at `at`.
    pub(super) fn insert_as_is(&mut self, at: usize, lines: String) {
        if at == self.source.text.len() && self.source.is_cut() && !self.is_ended && !lines.is_empty() {
            self.edits.insert(at, self.source.newline);
            self.is_ended = true;
        }
        self.edits.insert(at, lines);
    }

    /// The text at `at` is valid, but cannot be changed piecemeal.
    pub(super) fn refuse(&self, at: usize, expected: &str) -> Error {
        self.source.error(at, "this is written in a way that seqctl cannot change", Some(expected.into()))
    }
}

/// How far this file indents its steps and gates below their key.
fn items_indent(source: &Source<'_>, root: &Node<'_>) -> usize {
    let lists = root.entries().iter().filter(|entry| matches!(entry.name(), "steps" | "gates"));
    let blocks = lists.filter(|entry| matches!(entry.value.value, Value::List { is_flow: false, .. }));
    let mut indents = blocks.map(|entry| source.column(entry.value.start).saturating_sub(source.column(entry.start)));
    indents.next().unwrap_or(2)
}
