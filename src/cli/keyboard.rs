//! A terminal that gives each key as it is typed, and waiting for one beside everything else.

use std::{io, time::Duration};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr},
};

use super::signals::Signals;
use crate::{client::Bell, error::Error};

/// The terminal, giving each key as it is typed. Dropping it gives it back as it was.
pub(super) struct Keyboard(Termios);

/// What ended a wait.
pub(super) enum Woken {
    /// Somebody typed.
    Keys(Vec<u8>),
    /// A signal came.
    Signal,
    /// The terminal has gone.
    Gone,
    /// Something changed, or nothing for long enough.
    Nothing,
}

impl Keyboard {
    pub(super) fn take() -> Result<Self, Error> {
        let failed = |error: Errno| Error::io("use", "the terminal")(error.into());
        let usual = tcgetattr(io::stdin()).map_err(failed)?;
        let mut each = usual.clone();
        each.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        each.special_codes[SpecialCodeIndex::VMIN] = 1;
        each.special_codes[SpecialCodeIndex::VTIME] = 0;
        // What was typed before counts.
        tcsetattr(io::stdin(), OptionalActions::Now, &each).map_err(failed)?;
        Ok(Self(usual))
    }

    /// Waits for a key, a signal, the bell, or the end of `patience`.
    #[expect(clippy::unused_self, reason = "only who has the keyboard may read it")]
    pub(super) fn wait(&self, signals: &Signals, bell: Option<&Bell>, patience: Duration) -> Woken {
        let stdin = io::stdin();
        let mut fds = vec![PollFd::new(&stdin, PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
        fds.extend(bell.map(|bell| PollFd::new(bell, PollFlags::IN)));
        let timeout = Timespec::try_from(patience).ok();
        if poll(&mut fds, timeout.as_ref()).is_err() {
            return Woken::Signal;
        }
        let (typed, signalled) = (fds[0].revents(), !fds[1].revents().is_empty());
        while bell.is_some_and(Bell::has_rung) {}
        if signalled {
            return Woken::Signal;
        }
        if !typed.contains(PollFlags::IN) {
            return if typed.is_empty() { Woken::Nothing } else { Woken::Gone };
        }
        let mut bytes = [0; 256];
        match rustix::io::read(&stdin, &mut bytes) {
            Ok(0) | Err(Errno::IO) => Woken::Gone,
            Ok(count) => Woken::Keys(bytes[..count].into()),
            Err(_) => Woken::Nothing,
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
