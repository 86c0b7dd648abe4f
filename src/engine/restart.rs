//! Running a step again.

use serde_json::json;

use super::{
    call::{Engine, decision_records},
    caller::{Caller, Consent},
    confirm,
    output::{Output, Started},
    start::{new_run, opening},
    transact::{Draft, entry},
};
use crate::{
    action::{Action, Txn, run, step},
    error::Error,
    model::{Id, Resolved, State},
    store::RunKind,
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
        let step = view.sequence.expect_step(args.id.as_str())?;
        let resolved = Resolved::new(&view.sequence, step);
        if !resolved.is_shell() {
            return Err(Error::AgentUnknown { step: step.id.clone(), agent: resolved.agent().into() });
        }
        let at = view.graph.find(args.id.as_str()).unwrap_or_default();
        let mut steps = vec![args.id.clone()];
        if args.downstream {
            let below = view.graph.downstream(at).into_iter().map(|at| view.id_of(at).clone());
            steps.extend(below.filter(|id| view.sequence.step(id.as_str()).is_some()));
        }
        if args.options.dry_run {
            let commands = steps.iter().map(Id::to_string).collect();
            return Ok(Output::WouldRun(super::start::Plan {
                starts: steps[..1].to_vec(),
                follows: steps[1..].to_vec(),
                commands,
                kind: None,
                failed: Vec::new(),
            }));
        }
        confirm::check(&view, caller, action, &confirm::describe(action, &steps), consent)?;
        self.stop_running(caller, &view, &steps)?;
        super::settle::repair_all(self.paths())?;
        let mut writer = self.writer();
        let run = {
            let mut held = writer.lock()?;
            held.refresh_leases()?;
            held.settle(&Caller::system())?;
            let run = new_run(held.paths(), caller, RunKind::Steps(steps.clone()), args.options.fail_fast)?;
            held.transact(|view, _| {
                let mut txn = Txn::new((*view.sequence).clone(), view.states());
                step::reset(&mut txn, std::slice::from_ref(&args.id), args.downstream)?;
                let payload = json!({"run": run.id, "steps": steps});
                let mut draft = Draft { entry: entry(caller, "restart", Some(args.id.to_string()), payload), ..Draft::default() };
                draft.records = decision_records(caller, &txn);
                draft.after = (txn.sequence != *view.sequence).then_some(txn.sequence);
                opening(&mut draft, &run)?;
                Ok(draft)
            })?;
            run
        };
        self.keep(writer);
        self.launch(&run.id)?;
        Ok(Output::Started(Started { run: run.id, attached: false }))
    }

    fn stop_running(&self, caller: &Caller, view: &super::view::View, steps: &[Id]) -> Result<(), Error> {
        for id in steps {
            let at = view.graph.find(id.as_str()).unwrap_or_default();
            if view.state(at) == State::Running {
                match self.stop(caller, &run::Stop { target: Some(id.to_string()), all: false, force: false }) {
                    // It ended by itself in the meantime, which is as good.
                    Ok(_) | Err(Error::StepNotRunning { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}
