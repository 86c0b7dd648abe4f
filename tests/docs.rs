//! The pages that are made from the code: `UPDATE_DOCS=1 cargo test --test main docs::` writes them.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use clap::{Arg, ArgAction, Command};
use threados::{
    action::{Access, CATALOG, schema::Of},
    cli,
    client::schema,
    error::Class,
};

use crate::errors::samples;

/// Compares a page with what it should be, or writes it.
fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, text).unwrap();
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "docs/{name} is not what the code says: UPDATE_DOCS=1 cargo test --test main docs::");
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn flag(arg: &Arg) -> String {
    let value =
        arg.get_value_names().filter(|_| arg.get_action().takes_values()).map(|names| names.join(" ")).unwrap_or_default();
    let many = matches!(arg.get_action(), ArgAction::Append) && arg.is_positional();
    if arg.is_positional() {
        let dots = if many || arg.get_num_args().is_some_and(|range| range.max_values() > 1) { "…" } else { "" };
        return if arg.is_required_set() { format!("`<{value}>{dots}`") } else { format!("`[{value}]{dots}`") };
    }
    let short = arg.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    let value = if value.is_empty() { value } else { format!(" {value}") };
    format!("{short}`--{}{value}`", arg.get_long().unwrap_or_default())
}

fn about(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let aliases: Vec<String> = arg.get_visible_aliases().unwrap_or_default().iter().map(|alias| format!("`--{alias}`")).collect();
    if !aliases.is_empty() {
        write!(text, "; also {}", aliases.join(", ")).unwrap();
    }
    let values: Vec<String> = arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if !values.is_empty() && arg.get_action().takes_values() && !arg.is_hide_possible_values_set() {
        write!(text, ": {}", values.join(", ")).unwrap();
    }
    if let Some(variable) = arg.get_env() {
        write!(text, "; or in `{}`", variable.to_string_lossy()).unwrap();
    }
    text
}

fn default(arg: &Arg) -> String {
    let values: Vec<String> = arg.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    if arg.get_action().takes_values() { values.join(", ") } else { String::new() }
}

/// Arguments as the rows of a table: those in order, then the options.
fn arguments(command: &Command, is_global: bool) -> String {
    let mut rows = String::new();
    let wanted = |arg: &&Arg| arg.is_global_set() == is_global && !["help", "version"].contains(&arg.get_id().as_str());
    let (positional, options): (Vec<&Arg>, Vec<&Arg>) =
        command.get_arguments().filter(wanted).partition(|arg| arg.is_positional());
    for arg in positional.into_iter().chain(options) {
        writeln!(rows, "| {} | {} | {} |", cell(&flag(arg)), cell(&about(arg)), cell(&default(arg))).unwrap();
    }
    if rows.is_empty() { rows } else { format!("| argument | means | default |\n|---|---|---|\n{rows}\n") }
}

const fn access(access: Access) -> &'static str {
    match access {
        Access::Read => "only looks",
        Access::Change => "changes the plan",
        Access::Destroy => "takes something away: asks in SAFE and POWER",
        Access::Decide => "decides what a person has to decide",
        Access::Run => "makes steps run: asks in SAFE",
        Access::Stop => "ends what runs",
        Access::Report => "says how a step goes, from inside it",
    }
}

fn section(command: &Command, words: &str, depth: usize) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("{} `{words}`\n\n{about}.", "#".repeat(depth));
    let name = words.trim_start_matches("seqctl ").replace(' ', ".");
    if let Some(spec) = CATALOG.iter().find(|spec| spec.name == name) {
        write!(text, " Action `{}`; it {}.", spec.name, access(spec.access)).unwrap();
    }
    text.push_str("\n\n");
    text.push_str(&arguments(command, false));
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    match after.strip_prefix("Examples:\n") {
        Some(examples) => {
            let lines: Vec<&str> = examples.lines().map(str::trim).collect();
            let lines = lines.chunks(2).map(|pair| format!("{}   # {}\n", pair[1], pair[0].trim_end_matches(':')));
            write!(text, "```\n{}```\n\n", lines.collect::<String>()).unwrap();
        }
        None if !after.is_empty() => write!(text, "{after}\n\n").unwrap(),
        None => {}
    }
    for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
        text.push_str(&section(child, &format!("{words} {}", child.get_name()), depth + 1));
    }
    text
}

