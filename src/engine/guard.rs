//! The surroundings of a step while only some commands are allowed: names are looked up in folders
//! that no step can write its own programs to by accident, and nothing inherited runs anything.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{policy::is_cleared, runner::Spec};

/// Where programs are if nobody says.
const USUAL: &str = "/usr/bin:/bin";

/// What is done to the environment of a step.
pub(super) struct Guard {
    path: String,
    unset: Vec<String>,
}

impl Guard {
    /// For a project in this folder, its links resolved.
    pub(super) fn new(root: &Path) -> Self {
        let inherited = env::var_os("PATH").unwrap_or_else(|| USUAL.into());
        let unset = env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(|name| is_cleared(name)).collect();
        Self { path: search_path(env::split_paths(&inherited), root), unset }
    }

    pub(super) fn apply(self, spec: &mut Spec) {
        spec.env.insert("PATH".into(), self.path);
        spec.unset = self.unset;
    }
}

/// The absolute folders of a search path that are not in the project, links resolved.
fn search_path(folders: impl Iterator<Item = PathBuf>, root: &Path) -> String {
    let kept = folders.filter(|folder| folder.is_absolute()).filter_map(|folder| folder.canonicalize().ok());
    let kept = kept.filter(|folder| !folder.starts_with(root)).filter_map(|folder| folder.into_os_string().into_string().ok());
    let mut folders: Vec<String> = Vec::new();
    for folder in kept.filter(|folder| !folder.contains(':')) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    if folders.is_empty() { USUAL.into() } else { folders.join(":") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_come_from_outside_of_the_project() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        let root = base.join("project");
        std::fs::create_dir_all(root.join("bin")).unwrap();
        std::fs::create_dir(base.join("tools")).unwrap();
        std::os::unix::fs::symlink(root.join("bin"), base.join("link")).unwrap();
        let folders = [".", "", "bin", "/nowhere/at/all"].map(PathBuf::from).into_iter();
        let folders = folders.chain([root.join("bin"), base.join("link"), base.join("project/../tools"), base.join("tools")]);
        assert_eq!(search_path(folders, &root), base.join("tools").display().to_string());
        assert_eq!(search_path(std::iter::once(root.join("bin")), &root), USUAL);
    }
}
