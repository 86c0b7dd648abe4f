//! The supervisor: one process an execution, in a session of its own. It holds the lease, starts
//! the step, stops it when asked or when its time is over, and writes down how it ended.

mod fan;
mod look;
mod watchdog;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::{
        fd::OwnedFd,
        unix::{fs::OpenOptionsExt as _, net::UnixStream},
    },
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::wait::{WaitPidFlag, WaitStatus, waitpid},
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, Signal},
};

use super::{
    allowance::Allowance,
    child::{Launch, Refusal, Streams},
    finish::{Left, complete, read_report, weigh},
    limit,
    message::receive,
    product,
    spawner::word,
    spec::Spec,
    stop::{StopRequest, grace},
    sweep::Target,
    times::Times,
    word::{cut, judge, said},
};
use crate::{
    clock, fault,
    model::{Outcome, Reason, Span, StepStatus, WorkerEnd},
    store::{Exit, Lease, Line, Paths, start_of},
    sys,
};

/// How often it looks whether its lease still stands, and notes how far the logs are.
const TICK: Duration = Duration::from_secs(2);

/// How many leases one supervisor sees to before a fresh one takes over.
const USES: u32 = 1000;

/// The life of a supervisor. `lease` is locked; through `told` the runner learns which claims have ended, on
/// `channel` it sends the next one.
pub(super) fn main(lease: OwnedFd, channel: OwnedFd, told: OwnedFd, spec: Spec) -> ! {
    let code = match sys::keep_only([lease, channel, told]) {
        Ok([lease, channel, told]) => serve(lease, &channel.into(), &told, spec).map_or(1, |()| 0),
        Err(_) => 1,
    };
    sys::exit(code)
}

fn serve(lease: OwnedFd, channel: &UnixStream, told: &OwnedFd, spec: Spec) -> io::Result<()> {
    rustix::process::setsid()?;
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let mut signals = File::from(sys::signal_pipe(&[libc::SIGCHLD, libc::SIGTERM, libc::SIGINT, libc::SIGHUP])?);
    let start = start_of(std::process::id()).unwrap_or(0);
    let (mut lease, mut spec) = (lease, spec);
    for left in (0..USES).rev() {
        let nonce = spec.nonce.clone();
        let mut supervisor = Supervisor::new(Lease::from_fd(lease), spec, signals);
        supervisor.work(start);
        let is_free = supervisor.is_clean && left > 0;
        signals = supervisor.signals;
        // Only now may anybody hear of it. Closing our descriptor would not do: the spawner may be about
        // to close its own.
        supervisor.lease.release();
        rustix::io::write(told, &word(&nonce, is_free))?;
        if !is_free {
            return Ok(());
        }
        match receive::<Spec>(channel)? {
            Some((next, Some(fd))) => (spec, lease) = (next, fd),
            _ => return Ok(()),
        }
    }
    Ok(())
}

struct Supervisor {
    lease: Lease,
    lease_path: PathBuf,
    spec: Spec,
    paths: Paths,
    signals: File,
    child: Option<i32>,
    ended: Option<WaitStatus>,
    /// Whether nothing of the step was left but what was waited for.
    is_clean: bool,
    /// Whether a stop is to be cut short.
    is_hurried: bool,
    /// What the last attempt left.
    left: Left,
    /// Whether the last attempt was started at all.
    has_run: bool,
    /// How long the last attempt may take, with what was added as far as that has mattered.
    limit: Duration,
    /// How the workers of a fan-out ended so far.
    workers: Vec<WorkerEnd>,
    /// The ends of workers that could not be written down yet.
    owed: Vec<(Exit, Left)>,
}

/// Why the child is being ended.
enum Ending {
    Timeout,
    Asked(StopRequest),
    /// What it watches has ended.
    Over,
    LeaseGone,
}

impl Supervisor {
    fn new(lease: Lease, spec: Spec, signals: File) -> Self {
        let paths = Paths::at(&spec.root);
        let lease_path = paths.lease(spec.step.as_str());
        let workers = spec.workers.clone();
        Self {
            lease,
            lease_path,
            spec,
            paths,
            signals,
            child: None,
            ended: None,
            is_clean: true,
            is_hurried: false,
            left: Left::default(),
            has_run: false,
            limit: Duration::ZERO,
            workers,
            owed: Vec::new(),
        }
    }

