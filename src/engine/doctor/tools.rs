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
use crate::{engine::View, model::Resolved, store::Paths};

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// An agent, the program it is, and how it is installed.
const AGENTS: &[(&str, &str, &str)] = &[
    ("claude-code", "claude", "npm install -g @anthropic-ai/claude-code"),
    ("codex", "codex", "npm install -g @openai/codex"),
    ("gemini", "gemini", "npm install -g @google/gemini-cli"),
];

/// The agents: one that a step of the plan wants has to be there.
pub(super) fn agents(view: Option<&View>) -> Vec<Check> {
    let users = |agent: &str| -> Vec<String> {
        let steps = view.into_iter().flat_map(|view| view.sequence.steps.iter().map(|step| (&view.sequence, step)));
        let users = steps.filter(|(sequence, step)| Resolved::new(sequence, step).agent() == agent);
        users.map(|(_, step)| format!("`{}`", step.id)).collect()
    };
    let check = |(agent, program, install): &(&str, &str, &str)| match (find(program), users(agent)) {
        (Some(path), _) => Check::ok(agent, told(program, &path)),
        (None, users) if users.is_empty() => {
            Check::warning(agent, format!("`{program}` is not on PATH; no step wants it"), format!("`{install}` installs it"))
        }
        (None, users) => Check::broken(
            agent,
            format!(
                "`{program}` is not on PATH, and {} {} it",
                users.join(", "),
                if users.len() == 1 { "wants" } else { "want" }
            ),
            format!("`{install}` installs it"),
        ),
    };
    AGENTS.iter().map(check).collect()
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
    match find("mprocs") {
        Some(path) => Check::ok("mprocs", told("mprocs", &path)),
        None => Check::warning("mprocs", "`mprocs` is not on PATH; nothing needs it", "`cargo install mprocs` installs it"),
    }
}

/// The program of that name on PATH.
fn find(program: &str) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(is_program)
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
