//! Putting a box above or below another one of its column, which is a matter of the plan's order alone.

use std::collections::HashMap;

use ratatui::layout::Position;

use super::{app::App, snapshot::Snapshot, toast::Tone};
use crate::{
    action::{Action, Txn, place},
    layout::Layout,
    model::{Graph, Id, Sequence},
};

/// In larger plans nobody waits for a second layout before the question whether it would look any different.
const FORESEEN: usize = 2_000;

impl App {
    /// Moves the selected step above or below its neighbour.
    pub(super) fn move_selection(&mut self, is_up: bool) {
        let Some(snapshot) = self.snapshot.clone() else { return };
        let Some(item) = self.selected_item() else { return };
        let column = self.column_of(item);
        let at = column.iter().position(|&other| other == item);
        let next = at.and_then(|at| if is_up { at.checked_sub(1) } else { Some(at + 1) });
        let Some(&other) = next.and_then(|next| column.get(next)) else {
            let end = if is_up { "first" } else { "last" };
            return self.say(Tone::Plain, format!("it is the {end} of its column already"), None);
        };
        self.reorder(&snapshot, item, other, is_up);
    }

    /// Lets a box go on the ground: above or below what is next to it in its column.
    pub(super) fn drop_on_ground(&mut self, id: &Id, at: Position) {
        let Some(snapshot) = self.snapshot.clone() else { return };
        let (Some(item), Some(point)) = (snapshot.find(id), self.cell_at(at)) else { return };
        let Some(own) = self.board.area(item) else { return };
        if !(own.x..own.x + own.width).contains(&point.x) {
            return;
        }
        let middle = |other: &usize| self.board.area(*other).map_or(i32::MAX, |area| area.y + area.height / 2);
        let others = self.column_of(item).into_iter().filter(|other| *other != item);
        // Next to where it is let go, on the side that it comes from.
        let next = if point.y < own.y {
            others.filter(|other| middle(other) >= point.y).min_by_key(middle)
        } else {
            others.filter(|other| middle(other) <= point.y).max_by_key(middle)
        };
        let is_passed = |other: &usize| (middle(other) < middle(&item)) == (point.y < own.y);
        if let Some(other) = next.filter(is_passed) {
            self.reorder(&snapshot, item, other, point.y < own.y);
        }
    }

    /// Whether two items stand in one column of the drawing.
    pub(super) fn is_in_one_column(&self, item: usize, other: usize) -> bool {
        self.column_of(item).contains(&other)
    }

    /// The items of a column of the drawing, from top to bottom.
    fn column_of(&self, item: usize) -> Vec<usize> {
        let Some(scene) = &self.board.scene else { return Vec::new() };
        let column = scene.layout.column(scene.place(item));
        scene.layout.nodes_in(column).filter_map(|node| scene.item(node)).collect()
    }

    /// Puts a step above or below another one of its column, if that is to be seen.
    pub(super) fn reorder(&mut self, snapshot: &Snapshot, item: usize, other: usize, is_above: bool) {
        let steps = &snapshot.project.sequence.steps;
        let Some(step) = steps.get(item) else {
            let hint = "drag from a box's right edge to connect it".to_owned();
            return self.say(Tone::Plain, "the order of the plan is one of steps", Some(hint));
        };
        let fold = self.board.scene.as_ref().and_then(|scene| scene.fold(other));
        // A group stands where its members do, so whoever passes one passes all.
        let mut passed: Vec<usize> = match (fold, steps.get(other)) {
            (Some(fold), _) => fold.members.clone(),
            (None, Some(near)) if near.group_id.is_some() && near.group_id != step.group_id => {
                let column = self.column_of(item).into_iter();
                column.filter(|&at| steps.get(at).is_some_and(|member| member.group_id == near.group_id)).collect()
            }
            (None, Some(_)) => vec![other],
            (None, None) => return self.say(Tone::Plain, "gates stand behind the steps of the plan", None),
        };
        passed.sort_unstable();
        let beside = if is_above { passed.first() } else { passed.last() };
        let Some(beside) = beside.map(|&at| steps[at].id.clone()) else { return };
        let (before, after) = if is_above { (Some(beside), None) } else { (None, Some(beside)) };
        let action = Action::StepMove(place::Move { id: step.id.clone(), before, after, first: false, last: false });
        if steps.len() <= FORESEEN && !is_seen(snapshot, &action) {
            let text = format!("`{}` stays where it is", step.id);
            let hint = "its lines, its lane or its group would be in the way: what it depends on decides first".to_owned();
            return self.say(Tone::Plain, text, Some(hint));
        }
        self.ask(action, false);
    }
}

/// Whether a change of the plan's order changes the drawing.
fn is_seen(snapshot: &Snapshot, action: &Action) -> bool {
    let project = &snapshot.project;
    let mut txn = Txn::new((*project.sequence).clone(), HashMap::new());
    let is_done = action.change(&mut txn).is_some_and(|change| change.is_ok());
    match Graph::build(&txn.sequence) {
        // What cannot be done is told by whoever does it.
        Ok(graph) if is_done => {
            let layout = Layout::of(&txn.sequence, &graph);
            columns(&txn.sequence, &layout) != columns(&project.sequence, &snapshot.graph.layout)
        }
        _ => true,
    }
}

/// The names of each column, from top to bottom.
fn columns(sequence: &Sequence, layout: &Layout) -> Vec<Vec<Id>> {
    let ids: Vec<&Id> = sequence.ids().collect();
    (0..layout.width()).map(|column| layout.nodes_in(column).map(|node| ids[node].clone()).collect()).collect()
}
