//! JSON Schemas say what is true: the loader takes what they take, and answers are what they describe.

use jsonschema::Validator;
use serde_json::{Value, json};
use threados::{
    action::{CATALOG, schema::Of},
    client::schema,
    policy::Policy,
    store::yaml::{self, parse},
};

use crate::harness::{Test, names};

fn validator(schema: &Value) -> Validator {
    jsonschema::validator_for(schema).unwrap_or_else(|error| panic!("{error}: {schema:#}"))
}

fn complaints(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Checks that an answer is what its schema says.
#[track_caller]
pub(crate) fn assert_described(document: &Value) {
    let valid = validator(&closed(schema(Of::Output, document["action"].as_str()).unwrap()));
    assert_eq!(complaints(&valid, document), Vec::<String>::new(), "{document:#}");
}

fn from_yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

/// Whether the loader takes a plan without a word about its keys.
fn loads(text: &str) -> bool {
    parse(text.as_bytes(), "sequence.yaml".as_ref())
        .is_ok_and(|parsed| parsed.warnings.iter().all(|warning| warning.message.contains("nothing to run")))
}

/// Without `1.0`, which JSON Schema cannot tell from 1.
const VALUES: &[&str] = &[
    "text",
    "\"\"",
    "a-b",
    "Not An Id",
    "true",
    "7",
    "-7",
    "2.5",
    "45m",
    "1h30m",
    "5x",
    "~",
    "[]",
    "[a, b]",
    "[a, [b]]",
    "[1, 2]",
    "{}",
    "{A: x}",
    "{A: [x]}",
    "{A: ~}",
    "base",
    "fail_fast",
    "stop-all",
    "continue",
    "SAFE",
    "safe",
    "DONE",
    "PENDING",
    "READY",
    "APPROVED",
    "BLOCKED",
    "all",
    "[all]",
    "99999999999",
    "\"1.0\"",
    "2",
];

/// A plan with one key more, in each place where there are keys.
fn plans(key: &str, value: &str) -> Vec<(&'static str, String)> {
    let top = "version: \"1.0\"\n";
    let line = format!("{key}: {value}\n");
    let mut plans = Vec::new();
    if key != "version" {
        plans.push(("sequence", format!("{top}{line}")));
    }
    for section in ["metadata", "policy", "defaults"] {
        plans.push((section, format!("{top}{section}:\n  {line}")));
    }
    for list in ["steps", "gates"] {
        let id = if key == "id" { "x-id: a" } else { "id: a" };
        plans.push((list, format!("{top}{list}:\n  - {id}\n    {line}")));
    }
    plans
}

fn keys_of(schema: &Value, place: &str) -> Vec<String> {
    let found = match place {
        "sequence" => schema,
        "steps" | "gates" => &schema["properties"][place]["items"],
        section => &schema["properties"][section]["anyOf"][0],
    };
    found["properties"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_loader_takes_exactly_what_the_schema_takes() {
    let schema = schema(Of::Sequence, None).unwrap();
    let valid = validator(&schema);
    let mut keys: Vec<String> = ["sequence", "metadata", "policy", "defaults", "steps", "gates"]
        .iter()
        .flat_map(|place| keys_of(&schema, place))
        .collect();
    keys.extend(["x-mine", "unknown", "dependsOn"].map(str::to_owned));
    keys.sort();
    keys.dedup();
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for key in &keys {
        for value in VALUES {
            for (_, plan) in plans(key, value) {
                tried += 1;
                let (is_valid, is_loaded) = (valid.is_valid(&from_yaml(&plan)), loads(&plan));
                if is_valid != is_loaded {
                    wrong.push(format!("schema {is_valid}, loader {is_loaded}:\n{plan}"));
                }
            }
        }
    }
    for (plan, is_right) in [
        ("steps: []\n", false),
        ("version: 2\n", false),
        ("version: 1\n", true),
        ("version: 1.0\n", true),
        ("version: \"1.0\"\nsteps:\n  - id: a\n    timeout: 5m\n    timeout_ms: 5\n", false),
        ("version: \"1.0\"\nsteps:\n  - name: a\n", false),
        ("version: \"1.0\"\nsteps:\n  - a\n", false),
        ("version: \"1.0\"\nsteps:\n  - id: 7\n    command: [make, 7]\n", true),
    ] {
        assert_eq!((valid.is_valid(&from_yaml(plan)), loads(plan)), (is_right, is_right), "{plan}");
    }
    assert!(tried > 5000 && wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_key_of_the_schema_is_read() {
    let schema = schema(Of::Sequence, None).unwrap();
    let read = |plan: &str| parse(plan.as_bytes(), "sequence.yaml".as_ref()).ok().map(|parsed| parsed.sequence);
    for place in ["sequence", "metadata", "policy", "defaults", "steps", "gates"] {
        for key in keys_of(&schema, place)
            .into_iter()
            .filter(|key| !["version", "id", "metadata", "policy", "defaults"].contains(&key.as_str()))
        {
            let value_of =
                |value: &str| plans(&key, value).into_iter().find(|(found, _)| *found == place).and_then(|(_, plan)| read(&plan));
            let empty = value_of("~").unwrap();
            let values = VALUES.iter().copied().chain(["[{id: z}]"]);
            assert!(values.filter_map(value_of).any(|plan| plan != empty), "`{key}` in {place} changes nothing");
        }
    }
}

#[test]
fn plans_of_ours_are_valid() {
    let valid = validator(&schema(Of::Sequence, None).unwrap());
    let check = |name: &str, text: &str| {
        assert_eq!(complaints(&valid, &from_yaml(text)), Vec::<String>::new(), "{name}:\n{text}");
    };
    for args in [&["init"][..], &["init", "--empty"]] {
        let test = Test::new();
        test.run(args).success();
        check(&args.join(" "), &test.plan());
        assert!(test.plan().starts_with("# yaml-language-server: $schema=schema.json\n"));
        assert_eq!(test.json(".threados/schema.json"), schema(Of::Sequence, None).unwrap());
    }
    let test = Test::new();
    test.run(&["demo", "here"]).success();
    check("demo", &test.read("here/.threados/sequence.yaml"));
    let readme = include_str!("../README.md");
    let blocks: Vec<&str> = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks.iter().filter(|block| block.contains("steps:")) {
        check("README", block);
    }
}

#[test]
fn the_schema_beside_the_plan_can_be_renewed() {
    let test = Test::new().sequence("version: \"1.0\"\nsteps: []\n");
    test.write(".threados/schema.json", "{}");
    test.run(&["schema", "sequence", "--write"]).success().prints("schema.json");
    assert_eq!(test.json(".threados/schema.json"), schema(Of::Sequence, None).unwrap());
    let outside = Test::new();
    outside.run(&["schema", "sequence", "--write"]).fails(3);
    assert_eq!(outside.run(&["schema", "sequence"]).success().json(), schema(Of::Sequence, None).unwrap());
}

#[test]
fn policies_are_read_as_their_schema_says() {
    let valid = validator(&schema(Of::Policy, None).unwrap());
    for (text, is_right) in [
        ("version: \"1.0\"\nmode: POWER\n", true),
        ("version: 1.0\n", true),
        ("mode: power\n", false),
        ("max_concurrent: 3\nmax_fanout: 2\nmax_cost_usd: 2.5\ntimeout_default_ms: 1000\n", true),
        ("max_concurrent: many\n", false),
        ("command_allowlist: [git]\ncwd_patterns: [./**]\n", true),
        ("allowed_commands: git\n", false),
        ("forbidden_patterns: ['rm']\nconfirmation_required: [gate.approve]\n", true),
        ("allowed_comands: [git]\n", false),
    ] {
        let path = "policy.yaml".as_ref();
        let parsed =
            yaml::typed::<Policy>(text.as_bytes(), path, "keys").and_then(|read| read.unwrap_or_default().known(path)).is_ok();
        assert_eq!((valid.is_valid(&from_yaml(text)), parsed), (is_right, is_right), "{text}");
    }
    let config = validator(&schema(Of::Config, None).unwrap());
    assert!(config.is_valid(&json!({"status_in_file": false})) && !config.is_valid(&json!({"status_in_file": "no"})));
}

/// The same schema, with every object closed: a field that it does not know is an error.
fn closed(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(fields) => {
            for (_, value) in fields.iter_mut() {
                *value = closed(value.take());
            }
            let is_object =
                fields.get("properties").is_some_and(Value::is_object) && fields.get("type").is_some_and(|kind| kind == "object");
            if is_object && !fields.contains_key("additionalProperties") {
                fields.insert("unevaluatedProperties".into(), false.into());
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = closed(item.take());
            }
        }
        _ => {}
    }
    schema
}

const PLAN: &str = "\
version: \"1.0\"
name: shop
defaults: {timeout: 5m}
steps:
  - id: fetch
    command: echo fetch
  - id: build
    command: [sh, -c, 'echo one; echo two']
    depends_on: [fetch]
    group_id: g
    env: {A: b}
    retries: 1
  - id: broken
    command: exit 3
    depends_on: [fetch]
    timout: 5m
  - id: check
    command: exit 42
    depends_on: [fetch]
  - id: ship
    command: echo ship
    depends_on: [ready]
gates:
  - id: ready
    depends_on: [build]
";

/// What is asked, in order: each line finds what those before it left.
const LINES: &str = "\
status
step list
step show fetch
gate list
validate
run --dry-run
runs
schema sequence
schema output apply
doctor
apply -f list.json --dry-run
apply -f list.json
run fetch build
step add extra --after fetch --command true
step edit extra --timeout 5m
step clone extra more
step move more --first
dep add more build
dep rm more build
gate insert late --after extra
skip more
reset more
gate rm late --yes
step rm more --yes
run fetch --detach
wait fetch
run runnable
status
step show broken
step show check
logs build
logs build --tail 1
logs build --after 4
requests
runs
runs show
restart broken --detach
wait broken
gate approve ready --note ok
wait ship
gate list
gate reopen ready
gate block ready
stop --all
undo
redo
step add talk --prompt hello
prompt show talk
prompt compile talk
diff fetch
prompt set talk --text more
audit
audit list
audit verify
audit head
runs prune --keep 1 --yes
run group g
run fusion mix
metrics
schema sequence --write
attach";

#[test]
fn answers_are_what_their_schemas_say() {
    let test = Test::new().power().sequence(PLAN);
    test.write("list.json", r#"[{"action": "step.edit", "id": "fetch", "name": "Fetch"}]"#);
    let failures = validator(&schema(Of::Error, None).unwrap());
    let mut seen: Vec<String> = Vec::new();
    for line in LINES.lines() {
        let words: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        let out = test.run(&words);
        let document = out.json();
        if document["success"] == true {
            let action = document["action"].as_str().unwrap().to_owned();
            assert_described(&document);
            seen.push(action);
        } else {
            assert_eq!(complaints(&failures, &document), Vec::<String>::new(), "{line}: {document:#}");
            // What failed tells in `data` what it would have answered.
            assert!(
                [
                    "run runnable",
                    "runs",
                    "attach",
                    "wait fetch",
                    "run fetch --detach",
                    "wait broken",
                    "run group g",
                    "run fusion mix"
                ]
                .contains(&line),
                "{line}: {document:#}"
            );
        }
    }
    let elsewhere = Test::new();
    for line in ["init --name x", "demo here"] {
        let words: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        let document = elsewhere.run(&words).success().json();
        let action = document["action"].as_str().unwrap().to_owned();
        assert_described(&document);
        seen.push(action);
    }
    assert!(seen.len() > 45 && names(&test.path(".threados/state/tx")).is_empty(), "{seen:?}");
}

#[test]
fn every_action_has_its_schemas() {
    let all = schema(Of::Output, Some("nothing"));
    assert_eq!(all.unwrap_err().code().0, "ACTION_UNKNOWN");
    assert_eq!(schema(Of::Output, None).unwrap_err().code().0, "VALIDATION_ERROR");
    for spec in CATALOG {
        let answer = schema(Of::Output, Some(spec.name)).unwrap();
        validator(&answer);
        let alternatives = answer["anyOf"].as_array().map_or(1, Vec::len);
        assert!(alternatives < 10, "`{}` has no answer of its own in engine/schema.rs", spec.name);
        let entry = schema(Of::Action, Some(spec.name)).unwrap();
        let is_entry = entry["properties"]["action"]["const"] == spec.name;
        assert!(is_entry || spec.name == "audit.list", "{entry:#}");
        validator(&entry);
    }
    let entry = validator(&schema(Of::Action, Some("gate.approve")).unwrap());
    assert!(entry.is_valid(&json!({"action": "gate.approve", "id": "ship", "note": "ok"})));
    assert!(!entry.is_valid(&json!({"action": "gate.approve"})));
}
