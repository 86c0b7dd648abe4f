//! What is known of an open mprocs: its process, its port, and which pane is which step.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::{
    clock,
    error::Error,
    model::Id,
    mprocs::Panes,
    store::{Machine, Paths, file, start_of, stat_of},
};

/// How long somebody else may take over telling mprocs something.
const PATIENCE: Duration = Duration::from_secs(10);

/// `state/mprocs-map.json`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    /// The format.
    v: u8,
    /// The process, and when it began ([`start_of`]).
    pub(super) pid: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<u64>,
    /// This start of the machine: after the next one the pid is another process.
    boot: String,
    /// Where it listens, on this machine.
    pub(super) port: u16,
    /// RFC 3339.
    pub(super) started_at: String,
    /// The panes, by their place.
    pub(super) panes: Panes,
    /// Panes that are being added: whoever finds them here does not know whether mprocs was told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) adding: Vec<Id>,
}

/// Held while mprocs is told something or its map is written: one connection at a time.
pub(super) struct SessionLock(#[expect(dead_code, reason = "letting go of it is its purpose")] File);

impl SessionLock {
    /// Waits for the lock and takes it.
    pub(super) fn take(paths: &Paths) -> Result<Self, Error> {
        Self::take_within(paths, PATIENCE)
    }

    /// The same, with less patience: nothing that has to happen waits for mprocs.
    pub(super) fn take_within(paths: &Paths, patience: Duration) -> Result<Self, Error> {
        let path = paths.state("mprocs.lock");
        paths.make_folders()?;
        let open = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = open.map_err(Error::io("open", &path))?;
        let begun = Instant::now();
        while file.try_lock().is_err() {
            if begun.elapsed() > patience {
                return Err(Error::Locked { pid: None, seconds: begun.elapsed().as_secs() });
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(Self(file))
    }
}

impl Session {
    /// A session of a process that has just begun.
    pub(super) fn new(pid: u32, port: u16, panes: Panes) -> Self {
        let (start, boot) = (start_of(pid), Machine::this().boot.clone());
        Self { v: 1, pid, start, boot, port, started_at: clock::stamp(), panes, adding: Vec::new() }
    }

    fn path(paths: &Paths) -> PathBuf {
        paths.state("mprocs-map.json")
    }

    /// Whether there may be one, which costs next to nothing to ask.
    pub(super) fn is_there(paths: &Paths) -> bool {
        Self::path(paths).exists()
    }

    /// The session that is written down, whether it lives or not. A file that cannot be read tells of none.
    pub(super) fn read(paths: &Paths) -> Option<Self> {
        file::read_json(&Self::path(paths))
    }

    /// The session, if it lives.
    pub(super) fn living(paths: &Paths) -> Option<Self> {
        Self::read(paths).filter(Self::is_alive)
    }

    pub(super) fn write(&self, paths: &Paths) -> Result<(), Error> {
        file::replace(&Self::path(paths), &file::pretty(self)?)
    }

    /// Removes what a session leaves.
    pub(super) fn remove(paths: &Paths) -> Result<(), Error> {
        let _ = std::fs::remove_dir_all(paths.state("panes"));
        file::remove(&Self::path(paths))
    }

    /// Whether its process is still there. The port is never asked: whatever mprocs cannot read ends it.
    pub(super) fn is_alive(&self) -> bool {
        // A process that has ended keeps its pid until its parent looks.
        let is_over = || stat_of(Path::new("/proc"), self.pid).is_some_and(|stat| stat.is_zombie);
        let is_there = || self.raw().is_some_and(|pid| test_kill_process(pid).is_ok());
        self.boot == Machine::this().boot && start_of(self.pid) == self.start && is_there() && !is_over()
    }

    /// Sends its process a signal, if it is still there.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.raw().filter(|_| self.is_alive()) {
            let _ = kill_process(pid, signal);
        }
    }

    fn raw(&self) -> Option<Pid> {
        i32::try_from(self.pid).ok().and_then(Pid::from_raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lives_as_long_as_its_process() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path());
        paths.make_folders().unwrap();
        let session = Session::new(std::process::id(), 4050, Panes::of(["a".parse().unwrap()]));
        session.write(&paths).unwrap();
        assert_eq!(Session::living(&paths), Some(session.clone()));
        for other in [
            Session { boot: "another start of the machine".into(), ..session.clone() },
            Session { start: Some(1), ..session.clone() },
            Session { pid: 0, start: None, ..session.clone() },
        ] {
            assert!(!other.is_alive(), "{other:?}");
            other.signal(Signal::KILL);
        }
        Session::remove(&paths).unwrap();
        assert_eq!((Session::read(&paths), Session::is_there(&paths)), (None, false));
        std::fs::write(paths.state("mprocs-map.json"), "half").unwrap();
        assert_eq!(Session::read(&paths), None);
    }

    #[test]
    fn a_process_that_has_ended_is_no_session() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let session = Session::new(child.id(), 4050, Panes::default());
        assert!(session.is_alive());
        session.signal(Signal::KILL);
        let is_over = || stat_of(Path::new("/proc"), child.id()).is_none_or(|stat| stat.is_zombie);
        while !is_over() {
            thread::yield_now();
        }
        assert!(!session.is_alive(), "nobody has waited for it yet");
        child.wait().unwrap();
        assert!(!session.is_alive());
    }
}
