//! Changing the elements of a list.

use std::collections::HashMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{
    emit::{self, Place},
    mapping::is_json,
    patch::Patch,
    shape::{Datum, Record},
    source::Source,
    tree::{Item, Node},
    value::Slot,
};
use crate::error::Error;

/// Where an element of the new list comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Origin {
    /// It stays where it is.
    Kept(usize),
    /// It comes from elsewhere in the list.
    Moved(usize),
    Fresh,
}

impl Origin {
    const fn old(self) -> Option<usize> {
        match self {
            Self::Kept(at) | Self::Moved(at) => Some(at),
            Self::Fresh => None,
        }
    }
}

/// Where every element of the new list comes from. `may_become` tells whether an old element that goes may be changed
/// into a new one at the same place.
fn origins(old: &[&str], new: &[&str], may_become: impl Fn(usize, usize) -> bool) -> Vec<Origin> {
    let mut origins = vec![Origin::Fresh; new.len()];
    let mut is_free = vec![true; old.len()];
    let ops = capture_diff_slices(Algorithm::Myers, old, new);
    for op in &ops {
        if let DiffOp::Equal { old_index, new_index, len } = *op {
            for at in 0..len {
                origins[new_index + at] = Origin::Kept(old_index + at);
                is_free[old_index + at] = false;
            }
        }
    }
    let mut free: HashMap<&str, Vec<usize>> = HashMap::new();
    (0..old.len()).rev().filter(|&at| is_free[at]).for_each(|at| free.entry(old[at]).or_default().push(at));
    for (at, origin) in origins.iter_mut().enumerate().filter(|(_, origin)| **origin == Origin::Fresh) {
        if let Some(from) = free.get_mut(new[at]).and_then(Vec::pop) {
            *origin = Origin::Moved(from);
            is_free[from] = false;
        }
    }
    for op in &ops {
        if let DiffOp::Replace { old_index, old_len, new_index, new_len } = *op {
            for (from, to) in (old_index..old_index + old_len).zip(new_index..new_index + new_len) {
                if is_free[from] && origins[to] == Origin::Fresh && may_become(from, to) {
                    origins[to] = Origin::Kept(from);
                }
            }
        }
    }
    origins
}

/// The lines of an item: with its comments, from its first to behind its last.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    start: usize,
    end: usize,
}

/// The lines of all items of a list on lines.
struct Chunks {
    column: usize,
    /// The line below the key.
    floor: usize,
    all: Vec<Chunk>,
}

impl Chunks {
    fn new(source: &Source<'_>, items: &[Item<'_>], spot: usize) -> Self {
        let column = items.first().map_or(0, |item| source.column(item.start));
        let mut chunks = Self { column, floor: source.next_line(spot), all: Vec::with_capacity(items.len()) };
        for item in items {
            let start = source.comments_above(source.line_start(item.start), column, chunks.last_end());
            let end = source.past(item.node.end.max(item.start), Some(column));
            chunks.all.push(Chunk { start, end });
        }
        chunks
    }

    fn last_end(&self) -> usize {
        self.all.last().map_or(self.floor, |chunk| chunk.end)
    }

    /// Where the lines between the item before and this one begin.
    fn gap(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(self.floor, |before| self.all[before].end)
    }

    /// Whether blank lines part the items; nothing for less than two items.
    fn is_spaced(&self, source: &Source<'_>) -> Option<bool> {
        let gaps = self.all.len().checked_sub(1).filter(|gaps| *gaps > 0)?;
        let is_blank = |at: &usize| {
            let (mut here, end) = (self.gap(*at), self.all[*at].start);
            while here < end && source.blanks_below(here) == here {
                here = source.next_line(here);
            }
            here < end
        };
        Some((1..=gaps).filter(is_blank).count() * 2 > gaps)
    }
}

