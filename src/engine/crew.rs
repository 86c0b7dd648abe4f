//! Looking at the workers of a fan-out: where their logs are, and what came out of them.

use std::path::{Path, PathBuf};

use super::{
    brief,
    call::Engine,
    excerpt::{LIMIT, read_part},
    log_window::{LogLine, LogWindow, Streams},
    output::{LogText, WorkerCount},
    view::View,
};
use crate::{
    action::query::Logs,
    agent::plain,
    error::Error,
    model::{Fanout, Id, Step, StepStatus, Usage, WorkerEnd},
    runner::SpecFile,
    store::{AttemptStatus, Paths, Resume, WorkerSession, file, runs, worker_folder},
};

/// How many bytes of logs are counted to know whether all of them are shown.
const COUNTED: u64 = 64 << 20;

/// How many workers ran an attempt, and how; nothing where it was no fan-out.
pub(super) fn fanout(folder: &Path) -> Option<Fanout> {
    spec(folder)?.fanout
}

fn spec(folder: &Path) -> Option<SpecFile> {
    file::read_json(&folder.join("spec.json"))
}

/// The workers whose work was done before an attempt, and so do not run in it.
fn done_before(paths: &Paths, spec: &SpecFile, attempt: u32) -> Vec<WorkerEnd> {
    if attempt <= spec.attempt {
        return spec.workers.clone();
    }
    let before = AttemptStatus::read(paths, &spec.run, spec.step.as_str(), attempt - 1);
    let ends = before.map(|status| status.workers).unwrap_or_default();
    ends.into_iter().filter(|end| end.status != StepStatus::Failed).collect()
}

/// How far the workers of an attempt are that runs. Those whose work was done in an attempt before count as ended.
pub(super) fn count(paths: &Paths, run: &str, step: &Id, attempt: u32) -> Option<WorkerCount> {
    let folder = paths.attempt(run, step.as_str(), attempt);
    let spec = spec(&folder)?;
    let all = spec.fanout?.workers;
    let before = done_before(paths, &spec, attempt);
    let was_done = |worker| before.iter().any(|end| end.worker == worker);
    let has_ended = |worker: &u32| folder.join(worker_folder(*worker)).join("status.json").exists() || was_done(*worker);
    Some(WorkerCount { ended: u32::try_from((1..=all).filter(has_ended).count()).unwrap_or(all), all })
}

/// The folder of a worker of an attempt: of an earlier one, where its work was done by then.
pub(super) fn folder(paths: &Paths, run: &str, step: &Id, attempt: u32, worker: u32) -> Result<PathBuf, Error> {
    let wrong = |why| Err(Error::FieldInvalid { field: "worker", why });
    let spec = match spec(&paths.attempt(run, step.as_str(), attempt)) {
        Some(spec) if spec.fanout.is_some() => spec,
        _ => return wrong(format!("`{step}` was no fan-out, so nobody has a number")),
    };
    let all = spec.fanout.map_or(0, |fanout| fanout.workers);
    if worker == 0 || worker > all {
        return wrong(format!("`{step}` had the workers 1 to {all}"));
    }
    let ends = match AttemptStatus::read(paths, run, step.as_str(), attempt) {
        Some(status) => status.workers,
        None => done_before(paths, &spec, attempt),
    };
    let ran_in = ends.iter().find(|end| end.worker == worker).map_or(attempt, |end| end.attempt);
    Ok(paths.worker(run, step.as_str(), ran_in, worker))
}

/// The sessions that workers left in the attempt of `spec` or before, of those whose status.json fits.
pub(super) fn sessions<'e>(
    paths: &Paths,
    spec: &SpecFile,
    ends: impl Iterator<Item = &'e WorkerEnd>,
    fits: impl Fn(&AttemptStatus) -> bool,
) -> Vec<WorkerSession> {
    let session = |end: &WorkerEnd| {
        let status = AttemptStatus::read_in(&paths.worker(&spec.run, spec.step.as_str(), end.attempt, end.worker))?;
        let session = status.agent.session_id.clone().filter(|_| fits(&status))?;
        let before = spec.workers_spent.get(&end.worker).copied();
        let spent = before.into_iter().chain(status.agent.usage).reduce(Usage::plus).filter(|_| spec.output.counts_session());
        Some(WorkerSession { worker: end.worker, session, spent })
    };
    ends.filter_map(session).collect()
}

/// What a worker of a fan-out is told, and the session it goes on with.
pub(super) struct WorkerTold {
    pub(super) text: String,
    pub(super) session: Option<String>,
}

/// What each worker of a fan-out is told. Who has a session to go on with is told the message, who has none the task, with
/// the message of a person below it.
pub(super) fn told(
    paths: &Paths,
    view: &View,
    step: &Step,
    (task, cwd): (&str, &Path),
    resume: Option<&Resume>,
) -> Result<Vec<WorkerTold>, Error> {
    let texts = brief::for_workers(paths, view, step, task, cwd)?;
    let known = resume.map_or(&[][..], |resume| &resume.workers);
    let told = |(worker, text): (u32, String)| match known.iter().find(|known| known.worker == worker).zip(resume) {
        Some((known, resume)) => WorkerTold { text: resume.message.clone(), session: Some(known.session.clone()) },
        None => WorkerTold { text, session: None },
    };
    Ok((1..).zip(texts).map(told).collect())
}

