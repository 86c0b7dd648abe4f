//! A form for any action of the catalog, made from its schema.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind};
use ratatui::{
    Frame,
    layout::{Position, Rect},
    text::{Line, Span},
    widgets::{Clear, Paragraph, Wrap},
};
use serde_json::{Map, Value};

use super::{
    super::{
        app::App,
        draw,
        effect::Effect,
        layer::{Flow, Layer},
        region,
        typing::type_into,
    },
    field::{Field, Kind},
};
use crate::{
    action::{Access, Action, Spec},
    error::Error,
};

/// The columns of the fields' names.
const NAMES: u16 = 18;

/// The rows below the fields: a blank one, what the field is, and what is wrong or would happen.
const FOOT: u16 = 4;

/// A form.
pub(in super::super) struct Form {
    spec: &'static Spec,
    title: String,
    fields: Vec<Field>,
    at: usize,
    /// What is wrong with it, or what it would do.
    verdict: Option<Result<String, String>>,
    /// Whether it changes something that is there already, so that only what differs is sent.
    is_edit: bool,
}

impl Form {
    /// The form of an action with what is known already.
    pub(in super::super) fn new(spec: &'static Spec, known: Map<String, Value>, app: &App) -> Self {
        let schema = (spec.schema)().to_value();
        let title = schema.get("description").and_then(Value::as_str).unwrap_or(spec.name).to_owned();
        let mut known = known;
        let is_edit = spec.name == "step.edit";
        if is_edit {
            known.extend(app.fields_of_step());
        }
        let fields = Field::all(&schema, &known);
        let at = fields.iter().position(|field| field.typed().is_empty()).unwrap_or(0);
        Self { spec, title, fields, at, verdict: None, is_edit }
    }

    /// Whether there is nothing to ask: every field that there is has a value.
    pub(in super::super) fn is_complete(&self) -> bool {
        !self.is_edit && self.fields.iter().all(|field| field.is_required && !field.typed().is_empty())
    }

    /// The action as it is filled in.
    fn action(&self) -> Result<Action, String> {
        let mut args = Map::new();
        let mut unset: Vec<Value> = Vec::new();
        for field in &self.fields {
            if let Some(empty) = (field.is_required && field.typed().trim().is_empty()).then_some(&field.name) {
                return Err(format!("`{empty}` is missing"));
            }
            if self.is_edit && !field.is_required {
                if field.is_cleared() {
                    unset.push(snake(&field.name).into());
                }
                if !field.is_changed() {
                    continue;
                }
            }
            if let Some(value) = field.value()? {
                args.insert(field.name.clone(), value);
            }
        }
        if !unset.is_empty() {
            args.insert("unset".into(), unset.into());
        }
        let about = format!("invalid arguments for `{}`: ", self.spec.name);
        Action::from_json(self.spec.name, args.into()).map_err(|error| error.to_string().replacen(&about, "", 1))
    }

    /// Looks whether it could be done as it stands.
    fn check(&mut self, app: &mut App) {
        self.verdict = None;
        match self.action() {
            Err(why) => self.verdict = Some(Err(why)),
            Ok(action) if matches!(self.spec.access, Access::Change | Access::Destroy) => {
                app.want(Effect::Check(Box::new(action)));
            }
            Ok(_) => {}
        }
    }

    fn submit(&mut self, app: &mut App) {
        match self.action() {
            Ok(action) => app.ask(action, false),
            Err(why) => {
                if let Some(at) = self.fields.iter().position(|field| why.contains(&format!("`{}`", field.name))) {
                    self.at = at;
                }
                self.verdict = Some(Err(why));
            }
        }
    }

    fn go(&mut self, by: isize) {
        let fields = self.fields.len().cast_signed().max(1);
        self.at = (self.at.cast_signed() + by).rem_euclid(fields).cast_unsigned();
    }

    /// What the word at the cursor could become.
    fn suggestion(&self, app: &App) -> Option<String> {
        let field = self.fields.get(self.at).filter(|field| field.is_id)?;
        let word = field.typed().rsplit([',', ' ']).next().filter(|word| !word.is_empty())?;
        let snapshot = app.snapshot.as_ref()?;
        let ids = snapshot.graph.nodes.iter().map(|node| node.id.as_str());
        ids.filter(|id| id.starts_with(word) && *id != word).min_by_key(|id| id.len()).map(|id| id[word.len()..].to_owned())
    }

    /// The rows that are shown, and the first field in them.
    fn window(&self, app: &App) -> (u16, usize) {
        let rows = self.area(app).height.saturating_sub(2 + FOOT).max(1);
        (rows, (self.at + 1).saturating_sub(usize::from(rows)))
    }
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

impl Layer for Form {
    fn key(&mut self, app: &mut App, key: KeyEvent) -> Flow {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        let has_few = self.fields.get(self.at).is_some_and(|field| matches!(field.kind, Kind::Flag | Kind::One(_)));
        match key.code {
            KeyCode::Esc => return Flow::Close,
            KeyCode::Char('c') if is_control => return Flow::Close,
            KeyCode::Enter => self.submit(app),
            KeyCode::Tab | KeyCode::Down => self.go(1),
            KeyCode::BackTab | KeyCode::Up => self.go(-1),
            KeyCode::Right | KeyCode::Char(' ') if has_few => self.turn(app, 1),
            KeyCode::Left if has_few => self.turn(app, -1),
            KeyCode::Right if self.suggestion(app).is_some() => {
                if let (Some(rest), Some(field)) = (self.suggestion(app), self.fields.get_mut(self.at)) {
                    field.text.move_cursor(tui_textarea::CursorMove::End);
                    field.text.insert_str(rest);
                }
                self.check(app);
            }
            _ => {
                if self.fields.get_mut(self.at).is_some_and(|field| type_into(&mut field.text, key)) {
                    self.check(app);
                }
            }
        }
        Flow::Stay
    }

