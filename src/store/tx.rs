//! The two halves of a transaction around its commit (the audit line): staging what it will do,
//! and doing it, any number of times, by anyone.

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, RenameFlags},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FileId, Paths, Record, RunnerFile, Stamp, displaced, file, paths::make_private, sha256};
use crate::{error::Error, fault, model::Id};

/// What a transaction does, apart from the texts that are staged beside it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Plan {
    /// The format.
    pub v: u8,
    /// SHA-256 of sequence.yaml before; nothing where there was none.
    pub pre_sha: Option<String>,
    /// SHA-256 of sequence.yaml after; nothing where the file stays as it is.
    pub post_sha: Option<String>,
    /// The actions as `apply` takes them, to repeat them on what somebody saved in between.
    pub actions: Vec<Value>,
    /// The statuses it writes; nothing removes one.
    pub statuses: Vec<(Id, Option<String>)>,
    /// The records it makes.
    pub records: Vec<Id>,
    /// The leases it commits, by their nonce.
    pub leases: Vec<(Id, String)>,
    /// The stop requests it makes: the step, and the request's JSON.
    pub stops: Vec<(Id, Value)>,
    /// The files it places, relative to `.threados/`.
    pub files: Vec<PathBuf>,
    /// The files it takes away, relative to `.threados/`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removes: Vec<PathBuf>,
    /// The runs it opens.
    pub opens: Vec<String>,
    /// Whether undo needs the text it displaces.
    pub keep: bool,
}

/// The texts of a transaction.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// The new sequence.yaml.
    pub sequence: Option<Vec<u8>>,
    /// One a record, in the plan's order.
    pub records: Vec<Vec<u8>>,
    /// One a file, in the plan's order.
    pub files: Vec<Vec<u8>>,
}

fn folder(paths: &Paths, seq: u64) -> PathBuf {
    paths.state("tx").join(seq.to_string())
}

/// Puts everything a transaction will do where whoever comes next can finish it; with `sync`
/// down to the disk.
pub fn stage(paths: &Paths, seq: u64, plan: &Plan, texts: &Texts, sync: bool) -> Result<(), Error> {
    let folder = folder(paths, seq);
    if folder.exists() {
        // What an earlier process staged under this number was never committed.
        discard(paths, seq)?;
    }
    make_private(&folder)?;
    if let Some(text) = &texts.sequence {
        fault::write("tx.stage").map_err(Error::io("write", &folder))?;
        file::write(&folder.join("sequence.yaml"), text, sync)?;
    }
    for (at, text) in texts.records.iter().enumerate() {
        file::write(&folder.join(format!("record-{at}")), text, sync)?;
    }
    for (at, text) in texts.files.iter().enumerate() {
        file::write(&folder.join(format!("file-{at}")), text, sync)?;
    }
    fault::point("tx.before_plan");
    file::write(&folder.join("plan.json"), &file::pretty(plan)?, sync)?;
    if sync {
        file::sync_folder(&folder)?;
    }
    fault::point("tx.staged");
    Ok(())
}

/// The numbers of the transactions that are staged.
pub fn pending(paths: &Paths) -> Result<Vec<u64>, Error> {
    Ok(file::names(&paths.state("tx"))?.iter().filter_map(|name| name.parse().ok()).collect())
}

/// What a transaction has not put in its place yet.
#[derive(Debug, Default)]
pub struct Staged {
    /// SHA-256 of the sequence.yaml that it replaces.
    pub pre_sha: Option<String>,
    /// The new sequence.yaml.
    pub text: Option<Vec<u8>>,
    /// The new records.
    pub records: Vec<(Id, Record)>,
}

/// What transaction `seq` has not put in its place yet, for a reader who may change nothing.
pub fn staged(paths: &Paths, seq: u64) -> Staged {
    let tx = folder(paths, seq);
    let Some(plan) = file::read_json::<Plan>(&tx.join("plan.json")) else { return Staged::default() };
    let read = |name: &str| file::read_if_there(&tx.join(name)).ok().flatten();
    let record = |(at, id): (usize, &Id)| Some((id.clone(), Record::parse(&read(&format!("record-{at}"))?)));
    Staged {
        text: read("sequence.yaml").filter(|bytes| Some(sha256(bytes)) == plan.post_sha),
        records: plan.records.iter().enumerate().filter_map(record).collect(),
        pre_sha: plan.pre_sha,
    }
}

