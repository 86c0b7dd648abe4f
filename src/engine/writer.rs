//! The writer of a project: the lock, the recovery that comes with it, and a view that is kept
//! between transactions while nobody else changes anything.

use std::{
    fs::File,
    thread,
    time::{Duration, Instant},
};

use super::{caller::Caller, transact::repeat, view::View};
use crate::{
    audit::Log,
    error::Error,
    store::{
        FileId, Paths, Probe, ProjectLock, Stamp, displaced, file, probe, ring, sha256,
        tx::{self, By},
        yaml,
    },
};

/// How long a file must not have changed before we believe that a save is whole.
const QUIET: Duration = Duration::from_millis(300);

/// How long we wait for that.
const PATIENCE: Duration = Duration::from_secs(10);

/// Changes a project, one transaction at a time.
pub(super) struct Writer {
    pub(super) paths: Paths,
    lock_file: Option<File>,
    pub(super) log: Option<Log>,
    pub(super) view: Option<View>,
    /// Whether other runners have to be told of each transaction.
    pub(super) rings: bool,
    pub(super) is_changed: bool,
    /// What a person should know of what was recovered or merged.
    pub(super) warnings: Vec<String>,
}

/// The project lock, with a view that is true while it is held.
pub(super) struct Held<'a> {
    pub(super) writer: &'a mut Writer,
    /// Whether somebody else changed something since this writer last looked.
    pub(super) is_fresh: bool,
    lock: Option<ProjectLock>,
}

impl Writer {
    /// A writer that has not looked yet.
    pub(super) fn new(paths: &Paths) -> Self {
        Self {
            paths: paths.clone(),
            lock_file: None,
            log: None,
            view: None,
            rings: true,
            is_changed: false,
            warnings: Vec::new(),
        }
    }

    /// Whether somebody else changed something since the last look.
    pub(super) fn is_behind(&self) -> bool {
        let seen = self.view.as_ref().map(|view| view.id);
        self.log.as_ref().is_none_or(Log::is_behind) || seen != FileId::of(&self.paths.sequence())
    }

