//! Looking at a work tree from a process of its own, which can be ended whatever it is doing.

use std::time::{Duration, Instant};

use nix::{
    errno::Errno,
    sys::wait::{WaitPidFlag, WaitStatus, waitpid},
};
use rustix::process::{Pid, Signal};

use super::{Supervisor, TICK};
use crate::sys::{self, Fork};

impl Supervisor {
    /// Does `work` in a process of its own, for as long as `limit` at most and until somebody wants the step to stop.
    /// Returns whether it came to its end. Nothing of it is left afterwards.
    pub(super) fn look(&mut self, limit: Duration, work: impl FnOnce(&Self)) -> bool {
        let until = Instant::now() + limit;
        let pid = match sys::fork() {
            Err(_) => return false,
            Ok(Fork::Parent(pid)) => pid,
            Ok(Fork::Child) => {
                enter_helper();
                work(self);
                sys::exit(0)
            }
        };
        if let Some(pid) = Pid::from_raw(pid) {
            // Both sides set it, so that whoever comes second finds it done.
            let _ = rustix::process::setpgid(Some(pid), Some(pid));
        }
        let (mut is_over, mut is_whole) = (false, false);
        while !is_over && Instant::now() < until && (self.has_run || self.stop_request().is_none()) {
            self.sleep(until.min(Instant::now() + TICK));
            while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                match status.pid() {
                    None => break,
                    Some(ended) if ended.as_raw() == pid => {
                        (is_over, is_whole) = (true, matches!(status, WaitStatus::Exited(_, 0)));
                    }
                    Some(_) => {}
                }
            }
        }
        if let Some(group) = Pid::from_raw(pid) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        // What it had started is of its group, and has come to us.
        while !matches!(waitpid(nix::unistd::Pid::from_raw(-pid), None), Err(Errno::ECHILD)) {}
        is_whole
    }
}

/// What a forked helper begins with: a process group of its own, the default actions of signals, no descriptor of ours (the
/// lease least of all), and no longer life than its supervisor's.
fn enter_helper() {
    let _ = rustix::process::setpgid(None, None);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    sys::reset_signals();
    if sys::keep_only([]).is_err() {
        sys::exit(1);
    }
}