/// Takes a staged transaction back that was not committed.
pub fn discard(paths: &Paths, seq: u64) -> Result<(), Error> {
    match fs::remove_dir_all(folder(paths, seq)) {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => file::remove(&folder(paths, seq)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", folder(paths, seq))(error)),
        _ => Ok(()),
    }
}

/// What came out of finishing a transaction.
#[derive(Debug, Default)]
pub struct Finished {
    /// What a person should know: their save met ours.
    pub warnings: Vec<String>,
    /// Whether sequence.yaml holds something else than what was staged.
    pub merged: bool,
    /// Where the change is that does not fit what somebody saved, and why it does not.
    pub conflict: Option<(String, String)>,
}

/// How a transaction is repeated on what somebody saved in between: their bytes in, the merged
/// bytes and warnings out. An error means that it cannot be; then theirs stay.
pub type Repeat<'a> = &'a dyn Fn(&Plan, &[u8]) -> Result<(Vec<u8>, Vec<String>), Error>;

/// Who finishes a transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum By {
    /// Who committed it, and has held the project lock ever since.
    Committer,
    /// Whoever found it.
    Finder,
}

/// Does what transaction `seq` says, as far as it is not done yet. Nothing to do where its folder
/// is gone.
pub fn finish(paths: &Paths, seq: u64, by: By, repeat: Repeat<'_>) -> Result<Finished, Error> {
    let tx = folder(paths, seq);
    let mut plan: Plan = match file::json_if_there(&tx.join("plan.json")) {
        Ok(Some(plan)) => plan,
        Ok(None) => {
            // Killed while it was cleaned up: the plan goes last but for the folder.
            discard(paths, seq)?;
            return Ok(Finished::default());
        }
        Err(error) => return set_aside(paths, seq, &error),
    };
    for (at, target) in plan.files.iter().enumerate() {
        let (staged, target) = (tx.join(format!("file-{at}")), paths.dir.join(target));
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(Error::io("make the folder", parent))?;
        }
        if !plan.actions.is_empty() {
            displaced::keep_file(paths, (seq, at), &staged, &target)?;
        }
        move_if_there(&staged, &target)?;
    }
    plan.removes.iter().try_for_each(|path| file::remove(&paths.dir.join(path)))?;
    for run in &plan.opens {
        RunnerFile::create(paths, run)?;
    }
    fault::point("tx.files_placed");
    // Decisions before the text: a reader who sees the new record and the old text is right.
    for (at, id) in plan.records.iter().enumerate() {
        move_record(&tx.join(format!("record-{at}")), &paths.last(id.as_str()))?;
    }
    fault::point("tx.records_placed");
    let mut finished = Finished::default();
    if plan.post_sha.is_some() {
        place_text(paths, &tx, seq, &mut plan, repeat, &mut finished)?;
    }
    fault::point("tx.text_placed");
    for (step, request) in &plan.stops {
        request_stop(paths, step, request)?;
    }
    commit_leases(paths, &plan.leases, by)?;
    fault::point("tx.leases_moved");
    displaced::keep(paths, &tx.join("sequence.yaml"), seq, plan.keep)?;
    if !plan.actions.is_empty() {
        // A late save into an older text has to be given this change too.
        file::write(&paths.state("history").join(format!("{seq}.json")), &file::pretty(&plan)?, false)?;
    }
    fault::point("tx.history_kept");
    discard(paths, seq)?;
    fault::point("tx.cleaned");
    Ok(finished)
}

/// Keeps what is left of a committed transaction whose plan is damaged, so that the next can be made.
fn set_aside(paths: &Paths, seq: u64, why: &Error) -> Result<Finished, Error> {
    let place = paths.state("conflicts").join(format!("{seq}-damaged"));
    fs::rename(folder(paths, seq), &place).map_err(Error::io("keep", &place))?;
    let place = paths.show(&place).to_string();
    let warning = format!("change {seq} was committed and cannot be carried out ({why}); what is left of it is in {place}");
    Ok(Finished { warnings: vec![warning], merged: true, conflict: None })
}

fn move_if_there(from: &Path, to: &Path) -> Result<(), Error> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("place", to)(error)),
        _ => Ok(()),
    }
}

/// The same for records, where no folder has a business to be.
fn move_record(from: &Path, to: &Path) -> Result<(), Error> {
    match move_if_there(from, to) {
        Err(_) if to.is_dir() => {
            file::put_aside(to)?;
            move_if_there(from, to)
        }
        moved => moved,
    }
}

