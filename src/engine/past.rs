//! Runs as a whole: how one stands or ended, and removing the folders of old ones.

use super::{
    call::Engine,
    caller::{Caller, Consent},
    confirm,
    output::{Output, RunReport, run_row},
    query::counts,
    view::View,
};
use crate::{
    action::{Action, run},
    error::Error,
    model::{Id, Reason, StepStatus, Usage},
    store::{AttemptStatus, Paths, Run, RunState, is_held, list_runs, runs},
};

impl Engine {
    pub(super) fn prune(&self, caller: &Caller, action: &Action, args: &run::Prune, consent: Consent) -> Result<Output, Error> {
        let mut writer = self.writer();
        let mut removed = Vec::new();
        {
            let mut held = writer.lock()?;
            confirm::check(held.view(), caller, action, &confirm::describe(action, &[]), consent)?;
            held.refresh_leases()?;
            let running: Vec<String> = held
                .view()
                .leases
                .values()
                .filter_map(|lease| lease.record.claim.as_ref())
                .map(|claim| claim.run.clone())
                .collect();
            let old = list_runs(self.paths())?.into_iter().filter(|run| run.state == RunState::Ended).skip(args.keep);
            let old: Vec<String> = old.map(|run| run.id).filter(|run| !running.contains(run)).collect();
            if !old.is_empty() {
                held.note(caller, action.name(), None, serde_json::json!({"runs": old}), true)?;
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
        for attempt in runs::attempts(paths, &run.id, step.as_str())? {
            attempts.extend(AttemptStatus::read(paths, &run.id, step.as_str(), attempt));
        }
    }
    let ready = view.readiness();
    let covered = (0..view.sequence.steps.len()).filter(|&at| run.covers(view.id_of(at)));
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
    let statuses: Vec<StepStatus> = covered.into_iter().map(|at| ready.status(at)).collect();
    let row = run_row(run, is_held(&paths.runner(&run.id)));
    let usage = attempts.iter().filter_map(|attempt| attempt.agent.usage).reduce(Usage::plus);
    Ok(RunReport { run: row, counts: counts(&statuses), failed, stuck, usage, attempts, folder: paths.run(&run.id) })
}

/// The steps whose last attempt in a run failed, with its outcome in words.
fn failed_attempts(attempts: &[AttemptStatus]) -> Vec<(Id, String)> {
    let mut failed: Vec<(Id, String)> = Vec::new();
    for attempt in attempts {
        failed.retain(|(step, _)| *step != attempt.step);
        if attempt.status == StepStatus::Failed {
            failed.push((attempt.step.clone(), attempt.outcome().explained()));
        }
    }
    failed
}
