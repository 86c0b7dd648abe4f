//! Parameters of a template, and the values they are given.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Part, made::lead, parts};
use crate::{
    error::Error,
    model::{Id, Span, nearest},
};

/// What a template says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    /// What it is for.
    pub description: Option<String>,
    /// What can be given to it.
    pub parameters: Vec<Parameter>,
}

/// Something that can be given to a template.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    /// Its name, in `{{name}}` and in `--set name=value`.
    pub name: String,
    /// What it takes.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Its value where none is given; one without has to be given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number.
    Number,
    /// How many there are of something: a list of the numbers from 1.
    Count,
    /// A duration like `45m`, or nothing.
    Duration,
    /// `true` or `false`.
    Flag,
    /// Texts, parted by commas.
    List,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Text, Self::Number, Self::Count, Self::Duration, Self::Flag, Self::List];

    /// The word in a template.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Count => "count",
            Self::Duration => "duration",
            Self::Flag => "flag",
            Self::List => "list",
        }
    }

    /// The kind named by `word`.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// `text` as a value of this kind, or what was expected instead.
    pub fn read(self, text: &str) -> Result<Value, &'static str> {
        const MOST: u32 = 1000;
        let text = text.trim_end();
        let items = match self {
            Self::Text => Vec::new(),
            Self::Number => text.parse::<u32>().map(|_| Vec::new()).map_err(|_| "a whole number")?,
            Self::Count => {
                let count = text.parse().ok().filter(|count| (1..=MOST).contains(count));
                items((1..=count.ok_or("a number from 1 to 1000")?).map(|number| number.to_string()))
            }
            Self::Duration if text.is_empty() => Vec::new(),
            Self::Duration => text.parse::<Span>().map(|_| Vec::new()).map_err(|_| "a duration like `45m`")?,
            Self::Flag => matches!(text, "true" | "false").then(Vec::new).ok_or("`true` or `false`")?,
            Self::List => items(text.split(',').map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())),
        };
        Ok(Value { kind: self, text: text.to_owned(), items })
    }
}

/// What a parameter was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    kind: Kind,
    text: String,
    items: Vec<Item>,
}

/// One of several: as it was given, and as a part of an id that no other one has.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// As it was given.
    pub text: String,
    /// For ids.
    pub slug: String,
}

fn items(texts: impl Iterator<Item = String>) -> Vec<Item> {
    let mut found: Vec<Item> = Vec::new();
    for text in texts {
        let base = slug(&text);
        let mut slug = base.clone();
        for number in 2.. {
            if found.iter().all(|item| item.slug != slug) {
                break;
            }
            slug = format!("{base}-{number}");
        }
        found.push(Item { text, slug });
    }
    found
}

/// A text as a part of an id: small letters, digits and single hyphens.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

/// The names that stand for something, and what they stand for.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    values: BTreeMap<String, Value>,
}

impl Scope {
    /// What is `given` to a template, the rest as its parameters have it.
    ///
    /// # Errors
    /// `ParameterUnknown` with the nearest, `ParameterInvalid` for a value of another kind or one that is missing.
    pub fn bind(
        template: &str,
        parameters: &[Parameter],
        given: &[(String, String)],
        prefix: Option<&Id>,
    ) -> Result<Self, Error> {
        let names = || parameters.iter().map(|parameter| parameter.name.as_str());
        if let Some((name, _)) = given.iter().find(|(name, _)| names().all(|known| known != name)) {
            return Err(Error::ParameterUnknown {
                template: template.into(),
                parameter: name.clone(),
                nearest: nearest(name, names()),
            });
        }
        let mut scope = Self::default();
        for Parameter { name, kind, default, .. } in parameters {
            let invalid = |why: String| Error::ParameterInvalid { template: template.into(), parameter: name.clone(), why };
            let text = given.iter().rev().find(|(other, _)| other == name).map(|(_, text)| text).or(default.as_ref());
            let text = text.ok_or_else(|| invalid("it has no default and was not given".into()))?;
            let value = kind.read(text).map_err(|expected| invalid(format!("`{text}` is not {expected}")))?;
            scope.values.insert(name.clone(), value);
        }
        scope.put("prefix", prefix.map_or_else(String::new, lead));
        Ok(scope)
    }

    fn put(&mut self, name: &str, text: String) {
        self.values.insert(name.into(), Value { kind: Kind::Text, text, items: Vec::new() });
    }

    /// The same for one of several: `{{item}}`, with `{{previous}}` for the one before it.
    #[must_use]
    pub fn with_item(&self, item: &Item, previous: Option<&Item>) -> Self {
        let mut inner = self.clone();
        inner.values.insert("item".into(), Value { kind: Kind::Text, text: item.text.clone(), items: vec![item.clone()] });
        let items: Vec<Item> = previous.into_iter().cloned().collect();
        let text = previous.map_or(String::new(), |item| item.text.clone());
        inner.values.insert("previous".into(), Value { kind: Kind::Text, text, items });
        inner
    }

