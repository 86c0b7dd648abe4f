//! The files that a step made, found by the globs of its `artifacts`.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Read as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Component, Path, PathBuf},
};

use globset::{GlobBuilder, GlobMatcher};

use crate::{
    model::{Artifact, Products},
    store::sha256_of,
};

/// The most files that are kept of an attempt: a list of more helps nobody, and status.json is read often.
const FILES: usize = 1000;

/// The most names that are looked at in folders, for globs that match few files of large trees.
const NAMES: usize = 200_000;

/// The most bytes that are hashed; a second or so. Of what comes behind them only the size is kept.
const HASHED: u64 = 256 * 1024 * 1024;

/// Adds the files below `root` that `globs` match, which are read from `cwd`. Both paths are resolved.
pub(super) fn collect(root: &Path, cwd: &Path, globs: &[String], products: &mut Products) {
    let mut search = Search { root, names: NAMES, found: BTreeSet::new(), is_cut: false };
    for glob in globs {
        if let Err(why) = search.add(cwd, glob) {
            products.product_notes.push(format!("artifacts: `{glob}` {why}"));
        }
    }
    let mut left = HASHED;
    products.artifacts = search.found.iter().take(FILES).filter_map(|path| artifact(root, path, &mut left)).collect();
    products.artifacts_truncated = search.is_cut || search.found.len() > FILES;
}

struct Search<'a> {
    root: &'a Path,
    /// How many names may still be looked at.
    names: usize,
    found: BTreeSet<PathBuf>,
    is_cut: bool,
}

impl Search<'_> {
    fn add(&mut self, cwd: &Path, glob: &str) -> Result<(), String> {
        let (prefix, rest) = split(glob);
        let Ok(mut base) = cwd.join(prefix).canonicalize() else { return Ok(()) };
        let mut rest = rest;
        if rest.is_empty() || base.join(&rest).is_dir() {
            // A folder means everything in it.
            base = base.join(rest);
            rest = "**".into();
        }
        if !base.starts_with(self.root) {
            return Err("is outside of the project".into());
        }
        let build = GlobBuilder::new(&rest).literal_separator(true).build();
        let matcher = build.map_err(|error| format!("is no glob: {}", error.kind()))?.compile_matcher();
        let depth = if rest.contains("**") { usize::MAX } else { rest.matches('/').count() };
        self.walk(&base, &matcher, depth);
        Ok(())
    }

    /// Looks at everything below `base`, `depth` folders down.
    fn walk(&mut self, base: &Path, matcher: &GlobMatcher, depth: usize) {
        let mut folders = vec![(base.to_owned(), 0)];
        while let Some((folder, at)) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if self.names == 0 {
                    self.is_cut = true;
                    return;
                }
                self.names -= 1;
                let (path, kind) = (entry.path(), entry.file_type());
                if kind.as_ref().is_ok_and(fs::FileType::is_dir) {
                    let is_ours = entry.file_name() == ".git" || path == self.root.join(".threados");
                    if at < depth && !is_ours {
                        folders.push((path, at + 1));
                    }
                } else if path.strip_prefix(base).is_ok_and(|inner| matcher.is_match(inner)) && self.is_inside(&path) {
                    self.found.insert(path);
                }
            }
        }
    }

    /// Whether a path, with links followed, is that of a file of the project.
    fn is_inside(&self, path: &Path) -> bool {
        let real = path.canonicalize();
        real.is_ok_and(|real| real.is_file() && real.starts_with(self.root) && !real.starts_with(self.root.join(".threados")))
    }
}

/// The folders that a glob begins with, and what follows them.
fn split(glob: &str) -> (PathBuf, String) {
    let is_literal = |part: &Component| part.as_os_str().to_str().is_some_and(|name| !name.contains(['*', '?', '[', '{', '\\']));
    let mut parts = Path::new(glob).components().filter(|part| *part != Component::CurDir).peekable();
    let mut prefix = PathBuf::new();
    while let Some(part) = parts.next_if(is_literal) {
        if parts.peek().is_none() && matches!(part, Component::Normal(_)) {
            return (prefix, part.as_os_str().to_string_lossy().into_owned());
        }
        prefix.push(part);
    }
    let rest: PathBuf = parts.collect();
    (prefix, rest.to_string_lossy().into_owned())
}

