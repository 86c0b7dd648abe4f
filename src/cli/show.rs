//! Replies as text for people.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::{
    attention, graph, metrics, mprocs, policy, requests, style,
    table::{Table, cut, harmless, tame, wrapped},
    templates, why,
};
use crate::{
    client::{
        Check, Entry, Extended, GateRow, Output, Plan, Reply, RunReport, RunRow, ShortStatus, StatusReport, StepDetail, StepRow,
    },
    error::count,
    model::{Id, Products, Span, StepStatus, WorkerEnd},
};

/// A reply as text; lines are cut at `width` where one is given.
pub(super) fn text(reply: &Reply, width: Option<usize>, verbose: bool) -> String {
    match &reply.output {
        Output::Changed { changes } => lines(changes.iter().map(|change| change.text.clone())),
        Output::Preview { changes, diff } => {
            let words = lines(changes.iter().map(|change| format!("  {}", change.text)));
            format!("this would be done:\n{words}{diff}")
        }
        Output::Made { path, files } => {
            let next = "\nnext: seqctl status, then seqctl run\n";
            format!("made a project in {}\n{}{next}", path.display(), lines(files.iter().map(|file| format!("  {file}"))))
        }
        Output::Status(report) => status(report, width, verbose),
        Output::Short(status) => short(status, width),
        Output::Attention { needs } => attention::text(needs, width),
        Output::Why(report) => why::text(report, width),
        Output::Graph(report) => graph::text(report, width),
        Output::Steps { steps } => steps_text(steps, width, "no steps yet: seqctl step add <id> --command '…'\n"),
        Output::Step(detail) => step(detail),
        Output::Gates { gates } => gates_text(gates, width),
        Output::Valid { steps, gates, findings } => valid_text(*steps, *gates, findings),
        Output::WouldRun(plan) => would_run(plan),
        Output::Metrics(report) => metrics::text(report, width),
        Output::Started(started) => {
            let verb = if started.attached { "is going on already" } else { "started" };
            format!("run {} {verb}; `seqctl attach` watches it\n", started.run)
        }
        Output::Requested { request, .. } => requests::left(request),
        Output::Requests { requests } => requests::list(requests, width),
        Output::Answered(request) => requests::answered(request),
        Output::Run(report) => run(report, width, verbose),
        Output::Runs { runs } => runs_text(runs, width),
        Output::Stopped { stopped, runs } => stopped_text(stopped, runs),
        Output::Extended(extended) => extended_text(extended),
        Output::Waited { steps } => steps_text(steps, width, ""),
        Output::Audit { entries } => audit(entries, width),
        Output::Chain { entries, head } if reply.action == "audit.verify" => {
            format!("{}, chain intact, head {head}\n", count_entries(*entries))
        }
        Output::Chain { entries, head } => format!("{entries} {head}\n"),
        Output::Log(log) => log.text.clone(),
        Output::Answer(answer) if answer.text.is_empty() || answer.text.ends_with('\n') => answer.text.clone(),
        Output::Answer(answer) => format!("{}\n", answer.text),
        Output::Diff(diff) => diff_text(&diff.text),
        Output::Reported { step, outcome } => {
            let word = serde_json::to_value(outcome).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default();
            format!("outcome of `{step}`: {word}\n")
        }
        // Byte for byte, except on a terminal.
        Output::Prompt(prompt) if width.is_none() => prompt.text.clone(),
        Output::Prompt(prompt) => {
            let end = if prompt.text.ends_with('\n') { "" } else { "\n" };
            format!("{}{end}", harmless(&prompt.text))
        }
        Output::Opened(opening) => {
            let what = if opening.session.is_some() { "the session" } else { "the folder" };
            let mut text = format!("left {what} of `{}`\n", opening.step);
            text.push_str(&lines(reply.next.iter().map(|command| format!("  {command}"))));
            text
        }
        Output::Groups { groups } => templates::groups(groups, width),
        Output::Templates { templates } => templates::templates(templates, width, verbose),
        Output::Template(template) if width.is_none() => template.text.clone(),
        Output::Template(template) => harmless(&template.text),
        Output::Schema { schema } => format!("{schema:#}\n"),
        Output::Wrote { path } => format!("wrote {}\n", path.display()),
        Output::Mprocs(report) => mprocs::report(report, width),
        Output::Selected { step, .. } => format!("the pane of `{step}` is selected\n"),
        Output::Typed { step, key } => format!("typed {key} into the pane of `{step}`\n"),
        Output::Left { running } => mprocs::left(running),
        Output::Checked { checks } => checks_text(checks, width),
        Output::Policy { rules, ignored } => policy::rules(rules, ignored, width),
        Output::Judged(judgement) => policy::judgement(judgement),
        Output::Trusted { path, mode, agents, notify, place } => policy::trusted(path, *mode, agents, notify.as_deref(), place),
        Output::Pruned { runs } => format!("removed {}\n", count(runs.len(), "run")),
        Output::Demo { path, report } => {
            let mut text = format!("\n{}", run(report, width, verbose));
            let _ = writeln!(text, "\neverything is in {}\ntry:", path.display());
            text.push_str(&lines(reply.next.iter().map(|command| format!("  {command}"))));
            text
        }
    }
}

