//! The time that running steps have left: showing it, warning of its end, and giving more.

use serde_json::json;

use super::{
    call::Engine,
    caller::{Actor, Caller, Consent},
    confirm,
    output::{Extended, Output},
    transact::{Draft, entry},
    view::View,
    writer::Held,
};
use crate::{
    action::{Action, extend::Extend},
    clock,
    error::Error,
    model::{Id, Orchestrator, Span},
    runner::{Allowance, SpecFile},
    store::{Paths, Record, file},
};

/// Of a shorter time nobody is warned: it would be over before anybody could do something.
const WORTH_A_WARNING: u64 = 20_000;

/// The longest that an attempt may be given: 30 days.
const LONGEST: Span = Span::from_ms(30 * 24 * 3_600_000);

/// The time of the attempt that runs now.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TimeLeft {
    /// How long it may take, with what was added.
    pub(super) limit_ms: u64,
    /// How much of that is left.
    pub(super) left_ms: u64,
    allowance: Allowance,
}

impl TimeLeft {
    /// The time of a step whose lease says `record` and is held.
    pub(super) fn of(paths: &Paths, step: &Id, record: &Record) -> Option<Self> {
        // A watchdog's timeout is that of each look.
        let claim = record.claim.as_ref().filter(|claim| claim.watches.is_none())?;
        let attempt = record.attempt();
        let spec: SpecFile = file::read_json(&paths.attempt(&claim.run, step.as_str(), attempt).join("spec.json"))?;
        let allowance = Allowance::read(paths, step.as_str(), &claim.nonce, attempt);
        let limit_ms = spec.timeout_ms.saturating_add(allowance.added_ms);
        let began = record.began.as_deref().unwrap_or(&claim.at);
        let used = clock::ms_between(began, &clock::stamp()).unwrap_or(0);
        Some(Self { limit_ms, left_ms: limit_ms.saturating_sub(used), allowance })
    }
}

/// The share of its time after which a step's end is announced, in percent.
fn announced_at() -> u64 {
    #[cfg(feature = "faults")]
    if let Some(percent) = std::env::var("THREADOS_WARN_PERCENT").ok().and_then(|text| text.parse().ok()) {
        return percent;
    }
    80
}

/// How much of a step's time is used, in percent, if it is nearly over.
pub(super) fn nearly_over(limit_ms: u64, left_ms: u64) -> Option<u64> {
    used(limit_ms, left_ms).filter(|used| limit_ms >= WORTH_A_WARNING && *used >= announced_at())
}

fn used(limit_ms: u64, left_ms: u64) -> Option<u64> {
    let used = u128::from(limit_ms.saturating_sub(left_ms)) * 100;
    used.checked_div(limit_ms.into()).and_then(|percent| percent.try_into().ok())
}

/// What a person should know of a step whose time is nearly over, without what to do about it.
pub fn time_words(step: &Id, limit_ms: u64, left_ms: u64) -> String {
    let used = used(limit_ms, left_ms).unwrap_or(100);
    format!("`{step}` has used {used} % of its {}, {} left", Span::from_ms(limit_ms), Span::from_ms(left_ms).short())
}

impl Engine {
    /// Gives the running attempt of a step more time.
    pub(super) fn extend(&self, caller: &Caller, action: &Action, args: &Extend, consent: Consent) -> Result<Output, Error> {
        if args.time.as_ms() == 0 {
            return Err(Error::FieldInvalid { field: "time", why: "nothing would be added".into() });
        }
        super::settle::repair_all(self.paths())?;
        let mut writer = self.writer();
        let extended = {
            let mut held = writer.lock()?;
            held.refresh_leases()?;
            held.settle(&Caller::system())?;
            held.audited(caller, action, |held| {
                may_extend(held.view(), caller, &args.id)?;
                let what = format!("giving `{}` {} more", args.id, args.time);
                confirm::check(held.view(), caller, action, &what, consent)
            })?;
            let extended = std::cell::Cell::new(None);
            held.transact(|view, paths| {
                let (made, file) = extension(paths, view, args)?;
                let payload = json!({
                    "step": made.step, "run": made.run, "attempt": made.attempt, "addedMs": made.added_ms, "timeoutMs": made.timeout_ms,
                });
                let entry = entry(caller, action.name(), Some(args.id.to_string()), payload);
                extended.set(Some(made));
                let place = std::path::PathBuf::from("state/active").join(format!("{}.time", args.id));
                Ok(Draft { entry, files: vec![(place, file)], ..Draft::default() })
            })?;
            extended.take().ok_or_else(|| Error::internal("a transaction builds its draft"))?
        };
        self.keep(writer);
        Ok(Output::Extended(extended))
    }
}

