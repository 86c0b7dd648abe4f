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
        leads.filter(|lead| is_broken(lead)).map(last_line).next()
    }
}

/// A line break and what follows the last one in `lead`.
fn last_line(lead: &str) -> &str {
    let at = lead.rfind(['\n', '\r']).unwrap_or(0);
    let at = if lead[..at].ends_with('\r') { at - 1 } else { at };
    &lead[at..]
}

impl<'t> Frame<'t> {
    /// What stands before the element that comes to stand at `at` and stood at `from`.
    fn lead(&self, at: usize, from: Option<usize>) -> &'t str {
        let own = from.map(|from| self.around[from].lead);
        let first = self.around.first().map_or("", |first| first.lead);
        match own {
            Some(own) if is_broken(own) => own,
            _ if at > 0 && (own.is_none() || from == Some(0)) => self.line_lead().unwrap_or(" "),
            None => self.line_lead().unwrap_or(first),
            Some(_) if at == 0 => first,
            Some(own) => own,
        }
    }

    /// The comments before the elements of `range` that are gone.
    fn comments_of_gone(&self, is_gone: &[bool], range: Range<usize>) -> String {
        let leads = range.filter(|&at| is_gone[at]).map(|at| self.around[at].lead);
        leads.filter(|lead| lead.contains('#')).map(|lead| &lead[..lead.len() - last_line(lead).len()]).collect()
    }

    /// What stands between the brackets with the elements `new`. `own_line`: what begins a line for an element.
    fn join(&self, new: &[(Option<usize>, String)], own_line: &str) -> String {
        let mut is_gone = vec![true; self.around.len()];
        new.iter().filter_map(|(from, _)| *from).for_each(|from| is_gone[from] = false);
        let (mut out, mut done, mut is_open) = (String::new(), 0, false);
        for (at, (from, element)) in new.iter().enumerate() {
            let around = from.map_or_else(Around::default, |from| self.around[from].clone());
            let until = from.unwrap_or(done).max(done);
            let comments = self.comments_of_gone(&is_gone, done..until);
            done = until;
            let lead = self.lead(at, *from);
            // Nothing but a line break ends a comment.
            is_open |= !comments.is_empty();
            out.push_str(&comments);
            out.push_str(if is_open && !is_broken(lead) { own_line } else { lead });
            out.push_str(element);
            out.push_str(around.trail);
            if at + 1 < new.len() || self.has_last_comma {
                // Readers take `-,` for an item of a list that has no business there.
                if out.ends_with('-') {
                    out.push(' ');
                }
                out.push(',');
            }
            out.push_str(around.note);
            is_open = !around.note.is_empty();
        }
        let comments = self.comments_of_gone(&is_gone, done..self.around.len());
        is_open |= !comments.is_empty();
        out.push_str(&comments);
        if is_open && !is_broken(self.close) {
            out.push_str(own_line);
        }
        if !new.is_empty() || is_open || !self.close.trim().is_empty() {
            out.push_str(self.close);
        }
        out
    }
}

fn is_broken(text: &str) -> bool {
    text.contains(['\n', '\r'])
}

impl<'t> Patch<'_, 't> {
    /// Makes the elements `old` of `node` into `new`: each with its number among the old ones, if it is one of them, and
    /// its text.
    pub(super) fn flow(&mut self, node: &Node<'t>, old: &[Range<usize>], new: &[(Option<usize>, String)]) {
        let text = self.source.text;
        if new.len() == old.len() && new.iter().enumerate().all(|(at, (from, _))| *from == Some(at)) {
            for (span, (_, with)) in old.iter().zip(new) {
                if text[span.clone()] != **with {
                    self.edits.replace(span.clone(), with);
                }
            }
            return;
        }
        let inner = node.start + 1..node.end - 1;
        let frame = Frame::new(text, inner.clone(), old);
        let new_line = || format!("{}{:2$}", self.source.newline, "", self.source.column(node.start) + 2);
        let own_line = frame.line_lead().map_or_else(new_line, str::to_owned);
        self.edits.replace(inner, frame.join(new, &own_line));
    }
}
