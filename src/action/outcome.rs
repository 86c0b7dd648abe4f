//! What a step says of its own end.

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act};

/// Say how a step ends, from inside it
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[command(after_help = "It counts whatever the exit code, and the last word counts. Only steps can say it.")]
pub struct Report {
    /// done, review (a person should look) or fail
    #[arg(value_enum, hide_possible_values = true)]
    pub outcome: Word,
    /// Why; kept with the outcome
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Act for Report {
    const NAME: &'static str = "outcome";
    const ACCESS: Access = Access::Report;
}

/// How a step has ended, in its own words.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// It did what it should.
    Done,
    /// A person should look.
    Review,
    /// It did not.
    Fail,
}
