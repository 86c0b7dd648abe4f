//! Runs and attempts as they stand in `runs/`, and the file that says a run is open.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FileId, Paths, file};
use crate::{
    error::Error,
    model::{AgentReport, Id, Metrics, Outcome, Products, Reason, StepStatus, WorkerEnd},
};

/// What a run covers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", content = "steps", rename_all = "camelCase")]
pub enum RunKind {
    /// The whole plan, with what is added to it later.
    All,
    /// What could start when it was asked for.
    Runnable(Vec<Id>),
    /// Named steps.
    Steps(Vec<Id>),
    /// A group's members.
    Group(Vec<Id>),
    /// Candidates, and what makes one result of them.
    Fusion(Vec<Id>),
}

impl RunKind {
    /// The steps it is limited to; nothing for the whole plan.
    pub fn steps(&self) -> Option<&[Id]> {
        match self {
            Self::All => None,
            Self::Runnable(steps) | Self::Steps(steps) | Self::Group(steps) | Self::Fusion(steps) => Some(steps),
        }
    }

    /// In a word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Runnable(_) => "runnable",
            Self::Steps(_) => "steps",
            Self::Group(_) => "group",
            Self::Fusion(_) => "fusion",
        }
    }
}

/// Where a run is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// A runner advances it, or should.
    Active,
    /// Nothing can start until a person decides.
    Waiting,
    /// It is over.
    Ended,
}

/// run.json.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The format.
    pub v: u8,
    /// Its id, which is its folder's name.
    pub id: String,
    /// The inode of the `.threados` it was started in: the copy of a project does not go on with it.
    #[serde(default)]
    pub home: u64,
    /// What it covers.
    pub what: RunKind,
    /// Who asked for it.
    pub by: String,
    /// Where it is.
    pub state: RunState,
    /// Whether a failure starts nothing more.
    pub fail_fast: bool,
    /// Whether somebody asked for it to stop.
    #[serde(default)]
    pub stopped: bool,
    /// Whether what orchestrators add to it may run without being confirmed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub additions: bool,
    /// What steps of it have asked for, beside what it covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Id>,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// What it waits for, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<String>,
    /// What it took and how it went, once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// The names in its starter's environment, to warn when one is missing later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
}

impl Run {
    /// The run of that id.
    pub fn read(paths: &Paths, id: &str) -> Result<Self, Error> {
        let missing = || Error::RunNotFound { run: id.into() };
        if id.is_empty() || id.contains(['/', '.']) {
            return Err(missing());
        }
        file::json_if_there(&paths.run(id).join("run.json"))?.ok_or_else(missing)
    }

    /// Writes run.json.
    pub fn write(&self, paths: &Paths) -> Result<(), Error> {
        file::replace(&paths.run(&self.id).join("run.json"), &file::pretty(self)?)
    }

    /// Whether it covers a step.
    pub fn covers(&self, step: &Id) -> bool {
        self.what.steps().is_none_or(|steps| steps.contains(step)) || self.asked.contains(step)
    }
}

/// Every run, newest first. A folder without a readable run.json is left out.
pub fn list_runs(paths: &Paths) -> Result<Vec<Run>, Error> {
    let names = file::names(&paths.runs())?;
    let mut runs: Vec<Run> = names.iter().rev().filter_map(|name| Run::read(paths, name).ok()).collect();
    // Two of one second sort by their random digits.
    runs.sort_by(|a, b| b.started_at.cmp(&a.started_at));
    Ok(runs)
}

/// The runs that have not ended: those with a runner file, oldest first.
pub fn open_runs(paths: &Paths) -> Result<Vec<Run>, Error> {
    let names = file::names(&paths.state("runners"))?;
    let home = paths.inode();
    let runs = names.iter().filter_map(|name| Run::read(paths, name).ok());
    Ok(runs.filter(|run| run.state != RunState::Ended && run.home == home).collect())
}

/// The runner file of an open run. Whoever holds its lock is the runner.
#[derive(Debug)]
pub struct RunnerFile {
    file: File,
}

#[derive(Deserialize, Serialize)]
struct Holder {
    v: u8,
    pid: u32,
    start: u64,
}

impl RunnerFile {
    /// Marks a run as open. Only under the project lock.
    pub fn create(paths: &Paths, run: &str) -> Result<(), Error> {
        let path = paths.runner(run);
        OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map(drop).map_err(Error::io("open the run", &path))
    }

