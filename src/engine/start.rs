//! Starting a run: what it would cover, whether that may be, its record, and its runner.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    call::Engine,
    caller::{Caller, Consent},
    confirm,
    held::{self, Ask},
    transact::{Draft, entry},
    view::View,
};
use crate::{
    action::Action,
    clock,
    error::{Error, list},
    model::{Blocker, FailPolicy, Groups, Id, Readiness, State, StepStatus},
    store::{Paths, Record, Run, RunKind, RunState, file, open_runs},
};

/// What a run would do.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What it would start at once.
    pub starts: Vec<Id>,
    /// What would follow, as far as nothing fails and every gate is approved.
    pub follows: Vec<Id>,
    /// What exactly would be executed, a line each.
    pub commands: Vec<String>,
    /// What of it nobody has confirmed yet, where that has to be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<Ask>,
    /// Whether some of it adds steps while it runs.
    #[serde(skip)]
    pub orchestrates: bool,
    #[serde(skip)]
    pub(super) kind: Option<RunKind>,
    /// What it covers and has failed before, with its outcome in words.
    #[serde(skip)]
    pub(super) failed: Vec<(Id, String)>,
}

impl Plan {
    /// Every step it may run.
    pub fn steps(&self) -> Vec<Id> {
        self.starts.iter().chain(&self.follows).cloned().collect()
    }

    /// A number that stands for what a person is asked about.
    pub fn digest(&self) -> u64 {
        held::digest(&self.asks)
    }
}

/// What a run action would do now.
pub(super) fn plan(view: &View, action: &Action) -> Result<Plan, Error> {
    let ready = view.readiness();
    let step_nodes = || 0..view.sequence.steps.len();
    let startable = |at: &usize| ready.is_startable(*at);
    let (kind, covered): (RunKind, Vec<usize>) = match action {
        Action::RunAll(_) => (RunKind::All, step_nodes().collect()),
        Action::RunRunnable(_) => {
            let nodes: Vec<usize> = step_nodes().filter(startable).collect();
            (RunKind::Runnable(ids(view, &nodes)), nodes)
        }
        Action::RunGroup(args) => {
            let members: Vec<usize> =
                view.sequence.group(args.id.as_str()).filter_map(|step| view.graph.find(step.id.as_str())).collect();
            if members.is_empty() {
                let groups = view.sequence.steps.iter().filter_map(|step| step.group_id.as_ref()).map(Id::as_str);
                let nearest = crate::model::nearest(args.id.as_str(), groups);
                return Err(Error::GroupNotFound { group: args.id.to_string(), nearest });
            }
            (RunKind::Group(ids(view, &members)), members)
        }
        Action::RunFusion(args) => {
            let nodes = fusion(view, &ready, &args.synth)?;
            (RunKind::Fusion(ids(view, &nodes)), nodes)
        }
        Action::RunStep(args) => {
            let nodes = named(view, &ready, &args.ids)?;
            (RunKind::Steps(args.ids.clone()), nodes)
        }
        _ => return Err(Error::internal(format!("`{}` runs nothing", action.name()))),
    };
    let can_run = |at: &usize| ready.state(*at) == State::Idle && !ready.is_doomed(*at);
    let starts: Vec<usize> = covered.iter().copied().filter(startable).collect();
    let follows: Vec<usize> = covered.iter().copied().filter(|at| !ready.is_startable(*at)).filter(can_run).collect();
    let mut follows = ids(view, &follows);
    let beside: Vec<Id> = ids(view, &starts).into_iter().chain(follows.iter().cloned()).collect();
    follows.extend(view.watchdogs_of(&beside).map(|step| step.id.clone()));
    let mut commands = Vec::new();
    for id in ids(view, &starts).iter().chain(&follows) {
        let Some(step) = view.step(id) else { continue };
        commands.push(format!("{}: {}", step.id, super::agent::words(view, step)?));
    }
    let failed = covered.iter().filter_map(|&at| failure(view, &ready, at)).collect();
    let starts = ids(view, &starts);
    let steps = [starts.as_slice(), follows.as_slice()].concat();
    let (asks, orchestrates) = (view.asks(&steps), view.orchestrates(&steps));
    Ok(Plan { failed, starts, follows, commands, asks, orchestrates, kind: Some(kind) })
}

