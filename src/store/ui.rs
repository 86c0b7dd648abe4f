//! The `ui:` section of config.yaml: how things are shown, and with which keys.

use std::{collections::BTreeMap, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_yaml::Value;

/// The names of colours, in the order of their numbers.
const COLORS: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

/// How things are shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Ui {
    /// Whether drawings keep to ASCII characters.
    pub is_ascii: bool,
    /// Whether anything moves by itself.
    pub is_animated: bool,
    /// Whether the mouse is used.
    pub has_mouse: bool,
    /// Whether the terminal rings when something starts to need a person.
    pub has_bell: bool,
    /// Whether the terminal's title says how far it is.
    pub has_title: bool,
    /// What is shown first; what fits the terminal where nothing is said.
    pub view: Option<FirstView>,
    /// The keys of actions that are others than ours, by the action; none at all takes its keys away.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Colours that are others than ours, by what they are for.
    pub theme: BTreeMap<String, Color>,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            is_ascii: false,
            is_animated: true,
            has_mouse: true,
            has_bell: true,
            has_title: true,
            view: None,
            keys: BTreeMap::new(),
            theme: BTreeMap::new(),
        }
    }
}

/// What is shown first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum FirstView {
    /// The steps as a list.
    List,
    /// The plan as a graph.
    Graph,
}

/// A colour of a terminal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Color {
    /// The terminal's own.
    Default,
    /// One of 256; the first sixteen are the user's own.
    Number(u8),
    /// Red, green and blue.
    Rgb(u8, u8, u8),
}

impl FromStr for Color {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "default" {
            return Ok(Self::Default);
        }
        let number = COLORS.iter().position(|name| *name == text).map_or_else(|| text.parse().ok(), |at| u8::try_from(at).ok());
        if let Some(number) = number {
            return Ok(Self::Number(number));
        }
        let hex = text.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).map(u32::to_be_bytes) {
            Some([_, red, green, blue]) => Ok(Self::Rgb(red, green, blue)),
            None => Err(format!("`{text}` is no colour: a name like `bright-blue`, a number up to 255, `#rrggbb` or `default`")),
        }
    }
}

impl<'de> Deserialize<'de> for Color {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        let text = match Written::deserialize(from)? {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text,
        };
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Color {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Color".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = COLORS.iter().chain(&["default"]);
        json_schema!({"anyOf": [
            {"enum": names.collect::<Vec<_>>()},
            {"type": "integer", "minimum": 0, "maximum": 255},
            {"type": "string", "pattern": "^(#[0-9a-fA-F]{6}|[0-9]{1,3})$"},
        ]})
    }
}

/// One key or several.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Keys {
    /// One key, like `x` or `ctrl-k`
    One(String),
    /// Several
    Many(Vec<String>),
}

/// The section as it is written.
#[derive(Default, Deserialize, JsonSchema)]
pub(super) struct UiSection {
    /// Whether drawings keep to ASCII characters
    #[serde(default)]
    ascii: bool,
    /// Whether anything moves by itself; it does where nothing is said
    #[serde(default)]
    animate: Option<bool>,
    /// Whether the mouse is used; it is where nothing is said
    #[serde(default)]
    mouse: Option<bool>,
    /// Whether the terminal rings, and shows a message where it can, when something starts to need a person; it does where nothing is said
    #[serde(default)]
    bell: Option<bool>,
    /// Whether the terminal's title, and its progress where it has one, say how far it is; they do where nothing is said
    #[serde(default)]
    title: Option<bool>,
    /// What is shown first; what fits the terminal where nothing is said
    #[serde(default)]
    view: Option<FirstView>,
    /// Keys by the action, instead of ours; an empty list takes its keys away
    #[serde(default)]
    keys: BTreeMap<String, Keys>,
    /// Colours by what they are for, instead of ours
    #[serde(default)]
    theme: BTreeMap<String, Color>,
    #[serde(flatten)]
    #[schemars(skip)]
    pub(super) others: BTreeMap<String, Value>,
}

impl UiSection {
    /// The keys of the section that mean something.
    pub(super) const KEYS: [&str; 8] = ["ascii", "animate", "mouse", "bell", "title", "view", "keys", "theme"];

    /// What it says.
    pub(super) fn into_ui(self) -> Result<Ui, String> {
        let keys = self.keys.into_iter().map(|(action, keys)| {
            let keys = match keys {
                Keys::One(key) => vec![key],
                Keys::Many(keys) => keys,
            };
            if keys.iter().any(String::is_empty) {
                return Err(format!("ui: keys: `{action}` has an empty key"));
            }
            Ok((action, keys))
        });
        Ok(Ui {
            is_ascii: self.ascii,
            is_animated: self.animate.unwrap_or(true),
            has_mouse: self.mouse.unwrap_or(true),
            has_bell: self.bell.unwrap_or(true),
            has_title: self.title.unwrap_or(true),
            view: self.view,
            keys: keys.collect::<Result<_, String>>()?,
            theme: self.theme,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours() {
        for (text, color) in [
            ("red", Color::Number(1)),
            ("bright-white", Color::Number(15)),
            ("214", Color::Number(214)),
            ("#ff8000", Color::Rgb(255, 128, 0)),
            ("default", Color::Default),
        ] {
            assert_eq!(text.parse(), Ok(color));
        }
        for bad in ["pink", "256", "#fff", "#gggggg", "", "-1", "#+fffff"] {
            assert!(bad.parse::<Color>().is_err(), "{bad}");
        }
    }
}
