//! YAML that is only read, as a typed value: policy.yaml, config.yaml, lists of actions.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::{build::build, source::Source, tree::Node};
use crate::{error::Error, model};

/// The value in the bytes of a YAML file; `None` for a file that says nothing. `path` is for messages, `expected` says what
/// the file holds.
///
/// The structure is checked before anything is made of it, so no text costs more than its size: aliases, merge keys, keys
/// that stand twice and deep nesting are errors as in sequence.yaml.
///
/// # Errors
/// `Yaml` with the place of what is wrong, `FileUnusable` for a file that is too large.
pub fn typed<T: DeserializeOwned>(bytes: &[u8], path: &Path, expected: &str) -> Result<Option<T>, Error> {
    let source = Source::read(bytes, path)?;
    let Some(root) = build(&source)?.filter(|root| !root.is_null()) else { return Ok(None) };
    serde_yaml::from_str(source.text).map(Some).map_err(|error| complain(&source, &root, &error, expected))
}

/// Where what `path` names stands: a key, or an element of the list under it as `key[1]`.
fn find(root: &Node<'_>, path: &str) -> Option<usize> {
    let (key, index) = path.strip_suffix(']').and_then(|path| path.split_once('[')).unwrap_or((path, ""));
    let node = root.get(key)?;
    let item = index.parse().ok().and_then(|index: usize| node.items().get(index));
    Some(item.map_or(node.start, |item| item.node.start))
}

fn complain(source: &Source<'_>, root: &Node<'_>, error: &serde_yaml::Error, expected: &str) -> Error {
    let text = error.to_string();
    // The decoder has no place for complaints that are not its own, but they may name their key.
    let named = text.split_once(": ").and_then(|(path, _)| find(root, path));
    let at = named.or_else(|| error.location().map(|place| source.place(place.line(), place.column()))).unwrap_or(0);
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    // What the decoder says: `where: what, expected this`.
    let (why, wanted) = text.split_once(", expected ").map_or((text, None), |(why, wanted)| (why, Some(wanted)));
    if let Some((section, key)) = why.split_once("unknown field ") {
        let known = || wanted.unwrap_or_default().split('`').skip(1).step_by(2);
        let nearest = model::nearest(key.trim_matches('`'), known());
        let wanted = nearest.map(|near| format!("`{near}`")).or_else(|| wanted.map(str::to_owned));
        return source.error(at, format!("{section}unknown key {key}"), wanted);
    }
    let wanted = wanted.map(|wanted| PLAIN.iter().find(|(theirs, _)| *theirs == wanted).map_or(wanted, |(_, ours)| ours));
    let wanted = match wanted {
        None => expected,
        // A name of ours that nobody has to know.
        Some(wanted) if wanted.starts_with("struct ") => expected,
        Some(wanted) => wanted,
    };
    let why = FOUND.iter().fold(why.to_owned(), |why, (theirs, ours)| why.replace(theirs, ours));
    source.error(at, why, Some(wanted.into()))
}

/// What the decoder says it found.
const FOUND: &[(&str, &str)] = &[
    ("invalid type: ", "this is "),
    ("invalid value: ", "this is "),
    ("this is sequence", "this is a list"),
    ("this is map", "this is a mapping"),
    ("this is string ", "this is "),
    ("this is integer ", "this is "),
    ("this is floating point ", "this is "),
    ("this is boolean ", "this is "),
    ("this is unit value", "this is empty"),
];

/// What the decoder calls things, and what people do.
const PLAIN: &[(&str, &str)] = &[
    ("a sequence", "a list"),
    ("a string", "text"),
    ("a boolean", "`true` or `false`"),
    ("a map", "`key: value` lines"),
    ("u32", "a whole number"),
    ("u64", "a whole number"),
    ("usize", "a whole number"),
    ("f64", "a number"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        #[serde(default)]
        retries: u32,
        #[serde(default)]
        names: BTreeMap<String, Vec<String>>,
    }

    fn read(text: &str) -> Result<Option<Settings>, Error> {
        typed(text.as_bytes(), Path::new("s.yaml"), "`key: value` lines")
    }

    fn complaint(text: &str) -> String {
        let error = read(text).unwrap_err();
        format!("{error}; {}", error.hint().unwrap_or_default())
    }

    #[test]
    fn what_is_there_is_read() {
        let settings = read("\u{feff}retries: 2\r\nnames:\r\n  a: [b]\r\n").unwrap().unwrap();
        assert_eq!((settings.retries, settings.names["a"].as_slice()), (2, &["b".to_owned()][..]));
        assert!(read("").unwrap().is_none());
        assert!(read("# nothing\n---\n").unwrap().is_none());
    }

    #[test]
    fn mistakes_have_a_place_and_say_what_was_expected() {
        assert_eq!(complaint("a: 1\nretrys: 2\n"), "s.yaml:1:1: unknown key `a`; expected `retries` or `names`");
        assert_eq!(complaint("retrys: 2\n"), "s.yaml:1:1: unknown key `retrys`; expected `retries`");
        assert_eq!(complaint("names: {}\nretries: many\n"), "s.yaml:2:10: retries: this is \"many\"; expected a whole number");
        assert_eq!(complaint("names: {a: 1}\n"), "s.yaml:1:12: names.a: this is `1`; expected a list");
        assert_eq!(complaint("- a\n"), "s.yaml:1:1: this is a list; expected `key: value` lines");
        assert_eq!(
            complaint("retries: 1\nretries: 2\n"),
            "s.yaml:2:1: the key `retries` stands here and on line 1 already; expected every key once"
        );
    }

    #[test]
    fn no_text_costs_more_than_its_size() {
        let bomb: String = (1..40).map(|at| format!("a{at}: &a{at} [*a{}, *a{}]\n", at - 1, at - 1)).collect();
        assert!(complaint(&format!("a0: &a0 x\n{bomb}")).contains("aliases"));
        assert!(complaint(&format!("x: {}", "[".repeat(100_000))).contains("levels deep"));
        assert!(complaint(&"- ".repeat(100_000)).contains("levels deep"));
    }
}