    /// What `name` stands for.
    ///
    /// # Errors
    /// The name nearest to it, where it stands for nothing.
    pub fn get(&self, name: &str) -> Result<&Value, Option<String>> {
        self.values.get(name).ok_or_else(|| nearest(name, self.values.keys().map(String::as_str)))
    }

    /// Whether `text` is about the one before the first, who is not there.
    pub fn lacks_previous(&self, text: &str) -> bool {
        parts(text).contains(&Part::Name("previous")) && self.get("previous").is_ok_and(|value| value.items.is_empty())
    }

    /// `text` with its placeholders filled in; `is_id` where an id is wanted.
    ///
    /// # Errors
    /// The name that stands for nothing.
    pub fn fill<'t>(&self, text: &'t str, is_id: bool) -> Result<String, &'t str> {
        let mut filled = String::new();
        for part in parts(text) {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Name(name) => filled.push_str(&self.get(name).map_err(|_| name)?.written(is_id)),
            }
        }
        Ok(filled)
    }

    /// `text` once for each of the list that it names, or once.
    ///
    /// # Errors
    /// The name that stands for nothing.
    pub fn fill_each<'t>(&self, text: &'t str, is_id: bool) -> Result<Vec<String>, &'t str> {
        let lists = parts(text).into_iter().filter_map(|part| match part {
            Part::Name(name) => self.get(name).ok().filter(|value| value.is_list()).map(|value| (name, value)),
            Part::Text(_) => None,
        });
        let Some((name, list)) = lists.into_iter().next() else { return Ok(vec![self.fill(text, is_id)?]) };
        let one = |item: &Item| {
            let mut inner = self.clone();
            let value = Value { kind: Kind::Text, text: item.text.clone(), items: vec![item.clone()] };
            inner.values.insert(name.into(), value);
            inner.fill(text, is_id)
        };
        list.items.iter().map(one).collect()
    }
}

impl Value {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it is several.
    pub const fn is_list(&self) -> bool {
        matches!(self.kind, Kind::List | Kind::Count)
    }

    /// Its elements; none where it is one.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Whether what is there only `when` it is so is there.
    pub fn is_true(&self) -> bool {
        match self.kind {
            Kind::Flag => self.text == "true",
            Kind::List => !self.items.is_empty(),
            Kind::Number => self.text != "0",
            Kind::Text | Kind::Count | Kind::Duration => !self.text.is_empty(),
        }
    }

    fn written(&self, is_id: bool) -> String {
        match (is_id, self.items.as_slice()) {
            (true, [item]) if !self.is_list() => item.slug.clone(),
            _ if self.kind == Kind::List => self.items.iter().map(|item| item.text.as_str()).collect::<Vec<_>>().join(", "),
            _ => self.text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(name: &str, kind: Kind, default: &str) -> Parameter {
        Parameter { name: name.into(), kind, default: Some(default.into()), about: None }
    }

    #[test]
    fn lists_fill_elements_and_ids_stay_ids() {
        let parameters =
            [parameter("agents", Kind::List, "codex, claude-code/opus, codex"), parameter("count", Kind::Count, "2")];
        let scope = Scope::bind("t", &parameters, &[], None).unwrap();
        assert_eq!(scope.fill_each("c-{{agents}}", true).unwrap(), ["c-codex", "c-claude-code-opus", "c-codex-2"]);
        assert_eq!(scope.fill_each("{{agents}}", false).unwrap(), ["codex", "claude-code/opus", "codex"]);
        assert_eq!(scope.fill("{{count}} of {{agents}}", false).unwrap(), "2 of codex, claude-code/opus, codex");
        assert_eq!(scope.fill_each("w{{count}}", true).unwrap(), ["w1", "w2"]);
        assert_eq!(scope.fill("{{nope}}", false), Err("nope"));
    }

    #[test]
    fn values_are_of_their_kind() {
        for (kind, good, bad) in [
            (Kind::Number, &["0", "12"][..], &["", "-1", "x"][..]),
            (Kind::Count, &["1", "1000"], &["0", "1001", ""]),
            (Kind::Duration, &["", "45m"], &["45"]),
            (Kind::Flag, &["true", "false"], &["yes", ""]),
            (Kind::List, &["", "a,b"], &[]),
        ] {
            assert!(good.iter().all(|text| kind.read(text).is_ok()), "{kind:?}");
            assert!(bad.iter().all(|text| kind.read(text).is_err()), "{kind:?}");
        }
    }
}
