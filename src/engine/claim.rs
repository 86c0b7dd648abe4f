//! Claiming steps: resolving what they would run, asking the policy, making their folders and
//! their leases.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    agent::Told,
    brief,
    caller::Caller,
    crew,
    definition::defhash,
    guard::Guard,
    limit, orchestrator,
    view::{LeaseView, View},
    writer::Held,
};
use crate::{
    clock,
    error::Error,
    fault,
    model::{CommandLine, Fanout, Groups, Id, Node, Outcome, OutputFormat, PromptBy, Reason, Resolved, Sha, Step},
    policy::{Execution, Verdict, interpreter},
    runner::{Leftover, Spec, SpecFile, Watch, write_status},
    store::{
        Claim, Exit, Lease, Line, Machine, Paths, Prompt, Record, Resume, Run, file, read_prompt, runs::attempts, worker_folder,
    },
};

/// What became of the wish to claim a step.
pub(super) enum Claimed {
    /// It is ours; hand the lease to a supervisor.
    Ours { at: usize, lease: Lease, spec: Box<Spec> },
    /// It cannot be run at all; the outcome is in its lease already.
    Refused { at: usize },
    /// Somebody else runs it.
    Taken { at: usize },
    /// A person has to confirm it first.
    Held { at: usize },
}

/// What a step would run, resolved.
pub(super) struct Work {
    argv: Vec<String>,
    cwd: PathBuf,
    /// What stands in the plan.
    prompt: Option<Prompt>,
    /// What an agent is told: its prompt, or what a person has to add to the session it goes on with.
    told: Option<Vec<u8>>,
    is_told_by_stdin: bool,
    output: OutputFormat,
    guard: Option<Guard>,
    timeout_ms: u64,
    /// What each worker of a fan-out is told and runs, where that is not the same for all.
    workers: Vec<ForWorker>,
    /// The session that it goes on with.
    resume: Option<Resume>,
}

