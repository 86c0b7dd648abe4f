//! Which lines belong to what: comments, blank lines, the end of an entry.

use super::{
    scan,
    source::{Kind, Source},
    tree::{Entry, Node, Style},
};

impl Source<'_> {
    /// Behind the line of `end`, and behind the comment lines after it that stand deeper than `deeper`.
    pub(super) fn past(&self, end: usize, deeper: Option<usize>) -> usize {
        let mut past = self.next_line(end);
        let mut here = past;
        while let Some(column) = deeper
            && here < self.text.len()
        {
            let kind = self.kind(here);
            here = self.next_line(here);
            match kind {
                Kind::Comment(found) if found > column => past = here,
                Kind::Blank => {}
                Kind::Comment(_) | Kind::Content => break,
            }
        }
        past
    }

    /// Behind the lines of an entry whose key stands in `column`.
    pub(super) fn past_entry(&self, entry: &Entry<'_>, column: usize) -> usize {
        self.past(entry.end(), entry.value.is_block().then_some(column))
    }

    /// The first of the comment lines in `column` that stand directly above `line`, but not above `floor`.
    pub(super) fn comments_above(&self, line: usize, column: usize, floor: usize) -> usize {
        self.run_above(line, floor, |kind| kind == Kind::Comment(column))
    }

    /// The first of the blank lines directly above `line`, but not above `floor`.
    pub(super) fn blanks_above(&self, line: usize, floor: usize) -> usize {
        self.run_above(line, floor, |kind| kind == Kind::Blank)
    }

    fn run_above(&self, line: usize, floor: usize, belongs: impl Fn(Kind) -> bool) -> usize {
        let mut top = line;
        while top > floor {
            let above = self.previous_line(top);
            if above < floor || !belongs(self.kind(above)) {
                break;
            }
            top = above;
        }
        top
    }

    /// Behind the blank lines that begin at `line`.
    pub(super) fn blanks_below(&self, line: usize) -> usize {
        let mut here = line;
        while here < self.text.len() && self.kind(here) == Kind::Blank {
            here = self.next_line(here);
        }
        here
    }

    /// Whether blank lines below `node` would become a part of it.
    pub(super) fn takes_blanks(&self, node: &Node<'_>) -> bool {
        let last = node.last();
        last.style() == Some(Style::Block) && scan::block_head(self.text, last.start).is_keep
    }
}
