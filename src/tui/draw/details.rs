//! Everything about the selected step or gate, and what can be done about it.

use ratatui::text::{Line, Span};
use serde_json::Value;

use super::{
    super::{app::App, command::Command, folding::Fold, inspector::Facts, keymap::binding, snapshot::Snapshot},
    tame,
};
use crate::{
    client::{GateRow, Standing, StepDetail, WhyReport},
    model::{GateStatus, Id, Span as Duration, Step},
};

/// The lines of the tab.
pub(super) fn lines(app: &App, facts: &Facts) -> Vec<Line<'static>> {
    let mut lines = about(app, facts);
    lines.extend(facts.why.iter().flat_map(|why| of_why(app, why)));
    lines
}

/// What it is, before why it does not run.
pub(super) fn about(app: &App, facts: &Facts) -> Vec<Line<'static>> {
    let Some((snapshot, at)) = app.selected() else { return Vec::new() };
    match (&facts.detail, snapshot.gate(&snapshot.node(at).id)) {
        (_, Some(gate)) => of_gate(app, snapshot, gate, facts),
        (Some(detail), None) => of_step(app, snapshot, at, detail),
        (None, None) => Vec::new(),
    }
}

/// The sign of a step or gate, in the colour of its status.
pub(super) fn glyph(app: &App, snapshot: &Snapshot, id: &Id) -> Span<'static> {
    let (theme, glyphs) = (&app.look.theme, app.look.glyphs);
    match snapshot.find(id).map(|at| snapshot.node(at).state) {
        Some(Standing::Step(status)) => Span::styled(glyphs.step_status(status).to_string(), theme.step(status)),
        Some(Standing::Gate(status)) => Span::styled(glyphs.gate_status(status).to_string(), theme.gate(status)),
        None => Span::raw("?"),
    }
}

fn row(app: &App, name: &str, spans: impl IntoIterator<Item = Span<'static>>) -> Line<'static> {
    std::iter::once(Span::styled(format!("{name:<8} "), app.look.theme.dim)).chain(spans).collect()
}

fn text(app: &App, name: &str, text: &str) -> Line<'static> {
    row(app, name, [Span::raw(tame(text))])
}

/// A line for each id, with its sign.
fn ids(app: &App, snapshot: &Snapshot, name: &str, ids: &[Id]) -> Vec<Line<'static>> {
    let line = |(at, id): (usize, &Id)| {
        let spans = [glyph(app, snapshot, id), Span::raw(format!(" {id}"))];
        row(app, if at == 0 { name } else { "" }, spans)
    };
    ids.iter().enumerate().map(line).collect()
}

/// What a folded group is, and how its members stand.
pub(super) fn of_fold(app: &App, snapshot: &Snapshot, fold: &Fold) -> Vec<Line<'static>> {
    let status = fold.status(snapshot);
    let sign = Span::styled(app.look.glyphs.step_status(status).to_string(), app.look.theme.step(status));
    let mut lines = vec![
        text(app, "group", fold.id.as_str()),
        row(app, "status", [sign, Span::raw(format!(" {}", status.as_str()))]),
        text(app, "what", &fold.words(snapshot, app.look.glyphs)),
    ];
    let members: Vec<Id> = fold.members.iter().map(|&at| snapshot.node(at).id.clone()).collect();
    lines.extend(ids(app, snapshot, "steps", &members));
    let keys = [(Command::Fold, "unfold"), (Command::Run, "run them")];
    let mut hint = Vec::new();
    for (command, words) in keys {
        hint.push(Span::styled(app.keymap.key(command).unwrap_or_default(), app.look.theme.key));
        hint.push(Span::styled(format!(" {words}  "), app.look.theme.dim));
    }
    lines.push(Line::default());
    lines.push(Line::from(hint));
    lines
}

fn of_step(app: &App, snapshot: &Snapshot, at: usize, detail: &StepDetail) -> Vec<Line<'static>> {
    // What the snapshot says is newer than what was read of it.
    let node = snapshot.node(at);
    let Some(state) = snapshot.step(&node.id) else { return Vec::new() };
    let (theme, dot) = (&app.look.theme, app.look.glyphs.spell(" · "));
    let mut status =
        vec![glyph(app, snapshot, &node.id), Span::styled(format!(" {}", state.status.as_str()), theme.step(state.status))];
    if let Some(ms) = snapshot.duration_ms(at, app.now) {
        status.push(Span::raw(format!("{dot}{}", Duration::from_ms(ms).short())));
    }
    let mut lines = vec![text(app, "id", node.id.as_str()), row(app, "status", status)];
    let passed = app.now.saturating_sub(snapshot.at);
    let left = state.left_ms.map(|left| Duration::from_ms(left.saturating_sub(passed)).short());
    let outcome = state.outcome.clone().filter(|outcome| *outcome != state.status.as_str().to_lowercase());
    let group = state.group.as_ref().map_or(String::new(), |group| format!("{dot}group {group}"));
    let mut add = |name: &str, value: Option<String>| lines.extend(value.map(|value| text(app, name, &value)));
    add("outcome", outcome);
    add("note", state.note.clone());
    add("resumes", state.until.clone());
    add("type", Some(format!("{}{group}", state.kind)));
    add("agent", Some(state.agent.clone()));
    add("cwd", Some(detail.cwd.display().to_string()));
    add("watches", state.watches.as_ref().map(ToString::to_string));
    add("workers", state.workers.map(|workers| format!("{} of {} ended", workers.ended, workers.all)));
    // A row each: an id that is broken in two cannot be copied.
    add("attempt", state.attempt.map(|attempt| attempt.to_string()));
    add("run", state.run.clone());
    add("used", state.usage.as_ref().map(crate::model::Usage::words).map(|words| app.look.glyphs.spell(&words)));
    add("time left", left);
    add("changed", state.changed.then(|| "its definition, since it ran".into()));
    let mut needs = detail.step.depends_on.clone();
    needs.extend(detail.step.candidates().iter().filter(|id| !detail.step.depends_on.contains(id)).cloned());
    lines.extend(ids(app, snapshot, "needs", &needs));
    lines.extend(ids(app, snapshot, "unlocks", &detail.dependents));
    lines.extend(ids(app, snapshot, "watched", &detail.watchdogs));
    lines.push(text(app, "work", detail.work.lines().next().unwrap_or_default()));
    lines.extend(others(&detail.step).map(|(name, value)| text(app, &name, &value)));
    lines.push(keys(app, &[]));
    lines
}

