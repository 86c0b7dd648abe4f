//! The order of the slots in each column: few crossings, lanes and groups together, and what the
//! file has first comes first.

use std::collections::HashMap;

use super::{
    column::columns,
    outline::Outline,
    slot::Slots,
    tie::{Tie, forward},
};
use crate::model::{Graph, Sequence};

/// Where a plan's nodes stand, whatever the zoom: columns, and the order in each.
#[derive(Clone, Debug)]
pub struct Layout {
    pub(super) ties: Vec<Tie>,
    pub(super) slots: Slots,
    /// The slots of each column, from top to bottom.
    pub(super) columns: Vec<Vec<usize>>,
    /// The names of the groups.
    pub(super) groups: Vec<String>,
    /// How many cells each node's name takes.
    pub(super) names: Vec<usize>,
    /// Whether each node is a gate.
    pub(super) gates: Vec<bool>,
    crossings: usize,
}

impl Layout {
    /// The layout of a plan.
    pub fn of(sequence: &Sequence, graph: &Graph) -> Self {
        Self::draw(&Outline::of(sequence, graph))
    }

    /// The layout of what is drawn. The dependencies in it must not lead in a circle.
    pub fn draw(outline: &Outline) -> Self {
        let len = outline.nodes.len();
        let (ties, order) = forward(len, &outline.ties);
        let column_of = columns(len, &ties, &order);
        let (mut groups, mut lanes) = (Names::default(), Names::default());
        let group_of = outline.nodes.iter().map(|node| node.group.as_deref().map(|group| groups.number(group))).collect();
        let lane_of: Vec<_> = outline.nodes.iter().map(|node| node.lane.as_deref().map(|lane| lanes.number(lane))).collect();
        let slots = Slots::new(&ties, column_of, group_of);
        let mut lanes: Vec<Option<usize>> = slots.ranks.iter().map(|&owner| lane_of[owner]).collect();
        let mut lane_of_group = HashMap::new();
        for (slot, group) in slots.groups.iter().enumerate() {
            if let Some(group) = group {
                lanes[slot] = *lane_of_group.entry(*group).or_insert(lanes[slot]);
            }
        }
        let (columns, crossings) = Sorter::new(&slots, &lanes).sort();
        let names = outline.nodes.iter().map(|node| node.width).collect();
        let gates = outline.nodes.iter().map(|node| node.is_gate).collect();
        Self { ties, slots, columns, groups: groups.list, names, gates, crossings }
    }

    /// How many nodes there are.
    pub const fn len(&self) -> usize {
        self.slots.nodes
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.slots.nodes == 0
    }

    /// How many columns there are.
    pub const fn width(&self) -> usize {
        self.columns.len()
    }

    /// The column of a node.
    pub fn column(&self, node: usize) -> usize {
        self.slots.columns[node]
    }

    /// The nodes of a column, from top to bottom.
    pub fn nodes_in(&self, column: usize) -> impl Iterator<Item = usize> {
        self.columns[column].iter().copied().filter(|&slot| self.slots.is_node(slot))
    }

    /// Every edge.
    pub fn ties(&self) -> &[Tie] {
        &self.ties
    }

    /// How often edges cross; 0 for plans that are too large to count.
    pub const fn crossings(&self) -> usize {
        self.crossings
    }

    /// Whether an edge leaves a slot to the right.
    pub(super) fn leaves(&self, slot: usize) -> bool {
        let at = self.slots.links.partition_point(|link| link.from < slot);
        self.slots.links.get(at).is_some_and(|link| link.from == slot)
    }

    /// How many edges are not drawn, because they are long and too many.
    pub const fn hidden(&self) -> usize {
        self.slots.hidden
    }
}

/// Numbers for names, in the order in which they come.
#[derive(Default)]
struct Names {
    list: Vec<String>,
    known: HashMap<String, usize>,
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        *self.known.entry(name.to_owned()).or_insert_with(|| {
            self.list.push(name.to_owned());
            self.list.len() - 1
        })
    }
}

/// Neighbours of all slots on one side, in one piece.
struct Beside {
    starts: Vec<usize>,
    slots: Vec<usize>,
}

impl Beside {
    fn new(len: usize, pairs: impl Iterator<Item = (usize, usize)> + Clone) -> Self {
        let mut starts = vec![0; len + 1];
        pairs.clone().for_each(|(from, _)| starts[from + 1] += 1);
        for at in 0..len {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut slots = vec![0; starts[len]];
        for (from, to) in pairs {
            slots[next[from]] = to;
            next[from] += 1;
        }
        Self { starts, slots }
    }

    fn of(&self, slot: usize) -> &[usize] {
        &self.slots[self.starts[slot]..self.starts[slot + 1]]
    }
}

/// Barycentre sweeps.
struct Sorter<'a> {
    slots: &'a Slots,
    lanes: &'a [Option<usize>],
    left: Beside,
    right: Beside,
    /// The place of each slot in its column.
    places: Vec<usize>,
}

impl<'a> Sorter<'a> {
    fn new(slots: &'a Slots, lanes: &'a [Option<usize>]) -> Self {
        let len = slots.columns.len();
        let right = Beside::new(len, slots.links.iter().map(|link| (link.from, link.to)));
        let left = Beside::new(len, slots.links.iter().map(|link| (link.to, link.from)));
        Self { slots, lanes, left, right, places: vec![0; len] }
    }

