//! What a run has cost, against what it may.

use super::view::View;
use crate::{
    error::Error,
    model::Id,
    store::{AttemptStatus, Paths, runs},
};

/// How the reason begins for which a run starts nothing more.
pub const COST_LIMIT: &str = "cost limit";

/// What a run has cost, as far as agents tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spent(f64);

impl Spent {
    /// Adds up the attempts of a run that have ended.
    pub(super) fn of_run(paths: &Paths, run: &str) -> Result<Self, Error> {
        let mut spent = Self::default();
        for step in runs::steps(paths, run)? {
            for attempt in runs::attempts(paths, run, step.as_str())? {
                spent.add(paths, run, &step, attempt);
            }
        }
        Ok(spent)
    }

    /// Adds an attempt.
    pub(super) fn add(&mut self, paths: &Paths, run: &str, step: &Id, attempt: u32) {
        let usage = AttemptStatus::read(paths, run, step.as_str(), attempt).and_then(|status| status.agent.usage);
        self.0 += usage.and_then(|usage| usage.cost_usd).filter(|cost| *cost > 0.0).unwrap_or(0.0);
    }

    /// Why a run that has cost so much starts nothing more; nothing while it may.
    pub(super) fn reaches(self, view: &View) -> Option<String> {
        let most = view.policy().ok()?.max_cost_usd?;
        (self.0 >= most).then(|| format!("{COST_LIMIT}: {} of {} (`max_cost_usd`)", dollars(self.0), dollars(most)))
    }
}

/// Why a run starts nothing more, because of what it has cost.
pub(super) fn exhausted(paths: &Paths, view: &View, run: &str) -> Option<String> {
    // Nearly every project has no such limit, and then nothing is read.
    view.policy().ok()?.max_cost_usd?;
    Spent::of_run(paths, run).ok()?.reaches(view)
}

/// An amount, with as many digits as it takes to tell small ones apart.
fn dollars(amount: f64) -> String {
    if amount < 0.1 { format!("${amount:.4}") } else { format!("${amount:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        assert_eq!([dollars(0.0136), dollars(5.0), dollars(12.345)], ["$0.0136", "$5.00", "$12.35"]);
    }
}