fn reference() -> String {
    let root = cli::command();
    let mut text = "# Every command\n\nMade from the code by `UPDATE_DOCS=1 cargo test --test main docs::`; do not edit it. `seqctl help <command>` says the \
        same.\n\n## Everywhere\n\n"
        .to_owned();
    text.push_str(&arguments(&root, true));
    for child in root.get_subcommands().filter(|child| child.get_name() != "help") {
        text.push_str(&section(child, &format!("seqctl {}", child.get_name()), 2));
    }
    text.trim_end().to_owned() + "\n"
}

fn errors() -> String {
    let mut text = "# Every error\n\nMade from the code by `UPDATE_DOCS=1 cargo test --test main docs::`; do not edit it.\n\n\
        An error is a message and a hint on standard error, and an exit status. With `--json` it is one document on standard \
        output: `success` is `false`, `error` the message, `code` one of the codes below, `hint` what to do, and `data` what \
        was found out all the same. Codes and exit statuses are stable; messages are for people and may change.\n\n\
        | exit | class | HTTP |\n|---|---|---|\n"
        .to_owned();
    for class in Class::ALL {
        writeln!(text, "| {} | {} | {} |", class.exit(), class.as_str(), class.http()).unwrap();
    }
    let mut by_class: BTreeMap<u8, Vec<(&str, String, String)>> = BTreeMap::new();
    for error in samples() {
        let (code, class) = error.code();
        // What holds another error has that one's code.
        if !matches!(error, threados::error::Error::Entries { .. }) {
            by_class.entry(class.exit()).or_default().push((code, error.to_string(), error.hint().unwrap_or_default()));
        }
    }
    for class in Class::ALL {
        let Some(mut rows) = by_class.remove(&class.exit()) else { continue };
        rows.sort_by_key(|(code, ..)| *code);
        write!(text, "\n## Exit {}: {}\n\n| code | message, for example | hint |\n|---|---|---|\n", class.exit(), class.as_str())
            .unwrap();
        for (code, message, hint) in rows {
            writeln!(text, "| `{code}` | {} | {} |", cell(&message), cell(&hint)).unwrap();
        }
    }
    text
}

const ANSWERS: &str = "\
# For programs

The tables are made from the code by `UPDATE_DOCS=1 cargo test --test main docs::`; do not edit this page.

With `--json` every command prints exactly one document on standard output and nothing on standard error, whatever happens:
a mistake on the command line too. `success` says how it went; the exit status says it too ([errors.md](errors.md)). Fields
are only ever added. What is empty or unknown is left out.

| | |
|---|---|
| `seqctl schema output status` | the JSON Schema of an answer; the tables below say the same |
| `seqctl schema error` | of a failure |
| `seqctl schema action step.add` | of an entry of `apply`; its keys may be `camelCase` or `snake_case` |
| `seqctl schema sequence`, `policy`, `config` | of the files people write |
| `--fields steps.id,counts` | only these fields, and `success`; in lists, of every element. Implies `--json`. Failures are whole |
| `revision` | of the plan, blind to statuses; `apply --if-unchanged` binds a change to it |
| `next` | commands that make sense now, the most obvious first |
| `logs --after CURSOR --max-bytes N` | whole lines that came after `cursor` of an earlier answer; `truncated` says that there are more. The cursor counts bytes of the log of `run` and `attempt`: with another attempt begin at 0 |
| streams | `run --json --watch`, `attach --json --watch`, `status --json --watch`: one document a line. `logs --follow`, `completions`, `man` and `--help` print text |

";

/// What stands in every answer.
const COMMON: &[&str] = &["success", "action", "revision", "warnings", "next"];

