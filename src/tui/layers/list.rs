//! A list over the screen: what needs you, the audit log, the runs.

use crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::{
    Frame,
    layout::{Margin, Rect},
    style::Style,
    text::{Line, Span},
    widgets::Clear,
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
    place: Rows,
}

impl List {
    /// A list of rows.
    pub(in super::super) fn new(title: impl Into<String>, nothing: &'static str, rows: Vec<Row>) -> Self {
        Self { title: title.into(), nothing, rows, place: Rows::default() }
    }

    fn height(&self, app: &App) -> usize {
        usize::from(self.area(app).height.saturating_sub(2)).max(1)
    }

    fn choose(&self, app: &mut App) -> Flow {
        match self.rows.get(self.place.at).and_then(|row| row.choice.clone()) {
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
        let code = match key.code {
            KeyCode::Enter => return self.choose(app),
            KeyCode::Char('j') => KeyCode::Down,
            KeyCode::Char('k') => KeyCode::Up,
            KeyCode::Char(' ') => KeyCode::PageDown,
            KeyCode::Char('g') => KeyCode::Home,
            KeyCode::Char('G') => KeyCode::End,
            other => other,
        };
        let fit = self.height(app);
        if self.place.key(code, self.rows.len(), fit) { Flow::Stay } else { Flow::Close }
    }

    fn mouse(&mut self, app: &mut App, mouse: MouseEvent) -> Flow {
        let area = self.area(app);
        match self.place.mouse(mouse, area, area.inner(Margin::new(1, 1)), self.rows.len()) {
            Hit::Row => self.choose(app),
            Hit::Outside => Flow::Close,
            Hit::Nothing => Flow::Stay,
        }
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
        let first = self.place.first(self.height(app));
        for (y, (at, row)) in (inside.y..inside.bottom()).zip(self.rows.iter().enumerate().skip(first)) {
            let place = Rect { y, height: 1, ..inside };
            let head = draw::tame(&row.head);
            let room = usize::from(inside.width).saturating_sub(crate::layout::width(&head) + 1);
            let words = draw::fit(&draw::tame(&row.words), room, app.look.glyphs.ellipsis());
            frame.render_widget(Line::from(vec![Span::styled(format!("{head} "), row.style), Span::raw(words)]), place);
            if at == self.place.at {
                frame.buffer_mut().set_style(place, theme.selected);
            }
        }
    }

    fn hints(&self, _app: &App) -> Vec<(String, String)> {
        [("↑↓", "move"), ("Enter", "go there"), ("Esc", "close")].map(|(key, words)| (key.into(), words.into())).into()
    }
}