/// A failed step and its outcome in words; nothing for another node.
pub(super) fn failure(view: &View, ready: &Readiness, at: usize) -> Option<(Id, String)> {
    if ready.state(at) != State::Ended(StepStatus::Failed) {
        return None;
    }
    let id = view.id_of(at);
    let record = view.leases.get(id).map(|lease| &lease.record).or_else(|| view.records.get(id));
    let words = record.and_then(Record::outcome).map_or_else(|| "failed before".to_owned(), |outcome| outcome.explained());
    Some((id.clone(), words))
}

/// An idle step that waits for a blocked gate, and that gate.
pub(super) fn stuck(view: &View, ready: &Readiness, at: usize) -> Option<(Id, Id)> {
    if ready.state(at) != State::Idle {
        return None;
    }
    let (mut queue, mut seen) = (vec![at], std::collections::HashSet::new());
    while let Some(here) = queue.pop() {
        for blocker in ready.blockers(here) {
            match blocker {
                Blocker::GateBlocked(gate) => return Some((view.id_of(at).clone(), view.id_of(gate).clone())),
                Blocker::Step(next) | Blocker::Gate(next) | Blocker::Watched(next) if seen.insert(next) => queue.push(next),
                _ => {}
            }
        }
    }
    None
}

/// Why a run could not start anything, now or later, unless everything is done.
fn nothing_to_run(view: &View, plan: Plan) -> Result<Option<Begun>, Error> {
    if !plan.failed.is_empty() {
        return Err(Error::StepFailed { failed: plan.failed });
    }
    let ready = view.readiness();
    match (0..view.sequence.steps.len()).find_map(|at| stuck(view, &ready, at)) {
        Some((step, gate)) => Err(blocked_by_gate(step, &gate)),
        None => Ok(None),
    }
}

/// A step cannot start because of a blocked gate.
pub fn blocked_by_gate(step: Id, gate: &Id) -> Error {
    Error::StepBlocked { step, why: format!("gate `{gate}` is BLOCKED; `seqctl gate reopen {gate}` makes it PENDING again") }
}

fn ids(view: &View, nodes: &[usize]) -> Vec<Id> {
    nodes.iter().map(|&at| view.id_of(at).clone()).collect()
}

/// The nodes of named steps, each of which can start or waits only for others of them.
fn named(view: &View, ready: &Readiness, ids: &[Id]) -> Result<Vec<usize>, Error> {
    let mut nodes = Vec::new();
    for id in ids {
        view.sequence.expect_step(id.as_str())?;
        nodes.push(view.graph.find(id.as_str()).unwrap_or_default());
    }
    for &at in &nodes {
        let id = view.id_of(at);
        if ready.watched(at).is_some_and(|watched| !nodes.contains(&watched)) {
            super::restart::refuse_idle_watchdog(view, id)?;
        }
        match ready.state(at) {
            State::Ended(StepStatus::Done) if ids.len() == 1 => {
                return Err(Error::StepEnded { step: id.clone(), status: StepStatus::Done.as_str() });
            }
            State::Ended(status) if status != StepStatus::Done => {
                return Err(Error::StepEnded { step: id.clone(), status: status.as_str() });
            }
            _ => {}
        }
    }
    expect_startable(view, ready, &nodes, |_| false)?;
    Ok(nodes)
}

