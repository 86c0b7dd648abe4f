//! The tree of a text that is written in the usual way, at a fraction of what the parser costs. Whatever is not usual, or
//! wrong, is left to the parser: both make the same tree of the same text.

use std::{borrow::Cow, collections::HashSet};

use super::{
    build::{DEEPEST, MOST_NODES},
    source::BOM,
    tree::{Entry, Form, Item, Node, Style, Value},
};

/// The tree of a text of block lists and mappings with plain keys, of scalars and brackets on one line, and of `|` texts.
pub(super) fn tree(text: &str) -> Option<Node<'_>> {
    if text.bytes().any(|byte| byte < b' ' && byte != b'\n' || byte == 0x7f) || !text.is_ascii() && text.contains(BOM) {
        return None;
    }
    let (entries, items) = (Vec::new(), Vec::new());
    let mut reader = Reader { text, bytes: text.as_bytes(), line: 0, column: 0, nodes: 0, entries, items };
    reader.go_to(0);
    if reader.is_end() || reader.column > 0 {
        return None;
    }
    let root = reader.map(reader.line, 0, 1)?;
    reader.is_end().then_some(root)
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// Where the next line begins that is neither blank nor a comment.
    line: usize,
    /// In which column its content stands.
    column: usize,
    nodes: usize,
    /// What belongs to mappings that have not ended, so that each takes as much memory as it needs in the end.
    entries: Vec<Entry<'t>>,
    /// The same for lists.
    items: Vec<Item<'t>>,
}

/// How far `|` texts keep the line break at their end.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Chomp {
    Clip,
    Strip,
}

impl<'t> Reader<'t> {
    const fn is_end(&self) -> bool {
        self.line >= self.bytes.len()
    }

    fn byte(&self, at: usize) -> u8 {
        // A text ends like a line.
        self.bytes.get(at).copied().unwrap_or(b'\n')
    }

    fn line_end(&self, at: usize) -> usize {
        let rest = &self.bytes[at.min(self.bytes.len())..];
        rest.iter().position(|&byte| byte == b'\n').map_or(self.bytes.len(), |end| at + end)
    }

    fn skip_spaces(&self, at: usize) -> usize {
        at + self.bytes[at.min(self.bytes.len())..].iter().take_while(|&&byte| byte == b' ').count()
    }

    /// Goes to the first line with content from the line start `at` on.
    fn go_to(&mut self, mut at: usize) {
        loop {
            let here = self.skip_spaces(at);
            (self.line, self.column) = (at, here - at);
            match self.bytes.get(here) {
                Some(b'#') => at = self.line_end(here) + 1,
                Some(b'\n') => at = here + 1,
                Some(_) => return,
                None => {
                    self.line = self.bytes.len();
                    return;
                }
            }
        }
    }

    /// Whether a `-` with a blank behind it stands at `at`.
    fn is_dash(&self, at: usize) -> bool {
        self.bytes.get(at) == Some(&b'-') && matches!(self.byte(at + 1), b' ' | b'\n')
    }

    fn scalar(&mut self, start: usize, end: usize, text: impl Into<Cow<'t, str>>, style: Style) -> Node<'t> {
        self.nodes += 1;
        Node { start, end, is_text: false, value: Value::Scalar { text: text.into(), style } }
    }

    /// The plain key at `at`, if a `:` and a blank follow.
    fn key(&mut self, at: usize) -> Option<Node<'t>> {
        const LONGEST: usize = 128;
        let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
        if !self.byte(at).is_ascii_alphanumeric() && self.byte(at) != b'_' {
            return None;
        }
        let end = at + self.bytes[at..].iter().take(LONGEST).take_while(|byte| is_inner(byte)).count();
        let is_key = self.bytes.get(end) == Some(&b':') && matches!(self.byte(end + 1), b' ' | b'\n');
        is_key.then(|| self.scalar(at, end, &self.text[at..end], Style::Plain))
    }

