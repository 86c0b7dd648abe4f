//! What a list of actions would do, on a copy: everything that somebody needs who decides about it.

use std::path::Path;

use super::{
    call::{Engine, apply_all},
    caller::{Caller, Consent},
    confirm, grounds, prompt, query,
    view::View,
};
use crate::{
    action::{Action, Changed},
    error::Error,
    model::{Decision, GateStatus, Graph, Id, Sequence, StepStatus},
    policy::Verdict,
    store::yaml,
};

/// What a list of actions would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The plan's revision that it is about.
    pub revision: String,
    /// What each action says it does.
    pub changes: Vec<Changed>,
    /// What the policy says of each.
    pub verdicts: Vec<Verdict>,
    /// The unified diff of sequence.yaml.
    pub diff: String,
    /// The plan as it would be.
    pub after: Sequence,
    /// The steps that could start then.
    pub starts: Vec<Id>,
}

impl Engine {
    /// What a list of changes would do, on a copy.
    ///
    /// # Errors
    /// Those that making the changes would have, but for the policy's.
    pub fn preview(&self, caller: &Caller, actions: &[Action]) -> Result<Preview, Error> {
        let actions = &self.filled(actions)?;
        let view = self.view()?;
        let (txn, changes) = apply_all(&view, actions)?;
        prompt::files(self.paths(), &view, &txn)?;
        actions.iter().try_for_each(|action| grounds::check(&view, action))?;
        let verdicts = actions.iter().map(|action| verdict(&view, caller, action)).collect();
        let (_, ready) = txn.readiness()?;
        // The steps are the first nodes of the graph.
        let steps = txn.sequence.steps.iter().enumerate();
        let starts = steps.filter(|(at, _)| ready.status(*at) == StepStatus::Ready).map(|(_, step)| step.id.clone()).collect();
        let mut after = txn.sequence;
        for (id, decision, _) in &txn.decisions {
            show_decision(&mut after, id, *decision);
        }
        Graph::build(&after)?;
        let text = yaml::patch(&view.text, &view.sequence, &after, &self.paths().sequence())?;
        let diff = similar::TextDiff::from_lines(&view.text, &text);
        let diff = diff.unified_diff().context_radius(3).header("sequence.yaml", "sequence.yaml").to_string();
        Ok(Preview { revision: view.sequence.revision(), changes, verdicts, diff, after, starts })
    }

    /// The list of changes that a file holds, as `apply` reads it.
    ///
    /// # Errors
    /// Those of the file, and of every entry that is wrong.
    pub fn read_actions(&self, file: &Path) -> Result<Vec<Action>, Error> {
        query::read_actions(file)
    }
}

/// What the policy says of an action.
fn verdict(view: &View, caller: &Caller, action: &Action) -> Verdict {
    match confirm::check(view, caller, action, "", Consent::None) {
        Ok(()) => Verdict::Allow,
        Err(Error::ConfirmationRequired { why, .. }) => Verdict::Confirm { why },
        Err(Error::Denied { why, rule }) => Verdict::Deny { why, rule },
        Err(error) => Verdict::Deny { why: error.to_string(), rule: "policy.yaml" },
    }
}

fn show_decision(sequence: &mut Sequence, id: &Id, decision: Decision) {
    for gate in sequence.gates.iter_mut().filter(|gate| gate.id == *id) {
        gate.status = match decision {
            Decision::Approved => Some(GateStatus::Approved),
            Decision::Blocked => Some(GateStatus::Blocked),
            _ => gate.status.map(|_| GateStatus::Pending),
        };
    }
    for step in sequence.steps.iter_mut().filter(|step| step.id == *id) {
        step.status = match decision {
            Decision::Skip | Decision::Accept => Some(StepStatus::Done),
            Decision::Reject => Some(StepStatus::Failed),
            _ => None,
        };
    }
}
