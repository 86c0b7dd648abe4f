//! A list over the screen: what needs you, the audit log, the runs.

use crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
    widgets::Clear,
};

use super::super::{
    app::App,
    choice::Choice,
    draw,
    layer::{Flow, Layer},
    region,
};

/// A row of a list.
pub(in super::super) struct Row {
    /// What stands in the first column, in the colour of a status.
    pub(in super::super) head: String,
    pub(in super::super) style: Style,
    pub(in super::super) words: String,
    /// What Enter does.
    pub(in super::super) choice: Option<Choice>,
}

/// A list.
pub(in super::super) struct List {
    title: String,
    /// What is said where there is nothing.
    nothing: &'static str,
    rows: Vec<Row>,
    at: usize,
}

impl List {
    /// A list of rows.
    pub(in super::super) fn new(title: impl Into<String>, nothing: &'static str, rows: Vec<Row>) -> Self {
        Self { title: title.into(), nothing, rows, at: 0 }
    }

    fn height(&self, app: &App) -> usize {
        usize::from(self.area(app).height.saturating_sub(2)).max(1)
    }

    fn first(&self, app: &App) -> usize {
        (self.at + 1).saturating_sub(self.height(app))
    }

    fn choose(&self, app: &mut App) -> Flow {
        match self.rows.get(self.at).and_then(|row| row.choice.clone()) {
            Some(choice) => {
                app.choose(choice);
                Flow::Close
            }
            None => Flow::Stay,
        }
    }
}

impl Layer for List {
    fn key(&mut self, app: &mut App, key: KeyEvent) -> Flow {
        let last = self.rows.len().saturating_sub(1);
        let page = self.height(app);
        self.at = match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.at + 1,
            KeyCode::Up | KeyCode::Char('k') => self.at.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.at + page,
            KeyCode::PageUp => self.at.saturating_sub(page),
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => last,
            KeyCode::Enter => return self.choose(app),
            _ => return Flow::Close,
        }
        .min(last);
        Flow::Stay
    }

    fn mouse(&mut self, app: &mut App, mouse: MouseEvent) -> Flow {
        let area = self.area(app);
        let is_inside = area.contains(Position::new(mouse.column, mouse.row));
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) if is_inside => {
                let row = self.first(app) + usize::from(mouse.row.saturating_sub(area.y + 1));
                if mouse.row > area.y && row < self.rows.len() {
                    self.at = row;
                    return self.choose(app);
                }
            }
            MouseEventKind::Down(_) if !is_inside => return Flow::Close,
            MouseEventKind::ScrollDown => self.at = (self.at + 1).min(self.rows.len().saturating_sub(1)),
            MouseEventKind::ScrollUp => self.at = self.at.saturating_sub(1),
            _ => {}
        }
        Flow::Stay
    }

    fn area(&self, app: &App) -> Rect {
        let screen = Rect::new(0, 0, app.size.width, app.size.height);
        let rows = u16::try_from(self.rows.len().max(1) + 2).unwrap_or(u16::MAX);
        region::dialog(screen, screen.width.saturating_sub(4).min(120), rows.min(screen.height.saturating_sub(4)))
    }

    fn draw(&self, app: &App, frame: &mut Frame<'_>) {
        let (area, theme) = (self.area(app), &app.look.theme);
        frame.render_widget(Clear, area);
        let block = draw::panel(app, format!(" {} ", self.title), true);
        let inside = block.inner(area);
        frame.render_widget(block, area);
        if self.rows.is_empty() {
            return frame.render_widget(Line::styled(self.nothing, theme.dim), inside);
        }
        let first = self.first(app);
        for (y, (at, row)) in (inside.y..inside.bottom()).zip(self.rows.iter().enumerate().skip(first)) {
            let place = Rect { y, height: 1, ..inside };
            let head = draw::tame(&row.head);
            let room = usize::from(inside.width).saturating_sub(crate::layout::width(&head) + 1);
            let words = draw::fit(&draw::tame(&row.words), room, app.look.glyphs.ellipsis());
            frame.render_widget(Line::from(vec![Span::styled(format!("{head} "), row.style), Span::raw(words)]), place);
            if at == self.at {
                frame.buffer_mut().set_style(place, theme.selected);
            }
        }
    }

    fn hints(&self, _app: &App) -> Vec<(String, String)> {
        [("↑↓", "move"), ("Enter", "go there"), ("Esc", "close")].map(|(key, words)| (key.into(), words.into())).into()
    }
}
