//! The seam between a runner and whatever executes its steps.

use std::{io, sync::mpsc::Sender, thread};

use super::{message::Answer, spawner::Spawner, spec::Spec};
use crate::store::Lease;

/// What an executor reports.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Report {
    /// The supervisor of a claim is up.
    Started {
        /// The claim.
        nonce: String,
        /// Its pid.
        pid: u32,
    },
    /// Nothing was started; the lease is free.
    Refused {
        /// The claim.
        nonce: String,
        /// What the system said.
        why: String,
    },
    /// The supervisor of a claim has ended; the lease tells how.
    Ended {
        /// The claim.
        nonce: String,
    },
    /// Nobody is there to report on what was started before; leases have to be looked at.
    Lost,
}

/// Starts attempts and reports on them. The local one forks supervisors; a cluster's queue could
/// be another.
pub trait Executor {
    /// Hands a claimed lease over.
    ///
    /// # Errors
    /// When it cannot; then nothing runs, and the lease is void.
    fn start(&mut self, lease: Lease, spec: &Spec) -> io::Result<()>;
}

/// Supervisors on this machine, through the spawner.
pub struct LocalExecutor<T> {
    spawner: Option<Spawner>,
    sender: Sender<T>,
    wrap: fn(Report) -> T,
}

impl<T: Send + 'static> LocalExecutor<T> {
    /// Uses `spawner` while it lives, and reports into `sender`.
    pub fn new(spawner: Spawner, sender: Sender<T>, wrap: fn(Report) -> T) -> io::Result<Self> {
        let mut executor = Self { spawner: None, sender, wrap };
        executor.listen(&spawner)?;
        executor.spawner = Some(spawner);
        Ok(executor)
    }

    fn listen(&mut self, spawner: &Spawner) -> io::Result<()> {
        let (answers, sender, wrap) = (spawner.answers()?, self.sender.clone(), self.wrap);
        thread::spawn(move || {
            while let Some(answer) = answers.next() {
                let report = match answer {
                    Answer::Started { nonce, pid } => Report::Started { nonce, pid },
                    Answer::Refused { nonce, why } => Report::Refused { nonce, why },
                    Answer::Ended { nonce } => Report::Ended { nonce },
                };
                if sender.send(wrap(report)).is_err() {
                    return;
                }
            }
            let _ = sender.send(wrap(Report::Lost));
        });
        Ok(())
    }

    fn replace(&mut self) -> io::Result<()> {
        let spawner = Spawner::exec()?;
        self.listen(&spawner)?;
        self.spawner = Some(spawner);
        Ok(())
    }
}

impl<T: Send + 'static> Executor for LocalExecutor<T> {
    fn start(&mut self, lease: Lease, spec: &Spec) -> io::Result<()> {
        let sent = self.spawner.as_ref().map(|spawner| spawner.send(&lease, spec));
        if !matches!(sent, Some(Ok(()))) {
            // The spawner was killed. A second one comes by exec, which costs more and does the same.
            self.spawner = None;
            self.replace()?;
            if let Some(spawner) = &self.spawner {
                spawner.send(&lease, spec)?;
            }
        }
        Ok(())
    }
}
