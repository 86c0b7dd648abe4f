//! Where the statuses of a text stand, so that an outcome costs a splice and not a parse.

use std::path::{Path, PathBuf};

use super::{
    decode::{parse, root},
    emit::{self, Place},
    keys::{self, Keys},
    mapping::{home, is_json},
    patch::patch,
    source::{Kind, Source},
    tree::{Entry, Form, Node, Style, Value},
};
use crate::{
    error::Error,
    model::{GateStatus, Sequence, StepStatus},
};

/// Where the statuses of a text stand. Nodes are numbered as in [`crate::model::Graph`]: first the steps in the plan's
/// order, then the gates.
#[derive(Clone, Debug, PartialEq)]
pub struct Statuses {
    path: PathBuf,
    slots: Vec<Slot>,
    steps: usize,
    /// How long the text is that the slots belong to.
    length: usize,
    newline: &'static str,
}

/// The status of one step or gate.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Slot {
    /// Where the word begins, with its quotes.
    at: usize,
    /// The line before which the key is put where it is absent.
    home: usize,
    column: u32,
    /// How long the word is with its quotes.
    length: u16,
    state: State,
    /// Whether a line put at home can be taken out again as it is.
    is_soft: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// `json`: for one in braces, whether they are JSON. `is_line`: whether it can be removed by its line.
    Written { style: Style, json: Option<bool>, is_line: bool },
    /// It can be put at home.
    Absent,
    /// It takes a full patch to change it.
    Odd,
}

/// A change of some bytes: where, how many go, and what comes.
struct Splice {
    from: usize,
    to: usize,
    with: String,
}

impl Statuses {
    /// Looks for the statuses in `text`. `path` is for messages.
    ///
    /// # Errors
    /// Those of [`parse`] for a text that is no YAML.
    pub fn find(text: &str, path: &Path) -> Result<Self, Error> {
        let source = Source::new(text, path)?;
        let root = root(&source)?;
        let items = |key: &str| root.get(key).map(Node::items).unwrap_or_default();
        let mut found = Self::new(&source);
        for item in items("steps") {
            found.add_step(&source, &item.node);
        }
        for item in items("gates") {
            found.add_gate(&source, &item.node);
        }
        Ok(found)
    }

    /// None of the statuses of a text.
    pub(super) fn new(source: &Source<'_>) -> Self {
        let length = source.mark.len() + source.text.len();
        Self { path: source.path.into(), slots: Vec::new(), steps: 0, length, newline: source.newline }
    }

    /// Adds the next step; all of them come before the gates.
    pub(super) fn add_step(&mut self, source: &Source<'_>, node: &Node<'_>) {
        self.slots.push(slot(source, node, &keys::STEP));
        self.steps = self.slots.len();
    }

    /// Adds the next gate.
    pub(super) fn add_gate(&mut self, source: &Source<'_>, node: &Node<'_>) {
        self.slots.push(slot(source, node, &keys::GATE));
    }

