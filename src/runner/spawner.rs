//! The spawner: a small single-threaded process that starts supervisors. Forking it costs little
//! because it is small, and it has no lock or thread that a child could inherit. A supervisor
//! whose step left nothing behind gets its next lease from the runner itself.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _},
    net::Shutdown,
    os::{
        fd::{AsRawFd as _, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    process::{Child, Command, Stdio},
};

use nix::{
    errno::Errno,
    sys::wait::{WaitPidFlag, waitpid},
    unistd::Pid,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    message::{Answer, receive, send},
    spec::Spec,
    supervisor,
};
use crate::{
    store::Lease,
    sys::{self, Fork},
};

/// How many bytes a supervisor writes at the end of a claim: its nonce, and whether it is free for the next.
const WORD: usize = NONCE + 1;

/// How many bytes name a claim.
const NONCE: usize = 16;

/// The last byte of a word: a supervisor that is free, or one that ends.
const FREE: u8 = b'+';
const LAST: u8 = b'-';

/// The runner's end.
#[derive(Debug)]
pub struct Spawner {
    socket: UnixStream,
    done: File,
    child: Option<Child>,
    /// The supervisors, by pid.
    helpers: HashMap<u32, Helper>,
    /// Claims that ended before we heard who worked on them, and whether that one is free now.
    early: HashMap<String, bool>,
}

/// A supervisor, and what it works on; nothing while it is free.
#[derive(Debug)]
struct Helper {
    channel: UnixStream,
    nonce: Option<String>,
}

/// Forks the spawner. Call it before any thread starts and before any lock is opened: inherited
/// descriptors keep locks alive.
pub fn fork() -> io::Result<Spawner> {
    let (ours, theirs) = UnixStream::pair()?;
    let (done, told) = io::pipe()?;
    match sys::fork()? {
        Fork::Parent(_) => Spawner::new(ours, done.into(), None),
        Fork::Child => {
            drop((ours, done));
            let code = serve(&theirs, &told.into()).map_or(1, |()| 0);
            sys::exit(code)
        }
    }
}

/// The spawner as a program of its own: standard input is its socket, standard output the pipe
/// for ended claims.
pub fn serve_standard() -> io::Result<()> {
    let socket = sys::take_standard(0)?.into();
    serve(&socket, &sys::take_standard(1)?)
}

impl Spawner {
    fn new(socket: UnixStream, done: OwnedFd, child: Option<Child>) -> io::Result<Self> {
        // Only our end: the other is theirs to block on.
        rustix::fs::fcntl_setfl(&done, rustix::fs::OFlags::NONBLOCK)?;
        Ok(Self { socket, done: done.into(), child, helpers: HashMap::new(), early: HashMap::new() })
    }

    /// Starts one by exec, for when the forked one was killed.
    pub fn exec() -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let (done, told) = io::pipe()?;
        let child = Command::new(std::env::current_exe()?)
            .arg("__spawner")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(told))
            .stderr(Stdio::null())
            .spawn()?;
        Self::new(ours, done.into(), Some(child))
    }

    /// Hands a lease to a supervisor that is free, else to a new one. Our copy of its descriptor can be closed
    /// afterwards: a supervisor that dies takes what it was sent along.
    pub fn send(&mut self, lease: &Lease, spec: &Spec) -> io::Result<()> {
        let fd = lease.file().as_raw_fd();
        while let Some(pid) = self.helpers.iter().find_map(|(pid, helper)| helper.nonce.is_none().then_some(*pid)) {
            if let Some(helper) = self.helpers.get_mut(&pid)
                && send(&helper.channel, spec, Some(fd)).is_ok()
            {
                helper.nonce = Some(spec.nonce.clone());
                return Ok(());
            }
            self.helpers.remove(&pid);
        }
        send(&self.socket, spec, Some(fd))
    }

    /// What becomes readable when there is something to [`Spawner::read`].
    pub fn fds(&self) -> [BorrowedFd<'_>; 2] {
        use std::os::fd::AsFd as _;
        [self.socket.as_fd(), self.done.as_fd()]
    }

    /// The claims that have ended since the last time. An error means that it is gone.
    pub fn read(&mut self) -> io::Result<Vec<String>> {
        let mut ended = Vec::new();
        // Supervisors write a word at once, so a read never ends within one.
        let mut words = [0; WORD * 64];
        match self.done.read(&mut words) {
            Ok(got) => words[..got].chunks_exact(WORD).for_each(|word| self.take_word(word, &mut ended)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        while is_readable(&self.socket)? {
            match receive(&self.socket)? {
                Some((Answer::Refused { nonce, .. }, _)) => ended.push(nonce),
                Some((Answer::Started { nonce, pid }, Some(channel))) => self.take_helper(pid, nonce, channel),
                Some((Answer::Started { .. }, None)) => {}
                Some((Answer::Ended { pid }, _)) => {
                    ended.extend(self.helpers.remove(&pid).and_then(|helper| helper.nonce));
                }
                None if ended.is_empty() => return Err(io::ErrorKind::BrokenPipe.into()),
                None => break,
            }
        }
        Ok(ended)
    }

    /// Takes note of the end of a claim that its supervisor told.
    fn take_word(&mut self, word: &[u8], ended: &mut Vec<String>) {
        let (nonce, is_free) = (String::from_utf8_lossy(&word[..NONCE]).into_owned(), word[NONCE] == FREE);
        let pid = self.helpers.iter().find(|(_, helper)| helper.nonce.as_ref() == Some(&nonce)).map(|(pid, _)| *pid);
        match pid {
            Some(pid) => {
                if let Some(helper) = self.helpers.remove(&pid).filter(|_| is_free) {
                    self.helpers.insert(pid, Helper { nonce: None, ..helper });
                }
            }
            None => drop(self.early.insert(nonce.clone(), is_free)),
        }
        ended.push(nonce);
    }

    /// Takes note of a new supervisor.
    fn take_helper(&mut self, pid: u32, nonce: String, channel: OwnedFd) {
        let nonce = match self.early.remove(&nonce) {
            None => Some(nonce),
            Some(true) => None,
            // It has ended already, and takes no more.
            Some(false) => return,
        };
        self.helpers.insert(pid, Helper { channel: channel.into(), nonce });
    }
}

fn is_readable(fd: &impl std::os::fd::AsFd) -> io::Result<bool> {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    Ok(poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0)
}

impl Drop for Spawner {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(child) = &mut self.child {
            let _ = child.wait();
        }
    }
}

