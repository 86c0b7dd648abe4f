//! Claiming steps: resolving what they would run, asking the policy, making their folders and
//! their leases.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    caller::Caller,
    view::{LeaseView, View, defhash},
    writer::Held,
};
use crate::{
    clock,
    error::Error,
    fault,
    model::{CommandLine, Id, Node, Outcome, Reason, Resolved, Step},
    policy::{Execution, Verdict},
    runner::{Leftover, Spec, SpecFile, write_status},
    store::{Claim, Exit, Lease, Line, Machine, Paths, Prompt, Record, Run, file, read_prompt, runs::attempts, sha256},
};

/// What became of the wish to claim a step.
pub(super) enum Claimed {
    /// It is ours; hand the lease to a supervisor.
    Ours { at: usize, lease: Lease, spec: Box<Spec> },
    /// It cannot be run at all; the outcome is in its lease already.
    Refused { at: usize },
    /// Somebody else runs it.
    Taken { at: usize },
}

/// What a step would run, resolved.
pub(super) struct Work {
    argv: Vec<String>,
    cwd: PathBuf,
    prompt: Option<Prompt>,
    timeout_ms: u64,
}

impl Held<'_> {
    /// Claims steps of a run, each if it still can be.
    pub(super) fn claim(&mut self, run: &Run, nodes: &[usize]) -> Result<Vec<Claimed>, Error> {
        let mut results = Vec::with_capacity(nodes.len());
        let mut entries = Vec::new();
        for &at in nodes {
            let Node::Step(index) = self.view().graph.node(at) else { continue };
            let step = self.view().sequence.steps[index].clone();
            let result = self.claim_one(run, at, &step)?;
            if let Claimed::Ours { spec, .. } = &result {
                entries.push(json!({"step": step.id, "attempt": spec.attempt, "nonce": spec.nonce}));
            }
            results.push(result);
        }
        if !entries.is_empty() {
            fault::point("claim.before_audit");
            let target = Some(run.id.clone());
            self.note(&Caller::system(), "claim", target, json!({"run": run.id, "claims": entries}), false)?;
            fault::point("claim.audited");
        }
        Ok(results)
    }

    fn claim_one(&mut self, run: &Run, at: usize, step: &Step) -> Result<Claimed, Error> {
        let paths = self.paths().clone();
        let nonce = clock::nonce();
        let (attempt, folder) = attempt_folder(&paths, &run.id, &step.id)?;
        let work = resolve(&paths, self.view(), step);
        let prompt_sha = work.as_ref().ok().and_then(|work| work.prompt.as_ref()).map(|prompt| sha256(&prompt.bytes));
        let defhash = defhash(&Resolved::new(&self.view().sequence, step), prompt_sha);
        let claim = Claim {
            step: step.id.clone(),
            run: run.id.clone(),
            nonce: nonce.clone(),
            attempt,
            defhash: defhash.clone(),
            slots: 1,
            machine: Machine::this().clone(),
            inode: paths.inode(),
            at: clock::stamp(),
        };
        fault::point("claim.folder");
        let latest = folder.with_file_name("latest");
        if attempt > 1 {
            file::remove(&latest)?;
        }
        let _ = std::os::unix::fs::symlink(attempt.to_string(), &latest);
        let spec = work.map(|work| self.spec(run, step, work, &nonce, attempt, &folder));
        if let Ok((spec, prompt)) = &spec {
            write_folder(self.view(), &folder, step, spec, prompt.as_ref(), &defhash)?;
        }
        let Some(lease) = Lease::claim(&paths, claim.clone())? else { return Ok(Claimed::Taken { at }) };
        let mut record = Record { claim: Some(claim), ..Record::default() };
        let result = match spec {
            Ok((spec, _)) => {
                self.remember(&step.id, record, true);
                Claimed::Ours { at, lease, spec: Box::new(spec) }
            }
            Err(outcome) => {
                let exit = Exit { attempt, outcome, ms: 0, at: clock::stamp() };
                lease.append(&Line::Exit(exit.clone())).map_err(Error::io("write the lease of", step.id.as_str()))?;
                write_status(&paths, &run.id, &step.id, &exit)?;
                self.audit_denial(step, &exit)?;
                record.exit = Some(exit);
                self.remember(&step.id, record, false);
                Claimed::Refused { at }
            }
        };
        Ok(result)
    }

    fn audit_denial(&mut self, step: &Step, exit: &Exit) -> Result<(), Error> {
        if exit.outcome.reason != Some(Reason::Policy) {
            return Ok(());
        }
        let mut entry = super::transact::entry(&Caller::system(), "run.step", Some(step.id.to_string()), serde_json::Value::Null);
        entry.result = "denied".into();
        entry.error.clone_from(&exit.outcome.note);
        self.log().append(entry, true).map(drop)
    }

    fn remember(&mut self, step: &Id, record: Record, is_held: bool) {
        self.view_mut().leases.insert(step.clone(), LeaseView { record, is_held, leftover: Leftover::Complete });
    }

    fn spec(&self, run: &Run, step: &Step, work: Work, nonce: &str, attempt: u32, folder: &Path) -> (Spec, Option<Prompt>) {
        let view = self.view();
        let resolved = Resolved::new(&view.sequence, step);
        let mut argv = work.argv;
        if argv.is_empty() {
            argv = script(&folder.join("prompt.md"), work.prompt.as_ref());
        }
        let spec = Spec {
            root: self.paths().root.clone(),
            step: step.id.clone(),
            run: run.id.clone(),
            nonce: nonce.into(),
            attempt,
            argv,
            cwd: work.cwd,
            env: resolved.env(),
            timeout_ms: work.timeout_ms,
            retries: resolved.retries(),
            retry_delay_ms: resolved.retry_delay().as_ms(),
            review: resolved.review(),
        };
        (spec, work.prompt)
    }
}

