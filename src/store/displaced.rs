//! Texts that a transaction displaced. An editor that had the file open when it was exchanged
//! writes into the displaced one; whoever comes next looks whether that happened.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{FileId, Paths, file, sha256};
use crate::{clock, error::Error};

/// How long a displaced text is watched, in milliseconds.
const WATCHED: i64 = 3_000;

/// How many displaced texts are kept for undo.
const KEPT: usize = 100;

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Watched {
    seq: u64,
    id: FileId,
    sha: String,
    keep: bool,
    at: i64,
}

/// What an editor wrote into a displaced text.
#[derive(Clone, Debug)]
pub struct Late {
    /// The transaction that displaced it.
    pub seq: u64,
    /// What the editor wrote.
    pub bytes: Vec<u8>,
    /// The text before the editor wrote, as SHA-256.
    pub sha: String,
}

fn list(paths: &Paths) -> Vec<Watched> {
    file::read_json(&paths.state("displaced.json")).unwrap_or_default()
}

fn write(paths: &Paths, list: &[Watched]) -> Result<(), Error> {
    let bytes = serde_json::to_vec(list).map_err(|error| Error::internal(error.to_string()))?;
    file::replace(&paths.state("displaced.json"), &bytes)
}

/// Moves a displaced text into the history and watches it from now on.
pub(super) fn keep(paths: &Paths, staged: &Path, seq: u64, keep: bool) -> Result<(), Error> {
    let history = paths.state("history").join(format!("{seq}.yaml"));
    match fs::rename(staged, &history) {
        Ok(()) => {}
        Err(_) if !staged.exists() => return Ok(()),
        Err(error) => return Err(Error::io("keep", history)(error)),
    }
    let Some(bytes) = file::read_if_there(&history)? else { return Ok(()) };
    if let Some(id) = FileId::of(&history) {
        let mut watched = list(paths);
        watched.push(Watched { seq, id, sha: sha256(&bytes), keep, at: clock::now().as_millisecond() });
        write(paths, &watched)?;
    }
    Ok(())
}

/// A file of a change: as it was before, and after. Nothing where it was not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeptFile {
    /// Its content before the change.
    pub before: Option<Vec<u8>>,
    /// Its content after it.
    pub after: Option<Vec<u8>>,
}

/// Where file number `at` of a change is kept as it was before or after.
fn file_place(paths: &Paths, (seq, at): (u64, usize), when: &str) -> PathBuf {
    paths.state("history").join(format!("{seq}.file-{at}.{when}"))
}

/// Keeps a file that a change is about to place, and what stands in its way.
pub(super) fn keep_file(paths: &Paths, number: (u64, usize), staged: &Path, target: &Path) -> Result<(), Error> {
    // What is placed already is kept already.
    let Some(after) = file::read_if_there(staged)? else { return Ok(()) };
    if let Some(before) = file::read_if_there(target)? {
        file::write(&file_place(paths, number, "before"), &before, false)?;
    }
    file::write(&file_place(paths, number, "after"), &after, false)?;
    prune(paths)
}

/// A file that a change placed, if it is kept.
pub fn kept_file(paths: &Paths, number: (u64, usize)) -> Result<Option<KeptFile>, Error> {
    let after = file::read_if_there(&file_place(paths, number, "after"))?;
    let before = file::read_if_there(&file_place(paths, number, "before"))?;
    Ok(after.map(|after| KeptFile { before, after: Some(after) }))
}

/// Looks at the displaced texts once more. Returns those that were written to, and forgets those
/// that are old. Only under the project lock.
pub fn look(paths: &Paths) -> Result<Vec<Late>, Error> {
    let watched = list(paths);
    if watched.is_empty() {
        return Ok(Vec::new());
    }
    let (now, mut late, mut left) = (clock::now().as_millisecond(), Vec::new(), Vec::new());
    for mut entry in watched.iter().cloned() {
        let path = paths.state("history").join(format!("{}.yaml", entry.seq));
        let Some(id) = FileId::of(&path) else { continue };
        if id != entry.id {
            let bytes = file::read_if_there(&path)?.unwrap_or_default();
            let sha = sha256(&bytes);
            if sha != entry.sha {
                late.push(Late { seq: entry.seq, bytes, sha: entry.sha.clone() });
            }
            (entry.id, entry.sha) = (id, sha);
        }
        if now.saturating_sub(entry.at) < WATCHED {
            left.push(entry);
        } else if !entry.keep {
            file::remove(&path)?;
        }
    }
    if left.len() != watched.len() || !late.is_empty() {
        write(paths, &left)?;
        prune(paths)?;
    }
    Ok(late)
}

/// The number of the last change whose displaced text is kept; 0 where none is.
pub fn last_kept(paths: &Paths) -> Result<u64, Error> {
    Ok(kept(paths)?.into_iter().max().unwrap_or(0))
}

fn kept(paths: &Paths) -> Result<Vec<u64>, Error> {
    let names = file::names(&paths.state("history"))?;
    Ok(names.iter().filter_map(|name| name.strip_suffix(".yaml")?.parse().ok()).collect())
}

fn prune(paths: &Paths) -> Result<(), Error> {
    let folder = paths.state("history");
    let names = file::names(&folder)?;
    let seq_of = |name: &str| name.split_once('.').and_then(|(seq, _)| seq.parse::<u64>().ok());
    // Changes that are kept for late saves alone have nothing but their plan.
    let has_text = |name: &str| name.split_once('.').is_some_and(|(_, what)| what != "json");
    let seqs: BTreeSet<u64> = names.iter().filter(|name| has_text(name)).filter_map(|name| seq_of(name)).collect();
    let surplus = seqs.len().saturating_sub(KEPT + list(paths).len());
    let Some(&oldest) = seqs.iter().nth(surplus).filter(|_| surplus > 0) else { return Ok(()) };
    let old = names.iter().filter(|name| seq_of(name).is_some_and(|seq| seq < oldest));
    old.into_iter().try_for_each(|name| file::remove(&folder.join(name)))
}
