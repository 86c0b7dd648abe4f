//! The line that a request is typed into.

use ratatui::{Frame, layout::Rect, text::Line};

use super::super::{app::App, panels::Panel};

/// Draws the draft.
pub(super) fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let mark = Rect { width: 2.min(area.width), ..area };
    let text = Rect { x: area.x + mark.width, width: area.width - mark.width, ..area };
    let is_focused = app.panels.focus == Panel::Chat;
    frame.render_widget(
        Line::styled(app.look.glyphs.spell("› "), if is_focused { app.look.theme.focused } else { app.look.theme.dim }),
        mark,
    );
    if !is_focused && app.chat.is_empty() {
        let key = app.keymap.key(super::super::command::Command::Chat).unwrap_or_default();
        let all = format!("Ask for a change: \"add a verification step after deploy\"   {key} to type here");
        let fits = crate::layout::width(&all) <= usize::from(text.width);
        let hint = if fits { all } else { format!("Ask for a change   {key} to type here") };
        return frame.render_widget(Line::styled(hint, app.look.theme.dim), text);
    }
    let mut chat = app.chat.clone();
    if !is_focused {
        chat.set_cursor_style(ratatui::style::Style::new());
    }
    frame.render_widget(&chat, text);
}
