//! Where everything of a project is.

use std::{
    env, fs,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::error::Error;

/// The files of one project.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Paths {
    /// The folder that holds `.threados/`.
    pub root: PathBuf,
    /// `.threados/` itself.
    pub dir: PathBuf,
}

impl Paths {
    /// The project whose root is `root`, whether it exists or not.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { dir: root.join(".threados"), root }
    }

    /// The chosen project, else the nearest `.threados/` in or above the current folder.
    pub fn find(chosen: Option<&Path>) -> Result<Self, Error> {
        let here = env::current_dir().map_err(Error::io("find", "."))?;
        if let Some(chosen) = chosen {
            let root = here.join(chosen);
            let root = root.canonicalize().unwrap_or(root);
            let paths = Self::at(&root);
            return if paths.dir.is_dir() { Ok(paths) } else { Err(Error::ProjectNotFound { from: root, is_chosen: true }) };
        }
        here.ancestors()
            .map(Self::at)
            .find(|paths| paths.dir.is_dir())
            .ok_or(Error::ProjectNotFound { from: here.clone(), is_chosen: false })
    }

    /// The plan.
    pub fn sequence(&self) -> PathBuf {
        self.dir.join("sequence.yaml")
    }

    /// The policy.
    pub fn policy(&self) -> PathBuf {
        self.dir.join("policy.yaml")
    }

    /// Agents and preferences.
    pub fn config(&self) -> PathBuf {
        self.dir.join("config.yaml")
    }

    /// The JSON Schema of the plan, for editors.
    pub fn schema(&self) -> PathBuf {
        self.dir.join("schema.json")
    }

    /// The user's own templates.
    pub fn templates(&self) -> PathBuf {
        self.dir.join("templates")
    }

    /// The audit log.
    pub fn audit(&self) -> PathBuf {
        self.dir.join("audit.log")
    }

    /// Something in `state/`.
    pub fn state(&self, name: &str) -> PathBuf {
        self.dir.join("state").join(name)
    }

    /// The lease of a step.
    pub fn lease(&self, step: &str) -> PathBuf {
        self.state("active").join(step)
    }

    /// The stop request for a step.
    pub fn stop_request(&self, step: &str) -> PathBuf {
        self.state("active").join(format!("{step}.stop"))
    }

    /// What was added to the time of a running step.
    pub fn allowance(&self, step: &str) -> PathBuf {
        self.state("active").join(format!("{step}.time"))
    }

    /// The last record of a step or gate.
    pub fn last(&self, id: &str) -> PathBuf {
        self.state("last").join(id)
    }

    /// The runner file of an open run.
    pub fn runner(&self, run: &str) -> PathBuf {
        self.state("runners").join(run)
    }

    /// All runs.
    pub fn runs(&self) -> PathBuf {
        self.dir.join("runs")
    }

    /// The folder of a run.
    pub fn run(&self, run: &str) -> PathBuf {
        self.runs().join(run)
    }

    /// The folder of an attempt.
    pub fn attempt(&self, run: &str, step: &str, attempt: u32) -> PathBuf {
        self.run(run).join(step).join(attempt.to_string())
    }

    /// The folder of a worker of a fan-out.
    pub fn worker(&self, run: &str, step: &str, attempt: u32, worker: u32) -> PathBuf {
        self.attempt(run, step, attempt).join(worker_folder(worker))
    }

    /// The inode of `.threados`, which tells a project from its copies; 0 where there is none.
    pub fn inode(&self) -> u64 {
        super::FileId::of(&self.dir).map_or(0, |id| id.inode())
    }

    /// Makes the folders of `state/` and `runs/` where they are missing, for this user alone.
    pub fn make_folders(&self) -> Result<(), Error> {
        let folders = ["active", "last", "runners", "requests", "history", "conflicts", "tx", "bell"];
        if folders.iter().all(|name| self.state(name).is_dir()) && self.runs().is_dir() {
            return Ok(());
        }
        for folder in [self.dir.join("state"), self.runs()] {
            make_private(&folder)?;
            let private = fs::Permissions::from_mode(0o700);
            fs::set_permissions(&folder, private).map_err(Error::io("set the mode of", &folder))?;
        }
        folders.iter().try_for_each(|name| make_private(&self.state(name)))
    }

    /// `path` as people want to read it: relative to the project root where it is inside.
    pub fn show<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

/// The name of the folder of a worker of a fan-out, in that of its attempt.
pub fn worker_folder(worker: u32) -> String {
    format!("worker-{worker}")
}

/// Which worker's such a folder is.
pub fn worker_of(folder: &Path) -> Option<u32> {
    folder.file_name()?.to_str()?.strip_prefix("worker-")?.parse().ok()
}

/// Makes a folder and those above it, readable by this user alone.
pub(super) fn make_private(path: &Path) -> Result<(), Error> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io("make the folder", path))
}
