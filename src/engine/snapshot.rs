//! Everything that a face shows of a project, as it stood at one moment.

use std::{collections::HashMap, sync::Arc, time::Instant};

use super::{
    attention::Need,
    call::Engine,
    output::{GroupRow, StatusReport, StepRow},
    progress::{Durations, progress},
    query::{group_rows, step_row_with, used},
};
use crate::{
    error::Error,
    model::{Graph, Sequence, Usage},
    store::{Paths, Ui},
};

/// A project at one moment. It stays as it is, whatever happens to the files.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When it was taken; what runs has been running longer by as much as has passed since.
    pub taken: Instant,
    /// The plan's revision, blind to statuses.
    pub revision: String,
    /// SHA-256 of sequence.yaml: another one is another text, if only in a status or comment.
    pub sha: String,
    /// The plan. Two snapshots of the same text have the same one.
    pub sequence: Arc<Sequence>,
    /// What leads to what; its nodes are the steps and then the gates.
    pub graph: Arc<Graph>,
    /// Name, mode, counts, steps, gates, open runs, and how far these have come.
    pub status: StatusReport,
    /// What needs a person, what holds up the most first.
    pub needs: Vec<Need>,
    /// The groups.
    pub groups: Vec<GroupRow>,
    /// What the last attempts of all agents' steps took together.
    pub usage: Option<Usage>,
    /// How many slots are taken, and how many there are; nothing where the policy cannot be read.
    pub slots: Option<(u32, u32)>,
    /// What config.yaml says of how things are shown.
    pub ui: Ui,
    /// What a person should know beside it.
    pub warnings: Vec<String>,
}

/// Takes snapshots, and remembers what does not change between them.
pub struct Observer {
    engine: Engine,
    /// What attempts took, by their claim and number.
    used: HashMap<(String, u32), Option<Usage>>,
    durations: Option<(String, Durations)>,
    last: Option<(String, Arc<Sequence>, Arc<Graph>)>,
}

impl Observer {
    /// An observer of a project.
    pub fn new(paths: Paths) -> Self {
        Self { engine: Engine::new(paths), used: HashMap::new(), durations: None, last: None }
    }

    /// The project as it stands.
    ///
    /// # Errors
    /// Those of a plan that cannot be read, with its line.
    pub fn look(&mut self) -> Result<Snapshot, Error> {
        let taken = Instant::now();
        let view = self.engine.view()?;
        let ready = view.readiness();
        let paths = self.engine.paths();
        let known = &mut self.used;
        let mut usage_of = |claim: &crate::store::Claim, attempt: u32| {
            *known.entry((claim.nonce.to_string(), attempt)).or_insert_with(|| used(paths, claim, attempt))
        };
        let rows = (0..view.sequence.steps.len()).filter_map(|at| step_row_with(paths, &view, &ready, at, &mut usage_of));
        let steps: Vec<StepRow> = rows.collect();
        let pending = self.engine.pending(&view, &ready)?;
        let needs = self.engine.needs(&view, &ready, &pending);
        let runs = self.engine.going_on()?;
        let progress = (!runs.is_empty()).then(|| {
            let durations = match self.durations.take().filter(|(sha, _)| *sha == view.sha) {
                Some((_, durations)) => durations,
                None => Durations::gather(paths, &view),
            };
            let found = progress(&view, &ready, &durations, &runs);
            self.durations = Some((view.sha.clone(), durations));
            found
        });
        let usage = steps.iter().filter_map(|step| step.usage).reduce(Usage::plus);
        let slots = view.policy().ok().map(|policy| (view.slots_taken(), policy.max_concurrent));
        let status = self.engine.status_of(&view, &ready, steps, (&pending, &needs), progress);
        let last = self.last.take().filter(|(sha, ..)| *sha == view.sha);
        let (sha, sequence, graph) =
            last.unwrap_or_else(|| (view.sha.clone(), Arc::clone(&view.sequence), Arc::clone(&view.graph)));
        self.last = Some((sha.clone(), Arc::clone(&sequence), Arc::clone(&graph)));
        Ok(Snapshot {
            taken,
            revision: sequence.revision(),
            sha,
            groups: group_rows(&sequence),
            sequence,
            graph,
            status,
            needs,
            usage,
            slots,
            ui: view.config.ui.clone(),
            warnings: self.engine.take_warnings(),
        })
    }
}
