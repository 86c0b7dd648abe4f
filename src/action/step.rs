//! Changes of steps.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Access, Act, Change, Changed, Txn,
    fields::{self, Fields},
};
use crate::{
    error::{Error, list},
    model::{Decision, GateStatus, Id, Node, Orchestrator, State, Step, StepStatus},
};

/// Add a step
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Add {
    /// Name of the new step
    pub id: Id,
    /// Steps and gates that shall wait for it
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Id>,
    #[command(flatten)]
    #[serde(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub fields: Fields,
}

impl Act for Add {
    const NAME: &'static str = "step.add";
    const ACCESS: Access = Access::Change;
}

impl Change for Add {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        txn.refuse_taken(&self.id)?;
        let mut step = Step::new(self.id.clone());
        self.fields.write(&mut step)?;
        txn.sequence.steps.push(step);
        for dependent in &self.before {
            super::dep::link(txn, dependent, &self.id)?;
        }
        Ok(Changed::new(format!("added step `{}`", self.id), [self.id.clone()]).then(format!("seqctl run {}", self.id)))
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

/// Change fields of a step
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    /// The step
    pub id: Id,
    /// Fields to take away, by their names in sequence.yaml
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    #[command(flatten)]
    #[serde(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub fields: Fields,
}

impl Act for Edit {
    const NAME: &'static str = "step.edit";
    const ACCESS: Access = Access::Change;
}

impl Change for Edit {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        if self.fields.is_empty() && self.unset.is_empty() {
            return Err(Error::FieldInvalid { field: "fields", why: "nothing to change was given".into() });
        }
        txn.sequence.expect_step(self.id.as_str())?;
        for step in txn.sequence.steps.iter_mut().filter(|step| step.id == self.id) {
            self.unset.iter().try_for_each(|name| fields::unset(step, name))?;
            self.fields.write(step)?;
        }
        Ok(Changed::new(format!("changed step `{}`", self.id), [self.id.clone()]))
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

/// Remove a step
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rm {
    /// The step
    pub id: Id,
    /// Connect what depends on it to what it needs itself
    #[arg(long)]
    #[serde(default)]
    pub cascade: bool,
}

impl Act for Rm {
    const NAME: &'static str = "step.rm";
    const ACCESS: Access = Access::Destroy;
}

impl Change for Rm {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        let step = txn.sequence.expect_step(self.id.as_str())?;
        let needs: Vec<Id> = step.needs().cloned().collect();
        txn.refuse_running(&self.id)?;
        let dependents = txn.dependents(&self.id);
        let named = txn.sequence.steps.iter().filter(|step| is_tied(step, &self.id)).map(|step| step.id.clone());
        let holders: Vec<Id> = dependents.iter().cloned().chain(named).collect();
        if !holders.is_empty() && !self.cascade {
            let mut dependents = holders;
            dependents.dedup();
            return Err(Error::HasDependents { id: self.id.clone(), dependents });
        }
        txn.rewire(&self.id, &needs);
        for step in &mut txn.sequence.steps {
            untie(step, &self.id);
        }
        txn.sequence.steps.retain(|step| step.id != self.id);
        txn.states.remove(&self.id);
        let text = match dependents.as_slice() {
            [] => format!("removed step `{}`", self.id),
            rest => format!("removed step `{}` and rewired {}", self.id, list(rest)),
        };
        Ok(Changed::new(text, [self.id.clone()].into_iter().chain(dependents)))
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

/// Whether `step` names `id` in another field than its dependencies.
fn is_tied(step: &Step, id: &Id) -> bool {
    use crate::model::Synth;
    step.watchdog_for.as_ref() == Some(id)
        || step.fusion_synth == Some(Synth::By(id.clone()))
        || step.orchestrator == Some(Orchestrator::By(id.clone()))
}

fn untie(step: &mut Step, id: &Id) {
    use crate::model::{Candidates, Synth};
    if step.watchdog_for.as_ref() == Some(id) {
        step.watchdog_for = None;
    }
    if step.fusion_synth == Some(Synth::By(id.clone())) {
        step.fusion_synth = None;
    }
    if step.orchestrator == Some(Orchestrator::By(id.clone())) {
        step.orchestrator = None;
    }
    if let Some(Candidates::Of(ids)) = &mut step.fusion_candidates {
        ids.retain(|candidate| candidate != id);
    }
}

/// Copy a step under a new name
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CloneStep {
    /// The step to copy
    pub id: Id,
    /// Name of the copy
    pub to: Id,
}

impl Act for CloneStep {
    const NAME: &'static str = "step.clone";
    const ACCESS: Access = Access::Change;
}

impl Change for CloneStep {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        txn.refuse_taken(&self.to)?;
        let step = txn.sequence.expect_step(self.id.as_str())?;
        let copy = Step { id: self.to.clone(), status: None, ..step.clone() };
        let at = txn.sequence.steps.iter().position(|step| step.id == self.id).map_or(txn.sequence.steps.len(), |at| at + 1);
        txn.sequence.steps.insert(at, copy);
        Ok(Changed::new(format!("copied step `{}` to `{}`", self.id, self.to), [self.to.clone()]))
    }

