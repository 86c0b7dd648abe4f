//! Groups: steps that run side by side.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act, Change, Changed, Txn, fields::fail_policy};
use crate::{
    error::{Error, list},
    model::{FailPolicy, Id, ThreadType, nearest},
};

/// Make steps run side by side, as one group
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parallelize {
    /// The steps; none may wait for another
    #[arg(required = true)]
    pub ids: Vec<Id>,
    /// Name of the group; `group-1` and so on where absent
    #[arg(long, value_name = "GROUP")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// What a failure means for the group: `fail_fast` or `best_effort`; as its members have it where absent
    #[arg(long, value_name = "POLICY", value_parser = fail_policy)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_policy: Option<FailPolicy>,
}

impl Act for Parallelize {
    const NAME: &'static str = "group.parallelize";
    const ACCESS: Access = Access::Change;
}

impl Change for Parallelize {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        let group = match &self.id {
            Some(group) => group.clone(),
            None => free_name(txn)?,
        };
        for id in &self.ids {
            txn.sequence.expect_step(id.as_str())?;
            txn.refuse_running(id)?;
        }
        let members: Vec<Id> = txn.sequence.group(group.as_str()).map(|step| step.id.clone()).chain(self.ids.clone()).collect();
        refuse_dependent(txn, &group, &members)?;
        let stated = txn.sequence.group(group.as_str()).find_map(|step| step.fail_policy);
        if let Some(policy) = self.fail_policy.or(stated) {
            for step in txn.sequence.steps.iter_mut().filter(|step| members.contains(&step.id)) {
                step.fail_policy = Some(policy);
            }
        }
        for step in txn.sequence.steps.iter_mut().filter(|step| self.ids.contains(&step.id)) {
            step.group_id = Some(group.clone());
            // What is a part of something else stays that.
            if step.kind.is_none_or(|kind| kind == ThreadType::Base) {
                step.kind = Some(ThreadType::P);
            }
        }
        let text = format!("{} {} in group `{group}`", list(&self.ids), if self.ids.len() == 1 { "is" } else { "are" });
        Ok(Changed::new(text, self.ids.clone()).then(format!("seqctl run group {group}")))
    }

    fn target(&self) -> Option<String> {
        self.id.as_ref().or(self.ids.first()).map(Id::to_string)
    }
}

/// A name that no group has.
fn free_name(txn: &Txn) -> Result<Id, Error> {
    // There are not more groups than steps.
    let mut names = (1..=txn.sequence.steps.len() + 1).map(|number| format!("group-{number}"));
    names.find(|name| txn.sequence.group(name).next().is_none()).unwrap_or_default().parse()
}

/// Members of a group run at the same time, so none can wait for another.
fn refuse_dependent(txn: &Txn, group: &Id, members: &[Id]) -> Result<(), Error> {
    let (graph, _) = txn.readiness()?;
    for need in members {
        let after = graph.find(need.as_str()).map(|at| graph.downstream(at)).unwrap_or_default();
        let waits = |id: &&Id| graph.find(id.as_str()).is_some_and(|at| after.contains(&at));
        if let Some(id) = members.iter().find(waits) {
            return Err(Error::GroupDependent { group: group.clone(), id: id.clone(), need: need.clone() });
        }
    }
    Ok(())
}

/// Dissolve a group; its steps stay
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rm {
    /// The group
    pub id: Id,
}

impl Act for Rm {
    const NAME: &'static str = "group.rm";
    const ACCESS: Access = Access::Change;
}

impl Change for Rm {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        let members: Vec<Id> = txn.sequence.group(self.id.as_str()).map(|step| step.id.clone()).collect();
        if members.is_empty() {
            let groups = txn.sequence.steps.iter().filter_map(|step| step.group_id.as_ref()).map(Id::as_str);
            return Err(Error::GroupNotFound { group: self.id.to_string(), nearest: nearest(self.id.as_str(), groups) });
        }
        for id in &members {
            txn.refuse_running(id)?;
        }
        for step in txn.sequence.steps.iter_mut().filter(|step| step.group_id.as_ref() == Some(&self.id)) {
            step.group_id = None;
            // It was the group that made it one.
            step.kind = step.kind.filter(|kind| *kind != ThreadType::P || step.fanout.is_some());
        }
        Ok(Changed::new(format!("dissolved group `{}`: {} stay", self.id, list(&members)), members))
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

/// List the groups with their members
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct List {}

impl Act for List {
    const NAME: &'static str = "group.list";
    const ACCESS: Access = Access::Read;
}
