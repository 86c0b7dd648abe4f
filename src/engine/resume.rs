//! Going on with an agent's session, and a step's own word on its outcome.

use std::path::PathBuf;

use serde_json::json;

use super::{
    agent::{self, Told},
    asking::Asking,
    call::Engine,
    caller::{Caller, Consent},
    confirm, crew, held,
    output::{Output, Started},
    query::last_attempt,
    request,
    start::{Plan, new_run, opening},
    transact::{Draft, entry},
    view::View,
};
use crate::{
    action::{Action, Txn, outcome, review, run},
    clock,
    error::Error,
    model::{Decision, Id, Resolved, State, Usage},
    runner::SpecFile,
    store::{AttemptStatus, Decided, Line, Paths, Resume, Run, RunKind, RunState, file, open_runs},
};

/// What is asked for: which step is to go on, with what message.
struct Wish<'a> {
    id: &'a Id,
    message: &'a str,
    options: &'a run::Options,
    is_review: bool,
}

fn wish(action: &Action) -> Result<Wish<'_>, Error> {
    let wish = match action {
        Action::Continue(args) => Wish { id: &args.id, message: &args.message, options: &args.options, is_review: false },
        Action::ReviewReject(args) => {
            let message = args.message.as_deref().unwrap_or_default();
            Wish { id: &args.id, message, options: &args.options, is_review: true }
        }
        _ => return Err(Error::internal(format!("`{}` continues nothing", action.name()))),
    };
    if wish.message.trim().is_empty() {
        return Err(Error::FieldInvalid { field: "message", why: "it is empty".into() });
    }
    Ok(wish)
}

/// The session to go on with, and what that would execute.
fn plan(paths: &Paths, view: &View, wish: &Wish<'_>) -> Result<(Resume, Plan), Error> {
    let no_session = |why| Error::NoSession { step: wish.id.clone(), why };
    let step = view.sequence.expect_step(wish.id.as_str())?;
    let at = view.graph.find(wish.id.as_str()).unwrap_or_default();
    if wish.is_review {
        review::expect_review(&Txn::new((*view.sequence).clone(), view.states()), wish.id)?;
    } else if view.state(at) == State::Running {
        return Err(Error::StepRunning { step: wish.id.clone() });
    }
    if Resolved::new(&view.sequence, step).is_shell() {
        return Err(no_session("no agent runs it"));
    }
    let (run, attempt) = last_attempt(paths, view, wish.id)
        .and_then(|(run, attempt)| Some((run, attempt?)))
        .ok_or_else(|| no_session("it has not run"))?;
    let spec: Option<SpecFile> = file::read_json(&paths.attempt(&run, wish.id.as_str(), attempt).join("spec.json"));
    if spec.is_some_and(|spec| spec.agent != Resolved::new(&view.sequence, step).agent()) {
        return Err(no_session("its last attempt was another agent's"));
    }
    let resume =
        session(paths, (&run, wish.id, attempt), wish.message).ok_or_else(|| no_session("its last attempt left none"))?;
    let workers = Resolved::new(&view.sequence, step).workers();
    if workers.is_some() == resume.workers.is_empty() {
        return Err(no_session("what it was, a fan-out or not, has changed since its last attempt"));
    }
    if let Some(blocker) = view.readiness().blockers(at).first() {
        let why = format!("it waits for `{}`", view.id_of(blocker.node()));
        return Err(Error::StepBlocked { step: wish.id.clone(), why });
    }
    let first = wish.message.lines().next().unwrap_or_default();
    let line = |session: &str| {
        let told = Told { prompt: first, file: None, session: Some(session) };
        let argv = agent::command(view, step, &agent::folder(view, step), told)?.1;
        Ok(format!("{} ← {first}", shell_words::join(argv)))
    };
    let mut commands = Vec::new();
    for worker in 1..=workers.unwrap_or(0) {
        let line = match resume.workers.iter().find(|known| known.worker == worker) {
            Some(known) => line(&known.session)?,
            None => format!("from the beginning, it has no session ← {first}"),
        };
        commands.push(format!("{}, worker {worker}: {line}", wish.id));
    }
    if workers.is_none() {
        commands.push(format!("{}: {}", wish.id, line(&resume.session)?));
    }
    let starts = vec![wish.id.clone()];
    let (asks, orchestrates) = (view.asks(&starts), view.orchestrates(&starts));
    let plan = Plan { starts, follows: Vec::new(), commands, asks, orchestrates, kind: None, failed: Vec::new() };
    Ok((resume, plan))
}

