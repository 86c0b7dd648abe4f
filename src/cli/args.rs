//! The command tree, built from the catalog.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{ArgAction, ArgMatches, Args, Command, FromArgMatches as _, ValueEnum};

use super::{
    examples, mistake,
    output::Printer,
    own::{OWN, Own},
};
use crate::{
    action::{Action, CATALOG},
    error::Error,
};

/// Flags that every command has.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Flags {
    /// Project folder; the nearest .threados above the current folder where absent
    #[arg(long, global = true, value_name = "DIR", env = "THREADOS_BASE_PATH", hide_env_values = true)]
    pub(super) project: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Print only these fields of the JSON document, like steps.id,steps.status
    #[arg(long, global = true, value_name = "FIELDS", value_delimiter = ',')]
    pub(super) fields: Vec<String>,
    /// Confirm what the policy asks about; `--yes=additions` also what orchestrators will add to a run
    #[arg(
        long,
        short,
        global = true,
        value_enum,
        value_name = "WHAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all",
        hide_possible_values = true
    )]
    pub(super) yes: Option<Yes>,
    /// Print errors only
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Print more
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// When to use colours: auto, always or never
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", hide_possible_values = true)]
    pub(super) color: Color,
    /// Do not page long output on a terminal
    #[arg(long, global = true)]
    pub(super) no_pager: bool,
}

/// What is confirmed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Yes {
    /// What is asked for now
    All,
    /// The same, and what orchestrators will add to it
    Additions,
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
pub(super) enum Early {
    /// Help or the version was asked for.
    Help { text: clap::Error, has_pager: bool },
    /// It was not understood.
    Mistake { error: Box<Error>, is_json: bool },
}

impl Early {
    pub(super) fn finish(self) -> ExitCode {
        match self {
            Self::Help { text, has_pager } => Printer::new(&Flags { no_pager: !has_pager, ..Flags::default() }).help(&text),
            Self::Mistake { error, is_json } => Printer::new(&Flags { json: is_json, ..Flags::default() }).fail(&error, None),
        }
    }
}

/// What a command line asks for.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// An action, which every face has.
    Action(Box<Action>),
    /// A command of the command line alone.
    Own(Own),
}

/// Nouns with what they are about, and the verb that is meant where none is given.
const NOUNS: &[(&str, &str, &str)] = &[
    ("step", "Work on steps", "list"),
    ("dep", "Connect steps and gates", ""),
    ("gate", "Work on gates", "list"),
    ("group", "Work on groups", "list"),
    ("fusion", "Work on fusions", ""),
    ("template", "Make parts of a plan from templates", "list"),
    ("review", "Decide what wants a review", ""),
    ("prompt", "Look at prompts, and write them", ""),
    ("run", "Run steps", "all"),
    ("runs", "Look at past runs", "list"),
    ("policy", "Look at what may run", "show"),
    ("requests", "Answer what steps ask a person for", "list"),
    ("audit", "Look at the audit log", "tail"),
    ("mprocs", "Work beside mprocs, the viewer of terminals", "status"),
];

