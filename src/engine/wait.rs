//! Waiting for steps or a run.

use std::time::{Duration, Instant};

use super::{
    asking::{Asking, undecided},
    call::Engine,
    caller::Caller,
    output::Output,
    query::step_row,
    view::View,
};
use crate::{
    action::run::{Until, Wait},
    error::Error,
    model::{GateStatus, Id, Readiness, State, StepStatus},
    store::{FALLBACK, Run, RunState, open_runs},
};

impl Engine {
    /// Waits until the steps are as asked for.
    pub(super) fn wait(&self, caller: &Caller, args: &Wait) -> Result<Output, Error> {
        // A step cannot wait for the end of the run that it is in.
        let in_run = args.targets.is_empty() && Asking::find(self.paths(), &self.view()?, caller)?.is_some();
        let run = match args.targets.as_slice() {
            [] if in_run => None,
            [] => Some(self.open_run(None)?),
            [one] => Run::read(self.paths(), one).ok().map(|run| run.id),
            _ => None,
        };
        let deadline = args.timeout.map(|timeout| Instant::now() + timeout.to_std());
        let mut follower = self.follow()?;
        loop {
            let view = self.view()?;
            let ready = view.readiness();
            let nodes = match Asking::find(self.paths(), &view, caller)? {
                Some(asking) if in_run => asking.others(&view),
                _ => self.nodes(&view, args, run.as_deref())?,
            };
            let idle: Vec<Id> =
                nodes.iter().filter(|at| ready.state(**at) == State::Idle).map(|&at| view.id_of(at).clone()).collect();
            // Before the runs, so that what is approved in between counts as undecided once more.
            let undecided = undecided(self.paths(), &view, caller, &idle)?;
            let open = open_runs(self.paths())?;
            for run in open.iter().filter(|run| run.state == RunState::Active) {
                self.tend(&run.id)?;
            }
            let is_reached = |at: usize| is_reached(&ready, at, args.until, &open, &view) && !undecided.contains(view.id_of(at));
            let left: Vec<usize> = nodes.iter().copied().filter(|&at| !is_reached(at)).collect();
            let is_attention =
                args.until == Until::Attention && (!undecided.is_empty() || self.wants_person(&view, &ready, &nodes)?);
            let rows = || nodes.iter().filter_map(|&at| step_row(self.paths(), &view, &ready, at)).collect();
            if left.is_empty() || is_attention {
                return Ok(Output::Waited { steps: rows() });
            }
            if args.until == Until::Done && is_hopeless(&ready, &left, &open) {
                return Err(failed(&view, &ready, &left));
            }
            let patience = deadline.map_or(FALLBACK, |deadline| deadline.saturating_duration_since(Instant::now()));
            if patience.is_zero() {
                let ids: Vec<Id> = left.iter().map(|&at| view.id_of(at).clone()).collect();
                return Err(Error::WaitTimeout { ids, after: args.timeout.unwrap_or_default().to_string() });
            }
            follower.next(patience.max(Duration::from_millis(1)))?;
        }
    }

    fn nodes(&self, view: &View, args: &Wait, run: Option<&str>) -> Result<Vec<usize>, Error> {
        if let Some(run) = run {
            let run = Run::read(self.paths(), run)?;
            return Ok((0..view.sequence.steps.len()).filter(|&at| view.covers(&run, view.id_of(at))).collect());
        }
        let find = |id: &String| {
            view.sequence.expect_step(id)?;
            Ok(view.graph.find(id).unwrap_or_default())
        };
        args.targets.iter().map(find).collect()
    }
}

/// Whether a step is where it was waited for.
fn is_reached(ready: &Readiness, at: usize, until: Until, open: &[Run], view: &View) -> bool {
    match (until, ready.state(at)) {
        (_, State::Ended(StepStatus::Done)) => true,
        (Until::Done, _) | (_, State::Running) => false,
        (Until::Settled | Until::Attention, State::Ended(_)) => true,
        // An idle step is settled if no run will start it without a person's help.
        (_, State::Idle) => {
            let is_pending =
                open.iter().any(|run| run.state == RunState::Active && !run.stopped && view.covers(run, view.id_of(at)));
            !is_pending || ready.is_doomed(at)
        }
        (_, State::Gate(_)) => true,
    }
}

/// Whether a step that shall be done failed, or cannot start and no open run could help.
fn is_hopeless(ready: &Readiness, left: &[usize], open: &[Run]) -> bool {
    let running = left.iter().any(|&at| ready.state(at) == State::Running);
    !running
        && (open.is_empty() || left.iter().any(|&at| ready.state(at) == State::Ended(StepStatus::Failed) || ready.is_doomed(at)))
}

fn failed(view: &View, ready: &Readiness, left: &[usize]) -> Error {
    let is_failed = |at: &usize| ready.state(*at) == State::Ended(StepStatus::Failed);
    if !left.iter().any(is_failed) {
        let reviews = left.iter().filter(|at| ready.state(**at) == State::Ended(StepStatus::NeedsReview));
        let reviews: Vec<&Id> = reviews.map(|&at| view.id_of(at)).collect();
        if let Some(first) = reviews.first() {
            let what = reviews.iter().map(|step| format!("the review of `{step}`")).collect();
            let hint = format!("`seqctl logs {first}` shows its output, `seqctl review accept {first}` accepts it");
            return Error::Waiting { what, hint };
        }
        let gates = view.sequence.gates.iter().filter(|gate| {
            let at = view.graph.find(gate.id.as_str());
            at.is_some_and(|at| ready.is_unhindered(at) && ready.state(at) == State::Gate(GateStatus::Pending))
        });
        let gates: Vec<&Id> = gates.map(|gate| &gate.id).collect();
        if let Some(first) = gates.first() {
            let what = gates.iter().map(|gate| format!("gate `{gate}`")).collect();
            return Error::Waiting { what, hint: format!("`seqctl gate approve {first}` lets it go on") };
        }
    }
    let left: Vec<usize> =
        if left.iter().any(is_failed) { left.iter().copied().filter(is_failed).collect() } else { left.to_vec() };
    let failed = left.iter().map(|&at| (view.id_of(at).clone(), ready.status(at).as_str().to_owned())).collect();
    Error::StepFailed { failed }
}
