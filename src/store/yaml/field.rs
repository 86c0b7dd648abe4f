//! Reading the value of one key as what it should be.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
};

use super::{
    source::Source,
    tree::{Entry, Node, Value},
};
use crate::{
    error::Error,
    model::{Id, Span},
};

/// What a key belongs to, for messages.
#[derive(Clone, Copy)]
pub(super) enum Owner<'n> {
    Sequence,
    Section(&'static str),
    Step(&'n str),
    Gate(&'n str),
}

impl Display for Owner<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sequence => Ok(()),
            Self::Section(name) => write!(f, " in `{name}`"),
            Self::Step(id) => write!(f, " in step `{id}`"),
            Self::Gate(id) => write!(f, " in gate `{id}`"),
        }
    }
}

/// A key with its value, ready to be read. What is `null` reads as nothing.
#[derive(Clone, Copy)]
pub(super) struct Field<'n, 't> {
    pub(super) source: &'n Source<'t>,
    pub(super) owner: Owner<'n>,
    pub(super) key: &'n str,
    pub(super) node: &'n Node<'t>,
}

impl<'n, 't> Field<'n, 't> {
    /// The value is not what it should be.
    pub(super) fn wrong(&self, node: &Node<'_>, expected: impl Into<String>) -> Error {
        let what = match &node.value {
            _ if node.is_null() => "empty".into(),
            Value::Scalar { text, .. } => format!("`{}`", shortened(text)),
            Value::List { .. } => "a list".into(),
            Value::Map { .. } => "a mapping".into(),
        };
        self.source.error(node.start, format!("`{}`{} is {what}", self.key, self.owner), Some(expected.into()))
    }

