//! What needs a person, in the order in which it holds up the most.
//!
//! Each kind of need is found by a function of its own in [`Engine::needs`]; a new kind is one more.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    budget::COST_LIMIT,
    call::Engine,
    extend::{TimeLeft, nearly_over, time_words},
    held::Ask,
    output::Output,
    pending::Pending,
    start::failure,
    trust,
    view::View,
    why::Remedy,
};
use crate::{
    error::Error,
    model::{FailPolicy, GateStatus, Id, Node, Readiness, Reason, State, StepStatus},
    runner::Leftover,
    store::{Paths, Record, Request, Run, RunState, is_held},
};

/// What kind of need it is. Of those that hold up the same, the first of these comes first.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NeedKind {
    /// A gate that can be decided.
    Gate,
    /// A step that ended and wants a person's eye.
    Review,
    /// What a step asks a person for.
    Request,
    /// A step that does not start before somebody has confirmed it.
    Held,
    /// A step that failed.
    Failed,
    /// A step that was claimed on another machine.
    Elsewhere,
    /// A run that no process advances.
    Runner,
    /// A run that has cost what it may cost.
    Cost,
    /// A running step whose time is nearly over.
    Time,
    /// A watchdog that cannot look.
    Watchdog,
    /// Something that came with the project and that nobody has trusted.
    Trust,
}

/// Something that needs a person.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Need {
    /// What kind of need it is.
    pub kind: NeedKind,
    /// The step, gate or run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Why it needs a person, in a sentence.
    pub reason: String,
    /// How many steps and gates wait until it is settled.
    pub holds_up: usize,
    /// Since when; RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What would settle it.
    #[serde(flatten)]
    pub remedy: Remedy,
    /// What to look at before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look: Option<String>,
}

impl Need {
    /// What it needs, with the command for it.
    pub fn words(&self) -> String {
        let Self { reason, remedy, look, .. } = self;
        match (self.kind, look) {
            (NeedKind::Review, Some(look)) => format!("{reason}: {look}, then {} (or reject)", remedy.command),
            (NeedKind::Failed | NeedKind::Watchdog, Some(look)) => format!("{reason}: {look}"),
            (NeedKind::Elsewhere, _) => format!("{reason}: {}, if nothing runs there any more", remedy.command),
            _ => format!("{reason}: {}", remedy.command),
        }
    }

    /// Whether it is the same need as another one, however many wait for it meanwhile.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.kind, &self.id, &self.since) == (other.kind, &other.id, &other.since)
    }
}

impl Engine {
    pub(super) fn attention(&self, view: &View, ready: &Readiness) -> Result<Output, Error> {
        Ok(Output::Attention { needs: self.needs(view, ready, &self.pending(view, ready)?) })
    }

    /// What needs a person, what holds up the most first.
    pub(super) fn needs(&self, view: &View, ready: &Readiness, pending: &Pending) -> Vec<Need> {
        // Whoever was stopped for another's failure comes after that one.
        let (stopped, others): (Vec<usize>, Vec<usize>) = (0..view.graph.len()).partition(|&at| {
            let outcome = record(view, view.id_of(at)).and_then(Record::outcome);
            outcome.is_some_and(|outcome| outcome.reason == Some(Reason::FailFast))
        });
        let mut needs: Vec<Need> = others.into_iter().chain(stopped).filter_map(|at| need(view, ready, at)).collect();
        needs.extend(pending.requests.iter().map(|request| asked(view, ready, request)));
        needs.extend(pending.unasked().map(|ask| unconfirmed(view, ready, ask)));
        needs.extend(elsewhere(view, ready));
        needs.extend(short_of_time(self.paths(), view, ready));
        needs.extend(blind_watchdogs(self.paths(), view, ready));
        for run in &pending.runs {
            let is_abandoned = run.state == RunState::Active && !is_held(&self.paths().runner(&run.id));
            needs.extend(is_abandoned.then(|| abandoned(view, ready, run)));
            let limit = run.waits_for.iter().find(|what| what.starts_with(COST_LIMIT));
            needs.extend(limit.map(|what| Need {
                kind: NeedKind::Cost,
                reason: format!("run `{}` has reached its {what}: raise it in .threados/policy.yaml", run.id),
                ..abandoned(view, ready, run)
            }));
        }
        needs.extend(view.ignored.iter().map(|what| Need {
            kind: NeedKind::Trust,
            id: None,
            reason: format!("nobody has trusted {what} yet"),
            holds_up: if *what == trust::AGENTS { idle_agents(view, ready) } else { 0 },
            since: None,
            remedy: Remedy::trust(),
            look: None,
        }));
        // The order of the plan counts last.
        needs.sort_by_key(|need| (std::cmp::Reverse(need.holds_up), need.kind));
        needs
    }
}

