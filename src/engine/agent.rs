//! What an agent's step executes, and whether it can.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use super::{trust, view::View};
use crate::{
    agent::{Agent, Order},
    error::{Error, count},
    model::{OutputFormat, Resolved, Step},
    store::{Paths, read_prompt, yaml::Warning},
};

/// What an agent is told.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    /// The prompt.
    pub(super) prompt: &'a str,
    /// Where it will stand.
    pub(super) file: Option<&'a Path>,
    /// The session it goes on with.
    pub(super) session: Option<&'a str>,
}

/// The agent of a step, and its command line.
///
/// # Errors
/// `AgentUnknown`, `AgentMissing` and `AgentUnable`.
pub(super) fn command<'v>(view: &'v View, step: &Step, cwd: &Path, told: Told<'_>) -> Result<(&'v Agent, Vec<String>), Error> {
    let resolved = Resolved::new(&view.sequence, step);
    if view.ignored.contains(&trust::AGENTS) && view.config.agents.contains_key(resolved.agent()) {
        return Err(Error::Denied {
            why: format!("{} do not count before `seqctl trust`, and step `{}` wants one of them", trust::AGENTS, step.id),
            rule: "trust",
        });
    }
    let agent = view.agents.expect(resolved.agent(), &step.id)?;
    expect_program(agent.program(), cwd, &resolved.env(), || Error::AgentMissing {
        step: step.id.clone(),
        agent: agent.name.clone(),
        program: agent.program().into(),
        install: agent.install.clone(),
    })?;
    let argv = agent.argv(&Order {
        model: resolved.agent_model(),
        max_cost_usd: resolved.max_cost_of_each(),
        args: resolved.agent_args(),
        session: told.session,
        is_in_git: cwd.ancestors().any(|folder| folder.join(".git").exists()),
        prompt: told.prompt,
        prompt_file: told.file,
    })?;
    Ok((agent, argv))
}

/// What a step would execute, on one line, and how many workers would.
pub(super) fn words(view: &View, step: &Step) -> Result<String, Error> {
    let line = one(view, step)?;
    Ok(match Resolved::new(&view.sequence, step).workers() {
        Some(workers) => format!("{}: {line}", count(workers as usize, "worker")),
        None => line,
    })
}

/// A command, or an agent's command line and the beginning of its prompt.
fn one(view: &View, step: &Step) -> Result<String, Error> {
    let resolved = Resolved::new(&view.sequence, step);
    if resolved.is_shell() {
        let what = match (&step.command, &step.prompt_file) {
            (Some(command), _) => command.display(),
            (None, Some(file)) => format!("sh {file}"),
            (None, None) => step.prompt.clone().unwrap_or_else(|| format!("sh prompts/{}.md", step.id)),
        };
        return Ok(first_line(&what).to_owned());
    }
    let own = line(view, step)?;
    let Some(substitute) = resolved.substitute() else { return Ok(own) };
    let other = Step { model: Some(substitute.to_owned()), agent_args: Vec::new(), ..step.clone() };
    Ok(format!("{own}; at its usage limit {}", line(view, &other)?))
}

/// What an agent's step would execute, on one line.
fn line(view: &View, step: &Step) -> Result<String, Error> {
    let paths = Paths::at(&view.real_root);
    let prompt = read_prompt(&paths, step).ok().flatten().map(|prompt| String::from_utf8_lossy(&prompt.bytes).into_owned());
    // It may be written by a step before it.
    let prompt = prompt.unwrap_or_else(|| "(no prompt yet)".into());
    let prompt = first_line(&prompt);
    let told = Told { prompt, file: Some(Path::new("prompt.md")), session: None };
    let (_, argv) = command(view, step, &folder(view, step), told)?;
    let line = shell_words::join(argv);
    Ok(if line.contains(prompt) { line } else { format!("{line} ← {prompt}") })
}

/// The agents that a step names, where no shell runs it.
fn named<'v>(view: &'v View, step: &'v Step) -> impl Iterator<Item = &'v str> {
    let resolved = Resolved::new(&view.sequence, step);
    let own = (!resolved.is_shell()).then(|| resolved.agent());
    own.into_iter().chain(resolved.substitute().map(|agent| agent.split('/').next().unwrap_or(agent)))
}

/// The steps that want an agent nobody knows, as warnings.
pub(super) fn unknown(view: &View) -> impl Iterator<Item = Warning> {
    let wanted = view.sequence.steps.iter().flat_map(|step| named(view, step).map(move |agent| (step, agent)));
    wanted.filter_map(|(step, agent)| {
        let error = view.agents.expect(agent, &step.id).err()?;
        Some(Warning { line: view.lines.of(step.id.as_str()).unwrap_or(1), message: error.to_string(), hint: error.hint() })
    })
}

/// The steps whose cost nothing limits although somebody wants that, as warnings.
pub(super) fn unlimited(view: &View) -> impl Iterator<Item = Warning> {
    let is_run_limited = view.policy().is_ok_and(|policy| policy.max_cost_usd.is_some());
    view.sequence.steps.iter().filter_map(move |step| {
        let resolved = Resolved::new(&view.sequence, step);
        let agent = view.agents.find(resolved.agent()).filter(|_| !resolved.is_shell())?;
        let (name, id) = (&agent.name, &step.id);
        let message = if resolved.max_cost_usd().is_some() && agent.budget_flag.is_none() {
            format!("`max_cost_usd` does not limit `{id}`: `{name}` takes no budget")
        } else if is_run_limited && agent.output != OutputFormat::Claude {
            format!("`{id}` does not count towards the run's `max_cost_usd`: `{name}` does not tell what it costs")
        } else {
            return None;
        };
        let hint = Some("its `timeout` bounds it".to_owned());
        Some(Warning { line: view.lines.of(step.id.as_str()).unwrap_or(1), message, hint })
    })
}

/// Where a step works, as far as that is known before it does.
pub(super) fn folder(view: &View, step: &Step) -> PathBuf {
    match Resolved::new(&view.sequence, step).cwd() {
        "." => view.real_root.clone(),
        inner => view.real_root.join(inner),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

/// Refuses a program that cannot be executed from a folder with this environment.
pub(super) fn expect_program(
    program: &str,
    cwd: &Path,
    env: &BTreeMap<String, String>,
    missing: impl FnOnce() -> Error,
) -> Result<(), Error> {
    let path = env.get("PATH").cloned().or_else(|| env::var("PATH").ok()).unwrap_or_default();
    if is_there(program, cwd, &path) { Ok(()) } else { Err(missing()) }
}

/// Whether a program can be executed from a folder with this search path.
fn is_there(program: &str, cwd: &Path, path: &str) -> bool {
    let is_executable = |path: PathBuf| path.is_file() && rustix::fs::access(&path, rustix::fs::Access::EXEC_OK).is_ok();
    if program.contains('/') {
        return is_executable(cwd.join(program));
    }
    env::split_paths(path).any(|folder| is_executable(cwd.join(folder).join(program)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs() {
        let here = Path::new("/");
        assert!(is_there("sh", here, "/nowhere:/bin"));
        assert!(is_there("/bin/sh", here, ""));
        assert!(is_there("./sh", Path::new("/bin"), ""));
        assert!(!is_there("sh", here, "/nowhere"));
        assert!(!is_there("bin", here, "/"));
        assert!(!is_there("/etc/passwd", here, ""));
    }
}
