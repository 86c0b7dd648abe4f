//! How far runs have come and how long they still take, as far as that is known.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{call::Engine, view::View};
use crate::{
    clock,
    error::Error,
    model::{Node, Readiness, Resolved, State, StepStatus, Task, time_left},
    store::{AttemptStatus, Paths, Record, Run, RunState, file, open_runs},
};

/// How many steps of one kind must have ended well before their median says something about others.
const ENOUGH: usize = 3;

/// How many of the newest runs are searched for steps that have no record.
const RUNS: usize = 3;

/// How far the steps have come that runs cover.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// How many steps there are.
    pub total: usize,
    /// How many are DONE.
    pub done: usize,
    /// How many FAILED.
    pub failed: usize,
    /// How many want a review.
    pub review: usize,
    /// How many run.
    pub running: usize,
    /// About how long it still takes, in milliseconds; absent where too little is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_ms: Option<u64>,
    /// Whether that is until a person is needed, not until the end.
    pub needs_person: bool,
}

impl Progress {
    /// `12/40 steps · 3 running · about 4 min left`.
    pub fn words(&self) -> String {
        let mut words = format!("{}/{} steps", self.done, self.total);
        for (count, what) in [(self.failed, "failed"), (self.review, "to review"), (self.running, "running")] {
            if count > 0 {
                words.push_str(&format!(" · {count} {what}"));
            }
        }
        if let Some(left) = self.left_words() {
            words.push_str(&format!(" · {left}"));
        }
        words
    }

    /// `about 4 min left`; nothing where too little is known, or where it is over in a moment.
    pub fn left_words(&self) -> Option<String> {
        let seconds = self.left_ms?.div_ceil(1000);
        let minutes = (seconds + 30) / 60;
        let about = match seconds {
            0..3 => return None,
            3..60 => format!("{} s", if seconds < 10 { seconds } else { seconds.div_ceil(5) * 5 }),
            _ if minutes < 60 => format!("{minutes} min"),
            _ => format!("{} h {} min", minutes / 60, minutes % 60 / 5 * 5),
        };
        Some(if self.needs_person { format!("about {about} until it needs you") } else { format!("about {about} left") })
    }

    /// How much is done, in percent.
    pub fn percent(&self) -> u8 {
        u8::try_from((100 * self.done).checked_div(self.total).unwrap_or(100)).unwrap_or(100)
    }
}

/// How long steps took when they ended well.
#[derive(Debug, Default)]
pub(super) struct Durations {
    /// By the step's name.
    own: HashMap<String, u64>,
    /// The median, by the agent; `shell` for commands.
    kinds: HashMap<String, u64>,
}

impl Durations {
    /// What is known of the steps of a plan.
    pub(super) fn gather(paths: &Paths, view: &View) -> Self {
        let mut own = HashMap::new();
        let mut recent = file::names(&paths.runs()).unwrap_or_default();
        recent.drain(..recent.len().saturating_sub(RUNS));
        for step in &view.sequence.steps {
            let recorded = view.records.get(&step.id).and_then(ended_well);
            let before = || recent.iter().rev().find_map(|run| from_run(paths, run, step.id.as_str()));
            if let Some(ms) = recorded.or_else(before) {
                own.insert(step.id.to_string(), ms);
            }
        }
        let mut samples: HashMap<&str, Vec<u64>> = HashMap::new();
        for step in &view.sequence.steps {
            if let Some(ms) = own.get(step.id.as_str()) {
                samples.entry(Resolved::new(&view.sequence, step).agent()).or_default().push(*ms);
            }
        }
        let kinds = samples.into_iter().filter(|(_, all)| all.len() >= ENOUGH).map(|(kind, mut all)| {
            all.sort_unstable();
            (kind.to_owned(), all[all.len() / 2])
        });
        let kinds = kinds.collect();
        Self { own, kinds }
    }

    fn of(&self, view: &View, step: usize) -> Option<u64> {
        let step = &view.sequence.steps[step];
        let kind = || self.kinds.get(Resolved::new(&view.sequence, step).agent());
        self.own.get(step.id.as_str()).or_else(kind).copied()
    }
}

fn ended_well(record: &Record) -> Option<u64> {
    let exit = record.exit.as_ref()?;
    (exit.outcome.status != StepStatus::Failed).then_some(exit.ms)
}

fn from_run(paths: &Paths, run: &str, step: &str) -> Option<u64> {
    let status: AttemptStatus = file::read_json(&paths.run(run).join(step).join("latest").join("status.json"))?;
    (status.status != StepStatus::Failed).then_some(status.duration_ms)
}

impl Engine {
    /// How far a run has come.
    pub fn progress(&self, run: &str) -> Result<Progress, Error> {
        let view = self.view()?;
        let run = Run::read(self.paths(), run)?;
        let durations = Durations::gather(self.paths(), &view);
        Ok(progress(&view, &view.readiness(), &durations, &[run]))
    }

    /// How far the runs have come that are going on; nothing where none is.
    pub(super) fn progress_now(&self, view: &View, ready: &Readiness) -> Result<Option<Progress>, Error> {
        let runs = self.going_on()?;
        let found = (!runs.is_empty()).then(|| progress(view, ready, &Durations::gather(self.paths(), view), &runs));
        Ok(found)
    }

    /// The runs that are going on.
    pub(super) fn going_on(&self) -> Result<Vec<Run>, Error> {
        let mut runs = open_runs(self.paths())?;
        runs.retain(|run| run.state == RunState::Active && !run.stopped);
        Ok(runs)
    }
}

