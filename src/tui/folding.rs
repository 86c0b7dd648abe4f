//! Folded groups: one node on the canvas and one row of the list for all members.

use std::collections::BTreeMap;

use super::{
    app::App,
    choice::Choice,
    command::Command,
    layers::menu::{Entry, Menu},
    scene::urgency,
    snapshot::Snapshot,
    toast::Tone,
};
use crate::{
    action::{Action, run},
    layout::{Face, Glyphs, Ink, Point, Zoom},
    model::{Id, Resolved, StepStatus},
};

/// A group that is one node.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fold {
    pub(super) id: Id,
    /// Its steps by their numbers.
    pub(super) members: Vec<usize>,
}

impl Fold {
    /// The status that matters most of its members.
    pub(super) fn status(&self, snapshot: &Snapshot) -> StepStatus {
        let statuses = self.members.iter().map(|&at| snapshot.status_of(at));
        statuses.max_by_key(|status| urgency(*status)).unwrap_or(StepStatus::Done)
    }

    /// What it is and how far: `p ×5 3/5`.
    pub(super) fn words(&self, snapshot: &Snapshot, glyphs: Glyphs) -> String {
        let sequence = &snapshot.project.sequence;
        let first = self.members.first().and_then(|&at| sequence.steps.get(at));
        let kind = first.map_or("p", |step| Resolved::new(sequence, step).kind().as_str());
        let done = self.members.iter().filter(|&&at| snapshot.status_of(at) == StepStatus::Done).count();
        glyphs.spell(&format!("{kind} ×{} {done}/{}", self.members.len(), self.members.len()))
    }

    /// How many members stand how, the most urgent first.
    pub(super) fn tally(&self, snapshot: &Snapshot, glyphs: Glyphs) -> String {
        let mut counts: BTreeMap<u8, (StepStatus, usize)> = BTreeMap::new();
        for &at in &self.members {
            let status = snapshot.status_of(at);
            counts.entry(u8::MAX - urgency(status)).or_insert((status, 0)).1 += 1;
        }
        let words = counts.into_values().map(|(status, count)| format!("{} {count}", glyphs.step_status(status)));
        words.collect::<Vec<_>>().join("  ")
    }

    /// What is written into its node.
    pub(super) fn face(&self, snapshot: &Snapshot, zoom: Zoom, glyphs: Glyphs) -> Face {
        let status = self.status(snapshot);
        let words = self.words(snapshot, glyphs);
        let (title, lines) = match zoom {
            Zoom::Overview | Zoom::Compact => (format!("{} {words}", self.id), Vec::new()),
            Zoom::Normal | Zoom::Detail => (self.id.to_string(), vec![words, self.tally(snapshot, glyphs)]),
        };
        Face { glyph: glyphs.step_status(status), ink: Ink::Step(status), title, lines }
    }
}

impl App {
    /// The folded group that is selected.
    pub(super) fn selected_fold(&self) -> Option<&Fold> {
        self.board.scene.as_ref()?.fold(self.board.selected_item(self.snapshot.as_deref()?)?)
    }

    /// Folds the group of the selection, or unfolds it.
    pub(super) fn turn_fold(&mut self) {
        if let Some(fold) = self.selected_fold() {
            let id = fold.id.clone();
            return self.unfold(&id);
        }
        let group = self.selected().and_then(|(snapshot, at)| snapshot.node(at).group.clone());
        match (group, self.selected_id()) {
            (Some(group), _) => self.fold(&group),
            (None, Some(id)) => self.say(Tone::Plain, format!("`{id}` is in no group"), None),
            (None, None) => {}
        }
    }

    /// Makes a group one node, if nothing lies between its members.
    pub(super) fn fold(&mut self, group: &Id) {
        if self.proposal.is_some() {
            let hint = "apply or discard the proposal first".to_owned();
            return self.say(Tone::Plain, "groups stay open while a change of the plan is shown", Some(hint));
        }
        self.board.folded.insert(group.clone());
        self.board.group = Some(group.clone());
        self.redraw_scene();
        let refused = self.board.scene.as_ref().and_then(|scene| scene.refused(group)).map(str::to_owned);
        if let Some(between) = refused {
            self.board.folded.remove(group);
            self.redraw_scene();
            let text = format!("`{group}` cannot be folded: `{between}` lies between its members");
            return self.say(Tone::Warning, text, Some("it waits for one of them, and another one waits for it".into()));
        }
        self.selection_changed();
    }

    /// Shows every member of a group again.
    pub(super) fn unfold(&mut self, group: &Id) {
        if self.board.folded.remove(group) {
            self.redraw_scene();
            self.selection_changed();
        }
    }

    /// The group whose frame has its name at a cell of the drawing.
    pub(super) fn frame_at(&self, point: Point) -> Option<Id> {
        let plane = self.board.plane.as_ref()?;
        let is_on_name = |area: crate::layout::Area, name: &str| {
            let width = i32::try_from(crate::layout::width(name)).unwrap_or(i32::MAX).saturating_add(2);
            point.y == area.y && (area.x + 2..area.x + 2 + width.min(area.width - 3)).contains(&point.x)
        };
        let frame = plane.frames.iter().find(|frame| is_on_name(frame.area, &frame.name))?;
        frame.name.parse().ok()
    }

    /// Runs every member of a folded group.
    pub(super) fn run_fold(&mut self, id: Id) {
        self.ask(Action::RunGroup(run::Group { id, options: run::Options::default() }), false);
    }

    /// What can be done with a folded group under the pointer.
    pub(super) fn open_fold_menu(&mut self, place: ratatui::layout::Position) {
        let Some(fold) = self.selected_fold() else { return };
        let title = fold.id.to_string();
        let entries = vec![
            Entry::new('z', "unfold it", Choice::Command(Command::Fold)),
            Entry::new('r', "run its steps", Choice::Command(Command::Run)),
        ];
        self.open(Menu::new(title, entries, Some(place)));
    }
}
