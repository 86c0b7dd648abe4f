//! What an attempt leaves in the work tree.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Id;

/// A file that a step made.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Where it is, from the project root.
    pub path: String,
    /// How long it is.
    pub bytes: u64,
    /// SHA-256 of its bytes; nothing where there was too much to read, or it went while it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// What diff.patch has in it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffFacts {
    /// How many files changed.
    pub files: u64,
    /// How many lines of text came.
    pub added: u64,
    /// How many lines of text went.
    pub removed: u64,
    /// How long the patch is.
    pub bytes: u64,
}

impl DiffFacts {
    /// In a few words: `2 files, +10 −3`.
    pub fn words(&self) -> String {
        let files = if self.files == 1 { "1 file".to_owned() } else { format!("{} files", self.files) };
        format!("{files}, +{} −{}", self.added, self.removed)
    }
}

/// What an attempt left in the work tree, as status.json has it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Products {
    /// The files that its `artifacts` match, by path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
    /// Whether there were more of them than are kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub artifacts_truncated: bool,
    /// What diff.patch has in it; nothing where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<DiffFacts>,
    /// Whether other steps worked in the same tree meanwhile, so that the diff may have changes of theirs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Which ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared_with: Vec<Id>,
    /// What could not be had, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub product_notes: Vec<String>,
}
