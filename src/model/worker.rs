//! Workers of a fan-out, and the one outcome that theirs make together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FailPolicy, Outcome, Reason, StepStatus, Usage};

/// How many workers run a step, and what the failure of one means for the others.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fanout {
    /// How many there are.
    pub workers: u32,
    /// How many of them run at once.
    pub at_once: u32,
    /// Whether the failure of one stops the others.
    pub fail_policy: FailPolicy,
}

/// How one worker of a fan-out ended, as status.json of its step has it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerEnd {
    /// Its number, from 1.
    pub worker: u32,
    /// The attempt in which it ran: who was done in an earlier one does not run again.
    pub attempt: u32,
    /// DONE, FAILED or NEEDS_REVIEW.
    pub status: StepStatus,
    /// Why, unless it simply exited with 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// What it, or who stopped it, said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it goes on by itself, where it waits for the end of a usage limit; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Milliseconds from start to end.
    pub duration_ms: u64,
    /// What its agent took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

impl WorkerEnd {
    /// The end of a worker.
    pub fn new(worker: u32, attempt: u32, outcome: Outcome, duration_ms: u64, usage: Option<Usage>) -> Self {
        let Outcome { status, reason, code, signal, note, until } = outcome;
        Self { worker, attempt, status, reason, exit_code: code, signal, note, until, duration_ms, usage }
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        let Self { status, reason, exit_code: code, signal, .. } = *self;
        Outcome { status, reason, code, signal, note: self.note.clone(), until: self.until.clone() }
    }

    /// Whether it failed of itself: not because somebody else did, nor because a usage limit interrupted it.
    pub fn has_failed(&self) -> bool {
        self.status == StepStatus::Failed && self.reason != Some(Reason::FailFast) && !self.is_waiting()
    }

    /// Whether it goes on once a usage limit is over.
    pub const fn is_waiting(&self) -> bool {
        self.until.is_some()
    }
}

impl Fanout {
    /// The outcome that those of all workers make together. A failure fails all of it; with `best_effort` only if nobody
    /// ended well, or while those who failed can be tried again. Who waits for the end of a usage limit makes all of it wait,
    /// until the last of these limits is over, unless it has failed for good.
    pub fn outcome(&self, ends: &[WorkerEnd], may_retry: bool) -> Outcome {
        let failed: Vec<&WorkerEnd> = ends.iter().filter(|end| end.has_failed()).collect();
        let is_retried = may_retry && failed.iter().any(|end| end.reason.is_some_and(Reason::is_retried));
        let is_lenient = self.fail_policy == FailPolicy::BestEffort && failed.len() < ends.len() && !is_retried;
        let of = |ends: &[&WorkerEnd]| format!("{} of {}", workers(ends), self.workers);
        let note = |head: String, end: &WorkerEnd| match &end.note {
            Some(note) => Some(format!("{head}: {note}")),
            None => Some(head),
        };
        let waiting: Vec<&WorkerEnd> = ends.iter().filter(|end| end.is_waiting()).collect();
        let last = waiting.iter().max_by_key(|end| &end.until).filter(|_| failed.is_empty() || is_lenient || is_retried);
        if let Some(last) = last {
            let first = waiting.iter().find(|end| end.duration_ms > 0).unwrap_or(last);
            return Outcome { note: note(of(&waiting), first), until: last.until.clone(), ..first.outcome() };
        }
        if let Some(first) = failed.first().filter(|_| !is_lenient) {
            return Outcome { note: note(of(&failed), first), ..first.outcome() };
        }
        let reviews: Vec<&WorkerEnd> = ends.iter().filter(|end| end.status == StepStatus::NeedsReview).collect();
        let status = if reviews.is_empty() { StepStatus::Done } else { StepStatus::NeedsReview };
        let note = match (reviews.first(), failed.first()) {
            (Some(first), _) => note(of(&reviews), first),
            (None, Some(first)) => Some(format!("{} failed ({})", of(&failed), first.outcome().words())),
            (None, None) => None,
        };
        let code = failed.is_empty().then_some(0);
        Outcome { status, reason: None, code, signal: None, note, until: None }
    }
}