/// The first attempt of a step in a run whose folder does not tell of an end, and that folder.
fn attempt_folder(paths: &Paths, run: &str, step: &Id) -> Result<(u32, PathBuf), Error> {
    let make = |path: &Path| match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::io("make the folder", path)(error)),
        Ok(()) => Ok(true),
    };
    let mut attempt = 1;
    if !make(&paths.run(run).join(step.as_str()))? {
        let last = attempts(paths, run, step.as_str())?.pop().unwrap_or(0);
        let ended = last > 0 && paths.attempt(run, step.as_str(), last).join("status.json").exists();
        attempt = if last == 0 || ended { last + 1 } else { last };
    }
    let folder = paths.attempt(run, step.as_str(), attempt);
    make(&folder)?;
    Ok((attempt, folder))
}

/// The checked bytes are what runs: the copy in the attempt's folder, by its `#!` or by `sh`.
fn script(path: &Path, prompt: Option<&Prompt>) -> Vec<String> {
    let bytes = prompt.map_or(&b""[..], |prompt| &prompt.bytes);
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(first).ok().and_then(|line| line.strip_prefix("#!")).map_or("", str::trim);
    let mut argv: Vec<String> =
        line.splitn(2, [' ', '\t']).filter(|word| !word.is_empty()).map(|word| word.trim().to_owned()).collect();
    if argv.is_empty() {
        argv.push("/bin/sh".into());
    }
    argv.push(path.to_string_lossy().into_owned());
    argv
}

fn write_folder(
    view: &View,
    folder: &Path,
    step: &Step,
    spec: &Spec,
    prompt: Option<&Prompt>,
    defhash: &str,
) -> Result<(), Error> {
    let resolved = Resolved::new(&view.sequence, step);
    let file = SpecFile {
        v: 1,
        step: step.id.clone(),
        run: spec.run.clone(),
        agent: resolved.agent().to_owned(),
        argv: spec.argv.clone(),
        cwd: spec.cwd.clone(),
        timeout_ms: spec.timeout_ms,
        retries: spec.retries,
        retry_delay_ms: spec.retry_delay_ms,
        review: spec.review,
        defhash: defhash.into(),
        env: spec.env.keys().cloned().collect(),
        path: spec.env.get("PATH").cloned().or_else(|| std::env::var("PATH").ok()).unwrap_or_default(),
    };
    file::write(&folder.join("spec.json"), &file::pretty(&file)?, false)?;
    let text: &[u8] = match (prompt, &step.command) {
        (Some(prompt), _) => &prompt.bytes,
        (None, Some(command)) => &[command.display().as_bytes(), b"\n"].concat(),
        (None, None) => b"",
    };
    file::write(&folder.join("prompt.md"), text, false)
}

/// What a step would run, or the outcome it has because it cannot be run.
pub(super) fn resolve(paths: &Paths, view: &View, step: &Step) -> Result<Work, Outcome> {
    let spawn = |why: String| Outcome::failed(Reason::Spawn, Some(why));
    let resolved = Resolved::new(&view.sequence, step);
    if !resolved.is_shell() {
        return Err(spawn(format!("the agent `{}` cannot be run by this version", resolved.agent())));
    }
    let policy = view.policy().map_err(|error| Outcome::failed(Reason::Policy, Some(error.to_string())))?;
    let prompt = read_prompt(paths, step).map_err(|error| spawn(error.to_string()))?;
    let argv = match &step.command {
        Some(CommandLine::Shell(text)) => vec!["/bin/sh".into(), "-c".into(), text.clone()],
        Some(CommandLine::Argv(words)) => words.clone(),
        None if prompt.is_some() => Vec::new(),
        None => return Err(spawn("it has no command, prompt or prompt file".into())),
    };
    let wanted = paths.root.join(resolved.cwd());
    let root = &view.real_root;
    let cwd = match resolved.cwd() {
        "." => root.clone(),
        _ => wanted.canonicalize().map_err(|error| spawn(format!("cannot enter {}: {error}", wanted.display())))?,
    };
    let text = match &step.command {
        Some(command) => command.display(),
        None => prompt.as_ref().map(|prompt| String::from_utf8_lossy(&prompt.bytes).into_owned()).unwrap_or_default(),
    };
    let execution = Execution {
        command: step.command.as_ref(),
        text: &text,
        is_shell: true,
        root,
        cwd: &cwd,
        fanout: step.fanout.unwrap_or(1),
    };
    if let Verdict::Deny { why, .. } = policy.check(&execution) {
        return Err(Outcome::failed(Reason::Policy, Some(why)));
    }
    let timeout_ms = resolved.timeout().unwrap_or(policy.timeouts.commands).as_ms();
    Ok(Work { argv, cwd, prompt, timeout_ms })
}
