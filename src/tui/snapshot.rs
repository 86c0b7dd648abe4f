//! The project as the screen shows it: one look at everything.

use std::collections::HashMap;

use crate::{
    action::{Action, graph, query},
    client::{Caller, Client, Consent, GateRow, GraphNode, GraphReport, Output, Standing, StatusReport, StepRow},
    error::Error,
    model::{GateStatus, Id, StepStatus},
};

/// A project at a moment.
pub(super) struct Snapshot {
    /// The plan with its statuses, blind to how it is drawn.
    pub(super) status: StatusReport,
    /// Nodes, edges and where they stand.
    pub(super) graph: GraphReport,
    /// When it was taken, in milliseconds since 1970.
    pub(super) at: u64,
    /// Of the plan, blind to statuses.
    pub(super) revision: String,
    nodes: HashMap<Id, usize>,
}

/// A row of the list: a step or a gate.
#[derive(Clone, Copy)]
pub(super) enum Row<'a> {
    Step(&'a StepRow),
    Gate(&'a GateRow),
}

impl Snapshot {
    /// Looks at a project.
    pub(super) fn take(client: &Client, caller: &Caller) -> Result<Self, Error> {
        loop {
            let at = crate::clock::now_ms();
            let status = client.call(caller, &Action::Status(query::Status::default()), Consent::None)?;
            let graph = client.call(caller, &Action::Graph(graph::Graph::default()), Consent::None)?;
            // Another process may change the plan between the two.
            let (Output::Status(status_report), Output::Graph(report)) = (status.output, graph.output) else {
                return Err(Error::internal("status and graph answer with themselves"));
            };
            if status.revision == graph.revision {
                let nodes = report.nodes.iter().enumerate().map(|(at, node)| (node.id.clone(), at)).collect();
                return Ok(Self {
                    status: *status_report,
                    graph: *report,
                    at,
                    revision: status.revision.unwrap_or_default(),
                    nodes,
                });
            }
        }
    }

    /// The number of a node.
    pub(super) fn find(&self, id: &Id) -> Option<usize> {
        self.nodes.get(id).copied()
    }

    /// A node by its number: the steps come first, then the gates.
    pub(super) fn node(&self, at: usize) -> &GraphNode {
        &self.graph.nodes[at]
    }

    /// What the list says of a node.
    pub(super) fn row(&self, at: usize) -> Row<'_> {
        let steps = &self.status.steps;
        if at < steps.len() { Row::Step(&steps[at]) } else { Row::Gate(&self.status.gates[at - steps.len()]) }
    }

    /// The row of a step.
    pub(super) fn step(&self, id: &Id) -> Option<&StepRow> {
        match self.row(self.find(id)?) {
            Row::Step(row) => Some(row),
            Row::Gate(_) => None,
        }
    }

    /// The row of a gate.
    pub(super) fn gate(&self, id: &Id) -> Option<&GateRow> {
        match self.row(self.find(id)?) {
            Row::Gate(row) => Some(row),
            Row::Step(_) => None,
        }
    }
}

impl Snapshot {
    /// Whether a step runs.
    pub(super) fn is_anything_running(&self) -> bool {
        self.status.steps.iter().any(|row| row.status == StepStatus::Running)
    }

    /// How a node stands, a gate like the step that its status would be.
    pub(super) fn status_of(&self, at: usize) -> StepStatus {
        match self.node(at).state {
            Standing::Step(status) => status,
            Standing::Gate(GateStatus::Pending) => StepStatus::NeedsReview,
            Standing::Gate(GateStatus::Approved) => StepStatus::Done,
            Standing::Gate(GateStatus::Blocked) => StepStatus::Failed,
        }
    }

    /// How long a node has taken by `now`.
    pub(super) fn duration_ms(&self, at: usize, now: u64) -> Option<u64> {
        let node = self.node(at);
        let since = if node.status == StepStatus::Running.as_str() { now.saturating_sub(self.at) } else { 0 };
        node.duration_ms.map(|took| took + since)
    }
}

impl Snapshot {
    /// What needs a person, in the plan's order: gates to decide, reviews, failures.
    pub(super) fn needs(&self) -> Vec<usize> {
        let needs = |at: &usize| match self.row(*at) {
            Row::Gate(gate) => gate.reached && gate.status == "PENDING",
            Row::Step(step) => matches!(step.status, StepStatus::NeedsReview | StepStatus::Failed),
        };
        (0..self.graph.nodes.len()).filter(needs).collect()
    }
}

impl Snapshot {
    /// The lane of a step.
    pub(super) fn lane(&self, id: &Id) -> Option<String> {
        self.node(self.find(id)?).lane.clone()
    }
}
