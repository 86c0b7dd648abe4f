//! Runs as a whole: how one stands or ended, and removing the folders of old ones.

use serde_json::json;

use super::{
    call::Engine,
    caller::{Caller, Consent},
    confirm,
    drive::wait_words,
    launch::rest_of,
    output::{Output, RunReport, RunRow, run_row},
    query::counts,
    request,
    transact::{Draft, entry},
    view::View,
};
use crate::{
    action::{Action, run},
    error::Error,
    model::{Decision, Id, Outcome, Readiness, Reason, State, StepStatus, Usage},
    runner::scheduler::Rest,
    store::{AttemptStatus, Paths, Record, Run, RunState, is_held, list_runs, runs},
};

impl Engine {
    pub(super) fn prune(&self, caller: &Caller, action: &Action, args: &run::Prune, consent: Consent) -> Result<Output, Error> {
        let mut writer = self.writer();
        let mut removed = Vec::new();
        {
            let mut held = writer.lock()?;
            held.expect_open(caller)?;
            let checked = confirm::check(held.view(), caller, action, &confirm::describe(action, &[]), consent);
            held.or_request(caller, checked, std::slice::from_ref(action), &[])?;
            held.refresh_leases()?;
            let running: Vec<String> = held
                .view()
                .leases
                .values()
                .filter_map(|lease| lease.record.claim.as_ref())
                .map(|claim| claim.run.to_string())
                .collect();
            let old = list_runs(self.paths())?.into_iter().filter(|run| run.state == RunState::Ended).skip(args.keep);
            let old: Vec<String> = old.map(|run| run.id).filter(|run| !running.contains(run)).collect();
            if !old.is_empty() || caller.request.is_some() {
                held.transact(|_, _| {
                    let entry = entry(caller, action.name(), None, json!({"runs": old}));
                    let mut draft = Draft { entry, ..Draft::default() };
                    request::close(&mut draft, caller, None)?;
                    Ok(draft)
                })?;
            }
            for run in old {
                runs::remove(self.paths(), &run)?;
                removed.push(run);
            }
        }
        self.keep(writer);
        Ok(Output::Pruned { runs: removed })
    }
}

/// Everything about a run.
pub(super) fn run_report(paths: &Paths, view: &View, run: &Run) -> Result<RunReport, Error> {
    let order = |step: &Id| view.graph.find(step.as_str()).unwrap_or(usize::MAX);
    let mut steps = runs::steps(paths, &run.id)?;
    steps.sort_by_key(order);
    let mut attempts = Vec::new();
    for step in &steps {
        let numbers = match last_attempt(view, run, step) {
            Some(last) => (1..=last).collect(),
            None => runs::attempts(paths, &run.id, step.as_str())?,
        };
        let read = numbers.into_iter().filter_map(|attempt| AttemptStatus::read(paths, &run.id, step.as_str(), attempt));
        attempts.extend(read.map(|status| decided(view, status)));
    }
    let ready = view.readiness();
    let covered = (0..view.sequence.steps.len()).filter(|&at| view.covers(run, view.id_of(at)));
    let covered: Vec<usize> = covered.collect();
    let mut failed = failed_attempts(&attempts);
    for (step, words) in covered.iter().filter_map(|&at| super::start::failure(view, &ready, at)) {
        if failed.iter().all(|(other, _)| *other != step) {
            failed.push((step, words));
        }
    }
    // Where to look first: at what failed, not at what was stopped because of it.
    let reason = |step: &Id| attempts.iter().rfind(|attempt| attempt.step == *step).and_then(|last| last.reason);
    failed.sort_by_cached_key(|(step, _)| reason(step) == Some(Reason::FailFast));
    let is_whole = run.state == RunState::Ended && run.what.steps().is_none() && !run.stopped;
    let stuck = is_whole.then(|| covered.iter().find_map(|&at| super::start::stuck(view, &ready, at))).flatten();
    let statuses: Vec<StepStatus> = covered.into_iter().map(|at| status_in(view, &ready, at, &attempts)).collect();
    let row = row(paths, Some(view), run);
    let usage = attempts.iter().filter_map(|attempt| attempt.agent.usage).reduce(Usage::plus);
    Ok(RunReport { run: row, counts: counts(&statuses), failed, stuck, usage, attempts, folder: paths.run(&run.id) })
}

/// The last attempt of a step in a run, if its record is of that run: the folder need not be listed then.
fn last_attempt(view: &View, run: &Run, step: &Id) -> Option<u32> {
    let record = view.records.get(step).filter(|_| !view.leases.contains_key(step))?;
    record.claim.as_ref().filter(|claim| claim.run == run.id).and(record.exit.as_ref()).map(|exit| exit.attempt)
}

/// A run in a list. What a waiting one waits for is what it would wait for now: what a person restarts meanwhile
/// needs no review.
pub(super) fn row(paths: &Paths, view: Option<&View>, run: &Run) -> RunRow {
    let row = run_row(run, is_held(&paths.runner(&run.id)));
    let Some(view) = view.filter(|_| run.state == RunState::Waiting) else { return row };
    if row.waits_for.iter().any(|what| what.starts_with(super::COST_LIMIT)) {
        return row;
    }
    let waits_for = match rest_of(paths, view, run) {
        Rest::Waiting(nodes) => nodes.into_iter().map(|at| wait_words(view, at)).collect(),
        Rest::Busy => running(view, run).map(|id| format!("the end of `{id}`")).collect(),
        Rest::Held => return row,
        Rest::Over => Vec::new(),
    };
    RunRow { waits_for, ..row }
}

/// The steps of a run that are being executed, by whatever run.
fn running<'v>(view: &'v View, run: &Run) -> impl Iterator<Item = &'v Id> {
    let steps = view.sequence.steps.iter().enumerate().filter(|(at, _)| view.state(*at) == State::Running);
    steps.map(|(_, step)| &step.id).filter(|id| run.covers(id))
}

/// How an attempt stands after what a person decided about it.
fn decided(view: &View, attempt: AttemptStatus) -> AttemptStatus {
    let record = view.records.get(&attempt.step);
    let is_its = |record: &&Record| record.claim.as_ref().is_some_and(|claim| claim.run == attempt.run);
    let is_reviewed = |record: &&Record| {
        let decision = record.decision.as_ref().map(|decided| decided.decision);
        matches!(decision, Some(Decision::Accept | Decision::Reject)) && record.attempt() == attempt.attempt
    };
    match record.filter(is_its).filter(is_reviewed).and_then(Record::outcome) {
        Some(Outcome { status, reason, note, .. }) => AttemptStatus { status, reason, note, ..attempt },
        None => attempt,
    }
}

/// The status that a step ended with in a run; the present one where it did not, or has begun again.
fn status_in(view: &View, ready: &Readiness, at: usize, attempts: &[AttemptStatus]) -> StepStatus {
    let last = attempts.iter().rev().find(|attempt| attempt.step == *view.id_of(at));
    match (ready.status(at), last) {
        (StepStatus::Running, _) | (_, None) => ready.status(at),
        (_, Some(last)) => last.status,
    }
}

/// The steps whose last attempt in a run failed, with its outcome in words.
fn failed_attempts(attempts: &[AttemptStatus]) -> Vec<(Id, String)> {
    let mut failed: Vec<(Id, String)> = Vec::new();
    for attempt in attempts {
        failed.retain(|(step, _)| *step != attempt.step);
        if attempt.status == StepStatus::Failed && attempt.until.is_none() {
            failed.push((attempt.step.clone(), attempt.outcome().explained()));
        }
    }
    failed
}