/// Checks that each of `nodes` can start, or waits only for others of them and for what does not count.
fn expect_startable(view: &View, ready: &Readiness, nodes: &[usize], counts_not: impl Fn(usize) -> bool) -> Result<(), Error> {
    for &at in nodes.iter().filter(|at| ready.state(**at) == State::Idle) {
        let blockers = ready.blockers(at).into_iter().map(Blocker::node);
        let waits = blockers.filter(|blocker| !nodes.contains(blocker) && !counts_not(*blocker));
        let waits: Vec<Id> = waits.map(|blocker| view.id_of(blocker).clone()).collect();
        if !waits.is_empty() {
            return Err(Error::StepBlocked { step: view.id_of(at).clone(), why: format!("it waits for {}", list(&waits)) });
        }
    }
    Ok(())
}

/// The nodes of a synthesiser and of its candidates that have not ended, each of which can start or waits only for
/// others of them.
fn fusion(view: &View, ready: &Readiness, synth: &Id) -> Result<Vec<usize>, Error> {
    let step = view.sequence.expect_step(synth.as_str())?;
    let node = |id: &Id| view.graph.find(id.as_str()).unwrap_or_default();
    let candidates: Vec<usize> = view.sequence.candidates_of(step).map(|step| node(&step.id)).collect();
    if !step.is_synthesis() || candidates.is_empty() {
        return Err(Error::NoFusion { step: synth.clone() });
    }
    let is_open = |at: &usize| matches!(ready.state(*at), State::Idle | State::Running);
    if !is_open(&node(synth)) {
        return Err(Error::StepEnded { step: synth.clone(), status: ready.status(node(synth)).as_str() });
    }
    if !candidates.iter().any(|at| is_open(at) || ready.is_satisfied(*at)) {
        let failed: Vec<_> = candidates.iter().filter_map(|&at| failure(view, ready, at)).collect();
        if failed.len() == candidates.len() {
            return Err(Error::StepFailed { failed });
        }
    }
    // One that failed is made up for by another that does not.
    let groups = Groups::of(&view.sequence);
    let is_lenient = |at: usize| groups.policy(at) == FailPolicy::BestEffort && failure(view, ready, at).is_some();
    let nodes: Vec<usize> = candidates.iter().copied().filter(is_open).chain([node(synth)]).collect();
    expect_startable(view, ready, &nodes, |at| candidates.contains(&at) && is_lenient(at))?;
    Ok(nodes)
}

/// A run that is there after asking for it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Begun {
    pub(super) run: Run,
    /// Whether it was there before.
    pub(super) is_attached: bool,
}

/// What belongs to the terminal or shell of whoever starts a run, and which no step is meant to miss.
const OF_A_TERMINAL: &[&str] = &[
    "_",
    "COLUMNS",
    "LINES",
    "OLDPWD",
    "PWD",
    "SHLVL",
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SSH_TTY",
    "STY",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TMUX",
    "TMUX_PANE",
    "WINDOW",
    "WINDOWID",
    "XDG_SESSION_ID",
];

/// A fresh run, its folder made.
pub(super) fn new_run(paths: &Paths, caller: &Caller, kind: RunKind, fail_fast: bool) -> Result<Run, Error> {
    for _ in 0..100 {
        let id = clock::run_id();
        let folder = paths.run(&id);
        match std::fs::create_dir(&folder) {
            Ok(()) => {
                use std::os::unix::fs::PermissionsExt as _;
                let private = std::fs::Permissions::from_mode(0o700);
                std::fs::set_permissions(&folder, private).map_err(Error::io("set the mode of", &folder))?;
                return Ok(Run {
                    v: 1,
                    id,
                    home: paths.inode(),
                    what: kind,
                    by: caller.name(),
                    state: RunState::Active,
                    fail_fast,
                    stopped: false,
                    additions: false,
                    asked: Vec::new(),
                    started_at: clock::stamp(),
                    ended_at: None,
                    waits_for: Vec::new(),
                    metrics: None,
                    env: std::env::vars_os()
                        .filter_map(|(name, _)| name.into_string().ok())
                        .filter(|name| !name.starts_with("THREADOS_") && !OF_A_TERMINAL.contains(&name.as_str()))
                        .collect(),
                });
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("make the folder", folder)(error)),
        }
    }
    Err(Error::internal("no free run id was found"))
}

