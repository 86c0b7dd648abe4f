//! A form for any action of the catalog, made from its schema.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind};
use ratatui::{
    Frame,
    layout::{Margin, Position, Rect},
};
use serde_json::{Map, Value};

use super::{
    super::{
        app::App,
        effect::Effect,
        layer::{Flow, Layer},
        region,
        typing::type_into,
    },
    field::Field,
};
use crate::{
    action::{Access, Action, Spec},
    error::Error,
};

mod sheet;

/// What is said of a form as it is filled in.
struct Verdict {
    /// What it would do, or what is wrong with it.
    said: Result<String, String>,
    /// The field that it is about; none where it is about the whole.
    at: Option<usize>,
}

/// A form.
pub(in super::super) struct Form {
    spec: &'static Spec,
    title: String,
    fields: Vec<Field>,
    at: usize,
    /// What is wrong with it, or what it would do.
    verdict: Option<Verdict>,
    /// Whether it changes something that is there already, so that only what differs is sent.
    is_edit: bool,
}

impl Form {
    /// The form of an action with what is known already.
    pub(in super::super) fn new(spec: &'static Spec, known: Map<String, Value>, app: &App) -> Self {
        let schema = (spec.schema)().to_value();
        let title = spec.words();
        let mut known = known;
        let is_edit = spec.name == "step.edit";
        if is_edit {
            known.extend(app.fields_of_step());
        }
        if spec.name == "add" {
            app.choose_worker(&mut known);
        }
        let fields = Field::all(&schema, &known);
        // What is changed is mostly what is there already.
        let is_first = |field: &Field| if is_edit { !field.is_required } else { field.typed().is_empty() };
        let at = fields.iter().position(is_first).unwrap_or(0);
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
        match self.action() {
            Err(why) => self.judge(Err(why)),
            // What was said last stays until the answer is there: a form that jumps at every letter cannot be read.
            Ok(action) if matches!(self.spec.access, Access::Change | Access::Destroy) => {
                app.want(Effect::Check(Box::new(action)));
            }
            Ok(_) => self.verdict = None,
        }
    }

    fn submit(&mut self, app: &mut App) {
        match self.action() {
            Ok(action) => app.ask(action, false),
            Err(why) => {
                self.judge(Err(why));
                self.at = self.verdict.as_ref().and_then(|verdict| verdict.at).unwrap_or(self.at);
            }
        }
    }

    /// Takes what is said of it, and finds the field that it is about; of several the one that is being typed.
    fn judge(&mut self, said: Result<String, String>) {
        let blamed = |why: &str| {
            let mut all = (0..self.fields.len()).filter(|at| self.fields[*at].is_blamed(why));
            if self.fields.get(self.at).is_some_and(|field| field.is_blamed(why)) { Some(self.at) } else { all.next() }
        };
        let at = said.as_ref().err().and_then(|why| blamed(why));
        self.verdict = Some(Verdict { said, at });
    }

    fn go(&mut self, by: isize) {
        let fields = self.fields.len().cast_signed().max(1);
        self.at = (self.at.cast_signed() + by).rem_euclid(fields).cast_unsigned();
    }

    /// What the word at the cursor could become.
    fn suggestion(&self, app: &App) -> Option<String> {
        let field = self.fields.get(self.at)?;
        if field.is_agent() {
            let mut names = app.agents.iter().filter(|agent| agent.is_here).map(|agent| agent.name.as_str()).chain(["shell"]);
            let is_wanted = |name: &&str| name.starts_with(field.typed()) && *name != field.typed();
            let offer = names.find(is_wanted).filter(|_| !field.typed().is_empty());
            return offer.map(|name| name[field.typed().len()..].to_owned());
        }
        let field = Some(field).filter(|field| field.is_id)?;
        let word = field.typed().rsplit([',', ' ']).next().filter(|word| !word.is_empty())?;
        let snapshot = app.snapshot.as_ref()?;
        let ids = snapshot.graph.nodes.iter().map(|node| node.id.as_str());
        ids.filter(|id| id.starts_with(word) && *id != word).min_by_key(|id| id.len()).map(|id| id[word.len()..].to_owned())
    }

    /// What a field is, and what it could say.
    fn about(app: &App, field: &Field) -> String {
        let here: Vec<&str> = app.agents.iter().filter(|agent| agent.is_here).map(|agent| agent.name.as_str()).collect();
        if field.is_agent() {
            format!("{}; here: {}", field.words, [here, vec!["shell"]].concat().join(", "))
        } else {
            field.words.clone()
        }
    }

    /// What to say where the agent of a field is not on this machine.
    fn missing_agent(&self, app: &App, at: usize) -> Option<String> {
        let field = self.fields.get(at).filter(|field| field.is_agent())?;
        let is_command = self.fields.iter().any(|field| field.name == "command" && !field.typed().is_empty());
        let name = match field.typed().split('/').next().filter(|name| !name.trim().is_empty()) {
            Some(name) => name.trim(),
            None if self.spec.name == "add" && !is_command => app.usual_agent(),
            None => return None,
        };
        let agent = app.agents.iter().find(|agent| agent.name == name && !agent.is_here)?;
        let how = agent.install.as_ref().map_or(String::new(), |install| format!(": {install}"));
        Some(format!("`{name}` is not installed here{how}"))
    }
}

/// A field's name as it is in sequence.yaml.
pub(super) fn snake(name: &str) -> String {
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
        let has_few = self.fields.get(self.at).is_some_and(Field::has_few);
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
        let inside = area.inner(Margin::new(1, 1));
        let fit = usize::from(inside.height.saturating_sub(sheet::FOOT));
        match mouse.kind {
            // A click beside it does not throw away what was typed.
            MouseEventKind::Down(_) if inside.contains(Position::new(mouse.column, mouse.row)) => {
                let (rows, row) = (sheet::rows(self, app, inside.width), usize::from(mouse.row - inside.y));
                let chosen = rows.get(sheet::first(self, &rows, fit) + row).filter(|_| row < fit);
                if let Some(sheet::Row::Field(at)) = chosen {
                    self.at = *at;
                }
            }
            MouseEventKind::ScrollDown => self.go(1),
            MouseEventKind::ScrollUp => self.go(-1),
            _ => {}
        }
        Flow::Stay
    }

    fn paste(&mut self, app: &mut App, text: &str) {
        let takes_text = |field: &&mut Field| !field.has_few();
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
                self.judge(Err(why.to_string()));
                Flow::Stay
            }
        }
    }

    fn checked(&mut self, verdict: &Result<String, String>) {
        self.judge(verdict.clone());
    }

    fn area(&self, app: &App) -> Rect {
        let screen = Rect::new(0, 0, app.size.width, app.size.height);
        let width = 78.min(screen.width.saturating_sub(2));
        // There is room for a remark before there is one.
        let rows = sheet::rows(self, app, width.saturating_sub(2)).len().max(self.fields.len() + 1);
        let rows = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(2 + sheet::FOOT);
        region::dialog(screen, width, rows.min(screen.height.saturating_sub(2)))
    }

    fn draw(&self, app: &App, frame: &mut Frame<'_>) {
        sheet::draw(self, app, frame, self.area(app));
    }

    fn hints(&self, _app: &App) -> Vec<(String, String)> {
        let keys = [("Tab", "next field"), ("Enter", "do it"), ("Esc", "give up"), ("→", "complete a name, turn a choice")];
        keys.map(|(key, words)| (key.into(), words.into())).into()
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
