//! The runner of a run: claims what may start, commits what ended, and ends when nothing runs and
//! nothing can start. It may be killed at any moment; another one goes on.

mod limits;
mod log;
mod news;
mod sleep;
mod watchdogs;

pub(super) use log::write_log;

use std::{
    collections::{HashMap, HashSet},
    os::fd::OwnedFd,
    process::Child,
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::json;

use super::{
    budget::Spent,
    call::Engine,
    caller::Caller,
    claim::Claimed,
    launch::scheduler,
    metrics,
    notify::{News, Notice},
    view::View,
    writer::{Held, Writer},
};
use crate::{
    clock,
    error::Error,
    fault,
    model::{Id, Outcome, Reason, State, StepStatus},
    runner::{
        Executor, Leftover, LocalExecutor, Report, Spawner, StopRequest, deliver, repair,
        scheduler::{Effect, Message, Rest, Scheduler},
    },
    store::{self, Bell, FALLBACK, Paths, Run, RunState, RunnerFile},
};

/// The shortest time between two commits.
const PACE: Duration = Duration::from_millis(50);

/// The longest time between two looks at a plan that cannot be read.
const LONGEST: Duration = Duration::from_secs(2);

/// How many times as long as the last commit took nothing is committed: no step starts meanwhile.
const REST: u32 = 20;

/// How often a claim may come to nothing before the step is given up.
const VOIDS: u32 = 3;

/// Runs the runner of `run` to its end. `ready` is called once it is the runner; nothing happens
/// if there is one already.
pub fn drive(paths: &Paths, run: &str, spawner: Spawner, ready: impl FnOnce()) -> Result<(), Error> {
    let Some(file) = RunnerFile::take(paths, run)? else { return Ok(()) };
    ready();
    let mut runner = Runner {
        paths: paths.clone(),
        run: Run::read(paths, run)?,
        executor: LocalExecutor::new(spawner),
        bell: Bell::hang(paths),
        scheduler: None,
        running: HashMap::new(),
        others: HashMap::new(),
        voids: HashMap::new(),
        starts: Vec::new(),
        ended: Vec::new(),
        broken: Vec::new(),
        uncommitted: 0,
        commit_at: Instant::now(),
        must_settle: false,
        look_at: Instant::now() + FALLBACK,
        pause: PACE,
        spent: None,
        wakes_at: None,
        is_due: true,
        is_told: false,
        must_warn: true,
        watchdogs: Vec::new(),
        must_tell: true,
        news: News::default(),
        notices: Vec::new(),
        tellers: Vec::new(),
        logged: None,
    };
    runner.warn_of_environment();
    runner.work(&mut Writer::new(paths), file)?;
    // What ended here may be what another run waits for: a restart of a step under review is a run of its own.
    let engine = Engine::new(paths.clone());
    if let Err(error) = engine.wake_runs() {
        runner.write_log(&error.to_string());
    }
    Ok(())
}

struct Runner {
    paths: Paths,
    run: Run,
    executor: LocalExecutor,
    bell: Option<Bell>,
    scheduler: Option<Scheduler>,
    /// Claims of ours, by nonce.
    running: HashMap<String, (usize, Id)>,
    /// Steps that somebody else's supervisor runs, with what becomes readable at its end.
    others: HashMap<Id, Option<OwnedFd>>,
    voids: HashMap<Id, u32>,
    starts: Vec<usize>,
    ended: Vec<Id>,
    /// Free leases whose supervisor did not finish its work.
    broken: Vec<Id>,
    uncommitted: usize,
    commit_at: Instant,
    must_settle: bool,
    look_at: Instant,
    /// Until the next look at a plan that cannot be read.
    pause: Duration,
    /// What the run has cost, where that matters.
    spent: Option<Spent>,
    /// When the next step may start that waits for the end of a usage limit.
    wakes_at: Option<Timestamp>,
    is_due: bool,
    is_told: bool,
    /// Whether it is time to look whose time is nearly over.
    must_warn: bool,
    /// The watchdogs that it covers.
    watchdogs: Vec<usize>,
    /// Whether something may have started to need a person.
    must_tell: bool,
    news: News,
    /// What a person is to be told.
    notices: Vec<Notice>,
    /// Who is telling them.
    tellers: Vec<Child>,
    logged: Option<String>,
}

impl Runner {
    fn work(&mut self, writer: &mut Writer, file: RunnerFile) -> Result<(), Error> {
        loop {
            if self.is_due && !file.is_current(&self.paths, &self.run.id) {
                // Moved or removed: whoever works on it at its new place starts a runner there.
                return Ok(());
            }
            if self.is_due || self.has_work() || self.is_commit_due() {
                let result = self.turn(writer);
                self.send_notices();
                match result {
                    Ok(true) => {
                        // Under the project lock a moment ago nothing was left to do.
                        file.release();
                        return Ok(());
                    }
                    Ok(false) => self.pause = PACE,
                    // Somebody is at work on the plan: nothing is claimed or committed until it reads again.
                    Err(error) if is_passing(&error) => {
                        self.log_once(&error);
                        self.scheduler = None;
                        writer.view = None;
                        thread::sleep(self.pause);
                        self.pause = longer(self.pause);
                        self.is_due = true;
                    }
                    Err(error) => return Err(error),
                }
                self.log_warnings(writer);
            }
            self.wait();
            // Our own writes wake us too; the lock is only taken if there is something new.
            self.is_due |= std::mem::take(&mut self.is_told) && writer.is_behind();
        }
    }

    fn has_work(&self) -> bool {
        !self.starts.is_empty() || !self.ended.is_empty() || !self.broken.is_empty()
    }

    /// One look under the project lock. Whether the run is at rest and was closed.
    fn turn(&mut self, writer: &mut Writer) -> Result<bool, Error> {
        self.repair_broken()?;
        let mut held = writer.lock()?;
        self.is_due = false;
        if held.is_fresh || self.scheduler.is_none() || self.wakes_at.is_some_and(|at| at <= clock::now()) {
            self.rebuild(&mut held)?;
            self.must_tell = true;
        }
        self.take_ended(&mut held)?;
        // Before new claims, so that whoever follows the log reads of an end before what it let start.
        if self.is_commit_due() {
            self.settle(&mut held)?;
        }
        self.watch_cost(held.view());
        if std::mem::take(&mut self.must_warn) {
            held.warn_of_time(&self.run.id)?;
            self.must_tell = true;
        }
        let mut begun = Vec::new();
        loop {
            self.renew_watchdogs(held.view());
            self.schedule(held.view());
            if self.starts.is_empty() {
                break;
            }
            let nodes = std::mem::take(&mut self.starts);
            for result in held.claim(&self.run, &nodes)? {
                self.take_claim(&held, result, &mut begun);
            }
        }
        let rest = self.scheduler.as_ref().map_or(Rest::Busy, Scheduler::rest);
        if rest != Rest::Busy && self.running.is_empty() && !self.has_work() && begun.is_empty() {
            self.settle(&mut held)?;
            self.close(&mut held, &rest)?;
            self.must_tell = true;
            self.look_for_news(held.view(), true);
            return Ok(true);
        }
        self.look_for_news(held.view(), false);
        drop(held);
        fault::point("claim.before_send");
        for (lease, spec) in begun {
            if let Err(error) = self.executor.start(lease, &spec) {
                self.write_log(&format!("no supervisor for `{}`: {error}", spec.step));
                self.take(Report::Ended { nonce: spec.nonce.clone() });
            }
        }
        fault::point("claim.sent");
        Ok(false)
    }

    /// Completes what dead supervisors left, before the project lock is taken.
    fn repair_broken(&mut self) -> Result<(), Error> {
        while let Some(id) = self.broken.last() {
            repair(&self.paths, id)?;
            self.ended.extend(self.broken.pop());
        }
        Ok(())
    }

    /// Starts over from what is on disk: somebody else changed it, or we have just begun.
    fn rebuild(&mut self, held: &mut Held<'_>) -> Result<(), Error> {
        held.refresh_leases()?;
        self.run = Run::read(&self.paths, &self.run.id)?;
        if self.run.state == RunState::Waiting {
            self.run.state = RunState::Active;
            self.run.waits_for.clear();
            self.run.write(&self.paths)?;
        }
        // Opening a run rings, so a runner that is alone knows when it no longer is.
        held.writer.rings = store::file::names(&self.paths.state("runners"))?.len() > 1;
        let view = held.view();
        let mut scheduler = scheduler(view, &self.run);
        let is_watchdog = |at: &usize| scheduler.covers(*at) && scheduler.readiness().watched(*at).is_some();
        self.watchdogs = (0..view.sequence.steps.len()).filter(is_watchdog).collect();
        self.running = self
            .running
            .drain()
            .filter_map(|(nonce, (_, id))| view.graph.find(id.as_str()).map(|at| (nonce, (at, id))))
            .collect();
        let ours: HashSet<&Id> = self.running.values().map(|(_, id)| id).collect();
        let others: Vec<Id> =
            view.leases.iter().filter(|(id, lease)| lease.is_held && !ours.contains(id)).map(|(id, _)| id.clone()).collect();
        let free = || view.leases.values().filter(|lease| !lease.is_held);
        self.uncommitted = free().filter(|lease| lease.leftover == Leftover::Complete).count();
        self.must_settle |= free().any(|lease| lease.leftover == Leftover::Void) || view.has_limit_to_commit();
        self.wakes_at = view.next_end_of_limit(clock::now());
        self.spent = view.policy().is_ok_and(|policy| policy.max_cost_usd.is_some()).then(Spent::default);
        if let Some(spent) = &mut self.spent {
            *spent = Spent::of_run(&self.paths, &self.run.id)?;
        }
        let broken: Vec<Id> = view
            .leases
            .iter()
            .filter(|(_, lease)| !lease.is_held && matches!(lease.leftover, Leftover::Orphan | Leftover::Unfinished))
            .map(|(id, _)| id.clone())
            .collect();
        for id in others {
            let pid = view.leases.get(&id).and_then(|lease| lease.record.supervisor);
            self.watch(&id, pid.map(|(pid, _)| pid));
        }
        view.leases.iter().filter(|(_, lease)| lease.is_held).for_each(|(id, _)| remind(&self.paths, id));
        // What it left may still run, and nothing that depends on it starts before that has ended.
        broken.iter().filter_map(|id| view.graph.find(id.as_str())).for_each(|at| drop(scheduler.handle(Message::Taken(at))));
        self.scheduler = Some(scheduler);
        self.starts.clear();
        self.broken = broken;
        Ok(())
    }

    /// Wakes up when somebody else's supervisor ends.
    fn watch(&mut self, id: &Id, supervisor: Option<u32>) {
        if self.others.contains_key(id) {
            return;
        }
        #[cfg(target_os = "linux")]
        let fd = supervisor
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(rustix::process::Pid::from_raw)
            .and_then(|pid| rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok());
        #[cfg(not(target_os = "linux"))]
        let fd = supervisor.and(None);
        self.others.insert(id.clone(), fd);
    }

    /// Tells the scheduler what ended.
    fn take_ended(&mut self, held: &mut Held<'_>) -> Result<(), Error> {
        for id in std::mem::take(&mut self.ended) {
            let record = match store::look(&self.paths.lease(id.as_str()))? {
                Some((_, true)) => {
                    // Its supervisor ended, and somebody cleans up after it: look again soon.
                    self.others.insert(id, None);
                    continue;
                }
                found => found.map(|(record, _)| record),
            };
            self.account(held.view(), record.as_ref());
            let leftover = held.release(&id, record);
            let Some(at) = held.view().graph.find(id.as_str()) else { continue };
            self.wake_watchdogs(at, held.view());
            // It may be due again as soon as this end of it is committed.
            self.must_settle |= self.watchdogs.contains(&at);
            match (leftover, held.view().state(at)) {
                (Some(Leftover::Orphan | Leftover::Unfinished), _) => self.broken.push(id),
                (Some(Leftover::Void), _) => self.take_void(held, at, &id)?,
                (_, State::Ended(status)) => {
                    self.uncommitted += 1;
                    self.tell(Message::Ended(at, status));
                }
                (None, _) => self.tell(Message::Voided(at)),
                (Some(Leftover::Complete), State::Idle) => self.take_limit(held.view(), at),
                _ => {}
            }
        }
        Ok(())
    }

    /// A claim that came to nothing: the step is as it was, but not for ever.
    fn take_void(&mut self, held: &mut Held<'_>, at: usize, id: &Id) -> Result<(), Error> {
        let count = self.voids.entry(id.clone()).or_default();
        *count += 1;
        if *count >= VOIDS {
            let note = format!("no supervisor could be started, {count} times in a row");
            held.fail_lease(id, Outcome::failed(Reason::Spawn, Some(note)))?;
            self.uncommitted += 1;
            self.tell(Message::Ended(at, StepStatus::Failed));
        } else {
            store::void(&self.paths, id)?;
            held.view_mut().leases.remove(id);
            self.tell(Message::Voided(at));
        }
        Ok(())
    }

    fn tell(&mut self, message: Message) {
        let effects = self.scheduler.as_mut().map(|scheduler| scheduler.handle(message)).unwrap_or_default();
        self.take_effects(effects);
    }

    fn take_effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Start(at) => self.starts.push(at),
                Effect::Stop(_) => self.must_settle = true,
            }
        }
    }

    /// Asks the scheduler what to start with the slots that are free.
    fn schedule(&mut self, view: &View) {
        let Ok(policy) = view.policy() else { return };
        let width = |&at: &usize| self.scheduler.as_ref().map_or(1, |scheduler| scheduler.width(at));
        let taken = view.slots_taken() as usize + self.starts.iter().map(width).sum::<usize>();
        self.tell(Message::Slots((policy.max_concurrent as usize).saturating_sub(taken)));
        self.tell(Message::Orchestrators(view.orchestrators_left(&self.starts)));
    }

    fn take_claim(&mut self, held: &Held<'_>, result: Claimed, begun: &mut Vec<(store::Lease, Box<crate::runner::Spec>)>) {
        let view = held.view();
        match result {
            Claimed::Ours { at, lease, spec } => {
                self.running.insert(spec.nonce.clone(), (at, spec.step.clone()));
                self.tell(Message::Started(at));
                begun.push((lease, spec));
            }
            Claimed::Refused { at } => {
                self.uncommitted += 1;
                self.tell(Message::Ended(at, StepStatus::Failed));
            }
            Claimed::Held { at } => self.tell(Message::Held(at)),
            Claimed::Taken { at } => {
                let id = view.id_of(at).clone();
                self.tell(Message::Taken(at));
                self.watch(&id, None);
            }
        }
    }

    fn is_commit_due(&self) -> bool {
        self.must_settle || (self.uncommitted > 0 && Instant::now() >= self.commit_at)
    }

    fn settle(&mut self, held: &mut Held<'_>) -> Result<(), Error> {
        let begun = Instant::now();
        let was_fresh = held.is_fresh;
        held.is_fresh = false;
        held.settle(&Caller::system())?;
        if held.is_fresh {
            // Somebody saved while we committed.
            self.rebuild(held)?;
        }
        held.is_fresh = was_fresh;
        self.must_settle = false;
        self.must_tell = true;
        self.uncommitted = 0;
        self.commit_at = Instant::now() + PACE.max(begun.elapsed() * REST);
        Ok(())
    }

    /// Nothing runs and nothing can start: the run waits for a person, or is over.
    fn close(&mut self, held: &mut Held<'_>, rest: &Rest) -> Result<(), Error> {
        let (state, action) = match rest {
            Rest::Waiting(nodes) => {
                self.run.waits_for = nodes.iter().map(|&at| wait_words(held.view(), at)).collect();
                (RunState::Waiting, "run.wait")
            }
            Rest::Held => {
                let why = self.spent.and_then(|spent| spent.reaches(held.view())).unwrap_or_default();
                self.run.waits_for = vec![why.clone()];
                let mut entry = super::transact::entry(&Caller::system(), "run.hold", Some(self.run.id.clone()), json!({}));
                (entry.result, entry.error) = ("denied".into(), Some(why));
                held.log().append(entry, true)?;
                (RunState::Waiting, "run.wait")
            }
            Rest::Busy | Rest::Over => {
                self.run.waits_for.clear();
                self.run.ended_at = Some(clock::stamp());
                (RunState::Ended, "run.end")
            }
        };
        self.run.state = state;
        if state == RunState::Ended {
            // Numbers that cannot be had are no reason not to end.
            self.run.metrics = metrics::of_runs(&self.paths, held.view(), std::slice::from_ref(&self.run)).ok();
        }
        let payload = json!({"run": self.run.id, "waitsFor": self.run.waits_for});
        held.note(&Caller::system(), action, Some(self.run.id.clone()), payload, false)?;
        fault::point("run.noted");
        self.run.write(&self.paths)?;
        if state == RunState::Ended {
            RunnerFile::remove(&self.paths, &self.run.id)?;
        }
        let view = held.view();
        let plan = (view.sha.as_str(), &(|| view.know(&self.paths)) as &dyn Fn() -> _);
        store::pack(&self.paths, view.records.iter(), &view.damaged, Some(plan));
        fault::point("run.closed");
        Ok(())
    }
}