/// What is known of a file. One that goes or grows meanwhile is no error: it has the size that was read.
fn artifact(root: &Path, path: &Path, left: &mut u64) -> Option<Artifact> {
    // Who put a pipe in its place meanwhile must not keep us.
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let len = fs::metadata(path).ok()?.len();
    let mut artifact =
        Artifact { path: path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned(), bytes: len, sha256: None };
    let file = file.ok().filter(|file| len <= *left && file.metadata().is_ok_and(|meta| meta.is_file()));
    if let Some((sha256, bytes)) = file.and_then(|file| sha256_of(file.take(*left)).ok()) {
        *left = left.saturating_sub(bytes);
        artifact = Artifact { bytes, sha256: Some(sha256), ..artifact };
    }
    Some(artifact)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::store::sha256;

    fn tree() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("project");
        for name in ["a.txt", "dist/b.js", "dist/deep/c.js", "dist/d.css", ".git/e.js", ".threados/f.js", "sub/g.js", "od[d/h"] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        fs::write(folder.path().join("outside.js"), "secret").unwrap();
        (folder, root)
    }

    fn paths(root: &Path, cwd: &str, globs: &[&str]) -> (Vec<String>, Vec<String>) {
        let globs: Vec<String> = globs.iter().map(|glob| (*glob).to_owned()).collect();
        let mut products = Products::default();
        collect(root, &root.join(cwd), &globs, &mut products);
        (products.artifacts.into_iter().map(|artifact| artifact.path).collect(), products.product_notes)
    }

    #[test]
    fn globs_are_read_from_the_working_directory_and_stay_in_the_project() {
        let (_folder, root) = tree();
        for (cwd, globs, wanted) in [
            ("", &["a.txt"][..], &["a.txt"][..]),
            ("", &["./dist/*.js"], &["dist/b.js"]),
            ("", &["dist/**/*.js"], &["dist/b.js", "dist/deep/c.js"]),
            ("", &["dist"], &["dist/b.js", "dist/d.css", "dist/deep/c.js"]),
            ("", &["dist/"], &["dist/b.js", "dist/d.css", "dist/deep/c.js"]),
            ("", &["*.js", "none/*", "gone.txt"], &[]),
            ("", &["**/*.js"], &["dist/b.js", "dist/deep/c.js", "sub/g.js"]),
            ("", &["{a.txt,dist/d.css}", "a.*"], &["a.txt", "dist/d.css"]),
            ("sub", &["*.js", "../dist/deep/*"], &["dist/deep/c.js", "sub/g.js"]),
            ("", &["od\\[d/*"], &["od[d/h"]),
        ] {
            assert_eq!(paths(&root, cwd, globs), (wanted.iter().map(|path| (*path).to_owned()).collect(), vec![]), "{globs:?}");
        }
        let (found, notes) = paths(&root, "", &["../*.js", "/etc/passwd", "a[", "a.txt"]);
        assert_eq!(found, ["a.txt"]);
        assert_eq!(notes[..2], ["../*.js", "/etc/passwd"].map(|glob| format!("artifacts: `{glob}` is outside of the project")));
        assert!(notes[2].starts_with("artifacts: `a[` is no glob: "), "{notes:?}");
    }

    #[test]
    fn links_are_not_followed_out_of_the_project() {
        let (_folder, root) = tree();
        symlink("../a.txt", root.join("dist/in.js")).unwrap();
        symlink(root.join("../outside.js"), root.join("dist/out.js")).unwrap();
        symlink("../.threados/f.js", root.join("dist/own.js")).unwrap();
        symlink("nowhere", root.join("dist/dangling.js")).unwrap();
        symlink("..", root.join("dist/up")).unwrap();
        symlink(root.join(".."), root.join("away")).unwrap();
        assert_eq!(paths(&root, "", &["dist/*.js"]).0, ["dist/b.js", "dist/in.js"]);
        assert_eq!(paths(&root, "", &["dist/**/a.txt"]).0, [""; 0]);
        assert_eq!(paths(&root, "", &["away/*.js"]), (vec![], vec!["artifacts: `away/*.js` is outside of the project".into()]));
    }

    #[test]
    fn a_file_has_its_size_and_hash_while_there_is_time_to_read() {
        let (_folder, root) = tree();
        let mut left = 9;
        let hashed = artifact(&root, &root.join("a.txt"), &mut left).unwrap();
        assert_eq!(hashed, Artifact { path: "a.txt".into(), bytes: 5, sha256: Some(sha256(b"a.txt")) });
        let sized = artifact(&root, &root.join("dist/b.js"), &mut left).unwrap();
        assert_eq!((left, sized.bytes, sized.sha256), (4, 9, None));
        assert_eq!(artifact(&root, &root.join("gone"), &mut left), None);
    }

    #[test]
    fn more_files_than_are_kept_are_told() {
        let (_folder, root) = tree();
        fs::create_dir(root.join("many")).unwrap();
        (0..=FILES).for_each(|number| fs::write(root.join(format!("many/{number}")), "").unwrap());
        let mut products = Products::default();
        collect(&root, &root, &["many/*".into()], &mut products);
        assert_eq!((products.artifacts.len(), products.artifacts_truncated), (FILES, true));
    }
}