    fn sort(mut self) -> (Vec<Vec<usize>>, usize) {
        let width = self.slots.columns.iter().max().map_or(0, |last| last + 1);
        let mut columns = vec![Vec::new(); width];
        for (slot, &column) in self.slots.columns.iter().enumerate() {
            columns[column].push(slot);
        }
        // As in the file, children beside their parents.
        for (at, column) in columns.iter_mut().enumerate() {
            column.sort_by_key(|&slot| self.slots.ranks[slot]);
            self.note(column);
            if at > 0 {
                self.arrange(column, true);
            }
        }
        let sweeps = match self.slots.links.len() {
            0..5_000 => 12,
            5_000..50_000 => 4,
            50_000..150_000 => 1,
            _ => 0,
        };
        let (mut best, mut fewest) = (columns.clone(), usize::MAX);
        let mut idle = 0;
        for sweep in 0..=sweeps {
            let crossings = if sweeps == 0 { 0 } else { self.crossings(&columns) };
            if crossings < fewest {
                (best, fewest, idle) = (columns.clone(), crossings, 0);
            } else {
                idle += 1;
            }
            if fewest == 0 || idle == 4 || sweep == sweeps {
                break;
            }
            if sweep % 2 == 0 {
                columns.iter_mut().rev().skip(1).for_each(|column| self.arrange(column, false));
            } else {
                columns.iter_mut().skip(1).for_each(|column| self.arrange(column, true));
            }
        }
        (best, fewest)
    }

    fn note(&mut self, column: &[usize]) {
        for (place, &slot) in column.iter().enumerate() {
            self.places[slot] = place;
        }
    }

    /// Sorts a column by where the neighbours on one side are, units kept together.
    fn arrange(&mut self, column: &mut [usize], is_left: bool) {
        let keys: Vec<f64> = column.iter().map(|&slot| self.barycentre(slot, is_left)).collect();
        let groups = units(column, &keys, &self.slots.ranks, |slot| self.slots.groups[slot]);
        let group_keys: Vec<f64> =
            column.iter().zip(&keys).map(|(&slot, &key)| self.slots.groups[slot].map_or(key, |group| groups[&group].0)).collect();
        let lanes = in_order(units(column, &group_keys, &self.slots.ranks, |slot| self.lanes[slot]));
        let mut sorted: Vec<_> = column
            .iter()
            .zip(&keys)
            .map(|(&slot, &key)| {
                // The last number keeps what only looks the same out of a unit.
                let own = (key, self.slots.ranks[slot], 0);
                let group = self.slots.groups[slot].map_or(own, |group| (groups[&group].0, groups[&group].1, group + 1));
                let lane = self.lanes[slot].map_or(group, |lane| (lanes[&lane].0, lanes[&lane].1, usize::MAX - lane));
                (lane, group, own, slot)
            })
            .collect();
        type Key = (f64, usize, usize);
        let compare = |a: &Key, b: &Key| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2)));
        sorted.sort_by(|a, b| {
            compare(&a.0, &b.0).then_with(|| compare(&a.1, &b.1)).then_with(|| compare(&a.2, &b.2)).then(a.3.cmp(&b.3))
        });
        for (place, (.., slot)) in sorted.into_iter().enumerate() {
            column[place] = slot;
        }
        self.note(column);
    }

    #[expect(clippy::cast_precision_loss, reason = "places in a column are small")]
    fn barycentre(&self, slot: usize, is_left: bool) -> f64 {
        let beside = if is_left { self.left.of(slot) } else { self.right.of(slot) };
        if beside.is_empty() {
            return self.places[slot] as f64;
        }
        beside.iter().map(|&other| self.places[other] as f64).sum::<f64>() / beside.len() as f64
    }

    fn crossings(&self, columns: &[Vec<usize>]) -> usize {
        let pairs = columns.windows(2).map(|pair| {
            let mut counted = vec![0_usize; pair[1].len() + 1];
            let (mut crossings, mut seen) = (0, 0);
            for &from in &pair[0] {
                let mut tos: Vec<usize> = self.right.of(from).iter().map(|&to| self.places[to]).collect();
                tos.sort_unstable();
                for &to in &tos {
                    crossings += seen - up_to(&counted, to);
                }
                seen += tos.len();
                for to in tos {
                    add(&mut counted, to);
                }
            }
            crossings
        });
        pairs.sum()
    }
}

/// The mean key and the first rank of each unit in a column.
fn units(column: &[usize], keys: &[f64], ranks: &[usize], unit: impl Fn(usize) -> Option<usize>) -> HashMap<usize, (f64, usize)> {
    let mut sums: HashMap<usize, (f64, f64, usize)> = HashMap::new();
    for (&slot, &key) in column.iter().zip(keys) {
        if let Some(unit) = unit(slot) {
            let sum = sums.entry(unit).or_insert((0.0, 0.0, usize::MAX));
            *sum = (sum.0 + key, sum.1 + 1.0, sum.2.min(ranks[slot]));
        }
    }
    sums.into_iter().map(|(unit, (sum, count, rank))| (unit, (sum / count, rank))).collect()
}

/// The same, with keys that do not fall: lanes have the same order in every column.
fn in_order(units: HashMap<usize, (f64, usize)>) -> HashMap<usize, (f64, usize)> {
    let mut sorted: Vec<_> = units.into_iter().collect();
    sorted.sort_unstable_by_key(|(unit, _)| *unit);
    let mut highest = f64::NEG_INFINITY;
    let raised = sorted.into_iter().map(|(unit, (key, _))| {
        highest = highest.max(key);
        (unit, (highest, unit))
    });
    raised.collect()
}

/// How many were counted at or before a place (Fenwick tree).
fn up_to(counted: &[usize], place: usize) -> usize {
    let (mut at, mut sum) = (place + 1, 0);
    while at > 0 {
        sum += counted[at];
        at &= at - 1;
    }
    sum
}

fn add(counted: &mut [usize], place: usize) {
    let mut at = place + 1;
    while at < counted.len() {
        counted[at] += 1;
        at += at & at.wrapping_neg();
    }
}