/// The session that an attempt left, or of a fan-out those of its workers; nothing where there is none.
fn session(paths: &Paths, (run, step, attempt): (&str, &Id, u32), message: &str) -> Option<Resume> {
    let status = AttemptStatus::read(paths, run, step.as_str(), attempt)?;
    let resume = Resume { session: String::new(), message: message.into(), spent: None, workers: Vec::new() };
    if status.workers.is_empty() {
        let spent = spent(paths, (run, step, attempt), status.agent.usage);
        return status.agent.session_id.map(|session| Resume { session, spent, ..resume });
    }
    let spec: SpecFile = file::read_json(&paths.attempt(run, step.as_str(), attempt).join("spec.json"))?;
    let workers = crew::sessions(paths, &spec, status.workers.iter(), |_| true);
    (!workers.is_empty()).then_some(Resume { workers, ..resume })
}

/// What a session has taken up to the end of an attempt, where its agent goes on counting from there.
pub(super) fn spent(paths: &Paths, (run, step, attempt): (&str, &Id, u32), usage: Option<Usage>) -> Option<Usage> {
    let spec = file::read_json::<SpecFile>(&paths.attempt(run, step.as_str(), attempt).join("spec.json"))?;
    let parts = spec.spent.into_iter().chain(usage);
    parts.reduce(Usage::plus).filter(|_| spec.output.counts_session())
}

impl Engine {
    /// What going on with a session would execute.
    pub(super) fn plan_resume(&self, action: &Action) -> Result<Plan, Error> {
        Ok(plan(self.paths(), &self.view()?, &wish(action)?)?.1)
    }

    /// Makes a step's agent go on with its session: in an open run that covers it, so that what waits
    /// for it there goes on too, else in a run of its own.
    pub(super) fn resume(&self, caller: &Caller, action: &Action, consent: Consent) -> Result<Output, Error> {
        let wish = wish(action)?;
        super::settle::repair_all(self.paths())?;
        let mut writer = self.writer();
        let started = {
            let mut held = writer.lock()?;
            held.refresh_leases()?;
            held.settle(&Caller::system())?;
            let (resume, plan) = plan(held.paths(), held.view(), &wish)?;
            if wish.options.dry_run {
                return Ok(Output::WouldRun(plan));
            }
            held.expect_open(caller)?;
            let checked = held.audited(caller, action, |held| {
                let what = confirm::describe(action, &plan.starts);
                confirm::check(held.view(), caller, action, &what, consent)?;
                // A rejection with a message runs something, too.
                let going_on = review::Continue { id: wish.id.clone(), message: String::new(), options: run::Options::default() };
                confirm::check(held.view(), caller, &Action::Continue(going_on), &what, consent)
            });
            held.or_request(caller, checked, std::slice::from_ref(action), &plan.starts)?;
            // A run that lets a failure start nothing more would not start it again either.
            let goes_on = |run: &Run| run.covers(wish.id) && !run.stopped && !run.fail_fast;
            let open = open_runs(held.paths())?.into_iter().find(goes_on);
            let attached = open.is_some();
            let run = match open {
                // It waits no more, and whoever watches it must not believe that it does.
                Some(run) => Run { state: RunState::Active, waits_for: Vec::new(), ..run },
                None => new_run(held.paths(), caller, RunKind::Steps(plan.starts.clone()), wish.options.fail_fast)?,
            };
            held.transact(|view, _| {
                let payload = json!({"run": run.id, "message": wish.message});
                let entry = entry(caller, action.name(), Some(wish.id.to_string()), payload);
                let decided = Decided {
                    decision: Decision::Continue,
                    by: caller.name(),
                    note: None,
                    resume: Some(resume.clone()),
                    at: clock::stamp(),
                };
                let records = vec![(wish.id.clone(), Line::Decision(decided).to_bytes())];
                let mut draft = Draft { entry, records, ..Draft::default() };
                held::remember(&mut draft, view, caller, &plan)?;
                request::close(&mut draft, caller, Some(&run.id))?;
                opening(&mut draft, &run)?;
                Ok(draft)
            })?;
            // A step that waited for the end of the run that it is in would wait for ever.
            let is_step = Asking::find(held.paths(), held.view(), caller)?.is_some();
            Started { run: run.id, attached, steps: is_step.then(|| vec![wish.id.clone()]) }
        };
        self.keep(writer);
        self.launch(&started.run)?;
        Ok(Output::Started(started))
    }

    /// Writes down what the step that asks says of its own end.
    pub(super) fn take_word(&self, args: &outcome::Report) -> Result<Output, Error> {
        let path = std::env::var_os("THREADOS_OUTCOME_FILE").map(PathBuf::from).ok_or(Error::NotInStep)?;
        let step = std::env::var("THREADOS_STEP_ID").ok().and_then(|step| step.parse::<Id>().ok()).ok_or(Error::NotInStep)?;
        if !path.starts_with(self.paths().runs()) {
            return Err(Error::NotInStep);
        }
        let said = json!({"outcome": args.outcome, "note": args.note});
        file::replace(&path, &file::pretty(&said)?)?;
        Ok(Output::Reported { step, outcome: args.outcome })
    }
}
