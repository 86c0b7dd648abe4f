//! The sequence on the screen: what is selected, where the window is, and moving about.

use std::collections::{BTreeSet, HashSet};

use super::{
    app::App,
    panels::View,
    proposal::Proposal,
    scene::{Scene, Trace},
    snapshot::Snapshot,
    toast::Tone,
};
use crate::{
    layout::{Area, Plane, Point, Tie, Zoom},
    model::Id,
};

/// What is shown of the sequence.
#[derive(Default)]
pub(super) struct Board {
    /// The selected step or gate.
    pub(super) selected: Option<Id>,
    /// The folded group that is selected instead.
    pub(super) group: Option<Id>,
    /// The groups that are folded where they can be.
    pub(super) folded: BTreeSet<Id>,
    pub(super) zoom: Zoom,
    /// The cell of the drawing at the window's upper left.
    pub(super) origin: Point,
    /// The first row that the list shows.
    pub(super) first_row: usize,
    /// What stands on the canvas.
    pub(super) scene: Option<Scene>,
    /// The drawing at this zoom.
    pub(super) plane: Option<Plane>,
    /// The nodes in the order of the list.
    pub(super) order: Vec<usize>,
    /// The ways of the edges that lead to the selection or away from it.
    pub(super) lit: Vec<Vec<Point>>,
    /// The edges that a proposal changes.
    pub(super) traces: Vec<Trace>,
    /// Which nodes a search does not find.
    hidden: Vec<bool>,
    /// What a search looks for.
    pub(super) search: Option<String>,
}

/// A way to go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    Left,
    Right,
    Up,
    Down,
}

impl Board {
    /// Takes over another state of the project.
    pub(super) fn take(&mut self, snapshot: &Snapshot, is_new_plan: bool, proposal: Option<&Proposal>) {
        let before = self.selected_item(snapshot);
        if is_new_plan || self.plane.is_none() {
            self.set_scene(snapshot, proposal);
        }
        self.sort(snapshot);
        self.keep_selection(snapshot);
        if is_new_plan || self.selected_item(snapshot) != before {
            self.light(snapshot);
        }
    }

    /// What is selected, as far as it still exists.
    pub(super) fn selected_item(&self, snapshot: &Snapshot) -> Option<usize> {
        let group = self.group.as_ref().and_then(|group| self.scene.as_ref()?.item_of(group));
        group.or_else(|| snapshot.find(self.selected.as_ref()?))
    }

    /// Selects what is drawn instead of what was selected and is hidden, shown again, or gone.
    fn keep_selection(&mut self, snapshot: &Snapshot) {
        let Some(scene) = &self.scene else { return };
        if let Some(group) = self.group.take() {
            if scene.item_of(&group).is_some() {
                (self.group, self.selected) = (Some(group), None);
                return;
            }
            let member = snapshot.graph.nodes.iter().find(|node| node.group.as_ref() == Some(&group));
            self.selected = self.selected.take().or_else(|| Some(member?.id.clone()));
        }
        let item = self.selected.as_ref().and_then(|id| snapshot.find(id));
        let hides = item.and_then(|item| scene.item_of(&scene.hides(item)?.id));
        let fallback = self.order.first().copied().filter(|_| item.is_none());
        if let Some(item) = hides.or(fallback) {
            self.choose(item, snapshot);
        }
    }

    /// Makes an item the selection.
    fn choose(&mut self, item: usize, snapshot: &Snapshot) {
        let fold = self.scene.as_ref().and_then(|scene| scene.fold(item)).map(|fold| fold.id.clone());
        self.selected = if fold.is_some() { None } else { snapshot.graph.nodes.get(item).map(|node| node.id.clone()) };
        self.group = fold;
    }

    /// Puts the nodes in order; those alone that a search finds.
    pub(super) fn sort(&mut self, snapshot: &Snapshot) {
        self.order = order(snapshot);
        self.hidden = Vec::new();
        if let Some(text) = &self.search {
            self.hidden = (0..self.order.len()).map(|at| !is_hit(snapshot, at, text)).collect();
            self.order.retain(|&at| !self.hidden[at]);
        } else if let Some(scene) = self.scene.as_ref().filter(|scene| scene.folds().next().is_some()) {
            // A group stands where its first member would.
            let mut seen = HashSet::new();
            let stand_in = |&at: &usize| scene.hides(at).and_then(|fold| scene.item_of(&fold.id)).unwrap_or(at);
            self.order = self.order.iter().map(stand_in).filter(|item| seen.insert(*item)).collect();
        }
    }

    /// Decides what stands on the canvas: the plan, with what a proposal would make of it.
    pub(super) fn set_scene(&mut self, snapshot: &Snapshot, proposal: Option<&Proposal>) {
        let after = proposal.filter(|proposal| proposal.problem.is_none()).map(|proposal| &proposal.preview.after);
        let plan = || Scene::folded(snapshot, &self.folded);
        self.scene = Some(after.map_or_else(plan, |after| Scene::proposed(snapshot, after)));
        self.place();
    }

    /// Draws at another zoom.
    pub(super) fn set_zoom(&mut self, zoom: Zoom, snapshot: &Snapshot) {
        self.zoom = zoom;
        self.place();
        self.light(snapshot);
    }

