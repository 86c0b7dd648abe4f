//! Where mprocs is, and which.

use std::{
    env,
    ffi::{OsStr, OsString},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::PATH_VARIABLE;
use crate::error::Error;

/// The program as it was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
}

impl Program {
    /// The one that `THREADOS_MPROCS_PATH` names, else the first on PATH.
    pub fn find() -> Result<Self, Error> {
        Self::find_in(env::var_os(PATH_VARIABLE).filter(|name| !name.is_empty()), env::var_os("PATH").as_deref())
    }

    /// The named one, else the first in these folders.
    pub fn find_in(named: Option<OsString>, folders: Option<&OsStr>) -> Result<Self, Error> {
        if let Some(path) = named.map(PathBuf::from) {
            let why = || format!("{PATH_VARIABLE} names {}, which is no program", path.display());
            return if is_program(&path) { Ok(Self::at(&path)) } else { Err(Error::MprocsNotFound { why: why() }) };
        }
        let folders = folders.map(env::split_paths).into_iter().flatten();
        let found = folders.map(|folder| folder.join("mprocs")).find(|path| is_program(path));
        found.map(|path| Self::at(&path)).ok_or_else(|| Error::MprocsNotFound { why: "`mprocs` is not on PATH".into() })
    }

    /// The program at `path`. npm puts a script there that starts the program proper, which would not have the pid
    /// that we know: that one is taken instead.
    fn at(path: &Path) -> Self {
        let native = path.canonicalize().ok().filter(|real| real.extension() == Some(OsStr::new("js"))).and_then(|script| {
            let folders = script.parent()?.read_dir().ok()?.flatten();
            let start = format!("-{}-{}", system(), env::consts::ARCH);
            let is_ours = |name: &str| name.starts_with("mprocs-") && name.contains(&start);
            let mut ours = folders.filter(|folder| folder.file_name().to_str().is_some_and(is_ours));
            ours.find_map(|folder| Some(folder.path().join("mprocs")).filter(|path| is_program(path)))
        });
        Self { path: native.unwrap_or_else(|| path.into()) }
    }
}

/// The system as npm's packages call it.
const fn system() -> &'static str {
    if cfg!(target_os = "macos") { "darwin" } else { env::consts::OS }
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn program(path: &Path, mode: u32) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_named_one_comes_first_and_has_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let (on_path, named, plain) = (folder.path().join("bin/mprocs"), folder.path().join("mine"), folder.path().join("text"));
        program(&on_path, 0o755);
        program(&named, 0o755);
        program(&plain, 0o644);
        let folders = env::join_paths([Path::new("/nowhere"), on_path.parent().unwrap()]).unwrap();
        let find = |named: Option<&Path>| Program::find_in(named.map(Into::into), Some(&folders));
        assert_eq!(find(None).unwrap().path, on_path);
        assert_eq!(find(Some(&named)).unwrap().path, named);
        let error = find(Some(&plain)).unwrap_err().to_string();
        assert!(error.contains("which is no program"), "nobody falls back on another one than was named: {error}");
        let error = Program::find_in(None, Some(OsStr::new("/nowhere"))).unwrap_err();
        assert_eq!(error.code().0, "MPROCS_NOT_FOUND");
    }

    #[test]
    fn npm_s_script_stands_for_the_program_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let package = root.join("node_modules/mprocs");
        program(&package.join("cli.js"), 0o755);
        fs::create_dir_all(root.join("bin")).unwrap();
        std::os::unix::fs::symlink(package.join("cli.js"), root.join("bin/mprocs")).unwrap();
        let find = || Program::find_in(None, Some(root.join("bin").as_os_str())).unwrap().path;
        assert_eq!(find(), root.join("bin/mprocs"), "there is nothing better");
        program(&package.join("mprocs-0.9.6-other-cpu/mprocs"), 0o755);
        let native = package.join(format!("mprocs-0.9.6-{}-{}-x/mprocs", system(), env::consts::ARCH));
        program(&native, 0o755);
        assert_eq!(find(), native);
    }
}