/// What one worker of a fan-out is told, and runs.
struct ForWorker {
    argv: Vec<String>,
    told: Vec<u8>,
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
        if self.view().is_held(run, step) {
            return Ok(Claimed::Held { at });
        }
        let paths = self.paths().clone();
        let nonce = clock::nonce();
        let (attempt, folder) = attempt_folder(&paths, &run.id, &step.id)?;
        let acting = limit::acting(self.view(), step);
        let work = resolve(&paths, self.view(), &acting, &folder);
        let prompt_sha = work.as_ref().ok().and_then(|work| work.prompt.as_ref()).map(|prompt| Sha::of(&prompt.bytes));
        let finished = limit::finished(&paths, self.view(), run, step);
        let fanout = self.fanout(step, finished.len());
        let defhash = defhash(&Resolved::new(&self.view().sequence, step), prompt_sha);
        if self.view().is_held_with(run, step, defhash) {
            // Its prompt was written a moment ago.
            return Ok(Claimed::Held { at });
        }
        let claim = Claim {
            step: step.id.clone(),
            run: run.id.clone().into(),
            nonce: nonce.clone().into(),
            attempt,
            defhash,
            slots: match fanout {
                _ if step.watchdog_for.is_some() || step.is_orchestrator() => 0,
                fanout => fanout.map_or(1, |fanout| fanout.at_once),
            },
            machine: Machine::this().clone(),
            inode: paths.inode(),
            watches: watched(self.view(), step).map(|watch| watch.nonce),
            at: clock::stamp().into(),
        };
        fault::point("claim.folder");
        let latest = folder.with_file_name("latest");
        if attempt > 1 {
            file::remove(&latest)?;
        }
        let _ = std::os::unix::fs::symlink(attempt.to_string(), &latest);
        let spec = work.map(|work| {
            let told: Vec<_> = work.workers.iter().map(|worker| worker.told.clone()).collect();
            let resume = work.resume.clone();
            let (spec, prompt) = self.spec(run, &acting, work, &nonce, attempt, &folder);
            let (stands_in, own_limit) = limit::stand_in(self.view(), step, &acting);
            (Spec { fanout, workers: finished, stands_in, own_limit, ..spec }, prompt, told, resume)
        });
        if let Ok((spec, prompt, told, resume)) = &spec {
            write_folder(self.view(), &folder, &acting, spec, (prompt, resume.as_ref()), defhash)?;
            write_workers(&paths, spec, told)?;
        }
        let Some(lease) = Lease::claim(&paths, claim.clone())? else { return Ok(Claimed::Taken { at }) };
        let mut record = Record { claim: Some(Box::new(claim)), ..Record::default() };
        let result = match spec {
            Ok((spec, ..)) => {
                self.remember(&step.id, record, true);
                Claimed::Ours { at, lease, spec: Box::new(spec) }
            }
            Err(outcome) => {
                let exit = Exit { attempt, outcome, ms: 0, at: clock::stamp().into() };
                lease.append(&Line::Exit(exit.clone())).map_err(Error::io("write the lease of", step.id.as_str()))?;
                write_status(&paths, &run.id, &step.id, &exit)?;
                self.audit_denial(step, &exit)?;
                record.exit = Some(Box::new(exit));
                self.remember(&step.id, record, false);
                Claimed::Refused { at }
            }
        };
        Ok(result)
    }

    /// How many workers run a step, and how many of them at once: as many as there are free slots.
    fn fanout(&self, step: &Step, finished: usize) -> Option<Fanout> {
        let view = self.view();
        let workers = Resolved::new(&view.sequence, step).workers()?;
        let most = view.policy().map_or(1, |policy| policy.max_concurrent);
        let at = view.graph.find(step.id.as_str()).unwrap_or_default();
        Some(Fanout {
            workers,
            at_once: workers
                .saturating_sub(u32::try_from(finished).unwrap_or(0))
                .min(most.saturating_sub(view.slots_taken()))
                .max(1),
            fail_policy: Groups::of(&view.sequence).policy(at),
        })
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

    fn spec(&self, run: &Run, step: &Step, work: Work, nonce: &str, attempt: u32, folder: &Path) -> (Spec, Vec<u8>) {
        let view = self.view();
        let resolved = Resolved::new(&view.sequence, step);
        let mut argv = work.argv;
        if argv.is_empty() {
            argv = script(&folder.join("prompt.md"), work.prompt.as_ref());
        }
        let mut spec = Spec {
            root: self.paths().root.clone(),
            step: step.id.clone(),
            run: run.id.clone(),
            nonce: nonce.into(),
            attempt,
            argv,
            cwd: work.cwd,
            env: resolved.env(),
            unset: Vec::new(),
            timeout_ms: work.timeout_ms,
            retries: if step.watchdog_for.is_some() { 0 } else { limit::retries(self.paths(), view, step) },
            retry_delay_ms: resolved.retry_delay().as_ms(),
            review: resolved.review(),
            stdin: work.is_told_by_stdin,
            output: work.output,
            artifacts: if step.watchdog_for.is_some() { Vec::new() } else { step.artifacts.clone() },
            diff: !resolved.is_shell() && step.watchdog_for.is_none(),
            limit: resolved.on_limit(),
            stands_in: false,
            own_limit: None,
            watch: watched(view, step),
            fanout: None,
            workers: Vec::new(),
            argvs: work.workers.into_iter().map(|worker| worker.argv).collect(),
        };
        if let Some(guard) = work.guard {
            guard.apply(&mut spec);
        }
        if step.is_orchestrator() {
            orchestrator::put_on_path(&mut spec);
        }
        let text = match (work.told, work.prompt, &step.command) {
            (Some(told), ..) => told,
            (None, Some(prompt), _) => prompt.bytes,
            (None, None, Some(command)) => [command.display().as_bytes(), b"\n"].concat(),
            (None, None, None) => Vec::new(),
        };
        (spec, text)
    }
}

