//! Which machine, boot and user this is: a lease is only worth something where it was made.

use std::{
    fs,
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};

/// Where a claim was made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Machine {
    /// machine-id, which survives a change of the hostname.
    pub host: String,
    /// This boot.
    pub boot: String,
    /// The pid namespace.
    pub pidns: u64,
    /// The user.
    pub uid: u32,
}

impl Machine {
    /// This one.
    pub fn this() -> &'static Arc<Self> {
        static THIS: OnceLock<Arc<Machine>> = OnceLock::new();
        let make = || Self {
            host: host(),
            boot: boot(),
            pidns: fs::metadata("/proc/self/ns/pid").map_or(0, |meta| meta.ino()),
            uid: rustix::process::getuid().as_raw(),
        };
        THIS.get_or_init(|| Arc::new(make()))
    }

    /// The same machine, shared: nearly every claim was made on this one.
    pub fn shared(self) -> Arc<Self> {
        let this = Self::this();
        if **this == self { Arc::clone(this) } else { Arc::new(self) }
    }

    /// Whether both are one machine since its last start.
    pub fn is_same_boot(&self, other: &Self) -> bool {
        self.boot == other.boot
    }

    /// Whether this machine cannot know what became of the other's processes: neither the machine nor its start
    /// is the same.
    pub fn is_elsewhere(&self, other: &Self) -> bool {
        self.host != other.host && !self.is_same_boot(other)
    }

    /// Whether pids of one mean the same processes in the other, for the same user.
    pub fn shares_pids(&self, other: &Self) -> bool {
        self == other
    }
}

fn line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn host() -> String {
    line("/etc/machine-id")
        .or_else(|| line("/var/lib/dbus/machine-id"))
        .unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned())
}

#[cfg(target_os = "linux")]
fn boot() -> String {
    line("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn boot() -> String {
    // The moment of the start; there is no boot id.
    let output = std::process::Command::new("/usr/sbin/sysctl").args(["-n", "kern.boottime"]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// When process `pid` began, in the kernel's ticks since boot; nothing where it is gone or the
/// system does not say. With the pid it names a process for good.
pub fn start_of(pid: u32) -> Option<u64> {
    stat_of(Path::new("/proc"), pid).map(|stat| stat.start)
}

/// What `/proc/<pid>/stat` says (`proc_pid_stat(5)`).
pub struct ProcStat {
    /// The parent.
    pub parent: u32,
    /// The session.
    pub session: u32,
    /// When it began, in ticks since boot.
    pub start: u64,
    /// Whether it has ended and only waits to be reaped.
    pub is_zombie: bool,
}

/// What the system says of a process.
pub fn stat_of(proc: &Path, pid: u32) -> Option<ProcStat> {
    // One read: the kernel makes the text anew at each, and its size is not known before.
    let mut bytes = [0; 1024];
    let len = fs::File::open(proc.join(pid.to_string()).join("stat")).ok()?.read(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes[..len]);
    // The name in parentheses may contain anything, `)` included.
    let mut fields = text[text.rfind(')')? + 2..].split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    let start = fields.nth(15)?.parse().ok()?;
    Some(ProcStat { parent, session, start, is_zombie: state == "Z" || state == "X" })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_a_start() {
        let me = std::process::id();
        assert!(start_of(me).unwrap() > 0);
        let stat = stat_of(Path::new("/proc"), me).unwrap();
        assert_eq!(stat.parent, std::os::unix::process::parent_id());
        assert_eq!(Machine::this().boot.len(), 36);
    }
}