/// `worker 2`, `workers 1, 3`.
fn workers(ends: &[&WorkerEnd]) -> String {
    let numbers: Vec<String> = ends.iter().map(|end| end.worker.to_string()).collect();
    format!("worker{} {}", if numbers.len() == 1 { "" } else { "s" }, numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(worker: u32, status: StepStatus, reason: Option<Reason>) -> WorkerEnd {
        let code = (reason == Some(Reason::Exit)).then_some(3);
        WorkerEnd::new(worker, 1, Outcome { status, reason, code, signal: None, note: None, until: None }, 5, None)
    }

    fn outcome(fail_policy: FailPolicy, ends: &[WorkerEnd], may_retry: bool) -> (StepStatus, String) {
        let outcome = Fanout { workers: 3, at_once: 2, fail_policy }.outcome(ends, may_retry);
        (outcome.status, outcome.explained())
    }

    #[test]
    fn workers_make_one_outcome() {
        let done = |worker| end(worker, StepStatus::Done, None);
        let failed = |worker| end(worker, StepStatus::Failed, Some(Reason::Exit));
        let stopped = |worker| end(worker, StepStatus::Failed, Some(Reason::FailFast));
        let limited =
            |worker, until: &str| WorkerEnd { until: Some(until.into()), ..end(worker, StepStatus::Failed, Some(Reason::Limit)) };
        let review = WorkerEnd { note: Some("look".into()), ..end(3, StepStatus::NeedsReview, None) };
        let (fast, best) = (FailPolicy::FailFast, FailPolicy::BestEffort);
        for (policy, ends, may_retry, status, words) in [
            (fast, vec![done(1), done(2), done(3)], false, StepStatus::Done, "done"),
            (fast, vec![stopped(1), failed(2), done(3)], false, StepStatus::Failed, "exit 3, worker 2 of 3"),
            (fast, vec![failed(1), failed(2), review.clone()], false, StepStatus::Failed, "exit 3, workers 1, 2 of 3"),
            (fast, vec![done(1), done(2), review.clone()], false, StepStatus::NeedsReview, "needs review, worker 3 of 3: look"),
            (best, vec![done(1), failed(2), done(3)], false, StepStatus::Done, "done, worker 2 of 3 failed (exit 3)"),
            (best, vec![done(1), failed(2), done(3)], true, StepStatus::Failed, "exit 3, worker 2 of 3"),
            (best, vec![done(1), failed(2), review], false, StepStatus::NeedsReview, "needs review, worker 3 of 3: look"),
            (best, vec![failed(1), failed(2), failed(3)], false, StepStatus::Failed, "exit 3, workers 1, 2, 3 of 3"),
            (fast, vec![limited(1, "b"), done(2), limited(3, "a")], false, StepStatus::Failed, "usage limit, workers 1, 3 of 3"),
            (fast, vec![limited(1, "b"), failed(2), done(3)], false, StepStatus::Failed, "exit 3, worker 2 of 3"),
            (fast, vec![limited(1, "b"), failed(2), done(3)], true, StepStatus::Failed, "usage limit, worker 1 of 3"),
            (best, vec![limited(1, "b"), failed(2), done(3)], false, StepStatus::Failed, "usage limit, worker 1 of 3"),
        ] {
            assert_eq!(outcome(policy, &ends, may_retry), (status, words.into()), "{policy:?} {ends:?}");
        }
    }

    #[test]
    fn all_wait_until_the_last_limit_is_over() {
        let limited =
            |worker, until: &str| WorkerEnd { until: Some(until.into()), ..end(worker, StepStatus::Failed, Some(Reason::Limit)) };
        let fanout = Fanout { workers: 3, at_once: 3, fail_policy: FailPolicy::FailFast };
        let ends =
            [limited(1, "2026-11-22T15:00:00.000Z"), limited(2, "2026-11-22T16:00:00.000Z"), end(3, StepStatus::Done, None)];
        assert_eq!(fanout.outcome(&ends, false).until.as_deref(), Some("2026-11-22T16:00:00.000Z"));
        assert!(!ends[0].has_failed() && ends[0].is_waiting());
    }
}
