//! Whose word policy.yaml and config.yaml are: what a clone brought along loosens nothing before
//! this user has trusted it, in this folder and with this content.

use std::{
    env, fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    clock,
    error::Error,
    store::{Paths, file, sha256, yaml},
};

/// What does not count before it is trusted.
pub(super) const MODE: &str = "`mode: POWER` of policy.yaml";
pub(super) const AGENTS: &str = "the `agents` of config.yaml";
pub(super) const NOTIFY: &str = "`notify` of config.yaml";

/// One trusted project, in a file of its own in the user's state folder.
#[derive(Deserialize, Serialize)]
struct Trusted {
    v: u8,
    /// The project, links resolved.
    path: PathBuf,
    /// SHA-256 over policy.yaml and config.yaml.
    sha: String,
    at: String,
}

/// Whether this user has trusted the project as it stands.
pub(super) fn is_trusted(paths: &Paths) -> bool {
    granted(paths).is_ok_and(|place| place.is_some())
}

/// Where it is written down that this user has trusted the project as it stands; nothing where it is not.
pub(super) fn granted(paths: &Paths) -> Result<Option<PathBuf>, Error> {
    let (path, place) = place(&paths.root)?;
    let sha = content(paths)?;
    let is_this = |trusted: Trusted| trusted.v == 1 && trusted.path == path && trusted.sha == sha;
    Ok(file::read_json::<Trusted>(&place).is_some_and(is_this).then_some(place))
}

/// Trusts the project as it stands. Returns where that is written down.
pub(super) fn grant(paths: &Paths) -> Result<PathBuf, Error> {
    let (path, place) = place(&paths.root)?;
    let folder = place.parent().unwrap_or(Path::new("/"));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(Error::io("make the folder", folder))?;
    let trusted = Trusted { v: 1, path, sha: content(paths)?, at: clock::stamp() };
    file::replace(&place, &file::pretty(&trusted)?)?;
    Ok(place)
}

/// The project with its links resolved, and the file that says whether it is trusted.
fn place(root: &Path) -> Result<(PathBuf, PathBuf), Error> {
    let path = root.canonicalize().map_err(Error::io("find", root))?;
    let name = &sha256(path.as_os_str().as_encoded_bytes())[..32];
    let nowhere = || Error::FileUnusable { path: "$HOME".into(), why: "is not set, so there is no place to remember it".into() };
    Ok((path, state_folder().ok_or_else(nowhere)?.join("trust").join(name)))
}

/// What this user's `seqctl` remembers outside of projects.
fn state_folder() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|state| state.join("threados"))
}

/// Where trust is remembered, for whoever wants to hear of it.
pub(super) fn folder() -> Option<PathBuf> {
    Some(state_folder()?.join("trust"))
}

/// SHA-256 over policy.yaml and config.yaml.
pub(super) fn content(paths: &Paths) -> Result<String, Error> {
    let sha = |path: &Path| file::read_up_to(path, yaml::SIZE_LIMIT).map(|bytes| sha256(&bytes.unwrap_or_default()));
    Ok(sha256(format!("{} {}", sha(&paths.policy())?, sha(&paths.config())?).as_bytes()))
}
