//! Requests: what a step asks for and only a person can decide. An approval is carried out in the transaction that
//! records it, as the person who gave it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    asking::Asking,
    call::Engine,
    caller::{Caller, Consent},
    confirm,
    output::Output,
    start::Plan,
    transact::{Draft, entry},
    view::View,
    writer::Held,
};
use crate::{
    action::{Action, requests},
    clock,
    error::Error,
    model::{Id, Step},
    store::{Answered, Paths, Request, Shown},
};

/// How many answered requests are kept.
const KEPT: usize = 100;

/// A request in a list.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRow {
    /// Its name.
    pub id: String,
    /// `open`, `approved`, `denied` or `void`.
    pub state: &'static str,
    /// The step that asks.
    pub step: Id,
    /// The run it is in.
    pub run: String,
    /// What it asks for.
    pub what: String,
    /// Why a person has to decide.
    pub why: String,
    /// What exactly that would be, a line each.
    pub work: Vec<String>,
    /// What has changed since, which makes it void.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<Id>,
    /// When it was asked.
    pub at: String,
    /// Who answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The run in which it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_in: Option<String>,
}

/// Where a request is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    Open,
    Approved,
    Denied,
    /// What was shown is not what would be done now.
    Void(Vec<Id>),
}

/// Where a request is. One that nobody has answered is void while something of what it shows is different.
pub(super) fn standing(view: &View, request: &Request) -> Standing {
    match &request.answer {
        Some(answer) if answer.approved => return Standing::Approved,
        Some(_) => return Standing::Denied,
        None => {}
    }
    let is_as_shown = |shown: &&Shown| view.step(&shown.step).is_some_and(|step| view.exechash_now(step) == shown.sha);
    let changed: Vec<Id> = request.shown.iter().filter(|shown| !is_as_shown(shown)).map(|shown| shown.step.clone()).collect();
    if changed.is_empty() { Standing::Open } else { Standing::Void(changed) }
}

/// The steps as they are shown with a request.
pub(super) fn shown(view: &View, steps: &[Id]) -> Vec<Shown> {
    let known = steps.iter().filter_map(|id| view.step(id));
    let show = |step: &Step| {
        let work = super::agent::words(view, step).unwrap_or_default();
        Shown { step: step.id.clone(), sha: view.exechash_now(step), work }
    };
    known.map(show).collect()
}

pub(super) fn row(view: &View, request: &Request) -> RequestRow {
    let (state, changed) = match standing(view, request) {
        Standing::Open => ("open", Vec::new()),
        Standing::Approved => ("approved", Vec::new()),
        Standing::Denied => ("denied", Vec::new()),
        Standing::Void(changed) => ("void", changed),
    };
    let answer = request.answer.as_ref();
    RequestRow {
        id: request.id.clone(),
        state,
        step: request.step.clone(),
        run: request.run.clone(),
        what: request.what.clone(),
        why: request.why.clone(),
        work: request.shown.iter().map(|shown| format!("{}: {}", shown.step, shown.work)).collect(),
        changed,
        at: request.at.clone(),
        by: answer.map(|answer| answer.by.clone()),
        answered_at: answer.map(|answer| answer.at.clone()),
        note: answer.and_then(|answer| answer.note.clone()),
        done_in: answer.and_then(|answer| answer.run.clone()),
    }
}

/// The requests that a person can answer.
pub(super) fn open(paths: &Paths, view: &View) -> Result<Vec<Request>, Error> {
    let mut requests = Request::list(paths)?;
    requests.retain(|request| request.answer.is_none() && standing(view, request) == Standing::Open);
    Ok(requests)
}

impl Held<'_> {
    /// Leaves a request for a person. The same one again is the same request.
    pub(super) fn leave(&mut self, caller: &Caller, asking: &Asking, mut request: Request) -> Result<Request, Error> {
        let same = Request::list(self.paths())?.into_iter().find(|other| {
            other.answer.is_none()
                && (&other.step, &other.actions, &other.shown) == (&request.step, &request.actions, &request.shown)
        });
        match same {
            Some(same) if same.nonce == asking.nonce => return Ok(same),
            Some(same) => request.id = same.id,
            None => request.id = Request::id_of(self.log().seq() + 1),
        }
        let payload = json!({"asks": request.actions, "what": request.what, "run": request.run});
        let draft = || -> Result<Draft, Error> {
            let entry = entry(caller, "request", Some(request.id.clone()), payload.clone());
            Ok(Draft { entry, files: vec![request.to_file()?], ..Draft::default() })
        };
        self.transact(|_, _| draft())?;
        Request::prune(self.paths(), KEPT)?;
        Ok(request)
    }

    /// Makes a request of what a step may not confirm by itself. Every other result stays as it is.
    pub(super) fn or_request<T>(
        &mut self,
        caller: &Caller,
        result: Result<T, Error>,
        actions: &[Action],
        steps: &[Id],
    ) -> Result<T, Error> {
        let Err(Error::ConfirmationRequired { what, why }) = result else { return result };
        let Some(asking) = Asking::find(self.paths(), self.view(), caller)? else {
            return Err(Error::ConfirmationRequired { what, why });
        };
        let request = asking.request(self.view(), actions, what.clone(), why, steps);
        let request = self.leave(caller, &asking, request)?;
        Err(Error::Requested { request: request.id, what })
    }

    /// Refuses to carry out a request that is not open any more, or that is about something else by now.
    pub(super) fn expect_open(&self, caller: &Caller) -> Result<(), Error> {
        let Some(request) = &caller.request else { return Ok(()) };
        let now =
            Request::read(self.paths(), &request.id)?.ok_or_else(|| Error::RequestNotFound { request: request.id.clone() })?;
        match (standing(self.view(), &now), &now.answer) {
            (Standing::Open, _) => Ok(()),
            (Standing::Void(steps), _) => Err(Error::RequestVoid { request: now.id, steps }),
            (_, answer) => Err(closed(&now.id, answer.as_ref())),
        }
    }
}

