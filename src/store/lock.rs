//! The project lock: one writer at a time.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::Read as _,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use serde::{Deserialize, Serialize};

use super::{FileId, Paths};
use crate::{clock, error::Error};

/// How long a holder that does not change may keep others waiting.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Deserialize, Serialize)]
struct Holder {
    v: u8,
    nonce: String,
    pid: u32,
}

/// The held project lock. While it lives, Ctrl-C, Ctrl-Z, SIGTERM and SIGHUP wait: a stopped
/// holder would stop everybody. Dropping it lets go.
pub struct ProjectLock {
    /// Taken out only when it is let go.
    file: Option<File>,
    mask: Option<SigSet>,
}

impl ProjectLock {
    /// Waits for the lock and takes it.
    ///
    /// # Errors
    /// `Locked` after ten seconds in which the holder did not change; `ProjectUnusable` where
    /// the file system does not lock or is read-only.
    pub fn take(paths: &Paths) -> Result<Self, Error> {
        Self::take_again(paths, None)
    }

    /// Like [`ProjectLock::take`], with the file that [`ProjectLock::let_go`] gave.
    pub fn take_again(paths: &Paths, kept: Option<File>) -> Result<Self, Error> {
        let path = paths.state("lock");
        let mask = block_signals();
        let result = wait_for(&path, kept, || open(paths, &path));
        match result {
            Ok(file) => {
                let lock = Self { file: Some(file), mask };
                lock.sign();
                Ok(lock)
            }
            Err(error) => {
                restore_signals(mask.as_ref());
                Err(error)
            }
        }
    }

    /// Lets go of the lock. Returns its file, which saves the next one from opening it.
    pub fn let_go(mut self) -> Option<File> {
        self.unlock();
        self.file.take()
    }

    fn unlock(&self) {
        if let Some(file) = &self.file {
            let _ = file.unlock();
            restore_signals(self.mask.as_ref());
        }
    }

    /// Writes who holds it, so that those who wait see that the holder changes.
    fn sign(&self) {
        let Some(file) = &self.file else { return };
        let holder = Holder { v: 1, nonce: clock::nonce(), pid: std::process::id() };
        if let Ok(mut bytes) = serde_json::to_vec(&holder) {
            // One write of a fixed length over the old one: whoever reads meanwhile sees a whole line.
            bytes.resize(80, b' ');
            bytes.push(b'\n');
            // Nobody depends on it but the patience of others.
            let _ = file.write_all_at(&bytes, 0);
        }
    }
}

impl Drop for ProjectLock {
    fn drop(&mut self) {
        self.unlock();
    }
}

fn open(paths: &Paths, path: &PathBuf) -> Result<File, Error> {
    let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    open()
        .or_else(|_| {
            // A project that was removed stays removed.
            if paths.dir.is_dir() {
                let _ = paths.make_folders();
            }
            open()
        })
        .map_err(|source| Error::ProjectUnusable { path: path.clone(), why: format!("cannot be opened for writing: {source}") })
}

/// Waits until the file that `open` gives is locked and still stands at `path`.
fn wait_for(path: &PathBuf, kept: Option<File>, open: impl Fn() -> Result<File, Error>) -> Result<File, Error> {
    let mut file = kept.map_or_else(&open, Ok)?;
    let (mut since, mut seen, mut pause) = (Instant::now(), None::<String>, Duration::from_micros(200));
    loop {
        match file.try_lock() {
            Ok(()) => {
                prove(path)?;
                let held = file.metadata().map_err(Error::io("look at", path))?;
                if FileId::of(path).is_some_and(|id| id.is_same_file(&FileId::from(&held))) {
                    return Ok(file);
                }
                // `git clean` or a person removed it; a lock on a file without a name excludes nobody.
                file = open()?;
            }
            Err(TryLockError::WouldBlock) => {
                let holder = read_holder(path);
                if holder.as_ref().map(|holder| &holder.nonce) != seen.as_ref() {
                    seen = holder.as_ref().map(|holder| holder.nonce.clone());
                    since = Instant::now();
                }
                if since.elapsed() > PATIENCE {
                    return Err(Error::Locked { pid: holder.map(|holder| holder.pid), seconds: since.elapsed().as_secs() });
                }
                thread::sleep(pause);
                pause = (pause * 3 / 2).min(Duration::from_millis(10));
            }
            Err(TryLockError::Error(source)) => {
                return Err(Error::ProjectUnusable {
                    path: path.clone(),
                    why: format!("this file system does not lock: {source}"),
                });
            }
        }
    }
}

/// Some network file systems say yes to every lock: two descriptions have to exclude each other.
fn prove(path: &PathBuf) -> Result<(), Error> {
    static IS_PROVEN: AtomicBool = AtomicBool::new(false);
    if !IS_PROVEN.load(Ordering::Relaxed) {
        let second = File::open(path).map_err(Error::io("open", path))?;
        if second.try_lock().is_ok() {
            let why = "this file system says yes to every lock, so nothing here can be kept safe".to_owned();
            return Err(Error::ProjectUnusable { path: path.clone(), why });
        }
        IS_PROVEN.store(true, Ordering::Relaxed);
    }
    Ok(())
}

fn read_holder(path: &PathBuf) -> Option<Holder> {
    let mut text = String::new();
    File::open(path).ok()?.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(text.trim()).ok()
}

fn block_signals() -> Option<SigSet> {
    let set: SigSet = [Signal::SIGTSTP, Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
    set.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok()
}

fn restore_signals(mask: Option<&SigSet>) {
    if let Some(mask) = mask {
        let _ = mask.thread_set_mask();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_descriptions_exclude_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path());
        paths.make_folders().unwrap();
        let first = ProjectLock::take(&paths).unwrap();
        let second = File::open(paths.state("lock")).unwrap();
        assert!(matches!(second.try_lock(), Err(TryLockError::WouldBlock)));
        drop(first);
        second.try_lock().unwrap();
    }

    #[test]
    fn a_removed_lock_file_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path());
        paths.make_folders().unwrap();
        drop(ProjectLock::take(&paths).unwrap());
        std::fs::remove_file(paths.state("lock")).unwrap();
        let _held = ProjectLock::take(&paths).unwrap();
        assert!(File::open(paths.state("lock")).unwrap().try_lock().is_err());
    }
}