    /// The mapping whose first key begins at `start`, in `column`.
    fn map(&mut self, start: usize, column: usize, depth: usize) -> Option<Node<'t>> {
        let (first, mut here) = (self.entries.len(), start);
        self.nodes += 1;
        loop {
            let key = self.key(here)?;
            let colon = key.end;
            let value = self.value(colon + 1, column, true, depth)?;
            (self.nodes <= MOST_NODES).then_some(())?;
            self.entries.push(Entry { start: here, key, colon: Some(colon), value });
            if self.is_end() || self.column < column {
                break;
            }
            here = (self.column == column).then_some(self.line + column)?;
        }
        let entries = self.entries_from(first)?;
        let end = entries.last()?.value.end;
        Some(Node { start, end, is_text: false, value: Value::Map { entries, form: Form::Block } })
    }

    /// The entries of the mapping that ends, from the `first` on, if no key stands twice.
    fn entries_from(&mut self, first: usize) -> Option<Vec<Entry<'t>>> {
        has_each_once(&self.entries[first..]).then(|| self.entries.drain(first..).collect())
    }

    /// The list whose first `-` stands at `start`, in `column`.
    fn list(&mut self, start: usize, column: usize, depth: usize) -> Option<Node<'t>> {
        let (first, mut here) = (self.items.len(), start);
        self.nodes += 1;
        loop {
            let inner = self.skip_spaces(here + 1);
            let before = self.nodes;
            let is_map = inner > here + 1 && self.key(inner).is_some();
            self.nodes = before;
            let node = if is_map {
                (depth < DEEPEST).then_some(())?;
                self.map(inner, inner - self.line, depth + 1)?
            } else {
                self.value(here + 1, column, false, depth)?
            };
            (self.nodes <= MOST_NODES).then_some(())?;
            self.items.push(Item { start: here, node });
            here = self.line + column;
            if self.is_end() || self.column != column || !self.is_dash(here) {
                break;
            }
        }
        let items: Vec<_> = self.items.drain(first..).collect();
        let end = items.last()?.node.end;
        Some(Node { start, end, is_text: false, value: Value::List { items, is_flow: false } })
    }

    /// The value behind the `:` or `-` that ends at `at` and belongs to `parent`'s column. Goes to the line behind it.
    fn value(&mut self, at: usize, parent: usize, is_in_map: bool, depth: usize) -> Option<Node<'t>> {
        let here = self.skip_spaces(at);
        match self.byte(here) {
            b'\n' => return self.below(at, here, parent, is_in_map, depth),
            b'#' if here > at => return self.below(at, here, parent, is_in_map, depth),
            b'|' => return self.literal(here, parent),
            _ if here == at => return None,
            _ => {}
        }
        let node = match self.byte(here) {
            b'[' | b'{' => self.flow(here, depth)?,
            b'"' | b'\'' => self.quoted(here)?,
            _ => self.plain(here)?,
        };
        let rest = self.skip_spaces(node.end);
        match self.byte(rest) {
            b'\n' => {}
            b'#' if rest > node.end => {}
            _ => return None,
        }
        self.go_to(self.line_end(rest) + 1);
        // Deeper lines would go on with it, or be wrong.
        (self.is_end() || self.column <= parent).then_some(node)
    }

    /// The value on the lines below, or none.
    fn below(&mut self, at: usize, here: usize, parent: usize, is_in_map: bool, depth: usize) -> Option<Node<'t>> {
        self.go_to(self.line_end(here) + 1);
        let start = self.line + self.column;
        let is_dash = self.is_dash(start);
        if self.is_end() || self.column < parent || self.column == parent && !(is_in_map && is_dash) {
            return Some(self.scalar(at, at, "", Style::Plain));
        }
        (depth < DEEPEST).then_some(())?;
        if is_dash { self.list(start, self.column, depth + 1) } else { self.map(start, self.column, depth + 1) }
    }

    /// A plain scalar outside of brackets.
    fn plain(&mut self, start: usize) -> Option<Node<'t>> {
        let first = self.byte(start);
        if is_indicator(first) && !(first == b'-' && self.byte(start + 1) != b' ') {
            return None;
        }
        let (mut here, mut end) = (start, start);
        loop {
            match self.byte(here) {
                b'\n' => break,
                b'#' if here > end => break,
                b':' if matches!(self.byte(here + 1), b' ' | b'\n') => return None,
                b' ' => {}
                _ => end = here + 1,
            }
            here += 1;
        }
        let text = &self.text[start..end];
        (text != "-").then(|| self.scalar(start, end, text, Style::Plain))
    }

    /// A scalar in quotes on one line, without escapes.
    fn quoted(&mut self, start: usize) -> Option<Node<'t>> {
        let quote = self.byte(start);
        let mut here = start + 1;
        let mut is_doubled = false;
        loop {
            match self.byte(here) {
                b'\n' => return None,
                b'\\' if quote == b'"' => return None,
                b'\'' if quote == b'\'' && self.byte(here + 1) == b'\'' => {
                    is_doubled = true;
                    here += 2;
                }
                byte if byte == quote => break,
                _ => here += 1,
            }
        }
        let text = &self.text[start + 1..here];
        let style = if quote == b'"' { Style::Double } else { Style::Single };
        let text = if is_doubled { Cow::Owned(text.replace("''", "'")) } else { Cow::Borrowed(text) };
        Some(self.scalar(start, here + 1, text, style))
    }

    /// A list or mapping in brackets on one line.
    fn flow(&mut self, start: usize, depth: usize) -> Option<Node<'t>> {
        (depth < DEEPEST).then_some(())?;
        self.nodes += 1;
        let is_list = self.byte(start) == b'[';
        let close = if is_list { b']' } else { b'}' };
        let (first_item, first_entry) = (self.items.len(), self.entries.len());
        let mut here = self.skip_spaces(start + 1);
        while self.byte(here) != close {
            let end = if is_list {
                let node = self.flow_value(here, depth)?;
                let end = node.end;
                self.items.push(Item { start: here, node });
                end
            } else {
                let key = self.key(here)?;
                let colon = key.end;
                let value = self.flow_value(self.skip_spaces(colon + 1), depth)?;
                let end = value.end;
                self.entries.push(Entry { start: here, key, colon: Some(colon), value });
                end
            };
            (self.nodes <= MOST_NODES).then_some(())?;
            here = self.skip_spaces(end);
            match self.byte(here) {
                b',' => here = self.skip_spaces(here + 1),
                byte if byte == close => {}
                _ => return None,
            }
        }
        let value = if is_list {
            Value::List { items: self.items.drain(first_item..).collect(), is_flow: true }
        } else {
            Value::Map { entries: self.entries_from(first_entry)?, form: Form::Flow }
        };
        Some(Node { start, end: here + 1, is_text: false, value })
    }

    fn flow_value(&mut self, start: usize, depth: usize) -> Option<Node<'t>> {
        match self.byte(start) {
            b'[' | b'{' => self.flow(start, depth + 1),
            b'"' | b'\'' => self.quoted(start),
            first if is_indicator(first) && !(first == b'-' && self.byte(start + 1).is_ascii_alphanumeric()) => None,
            _ => {
                let rest = &self.bytes[start..];
                let end = rest.iter().position(|byte| matches!(byte, b',' | b'[' | b']' | b'{' | b'}' | b':' | b'#' | b'\n'))?;
                let text = self.text[start..start + end].trim_end_matches(' ');
                // What stands behind the text decides: only a comma or a bracket may, and the caller looks.
                (!text.is_empty() && !text.ends_with(" -")).then(|| self.scalar(start, start + text.len(), text, Style::Plain))
            }
        }
    }

    /// A `|` or `|-` text below `parent`'s column.
    fn literal(&mut self, start: usize, parent: usize) -> Option<Node<'t>> {
        let chomp = if self.byte(start + 1) == b'-' { Chomp::Strip } else { Chomp::Clip };
        let head = start + 1 + usize::from(chomp == Chomp::Strip);
        let mut line = (self.byte(head) == b'\n').then_some(head + 1)?;
        let indent = self.skip_spaces(line) - line;
        let (mut text, mut end) = (String::new(), None);
        // Where the text begins with a blank line, the parser has more to consider.
        (indent > parent && self.byte(line + indent) != b'\n').then_some(())?;
        let mut breaks = 0;
        while line < self.bytes.len() {
            let (content, stop) = (self.skip_spaces(line), self.line_end(line));
            if content == stop {
                (stop == line).then_some(())?;
                breaks += 1;
            } else if content - line >= indent {
                text.extend(std::iter::repeat_n('\n', breaks));
                text.push_str(&self.text[line + indent..stop]);
                (breaks, end) = (1, Some(stop));
            } else {
                (content - line <= parent).then_some(())?;
                break;
            }
            line = stop + 1;
        }
        // What a last line without its end says is for the parser to tell.
        (end? < self.bytes.len()).then_some(())?;
        if chomp == Chomp::Clip {
            text.push('\n');
        }
        self.go_to(line);
        (self.is_end() || self.column <= parent).then_some(())?;
        Some(self.scalar(start, end?, text, Style::Block))
    }
}

