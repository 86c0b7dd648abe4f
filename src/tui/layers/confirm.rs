//! A question before something is done. The harmless answer is the default.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::{
    Frame,
    layout::{Margin, Position, Rect},
    text::{Line, Span},
    widgets::{Clear, Paragraph},
};

use super::super::{
    app::App,
    draw,
    layer::{Flow, Layer},
    proposal::Applying,
    region,
};
use crate::{
    action::{Access, Action, CATALOG},
    error::count,
};

/// The answers, as they stand on the last row.
const NO: &str = " No ";
const YES: &str = " Yes ";

/// The cells between them.
const BETWEEN: u16 = 2;

/// What is done where the answer is yes.
enum Yes {
    Act(Box<Action>),
    Apply(Box<Applying>),
}

/// A question.
pub(in super::super) struct Confirm {
    /// What is about to be done.
    what: String,
    /// Why it is asked.
    why: Option<String>,
    /// What would be executed, a line each.
    commands: Vec<String>,
    yes: Yes,
    is_yes: bool,
    /// How many more times it asks after a yes.
    again: u8,
    /// How far what does not fit is scrolled.
    scroll: u16,
}

impl Confirm {
    /// What the policy wants to hear from a person; twice where something would be lost.
    pub(in super::super) fn policy(app: &App, asked: (String, String), commands: Vec<String>, action: Action) -> Self {
        let access = CATALOG.iter().find(|spec| spec.name == action.name()).map(|spec| spec.access);
        let again = u8::from(app.is_safe() && access == Some(Access::Destroy));
        let (what, why) = asked;
        Self { what, why: Some(why), commands, yes: Yes::Act(Box::new(action)), is_yes: false, again, scroll: 0 }
    }

    /// The same before a proposal is applied.
    pub(in super::super) fn apply(app: &App, asked: (String, String), commands: Vec<String>, applying: Applying) -> Self {
        let destroys = applying.actions.iter().any(|action| action.spec().access == Access::Destroy);
        let again = u8::from(app.is_safe() && destroys);
        let (what, why) = asked;
        Self { what, why: Some(why), commands, yes: Yes::Apply(Box::new(applying)), is_yes: false, again, scroll: 0 }
    }

    /// What the screen asks by itself, since a slip of the finger must not cost hours.
    pub(in super::super) fn own(what: String, action: Action) -> Self {
        Self { what, why: None, commands: Vec::new(), yes: Yes::Act(Box::new(action)), is_yes: false, again: 0, scroll: 0 }
    }

    /// Takes an answer; a second question begins at No again.
    fn answer(&mut self, app: &mut App) -> Flow {
        if self.is_yes && self.again > 0 {
            (self.again, self.is_yes) = (self.again - 1, false);
            self.why = Some("asked a second time, since it takes something away".into());
            return Flow::Stay;
        }
        if self.is_yes {
            match &self.yes {
                Yes::Act(action) => app.ask((**action).clone(), self.why.is_some()),
                Yes::Apply(applying) => app.apply(Applying { is_confirmed: true, ..(**applying).clone() }),
            }
        }
        Flow::Close
    }

    fn lines(&self, app: &App) -> Vec<Line<'static>> {
        let mut lines = vec![Line::styled(draw::tame(&self.what), app.look.theme.title)];
        if let Some(why) = &self.why {
            lines.push(Line::raw(draw::tame(why)));
        }
        if !self.commands.is_empty() {
            lines.push(Line::raw(""));
            let line = |command: &String| Line::styled(format!("  {}", draw::tame(command)), app.look.theme.dim);
            lines.extend(self.commands.iter().map(line));
        }
        lines
    }

    /// The text in rows of so many cells.
    fn rows(&self, app: &App, width: u16) -> Vec<Line<'static>> {
        let room = usize::from(width).max(1);
        self.lines(app).into_iter().flat_map(|line| draw::wrap(line, room)).collect()
    }

    /// The places of the text and the answers.
    fn split(&self, app: &App) -> [Rect; 2] {
        use ratatui::layout::{Constraint, Layout};
        let inside = self.area(app).inner(Margin::new(1, 1));
        let [text, _, answers] =
            Layout::vertical([Constraint::Min(1), Constraint::Length(1), Constraint::Length(1)]).areas(inside);
        [text, answers]
    }

    fn scroll(&mut self, app: &App, by: i16) {
        let [text, _] = self.split(app);
        let rows = u16::try_from(self.rows(app, text.width).len()).unwrap_or(u16::MAX);
        let last = rows.saturating_sub(text.height);
        self.scroll = self.scroll.saturating_add_signed(by).min(last);
    }
}

