//! The spawner: a small single-threaded process that starts supervisors. Forking it costs little
//! because it is small, and it has no lock or thread that a child could inherit. A supervisor
//! whose step left nothing behind is used again, which saves the next one its fork.

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
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    pipe::{PipeFlags, pipe_with},
};

use super::{
    message::{Answer, receive, send},
    spec::Spec,
    supervisor,
};
use crate::{
    store::Lease,
    sys::{self, Fork},
};

/// How many bytes name a claim.
pub(super) const NONCE: usize = 16;

/// The runner's end.
#[derive(Debug)]
pub struct Spawner {
    socket: UnixStream,
    done: File,
    child: Option<Child>,
}

/// Forks the spawner. Call it before any thread starts and before any lock is opened: inherited
/// descriptors keep locks alive.
pub fn fork() -> io::Result<Spawner> {
    let (ours, theirs) = UnixStream::pair()?;
    let (done, told) = pipe_with(PipeFlags::CLOEXEC)?;
    match sys::fork()? {
        Fork::Parent(_) => Ok(Spawner { socket: ours, done: done.into(), child: None }),
        Fork::Child => {
            drop((ours, done));
            let code = serve(&theirs, &told).map_or(1, |()| 0);
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
    /// Starts one by exec, for when the forked one was killed.
    pub fn exec() -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let (done, told) = pipe_with(PipeFlags::CLOEXEC)?;
        let child = Command::new(std::env::current_exe()?)
            .arg("__spawner")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(told))
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { socket: ours, done: done.into(), child: Some(child) })
    }

    /// Hands a lease to a supervisor. Our copy of its descriptor can be closed afterwards.
    pub fn send(&self, lease: &Lease, spec: &Spec) -> io::Result<()> {
        send(&self.socket, spec, Some(lease.file().as_raw_fd()))
    }

    /// What becomes readable when there is something to [`Spawner::read`].
    pub fn fds(&self) -> [BorrowedFd<'_>; 2] {
        use std::os::fd::AsFd as _;
        [self.socket.as_fd(), self.done.as_fd()]
    }

    /// What it has said since the last time. An error means that it is gone.
    pub fn read(&mut self) -> io::Result<Vec<Answer>> {
        let mut answers = Vec::new();
        while is_readable(&self.done)? {
            // Supervisors write a nonce at once, so a read never ends within one.
            let mut nonces = [0; NONCE * 64];
            let got = self.done.read(&mut nonces)?;
            let ended = nonces[..got].chunks_exact(NONCE).map(|nonce| String::from_utf8_lossy(nonce).into_owned());
            answers.extend(ended.map(|nonce| Answer::Ended { nonce }));
            if got == 0 {
                break;
            }
        }
        while is_readable(&self.socket)? {
            match receive(&self.socket)? {
                Some((answer, _)) => answers.push(answer),
                None if answers.is_empty() => return Err(io::ErrorKind::BrokenPipe.into()),
                None => break,
            }
        }
        Ok(answers)
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

/// A supervisor, and what it works on or worked on last.
struct Helper {
    channel: UnixStream,
    nonce: String,
    is_idle: bool,
}

fn serve(socket: &UnixStream, told: &OwnedFd) -> io::Result<()> {
    let mut signals = File::from(sys::signal_pipe(&[libc::SIGCHLD])?);
    super::child::oom_score();
    let mut helpers: HashMap<i32, Helper> = HashMap::new();
    loop {
        let (asked, signalled) = {
            let mut fds = vec![PollFd::new(socket, PollFlags::IN), PollFd::new(&signals, PollFlags::IN)];
            fds.extend(
                helpers.values().filter(|helper| !helper.is_idle).map(|helper| PollFd::new(&helper.channel, PollFlags::IN)),
            );
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            (!fds[0].revents().is_empty(), !fds[1].revents().is_empty())
        };
        if signalled {
            let _ = signals.read(&mut [0; 256]);
        }
        // Who has become free, before whoever waits for that.
        for helper in helpers.values_mut().filter(|helper| !helper.is_idle) {
            helper.is_idle = is_readable(&helper.channel)? && matches!((&helper.channel).read(&mut [0]), Ok(1));
        }
        reap(&mut helpers, socket)?;
        if asked {
            let Some((spec, Some(lease))) = receive::<Spec>(socket)? else { return Ok(()) };
            let nonce = spec.nonce.clone();
            if let Err(error) = assign(&mut helpers, told, spec, lease) {
                send(socket, &Answer::Refused { nonce, why: error.to_string() }, None)?;
            }
        }
    }
}

/// Gives a lease to a supervisor that is free, else to a new one.
fn assign(helpers: &mut HashMap<i32, Helper>, told: &OwnedFd, spec: Spec, lease: OwnedFd) -> io::Result<()> {
    for helper in helpers.values_mut().filter(|helper| helper.is_idle) {
        helper.is_idle = false;
        if send(&helper.channel, &spec, Some(lease.as_raw_fd())).is_ok() {
            helper.nonce = spec.nonce;
            return Ok(());
        }
    }
    let (channel, theirs) = UnixStream::pair()?;
    let told = told.try_clone()?;
    match sys::fork()? {
        Fork::Child => supervisor::main(lease, theirs.into(), told, spec),
        Fork::Parent(pid) => {
            helpers.insert(pid, Helper { channel, nonce: spec.nonce, is_idle: false });
            Ok(())
        }
    }
}

/// Reports the claims of supervisors that have ended, in whatever way.
fn reap(helpers: &mut HashMap<i32, Helper>, socket: &UnixStream) -> io::Result<()> {
    loop {
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            Ok(status) => match status.pid() {
                None => return Ok(()),
                Some(pid) => {
                    if let Some(helper) = helpers.remove(&pid.as_raw()) {
                        send(socket, &Answer::Ended { nonce: helper.nonce }, None)?;
                    }
                }
            },
            Err(Errno::EINTR) => {}
            Err(_) => return Ok(()),
        }
    }
}