/// What came out of the workers of an attempt, below each other: final texts of agents, what commands printed. Of
/// each at most so many bytes, of its end. Also whether something was left out.
pub(super) fn texts(paths: &Paths, status: &AttemptStatus, limit: u64) -> Result<(String, bool), Error> {
    let spec = file::read_json::<SpecFile>(&paths.attempt(&status.run, status.step.as_str(), status.attempt).join("spec.json"));
    let name = if spec.is_none_or(|spec| spec.output.is_text()) { "stdout.log" } else { "summary.md" };
    let (mut text, mut truncated) = (String::new(), false);
    for end in &status.workers {
        let path = paths.worker(&status.run, status.step.as_str(), end.attempt, end.worker).join(name);
        let part = read_part(&path, &Logs { limit: Some(limit), ..Logs::of(status.step.clone()) })?;
        truncated |= part.truncated;
        let head = format!("## Worker {} of {}: {}", end.worker, status.workers.len(), end.outcome().explained());
        let body = plain(&String::from_utf8_lossy(&part.bytes));
        let gap = if text.is_empty() { "" } else { "\n" };
        let body = if body.trim().is_empty() { String::new() } else { format!("\n{}\n", body.trim_end()) };
        text.push_str(&format!("{gap}{head}\n{body}"));
    }
    Ok((text, truncated))
}

/// What stands before each line of a worker's log where those of all are shown.
pub fn worker_prefix(worker: u32, workers: u32) -> String {
    let width = workers.to_string().len();
    format!("worker {worker:>width$} │ ")
}

/// Some lines that end where line `end` begins, and which of them is the first; none where there is none before it.
fn lines_before(window: &LogWindow, end: u64) -> Result<(Vec<LogLine>, u64), Error> {
    let mut count = end.min(1000);
    loop {
        let lines = window.lines(end - count..end)?;
        // Where they are very long it may be fewer, and the last ones are missing.
        if lines.len() as u64 == count || count <= 1 {
            return Ok((lines, end - count));
        }
        count /= 2;
    }
}

impl Engine {
    /// The end of the logs of all workers, in the order in which they were written: so many lines or bytes as are asked for.
    pub(super) fn logs_of_workers(&self, view: &View, places: Vec<LogText>, args: &Logs) -> Result<LogText, Error> {
        let first = places.into_iter().next().ok_or_else(|| Error::internal("a fan-out has workers"))?;
        let mut window = self.open_log(view, args, if args.stderr { Streams::Stderr } else { Streams::Stdout })?;
        // Of what is too long to be counted soon the end is there all the same.
        let is_counted = !window.index(COUNTED)?;
        let mut room = args.limit.unwrap_or(LIMIT);
        let wanted = args.tail.unwrap_or(usize::MAX);
        let mut lines = if is_counted { Vec::new() } else { window.tail(wanted)? };
        let mut end = if is_counted { window.count() } else { 0 };
        let mut shown: Vec<String> = Vec::new();
        while room > 0 && shown.len() < wanted {
            if lines.is_empty() {
                (lines, end) = lines_before(&window, end)?;
            }
            let Some(line) = lines.pop() else { break };
            let size = line.text.len() as u64 + 1;
            if size > room {
                break;
            }
            room -= size;
            shown.push(line.text + "\n");
        }
        let truncated = !is_counted || window.count() > shown.len() as u64;
        let text = shown.iter().rev().map(String::as_str).collect();
        let path = first.path.parent().and_then(Path::parent).map(Path::to_owned).unwrap_or_default();
        Ok(LogText { worker: None, text, truncated, cursor: 0, path, ..first })
    }

    /// How far the workers of a step are in its newest attempt of a run; nothing where it is no fan-out.
    pub fn worker_count(&self, run: &str, step: &Id) -> Option<WorkerCount> {
        let newest = runs::attempts(self.paths(), run, step.as_str()).ok()?.pop()?;
        count(self.paths(), run, step, newest)
    }

    /// Where the logs that `args` asks for are: one, or of a fan-out one for each worker.
    pub fn log_places(&self, view: &View, args: &Logs) -> Result<Vec<LogText>, Error> {
        let place = self.log_place(view, args)?;
        let fanout = match args.worker {
            Some(_) => None,
            None => place.path.parent().and_then(fanout),
        };
        let Some(fanout) = fanout else { return Ok(vec![place]) };
        if args.after.is_some() {
            let why = "a fan-out has a log for each worker; `--worker N` picks one".into();
            return Err(Error::FieldInvalid { field: "after", why });
        }
        let of = |worker| {
            let (run, attempt) = (Some(place.run.clone()), Some(place.attempt));
            self.log_place(view, &Logs { run, attempt, worker: Some(worker), ..args.clone() })
        };
        (1..=fanout.workers).map(of).collect()
    }
}
