//! The plan as a graph: nodes with their statuses, edges, and where everything is drawn.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::{call::Engine, diagram, output::StepRow, query::step_row, snapshot::Snapshot, view::View};
use crate::{
    action::graph::{self, Format},
    error::Error,
    layout::{Layout, TieKind},
    model::{Candidates, GateStatus, Graph, Id, Node, Orchestrator, Readiness, Sequence, State, Step, StepStatus},
};

/// A plan as a graph.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphReport {
    /// What people call the sequence.
    pub name: String,
    /// First the steps, then the gates, each in the plan's order.
    pub nodes: Vec<GraphNode>,
    /// What leads to what.
    pub edges: Vec<GraphEdge>,
    /// The graph in the language of another tool, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Where everything is drawn.
    #[serde(skip)]
    pub layout: Layout,
    /// How it is to be drawn.
    #[serde(skip)]
    pub options: graph::Graph,
}

/// What a node is.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// A step.
    Step,
    /// A step that adds and runs others.
    Orchestrator,
    /// A step that makes one result of its candidates'.
    Synthesiser,
    /// A step that watches another.
    Watchdog,
    /// A gate.
    Gate,
}

/// A step or gate in a graph.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphNode {
    /// Its name in the plan.
    pub id: Id,
    /// What people call it.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// Where it is.
    pub status: &'static str,
    /// Its column: the longest path from a root.
    pub layer: usize,
    /// Its place in its column, from the top.
    pub row: usize,
    /// What it waits for.
    pub needs: Vec<Id>,
    /// What waits for it.
    pub unlocks: Vec<Id>,
    /// The group it runs with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Id>,
    /// The row that a person gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// How many workers run it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fanout: Option<u32>,
    /// The agent of a step; `shell` for commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// How it ended, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// How long it took, or has taken so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The status as it is known to the model.
    #[serde(skip)]
    pub state: Standing,
    /// The first line of what it runs.
    #[serde(skip)]
    pub work: String,
    /// How many of its needs are not satisfied.
    #[serde(skip)]
    pub unmet: usize,
}

/// The status of a node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Of a step.
    Step(StepStatus),
    /// Of a gate.
    Gate(GateStatus),
}

/// An edge of a graph, by its meaning: the watchdog leads to what it watches.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct GraphEdge {
    /// Where it begins.
    pub from: Id,
    /// Where it leads.
    pub to: Id,
    /// need, candidate, worker or watch.
    pub kind: &'static str,
}

impl Engine {
    pub(super) fn graph(&self, view: &View, ready: &Readiness, args: &graph::Graph) -> Result<GraphReport, Error> {
        let (sequence, graph) = match &args.focus {
            None => ((*view.sequence).clone(), (*view.graph).clone()),
            Some(id) => {
                let sequence = around(view, id)?;
                let graph = Graph::build(&sequence)?;
                (sequence, graph)
            }
        };
        let layout = Layout::of(&sequence, &graph);
        let ids: Vec<Id> = sequence.ids().cloned().collect();
        let places = places(&layout);
        let named = |nodes: Vec<usize>| nodes.into_iter().map(|at| ids[at].clone()).collect();
        let nodes = (0..graph.len()).map(|at| {
            let there = view.graph.find(ids[at].as_str()).unwrap_or_default();
            let (needs, unlocks) = (named(graph.needs(at)), named(graph.dependents(at)));
            let place = (layout.column(at), places[at]);
            match graph.node(at) {
                Node::Step(index) => {
                    let stands = (ready.status(there), ready.blockers(there).len());
                    let row = step_row(self.paths(), view, ready, there);
                    step_node(&sequence.steps[index], stands, row.as_ref(), place, [needs, unlocks])
                }
                Node::Gate(index) => {
                    let status = match ready.state(there) {
                        State::Gate(status) => status,
                        _ => GateStatus::Pending,
                    };
                    let stands = (status, ready.blockers(there).len());
                    gate_node(&sequence.gates[index], stands, place, [needs, unlocks])
                }
            }
        });
        let nodes: Vec<GraphNode> = nodes.collect();
        let edges = layout.ties().iter().map(|tie| {
            let (from, to) = tie.ends();
            GraphEdge { from: ids[from].clone(), to: ids[to].clone(), kind: tie.kind.as_str() }
        });
        let name = self.name_of(view);
        let options = graph::Graph { ascii: args.ascii || view.config.ui.is_ascii, ..args.clone() };
        let mut report = GraphReport { name, nodes, edges: edges.collect(), text: None, layout, options };
        report.text = match args.format {
            Format::Mermaid => Some(diagram::mermaid(&report)),
            Format::Dot => Some(diagram::dot(&report)),
            Format::Text | Format::Json => None,
        };
        Ok(report)
    }
}