/// The files and the runner file of a new run, for a transaction.
pub(super) fn opening(draft: &mut Draft, run: &Run) -> Result<(), Error> {
    draft.files.push((PathBuf::from("runs").join(&run.id).join("run.json"), file::pretty(run)?));
    draft.opens.push(run.id.clone());
    Ok(())
}

impl Engine {
    /// What a run action would do, without doing it.
    pub fn plan_run(&self, action: &Action) -> Result<Plan, Error> {
        match action {
            Action::Restart(args) => super::restart::plan(&self.view()?, args),
            Action::Continue(_) | Action::ReviewReject(_) => self.plan_resume(action),
            Action::MprocsStart(_) | Action::MprocsRestart(_) => match super::mprocs::as_run(action) {
                Some(run) => self.plan_run(&run),
                None => Err(Error::internal("what mprocs starts is run")),
            },
            _ => plan(&self.view()?, action),
        }
    }

    /// Starts the run that `action` asks for, or finds the one that is there already, and makes
    /// sure that it has a runner.
    pub(super) fn begin(
        &self,
        caller: &Caller,
        action: &Action,
        fail_fast: bool,
        consent: Consent,
    ) -> Result<Option<Begun>, Error> {
        super::settle::repair_all(self.paths())?;
        let mut writer = self.writer();
        let begun = {
            let mut held = writer.lock()?;
            held.refresh_leases()?;
            held.settle(&Caller::system())?;
            let plan = held.audited(caller, action, |held| {
                let plan = plan(held.view(), action)?;
                if !plan.steps().is_empty() {
                    confirm::check_run(held.view(), caller, action, &plan, consent)?;
                }
                Ok(plan)
            })?;
            let Some(kind) = plan.kind.clone() else { return Err(Error::internal("a plan has a kind")) };
            match existing(held.paths(), held.view(), &kind)? {
                // Nothing can start, now or later: a run would end at once and explain nothing.
                None if plan.starts.is_empty() && plan.follows.is_empty() => {
                    return nothing_to_run(held.view(), plan);
                }
                Some(mut run) => {
                    held.confirm_for(caller, &mut run, &plan, consent)?;
                    Begun { run, is_attached: true }
                }
                None => {
                    let additions = consent.additions();
                    let run = Run { additions, ..new_run(held.paths(), caller, kind, fail_fast)? };
                    held.transact(|view, _| {
                        let payload = json!({"run": run.id, "what": run.what.as_str(), "starts": plan.starts.len(), "follows": plan.follows.len()});
                        let mut draft = Draft { entry: entry(caller, action.name(), Some(run.id.clone()), payload), ..Draft::default() };
                        held::remember(&mut draft, view, caller, &plan)?;
                        opening(&mut draft, &run)?;
                        Ok(draft)
                    })?;
                    Begun { run, is_attached: false }
                }
            }
        };
        self.keep(writer);
        self.launch(&begun.run.id)?;
        Ok(Some(begun))
    }
}

/// The open run that already does what is asked for: a second `run all` attaches to the first, and
/// `run step` of a running step to the run it runs in.
fn existing(paths: &Paths, view: &View, kind: &RunKind) -> Result<Option<Run>, Error> {
    let open = open_runs(paths)?;
    if *kind == RunKind::All {
        return Ok(open.into_iter().find(|run| run.what == RunKind::All && !run.stopped));
    }
    let RunKind::Steps(steps) = kind else { return Ok(None) };
    let run_of =
        |step: &Id| view.leases.get(step).filter(|lease| lease.is_held)?.record.claim.as_ref().map(|claim| claim.run.to_string());
    let runs: Vec<Option<String>> = steps.iter().map(run_of).collect();
    let first = runs.first().cloned().flatten();
    let is_one = first.is_some() && runs.iter().all(|run| *run == first);
    Ok(open.into_iter().find(|run| is_one && Some(&run.id) == first.as_ref()))
}
