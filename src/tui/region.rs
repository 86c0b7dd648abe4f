//! Where everything stands on a screen of some size. Drawing and the mouse read the same places.

use ratatui::layout::{Constraint, Layout, Rect, Size};

use super::panels::{Panels, View};

/// The narrowest screen with the inspector beside the board.
const WIDE: u16 = 100;

/// The smallest screen on which anything can be done.
pub(super) const SMALLEST: Size = Size { width: 40, height: 12 };

/// The places of a screen. What is not shown has no cells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Regions {
    pub(super) toolbar: Rect,
    pub(super) board: Rect,
    pub(super) inspector: Rect,
    pub(super) log: Rect,
    /// The card of a proposal.
    pub(super) card: Rect,
    pub(super) chat: Rect,
    pub(super) hints: Rect,
}

/// How much of a proposal is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Card {
    None,
    /// That there is one.
    Closed,
    /// All of it, in so many lines.
    Open(usize),
}

impl Card {
    fn height(self, screen: u16) -> u16 {
        match self {
            Self::None => 0,
            Self::Closed if screen < 20 => 1,
            Self::Closed => 3,
            Self::Open(lines) => u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2).min(screen * 3 / 5).max(3),
        }
    }
}

impl Regions {
    /// The places on a screen of this size. The chat grows with its draft.
    pub(super) fn of(size: Size, panels: &Panels, draft_lines: u16, card: Card) -> Self {
        let screen = Rect::new(0, 0, size.width, size.height);
        let log = match size.height {
            // Who looks at a proposal looks at the canvas and the card.
            _ if matches!(card, Card::Open(_)) => 0,
            _ if panels.is_log_folded => 1,
            ..16 => 3,
            16..30 => 5,
            30.. => panels.log.clamp(3, size.height / 2),
        };
        let chat = draft_lines.clamp(1, 6);
        let card = card.height(size.height);
        let rows = [
            Constraint::Length(1),
            Constraint::Min(3),
            Constraint::Length(log),
            Constraint::Length(card),
            Constraint::Length(chat),
            Constraint::Length(1),
        ];
        let [toolbar, middle, log, card, chat, hints] = Layout::vertical(rows).areas(screen);
        if panels.is_log_full {
            let log = middle.union(log);
            return Self { toolbar, log, card, chat, hints, ..Self::default() };
        }
        if is_wide(size) {
            let inspector = if panels.is_inspector_folded { 3 } else { panels.inspector.clamp(24, size.width / 2) };
            let [board, inspector] = Layout::horizontal([Constraint::Min(20), Constraint::Length(inspector)]).areas(middle);
            return Self { toolbar, board, inspector, log, card, chat, hints };
        }
        let inspector = if panels.is_inspector_open { middle.union(log) } else { Rect::default() };
        Self { toolbar, board: middle, inspector, log, card, chat, hints }
    }
}

/// Whether there is room for the inspector beside the board.
pub(super) const fn is_wide(size: Size) -> bool {
    size.width >= WIDE
}

/// The view that is shown.
pub(super) fn view(size: Size, panels: &Panels) -> View {
    panels.view.unwrap_or(if is_wide(size) { View::Graph } else { View::List })
}

/// A place for a dialog in the middle of the screen.
pub(super) fn dialog(screen: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect::new(screen.x + (screen.width - width) / 2, screen.y + (screen.height - height) / 2, width, height)
}