fn valid_text(steps: usize, gates: usize, findings: &[crate::client::Warning]) -> String {
    let mut text = format!("valid: {}, {}\n", count(steps, "step"), count(gates, "gate"));
    for found in findings {
        let hint = found.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
        let _ = writeln!(text, "{} line {}: {}{hint}", style::bold("warning:"), found.line, found.message);
    }
    text
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

fn count_entries(entries: u64) -> String {
    if entries == 1 { "1 entry".into() } else { format!("{entries} entries") }
}

fn names(ids: &[Id]) -> String {
    ids.iter().map(Id::as_str).collect::<Vec<_>>().join(", ")
}

/// A moment for people.
pub(super) fn moment(at: &str) -> String {
    at.parse().map_or_else(|_| at.to_owned(), |at| crate::clock::local(at, crate::clock::now()))
}

fn took(ms: Option<u64>) -> String {
    ms.map_or(String::new(), |ms| Span::from_ms(ms).short())
}

fn status(report: &StatusReport, width: Option<usize>, verbose: bool) -> String {
    let mut head = format!("{}  {}", style::bold(&tame(&report.name)), report.mode);
    for (status, number) in report.counts.iter().filter(|(_, number)| *number > 0) {
        let _ = write!(head, "   {} {number} {}", style::glyph(*status), status.as_str().to_lowercase().replace('_', " "));
    }
    let mut text = width.map_or(head.clone(), |width| cut(&head, width)) + "\n";
    if !report.attention.is_empty() {
        let _ = writeln!(text, "\n{}", style::bold("needs you"));
        const SHOWN: usize = 10;
        for line in report.attention.iter().take(SHOWN) {
            text.push_str(&needs_you(&tame(line), width));
        }
        if report.attention.len() > SHOWN {
            let _ = writeln!(text, "  … and {} more", report.attention.len() - SHOWN);
        }
    }
    for run in report.runs.iter().filter(|run| verbose || run.state == "waiting" || run.has_runner) {
        let line = run_line(run);
        let _ = writeln!(text, "\n{}", width.map_or(line.clone(), |width| cut(&line, width)));
    }
    if let Some(progress) = report.progress.as_ref().filter(|progress| progress.running > 0) {
        let _ = writeln!(text, "\n{}", progress.words());
    }
    if report.findings > 0 {
        let _ = writeln!(text, "\n{}: seqctl validate", count(report.findings, "warning"));
    }
    text.push('\n');
    if report.steps.is_empty() {
        text.push_str("no steps yet: seqctl step add <id> --command '…'\n");
        return text;
    }
    text.push_str(&steps_table(&report.steps, &report.gates).lines("", width));
    text
}

/// One line for a prompt: what waits for a person first, and nothing that is zero.
fn short(status: &ShortStatus, width: Option<usize>) -> String {
    let number = |wanted: StepStatus| status.counts.iter().find(|(status, _)| *status == wanted).map_or(0, |(_, number)| *number);
    let rest = [StepStatus::Running, StepStatus::Done, StepStatus::Failed, StepStatus::Ready, StepStatus::Blocked];
    let counts = [(StepStatus::NeedsReview, status.waiting)].into_iter().chain(rest.map(|status| (status, number(status))));
    let parts = counts.filter(|(_, number)| *number > 0).map(|(status, number)| format!(" {} {number}", style::glyph(status)));
    let line = format!("{}{}", tame(&status.name), parts.collect::<String>());
    width.map_or(line.clone(), |width| cut(&line, width)) + "\n"
}

/// A line of what needs a person. Where it is too long its command, which begins behind the last
/// `: `, stands on a line of its own: it is there to be copied.
fn needs_you(line: &str, width: Option<usize>) -> String {
    match (line.split_once(": seqctl "), width) {
        (Some((what, command)), Some(width)) if line.width() + 2 > width => {
            format!("{}\n      seqctl {command}\n", cut(&format!("  {what}:"), width))
        }
        _ => format!("  {line}\n"),
    }
}

/// What `doctor` found, a line each, and below it what to do.
fn checks_text(checks: &[Check], width: Option<usize>) -> String {
    let name_width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let indent = " ".repeat(name_width + 4);
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(indent.len()).max(20));
    let lines = checks.iter().map(|check| {
        let text = wrapped(&tame(&check.text), room).join(&format!("\n{indent}"));
        let hint = check.hint.iter().flat_map(|hint| wrapped(hint, room));
        let hint: String = hint.map(|line| format!("\n{indent}{}", style::dim(&line))).collect();
        format!("{} {:name_width$}  {text}{hint}\n", style::health(check.health), check.name)
    });
    lines.collect()
}

