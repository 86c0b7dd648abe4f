//! The last moments before user code runs: what happens between the new process and exec.

use std::{
    ffi::{CString, OsStr},
    fs::File,
    io,
    os::{fd::AsFd as _, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use nix::errno::Errno;
use rustix::process::{Pid, Signal};

use crate::{
    clock, fault,
    store::{Lease, Line},
    sys,
};

/// The most of the reason why a command could not be started that its parent hears of, in bytes.
const COMPLAINT: usize = 1024;

/// A prepared command.
pub(super) struct Launch {
    programs: Vec<CString>,
    argv: Vec<CString>,
    env: Vec<CString>,
    cwd: PathBuf,
    streams: Streams,
    oom_score: Option<&'static str>,
    /// Whether it is the first of its attempt, which its line tells of.
    is_first: bool,
}

/// The standard streams of a child.
pub(super) struct Streams {
    /// Nothing for that of the supervisor, which is `/dev/null`.
    pub(super) stdin: Option<File>,
    pub(super) stdout: File,
    pub(super) stderr: File,
}

/// A command could not be started.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

fn c_string(bytes: impl Into<Vec<u8>>) -> Result<CString, Refusal> {
    CString::new(bytes).map_err(|_| Refusal("a word of the command has a NUL byte in it".into()))
}

impl Launch {
    /// Everything that needs memory is made here, before the fork.
    pub(super) fn new(argv: &[String], env: Vec<(Vec<u8>, Vec<u8>)>, cwd: &Path, streams: Streams) -> Result<Self, Refusal> {
        let Some(name) = argv.first() else { return Err(Refusal("the command is empty".into())) };
        let path = env.iter().find(|(name, _)| name == b"PATH").map_or(&b"/usr/bin:/bin"[..], |(_, value)| value);
        let programs = if name.contains('/') {
            vec![c_string(name.as_str())?]
        } else {
            std::env::split_paths(OsStr::from_bytes(path))
                .map(|folder| c_string(folder.join(name).as_os_str().as_bytes()))
                .collect::<Result<_, _>>()?
        };
        let env = env
            .into_iter()
            .map(|(name, value)| {
                // With room for the NUL, so that it is not moved again.
                let mut pair = Vec::with_capacity(name.len() + value.len() + 2);
                pair.extend(name);
                pair.push(b'=');
                pair.extend(value);
                c_string(pair)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            programs,
            argv: argv.iter().map(|word| c_string(word.as_str())).collect::<Result<_, _>>()?,
            env,
            cwd: cwd.into(),
            streams,
            oom_score: oom_score(),
            is_first: true,
        })
    }

    /// One that runs again in the same attempt: a line for each look of a watchdog would make its lease grow for as long
    /// as it works.
    pub(super) fn again(self) -> Self {
        Self { is_first: false, ..self }
    }

    /// Starts the command. Returns the child's pid once it runs user code.
    ///
    /// The child holds the lease's lock until exec, and writes its line before: a free lock and
    /// no `child` line mean that no user code ran or ever will.
    pub(super) fn start(&self, lease: &Lease, attempt: u32) -> Result<i32, Refusal> {
        let (read, write) = io::pipe()?;
        let parent = rustix::process::getpid();
        let pid = sys::spawn_sharing(|| {
            let refusal = match self.prepare(lease, attempt, parent) {
                Err(refusal) => refusal,
                Ok(()) => self.exec(),
            };
            // Nobody reads before this process has ended, so it must fit the pipe.
            let words = refusal.0.as_bytes();
            let _ = rustix::io::write(&write, &words[..words.len().min(COMPLAINT)]);
            sys::exit(127);
        })?;
        drop(write);
        if let Some(pid) = Pid::from_raw(pid) {
            // Both sides set it, so that whoever comes second finds it done.
            let _ = rustix::process::setpgid(Some(pid), Some(pid));
        }
        let mut complaint = [0; COMPLAINT];
        let got = rustix::io::retry_on_intr(|| rustix::io::read(&read, &mut complaint)).unwrap_or(0);
        if got == 0 {
            return Ok(pid);
        }
        let _ = nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(pid), None);
        Err(Refusal(String::from_utf8_lossy(&complaint[..got]).into_owned()))
    }

    fn prepare(&self, lease: &Lease, attempt: u32, parent: Pid) -> Result<(), Refusal> {
        let _ = rustix::process::setpgid(None, None);
        #[cfg(target_os = "linux")]
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from)?;
        #[cfg(not(target_os = "linux"))]
        let _ = Signal::KILL;
        if rustix::process::getppid() != Some(parent) {
            // The supervisor died before the death signal was set.
            sys::exit(127);
        }
        if let Some(score) = self.oom_score {
            let _ = std::fs::write("/proc/self/oom_score_adj", score);
        }
        if let Some(stdin) = &self.streams.stdin {
            rustix::stdio::dup2_stdin(stdin.as_fd()).map_err(io::Error::from)?;
        }
        rustix::stdio::dup2_stdout(self.streams.stdout.as_fd()).map_err(io::Error::from)?;
        rustix::stdio::dup2_stderr(self.streams.stderr.as_fd()).map_err(io::Error::from)?;
        std::env::set_current_dir(&self.cwd).map_err(|error| Refusal(format!("cannot enter {}: {error}", self.cwd.display())))?;
        fault::point("child.before_line");
        if self.is_first {
            lease.append(&Line::Child { pid: std::process::id(), attempt, at: Some(clock::stamp()) })?;
        }
        fault::point("child.after_line");
        sys::reset_signals();
        Ok(())
    }

    fn exec(&self) -> Refusal {
        let mut worst = Errno::ENOENT;
        for program in &self.programs {
            let Err(error) = nix::unistd::execve(program, &self.argv, &self.env);
            if error != Errno::ENOENT && error != Errno::ENOTDIR {
                worst = error;
            }
        }
        let name = self.argv[0].to_string_lossy();
        match worst {
            Errno::ENOENT => Refusal(format!("`{name}` was not found")),
            Errno::ENOEXEC => Refusal(format!("`{name}` is neither a program nor a script with `#!`")),
            error => Refusal(format!("cannot execute `{name}`: {}", error.desc())),
        }
    }
}

/// A child is a better victim than its supervisor when memory runs out. Asked for once, by the
/// spawner: supervisors inherit the answer.
pub(super) fn oom_score() -> Option<&'static str> {
    static SCORE: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let own: i32 = std::fs::read_to_string("/proc/self/oom_score_adj").ok()?.trim().parse().ok()?;
        Some((own + 100).min(1000).to_string())
    };
    SCORE.get_or_init(read).as_deref()
}
