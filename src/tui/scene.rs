//! What stands on the canvas: the plan, or the plan with what a proposal would make of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{folding::Fold, snapshot::Snapshot};
use crate::{
    layout::{Difference, Face, Glyphs, Ink, Layout, Mark, Outline, Plane, Point},
    model::{Graph, Id, Node, Sequence, StepStatus},
};

/// What stands on the canvas. Its nodes are numbered by themselves, since there may be more or fewer than in the plan.
pub(super) struct Scene {
    pub(super) layout: Arc<Layout>,
    /// The item that each node of the drawing is: a step or gate by its number, or behind all of these a folded group;
    /// none for one that is only proposed.
    items: Vec<Option<usize>>,
    /// The node of the drawing that each item is; of a hidden member its group's.
    places: Vec<usize>,
    /// How many steps and gates there are.
    plain: usize,
    /// The groups that are one node.
    folds: Vec<Fold>,
    /// The groups that cannot be folded, and what lies between their members.
    refused: BTreeMap<String, String>,
    ghosts: Option<Ghosts>,
}

/// What a proposal would change.
struct Ghosts {
    difference: Difference,
    /// The plan as it would be.
    after: Sequence,
    graph: Graph,
}

/// A cell of an edge that a proposal changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trace {
    pub(super) point: Point,
    pub(super) mark: Mark,
    /// Whether it says in a character what becomes of the edge.
    pub(super) is_label: bool,
}

/// The character for what becomes of something, which colours alone must not say.
pub(super) const fn sign(mark: Mark) -> char {
    match mark {
        Mark::Kept => ' ',
        Mark::Added => '+',
        Mark::Changed => '~',
        Mark::Removed => '×',
    }
}

/// What shows where several share a place.
pub(super) const fn urgency(status: StepStatus) -> u8 {
    match status {
        StepStatus::NeedsReview => 5,
        StepStatus::Failed => 4,
        StepStatus::Running => 3,
        StepStatus::Ready => 2,
        StepStatus::Blocked => 1,
        StepStatus::Done => 0,
    }
}

impl Scene {
    /// The plan as it is.
    pub(super) fn plain(snapshot: &Snapshot) -> Self {
        let nodes = snapshot.graph.nodes.len();
        let items = (0..nodes).map(Some).collect();
        let (folds, refused) = (Vec::new(), BTreeMap::new());
        let layout = Arc::clone(&snapshot.graph.layout);
        Self { layout, items, places: (0..nodes).collect(), plain: nodes, folds, refused, ghosts: None }
    }

    /// The plan with some groups as one node each.
    pub(super) fn folded(snapshot: &Snapshot, groups: &BTreeSet<Id>) -> Self {
        let (project, nodes) = (&snapshot.project, &snapshot.graph.nodes);
        let members = |group: &Id| (0..nodes.len()).filter(|&at| nodes[at].group.as_ref() == Some(group)).collect();
        let all = groups.iter().map(|group| Fold { id: group.clone(), members: members(group) });
        let wanted: Vec<Fold> = all.filter(|fold| !fold.members.is_empty()).collect();
        if wanted.is_empty() {
            return Self::plain(snapshot);
        }
        let width = |fold: &Fold| crate::layout::width(&format!("{} {}", fold.id, fold.words(snapshot, Glyphs::Unicode)));
        let widths = wanted.iter().map(|fold| (fold.id.to_string(), width(fold))).collect();
        let outline = Outline::of(&project.sequence, &project.graph).fold(&widths);
        let refused = outline.refused.iter().map(|(group, &at)| {
            // What lies between may be a folded group itself.
            let whole = outline.groups.get(&outline.places[at]).cloned();
            (group.clone(), whole.unwrap_or_else(|| nodes[at].id.to_string()))
        });
        let refused: BTreeMap<String, String> = refused.collect();
        let folds: Vec<Fold> = wanted.into_iter().filter(|fold| !refused.contains_key(fold.id.as_str())).collect();
        let mut items = vec![None; outline.outline.nodes.len()];
        outline.places.iter().enumerate().for_each(|(at, &place)| items[place] = Some(at));
        let mut places = outline.places.clone();
        for (number, fold) in folds.iter().enumerate() {
            let place = places[fold.members[0]];
            items[place] = Some(nodes.len() + number);
            places.push(place);
        }
        let layout = Arc::new(Layout::draw(&outline.outline));
        Self { layout, items, places, plain: nodes.len(), folds, refused, ghosts: None }
    }

    /// The plan with what would become of it.
    pub(super) fn proposed(snapshot: &Snapshot, after: &Sequence) -> Self {
        let project = &snapshot.project;
        // What does not make a graph is no proposal.
        let Ok(graph) = Graph::build(after) else { return Self::plain(snapshot) };
        let difference = Difference::of((&project.sequence, &project.graph), (after, &graph));
        let layout = Arc::new(Layout::draw(&difference.outline));
        let nodes = snapshot.graph.nodes.len();
        let items = (0..layout.len()).map(|node| (node < nodes).then_some(node)).collect();
        let ghosts = Some(Ghosts { difference, after: after.clone(), graph });
        let (folds, refused) = (Vec::new(), BTreeMap::new());
        Self { layout, items, places: (0..nodes).collect(), plain: nodes, folds, refused, ghosts }
    }

