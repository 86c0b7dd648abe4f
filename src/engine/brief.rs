//! Gathering what an agent is told about its step, the steps before it and the sequence.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use super::{
    crew,
    excerpt::read_part,
    query::{last_attempt, name_of},
    view::View,
};
use crate::{
    action::query::Logs,
    agent::plain,
    error::Error,
    model::{Id, Node, Outcome, Readiness, Resolved, State, Step},
    prompt::{self, BUDGET, Brief, Finding, Limits, Listed, Text, Worker},
    runner::SpecFile,
    store::{AttemptStatus, Paths, Record, file},
};

/// How much of a command's output is its result, in bytes: what it printed last says how it went, and the rest is in
/// a file. An agent's final text is meant to be read, and has the whole budget.
const OUTPUT: u64 = 4 * 1024;

/// How many steps and gates of the sequence are listed.
const LISTED: usize = 30;

/// What the agent of `step` is told when it begins now, `task` being its prompt.
pub(super) fn compile(paths: &Paths, view: &View, step: &Step, task: &str, cwd: &Path) -> Result<String, Error> {
    Ok(prompt::compile(&brief(paths, view, step, task, cwd)?))
}

/// What each worker of a fan-out is told; nothing where there is none.
pub(super) fn for_workers(paths: &Paths, view: &View, step: &Step, task: &str, cwd: &Path) -> Result<Vec<String>, Error> {
    let most = view.policy()?.max_fanout;
    // What the policy denies is not worth the work.
    let Some(count) = Resolved::new(&view.sequence, step).workers().filter(|count| *count <= most) else {
        return Ok(Vec::new());
    };
    let brief = brief(paths, view, step, task, cwd)?;
    let worker = |number| Worker { number: Some(number), count };
    Ok((1..=count).map(|number| prompt::compile(&Brief { worker: Some(worker(number)), ..brief.clone() })).collect())
}

fn brief(paths: &Paths, view: &View, step: &Step, task: &str, cwd: &Path) -> Result<Brief, Error> {
    let at = view.graph.find(step.id.as_str()).unwrap_or_default();
    let ready = view.readiness();
    let resolved = Resolved::new(&view.sequence, step);
    let policy = view.policy()?;
    let is_synthesis = step.is_synthesis();
    let others = |group: &Id| {
        let members = view.sequence.group(group.as_str()).map(|member| member.id.clone());
        (group.clone(), members.filter(|id| *id != step.id).collect::<Vec<_>>())
    };
    let group = step.group_id.as_ref().map(others);
    let before = reach(view, at, |at| view.graph.needs(at));
    let after = reach(view, at, |at| view.graph.dependents(at));
    let findings = before.iter().map(|&at| match view.graph.node(at) {
        Node::Gate(_) => gate_finding(view, &ready, at),
        Node::Step(index) => {
            let of = &view.sequence.steps[index];
            Finding { is_candidate: is_synthesis && of.is_candidate_of(step), ..step_finding(paths, view, &ready, at, of) }
        }
    });
    let near: HashSet<usize> = before.iter().chain(&after).copied().chain([at]).collect();
    let (plan, left_out) = listed(view, &ready, &near);
    Ok(Brief {
        sequence: name_of(paths, view),
        about: view.sequence.metadata.description.clone(),
        step: step.id.clone(),
        title: title(step.title(), &step.id),
        role: step.role.clone(),
        kind: resolved.kind(),
        group,
        task: task.to_owned(),
        is_synthesis,
        is_orchestrator: step.is_orchestrator(),
        worker: resolved.workers().map(|count| Worker { number: None, count }),
        findings: findings.collect(),
        plan,
        left_out,
        dependents: after
            .iter()
            .filter(|&&at| matches!(view.graph.node(at), Node::Step(_)))
            .map(|&at| view.id_of(at).clone())
            .collect(),
        cwd: cwd.to_owned(),
        root: view.real_root.clone(),
        limits: Limits {
            timeout: resolved.timeout().unwrap_or(policy.timeouts.agents),
            max_cost_usd: resolved.max_cost_of_each(),
            allowed_commands: policy.allowed_commands,
            forbidden_patterns: policy.forbidden_patterns,
        },
        artifacts: step.artifacts.clone(),
        review: resolved.review(),
    })
}

/// The name of a step where it is not its id.
fn title(title: &str, id: &Id) -> Option<String> {
    (title != id.as_str()).then(|| title.to_owned())
}

