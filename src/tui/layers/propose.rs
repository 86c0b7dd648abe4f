//! The field for the file that a proposal is read from.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{
    Frame,
    layout::Rect,
    text::Line,
    widgets::{Clear, Paragraph, Wrap},
};
use tui_textarea::{CursorMove, TextArea};

use super::super::{
    app::App,
    draw,
    layer::{Flow, Layer},
    proposal::{Draft, Source},
    region,
    typing::type_into,
};

/// What such a file is.
const ABOUT: &str = "a JSON or YAML list of actions, as `seqctl apply -f` takes it";

/// The field.
pub(in super::super) struct Propose {
    text: TextArea<'static>,
    /// Why there is no proposal.
    problem: Option<String>,
    is_reading: bool,
}

impl Propose {
    /// The field with a path in it.
    pub(in super::super) fn new(path: &str) -> Self {
        let mut text = TextArea::new(vec![path.to_owned()]);
        text.set_cursor_line_style(ratatui::style::Style::new());
        text.move_cursor(CursorMove::End);
        Self { text, problem: None, is_reading: false }
    }

    fn typed(&self) -> &str {
        self.text.lines().first().map_or("", |line| line.trim())
    }

    fn submit(&mut self, app: &mut App) {
        match self.typed() {
            "" => self.problem = Some("which file?".into()),
            "-" => self.problem = Some("standard input is the terminal here: write a file first".into()),
            path => {
                let source = Source::File(PathBuf::from(path));
                (self.problem, self.is_reading) = (None, true);
                app.propose(Draft { source, actions: None });
            }
        }
    }

    fn foot(&self) -> Vec<&str> {
        match &self.problem {
            Some(problem) => problem.lines().collect(),
            None if self.is_reading => vec!["reading the file"],
            None => vec![ABOUT],
        }
    }
}

impl Layer for Propose {
    fn key(&mut self, app: &mut App, key: KeyEvent) -> Flow {
        match key.code {
            KeyCode::Esc => return Flow::Close,
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Flow::Close,
            KeyCode::Enter => self.submit(app),
            KeyCode::Char('j' | 'm') if key.modifiers.contains(KeyModifiers::CONTROL) => self.submit(app),
            _ => {
                if type_into(&mut self.text, key) {
                    self.problem = None;
                }
            }
        }
        Flow::Stay
    }

    fn paste(&mut self, _app: &mut App, text: &str) {
        self.text.insert_str(text.lines().next().unwrap_or_default());
        self.problem = None;
    }

    fn proposed(&mut self, result: &Result<(), String>) -> Flow {
        self.is_reading = false;
        self.problem = result.as_ref().err().cloned();
        if self.problem.is_some() { Flow::Stay } else { Flow::Close }
    }

    fn area(&self, app: &App) -> Rect {
        let screen = Rect::new(0, 0, app.size.width, app.size.height);
        let width = 84.min(screen.width.saturating_sub(2));
        let inside = usize::from(width.saturating_sub(2)).max(1);
        let rows: usize = self.foot().iter().map(|line| crate::layout::width(line).div_ceil(inside).max(1)).sum();
        region::dialog(screen, width, u16::try_from(rows + 4).unwrap_or(u16::MAX).min(screen.height.saturating_sub(2)))
    }

    fn draw(&self, app: &App, frame: &mut Frame<'_>) {
        let (area, theme) = (self.area(app), &app.look.theme);
        frame.render_widget(Clear, area);
        let block = draw::panel(app, " Propose from a file ", true);
        let inside = block.inner(area);
        frame.render_widget(block, area);
        frame.render_widget(&self.text, Rect { height: 1.min(inside.height), ..inside });
        let style = if self.problem.is_some() { theme.error } else { theme.dim };
        let lines: Vec<Line<'_>> = self.foot().into_iter().map(|line| Line::styled(draw::tame(line), style)).collect();
        let foot = Rect { y: inside.y + 2, height: inside.height.saturating_sub(2), ..inside };
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }), foot);
    }

    fn hints(&self, _app: &App) -> Vec<(String, String)> {
        [("Enter", "show what it would change"), ("Esc", "give up")].map(|(key, words)| (key.into(), words.into())).into()
    }
}
