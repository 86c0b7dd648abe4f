//! Committing what ended: the outcomes of free leases, all in one transaction, by whoever comes
//! along.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    caller::Caller,
    transact::{Draft, entry},
    view::View,
    writer::Held,
};
use crate::{
    error::Error,
    model::{FailPolicy, Groups, Id, Outcome, Reason, StepStatus},
    runner::{Leftover, StopRequest, deliver, leftover, repair},
    store::{self, Paths, Record, active},
};

/// An outcome that was committed, as it stands in the audit log.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Committed {
    pub(super) step: Id,
    pub(super) run: String,
    pub(super) nonce: String,
    pub(super) attempt: u32,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
    pub(super) duration_ms: u64,
}

/// Completes every free lease whose supervisor died. Takes no project lock: it may have to wait
/// for processes to end.
pub(super) fn repair_all(paths: &Paths) -> Result<(), Error> {
    for (step, record, is_held) in active(paths)? {
        if !is_held && matches!(leftover(paths, &step, &record), Leftover::Orphan | Leftover::Unfinished) {
            repair(paths, &step)?;
        }
    }
    Ok(())
}

impl Held<'_> {
    /// Looks at every lease again.
    pub(super) fn refresh_leases(&mut self) -> Result<(), Error> {
        let paths = self.paths().clone();
        for (id, record, is_held) in active(&paths)? {
            let leftover = if is_held { Leftover::Complete } else { leftover(&paths, &id, &record) };
            self.view_mut().leases.insert(id, super::view::LeaseView { record, is_held, leftover });
        }
        Ok(())
    }

    /// Commits every lease that nobody holds, as far as the view knows of them, and voids those
    /// that ran nothing. Stops the siblings of what failed. Returns what was committed.
    pub(super) fn settle(&mut self, caller: &Caller) -> Result<Vec<Committed>, Error> {
        self.void_leftovers(caller)?;
        let ended = ended(self.view());
        if ended.is_empty() {
            return Ok(Vec::new());
        }
        self.transact(|view, _| {
            let ended = self::ended(view);
            let mut draft = Draft { entry: entry(caller, "commit", None, json!({"outcomes": ended})), ..Draft::default() };
            draft.leases = ended.iter().map(|committed| (committed.step.clone(), committed.nonce.clone())).collect();
            draft.stops = siblings(view, &ended);
            Ok(draft)
        })?;
        for (step, _) in siblings(self.view(), &ended) {
            // What the view has is the claim; the supervisor has signed since.
            if let Some(record) = Record::read(&self.paths().lease(step.as_str()))? {
                deliver(&record);
            }
        }
        Ok(ended)
    }

    fn void_leftovers(&mut self, caller: &Caller) -> Result<(), Error> {
        let leases = &self.view().leases;
        let void: Vec<Id> = leases
            .iter()
            .filter(|(_, lease)| !lease.is_held && lease.leftover == Leftover::Void)
            .map(|(id, _)| id.clone())
            .collect();
        if void.is_empty() {
            return Ok(());
        }
        for id in &void {
            if store::probe(&self.paths().lease(id.as_str())) == store::Probe::Held {
                continue;
            }
            store::void(self.paths(), id)?;
            if self.view_mut().leases.remove(id).is_some_and(|lease| lease.record.claim.is_none()) {
                self.writer.warnings.push(format!("the lease of `{id}` could not be read and was removed"));
            }
        }
        self.note(caller, "void", None, json!({"steps": void}), false)?;
        Ok(())
    }

    /// Takes note that nobody holds the lease of `step` any more, and of what it says. Returns what that means;
    /// nothing if the lease is gone.
    pub(super) fn release(&mut self, step: &Id, record: Option<Record>) -> Option<Leftover> {
        let Some(record) = record else {
            self.view_mut().leases.remove(step);
            return None;
        };
        let leftover = leftover(self.paths(), step, &record);
        self.view_mut().leases.insert(step.clone(), super::view::LeaseView { record, is_held: false, leftover });
        Some(leftover)
    }
}

fn ended(view: &View) -> Vec<Committed> {
    let free = view.leases.iter().filter(|(_, lease)| !lease.is_held && lease.leftover == Leftover::Complete);
    free.filter_map(|(step, lease)| {
        let (claim, exit) = (lease.record.claim.as_ref()?, lease.record.exit.as_ref()?);
        Some(Committed {
            step: step.clone(),
            run: claim.run.to_string(),
            nonce: claim.nonce.to_string(),
            attempt: exit.attempt,
            outcome: exit.outcome.clone(),
            duration_ms: exit.ms,
        })
    })
    .collect()
}

/// The stop requests for the running members of the `fail_fast` groups in which something failed.
/// A step that a person stopped takes nobody with it.
fn siblings(view: &View, ended: &[Committed]) -> Vec<(Id, StopRequest)> {
    let mut failed = ended
        .iter()
        .filter(|end| end.outcome.status == StepStatus::Failed && end.outcome.reason != Some(Reason::Stopped))
        .filter(|end| end.outcome.until.is_none())
        .peekable();
    let mut stops = Vec::new();
    if failed.peek().is_none() {
        return stops;
    }
    let groups = Groups::of(&view.sequence);
    for end in failed {
        let at = view.sequence.steps.iter().position(|step| step.id == end.step);
        let Some(group) = at.and_then(|at| groups.group(at)).filter(|group| group.policy == FailPolicy::FailFast) else {
            continue;
        };
        for member in group.members.iter().map(|&member| &view.sequence.steps[member]) {
            if let Some(lease) = view.leases.get(&member.id)
                && lease.is_held
                && let Some(nonce) = lease.record.nonce()
            {
                let by = format!("the failure of `{}`", end.step);
                stops.push((member.id.clone(), StopRequest::new(nonce.into(), by, Reason::FailFast)));
            }
        }
    }
    stops
}