    /// Sees to one lease. `start` is when this process began.
    fn work(&mut self, start: u64) {
        fault::point("supervisor.start");
        let line = Line::Supervisor { pid: std::process::id(), start };
        if self.lease.append(&line).is_err() || !self.lease.is_at(&self.lease_path) {
            return;
        }
        if let Some(watch) = self.spec.watch.clone() {
            if let Some(exit) = self.keep_watch(&watch) {
                self.close(&exit);
            }
            return;
        }
        let mut attempt = self.spec.attempt;
        loop {
            let Some(exit) = self.attempt(attempt) else { return };
            let reason = exit.outcome.reason;
            let retry = exit.outcome.status == StepStatus::Failed && reason.is_some_and(Reason::is_retried);
            self.close(&exit);
            if !retry || attempt >= self.spec.attempt + self.spec.retries || !self.pause() {
                return;
            }
            attempt += 1;
        }
    }

    /// Runs one attempt to its end. Nothing if the lease is gone: then there is nobody to tell.
    fn attempt(&mut self, attempt: u32) -> Option<Exit> {
        let begun = Instant::now();
        self.left = Left::default();
        self.has_run = false;
        // The end of what ran before must not wake us; a stop that one of these told of is looked for below.
        self.drain();
        let end = |outcome: Outcome| {
            let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            Exit { attempt, outcome, ms, at: clock::stamp().into() }
        };
        if let Some(request) = self.stop_request() {
            return Some(end(Outcome::failed(request.reason, Some("never started".into()))));
        }
        if let Some(fanout) = self.spec.fanout {
            let outcome = self.fan_out(attempt, fanout);
            if outcome.is_none() {
                self.sweep();
            }
            return outcome.map(end);
        }
        let outcome = match self.start(attempt) {
            Err(Refusal(why)) => Outcome::failed(Reason::Spawn, Some(cut(&why))),
            Ok(pid) => {
                self.child = Some(pid);
                self.ended = None;
                self.has_run = true;
                let ending = self.watch(begun, attempt);
                if matches!(ending, Some(Ending::LeaseGone)) {
                    self.sweep();
                    return None;
                }
                // Reading only; the outcome may depend on it.
                self.left.report = read_report(&self.folder(attempt), self.spec.output);
                self.outcome(attempt, ending)
            }
        };
        Some(end(outcome))
    }

    fn start(&mut self, attempt: u32) -> Result<i32, Refusal> {
        let folder = self.prepare(attempt)?;
        self.launch(attempt, &folder, &self.spec.argv, self.environment(attempt, &folder))
    }

    /// Makes the folder of an attempt, and looks at the work tree before it.
    fn prepare(&mut self, attempt: u32) -> Result<PathBuf, Refusal> {
        let spec = &self.spec;
        let folder = self.folder(attempt);
        if attempt > spec.attempt {
            // The first one's space was reserved with the claim.
            self.lease.reserve()?;
            let first = self.paths.attempt(&spec.run, spec.step.as_str(), spec.attempt);
            fs::create_dir_all(&folder)?;
            for name in ["spec.json", "prompt.md"] {
                let _ = fs::hard_link(first.join(name), folder.join(name));
            }
            point_latest(&folder, attempt)?;
        }
        if spec.diff && !self.look(product::BEFORE, |this| product::before(&this.paths, &this.spec, &folder)) {
            product::give_up(&folder);
        }
        Ok(folder)
    }

    /// Starts a command whose logs are in `folder`. Returns its pid.
    fn launch(&self, attempt: u32, folder: &Path, argv: &[String], env: Vec<(Vec<u8>, Vec<u8>)>) -> Result<i32, Refusal> {
        let spec = &self.spec;
        fault::write("log.open")?;
        let log = |name: &str| OpenOptions::new().append(true).create(true).mode(0o600).open(folder.join(name));
        let stdin = spec.stdin.then(|| File::open(folder.join("prompt.md"))).transpose()?;
        let streams = Streams { stdin, stdout: log("stdout.log")?, stderr: log("stderr.log")? };
        fault::point("supervisor.before_fork");
        let launch = Launch::new(argv, env, &spec.cwd, streams)?;
        let launch = if self.has_run && self.spec.watch.is_some() { launch.again() } else { launch };
        launch.start(&self.lease, attempt)
    }

