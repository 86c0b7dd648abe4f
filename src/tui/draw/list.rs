//! The list: a row for each step and gate, what needs you first.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    super::{
        app::App,
        folding::Fold,
        snapshot::{Row, Snapshot},
    },
    fit, tame,
};
use crate::model::{GateStatus, Span as Duration, StepStatus, Usage};

/// The narrowest list that says what agents used.
const WITH_USAGE: u16 = 76;

/// Draws the rows that fit.
pub(super) fn draw(app: &App, snapshot: &Snapshot, frame: &mut Frame<'_>, area: Rect) {
    let selected = app.selected_item();
    let fold = |at: usize| app.board.scene.as_ref().and_then(|scene| scene.fold(at));
    let used = if area.width >= WITH_USAGE { used(snapshot) } else { 0 };
    let id = |at: usize| fold(at).map_or_else(|| &snapshot.node(at).id, |fold| &fold.id);
    let ids = app.board.order.iter().map(|&at| id(at).as_str().len()).max().unwrap_or(0).clamp(8, 28);
    for (y, &at) in (area.y..area.bottom()).zip(app.board.order.iter().skip(app.board.first_row)) {
        let row = Rect { y, height: 1, ..area };
        let line = fold(at).map_or_else(|| line(app, snapshot, at, (ids, used)), |fold| fold_line(app, snapshot, fold, ids));
        frame.render_widget(fitted(line, usize::from(row.width), app.look.glyphs.ellipsis()), row);
        if selected == Some(at) {
            frame.buffer_mut().set_style(row, app.look.theme.selected);
        }
    }
}

/// A line whose last words say that there are more of them where they do not fit.
fn fitted(mut line: Line<'static>, width: usize, end: char) -> Line<'static> {
    if line.width() > width
        && let Some(last) = line.spans.pop()
    {
        let room = width.saturating_sub(line.width());
        line.spans.push(Span::styled(fit(&last.content, room, end), last.style));
    }
    line
}

/// The row of a folded group.
fn fold_line(app: &App, snapshot: &Snapshot, fold: &Fold, ids: usize) -> Line<'static> {
    let (theme, glyphs) = (&app.look.theme, app.look.glyphs);
    let status = fold.status(snapshot);
    Line::from(vec![
        Span::styled(format!("{} ", glyphs.step_status(status)), theme.step(status)),
        Span::styled(format!("{:<ids$}", fit(fold.id.as_str(), ids, glyphs.ellipsis())), theme.title),
        Span::styled(format!("  {:<13}", status.as_str()), theme.step(status)),
        Span::raw(format!("{:<12} ", fold.words(snapshot, app.look.glyphs))),
        Span::styled(fold.tally(snapshot, glyphs), theme.dim),
    ])
}

/// The widest words for what a step has used; nothing where none has used anything.
fn used(snapshot: &Snapshot) -> usize {
    let words = snapshot.status().steps.iter().filter_map(|step| step.usage.as_ref().map(Usage::words));
    words.map(|words| crate::layout::width(&words)).max().unwrap_or(0)
}

fn line(app: &App, snapshot: &Snapshot, at: usize, (ids, used): (usize, usize)) -> Line<'static> {
    let (theme, glyphs) = (&app.look.theme, app.look.glyphs);
    let node = snapshot.node(at);
    let id = fit(node.id.as_str(), ids, glyphs.ellipsis());
    let id = format!("{id}{}", " ".repeat(ids.saturating_sub(crate::layout::width(&id))));
    let time = snapshot.duration_ms(at, app.now).map_or(String::new(), |ms| Duration::from_ms(ms).short());
    match snapshot.row(at) {
        Row::Gate(gate) => {
            let status = GateStatus::parse(gate.status).unwrap_or_default();
            let style = theme.gate(status);
            let remark = if gate.reached && status == GateStatus::Pending { "waits for you" } else { "" };
            Line::from(vec![
                Span::styled(format!("{} ", glyphs.gate_status(status)), style),
                Span::styled(id, theme.title),
                Span::styled(format!("  {:<13}", gate.status), style),
                Span::raw(remark),
            ])
        }
        Row::Step(step) => {
            let style = theme.step(step.status);
            let waits = (!step.waits_for.is_empty() && step.status == StepStatus::Blocked).then(|| {
                format!("waits for {}", step.waits_for.iter().map(crate::model::Id::as_str).collect::<Vec<_>>().join(", "))
            });
            let said = app.said(step).map(str::to_owned);
            let remark = said
                .or_else(|| step.note.clone())
                .or_else(|| step.outcome.clone().filter(|_| step.status == StepStatus::Failed))
                .or(waits);
            let usage = step.usage.as_ref().filter(|_| used > 0).map(Usage::words).unwrap_or_default();
            let usage = if used > 0 { format!("{usage}{}  ", " ".repeat(used - crate::layout::width(&usage))) } else { usage };
            Line::from(vec![
                Span::styled(format!("{} ", glyphs.step_status(step.status)), style),
                Span::styled(id, theme.title),
                Span::styled(format!("  {:<13}", step.status.as_str()), style),
                Span::raw(format!("{:<12} {time:>7}  {usage}", step.agent)),
                Span::styled(tame(&remark.unwrap_or_default()), theme.dim),
            ])
        }
    }
}
