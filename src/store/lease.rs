//! A lease: a locked file. Whoever holds the lock on its open description owns the step, and the
//! kernel lets go at any death.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt as _},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::fs::{CWD, RenameFlags};

use super::{Claim, FileId, Line, Paths, Record, file};
use crate::{error::Error, fault, model::Id};

/// What is set aside for a lease at its claim, and once more before each further child, in bytes.
const RESERVED: u64 = 4096;

/// A lease that this process holds.
#[derive(Debug)]
pub struct Lease {
    file: File,
}

impl Lease {
    /// Claims a step. Nothing if somebody else has it.
    ///
    /// Only under the project lock.
    pub fn claim(paths: &Paths, claim: Claim) -> Result<Option<Self>, Error> {
        let path = paths.lease(claim.step.as_str());
        let temporary = paths.state("active").join(format!(".tmp-{}", claim.nonce));
        let open = || OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(&temporary);
        let lease = Self { file: open().map_err(Error::io("make the lease", &temporary))? };
        fault::point("claim.made");
        let result = lease.fill(claim, &temporary).and_then(|()| give_name(&temporary, &path));
        if !matches!(result, Ok(true)) {
            file::remove(&temporary)?;
        }
        fault::point("claim.named");
        Ok(result?.then_some(lease))
    }

    fn fill(&self, claim: Claim, path: &Path) -> Result<(), Error> {
        fault::write("claim.reserve").map_err(Error::io("reserve space for the lease", path))?;
        self.reserve_from(0).map_err(Error::io("reserve space for the lease", path))?;
        self.file
            .try_lock()
            .map_err(|_| Error::ProjectUnusable { path: path.into(), why: "a new file cannot be locked".into() })?;
        fault::point("claim.locked");
        self.append(&Line::Claim(claim)).map_err(Error::io("write the lease", path))
    }

    /// The lease behind an inherited or received descriptor, which holds the lock.
    pub fn from_fd(fd: OwnedFd) -> Self {
        Self { file: fd.into() }
    }

    /// Its descriptor.
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// Lets go of it, whoever else still has the descriptor open.
    pub fn release(self) {
        let _ = self.file.unlock();
    }

    /// Appends a line in one write.
    pub fn append(&self, line: &Line) -> io::Result<()> {
        fault::write("lease.append")?;
        (&self.file).write_all(&line.to_bytes())
    }

    /// Sets space aside behind its end, so that what has to be written later can be.
    pub fn reserve(&self) -> io::Result<()> {
        self.reserve_from(self.file.metadata()?.len())
    }

    #[cfg_attr(
        not(target_os = "linux"),
        expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "other systems have no such call")
    )]
    fn reserve_from(&self, end: u64) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        {
            match rustix::fs::fallocate(&self.file, rustix::fs::FallocateFlags::KEEP_SIZE, end, RESERVED) {
                // A file system that cannot reserve is no reason not to run.
                Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) | Ok(()) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (RESERVED, end);
            Ok(())
        }
    }

    /// Takes a free lease over, to finish what its dead supervisor left. Nothing if it is held.
    pub fn adopt(path: &Path) -> Result<Option<Self>, Error> {
        let opened = OpenOptions::new().read(true).append(true).open(path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("open the lease", path)(error)),
        };
        // Somebody who only looks holds it for an instant; believe "held" after a while.
        let until = Instant::now() + Duration::from_millis(500);
        while file.try_lock().is_err() {
            if Instant::now() > until {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(1));
        }
        let lease = Self { file };
        Ok(lease.is_at(path).then_some(lease))
    }

    /// Whether it still stands at `path`.
    pub fn is_at(&self, path: &Path) -> bool {
        let Ok(meta) = self.file.metadata() else { return false };
        FileId::of(path).is_some_and(|id| id.is_same_file(&FileId::from(&meta)))
    }
}

/// Gives the lease its name unless that is taken; whether it was free.
fn give_name(temporary: &Path, path: &Path) -> Result<bool, Error> {
    use rustix::io::Errno;
    match rustix::fs::renameat_with(CWD, temporary, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => return Ok(true),
        Err(Errno::EXIST) => return Ok(false),
        Err(_) => {}
    }
    // Some file systems know no rename that does not replace.
    match std::fs::hard_link(temporary, path) {
        Ok(()) => file::remove(temporary).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::io("name the lease", path)(error)),
    }
}

/// What a look at a lease found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Probe {
    /// There is none.
    Absent,
    /// Nobody holds it.
    Free,
    /// Somebody does.
    Held,
}

/// Looks at a lease or runner file.
pub fn probe(path: &Path) -> Probe {
    match file::open(path) {
        Err(_) => Probe::Absent,
        Ok(file) if is_locked(&file) => Probe::Held,
        Ok(_) => Probe::Free,
    }
}

/// Whether somebody holds the lease or runner file.
pub fn is_held(path: &Path) -> bool {
    probe(path) == Probe::Held
}

/// What a lease says, and whether somebody holds it. Nothing where there is none.
pub fn look(path: &Path) -> Result<Option<(Record, bool)>, Error> {
    let file = match file::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", path)(error)),
    };
    // Held first: a lease that is let go between the two looks is read complete.
    let is_held = is_locked(&file);
    Ok(Some((Record::parse(&file::read_open(&file, path, file::SIZE_LIMIT)?), is_held)))
}

fn is_locked(file: &File) -> bool {
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Every lease in `state/active/`, with its record and whether it is held, by step.
pub fn active(paths: &Paths) -> Result<Vec<(Id, Record, bool)>, Error> {
    let folder = paths.state("active");
    let mut found = Vec::new();
    for name in file::names(&folder)? {
        let Ok(id) = name.parse::<Id>() else { continue };
        match look(&folder.join(&name)) {
            Ok(Some((record, is_held))) => found.push((id, record, is_held)),
            Ok(None) => {}
            // A folder, or something else that is no lease of ours: nothing runs under it.
            Err(Error::FileUnusable { .. }) => found.push((id, Record::default(), false)),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Removes a free lease that ran nothing. Only under the project lock.
pub fn void(paths: &Paths, step: &Id) -> Result<(), Error> {
    let path = paths.lease(step.as_str());
    if path.is_dir() {
        file::put_aside(&path)?;
    } else {
        file::remove(&path)?;
    }
    file::remove(&paths.allowance(step.as_str()))?;
    file::remove(&paths.stop_request(step.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Machine;

    fn claim(step: &str) -> Claim {
        Claim {
            step: step.parse().unwrap(),
            run: "r".into(),
            nonce: crate::clock::nonce().into(),
            attempt: 1,
            defhash: crate::model::Sha::default(),
            slots: 1,
            machine: Machine::this().clone(),
            inode: 0,
            watches: None,
            at: crate::clock::stamp().into(),
        }
    }

    #[test]
    fn one_claim_wins_and_death_frees() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path());
        paths.make_folders().unwrap();
        let first = Lease::claim(&paths, claim("a")).unwrap().unwrap();
        assert!(Lease::claim(&paths, claim("a")).unwrap().is_none());
        assert_eq!(probe(&paths.lease("a")), Probe::Held);
        assert!(Lease::adopt(&paths.lease("a")).unwrap().is_none());
        drop(first);
        assert_eq!(probe(&paths.lease("a")), Probe::Free);
        assert_eq!(active(&paths).unwrap().len(), 1);
        assert!(Lease::adopt(&paths.lease("a")).unwrap().is_some());
        assert_eq!(file::names(&paths.state("active")).unwrap(), ["a"]);
    }
}