/// The fields that the plan gives a step beyond those with a line of their own.
fn others(step: &Step) -> impl Iterator<Item = (String, String)> {
    const SHOWN: [&str; 9] = ["id", "type", "prompt", "command", "cwd", "depends_on", "status", "group_id", "watchdog_for"];
    let Ok(Value::Object(fields)) = serde_json::to_value(step) else { return Vec::new().into_iter() };
    let written = |value: Value| match value {
        Value::String(text) => text,
        Value::Array(items) => items.iter().map(|item| item.as_str().unwrap_or_default()).collect::<Vec<_>>().join(" "),
        Value::Object(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
            pairs.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    let others = fields.into_iter().filter(|(name, _)| !SHOWN.contains(&name.as_str()));
    others.map(|(name, value)| (name, written(value))).collect::<Vec<_>>().into_iter()
}

/// The keys that do something about the selection now.
fn keys(app: &App, more: &[Command]) -> Line<'static> {
    let theme = &app.look.theme;
    let commands = app.ways().into_iter().chain(more.iter().copied());
    let hints = commands.filter_map(|command| Some((app.keymap.key(command)?, binding(command).short)));
    hints.flat_map(|(key, words)| [Span::styled(key, theme.key), Span::styled(format!(" {words}  "), theme.dim)]).collect()
}

fn of_gate(app: &App, snapshot: &Snapshot, gate: &GateRow, facts: &Facts) -> Vec<Line<'static>> {
    let (theme, dot) = (&app.look.theme, app.look.glyphs.spell(" · "));
    let status = GateStatus::parse(gate.status).unwrap_or_default();
    let reached = if status == GateStatus::Pending && !gate.reached { format!("{dot}not reached yet") } else { String::new() };
    let stands = [glyph(app, snapshot, &gate.id), Span::styled(format!(" {}{reached}", gate.status), theme.gate(status))];
    let mut lines = vec![text(app, "gate", gate.id.as_str()), row(app, "status", stands)];
    if gate.name != gate.id.as_str() {
        lines.push(text(app, "name", &gate.name));
    }
    let decided = gate.by.as_ref().map(|by| match &gate.at {
        Some(at) => format!("{by}, {}", at.get(..19).unwrap_or(at).replace('T', " ")),
        None => by.clone(),
    });
    lines.extend(decided.map(|decided| text(app, "decided", &decided)));
    lines.extend(gate.note.as_ref().map(|note| text(app, "note", note)));
    lines.extend(ids(app, snapshot, "holds", &gate.holds));
    for need in &gate.depends_on {
        lines.push(row(app, "after", [glyph(app, snapshot, need), Span::raw(format!(" {need}"))]));
        let Some(detail) = facts.produced.iter().find(|detail| detail.state.id == *need) else { continue };
        let took = detail.state.duration_ms.map(|ms| Duration::from_ms(ms).short());
        let diff = detail.last.as_ref().and_then(|last| last.products.diff.as_ref()).map(crate::model::DiffFacts::words);
        let words = [detail.state.outcome.clone(), took, diff, detail.state.note.clone()];
        let words: Vec<String> = words.into_iter().flatten().collect();
        if !words.is_empty() {
            lines.push(text(app, "", &words.join(&dot)));
        }
    }
    lines.push(keys(app, &[Command::Review]));
    lines
}

fn of_why(app: &App, why: &WhyReport) -> Vec<Line<'static>> {
    let theme = &app.look.theme;
    let mut lines = vec![Line::default(), Line::raw(tame(&why.summary))];
    lines.extend(why.blockers.iter().map(|blocker| {
        let subject = blocker.id.as_ref().map(|id| format!("{id} ")).unwrap_or_default();
        Line::raw(tame(&format!("- {subject}{}", blocker.text)))
    }));
    lines.extend(why.acts.iter().map(|act| Line::styled(format!("  {}", tame(&act.command)), theme.dim)));
    lines
}
