//! `state/confirmed.json`: what people have confirmed to run, and what orchestrators have added.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Paths, file};
use crate::{error::Error, model::Id};

/// The place from `.threados/`.
const PLACE: &str = "state/confirmed.json";

/// What may run without a question.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Confirmed {
    /// The format.
    pub v: u8,
    /// What was confirmed last of each step.
    #[serde(default)]
    pub steps: BTreeMap<Id, Confirmation>,
    /// The orchestrator that added a step.
    #[serde(default)]
    pub added: BTreeMap<Id, Id>,
}

/// A step as somebody confirmed it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Confirmation {
    /// SHA-256 over what it runs.
    pub sha: String,
    /// The same as it was shown.
    pub work: String,
    /// By whom.
    pub by: String,
    /// RFC 3339.
    pub at: String,
}

impl Confirmed {
    /// What is remembered; nothing where that cannot be read, so that it is asked for again.
    pub fn read(paths: &Paths) -> Self {
        file::read_json::<Self>(&paths.dir.join(PLACE)).filter(|known| known.v <= 1).unwrap_or_default()
    }

    /// Whether a step was confirmed with this hash.
    pub fn covers(&self, step: &Id, sha: &str) -> bool {
        self.steps.get(step).is_some_and(|known| known.sha == sha)
    }

    /// Forgets what is about steps that are no more. A new one of the same name is not the same.
    pub fn retain(&mut self, is_there: impl Fn(&Id) -> bool) {
        self.steps.retain(|step, _| is_there(step));
        self.added.retain(|step, _| is_there(step));
    }

    /// How many orchestrators deep a step was added: 0 for what people made.
    pub fn depth(&self, step: &Id) -> usize {
        // A name that was given again may lead in a circle.
        let above = std::iter::successors(self.added.get(step), |step| self.added.get(*step));
        above.take(self.added.len()).count()
    }

    /// The file and its bytes, for a transaction.
    pub fn to_file(&self) -> Result<(PathBuf, Vec<u8>), Error> {
        Ok((Path::new(PLACE).to_owned(), file::pretty(&Self { v: 1, ..self.clone() })?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_confirms_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path());
        paths.make_folders().unwrap();
        assert_eq!(Confirmed::read(&paths), Confirmed::default());
        let id = |name: &str| name.parse::<Id>().unwrap();
        let mut known = Confirmed::default();
        let confirmation = Confirmation { sha: "x".into(), work: "make".into(), by: "user".into(), at: String::new() };
        known.steps.insert(id("a"), confirmation);
        known.added = [(id("b"), id("a")), (id("c"), id("b")), (id("d"), id("e")), (id("e"), id("d"))].into();
        let (place, bytes) = known.to_file().unwrap();
        std::fs::write(paths.dir.join(&place), bytes).unwrap();
        let read = Confirmed::read(&paths);
        assert!(read.covers(&id("a"), "x") && !read.covers(&id("a"), "y") && !read.covers(&id("b"), "x"));
        assert_eq!([read.depth(&id("a")), read.depth(&id("b")), read.depth(&id("c"))], [0, 1, 2]);
        assert_eq!(read.depth(&id("d")), 4, "a circle ends");
        std::fs::write(paths.dir.join(&place), "{\"v\":1,\"steps\":{\"a\":").unwrap();
        assert_eq!(Confirmed::read(&paths), Confirmed::default());
    }
}
