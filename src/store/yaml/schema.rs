//! The JSON Schema of sequence.yaml, made from its keys: what `seqctl validate --strict` lets through.

use serde_json::{Map, Value, json};

use super::keys::{self, Key, Keys, Takes};
use crate::model::MODE_WORDS;

/// The JSON Schema of sequence.yaml, for editors and programs.
pub fn schema() -> Value {
    let mut schema = mapping(&keys::SEQUENCE, &["version"]);
    schema.shift_insert(0, "$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.shift_insert(1, "title".into(), "sequence.yaml".into());
    schema.shift_insert(2, "description".into(), "A sequence of steps and gates for seqctl".into());
    schema.into()
}

fn mapping(keys: &Keys, required: &[&str]) -> Map<String, Value> {
    let mut properties = Map::new();
    for key in keys.list {
        properties.insert(key.name.into(), described(key, value(&key.takes)));
        for (other, _) in keys.others.iter().filter(|(_, name)| *name == key.name) {
            properties.insert((*other).into(), described(key, other_value(other, &key.takes)));
        }
    }
    let twice = keys.others.iter().map(|(other, name)| json!({"required": [other, name]}));
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("properties".into(), properties.into());
    schema.insert("patternProperties".into(), json!({"^x-": true}));
    schema.insert("additionalProperties".into(), false.into());
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    if !keys.others.is_empty() {
        // A key beside another name of itself is an error.
        schema.insert("not".into(), json!({"anyOf": twice.collect::<Vec<_>>()}));
    }
    schema
}

fn described(key: &Key, mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.insert("description".into(), key.about.into());
    }
    value
}

/// What stands behind another name of a key.
fn other_value(name: &str, takes: &Takes) -> Value {
    match takes {
        Takes::Span if name.ends_with("_ms") => json!({"type": ["integer", "null"], "minimum": 0}),
        takes => value(takes),
    }
}

fn value(takes: &Takes) -> Value {
    const TEXT: [&str; 3] = ["string", "number", "boolean"];
    let or_nothing = |schema: Value| json!({"anyOf": [schema, {"type": "null"}]});
    let list_or_one = |one: Value| or_nothing(json!({"anyOf": [one, {"type": "array", "items": one}]}));
    match takes {
        Takes::Version => json!({"enum": ["1.0", "1", 1]}),
        Takes::Text => json!({"type": ["string", "number", "boolean", "null"]}),
        Takes::Count => json!({"type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX}),
        Takes::Money => json!({"type": ["number", "null"], "minimum": 0}),
        Takes::Flag => json!({"type": ["boolean", "null"]}),
        Takes::Span => json!({"type": ["string", "null"], "pattern": r"^\s*([0-9]+(d|h|m|s|ms))+\s*$", "examples": ["45m"]}),
        Takes::Word(words) => {
            let words = words.iter().map(|word| Value::from(*word));
            json!({"enum": words.chain([Value::Null]).collect::<Vec<_>>()})
        }
        Takes::Name => id(),
        Takes::Id => or_nothing(id()),
        Takes::Ids => list_or_one(id()),
        Takes::Texts => list_or_one(json!({"type": TEXT})),
        Takes::Pairs => {
            json!({"type": ["object", "null"], "additionalProperties": {"type": TEXT}})
        }
        Takes::FlagOrId => json!({"anyOf": [{"type": ["boolean", "null"]}, id()]}),
        Takes::FlagOrIds => json!({"anyOf": [{"type": "boolean"}, list_or_one(id())]}),
        Takes::Section(keys) => or_nothing(mapping(keys, &[]).into()),
        Takes::Records(keys) => {
            json!({"type": ["array", "null"], "items": mapping(keys, &["id"])})
        }
    }
}

/// An id; YAML takes `7` and `true` for something else than text, and they are ids all the same.
fn id() -> Value {
    json!({
        "type": ["string", "integer", "boolean"],
        "pattern": "^[a-z0-9][a-z0-9-]{0,63}$",
        "minimum": 0,
        "not": {"enum": MODE_WORDS},
    })
}
