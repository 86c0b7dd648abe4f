//! Rows to choose from: which one, which are shown, and what keys and the mouse do to that.

use crossterm::event::{KeyCode, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

/// Where a person is among rows that may be more than fit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rows {
    /// The chosen one.
    pub(super) at: usize,
    /// The first one that is shown, as far as the chosen one lets it.
    first: usize,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Hit {
    /// It clicked on the row that is chosen now.
    Row,
    /// It clicked beside everything.
    Outside,
    /// Nothing more is to be done.
    Nothing,
}

impl Rows {
    /// The first row that is shown where so many fit.
    pub(super) const fn first(&self, fit: usize) -> usize {
        let fit = if fit == 0 { 1 } else { fit };
        if self.at < self.first {
            self.at
        } else if self.at >= self.first + fit {
            self.at + 1 - fit
        } else {
            self.first
        }
    }

    /// Goes by so many rows of `count`, not beyond the ends.
    pub(super) fn go(&mut self, by: isize, count: usize, fit: usize) {
        self.at = self.at.saturating_add_signed(by).min(count.saturating_sub(1));
        self.first = self.first(fit);
    }

    /// Goes by so many rows, from the last to the first and back.
    pub(super) fn turn(&mut self, by: isize, count: usize, fit: usize) {
        let count = count.max(1).cast_signed();
        self.at = (self.at.cast_signed() + by).rem_euclid(count).cast_unsigned();
        self.first = self.first(fit);
    }

    /// Takes a key that moves; whether it was one.
    pub(super) fn key(&mut self, code: KeyCode, count: usize, fit: usize) -> bool {
        let page = fit.max(1).cast_signed();
        let by = match code {
            KeyCode::Down => 1,
            KeyCode::Up => -1,
            KeyCode::PageDown => page,
            KeyCode::PageUp => -page,
            KeyCode::Home => isize::MIN,
            KeyCode::End => isize::MAX,
            _ => return false,
        };
        self.go(by, count, fit);
        true
    }

    /// Takes the mouse. The rows stand in `inside`, which lies in `around`.
    pub(super) fn mouse(&mut self, mouse: MouseEvent, around: Rect, inside: Rect, count: usize) -> Hit {
        let position = Position::new(mouse.column, mouse.row);
        let fit = usize::from(inside.height);
        let row = inside.contains(position).then(|| self.first(fit) + usize::from(position.y - inside.y));
        let row = row.filter(|row| *row < count);
        match (mouse.kind, row) {
            (MouseEventKind::Down(_), _) if !around.contains(position) => return Hit::Outside,
            (MouseEventKind::Down(MouseButton::Left), Some(row)) => {
                self.at = row;
                return Hit::Row;
            }
            (MouseEventKind::Moved, Some(row)) => {
                self.first = self.first(fit);
                self.at = row;
            }
            (MouseEventKind::ScrollDown, _) => self.go(1, count, fit),
            (MouseEventKind::ScrollUp, _) => self.go(-1, count, fit),
            _ => {}
        }
        Hit::Nothing
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;

    use super::*;

    const AROUND: Rect = Rect::new(10, 5, 20, 6);
    const INSIDE: Rect = Rect::new(11, 6, 18, 4);

    fn mouse(rows: &mut Rows, kind: MouseEventKind, column: u16, row: u16) -> Hit {
        rows.mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }, AROUND, INSIDE, 10)
    }

    #[test]
    fn keys_go_to_every_row_and_not_beyond() {
        let mut rows = Rows::default();
        let mut press = |code| {
            assert!(rows.key(code, 10, 4));
            (rows.at, rows.first(4))
        };
        assert_eq!(press(KeyCode::Up), (0, 0));
        assert_eq!((press(KeyCode::PageDown), press(KeyCode::Down)), ((4, 1), (5, 2)));
        assert_eq!((press(KeyCode::Up), press(KeyCode::End)), ((4, 2), (9, 6)));
        assert_eq!((press(KeyCode::Down), press(KeyCode::Home)), ((9, 6), (0, 0)));
        assert!(!rows.key(KeyCode::Char('j'), 10, 4));
        rows.turn(-1, 10, 4);
        assert_eq!((rows.at, rows.first(4)), (9, 6));
        rows.turn(1, 10, 4);
        assert_eq!((rows.at, rows.first(4)), (0, 0));
    }

    #[test]
    fn the_pointer_chooses_what_is_under_it_and_moves_nothing() {
        let mut rows = Rows::default();
        rows.key(KeyCode::End, 10, 4);
        assert_eq!(mouse(&mut rows, MouseEventKind::Moved, 12, 6), Hit::Nothing);
        assert_eq!((rows.at, rows.first(4)), (6, 6), "the rows stay where they are");
        assert_eq!(mouse(&mut rows, MouseEventKind::Down(MouseButton::Left), 12, 8), Hit::Row);
        assert_eq!(rows.at, 8);
        assert_eq!(mouse(&mut rows, MouseEventKind::Down(MouseButton::Left), 12, 5), Hit::Nothing, "the border");
        assert_eq!(mouse(&mut rows, MouseEventKind::Down(MouseButton::Right), 12, 4), Hit::Outside);
        mouse(&mut rows, MouseEventKind::ScrollUp, 12, 6);
        assert_eq!(rows.at, 7);
    }
}
