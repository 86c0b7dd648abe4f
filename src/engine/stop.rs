//! Stopping steps and runs, for sure.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    call::Engine,
    caller::Caller,
    mprocs::Through,
    output::Output,
    settle::repair_all,
    transact::{Draft, entry},
    view::View,
};
use crate::{
    action::run,
    audit::Log,
    error::Error,
    model::{Id, Outcome, Reason},
    runner::{Leftover, StopRequest, declare_dead, deliver, end_supervisor, grace, hurry},
    store::{
        Exit, FALLBACK, Line, Paths, Probe, ProjectLock, Record, Run, RunState, Watch, active, file, is_held, open_runs, probe,
    },
};

/// How long panes have for handing a stop on.
const PANES: Duration = Duration::from_secs(1);

/// What a stop is about.
struct Target {
    steps: Vec<Id>,
    /// Steps of other machines that a person says are dead.
    dead: Vec<Id>,
    /// Steps that wait for the end of a usage limit.
    waiting: Vec<Id>,
    runs: Vec<Run>,
}

impl Engine {
    /// Stops a step, a run, or everything, and waits until it has stopped.
    pub(super) fn stop(&self, caller: &Caller, args: &run::Stop) -> Result<Output, Error> {
        self.stop_through(caller, args, Through::Stop)
    }

    /// The same; panes of mprocs that show the steps are told, too.
    pub(super) fn stop_through(&self, caller: &Caller, args: &run::Stop, how: Through) -> Result<Output, Error> {
        repair_all(self.paths())?;
        let mut writer = self.writer();
        let (steps, watchdogs, runs) = {
            let mut held = match writer.lock() {
                Err(error) if is_unreadable(&error) => return self.stop_blind(caller, args, &error),
                other => other?,
            };
            held.refresh_leases()?;
            held.settle(&Caller::system())?;
            let mut target = target(self.paths(), held.view(), args)?;
            // A watchdog ends with its step and needs no stop of its own.
            let watchdogs = held.view().watchdogs_at_work(&target.steps);
            target.steps.retain(|step| !watchdogs.contains(step));
            let name = args.target.clone();
            held.transact(|view, _| {
                let mut draft = Draft {
                    entry: entry(
                        caller,
                        "stop",
                        name.clone(),
                        json!({"steps": target.steps, "dead": target.dead, "waiting": target.waiting, "runs": target.runs.iter().map(|run| &run.id).collect::<Vec<_>>()}),
                    ),
                    ..Draft::default()
                };
                draft.stops = requests(view, &target.steps, caller);
                draft.records = target.waiting.iter().filter_map(|id| Some((id.clone(), stopped(view, id, caller)?))).collect();
                for run in &target.runs {
                    let stopped = Run { stopped: true, ..run.clone() };
                    draft.files.push((std::path::Path::new("runs").join(&run.id).join("run.json"), file::pretty(&stopped)?));
                }
                Ok(draft)
            })?;
            for id in &target.dead {
                declare_dead(held.paths(), id, &caller.name())?;
            }
            target.steps.append(&mut target.dead);
            target.steps.append(&mut target.waiting);
            let runs: Vec<String> = target.runs.into_iter().map(|run| run.id).collect();
            (target.steps, watchdogs, runs)
        };
        self.keep(writer);
        // The views in them hand the stop on; what has not arrived soon is done from here.
        let patience = if self.through_panes(caller, &steps, how) { PANES } else { Duration::ZERO };
        self.see_to(&steps, patience)?;
        self.see_to(&watchdogs, Duration::ZERO)?;
        self.commit_ended()?;
        for run in &runs {
            self.see_run_end(run)?;
        }
        Ok(Output::Stopped { stopped: steps, runs })
    }