impl<'t> Patch<'_, 't> {
    /// Makes a list on lines say `new`.
    pub(super) fn block_texts(&mut self, slot: &Slot<'_, 't>, new: &[&str]) -> Result<(), Error> {
        let items = slot.node.items();
        let old: Vec<_> = items.iter().map(|item| item.node.text().unwrap_or_default()).collect();
        let origins = origins(&old, new, |_, _| true);
        let chunks = Chunks::new(self.source, items, slot.spot);
        let column = chunks.column;
        let change = |patch: &mut Self, from: usize, to: usize| {
            if old[from] != new[to] {
                let item = &items[from];
                let place = Slot { key: "", spot: item.start + 1, node: &item.node, parent: column, json: None };
                patch.overwrite(&place, &Datum::Text(new[to]));
            }
            Ok(())
        };
        let place = Place::under(column, !self.is_careful);
        let fresh = |to: usize| emit::element(&emit::scalar(new[to], None, place), column);
        let is_spaced = chunks.is_spaced(self.source).unwrap_or(false);
        self.block_list(&chunks, &origins, is_spaced, change, fresh)
    }

    /// Makes a list on lines have the steps or gates `new`.
    pub(super) fn block_records(&mut self, slot: &Slot<'_, 't>, old: &[Record<'_>], new: &[Record<'_>]) -> Result<(), Error> {
        let source = self.source;
        let items = slot.node.items();
        let chunks = Chunks::new(source, items, slot.spot);
        let column = chunks.column;
        if new.is_empty() {
            self.edits.insert(self.properties_end(slot.spot, slot.node.start), " []");
        }
        let is_long = |chunk: &Chunk| source.next_line(chunk.start) < chunk.end;
        let is_spaced = chunks.is_spaced(source).unwrap_or_else(|| chunks.all.first().is_some_and(is_long));
        let change = |patch: &mut Self, from: usize, to: usize| patch.record(&items[from].node, old[from], new[to]);
        let blocks = !self.is_careful;
        let fresh = |to: usize| emit::item(new[to], column, blocks);
        self.block_list(&chunks, &record_origins(old, new), is_spaced, change, fresh)
    }

    fn block_list(
        &mut self,
        chunks: &Chunks,
        origins: &[Origin],
        is_spaced: bool,
        change: impl Fn(&mut Self, usize, usize) -> Result<(), Error>,
        fresh: impl Fn(usize) -> String,
    ) -> Result<(), Error> {
        let source = self.source;
        let has_kept = origins.iter().any(|origin| matches!(origin, Origin::Kept(_)));
        let mut kept: Option<usize> = None;
        for (to, origin) in origins.iter().enumerate() {
            if let Origin::Kept(from) = *origin {
                change(self, from, to)?;
                kept = Some(from);
                continue;
            }
            let at =
                kept.map_or_else(|| chunks.all.first().map_or(chunks.floor, |first| first.start), |kept| chunks.all[kept].end);
            let mut lines = match origin.old() {
                None => source.fit(&fresh(to)),
                Some(from) => {
                    let chunk = chunks.all[from];
                    let mut lines = self.piece(chunk.start..chunk.end, |patch| change(patch, from, to))?;
                    if !lines.ends_with(['\n', '\r']) {
                        lines.push_str(source.newline);
                    }
                    lines
                }
            };
            let goes_first = kept.is_none() && has_kept;
            if self.is_careful {
                self.edits.delete(at..source.blanks_below(at));
            } else if is_spaced && goes_first {
                lines.push_str(source.newline);
            } else if is_spaced && to > 0 {
                lines.insert_str(0, source.newline);
            }
            self.insert_as_is(at, lines);
        }
        self.remove_chunks(chunks, origins);
        Ok(())
    }

    fn remove_chunks(&mut self, chunks: &Chunks, origins: &[Origin]) {
        let source = self.source;
        let mut is_kept = vec![false; chunks.all.len()];
        for origin in origins {
            if let Origin::Kept(at) = origin {
                is_kept[*at] = true;
            }
        }
        for (at, chunk) in chunks.all.iter().enumerate().filter(|(at, _)| !is_kept[*at]) {
            let top = source.blanks_above(chunk.start, chunks.gap(at));
            let is_first_of_more = at == 0 && chunks.all.len() > 1 && top == chunk.start;
            let below = source.blanks_below(chunk.end);
            self.edits.delete(top..if is_first_of_more || self.is_careful { below } else { chunk.end });
        }
    }

    /// Makes a list in brackets say `new`.
    pub(super) fn flow_texts(&mut self, slot: &Slot<'_, 't>, new: &[&str]) -> Result<(), Error> {
        let items = slot.node.items();
        let json = slot.json.unwrap_or(false);
        let old: Vec<_> = items.iter().map(|item| item.node.text().unwrap_or_default()).collect();
        let origins = origins(&old, new, |_, _| true);
        let mut parts = Vec::with_capacity(new.len());
        for (to, origin) in origins.iter().enumerate() {
            let text = match origin.old() {
                None => emit::scalar(new[to], None, Place::Flow { is_json: json }).head,
                Some(from) => {
                    let item = &items[from];
                    let place = Slot { key: "", spot: item.start, node: &item.node, parent: 0, json: Some(json) };
                    self.piece(item.start..item.node.end, |patch| {
                        if old[from] != new[to] {
                            patch.overwrite(&place, &Datum::Text(new[to]));
                        }
                        Ok(())
                    })?
                }
            };
            parts.push((origin.old(), text));
        }
        self.flow(slot.node, &spans(slot.node), &parts);
        Ok(())
    }

    /// Makes a list in brackets have the steps or gates `new`.
    pub(super) fn flow_records(&mut self, slot: &Slot<'_, 't>, old: &[Record<'_>], new: &[Record<'_>]) -> Result<(), Error> {
        let items = slot.node.items();
        let json = slot.json.unwrap_or(false) || is_json(slot.node);
        let mut parts = Vec::with_capacity(new.len());
        for (origin, new) in record_origins(old, new).into_iter().zip(new) {
            let text = match origin.old() {
                None => emit::braces(*new, json),
                Some(from) => {
                    let item = &items[from];
                    self.piece(item.start..item.node.end, |patch| patch.record(&item.node, old[from], *new))?
                }
            };
            parts.push((origin.old(), text));
        }
        self.flow(slot.node, &spans(slot.node), &parts);
        Ok(())
    }
}

fn record_origins(old: &[Record<'_>], new: &[Record<'_>]) -> Vec<Origin> {
    let old_ids: Vec<_> = old.iter().map(|record| record.id()).collect();
    let new_ids: Vec<_> = new.iter().map(|record| record.id()).collect();
    origins(&old_ids, &new_ids, |from, to| old[from].is_renamed(new[to]))
}

fn spans(node: &Node<'_>) -> Vec<std::ops::Range<usize>> {
    node.items().iter().map(|item| item.start..item.node.end).collect()
}
