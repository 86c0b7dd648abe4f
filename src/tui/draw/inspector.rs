//! The inspector of the selection.

use ratatui::{
    Frame,
    layout::{Position, Rect},
    text::{Line, Span},
    widgets::{Clear, Paragraph, Wrap},
};

use super::{
    super::{
        app::App,
        inspector::{Facts, Tab},
        panels::Panel,
    },
    panel, tame,
};

/// Draws the inspector; as a rail where it is folded.
pub(super) fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    if area.area() == 0 {
        return;
    }
    frame.render_widget(Clear, area);
    let is_focused = app.panels.focus == Panel::Inspector;
    let block = panel(app, tabs(app), is_focused);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let Some(facts) = &app.inspector.facts else { return };
    let lines = match app.inspector.tab {
        Tab::Details => details(app, facts),
        Tab::Prompt => facts.prompt.iter().flat_map(|prompt| prompt.text.lines()).map(|line| Line::raw(tame(line))).collect(),
        Tab::Diff => facts.diff.iter().flat_map(|diff| diff.text.lines()).map(|line| Line::raw(tame(line))).collect(),
        Tab::Runs => facts.runs.iter().map(|run| Line::raw(format!("{} {}", run.id, run.state))).collect(),
        Tab::Logs => return super::log::lines(app, frame, inside),
    };
    let paragraph = Paragraph::new(lines).wrap(Wrap { trim: false }).scroll((app.inspector.scroll, 0));
    frame.render_widget(paragraph, inside);
}

fn tabs(app: &App) -> Line<'static> {
    let theme = &app.look.theme;
    let mut spans = vec![Span::raw(" ")];
    for tab in Tab::ALL {
        let style = if tab == app.inspector.tab { theme.title } else { theme.dim };
        spans.push(Span::styled(tab.title(), style));
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

/// The tab whose name is at a cell of the screen.
pub(in super::super) fn tab_at(app: &App, at: Position) -> Option<Tab> {
    let area = app.regions().inspector;
    let mut x = area.x + 2;
    Tab::ALL.into_iter().find(|tab| {
        let width = u16::try_from(tab.title().len()).unwrap_or(0);
        let is_here = at.y == area.y && (x..x + width).contains(&at.x);
        x += width + 1;
        is_here
    })
}

fn details(app: &App, facts: &Facts) -> Vec<Line<'static>> {
    let theme = &app.look.theme;
    let row = |name: &str, text: String| Line::from(vec![Span::styled(format!("{name:<9}"), theme.dim), Span::raw(tame(&text))]);
    let mut lines = vec![row("id", facts.id.to_string())];
    if let Some(detail) = &facts.detail {
        let style = theme.step(detail.state.status);
        lines.push(Line::from(vec![
            Span::styled(format!("{:<9}", "status"), theme.dim),
            Span::styled(detail.state.status.as_str(), style),
        ]));
        lines.push(row("type", detail.state.kind.into()));
        lines.push(row("agent", detail.state.agent.clone()));
        lines.push(row("work", detail.work.clone()));
    }
    if let Some(why) = &facts.why {
        lines.push(Line::raw(""));
        lines.push(Line::raw(tame(&why.summary)));
        lines.extend(why.acts.iter().map(|act| Line::styled(format!("  {}", tame(&act.command)), theme.dim)));
    }
    lines
}
