//! The whole screen, from back to front.

use ratatui::{Frame, buffer::Buffer, layout::Rect, text::Line, widgets::Paragraph};

use super::{
    super::{app::App, region::SMALLEST},
    board, card, chat, hints, inspector, log, toasts, toolbar,
};

/// Draws everything.
pub(in super::super) fn draw(app: &App, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.width || area.height < SMALLEST.height {
        too_small(app, frame, area);
    } else {
        panels(app, frame, area);
    }
    harmless(frame.buffer_mut());
}

/// Takes away what a terminal would obey, or show in another order than it has: the last line of defence behind [`tame`].
///
/// [`tame`]: super::tame
fn harmless(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.symbol().is_ascii() {
            continue;
        }
        let kept = crate::client::plain(cell.symbol());
        if kept != cell.symbol() {
            cell.set_symbol(if kept.is_empty() { " " } else { &kept });
        }
    }
}

fn panels(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let regions = app.regions();
    toolbar::draw(app, frame, regions.toolbar);
    board::draw(app, frame, regions.board);
    log::draw(app, frame, regions.log);
    inspector::draw(app, frame, regions.inspector);
    card::draw(app, frame, regions.card);
    chat::draw(app, frame, regions.chat);
    hints::draw(app, frame, regions.hints);
    for layer in &app.layers {
        layer.draw(app, frame);
    }
    toasts::draw(app, frame, area);
}

fn too_small(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let text = format!("{}×{} is too small; at least {}×{}", area.width, area.height, SMALLEST.width, SMALLEST.height);
    frame.render_widget(Paragraph::new(Line::raw(app.look.glyphs.spell(&text))), area);
}
