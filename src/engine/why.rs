//! Why a step does not start, and which commands would let it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    budget,
    call::Engine,
    query::step_row,
    request,
    start::failure,
    view::{LeaseView, View},
};
use crate::{
    action::{Action, gate, policy, requests, review, run},
    clock,
    error::{Error, list},
    model::{GateStatus, Id, Node, Readiness, Root, Span, State, StepStatus, Unblock, Unblocking, Why},
    store::{Run, RunState, is_held, open_runs},
};

/// What holds a step or gate back.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WhyReport {
    /// The step or gate.
    pub id: Id,
    /// Its status.
    pub status: &'static str,
    /// How it stands, in a sentence.
    pub summary: String,
    /// Where the waiting begins, nearest first.
    pub blockers: Vec<Hindrance>,
    /// The fewest acts that would let it start, in order.
    pub acts: Vec<Remedy>,
    /// The run that starts it by itself then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Whether it is a gate.
    #[serde(skip)]
    pub is_gate: bool,
}

/// Something that holds a step or gate back.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hindrance {
    /// `running`, `not_started`, `failed`, `review`, `gate_pending`, `gate_blocked`, `group_failed`, `requested`, `held`,
    /// `no_slot`, `no_run`, `no_runner`, `limit` or `cost_limit`.
    pub kind: &'static str,
    /// The step, gate or run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its status, where it is a step or a gate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// In words.
    pub text: String,
    /// What lies between, nearest to this one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<Id>,
    /// Whether it is a gate.
    #[serde(skip)]
    pub is_gate: bool,
}

/// Something that would help.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Remedy {
    /// The command.
    pub command: String,
    /// The same as an action with its fields.
    #[serde(flatten)]
    pub entry: Value,
}

impl Remedy {
    fn new(command: String, action: &Action) -> Self {
        Self { command, entry: action.to_entry() }
    }

    pub(super) fn restart(id: &Id) -> Self {
        let action = Action::Restart(run::Restart { id: id.clone(), downstream: false, options: run::Options::default() });
        Self::new(format!("seqctl restart {id}"), &action)
    }

    pub(super) fn accept(id: &Id) -> Self {
        Self::new(format!("seqctl review accept {id}"), &Action::ReviewAccept(review::Accept { id: id.clone(), note: None }))
    }

    pub(super) fn approve(id: &Id) -> Self {
        let action = Action::GateApprove(gate::Approve { id: id.clone(), note: None, ahead: false, expect: None });
        Self::new(format!("seqctl gate approve {id}"), &action)
    }

    fn reopen(id: &Id) -> Self {
        let action = Action::GateReopen(gate::Reopen { id: id.clone(), note: None });
        Self::new(format!("seqctl gate reopen {id}"), &action)
    }

    pub(super) fn approve_request(id: &str) -> Self {
        let action = Action::RequestsApprove(requests::Approve { id: id.into(), note: None });
        Self::new(format!("seqctl requests approve {id}"), &action)
    }

    fn wait(id: &Id) -> Self {
        let action = Action::Wait(run::Wait { targets: vec![id.to_string()], until: run::Until::default(), timeout: None });
        Self::new(format!("seqctl wait {id}"), &action)
    }

    pub(super) fn run(ids: &[Id]) -> Self {
        let words: Vec<&str> = ids.iter().map(Id::as_str).collect();
        let action = Action::RunStep(run::Steps { ids: ids.to_vec(), options: run::Options::default() });
        Self::new(format!("seqctl run step {}", words.join(" ")), &action)
    }

    pub(super) fn attach(run: &str) -> Self {
        let action = Action::Attach(run::Attach { run: Some(run.to_owned()), watch: false });
        Self::new(format!("seqctl attach {run}"), &action)
    }

    pub(super) fn declare_dead(id: &Id) -> Self {
        let action = Action::Stop(run::Stop { target: Some(id.to_string()), all: false, force: true });
        Self::new(format!("seqctl stop {id} --force"), &action)
    }

    pub(super) fn extend(id: &Id) -> Self {
        let action = Action::Extend(crate::action::extend::Extend { id: id.clone(), time: Span::from_ms(30 * 60 * 1000) });
        Self::new(format!("seqctl extend {id} 30m"), &action)
    }

    pub(super) fn trust() -> Self {
        Self::new("seqctl trust".to_owned(), &Action::Trust(policy::Trust {}))
    }
}

