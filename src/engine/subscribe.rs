//! Telling a face at once when a project changes, with a snapshot of how it stands then.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    call::Engine,
    snapshot::{Observer, Snapshot},
    trust,
};
use crate::{
    error::Error,
    store::{FALLBACK, Listener, Paths},
};

/// How long changes are gathered.
const BURST: Duration = Duration::from_millis(15);

/// How long a plan that cannot be read may be half a save.
const QUIET: Duration = Duration::from_millis(300);

/// How seldom snapshots follow each other at most, whatever they cost.
const PACE: Duration = Duration::from_millis(250);

/// What a face is told.
#[derive(Clone, Debug)]
pub enum Update {
    /// Something changed; this is how it stands now.
    Changed(Arc<Snapshot>),
    /// The project cannot be read, with the reason and its line. The snapshot before holds until there is another one.
    Broken(Arc<Error>),
}

/// Updates go on for as long as it is kept.
pub struct Subscription {
    is_over: Arc<AtomicBool>,
    wake: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        let _ = self.wake.try_send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Engine {
    /// Tells how the project stands, now and at every change of its plan, records, leases, runs and settings, from a thread of
    /// its own. Nothing is looked at while nothing changes and nothing runs.
    pub fn subscribe(&self, tell: impl FnMut(Update) + Send + 'static) -> Result<Subscription, Error> {
        let (wake, woken) = sync_channel(1);
        let is_over = Arc::new(AtomicBool::new(false));
        let paths = self.paths().clone();
        let (wake_up, over) = (wake.clone(), Arc::clone(&is_over));
        let body = move || {
            let observer = Observer::new(paths.clone());
            let watched = (Vec::new(), None);
            Feed { paths, observer, wake: wake_up, woken, over, watched, said: None, cost: Duration::ZERO, tell }.go_on();
        };
        let thread = thread::Builder::new().name("subscription".into()).spawn(body).map_err(Error::io("start", "a thread"))?;
        Ok(Subscription { is_over, wake, thread: Some(thread) })
    }
}

/// The thread behind a subscription.
struct Feed<T> {
    paths: Paths,
    observer: Observer,
    wake: SyncSender<()>,
    woken: Receiver<()>,
    over: Arc<AtomicBool>,
    /// The folders that are watched, and what watches them.
    watched: (Vec<PathBuf>, Option<Listener>),
    /// The error that was told last, if there has been no snapshot since.
    said: Option<String>,
    /// What the last snapshot cost.
    cost: Duration,
    tell: T,
}

impl<T: FnMut(Update)> Feed<T> {
    fn go_on(mut self) {
        self.watch(&[], true);
        while !self.is_over() {
            let patience = self.take();
            self.sleep(patience);
        }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Takes a snapshot and tells of it. Returns how long to wait for a change at most.
    fn take(&mut self) -> Option<Duration> {
        let begun = Instant::now();
        let mut looked = self.observer.look();
        if looked.is_err() && self.said.is_none() {
            // Half of a saved file is no reason to complain.
            while self.woken.recv_timeout(QUIET).is_ok() && !self.is_over() {}
            looked = self.observer.look();
        }
        match looked {
            Ok(snapshot) => {
                let runs: Vec<PathBuf> = snapshot.status.runs.iter().map(|run| self.paths.run(&run.id)).collect();
                let is_quiet = snapshot.status.progress.is_none() && snapshot.slots.is_some_and(|(taken, _)| taken == 0);
                (self.said, self.cost) = (None, begun.elapsed());
                (self.tell)(Update::Changed(Arc::new(snapshot)));
                self.watch(&runs, false);
                // A lock that is let go of by a death is no change of a file.
                (!is_quiet || self.watched.1.is_none()).then_some(FALLBACK)
            }
            Err(error) => {
                let text = error.to_string();
                if self.said.as_ref() != Some(&text) {
                    self.said = Some(text);
                    (self.tell)(Update::Broken(Arc::new(error)));
                }
                // The folder itself may have been removed and made anew.
                self.watch(&[], true);
                Some(FALLBACK)
            }
        }
    }

    /// Waits for a change and for what comes along with it.
    fn sleep(&self, patience: Option<Duration>) {
        let woken = match patience {
            None => self.woken.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(patience) => self.woken.recv_timeout(patience),
        };
        if woken.is_ok() && !self.is_over() {
            thread::sleep((self.cost * 5).clamp(BURST, PACE));
            // What came meanwhile is in the next snapshot.
            let _ = self.woken.try_recv();
        }
    }

    /// Watches the folders that there are now.
    fn watch(&mut self, runs: &[PathBuf], is_afresh: bool) {
        let own = ["active", "last", "runners", "requests"].map(|name| self.paths.state(name));
        let all = own.into_iter().chain([self.paths.runs()]).chain(trust::folder()).chain(runs.iter().cloned());
        let folders: Vec<PathBuf> = all.filter(|folder| folder.is_dir()).collect();
        if is_afresh || folders != self.watched.0 {
            let wake = self.wake.clone();
            let listener = Listener::new(&self.paths, &folders, move || _ = wake.try_send(()));
            if !is_afresh {
                // What changed before it was watched.
                let _ = self.wake.try_send(());
            }
            self.watched = (folders, listener);
        }
    }
}
