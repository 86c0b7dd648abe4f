//! The graph: cells of the layout, on the screen.

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};

use super::super::{app::App, snapshot::Snapshot};
use crate::layout::{Area, Face, Point, Zoom};

/// Draws what the window shows of the graph.
pub(super) fn draw(app: &App, snapshot: &Snapshot, frame: &mut Frame<'_>, area: Rect) {
    let Some(plane) = &app.board.plane else { return };
    let window = Window { origin: app.board.origin, area };
    let face = |at: usize| -> Face {
        let mut node = snapshot.node(at).clone();
        node.duration_ms = snapshot.duration_ms(at, app.now);
        node.face(plane.zoom, app.look.glyphs)
    };
    let canvas = plane.paint(window.cells(), app.look.glyphs, &face);
    let buffer = frame.buffer_mut();
    for (y, row) in (area.y..area.bottom()).zip(canvas.rows()) {
        for (x, cell) in (area.x..area.right()).zip(row) {
            if cell.ch != '\0' {
                buffer[(x, y)].set_char(cell.ch).set_style(app.look.theme.ink(cell.ink));
            }
        }
    }
    light_paths(app, &window, buffer);
    dim_what_is_not_found(app, snapshot, &window, buffer);
    if let Some((_, at)) = app.selected() {
        let node = plane.node(&snapshot.graph.layout, at);
        let title = match plane.zoom {
            Zoom::Overview | Zoom::Compact => node,
            Zoom::Normal | Zoom::Detail => Area { x: node.x + 1, y: node.y + 1, width: node.width - 2, height: 1 },
        };
        window.style(buffer, node, app.look.theme.lit);
        window.style(buffer, title, app.look.theme.selected);
    }
}

/// The part of the drawing that is seen, and where.
struct Window {
    origin: Point,
    area: Rect,
}

impl Window {
    const fn cells(&self) -> Area {
        Area { x: self.origin.x, y: self.origin.y, width: self.area.width as i32, height: self.area.height as i32 }
    }

    /// The cell of the screen that shows a cell of the drawing.
    fn place(&self, x: i32, y: i32) -> Option<Position> {
        let x = u16::try_from(x - self.origin.x).ok().filter(|x| *x < self.area.width)?;
        let y = u16::try_from(y - self.origin.y).ok().filter(|y| *y < self.area.height)?;
        Some(Position::new(self.area.x + x, self.area.y + y))
    }

    /// Changes the style of cells of the drawing, as far as they are seen.
    fn style(&self, buffer: &mut Buffer, area: Area, style: Style) {
        let seen = self.cells();
        for y in area.y.max(seen.y)..(area.y + area.height).min(seen.y + seen.height) {
            for x in area.x.max(seen.x)..(area.x + area.width).min(seen.x + seen.width) {
                if let Some(place) = self.place(x, y) {
                    buffer[place].set_style(style);
                }
            }
        }
    }
}

/// Lights up every edge that leads to the selection or away from it.
fn light_paths(app: &App, window: &Window, buffer: &mut Buffer) {
    for path in &app.board.lit {
        for ends in path.windows(2) {
            let (from, to) = (ends[0], ends[1]);
            let area = Area {
                x: from.x.min(to.x),
                y: from.y.min(to.y),
                width: (from.x - to.x).abs() + 1,
                height: (from.y - to.y).abs() + 1,
            };
            window.style(buffer, area, app.look.theme.lit);
        }
    }
}

fn dim_what_is_not_found(app: &App, snapshot: &Snapshot, window: &Window, buffer: &mut Buffer) {
    if app.board.search.is_none() {
        return;
    }
    let Some(plane) = &app.board.plane else { return };
    for at in (0..snapshot.graph.nodes.len()).filter(|at| app.board.is_hidden(*at)) {
        window.style(buffer, plane.node(&snapshot.graph.layout, at), app.look.theme.faded);
    }
}
