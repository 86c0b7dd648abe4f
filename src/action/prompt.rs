//! Looking at prompts, and changing them.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act, Change, Changed, Txn, txn::NewPrompt};
use crate::{error::Error, model::Id};

/// Show the prompt of a step
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Show {
    /// The step
    pub step: Id,
}

impl Act for Show {
    const NAME: &'static str = "prompt.show";
    const ACCESS: Access = Access::Read;
}

/// Write the prompt of a step, where it stands: in its file or in the plan
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Set {
    /// The step
    pub step: Id,
    /// The new text; standard input where neither this nor a file is given
    #[arg(long, conflicts_with = "file")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A file with the new text, `-` for standard input
    #[arg(long, short, value_name = "FILE")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Only if the prompt still has this SHA-256, as `prompt show --json` says it
    #[arg(long, value_name = "SHA")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_unchanged: Option<String>,
}

impl Act for Set {
    const NAME: &'static str = "prompt.set";
    const ACCESS: Access = Access::Change;
}

impl Change for Set {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        let Some(text) = &self.text else {
            return Err(Error::FieldInvalid { field: "text", why: "the new prompt is missing".into() });
        };
        let step = txn.sequence.expect_step(self.step.as_str())?;
        if step.command.is_some() {
            let why = format!("`{}` runs a command and has no prompt; `seqctl step edit {} --unset command`", step.id, step.id);
            return Err(Error::FieldInvalid { field: "step", why });
        }
        let is_inline = step.prompt.is_some();
        if is_inline {
            for step in txn.sequence.steps.iter_mut().filter(|step| step.id == self.step) {
                step.prompt = Some(text.clone());
            }
        }
        txn.prompts.push(NewPrompt {
            step: self.step.clone(),
            text: (!is_inline).then(|| text.clone()),
            if_unchanged: self.if_unchanged.clone(),
            is_new: false,
        });
        Ok(Changed::new(format!("wrote the prompt of `{}`", self.step), [self.step.clone()])
            .then(format!("seqctl run {}", self.step)))
    }

    fn target(&self) -> Option<String> {
        Some(self.step.to_string())
    }
}