/// Time is a limit that people set: a step may give more of it to what it added itself, and to nothing else.
fn may_extend(view: &View, caller: &Caller, id: &Id) -> Result<(), Error> {
    let step = view.sequence.expect_step(id.as_str())?;
    let is_own = match &step.orchestrator {
        Some(Orchestrator::By(by)) => caller.step.as_deref() == Some(by.as_str()),
        _ => false,
    };
    if caller.actor == Actor::Orchestrator && !is_own {
        let why = format!("a step may extend only steps that it added, and {} did not add `{id}`", caller.name());
        return Err(Error::Denied { why, rule: "timeouts" });
    }
    Ok(())
}

/// The attempt with its new time, and the bytes that tell its supervisor.
fn extension(paths: &Paths, view: &View, args: &Extend) -> Result<(Extended, Vec<u8>), Error> {
    let step = view.sequence.expect_step(args.id.as_str())?.id.clone();
    let not_running = || Error::StepNotRunning { step: step.clone() };
    let record = &view.leases.get(&step).filter(|lease| lease.is_held).ok_or_else(not_running)?.record;
    let claim = record.claim.as_ref().ok_or_else(not_running)?;
    let cannot = |why: &str| Error::CannotExtend { step: step.clone(), why: why.into() };
    if claim.watches.is_some() {
        return Err(cannot("it is a watchdog and works for as long as its step"));
    }
    let time = TimeLeft::of(paths, &step, record).ok_or_else(not_running)?;
    if record.exit.as_ref().is_some_and(|exit| exit.attempt >= record.attempt()) {
        return Err(cannot("no attempt of it runs now; the next one has all of its time"));
    }
    if time.left_ms == 0 {
        return Err(cannot("its time is over, and it is being ended"));
    }
    let timeout_ms = time.limit_ms.saturating_add(args.time.as_ms());
    if timeout_ms > LONGEST.as_ms() {
        return Err(Error::FieldInvalid { field: "time", why: format!("an attempt may not have more than {LONGEST} in all") });
    }
    let added_ms = args.time.as_ms();
    let allowance = Allowance { added_ms: time.allowance.added_ms + added_ms, warned: false, ..time.allowance };
    let extended = Extended {
        step: step.clone(),
        run: claim.run.to_string(),
        attempt: record.attempt(),
        added_ms,
        timeout_ms,
        left_ms: time.left_ms + added_ms,
    };
    Ok((extended, file::pretty(&allowance)?))
}

impl Held<'_> {
    /// Says of each step of a run, once, that its time is nearly over.
    pub(super) fn warn_of_time(&mut self, run: &str) -> Result<(), Error> {
        let paths = self.paths().clone();
        let is_ours = |record: &Record| record.claim.as_ref().is_some_and(|claim| claim.run == run);
        let leases = self.view().leases.iter().filter(|(_, lease)| lease.is_held && is_ours(&lease.record));
        let steps: Vec<Id> = leases.map(|(id, _)| id.clone()).collect();
        for step in steps {
            // What the view has is the claim; its supervisor has written more since.
            let Some(record) = Record::read(&paths.lease(step.as_str()))?.filter(|record| record.exit.is_none()) else {
                continue;
            };
            let Some(time) = TimeLeft::of(&paths, &step, &record).filter(|time| !time.allowance.warned) else { continue };
            if time.left_ms == 0 || nearly_over(time.limit_ms, time.left_ms).is_none() {
                continue;
            }
            let payload = json!({
                "step": step, "run": run, "attempt": record.attempt(), "timeoutMs": time.limit_ms, "leftMs": time.left_ms,
            });
            self.note(&Caller::system(), "time.short", Some(step.to_string()), payload, false)?;
            Allowance { warned: true, ..time.allowance }.write(&paths, step.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_time_is_announced_at_four_fifths() {
        let hour = 3_600_000;
        assert_eq!(nearly_over(hour, hour), None);
        assert_eq!(nearly_over(hour, hour / 5 + 1), None);
        assert_eq!(nearly_over(hour, hour / 5), Some(80));
        assert_eq!(nearly_over(hour, 0), Some(100));
        assert_eq!(nearly_over(u64::MAX, 0), Some(100));
        assert_eq!(nearly_over(WORTH_A_WARNING - 1, 1), None, "nobody could do anything about it");
        let id = "long".parse().unwrap();
        assert_eq!(time_words(&id, 2 * hour, 24 * 60_000), "`long` has used 80 % of its 2h, 24m00s left");
    }
}