    /// Sets the statuses of the numbered nodes, or takes them out. `text` is the text they were found in, with the changes
    /// since. The last change of a node counts.
    ///
    /// # Errors
    /// `Internal` for a number or a word that is none, or another text; those of [`patch()`] where a status cannot be spliced.
    pub fn set(&mut self, text: &mut String, changes: &[(usize, Option<&'static str>)]) -> Result<(), Error> {
        if text.len() != self.length {
            return Err(Error::internal("these statuses belong to another text"));
        }
        let mut wanted: Vec<_> = changes.iter().rev().copied().collect();
        wanted.sort_by_key(|(node, _)| *node);
        wanted.dedup_by_key(|(node, _)| *node);
        self.check(&wanted)?;
        if wanted.iter().all(|(node, word)| self.slots[*node].is_simple(*word)) {
            self.splice(text, &wanted);
        } else {
            self.rewrite(text, &wanted)?;
        }
        debug_assert_eq!(Self::find(text, &self.path).as_ref().ok(), Some(&*self), "the places must be those of the text");
        Ok(())
    }

    fn check(&self, wanted: &[(usize, Option<&'static str>)]) -> Result<(), Error> {
        for (node, word) in wanted {
            let is_step = *node < self.steps;
            let is_word =
                |word: &str| if is_step { StepStatus::parse(word).is_some() } else { GateStatus::parse(word).is_some() };
            if *node >= self.slots.len() || word.is_some_and(|word| !is_word(word)) {
                return Err(Error::internal(format!("node {node} cannot have the status {word:?}")));
            }
        }
        Ok(())
    }

    fn splice(&mut self, text: &mut String, wanted: &[(usize, Option<&'static str>)]) {
        let mut splices: Vec<(usize, Splice)> = Vec::with_capacity(wanted.len());
        for (node, word) in wanted {
            if let Some(splice) = self.slots[*node].splice(text, *word, self.newline) {
                splices.push((*node, splice));
            }
        }
        splices.sort_by_key(|(_, splice)| splice.from);
        let mut new = String::with_capacity(text.len() + splices.iter().map(|(_, splice)| splice.with.len()).sum::<usize>());
        let mut here = 0;
        // Where every splice ends in the new text.
        let mut ends = Vec::with_capacity(splices.len());
        for (_, splice) in &splices {
            new.push_str(&text[here..splice.from]);
            new.push_str(&splice.with);
            here = splice.to;
            ends.push(new.len());
        }
        new.push_str(&text[here..]);
        let moved = |place: usize| {
            let is_before = |splice: &Splice| splice.to < place || splice.from < splice.to && splice.to == place;
            let before = splices.partition_point(|(_, splice)| is_before(splice));
            before.checked_sub(1).map_or(place, |last| place - splices[last].1.to + ends[last])
        };
        for slot in &mut self.slots {
            (slot.at, slot.home) = (moved(slot.at), moved(slot.home));
        }
        for ((node, splice), end) in splices.iter().zip(ends) {
            self.slots[*node].settle(splice, end - splice.with.len(), self.newline);
        }
        *text = new;
        self.length = text.len();
    }

    fn rewrite(&mut self, text: &mut String, wanted: &[(usize, Option<&'static str>)]) -> Result<(), Error> {
        let before = parse(text.as_bytes(), &self.path)?.sequence;
        let mut after = before.clone();
        for (node, word) in wanted {
            set_status(&mut after, *node, *word)?;
        }
        let next = patch(text, &before, &after, &self.path)?;
        *self = Self::find(&next, &self.path)?;
        *text = next;
        Ok(())
    }
}

fn set_status(plan: &mut Sequence, node: usize, word: Option<&str>) -> Result<(), Error> {
    let steps = plan.steps.len();
    if let Some(step) = plan.steps.get_mut(node) {
        step.status = word.and_then(StepStatus::parse);
        Ok(())
    } else if let Some(gate) = plan.gates.get_mut(node - steps) {
        gate.status = word.and_then(GateStatus::parse);
        Ok(())
    } else {
        Err(Error::internal(format!("there is no node {node}")))
    }
}

impl Slot {
    const fn is_simple(&self, word: Option<&str>) -> bool {
        match self.state {
            State::Written { is_line, .. } => is_line || word.is_some(),
            State::Absent => true,
            State::Odd => false,
        }
    }

    /// What it takes to make the status `word`, if it is not.
    fn splice(&self, text: &str, word: Option<&str>, newline: &str) -> Option<Splice> {
        match (self.state, word) {
            (State::Written { style, json, .. }, Some(word)) => {
                let (from, to) = (self.at, self.at + usize::from(self.length));
                let place = json.map_or(Place::under(0, false), |is_json| Place::Flow { is_json });
                let with = emit::scalar(word, Some(style), place).head;
                let is_same = text[from..to].trim_matches(['"', '\'']) == word;
                (!is_same).then_some(Splice { from, to, with })
            }
            (State::Written { .. }, None) => {
                let from = text[..self.at].rfind(['\n', '\r']).map_or(0, |at| at + 1);
                let end = text[self.at..].find(['\n', '\r']).map_or(text.len(), |at| self.at + at);
                let breaks = if text[end..].starts_with("\r\n") { 2 } else { 1 };
                Some(Splice { from, to: (end + breaks).min(text.len()), with: String::new() })
            }
            (State::Absent, Some(word)) => {
                let is_cut = self.home == text.len() && !text.ends_with(['\n', '\r']);
                let lead = if is_cut { newline } else { "" };
                let indent = " ".repeat(self.column as usize);
                Some(Splice { from: self.home, to: self.home, with: format!("{lead}{indent}status: {word}{newline}") })
            }
            (State::Absent, None) | (State::Odd, _) => None,
        }
    }

    /// Takes note of a splice of its own whose text now begins at `start`.
    fn settle(&mut self, splice: &Splice, start: usize, newline: &str) {
        match self.state {
            State::Written { .. } if splice.with.is_empty() => {
                (self.at, self.length, self.state) = (self.home, 0, State::Absent);
            }
            State::Written { .. } => {
                self.at = start;
                self.length = u16::try_from(splice.with.len()).unwrap_or(u16::MAX);
            }
            State::Absent => {
                let word = splice.with.trim_end();
                let at = word.rfind(' ').map_or(0, |at| at + 1);
                self.at = start + at;
                self.length = u16::try_from(word.len() - at).unwrap_or(u16::MAX);
                if splice.with.starts_with(newline) {
                    self.home += newline.len();
                }
                self.state = State::Written { style: Style::Plain, json: None, is_line: self.is_soft };
            }
            State::Odd => {}
        }
    }
}

fn slot(source: &Source<'_>, node: &Node<'_>, keys: &Keys) -> Slot {
    let odd = Slot { at: 0, home: 0, column: 0, length: 0, state: State::Odd, is_soft: false };
    let entries = node.entries();
    let form = match node.value {
        Value::Map { form, .. } if form != Form::Pair => form,
        _ => return odd,
    };
    let found = entries.iter().position(|entry| entry.name() == "status");
    let written = match found.map(|at| &entries[at]) {
        Some(entry) => match word_style(source, entry) {
            Some(style) => Some((entry, style)),
            None => return odd,
        },
        None => None,
    };
    let base = source.mark.len();
    if form == Form::Flow {
        let Some((entry, style)) = written else { return odd };
        let (at, length) = (base + entry.value.start, entry.value.end - entry.value.start);
        let state = State::Written { style, json: Some(is_json(node)), is_line: false };
        return u16::try_from(length).map_or(odd, |length| Slot { at, length, state, ..odd });
    }
    let column = entries.first().map_or(0, |entry| source.column(entry.start));
    let gone: Vec<_> = found.into_iter().collect();
    let home = home(source, entries, Some(keys), "status", &gone);
    let is_soft = !entries.iter().any(|entry| source.past_entry(entry, column) == home && source.takes_blanks(&entry.value));
    let slot = Slot { home: base + home, column: u32::try_from(column).unwrap_or(u32::MAX), is_soft, ..odd };
    match written {
        None => Slot { at: base + home, state: State::Absent, ..slot },
        Some((entry, style)) => {
            let (at, length) = (base + entry.value.start, entry.value.end - entry.value.start);
            let before = found.and_then(|at| at.checked_sub(1)).map(|at| &entries[at]);
            let state = State::Written { style, json: None, is_line: is_line(source, entry, before, column) };
            u16::try_from(length).map_or(odd, |length| Slot { at, length, state, ..slot })
        }
    }
}

/// How a status is written that another word can simply replace.
fn word_style(source: &Source<'_>, entry: &Entry<'_>) -> Option<Style> {
    let node = &entry.value;
    let style = node.style().filter(|style| *style != Style::Block && !node.is_null())?;
    let has_tag = !node.is_text && source.text[entry.colon?..node.start].contains('!');
    let is_one_word = source.text[node.start..node.end].trim_matches(['"', '\'']) == node.text()?;
    (is_one_word && !has_tag).then_some(style)
}

/// Whether taking out the line of `entry` is all it takes to remove it.
fn is_line(source: &Source<'_>, entry: &Entry<'_>, before: Option<&Entry<'_>>, column: usize) -> bool {
    let start = source.line_start(entry.start);
    let below = source.blanks_below(source.next_line(entry.end()));
    let has_comment_below = below < source.text.len() && matches!(source.kind(below), Kind::Comment(found) if found > column);
    source.leads_line(entry.start)
        && source.line(entry.start) == source.line(entry.end())
        && !before.is_none_or(|before| source.takes_blanks(&before.value) || has_comment_below && before.value.is_block())
        && source.kind(source.previous_line(start)) != Kind::Blank
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_small() {
        assert!(size_of::<Slot>() <= 32);
    }
}
