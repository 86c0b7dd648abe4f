//! What an attempt changed in a git work tree, as a patch. The user's index, objects, hooks and configuration are
//! only read: everything is written beside the attempt, and removed again.

use std::{
    env, fs,
    io::{self, Read as _},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::SpecFile;
use crate::{
    error::Error,
    model::{DiffFacts, Id, Products},
    store::{Paths, Record, active, file},
};

/// The largest patch that is kept, in bytes. Of a larger one nothing is: half a patch cannot be applied.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The folder in an attempt's that holds its index and objects while it goes on.
const BASE: &str = "base";

/// What a repository or a user can set that would run something, or would write something else than a patch.
const SETTINGS: [&str; 5] =
    ["core.hooksPath=/dev/null", "core.fsmonitor=false", "core.splitIndex=false", "core.quotePath=true", "gc.auto=0"];

/// A work tree, looked at through an index of our own.
pub(super) struct WorkTree {
    top: PathBuf,
    /// Where our index and objects are.
    base: PathBuf,
    /// The `.threados/` that is left out.
    threados: PathBuf,
}

impl WorkTree {
    /// The work tree that `cwd` is in; nothing where there is none, or no git. Makes its index and objects
    /// in the attempt's folder where they are not there yet.
    fn open(paths: &Paths, cwd: &Path, folder: &Path) -> io::Result<Option<Self>> {
        if !cwd.ancestors().any(|above| above.join(".git").exists()) {
            return Ok(None);
        }
        let base = folder.join(BASE);
        let ask = ["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-path", "index", "--git-path", "objects"];
        let Ok(answer) = git(cwd).args(ask).stderr(Stdio::null()).output() else { return Ok(None) };
        let text = String::from_utf8_lossy(&answer.stdout);
        let (true, [top, index, objects]) = (answer.status.success(), &text.lines().map(Path::new).collect::<Vec<_>>()[..])
        else {
            return Ok(None);
        };
        if !base.is_dir() {
            fs::create_dir_all(base.join("objects/info"))?;
            fs::write(base.join("objects/info/alternates"), [objects.as_os_str().as_bytes(), b"\n"].concat())?;
            match fs::copy(index, base.join("index")) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                // A repository without a commit may have none.
                _ => {}
            }
        }
        let threados = paths.dir.canonicalize().unwrap_or_else(|_| paths.dir.clone());
        Ok(Some(Self { top: top.into(), base, threados }))
    }

    fn git(&self) -> Command {
        let mut git = git(&self.top);
        git.env("GIT_INDEX_FILE", self.base.join("index")).env("GIT_OBJECT_DIRECTORY", self.base.join("objects"));
        git
    }

    /// The tree as it is now, by its id. Files that did not change since the last time are not read.
    fn tree(&self) -> io::Result<String> {
        let mut add = self.git();
        add.args(["add", "--all", "--", "."]);
        if let Ok(inner) = self.threados.strip_prefix(&self.top) {
            add.arg(format!(":(top,exclude,literal){}", inner.display()));
        }
        output(&mut add)?;
        Ok(output(self.git().arg("write-tree"))?.trim().to_owned())
    }
}

/// Takes note of the work tree as it is before the step begins.
pub(super) fn begin(paths: &Paths, cwd: &Path, folder: &Path) -> io::Result<()> {
    discard(folder);
    let Some(tree) = WorkTree::open(paths, cwd, folder)? else { return Ok(()) };
    let id = tree.tree()?;
    fs::write(folder.join(BASE).join("tree"), id)
}

/// Takes note that the work tree could not be looked at in time; the end then says so.
pub(super) fn give_up(folder: &Path) {
    discard(folder);
    // Without it nothing is said of a diff that is missing, which is no more than a pity.
    let _ = fs::create_dir(folder.join(BASE));
}

/// Removes what [`begin`] left.
pub(super) fn discard(folder: &Path) {
    let _ = fs::remove_dir_all(folder.join(BASE));
}

/// Writes diff.patch: what changed in the work tree since [`begin`]. Nothing where nothing did.
pub(super) fn end(paths: &Paths, cwd: &Path, folder: &Path, products: &mut Products) -> Result<Option<PathBuf>, String> {
    if !folder.join(BASE).is_dir() {
        return Ok(None);
    }
    let late = || "the work tree could not be looked at before the step began".to_owned();
    let before = fs::read_to_string(folder.join(BASE).join("tree")).map_err(|_| late())?;
    let open = WorkTree::open(paths, cwd, folder).map_err(|error| error.to_string())?;
    let tree = open.ok_or("the work tree is gone")?;
    let after = tree.tree().map_err(|error| error.to_string())?;
    if after != before {
        products.diff = patch(&tree, &[&before, &after], &folder.join("diff.patch"))?;
    }
    Ok(Some(tree.top))
}

