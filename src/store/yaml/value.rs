//! Changing the value of a key or an element.

use std::borrow::Cow;

use super::{
    emit::{self, Place, Written},
    keys::Keys,
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
        match (&node.value, new) {
            (Value::Map { .. }, None | Some(Datum::Map { .. })) => self.set_pairs(node, old, new),
            (Value::List { is_flow: true, .. }, Some(Datum::List { texts, .. })) => self.flow_texts(slot, texts),
            (Value::List { is_flow: false, .. }, Some(Datum::List { texts, .. }))
                if !texts.is_empty() && self.is_on_lines(node) =>
            {
                self.block_texts(slot, texts)
            }
            (Value::List { .. }, Some(Datum::Records(new))) => match old {
                Some(Datum::Records(old)) if old.len() == node.items().len() => self.set_records(slot, old, new),
                _ => Err(Error::internal("the plan is not what its text says")),
            },
            (Value::Scalar { .. }, Some(Datum::List { texts, one_as_text: true }))
                if texts.len() == 1 && !node.is_null() && matches!(old, Some(Datum::List { .. })) =>
            {
                self.overwrite(slot, &Datum::Text(texts[0]));
                Ok(())
            }
            (_, Some(new)) => {
                self.overwrite(slot, new);
                Ok(())
            }
            (_, None) => Ok(()),
        }
    }

    /// Whether every `-` of a list is the first thing on its line.
    fn is_on_lines(&self, list: &Node<'t>) -> bool {
        list.items().iter().all(|item| self.source.leads_line(item.start))
    }

    fn set_pairs(&mut self, node: &Node<'t>, old: Option<&Datum<'_>>, new: Option<&Datum<'_>>) -> Result<(), Error> {
        let ((old, old_keys), (new, new_keys)) = (pairs_of(old), pairs_of(new));
        self.mapping(node, old_keys.or(new_keys), &name_changes(old, new))
    }

    fn set_records(&mut self, slot: &Slot<'_, 't>, old: &[Record<'_>], new: &[Record<'_>]) -> Result<(), Error> {
        let node = slot.node;
        // Steps and gates stand on lines wherever they can.
        if slot.json.is_none() && &self.source.text[node.start..node.end] == "[]" {
            self.overwrite(slot, &Datum::Records(new.to_vec()));
            return Ok(());
        }
        match node.value {
            Value::List { is_flow: true, .. } => self.flow_records(slot, old, new),
            _ if self.is_on_lines(node) => self.block_records(slot, old, new),
            _ if old.iter().map(|record| record.id()).eq(new.iter().map(|record| record.id())) => {
                let mut items = node.items().iter().zip(old.iter().zip(new));
                items.try_for_each(|(item, (old, new))| self.record(&item.node, *old, *new))
            }
            _ => Err(self.refuse(node.start, "every `- ` on a line of its own")),
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
    pub(super) fn overwrite(&mut self, slot: &Slot<'_, 't>, new: &Datum<'_>) {
        let node = slot.node;
        let in_ms;
        let new = match new {
            Datum::Span(span) if slot.key.ends_with("_ms") => {
                in_ms = Datum::Bare(span.as_ms().to_string());
                &in_ms
            }
            _ => new,
        };
        self.remove_tag(slot, new);
        let Some(is_json) = slot.json else {
            return self.overwrite_lines(slot, new);
        };
        let text = emit::value(new, node.style(), Place::Flow { is_json }).head;
        if node.start == node.end {
            self.edits.insert(node.start, format!(" {text}"));
        } else {
            self.edits.replace(node.start..node.end, text);
        }
    }

    fn overwrite_lines(&mut self, slot: &Slot<'_, 't>, new: &Datum<'_>) {
        let (source, node) = (self.source, slot.node);
        let is_below = node.is_block() && source.leads_line(node.start) && source.line(node.start) > source.line(slot.spot);
        let is_block_scalar = node.style() == Some(Style::Block);
        let mut place = match new {
            Datum::Records(_) => {
                Place::Lines { parent: slot.parent, column: slot.parent + self.items_indent, blocks: !self.is_careful }
            }
            _ => Place::under(slot.parent, !self.is_careful),
        };
        // What goes: a part of the line, and perhaps lines below.
        let (mut head, mut body) = (node.start..node.end, None);
        if is_below {
            head = slot.spot..self.properties_end(slot.spot, source.line_end(slot.spot));
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
                    place = Place::Lines { parent: slot.parent, column, blocks: !self.is_careful };
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

    /// Takes a tag out that would make something else of `new`.
    fn remove_tag(&mut self, slot: &Slot<'_, 't>, new: &Datum<'_>) {
        let text = self.source.text;
        let is_text = matches!(new, Datum::Text(_) | Datum::Span(_));
        if slot.node.is_text && is_text || !slot.node.is_text && matches!(new, Datum::Bare(_)) {
            return;
        }
        let mut here = scan::skip_blank(text, slot.spot);
        while here < slot.node.start
            && let Some(end) = scan::skip_property(text, here)
        {
            if text[here..].starts_with('!') {
                let blank = text[end..].len() - text[end..].trim_start_matches(' ').len();
                self.edits.delete(here..(end + blank).min(slot.node.start));
            }
            here = scan::skip_blank(text, end);
        }
    }

    /// Behind the anchor and tag that follow `at` and begin before `limit`, if there are any.
    pub(super) fn properties_end(&self, at: usize, limit: usize) -> usize {
        let text = self.source.text;
        let mut end = at;
        loop {
            let here = scan::skip_blank(text, end);
            match scan::skip_property(text, here) {
                Some(next) if here < limit => end = next,
                _ => return end,
            }
        }
    }
}

/// The names and values of a mapping, and its keys where they are known.
fn pairs_of<'c, 'm>(datum: Option<&'c Datum<'m>>) -> (&'c [(Cow<'m, str>, Datum<'m>)], Option<&'static Keys>) {
    match datum {
        Some(Datum::Map { fields, keys }) => (fields, *keys),
        _ => (&[], None),
    }
}
