//! Writing a step's prompt on the screen.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Frame, layout::Rect, widgets::Clear};
use tui_textarea::TextArea;

use super::super::{
    app::App,
    draw,
    effect::Effect,
    layer::{Flow, Layer},
    toast::Tone,
};
use crate::{
    action::{Act as _, Action, prompt},
    client::PromptText,
    error::Error,
    model::Id,
};

/// The SHA-256 of nothing, which is what a prompt has that is not there.
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// An editor of a prompt.
pub(in super::super) struct Editor {
    step: Id,
    text: TextArea<'static>,
    /// The text that was there.
    before: Vec<String>,
    /// Of the text that was there, so that nobody's later work is written over.
    sha256: String,
    /// Whether leaving without saving was said once.
    is_warned: bool,
    /// Whether it is being saved.
    is_saving: bool,
    /// Whether somebody else has changed the prompt meanwhile.
    is_outdated: bool,
    /// What is being looked for, while it is typed.
    search: Option<String>,
}

impl Editor {
    /// An editor with the prompt as it is.
    pub(in super::super) fn new(prompt: &PromptText) -> Self {
        let mut text = TextArea::new(prompt.text.lines().map(str::to_owned).collect());
        text.set_cursor_line_style(ratatui::style::Style::new());
        let before = text.lines().to_vec();
        let (step, sha256) = (prompt.step.clone(), prompt.sha256.clone());
        Self { step, text, before, sha256, is_warned: false, is_saving: false, is_outdated: false, search: None }
    }

    /// An editor of a prompt that is not there yet.
    pub(in super::super) fn empty(step: Id) -> Self {
        let nothing = PromptText { step, source: "file", path: None, sha256: NOTHING.into(), bytes: 0, text: String::new() };
        Self::new(&nothing)
    }

    fn is_changed(&self) -> bool {
        self.text.lines() != self.before
    }

    /// Saves it if the prompt is still what it was, or over whatever it is now.
    fn save(&mut self, app: &mut App, is_forced: bool) {
        let mut text = self.text.lines().join("\n");
        text.push('\n');
        let if_unchanged = (!is_forced).then(|| self.sha256.clone());
        let set = prompt::Set { step: self.step.clone(), file: None, text: Some(text), if_unchanged };
        self.is_saving = true;
        app.ask(Action::PromptSet(set), false);
    }

    fn leave(&mut self, app: &mut App) -> Flow {
        if self.is_changed() && !self.is_warned {
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
            KeyCode::Char('s') if is_control => self.save(app, false),
            KeyCode::Char('o') if is_control && self.is_outdated => self.save(app, true),
            KeyCode::Char('r') if is_control && self.is_outdated => app.want(Effect::Edit(self.step.clone())),
            KeyCode::Char('z') if is_control => {
                self.text.undo();
            }
            KeyCode::Char('y') if is_control => {
                self.text.redo();
            }
            KeyCode::Char('f') if is_control => self.search = Some(String::new()),
            _ => {
                if self.text.input(key) {
                    self.is_warned = false;
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
    fn done(&mut self, action: &str, result: Result<(), &Error>) -> Flow {
        if action != prompt::Set::NAME || !std::mem::take(&mut self.is_saving) {
            return Flow::Stay;
        }
        self.is_outdated |= matches!(result, Err(Error::PromptChanged { .. }));
        if result.is_ok() { Flow::Close } else { Flow::Stay }
    }

    fn paste(&mut self, _app: &mut App, text: &str) {
        self.text.insert_str(text);
        self.is_warned = false;
    }

    fn area(&self, app: &App) -> Rect {
        let regions = app.regions();
        Rect::new(0, 1, app.size.width, regions.chat.y.saturating_sub(1))
    }

    fn draw(&self, app: &App, frame: &mut Frame<'_>) {
        let area = self.area(app);
        frame.render_widget(Clear, area);
        let dot = app.look.glyphs.spell(" · ");
        let mark = match (self.is_outdated, self.is_changed()) {
            (true, _) => format!("{dot}somebody else changed it meanwhile"),
            (false, true) => format!("{dot}changed"),
            (false, false) => String::new(),
        };
        let title = match &self.search {
            Some(search) => format!(" Search: {} ", draw::tame(search)),
            None => format!(" Prompt{dot}{}{mark} ", self.step),
        };
        let block = draw::panel(app, title, true);
        let inside = block.inner(area);
        frame.render_widget(block, area);
        frame.render_widget(&self.text, inside);
    }

    fn hints(&self, _app: &App) -> Vec<(String, String)> {
        if self.is_outdated {
            let keys = [("Ctrl-R", "show theirs"), ("Ctrl-O", "write over theirs"), ("Esc", "leave")];
            return keys.map(|(key, words)| (key.into(), words.into())).into();
        }
        let keys = [("Ctrl-S", "save"), ("Ctrl-Z", "undo"), ("Ctrl-Y", "redo"), ("Ctrl-F", "search"), ("Esc", "leave")];
        keys.map(|(key, words)| (key.into(), words.into())).into()
    }
}
