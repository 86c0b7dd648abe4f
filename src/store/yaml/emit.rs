//! New YAML text: values, keys with their values, items, a whole sequence.

use std::{fmt::Write as _, path::Path};

use super::{
    decode::parse,
    quote,
    shape::{Datum, Record, sequence_fields},
    tree::Style,
};
use crate::{error::Error, model::Sequence};

/// Where new text goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// On lines: the column of the key or `-` it belongs to, the column of lines below, and whether text may become a
    /// literal block.
    Lines { parent: usize, column: usize, blocks: bool },
    /// In brackets or braces, as plain YAML or as JSON.
    Flow { is_json: bool },
}

/// New text: what follows the `:` or `-` on its line, and whole lines below it.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) head: String,
    pub(super) body: String,
}

impl Place {
    /// Below a key or `-` in column `parent`.
    pub(super) const fn under(parent: usize, blocks: bool) -> Self {
        Self::Lines { parent, column: parent + 2, blocks }
    }
}

/// Text as a scalar, in the style that stood there if it will do.
pub(super) fn scalar(text: &str, style: Option<Style>, place: Place) -> Written {
    let head = |head| Written { head, body: String::new() };
    let (parent, column, blocks) = match place {
        Place::Flow { is_json: true } => return head(quote::double(text)),
        Place::Flow { is_json: false } => {
            return head(match style {
                Some(Style::Double) => quote::double(text),
                Some(Style::Single) => quote::single(text).unwrap_or_else(|| quote::double(text)),
                _ if quote::is_plain(text, true) => text.into(),
                _ => quote::double(text),
            });
        }
        Place::Lines { parent, column, blocks } => (parent, column, blocks),
    };
    let wants_block = text.contains('\n') && style != Some(Style::Double) || style == Some(Style::Block);
    if wants_block
        && blocks
        && let Some((head, body)) = quote::literal(text, parent, column)
    {
        return Written { head, body };
    }
    head(match style {
        Some(Style::Double) => quote::double(text),
        Some(Style::Single) => quote::single(text).unwrap_or_else(|| quote::double(text)),
        _ if quote::is_plain(text, false) => text.into(),
        _ => quote::double(text),
    })
}

/// A value, in the style of the scalar that stood there if it will do.
pub(super) fn value(datum: &Datum<'_>, style: Option<Style>, place: Place) -> Written {
    let (parent, column, blocks) = match (datum, place) {
        (Datum::Text(text), _) => return scalar(text, style, place),
        (Datum::Bare(word), _) => return Written { head: word.clone(), body: String::new() },
        (Datum::Span(span), _) => return scalar(&span.to_string(), style, place),
        (_, Place::Flow { is_json }) => return Written { head: flow(datum, is_json), body: String::new() },
        (_, Place::Lines { parent, column, blocks }) => (parent, column, blocks),
    };
    let mut written = Written::default();
    match datum {
        Datum::List { texts, .. } if !is_short(texts, parent) => {
            for text in texts {
                written.body.push_str(&element(&scalar(text, None, Place::under(column, blocks)), column));
            }
        }
        Datum::Map { fields, .. } if !fields.is_empty() => {
            for (key, datum) in fields {
                written.body.push_str(&entry(key, datum, column, blocks));
            }
        }
        Datum::Records(records) if !records.is_empty() => {
            for (at, record) in records.iter().enumerate() {
                written.body.push_str(if at > 0 { "\n" } else { "" });
                written.body.push_str(&item(*record, column, blocks));
            }
        }
        _ => written.head = flow(datum, false),
    }
    written
}

/// Whether a list is read more easily in brackets.
fn is_short(texts: &[&str], column: usize) -> bool {
    const LINE: usize = 100;
    let width: usize = texts.iter().map(|text| text.chars().count() + 2).sum();
    column + width <= LINE && texts.iter().all(|text| !text.contains('\n'))
}

/// `- value` lines, the `-` in column `column`.
pub(super) fn element(written: &Written, column: usize) -> String {
    format!("{:column$}- {}\n{}", "", written.head, written.body)
}

/// `key: value` lines, the key in column `column`. `blocks`: whether text may become a literal block.
pub(super) fn entry(key: &str, datum: &Datum<'_>, column: usize, blocks: bool) -> String {
    let Written { head, body } = value(datum, None, Place::under(column, blocks));
    let gap = if head.is_empty() { "" } else { " " };
    format!("{:column$}{}:{gap}{head}\n{body}", "", name(key, false))
}

