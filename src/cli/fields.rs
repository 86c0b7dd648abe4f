//! `--fields a,b.c`: a part of a document.

use serde_json::{Map, Value};

use crate::{error::Error, model};

/// The fields that are wanted, as paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<Vec<String>>);

impl Fields {
    /// The fields named on the command line. They have to be in `schema`, so that a slip is found before anything is done.
    pub(super) fn of(names: &[String], action: &str, schema: &Value) -> Result<Self, Error> {
        let paths: Vec<Vec<String>> = names.iter().map(|name| name.split('.').map(str::to_owned).collect()).collect();
        for path in &paths {
            let mut known = alternatives(schema, schema);
            for name in path {
                let names: Vec<String> = known.iter().flat_map(|schema| property_names(schema)).collect();
                known = known
                    .into_iter()
                    .filter_map(|inner| property(inner, name))
                    .flat_map(|inner| alternatives(schema, inner))
                    .collect();
                if known.is_empty() {
                    let near = || model::nearest(name, names.iter().map(String::as_str));
                    let meant = inside(schema, path).or_else(near).map(|name| format!("did you mean `{name}`?"));
                    let hint = meant.unwrap_or_else(|| format!("`seqctl schema output {action}` shows what it has"));
                    let what = format!("the answer of `{action}` has no `{}`", path.join("."));
                    return Err(Error::Usage { what, hint: Some(hint) });
                }
            }
        }
        Ok(Self(paths))
    }

    /// Whether all of a document is wanted.
    pub(super) const fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// The part of a document that is wanted, and whether it went well.
    pub(super) fn pick(&self, document: &Value) -> Value {
        if self.is_all() {
            return document.clone();
        }
        let mut paths: Vec<&[String]> = self.0.iter().map(Vec::as_slice).collect();
        let success = ["success".to_owned()];
        paths.push(&success);
        part(document, &paths)
    }
}

/// What of `value` the paths lead to; of a list, that of every element.
fn part(value: &Value, paths: &[&[String]]) -> Value {
    if paths.iter().any(|path| path.is_empty()) {
        return value.clone();
    }
    match value {
        Value::Array(items) => items.iter().map(|item| part(item, paths)).collect(),
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, inner) in fields {
                let below: Vec<&[String]> = paths.iter().filter(|path| path[0] == *name).map(|path| &path[1..]).collect();
                if !below.is_empty() {
                    kept.insert(name.clone(), part(inner, &below));
                }
            }
            kept.into()
        }
        other => other.clone(),
    }
}

/// The schemas that a schema stands for: references followed, alternatives taken apart, lists for their elements.
fn alternatives<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    let named = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
    if let Some(found) = named.and_then(|name| root.get("$defs")?.get(name)) {
        return alternatives(root, found);
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(schemas)) = schema.get(key) {
            return schemas.iter().flat_map(|schema| alternatives(root, schema)).collect();
        }
    }
    match schema.get("items") {
        Some(items) => alternatives(root, items),
        None => vec![schema],
    }
}

fn property<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
    let own = schema.get("properties").and_then(|properties| properties.get(name));
    // Anything may stand in a value of any kind, and in a mapping with free names.
    let free = schema.get("additionalProperties").filter(|free| free.is_object());
    own.or(free).or_else(|| (schema == &Value::Bool(true)).then_some(schema))
}

/// Where a field that was named alone stands one level further in.
fn inside(schema: &Value, path: &[String]) -> Option<String> {
    let [name] = path else { return None };
    let holds = |outer: &String| {
        let outer = alternatives(schema, schema).into_iter().filter_map(|known| property(known, outer));
        outer.flat_map(|outer| alternatives(schema, outer)).any(|inner| property_names(inner).contains(name))
    };
    let outer = alternatives(schema, schema).into_iter().flat_map(property_names).find(holds)?;
    Some(format!("{outer}.{name}"))
}

fn property_names(schema: &Value) -> Vec<String> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_of_documents() {
        let schema = json!({
            "properties": {"success": {}, "steps": {"type": "array", "items": {"$ref": "#/$defs/Step"}}, "counts": {"additionalProperties": {}}},
            "$defs": {"Step": {"properties": {"id": {}, "status": {}}}},
        });
        let document = json!({"success": true, "counts": {"DONE": 1}, "steps": [{"id": "a", "status": "DONE"}, {"id": "b"}]});
        let pick = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Fields::of(&names, "status", &schema).map(|fields| fields.pick(&document))
        };
        assert_eq!(pick(&["steps.id"]).unwrap(), json!({"success": true, "steps": [{"id": "a"}, {"id": "b"}]}));
        assert_eq!(pick(&["counts.DONE", "steps.status"]).unwrap()["steps"], json!([{"status": "DONE"}, {}]));
        assert_eq!(pick(&["steps"]).unwrap()["steps"], document["steps"]);
        assert_eq!(pick(&[]).unwrap(), document);
        let error = pick(&["steps.staus"]).unwrap_err();
        assert_eq!(error.to_string(), "the answer of `status` has no `steps.staus`");
        assert_eq!(error.hint().unwrap(), "did you mean `status`?");
        assert_eq!(pick(&["id"]).unwrap_err().hint().unwrap(), "did you mean `steps.id`?");
        assert!(pick(&["nothing"]).is_err());
    }
}
