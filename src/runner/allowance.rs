//! What was added to the time of an attempt. Its supervisor looks at it when the time is over, so that
//! it does not matter who asked, or whether anybody is left to tell.

use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    store::{Paths, file},
};

/// `state/active/<step>.time`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Allowance {
    /// The format.
    pub v: u8,
    /// The claim that is meant.
    pub nonce: String,
    /// The attempt that is meant; the next one begins anew.
    pub attempt: u32,
    /// All that was added, in milliseconds.
    pub added_ms: u64,
    /// Whether it was said that the time is nearly over.
    pub warned: bool,
}

impl Allowance {
    /// What an attempt of a step's claim was given; nothing added where nobody did.
    pub fn read(paths: &Paths, step: &str, nonce: &str, attempt: u32) -> Self {
        file::read_json::<Self>(&paths.allowance(step))
            .filter(|found| found.nonce == nonce && found.attempt == attempt)
            .unwrap_or_else(|| Self { v: 1, nonce: nonce.into(), attempt, added_ms: 0, warned: false })
    }

    /// Puts it where the supervisor finds it. Only under the project lock.
    pub fn write(&self, paths: &Paths, step: &str) -> Result<(), Error> {
        file::replace(&paths.allowance(step), &file::pretty(self)?)
    }
}
