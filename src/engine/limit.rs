//! Steps that met their provider's usage limit: until when they wait, who goes on with them, and how.

use jiff::Timestamp;

use super::{crew, view::View};
use crate::{
    clock,
    model::{Id, Node, Resolved, Step, StepStatus, WorkerEnd},
    runner::{Leftover, SpecFile},
    store::{AttemptStatus, Claim, Exit, Paths, Record, Resume, Run, file},
};

/// What an agent is told that goes on with its session.
const GO_ON: &str = "The usage limit that interrupted you is over. Go on with your task where you stopped.";

impl View {
    /// The record of a step whose last attempt met a usage limit and that goes on by itself.
    pub(super) fn limited(&self, id: &Id) -> Option<&Record> {
        let record = match self.leases.get(id) {
            Some(lease) if lease.is_held || !matches!(lease.leftover, Leftover::Complete | Leftover::Void) => return None,
            Some(lease) if lease.leftover == Leftover::Complete => &lease.record,
            _ => self.records.get(id)?,
        };
        record.limited().map(|_| record)
    }

    /// Until when a step waits for the end of a usage limit; the past where that is over.
    pub(super) fn waits_until(&self, id: &Id) -> Option<Timestamp> {
        let until = self.limited(id)?.limited()?.outcome.until.as_ref()?;
        // What cannot be read keeps nobody waiting.
        Some(until.parse().unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// The steps that wait for the end of a usage limit, and until when.
    pub(super) fn waits(&self) -> impl Iterator<Item = (usize, Timestamp)> {
        (0..self.graph.len())
            .filter(|&at| matches!(self.graph.node(at), Node::Step(_)))
            .filter_map(|at| Some((at, self.waits_until(self.id_of(at))?)))
    }

    /// When the next step may start that waits at `now`.
    pub(super) fn next_end_of_limit(&self, now: Timestamp) -> Option<Timestamp> {
        self.waits().map(|(_, until)| until).filter(|until| *until > now).min()
    }

    /// Whether something has to be committed before a step can start again.
    pub(super) fn has_limit_to_commit(&self) -> bool {
        self.leases
            .values()
            .any(|lease| !lease.is_held && lease.leftover == Leftover::Complete && lease.record.limited().is_some())
    }
}

/// The step as it starts now: with another agent, if its own met its limit and the plan names one, until that limit is over and
/// the other has met its own. What the step adds to the command line is meant for its own agent.
pub(super) fn acting(view: &View, step: &Step) -> Step {
    let substitute = Resolved::new(&view.sequence, step).substitute().filter(|_| view.limited(&step.id).is_some());
    match substitute {
        Some(_) if own_reset(view, step).is_some_and(|at| at <= clock::now()) => step.clone(),
        Some(agent) => Step { model: Some(agent.to_owned()), agent_args: Vec::new(), ..step.clone() },
        None => step.clone(),
    }
}

/// When the limit of a step's own agent is over, where the last that met one was the agent that stands in for it. Nothing where
/// nobody said so.
pub(super) fn own_reset(view: &View, step: &Step) -> Option<Timestamp> {
    let paths = Paths::at(&view.real_root);
    let met = interrupted(&paths, view, &step.id).filter(|met| met.spec.stands_in)?;
    for attempt in (1..met.exit.attempt).rev() {
        let folder = paths.attempt(&met.claim.run, step.id.as_str(), attempt);
        let spec: SpecFile = file::read_json(&folder.join("spec.json"))?;
        let limit = AttemptStatus::read_in(&folder)?.agent.limit?;
        if !spec.stands_in {
            return limit.resets_at?.parse().ok();
        }
    }
    None
}

/// Whether `acting`, as which a step starts now, has another agent than its own, and when the limit of that is over.
pub(super) fn stand_in(view: &View, step: &Step, acting: &Step) -> (bool, Option<String>) {
    let stands_in = acting.model != step.model;
    let reset = || {
        // Its own agent met the limit in the last attempt, or in one before those of the other.
        let paths = Paths::at(&view.real_root);
        let met = interrupted(&paths, view, &step.id).filter(|met| !met.spec.stands_in);
        let last = met.and_then(|met| AttemptStatus::read(&paths, &met.claim.run, step.id.as_str(), met.exit.attempt));
        last.map_or_else(|| own_reset(view, step).map(clock::rfc3339), |last| last.agent.limit?.resets_at)
    };
    (stands_in, stands_in.then(reset).flatten())
}

/// The attempt that met a limit.
struct Interrupted<'v> {
    claim: &'v Claim,
    exit: &'v Exit,
    spec: SpecFile,
}

impl Interrupted<'_> {
    /// How many of the step's retries were left in it.
    fn retries(&self) -> u32 {
        self.spec.retries.saturating_sub(self.exit.attempt.saturating_sub(self.claim.attempt))
    }