impl Layer for Confirm {
    fn key(&mut self, app: &mut App, key: KeyEvent) -> Flow {
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Flow::Close,
            KeyCode::Char(_) if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {}
            KeyCode::Left | KeyCode::Right | KeyCode::Tab | KeyCode::BackTab => self.is_yes ^= true,
            KeyCode::Char('y' | 'Y') => {
                self.is_yes = true;
                return self.answer(app);
            }
            KeyCode::Up => self.scroll(app, -1),
            KeyCode::Down => self.scroll(app, 1),
            KeyCode::PageUp => self.scroll(app, -10),
            KeyCode::PageDown => self.scroll(app, 10),
            KeyCode::Enter => return self.answer(app),
            KeyCode::Char('n' | 'N' | 'q') | KeyCode::Esc => return Flow::Close,
            _ => {}
        }
        Flow::Stay
    }

    fn mouse(&mut self, app: &mut App, mouse: MouseEvent) -> Flow {
        let [_, answers] = self.split(app);
        let (at, no, yes) = (Position::new(mouse.column, mouse.row), cells(NO), cells(YES));
        match mouse.kind {
            MouseEventKind::ScrollDown => self.scroll(app, 1),
            MouseEventKind::ScrollUp => self.scroll(app, -1),
            MouseEventKind::Down(MouseButton::Left) if Rect { width: no, ..answers }.contains(at) => return Flow::Close,
            MouseEventKind::Down(MouseButton::Left)
                if (Rect { x: answers.x + no + BETWEEN, width: yes, ..answers }).contains(at) =>
            {
                self.is_yes = true;
                return self.answer(app);
            }
            MouseEventKind::Down(_) if !self.area(app).contains(at) => return Flow::Close,
            _ => {}
        }
        Flow::Stay
    }

    fn area(&self, app: &App) -> Rect {
        let screen = Rect::new(0, 0, app.size.width, app.size.height);
        let width = self.lines(app).iter().map(Line::width).max().unwrap_or(0) + 4;
        let width = u16::try_from(width).unwrap_or(u16::MAX).clamp(30, 100).min(screen.width);
        let rows = u16::try_from(self.rows(app, width.saturating_sub(2)).len() + 4).unwrap_or(u16::MAX);
        // The last line stays free for what is said meanwhile.
        region::dialog(screen, width, rows.min(screen.height.saturating_sub(2)))
    }

    fn draw(&self, app: &App, frame: &mut Frame<'_>) {
        let area = self.area(app);
        frame.render_widget(Clear, area);
        frame.render_widget(draw::panel(app, " Sure? ", true), area);
        let [text, answers] = self.split(app);
        let (rows, theme) = (self.rows(app, text.width), &app.look.theme);
        let more = rows.len().saturating_sub(usize::from(text.height));
        frame.render_widget(Paragraph::new(rows).scroll((self.scroll, 0)), text);
        if more > 0 {
            let above = usize::from(self.scroll);
            let words = format!("{above} above, {} below", count(more.saturating_sub(above), "line"));
            frame.render_widget(Line::styled(words, theme.dim).right_aligned(), Rect { y: text.bottom(), height: 1, ..text });
        }
        let button = |text: &'static str, is_on: bool| {
            Span::styled(text, if is_on { theme.selected } else { ratatui::style::Style::new() })
        };
        let between = Span::raw(" ".repeat(usize::from(BETWEEN)));
        frame.render_widget(Line::from(vec![button(NO, !self.is_yes), between, button(YES, self.is_yes)]), answers);
    }

    fn hints(&self, _app: &App) -> Vec<(String, String)> {
        [("y", "yes"), ("n", "no"), ("←→", "choose"), ("Enter", "answer"), ("↑↓", "scroll")]
            .map(|(key, words)| (key.into(), words.into()))
            .into()
    }
}

fn cells(text: &str) -> u16 {
    u16::try_from(text.len()).unwrap_or(0)
}