fn patch(tree: &WorkTree, trees: &[&str; 2], to: &Path) -> Result<Option<DiffFacts>, String> {
    let diff = |how: &[&str]| {
        let mut git = tree.git();
        git.args(["diff-tree", "-r", "--no-relative", "--no-ext-diff", "--no-textconv", "--no-color", "-M"])
            .args(how)
            .args(trees);
        git
    };
    let written = |error: io::Error| format!("diff.patch could not be written: {error}");
    let form = ["--patch", "--binary", "--full-index", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/", "-U3"];
    let mut child = diff(&form).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(written)?;
    let temporary = to.with_file_name(".diff.patch");
    let mut file = file::create_private(&temporary).map_err(written)?;
    let bytes = match child.stdout.take().map(|out| io::copy(&mut out.take(LARGEST + 1), &mut file)) {
        Some(Ok(bytes)) => bytes,
        Some(Err(error)) => return Err(written(error)),
        None => 0,
    };
    // Whoever has more to say than is kept ends by its closed pipe.
    let is_whole = child.wait().is_ok_and(|status| status.success()) && bytes <= LARGEST;
    if !is_whole || bytes == 0 {
        let _ = fs::remove_file(&temporary);
        let limit = LARGEST >> 20;
        let why = if bytes > LARGEST { format!("the diff is longer than {limit} MiB") } else { "git made no diff".to_owned() };
        return if bytes == 0 && is_whole { Ok(None) } else { Err(why) };
    }
    fs::rename(&temporary, to).map_err(written)?;
    let mut facts = DiffFacts { bytes, ..DiffFacts::default() };
    for line in output(&mut diff(&["--numstat"])).map_err(|error| error.to_string())?.lines() {
        let mut numbers = line.split('\t').map(|number| number.parse::<u64>().unwrap_or(0));
        facts.files += 1;
        facts.added += numbers.next().unwrap_or(0);
        facts.removed += numbers.next().unwrap_or(0);
    }
    Ok(Some(facts))
}

/// git in a folder, that asks nobody and takes nothing from the environment of whoever started us.
fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    for (name, _) in env::vars_os().filter(|(name, _)| name.as_bytes().starts_with(b"GIT_")) {
        git.env_remove(name);
    }
    git.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    git.args(SETTINGS.iter().flat_map(|setting| ["-c", setting])).current_dir(folder).stdin(Stdio::null());
    git
}

/// What git prints, or its first complaint.
fn output(git: &mut Command) -> io::Result<String> {
    let out = git.output()?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&out.stderr);
    let complaint = words.lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    Err(io::Error::other(format!("git: {}", complaint.unwrap_or("it failed"))))
}

/// The other steps that worked in the tree at `top` at some time after `since`, which is when `step` began.
pub(super) fn neighbours(paths: &Paths, step: &Id, since: &str, top: &Path) -> Result<Vec<Id>, Error> {
    let mut found: Vec<Id> = Vec::new();
    let mut judge = |id: &Id, record: &Record| {
        let ended_before = record.exit.as_ref().is_some_and(|exit| exit.at.as_str() < since);
        let Some(claim) = record
            .claim
            .as_ref()
            .filter(|_| id != step && record.child.is_some() && !ended_before)
            .filter(|claim| claim.watches.is_none())
        else {
            return;
        };
        let spec = paths.attempt(&claim.run, id.as_str(), claim.attempt).join("spec.json");
        if file::read_json::<SpecFile>(&spec).is_some_and(|spec| spec.cwd.starts_with(top)) && !found.contains(id) {
            found.push(id.clone());
        }
    };
    for (id, record, _) in active(paths)? {
        judge(&id, &record);
    }
    let since_then = since.parse::<jiff::Timestamp>().ok().map(std::time::SystemTime::from);
    for name in file::names(&paths.state("last"))? {
        let path = paths.last(&name);
        // What was written before is about what ended before.
        let is_old =
            fs::metadata(&path).and_then(|meta| meta.modified()).is_ok_and(|at| since_then.is_some_and(|then| at < then));
        if !is_old
            && let Ok(id) = name.parse::<Id>()
            && let Ok(Some(record)) = Record::read(&path)
        {
            judge(&id, &record);
        }
    }
    found.sort();
    Ok(found)
}