fn run_line(run: &RunRow) -> String {
    let waits = if run.waits_for.is_empty() { String::new() } else { format!(", waits for {}", run.waits_for.join(", ")) };
    format!("run {} {}{waits}", run.id, run.state)
}

fn steps_table(steps: &[StepRow], gates: &[GateRow]) -> Table {
    let mut table = Table::default();
    for row in steps {
        table.row([
            format!("{} {}", style::glyph(row.status), row.id),
            style::word(row.status),
            took(row.duration_ms),
            remark(row),
        ]);
    }
    for row in gates {
        let (glyph, word) = style::gate(row.status);
        let remark = match (&row.note, row.status) {
            (Some(note), _) => tame(note),
            (None, "PENDING") if !row.depends_on.is_empty() => format!("gate after {}", names(&row.depends_on)),
            _ => "gate".into(),
        };
        table.row([format!("{glyph} {}", row.id), word, String::new(), style::dim(&remark)]);
    }
    table
}

/// What there is to say about a step beside its status.
fn remark(row: &StepRow) -> String {
    let mut words = Vec::new();
    if let Some(watched) = row.watches.as_ref().filter(|watched| row.waits_for != [(*watched).clone()]) {
        words.push(format!("watches {watched}"));
    }
    if !row.waits_for.is_empty() {
        words.push(format!("waits for {}", names(&row.waits_for)));
    }
    if let Some(outcome) = row.outcome.as_ref().filter(|_| row.status == StepStatus::Failed) {
        words.push(outcome.clone());
    }
    if let Some(until) = &row.until {
        words.push(format!("waits for its usage limit until {}", moment(until)));
    }
    if let Some(attempt) = row.attempt.filter(|attempt| *attempt > 1) {
        words.push(format!("attempt {attempt}"));
    }
    if let Some(left) = row.left_ms {
        words.push(format!("{} left", Span::from_ms(left).short()));
    }
    if let Some(workers) = row.workers {
        words.push(format!("{} of {} workers ended", workers.ended, workers.all));
    }
    if row.changed {
        words.push("changed since".into());
    }
    if row.held {
        words.push("needs your approval".into());
    }
    if row.agent != "shell" {
        words.push(tame(&row.agent));
    }
    words.extend(row.usage.map(|usage| usage.words()));
    style::dim(&words.join(" · "))
}

fn steps_text(steps: &[StepRow], width: Option<usize>, empty: &str) -> String {
    if steps.is_empty() { empty.to_owned() } else { steps_table(steps, &[]).lines("", width) }
}

fn gates_text(gates: &[GateRow], width: Option<usize>) -> String {
    let mut table = Table::default();
    for row in gates {
        let (glyph, word) = style::gate(row.status);
        let decided = match (&row.by, &row.at) {
            (Some(by), Some(at)) => format!("by {by} at {at}"),
            _ if row.reached => "can be decided".into(),
            _ => format!("after {}", names(&row.depends_on)),
        };
        let holds = if row.holds.is_empty() { String::new() } else { format!("holds {}", names(&row.holds)) };
        table.row([
            format!("{glyph} {}", row.id),
            word,
            tame(&row.name),
            decided,
            holds,
            row.note.as_deref().map(tame).unwrap_or_default(),
        ]);
    }
    if table.is_empty() { "no gates\n".into() } else { table.lines("", width) }
}

