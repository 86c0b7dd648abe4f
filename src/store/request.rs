//! What steps ask a person for: `state/requests/`, a file each.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Paths, file};
use crate::{
    error::Error,
    model::{Id, Sha},
};

/// Something that a step asked for and may not do by itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The format.
    pub v: u8,
    /// Its name.
    pub id: String,
    /// The step that asks.
    pub step: Id,
    /// The run it is in.
    pub run: String,
    /// Its claim: who is told the answer.
    pub nonce: String,
    /// What it asks for, as entries of `apply`.
    pub actions: Vec<Value>,
    /// The same in words.
    pub what: String,
    /// Why a person has to decide.
    pub why: String,
    /// The steps it is about, as they were: what a yes is given for.
    pub shown: Vec<Shown>,
    /// RFC 3339.
    pub at: String,
    /// What a person said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answered>,
}

/// A step as it was shown.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Shown {
    /// The step.
    pub step: Id,
    /// SHA-256 over what it runs.
    pub sha: Sha,
    /// The same in words.
    pub work: String,
}

/// What a person said.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    /// Yes or no.
    pub approved: bool,
    /// Who.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The run in which it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// RFC 3339.
    pub at: String,
}

impl Request {
    /// Every request, oldest first. What cannot be read asks for nothing.
    pub fn list(paths: &Paths) -> Result<Vec<Self>, Error> {
        let folder = paths.state("requests");
        let names = file::names(&folder)?;
        let read = |name: &String| file::read_json::<Self>(&folder.join(name)).filter(|request| *name == request.name());
        let mut found: Vec<Self> = names.iter().filter_map(read).collect();
        found.sort_by_key(Self::number);
        Ok(found)
    }

    /// The request of that name, or nothing.
    pub fn read(paths: &Paths, id: &str) -> Result<Option<Self>, Error> {
        Ok(Self::list(paths)?.into_iter().find(|request| request.id == id))
    }

    /// The name that goes with the number of an audit entry.
    pub fn id_of(number: u64) -> String {
        format!("r{number}")
    }

    fn number(&self) -> u64 {
        self.id.strip_prefix('r').and_then(|number| number.parse().ok()).unwrap_or(u64::MAX)
    }

    fn name(&self) -> String {
        format!("{}.json", self.id)
    }

    /// Whether it is about a step.
    pub fn is_about(&self, step: &Id) -> bool {
        self.shown.iter().any(|shown| shown.step == *step)
    }

    /// The file and its bytes, for a transaction.
    pub fn to_file(&self) -> Result<(PathBuf, Vec<u8>), Error> {
        Ok((Path::new("state/requests").join(self.name()), file::pretty(self)?))
    }

    /// Removes all answered ones but the newest `keep`. Only under the project lock.
    pub fn prune(paths: &Paths, keep: usize) -> Result<(), Error> {
        let answered: Vec<Self> = Self::list(paths)?.into_iter().filter(|request| request.answer.is_some()).collect();
        let old = answered.iter().rev().skip(keep);
        old.map(|request| paths.state("requests").join(request.name())).try_for_each(|path| file::remove(&path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(number: u64, approved: Option<bool>) -> Request {
        let answer = approved.map(|approved| Answered { approved, by: "user".into(), note: None, run: None, at: String::new() });
        Request {
            v: 1,
            id: Request::id_of(number),
            step: "lead".parse().unwrap(),
            run: "r".into(),
            nonce: "n".into(),
            actions: Vec::new(),
            what: String::new(),
            why: String::new(),
            shown: Vec::new(),
            at: String::new(),
            answer,
        }
    }

    #[test]
    fn they_are_listed_by_age_and_only_answers_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path());
        paths.make_folders().unwrap();
        for (number, answer) in [(9, None), (10, Some(true)), (100, Some(false)), (11, Some(true))] {
            let (place, bytes) = request(number, answer).to_file().unwrap();
            std::fs::write(paths.dir.join(place), bytes).unwrap();
        }
        std::fs::write(paths.state("requests").join("r12.json"), "{\"v\":1").unwrap();
        let ids = || Request::list(&paths).unwrap().into_iter().map(|request| request.id).collect::<Vec<_>>();
        assert_eq!(ids(), ["r9", "r10", "r11", "r100"]);
        assert!(Request::read(&paths, "../confirmed").unwrap().is_none());
        Request::prune(&paths, 1).unwrap();
        assert_eq!(ids(), ["r9", "r100"]);
    }
}