    /// Places everything on cells.
    fn place(&mut self) {
        let Some(scene) = &self.scene else { return };
        let plane = scene.layout.plane(self.zoom);
        self.traces = scene.traces(&plane);
        self.plane = Some(plane);
    }

    /// Where a step or gate is drawn.
    pub(super) fn area(&self, at: usize) -> Option<Area> {
        let (scene, plane) = (self.scene.as_ref()?, self.plane.as_ref()?);
        Some(plane.node(&scene.layout, scene.place(at)))
    }

    /// The step or gate at a cell of the drawing.
    pub(super) fn hit(&self, point: Point) -> Option<usize> {
        self.scene.as_ref()?.item(self.plane.as_ref()?.hit(point)?)
    }

    /// Finds the edges that lead to the selection or away from it.
    pub(super) fn light(&mut self, snapshot: &Snapshot) {
        self.lit.clear();
        let selected = self.selected_item(snapshot);
        let (Some(plane), Some(scene), Some(selected)) = (&self.plane, &self.scene, selected) else { return };
        let (layout, selected) = (&scene.layout, scene.place(selected));
        // Ties lead from column to column, so one pass each way reaches everything.
        let mut ties: Vec<(usize, &Tie)> = layout.ties().iter().enumerate().collect();
        ties.sort_by_key(|(_, tie)| layout.column(tie.from));
        let (mut after, mut before) = (HashSet::from([selected]), HashSet::from([selected]));
        for (at, tie) in &ties {
            if after.contains(&tie.from) {
                after.insert(tie.to);
                self.lit.push(plane.path(layout, *at));
            }
        }
        ties.sort_by_key(|(_, tie)| std::cmp::Reverse(layout.column(tie.to)));
        for (at, tie) in &ties {
            if before.contains(&tie.to) {
                before.insert(tie.from);
                self.lit.push(plane.path(layout, *at));
            }
        }
    }

    /// Whether a search is on that does not find this node.
    pub(super) fn is_hidden(&self, at: usize) -> bool {
        self.hidden.get(at).is_some_and(|is_hidden| *is_hidden)
    }
}

/// Whether a search finds a node: by its id, name, agent, status or group.
pub(super) fn is_hit(snapshot: &Snapshot, at: usize, text: &str) -> bool {
    let node = snapshot.node(at);
    let text = text.to_lowercase();
    let group = node.group.as_ref().map(Id::as_str);
    let fields = [Some(node.id.as_str()), Some(&node.name), node.agent.as_deref(), Some(node.status), group];
    fields.into_iter().flatten().any(|field| field.to_lowercase().contains(&text))
}

/// What needs a person first, then what runs, then the plan's order.
fn order(snapshot: &Snapshot) -> Vec<usize> {
    let mut order: Vec<usize> = (0..snapshot.graph.nodes.len()).collect();
    order.sort_by_key(|&at| (urgency(snapshot, at), snapshot.node(at).layer, at));
    order
}

fn urgency(snapshot: &Snapshot, at: usize) -> u8 {
    let node = snapshot.node(at);
    let needs_a_person = snapshot.gate(&node.id).is_some_and(|gate| gate.reached && gate.status == "PENDING");
    match node.status {
        _ if needs_a_person => 0,
        "NEEDS_REVIEW" => 0,
        "FAILED" => 1,
        "RUNNING" => 2,
        _ => 3,
    }
}

impl App {
    /// Decides anew what stands on the canvas.
    pub(super) fn redraw_scene(&mut self) {
        let Some(snapshot) = self.snapshot.clone() else { return };
        self.board.set_scene(&snapshot, self.proposal.as_ref());
        self.board.sort(&snapshot);
        self.board.keep_selection(&snapshot);
        self.board.light(&snapshot);
        self.reveal();
        self.is_dirty = true;
    }

    /// Shows only what a text is found in, or everything again.
    pub(super) fn search(&mut self, text: Option<String>) {
        self.board.search = text.filter(|text| !text.is_empty());
        self.board.first_row = 0;
        if let Some(snapshot) = self.snapshot.clone() {
            self.board.sort(&snapshot);
        }
        self.is_dirty = true;
    }

    /// What the search finds.
    pub(super) fn hits(&self) -> &[usize] {
        if self.board.search.is_some() { &self.board.order } else { &[] }
    }

    /// Goes to the next or the last hit.
    pub(super) fn go_to_hit(&mut self, by: isize) {
        let hits = self.hits();
        if hits.is_empty() {
            let words = if self.board.search.is_some() { "nothing is found" } else { "nothing is being searched for" };
            return self.say(Tone::Plain, words, None);
        }
        let at = self.selected_item().and_then(|at| hits.iter().position(|&hit| hit == at));
        let next = at.map_or(0, |at| (at.cast_signed() + by).rem_euclid(hits.len().cast_signed()).cast_unsigned());
        let next = hits[next];
        self.select(next);
    }

