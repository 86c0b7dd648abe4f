//! Waking up when a project changes.

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Paths;

/// How long to sleep at most where the system does not report changes (network file systems).
pub const FALLBACK: Duration = Duration::from_secs(2);

/// How long changes are gathered.
const BURST: Duration = Duration::from_millis(10);

/// Reports that something of a project changed. Many changes make one report.
pub struct Watch {
    ear: Option<Ear>,
}

impl Watch {
    /// Watches the plan, the audit log, and `more` folders that exist.
    pub fn new(paths: &Paths, more: &[PathBuf]) -> Self {
        // A folder that is missing comes into being with a change that is watched.
        Self { ear: Ear::new(&paths.dir, more) }
    }

    /// Waits for a change or the end of `patience`, or of [`FALLBACK`] if that comes first. A signal ends it too.
    pub fn wait(&self, patience: Duration) {
        let patience = patience.min(FALLBACK);
        let Some(ear) = &self.ear else { return thread::sleep(patience) };
        let timeout = Timespec { tv_sec: patience.as_secs().try_into().unwrap_or(2), tv_nsec: patience.subsec_nanos().into() };
        if poll(&mut [PollFd::new(ear, PollFlags::IN)], Some(&timeout)).is_ok_and(|ready| ready > 0) {
            // What comes in bursts is looked at once.
            thread::sleep(BURST.min(patience));
            ear.has_heard();
        }
    }
}

/// Rings for the runners: somebody else changed something. Watching the audit log instead would wake
/// a runner at each of its own claims.
pub fn ring(paths: &Paths) {
    // A bell that cannot be rung is heard at the next fallback look.
    let _ = super::file::create_private(&paths.state("bell").join("ring"));
}

/// Becomes readable when somebody rings.
pub struct Bell {
    ear: Ear,
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
        Ear::new(folder, &[]).map(|ear| Self { ear })
    }

    /// Whether it has rung since the last time.
    pub fn has_rung(&self) -> bool {
        self.ear.has_heard()
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ear.as_fd()
    }
}

/// Watches for as long as it is kept.
pub struct Listener {
    /// The other end of what its thread listens to beside the folders.
    _stop: OwnedFd,
}

impl Listener {
    /// Calls `tell` on every change of what stands in `folder` and in those of `more` that exist, from another thread; nothing
    /// where the system cannot watch.
    pub fn new(folder: &Path, more: &[PathBuf], tell: impl Fn() + Send + 'static) -> Option<Self> {
        let ear = Ear::new(folder, more)?;
        let (stopped, stop) = std::io::pipe().ok()?;
        thread::spawn(move || {
            loop {
                let mut fds = [PollFd::new(&ear, PollFlags::IN), PollFd::new(&stopped, PollFlags::IN)];
                match poll(&mut fds, None) {
                    Err(rustix::io::Errno::INTR) => {}
                    Ok(_) if fds[1].revents().is_empty() => {
                        ear.has_heard();
                        tell();
                    }
                    _ => return,
                }
            }
        });
        Some(Self { _stop: stop.into() })
    }
}

/// Becomes readable when something in its folders changes.
struct Ear {
    fd: OwnedFd,
    #[cfg(not(target_os = "linux"))]
    _watcher: notify::RecommendedWatcher,
}

impl Ear {
    /// Listens to a folder and to those of `more` that exist; nothing where the system cannot watch it. The kernel
    /// is asked directly: a thread between would wake up at every line of the log.
    #[cfg(target_os = "linux")]
    fn new(folder: &Path, more: &[PathBuf]) -> Option<Self> {
        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
        let fd = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok()?;
        let changes = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVE | WatchFlags::DELETE | WatchFlags::ATTRIB;
        add_watch(&fd, folder, changes).ok()?;
        for folder in more {
            let _ = add_watch(&fd, folder, changes);
        }
        Some(Self { fd })
    }

    /// Listens to a folder and to those of `more` that exist; nothing where the system cannot watch it.
    #[cfg(not(target_os = "linux"))]
    fn new(folder: &Path, more: &[PathBuf]) -> Option<Self> {
        use notify::{EventKind, RecursiveMode, Watcher as _};
        let (read, write) = std::io::pipe().ok()?;
        let fd = OwnedFd::from(read);
        for end in [fd.as_fd(), write.as_fd()] {
            rustix::io::ioctl_fionbio(end, true).ok()?;
        }
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !matches!(event.kind, EventKind::Access(_))) {
                // A full pipe tells as much.
                let _ = rustix::io::write(&write, b"!");
            }
        })
        .ok()?;
        watcher.watch(folder, RecursiveMode::NonRecursive).ok()?;
        for folder in more {
            let _ = watcher.watch(folder, RecursiveMode::NonRecursive);
        }
        Some(Self { fd, _watcher: watcher })
    }

    /// Whether something has changed since the last time.
    fn has_heard(&self) -> bool {
        let mut bytes = [0; 4096];
        let mut has_heard = false;
        while rustix::io::read(&self.fd, &mut bytes).is_ok_and(|got| got > 0) {
            has_heard = true;
        }
        has_heard
    }
}

impl AsFd for Ear {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_is_heard_once() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path());
        paths.make_folders().unwrap();
        let bell = Bell::hang(&paths).unwrap();
        assert!(!bell.has_rung());
        for _ in 0..2 {
            // Again it is the same file, with nothing in it as before.
            ring(&paths);
            poll(&mut [PollFd::new(&bell, PollFlags::IN)], None).unwrap();
            assert!(bell.has_rung());
            assert!(!bell.has_rung());
        }
    }
}
