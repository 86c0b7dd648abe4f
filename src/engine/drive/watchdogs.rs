//! The watchdogs of a run: started again with their step, told of its end.

use super::{Runner, View};
use crate::{
    model::State,
    runner::scheduler::{Message, Scheduler},
};

impl Runner {
    /// Watchdogs whose step runs again start again with it.
    pub(super) fn renew_watchdogs(&mut self, view: &View) {
        for at in self.watchdogs.clone() {
            let ended = self.scheduler.as_ref().is_some_and(|known| matches!(known.readiness().state(at), State::Ended(_)));
            if ended && view.state(at) == State::Idle {
                self.tell(Message::Voided(at));
            }
        }
    }

    /// Tells the watchdogs of a step that it has ended.
    pub(super) fn wake_watchdogs(&self, at: usize, view: &View) {
        let Some(known) = self.scheduler.as_ref().map(Scheduler::readiness) else { return };
        let at_work = known.watchdogs(at).filter(|&watchdog| known.state(watchdog) == State::Running);
        at_work.for_each(|watchdog| crate::engine::watchdog::wake(&self.paths, view.id_of(watchdog)));
    }
}
