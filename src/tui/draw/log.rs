//! The tail of the selected step's log.

use ratatui::{Frame, layout::Rect, text::Line};

use super::{
    super::{app::App, panels::Panel},
    fit, panel,
};

/// Draws the log panel; as one line where it is folded.
pub(super) fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let title = match &app.log.wanted {
        Some(wanted) => {
            let stream = if wanted.is_stderr { "stderr" } else { "stdout" };
            let mode = if app.log.above_end == 0 { " · following" } else { "" };
            format!(" Log · {} · {stream}{mode} ", wanted.step)
        }
        None => " Log ".to_owned(),
    };
    if area.height < 3 {
        return frame.render_widget(Line::styled(title, app.look.theme.dim), area);
    }
    let block = panel(app, title, app.panels.focus == Panel::Log);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let rows = usize::from(inside.height);
    let end = app.log.lines.len().saturating_sub(app.log.above_end).max(rows.min(app.log.lines.len()));
    let shown = &app.log.lines[end.saturating_sub(rows)..end];
    for (y, line) in (inside.y..inside.bottom()).zip(shown) {
        let text = fit(line, usize::from(inside.width), app.look.glyphs.ellipsis());
        frame.render_widget(Line::raw(text), Rect { y, height: 1, ..inside });
    }
    if app.log.wanted.is_some() && app.log.lines.is_empty() {
        frame.render_widget(Line::styled("nothing yet", app.look.theme.dim), inside);
    }
}
