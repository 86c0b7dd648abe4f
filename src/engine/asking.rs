//! A running step that asks for others to run: they run in the run that it is in, and it waits without a slot of theirs.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::{
    call::Engine,
    caller::{Caller, Consent},
    confirm, held,
    output::{Output, Started},
    request::{self, Standing},
    start::{Plan, new_run, opening},
    transact::{Draft, entry},
    view::View,
    writer::Held,
};
use crate::{
    action::{Action, run},
    clock,
    error::Error,
    model::{Blocker, Id, Readiness, State, StepStatus},
    store::{Paths, Request, Run, RunKind, RunState},
};

/// A running step that asks for something.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    /// Its node.
    at: usize,
    pub(super) step: Id,
    pub(super) nonce: String,
    pub(super) run: Run,
}

impl Asking {
    /// The running step that the caller is; nothing for a person, and for a step that has ended.
    pub(super) fn find(paths: &Paths, view: &View, caller: &Caller) -> Result<Option<Self>, Error> {
        let Some(step) = caller.step_id() else { return Ok(None) };
        let lease = view.leases.get(&step).filter(|lease| lease.is_held);
        let claim = lease.and_then(|lease| lease.record.claim.as_ref());
        let Some((claim, at)) = claim.zip(view.graph.find(step.as_str())) else { return Ok(None) };
        let run = Run::read(paths, &claim.run)?;
        if run.stopped {
            return Err(Error::RunState { run: run.id, why: "is being stopped".into() });
        }
        Ok(Some(Self { at, step, nonce: claim.nonce.to_string(), run }))
    }

    /// A request of this step, not left yet.
    pub(super) fn request(&self, view: &View, actions: &[Action], what: String, why: String, steps: &[Id]) -> Request {
        Request {
            v: 1,
            id: String::new(),
            step: self.step.clone(),
            run: self.run.id.clone(),
            nonce: self.nonce.clone(),
            actions: actions.iter().map(plain).map(|action| action.to_entry()).collect(),
            what,
            why,
            shown: request::shown(view, steps),
            at: clock::stamp(),
            answer: None,
        }
    }

    /// What cannot end before this step has: itself, the orchestrators that added it, and what depends on these.
    pub(super) fn later(&self, view: &View) -> HashSet<usize> {
        let above = std::iter::successors(Some(&self.step), |step| view.confirmed().added.get(*step));
        let above = above.take(view.confirmed().added.len() + 1).filter_map(|step| view.graph.find(step.as_str()));
        above.flat_map(|at| view.graph.downstream(at).into_iter().chain([at])).collect()
    }

    /// The steps of its run that it can wait for.
    pub(super) fn others(&self, view: &View) -> Vec<usize> {
        let later = self.later(view);
        (0..view.sequence.steps.len()).filter(|at| !later.contains(at) && self.run.covers(view.id_of(*at))).collect()
    }

    /// The steps that it asks for.
    fn wanted(&self, view: &View, action: &Action) -> Result<Vec<Id>, Error> {
        let (ready, later) = (view.readiness(), self.later(view));
        let all = || (0..view.sequence.steps.len()).filter(|at| !later.contains(at));
        let nodes: Vec<usize> = match action {
            Action::RunAll(_) => all().filter(|&at| ready.state(at) == State::Idle && !ready.is_doomed(at)).collect(),
            Action::RunRunnable(_) => all().filter(|&at| ready.is_startable(at)).collect(),
            Action::RunGroup(_) => {
                let plan = super::start::plan(view, action)?;
                plan.steps().iter().filter_map(|step| view.graph.find(step.as_str())).collect()
            }
            Action::RunStep(args) => {
                let find = |id: &Id| {
                    view.sequence.expect_step(id.as_str())?;
                    Ok(view.graph.find(id.as_str()).unwrap_or_default())
                };
                args.ids.iter().map(find).collect::<Result<_, Error>>()?
            }
            _ => return Err(Error::internal(format!("`{}` runs nothing", action.name()))),
        };
        nodes.iter().try_for_each(|&at| self.expect_possible(view, &ready, &later, &nodes, at))?;
        Ok(nodes.into_iter().map(|at| view.id_of(at).clone()).collect())
    }

