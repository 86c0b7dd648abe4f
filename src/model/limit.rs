//! What a provider's usage limit means for a step.

use serde::{Deserialize, Serialize};

/// What an attempt's supervisor makes of a usage limit.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLimit {
    /// The step fails.
    #[default]
    Fail,
    /// The step waits until the limit is over.
    Wait,
    /// Another agent takes the step over at once.
    Switch,
}
