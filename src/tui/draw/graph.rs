//! The graph: cells of the layout, on the screen.

use ratatui::{Frame, layout::Rect, style::Modifier};

use super::super::{app::App, snapshot::Snapshot};
use crate::layout::{Area, Face};

/// Draws what the window shows of the graph.
pub(super) fn draw(app: &App, snapshot: &Snapshot, frame: &mut Frame<'_>, area: Rect) {
    let Some(plane) = &app.board.plane else { return };
    let origin = app.board.origin;
    let window = Area { x: origin.x, y: origin.y, width: i32::from(area.width), height: i32::from(area.height) };
    let face = |at: usize| -> Face {
        let mut node = snapshot.node(at).clone();
        node.duration_ms = snapshot.duration_ms(at, app.now);
        node.face(plane.zoom, app.look.glyphs)
    };
    let canvas = plane.paint(window, app.look.glyphs, &face);
    let buffer = frame.buffer_mut();
    for (y, row) in (area.y..area.bottom()).zip(canvas.rows()) {
        for (x, cell) in (area.x..area.right()).zip(row) {
            if cell.ch != '\0' {
                buffer[(x, y)].set_char(cell.ch).set_style(app.look.theme.ink(cell.ink));
            }
        }
    }
    if let Some(at) = app.selected().map(|(_, at)| at) {
        let node = plane.node(&snapshot.graph.layout, at);
        for y in node.y.max(window.y)..(node.y + node.height).min(window.y + window.height) {
            for x in node.x.max(window.x)..(node.x + node.width).min(window.x + window.width) {
                let (x, y) = (u16::try_from(x - window.x).unwrap_or(0), u16::try_from(y - window.y).unwrap_or(0));
                let is_edge = !plane.zoom.has_boxes();
                let style = if is_edge { app.look.theme.selected } else { ratatui::style::Style::new().add_modifier(Modifier::BOLD) };
                buffer[(area.x + x, area.y + y)].set_style(style);
            }
        }
        if plane.zoom.has_boxes() {
            let y = node.y + 1;
            for x in node.x + 1..node.x + node.width - 1 {
                if (window.x..window.x + window.width).contains(&x) && (window.y..window.y + window.height).contains(&y) {
                    let (x, y) = (u16::try_from(x - window.x).unwrap_or(0), u16::try_from(y - window.y).unwrap_or(0));
                    buffer[(area.x + x, area.y + y)].set_style(app.look.theme.selected);
                }
            }
        }
    }
}