    /// Refuses what could not run while this step waits for it.
    fn expect_possible(
        &self,
        view: &View,
        ready: &Readiness,
        later: &HashSet<usize>,
        wanted: &[usize],
        at: usize,
    ) -> Result<(), Error> {
        let id = view.id_of(at);
        let blocked = |why: String| Err(Error::StepBlocked { step: id.clone(), why });
        if at == self.at {
            return Err(Error::StepRunning { step: id.clone() });
        }
        if later.contains(&at) {
            return blocked(format!("it waits for `{}`, which asks for it", self.step));
        }
        match ready.state(at) {
            State::Ended(status) if status != StepStatus::Done => {
                let record = view.leases.get(id).map(|lease| &lease.record).or_else(|| view.records.get(id));
                let claim = record.and_then(|record| record.claim.as_ref());
                // How it ended in this run is what is asked for.
                if claim.is_none_or(|claim| claim.run != self.run.id) {
                    return Err(Error::StepEnded { step: id.clone(), status: status.as_str() });
                }
            }
            State::Idle => {
                let is_coming = |need: usize| wanted.contains(&need) || self.run.covers(view.id_of(need));
                for blocker in ready.blockers(at) {
                    let need = view.id_of(blocker.node());
                    match blocker {
                        Blocker::Step(need_at) if ready.state(need_at) == State::Idle && !is_coming(need_at) => {
                            return blocked(format!("it waits for `{need}`"));
                        }
                        Blocker::Failed(_) | Blocker::Group(_) => return blocked(format!("`{need}` failed")),
                        Blocker::GateBlocked(_) => return blocked(format!("gate `{need}` is BLOCKED")),
                        Blocker::Step(_) | Blocker::Review(_) | Blocker::Gate(_) | Blocker::Watched(_) => {}
                    }
                }
            }
            State::Running | State::Ended(_) | State::Gate(_) => {}
        }
        Ok(())
    }
}

/// The same action without how it is watched.
fn plain(action: &Action) -> Action {
    let options = run::Options::default();
    match action.clone() {
        Action::RunStep(args) => Action::RunStep(run::Steps { options, ..args }),
        Action::Restart(args) => Action::Restart(run::Restart { options, ..args }),
        Action::Continue(args) => Action::Continue(crate::action::review::Continue { options, ..args }),
        other => other,
    }
}

/// What running these steps would do.
fn plan(view: &View, steps: &[Id]) -> Plan {
    let is_idle = |id: &&Id| view.graph.find(id.as_str()).is_some_and(|at| view.state(at) == State::Idle);
    let starts: Vec<Id> = steps.iter().filter(is_idle).cloned().collect();
    let (asks, orchestrates) = (view.asks(&starts), view.orchestrates(&starts));
    Plan { starts, follows: Vec::new(), commands: Vec::new(), asks, orchestrates, kind: None, failed: Vec::new() }
}

impl Engine {
    /// Runs steps for a step, in the run that it is in, or leaves a request. Nothing if no running step asks.
    pub(super) fn ask(&self, caller: &Caller, action: &Action) -> Result<Option<Output>, Error> {
        if caller.is_person() {
            return Ok(None);
        }
        super::settle::repair_all(self.paths())?;
        let mut writer = self.writer();
        let (output, run) = {
            let mut held = writer.lock()?;
            held.refresh_leases()?;
            held.settle(&Caller::system())?;
            let Some(asking) = Asking::find(held.paths(), held.view(), caller)? else { return Ok(None) };
            let steps = asking.wanted(held.view(), action)?;
            let mut plan = plan(held.view(), &steps);
            plan.asks.retain(|ask| !asking.run.additions || ask.added_by.is_none());
            let asked = held.audited(caller, action, |held| {
                if plan.starts.is_empty() {
                    return Ok(());
                }
                confirm::check_run(held.view(), caller, action, &plan, Consent::None)
            });
            let run = asking.run.id.clone();
            let output = match asked {
                Ok(()) => {
                    held.extend(caller, action.name(), asking.run, &plan)?;
                    Output::Started(Started { run: run.clone(), attached: true, steps: Some(steps) })
                }
                Err(Error::ConfirmationRequired { what, why }) => {
                    let entry = Action::RunStep(run::Steps { ids: plan.starts.clone(), options: run::Options::default() });
                    let request = asking.request(held.view(), &[entry], what, why, &plan.starts);
                    let request = held.leave(caller, &asking, request)?;
                    Output::Requested { request: request::row(held.view(), &request), steps }
                }
                Err(error) => return Err(error),
            };
            (output, run)
        };
        self.keep(writer);
        self.launch(&run)?;
        Ok(Some(output))
    }

