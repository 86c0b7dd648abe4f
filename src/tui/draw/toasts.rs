//! Messages in the lower right corner.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::Line,
    widgets::{Clear, Paragraph, Wrap},
};

use super::{
    super::{app::App, toast::Tone},
    panel, tame,
};

/// Draws the messages, the newest at the bottom.
pub(super) fn draw(app: &App, frame: &mut Frame<'_>, screen: Rect) {
    let mut bottom = screen.bottom().saturating_sub(2);
    for toast in app.toasts.iter().rev().take(3) {
        let theme = &app.look.theme;
        let style = match toast.tone {
            Tone::Good => theme.good,
            Tone::Plain => Style::new(),
            Tone::Warning => theme.warning,
            Tone::Error => theme.error,
        };
        let mut lines = vec![Line::styled(tame(&toast.text), style)];
        lines.extend(toast.hint.as_ref().map(|hint| Line::styled(tame(hint), theme.dim)));
        let width = lines.iter().map(Line::width).max().unwrap_or(0) + 2;
        let width = u16::try_from(width).unwrap_or(u16::MAX).min(screen.width.min(80));
        let inside = usize::from(width.saturating_sub(2)).max(1);
        let rows: usize = lines.iter().map(|line| line.width().div_ceil(inside).max(1)).sum();
        let height = u16::try_from(rows + 2).unwrap_or(u16::MAX);
        if bottom < screen.y + height {
            break;
        }
        bottom -= height;
        let area = Rect::new(screen.right().saturating_sub(width), bottom, width, height);
        frame.render_widget(Clear, area);
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }).block(panel(app, "", false)), area);
    }
}
