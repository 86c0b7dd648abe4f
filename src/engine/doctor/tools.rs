//! The programs that others make and we use.

use std::{
    env,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::check::Check;
use crate::{
    agent::{Agent, Agents},
    engine::View,
    error::Error,
    model::Resolved,
    mprocs::{Program, VERSION},
    store::Paths,
};

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// The agents, those of config.yaml too: one that a step of the plan wants has to be there.
pub(super) fn agents(view: Option<&View>) -> Vec<Check> {
    let users = |agent: &str| -> Vec<String> {
        let steps = view.into_iter().flat_map(|view| view.sequence.steps.iter().map(|step| (&view.sequence, step)));
        let users = steps.filter(|(sequence, step)| Resolved::new(sequence, step).agent() == agent);
        users.map(|(_, step)| format!("`{}`", step.id)).collect()
    };
    let root = view.map(|view| view.real_root.as_path());
    // Looking must not execute what a project names, which may be a fresh clone.
    let usual = Agents::new([]);
    let is_usual = |program: &str| usual.iter().any(|agent| agent.program() == program);
    let check = |agent: &Agent| {
        let (name, program) = (agent.name.as_str(), agent.program());
        let hint = match &agent.install {
            Some(install) => format!("`{install}` installs it"),
            None => format!("install it, or mend `command` of `{name}` in .threados/config.yaml"),
        };
        let place = if program.contains('/') { "there" } else { "on PATH" };
        match (find_from(root, program), users(name)) {
            (Some(path), _) if is_usual(program) => Check::ok(name, told(program, &path)),
            (Some(path), _) => Check::ok(name, path.display().to_string()),
            (None, users) if users.is_empty() => {
                Check::warning(name, format!("`{program}` is not {place}; no step wants it"), hint)
            }
            (None, users) => {
                let verb = if users.len() == 1 { "wants" } else { "want" };
                Check::broken(name, format!("`{program}` is not {place}, and {} {verb} it", users.join(", ")), hint)
            }
        }
    };
    match view {
        Some(view) => view.agents.iter().map(check).collect(),
        None => usual.iter().map(check).collect(),
    }
}

/// git, and whether the project is under it.
pub(super) fn git(paths: Option<&Paths>) -> Check {
    let Some(path) = find("git") else {
        return Check::warning("git", "`git` is not on PATH", "install git, so that the plan has a history");
    };
    let is_inside = |paths: &Paths| paths.root.ancestors().any(|folder| folder.join(".git").exists());
    match paths {
        Some(paths) if !is_inside(paths) => {
            Check::warning("git", format!("{}; this project is not in a repository", told("git", &path)), "`git init` makes one")
        }
        _ => Check::ok("git", told("git", &path)),
    }
}

/// mprocs, which shows the output of steps side by side.
pub(super) fn mprocs() -> Check {
    let hint = Error::MprocsNotFound { why: String::new() }.hint().unwrap_or_default();
    match Program::find() {
        Ok(Program { path }) => match version(&path) {
            Some(said) if said.split_whitespace().any(|word| word == VERSION) => {
                Check::ok("mprocs", format!("{} is {said}", path.display()))
            }
            said => {
                let text = format!("{} is not the version {VERSION} that `seqctl mprocs` needs", path.display());
                let text = said.map_or_else(|| text.clone(), |said| format!("{text}, but {said}"));
                Check::warning("mprocs", text, hint)
            }
        },
        Err(missing) => Check::warning("mprocs", format!("{missing}; only `seqctl mprocs` needs it"), hint),
    }
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// The program of that name on PATH, or the one that a path leads to from the project's folder.
fn find_from(root: Option<&Path>, program: &str) -> Option<PathBuf> {
    if !program.contains('/') {
        return find(program);
    }
    Some(root.map_or_else(|| program.into(), |root| root.join(program))).filter(|path| is_program(path))
}

/// The program of that name on PATH.
fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| is_program(path))
}

/// Where a program is, and which.
fn told(program: &str, path: &Path) -> String {
    match version(path) {
        Some(version) => format!("{} is {version}", path.display()),
        None => format!("{} does not say its version (`{program} --version`)", path.display()),
    }
}

/// The first line that a program says of its version, if it does so in time.
fn version(path: &Path) -> Option<String> {
    let mut command = Command::new(path);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let begun = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().ok().filter(|output| output.status.success())?;
    let line = String::from_utf8_lossy(&output.stdout).lines().next()?.trim().to_owned();
    (!line.is_empty()).then_some(line)
}
