//! Runs in numbers: gathering what `seqctl metrics` and run.json say of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    call::{Engine, GATE_WAITS},
    crew,
    excerpt::{LIMIT, read_part},
    query::last_attempt,
    view::View,
};
use crate::{
    action::query::{self, Logs},
    audit::{self, Entry},
    clock,
    error::Error,
    model::{
        AgentWork, Agreement, FanoutUse, Id, Latency, Metrics, Node, Resolved, Step, StepStatus, Thread, ThreadType, Usage, Work,
    },
    runner::SpecFile,
    store::{AttemptStatus, Paths, Run, file, list_runs, runs},
};

impl Engine {
    /// All runs in numbers, or one.
    pub(super) fn metrics(&self, view: &View, args: &query::Metrics) -> Result<Metrics, Error> {
        match &args.run {
            Some(run) => of_runs(self.paths(), view, &[Run::read(self.paths(), run)?]),
            None => of_runs(self.paths(), view, &list_runs(self.paths())?),
        }
    }
}

/// What is counted while attempts are looked at.
#[derive(Default)]
struct Sums {
    total: Work,
    threads: BTreeMap<usize, Work>,
    failures: BTreeMap<String, usize>,
    limits: usize,
    fanout: FanoutUse,
    usage: Option<Usage>,
    agents: BTreeMap<String, (usize, Usage)>,
    fusions: Vec<Agreement>,
}

/// Runs in numbers.
pub(super) fn of_runs(paths: &Paths, view: &View, all: &[Run]) -> Result<Metrics, Error> {
    let mut sums = Sums::default();
    let now = clock::stamp();
    let mut elapsed_ms = 0_u64;
    for run in all {
        let took = clock::ms_between(&run.started_at, run.ended_at.as_ref().unwrap_or(&now)).unwrap_or(0);
        elapsed_ms = elapsed_ms.saturating_add(took);
        for step in runs::steps(paths, &run.id)? {
            let attempts = runs::attempts(paths, &run.id, step.as_str())?;
            let ended = attempts.iter().filter_map(|&attempt| AttemptStatus::read(paths, &run.id, step.as_str(), attempt));
            sums.add(paths, view, &step, &ended.collect::<Vec<_>>());
        }
    }
    let threads = sums.threads.iter().map(|(&kind, &work)| Thread { kind: ThreadType::ALL[kind], work }).collect();
    let agents = sums.agents.into_iter().map(|(agent, (attempts, usage))| AgentWork { agent, attempts, usage }).collect();
    Ok(Metrics {
        runs: all.len(),
        elapsed_ms,
        total: sums.total,
        threads,
        failures: sums.failures,
        fanout: (sums.fanout.attempts > 0).then_some(sums.fanout),
        gates: Latency::of(&gate_waits(paths, view, all)?),
        limits: sums.limits,
        usage: sums.usage,
        agents,
        fusions: sums.fusions,
    })
}

impl Sums {
    /// Takes note of the attempts of a step in one run.
    fn add(&mut self, paths: &Paths, view: &View, step: &Id, ended: &[AttemptStatus]) {
        let Some(first) = ended.first() else { return };
        let (kind, agent) = kind_and_agent(paths, view, first);
        let place = ThreadType::ALL.iter().position(|other| *other == kind).unwrap_or_default();
        for (number, attempt) in ended.iter().enumerate() {
            // What goes on by itself has not failed.
            let is_waiting = attempt.until.is_some();
            let has_failed = attempt.status == StepStatus::Failed && !is_waiting;
            self.limits += usize::from(is_waiting);
            for work in [&mut self.total, self.threads.entry(place).or_default()] {
                work.add(number == 0, has_failed, attempt.duration_ms);
            }
            if let Some(reason) = attempt.reason.filter(|_| has_failed) {
                *self.failures.entry(reason.as_str().to_owned()).or_default() += 1;
            }
            self.add_workers(attempt);
            if let Some(agent) = &agent {
                let used = attempt.agent.usage.unwrap_or_default();
                let (attempts, usage) = self.agents.entry(agent.clone()).or_default();
                (*attempts, *usage) = (*attempts + 1, usage.plus(used));
                self.usage = [self.usage, attempt.agent.usage].into_iter().flatten().reduce(Usage::plus);
            }
        }
        let done = ended.iter().rev().find(|attempt| attempt.status != StepStatus::Failed);
        self.fusions.extend(done.and_then(|done| agreement(paths, view, step, done)));
    }