fn request_stop(paths: &Paths, step: &Id, request: &Value) -> Result<(), Error> {
    let lease = Record::read(&paths.lease(step.as_str()))?;
    let meant = request.get("nonce").and_then(Value::as_str);
    if lease.as_ref().and_then(Record::nonce).is_some_and(|nonce| Some(nonce) == meant) {
        file::replace(&paths.stop_request(step.as_str()), &file::pretty(request)?)?;
    }
    Ok(())
}

fn commit_leases(paths: &Paths, leases: &[(Id, String)], by: By) -> Result<(), Error> {
    if leases.is_empty() {
        return Ok(());
    }
    let there: HashSet<String> = file::names(&paths.state("active"))?.into_iter().collect();
    for (step, nonce) in leases.iter().filter(|(step, _)| there.contains(step.as_str())) {
        let path = paths.lease(step.as_str());
        // Later there may be a later claim of the step, which is not meant.
        if by == By::Committer || Record::read(&path)?.as_ref().and_then(Record::nonce) == Some(nonce) {
            move_record(&path, &paths.last(step.as_str()))?;
            for beside in [paths.stop_request(step.as_str()), paths.allowance(step.as_str())] {
                if beside.file_name().and_then(OsStr::to_str).is_some_and(|name| there.contains(name)) {
                    file::remove(&beside)?;
                }
            }
        }
    }
    Ok(())
}

/// Exchanges the staged text with sequence.yaml, and what comes out with itself until it is what
/// was expected: whatever somebody saved in between is theirs and goes back in, merged.
fn place_text(
    paths: &Paths,
    tx: &Path,
    seq: u64,
    plan: &mut Plan,
    repeat: Repeat<'_>,
    finished: &mut Finished,
) -> Result<(), Error> {
    let (staged, target) = (tx.join("sequence.yaml"), real_path(&paths.sequence()));
    let mut placed = None;
    while let Some(mut bytes) = file::read_if_there(&staged)? {
        // Exchanging twice would take the change back, so the staged bytes decide what is left to do.
        if Some(sha256(&bytes)) == plan.post_sha {
            fault::point("tx.before_exchange");
            placed = FileId::of(&staged);
            exchange(&staged, &target)?;
            fault::point("tx.exchanged");
            match file::read_if_there(&staged)? {
                Some(displaced) => bytes = displaced,
                None => break,
            }
        }
        let sha = Some(sha256(&bytes));
        if sha == plan.pre_sha || sha == plan.post_sha {
            break;
        }
        finished.merged = true;
        let ours = plan.post_sha.take();
        let next = match repeat(plan, &bytes) {
            Ok((merged, warnings)) => {
                finished.warnings.extend(warnings);
                merged
            }
            Err(error) => {
                let conflict = paths.state("conflicts").join(format!("{seq}.yaml"));
                let text = fs::read(&target).map_err(Error::io("read", &target))?;
                file::write(&conflict, &text, true)?;
                finished.conflict = Some((paths.show(&conflict).to_string(), error.to_string()));
                bytes
            }
        };
        plan.pre_sha = ours;
        plan.post_sha = Some(sha256(&next));
        let fresh = tx.join("sequence.new");
        file::write(&fresh, &next, true)?;
        file::replace(&tx.join("plan.json"), &file::pretty(plan)?)?;
        fault::point("tx.repeated");
        fs::rename(&fresh, &staged).map_err(Error::io("replace", &staged))?;
    }
    if let Some(sha) = plan.post_sha.clone()
        && let Some(stamp) = Stamp::take(&target, sha)
        && is_ours(&stamp, placed, &target)?
    {
        stamp.write(paths)?;
    }
    Ok(())
}

/// Whether what stands at `target` is what we put there: a save right after the exchange is not ours
/// to vouch for.
fn is_ours(stamp: &Stamp, placed: Option<FileId>, target: &Path) -> Result<bool, Error> {
    match placed {
        Some(placed) if stamp.id.has_same_content(&placed) => Ok(true),
        _ => Ok(file::read_if_there(target)?.is_some_and(|bytes| sha256(&bytes) == stamp.sha)),
    }
}

/// Where a path leads through links, whether anything stands there or not.
fn real_path(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.into())
}