    fn environment(&self, attempt: u32, folder: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
        use std::os::unix::ffi::OsStringExt as _;
        let spec = &self.spec;
        let ours = [
            ("THREADOS_LEASE", spec.nonce.clone().into_bytes()),
            ("THREADOS_ATTEMPT", attempt.to_string().into_bytes()),
            ("THREADOS_STEP_ID", spec.step.to_string().into_bytes()),
            ("THREADOS_RUN_ID", spec.run.clone().into_bytes()),
            ("THREADOS_OUTCOME_FILE", folder.join("outcome").into_os_string().into_vec()),
            ("THREADOS_BASE_PATH", spec.root.clone().into_os_string().into_vec()),
        ];
        let watched = spec.watch.iter().flat_map(|watch| watch.environment(&self.paths));
        let ours = ours.into_iter().chain(watched.map(|(name, value)| (name, value.into_vec())));
        let ours: Vec<(&str, Vec<u8>)> = ours.collect();
        let is_ours = |name: &str| ours.iter().any(|(other, _)| *other == name);
        let plan = spec.env.iter().filter(|(name, _)| !is_ours(name));
        let plan = plan.map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        let inherited = std::env::vars_os().filter(|(name, _)| {
            name.to_str().is_none_or(|name| {
                !is_ours(name) && !spec.env.contains_key(name) && !spec.unset.iter().any(|other| other == name)
            })
        });
        let inherited = inherited.map(|(name, value)| (name.into_vec(), value.into_vec()));
        let mut env: Vec<_> = inherited.chain(plan).collect();
        env.extend(ours.into_iter().map(|(name, value)| (name.into(), value)));
        env
    }

    /// Waits for the child's end, and brings it about when it has to. Returns why it had to.
    fn watch(&mut self, begun: Instant, attempt: u32) -> Option<Ending> {
        self.limit = Duration::from_millis(self.spec.timeout_ms);
        let (mut ending, mut kill_at) = (None, None::<Instant>);
        let mut tick = Instant::now() + TICK;
        let mut times = Times::new(self.folder(attempt));
        loop {
            // First, since whoever has asked for a stop since we looked has sent a signal too.
            self.sleep(kill_at.unwrap_or(begun + self.limit).min(tick));
            self.reap();
            if self.ended.is_some() {
                return ending;
            }
            let now = Instant::now();
            if now >= begun + self.limit {
                self.limit = self.allowed(attempt);
            }
            let deadline = begun + self.limit;
            if let Some(at) = kill_at {
                if now >= at || std::mem::take(&mut self.is_hurried) {
                    self.signal_group(Signal::KILL);
                    kill_at = Some(now + TICK);
                }
            } else if let Some(why) = self.reason_to_end(now, deadline, tick) {
                // A child that ended by itself before this was seen keeps its own outcome.
                self.reap();
                if self.ended.is_some() {
                    return None;
                }
                // Who was hasty before there was anything to end meant something else.
                self.is_hurried = false;
                self.signal_group(Signal::TERM);
                kill_at = Some(now + grace());
                ending = Some(why);
            }
            if now >= tick {
                tick = now + TICK;
                times.note();
            }
        }
    }

    fn reason_to_end(&self, now: Instant, deadline: Instant, tick: Instant) -> Option<Ending> {
        if let Some(request) = self.stop_request() {
            Some(Ending::Asked(request))
        } else if now >= deadline {
            Some(Ending::Timeout)
        } else if now >= tick && !self.lease.is_at(&self.lease_path) {
            Some(Ending::LeaseGone)
        } else if self.spec.watch.as_ref().is_some_and(|watch| !watch.goes_on(&self.paths)) {
            Some(Ending::Over)
        } else {
            None
        }
    }

    /// How long an attempt may take, with what was added to it.
    fn allowed(&self, attempt: u32) -> Duration {
        let Spec { step, nonce, timeout_ms, .. } = &self.spec;
        let added = Allowance::read(&self.paths, step.as_str(), nonce, attempt).added_ms;
        Duration::from_millis(timeout_ms.saturating_add(added))
    }

    fn stop_request(&self) -> Option<StopRequest> {
        StopRequest::read(&self.paths, self.spec.step.as_str(), &self.spec.nonce)
    }

    /// Until a signal comes or `until` is reached.
    fn sleep(&mut self, until: Instant) {
        let left = until.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
        let timeout =
            rustix::event::Timespec { tv_sec: left.as_secs().try_into().unwrap_or(2), tv_nsec: left.subsec_nanos().into() };
        let mut fds = [PollFd::new(&self.signals, PollFlags::IN)];
        if poll(&mut fds, Some(&timeout)).is_ok_and(|ready| ready > 0) {
            self.drain();
        }
    }

    /// Takes note of the signals that have come.
    fn drain(&mut self) {
        let mut numbers = [0; 256];
        let got = self.signals.read(&mut numbers).unwrap_or(0);
        self.is_hurried |= numbers[..got].iter().any(|&number| i32::from(number) == libc::SIGINT);
    }