    /// The folded group that an item is.
    pub(super) fn fold(&self, item: usize) -> Option<&Fold> {
        self.folds.get(item.checked_sub(self.plain)?)
    }

    /// The item that a folded group is.
    pub(super) fn item_of(&self, group: &Id) -> Option<usize> {
        self.folds.iter().position(|fold| fold.id == *group).map(|at| self.plain + at)
    }

    /// Every folded group, with its item.
    pub(super) fn folds(&self) -> impl Iterator<Item = (usize, &Fold)> {
        (self.plain..).zip(&self.folds)
    }

    /// What lies between the members of a group that cannot be folded.
    pub(super) fn refused(&self, group: &Id) -> Option<&str> {
        self.refused.get(group.as_str()).map(String::as_str)
    }

    /// The folded group that hides a step.
    pub(super) fn hides(&self, item: usize) -> Option<&Fold> {
        let shown = self.item(*self.places.get(item)?)?;
        self.fold(shown).filter(|_| shown != item)
    }

    /// The item that a node of the drawing is.
    pub(super) fn item(&self, node: usize) -> Option<usize> {
        self.items.get(node).copied().flatten()
    }

    /// The node of the drawing that an item is.
    pub(super) fn place(&self, item: usize) -> usize {
        self.places[item]
    }

    /// Every node of the drawing.
    pub(super) fn nodes(&self) -> std::ops::Range<usize> {
        0..self.items.len()
    }

    /// What becomes of a node of the drawing.
    pub(super) fn mark(&self, node: usize) -> Mark {
        self.ghosts.as_ref().map_or(Mark::Kept, |ghosts| ghosts.difference.marks[node])
    }

    /// What is written into the box of a node that is only proposed.
    pub(super) fn ghost(&self, node: usize, glyphs: Glyphs) -> Face {
        let found = self.ghosts.as_ref().and_then(|ghosts| Some((ghosts, ghosts.difference.after[node]?)));
        let Some((ghosts, at)) = found else { return Face::default() };
        let (id, about) = match ghosts.graph.node(at) {
            Node::Step(step) => {
                let step = &ghosts.after.steps[step];
                let usual = ghosts.after.defaults.model.as_ref();
                let agent = step.model.as_ref().or(usual.filter(|_| step.command.is_none()));
                let work = step.command.as_ref().map(crate::model::CommandLine::display).or_else(|| step.prompt.clone());
                let agent = agent.map(ToString::to_string);
                (&step.id, agent.into_iter().chain(work).collect::<Vec<_>>().join(" "))
            }
            Node::Gate(gate) => (&ghosts.after.gates[gate].id, "gate".to_owned()),
        };
        let about = crate::layout::fit(about.lines().next().unwrap_or_default(), 60, glyphs.ellipsis());
        Face { glyph: sign(Mark::Added), ink: Ink::Plain, title: id.to_string(), lines: vec![about] }
    }

    /// The cells of all edges that a proposal changes, where no other edge lies.
    pub(super) fn traces(&self, plane: &Plane) -> Vec<Trace> {
        let Some(ghosts) = &self.ghosts else { return Vec::new() };
        let ties = self.layout.ties();
        let mark = |at: usize| ghosts.difference.mark(&ties[at]);
        let mut cells: HashMap<(i32, i32), Mark> = HashMap::new();
        for wanted in [Mark::Removed, Mark::Changed, Mark::Added] {
            for at in (0..ties.len()).filter(|at| mark(*at) == wanted) {
                cells.extend(along(&plane.path(&self.layout, at)).into_iter().map(|cell| (cell, wanted)));
            }
        }
        if cells.is_empty() {
            return Vec::new();
        }
        for at in (0..ties.len()).filter(|at| mark(*at) == Mark::Kept) {
            for cell in along(&plane.path(&self.layout, at)) {
                cells.remove(&cell);
            }
        }
        let mut labels = HashSet::new();
        for at in (0..ties.len()).filter(|at| mark(*at) != Mark::Kept) {
            let way = along(&plane.path(&self.layout, at));
            // Not where it turns, nor at its tip.
            let is_straight =
                |three: &&[(i32, i32)]| three.iter().all(|cell| cell.1 == three[0].1 && cells.get(cell) == Some(&mark(at)));
            let own: Vec<(i32, i32)> = way.windows(3).filter(is_straight).map(|three| three[1]).collect();
            let any = || way.iter().rev().skip(1).find(|cell| cells.get(*cell) == Some(&mark(at))).copied();
            labels.extend(own.get(own.len() / 2).copied().or_else(any));
        }
        let trace = |(cell, mark): (&(i32, i32), &Mark)| Trace {
            point: Point { x: cell.0, y: cell.1 },
            mark: *mark,
            is_label: labels.contains(cell),
        };
        cells.iter().map(trace).collect()
    }
}

/// The cells of a way with corners.
fn along(path: &[Point]) -> Vec<(i32, i32)> {
    let mut cells: Vec<(i32, i32)> = path.first().map(|first| (first.x, first.y)).into_iter().collect();
    for ends in path.windows(2) {
        let (dx, dy) = ((ends[1].x - ends[0].x).signum(), (ends[1].y - ends[0].y).signum());
        let (mut x, mut y) = (ends[0].x, ends[0].y);
        while (x, y) != (ends[1].x, ends[1].y) {
            (x, y) = (x + dx, y + dy);
            cells.push((x, y));
        }
    }
    cells
}
