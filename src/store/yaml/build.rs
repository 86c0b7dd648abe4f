//! From a text to its tree: the parser's events, with the places that they leave out.

use std::{borrow::Cow, collections::HashMap};

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::{
    complaint, scan,
    source::{BOM, Source},
    tree::{Entry, Form, Item, Node, Style, Value},
    usual,
};
use crate::error::Error;

/// How deep lists and mappings may stand in each other.
pub(super) const DEEPEST: usize = 64;
/// How many commas and opening brackets there may be where the parser has to see the text.
const MOST_SIGNS: usize = 400_000;
/// How many values there may be.
pub(super) const MOST_NODES: usize = 1_000_000;

/// The tree of a text; nothing for a text that says nothing.
pub(super) fn build<'t>(source: &Source<'t>) -> Result<Option<Node<'t>>, Error> {
    let Some(root) = usual::tree(source.text) else { return parse(source) };
    debug_assert_eq!(parse(source).ok().flatten().as_ref(), Some(&root), "both ways lead to the same tree\n{}", source.text);
    Ok(Some(root))
}

/// The tree as the parser sees it.
fn parse<'t>(source: &Source<'t>) -> Result<Option<Node<'t>>, Error> {
    // The parser holds a whole `[…]` back until it knows that it is no key.
    let signs = || source.text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
    if source.text.len() > MOST_SIGNS && signs() > MOST_SIGNS {
        let why = format!("there are more than {MOST_SIGNS} commas and brackets in this file");
        return Err(source.error(0, why, Some("fewer, or lists on lines".into())));
    }
    let places = Places { text: source.text, is_ascii: source.text.is_ascii(), chars: 0, bytes: 0 };
    let mut builder = Builder { source, places, at: 0, nodes: 0, documents: 0, stack: Vec::new(), root: None };
    for event in Parser::new_from_str(source.text) {
        let (event, span) = event.map_err(|error| complaint::of(source, &error))?;
        builder.take(event, span)?;
    }
    Ok(builder.root)
}

/// From the parser's character numbers to byte offsets.
struct Places<'t> {
    text: &'t str,
    is_ascii: bool,
    chars: usize,
    bytes: usize,
}

impl Places<'_> {
    fn byte(&mut self, index: usize) -> usize {
        if self.is_ascii {
            return index.min(self.text.len());
        }
        if index < self.chars {
            (self.chars, self.bytes) = (0, 0);
        }
        let rest = &self.text[self.bytes..];
        let step = rest.char_indices().nth(index - self.chars).map_or(rest.len(), |(at, _)| at);
        self.chars = index;
        self.bytes += step;
        self.bytes
    }
}

/// A list or mapping that has not ended.
struct Frame<'t> {
    start: usize,
    shape: Shape,
    /// The column that its content must stand behind.
    column: usize,
    /// Where the present element begins.
    mark: usize,
    colon: Option<usize>,
    key: Option<Node<'t>>,
    entries: Vec<Entry<'t>>,
    items: Vec<Item<'t>>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Shape {
    List,
    FlowList,
    Map(Form),
}

struct Builder<'t, 's> {
    source: &'s Source<'t>,
    places: Places<'t>,
    /// Behind what was understood so far.
    at: usize,
    nodes: usize,
    documents: usize,
    stack: Vec<Frame<'t>>,
    root: Option<Node<'t>>,
}

