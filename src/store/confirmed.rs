//! `state/confirmed.json`: what people have confirmed to run, and what orchestrators have added.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Paths, file};
use crate::{
    error::Error,
    model::{Id, Sha},
};

/// The place from `.threados/`.
const PLACE: &str = "state/confirmed.json";

/// What may run without a question. `C` is what is wanted of each confirmation: a runner keeps [`Covered`] alone.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Confirmed<C = Confirmation> {
    /// The format.
    pub v: u8,
    /// What was confirmed last of each step.
    #[serde(default = "BTreeMap::new")]
    pub steps: BTreeMap<Id, C>,
    /// The orchestrator that added a step.
    #[serde(default)]
    pub added: BTreeMap<Id, Id>,
}

/// A step as somebody confirmed it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Confirmation {
    /// SHA-256 over what it runs.
    pub sha: Sha,
    /// The same as it was shown.
    pub work: String,
    /// By whom.
    pub by: String,
    /// RFC 3339.
    pub at: String,
}

/// What of a [`Confirmation`] decides.
#[derive(Clone, Debug, Deserialize)]
pub struct Covered {
    sha: Sha,
}

impl<C: DeserializeOwned> Confirmed<C> {
    /// What is remembered; nothing where that cannot be read, so that it is asked for again.
    pub fn read(paths: &Paths) -> Self {
        file::read_json::<Self>(&paths.dir.join(PLACE)).filter(|known| known.v <= 1).unwrap_or(Self {
            v: 0,
            steps: BTreeMap::new(),
            added: BTreeMap::new(),
        })
    }
}

impl<C> Confirmed<C> {
    /// How many orchestrators deep a step was added: 0 for what people made.
    pub fn depth(&self, step: &Id) -> usize {
        // A name that was given again may lead in a circle.
        let above = std::iter::successors(self.added.get(step), |step| self.added.get(*step));
        above.take(self.added.len()).count()
    }
}

impl Confirmed<Covered> {
    /// Whether a step was confirmed with this hash.
    pub fn covers(&self, step: &Id, sha: Sha) -> bool {
        self.steps.get(step).is_some_and(|known| known.sha == sha)
    }
}

impl Confirmed {
    /// Forgets what is about steps that are no more. A new one of the same name is not the same.
    pub fn retain(&mut self, is_there: impl Fn(&Id) -> bool) {
        self.steps.retain(|step, _| is_there(step));
        self.added.retain(|step, _| is_there(step));
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
        let read = || Confirmed::<Covered>::read(&paths);
        let mut known = Confirmed::<Confirmation>::read(&paths);
        assert!(known.steps.is_empty() && known.added.is_empty());
        let id = |name: &str| name.parse::<Id>().unwrap();
        let [x, y] = ["x", "y"].map(|text| Sha::of(text.as_bytes()));
        let confirmation = Confirmation { sha: x, work: "make".into(), by: "user".into(), at: String::new() };
        known.steps.insert(id("a"), confirmation);
        known.added = [(id("b"), id("a")), (id("c"), id("b")), (id("d"), id("e")), (id("e"), id("d"))].into();
        let (place, bytes) = known.to_file().unwrap();
        std::fs::write(paths.dir.join(&place), bytes).unwrap();
        let found = read();
        assert!(found.covers(&id("a"), x) && !found.covers(&id("a"), y) && !found.covers(&id("b"), x));
        assert_eq!([found.depth(&id("a")), found.depth(&id("b")), found.depth(&id("c"))], [0, 1, 2]);
        assert_eq!(found.depth(&id("d")), 4, "a circle ends");
        assert_eq!(Confirmed::read(&paths), Confirmed { v: 1, ..known });
        std::fs::write(paths.dir.join(&place), "{\"v\":1,\"steps\":{\"a\":").unwrap();
        assert!(!read().covers(&id("a"), x) && read().added.is_empty());
    }
}
