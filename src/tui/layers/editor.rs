//! Writing a step's prompt on the screen.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Frame, layout::Rect, widgets::Clear};
use tui_textarea::TextArea;

use super::super::{
    app::App,
    draw,
    layer::{Flow, Layer},
    toast::Tone,
};
use crate::{
    action::{Act as _, Action, prompt},
    client::PromptText,
    model::Id,
};

/// The SHA-256 of nothing, which is what a prompt has that is not there.
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// An editor of a prompt.
pub(in super::super) struct Editor {
    step: Id,
    text: TextArea<'static>,
    /// Of the text that was there, so that nobody's later work is written over.
    sha256: String,
    is_changed: bool,
    /// Whether leaving without saving was said once.
    is_warned: bool,
    /// What is being looked for, while it is typed.
    search: Option<String>,
}

impl Editor {
    /// An editor with the prompt as it is.
    pub(in super::super) fn new(prompt: &PromptText) -> Self {
        let mut text = TextArea::new(prompt.text.lines().map(str::to_owned).collect());
        text.set_cursor_line_style(ratatui::style::Style::new());
        Self { step: prompt.step.clone(), text, sha256: prompt.sha256.clone(), is_changed: false, is_warned: false, search: None }
    }

    /// An editor of a prompt that is not there yet.
    pub(in super::super) fn empty(step: Id) -> Self {
        let nothing = PromptText { step, source: "file", path: None, sha256: NOTHING.into(), bytes: 0, text: String::new() };
        Self::new(&nothing)
    }

    fn save(&self, app: &mut App) {
        let mut text = self.text.lines().join("\n");
        text.push('\n');
        let set = prompt::Set { step: self.step.clone(), file: None, text: Some(text), if_unchanged: Some(self.sha256.clone()) };
        app.ask(Action::PromptSet(set), false);
    }

    fn leave(&mut self, app: &mut App) -> Flow {
        if self.is_changed && !self.is_warned {
            self.is_warned = true;
            app.say(Tone::Warning, "the prompt is not saved", Some("Ctrl-S saves, Esc again throws the changes away".into()));
            return Flow::Stay;
        }
        Flow::Close
    }

    fn type_search(&mut self, key: KeyEvent) {
        let Some(search) = &mut self.search else { return };
        match key.code {
            KeyCode::Esc | KeyCode::Enter => {
                self.search = None;
                return;
            }
            KeyCode::Backspace => {
                search.pop();
            }
            KeyCode::Char(letter) => search.push(letter),
            _ => return,
        }
        let pattern = regex::escape(search);
        if self.text.set_search_pattern(pattern).is_ok() {
            self.text.search_forward(true);
        }
    }
}

impl Layer for Editor {
    fn key(&mut self, app: &mut App, key: KeyEvent) -> Flow {
        if self.search.is_some() {
            self.type_search(key);
            return Flow::Stay;
        }
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return self.leave(app),
            KeyCode::Char('c') if is_control => return self.leave(app),
            KeyCode::Char('s') if is_control => {
                self.save(app);
            }
            KeyCode::Char('z') if is_control => self.is_changed |= self.text.undo(),
            KeyCode::Char('y') if is_control => self.is_changed |= self.text.redo(),
            KeyCode::Char('f') if is_control => self.search = Some(String::new()),
            _ => {
                if self.text.input(key) {
                    (self.is_changed, self.is_warned) = (true, false);
                }
            }
        }
        Flow::Stay
    }

    fn mouse(&mut self, _app: &mut App, mouse: crossterm::event::MouseEvent) -> Flow {
        self.text.input(mouse);
        Flow::Stay
    }

    /// What could not be saved stays on the screen.
    fn done(&mut self, action: &str, result: &Result<(), String>) -> Flow {
        if action == prompt::Set::NAME && result.is_ok() { Flow::Close } else { Flow::Stay }
    }

    fn paste(&mut self, _app: &mut App, text: &str) {
        self.text.insert_str(text.replace("\r\n", "\n").replace('\r', "\n"));
        self.is_changed = true;
    }

    fn area(&self, app: &App) -> Rect {
        let regions = app.regions();
        Rect::new(0, 1, app.size.width, regions.chat.y.saturating_sub(1))
    }

    fn draw(&self, app: &App, frame: &mut Frame<'_>) {
        let area = self.area(app);
        frame.render_widget(Clear, area);
        let mark = if self.is_changed { " · changed" } else { "" };
        let title = match &self.search {
            Some(search) => format!(" Search: {} ", draw::tame(search)),
            None => format!(" Prompt · {}{mark} ", self.step),
        };
        let block = draw::panel(app, title, true);
        let inside = block.inner(area);
        frame.render_widget(block, area);
        frame.render_widget(&self.text, inside);
    }

    fn hints(&self, _app: &App) -> Vec<(String, String)> {
        let keys = [("Ctrl-S", "save"), ("Ctrl-Z", "undo"), ("Ctrl-Y", "redo"), ("Ctrl-F", "search"), ("Esc", "leave")];
        keys.map(|(key, words)| (key.into(), words.into())).into()
    }
}
