//! Templates: looking at them, and making parts of a plan from them.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act, Change, Changed, Txn, txn::NewPrompt};
use crate::{
    error::{Error, count, list},
    model::Id,
    template::Made,
};

/// List the templates, with what can be given to them
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct List {}

impl Act for List {
    const NAME: &'static str = "template.list";
    const ACCESS: Access = Access::Read;
}

/// Print a template; a good start for one of your own
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Show {
    /// The template
    pub name: String,
}

impl Act for Show {
    const NAME: &'static str = "template.show";
    const ACCESS: Access = Access::Read;
}

/// Make steps, gates and prompts from a template
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Apply {
    /// The template: base, parallel, chained, fusion, orchestrated, long-autonomy, or one of .threados/templates/
    pub name: String,
    /// What every id begins with, like `login` for `login-plan`
    #[arg(long, value_name = "ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Id>,
    /// Steps and gates that have to be satisfied before any of it starts
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Id>,
    /// What is to be done
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// How many workers or steps there are
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The agent, or agent/its-model
    #[arg(long, visible_alias = "agent")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The agents of a fusion
    #[arg(long, value_name = "AGENT", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents: Option<Vec<String>>,
    /// What a gate comes after; an empty text for no gates
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gates: Option<Vec<String>>,
    /// Longest time an attempt may take, like 45m
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// Whether a last step merges the results
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<bool>,
    /// Any parameter of the template
    #[arg(long, value_name = "NAME=VALUE")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// Show what would change and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// What the template makes; worked out from its file where absent
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
}

impl Apply {
    /// The parameters that were given, with their values as text.
    pub fn given(&self) -> Result<Vec<(String, String)>, Error> {
        let joined = |list: &Option<Vec<String>>| list.as_ref().map(|list| list.join(","));
        let named = [
            ("task", self.task.clone()),
            ("count", self.count.map(|count| count.to_string())),
            ("model", self.model.clone()),
            ("agents", joined(&self.agents)),
            ("gates", joined(&self.gates)),
            ("timeout", self.timeout.clone()),
            ("merge", self.merge.map(|merge| merge.to_string())),
        ];
        let mut given: Vec<_> = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        for pair in &self.set {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| Error::FieldInvalid { field: "set", why: format!("`{pair}` is not NAME=VALUE") })?;
            given.push((name.to_owned(), value.to_owned()));
        }
        Ok(given)
    }
}

impl Act for Apply {
    const NAME: &'static str = "template.apply";
    const ACCESS: Access = Access::Change;
}

impl Change for Apply {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        let made = self.made.as_ref().ok_or_else(|| Error::TemplateNotFound { template: self.name.clone(), nearest: None })?;
        put(txn, made, &self.after)?;
        let ids: Vec<Id> = made.ids().cloned().collect();
        let gates = match made.gates.len() {
            0 => String::new(),
            gates => format!(" and {}", count(gates, "gate")),
        };
        let text = format!("made {}{gates} from `{}`: {}", count(made.steps.len(), "step"), self.name, list(&ids));
        let mut changed = Changed::new(text, ids);
        if let Some(prompt) = made.prompts.first().filter(|_| self.task.is_none()) {
            changed = changed.then(format!("seqctl prompt edit {}", prompt.step));
        }
        Ok(changed.then("seqctl run"))
    }

    fn target(&self) -> Option<String> {
        Some(self.name.clone())
    }
}

/// Puts what was made into the plan; nothing of it may be there already.
pub(super) fn put(txn: &mut Txn, made: &Made, after: &[Id]) -> Result<(), Error> {
    let taken: Vec<Id> = made.ids().filter(|id| txn.sequence.contains(id.as_str())).cloned().collect();
    if !taken.is_empty() {
        return Err(Error::IdsTaken { ids: taken });
    }
    // Two templates side by side must not become one group.
    let group = made.steps.iter().filter_map(|step| step.group_id.as_ref());
    if let Some(group) = group.into_iter().find(|group| txn.sequence.group(group.as_str()).next().is_some()) {
        return Err(Error::IdsTaken { ids: vec![group.clone()] });
    }
    for id in after {
        txn.expect_node(id)?;
    }
    txn.sequence.steps.extend(made.steps.iter().cloned());
    txn.sequence.gates.extend(made.gates.iter().cloned());
    txn.prompts.extend(made.prompts.iter().map(|prompt| NewPrompt {
        step: prompt.step.clone(),
        text: Some(prompt.text.clone()),
        if_unchanged: None,
        is_new: true,
    }));
    Ok(())
}
