//! Running a step again.

use serde_json::json;

use super::{
    asking::Asking,
    call::{Engine, decision_records},
    caller::{Caller, Consent},
    held,
    mprocs::Through,
    output::{Output, Started},
    request,
    start::{Plan, new_run, opening},
    transact::{Draft, entry},
    view::View,
};
use crate::{
    action::{Action, Txn, run, step},
    error::Error,
    model::{Id, State},
    store::{Run, RunKind},
};

impl Engine {
    /// Stops a step if it runs, forgets its outcome, and runs it in a run of its own.
    pub(super) fn restart(
        &self,
        caller: &Caller,
        action: &Action,
        args: &run::Restart,
        consent: Consent,
    ) -> Result<Output, Error> {
        let view = self.view()?;
        let plan = plan(&view, args)?;
        if args.options.dry_run {
            return Ok(Output::WouldRun(plan));
        }
        let steps = plan.steps();
        self.refuse_own(&view, caller, &steps)?;
        self.expect_confirmed(caller, action, &plan, consent)?;
        self.stop_running(caller, &view, &steps)?;
        super::settle::repair_all(self.paths())?;
        let mut writer = self.writer();
        let run = {
            let mut held = writer.lock()?;
            held.refresh_leases()?;
            held.settle(&Caller::system())?;
            held.expect_open(caller)?;
            let run = new_run(held.paths(), caller, RunKind::Steps(steps.clone()), args.options.fail_fast)?;
            let run = Run { additions: consent.additions(), ..run };
            held.transact(|view, _| {
                let mut txn = Txn::new((*view.sequence).clone(), view.states());
                step::reset(&mut txn, std::slice::from_ref(&args.id), args.downstream)?;
                let payload = json!({"run": run.id, "steps": steps});
                let mut draft = Draft { entry: entry(caller, "restart", Some(args.id.to_string()), payload), ..Draft::default() };
                draft.records = decision_records(caller, view, &txn);
                draft.after = (txn.sequence != *view.sequence).then_some(txn.sequence);
                held::remember(&mut draft, view, caller, &plan)?;
                request::close(&mut draft, caller, Some(&run.id))?;
                opening(&mut draft, &run)?;
                Ok(draft)
            })?;
            run
        };
        self.keep(writer);
        self.launch(&run.id)?;
        Ok(Output::Started(Started { run: run.id, attached: false, steps: None }))
    }

    /// Refuses to stop the step that asks, or what cannot end before it has.
    fn refuse_own(&self, view: &View, caller: &Caller, steps: &[Id]) -> Result<(), Error> {
        let Some(asking) = Asking::find(self.paths(), view, caller)? else { return Ok(()) };
        let later = asking.later(view);
        match steps.iter().find(|step| view.graph.find(step.as_str()).is_some_and(|at| later.contains(&at))) {
            Some(step) => {
                let why = format!("it cannot run again before {} has ended, which asks for it", caller.name());
                Err(Error::StepBlocked { step: step.clone(), why })
            }
            None => Ok(()),
        }
    }

    pub(super) fn stop_running(&self, caller: &Caller, view: &View, steps: &[Id]) -> Result<(), Error> {
        for id in steps {
            let at = view.graph.find(id.as_str()).unwrap_or_default();
            if view.state(at) == State::Running {
                let stop = run::Stop { target: Some(id.to_string()), all: false, force: false };
                match self.stop_through(caller, &stop, Through::Restart) {
                    // It ended by itself in the meantime, which is as good.
                    Ok(_) | Err(Error::StepNotRunning { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// What running a step again would do.
pub(super) fn plan(view: &View, args: &run::Restart) -> Result<Plan, Error> {
    view.sequence.expect_step(args.id.as_str())?;
    let at = view.graph.find(args.id.as_str()).unwrap_or_default();
    refuse_idle_watchdog(view, &args.id)?;
    let below = if args.downstream { view.graph.downstream(at) } else { Vec::new() };
    let below = below.into_iter().map(|at| view.id_of(at)).filter(|id| view.sequence.step(id.as_str()).is_some());
    let follows: Vec<Id> = below.cloned().collect();
    let again: Vec<Id> = std::iter::once(&args.id).chain(&follows).cloned().collect();
    let steps = again.iter().filter_map(|id| view.step(id)).chain(view.watchdogs_of(&again));
    let commands = steps.map(|step| Ok(format!("{}: {}", step.id, super::agent::words(view, step)?)));
    let commands = commands.collect::<Result<_, Error>>()?;
    let all = [std::slice::from_ref(&args.id), follows.as_slice()].concat();
    let (asks, orchestrates) = (view.asks(&all), view.orchestrates(&all));
    Ok(Plan { starts: vec![args.id.clone()], follows, commands, asks, orchestrates, kind: None, failed: Vec::new() })
}

/// A watchdog runs beside its step and not by itself.
pub(super) fn refuse_idle_watchdog(view: &View, id: &Id) -> Result<(), Error> {
    let watched = view.step(id).and_then(|step| step.watchdog_for.as_ref());
    match watched {
        Some(watched) if view.leases.get(watched).is_none_or(|lease| !lease.is_held) => {
            Err(Error::StepBlocked { step: id.clone(), why: format!("it is the watchdog of `{watched}`, which does not run") })
        }
        _ => Ok(()),
    }
}
