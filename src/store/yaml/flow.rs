//! Changing what stands in brackets or braces.

use std::ops::Range;

use super::{patch::Patch, scan, tree::Node};

/// What stands around an element.
#[derive(Clone, Debug, Default)]
struct Around<'t> {
    /// Before it: blanks, line breaks, comments on lines of their own.
    lead: &'t str,
    /// Between it and its comma.
    trail: &'t str,
    /// The comment behind it on its line.
    note: &'t str,
}

/// What stands around all elements.
struct Frame<'t> {
    around: Vec<Around<'t>>,
    has_last_comma: bool,
    /// Before the closing bracket.
    close: &'t str,
}

impl<'t> Frame<'t> {
    fn new(text: &'t str, inner: Range<usize>, elements: &[Range<usize>]) -> Self {
        let mut frame = Self { around: Vec::with_capacity(elements.len()), has_last_comma: false, close: &text[inner.clone()] };
        let mut lead = &text[inner.start..elements.first().map_or(inner.start, |first| first.start)];
        for (at, element) in elements.iter().enumerate() {
            let comma = scan::skip_blank(text, element.end);
            let has_comma = comma < inner.end;
            let end = elements.get(at + 1).map_or(inner.end, |next| next.start);
            let (trail, rest) =
                if has_comma { (&text[element.end..comma], &text[comma + 1..end]) } else { ("", &text[element.end..end]) };
            let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
            let (note, rest) = if rest[..line].contains('#') { rest.split_at(line) } else { ("", rest) };
            frame.around.push(Around { lead, trail, note });
            frame.has_last_comma = has_comma;
            (lead, frame.close) = (rest, rest);
        }
        frame
    }

    /// What stands before a new element on a line of its own, if elements do so here.
    fn line_lead(&self) -> Option<&'t str> {
        let leads = self.around.iter().map(|around| around.lead);
        leads.filter(|lead| lead.contains(['\n', '\r'])).map(last_line).next()
    }
}

/// A line break and what follows the last one in `lead`.
fn last_line(lead: &str) -> &str {
    let at = lead.rfind(['\n', '\r']).unwrap_or(0);
    let at = if lead[..at].ends_with('\r') { at - 1 } else { at };
    &lead[at..]
}

impl<'t> Patch<'_, 't> {
    /// Makes the elements `old` of `node` into `new`: each with its number among the old ones, if it is one of them, and
    /// its text.
    pub(super) fn flow(&mut self, node: &Node<'t>, old: &[Range<usize>], new: Vec<(Option<usize>, String)>) {
        let text = self.source.text;
        if new.len() == old.len() && new.iter().enumerate().all(|(at, (from, _))| *from == Some(at)) {
            for (span, (_, with)) in old.iter().zip(new) {
                if text[span.clone()] != with {
                    self.edits.replace(span.clone(), with);
                }
            }
            return;
        }
        let inner = node.start + 1..node.end - 1;
        let frame = Frame::new(text, inner.clone(), old);
        let indent = " ".repeat(self.source.column(node.start) + 2);
        let own_line = frame.line_lead().map_or_else(|| format!("{}{indent}", self.source.newline), str::to_owned);
        let mut is_gone = vec![true; old.len()];
        new.iter().filter_map(|(from, _)| *from).for_each(|from| is_gone[from] = false);
        let comments_of_gone = |until: usize, from: usize| {
            let gone = (from..until).filter(|&at| is_gone[at]).map(|at| frame.around[at].lead);
            gone.filter(|lead| lead.contains('#')).map(|lead| &lead[..lead.len() - last_line(lead).len()]).collect::<String>()
        };
        let (mut out, mut comments_done, mut last_note, count) = (String::new(), 0, "", new.len());
        for (at, (from, element)) in new.into_iter().enumerate() {
            let around = from.map_or_else(Around::default, |from| frame.around[from].clone());
            let comments = from.map_or_else(String::new, |from| comments_of_gone(from, comments_done));
            comments_done = comments_done.max(from.unwrap_or(0));
            let first_lead = frame.around.first().map_or("", |first| first.lead);
            let lead = match from {
                Some(_) if around.lead.contains(['\n', '\r']) => around.lead,
                Some(0) | None if at > 0 => frame.line_lead().unwrap_or(" "),
                None => frame.line_lead().unwrap_or(first_lead),
                Some(_) if at == 0 => first_lead,
                Some(_) => around.lead,
            };
            let is_open = !last_note.is_empty() || !comments.is_empty();
            let needs_line = is_open && !lead.contains(['\n', '\r']);
            out.push_str(&comments);
            out.push_str(if needs_line { &own_line } else { lead });
            out.push_str(&element);
            let needs_comma = at + 1 < count || frame.has_last_comma;
            out.push_str(around.trail);
            out.push_str(if needs_comma { "," } else { "" });
            out.push_str(around.note);
            last_note = around.note;
        }
        let comments = comments_of_gone(old.len(), comments_done);
        let is_open = !(last_note.is_empty() && comments.is_empty());
        out.push_str(&comments);
        if is_open && !frame.close.contains(['\n', '\r']) {
            out.push_str(&own_line);
        }
        if count > 0 || is_open || !frame.close.trim().is_empty() {
            out.push_str(frame.close);
        }
        self.edits.replace(inner, out);
    }
}
