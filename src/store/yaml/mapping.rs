//! Changing the entries of a mapping.

use std::borrow::Cow;

use super::{
    emit,
    keys::{Keys, SEQUENCE},
    patch::Patch,
    shape::{Datum, Field},
    source::Source,
    tree::{Entry, Form, Node, Style, Value},
    value::Slot,
};
use crate::error::Error;

/// A key whose value is not what it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change<'c, 'm> {
    pub(super) key: &'c str,
    pub(super) old: Option<&'c Datum<'m>>,
    pub(super) new: Option<&'c Datum<'m>>,
}

/// The keys of the canonical order that differ.
pub(super) fn changes<'c, 'm>(old: &'c [Field<'m>], new: &'c [Field<'m>]) -> Vec<Change<'c, 'm>> {
    let pairs = old.iter().zip(new).filter(|((_, old), (_, new))| old != new);
    pairs.map(|((key, old), (_, new))| Change { key, old: old.as_ref(), new: new.as_ref() }).collect()
}

/// The names that differ.
pub(super) fn name_changes<'c, 'm>(
    old: &'c [(Cow<'m, str>, Datum<'m>)],
    new: &'c [(Cow<'m, str>, Datum<'m>)],
) -> Vec<Change<'c, 'm>> {
    let find = |fields: &'c [(Cow<'m, str>, Datum<'m>)], name: &str| {
        fields.iter().find(|(other, _)| other == name).map(|(_, datum)| datum)
    };
    let lost = old.iter().filter(|(name, _)| find(new, name).is_none());
    let lost = lost.map(|(name, datum)| Change { key: name, old: Some(datum), new: None });
    let kept = new.iter().map(|(name, datum)| Change { key: name, old: find(old, name), new: Some(datum) });
    lost.chain(kept.filter(|change| change.old != change.new)).collect()
}

/// What is to be done to a mapping.
#[derive(Debug, Default)]
struct Tasks<'c, 'm> {
    set: Vec<(usize, Change<'c, 'm>)>,
    gone: Vec<usize>,
    add: Vec<(&'c str, &'c Datum<'m>)>,
}

impl<'c, 'm> Tasks<'c, 'm> {
    fn new(entries: &[Entry<'_>], keys: Option<&Keys>, changes: &[Change<'c, 'm>]) -> Self {
        let mut tasks = Self::default();
        for change in changes {
            match (find(entries, keys, change.key), change.new) {
                (Some(at), Some(_)) => tasks.set.push((at, *change)),
                // The user's own keys in it stay.
                (Some(at), None) if has_strangers(&entries[at].value, change.old) => tasks.set.push((at, *change)),
                (Some(at), None) => tasks.gone.push(at),
                (None, Some(datum)) => tasks.add.push((change.key, datum)),
                (None, None) => {}
            }
        }
        tasks.gone.sort_unstable();
        tasks
    }
}

/// The entry of a key under any of its names, rather one with a value.
fn find(entries: &[Entry<'_>], keys: Option<&Keys>, key: &str) -> Option<usize> {
    let is_it = |entry: &Entry<'_>| match keys {
        Some(keys) => keys.place(entry.name()).is_some_and(|place| keys.list[place].name == key),
        None => entry.key.text() == Some(key),
    };
    let found = |is_null: bool| entries.iter().position(|entry| entry.value.is_null() == is_null && is_it(entry));
    found(false).or_else(|| found(true))
}

fn has_strangers(node: &Node<'_>, datum: Option<&Datum<'_>>) -> bool {
    match datum {
        Some(Datum::Map { keys: Some(keys), .. }) => node.entries().iter().any(|entry| keys.place(entry.name()).is_none()),
        _ => false,
    }
}

/// The line before which a new key is put into a mapping on lines.
pub(super) fn home(source: &Source<'_>, entries: &[Entry<'_>], keys: Option<&Keys>, key: &str, gone: &[usize]) -> usize {
    let place = |key: &str| keys.and_then(|keys| keys.place(key));
    let column = entries.first().map_or(0, |entry| source.column(entry.start));
    let kept = || entries.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, entry)| entry);
    let placed = || kept().filter_map(|entry| Some((place(entry.name())?, entry)));
    let wanted = place(key);
    let before = placed().filter(|(at, _)| Some(*at) < wanted).max_by_key(|(at, _)| *at);
    let after = placed().filter(|(at, _)| wanted.is_some() && Some(*at) > wanted).min_by_key(|(at, _)| *at);
    match (before, after, entries.last()) {
        (Some((_, entry)), ..) => source.past_entry(entry, column),
        (None, Some((_, entry)), _) if source.leads_line(entry.start) => source.line_start(entry.start),
        (None, _, Some(last)) => source.past_entry(last, column),
        (None, _, None) => source.text.len(),
    }
}

