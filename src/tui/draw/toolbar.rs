//! The first line: does anything need me, what runs, how far is it; and its buttons.

use ratatui::{
    Frame,
    layout::{Position, Rect},
    text::{Line, Span},
};

use super::{
    super::{app::App, command::Command, panels::View, snapshot::Snapshot},
    fit, tame,
};
use crate::model::StepStatus;

/// Draws the toolbar.
pub(super) fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let left = left(app, area.width);
    let room = area.width.saturating_sub(u16::try_from(left.width()).unwrap_or(u16::MAX));
    frame.render_widget(left, area);
    let mut spans = Vec::new();
    for (text, command) in buttons(app, room) {
        let style = if command.is_some() { app.look.theme.key } else { app.look.theme.dim };
        spans.push(Span::styled(text, style));
    }
    frame.render_widget(Line::from(spans).right_aligned(), area);
}

fn left(app: &App, width: u16) -> Line<'static> {
    let theme = &app.look.theme;
    let Some(snapshot) = &app.snapshot else { return Line::styled(" seqctl", theme.title) };
    let name = fit(&tame(&snapshot.status().name), usize::from(width / 3), app.look.glyphs.ellipsis());
    let mut spans = vec![Span::styled(format!(" {name} "), theme.title)];
    let waiting = snapshot.needs().len();
    if waiting > 0 {
        let verb = if waiting == 1 { "needs you" } else { "need you" };
        let glyph = app.look.glyphs.step_status(StepStatus::NeedsReview);
        spans.push(Span::styled(format!("  {glyph} {waiting} {verb}"), theme.step(StepStatus::NeedsReview)));
    }
    for &(status, number) in &snapshot.status().counts {
        if number > 0 && status != StepStatus::NeedsReview {
            let word = if status == StepStatus::Running { " running" } else { "" };
            let text = format!("  {} {number}{word}", app.look.glyphs.step_status(status));
            spans.push(Span::styled(text, theme.step(status)));
        }
    }
    let used: usize = spans.iter().map(Span::width).sum();
    // The mode's button has to fit beside it.
    let room = usize::from(width).saturating_sub(used + 10);
    let far = far(snapshot).into_iter().map(|text| format!("  {}", tame(&text)));
    if let Some(far) = far.into_iter().find(|far| crate::layout::width(far) <= room) {
        spans.push(Span::styled(far, theme.dim));
    }
    Line::from(spans)
}

/// How far the runs have come that go on, or what they wait for: first all of it, then what is left where there is
/// less room. A part of it would be read as another number.
fn far(snapshot: &Snapshot) -> Vec<String> {
    let status = snapshot.status();
    let waiting = status.runs.iter().find(|run| run.state == "waiting");
    let idle = status.runs.iter().find(|run| run.state == "active" && !run.has_runner);
    match (&status.progress, waiting, idle) {
        (Some(progress), ..) if progress.running > 0 => {
            let done = format!("{}/{} done", progress.done, progress.total);
            let left = progress.left_words().map(|left| format!("{done}, {left}"));
            left.into_iter().chain([done]).collect()
        }
        (_, Some(run), _) => {
            let what = (!run.waits_for.is_empty()).then(|| format!("the run waits for {}", run.waits_for.join(", ")));
            what.into_iter().chain(["the run waits".into()]).collect()
        }
        (_, _, Some(_)) => vec!["no process advances the run: seqctl resume".into(), "seqctl resume".into()],
        (Some(progress), ..) => vec![format!("{}/{} done", progress.done, progress.total)],
        _ => Vec::new(),
    }
}

/// The buttons that fit, from left to right, and what each does.
fn buttons(app: &App, room: u16) -> Vec<(String, Option<Command>)> {
    let Some(snapshot) = &app.snapshot else { return Vec::new() };
    let spell = |words: &str| app.look.glyphs.spell(words);
    let mut all: Vec<(String, Option<Command>)> = vec![(format!(" {} ", tame(&snapshot.status().mode)), Some(Command::Mode))];
    let has_room = |all: &[(String, Option<Command>)], text: &str| {
        all.iter().map(|(text, _)| crate::layout::width(text)).sum::<usize>() + crate::layout::width(text) + 2
            <= usize::from(room)
    };
    let help = app.keymap.key(Command::Help).map(|key| format!(" {key} help "));
    let search = app.keymap.key(Command::Search).map(|key| format!(" {key} search "));
    for (text, command) in [(help, Command::Help), (search, Command::Search)] {
        if let Some(text) = text.filter(|text| has_room(&all, text)) {
            all.push((text, Some(command)));
        }
    }
    if app.view() == View::Graph && has_room(&all, " − + ▣ ") {
        all.splice(
            0..0,
            [
                (spell(" − "), Some(Command::ZoomOut)),
                (" + ".into(), Some(Command::ZoomIn)),
                (spell(" ▣ "), Some(Command::Minimap)),
            ],
        );
    }
    let start = spell(" ▶ Run runnable ");
    if has_room(&all, &start) {
        all.insert(0, (start, Some(Command::RunRunnable)));
    }
    all
}

/// The button at a cell of the screen.
pub(in super::super) fn button_at(app: &App, at: Position) -> Option<Command> {
    let area = app.regions().toolbar;
    if !area.contains(at) {
        return None;
    }
    let left = u16::try_from(left(app, area.width).width()).unwrap_or(u16::MAX);
    let buttons = buttons(app, area.width.saturating_sub(left));
    let width: usize = buttons.iter().map(|(text, _)| crate::layout::width(text)).sum();
    let mut x = area.right().saturating_sub(u16::try_from(width).unwrap_or(0));
    buttons.into_iter().find_map(|(text, command)| {
        let width = u16::try_from(crate::layout::width(&text)).unwrap_or(0);
        let is_here = (x..x + width).contains(&at.x);
        x += width;
        command.filter(|_| is_here)
    })
}
