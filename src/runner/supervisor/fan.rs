//! A fan-out: several workers of one step, under one lease and with a folder for each.

use std::{
    collections::VecDeque,
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use rustix::process::{Pid, Signal};

use super::{Ending, Supervisor, TICK, Times, cut, judge, said};
use crate::{
    clock,
    model::{FailPolicy, Fanout, Outcome, Reason, Span, StepStatus, WorkerEnd},
    runner::{
        child::Refusal,
        crew::{begin_folder, merge, never_started},
        finish::{Left, complete, read_report, weigh},
        limit,
        stop::{StopRequest, grace},
    },
    store::Exit,
};

/// A worker that runs.
struct Running {
    worker: u32,
    pid: i32,
    begun: Instant,
    /// Why it is being ended, and when it is killed.
    ending: Option<(Ending, Instant)>,
    ended: Option<WaitStatus>,
    times: Times,
}

/// The workers of one attempt.
struct Crew {
    attempt: u32,
    fanout: Fanout,
    waiting: VecDeque<u32>,
    running: Vec<Running>,
    /// Why nobody is started any more, and those who run are stopped.
    stop: Option<StopRequest>,
    /// Whether somebody did not come to the end of their work because of that.
    is_cut_short: bool,
    /// How long each may take.
    limit: Duration,
    tick: Instant,
}

impl Running {
    fn signal(&self, signal: Signal) {
        if let Some(group) = Pid::from_raw(self.pid) {
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }

    /// Ends what there is of its process group, where a sweep does not find it.
    fn sweep(&self) {
        if !cfg!(target_os = "linux") {
            self.signal(Signal::TERM);
            self.signal(Signal::KILL);
        }
    }

    fn end(&mut self, why: Ending, now: Instant) {
        self.signal(Signal::TERM);
        self.ending = Some((why, now + grace()));
    }
}

impl Crew {
    fn is_over(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    /// When something has to be done, whatever happens until then.
    fn next_look(&self) -> Instant {
        let due = |running: &Running| running.ending.as_ref().map_or(running.begun + self.limit, |(_, kill_at)| *kill_at);
        self.running.iter().map(due).fold(self.tick, Instant::min)
    }
}

impl Supervisor {
    /// Runs the workers who did not do their work in an earlier attempt. Nothing if the lease is gone.
    pub(super) fn fan_out(&mut self, attempt: u32, fanout: Fanout) -> Option<Outcome> {
        if let Err(Refusal(why)) = self.prepare(attempt) {
            return Some(Outcome::failed(Reason::Spawn, Some(cut(&why))));
        }
        if attempt > self.spec.attempt {
            self.workers.retain(|end| end.status != StepStatus::Failed);
        }
        let is_left = |worker: &u32| self.workers.iter().all(|end| end.worker != *worker);
        let waiting = (1..=fanout.workers).filter(is_left).collect();
        let tick = Instant::now() + TICK;
        let mut crew = Crew {
            attempt,
            fanout,
            waiting,
            running: Vec::new(),
            stop: None,
            is_cut_short: false,
            limit: Duration::from_millis(self.spec.timeout_ms),
            tick,
        };
        loop {
            self.take_ended(&mut crew);
            self.stop_workers(&mut crew);
            self.start_workers(&mut crew);
            if crew.is_over() {
                break;
            }
            if Instant::now() >= crew.tick {
                crew.tick = Instant::now() + TICK;
                if !self.lease.is_at(&self.lease_path) {
                    crew.running.iter().for_each(Running::sweep);
                    return None;
                }
                crew.running.iter_mut().for_each(|running| running.times.note());
            }
            self.sleep(crew.next_look());
        }
        self.workers.sort_by_key(|end| end.worker);
        Some(match crew.stop {
            Some(request) if crew.is_cut_short && request.nonce == self.spec.nonce => request.outcome(),
            _ => {
                let may_retry = attempt < self.spec.attempt + self.spec.retries;
                let outcome = fanout.outcome(&self.workers, may_retry);
                Outcome { note: outcome.note.as_deref().map(cut), ..outcome }
            }
        })
    }

    /// Takes note of the workers that have ended, and of why that stops the others.
    fn take_ended(&mut self, crew: &mut Crew) {
        reap(&mut crew.running);
        let (ended, running) = std::mem::take(&mut crew.running).into_iter().partition(|running| running.ended.is_some());
        crew.running = running;
        for running in ended {
            running.sweep();
            self.end_worker(crew, running);
        }
    }

    fn end_worker(&mut self, crew: &mut Crew, running: Running) {
        let Running { worker, begun, ending, ended, .. } = running;
        let folder = self.worker_folder(crew.attempt, worker);
        let mut report = read_report(&folder, self.spec.output);
        let outcome = match ending {
            Some((Ending::Timeout, _)) => {
                let limit = u64::try_from(crew.limit.as_millis()).unwrap_or(u64::MAX);
                Outcome::failed(Reason::Timeout, Some(format!("longer than {}", Span::from_ms(limit))))
            }
            Some((Ending::Asked(request), _)) => {
                crew.is_cut_short = true;
                request.outcome()
            }
            Some((Ending::Over | Ending::LeaseGone, _)) | None => {
                let (code, signal) = match ended {
                    Some(WaitStatus::Exited(_, code)) => (Some(code), None),
                    Some(WaitStatus::Signaled(_, signal, _)) => (None, Some(signal as i32)),
                    _ => (None, None),
                };
                let said = said(&folder);
                let has_said = said.is_some();
                let outcome = weigh(judge(code, signal, said, self.spec.review), &report, self.spec.output, has_said);
                limit::weigh(outcome, &mut report, self.spec.limit, self.spec.own_limit(), clock::now())
            }
        };
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let usage = report.facts.usage;
        let exit = Exit { attempt: crew.attempt, outcome, ms, at: clock::stamp().into() };
        let left = Left { report, worker: Some(worker), ..Left::default() };
        if complete(&self.paths, &self.spec.run, &self.spec.step, &exit, &left).is_err() {
            // A full disk must not keep us from the others.
            self.owed.push((exit.clone(), left));
        }
        self.note_end(crew, WorkerEnd::new(worker, crew.attempt, exit.outcome, ms, usage));
    }

    fn note_end(&mut self, crew: &mut Crew, end: WorkerEnd) {
        if end.is_waiting() {
            // Who has not begun would meet the same limit; who runs may get through.
            self.workers.extend(crew.waiting.drain(..).map(|worker| never_started(worker, crew.attempt, &end.outcome())));
        } else if end.status == StepStatus::Failed && crew.fanout.fail_policy == FailPolicy::FailFast && crew.stop.is_none() {
            // It comes from nobody's request, so it has no claim's name.
            let by = format!("the failure of worker {}", end.worker);
            crew.stop = Some(StopRequest::new(String::new(), by, Reason::FailFast));
        }
        self.workers.push(end);
    }

    /// Ends those who have to end: because somebody asks for it, another failed, or their time is over.
    fn stop_workers(&mut self, crew: &mut Crew) {
        if let Some(request) = self.stop_request() {
            crew.stop = Some(request);
        }
        // Who ended by itself before this was seen keeps its own outcome.
        reap(&mut crew.running);
        let now = Instant::now();
        if crew.running.iter().any(|running| now >= running.begun + crew.limit) {
            crew.limit = self.allowed(crew.attempt);
        }
        // Who was hasty before there was anything to end meant something else.
        let is_hurried = std::mem::take(&mut self.is_hurried);
        for running in crew.running.iter_mut().filter(|running| running.ended.is_none()) {
            match (&mut running.ending, &crew.stop) {
                (Some((_, kill_at)), _) if is_hurried || now >= *kill_at => {
                    *kill_at = now + TICK;
                    running.signal(Signal::KILL);
                }
                (Some(_), _) => {}
                (None, Some(request)) => running.end(Ending::Asked(request.clone()), now),
                (None, None) if now >= running.begun + crew.limit => running.end(Ending::Timeout, now),
                (None, None) => {}
            }
        }
        let Some(request) = &crew.stop else { return };
        for worker in crew.waiting.drain(..) {
            crew.is_cut_short = true;
            self.workers.push(never_started(worker, crew.attempt, &request.outcome()));
        }
    }

    /// Starts as many as may run at once.
    fn start_workers(&mut self, crew: &mut Crew) {
        while crew.stop.is_none()
            && crew.running.len() < crew.fanout.at_once.max(1) as usize
            && let Some(worker) = crew.waiting.pop_front()
        {
            let begun = Instant::now();
            match self.start_worker(crew, worker) {
                Ok(pid) => {
                    self.has_run = true;
                    let times = Times::new(self.worker_folder(crew.attempt, worker));
                    crew.running.push(Running { worker, pid, begun, ending: None, ended: None, times });
                }
                Err(Refusal(why)) => {
                    let outcome = Outcome::failed(Reason::Spawn, Some(cut(&why)));
                    self.note_end(crew, WorkerEnd::new(worker, crew.attempt, outcome, 0, None));
                }
            }
        }
        if crew.stop.is_some() {
            self.stop_workers(crew);
        }
    }

    fn start_worker(&self, crew: &Crew, worker: u32) -> Result<i32, Refusal> {
        let folder = self.worker_folder(crew.attempt, worker);
        // The space of the claim is for the first one, and for the end of all.
        self.lease.reserve()?;
        begin_folder(&folder, &self.worker_folder(self.spec.attempt, worker), &self.folder(crew.attempt))?;
        let mut env = self.environment(crew.attempt, &folder);
        for (name, number) in [("THREADOS_WORKER_INDEX", worker), ("THREADOS_WORKER_COUNT", crew.fanout.workers)] {
            env.push((name.into(), number.to_string().into()));
        }
        let argv = self.spec.argvs.get(worker as usize - 1).unwrap_or(&self.spec.argv);
        self.launch(crew.attempt, &folder, argv, env)
    }

    /// Completes the folders of workers, once the outcome of all is written.
    pub(super) fn close_workers(&mut self, exit: &Exit) {
        if self.spec.fanout.is_none() {
            return;
        }
        for (exit, left) in std::mem::take(&mut self.owed) {
            self.insist(|| complete(&self.paths, &self.spec.run, &self.spec.step, &exit, &left).map_err(io::Error::other));
        }
        self.left.report = merge(&self.paths, &self.spec.run, &self.spec.step, exit.attempt, &self.workers);
        self.left.workers.clone_from(&self.workers);
    }

    fn worker_folder(&self, attempt: u32, worker: u32) -> PathBuf {
        self.paths.worker(&self.spec.run, self.spec.step.as_str(), attempt, worker)
    }
}

/// Takes note of the children that have ended.
fn reap(running: &mut [Running]) {
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        let Some(pid) = status.pid() else { return };
        if let Some(one) = running.iter_mut().find(|one| one.pid == pid.as_raw()) {
            one.ended = Some(status);
        }
    }
}