impl Engine {
    /// Whether something needs a person for one of `nodes`: because of it, or because it is held up by it. Who waits gives a
    /// run that has no runner a new one, so that counts for nothing here.
    pub(super) fn wants_person(&self, view: &View, ready: &Readiness, nodes: &[usize]) -> Result<bool, Error> {
        let pending = self.pending(view, ready)?;
        let among = |at: usize| nodes.contains(&at) || held_up(view, ready, at).iter().any(|held| nodes.contains(held));
        let is_among = |id: &str| view.graph.find(id).is_some_and(among);
        Ok(self.needs(view, ready, &pending).iter().any(|need| {
            let Some(id) = &need.id else { return false };
            match need.kind {
                NeedKind::Request => {
                    let asked = pending.requests.iter().find(|request| request.id == *id);
                    asked.is_some_and(|request| request.shown.iter().any(|shown| is_among(shown.step.as_str())))
                }
                NeedKind::Cost => {
                    let run = pending.runs.iter().find(|run| run.id == *id);
                    let waits = |at: usize| ready.state(at) == State::Idle && !ready.is_doomed(at);
                    run.is_some_and(|run| nodes.iter().any(|&at| waits(at) && view.covers(run, view.id_of(at))))
                }
                NeedKind::Runner | NeedKind::Trust => false,
                _ => is_among(id),
            }
        }))
    }
}

/// What a step or gate needs of a person.
fn need(view: &View, ready: &Readiness, at: usize) -> Option<Need> {
    let id = view.id_of(at);
    let look = Some(format!("seqctl logs {id}"));
    let (kind, reason, remedy, look) = match ready.state(at) {
        State::Gate(GateStatus::Pending) if ready.is_unhindered(at) => {
            (NeedKind::Gate, format!("gate `{id}` waits for you"), Remedy::approve(id), None)
        }
        State::Ended(StepStatus::NeedsReview) => {
            let note = record(view, id).and_then(Record::outcome).and_then(|outcome| outcome.note);
            let why = note.map_or(String::new(), |note| format!(" ({note})"));
            (NeedKind::Review, format!("`{id}` wants a review{why}"), Remedy::accept(id), look)
        }
        // The failure of one of several is none, where one that went well is enough.
        State::Ended(StepStatus::Failed) if !ready.is_satisfied(at) => {
            let (_, words) = failure(view, ready, at)?;
            let why = if words == "failed before" { String::new() } else { format!(" ({words})") };
            (NeedKind::Failed, format!("`{id}` failed{why}"), Remedy::restart(id), look)
        }
        _ => return None,
    };
    let since = match view.graph.node(at) {
        Node::Step(_) => moment(record(view, id)),
        Node::Gate(_) => reached_at(view, at),
    };
    Some(Need { kind, id: Some(id.to_string()), reason, holds_up: held_up(view, ready, at).len(), since, remedy, look })
}

fn record<'a>(view: &'a View, id: &Id) -> Option<&'a Record> {
    view.leases.get(id).map(|lease| &lease.record).or_else(|| view.records.get(id))
}

/// When a step ended, or was decided on.
fn moment(record: Option<&Record>) -> Option<String> {
    let record = record?;
    let decided = record.decision.as_ref().map(|decided| decided.at.clone());
    decided.or_else(|| record.exit.as_ref().map(|exit| exit.at.to_string()))
}

/// When the last of what a gate waits for was there, or the gate was opened again.
pub(super) fn reached_at(view: &View, gate: usize) -> Option<String> {
    let before = view.graph.needs(gate).into_iter().chain([gate]);
    before.filter_map(|at| moment(record(view, view.id_of(at)))).max()
}

/// What cannot go on before a node is satisfied, as far as it has not ended.
fn held_up(view: &View, ready: &Readiness, at: usize) -> BTreeSet<usize> {
    let mut roots = vec![at];
    if let (Node::Step(step), State::Ended(StepStatus::Failed)) = (view.graph.node(at), ready.state(at)) {
        roots.extend(siblings(view, step).filter(|&other| ready.failed_siblings(other).any(|failed| failed == at)));
    }
    let waits = |node: &usize| match ready.state(*node) {
        State::Idle => true,
        State::Gate(_) => !ready.is_satisfied(*node),
        State::Running | State::Ended(_) => false,
    };
    let after = roots.iter().flat_map(|&root| view.graph.downstream(root));
    roots.iter().copied().filter(|&root| root != at).chain(after).filter(waits).collect()
}

/// The other members of a step's group.
fn siblings(view: &View, step: usize) -> impl Iterator<Item = usize> {
    let steps = &view.sequence.steps;
    let group = steps[step].group_id.as_ref().filter(|_| steps[step].fail_policy != Some(FailPolicy::BestEffort));
    let members = steps.iter().enumerate().filter(move |(_, other)| group.is_some() && other.group_id.as_ref() == group);
    members.filter_map(|(_, other)| view.graph.find(other.id.as_str()))
}

