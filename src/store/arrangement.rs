//! How a person arranged the screen of a project: `state/screen.json`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Paths, file};
use crate::{error::Error, model::Id};

/// How the screen of a project is arranged; what is not said is as it comes.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Arrangement {
    /// The cells of the inspector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inspector: Option<u16>,
    /// The rows of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<u16>,
    /// Whether the inspector is a rail.
    pub inspector_folded: bool,
    /// Whether the log is one line.
    pub log_folded: bool,
    /// Whether there is no small map.
    pub no_minimap: bool,
    /// The groups that are one node.
    pub folded_groups: BTreeSet<Id>,
}

impl Arrangement {
    /// What was kept last; as it comes where that cannot be read.
    pub fn read(paths: &Paths) -> Self {
        file::read_json(&paths.state("screen.json")).unwrap_or_default()
    }

    /// Keeps it for the next time.
    pub fn keep(&self, paths: &Paths) -> Result<(), Error> {
        paths.make_folders()?;
        file::replace(&paths.state("screen.json"), &file::pretty(self)?)
    }
}
