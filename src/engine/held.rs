//! What a person has confirmed, and what is held back until somebody does: in SAFE a step runs as it was shown or not
//! at all.

use std::cell::LazyCell;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    caller::{Caller, Consent},
    start::Plan,
    transact::{Draft, entry},
    view::View,
    writer::Held,
};
use crate::{
    clock,
    error::Error,
    model::{Id, Readiness, Resolved, Sha, State, Step},
    store::{Confirmation, Confirmed, Paths, Run, RunState, open_runs, sha256},
};

/// A step that nobody has confirmed as it stands.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    /// The step.
    pub step: Id,
    /// What it would run.
    pub work: String,
    /// What it ran when it was confirmed last; absent where it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// The orchestrator that added it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added_by: Option<Id>,
    /// SHA-256 over what it would run.
    #[serde(skip)]
    pub(super) sha: Sha,
}

impl Ask {
    /// Why it is asked for, in words.
    pub fn why(&self) -> String {
        match (&self.was, &self.added_by) {
            (Some(was), _) if *was != self.work => format!("changed since it was confirmed as `{was}`"),
            (Some(_), _) => "changed since it was confirmed".into(),
            (None, Some(by)) => format!("added by `{by}`"),
            (None, None) => "not confirmed yet".into(),
        }
    }
}

/// A number that stands for exactly these steps, each as it would run.
pub(super) fn digest(asks: &[Ask]) -> u64 {
    let lines: String = asks.iter().map(|ask| format!("{} {}\n", ask.step, ask.sha)).collect();
    u64::from_str_radix(&sha256(lines.as_bytes())[..16], 16).unwrap_or(0)
}

impl View {
    /// SHA-256 over what a step would run, and how often: what a confirmation is given for.
    fn exechash(&self, step: &Step, definition: Sha) -> Sha {
        #[derive(Serialize)]
        struct Execution<'a> {
            definition: Sha,
            agent: Option<&'a [String]>,
            workers: Option<u32>,
            retries: u32,
            max_cost_usd: Option<f64>,
            orchestrator: bool,
        }
        let resolved = Resolved::new(&self.sequence, step);
        let agent = if resolved.is_shell() { None } else { self.agents.find(resolved.agent()) };
        let execution = Execution {
            definition,
            agent: agent.map(|agent| agent.command.as_slice()),
            workers: step.fanout,
            retries: resolved.retries(),
            max_cost_usd: resolved.max_cost_usd(),
            orchestrator: step.is_orchestrator(),
        };
        Sha::of(&serde_json::to_vec(&execution).unwrap_or_default())
    }

    /// The same, as far as it is known before its claim.
    pub(super) fn exechash_now(&self, step: &Step) -> Sha {
        self.exechash(step, self.defhash(&Paths::at(&self.real_root), step))
    }

    /// Whether a step must not start in this run before somebody has confirmed it.
    pub(super) fn is_held(&self, run: &Run, step: &Step) -> bool {
        self.is_held_if(run, step, || self.exechash_now(step))
    }

    /// The same for a step whose definition has this hash.
    pub(super) fn is_held_with(&self, run: &Run, step: &Step, definition: Sha) -> bool {
        self.is_held_if(run, step, || self.exechash(step, definition))
    }

    fn is_held_if(&self, run: &Run, step: &Step, sha: impl FnOnce() -> Sha) -> bool {
        let is_free = || run.additions && self.confirmed().added.contains_key(&step.id);
        self.is_safe() && !is_free() && !self.confirmed().covers(&step.id, sha())
    }

    /// Those of the steps that nobody has confirmed as they stand; none where nothing has to be.
    pub(super) fn asks(&self, steps: &[Id]) -> Vec<Ask> {
        if !self.is_safe() {
            return Vec::new();
        }
        let before = LazyCell::new(|| self.confirmations());
        let known = steps.iter().filter_map(|id| self.step(id));
        let ask = |step: &Step| {
            let sha = self.exechash_now(step);
            let is_known = self.confirmed().covers(&step.id, sha);
            (!is_known).then(|| Ask {
                step: step.id.clone(),
                work: super::agent::words(self, step).unwrap_or_default(),
                was: before.steps.get(&step.id).map(|known| known.work.clone()),
                added_by: before.added.get(&step.id).cloned(),
                sha,
            })
        };
        known.filter_map(ask).collect()
    }

    /// What open runs hold back: idle steps that they cover and that would start if somebody confirmed them.
    pub(super) fn held_back(&self, ready: &Readiness, runs: &[Run]) -> Vec<Ask> {
        if runs.iter().all(|run| run.stopped) || !self.is_safe() {
            return Vec::new();
        }
        let is_held = |step: &Step| {
            let covering = || runs.iter().filter(|run| !run.stopped && run.covers(&step.id));
            covering().next().is_some() && covering().all(|run| self.is_held(run, step))
        };
        let idle = (0..self.sequence.steps.len()).filter(|&at| ready.state(at) == State::Idle);
        // Few are held, and to find out whether something is doomed takes long.
        let held = idle.filter(|&at| is_held(&self.sequence.steps[at]) && !ready.is_doomed(at));
        self.asks(&held.map(|at| self.sequence.steps[at].id.clone()).collect::<Vec<_>>())
    }

    /// What is remembered once these are confirmed.
    pub(super) fn confirmed_with(&self, by: &Caller, asks: &[Ask]) -> Confirmed {
        const LONGEST: usize = 200;
        let mut known = self.confirmations();
        known.retain(|step| self.step(step).is_some());
        for ask in asks {
            let work = ask.work.chars().take(LONGEST).collect();
            let confirmation = Confirmation { sha: ask.sha, work, by: by.name(), at: clock::stamp() };
            known.steps.insert(ask.step.clone(), confirmation);
        }
        known
    }
}

