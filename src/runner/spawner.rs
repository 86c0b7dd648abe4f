//! The spawner: a small single-threaded process that forks supervisors. Forking it costs little
//! because it is small, and it has no lock or thread that a child could inherit.

use std::{
    collections::HashMap,
    io::{self, Read as _},
    net::Shutdown,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    process::{Child, Command, Stdio},
};

use nix::{
    errno::Errno,
    sys::wait::{WaitPidFlag, waitpid},
    unistd::Pid,
};
use rustix::event::{PollFd, PollFlags, poll};

use super::{
    message::{Answer, receive, send},
    spec::Spec,
    supervisor,
};
use crate::{
    store::Lease,
    sys::{self, Fork},
};

/// The runner's end.
#[derive(Debug)]
pub struct Spawner {
    socket: UnixStream,
    child: Option<Child>,
}

/// Forks the spawner. Call it before any thread starts and before any lock is opened: inherited
/// descriptors keep locks alive.
pub fn fork() -> io::Result<Spawner> {
    let (ours, theirs) = UnixStream::pair()?;
    match sys::fork()? {
        Fork::Parent(_) => Ok(Spawner { socket: ours, child: None }),
        Fork::Child => {
            drop(ours);
            let code = serve(theirs).map_or(1, |()| 0);
            sys::exit(code)
        }
    }
}

/// The spawner as a program of its own, with its socket as standard input.
pub fn serve_stdin() -> io::Result<()> {
    serve(sys::take_stdin()?.into())
}

impl Spawner {
    /// Starts one by exec, for when the forked one was killed.
    pub fn exec() -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new(std::env::current_exe()?)
            .arg("__spawner")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { socket: ours, child: Some(child) })
    }

    /// Hands a lease to a new supervisor. Our copy of its descriptor can be closed afterwards.
    pub fn send(&self, lease: &Lease, spec: &Spec) -> io::Result<()> {
        send(&self.socket, spec, Some(lease.file().as_raw_fd()))
    }

    /// Another handle for reading answers.
    pub fn answers(&self) -> io::Result<Answers> {
        self.socket.try_clone().map(Answers)
    }
}

impl Drop for Spawner {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(child) = &mut self.child {
            let _ = child.wait();
        }
    }
}

/// What the spawner says, in order.
#[derive(Debug)]
pub struct Answers(UnixStream);

impl Answers {
    /// The next answer; nothing once the spawner is gone.
    pub fn next(&self) -> Option<Answer> {
        receive(&self.0).ok().flatten().map(|(answer, _)| answer)
    }
}

fn serve(socket: UnixStream) -> io::Result<()> {
    let signals = sys::signal_pipe(&[libc::SIGCHLD])?;
    let mut signals = std::fs::File::from(signals);
    let mut children: HashMap<i32, String> = HashMap::new();
    loop {
        let ready = {
            let mut fds = [PollFd::new(&socket, PollFlags::IN), PollFd::new(&signals, PollFlags::IN)];
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            [!fds[0].revents().is_empty(), !fds[1].revents().is_empty()]
        };
        if ready[1] {
            let _ = signals.read(&mut [0; 256]);
        }
        // Children first: their end makes room for the next.
        reap(&mut children, &socket)?;
        if ready[0] {
            let Some((spec, Some(lease))) = receive::<Spec>(&socket)? else { return Ok(()) };
            let nonce = spec.nonce.clone();
            match sys::fork() {
                Ok(Fork::Child) => supervisor::main(lease, spec),
                Ok(Fork::Parent(pid)) => {
                    children.insert(pid, nonce.clone());
                    let pid = pid.unsigned_abs();
                    send(&socket, &Answer::Started { nonce, pid }, None)?;
                }
                Err(error) => send(&socket, &Answer::Refused { nonce, why: error.to_string() }, None)?,
            }
        }
    }
}

fn reap(children: &mut HashMap<i32, String>, socket: &UnixStream) -> io::Result<()> {
    loop {
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            Ok(status) => match status.pid() {
                None => return Ok(()),
                Some(pid) => {
                    if let Some(nonce) = children.remove(&pid.as_raw()) {
                        send(socket, &Answer::Ended { nonce }, None)?;
                    }
                }
            },
            Err(Errno::EINTR) => {}
            Err(_) => return Ok(()),
        }
    }
}