/// The neighbours of a node in one direction, and behind gates theirs: what somebody decided on is handed on.
fn reach(view: &View, at: usize, next: impl Fn(usize) -> Vec<usize>) -> Vec<usize> {
    let (mut found, mut open) = (Vec::new(), next(at));
    while let Some(at) = open.pop() {
        if found.contains(&at) {
            continue;
        }
        found.push(at);
        if matches!(view.graph.node(at), Node::Gate(_)) {
            open.extend(next(at));
        }
    }
    found.sort_unstable();
    found
}

fn gate_finding(view: &View, ready: &Readiness, at: usize) -> Finding {
    let decided = view.records.get(view.id_of(at)).and_then(|record| record.decision.as_ref());
    let by = decided.map_or(String::new(), |decided| format!(" by {}", decided.by));
    Finding {
        of: view.id_of(at).to_string(),
        how: format!("{}{by}", status(ready, at)),
        note: decided.and_then(|decided| decided.note.clone()),
        ..Finding::default()
    }
}

fn step_finding(paths: &Paths, view: &View, ready: &Readiness, at: usize, of: &Step) -> Finding {
    let resolved = Resolved::new(&view.sequence, of);
    let record = view.leases.get(&of.id).map(|lease| &lease.record).or_else(|| view.records.get(&of.id));
    let outcome = record.and_then(Record::outcome);
    let why = outcome
        .as_ref()
        .filter(|outcome| outcome.reason.is_some())
        .map_or(String::new(), |outcome| format!(" ({})", Outcome::words(outcome)));
    let by = if resolved.is_shell() { ", a command".to_owned() } else { format!(", by {}", resolved.agent()) };
    let finding = Finding {
        of: of.id.to_string(),
        how: format!("{}{why}{by}", status(ready, at)),
        note: outcome.and_then(|outcome| outcome.note),
        ..Finding::default()
    };
    let Some((run, Some(attempt))) = last_attempt(paths, view, &of.id).filter(|_| ready.status(at).is_outcome()) else {
        return finding;
    };
    let folder = paths.attempt(&run, of.id.as_str(), attempt);
    let Some(left) = AttemptStatus::read(paths, &run, of.id.as_str(), attempt) else { return finding };
    let is_text = || file::read_json::<SpecFile>(&folder.join("spec.json")).is_some_and(|spec| spec.output.is_text());
    let (name, limit) = if resolved.is_shell() {
        ("stdout.log", OUTPUT)
    } else {
        (if is_text() { "stdout.log" } else { "summary.md" }, BUDGET as u64)
    };
    let text = if left.workers.is_empty() {
        tail(folder.join(name), limit, &of.id)
    } else {
        let all = crew::texts(paths, &left, limit / left.workers.len() as u64).ok();
        all.map(|(tail, _)| Text { tail, before: 0, path: folder.clone() })
    };
    Finding {
        ended_at: Some(left.ended_at),
        text,
        diff: left.products.diff.map(|facts| (folder.join("diff.patch"), facts)),
        shared_with: left.products.shared_with,
        artifacts: left.products.artifacts,
        ..finding
    }
}

/// The end of a file, as text that can be shown; nothing where there is nothing in it.
fn tail(path: PathBuf, limit: u64, step: &Id) -> Option<Text> {
    let part = read_part(&path, &Logs { limit: Some(limit), ..Logs::of(step.clone()) }).ok()?;
    let all = fs::metadata(&path).ok()?.len();
    let text = plain(&String::from_utf8_lossy(&part.bytes));
    (!text.trim().is_empty()).then(|| Text { before: all.saturating_sub(part.bytes.len() as u64), tail: text, path })
}

fn status(ready: &Readiness, at: usize) -> String {
    match ready.state(at) {
        State::Gate(status) => format!("gate, {}", status.as_str()),
        _ => ready.status(at).as_str().to_owned(),
    }
}

/// The sequence as it stands, and how much of it is not listed: what is near or runs comes before the rest.
fn listed(view: &View, ready: &Readiness, near: &HashSet<usize>) -> (Vec<Listed>, usize) {
    let is_close = |at: &usize| near.contains(at) || matches!(ready.state(*at), State::Running);
    let (close, rest): (Vec<usize>, Vec<usize>) = (0..view.graph.len()).partition(is_close);
    let mut shown: Vec<usize> = close.into_iter().chain(rest).take(LISTED).collect();
    shown.sort_unstable();
    let row = |&at: &usize| {
        let id = view.id_of(at).clone();
        let name = match view.graph.node(at) {
            Node::Step(step) => view.sequence.steps[step].title(),
            Node::Gate(gate) => view.sequence.gates[gate].title(),
        };
        Listed { title: title(name, &id), status: status(ready, at), id }
    };
    (shown.iter().map(row).collect(), view.graph.len() - shown.len())
}