/// The lines of a step or gate, its `-` in column `column`. `blocks`: whether text may become a literal block.
pub(super) fn item(record: Record<'_>, column: usize, blocks: bool) -> String {
    let mut lines = String::new();
    for (key, datum) in record.fields() {
        if let Some(datum) = datum {
            lines.push_str(&entry(key, &datum, column + 2, blocks));
        }
    }
    // The id stands first.
    lines.replace_range(column..=column, "-");
    lines
}

/// A value in brackets, braces or as it is.
pub(super) fn flow(datum: &Datum<'_>, is_json: bool) -> String {
    let place = Place::Flow { is_json };
    let join = |parts: Vec<String>| parts.join(", ");
    match datum {
        Datum::Text(_) | Datum::Bare(_) | Datum::Span(_) => value(datum, None, place).head,
        Datum::List { texts, .. } => {
            format!("[{}]", join(texts.iter().map(|text| scalar(text, None, place).head).collect()))
        }
        Datum::Map { fields, .. } => {
            format!("{{{}}}", join(fields.iter().map(|(key, datum)| pair(key, datum, is_json)).collect()))
        }
        Datum::Records(records) => format!("[{}]", join(records.iter().map(|record| braces(*record, is_json)).collect())),
    }
}

/// `key: value` in braces.
pub(super) fn pair(key: &str, datum: &Datum<'_>, is_json: bool) -> String {
    format!("{}: {}", name(key, is_json), flow(datum, is_json))
}

/// A step or gate in braces.
pub(super) fn braces(record: Record<'_>, is_json: bool) -> String {
    let fields = record.fields().into_iter();
    let pairs: Vec<_> = fields.filter_map(|(key, datum)| Some(pair(key, &datum?, is_json))).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn name(key: &str, is_json: bool) -> String {
    if !is_json && quote::is_plain(key, true) { key.to_owned() } else { quote::double(key) }
}

/// The text of a new sequence.yaml.
///
/// # Errors
/// `Internal` when the plan cannot be written so that it reads back the same.
pub fn render(sequence: &Sequence) -> Result<String, Error> {
    let mut text = String::new();
    for (key, datum) in sequence_fields(sequence) {
        match datum {
            None => {}
            Some(Datum::Records(records)) if records.is_empty() && key == "gates" => {}
            Some(datum) => {
                let is_section = matches!(datum, Datum::Map { .. } | Datum::Records(_));
                let gap = if is_section { "\n" } else { "" };
                write!(text, "{gap}{}", entry(key, &datum, 0, true)).expect("writing to a String cannot fail");
            }
        }
    }
    check(&text, sequence, Path::new("sequence.yaml"))?;
    Ok(text)
}

/// Whether `text` says `sequence`.
pub(super) fn check(text: &str, sequence: &Sequence, path: &Path) -> Result<(), Error> {
    match parse(text.as_bytes(), path) {
        Ok(parsed) if parsed.sequence == *sequence => Ok(()),
        Ok(_) => Err(Error::internal(format!("{} would not say what it should; nothing was written", path.display()))),
        Err(error) => Err(Error::internal(format!("the next text would not be read ({error}); nothing was written"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CommandLine, Gate, Step};

    #[test]
    fn a_new_sequence() {
        let mut build = Step::new("build".parse().unwrap());
        build.command = Some(CommandLine::Shell("cargo build".into()));
        build.env = [("PORT".into(), "8080".into())].into();
        let mut test = Step::new("test".parse().unwrap());
        test.prompt = Some("Run the tests.\nMend what fails.\n".into());
        test.depends_on = vec!["build".parse().unwrap()];
        let mut gate = Gate::new("ship".parse().unwrap());
        gate.depends_on = vec!["test".parse().unwrap()];
        let mut plan = Sequence { name: Some("demo".into()), steps: vec![build, test], gates: vec![gate], ..Sequence::default() };
        plan.defaults.model = Some("claude-code".into());
        let expected = "\
version: \"1.0\"
name: demo

defaults:
  model: claude-code

steps:
  - id: build
    command: cargo build
    env:
      PORT: \"8080\"

  - id: test
    prompt: |
      Run the tests.
      Mend what fails.
    depends_on: [build]

gates:
  - id: ship
    depends_on: [test]
";
        assert_eq!(render(&plan).unwrap(), expected);
        assert_eq!(render(&Sequence::default()).unwrap(), "version: \"1.0\"\n\nsteps: []\n");
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let plan = Sequence { version: "7".into(), ..Sequence::default() };
        assert_eq!(render(&plan).unwrap_err().code().0, "INTERNAL_ERROR");
    }
}