fn closed(request: &str, answer: Option<&Answered>) -> Error {
    let is_approved = answer.is_some_and(|answer| answer.approved);
    let by = answer.map_or_else(String::new, |answer| answer.by.clone());
    Error::RequestClosed { request: request.into(), how: if is_approved { "approved" } else { "denied" }, by }
}

/// Makes a draft answer the request that it carries out.
pub(super) fn close(draft: &mut Draft, caller: &Caller, run: Option<&str>) -> Result<(), Error> {
    if let Some(request) = &caller.request {
        let mut request = request.as_ref().clone();
        if let Some(answer) = &mut request.answer {
            answer.run = run.map(str::to_owned);
        }
        draft.files.push(request.to_file()?);
    }
    Ok(())
}

impl Engine {
    /// Refuses what is not confirmed; of what a step asks for it leaves a request.
    pub(super) fn expect_confirmed(&self, caller: &Caller, action: &Action, plan: &Plan, consent: Consent) -> Result<(), Error> {
        let mut writer = self.writer();
        let result = {
            let mut held = writer.lock()?;
            held.expect_open(caller)?;
            let checked = held.audited(caller, action, |held| confirm::check_run(held.view(), caller, action, plan, consent));
            held.or_request(caller, checked, std::slice::from_ref(action), &plan.steps())
        };
        self.keep(writer);
        result
    }

    pub(super) fn requests(&self, view: &View, args: &requests::List) -> Result<Output, Error> {
        let rows = Request::list(self.paths())?.into_iter().map(|request| row(view, &request));
        Ok(Output::Requests { requests: rows.filter(|row| args.all || row.state == "open" || row.state == "void").collect() })
    }

    /// The request of that name, for a person to answer.
    fn request(&self, caller: &Caller, action: &Action, id: &str) -> Result<Request, Error> {
        let mut writer = self.writer();
        let request = {
            let mut held = writer.lock()?;
            held.audited(caller, action, |held| confirm::check(held.view(), caller, action, "", Consent::None))?;
            Request::read(held.paths(), id)?
        };
        self.keep(writer);
        request.ok_or_else(|| Error::RequestNotFound { request: id.into() })
    }

    /// Does what a request asks for, as the person who approves it.
    pub(super) fn approve(&self, caller: &Caller, action: &Action, args: &requests::Approve) -> Result<Output, Error> {
        let request = self.request(caller, action, &args.id)?;
        if let Some(answer) = request.answer.as_ref().filter(|answer| answer.approved) {
            // Whoever approved it may have died before its run had a runner.
            self.wake_runs()?;
            self.warn(format!("request `{}` was approved by {} already", request.id, answer.by));
            return Ok(Output::Answered(row(&self.view()?, &request)));
        }
        let answer = Answered { approved: true, by: caller.name(), note: args.note.clone(), run: None, at: clock::stamp() };
        let answered = Request { answer: Some(answer), ..request.clone() };
        let person = Caller { request: Some(Box::new(answered)), ..caller.clone() };
        let actions = request.actions.iter().cloned().map(Action::from_entry).collect::<Result<Vec<_>, _>>()?;
        match actions.as_slice() {
            [Action::RunStep(steps)] => self.run_for(&person, &request, &steps.ids)?,
            [again @ Action::Restart(args)] => drop(self.restart(&person, again, args, Consent::Given)?),
            [going_on @ Action::Continue(_)] => drop(self.resume(&person, going_on, Consent::Given)?),
            [turn @ (Action::Undo(_) | Action::Redo(_))] => drop(self.turn(&person, turn, Consent::Given)?),
            [prune @ Action::RunsPrune(args)] => drop(self.prune(&person, prune, args, Consent::Given)?),
            changes => drop(self.change(&person, changes, None, Consent::Given)?),
        }
        let now = Request::read(self.paths(), &request.id)?.unwrap_or(request);
        Ok(Output::Answered(row(&self.view()?, &now)))
    }

    /// Says no to a request.
    pub(super) fn deny(&self, caller: &Caller, action: &Action, args: &requests::Deny) -> Result<Output, Error> {
        self.request(caller, action, &args.id)?;
        let mut writer = self.writer();
        let request = {
            let mut held = writer.lock()?;
            let found = Request::read(held.paths(), &args.id)?;
            let request = found.ok_or_else(|| Error::RequestNotFound { request: args.id.clone() })?;
            if request.answer.is_some() {
                return Err(closed(&request.id, request.answer.as_ref()));
            }
            let answer = Answered { approved: false, by: caller.name(), note: args.note.clone(), run: None, at: clock::stamp() };
            let request = Request { answer: Some(answer), ..request };
            held.transact(|_, _| {
                let asked_by = format!("orchestrator `{}`", request.step);
                let payload = json!({"asks": request.actions, "askedBy": asked_by, "note": args.note});
                let entry = entry(caller, action.name(), Some(request.id.clone()), payload);
                Ok(Draft { entry, files: vec![request.to_file()?], ..Draft::default() })
            })?;
            request
        };
        self.keep(writer);
        Ok(Output::Answered(row(&self.view()?, &request)))
    }
}
