//! Changes of dependencies.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act, Change, Changed, Txn};
use crate::{
    error::{Error, list},
    model::Id,
};

/// Make a step or gate wait for others
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Add {
    /// The step or gate that waits
    pub id: Id,
    /// What it waits for
    #[arg(required = true)]
    pub needs: Vec<Id>,
}

impl Act for Add {
    const NAME: &'static str = "dep.add";
    const ACCESS: Access = Access::Change;
}

impl Change for Add {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        for need in &self.needs {
            link(txn, &self.id, need)?;
        }
        Ok(Changed::new(format!("`{}` waits for {}", self.id, list(&self.needs)), [self.id.clone()]))
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

/// Make a step or gate no longer wait for others
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rm {
    /// The step or gate that waits
    pub id: Id,
    /// What it shall not wait for
    #[arg(required = true)]
    pub needs: Vec<Id>,
}

impl Act for Rm {
    const NAME: &'static str = "dep.rm";
    const ACCESS: Access = Access::Change;
}

impl Change for Rm {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        for need in &self.needs {
            let list = needs_of(txn, &self.id)?;
            let at = list.iter().position(|id| id == need);
            let missing = || Error::NotDependent { id: self.id.clone(), dependency: need.clone() };
            list.remove(at.ok_or_else(missing)?);
        }
        Ok(Changed::new(format!("`{}` no longer waits for {}", self.id, list(&self.needs)), [self.id.clone()]))
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

fn needs_of<'a>(txn: &'a mut Txn, id: &Id) -> Result<&'a mut Vec<Id>, Error> {
    let nearest = txn.sequence.nearest(id.as_str());
    let steps = txn.sequence.steps.iter_mut().map(|step| (&step.id, &mut step.depends_on));
    let gates = txn.sequence.gates.iter_mut().map(|gate| (&gate.id, &mut gate.depends_on));
    let mut found = steps.chain(gates).filter(|(other, _)| *other == id).map(|(_, list)| list);
    found.next().ok_or_else(|| Error::NodeNotFound { id: id.to_string(), nearest })
}

/// Makes `id` wait for `need`; nothing new if it does already.
pub(super) fn link(txn: &mut Txn, id: &Id, need: &Id) -> Result<(), Error> {
    txn.expect_node(need)?;
    let list = needs_of(txn, id)?;
    if !list.contains(need) {
        list.push(need.clone());
    }
    Ok(())
}
