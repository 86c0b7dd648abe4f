//! What keeps a run from starting more: its cost, and the usage limits of providers.

use super::{Runner, View};
use crate::{runner::scheduler::Message, store};

impl Runner {
    /// A step met its provider's usage limit. It cannot start again before its lease is committed.
    pub(super) fn take_limit(&mut self, view: &View, at: usize) {
        self.uncommitted += 1;
        self.must_settle = true;
        self.wakes_at = self.wakes_at.into_iter().chain(view.waits_until(view.id_of(at))).min();
        self.tell(Message::Delayed(at));
    }

    /// Adds what the attempts of a claim have cost, before their end lets anything start.
    pub(super) fn account(&mut self, view: &View, record: Option<&store::Record>) {
        let ended = record.and_then(|record| record.claim.as_ref().zip(record.exit.as_ref()));
        let (Some(spent), Some((claim, exit))) = (&mut self.spent, ended) else { return };
        if claim.run == self.run.id {
            (claim.attempt..=exit.attempt).for_each(|attempt| spent.add(&self.paths, &claim.run, &claim.step, attempt));
            self.watch_cost(view);
        }
    }

    /// Nothing more starts once the run has cost what it may; what runs is let finish.
    pub(super) fn watch_cost(&mut self, view: &View) {
        let is_reached = self.spent.is_some_and(|spent| spent.reaches(view).is_some());
        self.tell(Message::Hold(is_reached));
    }
}
