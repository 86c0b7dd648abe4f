//! A question before something is done. The harmless answer is the default.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{
    Frame,
    layout::Rect,
    text::Line,
    widgets::{Clear, Paragraph, Wrap},
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

/// How many lines of what would run are shown.
const SHOWN: usize = 12;

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
}

impl Confirm {
    /// What the policy wants to hear from a person; twice where something would be lost.
    pub(in super::super) fn policy(app: &App, asked: (String, String), commands: Vec<String>, action: Action) -> Self {
        let access = CATALOG.iter().find(|spec| spec.name == action.name()).map(|spec| spec.access);
        let again = u8::from(app.is_safe() && access == Some(Access::Destroy));
        let (what, why) = asked;
        Self { what, why: Some(why), commands, yes: Yes::Act(Box::new(action)), is_yes: false, again }
    }

    /// The same before a proposal is applied.
    pub(in super::super) fn apply(app: &App, asked: (String, String), commands: Vec<String>, applying: Applying) -> Self {
        let destroys = applying.actions.iter().any(|action| action.spec().access == Access::Destroy);
        let again = u8::from(app.is_safe() && destroys);
        let (what, why) = asked;
        Self { what, why: Some(why), commands, yes: Yes::Apply(Box::new(applying)), is_yes: false, again }
    }

    /// What the screen asks by itself, since a slip of the finger must not cost hours.
    pub(in super::super) fn own(what: String, action: Action) -> Self {
        Self { what, why: None, commands: Vec::new(), yes: Yes::Act(Box::new(action)), is_yes: false, again: 0 }
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
            lines.extend(
                self.commands
                    .iter()
                    .take(SHOWN)
                    .map(|command| Line::styled(format!("  {}", draw::tame(command)), app.look.theme.dim)),
            );
            if let Some(more) = self.commands.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                lines.push(Line::raw(format!("  … and {} more", count(more, "step"))));
            }
        }
        lines.push(Line::raw(""));
        let button = |text: &str, is_on: bool| {
            let style = if is_on { app.look.theme.selected } else { ratatui::style::Style::new() };
            ratatui::text::Span::styled(format!(" {text} "), style)
        };
        lines.push(Line::from(vec![button("No", !self.is_yes), "  ".into(), button("Yes", self.is_yes)]));
        lines
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
            KeyCode::Enter => return self.answer(app),
            KeyCode::Char('n' | 'N' | 'q') | KeyCode::Esc => return Flow::Close,
            _ => {}
        }
        Flow::Stay
    }

    fn area(&self, app: &App) -> Rect {
        let screen = Rect::new(0, 0, app.size.width, app.size.height);
        let lines = self.lines(app);
        let width = lines.iter().map(Line::width).max().unwrap_or(0) + 4;
        let width = u16::try_from(width).unwrap_or(u16::MAX).clamp(30, 100).min(screen.width);
        let inside = usize::from(width.saturating_sub(4)).max(1);
        let rows: usize = lines.iter().map(|line| line.width().div_ceil(inside).max(1)).sum();
        region::dialog(screen, width, u16::try_from(rows + 2).unwrap_or(u16::MAX))
    }

    fn draw(&self, app: &App, frame: &mut Frame<'_>) {
        let area = self.area(app);
        frame.render_widget(Clear, area);
        let block = draw::panel(app, " Sure? ", true);
        frame.render_widget(Paragraph::new(self.lines(app)).wrap(Wrap { trim: false }).block(block), area);
    }

    fn hints(&self, _app: &App) -> Vec<(String, String)> {
        [("y", "yes"), ("n", "no"), ("←→", "choose"), ("Enter", "answer")].map(|(key, words)| (key.into(), words.into())).into()
    }
}