fn step(detail: &StepDetail) -> String {
    let row = &detail.state;
    let mut table = Table::default();
    let mut put = |name: &str, value: String| {
        if !value.is_empty() {
            table.row([style::dim(name), value]);
        }
    };
    put("name", if row.name == row.id.as_str() { String::new() } else { tame(&row.name) });
    put("status", format!("{} {}", style::word(row.status), remark(row)).trim_end().to_owned());
    put("type", row.kind.to_owned());
    put("agent", row.agent.clone());
    put("runs", tame(detail.work.lines().next().unwrap_or_default()));
    put("cwd", detail.cwd.display().to_string());
    put("needs", names(&detail.step.needs().cloned().collect::<Vec<_>>()));
    put("unlocks", names(&detail.dependents));
    put("watched by", names(&detail.watchdogs));
    put("group", detail.step.group_id.as_ref().map(Id::to_string).unwrap_or_default());
    let timeout = row.timeout_ms.map(Span::from_ms).or(detail.step.timeout);
    put("timeout", timeout.map(|timeout| timeout.to_string()).unwrap_or_default());
    put("retries", detail.step.retries.map(|retries| retries.to_string()).unwrap_or_default());
    put("run", row.run.clone().unwrap_or_default());
    put("attempt", row.attempt.map(|attempt| attempt.to_string()).unwrap_or_default());
    put("took", took(row.duration_ms));
    if let Some(agent) = detail.last.as_ref().map(|last| &last.agent) {
        put("model", agent.model.as_deref().map(tame).unwrap_or_default());
        put("turns", agent.turns.map(|turns| turns.to_string()).unwrap_or_default());
        put("session", agent.session_id.as_deref().map(tame).unwrap_or_default());
        let denials = agent.denials.iter().map(|denial| format!("{} {}", denial.tool, denial.argument));
        put("denied", tame(&denials.collect::<Vec<_>>().join(", ")));
        put("said", agent.summary.as_deref().map(tame).unwrap_or_default());
    }
    if let Some(products) = detail.last.as_ref().map(|last| &last.products) {
        put("made", artifacts(products));
        let shared = if products.shared { format!(", shared with {}", names(&products.shared_with)) } else { String::new() };
        put("changed", products.diff.map(|diff| format!("{}{shared}: seqctl diff {}", diff.words(), row.id)).unwrap_or_default());
        put("missing", tame(&products.product_notes.join(", ")));
    }
    for end in detail.last.iter().flat_map(|last| &last.workers) {
        put(&format!("worker {}", end.worker), format!("{} {}", style::glyph(end.status), worker_words(end)));
    }
    put("note", detail.last.as_ref().and_then(|last| last.note.as_deref()).map(tame).unwrap_or_default());
    put("folder", detail.folder.as_ref().map(|folder| folder.display().to_string()).unwrap_or_default());
    format!("{} {}\n{}", style::glyph(row.status), style::bold(row.id.as_str()), table.lines("  ", None))
}

