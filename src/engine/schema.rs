//! JSON Schemas: of the files people write, of actions, and of what actions answer with.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::output::Output;
use crate::{
    action::{Access, CATALOG, Spec, schema::Of},
    error::Error,
    model,
    policy::Policy,
    store::{ConfigFile, yaml},
};

/// The schema of a file or document; `name` is the action where it is about one.
pub fn schema(of: Of, name: Option<&str>) -> Result<Value, Error> {
    let spec = || match name {
        Some(name) => find(name),
        None => Err(Error::FieldInvalid { field: "name", why: format!("`schema {of}` wants the name of an action") }),
    };
    Ok(match of {
        Of::Sequence => yaml::schema(),
        Of::Policy => with_aliases(read::<Policy>("policy.yaml"), Policy::ALIASES),
        Of::Config => read::<ConfigFile>("config.yaml"),
        Of::Action => entry(spec()?),
        Of::Output => document(spec()?)?,
        Of::Error => failure(),
    })
}

fn find(name: &str) -> Result<&'static Spec, Error> {
    let spaced = name.replace(' ', ".");
    CATALOG.iter().find(|spec| spec.name == spaced).ok_or_else(|| Error::ActionUnknown {
        action: name.into(),
        nearest: model::nearest(&spaced, CATALOG.iter().map(|spec| spec.name)),
    })
}

/// What a file of type `T` is read from.
fn read<T: JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), title.into());
    schema.to_value()
}

/// The same schema with other names that its properties are read from.
fn with_aliases(mut schema: Value, aliases: &[(&str, &str)]) -> Value {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (other, name) in aliases {
            if let Some(property) = properties.get(*name).cloned() {
                properties.insert((*other).into(), property);
            }
        }
    }
    schema
}

/// An entry of `apply`: the action's arguments with its name.
fn entry(spec: &Spec) -> Value {
    let mut schema = (spec.schema)().to_value();
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("title".into(), spec.name.into());
        let properties = fields.entry("properties").or_insert_with(|| json!({}));
        // The one that has a field of that name is no change, and so no entry.
        if let Some(properties) = properties.as_object_mut().filter(|properties| !properties.contains_key("action")) {
            properties.shift_insert(0, "action".into(), json!({"const": spec.name}));
        }
    }
    schema
}

/// The variants of [`Output`] that an action answers with, by their titles; nothing where it has none of its own.
fn answers(spec: &Spec) -> Option<&'static [&'static str]> {
    Some(match spec.name {
        "apply" => &["changed", "preview"],
        "init" => &["made"],
        "demo" => &["demo"],
        "graph" => &["graph"],
        "attention" => &["attention"],
        "why" => &["why"],
        "result" => &["answer"],
        "diff" => &["diff"],
        "outcome" => &["reported"],
        "continue" => &["run", "started", "would_run"],
        "open" => &["opened"],
        "review.reject" => &["changed", "run", "started", "would_run"],
        "step.list" => &["steps"],
        "step.show" => &["step"],
        "gate.list" => &["gates"],
        "prompt.show" | "prompt.compile" => &["prompt"],
        "group.list" => &["groups"],
        "template.list" => &["templates"],
        "template.show" => &["template"],
        "template.apply" => &["changed", "preview"],
        "status" => &["status", "short"],
        "validate" => &["valid"],
        "run.all" | "run.runnable" | "run.step" | "run.group" | "run.fusion" => {
            &["run", "would_run", "started", "requested", "waited"]
        }
        "restart" => &["run", "would_run", "started"],
        "requests.list" => &["requests"],
        "requests.approve" | "requests.deny" => &["answered"],
        "attach" => &["run", "started"],
        "wait" => &["waited"],
        "stop" => &["stopped"],
        "extend" => &["extended"],
        "logs" => &["log"],
        "runs.list" => &["runs"],
        "runs.show" => &["run"],
        "metrics" => &["metrics"],
        "runs.prune" => &["pruned"],
        "audit.tail" | "audit.list" => &["audit"],
        "audit.verify" | "audit.head" => &["chain"],
        "schema" => &["schema", "wrote"],
        "policy.show" => &["policy"],
        "policy.check" => &["judged"],
        "policy.set-mode" => &["wrote"],
        "trust" => &["trusted"],
        "doctor" => &["checked"],
        "mprocs.open" => &["left", "wrote"],
        "mprocs.select" => &["selected"],
        "mprocs.start" | "mprocs.restart" => &["started"],
        "mprocs.stop" => &["stopped"],
        "mprocs.send-key" => &["typed"],
        "mprocs.status" => &["mprocs"],
        "mprocs.close" => &["left"],
        _ if matches!(spec.access, Access::Change | Access::Destroy | Access::Decide) => &["changed"],
        _ => return None,
    })
}

