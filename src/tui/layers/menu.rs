//! A menu: each entry with the key that chooses it at once.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};
use ratatui::{
    Frame,
    layout::{Margin, Position, Rect},
    text::{Line, Span},
    widgets::{Clear, Paragraph},
};

use super::{
    super::{
        app::App,
        choice::Choice,
        draw,
        layer::{Flow, Layer},
        region,
    },
    rows::{Hit, Rows},
};

/// A row of a menu.
pub(in super::super) struct Entry {
    pub(in super::super) key: char,
    pub(in super::super) words: String,
    pub(in super::super) choice: Choice,
}

impl Entry {
    /// A row.
    pub(in super::super) fn new(key: char, words: impl Into<String>, choice: Choice) -> Self {
        Self { key, words: words.into(), choice }
    }
}

/// A menu.
pub(in super::super) struct Menu {
    title: String,
    entries: Vec<Entry>,
    rows: Rows,
    /// Where the pointer was when it was opened; in the middle of the screen where absent.
    place: Option<Position>,
}

impl Menu {
    /// A menu in the middle of the screen, or beside the pointer.
    pub(in super::super) fn new(title: impl Into<String>, entries: Vec<Entry>, place: Option<Position>) -> Self {
        Self { title: title.into(), entries, rows: Rows::default(), place }
    }

    fn choose(&self, app: &mut App, at: usize) -> Flow {
        if let Some(entry) = self.entries.get(at) {
            app.choose(entry.choice.clone());
        }
        Flow::Close
    }
}

impl Layer for Menu {
    fn key(&mut self, app: &mut App, key: KeyEvent) -> Flow {
        let (count, fit) = (self.entries.len(), usize::from(self.area(app).height.saturating_sub(2)));
        match key.code {
            KeyCode::Down => self.rows.turn(1, count, fit),
            KeyCode::Up => self.rows.turn(-1, count, fit),
            KeyCode::Enter => return self.choose(app, self.rows.at),
            KeyCode::Char(letter) if !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                return match self.entries.iter().position(|entry| entry.key == letter) {
                    Some(at) => self.choose(app, at),
                    // A key that means nothing here closes it and does nothing else.
                    None => Flow::Close,
                };
            }
            _ => return Flow::Close,
        }
        Flow::Stay
    }

    fn mouse(&mut self, app: &mut App, mouse: MouseEvent) -> Flow {
        let area = self.area(app);
        match self.rows.mouse(mouse, area, area.inner(Margin::new(1, 1)), self.entries.len()) {
            Hit::Row => self.choose(app, self.rows.at),
            Hit::Outside => Flow::Close,
            Hit::Nothing => Flow::Stay,
        }
    }

    fn area(&self, app: &App) -> Rect {
        let screen = Rect::new(0, 0, app.size.width, app.size.height);
        let widest = self.entries.iter().map(|entry| crate::layout::width(&entry.words) + 7).max().unwrap_or(0);
        let width = u16::try_from(widest.max(crate::layout::width(&self.title) + 4)).unwrap_or(u16::MAX);
        let height = u16::try_from(self.entries.len() + 2).unwrap_or(u16::MAX);
        let middle = region::dialog(screen, width, height);
        match self.place {
            None => middle,
            Some(Position { x, y }) => Rect {
                x: x.min(screen.width.saturating_sub(middle.width)),
                y: y.min(screen.height.saturating_sub(middle.height)),
                ..middle
            },
        }
    }

    fn draw(&self, app: &App, frame: &mut Frame<'_>) {
        let area = self.area(app);
        frame.render_widget(Clear, area);
        let row = |(at, entry): (usize, &Entry)| {
            let style = if at == self.rows.at { app.look.theme.selected } else { ratatui::style::Style::new() };
            let key = Span::styled(format!(" {}  ", entry.key), app.look.theme.key);
            let room = usize::from(area.width.saturating_sub(6));
            Line::from(vec![key, Span::raw(format!("{:<room$}", entry.words))]).style(style)
        };
        let first = self.rows.first(usize::from(area.height.saturating_sub(2)));
        let rows: Vec<Line<'_>> = self.entries.iter().enumerate().skip(first).map(row).collect();
        frame.render_widget(Paragraph::new(rows).block(draw::panel(app, format!(" {} ", self.title), true)), area);
    }

    fn hints(&self, _app: &App) -> Vec<(String, String)> {
        [("↑↓", "move"), ("Enter", "choose"), ("Esc", "close")].map(|(key, words)| (key.into(), words.into())).into()
    }
}
