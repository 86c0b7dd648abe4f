//! The dependency graph of a plan.

use std::collections::{HashMap, HashSet};

use petgraph::{
    Direction,
    graph::{DiGraph, NodeIndex},
    visit::Bfs,
};

use super::{Id, Sequence};
use crate::error::Error;

/// What a node of the graph stands for, by its place in the plan.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Node {
    /// `sequence.steps[i]`.
    Step(usize),
    /// `sequence.gates[i]`.
    Gate(usize),
}

/// The graph of steps and gates. Nodes are numbered: first the steps in the plan's order, then
/// the gates.
#[derive(Clone, Debug)]
pub struct Graph {
    edges: DiGraph<(), (), u32>,
    steps: usize,
    index: HashMap<Id, usize>,
}

impl Graph {
    /// The graph of `sequence`.
    ///
    /// # Errors
    /// `AlreadyExists` for a name used twice, `DependencyNotFound`, `CircularDependency` with the
    /// whole cycle, `GroupDisagrees`, `PlanInvalid` for a watchdog that cannot watch.
    pub fn build(sequence: &Sequence) -> Result<Self, Error> {
        let mut index = HashMap::with_capacity(sequence.steps.len() + sequence.gates.len());
        let mut edges = DiGraph::default();
        for (at, id) in sequence.ids().enumerate() {
            if index.insert(id.clone(), at).is_some() {
                return Err(Error::AlreadyExists { id: id.clone() });
            }
            edges.add_node(());
        }
        // Who was linked to last: a need may be named twice, and asking the graph costs what it has edges.
        let mut last = vec![usize::MAX; index.len()];
        let mut link = |to: usize, id: &Id, need: &Id| match index.get(need) {
            Some(&from) => {
                if std::mem::replace(&mut last[from], to) != to {
                    edges.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
                }
                Ok(())
            }
            None => Err(Error::DependencyNotFound {
                id: id.clone(),
                dependency: need.clone(),
                nearest: sequence.nearest(need.as_str()),
                place: None,
            }),
        };
        for (at, step) in sequence.steps.iter().enumerate() {
            step.depends_on.iter().chain(step.candidates()).try_for_each(|need| link(at, &step.id, need))?;
        }
        for (at, gate) in sequence.gates.iter().enumerate() {
            gate.depends_on.iter().try_for_each(|need| link(sequence.steps.len() + at, &gate.id, need))?;
        }
        super::group::check(sequence)?;
        let graph = Self { edges, steps: sequence.steps.len(), index };
        match graph.cycle() {
            None => sequence.check_watchdogs(&graph).map(|()| graph),
            Some(nodes) => {
                let ids: Vec<_> = sequence.ids().collect();
                Err(Error::CircularDependency { cycle: nodes.into_iter().map(|at| ids[at].clone()).collect(), place: None })
            }
        }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.edges.node_count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the node called `id`.
    pub fn find(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// What the node stands for.
    pub const fn node(&self, at: usize) -> Node {
        if at < self.steps { Node::Step(at) } else { Node::Gate(at - self.steps) }
    }

    /// The number of a gate's node.
    pub const fn gate(&self, at: usize) -> usize {
        self.steps + at
    }

    /// What the node waits for, in ascending order.
    pub fn needs(&self, at: usize) -> Vec<usize> {
        self.beside(at, Direction::Incoming)
    }

    /// What waits for the node, in ascending order.
    pub fn dependents(&self, at: usize) -> Vec<usize> {
        self.beside(at, Direction::Outgoing)
    }

    /// Everything that waits for the node, directly or not, nearest first, without itself.
    pub fn downstream(&self, at: usize) -> Vec<usize> {
        let mut walk = Bfs::new(&self.edges, NodeIndex::new(at));
        let mut found = Vec::new();
        while let Some(node) = walk.next(&self.edges) {
            found.push(node.index());
        }
        found.split_off(1)
    }

    fn beside(&self, at: usize, side: Direction) -> Vec<usize> {
        let mut found: Vec<_> = self.edges.neighbors_directed(NodeIndex::new(at), side).map(NodeIndex::index).collect();
        found.sort_unstable();
        found
    }

    /// The nodes of one cycle in the order of its edges, if there is any.
    fn cycle(&self) -> Option<Vec<usize>> {
        // Neither of these two goes down into itself, which a long chain would not survive.
        petgraph::algo::toposort(&self.edges, None).err()?;
        let knot = petgraph::algo::kosaraju_scc(&self.edges)
            .into_iter()
            .filter(|nodes| nodes.len() > 1 || self.edges.contains_edge(nodes[0], nodes[0]))
            .min_by_key(Vec::len)?;
        let first = *knot.iter().min()?;
        let knot: HashSet<_> = knot.into_iter().collect();
        // Inside a strongly connected component every walk along its edges meets itself.
        let (mut path, mut places) = (Vec::new(), HashMap::new());
        let mut here: NodeIndex<u32> = first;
        loop {
            if let Some(start) = places.insert(here, path.len()) {
                return Some(path.split_off(start));
            }
            path.push(here.index());
            here = self.edges.neighbors(here).filter(|next| knot.contains(next)).min()?;
        }
    }
}

/// The candidate nearest to `word`, if it is near enough to be a slip of the finger.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= word.len().max(candidate.len()).div_ceil(3).min(word.len().saturating_sub(1))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Gate, Step};

    fn plan(edges: &[(&str, &[&str])]) -> Sequence {
        let steps = edges.iter().map(|(id, needs)| {
            let mut step = Step::new(id.parse().unwrap());
            step.depends_on = needs.iter().map(|need| need.parse().unwrap()).collect();
            step
        });
        Sequence { steps: steps.collect(), ..Sequence::default() }
    }

    #[test]
    fn a_cycle_is_named_whole() {
        let error = Graph::build(&plan(&[("a", &["c"]), ("b", &["a"]), ("c", &["b"]), ("d", &["a"])])).unwrap_err();
        assert_eq!(error.to_string(), "these depend on each other in a circle: `a` → `b` → `c` → `a`");
        let error = Graph::build(&plan(&[("a", &["a"])])).unwrap_err();
        assert_eq!(error.to_string(), "these depend on each other in a circle: `a` → `a`");
    }

    #[test]
    fn an_unknown_dependency_has_a_nearest() {
        let error = Graph::build(&plan(&[("build", &[]), ("test", &["biuld"])])).unwrap_err();
        assert_eq!(error.hint().unwrap(), "did you mean `build`?");
    }

    #[test]
    fn long_chains_and_wide_fans_are_cheap() {
        const MANY: usize = 200_000;
        let mut plan = Sequence::default();
        for at in 0..MANY {
            let mut step = Step::new(format!("s{at}").parse().unwrap());
            step.depends_on = [0, at.saturating_sub(1)].iter().map(|need| format!("s{need}").parse().unwrap()).collect();
            plan.steps.push(step);
        }
        plan.steps[0].depends_on.clear();
        let graph = Graph::build(&plan).unwrap();
        assert_eq!((graph.downstream(0).len(), graph.needs(1)), (MANY - 1, vec![0]));
        plan.steps[0].depends_on.push(format!("s{}", MANY - 1).parse().unwrap());
        assert!(Graph::build(&plan).unwrap_err().to_string().contains("more"));
    }

    #[test]
    fn downstream_is_transitive() {
        let mut plan = plan(&[("a", &[]), ("b", &["a"]), ("c", &["g"]), ("d", &[])]);
        let mut gate = Gate::new("g".parse().unwrap());
        gate.depends_on = vec!["b".parse().unwrap()];
        plan.gates.push(gate);
        let graph = Graph::build(&plan).unwrap();
        assert_eq!(graph.downstream(0), [1, 4, 2]);
        assert_eq!(graph.node(4), Node::Gate(0));
    }
}
