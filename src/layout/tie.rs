//! The edges of the drawing: dependencies, and the looser ties of watchdogs and orchestrators.

use std::collections::HashSet;

use crate::model::{Graph, Id, Node, Orchestrator, Sequence, Step, Synth};

/// What an edge means.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TieKind {
    /// The right one waits for the left one.
    Need,
    /// The right one synthesises the left one, and waits for it.
    Candidate,
    /// The left one added the right one.
    Worker,
    /// The left one watches the right one.
    Watch,
}

impl TieKind {
    /// Whether it holds anything back, or is only to be seen.
    pub const fn is_dependency(self) -> bool {
        matches!(self, Self::Need | Self::Candidate)
    }

    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Need => "need",
            Self::Candidate => "candidate",
            Self::Worker => "worker",
            Self::Watch => "watch",
        }
    }
}

/// An edge from a node to one further right. Numbers are nodes of the graph.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tie {
    /// The left end.
    pub from: usize,
    /// The right end.
    pub to: usize,
    /// What it means.
    pub kind: TieKind,
    /// Whether it points to the left: an orchestrator that comes after its step.
    pub is_backward: bool,
}

impl Tie {
    /// The node it comes from by its meaning, and the one it leads to.
    pub const fn ends(&self) -> (usize, usize) {
        if self.is_backward { (self.to, self.from) } else { (self.from, self.to) }
    }
}

/// All edges of a plan by their meaning, those that hold nothing back last.
pub(super) fn of(sequence: &Sequence, graph: &Graph) -> Vec<Tie> {
    let mut ties = Vec::new();
    for to in 0..graph.len() {
        let step = step(sequence, graph, to);
        for from in graph.needs(to) {
            let is_candidate = step.is_some_and(|synth| is_candidate(synth, self::step(sequence, graph, from)));
            let kind = if is_candidate { TieKind::Candidate } else { TieKind::Need };
            ties.push(Tie { from, to, kind, is_backward: false });
        }
    }
    ties.extend(soft(sequence, graph));
    ties
}

/// The edges of a drawing and an order of its nodes in which each leads forward.
pub(super) fn forward(nodes: usize, ties: &[Tie]) -> (Vec<Tie>, Vec<usize>) {
    let (mut hard, mut soft): (Vec<Tie>, Vec<Tie>) = ties.iter().partition(|tie| tie.kind.is_dependency());
    if soft.is_empty() {
        let order = in_order(nodes, &hard);
        return (hard, order);
    }
    let known: HashSet<(usize, usize)> = hard.iter().map(|tie| (tie.from, tie.to)).collect();
    soft.retain(|tie| !known.contains(&(tie.from, tie.to)));
    let all: Vec<Tie> = hard.iter().chain(&soft).copied().collect();
    let order = in_order(nodes, &all);
    if order.len() == nodes {
        return (all, order);
    }
    // A loose tie against the dependencies is turned round.
    let order = in_order(nodes, &hard);
    let mut place = vec![0; nodes];
    for (at, &node) in order.iter().enumerate() {
        place[node] = at;
    }
    for tie in &mut soft {
        if place[tie.from] > place[tie.to] {
            (tie.from, tie.to, tie.is_backward) = (tie.to, tie.from, true);
        }
    }
    soft.retain(|tie| !known.contains(&(tie.from, tie.to)));
    hard.extend(soft);
    (hard, order)
}

fn step<'a>(sequence: &'a Sequence, graph: &Graph, at: usize) -> Option<&'a Step> {
    match graph.node(at) {
        Node::Step(index) => sequence.steps.get(index),
        Node::Gate(_) => None,
    }
}

/// Whether `synth` makes one thing out of `step` and others.
fn is_candidate(synth: &Step, step: Option<&Step>) -> bool {
    let Some(step) = step else { return false };
    let is_synth = synth.fusion_synth == Some(Synth::Is(true)) || !synth.candidates().is_empty();
    synth.candidates().contains(&step.id)
        || step.fusion_synth == Some(Synth::By(synth.id.clone()))
        || (is_synth && step.fusion_candidates == Some(crate::model::Candidates::Is(true)))
}

fn soft(sequence: &Sequence, graph: &Graph) -> Vec<Tie> {
    let tie = |from: &Id, to: &Id, kind| {
        let (from, to) = (graph.find(from.as_str())?, graph.find(to.as_str())?);
        (from != to).then_some(Tie { from, to, kind, is_backward: false })
    };
    let mut ties = Vec::new();
    for step in &sequence.steps {
        ties.extend(step.watchdog_for.as_ref().and_then(|watched| tie(&step.id, watched, TieKind::Watch)));
        if let Some(Orchestrator::By(orchestrator)) = &step.orchestrator {
            ties.extend(tie(orchestrator, &step.id, TieKind::Worker));
        }
    }
    let mut seen = HashSet::new();
    ties.retain(|tie| seen.insert((tie.from, tie.to)));
    ties
}

/// The nodes in an order in which every tie leads forward; those of circles are left out.
fn in_order(nodes: usize, ties: &[Tie]) -> Vec<usize> {
    let (mut waits, mut next) = (vec![0_usize; nodes], vec![Vec::new(); nodes]);
    for tie in ties {
        waits[tie.to] += 1;
        next[tie.from].push(tie.to);
    }
    let mut order: Vec<usize> = (0..nodes).filter(|&node| waits[node] == 0).collect();
    let mut at = 0;
    while at < order.len() {
        for &to in &next[order[at]] {
            waits[to] -= 1;
            if waits[to] == 0 {
                order.push(to);
            }
        }
        at += 1;
    }
    order
}