impl Snapshot {
    /// The steps and then the gates as they are drawn, where `layout` is of the same plan.
    pub fn nodes(&self, layout: &Layout) -> Vec<GraphNode> {
        let ids: Vec<&Id> = self.sequence.ids().collect();
        let places = places(layout);
        let named = |nodes: Vec<usize>| nodes.into_iter().map(|at| ids[at].clone()).collect();
        let nodes = (0..self.graph.len()).map(|at| {
            let links = [named(self.graph.needs(at)), named(self.graph.dependents(at))];
            let place = (layout.column(at), places[at]);
            match self.graph.node(at) {
                Node::Step(index) => {
                    let (step, row) = (&self.sequence.steps[index], &self.status.steps[index]);
                    step_node(step, (row.status, row.waits_for.len()), Some(row), place, links)
                }
                Node::Gate(index) => {
                    let status = GateStatus::parse(self.status.gates[index].status).unwrap_or_default();
                    gate_node(&self.sequence.gates[index], (status, 0), place, links)
                }
            }
        });
        nodes.collect()
    }
}

fn step_node(
    step: &Step,
    (status, unmet): (StepStatus, usize),
    state: Option<&StepRow>,
    (layer, row): (usize, usize),
    [needs, unlocks]: [Vec<Id>; 2],
) -> GraphNode {
    let is_synth = step.candidates().len() > 1 || step.fusion_synth == Some(crate::model::Synth::Is(true));
    let work = match (&step.command, &step.prompt) {
        (Some(command), _) => command.display(),
        (None, Some(prompt)) => prompt.clone(),
        (None, None) => step.prompt_file.clone().unwrap_or_default(),
    };
    GraphNode {
        id: step.id.clone(),
        name: step.title().to_owned(),
        kind: match step {
            step if step.is_orchestrator() => NodeKind::Orchestrator,
            step if step.watchdog_for.is_some() => NodeKind::Watchdog,
            _ if is_synth => NodeKind::Synthesiser,
            _ => NodeKind::Step,
        },
        status: status.as_str(),
        layer,
        row,
        needs,
        unlocks,
        group: step.group_id.clone(),
        lane: step.lane.clone(),
        fanout: step.fanout.filter(|workers| *workers > 1),
        agent: state.map(|state| state.agent.clone()),
        outcome: state.and_then(|state| state.outcome.clone()),
        duration_ms: state.and_then(|state| state.duration_ms),
        state: Standing::Step(status),
        work: work.lines().next().unwrap_or_default().to_owned(),
        unmet,
    }
}

fn gate_node(
    gate: &crate::model::Gate,
    (status, unmet): (GateStatus, usize),
    (layer, row): (usize, usize),
    [needs, unlocks]: [Vec<Id>; 2],
) -> GraphNode {
    GraphNode {
        id: gate.id.clone(),
        name: gate.title().to_owned(),
        kind: NodeKind::Gate,
        status: status.as_str(),
        layer,
        row,
        needs,
        unlocks,
        group: None,
        lane: None,
        fanout: None,
        agent: None,
        outcome: None,
        duration_ms: None,
        state: Standing::Gate(status),
        work: String::new(),
        unmet,
    }
}

/// The place of each node in its column, lines left out.
fn places(layout: &Layout) -> Vec<usize> {
    let mut places = vec![0; layout.len()];
    for column in 0..layout.width() {
        layout.nodes_in(column).enumerate().for_each(|(place, node)| places[node] = place);
    }
    places
}

/// The plan without what has nothing to do with a step or gate.
fn around(view: &View, id: &Id) -> Result<Sequence, Error> {
    let Some(at) = view.graph.find(id.as_str()) else {
        return Err(Error::StepNotFound { step: id.to_string(), nearest: view.sequence.nearest(id.as_str()) });
    };
    let mut kept: HashSet<usize> = view.graph.downstream(at).into_iter().chain([at]).collect();
    let mut above = vec![at];
    while let Some(here) = above.pop() {
        above.extend(view.graph.needs(here).into_iter().filter(|need| kept.insert(*need)));
    }
    // Whoever watches one of them or added it belongs to it.
    let layout = Layout::of(&view.sequence, &view.graph);
    let loose = layout.ties().iter().filter(|tie| matches!(tie.kind, TieKind::Watch | TieKind::Worker));
    let beside: Vec<usize> = loose.filter(|tie| tie.from == at || tie.to == at).flat_map(|tie| [tie.from, tie.to]).collect();
    kept.extend(beside);
    let kept: HashSet<&Id> = kept.into_iter().map(|at| view.id_of(at)).collect();
    let mut sequence = (*view.sequence).clone();
    sequence.steps.retain(|step| kept.contains(&step.id));
    sequence.gates.retain(|gate| kept.contains(&gate.id));
    for step in &mut sequence.steps {
        step.depends_on.retain(|need| kept.contains(need));
        if let Some(Candidates::Of(ids)) = &mut step.fusion_candidates {
            ids.retain(|id| kept.contains(id));
        }
        if matches!(&step.orchestrator, Some(Orchestrator::By(id)) if !kept.contains(id)) {
            step.orchestrator = None;
        }
    }
    sequence.gates.iter_mut().for_each(|gate| gate.depends_on.retain(|need| kept.contains(need)));
    Ok(sequence)
}
