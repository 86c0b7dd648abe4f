//! Looking at what an attempt leaves in the work tree, before it begins and after it has ended. A process of its own
//! does it, which is ended when it takes too long: a supervisor stays small, and its true outcome is written already.

use std::{path::Path, time::Duration};

use super::{Spec, SpecFile, artifact, crew, diff};
use crate::{
    model::{Id, Products},
    store::{Exit, Paths, file},
};

/// How long looking may take before a step begins: nothing that is wanted so little may hold it back for longer.
pub(super) const BEFORE: Duration = Duration::from_secs(10);

/// How long looking may take after a step has ended; what depends on it waits meanwhile.
pub(super) const AFTER: Duration = Duration::from_secs(30);

/// The file in which the process that looks leaves what it found.
const FOUND: &str = ".products.json";

/// Whether there is anything to look at.
pub(super) const fn is_wanted(spec: &Spec) -> bool {
    spec.diff || !spec.artifacts.is_empty()
}

/// Takes note of how the work tree is before an attempt begins.
pub(super) fn before(paths: &Paths, spec: &Spec, folder: &Path) {
    if diff::begin(paths, &spec.cwd, folder).is_err() {
        diff::give_up(folder);
    }
}

/// Takes note that the look before the beginning took too long.
pub(super) fn give_up(folder: &Path) {
    diff::give_up(folder);
}

/// Looks at what an attempt left, and writes it down for [`take`].
pub(super) fn after(paths: &Paths, spec: &Spec, exit: &Exit, folder: &Path) {
    let mut products = Products::default();
    artifact::collect(&root(paths), &spec.cwd, &crew::globs(&spec.artifacts, spec.fanout), &mut products);
    if spec.fanout.is_some()
        && let Some(spec) = file::read_json::<SpecFile>(&folder.join("spec.json"))
    {
        crew::collect(paths, &root(paths), &spec, exit.attempt);
    }
    match diff::end(paths, &spec.cwd, folder, &mut products) {
        Ok(Some(top)) if products.diff.is_some() => {
            products.shared_with = diff::neighbours(paths, &spec.step, &exit.began(), &top).unwrap_or_default();
            products.shared = !products.shared_with.is_empty();
        }
        Ok(_) => {}
        Err(why) => products.product_notes.push(why),
    }
    if let Ok(bytes) = file::pretty(&products) {
        // Where it cannot be written, `take` says that nothing was found out.
        let _ = file::write(&folder.join(FOUND), &bytes, false);
    }
}

/// What [`after`] found, once its process has ended.
pub(super) fn take(folder: &Path) -> Products {
    let found = file::read_json(&folder.join(FOUND));
    let _ = file::remove(&folder.join(FOUND));
    diff::discard(folder);
    found.unwrap_or_else(|| {
        let note = "what it left could not be looked at, or not in time".to_owned();
        Products { product_notes: vec![note], ..Products::default() }
    })
}

/// What an attempt left whose supervisor was killed: its files. What else has changed in the tree since then, nobody
/// can tell apart.
pub(super) fn recall(paths: &Paths, run: &str, step: &Id, attempt: u32) -> Products {
    let folder = paths.attempt(run, step.as_str(), attempt);
    let mut products = Products::default();
    if let Some(spec) = file::read_json::<SpecFile>(&folder.join("spec.json")) {
        artifact::collect(&root(paths), &spec.cwd, &crew::globs(&spec.artifacts, spec.fanout), &mut products);
    }
    diff::discard(&folder);
    let _ = file::remove(&folder.join(FOUND));
    products
}

fn root(paths: &Paths) -> std::path::PathBuf {
    paths.root.canonicalize().unwrap_or_else(|_| paths.root.clone())
}