/// Makes a draft remember that a plan was confirmed.
pub(super) fn remember(draft: &mut Draft, view: &View, by: &Caller, plan: &Plan) -> Result<(), Error> {
    if !plan.asks.is_empty() {
        draft.files.push(view.confirmed_with(by, &plan.asks).to_file()?);
    }
    Ok(())
}

impl Held<'_> {
    /// What is confirmed for a run that is open already.
    pub(super) fn confirm_for(&mut self, caller: &Caller, run: &mut Run, plan: &Plan, consent: Consent) -> Result<(), Error> {
        let adds = consent.additions() && !run.additions;
        if plan.asks.is_empty() && !adds {
            return Ok(());
        }
        run.additions |= adds;
        // It waits no more, and whoever watches it must not believe that it does.
        run.state = RunState::Active;
        run.waits_for.clear();
        let run = &*run;
        self.transact(|view, _| {
            let steps: Vec<&Id> = plan.asks.iter().map(|ask| &ask.step).collect();
            let payload = json!({"run": run.id, "steps": steps, "additions": run.additions});
            let mut draft = Draft { entry: entry(caller, "confirm", Some(run.id.clone()), payload), ..Draft::default() };
            remember(&mut draft, view, caller, plan)?;
            super::start::opening(&mut draft, run)?;
            Ok(draft)
        })?;
        self.reload()
    }

    /// Those of the steps of open runs that nobody has confirmed.
    pub(super) fn unconfirmed(&self) -> Result<Vec<Ask>, Error> {
        if !self.view().is_safe() {
            return Ok(Vec::new());
        }
        let runs = open_runs(self.paths())?;
        let is_covered = |id: &&Id| runs.iter().any(|run| !run.stopped && run.covers(id));
        let steps = self.view().sequence.steps.iter().map(|step| &step.id).filter(is_covered).cloned();
        Ok(self.view().asks(&steps.collect::<Vec<_>>()))
    }

    /// What a person adds to or changes in a plan that is being run has been asked for by that very act: it is not held.
    /// `before` is what nobody had confirmed before their change, which is not theirs.
    pub(super) fn confirm_own(&mut self, caller: &Caller, before: &[Ask]) -> Result<(), Error> {
        if !caller.is_person() {
            return Ok(());
        }
        let mut asks = self.unconfirmed()?;
        asks.retain(|ask| before.iter().all(|known| known.step != ask.step));
        if asks.is_empty() {
            return Ok(());
        }
        self.transact(|view, _| {
            let steps: Vec<&Id> = asks.iter().map(|ask| &ask.step).collect();
            let entry = entry(caller, "confirm", None, json!({"steps": steps}));
            Ok(Draft { entry, files: vec![view.confirmed_with(caller, &asks).to_file()?], ..Draft::default() })
        })?;
        self.reload()
    }
}