    /// Stops without the plan, which cannot be read: what runs stands in the leases. Outcomes are
    /// committed once the plan reads again.
    fn stop_blind(&self, caller: &Caller, args: &run::Stop, error: &Error) -> Result<Output, Error> {
        let paths = self.paths();
        let (mut steps, mut runs) = (Vec::new(), Vec::new());
        {
            let _lock = ProjectLock::take(paths)?;
            let mut log = Log::open(&paths.audit())?;
            let is_meant = |name: &str| args.target.as_ref().is_none_or(|target| target == name);
            runs.extend(open_runs(paths)?.into_iter().filter(|run| is_meant(&run.id)));
            let held = active(paths)?.into_iter().filter(|(_, _, is_held)| *is_held);
            let meant: Vec<(Id, Record)> = held
                .filter(|(id, record, _)| {
                    is_meant(id.as_str()) || record.claim.as_ref().is_some_and(|claim| is_meant(&claim.run))
                })
                .map(|(id, record, _)| (id, record))
                .collect();
            steps.extend(meant.iter().map(|(id, _)| id.clone()));
            let payload = json!({"steps": steps, "runs": runs.iter().map(|run| &run.id).collect::<Vec<_>>()});
            log.append(entry(caller, "stop", args.target.clone(), payload), true)?;
            for (id, record) in &meant {
                let nonce = record.nonce().unwrap_or_default().to_owned();
                StopRequest::new(nonce, caller.name(), Reason::Stopped).write(paths, id)?;
            }
            for run in &mut runs {
                run.stopped = true;
                run.write(paths)?;
            }
        }
        self.see_to(&steps, Duration::ZERO)?;
        repair_all(paths)?;
        self.warn(format!("{error}; what ended is written down there once the file can be read again"));
        Ok(Output::Stopped { stopped: steps, runs: runs.into_iter().map(|run| run.id).collect() })
    }

    /// Signals the supervisors of steps that have a stop request, after some patience, and waits until they are gone.
    pub(super) fn see_to(&self, steps: &[Id], patience: Duration) -> Result<(), Error> {
        let paths = self.paths();
        let watch = Watch::new(paths, &[]);
        let begun = Instant::now();
        let (mut last, limit) = (None::<Instant>, grace() + Duration::from_secs(10));
        loop {
            let left: Vec<&Id> = steps.iter().filter(|id| probe(&paths.lease(id.as_str())) == Probe::Held).collect();
            if left.is_empty() {
                return Ok(());
            }
            if last.map_or_else(|| begun.elapsed() >= patience, |last| last.elapsed() >= FALLBACK) {
                last = Some(Instant::now());
                for id in &left {
                    if let Some(record) = Record::read(&paths.lease(id.as_str()))? {
                        deliver(&record);
                    }
                }
            }
            if begun.elapsed() > limit {
                self.end_supervisors(&left)?;
            }
            watch.wait(Duration::from_millis(20));
        }
    }

    /// Cuts the stop of a run short: what it runs is killed without more patience.
    pub fn hurry(&self, run: &str) -> Result<(), Error> {
        for (_, record, is_held) in active(self.paths())? {
            if is_held && record.claim.as_ref().is_some_and(|claim| claim.run == run) {
                hurry(&record);
            }
        }
        Ok(())
    }

    /// A supervisor that does not answer is killed, under the project lock; what it leaves is swept.
    fn end_supervisors(&self, steps: &[&Id]) -> Result<(), Error> {
        let mut writer = self.writer();
        {
            let held = writer.lock()?;
            for id in steps {
                let path = held.paths().lease(id.as_str());
                if let (true, Some(record)) = (is_held(&path), Record::read(&path)?) {
                    end_supervisor(&record);
                }
            }
        }
        repair_all(self.paths())
    }

    /// Commits what has ended, if anything has.
    pub(super) fn commit_ended(&self) -> Result<(), Error> {
        repair_all(self.paths())?;
        let mut writer = self.writer();
        {
            let mut held = writer.lock()?;
            held.refresh_leases()?;
            held.settle(&Caller::system())?;
        }
        self.keep(writer);
        self.wake_runs()
    }

