//! A runner that sleeps: until what, and what it finds when it wakes up.

use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Runner;
use crate::{
    clock,
    model::Id,
    runner::{Executor as _, Report},
    store::{self, Bell, FALLBACK, probe},
};

impl Runner {
    /// Sleeps until something happens, and takes note of all that has.
    pub(super) fn wait(&mut self) {
        let now = Instant::now();
        let mut until = if self.has_work() || self.is_due { now } else { self.look_at };
        if self.uncommitted > 0 {
            until = until.min(self.commit_at);
        }
        if let Some(at) = self.wakes_at {
            let left = Duration::try_from(at.duration_since(clock::now())).unwrap_or_default();
            self.is_due |= left.is_zero();
            until = until.min(now + left);
        }
        let (is_rung, gone) = self.sleep(until.saturating_duration_since(now));
        self.is_told |= is_rung;
        for id in gone {
            self.take_gone(id);
        }
        for report in self.executor.reports() {
            self.take(report);
        }
        if Instant::now() >= self.look_at {
            // What no event tells us: network file systems, lost spawners, a plan that was saved.
            self.look_at = Instant::now() + FALLBACK;
            self.is_due = true;
            self.must_warn = true;
            self.look_at_all();
        }
    }

    /// Sleeps until there is something to read. Whether the bell rang, and whose supervisors ended.
    fn sleep(&self, patience: Duration) -> (bool, Vec<Id>) {
        let watched: Vec<(&Id, &OwnedFd)> = self.others.iter().filter_map(|(id, fd)| Some((id, fd.as_ref()?))).collect();
        let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(watched.len() + 3);
        fds.extend(watched.iter().map(|(_, fd)| PollFd::new(*fd, PollFlags::IN)));
        fds.extend(self.bell.as_ref().map(|bell| PollFd::new(bell, PollFlags::IN)));
        fds.extend(self.executor.fds().into_iter().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let timeout = Timespec { tv_sec: patience.as_secs().try_into().unwrap_or(2), tv_nsec: patience.subsec_nanos().into() };
        if poll(&mut fds, Some(&timeout)).is_err() {
            return (false, Vec::new());
        }
        let is_ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let gone = watched.iter().zip(&fds).filter(|(_, fd)| is_ready(fd)).map(|((id, _), _)| (*id).clone()).collect();
        let may_ring = fds.get(watched.len()).is_some_and(is_ready);
        (may_ring && self.bell.as_ref().is_some_and(Bell::has_rung), gone)
    }

    pub(super) fn take(&mut self, report: Report) {
        match report {
            Report::Ended { nonce } => {
                if let Some((_, id)) = self.running.remove(&nonce) {
                    self.others.remove(&id);
                    self.ended.push(id);
                }
            }
            Report::Lost => {
                // Their supervisors live on; now each has to be watched by itself.
                let running: Vec<Id> = self.running.values().map(|(_, id)| id.clone()).collect();
                for id in running {
                    let record = store::Record::read(&self.paths.lease(id.as_str())).ok().flatten();
                    self.watch(&id, record.and_then(|record| record.supervisor).map(|(pid, _)| pid));
                }
                self.look_at = Instant::now();
            }
        }
    }

    /// Takes note that nobody holds a watched lease any more.
    fn take_gone(&mut self, id: Id) {
        self.others.remove(&id);
        self.running.retain(|_, (_, other)| *other != id);
        self.ended.push(id);
    }

    /// Looks at everything that should be running, whoever was to report on it: a report that was
    /// lost with the process that had it must not hold a run up.
    fn look_at_all(&mut self) {
        let ours = self.running.values().map(|(_, id)| id);
        let gone: Vec<Id> = self
            .others
            .keys()
            .chain(ours)
            .filter(|id| probe(&self.paths.lease(id.as_str())) != store::Probe::Held)
            .cloned()
            .collect();
        for id in gone {
            self.take_gone(id);
        }
        if self.running.is_empty() && self.others.is_empty() && !self.has_work() {
            // Nothing runs as far as we know; what we know is then read anew.
            self.scheduler = None;
        }
    }
}