/// Everything an answer is made of.
struct Asked<'a> {
    engine: &'a Engine,
    view: &'a View,
    ready: &'a Readiness,
    /// The runs that may start something.
    runs: Vec<Run>,
    at: usize,
}

impl Engine {
    pub(super) fn why(&self, view: &View, ready: &Readiness, id: &Id) -> Result<WhyReport, Error> {
        let Some(at) = view.graph.find(id.as_str()) else {
            return Err(Error::StepNotFound { step: id.to_string(), nearest: view.sequence.nearest(id.as_str()) });
        };
        let runs = open_runs(self.paths())?.into_iter().filter(|run| !run.stopped).collect();
        let asked = Asked { engine: self, view, ready, runs, at };
        match view.graph.node(at) {
            Node::Step(_) => asked.step(),
            Node::Gate(_) => Ok(asked.gate()),
        }
    }
}

impl Asked<'_> {
    fn id(&self) -> &Id {
        self.view.id_of(self.at)
    }

    /// The run that starts a step by itself.
    fn cover(&self, at: usize) -> Option<&Run> {
        self.runs
            .iter()
            .find(|run| matches!(self.view.graph.node(at), Node::Step(_)) && self.view.covers(run, self.view.id_of(at)))
    }

    fn report(&self, summary: String) -> WhyReport {
        let (status, is_gate) = self.status(self.at);
        let id = self.id().clone();
        WhyReport { id, status, summary, blockers: Vec::new(), acts: Vec::new(), run: None, is_gate }
    }

    /// A node's status, and whether it is a gate.
    fn status(&self, at: usize) -> (&'static str, bool) {
        match self.ready.state(at) {
            State::Gate(status) => (status.as_str(), true),
            _ => (self.ready.status(at).as_str(), false),
        }
    }

    /// A watchdog starts by itself, and nothing but its step makes it.
    fn watchdog(&self) -> Option<WhyReport> {
        let watched = self.ready.watched(self.at)?;
        let (id, step) = (self.id(), self.view.id_of(watched));
        let summary = match self.ready.state(watched) {
            State::Running => return None,
            State::Ended(_) => format!("`{id}` is the watchdog of `{step}`, which has ended; it starts again with it"),
            _ => format!("`{id}` is the watchdog of `{step}`, and starts with it"),
        };
        let found = Unblock::find(&self.view.sequence, &self.view.graph, self.ready, &|at| self.cover(at).is_some(), watched);
        let acts = match self.ready.state(watched) {
            State::Ended(_) => vec![Remedy::restart(step)],
            _ => Asked { at: watched, runs: self.runs.clone(), ..*self }.remedies(&found.acts, self.cover(watched).is_none()),
        };
        let run = self.cover(watched).map(|run| run.id.clone());
        Some(WhyReport { blockers: self.hindrances(&found), acts, run, ..self.report(summary) })
    }

    fn step(&self) -> Result<WhyReport, Error> {
        let id = self.id();
        if let Some(report) = self.watchdog() {
            return Ok(report);
        }
        Ok(match self.ready.state(self.at) {
            State::Running => self.report(format!("`{id}` {}", self.running(self.at))),
            State::Ended(StepStatus::Done) => {
                let acts = vec![Remedy::restart(id)];
                WhyReport { acts, ..self.report(format!("`{id}` is DONE; it runs again only when somebody restarts it")) }
            }
            State::Ended(StepStatus::NeedsReview) => {
                let acts = vec![Remedy::accept(id)];
                WhyReport { acts, ..self.report(format!("`{id}` ended and waits for your review: seqctl logs {id}")) }
            }
            State::Ended(_) => self.failed(),
            State::Idle | State::Gate(_) => self.idle()?,
        })
    }

    /// A failed step runs again when what it needs is there, and it is restarted.
    fn failed(&self) -> WhyReport {
        let found = self.find();
        let mut acts = self.remedies(&found.acts, false);
        acts.push(Remedy::restart(self.id()));
        let summary = format!("`{}` {}", self.id(), self.failure(self.at));
        WhyReport { blockers: self.hindrances(&found), acts, ..self.report(summary) }
    }

    fn idle(&self) -> Result<WhyReport, Error> {
        let cover = self.cover(self.at);
        let found = self.find();
        let mut blockers = self.hindrances(&found);
        let mut acts = self.remedies(&found.acts, cover.is_none());
        let mut summary = format!("`{}` cannot start yet", self.id());
        let unconfirmed = self.unconfirmed()?;
        if self.ready.is_startable(self.at) && (unconfirmed.is_none() || cover.is_none()) {
            (summary, blockers, acts) = self.startable(cover, acts)?;
        }
        if let Some((blocker, act)) = unconfirmed {
            acts.retain(|other| other.command != act.command);
            blockers.push(blocker);
            acts.push(act);
        }
        Ok(WhyReport { blockers, acts, run: cover.map(|run| run.id.clone()), ..self.report(summary) })
    }

    /// What a person has to confirm before it starts: a request that is about it, or the step itself.
    fn unconfirmed(&self) -> Result<Option<(Hindrance, Remedy)>, Error> {
        let id = self.id();
        let held = self.view.held_back(self.ready, &self.runs).into_iter().find(|ask| ask.step == *id);
        let request = request::open(self.engine.paths(), self.view)?.into_iter().find(|request| request.is_about(id));
        let found = match (request, held) {
            (Some(request), _) => {
                let text = format!("`{}` asks for {}: request {}", request.step, request.what, request.id);
                ("requested", text, Remedy::approve_request(&request.id))
            }
            (None, Some(ask)) => {
                ("held", format!("held until you confirm it: {}", ask.why()), Remedy::run(std::slice::from_ref(id)))
            }
            (None, None) => return Ok(None),
        };
        let (kind, text, act) = found;
        Ok(Some((Hindrance { kind, id: None, status: None, text, through: Vec::new(), is_gate: false }, act)))
    }

    /// A step that nothing in the plan holds back.
    fn startable(&self, cover: Option<&Run>, acts: Vec<Remedy>) -> Result<(String, Vec<Hindrance>, Vec<Remedy>), Error> {
        let id = self.id();
        let plain =
            |kind, id: Option<String>, text| Hindrance { kind, id, status: None, text, through: Vec::new(), is_gate: false };
        let Some(run) = cover else {
            let blocker = plain("no_run", None, "no run that is going on covers it".to_owned());
            return Ok((format!("`{id}` can start, and nobody has asked for it"), vec![blocker], acts));
        };
        let now = clock::now();
        let has_runner = is_held(&self.engine.paths().runner(&run.id));
        if let Some(why) = budget::exhausted(self.engine.paths(), self.view, &run.id) {
            let blocker = plain("cost_limit", Some(run.id.clone()), format!("has reached its {why}"));
            let summary = format!("`{id}` can start, and its run has cost what it may; raise the limit in .threados/policy.yaml");
            return Ok((summary, vec![blocker], vec![Remedy::attach(&run.id)]));
        }
        if !has_runner || run.state == RunState::Waiting {
            let blocker = plain("no_runner", Some(run.id.clone()), "has no process that advances it".to_owned());
            let acts = vec![Remedy::attach(&run.id)];
            return Ok((format!("`{id}` can start, and its run stands still"), vec![blocker], acts));
        }
        if let Some(until) = self.view.waits_until(id).filter(|until| *until > now) {
            let text = format!("its provider's usage limit is over at {}", clock::local(until, now));
            let summary = format!("`{id}` waits for the end of a usage limit, and goes on by itself");
            return Ok((summary, vec![plain("limit", None, text)], vec![Remedy::wait(id)]));
        }
        let (most, taken) = (self.view.policy()?.max_concurrent, self.view.slots_taken());
        if taken >= most {
            let has_slot = |lease: &LeaseView| lease.is_held && lease.record.claim.as_ref().is_some_and(|claim| claim.slots > 0);
            let running = self.view.leases.iter().filter(|(_, lease)| has_slot(lease)).map(|(id, _)| id.clone());
            let running: Vec<Id> = running.collect();
            let text = format!("{taken} of {most} slots are taken, by {}", list(&running));
            let first = running.first().map(Remedy::wait);
            let summary = format!("`{id}` starts as soon as a slot is free");
            return Ok((summary, vec![plain("no_slot", None, text)], first.into_iter().collect()));
        }
        Ok((format!("`{id}` is about to start"), Vec::new(), Vec::new()))
    }

    fn gate(&self) -> WhyReport {
        let id = self.id();
        let status = match self.ready.state(self.at) {
            State::Gate(status) => status,
            _ => GateStatus::Pending,
        };
        let found = self.find();
        let mut acts = self.remedies(&found.acts, false);
        let is_reached = self.ready.is_unhindered(self.at);
        let summary = match (status, is_reached) {
            (GateStatus::Approved, true) => format!("gate `{id}` is approved and lets through"),
            (GateStatus::Approved, false) => format!("gate `{id}` is approved ahead, and waits for what comes before it"),
            (GateStatus::Pending, true) => format!("gate `{id}` waits for you"),
            (GateStatus::Pending, false) => format!("gate `{id}` cannot be decided yet"),
            (GateStatus::Blocked, _) => format!("gate `{id}` was blocked"),
        };
        if status == GateStatus::Blocked {
            acts.push(Remedy::reopen(id));
        }
        if status != GateStatus::Approved {
            acts.push(Remedy::approve(id));
        }
        WhyReport { blockers: self.hindrances(&found), acts, ..self.report(summary) }
    }

    fn find(&self) -> Unblock {
        let is_covered = |at: usize| self.cover(at).is_some();
        Unblock::find(&self.view.sequence, &self.view.graph, self.ready, &is_covered, self.at)
    }

    fn hindrances(&self, found: &Unblock) -> Vec<Hindrance> {
        found.roots.iter().map(|root| self.hindrance(root)).collect()
    }

    fn hindrance(&self, root: &Root) -> Hindrance {
        let (kind, text) = match root.why {
            Why::Running => ("running", self.running(root.at)),
            Why::NotStarted => match self.cover(root.at) {
                Some(run) => {
                    self.delay(root.at, run).unwrap_or_else(|| ("not_started", format!("is about to start in run {}", run.id)))
                }
                None => ("not_started", "has not been started".to_owned()),
            },
            Why::Failed => ("failed", self.failure(root.at)),
            Why::Review => ("review", "ended and waits for your review".to_owned()),
            Why::GatePending => ("gate_pending", "gate that waits for you".to_owned()),
            Why::GateBlocked => ("gate_blocked", "gate that somebody blocked".to_owned()),
            Why::Group => ("group_failed", format!("{} and keeps its group back", self.failure(root.at))),
        };
        let (status, is_gate) = self.status(root.at);
        let through = root.through.iter().map(|&at| self.view.id_of(at).clone()).collect();
        Hindrance { kind, id: Some(self.view.id_of(root.at).to_string()), status: Some(status), text, through, is_gate }
    }

    /// What keeps a step that can start, and that this run starts, from doing so: a usage limit, or the run's cost.
    fn delay(&self, at: usize, run: &Run) -> Option<(&'static str, String)> {
        let now = clock::now();
        if let Some(why) = budget::exhausted(self.engine.paths(), self.view, &run.id) {
            return Some(("cost_limit", format!("cannot start: run {} has reached its {why}", run.id)));
        }
        let until = self.view.waits_until(self.view.id_of(at)).filter(|until| *until > now)?;
        Some(("limit", format!("waits for its provider's usage limit, which is over at {}", clock::local(until, now))))
    }

    /// How a step failed; a status that came with the file has no record of it.
    fn failure(&self, at: usize) -> String {
        match failure(self.view, self.ready, at) {
            Some((_, words)) if words != "failed before" => format!("failed ({words})"),
            _ => "failed before".to_owned(),
        }
    }

    fn running(&self, at: usize) -> String {
        let row = step_row(self.engine.paths(), self.view, self.ready, at);
        let time = row.and_then(|row| row.duration_ms);
        time.map_or_else(|| "runs".to_owned(), |ms| format!("has been running for {}", Span::from_ms(ms).short()))
    }

    /// Acts as commands. Steps that are run one after the other are one command, with the one that
    /// was asked about as the last of them.
    fn remedies(&self, acts: &[Unblocking], is_started: bool) -> Vec<Remedy> {
        let mut remedies = Vec::new();
        let mut together: Vec<Id> = Vec::new();
        for act in acts {
            let id = self.view.id_of(act.at());
            if matches!(act, Unblocking::Run(_)) {
                together.push(id.clone());
                continue;
            }
            if !together.is_empty() {
                remedies.push(Remedy::run(&std::mem::take(&mut together)));
            }
            remedies.push(match act {
                Unblocking::Wait(_) => Remedy::wait(id),
                Unblocking::Accept(_) => Remedy::accept(id),
                Unblocking::Reopen(_) => Remedy::reopen(id),
                Unblocking::Restart(_) => Remedy::restart(id),
                Unblocking::Run(_) | Unblocking::Approve(_) => Remedy::approve(id),
            });
        }
        if is_started {
            together.push(self.id().clone());
        }
        if !together.is_empty() {
            remedies.push(Remedy::run(&together));
        }
        remedies
    }
}