/// What a watchdog watches; nothing for another step.
fn watched(view: &View, step: &Step) -> Option<Watch> {
    let watched = step.watchdog_for.as_ref()?;
    let claim = view.leases.get(watched).filter(|lease| lease.is_held).and_then(|lease| lease.record.claim.as_deref());
    Some(Watch {
        step: watched.clone(),
        run: claim.map(|claim| claim.run.to_string()).unwrap_or_default(),
        // Where nothing is held, the watchdog finds that at once and ends.
        nonce: claim.map(|claim| claim.nonce.to_string()).unwrap_or_default(),
        interval_ms: Resolved::new(&view.sequence, step).watchdog_interval().as_ms(),
    })
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
    let mut argv = interpreter(prompt.map_or(&b""[..], |prompt| &prompt.bytes));
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
    (text, resume): (&[u8], Option<&Resume>),
    defhash: Sha,
) -> Result<(), Error> {
    let resolved = Resolved::new(&view.sequence, step);
    let workers = resume.map_or(&[][..], |resume| &resume.workers);
    let file = SpecFile {
        v: 1,
        step: step.id.clone(),
        run: spec.run.clone(),
        attempt: spec.attempt,
        kind: resolved.kind(),
        agent: resolved.agent().to_owned(),
        stands_in: spec.stands_in,
        argv: spec.argv.clone(),
        cwd: spec.cwd.clone(),
        timeout_ms: spec.timeout_ms,
        retries: spec.retries,
        retry_delay_ms: spec.retry_delay_ms,
        review: spec.review,
        output: spec.output,
        spent: resume.and_then(|resume| resume.spent),
        artifacts: spec.artifacts.clone(),
        fanout: spec.fanout,
        workers: spec.workers.clone(),
        workers_spent: workers.iter().filter_map(|known| Some((known.worker, known.spent?))).collect(),
        defhash,
        env: spec.env.keys().cloned().collect(),
        path: spec.env.get("PATH").cloned().or_else(|| std::env::var("PATH").ok()).unwrap_or_default(),
    };
    file::write(&folder.join("spec.json"), &file::pretty(&file)?, false)?;
    file::write(&folder.join("prompt.md"), text, false)
}

/// The folders of the workers of a fan-out, there for whoever wants to look into their logs, and the prompts of those who are
/// told something of their own.
fn write_workers(paths: &Paths, spec: &Spec, told: &[Vec<u8>]) -> Result<(), Error> {
    let is_left = |worker: &u32| spec.workers.iter().all(|end| end.worker != *worker);
    for worker in (1..=spec.fanout.map_or(0, |fanout| fanout.workers)).filter(is_left) {
        let folder = paths.worker(&spec.run, spec.step.as_str(), spec.attempt, worker);
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::io("make the folder", folder)(error));
            }
            _ => {}
        }
        if let Some(told) = told.get(worker as usize - 1) {
            file::write(&folder.join("prompt.md"), told, false)?;
        }
    }
    Ok(())
}

/// What a step would run, or the outcome it has because it cannot be run. `folder` is where its
/// attempt will be.
pub(super) fn resolve(paths: &Paths, view: &View, step: &Step, folder: &Path) -> Result<Work, Outcome> {
    let spawn = |why: String| Outcome::failed(Reason::Spawn, Some(why));
    let denied = |why: String| Outcome::failed(Reason::Policy, Some(why));
    let resolved = Resolved::new(&view.sequence, step);
    let policy = view.policy().map_err(|error| denied(error.to_string()))?;
    let prompt = read_prompt(paths, step).map_err(|error| spawn(error.to_string()))?;
    let wanted = paths.root.join(resolved.cwd());
    let cwd = match resolved.cwd() {
        "." => view.real_root.clone(),
        _ => wanted.canonicalize().map_err(|error| spawn(format!("cannot enter {}: {error}", wanted.display())))?,
    };
    let (work, text) = if resolved.is_shell() {
        let text = match &step.command {
            Some(command) => command.display(),
            None => prompt.as_ref().map(|prompt| String::from_utf8_lossy(&prompt.bytes).into_owned()).unwrap_or_default(),
        };
        (shell_work(step, prompt, cwd).map_err(spawn)?, text)
    } else {
        agent_work(paths, view, step, prompt, cwd, folder).map_err(spawn)?
    };
    let execution = Execution {
        command: step.command.as_ref(),
        text: &text,
        is_shell: resolved.is_shell(),
        env: &resolved.env(),
        root: &view.real_root,
        cwd: &work.cwd,
        fanout: step.fanout.unwrap_or(1),
    };
    if let Verdict::Deny { why, .. } = policy.check(&execution) {
        return Err(denied(why));
    }
    let usual = if resolved.is_shell() { policy.timeouts.commands } else { policy.timeouts.agents };
    let is_guarded = resolved.is_shell() && !policy.allowed_commands.is_empty();
    let guard = is_guarded.then(|| Guard::new(&view.real_root));
    Ok(Work { timeout_ms: resolved.timeout().unwrap_or(usual).as_ms(), guard, ..work })
}