/// How far runs have come.
pub(super) fn progress(view: &View, ready: &Readiness, durations: &Durations, runs: &[Run]) -> Progress {
    let is_covered = |at: usize| runs.iter().any(|run| run.covers(view.id_of(at)));
    let covered: Vec<usize> = (0..view.sequence.steps.len()).filter(|&at| is_covered(at)).collect();
    let count = |wanted| covered.iter().filter(|&&at| ready.status(at) == wanted).count();
    let will_run = will_run(view, ready, &is_covered);
    let idle = covered.iter().filter(|&&at| ready.state(at) == State::Idle);
    let needs_person = idle.into_iter().any(|&at| !will_run[at]) || is_reviewed_last(view, ready, &will_run);
    Progress {
        total: covered.len(),
        done: count(StepStatus::Done),
        failed: count(StepStatus::Failed),
        review: count(StepStatus::NeedsReview),
        running: count(StepStatus::Running),
        left_ms: left(view, ready, durations, &will_run),
        needs_person,
    }
}

/// Which nodes run now or will without anybody's help, as long as nothing fails.
fn will_run(view: &View, ready: &Readiness, is_covered: &dyn Fn(usize) -> bool) -> Vec<bool> {
    let mut found = vec![false; view.graph.len()];
    let mut queue: Vec<usize> = (0..view.graph.len()).collect();
    while let Some(at) = queue.pop() {
        let may = !found[at]
            && match (ready.state(at), view.graph.node(at)) {
                (State::Running, _) => true,
                (State::Idle, _) => {
                    is_covered(at) && ready.failed_siblings(at).next().is_none() && goes_on(view, ready, &found, at)
                }
                (State::Gate(crate::model::GateStatus::Approved), _) => {
                    !ready.is_satisfied(at) && goes_on(view, ready, &found, at)
                }
                _ => false,
            };
        if may {
            found[at] = true;
            queue.extend(view.graph.dependents(at));
        }
    }
    found
}

/// Whether everything that a node needs is there, or will be without a person.
fn goes_on(view: &View, ready: &Readiness, found: &[bool], at: usize) -> bool {
    ready.is_unhindered(at)
        || view.graph.needs(at).into_iter().all(|need| ready.is_satisfied(need) || (found[need] && !is_reviewed(view, need)))
}

/// Whether somebody has to look at what a step makes.
fn is_reviewed(view: &View, at: usize) -> bool {
    match view.graph.node(at) {
        Node::Step(step) => Resolved::new(&view.sequence, &view.sequence.steps[step]).review(),
        Node::Gate(_) => false,
    }
}

fn is_reviewed_last(view: &View, ready: &Readiness, will_run: &[bool]) -> bool {
    (0..will_run.len()).any(|at| will_run[at] && is_reviewed(view, at) && !ready.is_satisfied(at))
}

/// How long it takes until nothing goes on by itself; nothing where too little is known of what is to run.
fn left(view: &View, ready: &Readiness, durations: &Durations, will_run: &[bool]) -> Option<u64> {
    let nodes: Vec<usize> = (0..will_run.len()).filter(|&at| will_run[at]).collect();
    if nodes.iter().all(|&at| ready.state(at) != State::Running) {
        return None;
    }
    let places: HashMap<usize, usize> = nodes.iter().enumerate().map(|(place, &at)| (at, place)).collect();
    let now = clock::stamp();
    let work = |&at: &usize| {
        let is_running = ready.state(at) == State::Running;
        let left = match view.graph.node(at) {
            Node::Gate(_) => 0,
            Node::Step(step) => {
                let (all, so_far) = (durations.of(view, step)?, if is_running { so_far(view, at, &now)? } else { 0 });
                // What takes twice as long as ever before may take any time.
                if so_far > 2 * all {
                    return None;
                }
                all.saturating_sub(so_far).max(so_far / 10)
            }
        };
        let needs = if is_running { Vec::new() } else { view.graph.needs(at) };
        let needs = needs.into_iter().filter_map(|need| places.get(&need).copied()).collect();
        Some(Task { left, needs, is_running, takes_slot: matches!(view.graph.node(at), Node::Step(_)) })
    };
    let works: Option<Vec<Task>> = nodes.iter().map(work).collect();
    let slots = view.policy().ok()?.max_concurrent;
    Some(time_left(&works?, usize::try_from(slots).unwrap_or(usize::MAX)))
}

/// How long a step has been running, in milliseconds.
fn so_far(view: &View, at: usize, now: &str) -> Option<u64> {
    let claim = view.leases.get(view.id_of(at))?.record.claim.as_ref()?;
    Some(clock::ms_between(&claim.at, now).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_words() {
        let words = |left_ms, needs_person| {
            Progress { total: 40, done: 12, failed: 0, review: 0, running: 3, left_ms, needs_person }.words()
        };
        assert_eq!(words(Some(240_000), false), "12/40 steps · 3 running · about 4 min left");
        assert_eq!(words(Some(32_000), false), "12/40 steps · 3 running · about 35 s left");
        assert_eq!(words(Some(4_000_000), true), "12/40 steps · 3 running · about 1 h 5 min until it needs you");
        assert_eq!(words(Some(900), false), "12/40 steps · 3 running");
        assert_eq!(words(None, true), "12/40 steps · 3 running");
        let failed = Progress { total: 4, done: 1, failed: 2, review: 1, running: 0, left_ms: None, needs_person: true };
        assert_eq!((failed.words().as_str(), failed.percent()), ("1/4 steps · 2 failed · 1 to review", 25));
    }
}