    /// How its workers ended.
    fn workers(&self, paths: &Paths) -> Vec<WorkerEnd> {
        let status = AttemptStatus::read(paths, &self.claim.run, self.claim.step.as_str(), self.exit.attempt);
        status.map(|status| status.workers).unwrap_or_default()
    }
}

fn interrupted<'v>(paths: &Paths, view: &'v View, step: &Id) -> Option<Interrupted<'v>> {
    let record = view.limited(step)?;
    let (claim, exit) = (record.claim.as_deref()?, record.limited()?);
    let spec = file::read_json(&paths.attempt(&claim.run, step.as_str(), exit.attempt).join("spec.json"))?;
    Some(Interrupted { claim, exit, spec })
}

/// The session that a step goes on with after a usage limit, if the agent that starts now left one.
pub(super) fn resume(paths: &Paths, view: &View, step: &Step) -> Option<Resume> {
    let Interrupted { claim, exit, spec } = interrupted(paths, view, &step.id)?;
    let agent = view.agents.find(Resolved::new(&view.sequence, step).agent())?;
    if spec.agent != agent.name || agent.resume.is_empty() {
        return None;
    }
    let status = AttemptStatus::read(paths, &claim.run, step.id.as_str(), exit.attempt)?;
    if spec.fanout.is_some() {
        let waiting = status.workers.iter().filter(|end| end.is_waiting());
        let workers =
            crew::sessions(paths, &spec, waiting, |status| status.agent.limit.as_ref().is_some_and(|limit| limit.began));
        return (!workers.is_empty()).then(|| Resume { session: String::new(), message: GO_ON.into(), spent: None, workers });
    }
    // Some keep no session in which nothing was done.
    let session = status.agent.session_id.filter(|_| status.agent.limit.is_some_and(|limit| limit.began));
    let spent = super::resume::spent(paths, (&claim.run, &step.id, exit.attempt), status.agent.usage);
    session.map(|session| Resume { session, message: GO_ON.into(), spent, workers: Vec::new() })
}

/// The workers of a fan-out who have nothing left to do after a usage limit: those who ended well, and those who failed
/// otherwise and have no retry left. In another run, or with another number of workers, all begin again.
pub(super) fn finished(paths: &Paths, view: &View, run: &Run, step: &Step) -> Vec<WorkerEnd> {
    let workers = Resolved::new(&view.sequence, step).workers();
    let of_this = |met: &Interrupted<'_>| met.claim.run == run.id && met.spec.fanout.map(|fanout| fanout.workers) == workers;
    let Some(met) = interrupted(paths, view, &step.id).filter(|met| workers.is_some() && of_this(met)) else {
        return Vec::new();
    };
    let is_final = met.retries() == 0;
    let mut ends = met.workers(paths);
    ends.retain(|end| end.status != StepStatus::Failed || (is_final && end.has_failed()));
    ends
}

/// How many of a step's retries are left: a usage limit takes none, and gives none back. A worker of a fan-out that failed
/// while another met the limit is tried again with it.
pub(super) fn retries(paths: &Paths, view: &View, step: &Step) -> u32 {
    let all = Resolved::new(&view.sequence, step).retries();
    let Some(met) = interrupted(paths, view, &step.id) else { return all };
    let is_taken = met.workers(paths).iter().any(WorkerEnd::has_failed);
    met.retries().saturating_sub(u32::from(is_taken)).min(all)
}