    fn scalar(&self, node: &'n Node<'t>, expected: &str) -> Result<&'n str, Error> {
        if node.is_null() {
            return Err(self.wrong(node, expected));
        }
        node.text().ok_or_else(|| self.wrong(node, expected))
    }

    fn some<T>(&self, read: impl FnOnce(&'n Node<'t>) -> Result<T, Error>) -> Result<Option<T>, Error> {
        if self.node.is_null() { Ok(None) } else { read(self.node).map(Some) }
    }

    /// Text; numbers and the like count as they are written.
    pub(super) fn text(&self) -> Result<Option<String>, Error> {
        self.some(|node| self.scalar(node, "text").map(str::to_owned))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Result<Option<bool>, Error> {
        self.some(|node| as_bool(node).ok_or_else(|| self.wrong(node, "`true` or `false`")))
    }

    /// A whole number.
    pub(super) fn count(&self) -> Result<Option<u32>, Error> {
        self.some(|node| {
            let number = node.plain().and_then(as_whole).and_then(|number| u32::try_from(number).ok());
            number.ok_or_else(|| self.wrong(node, "a whole number"))
        })
    }

    /// An amount of money.
    pub(super) fn money(&self) -> Result<Option<f64>, Error> {
        self.some(|node| {
            let amount = node.plain().filter(|text| is_decimal(text)).and_then(|text| text.parse::<f64>().ok());
            let amount = amount.filter(|amount| amount.is_finite() && *amount >= 0.0);
            amount.ok_or_else(|| self.wrong(node, "an amount in US dollars like `2.50`"))
        })
    }

    /// A duration with units.
    pub(super) fn span(&self) -> Result<Option<Span>, Error> {
        self.some(|node| {
            let span = node.text().and_then(|text| text.parse().ok());
            span.ok_or_else(|| match node.plain().and_then(as_whole) {
                Some(_) => self.wrong(node, format!("a unit, like `45m`; `{}_ms` takes a bare number", self.key)),
                None => self.wrong(node, "a duration like `45m`, `90s` or `1h30m`"),
            })
        })
    }

    /// A number of milliseconds.
    pub(super) fn milliseconds(&self) -> Result<Option<Span>, Error> {
        self.some(|node| {
            let number = node.plain().and_then(as_whole);
            let stem = self.key.trim_end_matches("_ms");
            number.map(Span::from_ms).ok_or_else(|| {
                self.wrong(node, format!("a whole number of milliseconds; durations like `45m` go under `{stem}`"))
            })
        })
    }

    /// One of some words.
    pub(super) fn word<T>(&self, parse: fn(&str) -> Option<T>, words: &[&str]) -> Result<Option<T>, Error> {
        self.some(|node| {
            let found = node.text().and_then(parse);
            found.ok_or_else(|| self.wrong(node, format!("one of {}", words.join(", "))))
        })
    }

    /// An id.
    pub(super) fn id(&self) -> Result<Option<Id>, Error> {
        self.some(|node| self.as_id(node))
    }

    /// `node` as an id.
    pub(super) fn as_id(&self, node: &'n Node<'t>) -> Result<Id, Error> {
        const LIKE: &str = "an id like `build-api-2`";
        let text = self.scalar(node, LIKE)?;
        text.parse().map_err(|_| {
            let why = Id::complaint(text).unwrap_or("it is not one");
            let why = format!("`{}`{}: `{}` cannot be an id, {why}", self.key, self.owner, shortened(text));
            self.source.error(node.start, why, Some(LIKE.into()))
        })
    }

    /// A list of ids, or one.
    pub(super) fn ids(&self) -> Result<Vec<Id>, Error> {
        self.elements("a list of ids")?.into_iter().map(|node| self.as_id(node)).collect()
    }

    /// A list of texts, or one.
    pub(super) fn texts(&self) -> Result<Vec<String>, Error> {
        let elements = self.elements("a list of texts")?.into_iter();
        elements.map(|node| self.scalar(node, "text in every element").map(str::to_owned)).collect()
    }

    fn elements(&self, expected: &str) -> Result<Vec<&'n Node<'t>>, Error> {
        match &self.node.value {
            _ if self.node.is_null() => Ok(Vec::new()),
            Value::Scalar { .. } => Ok(vec![self.node]),
            Value::List { items, .. } => Ok(items.iter().map(|item| &item.node).collect()),
            Value::Map { .. } => Err(self.wrong(self.node, expected)),
        }
    }

    /// A mapping from names to texts. `missing` hears of names without a value.
    pub(super) fn pairs(&self, mut missing: impl FnMut(&Entry<'t>)) -> Result<BTreeMap<String, String>, Error> {
        let mut pairs = BTreeMap::new();
        if !matches!(self.node.value, Value::Map { .. }) && !self.node.is_null() {
            return Err(self.wrong(self.node, "`NAME: value` lines"));
        }
        for entry in self.node.entries() {
            let name = self.key_text(entry)?;
            if entry.value.is_null() {
                missing(entry);
            } else {
                let inner = Field { key: name, node: &entry.value, ..*self };
                pairs.insert(name.to_owned(), inner.scalar(&entry.value, "text")?.to_owned());
            }
        }
        Ok(pairs)
    }

    fn key_text(&self, entry: &'n Entry<'t>) -> Result<&'n str, Error> {
        key_text(self.source, entry)
    }
}

/// The text of a key.
pub(super) fn key_text<'n>(source: &Source<'_>, entry: &'n Entry<'_>) -> Result<&'n str, Error> {
    let expected = || Some("a name before the `:`".into());
    entry.key.text().ok_or_else(|| source.error(entry.start, "a list or a mapping cannot be a key here", expected()))
}

/// A truth value of YAML 1.2.
pub(super) fn as_bool(node: &Node<'_>) -> Option<bool> {
    match node.plain()? {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// A whole number of YAML 1.2 that is not negative.
pub(super) fn as_whole(text: &str) -> Option<u64> {
    let digits = |text: &str, base: u32| {
        let is_number = !text.is_empty() && text.chars().all(|c| c.is_digit(base));
        is_number.then(|| u64::from_str_radix(text, base).ok()).flatten()
    };
    match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
        (Some(hex), _) => digits(hex, 16),
        (_, Some(octal)) => digits(octal, 8),
        _ => digits(text.strip_prefix('+').unwrap_or(text), 10),
    }
}

/// Whether a decimal number is written as YAML 1.2 has it.
pub(super) fn is_decimal(text: &str) -> bool {
    let mut digits = text.bytes().peekable();
    digits.next_if(|byte| matches!(byte, b'+' | b'-'));
    digits.all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    let line = text.lines().next().unwrap_or_default();
    let cut = line.chars().count() > SHOWN || line.len() < text.trim_end().len();
    line.chars().take(SHOWN).chain(cut.then_some('…')).collect()
}
