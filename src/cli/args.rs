//! The command tree, built from the catalog.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{ArgAction, ArgMatches, Args, Command, FromArgMatches as _, ValueEnum};

use super::output;
use crate::action::{Action, CATALOG};

/// Flags that every command has.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Flags {
    /// Project folder; the nearest .threados above the current folder where absent
    #[arg(long, global = true, value_name = "DIR", env = "THREADOS_BASE_PATH", hide_env_values = true)]
    pub(super) project: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Confirm what the policy asks about
    #[arg(long, short, global = true)]
    pub(super) yes: bool,
    /// Print errors only
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Print more
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// When to use colours: auto, always or never
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", hide_possible_values = true)]
    pub(super) color: Color,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The command line ended before there was an action: help, version or a mistake.
pub(super) struct Early {
    error: clap::Error,
    is_json: bool,
}

impl Early {
    pub(super) fn finish(self) -> ExitCode {
        output::print_early(&self.error, self.is_json)
    }
}

/// Nouns with what they are about, and the verb that is meant where none is given.
const NOUNS: &[(&str, &str, &str)] = &[
    ("step", "Work on steps", "list"),
    ("dep", "Connect steps and gates", ""),
    ("gate", "Work on gates", "list"),
    ("review", "Decide what wants a review", ""),
    ("run", "Run steps", "all"),
    ("runs", "Look at past runs", "list"),
    ("audit", "Look at the audit log", "tail"),
];

/// The whole command tree.
pub(super) fn command() -> Command {
    let mut root = Command::new("seqctl")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Run, watch and remember sequences of AI agents and shell commands")
        .after_help("Without a command it shows the status. `seqctl demo` shows what it does.")
        .max_term_width(100);
    for spec in CATALOG {
        root = match spec.name.split_once('.') {
            None => root.subcommand((spec.command)(Command::new(spec.name))),
            Some((noun, verb)) => {
                let child = (spec.command)(Command::new(verb));
                if root.find_subcommand(noun).is_none() {
                    let about = NOUNS.iter().find(|(name, ..)| *name == noun).map_or("", |(_, about, _)| about);
                    root =
                        root.subcommand(Command::new(noun).about(about).subcommand_required(true).arg_required_else_help(true));
                }
                root.mut_subcommand(noun, |group| group.subcommand(child))
            }
        };
    }
    root = root.mut_subcommand("run", |run| {
        run.after_help("`seqctl run` alone is `run all`, and `seqctl run <IDS>…` is `run step <IDS>…`.")
    });
    let about = root.get_about().cloned();
    Flags::augment_args(root).about(about.unwrap_or_default())
}

/// The action and flags of a command line.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<(Action, Flags), Early> {
    let arguments = complete(arguments.into_iter().collect());
    let is_json = arguments.iter().any(|word| word == "--json");
    let early = |error| Early { error, is_json };
    let matches = command().try_get_matches_from(arguments).map_err(early)?;
    let flags = Flags::from_arg_matches(&matches).map_err(early)?;
    let action = match matches.subcommand() {
        None => Action::Status(crate::action::query::Status::default()),
        Some((name, inner)) => find(name, inner).map_err(early)?,
    };
    Ok((action, flags))
}

fn find(name: &str, matches: &ArgMatches) -> Result<Action, clap::Error> {
    match matches.subcommand() {
        Some((verb, inner)) => Action::from_matches(&format!("{name}.{verb}"), inner),
        None => Action::from_matches(name, matches),
    }
}

/// Puts in the verb that is meant: `run` is `run all`, `run <ids…>` is `run step <ids…>`.
fn complete(mut words: Vec<OsString>) -> Vec<OsString> {
    let plain = |words: &[OsString], from: usize| {
        let mut at = from;
        while at < words.len() {
            let word = words[at].to_string_lossy();
            if word == "--" {
                return None;
            } else if word == "--project" || word == "--color" {
                at += 2;
            } else if word.starts_with('-') && word.len() > 1 {
                at += 1;
            } else {
                return Some(at);
            }
        }
        None
    };
    let Some(noun_at) = plain(&words, 1) else { return words };
    let noun = words[noun_at].to_string_lossy().into_owned();
    let Some((_, _, default)) = NOUNS.iter().find(|(name, _, default)| *name == noun && !default.is_empty()) else {
        return words;
    };
    let is_verb = |word: &str| word == "help" || CATALOG.iter().any(|spec| spec.name == format!("{noun}.{word}"));
    if words[noun_at + 1..].iter().any(|word| word == "--help" || word == "-h") && plain(&words, noun_at + 1).is_none() {
        return words;
    }
    match plain(&words, noun_at + 1) {
        Some(at) if is_verb(&words[at].to_string_lossy()) => {
            let verb = words.remove(at);
            words.insert(noun_at + 1, verb);
        }
        Some(_) if noun == "run" => words.insert(noun_at + 1, "step".into()),
        Some(_) if noun != "runs" && noun != "audit" => {}
        _ => words.insert(noun_at + 1, (*default).into()),
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(line: &str) -> String {
        let words = line.split(' ').map(OsString::from);
        parse(words).map_or_else(|early| early.error.kind().to_string(), |(action, _)| action.name().to_owned())
    }

    #[test]
    fn the_tree_is_valid() {
        command().debug_assert();
    }

    #[test]
    fn short_forms() {
        for (line, action) in [
            ("seqctl", "status"),
            ("seqctl run", "run.all"),
            ("seqctl run --yes", "run.all"),
            ("seqctl run all --detach", "run.all"),
            ("seqctl run --detach all", "run.all"),
            ("seqctl run a b", "run.step"),
            ("seqctl --project x run -y a", "run.step"),
            ("seqctl run runnable", "run.runnable"),
            ("seqctl run group g", "run.group"),
            ("seqctl runs", "runs.list"),
            ("seqctl runs -n 5", "runs.list"),
            ("seqctl audit", "audit.tail"),
            ("seqctl step", "step.list"),
            ("seqctl step add x -- run it", "step.add"),
            ("seqctl gate approve g --note ok", "gate.approve"),
            ("seqctl stop --all", "stop"),
        ] {
            assert_eq!(name(line), action, "{line}");
        }
    }

    #[test]
    fn command_line_and_json_make_the_same_action() {
        let parse = |line: &str| parse(line.split(' ').map(OsString::from)).map_err(|early| early.error).unwrap().0;
        let lines = [
            "seqctl step add build --depends-on a,b --timeout 45m --retries 2 --env A=b --command make --review",
            "seqctl step edit build --unset timeout,name --name x",
            "seqctl step rm build --cascade",
            "seqctl gate insert g --after a --before b",
            "seqctl run step a b --detach --fail-fast",
            "seqctl restart a --downstream",
            "seqctl wait a --for done --timeout 5s",
            "seqctl logs a --tail 5 --stderr",
            "seqctl reset a b --downstream",
            "seqctl review reject a -m again --detach",
            "seqctl continue a -m again",
            "seqctl outcome review --note look",
            "seqctl result a --attempt 2",
        ];
        for line in lines {
            let action = parse(line);
            assert_eq!(Action::from_entry(action.to_entry()).unwrap(), action, "{line}");
        }
    }
}