impl Held<'_> {
    /// Gives a free lease that ran nothing an outcome of its own.
    fn fail_lease(&mut self, id: &Id, outcome: Outcome) -> Result<(), Error> {
        let paths = self.paths().clone();
        let path = paths.lease(id.as_str());
        let Some(lease) = store::Lease::adopt(&path)? else { return Ok(()) };
        let Some(record) = store::Record::read(&path)? else { return Ok(()) };
        let Some(claim) = &record.claim else { return Ok(()) };
        let exit = store::Exit { attempt: claim.attempt, outcome, ms: 0, at: clock::stamp().into() };
        lease.append(&store::Line::Exit(exit.clone())).map_err(Error::io("write the lease", &path))?;
        crate::runner::write_status(&paths, &claim.run, id, &exit)?;
        drop(lease);
        self.release(id, store::Record::read(&path)?);
        Ok(())
    }
}

/// The pause after one that was in vain.
fn longer(pause: Duration) -> Duration {
    (pause * 2).min(LONGEST)
}

/// Signals a supervisor again that has a stop request: the one who made it may have died.
fn remind(paths: &Paths, id: &Id) {
    let Ok(Some(record)) = store::Record::read(&paths.lease(id.as_str())) else { return };
    if record.nonce().is_some_and(|nonce| StopRequest::read(paths, id.as_str(), nonce).is_some()) {
        deliver(&record);
    }
}

/// What a run waits for, in words.
pub(super) fn wait_words(view: &View, at: usize) -> String {
    let id = view.id_of(at);
    match view.state(at) {
        State::Gate(_) => format!("gate `{id}`"),
        State::Idle => format!("approval of `{id}`"),
        _ => format!("review of `{id}`"),
    }
}

/// Whether trying again later may help.
fn is_passing(error: &Error) -> bool {
    matches!(
        error,
        Error::Yaml { .. }
            | Error::FileUnusable { .. }
            | Error::FileBusy { .. }
            | Error::SaveConflict { .. }
            | Error::Locked { .. }
            | Error::DependencyNotFound { .. }
            | Error::CircularDependency { .. }
            | Error::PlanInvalid { .. }
            | Error::GroupDisagrees { .. }
            | Error::AlreadyExists { .. }
            | Error::TooNew { .. }
            | Error::Io { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_in_vain_become_rare() {
        let pauses: Vec<u128> =
            std::iter::successors(Some(PACE), |pause| Some(longer(*pause))).take(8).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
    }
}
