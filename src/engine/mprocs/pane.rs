//! A pane's side: being known as open, and what there is to see of its step.

use std::{
    fs::{File, OpenOptions},
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    engine::Engine,
    error::Error,
    model::{Id, Outcome},
    runner::{StopRequest, deliver},
    store::{Paths, Probe, Record, file, look, probe},
};

/// Set in the environment of a pane's program, which then is a view of its step.
pub const PANE_VARIABLE: &str = "THREADOS_PANE";

/// How long mprocs may take to pass a word on; an older one is about a SIGTERM that never came.
const FRESH: Duration = Duration::from_secs(10);

/// Held by the view in a pane while it is there.
pub struct PaneMark(#[expect(dead_code, reason = "letting go of it is its purpose")] File);

/// What a pane sees of its step, from a file or two.
#[derive(Clone, Debug, PartialEq)]
pub enum Glance {
    /// It has not run, or that was forgotten.
    Idle,
    /// It runs.
    Running {
        /// In this run.
        run: String,
        /// For the so-manieth time.
        attempt: u32,
    },
    /// It has ended.
    Ended {
        /// In this run; nothing for a step that a person decided on.
        ran: Option<(String, u32)>,
        /// How.
        outcome: Outcome,
    },
}

impl Engine {
    /// Makes the view of a step known as open. Nothing where there is another one.
    pub fn enter_pane(&self, step: &Id) -> Result<Option<PaneMark>, Error> {
        let folder = self.paths().state("panes");
        std::fs::create_dir_all(&folder).map_err(Error::io("make the folder", &folder))?;
        let path = folder.join(step.as_str());
        let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut file = open().map_err(Error::io("open", &path))?;
        if file.try_lock().is_err() {
            return Ok(None);
        }
        let written =
            file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).and_then(|_| write!(file, "{}", std::process::id()));
        written.map_err(Error::io("write", &path))?;
        Ok(Some(PaneMark(file)))
    }

    /// How a step stands, without looking at the plan.
    pub fn glance(&self, step: &Id) -> Result<Glance, Error> {
        let paths = self.paths();
        let record = match look(&paths.lease(step.as_str()))? {
            Some((record, true)) => {
                let run = record.claim.as_ref().map(|claim| claim.run.to_string()).unwrap_or_default();
                return Ok(Glance::Running { run, attempt: record.attempt() });
            }
            Some((record, false)) if record.exit.is_some() => Some(record),
            _ => Record::read(&paths.last(step.as_str()))?,
        };
        let Some(record) = record else { return Ok(Glance::Idle) };
        let ran = record.claim.as_ref().map(|claim| (claim.run.to_string(), record.attempt()));
        Ok(record.outcome().map_or(Glance::Idle, |outcome| Glance::Ended { ran, outcome }))
    }

    /// Whether the SIGTERM that a view got means its step, and not the view itself. A stop that somebody asked for is
    /// handed on to the supervisor then.
    pub fn is_step_meant(&self, step: &Id) -> Result<bool, Error> {
        let paths = self.paths();
        let path = word(paths, step);
        let is_fresh = path.metadata().and_then(|meta| meta.modified()).is_ok_and(|at| at.elapsed().is_ok_and(|age| age < FRESH));
        file::remove(&path)?;
        if !is_fresh {
            return Ok(false);
        }
        if let Some((record, true)) = look(&paths.lease(step.as_str()))?
            && record.nonce().is_some_and(|nonce| StopRequest::read(paths, step.as_str(), nonce).is_some())
        {
            deliver(&record);
        }
        Ok(true)
    }
}

/// Where it stands that the next SIGTERM to the view of a step means the step. mprocs sends the same to end the view.
fn word(paths: &Paths, step: &Id) -> PathBuf {
    paths.state("panes").join(format!("{step}.meant"))
}

/// Leaves word for the view of a step.
pub(super) fn leave_word(paths: &Paths, step: &Id) -> Result<(), Error> {
    file::write(&word(paths, step), b"", false)
}

/// Whether the view of a step is there.
pub(super) fn is_open(paths: &Paths, step: &Id) -> bool {
    probe(&paths.state("panes").join(step.as_str())) == Probe::Held
}

/// Whether a view of a step has been there since its pane was made.
pub(super) fn was_open(paths: &Paths, step: &Id) -> bool {
    paths.state("panes").join(step.as_str()).exists()
}

/// Forgets the views of a step that are gone.
pub(super) fn forget(paths: &Paths, step: &Id) -> Result<(), Error> {
    file::remove(&paths.state("panes").join(step.as_str()))
}

/// Ends the view of a step, and nothing else.
pub(super) fn end(paths: &Paths, step: &Id) {
    let pid = file::read_if_there(&paths.state("panes").join(step.as_str())).ok().flatten();
    let pid = pid.and_then(|bytes| String::from_utf8(bytes).ok()?.trim().parse::<i32>().ok());
    // Whoever holds the file wrote the pid.
    if let Some(pid) = pid.and_then(Pid::from_raw).filter(|_| is_open(paths, step)) {
        let _ = kill_process(pid, Signal::HUP);
    }
}