    /// Runs the steps of a request that a person has approved: in the run of the step that asked, as long as that is open.
    pub(super) fn run_for(&self, person: &Caller, request: &Request, steps: &[Id]) -> Result<(), Error> {
        super::settle::repair_all(self.paths())?;
        let mut writer = self.writer();
        let run = {
            let mut held = writer.lock()?;
            held.refresh_leases()?;
            held.settle(&Caller::system())?;
            held.expect_open(person)?;
            let plan = plan(held.view(), steps);
            let open = Run::read(held.paths(), &request.run).ok().filter(|run| run.state != RunState::Ended && !run.stopped);
            let run = match open {
                Some(run) => run,
                None => new_run(held.paths(), person, RunKind::Steps(steps.to_vec()), false)?,
            };
            let id = run.id.clone();
            held.extend(person, "requests.approve", run, &plan)?;
            id
        };
        self.keep(writer);
        self.launch(&run)
    }
}

impl Held<'_> {
    /// Makes a run cover what it is asked for, too.
    fn extend(&mut self, caller: &Caller, action: &str, mut run: Run, plan: &Plan) -> Result<(), Error> {
        let missing: Vec<Id> = plan.starts.iter().filter(|step| !run.covers(step)).cloned().collect();
        if missing.is_empty() && caller.request.is_none() && run.state == RunState::Active {
            return Ok(());
        }
        run.asked.extend(missing);
        // It waits no more, and whoever watches it must not believe that it does.
        run.state = RunState::Active;
        run.waits_for.clear();
        self.transact(|view, _| {
            let payload = json!({"run": run.id, "steps": plan.starts, "within": true});
            let target = caller.request.as_ref().map_or(&run.id, |request| &request.id);
            let mut draft = Draft { entry: entry(caller, action, Some(target.clone()), payload), ..Draft::default() };
            if caller.request.is_some() {
                held::remember(&mut draft, view, caller, plan)?;
            }
            request::close(&mut draft, caller, Some(&run.id))?;
            opening(&mut draft, &run)?;
            Ok(draft)
        })?;
        Ok(())
    }
}

/// Which of these steps the caller has asked for, and no person has decided about yet.
///
/// # Errors
/// `RequestDenied` and `RequestVoid` where one of them will not run.
pub(super) fn undecided(paths: &Paths, view: &View, caller: &Caller, steps: &[Id]) -> Result<HashSet<Id>, Error> {
    let Some(asking) = Asking::find(paths, view, caller)? else { return Ok(HashSet::new()) };
    let mut last: HashMap<&Id, &Request> = HashMap::new();
    let requests = Request::list(paths)?;
    for request in requests.iter().filter(|request| request.nonce == asking.nonce) {
        last.extend(steps.iter().filter(|step| request.is_about(step)).map(|step| (step, request)));
    }
    let mut open = HashSet::new();
    for (step, request) in last {
        match (request::standing(view, request), &request.answer) {
            (Standing::Open, _) => _ = open.insert(step.clone()),
            (Standing::Void(steps), _) => return Err(Error::RequestVoid { request: request.id.clone(), steps }),
            (Standing::Denied, Some(answer)) => {
                return Err(Error::RequestDenied {
                    request: request.id.clone(),
                    what: request.what.clone(),
                    by: answer.by.clone(),
                    note: answer.note.clone(),
                });
            }
            (Standing::Approved, Some(answer)) => {
                // Whoever approved it may not have come to the run.
                let run = answer.run.as_ref().and_then(|run| Run::read(paths, run).ok());
                if run.is_some_and(|run| !run.covers(step)) {
                    open.insert(step.clone());
                }
            }
            (Standing::Approved | Standing::Denied, _) => {}
        }
    }
    Ok(open)
}
