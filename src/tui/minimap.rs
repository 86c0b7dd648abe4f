//! The small map of the graph: where it stands and what its cells mean.

use ratatui::layout::{Position, Rect};

use super::{app::App, panels::View};
use crate::layout::Point;

/// The largest map.
const WIDTH: i32 = 24;
const HEIGHT: i32 = 7;

/// A map in the lower right corner of the board.
pub(super) struct Minimap {
    /// With its border.
    pub(super) frame: Rect,
    /// The cells of the drawing.
    size: (i32, i32),
}

impl Minimap {
    /// The map; none where everything is seen anyway or there is no room.
    pub(super) fn of(app: &App) -> Option<Self> {
        let board = app.regions().board;
        let plane = app.board.plane.as_ref()?;
        let inside = (i32::from(board.width) - 2, i32::from(board.height) - 2);
        let is_whole = plane.width <= inside.0 && plane.height <= inside.1;
        if is_whole || !app.panels.has_minimap || app.view() == View::List || inside.0 < WIDTH * 2 || inside.1 < HEIGHT * 2 {
            return None;
        }
        let width = u16::try_from(plane.width.min(WIDTH) + 2).ok()?;
        let height = u16::try_from(plane.height.min(HEIGHT) + 2).ok()?;
        let frame = Rect::new(board.right() - 1 - width, board.bottom() - 1 - height, width, height);
        Some(Self { frame, size: (plane.width.max(1), plane.height.max(1)) })
    }

    /// The cells of the map.
    pub(super) const fn inside(&self) -> Rect {
        Rect { x: self.frame.x + 1, y: self.frame.y + 1, width: self.frame.width - 2, height: self.frame.height - 2 }
    }

    fn scale(&self, x: i32, y: i32) -> (u16, u16) {
        let Rect { width, height, .. } = self.inside();
        let part = |at: i32, of: i32, cells: u16| u16::try_from(at * i32::from(cells) / of).unwrap_or(0).min(cells - 1);
        (part(x, self.size.0, width), part(y, self.size.1, height))
    }

    /// The cell of the map that a step or gate is in.
    pub(super) fn cell_of(&self, app: &App, at: usize) -> Option<(u16, u16)> {
        let area = app.board.area(at)?;
        Some(self.scale(area.x + area.width / 2, area.y + area.height / 2))
    }

    /// The cells of the map that show what is seen.
    pub(super) fn window(&self, app: &App) -> Rect {
        let board = app.regions().board;
        let Point { x, y } = app.board.origin;
        let (left, top) = self.scale(x, y);
        let right = (x + i32::from(board.width) - 3).min(self.size.0 - 1);
        let bottom = (y + i32::from(board.height) - 3).min(self.size.1 - 1);
        let (right, bottom) = self.scale(right, bottom);
        Rect::new(left, top, right - left + 1, bottom - top + 1)
    }

    /// The cell of the drawing that a cell of the screen stands for.
    pub(super) fn point(&self, position: Position) -> Option<Point> {
        let inside = self.inside();
        if !inside.contains(position) {
            return None;
        }
        let part = |at: u16, of: i32, cells: u16| i32::from(at) * of / i32::from(cells.max(1));
        let x = part(position.x - inside.x, self.size.0, inside.width);
        Some(Point { x, y: part(position.y - inside.y, self.size.1, inside.height) })
    }
}