    fn add_workers(&mut self, attempt: &AttemptStatus) {
        if attempt.workers.is_empty() {
            return;
        }
        let ran = || attempt.workers.iter().filter(|end| end.attempt == attempt.attempt);
        self.fanout.attempts += 1;
        self.fanout.workers += ran().count();
        self.fanout.failed += ran().filter(|end| end.has_failed()).count();
        self.fanout.largest = self.fanout.largest.max(attempt.workers.len());
    }
}

/// The thread type of an attempt's step, and its agent unless it is a command. A step that is gone from the plan has
/// left both with its attempt.
fn kind_and_agent(paths: &Paths, view: &View, attempt: &AttemptStatus) -> (ThreadType, Option<String>) {
    if let Some(step) = step_of(view, &attempt.step) {
        let resolved = Resolved::new(&view.sequence, step);
        return (resolved.kind(), (!resolved.is_shell()).then(|| resolved.agent().to_owned()));
    }
    let folder = paths.attempt(&attempt.run, attempt.step.as_str(), attempt.attempt);
    match file::read_json::<SpecFile>(&folder.join("spec.json")) {
        Some(spec) => (spec.kind, Some(spec.agent).filter(|agent| agent != "shell")),
        None => (ThreadType::Base, None),
    }
}

/// The step of that name, without looking at every one.
fn step_of<'a>(view: &'a View, id: &Id) -> Option<&'a Step> {
    match view.graph.node(view.graph.find(id.as_str())?) {
        Node::Step(step) => view.sequence.steps.get(step),
        Node::Gate(_) => None,
    }
}

/// How long gates waited for each approval that was given while one of `all` was going on.
fn gate_waits(paths: &Paths, view: &View, all: &[Run]) -> Result<Vec<u64>, Error> {
    let Some(first) = all.iter().map(|run| run.started_at.as_str()).min().filter(|_| !view.sequence.gates.is_empty()) else {
        return Ok(Vec::new());
    };
    let during = |at: &str| {
        all.iter().any(|run| run.started_at.as_str() <= at && run.ended_at.as_ref().is_none_or(|end| at <= end.as_str()))
    };
    let is_approval = |entry: &Entry| (entry.at.as_str() >= first).then(|| entry.body.payload.get(GATE_WAITS).is_some());
    let approvals = audit::last_entries_that(&paths.audit(), usize::MAX, is_approval)?;
    let waits = approvals.iter().filter(|entry| during(&entry.at)).filter_map(|entry| entry.body.payload[GATE_WAITS].as_object());
    Ok(waits.flat_map(|waits| waits.values().filter_map(Value::as_u64)).collect())
}

/// What a synthesis kept of its candidates; nothing for another step.
fn agreement(paths: &Paths, view: &View, step: &Id, done: &AttemptStatus) -> Option<Agreement> {
    let synth = step_of(view, step).filter(|step| step.is_synthesis())?;
    let candidates = view.sequence.candidates_of(synth).filter_map(|candidate| {
        let id = candidate.id.as_str();
        let here = runs::attempts(paths, &done.run, id).ok().and_then(|attempts| attempts.last().copied());
        let (run, attempt) = match here {
            Some(attempt) => (done.run.clone(), attempt),
            None => last_attempt(paths, view, &candidate.id).and_then(|(run, attempt)| Some((run, attempt?)))?,
        };
        let ended = AttemptStatus::read(paths, &run, id, attempt).filter(|ended| ended.status != StepStatus::Failed)?;
        Some((candidate.id.clone(), work_of(paths, &ended)))
    });
    Agreement::find(step, &done.run, &work_of(paths, done), &candidates.collect::<Vec<_>>())
}

/// What an attempt made, as text: its result, and its patch.
fn work_of(paths: &Paths, ended: &AttemptStatus) -> String {
    let folder = paths.attempt(&ended.run, ended.step.as_str(), ended.attempt);
    let read = |name: &str| {
        let part = read_part(&folder.join(name), &Logs { limit: Some(LIMIT), ..Logs::of(ended.step.clone()) });
        part.map(|part| String::from_utf8_lossy(&part.bytes).into_owned()).unwrap_or_default()
    };
    let result = if !ended.workers.is_empty() {
        crew::texts(paths, ended, LIMIT / ended.workers.len() as u64).map(|(text, _)| text).unwrap_or_default()
    } else if folder.join("summary.md").exists() {
        read("summary.md")
    } else {
        read("stdout.log")
    };
    format!("{}\n{}", crate::agent::plain(&result), read("diff.patch"))
}
