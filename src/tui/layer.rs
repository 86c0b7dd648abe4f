//! What lies over the screen: dialogs, menus, the palette. The top one takes the keys first.

use crossterm::event::{KeyEvent, MouseEvent};
use ratatui::{Frame, layout::Rect};

use super::app::App;
use crate::error::Error;

/// What a layer did with a key or the mouse.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flow {
    /// It is dealt with, and the layer stays.
    Stay,
    /// It is dealt with, and the layer goes.
    Close,
    /// The layer goes, and whatever is below gets it.
    Pass,
}

/// Something that lies over the screen.
pub(super) trait Layer: Send {
    /// Takes a key. What it wants to be done goes to `app`, which is whole but for this layer.
    fn key(&mut self, app: &mut App, key: KeyEvent) -> Flow;

    /// Takes the mouse; a click outside closes it unless it says otherwise.
    fn mouse(&mut self, app: &mut App, mouse: MouseEvent) -> Flow {
        let is_click = matches!(mouse.kind, crossterm::event::MouseEventKind::Down(_));
        let is_outside = !self.area(app).contains(ratatui::layout::Position::new(mouse.column, mouse.row));
        if is_click && is_outside { Flow::Close } else { Flow::Stay }
    }

    /// Takes pasted text.
    fn paste(&mut self, _app: &mut App, _text: &str) {}

    /// Hears of everything that happens below it, like a new snapshot.
    fn refresh(&mut self, _app: &mut App) {}

    /// Hears whether the change that it asked about could be made, and what it would do.
    fn checked(&mut self, _verdict: &Result<String, String>) {}

    /// Hears that an action was done, or why not.
    fn done(&mut self, _action: &str, _result: Result<(), &Error>) -> Flow {
        Flow::Stay
    }

    /// Hears whether what it wanted proposed became a card, or why not.
    fn proposed(&mut self, _result: &Result<(), String>) -> Flow {
        Flow::Stay
    }

    /// Where it stands.
    fn area(&self, app: &App) -> Rect;

    /// Draws it.
    fn draw(&self, app: &App, frame: &mut Frame<'_>);

    /// The keys it takes, for the hint line: key and words.
    fn hints(&self, app: &App) -> Vec<(String, String)>;
}