    /// Takes the lock, finishes what others left, and looks at the project unless nothing changed.
    pub(super) fn lock(&mut self) -> Result<Held<'_>, Error> {
        let lock = ProjectLock::take_again(&self.paths, self.lock_file.take())?;
        let is_behind = self.log.as_ref().is_none_or(Log::is_behind);
        if is_behind {
            self.paths.make_folders()?;
            match &mut self.log {
                Some(log) => log.refresh()?,
                None => self.log = Some(Log::open(&self.paths.audit())?),
            }
            if let Err(error) = self.recover() {
                // Until that succeeds nothing else may be done.
                self.log = None;
                self.view = None;
                return Err(error);
            }
            self.view = None;
        }
        let now = FileId::of(&self.paths.sequence());
        let is_fresh = self.view.as_ref().is_none_or(|view| Some(view.id) != now);
        if is_fresh {
            self.load()?;
        }
        let paths = &self.paths;
        if let Some(view) = &mut self.view {
            view.refresh_policy(paths);
        }
        Ok(Held { writer: self, is_fresh, lock: Some(lock) })
    }

    /// Finishes the last committed transaction, and takes away what was never committed.
    fn recover(&mut self) -> Result<(), Error> {
        let seq = self.log.as_ref().map_or(0, Log::seq);
        for name in file::names(&self.paths.state("tx"))? {
            match name.parse::<u64>() {
                Ok(number) if number <= seq => {
                    let finished =
                        tx::finish(&self.paths, number, By::Finder, &|plan, theirs| repeat(&self.paths, plan, theirs))?;
                    self.warnings.extend(finished.warnings);
                    self.warnings.extend(finished.conflict.map(|(place, why)| {
                        format!("a change that was committed does not fit what somebody saved ({why}); it is in {place}")
                    }));
                }
                Ok(number) => tx::discard(&self.paths, number)?,
                Err(_) => {}
            }
        }
        let active = self.paths.state("active");
        for name in file::names(&active)?.iter().filter(|name| name.starts_with(".tmp-")) {
            let path = active.join(name);
            if probe(&path) == Probe::Free {
                file::remove(&path)?;
            }
        }
        Ok(())
    }

    fn load(&mut self) -> Result<(), Error> {
        self.view = None;
        self.wait_until_quiet()?;
        let view = View::load_to_change(&self.paths)?;
        if !view.is_stamped {
            // From now on this content is known; what is odd about it was said once.
            self.warnings.extend(view.disagreements().into_iter().map(|warning| match warning.hint {
                Some(hint) => format!("{}; {hint}", warning.message),
                None => warning.message,
            }));
        }
        self.view = Some(view);
        Ok(())
    }

    /// A half-saved file often parses as a shorter plan, so an outside change has to have settled.
    fn wait_until_quiet(&self) -> Result<(), Error> {
        let path = self.paths.sequence();
        let stamp = Stamp::read(&self.paths);
        let (begun, mut seen, mut since) = (Instant::now(), None, Instant::now());
        loop {
            let now = FileId::of(&path);
            if stamp.as_ref().is_some_and(|stamp| Some(stamp.id) == now) {
                return Ok(());
            }
            if seen != Some(now) {
                if seen.is_none() {
                    let age = now.map_or(Duration::ZERO, |id| id.age());
                    since = Instant::now().checked_sub(age).unwrap_or_else(Instant::now);
                    // A file that only was touched, or checked out as it was, is not a change.
                    if let (Some(stamp), Some(bytes)) = (&stamp, file::read_up_to(&path, yaml::SIZE_LIMIT)?)
                        && stamp.sha == sha256(&bytes)
                    {
                        return Ok(());
                    }
                } else {
                    since = Instant::now();
                }
                seen = Some(now);
            }
            if since.elapsed() >= QUIET {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(Error::FileBusy { path });
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // Who is woken wants the lock.
        self.writer.lock_file = self.lock.take().and_then(ProjectLock::let_go);
        if self.writer.rings && std::mem::take(&mut self.writer.is_changed) {
            ring(&self.writer.paths);
        }
    }
}

impl Held<'_> {
    /// The project as it stands.
    pub(super) fn view(&self) -> &View {
        self.writer.view.as_ref().expect("lock() leaves a view or an error")
    }

    pub(super) fn view_mut(&mut self) -> &mut View {
        self.writer.view.as_mut().expect("lock() leaves a view or an error")
    }

    pub(super) fn log(&mut self) -> &mut Log {
        self.writer.is_changed = true;
        self.writer.log.as_mut().expect("lock() leaves a log or an error")
    }

    pub(super) const fn paths(&self) -> &Paths {
        &self.writer.paths
    }

    /// Looks at the project again.
    pub(super) fn reload(&mut self) -> Result<(), Error> {
        self.is_fresh = true;
        self.writer.load()
    }

    /// Merges what an editor wrote into a text that was displaced while it had it open.
    pub(super) fn take_late_saves(&mut self) -> Result<(), Error> {
        for late in displaced::look(self.paths())? {
            let conflict = self.paths().state("conflicts").join(format!("{}-late.yaml", late.seq));
            let merged = if self.view().is_stamped {
                super::transact::merge_late(self, &late)
            } else {
                Err(Error::FileBusy { path: self.paths().sequence() })
            };
            match merged {
                Ok(()) => self.writer.warnings.push("an editor saved into the old sequence.yaml; the change was merged".into()),
                Err(error) => {
                    file::write(&conflict, &late.bytes, true)?;
                    let place = self.paths().show(&conflict).to_string();
                    self.writer.warnings.push(format!(
                        "an editor saved into the old sequence.yaml and that does not fit the new one ({error}); it is in {place}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Appends an entry that changes no file of the plan.
    pub(super) fn note(
        &mut self,
        caller: &Caller,
        action: &str,
        target: Option<String>,
        payload: serde_json::Value,
        sync: bool,
    ) -> Result<u64, Error> {
        let entry = super::transact::entry(caller, action, target, payload);
        Ok(self.log().append(entry, sync)?.seq)
    }
}
