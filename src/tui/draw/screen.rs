//! The whole screen, from back to front.

use ratatui::{Frame, layout::Rect, text::Line, widgets::Paragraph};

use super::{
    super::{app::App, region::SMALLEST},
    board, chat, hints, inspector, log, toasts, toolbar,
};

/// Draws everything.
pub(in super::super) fn draw(app: &App, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.width || area.height < SMALLEST.height {
        return too_small(frame, area);
    }
    let regions = app.regions();
    toolbar::draw(app, frame, regions.toolbar);
    board::draw(app, frame, regions.board);
    log::draw(app, frame, regions.log);
    inspector::draw(app, frame, regions.inspector);
    chat::draw(app, frame, regions.chat);
    hints::draw(app, frame, regions.hints);
    for layer in &app.layers {
        layer.draw(app, frame);
    }
    toasts::draw(app, frame, area);
}

fn too_small(frame: &mut Frame<'_>, area: Rect) {
    let text = format!("{}×{} is too small; at least {}×{}", area.width, area.height, SMALLEST.width, SMALLEST.height);
    frame.render_widget(Paragraph::new(Line::raw(text)), area);
}