impl<'t> Builder<'t, '_> {
    fn take(&mut self, event: Event<'t>, span: Span) -> Result<(), Error> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(is_explicit) => self.document(is_explicit, span),
            Event::Alias(_) => {
                let at = self.places.byte(span.start.index());
                let expected = Some("the value itself; values that steps share can stand in `defaults:`".into());
                Err(self.source.error(at, "aliases (`*name`) are not read", expected))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = tag.as_ref().is_some_and(|tag| matches!(&*tag.suffix, "str" | "!" | ""));
                self.open_node(usize::from(anchor > 0) + usize::from(tag.is_some()))?;
                self.scalar(text, style, is_text, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open_node(usize::from(anchor > 0) + usize::from(tag.is_some()))?;
                self.list()
            }
            Event::MappingStart(anchor, tag) => {
                self.open_node(usize::from(anchor > 0) + usize::from(tag.is_some()))?;
                self.mapping(span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
    }

    fn document(&mut self, is_explicit: bool, span: Span) -> Result<(), Error> {
        self.documents += 1;
        if self.documents > 1 {
            let at = self.places.byte(span.start.index());
            return Err(self.source.error(at, "a second document begins here", Some("one document in the file".into())));
        }
        let mark = if is_explicit { span.end } else { span.start };
        self.at = self.places.byte(mark.index());
        match self.source.text[..self.at].find(BOM) {
            None => Ok(()),
            Some(at) => {
                let expected = Some("it at the very beginning, or nowhere".into());
                Err(self.source.error(at, "a byte order mark stands inside the text", expected))
            }
        }
    }

    /// Steps over the indicator before a node and over the node's properties.
    fn open_node(&mut self, properties: usize) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(too_many(self.source, self.at));
        }
        let text = self.source.text;
        let here = scan::skip_blank(text, self.at);
        if let Some(frame) = self.stack.last_mut() {
            self.at = frame.step(text, self.at, here).ok_or_else(|| lost(self.source, here))?;
        }
        for _ in 0..properties {
            let here = scan::skip_blank(text, self.at);
            self.at = scan::skip_property(text, here).ok_or_else(|| lost(self.source, here))?;
        }
        Ok(())
    }

    fn scalar(&mut self, text: Cow<'t, str>, style: ScalarStyle, is_text: bool, span: Span) -> Result<(), Error> {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let source = self.source;
        // Only a value that is left out is plain and empty.
        let is_absent = style == Style::Plain && text.is_empty();
        let start = if is_absent { self.at } else { scan::skip_blank(source.text, self.at) };
        let end = match style {
            Style::Plain if is_absent => start,
            Style::Plain => self.places.byte(span.end.index()),
            Style::Single | Style::Double => scan::quoted_end(source.text, start).ok_or_else(|| lost(source, start))?,
            Style::Block if !matches!(source.text.as_bytes().get(start), Some(b'|' | b'>')) => return Err(lost(source, start)),
            Style::Block => {
                let stop = self.places.byte(span.end.index());
                self.block_scalar_end(start, stop)
            }
        };
        if end < start {
            return Err(lost(source, start));
        }
        if style == Style::Plain && self.stack.last().is_some_and(Frame::is_flow) {
            self.check_indents(start, end)?;
        }
        self.at = end;
        // Most scalars stand in the text as they are, and need no memory of their own.
        let inner = if matches!(style, Style::Single | Style::Double) { start + 1..end - 1 } else { start..end };
        let text = match source.text.get(inner) {
            Some(same) if same == text => Cow::Borrowed(same),
            _ => text,
        };
        self.put(Node { start, end, is_text, value: Value::Scalar { text, style } })
    }

    /// The lines of a text in brackets stand deeper than what the brackets belong to; the parser is lax about it.
    fn check_indents(&self, start: usize, end: usize) -> Result<(), Error> {
        let Some(outer) = self.stack.iter().rev().find(|frame| !frame.is_flow()) else { return Ok(()) };
        let mut line = self.source.next_line(start);
        while line < end {
            let rest = self.source.text[line..end].trim_start_matches([' ', '\t']);
            if !rest.starts_with(['\n', '\r']) && self.source.column(end - rest.len()) <= outer.column {
                let expected = Some("more spaces before it".into());
                return Err(self.source.error(line, "this line is indented too little for what is open", expected));
            }
            line = self.source.next_line(line);
        }
        Ok(())
    }

    /// Behind the last line of a block scalar that has text, or breaks that are kept. `stop` is where the parser found
    /// something else.
    fn block_scalar_end(&self, start: usize, stop: usize) -> usize {
        let source = self.source;
        let head = scan::block_head(source.text, start);
        let body = source.next_line(start);
        let is_indent = source.text[source.line_start(stop)..stop].bytes().all(|byte| byte == b' ');
        let mut stop = if is_indent && stop > body { source.line_start(stop) } else { stop };
        let parent = self.stack.last().map_or(0, |frame| frame.column);
        let indent = head.indent.map_or_else(|| self.first_indent(body, stop), |indent| parent + indent);
        while !head.is_keep && stop > body {
            let line = source.previous_line(stop);
            let content = source.text[line..stop].trim_end_matches(['\n', '\r']);
            if content.len() > indent || content.bytes().any(|byte| byte != b' ') {
                break;
            }
            stop = line;
        }
        if stop <= body {
            return head.end;
        }
        let last = source.previous_line(stop);
        source.line_end(last)
    }

    /// How far the first line with text between `from` and `to` is indented.
    fn first_indent(&self, from: usize, to: usize) -> usize {
        let region = &self.source.text[from..to.max(from)];
        let first = region.split(['\n', '\r']).find(|line| line.bytes().any(|byte| byte != b' '));
        first.map_or(usize::MAX, |line| line.len() - line.trim_start_matches(' ').len())
    }

    fn list(&mut self) -> Result<(), Error> {
        let start = scan::skip_blank(self.source.text, self.at);
        match self.source.text.as_bytes().get(start) {
            Some(b'[') => self.push(start, start + 1, Shape::FlowList),
            Some(b'-') => self.push(start, start, Shape::List),
            _ => Err(lost(self.source, start)),
        }
    }

    fn mapping(&mut self, span: Span) -> Result<(), Error> {
        let start = scan::skip_blank(self.source.text, self.at);
        let is_brace = self.source.text.as_bytes().get(start) == Some(&b'{');
        if is_brace && self.places.byte(span.end.index()) > start {
            return self.push(start, start + 1, Shape::Map(Form::Flow));
        }
        let is_pair = self.stack.last().is_some_and(Frame::is_flow);
        self.push(start, start, Shape::Map(if is_pair { Form::Pair } else { Form::Block }))
    }

    fn push(&mut self, start: usize, at: usize, shape: Shape) -> Result<(), Error> {
        if self.stack.len() >= DEEPEST {
            let why = format!("this is nested more than {DEEPEST} levels deep");
            return Err(self.source.error(start, why, Some("fewer levels".into())));
        }
        self.at = at;
        // Brackets hold no block scalars, and may stand a million times on one line.
        let column = if matches!(shape, Shape::List | Shape::Map(Form::Block)) { self.source.column(start) } else { 0 };
        let (key, entries, items) = (None, Vec::new(), Vec::new());
        self.stack.push(Frame { start, shape, column, mark: at, colon: None, key, entries, items });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        let frame = self.stack.pop().ok_or_else(|| lost(self.source, self.at))?;
        if matches!(frame.shape, Shape::FlowList | Shape::Map(Form::Flow)) {
            let text = self.source.text;
            let mut here = scan::skip_blank(text, self.at);
            if text.as_bytes().get(here) == Some(&b',') {
                here = scan::skip_blank(text, here + 1);
            }
            match text.as_bytes().get(here) {
                Some(b']' | b'}') => self.at = here + 1,
                _ => return Err(lost(self.source, here)),
            }
        }
        let value = match frame.shape {
            Shape::List => Value::List { items: frame.items, is_flow: false },
            Shape::FlowList => Value::List { items: frame.items, is_flow: true },
            Shape::Map(form) => {
                self.check_keys(&frame.entries)?;
                Value::Map { entries: frame.entries, form }
            }
        };
        self.put(Node { start: frame.start, end: self.at.max(frame.start), is_text: false, value })
    }

    fn put(&mut self, node: Node<'t>) -> Result<(), Error> {
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (frame.shape, frame.key.take()) {
            (Shape::List | Shape::FlowList, _) => frame.items.push(Item { start: frame.mark, node }),
            (Shape::Map(_), None) if node.plain() == Some("<<") => {
                let expected = Some("the keys themselves; values that steps share can stand in `defaults:`".into());
                return Err(self.source.error(node.start, "merge keys (`<<`) are not read", expected));
            }
            (Shape::Map(_), None) => frame.key = Some(node),
            (Shape::Map(_), Some(key)) => {
                frame.entries.push(Entry { start: frame.mark, key, colon: frame.colon, value: node });
            }
        }
        Ok(())
    }

    fn check_keys(&self, entries: &[Entry<'_>]) -> Result<(), Error> {
        const FEW: usize = 24;
        let texts = || entries.iter().filter_map(|entry| entry.key.text().map(|text| (text, entry)));
        let twice = if entries.len() <= FEW {
            texts().enumerate().find_map(|(at, (text, entry))| {
                texts().take(at).find(|(other, _)| *other == text).map(|(_, first)| (text, first, entry))
            })
        } else {
            let mut seen = HashMap::with_capacity(entries.len());
            texts().find_map(|(text, entry)| seen.insert(text, entry).map(|first| (text, first, entry)))
        };
        match twice {
            None => Ok(()),
            Some((text, first, entry)) => {
                let line = self.source.line(first.start);
                let why = format!("the key `{text}` stands here and on line {line} already");
                Err(self.source.error(entry.key.start, why, Some("every key once".into())))
            }
        }
    }
}

impl Frame<'_> {
    const fn is_flow(&self) -> bool {
        !matches!(self.shape, Shape::List | Shape::Map(Form::Block))
    }

    /// Steps over the indicator of the next key, value or element: `at` is behind what came before, `here` at what comes
    /// next. Gives the place behind the indicator.
    fn step(&mut self, text: &str, at: usize, here: usize) -> Option<usize> {
        let byte = |at: usize| text.as_bytes().get(at).copied();
        match self.shape {
            Shape::List => {
                self.mark = here;
                return (byte(here) == Some(b'-')).then_some(here + 1);
            }
            Shape::Map(_) if self.key.is_some() => {
                let is_colon = byte(here) == Some(b':') && (self.is_flow() || scan::is_blank(text, here + 1));
                self.colon = is_colon.then_some(here);
                return Some(self.colon.map_or(at, |colon| colon + 1));
            }
            Shape::FlowList | Shape::Map(_) => {}
        }
        let after_comma = (self.is_flow() && byte(here) == Some(b',')).then_some(here + 1);
        self.mark = after_comma.map_or(here, |at| scan::skip_blank(text, at));
        let is_question = byte(self.mark) == Some(b'?') && scan::is_blank(text, self.mark + 1);
        Some(if is_question && self.shape != Shape::FlowList { self.mark + 1 } else { self.mark })
    }
}

fn too_many(source: &Source<'_>, at: usize) -> Error {
    source.error(at, format!("there are more than {MOST_NODES} values in this file"), Some("fewer".into()))
}

fn lost(source: &Source<'_>, at: usize) -> Error {
    source.error(at, "this is written in a way that is not understood", Some("plainer YAML".into()))
}
