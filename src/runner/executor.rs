//! The seam between a runner and whatever executes its steps.

use std::{io, os::fd::BorrowedFd};

use super::{spawner::Spawner, spec::Spec};
use crate::store::Lease;

/// What an executor reports.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Report {
    /// Nothing runs, or nothing runs any more; the lease tells how that came.
    Ended {
        /// The claim.
        nonce: String,
    },
    /// Nobody is there to report on what was started before; leases have to be looked at.
    Lost,
}

/// Starts attempts and reports on them. The local one has supervisors; a cluster's queue could be
/// another.
pub trait Executor {
    /// Hands a claimed lease over.
    ///
    /// # Errors
    /// When it cannot; then nothing runs, and the lease is void.
    fn start(&mut self, lease: Lease, spec: &Spec) -> io::Result<()>;

    /// What becomes readable when there is something to report.
    fn fds(&self) -> Vec<BorrowedFd<'_>>;

    /// What happened since the last time.
    fn reports(&mut self) -> Vec<Report>;
}

/// Supervisors on this machine, through the spawner.
pub struct LocalExecutor {
    spawner: Option<Spawner>,
    /// Whether a spawner went and what it had started has nobody to report on it.
    is_lost: bool,
}

impl LocalExecutor {
    /// Uses `spawner` while it lives.
    pub const fn new(spawner: Spawner) -> Self {
        Self { spawner: Some(spawner), is_lost: false }
    }
}

impl Executor for LocalExecutor {
    fn start(&mut self, lease: Lease, spec: &Spec) -> io::Result<()> {
        let sent = self.spawner.as_mut().map(|spawner| spawner.send(&lease, spec));
        if matches!(sent, Some(Ok(()))) {
            return Ok(());
        }
        // The spawner was killed. A second one comes by exec, which costs more and does the same.
        self.is_lost = true;
        self.spawner = None;
        let mut spawner = Spawner::exec()?;
        spawner.send(&lease, spec)?;
        self.spawner = Some(spawner);
        Ok(())
    }

    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        self.spawner.iter().flat_map(Spawner::fds).collect()
    }

    fn reports(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        match self.spawner.as_mut().map(Spawner::read) {
            None => {}
            Some(Ok(ended)) => reports.extend(ended.into_iter().map(|nonce| Report::Ended { nonce })),
            Some(Err(_)) => {
                self.spawner = None;
                self.is_lost = true;
            }
        }
        if std::mem::take(&mut self.is_lost) {
            reports.push(Report::Lost);
        }
        reports
    }
}
