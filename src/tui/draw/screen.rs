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
        too_small(frame, area);
    } else {
        panels(app, frame, area);
    }
    harmless(frame.buffer_mut());
    if app.look.glyphs.is_ascii() {
        spell(frame.buffer_mut());
    }
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

/// Writes the signs that our own words have with ASCII alone.
fn spell(buffer: &mut Buffer) {
    const SIGNS: [(char, char); 11] = [
        ('·', '.'),
        ('…', '~'),
        ('─', '-'),
        ('−', '-'),
        ('×', 'x'),
        ('←', '<'),
        ('→', '>'),
        ('↑', '^'),
        ('↓', 'v'),
        ('‹', '<'),
        ('›', '>'),
    ];
    for cell in &mut buffer.content {
        let mut letters = cell.symbol().chars();
        if let (Some(letter), None) = (letters.next(), letters.next())
            && let Some((_, plain)) = SIGNS.iter().find(|(sign, _)| *sign == letter)
        {
            cell.set_char(*plain);
        }
    }
}

fn too_small(frame: &mut Frame<'_>, area: Rect) {
    let text = format!("{}×{} is too small; at least {}×{}", area.width, area.height, SMALLEST.width, SMALLEST.height);
    frame.render_widget(Paragraph::new(Line::raw(text)), area);
}