/// What a supervisor writes when `nonce` has ended. With `is_free` it waits for the next claim.
pub(super) fn word(nonce: &str, is_free: bool) -> [u8; WORD] {
    let mut word = [if is_free { FREE } else { LAST }; WORD];
    for (to, from) in word[..NONCE].iter_mut().zip(nonce.bytes()) {
        *to = from;
    }
    word
}

fn serve(socket: &UnixStream, told: &OwnedFd) -> io::Result<()> {
    let mut signals = File::from(sys::signal_pipe(&[libc::SIGCHLD])?);
    super::child::oom_score();
    loop {
        let (asked, signalled) = {
            let mut fds = [PollFd::new(socket, PollFlags::IN), PollFd::new(&signals, PollFlags::IN)];
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            (!fds[0].revents().is_empty(), !fds[1].revents().is_empty())
        };
        if signalled {
            let _ = signals.read(&mut [0; 256]);
        }
        reap(socket)?;
        if asked {
            let Some((spec, Some(lease))) = receive::<Spec>(socket)? else { return Ok(()) };
            let nonce = spec.nonce.clone();
            if let Err(error) = start(socket, told, spec, lease) {
                send(socket, &Answer::Refused { nonce, why: error.to_string() }, None)?;
            }
        }
    }
}

/// Gives a lease to a new supervisor, whose channel goes to the runner.
fn start(socket: &UnixStream, told: &OwnedFd, spec: Spec, lease: OwnedFd) -> io::Result<()> {
    let nonce = spec.nonce.clone();
    let (theirs, channel) = UnixStream::pair()?;
    match sys::fork()? {
        Fork::Child => supervisor::main(lease, channel.into(), told.try_clone()?, spec),
        Fork::Parent(pid) => {
            let pid = pid.unsigned_abs();
            // A runner that is gone needs no answer; the supervisor does its work.
            let _ = send(socket, &Answer::Started { nonce, pid }, Some(theirs.as_raw_fd()));
            Ok(())
        }
    }
}

/// Reports the supervisors that have ended, in whatever way.
fn reap(socket: &UnixStream) -> io::Result<()> {
    loop {
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            Ok(status) => match status.pid() {
                None => return Ok(()),
                Some(pid) => send(socket, &Answer::Ended { pid: pid.as_raw().unsigned_abs() }, None)?,
            },
            Err(Errno::EINTR) => {}
            Err(_) => return Ok(()),
        }
    }
}