    /// Selects a step or gate by its name, unless it is gone.
    pub(super) fn go_to(&mut self, id: &Id) {
        match self.snapshot.as_ref().and_then(|snapshot| snapshot.find(id)) {
            Some(at) => self.select(at),
            None => self.say(Tone::Plain, format!("`{id}` is not in the plan any more"), None),
        }
    }

    /// Selects a step, a gate or a folded group, and shows it; a group that hides it is unfolded.
    pub(super) fn select(&mut self, item: usize) {
        let Some(snapshot) = self.snapshot.clone() else { return };
        let hides = self.board.scene.as_ref().and_then(|scene| scene.hides(item)).map(|fold| fold.id.clone());
        if let Some(group) = hides {
            self.unfold(&group);
        }
        if self.board.selected_item(&snapshot) != Some(item) {
            self.board.choose(item, &snapshot);
            self.board.light(&snapshot);
            self.selection_changed();
        }
        self.reveal();
        self.is_dirty = true;
    }

    /// Moves the window so that the selection is in it.
    pub(super) fn reveal(&mut self) {
        let Some(at) = self.selected_item() else { return };
        let board = self.regions().board;
        let inside = (i32::from(board.width.saturating_sub(2)), i32::from(board.height.saturating_sub(2)));
        let (Some(node), Some(plane)) = (self.board.area(at), &self.board.plane) else { return };
        let size = (plane.width, plane.height);
        let row = self.board.order.iter().position(|&other| other == at).unwrap_or(0);
        let origin = self.board.origin;
        self.board.origin = Point {
            x: pull(origin.x, node.x - 2, node.x + node.width + 2, inside.0, size.0),
            y: pull(origin.y, node.y - 1, node.y + node.height + 1, inside.1, size.1),
        };
        let rows = usize::try_from(inside.1).unwrap_or(1).max(1);
        let first = self.board.first_row;
        self.board.first_row = first.min(row).max((row + 1).saturating_sub(rows));
    }

    /// Moves the window by some cells, as far as there is anything to see.
    pub(super) fn pan(&mut self, x: i32, y: i32) {
        let board = self.regions().board;
        let inside = (i32::from(board.width.saturating_sub(2)), i32::from(board.height.saturating_sub(2)));
        let Some(plane) = &self.board.plane else { return };
        let Point { x: left, y: top } = self.board.origin;
        self.board.origin = Point { x: clamp(left + x, plane.width, inside.0), y: clamp(top + y, plane.height, inside.1) };
        self.is_dirty = true;
    }

    /// Goes to a neighbour of the selection.
    pub(super) fn go(&mut self, way: Way) {
        let Some(at) = self.selected_item() else { return };
        let next = match (self.view(), way) {
            (View::List, Way::Up) => self.in_list(at, -1),
            (View::List, Way::Down) => self.in_list(at, 1),
            _ => self.board.neighbour(at, way),
        };
        if let Some(next) = next {
            self.select(next);
        }
    }

    /// The row of the list that is so many rows away.
    pub(super) fn in_list(&self, at: usize, rows: isize) -> Option<usize> {
        let order = &self.board.order;
        let row = order.iter().position(|&other| other == at)?;
        order.get(row.saturating_add_signed(rows).min(order.len().saturating_sub(1))).copied()
    }
}

impl Board {
    /// The nearest step or gate in that direction: along an edge if there is one.
    fn neighbour(&self, at: usize, way: Way) -> Option<usize> {
        let (scene, plane) = (self.scene.as_ref()?, self.plane.as_ref()?);
        let (layout, at) = (&scene.layout, scene.place(at));
        let place = |node: usize| plane.node(layout, node);
        let here = place(at);
        let ties = layout.ties().iter();
        let column = |column: usize| layout.nodes_in(column);
        let mut candidates: Vec<usize> = match way {
            Way::Left => ties.filter(|tie| tie.to == at).map(|tie| tie.from).collect(),
            Way::Right => ties.filter(|tie| tie.from == at).map(|tie| tie.to).collect(),
            Way::Up => column(layout.column(at)).filter(|&node| place(node).y < here.y).collect(),
            Way::Down => column(layout.column(at)).filter(|&node| place(node).y > here.y).collect(),
        };
        // What is only proposed cannot be selected.
        candidates.retain(|&node| scene.item(node).is_some());
        if candidates.is_empty() {
            let beside = match way {
                Way::Left => layout.column(at).checked_sub(1)?,
                Way::Right if layout.column(at) + 1 < layout.width() => layout.column(at) + 1,
                _ => return None,
            };
            candidates.extend(column(beside).filter(|&node| scene.item(node).is_some()));
        }
        scene.item(candidates.into_iter().min_by_key(|&node| distance(here, place(node)))?)
    }
}

const fn distance(a: Area, b: Area) -> i32 {
    (a.y - b.y).abs() * 4 + (a.x - b.x).abs()
}

/// The first cell of a window of `inside` cells so that `from..to` is in it.
fn pull(origin: i32, from: i32, to: i32, inside: i32, size: i32) -> i32 {
    let origin = if to > origin + inside { to - inside } else { origin };
    clamp(origin.min(from), size, inside)
}

fn clamp(origin: i32, size: i32, inside: i32) -> i32 {
    origin.clamp(0, (size - inside).max(0))
}
