//! The pages that are made from the code: `UPDATE_DOCS=1 cargo test --test main docs::` writes them.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use clap::{Arg, ArgAction, Command};
use threados::{
    action::{Access, CATALOG},
    cli,
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
