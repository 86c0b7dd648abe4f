//! The card of a proposal: what it would do, what the policy says, what would start, and the diff.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Clear,
};

use super::{
    super::{
        app::App,
        panels::Panel,
        proposal::{LEGEND, Proposal},
    },
    diff_line, panel, tame, wrap,
};
use crate::client::Verdict;

/// Draws the card; as one line while something else has the keys.
pub(super) fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let Some(proposal) = app.proposal.as_ref().filter(|_| area.area() > 0) else { return };
    let theme = &app.look.theme;
    frame.render_widget(Clear, area);
    let is_focused = app.panels.focus == Panel::Card;
    let title = format!(" Proposal{}{} ", app.look.glyphs.spell(" · "), tame(&proposal.source.name()));
    if area.height < 3 {
        let line = Line::from(vec![Span::styled(title, theme.title), Span::raw(app.look.glyphs.spell(&proposal.words()))]);
        return frame.render_widget(line, area);
    }
    let block = panel(app, Line::styled(title, theme.title), is_focused);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    if !is_focused {
        return frame.render_widget(closed(app, proposal), inside);
    }
    let rows = rows(app, proposal, inside.width);
    for (y, row) in (inside.y..inside.bottom()).zip(rows.into_iter().skip(proposal.scroll)) {
        frame.render_widget(row, Rect { y, height: 1, ..inside });
    }
}

/// How many lines the card of the proposal has.
pub(in super::super) fn card_lines(app: &App) -> usize {
    let width = app.size.width.saturating_sub(2);
    app.proposal.as_ref().map_or(0, |proposal| rows(app, proposal, width).len())
}

/// What is said while something else has the keys.
fn closed(app: &App, proposal: &Proposal) -> Line<'static> {
    let theme = &app.look.theme;
    let mut spans = vec![Span::raw(" ")];
    if (0..proposal.actions.len()).any(|at| proposal.destroys(at)) {
        spans.push(Span::styled(format!("{} ", warning(app)), theme.warning));
    }
    match &proposal.problem {
        Some(_) => spans.push(Span::styled("it does not fit the plan any more", theme.error)),
        None => spans.push(Span::raw(app.look.glyphs.spell(&proposal.words()))),
    }
    let key = app.keymap.key(super::super::command::Command::NextPanel).unwrap_or_default();
    spans.push(Span::styled(format!("   {key} "), theme.key));
    spans.push(Span::styled("look at it", theme.dim));
    Line::from(spans)
}

fn warning(app: &App) -> char {
    if app.look.glyphs.is_ascii() { '!' } else { '⚠' }
}

/// Everything that the card says, in rows of its width.
fn rows(app: &App, proposal: &Proposal, width: u16) -> Vec<Line<'static>> {
    let theme = &app.look.theme;
    let mut lines = Vec::new();
    if let Some(problem) = &proposal.problem {
        lines.push(Line::styled("it does not fit the plan any more", theme.error));
        lines.extend(problem.lines().map(|line| Line::styled(tame(line), theme.error)));
        lines.push(Line::styled("e makes it anew, d discards it", theme.dim));
        lines.push(Line::default());
    } else if proposal.is_renewed {
        lines.push(Line::styled("the plan changed meanwhile: this is what it would do now", theme.warning));
        lines.push(Line::default());
    }
    for (at, change) in proposal.preview.changes.iter().enumerate() {
        let mark = if proposal.destroys(at) { warning(app) } else { ' ' };
        let mut words = vec![Span::styled(format!("{mark} "), theme.warning), Span::styled(tame(&change.text), theme.title)];
        words.extend(match &proposal.preview.verdicts[at] {
            Verdict::Allow => None,
            Verdict::Confirm { why } => Some(Span::styled(format!("   asks first: {}", tame(why)), theme.warning)),
            Verdict::Deny { why, rule } => Some(Span::styled(format!("   denied by `{rule}`: {}", tame(why)), theme.error)),
        });
        lines.push(Line::from(words));
        lines.push(Line::styled(format!("    {}", tame(&proposal.commands[at])), theme.dim));
    }
    lines.push(Line::default());
    let starts: Vec<&str> = proposal.preview.starts.iter().map(crate::model::Id::as_str).collect();
    lines.push(Line::from(vec![
        Span::styled("A", theme.key),
        Span::raw(if starts.is_empty() {
            " would start nothing".to_owned()
        } else {
            format!(" would start {}", starts.join(", "))
        }),
    ]));
    let legend = LEGEND.iter().flat_map(|(mark, words)| {
        [
            Span::styled(super::graph::spelled(app, *mark), super::graph::ghost_style(app, *mark)),
            Span::styled(format!(" {words}   "), theme.dim),
        ]
    });
    lines.push(std::iter::once(Span::styled("on the canvas: ", theme.dim)).chain(legend).collect());
    lines.push(Line::default());
    lines.extend(proposal.preview.diff.lines().map(|line| diff_line(theme, line)));
    lines.into_iter().flat_map(|line| wrap(line, usize::from(width).max(1))).collect()
}
