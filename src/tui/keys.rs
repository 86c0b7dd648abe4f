//! Reading keys and the mouse from the terminal; can be put to sleep while somebody else has it.

use std::{
    io::{self, stdin},
    os::fd::OwnedFd,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc::Sender},
    thread,
    time::Duration,
};

use crossterm::event;
use rustix::event::{PollFd, PollFlags, poll};

use super::msg::Msg;

/// With no time at all crossterm does not look at the terminal; with its other way of waiting a key that comes with a
/// change of size is not seen before the next one.
const INSTANT: Duration = Duration::from_millis(1);

/// Who has the terminal's input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Turn {
    /// The screen reads it.
    Ours,
    /// Somebody else wants it.
    Asked,
    /// Somebody else has it.
    Given,
}

/// The reader of the terminal's input.
pub(super) struct Keys {
    turn: Arc<(Mutex<Turn>, Condvar)>,
    wake: OwnedFd,
}

impl Keys {
    /// Sends everything that is typed from now on.
    pub(super) fn read(out: Sender<Msg>) -> io::Result<Self> {
        let (asleep, wake) = rustix::pipe::pipe()?;
        let turn = Arc::new((Mutex::new(Turn::Ours), Condvar::new()));
        let reader = Reader { turn: Arc::clone(&turn), wake: asleep, out };
        thread::spawn(move || {
            if reader.work().is_err() {
                // The terminal has gone.
                let _ = reader.out.send(Msg::Terminate);
            }
        });
        Ok(Self { turn, wake })
    }

    /// Does something while nobody reads what is typed.
    pub(super) fn without<T>(&self, work: impl FnOnce() -> T) -> T {
        let (turn, changed) = &*self.turn;
        *lock(turn) = Turn::Asked;
        let _ = rustix::io::write(&self.wake, b"!");
        // The reader may have ended with the terminal.
        let given = changed.wait_timeout_while(lock(turn), Duration::from_secs(1), |turn| *turn == Turn::Asked);
        drop(given);
        let result = work();
        *lock(turn) = Turn::Ours;
        changed.notify_all();
        result
    }
}

fn lock(turn: &Mutex<Turn>) -> MutexGuard<'_, Turn> {
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Reader {
    turn: Arc<(Mutex<Turn>, Condvar)>,
    wake: OwnedFd,
    out: Sender<Msg>,
}

impl Reader {
    fn work(&self) -> io::Result<()> {
        // What came with the terminal's answers is there before anything can be polled.
        while self.pass_on()? {
            let stdin = stdin();
            let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&self.wake, PollFlags::IN)];
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => {}
                result => drop(result?),
            }
            let [keys, asked] = fds.map(|fd| fd.revents());
            if !asked.is_empty() {
                rustix::io::read(&self.wake, &mut [0; 1])?;
                self.rest();
            }
            if keys.intersects(PollFlags::HUP | PollFlags::ERR) && !keys.contains(PollFlags::IN) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Sends what has been typed; whether anybody listens.
    fn pass_on(&self) -> io::Result<bool> {
        while event::poll(INSTANT)? {
            if self.out.send(Msg::Input(event::read()?)).is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn rest(&self) {
        let (turn, changed) = &*self.turn;
        let mut now = lock(turn);
        if *now == Turn::Asked {
            *now = Turn::Given;
            changed.notify_all();
        }
        drop(changed.wait_while(now, |turn| *turn != Turn::Ours));
    }
}
