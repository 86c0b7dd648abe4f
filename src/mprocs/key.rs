//! A key, as mprocs writes it. It aborts at anything that it cannot read, so only what is known to be one gets there.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The keys that have a name.
const NAMED: &[&str] = &[
    "BS", "Enter", "Left", "Right", "Up", "Down", "Home", "End", "PageUp", "PageDown", "Tab", "Del", "Insert", "Esc", "Space",
    "LT", "GT", "Minus",
];

/// A key with its modifiers: `<a>`, `<C-c>`, `<Enter>`, `<F5>`.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Key(String);

impl Key {
    /// The key of a character that stands for itself.
    pub fn letter(letter: char) -> Self {
        Self(format!("<{letter}>"))
    }
}

impl FromStr for Key {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text);
        let (mut modifiers, mut rest) = (String::new(), inner);
        while let Some((modifier, more)) = rest.split_once('-').filter(|(_, more)| !more.is_empty()) {
            match modifier.to_ascii_uppercase().as_str() {
                letter @ ("C" | "S" | "M") if !modifiers.contains(letter) => modifiers.push_str(&format!("{letter}-")),
                _ => return Err(unknown(text)),
            }
            rest = more;
        }
        let code = code(rest).ok_or_else(|| unknown(text))?;
        Ok(Self(format!("<{modifiers}{code}>")))
    }
}

fn code(text: &str) -> Option<String> {
    if let Some(named) = NAMED.iter().find(|name| name.eq_ignore_ascii_case(text)) {
        return Some((*named).into());
    }
    let function =
        text.strip_prefix(['f', 'F']).filter(|digits| !digits.starts_with(['0', '+'])).and_then(|digits| digits.parse().ok());
    if let Some(number @ 1..=24_u8) = function {
        return Some(format!("F{number}"));
    }
    match text.as_bytes() {
        b" " => Some("Space".into()),
        b"<" => Some("LT".into()),
        b">" => Some("GT".into()),
        b"-" => Some("Minus".into()),
        [letter] if letter.is_ascii_graphic() => Some(text.into()),
        _ => None,
    }
}

fn unknown(text: &str) -> Error {
    Error::FieldInvalid { field: "key", why: format!("`{text}` is no key; keys look like `a`, `Enter`, `F5` or `C-c`") }
}

impl TryFrom<String> for Key {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_one_way() {
        for (text, key) in [
            ("a", "<a>"),
            ("<a>", "<a>"),
            ("A", "<A>"),
            ("c-c", "<C-c>"),
            ("<C-M-x>", "<C-M-x>"),
            ("enter", "<Enter>"),
            ("f12", "<F12>"),
            ("f", "<f>"),
            (" ", "<Space>"),
            ("<", "<LT>"),
            (">", "<GT>"),
            ("-", "<Minus>"),
            ("C--", "<C-Minus>"),
            ("?", "<?>"),
        ] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), key, "{text}");
        }
    }

    #[test]
    fn nothing_else_gets_through() {
        for text in ["", "<>", "ab", "ä", "C-", "X-a", "C-C-a", "F0", "F25", "F+1", "<a>x", "\u{1b}", "a\n", "<C-a", "up down"] {
            assert!(text.parse::<Key>().is_err(), "{text:?}");
        }
    }
}