/// How a worker of a fan-out ended, how long it took, and what there is to say about it.
fn worker_words(end: &WorkerEnd) -> String {
    let parts = [style::word(end.status), took(Some(end.duration_ms)), worker_remark(end)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

/// What there is to say about a worker beside its status.
fn worker_remark(end: &WorkerEnd) -> String {
    let words = if end.status == StepStatus::Failed { end.outcome().words() } else { String::new() };
    let note = end.note.as_deref().map(tame).unwrap_or_default();
    let usage = end.usage.map(|usage| usage.words()).unwrap_or_default();
    [words, note, usage].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// A patch for reading: what files it is about in bold, what stays dim.
fn diff_text(patch: &str) -> String {
    let paint = |line: &str| match line.as_bytes().first() {
        Some(b'+' | b'-' | b'@') if !line.starts_with("+++") && !line.starts_with("---") => line.to_owned(),
        Some(b'd') => style::bold(line),
        _ => style::dim(line),
    };
    lines(harmless(patch).lines().map(paint))
}

/// The files that a step made, the first few by name.
fn artifacts(products: &Products) -> String {
    const SHOWN: usize = 5;
    let files = &products.artifacts;
    let named = files.iter().take(SHOWN).map(|file| tame(&file.path)).collect::<Vec<_>>().join(", ");
    match (files.len().checked_sub(SHOWN), products.artifacts_truncated) {
        (_, true) => format!("{named} and many more"),
        (Some(more @ 1..), false) => format!("{named} and {more} more"),
        _ => named,
    }
}

fn would_run(plan: &Plan) -> String {
    if plan.starts.is_empty() && plan.follows.is_empty() {
        return "nothing to run\n".into();
    }
    let mut text = format!("would start {}", count(plan.starts.len(), "step"));
    if !plan.follows.is_empty() {
        let _ = write!(text, ", and {} after them", plan.follows.len());
    }
    text.push('\n');
    text + &lines(plan.commands.iter().map(|command| format!("  {}", tame(command))))
}

fn run(report: &RunReport, width: Option<usize>, verbose: bool) -> String {
    let mut text = String::new();
    let mut table = Table::default();
    let is_long = report.attempts.len() > 40 && !verbose;
    for attempt in report.attempts.iter().filter(|attempt| !is_long || attempt.status != StepStatus::Done) {
        let words = if attempt.status == StepStatus::Failed { attempt.outcome().words() } else { String::new() };
        let tries = if attempt.attempt > 1 { format!("attempt {}", attempt.attempt) } else { String::new() };
        let note = attempt.note.as_deref().map(tame).unwrap_or_default();
        let parts = [words, tries, note].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
        table.row([
            format!("{} {}", style::glyph(attempt.status), attempt.step),
            style::word(attempt.status),
            took(Some(attempt.duration_ms)),
            style::dim(&parts),
        ]);
        for end in attempt.workers.iter().filter(|end| !is_long || end.status != StepStatus::Done) {
            let name = format!("  {} worker {}", style::glyph(end.status), end.worker);
            table.row([name, style::word(end.status), took(Some(end.duration_ms)), style::dim(&worker_remark(end))]);
        }
    }
    if !table.is_empty() {
        text.push_str(&table.lines("", width));
        text.push('\n');
    }
    let counts: Vec<String> = report
        .counts
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(status, number)| {
            format!("{} {number} {}", style::glyph(*status), status.as_str().to_lowercase().replace('_', " "))
        })
        .collect();
    let time = report.run.ended_at.as_ref().and_then(|end| crate::clock::ms_between(&report.run.started_at, end));
    let time = time.map_or(String::new(), |ms| format!(" in {}", Span::from_ms(ms).short()));
    let counts = if counts.is_empty() { "nothing to run".to_owned() } else { counts.join("  ") };
    let usage = report.usage.map_or(String::new(), |usage| format!("   {}", style::dim(&usage.words())));
    let _ = writeln!(text, "run {} {}{time}   {counts}{usage}", report.run.id, report.run.state);
    text
}

fn runs_text(runs: &[RunRow], width: Option<usize>) -> String {
    let mut table = Table::default();
    for run in runs {
        let time = run.ended_at.as_ref().and_then(|end| crate::clock::ms_between(&run.started_at, end));
        let waits = if run.waits_for.is_empty() { String::new() } else { format!("waits for {}", run.waits_for.join(", ")) };
        table.row([run.id.clone(), run.state.clone(), took(time), run.what.clone(), format!("by {}", run.by), waits]);
    }
    if table.is_empty() { "no runs yet: seqctl run\n".into() } else { table.lines("", width) }
}

fn stopped_text(stopped: &[Id], runs: &[String]) -> String {
    match (stopped, runs) {
        ([], []) => "nothing was running\n".into(),
        ([], runs) => format!("stopped {}\n", runs.iter().map(|run| format!("run {run}")).collect::<Vec<_>>().join(", ")),
        (steps, _) => format!("stopped {}\n", names(steps)),
    }
}

fn extended_text(extended: &Extended) -> String {
    let (limit, left) = (Span::from_ms(extended.timeout_ms), Span::from_ms(extended.left_ms).short());
    format!("`{}` has {limit} now, {left} left\n", extended.step)
}

fn audit(entries: &[Entry], width: Option<usize>) -> String {
    let mut table = Table::default();
    for entry in entries {
        let body = &entry.body;
        let result = if body.result == "ok" {
            String::new()
        } else {
            format!("{} {}", body.result, body.error.as_deref().unwrap_or_default())
        };
        table.row([
            entry.seq.to_string(),
            entry.at.clone(),
            body.actor.clone(),
            body.action.clone(),
            body.target.clone().unwrap_or_default(),
            format!("{}{}", result, detail(entry)),
        ]);
    }
    if table.is_empty() { "no entries\n".into() } else { table.lines("", width) }
}

/// What an entry is about, where its target does not say.
fn detail(entry: &Entry) -> String {
    let list = |key: &str| entry.body.payload.get(key).and_then(|value| value.as_array()).cloned().unwrap_or_default();
    let word =
        |value: &serde_json::Value, key: &str| value.get(key).and_then(|text| text.as_str()).unwrap_or_default().to_owned();
    let words: Vec<String> = match entry.body.action.as_str() {
        "claim" => list("claims").iter().map(|claim| word(claim, "step")).collect(),
        "commit" => list("outcomes").iter().map(|end| format!("{} {}", word(end, "step"), word(end, "status"))).collect(),
        _ => Vec::new(),
    };
    style::dim(&tame(&words.join(", ")))
}
