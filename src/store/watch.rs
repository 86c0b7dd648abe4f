//! Waking up when a project changes.

use std::{
    fs::File,
    io::Read as _,
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    time::Duration,
};

use notify::{EventKind, RecursiveMode, Watcher as _};
use rustix::pipe::PipeFlags;

use super::Paths;

/// How long to sleep at most where the system does not report changes (network file systems).
pub const FALLBACK: Duration = Duration::from_secs(2);

/// How long changes are gathered.
const BURST: Duration = Duration::from_millis(20);

/// Reports that something of a project changed. Many changes make one report.
pub struct Watch {
    changed: Receiver<()>,
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Watch {
    /// Watches the plan, the audit log, and `more` folders that exist.
    pub fn new(paths: &Paths, more: &[PathBuf]) -> Self {
        let (sender, changed) = sync_channel(1);
        Self { changed, _watcher: watcher(paths, more, move || poke(&sender)) }
    }

    /// Waits for a change or the end of `patience`, or of [`FALLBACK`] if that comes first.
    pub fn wait(&self, patience: Duration) {
        match self.changed.recv_timeout(patience.min(FALLBACK)) {
            // What comes in bursts is looked at once.
            Ok(()) => std::thread::sleep(BURST.min(patience)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(patience.min(FALLBACK)),
        }
    }
}

/// Calls a function on every change of the plan, the audit log, and more folders that exist, while it lives.
pub struct Listener(#[expect(dead_code, reason = "it listens while it lives")] Option<notify::RecommendedWatcher>);

impl Listener {
    /// One that calls `tell`, which the system may do often.
    pub fn new(paths: &Paths, more: &[PathBuf], tell: impl Fn() + Send + 'static) -> Self {
        Self(watcher(paths, more, tell))
    }
}

fn poke(sender: &SyncSender<()>) {
    let _ = sender.try_send(());
}

/// Rings for the runners: somebody else changed something. Watching the audit log instead would wake
/// a runner at each of its own claims.
pub fn ring(paths: &Paths) {
    // A bell that cannot be rung is heard at the next fallback look.
    let _ = super::file::create_private(&paths.state("bell").join("ring"));
}

/// Becomes readable when somebody rings.
pub struct Bell {
    pipe: File,
    _watcher: notify::RecommendedWatcher,
}

impl Bell {
    /// A bell for a runner; nothing where the system cannot watch.
    pub fn hang(paths: &Paths) -> Option<Self> {
        Self::on(&paths.state("bell"))
    }

    /// One that rings at every change of the plan and of the log; nothing where the system cannot watch.
    pub fn on_changes(paths: &Paths) -> Option<Self> {
        Self::on(&paths.dir)
    }

    fn on(folder: &Path) -> Option<Self> {
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
        let mut watcher = listener(move || {
            // A full pipe rings as well.
            let _ = rustix::io::write(&write, b"!");
        })?;
        watcher.watch(folder, RecursiveMode::NonRecursive).ok()?;
        Some(Self { pipe: read.into(), _watcher: watcher })
    }

    /// Whether it has rung since the last time.
    pub fn has_rung(&self) -> bool {
        matches!((&self.pipe).read(&mut [0; 64]), Ok(got) if got > 0)
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

/// Calls `tell` on every change of the plan, the log and `more`; nothing where the system cannot
/// watch.
fn watcher(paths: &Paths, more: &[PathBuf], tell: impl Fn() + Send + 'static) -> Option<notify::RecommendedWatcher> {
    let mut watcher = listener(tell)?;
    watcher.watch(&paths.dir, RecursiveMode::NonRecursive).ok()?;
    for folder in more {
        // A folder that is missing comes into being with a change that is watched.
        let _ = watcher.watch(folder, RecursiveMode::NonRecursive);
    }
    Some(watcher)
}

fn listener(tell: impl Fn() + Send + 'static) -> Option<notify::RecommendedWatcher> {
    notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !matches!(event.kind, EventKind::Access(_))) {
            tell();
        }
    })
    .ok()
}
