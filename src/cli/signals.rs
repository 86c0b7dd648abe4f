//! Signals to a command that watches something.

use std::{
    fs::File,
    io::Read as _,
    os::fd::{AsFd, BorrowedFd},
};

use rustix::event::{PollFd, PollFlags, poll};

use crate::{error::Error, sys};

/// Ctrl-C, SIGTERM and SIGHUP, to be asked for instead of ending the process.
pub(super) struct Signals {
    pipe: File,
}

/// What came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// The terminal has gone.
    HangUp,
}

impl Signal {
    /// The exit status of a process that ends because of it.
    pub(super) const fn exit(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::HangUp => 129,
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

impl Signals {
    pub(super) fn catch() -> Result<Self, Error> {
        let pipe = sys::signal_pipe(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP]).map_err(Error::io("catch", "signals"))?;
        Ok(Self { pipe: pipe.into() })
    }

    /// Waits until there is a line at the terminal, or a signal; whether it is a line.
    pub(super) fn wait_for_line(&self) -> bool {
        let stdin = std::io::stdin();
        loop {
            let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&self.pipe, PollFlags::IN)];
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => {}
                _ => return fds[1].revents().is_empty(),
            }
        }
    }

    /// The next signal that has come, if any.
    pub(super) fn next(&mut self) -> Option<Signal> {
        let mut byte = [0];
        match self.pipe.read(&mut byte) {
            Ok(1) => match i32::from(byte[0]) {
                libc::SIGINT => Some(Signal::Interrupt),
                libc::SIGTERM => Some(Signal::Terminate),
                _ => Some(Signal::HangUp),
            },
            _ => None,
        }
    }
}