impl<'t> Patch<'_, 't> {
    /// Makes changes to the entries of a mapping.
    pub(super) fn mapping(
        &mut self,
        node: &Node<'t>,
        keys: Option<&'static Keys>,
        changes: &[Change<'_, '_>],
    ) -> Result<(), Error> {
        let tasks = Tasks::new(node.entries(), keys, changes);
        match node.value {
            Value::Map { form: Form::Block, .. } => self.block_mapping(node.entries(), keys, &tasks),
            Value::Map { form: Form::Flow, .. } => self.flow_mapping(node, keys, &tasks),
            _ => Err(self.refuse(node.start, "`{key: value}` with its braces")),
        }
    }

    fn block_mapping(&mut self, entries: &[Entry<'t>], keys: Option<&'static Keys>, tasks: &Tasks<'_, '_>) -> Result<(), Error> {
        let source = self.source;
        let column = entries.first().map_or(0, |entry| source.column(entry.start));
        for (at, change) in &tasks.set {
            let entry = &entries[*at];
            let colon = entry.colon.ok_or_else(|| self.refuse(entry.start, "`key: value`"))?;
            let slot = Slot { key: entry.name(), spot: colon + 1, node: &entry.value, parent: column, json: None };
            self.set(&slot, change.old, change.new)?;
        }
        for &at in &tasks.gone {
            self.remove_entry(entries, at, column, &tasks.gone);
        }
        if tasks.gone.len() == entries.len() && tasks.add.is_empty() && keys == Some(&SEQUENCE) {
            // Nothing but comments is no sequence.
            self.insert_lines(source.line_start(entries[0].start), &emit::entry("version", &Datum::Text("1.0"), 0, true));
        }
        let is_spaced = !self.is_careful && keys == Some(&SEQUENCE) && is_spaced(source, entries);
        for (key, datum) in &tasks.add {
            let at = home(source, entries, keys, key, &tasks.gone);
            let mut lines = self.lines_of(key, datum, column);
            if is_spaced && matches!(datum, Datum::Map { .. } | Datum::Records(_)) {
                lines.insert(0, '\n');
            }
            self.insert_lines(at, &lines);
        }
        Ok(())
    }

    fn lines_of(&self, key: &str, datum: &Datum<'_>, column: usize) -> String {
        match datum {
            Datum::Records(records) => {
                let place = emit::Place::Lines { parent: column, column: column + self.items_indent, blocks: !self.is_careful };
                debug_assert!(!records.is_empty(), "what is empty is no change to nothing");
                format!("{:column$}{key}:\n{}", "", emit::value(datum, None, place).body)
            }
            _ => emit::entry(key, datum, column, !self.is_careful),
        }
    }

    fn remove_entry(&mut self, entries: &[Entry<'t>], at: usize, column: usize, gone: &[usize]) {
        let source = self.source;
        let entry = &entries[at];
        let end = source.past_entry(entry, column);
        if !source.leads_line(entry.start) {
            return self.remove_from_shared_line(entries, at, column, gone);
        }
        let start = source.line_start(entry.start);
        let before = at.checked_sub(1).map(|before| &entries[before]);
        let floor = before.map_or(start, |before| source.past_entry(before, column));
        let is_blank_below = end == source.text.len() || source.blanks_below(end) > end;
        let top = if is_blank_below { source.blanks_above(start, floor.min(start)) } else { start };
        let bottom = if self.is_careful { source.blanks_below(end) } else { end };
        self.edits.delete(top..bottom);
    }

    /// Removes an entry that stands behind a `-` on its line.
    fn remove_from_shared_line(&mut self, entries: &[Entry<'t>], at: usize, column: usize, gone: &[usize]) {
        let source = self.source;
        let start = entries[at].start;
        let mut end = source.past_entry(&entries[at], column);
        let mut next = at + 1;
        while gone.contains(&next) && source.line_start(entries[next].start) == end {
            end = source.past_entry(&entries[next], column);
            next += 1;
        }
        match entries.get(next) {
            Some(entry) if !gone.contains(&next) && source.line_start(entry.start) == end => {
                self.edits.delete(start..entry.start);
            }
            // Comments below it stay, so the `-` keeps a line of its own.
            _ => {
                let from = source.text[..start].trim_end_matches([' ', '\t']).len();
                let last = source.previous_line(source.past_entry(&entries[at], column));
                self.edits.delete(from..source.line_end(last.max(from)));
            }
        }
    }

    fn flow_mapping(&mut self, node: &Node<'t>, keys: Option<&'static Keys>, tasks: &Tasks<'_, '_>) -> Result<(), Error> {
        let entries = node.entries();
        let is_json = is_json(node);
        let place = |key: &str| keys.and_then(|keys| keys.place(key));
        let mut parts = Vec::with_capacity(entries.len() + tasks.add.len());
        for (at, entry) in entries.iter().enumerate() {
            if tasks.gone.contains(&at) {
                continue;
            }
            let span = entry.start..entry.end();
            let text = match tasks.set.iter().find(|(set, _)| *set == at) {
                None => self.source.text[span].to_owned(),
                Some((_, change)) => {
                    let spot = entry.colon.map_or(entry.key.end, |colon| colon + 1);
                    let place = Slot { key: entry.name(), spot, node: &entry.value, parent: 0, json: Some(is_json) };
                    self.piece(span, |patch| {
                        if entry.colon.is_none() {
                            patch.edits.insert(spot, ":");
                        }
                        patch.set(&place, change.old, change.new)
                    })?
                }
            };
            parts.push((Some(at), place(entry.name()), text));
        }
        for (key, datum) in &tasks.add {
            let wanted = place(key);
            let is_before = |at: &Option<usize>| at.is_some() && *at < wanted;
            let before = parts.iter().enumerate().filter(|(_, (_, at, _))| is_before(at)).max_by_key(|(_, (_, at, _))| *at);
            let after = || parts.iter().position(|(_, at, _)| wanted.is_some() && *at > wanted);
            let at = before.map(|(at, _)| at + 1).or_else(after).unwrap_or(parts.len());
            parts.insert(at, (None, wanted, emit::pair(key, datum, is_json)));
        }
        let old: Vec<_> = entries.iter().map(|entry| entry.start..entry.end()).collect();
        let parts: Vec<_> = parts.into_iter().map(|(at, _, text)| (at, text)).collect();
        self.flow(node, &old, &parts);
        Ok(())
    }
}

/// Whether blank lines part the entries of the top level.
fn is_spaced(source: &Source<'_>, entries: &[Entry<'_>]) -> bool {
    entries.windows(2).any(|pair| {
        let mut here = source.past_entry(&pair[0], 0);
        while here < pair[1].start && source.blanks_below(here) == here {
            here = source.next_line(here);
        }
        here < pair[1].start
    })
}

/// Whether braces or brackets are written as JSON has them.
pub(super) fn is_json(node: &Node<'_>) -> bool {
    match &node.value {
        Value::Map { entries, .. } => entries.first().is_some_and(|entry| entry.key.style() == Some(Style::Double)),
        Value::List { items, .. } => items.first().is_some_and(|item| is_json(&item.node)),
        Value::Scalar { .. } => false,
    }
}
