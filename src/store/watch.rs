//! Waking up when a project changes.

use std::{
    path::PathBuf,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    time::Duration,
};

use notify::{EventKind, RecursiveMode, Watcher as _};

use super::Paths;

/// How long to sleep at most where the system does not report changes (network file systems).
pub const FALLBACK: Duration = Duration::from_secs(2);

/// Reports that something of a project changed. Many changes make one report.
pub struct Watch {
    changed: Receiver<()>,
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Watch {
    /// Watches the plan, the audit log, the leases, and `more` folders that exist.
    pub fn new(paths: &Paths, more: &[PathBuf]) -> Self {
        let (sender, changed) = sync_channel(1);
        Self { changed, _watcher: watcher(paths, more, move || poke(&sender)) }
    }

    /// Waits for a change or the end of `patience`, or of [`FALLBACK`] if that comes first.
    pub fn wait(&self, patience: Duration) {
        if let Err(RecvTimeoutError::Disconnected) = self.changed.recv_timeout(patience.min(FALLBACK)) {
            std::thread::sleep(patience.min(FALLBACK));
        }
    }
}

fn poke(sender: &SyncSender<()>) {
    let _ = sender.try_send(());
}

/// Calls `tell` on every change; nothing where the system cannot watch.
pub fn watcher(paths: &Paths, more: &[PathBuf], tell: impl Fn() + Send + 'static) -> Option<notify::RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !matches!(event.kind, EventKind::Access(_))) {
            tell();
        }
    })
    .ok()?;
    watcher.watch(&paths.dir, RecursiveMode::NonRecursive).ok()?;
    for folder in [paths.state("active"), paths.state("last")].iter().chain(more) {
        // A folder that is missing comes into being with a change that is watched.
        let _ = watcher.watch(folder, RecursiveMode::NonRecursive);
    }
    Some(watcher)
}
