//! What becomes of an attempt that met its provider's usage limit.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::{
    agent::Report,
    clock,
    model::{OnLimit, Outcome, Reason, StepStatus, UsageLimit},
};

/// How long a step waits where nobody says when the limit is over.
const UNTOLD: Duration = Duration::from_mins(15);

/// How long it waits where the limit should be over already.
const PAST: Duration = Duration::from_mins(1);

/// The outcome of an attempt that ended by itself, in the light of a usage limit that its agent reports. What is known of
/// the limit goes into the report. `other` is when the limit of the agent is over that this one stands in for: whichever ends
/// first lets the step go on.
pub(super) fn weigh(outcome: Outcome, report: &mut Report, wanted: OnLimit, other: Option<Timestamp>, now: Timestamp) -> Outcome {
    if outcome.status != StepStatus::Failed || !matches!(outcome.reason, Some(Reason::Exit | Reason::Agent)) {
        return outcome;
    }
    let Some(reset) = report.limit() else { return outcome };
    let told = reset.moment(now);
    report.facts.limit = Some(UsageLimit { resets_at: told.map(clock::rfc3339), began: report.has_begun });
    let until = match wanted {
        OnLimit::Fail => None,
        OnLimit::Switch => Some(now),
        OnLimit::Wait => {
            let own = told.filter(|at| *at > now).unwrap_or_else(|| later(now, told.is_some()));
            Some(other.map_or(own, |other| own.min(other.max(now))))
        }
    };
    Outcome { reason: Some(Reason::Limit), until: until.map(clock::rfc3339), ..outcome }
}

/// When it is tried again without having been told when.
fn later(now: Timestamp, is_past: bool) -> Timestamp {
    let pause = pause().unwrap_or(if is_past { PAST } else { UNTOLD });
    SignedDuration::try_from(pause).ok().and_then(|pause| now.checked_add(pause).ok()).unwrap_or(now)
}

/// What a test wants it to be.
fn pause() -> Option<Duration> {
    #[cfg(feature = "faults")]
    return std::env::var("THREADOS_LIMIT_PAUSE_MS").ok()?.parse().ok().map(Duration::from_millis);
    #[cfg(not(feature = "faults"))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OutputFormat;

    fn now() -> Timestamp {
        "2026-11-22T15:00:00Z".parse().unwrap()
    }

    fn failed() -> Outcome {
        Outcome { code: Some(1), ..Outcome::failed(Reason::Exit, Some("words".into())) }
    }

    fn weighed(said: &str, wanted: OnLimit) -> (Outcome, Option<UsageLimit>) {
        let mut report = Report::default();
        report
            .read(OutputFormat::Claude, format!("{{\"type\":\"result\",\"is_error\":true,\"result\":\"{said}\"}}\n").as_bytes());
        let outcome = weigh(failed(), &mut report, wanted, None, now());
        (outcome, report.facts.limit)
    }

    #[test]
    fn a_limit_makes_a_step_wait_fail_or_change_its_agent() {
        const SAID: &str = "Claude AI usage limit reached|1795371979";
        let until = |said, wanted| weighed(said, wanted).0.until;
        assert_eq!(until(SAID, OnLimit::Wait).as_deref(), Some("2026-11-22T18:26:19.000Z"));
        assert_eq!(until(SAID, OnLimit::Switch).as_deref(), Some("2026-11-22T15:00:00.000Z"));
        assert_eq!(until(SAID, OnLimit::Fail), None);
        assert_eq!(until("usage limit reached", OnLimit::Wait).as_deref(), Some("2026-11-22T15:15:00.000Z"));
        assert_eq!(until("usage limit reached|1700000000", OnLimit::Wait).as_deref(), Some("2026-11-22T15:15:00.000Z"));
        assert_eq!(until("usage limit reached|1795350000", OnLimit::Wait).as_deref(), Some("2026-11-22T15:01:00.000Z"));
        let (outcome, limit) = weighed(SAID, OnLimit::Fail);
        assert_eq!(outcome, Outcome { reason: Some(Reason::Limit), ..failed() });
        assert_eq!(limit.unwrap().resets_at.as_deref(), Some("2026-11-22T18:26:19.000Z"));
    }

    #[test]
    fn whichever_limit_ends_first_lets_the_step_go_on() {
        let until = |other: &str| {
            let mut report = Report::default();
            let said = "{\"type\":\"result\",\"is_error\":true,\"result\":\"Claude AI usage limit reached|1795371979\"}\n";
            report.read(OutputFormat::Claude, said.as_bytes());
            weigh(failed(), &mut report, OnLimit::Wait, other.parse().ok(), now()).until
        };
        assert_eq!(until("2026-11-22T17:00:00Z").as_deref(), Some("2026-11-22T17:00:00.000Z"));
        assert_eq!(until("2026-11-22T20:00:00Z").as_deref(), Some("2026-11-22T18:26:19.000Z"));
        assert_eq!(until("2026-11-22T14:00:00Z").as_deref(), Some("2026-11-22T15:00:00.000Z"), "it is over already");
        assert_eq!(until("").as_deref(), Some("2026-11-22T18:26:19.000Z"));
    }

    #[test]
    fn other_ends_stay_as_they_are() {
        assert_eq!(weighed("no credit left", OnLimit::Wait), (failed(), None));
        let mut report = Report::default();
        let done = Outcome { status: StepStatus::Done, reason: None, ..failed() };
        assert_eq!(weigh(done.clone(), &mut report, OnLimit::Wait, None, now()), done);
        let stopped = Outcome::failed(Reason::Stopped, None);
        assert_eq!(weigh(stopped.clone(), &mut report, OnLimit::Wait, None, now()), stopped);
    }
}
