//! The whole graph in a corner, and the window on it.

use ratatui::{Frame, layout::Rect, widgets::Clear};

use super::{
    super::{app::App, minimap::Minimap, scene::urgency, snapshot::Snapshot},
    panel,
};
use crate::model::StepStatus;

/// Draws the map where there is more to see than fits.
pub(super) fn draw(app: &App, snapshot: &Snapshot, frame: &mut Frame<'_>) {
    let Some(map) = Minimap::of(app) else { return };
    frame.render_widget(Clear, map.frame);
    frame.render_widget(panel(app, "map", false), map.frame);
    let theme = &app.look.theme;
    let Rect { x, y, width, height } = map.inside();
    let mut marks: Vec<Option<StepStatus>> = vec![None; usize::from(width) * usize::from(height)];
    for at in 0..snapshot.graph.nodes.len() {
        let Some(cell) = map.cell_of(app, at) else { continue };
        let mark = &mut marks[usize::from(cell.1) * usize::from(width) + usize::from(cell.0)];
        let status = snapshot.status_of(at);
        if mark.is_none_or(|other| urgency(status) > urgency(other)) {
            *mark = Some(status);
        }
    }
    let window = map.window(app);
    for row in 0..height {
        for column in 0..width {
            let mark = marks[usize::from(row) * usize::from(width) + usize::from(column)];
            let cell = &mut frame.buffer_mut()[(x + column, y + row)];
            let glyph = if app.look.glyphs.is_ascii() { "*" } else { "▪" };
            if let Some(status) = mark {
                cell.set_symbol(glyph).set_style(theme.step(status));
            }
            if window.contains((column, row).into()) {
                cell.set_style(theme.selected);
            }
        }
    }
}