/// The whole command tree.
pub fn command() -> Command {
    let mut root = Command::new("seqctl")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Run, watch and remember sequences of AI agents and shell commands")
        .after_help(
            "Without a command it opens the screen on a terminal, else it prints the status. `seqctl demo` shows what it does.",
        )
        .max_term_width(100);
    let rows = CATALOG.iter().map(|spec| (spec.name, spec.command)).chain(OWN.iter().copied());
    for (name, arguments) in rows {
        let with_examples = |command: Command| match examples::help(name) {
            Some(text) => arguments(command).after_help(text),
            None => arguments(command),
        };
        root = match name.split_once('.') {
            None => root.subcommand(with_examples(Command::new(name))),
            Some((noun, verb)) => {
                let child = with_examples(Command::new(verb));
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

/// What a command line asks for, and its flags.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<(Asked, Flags), Early> {
    let words = complete(arguments.into_iter().collect());
    let mut root = command();
    let found = root.try_get_matches_from_mut(&words).and_then(|matches| {
        let flags = Flags::from_arg_matches(&matches)?;
        let asked = match matches.subcommand() {
            None if !flags.json && super::screen::is_possible() => Asked::Own(Own::Tui(super::own::Tui::default())),
            None => Asked::Action(Box::new(Action::Status(crate::action::query::Status::default()))),
            Some((name, inner)) => find(name, inner)?,
        };
        Ok((asked, flags))
    });
    found.map_err(|error| {
        if error.use_stderr() {
            Early::Mistake { error: Box::new(mistake::explain(&error, &root, &words)), is_json: is_json(&words) }
        } else {
            Early::Help { text: error, has_pager: !words.iter().any(|word| word == "--no-pager") }
        }
    })
}

/// Whether a command line that was not understood asks for JSON.
fn is_json(words: &[OsString]) -> bool {
    let mut ours = words.iter().take_while(|word| *word != "--").filter_map(|word| word.to_str());
    ours.any(|word| word == "--json" || word == "--fields" || word.starts_with("--fields="))
}

fn find(name: &str, matches: &ArgMatches) -> Result<Asked, clap::Error> {
    let (name, matches) = match matches.subcommand() {
        Some((verb, inner)) => (format!("{name}.{verb}"), inner),
        None => (name.to_owned(), matches),
    };
    match Own::from_matches(&name, matches) {
        Some(own) => own.map(Asked::Own),
        None => Action::from_matches(&name, matches).map(|action| Asked::Action(Box::new(action))),
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
            } else if word == "--project" || word == "--color" || word == "--fields" {
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
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;
    use crate::cli::examples::EXAMPLES;

    fn name(line: &str) -> String {
        let words = line.split(' ').map(OsString::from);
        match parse(words) {
            Ok((Asked::Action(action), _)) => action.name().to_owned(),
            other => panic!("{line}: {:?}", other.map(|(asked, _)| asked).map_err(|_| "a mistake")),
        }
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
            ("seqctl run --yes a", "run.step"),
            ("seqctl run --yes=additions", "run.all"),
            ("seqctl run runnable", "run.runnable"),
            ("seqctl run group g", "run.group"),
            ("seqctl run fusion s", "run.fusion"),
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
        let mut seen = HashSet::new();
        let more = [
            "step add build --depends-on a,b --timeout 45m --retries 2 --env A=b --command make --review",
            "step add b --type p --lane x --role y --cwd z --group g --fanout 2 --retry-delay 1s --fail-policy best_effort",
            "step add b --fusion-candidates a,b --fusion-synth c --watchdog-for d --watchdog-interval 5m --orchestrator false",
            "step add b --max-cost-usd 2.5 --limit wait --agent-arg=--x --artifact 'a/*' --prompt-file p.md",
            "run step a b --detach --fail-fast",
            "logs a --run x --attempt 2 --stderr --limit 10",
            "review reject a -m again --detach",
            "continue a -m again",
            "outcome review --note look",
            "result a --attempt 2",
            "stop a --force",
        ];
        let examples = EXAMPLES.iter().flat_map(|(_, examples)| examples.iter().map(|(line, _)| *line));
        for line in examples.chain(more).filter(|line| !line.contains(['>', '|'])) {
            let words = shell_words::split(&format!("seqctl {line}")).unwrap();
            let Ok((asked, _)) = parse(words.into_iter().map(OsString::from)) else { panic!("{line} is not understood") };
            let Asked::Action(action) = asked else { continue };
            let action = *action;
            let args = action.args();
            assert_eq!(Action::from_json(action.name(), args.clone()).unwrap(), action, "{line}");
            let snaked = args.as_object().unwrap().iter().map(|(key, value)| (snake(key), value.clone())).collect();
            assert_eq!(Action::from_json(action.name(), Value::Object(snaked)).unwrap(), action, "{line} in snake_case");
            let written = action.command_line();
            let words = shell_words::split(&written).unwrap();
            match parse(words.into_iter().map(OsString::from)) {
                Ok((Asked::Action(again), _)) => assert_eq!(*again, action, "{line} as `{written}`"),
                _ => panic!("{line} is written `{written}`, which is not understood"),
            }
            if action.is_change() {
                assert_eq!(Action::from_entry(action.to_entry()).unwrap(), action, "{line} as an entry");
            }
            seen.insert(action.name());
        }
        let unseen: Vec<&str> = CATALOG.iter().map(|spec| spec.name).filter(|name| !seen.contains(name)).collect();
        assert!(unseen.is_empty(), "cli/examples.rs has nothing for {unseen:?}");
    }

    fn snake(key: &str) -> String {
        key.chars().flat_map(|c| c.is_ascii_uppercase().then_some('_').into_iter().chain([c.to_ascii_lowercase()])).collect()
    }
}