/// Whether a plain scalar cannot begin with it.
const fn is_indicator(byte: u8) -> bool {
    matches!(
        byte,
        b'-' | b'?'
            | b':'
            | b','
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'#'
            | b'&'
            | b'*'
            | b'!'
            | b'|'
            | b'>'
            | b'\''
            | b'"'
            | b'%'
            | b'@'
            | b'`'
            | b'\n'
            | b' '
    )
}

fn has_each_once(entries: &[Entry<'_>]) -> bool {
    const FEW: usize = 24;
    if entries.len() <= FEW {
        return entries.iter().enumerate().all(|(at, entry)| entries[..at].iter().all(|other| other.name() != entry.name()));
    }
    let mut seen = HashSet::with_capacity(entries.len());
    entries.iter().all(|entry| seen.insert(entry.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_and_we_write_is_usual() {
        for text in [
            "version: \"1.0\"\nname: x y # z\nsteps:\n  # first\n  - id: a\n    command: [sh, -c, 'it''s']\n    env:\n      A: \"1\"\n\n  - id: b\n    \
             depends_on: [a]\n    prompt: |\n      one\n\n        two\n    timeout: 5m\ngates:\n  - id: g\n    depends_on:\n      - b\n",
            "steps:\n- {id: a, env: {A: b}, depends_on: []}\n- id: b\n  depends_on:\n  - a\n  status:\ngates:",
            "a: |-\n  x\n\n# end\nb: -x\nc: a:b#c [d]",
        ] {
            assert!(tree(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_not_usual_is_left_to_the_parser() {
        for text in [
            "",
            "# a\n",
            "a",
            "a: b\n c",
            "a: b: c",
            "a:b",
            "a: *b",
            "a: &b c",
            "a: !t b",
            "<<: b",
            "a: 1\na: 2",
            "a:\tb",
            "a: b\r\n",
            "- a",
            "a: [b\n  ]",
            "a: \"\\n\"",
            "a: >\n  b",
            "a: |+\n  b",
            "a: |2\n   b",
            "---\na: b",
            "a: b\n---\n",
            "a: b\n...\n",
            " a: b",
            "a: [b",
            "a: [b: c]",
            "a: {b}",
            "a: - b",
            "a: |\n  b",
            "a:\n  b: c\n d: e",
            "a: \"b\" c",
            "? a",
            "a: [b,,c]",
            "a: 'b",
            "a: [-]",
        ] {
            assert!(tree(text).is_none(), "{text}");
        }
    }
}
