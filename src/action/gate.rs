//! Gates, and decisions on them.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act, Change, Changed, Txn};
use crate::{
    error::{Error, list},
    model::{Decision, Gate, GateStatus, Id, State},
};

/// Insert a gate
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Insert {
    /// Name of the new gate
    pub id: Id,
    /// What people call it
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What has to be satisfied before it can be decided
    #[arg(long, visible_alias = "after", value_name = "ID", value_delimiter = ',')]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Id>,
    /// What waits for it; a direct dependency on what comes before the gate is replaced
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Id>,
}

impl Act for Insert {
    const NAME: &'static str = "gate.insert";
    const ACCESS: Access = Access::Change;
}

impl Change for Insert {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        txn.refuse_taken(&self.id)?;
        let mut gate = Gate::new(self.id.clone());
        gate.name.clone_from(&self.name);
        gate.depends_on.clone_from(&self.depends_on);
        txn.sequence.gates.push(gate);
        for dependent in &self.before {
            super::dep::link(txn, dependent, &self.id)?;
            let lists = txn.sequence.steps.iter_mut().map(|step| (&step.id, &mut step.depends_on));
            for (_, list) in lists.filter(|(id, _)| *id == dependent) {
                list.retain(|need| !self.depends_on.contains(need));
            }
        }
        Ok(Changed::new(format!("inserted gate `{}`", self.id), [self.id.clone()])
            .then(format!("seqctl gate approve {}", self.id)))
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

/// Approve a pending gate
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Approve {
    /// The gate
    pub id: Id,
    /// Why; kept with the gate and in the audit log
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Approve it even if what comes before has not ended
    #[arg(long)]
    #[serde(default)]
    pub ahead: bool,
    /// Only if the attempts before it are still those that were seen, by their digest in `gate list --json`
    #[arg(long, value_name = "DIGEST")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
}

impl Act for Approve {
    const NAME: &'static str = "gate.approve";
    const ACCESS: Access = Access::Decide;
}

impl Change for Approve {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        let (graph, ready) = {
            txn.sequence.expect_gate(self.id.as_str())?;
            txn.readiness()?
        };
        let at = graph.find(self.id.as_str()).unwrap_or_default();
        if !self.ahead && !ready.is_unhindered(at) {
            let ids: Vec<Id> = txn.sequence.ids().cloned().collect();
            let waits: Vec<Id> = ready.blockers(at).into_iter().map(|blocker| ids[blocker.node()].clone()).collect();
            return Err(Error::GateNotReached { gate: self.id.clone(), why: format!("it waits for {}", list(&waits)) });
        }
        decide(txn, &self.id, Decision::Approved, self.note.as_ref(), "approved")
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

/// Block a pending gate
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Block {
    /// The gate
    pub id: Id,
    /// Why; kept with the gate and in the audit log
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Act for Block {
    const NAME: &'static str = "gate.block";
    const ACCESS: Access = Access::Decide;
}

impl Change for Block {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        decide(txn, &self.id, Decision::Blocked, self.note.as_ref(), "blocked")
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

/// Make a decided gate pending again
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reopen {
    /// The gate
    pub id: Id,
    /// Why; kept with the gate and in the audit log
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Act for Reopen {
    const NAME: &'static str = "gate.reopen";
    const ACCESS: Access = Access::Decide;
}

impl Change for Reopen {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        txn.sequence.expect_gate(self.id.as_str())?;
        if status(txn, &self.id) == GateStatus::Pending {
            return Err(Error::GatePending { gate: self.id.clone() });
        }
        set(txn, &self.id, Decision::Pending, self.note.as_ref());
        Ok(Changed::new(format!("gate `{}` is PENDING again", self.id), [self.id.clone()]))
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

/// Remove a gate
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rm {
    /// The gate
    pub id: Id,
    /// Connect what waits for it to what it waits for itself
    #[arg(long)]
    #[serde(default)]
    pub cascade: bool,
}

impl Act for Rm {
    const NAME: &'static str = "gate.rm";
    const ACCESS: Access = Access::Destroy;
}

impl Change for Rm {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        let needs = txn.sequence.expect_gate(self.id.as_str())?.depends_on.clone();
        let dependents = txn.dependents(&self.id);
        if !dependents.is_empty() && !self.cascade {
            return Err(Error::HasDependents { id: self.id.clone(), dependents });
        }
        txn.rewire(&self.id, &needs);
        txn.sequence.gates.retain(|gate| gate.id != self.id);
        txn.states.remove(&self.id);
        Ok(Changed::new(format!("removed gate `{}`", self.id), [self.id.clone()].into_iter().chain(dependents)))
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

fn status(txn: &Txn, gate: &Id) -> GateStatus {
    match txn.state(gate) {
        Some(State::Gate(status)) => status,
        _ => GateStatus::Pending,
    }
}

fn decide(txn: &mut Txn, gate: &Id, decision: Decision, note: Option<&String>, verb: &str) -> Result<Changed, Error> {
    txn.sequence.expect_gate(gate.as_str())?;
    let now = status(txn, gate);
    if now != GateStatus::Pending {
        return Err(Error::GateNotPending { gate: gate.clone(), status: now });
    }
    set(txn, gate, decision, note);
    Ok(Changed::new(format!("{verb} gate `{gate}`"), [gate.clone()]))
}

fn set(txn: &mut Txn, gate: &Id, decision: Decision, note: Option<&String>) {
    let status = match decision {
        Decision::Approved => GateStatus::Approved,
        Decision::Blocked => GateStatus::Blocked,
        _ => GateStatus::Pending,
    };
    for gate in txn.sequence.gates.iter_mut().filter(|other| other.id == *gate) {
        gate.note = note.cloned();
    }
    txn.decide(gate, decision, note.cloned(), State::Gate(status));
}