/// The document that an action answers with.
fn document(spec: &Spec) -> Result<Value, Error> {
    let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Output>();
    let mut schema = schema.to_value();
    let parts = schema.as_object_mut().and_then(|schema| Some((schema.remove("anyOf")?, schema.remove("$defs"))));
    let (Value::Array(variants), definitions) = parts.ok_or_else(|| Error::internal("answers are alternatives"))? else {
        return Err(Error::internal("answers are alternatives"));
    };
    let titled = |title: &str| variants.iter().find(|variant| variant.get("title").is_some_and(|found| found == title));
    let named = answers(spec).map(|titles| titles.iter().filter_map(|title| titled(title)).cloned().collect());
    let mut documents: Vec<Value> = named
        .unwrap_or_else(|| variants.clone())
        .into_iter()
        .map(|variant| envelope(spec, variant, definitions.as_ref()))
        .collect();
    let mut document = match documents.len() {
        1 => documents.remove(0),
        _ => json!({"anyOf": documents}),
    };
    if let Some(fields) = document.as_object_mut() {
        fields.shift_insert(0, "$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        fields.shift_insert(1, "title".into(), format!("answer of {}", spec.name).into());
        if let Some(definitions) = definitions {
            fields.insert("$defs".into(), definitions);
        }
    }
    Ok(document)
}

/// An answer with what stands around every answer.
fn envelope(spec: &Spec, variant: Value, definitions: Option<&Value>) -> Value {
    let inner = resolved(variant, definitions);
    let field = |name: &str| inner.get(name).cloned();
    let mut properties = Map::new();
    properties.insert("success".into(), json!({"const": true}));
    properties.insert("action".into(), json!({"const": spec.name}));
    properties.insert("revision".into(), json!({"type": "string", "description": "Of the plan, blind to statuses"}));
    if let Some(Value::Object(own)) = field("properties") {
        properties.extend(own);
    }
    let texts = |about: &str| json!({"type": "array", "items": {"type": "string"}, "description": about});
    properties.insert("warnings".into(), texts("What a person should know beside it"));
    properties.insert("next".into(), texts("Commands that make sense next"));
    let mut required = vec![json!("success"), json!("action")];
    if let Some(Value::Array(own)) = field("required") {
        required.extend(own);
    }
    json!({"type": "object", "properties": properties, "required": required})
}

/// The schema that a reference leads to.
fn resolved(schema: Value, definitions: Option<&Value>) -> Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
    name.and_then(|name| definitions?.get(name)).cloned().unwrap_or(schema)
}

fn failure() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "failure",
        "type": "object",
        "properties": {
            "success": {"const": false},
            "error": {"type": "string", "description": "What went wrong, in one sentence"},
            "code": {"type": "string", "pattern": "^[A-Z][A-Z_]*$", "description": "Stable; docs/errors.md lists them"},
            "hint": {"type": "string", "description": "What to do about it"},
            "data": {"type": "object", "description": "What was found out all the same, like the report of a failed run"},
        },
        "required": ["success", "error", "code"],
        "additionalProperties": false,
    })
}
