//! What the workers of a fan-out leave: their folders, and what is made of them.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

use super::{
    SpecFile, artifact,
    finish::{Left, complete, read_report},
};
use crate::{
    agent::Report,
    error::Error,
    model::{Fanout, Id, Outcome, Products, Reason, StepStatus, WorkerEnd},
    store::{AttemptStatus, Exit, Paths, file},
};

/// What stands in a glob for the number of a worker, whose files then are its own.
const INDEX: &str = "$THREADOS_WORKER_INDEX";

/// The most of the final texts of all workers that is kept together, in bytes.
const TEXTS: usize = 256 * 1024;

/// Makes the folder of a worker, with the prompt that it had in the first attempt; else with that of the step.
pub(super) fn begin_folder(folder: &Path, first: &Path, step: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let prompt = folder.join("prompt.md");
    if !prompt.exists() && fs::hard_link(first.join("prompt.md"), &prompt).is_err() {
        fs::hard_link(step.join("prompt.md"), &prompt)?;
    }
    Ok(())
}

/// The globs of what a step makes: of a fan-out those of each worker in the place of the one that names its number.
pub(super) fn globs(artifacts: &[String], fanout: Option<Fanout>) -> Vec<String> {
    let workers = fanout.map_or(0, |fanout| fanout.workers);
    let shared = artifacts.iter().filter(|glob| workers == 0 || !glob.contains(INDEX)).cloned();
    shared.chain((1..=workers).flat_map(|worker| own_globs(artifacts, worker))).collect()
}

/// The globs of what one worker makes.
fn own_globs(artifacts: &[String], worker: u32) -> Vec<String> {
    let own = artifacts.iter().filter(|glob| glob.contains(INDEX));
    own.map(|glob| glob.replace(INDEX, &worker.to_string())).collect()
}

/// Takes note in the folder of each worker who ran of the files that are its own. `root` is that of the project, with
/// its links resolved.
pub(super) fn collect(paths: &Paths, root: &Path, spec: &SpecFile, attempt: u32) {
    for worker in 1..=spec.fanout.map_or(0, |fanout| fanout.workers) {
        let folder = paths.worker(&spec.run, spec.step.as_str(), attempt, worker);
        let globs = own_globs(&spec.artifacts, worker);
        let Some(status) = AttemptStatus::read_in(&folder).filter(|_| !globs.is_empty()) else { continue };
        let mut products = Products::default();
        artifact::collect(root, &spec.cwd, &globs, &mut products);
        if let Ok(bytes) = file::pretty(&AttemptStatus { products, ..status }) {
            // The files stand in the status of the step as well.
            let _ = file::replace(&folder.join("status.json"), &bytes);
        }
    }
}

/// A worker whose turn did not come.
pub(super) fn never_started(worker: u32, attempt: u32, because: &Outcome) -> WorkerEnd {
    let failed = Outcome::failed(because.reason.unwrap_or(Reason::OrphanedProcess), Some("never started".into()));
    WorkerEnd::new(worker, attempt, Outcome { until: because.until.clone(), ..failed }, 0, None)
}

/// What the agents of all workers say: their texts below each other, and what those took together who ran in
/// `attempt`.
pub(super) fn merge(paths: &Paths, run: &str, step: &Id, attempt: u32, ends: &[WorkerEnd]) -> Report {
    let mut report = Report::default();
    let room = TEXTS / ends.len().max(1);
    for end in ends {
        let folder = paths.worker(run, step.as_str(), end.attempt, end.worker);
        let summary = file::read_if_there(&folder.join("summary.md")).ok().flatten().unwrap_or_default();
        if !summary.is_empty() {
            let text = String::from_utf8_lossy(&summary);
            let text = &text[..text.floor_char_boundary(room)];
            report.text.push_str(&format!("## Worker {} of {}\n\n{}\n\n", end.worker, ends.len(), text.trim_end()));
        }
        let Some(status) = AttemptStatus::read_in(&folder).filter(|_| end.attempt == attempt) else { continue };
        let facts = &mut report.facts;
        facts.usage = [facts.usage, status.agent.usage].into_iter().flatten().reduce(crate::model::Usage::plus);
        facts.turns = facts.turns.or(status.agent.turns.map(|_| 0)).map(|turns| turns + status.agent.turns.unwrap_or(0));
        facts.model = facts.model.take().or(status.agent.model);
        facts.denials.extend(status.agent.denials);
        facts.limit = facts.limit.take().or(status.agent.limit);
    }
    report
}

/// The workers of an attempt whose supervisor was killed, as far as can be known. `first` is the attempt that the
/// claim began with. Completes the folders of those who ran.
pub(super) fn recall(
    paths: &Paths,
    run: &str,
    step: &Id,
    exit: &Exit,
    first: u32,
    spec: &SpecFile,
) -> Result<Vec<WorkerEnd>, Error> {
    let mut ends = spec.workers.clone();
    let was_done = |worker: &u32| spec.workers.iter().any(|end| end.worker == *worker);
    for worker in (1..=spec.fanout.map_or(0, |fanout| fanout.workers)).filter(|worker| !was_done(worker)) {
        let folder = paths.worker(run, step.as_str(), exit.attempt, worker);
        let known = (first..=exit.attempt).rev().find_map(|attempt| {
            let status = AttemptStatus::read_in(&paths.worker(run, step.as_str(), attempt, worker))?;
            // Who failed in an earlier attempt was to run again.
            (attempt == exit.attempt || status.status != StepStatus::Failed).then_some(status)
        });
        if let Some(status) = known {
            ends.push(WorkerEnd::new(worker, status.attempt, status.outcome(), status.duration_ms, status.agent.usage));
        } else if folder.join("stdout.log").exists() {
            let outcome = if exit.outcome.status == StepStatus::Done {
                exit.outcome.clone()
            } else {
                Outcome::failed(exit.outcome.reason.unwrap_or(Reason::OrphanedProcess), Some("its end was not seen".into()))
            };
            let report = read_report(&folder, spec.output);
            let end = WorkerEnd::new(worker, exit.attempt, outcome.clone(), exit.ms, report.facts.usage);
            let left = Left { report, worker: Some(worker), ..Left::default() };
            complete(paths, run, step, &Exit { outcome, ..exit.clone() }, &left)?;
            ends.push(end);
        } else {
            ends.push(never_started(worker, exit.attempt, &exit.outcome));
        }
    }
    ends.sort_by_key(|end| end.worker);
    Ok(ends)
}