    fn mouse(&mut self, app: &mut App, mouse: MouseEvent) -> Flow {
        let area = self.area(app);
        let is_inside = area.contains(Position::new(mouse.column, mouse.row));
        let (rows, first) = self.window(app);
        match mouse.kind {
            // A click beside it does not throw away what was typed.
            MouseEventKind::Down(_) if is_inside => {
                let row = mouse.row.saturating_sub(area.y + 1);
                let at = first + usize::from(row);
                if row < rows && at < self.fields.len() {
                    self.at = at;
                }
            }
            MouseEventKind::ScrollDown => self.go(1),
            MouseEventKind::ScrollUp => self.go(-1),
            _ => {}
        }
        Flow::Stay
    }

    fn paste(&mut self, app: &mut App, text: &str) {
        let takes_text = |field: &&mut Field| !matches!(field.kind, Kind::Flag | Kind::One(_));
        if let Some(field) = self.fields.get_mut(self.at).filter(takes_text) {
            field.text.insert_str(text.lines().collect::<Vec<_>>().join(" "));
        }
        self.check(app);
    }

    /// What could not be done stays on the screen, so that nothing has to be typed again.
    fn done(&mut self, action: &str, result: Result<(), &Error>) -> Flow {
        match result {
            _ if action != self.spec.name => Flow::Stay,
            Ok(()) => Flow::Close,
            Err(why) => {
                self.verdict = Some(Err(why.to_string()));
                Flow::Stay
            }
        }
    }

    fn checked(&mut self, verdict: &Result<String, String>) {
        self.verdict = Some(verdict.clone());
    }

    fn area(&self, app: &App) -> Rect {
        let screen = Rect::new(0, 0, app.size.width, app.size.height);
        let rows = u16::try_from(self.fields.len()).unwrap_or(u16::MAX).saturating_add(2 + FOOT);
        region::dialog(screen, 78.min(screen.width.saturating_sub(2)), rows.min(screen.height.saturating_sub(2)))
    }

    fn draw(&self, app: &App, frame: &mut Frame<'_>) {
        let (area, theme) = (self.area(app), &app.look.theme);
        frame.render_widget(Clear, area);
        let block = draw::panel(app, format!(" {} ", self.title), true);
        let inside = block.inner(area);
        frame.render_widget(block, area);
        let (rows, first) = self.window(app);
        for (y, (at, field)) in (inside.y..inside.y + rows).zip(self.fields.iter().enumerate().skip(first)) {
            let style = if at == self.at { theme.selected } else { ratatui::style::Style::new() };
            let mark = if field.is_required { "*" } else { " " };
            let is_wrong = at == self.at && matches!(self.verdict, Some(Err(_)));
            let style = if is_wrong { style.patch(theme.error) } else { style };
            let name = Rect { x: inside.x, y, width: NAMES.min(inside.width), height: 1 };
            frame.render_widget(Line::styled(format!("{mark}{}", snake(&field.name)), style), name);
            let place = Rect { x: inside.x + name.width, y, width: inside.width - name.width, height: 1 };
            if at == self.at && !matches!(field.kind, Kind::Flag | Kind::One(_)) {
                frame.render_widget(&field.text, place);
                if let Some(rest) = self.suggestion(app) {
                    let used = u16::try_from(crate::layout::width(field.typed()) + 1).unwrap_or(u16::MAX).min(place.width);
                    let place = Rect { x: place.x + used, width: place.width - used, ..place };
                    frame.render_widget(Line::styled(rest, theme.dim), place);
                }
            } else {
                let text = match (&field.kind, field.typed()) {
                    (Kind::Flag | Kind::One(_), text) if at == self.at => {
                        format!("‹ {} ›", if text.is_empty() { "-" } else { text })
                    }
                    (_, text) => draw::tame(text),
                };
                frame.render_widget(Line::raw(text), place);
            }
        }
        let words = self.fields.get(self.at).map_or("", |field| field.words.as_str());
        let foot = Rect { y: inside.bottom().saturating_sub(FOOT - 1), height: 1, ..inside };
        frame.render_widget(Line::styled(draw::tame(words), theme.dim), foot);
        let verdict = match &self.verdict {
            Some(Ok(would)) => Line::styled(draw::tame(would), theme.good),
            Some(Err(why)) => Line::styled(draw::tame(why), theme.error),
            None => Line::from(Span::styled("* has to be filled in", theme.dim)),
        };
        let foot = Rect { y: inside.bottom().saturating_sub(2), height: 2, ..inside };
        frame.render_widget(Paragraph::new(verdict).wrap(Wrap { trim: true }), foot);
    }

    fn hints(&self, _app: &App) -> Vec<(String, String)> {
        [("Tab", "next field"), ("Enter", "do it"), ("Esc", "give up")].map(|(key, words)| (key.into(), words.into())).into()
    }
}

impl Form {
    fn turn(&mut self, app: &mut App, by: isize) {
        if let Some(field) = self.fields.get_mut(self.at) {
            field.turn(by);
        }
        self.check(app);
    }
}