    fn target(&self) -> Option<String> {
        Some(self.to.to_string())
    }
}

/// Count a step as done without running it
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Skip {
    /// The step
    pub id: Id,
    /// Why; kept in the audit log
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Act for Skip {
    const NAME: &'static str = "skip";
    const ACCESS: Access = Access::Decide;
}

impl Change for Skip {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        txn.sequence.expect_step(self.id.as_str())?;
        txn.refuse_running(&self.id)?;
        if txn.state(&self.id) == Some(State::Ended(StepStatus::Done)) {
            return Err(Error::StepEnded { step: self.id.clone(), status: StepStatus::Done.as_str() });
        }
        txn.decide(&self.id, Decision::Skip, self.note.clone(), State::Ended(StepStatus::Done));
        Ok(Changed::new(format!("step `{}` counts as DONE", self.id), [self.id.clone()]))
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

/// Count steps as never run
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reset {
    /// The steps
    #[arg(required = true)]
    pub ids: Vec<Id>,
    /// And everything that depends on them
    #[arg(long)]
    #[serde(default)]
    pub downstream: bool,
}

impl Act for Reset {
    const NAME: &'static str = "reset";
    const ACCESS: Access = Access::Decide;
}

impl Change for Reset {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        let touched = reset(txn, &self.ids, self.downstream)?;
        Ok(Changed::new(format!("reset {}", list(&touched)), touched).then("seqctl run"))
    }

    fn target(&self) -> Option<String> {
        self.ids.first().map(Id::to_string)
    }
}

/// Resets steps, and with `downstream` what depends on them, gates included. Returns what it
/// touched.
pub fn reset(txn: &mut Txn, ids: &[Id], downstream: bool) -> Result<Vec<Id>, Error> {
    let (graph, _) = txn.readiness()?;
    let mut nodes = Vec::new();
    for id in ids {
        txn.sequence.expect_step(id.as_str())?;
        let at = graph.find(id.as_str()).unwrap_or_default();
        nodes.push(at);
        if downstream {
            nodes.extend(graph.downstream(at));
        }
    }
    let mut seen = std::collections::HashSet::new();
    nodes.retain(|node| seen.insert(*node));
    let mut touched = Vec::new();
    for at in nodes {
        match graph.node(at) {
            Node::Step(step) => {
                let id = txn.sequence.steps[step].id.clone();
                txn.refuse_running(&id)?;
                if ids.contains(&id) || matches!(txn.state(&id), Some(State::Ended(_))) {
                    txn.decide(&id, Decision::Reset, None, State::Idle);
                    touched.push(id);
                }
            }
            Node::Gate(gate) => {
                let id = txn.sequence.gates[gate].id.clone();
                if matches!(txn.state(&id), Some(State::Gate(status)) if status != GateStatus::Pending) {
                    txn.sequence.gates[gate].note = None;
                    txn.decide(&id, Decision::Pending, None, State::Gate(GateStatus::Pending));
                    touched.push(id);
                }
            }
        }
    }
    Ok(touched)
}
