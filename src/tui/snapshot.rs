//! The project as the screen shows it: what the client tells, and where it is drawn.

use std::{collections::HashMap, sync::Arc};

use crate::{
    client::{self, GateRow, GraphNode, Need, Standing, StatusReport, StepRow},
    layout::Layout,
    model::{GateStatus, Id, StepStatus},
};

/// A project at a moment.
pub(super) struct Snapshot {
    /// What the client told.
    pub(super) project: Arc<client::Snapshot>,
    /// Nodes and where they stand.
    pub(super) graph: Drawing,
    /// When it was taken, in milliseconds since 1970.
    pub(super) at: u64,
    numbers: Arc<HashMap<Id, usize>>,
}

/// The nodes of a plan and their places.
pub(super) struct Drawing {
    /// First the steps, then the gates, each in the plan's order.
    pub(super) nodes: Vec<GraphNode>,
    pub(super) layout: Arc<Layout>,
}

/// A row of the list: a step or a gate.
#[derive(Clone, Copy)]
pub(super) enum Row<'a> {
    Step(&'a StepRow),
    Gate(&'a GateRow),
}

/// Finds the places of a plan's nodes, once for each plan.
#[derive(Default)]
pub(super) struct Surveyor {
    /// The revision of the last plan, where its nodes stand, and their numbers.
    last: Option<(String, Arc<Layout>, Numbers)>,
}

/// The number of each step and gate.
type Numbers = Arc<HashMap<Id, usize>>;

impl Surveyor {
    /// The project with the places of its nodes.
    pub(super) fn survey(&mut self, project: Arc<client::Snapshot>) -> Snapshot {
        let last = self.last.take().filter(|(revision, ..)| *revision == project.revision);
        let (revision, layout, numbers) = last.unwrap_or_else(|| {
            let numbers = project.sequence.ids().enumerate().map(|(at, id)| (id.clone(), at)).collect();
            (project.revision.clone(), Arc::new(Layout::of(&project.sequence, &project.graph)), Arc::new(numbers))
        });
        self.last = Some((revision, Arc::clone(&layout), Arc::clone(&numbers)));
        let passed = u64::try_from(project.taken.elapsed().as_millis()).unwrap_or(u64::MAX);
        let at = crate::clock::now_ms().saturating_sub(passed);
        Snapshot { graph: Drawing { nodes: project.nodes(&layout), layout }, project, at, numbers }
    }
}

impl Snapshot {
    /// The plan with its statuses, blind to how it is drawn.
    pub(super) fn status(&self) -> &StatusReport {
        &self.project.status
    }

    /// What needs a person, what holds up the most first.
    pub(super) fn needs(&self) -> &[Need] {
        &self.project.needs
    }

    /// The node that a need is about; none where it is about something else.
    pub(super) fn node_of(&self, need: &Need) -> Option<usize> {
        self.numbers.get(need.id.as_deref()?).copied()
    }

    /// The number of a node.
    pub(super) fn find(&self, id: &Id) -> Option<usize> {
        self.numbers.get(id).copied()
    }

    /// A node by its number: the steps come first, then the gates.
    pub(super) fn node(&self, at: usize) -> &GraphNode {
        &self.graph.nodes[at]
    }

    /// What the list says of a node.
    pub(super) fn row(&self, at: usize) -> Row<'_> {
        let steps = &self.status().steps;
        if at < steps.len() { Row::Step(&steps[at]) } else { Row::Gate(&self.status().gates[at - steps.len()]) }
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
        self.status().steps.iter().any(|row| row.status == StepStatus::Running)
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
    /// The lane of a step.
    pub(super) fn lane(&self, id: &Id) -> Option<String> {
        self.node(self.find(id)?).lane.clone()
    }
}
