//! An approval gate: a point that waits for a person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GateStatus, Id};

/// A gate as it stands in sequence.yaml.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Gate {
    /// Its name in the plan.
    pub id: Id,
    /// What people call it; the id where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What has to be satisfied before it can be decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Id>,
    /// The decision, as the file has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<GateStatus>,
    /// Why it was decided so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Gate {
    /// A pending gate with nothing set.
    pub const fn new(id: Id) -> Self {
        Self { id, name: None, depends_on: Vec::new(), status: None, note: None }
    }

    /// What people call it.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(self.id.as_str())
    }
}