/// What a schema is, in a word or two.
fn kind(schema: &serde_json::Value) -> String {
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(fixed) = schema.get("const") {
        return format!("`{fixed}`");
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(|word| format!("`{}`", word.as_str().unwrap_or_default())).collect::<Vec<_>>().join(", ");
    }
    if let Some(schemas) = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
        let mut kinds: Vec<String> = schemas.iter().map(kind).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    match &schema["type"] {
        serde_json::Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        serde_json::Value::String(name) if name == "object" && schema["additionalProperties"].is_object() => {
            format!("{} by name", kind(&schema["additionalProperties"]))
        }
        serde_json::Value::Array(names) => names.iter().map(word).collect::<Vec<_>>().join(" or "),
        name => Some(word(name)).filter(|name| !name.is_empty()).unwrap_or_else(|| "anything".into()),
    }
}

/// The properties of a schema as the rows of a table.
fn fields(schema: &serde_json::Value, without: &[&str]) -> String {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(|name| name.as_str()).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let rows = properties.filter(|(name, _)| !without.contains(&name.as_str())).map(|(name, property)| {
        let about = property["description"].as_str().unwrap_or_default().replace(['[', ']'], "");
        let (presence, kind) = if required.contains(&name.as_str()) {
            ("", kind(property))
        } else {
            (" (if any)", kind(property).trim_end_matches(" or null").to_owned())
        };
        format!("| `{name}`{presence} | {} | {} |\n", cell(&kind), cell(about.trim_end_matches('.')))
    });
    let rows: String = rows.collect();
    if rows.is_empty() { rows } else { format!("| field | is | means |\n|---|---|---|\n{rows}\n") }
}

fn answers() -> String {
    let mut text = ANSWERS.to_owned() + "## Every answer\n\n";
    let (mut definitions, mut one) = (BTreeMap::new(), None);
    let mut sections: Vec<(String, Vec<&str>)> = Vec::new();
    for spec in CATALOG {
        let schema = schema(Of::Output, Some(spec.name)).unwrap();
        let own = schema["$defs"].as_object().into_iter().flatten();
        definitions.extend(own.map(|(name, schema)| (name.clone(), schema.clone())));
        let alternatives = schema["anyOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
        let tables: Vec<String> = alternatives.iter().map(|answer| fields(answer, COMMON)).collect();
        let tables = tables.join("or\n\n");
        one.get_or_insert_with(|| alternatives[0].clone());
        match sections.iter_mut().find(|(other, _)| *other == tables) {
            Some((_, names)) => names.push(spec.name),
            None => sections.push((tables, vec![spec.name])),
        }
    }
    let mut common = one.unwrap();
    common["properties"].as_object_mut().unwrap().retain(|name, _| COMMON.contains(&name.as_str()));
    common["properties"]["action"] = serde_json::json!({"type": "string", "description": "The action's name"});
    text.push_str(&fields(&common, &[]));
    for (tables, names) in sections {
        let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
        write!(text, "## {}\n\n{tables}", names.join(", ")).unwrap();
    }
    text.push_str("# What stands in them\n\n");
    for (name, schema) in definitions.iter().filter(|(name, _)| *name != "Output") {
        let about = schema["description"].as_str().unwrap_or_default().replace(['[', ']'], "");
        write!(text, "## {name}\n\n{about}\n\n{}", fields(schema, &[])).unwrap();
        let words = schema["enum"].as_array().map(|_| kind(schema)).or_else(|| schema["oneOf"].as_array().map(|_| kind(schema)));
        if let Some(words) = words {
            write!(text, "{words}\n\n").unwrap();
        }
    }
    text.trim_end().to_owned() + "\n"
}

#[test]
fn the_answers_are_what_the_code_says() {
    let text = answers();
    for spec in CATALOG {
        assert!(
            text.lines().any(|line| line.starts_with("## ") && line.contains(&format!("`{}`", spec.name))),
            "`{}` has no table",
            spec.name
        );
    }
    check("schemas.md", &text);
}

#[test]
fn the_reference_is_what_the_code_says() {
    let text = reference();
    for spec in CATALOG {
        assert!(text.contains(&format!("Action `{}`", spec.name)), "`{}` is not in the reference", spec.name);
    }
    check("cli-reference.md", &text);
}

#[test]
fn the_errors_are_what_the_code_says() {
    let text = errors();
    for error in samples() {
        assert!(text.contains(&format!("| `{}` |", error.code().0)), "{error}");
    }
    check("errors.md", &text);
}
