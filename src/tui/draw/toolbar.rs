//! The first line: does anything need me, what runs, how far is it.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{super::app::App, tame};
use crate::model::StepStatus;

/// Draws the toolbar.
pub(super) fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let theme = &app.look.theme;
    let Some(snapshot) = &app.snapshot else {
        return frame.render_widget(Line::styled(" seqctl", theme.title), area);
    };
    let mut spans = vec![Span::styled(format!(" {} ", tame(&snapshot.status.name)), theme.title)];
    let waiting = snapshot.needs().len();
    if waiting > 0 {
        let verb = if waiting == 1 { "needs you" } else { "need you" };
        let glyph = app.look.glyphs.step_status(StepStatus::NeedsReview);
        spans.push(Span::styled(format!("  {glyph} {waiting} {verb}"), theme.step(StepStatus::NeedsReview)));
    }
    for &(status, number) in &snapshot.status.counts {
        if number > 0 && status != StepStatus::NeedsReview {
            let word = if status == StepStatus::Running { " running" } else { "" };
            let text = format!("  {} {number}{word}", app.look.glyphs.step_status(status));
            spans.push(Span::styled(text, theme.step(status)));
        }
    }
    let line = Line::from(spans);
    let right = Line::from(vec![Span::raw(format!("{}  ", tame(&snapshot.status.mode)))]);
    let room = area.width.saturating_sub(u16::try_from(line.width()).unwrap_or(0));
    frame.render_widget(line, area);
    if usize::from(room) > right.width() {
        frame.render_widget(right.right_aligned(), area);
    }
}
