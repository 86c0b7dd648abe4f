//! Watchdogs among the steps of a run: which belong to it, when one is due again, and telling them that
//! their step has ended.

use super::view::View;
use crate::{
    model::{Id, Step},
    runner::{Look, Verdict, deliver},
    store::{Paths, Record, Run},
};

impl View {
    /// Whether a run covers a step: by itself, or as the watchdog of one that it covers.
    pub fn covers(&self, run: &Run, step: &Id) -> bool {
        run.covers(step) || self.step(step).and_then(|step| step.watchdog_for.as_ref()).is_some_and(|watched| run.covers(watched))
    }

    /// Whether a step is a watchdog that has not watched what its step does now, and that nobody skipped.
    pub(super) fn is_due_again(&self, step: &Step) -> bool {
        let Some(watched) = &step.watchdog_for else { return false };
        let Some(lease) = self.leases.get(watched).filter(|lease| lease.is_held) else { return false };
        let Some(record) = self.records.get(&step.id) else { return true };
        let seen = record.claim.as_ref().and_then(|claim| claim.watches.as_deref());
        record.decision.is_none() && (seen.is_none() || seen != lease.record.nonce())
    }

    /// The watchdogs that run now of these steps.
    pub(super) fn watchdogs_at_work(&self, steps: &[Id]) -> Vec<Id> {
        let is_held = |id: &Id| self.leases.get(id).is_some_and(|lease| lease.is_held);
        let watched = |step: &&Step| step.watchdog_for.as_ref().is_some_and(|watched| steps.contains(watched));
        self.sequence.steps.iter().filter(watched).map(|step| step.id.clone()).filter(is_held).collect()
    }

    /// The watchdogs that will run beside these steps.
    pub(super) fn watchdogs_of(&self, steps: &[Id]) -> impl Iterator<Item = &Step> {
        let is_skipped = |id: &Id| self.records.get(id).is_some_and(|record| record.decision.is_some() && record.claim.is_none());
        let watched = move |step: &&Step| step.watchdog_for.as_ref().is_some_and(|watched| steps.contains(watched));
        self.sequence.steps.iter().filter(watched).filter(move |step| !is_skipped(&step.id) && !steps.contains(&step.id))
    }
}

/// Lets a watchdog look whether its step still runs. Without that it finds out some seconds later.
pub(super) fn wake(paths: &Paths, watchdog: &Id) {
    if let Ok(Some(record)) = Record::read(&paths.lease(watchdog.as_str())) {
        deliver(&record);
    }
}

/// How the last look of a running watchdog failed, if it did.
pub(super) fn trouble(paths: &Paths, watchdog: &Id, record: &Record) -> Option<String> {
    let claim = record.claim.as_ref()?;
    let look = Look::last(&paths.attempt(&claim.run, watchdog.as_str(), record.attempt()))?;
    (look.verdict == Verdict::Failed).then_some(look.words)
}