/// What a step asks a person for.
fn asked(view: &View, ready: &Readiness, request: &Request) -> Need {
    let shown = request.shown.iter().filter_map(|shown| view.graph.find(shown.step.as_str()));
    let waits: BTreeSet<usize> = shown.flat_map(|at| held_up(view, ready, at).into_iter().chain([at])).collect();
    Need {
        kind: NeedKind::Request,
        id: Some(request.id.clone()),
        reason: format!("`{}` asks for {}", request.step, request.what),
        holds_up: waits.len(),
        since: Some(request.at.clone()),
        remedy: Remedy::approve_request(&request.id),
        look: None,
    }
}

/// A step that nobody has confirmed as it stands.
fn unconfirmed(view: &View, ready: &Readiness, ask: &Ask) -> Need {
    Need {
        kind: NeedKind::Held,
        id: Some(ask.step.to_string()),
        reason: format!("`{}` is held, {}", ask.step, ask.why()),
        holds_up: view.graph.find(ask.step.as_str()).map_or(0, |at| held_up(view, ready, at).len()),
        since: None,
        remedy: Remedy::run(std::slice::from_ref(&ask.step)),
        look: None,
    }
}

fn elsewhere(view: &View, ready: &Readiness) -> impl Iterator<Item = Need> {
    let claimed = view.leases.iter().filter(|(_, lease)| !lease.is_held && lease.leftover == Leftover::Elsewhere);
    claimed.map(|(id, lease)| Need {
        kind: NeedKind::Elsewhere,
        id: Some(id.to_string()),
        reason: format!("`{id}` was claimed on another machine"),
        holds_up: view.graph.find(id.as_str()).map_or(0, |at| held_up(view, ready, at).len()),
        since: lease.record.claim.as_ref().map(|claim| claim.at.to_string()),
        remedy: Remedy::declare_dead(id),
        look: None,
    })
}

/// Running steps whose time is nearly over.
fn short_of_time(paths: &Paths, view: &View, ready: &Readiness) -> impl Iterator<Item = Need> {
    let running = view.leases.iter().filter(|(_, lease)| lease.is_held);
    running.filter_map(move |(id, lease)| {
        let time = TimeLeft::of(paths, id, &lease.record)?;
        nearly_over(time.limit_ms, time.left_ms)?;
        Some(Need {
            kind: NeedKind::Time,
            id: Some(id.to_string()),
            reason: time_words(id, time.limit_ms, time.left_ms),
            holds_up: view.graph.find(id.as_str()).map_or(0, |at| held_up(view, ready, at).len()),
            since: None,
            remedy: Remedy::extend(id),
            look: None,
        })
    })
}

/// Watchdogs whose last look failed.
fn blind_watchdogs(paths: &Paths, view: &View, ready: &Readiness) -> impl Iterator<Item = Need> {
    let watchdogs = view.sequence.steps.iter().filter_map(|step| Some((&step.id, step.watchdog_for.as_ref()?)));
    watchdogs.filter_map(move |(id, watched)| {
        let lease = view.leases.get(id).filter(|lease| lease.is_held)?;
        let why = super::watchdog::trouble(paths, id, &lease.record)?;
        Some(Need {
            kind: NeedKind::Watchdog,
            id: Some(id.to_string()),
            reason: format!("watchdog `{id}` could not look at `{watched}` ({why})"),
            holds_up: view.graph.find(watched.as_str()).map_or(0, |at| held_up(view, ready, at).len()),
            since: None,
            remedy: Remedy::restart(id),
            look: Some(format!("seqctl logs {id}")),
        })
    })
}

/// A run that is to go on and has nobody who would advance it.
fn abandoned(view: &View, ready: &Readiness, run: &Run) -> Need {
    let waits = |at: &usize| ready.state(*at) == State::Idle && run.covers(view.id_of(*at));
    Need {
        kind: NeedKind::Runner,
        id: Some(run.id.clone()),
        reason: format!("run `{}` has no runner", run.id),
        holds_up: (0..view.sequence.steps.len()).filter(waits).count(),
        since: None,
        remedy: Remedy::attach(&run.id),
        look: None,
    }
}

/// How many steps wait for agents that config.yaml names.
fn idle_agents(view: &View, ready: &Readiness) -> usize {
    let wants = |step: &crate::model::Step| {
        let resolved = crate::model::Resolved::new(&view.sequence, step);
        view.config.agents.contains_key(resolved.agent())
    };
    (0..view.sequence.steps.len()).filter(|&at| ready.state(at) == State::Idle && wants(&view.sequence.steps[at])).count()
}