    /// Waits until a stopped run has ended, with the help of a runner where it has none.
    fn see_run_end(&self, run: &str) -> Result<(), Error> {
        let paths = self.paths();
        let watch = Watch::new(paths, &[paths.run(run), paths.state("runners")]);
        let begun = Instant::now();
        while Run::read(paths, run)?.state != RunState::Ended {
            if begun.elapsed() > grace() + Duration::from_secs(20) {
                return Err(Error::RunState { run: run.into(), why: "was asked to stop and has not".into() });
            }
            self.launch(run)?;
            watch.wait(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// Whether the plan is what stands in the way.
fn is_unreadable(error: &Error) -> bool {
    matches!(
        error,
        Error::Yaml { .. }
            | Error::FileUnusable { .. }
            | Error::DependencyNotFound { .. }
            | Error::CircularDependency { .. }
            | Error::PlanInvalid { .. }
            | Error::GroupDisagrees { .. }
            | Error::AlreadyExists { .. }
    )
}

fn requests(view: &View, steps: &[Id], caller: &Caller) -> Vec<(Id, StopRequest)> {
    let held = |id: &Id| view.leases.get(id).filter(|lease| lease.is_held)?.record.nonce().map(str::to_owned);
    let request = |nonce: String| StopRequest::new(nonce, caller.name(), Reason::Stopped);
    steps.iter().filter_map(|id| Some((id.clone(), request(held(id)?)))).collect()
}

/// The record of a step that was stopped while it waited for the end of a usage limit.
fn stopped(view: &View, id: &Id, caller: &Caller) -> Option<Vec<u8>> {
    let record = view.limited(id)?;
    let note = format!("by {}, while it waited for the end of a usage limit", caller.name());
    let exit = Exit { outcome: Outcome::failed(Reason::Stopped, Some(note)), ..record.limited()?.clone() };
    Some([record.execution(), Line::Exit(exit).to_bytes()].concat())
}

fn target(paths: &Paths, view: &View, args: &run::Stop) -> Result<Target, Error> {
    let open = open_runs(paths)?;
    let running = |of: &dyn Fn(&str) -> bool| -> Vec<Id> {
        let held = view.leases.iter().filter(|(_, lease)| lease.is_held);
        held.filter(|(_, lease)| lease.record.claim.as_ref().is_some_and(|claim| of(&claim.run)))
            .map(|(id, _)| id.clone())
            .collect()
    };
    let is_elsewhere = |id: &Id| view.leases.get(id).is_some_and(|lease| !lease.is_held && lease.leftover == Leftover::Elsewhere);
    let waiting = |of: &dyn Fn(&str) -> bool| -> Vec<Id> {
        let waits = view.waits().map(|(at, _)| view.id_of(at));
        let run = |id: &Id| view.limited(id)?.claim.as_ref().map(|claim| claim.run.clone());
        waits.filter(|id| run(id).is_some_and(|run| of(&run))).cloned().collect()
    };
    let Some(name) = &args.target else {
        let dead = view.leases.keys().filter(|id| args.force && is_elsewhere(id)).cloned().collect();
        return Ok(Target { steps: running(&|_| true), dead, waiting: waiting(&|_| true), runs: open });
    };
    if let Some(run) = open.iter().find(|run| run.id == *name) {
        let (steps, waiting) = (running(&|run| run == name), waiting(&|run| run == name));
        return Ok(Target { steps, dead: Vec::new(), waiting, runs: vec![run.clone()] });
    }
    if Run::read(paths, name).is_ok() {
        return Err(Error::RunState { run: name.clone(), why: "has ended already".into() });
    }
    let step = view.sequence.expect_step(name)?;
    if view.leases.get(&step.id).is_some_and(|lease| lease.is_held) {
        return Ok(Target { steps: vec![step.id.clone()], dead: Vec::new(), waiting: Vec::new(), runs: Vec::new() });
    }
    if view.limited(&step.id).is_some() {
        return Ok(Target { steps: Vec::new(), dead: Vec::new(), waiting: vec![step.id.clone()], runs: Vec::new() });
    }
    if is_elsewhere(&step.id) {
        let dead = vec![step.id.clone()];
        return if args.force {
            Ok(Target { steps: Vec::new(), dead, waiting: Vec::new(), runs: Vec::new() })
        } else {
            Err(Error::StepElsewhere { step: step.id.clone() })
        };
    }
    Err(Error::StepNotRunning { step: step.id.clone() })
}
