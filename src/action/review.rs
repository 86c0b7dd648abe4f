//! Deciding what wants a review, and going on with an agent's session.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act, Change, Changed, Txn, run::Options};
use crate::{
    error::Error,
    model::{Decision, Id, State, StepStatus},
};

/// Accept a step that wants a review: it is DONE
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Accept {
    /// The step
    pub id: Id,
    /// Why; kept with the step and in the audit log
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Act for Accept {
    const NAME: &'static str = "review.accept";
    const ACCESS: Access = Access::Decide;
}

impl Change for Accept {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        expect_review(txn, &self.id)?;
        txn.decide(&self.id, Decision::Accept, self.note.clone(), State::Ended(StepStatus::Done));
        Ok(Changed::new(format!("accepted `{}`", self.id), [self.id.clone()]))
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

/// Reject a step that wants a review: it is FAILED, or goes on with a message
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reject {
    /// The step
    pub id: Id,
    /// Why; kept with the step and in the audit log
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Tell its agent what is wrong: it goes on in its session
    #[arg(long, short, value_name = "TEXT", conflicts_with = "note")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub options: Options,
}

impl Act for Reject {
    const NAME: &'static str = "review.reject";
    const ACCESS: Access = Access::Decide;
}

impl Change for Reject {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        expect_review(txn, &self.id)?;
        if self.message.is_some() {
            let why = "with a message it starts a run, which is no change of the plan; leave the message out".into();
            return Err(Error::ActionInvalid { action: Self::NAME.into(), why });
        }
        txn.decide(&self.id, Decision::Reject, self.note.clone(), State::Ended(StepStatus::Failed));
        let again = format!("seqctl restart {}", self.id);
        Ok(Changed::new(format!("rejected `{}`", self.id), [self.id.clone()]).then(again))
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

/// Refuses a step that does not wait for a review.
pub fn expect_review(txn: &Txn, step: &Id) -> Result<(), Error> {
    txn.sequence.expect_step(step.as_str())?;
    let status = match txn.state(step) {
        Some(State::Ended(StepStatus::NeedsReview)) => return Ok(()),
        Some(State::Ended(status)) => status.as_str(),
        Some(State::Running) => StepStatus::Running.as_str(),
        _ => "not run",
    };
    Err(Error::NotInReview { step: step.clone(), status })
}

/// Send a message to a step's agent, in the session of its last attempt
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Continue {
    /// The step
    pub id: Id,
    /// What its agent is told
    #[arg(long, short, value_name = "TEXT")]
    pub message: String,
    #[command(flatten)]
    #[serde(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub options: Options,
}

impl Act for Continue {
    const NAME: &'static str = "continue";
    const ACCESS: Access = Access::Run;
}