    /// Becomes the runner. Nothing if there is one, or the run is over.
    pub fn take(paths: &Paths, run: &str) -> Result<Option<Self>, Error> {
        let path = paths.runner(run);
        let Ok(file) = OpenOptions::new().read(true).write(true).open(&path) else { return Ok(None) };
        // Somebody who only looks holds it for an instant; believe "held" after a while.
        let until = Instant::now() + Duration::from_millis(500);
        while file.try_lock().is_err() {
            if Instant::now() > until {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(1));
        }
        let pid = std::process::id();
        let holder = Holder { v: 1, pid, start: super::start_of(pid).unwrap_or(0) };
        let bytes = serde_json::to_vec(&holder).map_err(|error| Error::internal(error.to_string()))?;
        file.set_len(0).and_then(|()| (&file).write_all(&bytes)).map_err(Error::io("write", &path))?;
        Ok(Some(Self { file }))
    }

    /// The runner's pid and start, if somebody holds the file.
    pub fn holder(paths: &Paths, run: &str) -> Option<(u32, u64)> {
        let path = paths.runner(run);
        if !super::is_held(&path) {
            return None;
        }
        let holder: Holder = file::read_json(&path)?;
        Some((holder.pid, holder.start))
    }

    /// Marks a run as over. Only under the project lock.
    pub fn remove(paths: &Paths, run: &str) -> Result<(), Error> {
        file::remove(&paths.runner(run))
    }

    /// Whether it still is the runner file of its run: a project that was moved or removed has none
    /// at the old place.
    pub fn is_current(&self, paths: &Paths, run: &str) -> bool {
        let Ok(held) = self.file.metadata() else { return false };
        FileId::of(&paths.runner(run)).is_some_and(|id| id.is_same_file(&FileId::from(&held)))
    }

    /// Stops being the runner.
    pub fn release(self) {
        let _ = self.file.unlock();
    }
}

/// status.json: how an attempt ended.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptStatus {
    /// The format.
    pub v: u8,
    /// The step.
    pub step: Id,
    /// The run.
    pub run: String,
    /// Which attempt.
    pub attempt: u32,
    /// Which worker of a fan-out, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<u32>,
    /// DONE, FAILED or NEEDS_REVIEW.
    pub status: StepStatus,
    /// Why, unless it simply exited with 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// What it, or who stopped it, said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When the step goes on by itself, where it waits for the end of a usage limit; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339.
    pub ended_at: String,
    /// Milliseconds from start to end.
    pub duration_ms: u64,
    /// Bytes of standard output.
    pub stdout_bytes: u64,
    /// Bytes of standard error.
    pub stderr_bytes: u64,
    /// How each worker of a fan-out ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workers: Vec<WorkerEnd>,
    /// What an agent said of its work.
    #[serde(flatten)]
    pub agent: AgentReport,
    /// What it left in the work tree.
    #[serde(flatten)]
    pub products: Products,
}

impl AttemptStatus {
    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            status: self.status,
            reason: self.reason,
            code: self.exit_code,
            signal: self.signal,
            note: self.note.clone(),
            until: self.until.clone(),
        }
    }

    /// status.json of an attempt, if it has ended.
    pub fn read(paths: &Paths, run: &str, step: &str, attempt: u32) -> Option<Self> {
        Self::read_in(&paths.attempt(run, step, attempt))
    }

    /// status.json in the folder of an attempt, or of a worker.
    pub fn read_in(folder: &Path) -> Option<Self> {
        file::read_json(&folder.join("status.json"))
    }
}

/// The attempts of a step in a run that have a folder, ascending.
pub fn attempts(paths: &Paths, run: &str, step: &str) -> Result<Vec<u32>, Error> {
    let mut found: Vec<u32> = file::names(&paths.run(run).join(step))?.iter().filter_map(|name| name.parse().ok()).collect();
    found.sort_unstable();
    Ok(found)
}

/// The steps of a run that have a folder.
pub fn steps(paths: &Paths, run: &str) -> Result<Vec<Id>, Error> {
    let folder = paths.run(run);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", folder)(error)),
    };
    let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut steps: Vec<Id> = folders.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    steps.sort_unstable();
    Ok(steps)
}

/// Removes the folder of a run.
pub fn remove(paths: &Paths, run: &str) -> Result<(), Error> {
    let folder = paths.run(run);
    fs::remove_dir_all(&folder).map_err(Error::io("remove", folder))
}
