//! Searching steps and gates while typing.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Frame, layout::Rect, text::Line, widgets::Clear};
use tui_textarea::TextArea;

use super::super::{
    app::App,
    layer::{Flow, Layer},
    typing::type_into,
};
use crate::{error::count, model::Id};

/// The line that a search is typed into.
pub(in super::super) struct Search {
    text: TextArea<'static>,
    /// What was selected before.
    before: Option<Id>,
    /// Whether the log is searched.
    is_of_log: bool,
}

impl Search {
    /// An empty search.
    pub(in super::super) fn new(app: &App) -> Self {
        let mut text = TextArea::default();
        text.set_cursor_line_style(ratatui::style::Style::new());
        Self { text, before: app.selected_id(), is_of_log: app.is_in_log() }
    }

    fn typed(&self) -> &str {
        self.text.lines().first().map_or("", String::as_str)
    }

    fn look(&self, app: &mut App) {
        if self.is_of_log {
            app.log.search = Some(self.typed().to_owned()).filter(|text| !text.is_empty());
            app.log.hit = None;
            return;
        }
        app.search(Some(self.typed().to_owned()));
        if let Some(&at) = app.hits().first() {
            app.select(at);
        }
    }
}

impl Layer for Search {
    fn key(&mut self, app: &mut App, key: KeyEvent) -> Flow {
        match key.code {
            KeyCode::Esc if self.is_of_log => {
                app.log.search = None;
                return Flow::Close;
            }
            KeyCode::Enter if self.is_of_log => {
                // What was written last is mostly what is looked for.
                app.find_in_log(true);
                return Flow::Close;
            }
            KeyCode::Esc => {
                app.search(None);
                if let Some(id) = self.before.as_ref().filter(|id| app.selected_id().as_ref() != Some(id)) {
                    app.go_to(id);
                }
                return Flow::Close;
            }
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Flow::Close,
            KeyCode::Enter => {
                if self.typed().is_empty() {
                    app.search(None);
                }
                return Flow::Close;
            }
            KeyCode::Down | KeyCode::Up | KeyCode::Tab => return Flow::Pass,
            _ => {
                if type_into(&mut self.text, key) {
                    self.look(app);
                }
            }
        }
        Flow::Stay
    }

    fn paste(&mut self, app: &mut App, text: &str) {
        self.text.insert_str(text.lines().next().unwrap_or_default());
        self.look(app);
    }

    fn area(&self, app: &App) -> Rect {
        app.regions().chat
    }

    fn draw(&self, app: &App, frame: &mut Frame<'_>) {
        let area = Rect { height: 1, ..self.area(app) };
        frame.render_widget(Clear, area);
        frame.render_widget(Line::styled("/ ", app.look.theme.key), area);
        let found = if self.typed().is_empty() || self.is_of_log { String::new() } else { count(app.hits().len(), "hit") };
        let right = u16::try_from(found.len() + 1).unwrap_or(0);
        let text = Rect { x: area.x + 2, width: area.width.saturating_sub(2 + right), ..area };
        frame.render_widget(&self.text, text);
        frame.render_widget(Line::styled(found, app.look.theme.dim).right_aligned(), area);
    }

    fn hints(&self, _app: &App) -> Vec<(String, String)> {
        [("Enter", "keep"), ("n N", "next, before"), ("Esc", "forget")].map(|(key, words)| (key.into(), words.into())).into()
    }
}