/// Afterwards the staged bytes are at `target`, and at `staged` is what stood there, if anything.
fn exchange(staged: &Path, target: &Path) -> Result<(), Error> {
    if let Ok(meta) = fs::metadata(target) {
        let mode = fs::Permissions::from_mode(meta.permissions().mode());
        fs::set_permissions(staged, mode).map_err(Error::io("set the mode of", staged))?;
    } else {
        let _ = fs::set_permissions(staged, fs::Permissions::from_mode(0o644));
        match rustix::fs::renameat_with(CWD, staged, CWD, target, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(()),
            Err(Errno::EXIST) => {}
            Err(_) => return fs::rename(staged, target).map_err(Error::io("place", target)),
        }
    }
    match rustix::fs::renameat_with(CWD, staged, CWD, target, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        Err(Errno::BUSY | Errno::XDEV) => overwrite(staged, target),
        // No exchange on this file system: keep a copy, then replace.
        Err(_) => {
            let copy = staged.with_extension("displaced");
            fs::copy(target, &copy).map_err(Error::io("copy", target))?;
            fs::rename(staged, target).map_err(Error::io("replace", target))?;
            fs::rename(&copy, staged).map_err(Error::io("keep", &copy))
        }
    }
}

/// A bind mount cannot be renamed over, and a link may lead to another file system: the target
/// is written in place, with a copy of what stood there.
fn overwrite(staged: &Path, target: &Path) -> Result<(), Error> {
    let theirs = fs::read(target).map_err(Error::io("read", target))?;
    let ours = fs::read(staged).map_err(Error::io("read", staged))?;
    let copy = staged.with_extension("displaced");
    file::write(&copy, &theirs, true)?;
    fs::write(target, ours).map_err(Error::io("write", target))?;
    fs::rename(&copy, staged).map_err(Error::io("keep", &copy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path());
        paths.make_folders().unwrap();
        fs::write(paths.sequence(), "old").unwrap();
        (folder, paths)
    }

    fn plan() -> Plan {
        Plan { v: 1, pre_sha: Some(sha256(b"old")), post_sha: Some(sha256(b"new")), ..Plan::default() }
    }

    fn stage_new(paths: &Paths) {
        stage(paths, 1, &plan(), &Texts { sequence: Some(b"new".to_vec()), ..Texts::default() }, true).unwrap();
    }

    #[expect(clippy::unnecessary_wraps, reason = "a repetition may fail, this one does not")]
    fn merge(_: &Plan, theirs: &[u8]) -> Result<(Vec<u8>, Vec<String>), Error> {
        Ok(([theirs, b"+new"].concat(), vec!["merged".into()]))
    }

    #[test]
    fn finishing_twice_is_finishing_once() {
        let (_folder, paths) = project();
        stage_new(&paths);
        finish(&paths, 1, By::Finder, &merge).unwrap();
        assert!(finish(&paths, 1, By::Finder, &merge).unwrap().warnings.is_empty());
        assert_eq!(fs::read(paths.sequence()).unwrap(), b"new");
    }

    #[test]
    fn a_save_in_between_is_merged() {
        let (_folder, paths) = project();
        stage_new(&paths);
        fs::write(paths.sequence(), "theirs").unwrap();
        let finished = finish(&paths, 1, By::Finder, &merge).unwrap();
        assert!(finished.merged);
        assert_eq!(fs::read(paths.sequence()).unwrap(), b"theirs+new");
        assert_eq!(Stamp::read(&paths).unwrap().sha, sha256(b"theirs+new"));
    }

    #[test]
    fn what_does_not_merge_stays_theirs() {
        let (_folder, paths) = project();
        stage_new(&paths);
        fs::write(paths.sequence(), "broken").unwrap();
        let finished = finish(&paths, 1, By::Finder, &|_, _| Err(Error::internal("no"))).unwrap();
        assert!(finished.conflict.is_some());
        assert_eq!(fs::read(paths.sequence()).unwrap(), b"broken");
        assert_eq!(fs::read(paths.state("conflicts").join("1.yaml")).unwrap(), b"new");
    }

    #[test]
    fn a_vanished_file_is_made_anew() {
        let (_folder, paths) = project();
        stage_new(&paths);
        fs::remove_file(paths.sequence()).unwrap();
        finish(&paths, 1, By::Finder, &merge).unwrap();
        assert_eq!(fs::read(paths.sequence()).unwrap(), b"new");
    }

    #[test]
    fn a_link_stays_a_link() {
        let (folder, paths) = project();
        let real = folder.path().join("real.yaml");
        fs::rename(paths.sequence(), &real).unwrap();
        std::os::unix::fs::symlink(&real, paths.sequence()).unwrap();
        stage_new(&paths);
        finish(&paths, 1, By::Finder, &merge).unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(paths.sequence()).unwrap().is_symlink());
    }
}
