//! The text as a tree of nodes that know where they stand.

use std::borrow::Cow;

/// A value and the bytes it takes, without its anchor and tag.
#[derive(Debug, PartialEq)]
pub(super) struct Node<'t> {
    pub(super) start: usize,
    /// Behind its last byte; for a block list or mapping, behind that of its last value.
    pub(super) end: usize,
    /// Whether a tag makes text of what looks like something else.
    pub(super) is_text: bool,
    pub(super) value: Value<'t>,
}

/// What a node is.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'t> {
    Scalar { text: Cow<'t, str>, style: Style },
    List { items: Vec<Item<'t>>, is_flow: bool },
    Map { entries: Vec<Entry<'t>>, form: Form },
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    /// `|` or `>`.
    Block,
}

/// How a mapping is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Block,
    /// In braces.
    Flow,
    /// `key: value` as an element of a list in brackets.
    Pair,
}

/// An element of a list.
#[derive(Debug, PartialEq)]
pub(super) struct Item<'t> {
    /// Where its `-` stands; where it begins in a list in brackets.
    pub(super) start: usize,
    pub(super) node: Node<'t>,
}

/// A key with its value.
#[derive(Debug, PartialEq)]
pub(super) struct Entry<'t> {
    /// Where the key begins, with its `?`, anchor and tag.
    pub(super) start: usize,
    pub(super) key: Node<'t>,
    pub(super) colon: Option<usize>,
    pub(super) value: Node<'t>,
}

impl Entry<'_> {
    /// The key as text; empty for a key that is a list or a mapping.
    pub(super) fn name(&self) -> &str {
        self.key.text().unwrap_or_default()
    }

    /// Behind its last byte.
    pub(super) fn end(&self) -> usize {
        self.value.end.max(self.key.end)
    }
}

impl<'t> Node<'t> {
    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::List { .. } | Value::Map { .. } => None,
        }
    }

    /// Whether it stands for nothing: left out, `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        !self.is_text && self.plain().is_some_and(|text| matches!(text, "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The text of a scalar without quotes.
    pub(super) fn plain(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, style: Style::Plain } if !self.is_text => Some(text),
            _ => None,
        }
    }

    /// How it is written, if it is a scalar that is more than nothing.
    pub(super) fn style(&self) -> Option<Style> {
        match &self.value {
            Value::Scalar { style, .. } if self.start < self.end => Some(*style),
            _ => None,
        }
    }

    /// The entries of a mapping; none for anything else.
    pub(super) fn entries(&self) -> &[Entry<'t>] {
        match &self.value {
            Value::Map { entries, .. } => entries,
            Value::List { .. } | Value::Scalar { .. } => &[],
        }
    }

    /// The elements of a list; none for anything else.
    pub(super) fn items(&self) -> &[Item<'t>] {
        match &self.value {
            Value::List { items, .. } => items,
            Value::Map { .. } | Value::Scalar { .. } => &[],
        }
    }

    /// Takes the elements of the list under a key out of the tree.
    pub(super) fn take_items(&mut self, key: &str) -> Vec<Item<'t>> {
        let Value::Map { entries, .. } = &mut self.value else { return Vec::new() };
        match entries.iter_mut().find(|entry| entry.name() == key).map(|entry| &mut entry.value.value) {
            Some(Value::List { items, .. }) => std::mem::take(items),
            _ => Vec::new(),
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.name() == key).map(|entry| &entry.value)
    }

    /// Whether it is a list or mapping written on lines rather than in brackets.
    pub(super) fn is_block(&self) -> bool {
        matches!(self.value, Value::List { is_flow: false, .. } | Value::Map { form: Form::Block, .. })
    }

    /// What stands last in it.
    pub(super) fn last(&self) -> &Self {
        let mut node = self;
        loop {
            let inner = match &node.value {
                Value::List { items, .. } => items.last().map(|item| &item.node),
                Value::Map { entries, .. } => entries.last().map(|entry| &entry.value),
                Value::Scalar { .. } => None,
            };
            match inner {
                Some(inner) if node.is_block() => node = inner,
                _ => return node,
            }
        }
    }
}
