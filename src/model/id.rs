//! Names of steps, gates and groups.

use std::{
    borrow::Borrow,
    fmt::{self, Display, Formatter},
    str::FromStr,
    sync::Arc,
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::error::Error;

/// Words that commands read as a mode, so they cannot name a step or a gate.
pub const MODE_WORDS: &[&str] = &["all", "runnable", "step", "group", "run", "fusion", "help"];

/// The name of a step, a gate or a group: `^[a-z0-9][a-z0-9-]{0,63}$` and not one of
/// [`MODE_WORDS`]. Steps and gates share one space of names.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Id(Arc<str>);

impl Id {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is wrong with `text` as a name, in words, or nothing.
    pub fn complaint(text: &str) -> Option<&'static str> {
        let head = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if text.is_empty() {
            Some("it is empty")
        } else if text.len() > 64 {
            Some("it is longer than 64 characters")
        } else if !text.starts_with(head) {
            Some("it must begin with a lower-case letter or a digit")
        } else if !text.chars().all(|c| head(c) || c == '-') {
            Some("only lower-case letters, digits and `-` are allowed")
        } else if MODE_WORDS.contains(&text) {
            Some("that word has a meaning of its own in commands")
        } else {
            None
        }
    }
}

impl FromStr for Id {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match Self::complaint(text) {
            None => Ok(Self(text.into())),
            Some(why) => Err(Error::IdInvalid { id: text.into(), why }),
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Id {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,63}$"})
    }

    fn inline_schema() -> bool {
        true
    }
}

impl Display for Id {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Id {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["a", "0", "build-2", "x".repeat(64).as_str()] {
            assert!(good.parse::<Id>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a_b", "a b", "all", "ä", "../x", "x".repeat(65).as_str()] {
            assert!(bad.parse::<Id>().is_err(), "{bad}");
        }
    }
}
