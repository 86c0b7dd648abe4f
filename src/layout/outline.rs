//! What of a plan is drawn: nodes and edges, whatever stands behind them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::tie::{self, Tie};
use crate::model::{Graph, Node, Sequence};

/// The nodes and edges of a drawing. Where two nodes are equal otherwise, the first one comes first.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// The nodes.
    pub nodes: Vec<Figure>,
    /// The edges by their meaning.
    pub ties: Vec<Tie>,
}

/// A node of a drawing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Figure {
    /// How many cells its name takes.
    pub width: usize,
    /// Whether it is a gate.
    pub is_gate: bool,
    /// The group that it is framed with.
    pub group: Option<String>,
    /// The row that a person gave it.
    pub lane: Option<String>,
}

/// An outline in which groups are one node each.
#[derive(Clone, Debug)]
pub struct Folded {
    /// What is drawn.
    pub outline: Outline,
    /// The node that each node is drawn as now.
    pub places: Vec<usize>,
    /// The nodes that are whole groups.
    pub groups: BTreeMap<usize, String>,
    /// The groups that could not be folded, each with a node that lies between its members.
    pub refused: BTreeMap<String, usize>,
}

impl Outline {
    /// A whole plan.
    pub fn of(sequence: &Sequence, graph: &Graph) -> Self {
        let figure = |at: usize, width: usize| match graph.node(at) {
            Node::Gate(_) => Figure { width, is_gate: true, ..Figure::default() },
            Node::Step(step) => {
                let step = &sequence.steps[step];
                let group = step.group_id.as_ref().map(ToString::to_string);
                Figure { width, is_gate: false, group, lane: step.lane.clone() }
            }
        };
        let nodes = sequence.ids().enumerate().map(|(at, id)| figure(at, super::width(id.as_str())));
        Self { nodes: nodes.collect(), ties: tie::of(sequence, graph) }
    }

    /// The same with groups as one node each, which stands where the first member did. `widths` are the groups, and
    /// how many cells their names take.
    #[must_use]
    pub fn fold(&self, widths: &BTreeMap<String, usize>) -> Folded {
        let mut unions: Vec<usize> = (0..self.nodes.len()).collect();
        let mut refused = BTreeMap::new();
        for group in widths.keys() {
            let is_member = |at: &usize| self.nodes[*at].group.as_ref() == Some(group);
            let members: Vec<usize> = (0..self.nodes.len()).filter(is_member).collect();
            let Some(&first) = members.first() else { continue };
            match self.between(&unions, &members) {
                Some(node) => _ = refused.insert(group.clone(), node),
                None => members.iter().for_each(|&member| unions[member] = first),
            }
        }
        let (mut places, mut nodes, mut groups) = (vec![0; unions.len()], Vec::new(), BTreeMap::new());
        for (at, &union) in unions.iter().enumerate() {
            if union != at {
                places[at] = places[union];
                continue;
            }
            places[at] = nodes.len();
            let figure = &self.nodes[at];
            let whole = figure.group.as_ref().filter(|group| widths.contains_key(*group) && !refused.contains_key(*group));
            if let Some(group) = whole {
                groups.insert(nodes.len(), group.clone());
                nodes.push(Figure { width: widths[group], group: None, ..figure.clone() });
            } else {
                nodes.push(figure.clone());
            }
        }
        let mut seen = HashSet::new();
        let moved = self.ties.iter().map(|tie| Tie { from: places[tie.from], to: places[tie.to], ..*tie });
        let ties = moved.filter(|tie| tie.from != tie.to && seen.insert((tie.from, tie.to, tie.kind.is_dependency()))).collect();
        Folded { outline: Self { nodes, ties }, places, groups, refused }
    }

    /// A node that waits for one of `members` and that another one waits for, where `unions` are one node each already.
    fn between(&self, unions: &[usize], members: &[usize]) -> Option<usize> {
        let inside: HashSet<usize> = members.iter().copied().collect();
        let reach = |is_forward: bool| -> HashSet<usize> {
            let mut beside: HashMap<usize, Vec<usize>> = HashMap::new();
            for tie in self.ties.iter().filter(|tie| tie.kind.is_dependency()) {
                let (from, to) = (unions[tie.from], unions[tie.to]);
                let (near, far) = if is_forward { (from, to) } else { (to, from) };
                beside.entry(near).or_default().push(far);
            }
            let (mut left, mut found) = (members.to_vec(), HashSet::new());
            while let Some(here) = left.pop() {
                for &far in beside.get(&here).into_iter().flatten().filter(|far| !inside.contains(*far)) {
                    if found.insert(far) {
                        left.push(far);
                    }
                }
            }
            found
        };
        let behind = reach(true);
        if behind.is_empty() {
            return None;
        }
        reach(false).intersection(&behind).min().copied()
    }
}
