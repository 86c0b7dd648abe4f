//! A field of a form: what the schema says of it, and what was typed.

use serde_json::{Map, Value};
use tui_textarea::{CursorMove, TextArea};

/// What a field takes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// One of these.
    One(Vec<String>),
    /// Steps and gates, or other names, with commas or blanks between.
    Ids,
    /// Texts, quoted like in a shell where they have blanks.
    Texts,
}

/// A field of a form.
pub(super) struct Field {
    /// Its name in JSON.
    pub(super) name: String,
    /// In a sentence.
    pub(super) words: String,
    pub(super) kind: Kind,
    pub(super) is_required: bool,
    /// Whether it names steps or gates.
    pub(super) is_id: bool,
    pub(super) text: TextArea<'static>,
    /// What stood there first.
    before: String,
}

/// What is mostly said of a step comes first.
const USUAL: &[&str] = &["command", "prompt", "model", "dependsOn"];

/// Fields that say how a command line waits and prints.
const OF_THE_COMMAND_LINE: &[&str] = &["made", "dryRun", "watch", "detach", "wait", "expect", "ifUnchanged"];

impl Field {
    /// The fields of an action, the required ones first, then of a step what is usual.
    pub(super) fn all(schema: &Value, known: &Map<String, Value>) -> Vec<Self> {
        let properties = schema.get("properties").and_then(Value::as_object);
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let fields = properties.into_iter().flatten().filter(|(name, _)| !OF_THE_COMMAND_LINE.contains(&name.as_str()));
        let mut fields: Vec<Self> = fields
            .map(|(name, property)| {
                let (kind, is_id) = kind(property, schema);
                let before = known.get(name).map(written).unwrap_or_default();
                let mut text = TextArea::new(vec![before.clone()]);
                text.set_cursor_line_style(ratatui::style::Style::new());
                text.move_cursor(CursorMove::End);
                let words = property.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
                Self { name: name.clone(), words, kind, is_required: required.contains(&name.as_str()), is_id, text, before }
            })
            .collect();
        let is_of_step = fields.iter().any(|field| field.name == "promptFile");
        let usual = |field: &Self| {
            USUAL
                .iter()
                .take(if is_of_step { USUAL.len() } else { 0 })
                .position(|name| *name == field.name)
                .unwrap_or(USUAL.len())
        };
        fields.sort_by_key(|field| (!field.is_required, usual(field)));
        fields
    }

    /// What was typed.
    pub(super) fn typed(&self) -> &str {
        self.text.lines().first().map_or("", String::as_str)
    }

    /// Whether it is another value than at first.
    pub(super) fn is_changed(&self) -> bool {
        self.typed() != self.before
    }

    /// Whether a value was there and was taken away.
    pub(super) fn is_cleared(&self) -> bool {
        !self.before.is_empty() && self.typed().trim().is_empty()
    }

    /// Whether it takes one of few values.
    pub(super) const fn has_few(&self) -> bool {
        matches!(self.kind, Kind::Flag | Kind::One(_))
    }

    /// Whether it names who does the work.
    pub(super) fn is_agent(&self) -> bool {
        self.name == "agent" || self.name == "model"
    }

    /// Whether a message is about it: by its name, or by a value that stands in it.
    pub(super) fn is_blamed(&self, why: &str) -> bool {
        let snake = super::form::snake(&self.name);
        let is_named = [self.name.as_str(), &snake, &snake.replace('_', "-")]
            .iter()
            .any(|name| why.contains(&format!("`{name}`")) || why.starts_with(&format!("{name}:")));
        let mut values = self.typed().split([',', ' ']).chain([self.typed()]).filter(|value| !value.is_empty());
        is_named || values.any(|value| why.contains(&format!("`{value}`")))
    }

    /// Writes another text into it.
    pub(super) fn set(&mut self, text: &str) {
        self.text.select_all();
        self.text.cut();
        self.text.insert_str(text);
    }

    /// Goes to the next value where there are few.
    pub(super) fn turn(&mut self, by: isize) {
        let values: Vec<String> = match &self.kind {
            Kind::Flag => vec![String::new(), "yes".into()],
            Kind::One(values) => std::iter::once(String::new()).chain(values.iter().cloned()).collect(),
            _ => return,
        };
        let at = values.iter().position(|value| *value == self.typed()).unwrap_or(0);
        let next = at.cast_signed().saturating_add(by).rem_euclid(values.len().cast_signed());
        let next = values[next.cast_unsigned()].clone();
        self.set(&next);
    }

    /// Its value in JSON; nothing where it is empty.
    pub(super) fn value(&self) -> Result<Option<Value>, String> {
        let text = self.typed();
        if text.trim().is_empty() {
            return Ok(None);
        }
        let wrong = |what: &str| format!("`{}` is {what}, not `{text}`", self.name);
        Ok(Some(match &self.kind {
            Kind::Text | Kind::One(_) => text.into(),
            Kind::Integer => text.trim().parse::<u64>().map_err(|_| wrong("a whole number"))?.into(),
            Kind::Number => text.trim().parse::<f64>().map_err(|_| wrong("a number"))?.into(),
            Kind::Flag => matches!(text.trim(), "yes" | "y" | "true").into(),
            Kind::Ids => text.split([',', ' ']).filter(|id| !id.is_empty()).collect(),
            Kind::Texts => shell_words::split(text).map_err(|_| wrong("a list of texts, with quotes in pairs"))?.into(),
        }))
    }
}

/// A value as a person would type it.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(is_set) => if *is_set { "yes" } else { "" }.into(),
        Value::Null => String::new(),
        Value::Array(items) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            if items.iter().any(|item| item.contains([' ', ',', '"', '\''])) { shell_words::join(items) } else { items.join(" ") }
        }
        other => other.to_string(),
    }
}

/// What a property takes, and whether it names steps or gates.
fn kind(property: &Value, root: &Value) -> (Kind, bool) {
    let is_id = |schema: &Value| {
        schema.get("pattern").and_then(Value::as_str).is_some_and(|pattern| pattern.starts_with("^[a-z0-9][a-z0-9-]"))
    };
    if let Some(other) = property.get("$ref").and_then(Value::as_str) {
        let definition = other.strip_prefix('#').and_then(|path| root.pointer(path));
        return definition.map_or((Kind::Text, false), |definition| kind(definition, root));
    }
    for list in ["anyOf", "oneOf"] {
        let Some(options) = property.get(list).and_then(Value::as_array) else { continue };
        let values: Vec<String> = options.iter().filter_map(|option| option.get("const")?.as_str().map(str::to_owned)).collect();
        if !values.is_empty() {
            return (Kind::One(values), false);
        }
        let first = options.iter().find(|option| option.get("type").and_then(Value::as_str) != Some("null"));
        return first.map_or((Kind::Text, false), |option| kind(option, root));
    }
    if let Some(values) = property.get("enum").and_then(Value::as_array) {
        return (Kind::One(values.iter().filter_map(Value::as_str).map(str::to_owned).collect()), false);
    }
    let types = property.get("type");
    let is = |name: &str| {
        types.is_some_and(|types| types == name || types.as_array().is_some_and(|all| all.iter().any(|one| one == name)))
    };
    let items_are_ids = property.get("items").is_some_and(is_id);
    match () {
        () if is("array") && items_are_ids => (Kind::Ids, true),
        () if is("array") => (Kind::Texts, false),
        () if is("boolean") => (Kind::Flag, false),
        () if is("integer") => (Kind::Integer, false),
        () if is("number") => (Kind::Number, false),
        () => (Kind::Text, is_id(property)),
    }
}
