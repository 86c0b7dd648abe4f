//! Changing the value of a key or an element.

use super::{
    emit::{self, Place, Written},
    mapping::{changes, name_changes},
    patch::Patch,
    scan,
    shape::{Datum, Record},
    tree::{Node, Style, Value},
};
use crate::error::Error;

/// Where a value stands.
pub(super) struct Slot<'n, 't> {
    /// The key; empty for an element.
    pub(super) key: &'n str,
    /// Behind the `:` or `-`.
    pub(super) spot: usize,
    pub(super) node: &'n Node<'t>,
    /// The column of the key or `-`.
    pub(super) parent: usize,
    /// In brackets or braces: whether they are JSON.
    pub(super) json: Option<bool>,
}

impl<'t> Patch<'_, 't> {
    /// Makes a value say `new` instead of `old`. Without `new`, all known keys leave a mapping.
    pub(super) fn set(&mut self, slot: &Slot<'_, 't>, old: Option<&Datum<'_>>, new: Option<&Datum<'_>>) -> Result<(), Error> {
        let node = slot.node;
        let is_list_on_lines = node.items().iter().all(|item| self.source.leads_line(item.start));
        match (&node.value, new) {
            (Value::Map { .. }, None | Some(Datum::Map { .. })) => {
                let fields = |datum: Option<&Datum<'_>>| match datum {
                    Some(Datum::Map { keys, .. }) => *keys,
                    _ => None,
                };
                let empty = Datum::Map { fields: Vec::new(), keys: fields(old).or_else(|| fields(new)) };
                let (Datum::Map { fields: old, keys }, Datum::Map { fields: new, .. }) =
                    (old.unwrap_or(&empty), new.unwrap_or(&empty))
                else {
                    return self.overwrite(slot, new.unwrap_or(&empty));
                };
                self.mapping(node, *keys, &name_changes(old, new))
            }
            (_, None) => Ok(()),
            (Value::List { is_flow: true, .. }, Some(Datum::List { texts, .. })) => self.flow_texts(slot, texts),
            (Value::List { is_flow: false, .. }, Some(Datum::List { texts, .. })) if !texts.is_empty() && is_list_on_lines => {
                self.block_texts(slot, texts)
            }
            (Value::List { items, is_flow }, Some(Datum::Records(new))) => {
                let Some(Datum::Records(old)) = old else {
                    return Err(Error::internal("a list of steps or gates came out of nothing"));
                };
                if old.len() != items.len() {
                    return Err(Error::internal("the plan is not what its text says"));
                }
                match is_flow {
                    true => self.flow_records(slot, old, new),
                    false if is_list_on_lines => self.block_records(slot, old, new),
                    false => Err(self.refuse(node.start, "every `- ` on a line of its own")),
                }
            }
            (Value::Scalar { .. }, Some(Datum::List { texts, one_as_text: true }))
                if texts.len() == 1 && !node.is_null() && matches!(old, Some(Datum::List { .. })) =>
            {
                self.overwrite(slot, &Datum::Text(texts[0]))
            }
            (_, Some(new)) => self.overwrite(slot, new),
        }
    }

    /// Makes the entries of a step or gate say `new` instead of `old`.
    pub(super) fn record(&mut self, node: &Node<'t>, old: Record<'_>, new: Record<'_>) -> Result<(), Error> {
        if old == new {
            return Ok(());
        }
        let (old, keys, new) = (old.fields(), new.keys(), new.fields());
        self.mapping(node, Some(keys), &changes(&old, &new))
    }

    /// Puts a value in the place of another, whatever it is.
    pub(super) fn overwrite(&mut self, slot: &Slot<'_, 't>, new: &Datum<'_>) -> Result<(), Error> {
        let node = slot.node;
        let in_ms;
        let new = match new {
            Datum::Span(span) if slot.key.ends_with("_ms") => {
                in_ms = Datum::Bare(span.as_ms().to_string());
                &in_ms
            }
            _ => new,
        };
        let Some(is_json) = slot.json else {
            self.overwrite_lines(slot, new);
            return Ok(());
        };
        let text = emit::value(new, node.style(), Place::Flow { is_json }).head;
        if node.start == node.end {
            self.edits.insert(node.start, format!(" {text}"));
        } else {
            self.edits.replace(node.start..node.end, text);
        }
        Ok(())
    }

    fn overwrite_lines(&mut self, slot: &Slot<'_, 't>, new: &Datum<'_>) {
        let (source, node) = (self.source, slot.node);
        let is_below = node.is_block() && source.leads_line(node.start) && source.line(node.start) > source.line(slot.spot);
        let is_block_scalar = node.style() == Some(Style::Block);
        let mut place = match new {
            Datum::Records(_) => Place::Lines { parent: slot.parent, column: self.items_column },
            _ => Place::under(slot.parent),
        };
        // What goes: a part of the line, and perhaps lines below.
        let (mut head, mut body) = (node.start..node.end, None);
        if is_below {
            head = slot.spot..self.properties_end(slot.spot);
            body = Some(source.next_line(slot.spot)..source.next_line(node.end));
        } else if is_block_scalar {
            head.end = scan::block_head(source.text, node.start).end;
            let lines = source.next_line(node.start)..source.next_line(node.end);
            if node.end > head.end {
                let lead = &source.text[lines.start..node.end];
                let column = lead
                    .split(['\n', '\r'])
                    .find(|line| !line.trim().is_empty())
                    .map_or(0, |line| line.len() - line.trim_start_matches(' ').len());
                if column > slot.parent {
                    place = Place::Lines { parent: slot.parent, column };
                }
                body = Some(lines);
            }
        }
        let Written { head: text, body: lines } = emit::value(new, node.style(), place);
        let below = body.as_ref().map_or_else(|| source.next_line(head.end), |body| body.start);
        if text.is_empty() {
            let from = slot.spot + source.text[slot.spot..head.start].trim_end().len();
            self.edits.delete(from..head.end);
        } else if head.is_empty() || is_below {
            self.edits.replace(head, format!(" {text}"));
        } else {
            self.edits.replace(head, text);
        }
        if let Some(body) = body {
            self.edits.delete(body);
        }
        self.insert_lines(below, &lines);
    }

    /// Behind the anchor and tag on the line of `at`, if there are any.
    fn properties_end(&self, at: usize) -> usize {
        let text = self.source.text;
        let line_end = self.source.line_end(at);
        let mut end = at;
        loop {
            let here = end + text[end..line_end].len() - text[end..line_end].trim_start().len();
            match scan::skip_property(text, here) {
                Some(next) if here < line_end => end = next,
                _ => return end,
            }
        }
    }
}