    fn reap(&mut self) {
        while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            match status.pid() {
                None => return,
                Some(pid) if Some(pid.as_raw()) == self.child => self.ended = Some(status),
                Some(_) => {}
            }
        }
    }

    fn signal_group(&self, signal: Signal) {
        if let Some(pid) = self.child.and_then(Pid::from_raw) {
            let _ = rustix::process::kill_process_group(pid, signal);
        }
    }

    /// The exit code or the signal with which the child ended.
    const fn end(&self) -> (Option<i32>, Option<i32>) {
        match self.ended {
            Some(WaitStatus::Exited(_, code)) => (Some(code), None),
            Some(WaitStatus::Signaled(_, signal, _)) => (None, Some(signal as i32)),
            _ => (None, None),
        }
    }

    fn outcome(&mut self, attempt: u32, ending: Option<Ending>) -> Outcome {
        match ending {
            Some(Ending::Timeout) => {
                let limit = Span::from_ms(u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX));
                return Outcome::failed(Reason::Timeout, Some(format!("longer than {limit}")));
            }
            Some(Ending::Asked(request)) => return request.outcome(),
            Some(Ending::Over | Ending::LeaseGone) | None => {}
        }
        let said = said(&self.folder(attempt));
        let (code, signal) = self.end();
        let has_said = said.is_some();
        let outcome = weigh(judge(code, signal, said, self.spec.review), &self.left.report, self.spec.output, has_said);
        limit::weigh(outcome, &mut self.left.report, self.spec.limit, self.spec.own_limit(), clock::now())
    }

    /// Writes the end of an attempt down, cleans up, and completes its folder.
    fn close(&mut self, exit: &Exit) {
        fault::point("supervisor.before_exit_line");
        self.insist(|| {
            fault::write("exit.append")?;
            self.lease.append(&Line::Exit(exit.clone()))
        });
        fault::point("supervisor.after_exit_line");
        self.sweep();
        self.close_workers(exit);
        if self.has_run && product::is_wanted(&self.spec) {
            let folder = self.folder(exit.attempt);
            self.look(product::AFTER, |this| product::after(&this.paths, &this.spec, exit, &folder));
            self.left.products = product::take(&folder);
        }
        let (spec, left) = (&self.spec, &self.left);
        self.insist(|| complete(&self.paths, &spec.run, &spec.step, exit, left).map_err(io::Error::other));
        fault::point("supervisor.after_status");
    }

    /// The folder of an attempt.
    fn folder(&self, attempt: u32) -> PathBuf {
        self.paths.attempt(&self.spec.run, self.spec.step.as_str(), attempt)
    }

    /// Again and again while the disk is full; the lease is kept meanwhile.
    fn insist(&self, mut work: impl FnMut() -> io::Result<()>) {
        while work().is_err() && self.lease.is_at(&self.lease_path) {
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// No child left proves that nothing is left: whatever the step forked came to us, the
    /// subreaper. That is the usual, free case.
    fn sweep(&mut self) {
        let is_clean = || loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Err(Errno::ECHILD) => return true,
                Ok(status) if status.pid().is_some() => {}
                Err(Errno::EINTR) => {}
                _ => return false,
            }
        };
        if cfg!(target_os = "linux") {
            if is_clean() {
                return;
            }
            self.is_clean = false;
            let target = Target { paths: &self.paths, nonce: &self.spec.nonce, supervisor: Some(std::process::id()) };
            target.sweep(|| {
                is_clean();
            });
        } else {
            self.is_clean = false;
            self.signal_group(Signal::TERM);
            self.signal_group(Signal::KILL);
        }
    }

    /// Waits before a retry; whether it may go on.
    fn pause(&mut self) -> bool {
        let until = Instant::now() + Duration::from_millis(self.spec.retry_delay_ms);
        loop {
            if self.stop_request().is_some() {
                return false;
            }
            if Instant::now() >= until {
                return true;
            }
            self.sleep(until.min(Instant::now() + TICK));
        }
    }
}

/// Points `latest` at an attempt, in one step.
fn point_latest(folder: &Path, attempt: u32) -> io::Result<()> {
    let latest = folder.with_file_name("latest");
    let temporary = folder.with_file_name(format!(".latest.{}", clock::nonce()));
    std::os::unix::fs::symlink(attempt.to_string(), &temporary)?;
    fs::rename(&temporary, &latest)
}