fn shell_work(step: &Step, prompt: Option<Prompt>, cwd: PathBuf) -> Result<Work, String> {
    let argv = match &step.command {
        Some(CommandLine::Shell(text)) => vec!["/bin/sh".into(), "-c".into(), text.clone()],
        Some(CommandLine::Argv(words)) => words.clone(),
        None if prompt.is_some() => Vec::new(),
        None => return Err("it has no command, prompt or prompt file".into()),
    };
    Ok(Work {
        argv,
        cwd,
        prompt,
        told: None,
        is_told_by_stdin: false,
        output: OutputFormat::Text,
        guard: None,
        timeout_ms: 0,
        workers: Vec::new(),
        resume: None,
    })
}

/// The work of an agent, and what the policy judges: its command line and what the plan or a person tells it. What is
/// told around that, results of other steps among it, is nothing that runs.
fn agent_work(
    paths: &Paths,
    view: &View,
    step: &Step,
    prompt: Option<Prompt>,
    cwd: PathBuf,
    folder: &Path,
) -> Result<(Work, String), String> {
    let decided = view.records.get(&step.id).and_then(|record| record.decision.as_ref());
    let resume = decided.and_then(|decided| decided.resume.clone()).or_else(|| limit::resume(paths, view, step));
    let (task, told, for_workers) = match (&resume, &prompt) {
        (Some(resume), _) if resume.workers.is_empty() => (resume.message.clone(), resume.message.clone(), Vec::new()),
        (_, Some(prompt)) => {
            let mut task = String::from_utf8_lossy(&prompt.bytes).into_owned();
            if let Some(message) = decided.and_then(|decided| decided.resume.as_ref()).map(|resume| &resume.message) {
                task = format!("{}\n\n{message}\n", task.trim_end());
            }
            let told = brief::compile(paths, view, step, &task, &cwd).map_err(|error| error.to_string())?;
            let for_workers = crew::told(paths, view, step, (&task, &cwd), resume.as_ref()).map_err(|error| error.to_string())?;
            (task, told, for_workers)
        }
        (_, None) => return Err("it has no prompt or prompt file".into()),
    };
    let session = resume.as_ref().map(|resume| resume.session.as_str()).filter(|session| !session.is_empty());
    let command = |prompt: &str, file: &Path, session: Option<&str>| {
        super::agent::command(view, step, &cwd, Told { prompt, file: Some(file), session }).map_err(|error| match error.hint() {
            Some(hint) => format!("{error}; {hint}"),
            None => error.to_string(),
        })
    };
    let file = folder.join("prompt.md");
    let (agent, argv) = command(&told, &file, session)?;
    let text = format!("{}\n{task}", shell_words::join(command(&task, &file, session)?.1));
    let mut workers = Vec::new();
    for (worker, told) in (1..).zip(for_workers) {
        let file = folder.join(worker_folder(worker)).join("prompt.md");
        let argv = command(&told.text, &file, told.session.as_deref())?.1;
        workers.push(ForWorker { argv, told: told.text.into_bytes() });
    }
    let is_told_by_stdin = agent.prompt == PromptBy::Stdin;
    let work = Work {
        argv,
        cwd,
        prompt,
        told: Some(told.into_bytes()),
        is_told_by_stdin,
        output: agent.output,
        guard: None,
        timeout_ms: 0,
        workers,
        resume,
    };
    Ok((work, text))
}
