//! What a shell offers for a word that is being typed: commands, options, and what the plan has.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Arg, Command};
use clap_complete::{
    CompleteEnv,
    engine::{ArgValueCandidates, CompletionCandidate},
    env::Shells,
};

use super::args;
use crate::{
    action::{Action, group, query},
    client::{self, Caller, Client, Consent, Output},
    error::Error,
};

/// The variable with which the script of a shell asks. It names the shell.
const ASKED: &str = "SEQCTL_COMPLETE";

/// What a word can name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Step,
    Gate,
    StepOrGate,
    Group,
    Run,
    StepOrRun,
    Any,
}

/// What an argument of a command names, if that is something that is there.
fn kind(command: &str, argument: &str) -> Option<Kind> {
    Some(match (command, argument) {
        // Names that are still to be given, and an agent.
        ("step.add" | "gate.insert" | "add" | "fuse" | "group.parallelize", "id") | ("fuse", "synth") => return None,
        ("step.clone", "to") | ("template.apply", "prefix") => return None,
        ("gate.approve" | "gate.block" | "gate.reopen" | "gate.rm", "id") => Kind::Gate,
        ("group.rm" | "run.group", "id") | (_, "group_id") => Kind::Group,
        ("why" | "dep.add" | "dep.rm" | "reset", "id" | "ids") | (_, "focus") => Kind::StepOrGate,
        (_, "depends_on" | "needs" | "before" | "after") if command != "audit.list" && command != "logs" => Kind::StepOrGate,
        ("attach" | "runs.show" | "logs" | "result" | "diff", "run") => Kind::Run,
        ("stop", "target") | ("wait", "targets") => Kind::StepOrRun,
        ("audit.list", "target") => Kind::Any,
        (_, "step" | "id" | "ids" | "candidates" | "synth" | "fusion_candidates" | "fusion_synth" | "watchdog_for") => Kind::Step,
        _ => return None,
    })
}

/// Answers a shell that asks what could stand where its cursor is. Nothing where none asks.
pub(super) fn answer(words: &[OsString]) -> Option<ExitCode> {
    env::var_os(ASKED).filter(|shell| !shell.is_empty())?;
    let project = project(words);
    let here = env::current_dir().ok();
    let done = CompleteEnv::with_factory(|| tree(project.as_ref())).var(ASKED).try_complete(words, here.as_deref());
    // A shell shows nothing for what it gets nothing for; words of ours would stand in the middle of what is typed.
    Some(if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The script that makes a shell ask.
pub(super) fn script(shell: &str) -> Result<Vec<u8>, Error> {
    let mut script = Vec::new();
    let unknown = || Error::internal(format!("no completions for `{shell}`"));
    let shells = Shells::builtins();
    let completer = shells.completer(shell).ok_or_else(unknown)?;
    completer
        .write_registration(ASKED, "seqctl", "seqctl", &program()?, &mut script)
        .map_err(|error| Error::internal(error.to_string()))?;
    if shell == "zsh" {
        // From a folder of `fpath` the script runs as the completion itself, the first time.
        script.extend_from_slice(b"if [[ ${funcstack[1]} == _seqctl ]]; then _clap_dynamic_completer_seqctl \"$@\"; fi\n");
    }
    Ok(script)
}

/// How a script calls us: by name where that was enough for the person, too.
fn program() -> Result<String, Error> {
    let called = env::args_os().next().unwrap_or_default();
    if called == "seqctl" {
        return Ok("seqctl".into());
    }
    let path = env::current_exe().map_err(Error::io("find", "seqctl itself"))?;
    Ok(path.to_string_lossy().into_owned())
}

/// The project that is meant by what has been typed so far.
fn project(words: &[OsString]) -> Option<PathBuf> {
    let mut typed = words.iter().skip_while(|word| *word != "--").skip(1);
    let mut chosen = None;
    while let Some(word) = typed.next() {
        match word.to_str() {
            Some("--") => break,
            Some("--project") => chosen = typed.next().cloned(),
            Some(word) => chosen = word.strip_prefix("--project=").map(OsString::from).or(chosen),
            None => {}
        }
    }
    let chosen = chosen.or_else(|| env::var_os("THREADOS_BASE_PATH")).map(PathBuf::from)?;
    // The shell has not replaced it yet.
    match (chosen.strip_prefix("~"), env::var_os("HOME")) {
        (Ok(inner), Some(home)) => Some(PathBuf::from(home).join(inner)),
        _ => Some(chosen),
    }
}

/// The command tree, knowing what its arguments name.
fn tree(project: Option<&PathBuf>) -> Command {
    let root = args::command();
    let nouns: Vec<String> = root.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let root = nouns.iter().fold(root, |root, noun| root.mut_subcommand(noun, |command| with_kinds(command, noun, project)));
    // `run` alone takes what `run step` takes.
    root.mut_subcommand("run", |run| run.arg(Arg::new("ids").num_args(0..).add(candidates(Kind::Step, project))))
}

fn with_kinds(command: Command, name: &str, project: Option<&PathBuf>) -> Command {
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let command = verbs.iter().fold(command, |command, verb| {
        command.mut_subcommand(verb, |inner| with_kinds(inner, &format!("{name}.{verb}"), project))
    });
    command.mut_args(|argument| match kind(name, argument.get_id().as_str()) {
        Some(kind) => argument.add(candidates(kind, project)),
        None => argument,
    })
}

fn candidates(kind: Kind, project: Option<&PathBuf>) -> ArgValueCandidates {
    let project = project.cloned();
    // Outside a project, and where the plan cannot be read, there is nothing to offer.
    ArgValueCandidates::new(move || client::open(project.as_deref()).map_or_else(|_| Vec::new(), |client| found(kind, &client)))
}

/// Everything of a kind that there is, each with a word about it.
fn found(kind: Kind, client: &Client) -> Vec<CompletionCandidate> {
    let has = |kinds: &[Kind]| kind == Kind::Any || kinds.contains(&kind);
    let mut asked: Vec<Action> = Vec::new();
    if has(&[Kind::Step, Kind::StepOrGate, Kind::StepOrRun]) {
        asked.push(Action::StepList(query::StepList { status: None }));
    }
    if has(&[Kind::Gate, Kind::StepOrGate]) {
        asked.push(Action::GateList(query::GateList {}));
    }
    if has(&[Kind::Group]) {
        asked.push(Action::GroupList(group::List {}));
    }
    if has(&[Kind::Run, Kind::StepOrRun]) {
        asked.push(Action::RunsList(query::RunsList { limit: 20 }));
    }
    let caller = Caller::from_environment("cli");
    let answers = asked.iter().filter_map(|action| client.call(&caller, action, Consent::None).ok());
    answers.flat_map(|reply| named(reply.output)).collect()
}

/// What an answer has names for.
fn named(output: Output) -> Vec<CompletionCandidate> {
    let offer = |id: &str, about: &str| CompletionCandidate::new(OsStr::new(id)).help(Some(about.to_owned().into()));
    match output {
        Output::Steps { steps } => steps.iter().map(|step| offer(step.id.as_str(), step.status.as_str())).collect(),
        Output::Gates { gates } => gates.iter().map(|gate| offer(gate.id.as_str(), gate.status)).collect(),
        Output::Groups { groups } => groups.iter().map(|group| offer(group.id.as_str(), "group")).collect(),
        Output::Runs { runs } => runs.iter().map(|run| offer(&run.id, &run.state)).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::builder::ValueParser;

    use super::*;
    use crate::{action::CATALOG, model::Id};

    /// Every argument that takes the name of something, and those that give a name.
    #[test]
    fn every_name_is_known_for_what_it_names() {
        let mut fresh = Vec::new();
        for spec in CATALOG {
            let command = (spec.command)(Command::new(spec.name));
            for argument in command.get_arguments() {
                let takes_id = argument.get_value_parser().type_id() == ValueParser::from(clap::value_parser!(Id)).type_id();
                if takes_id && kind(spec.name, argument.get_id().as_str()).is_none() {
                    fresh.push(format!("{} {}", spec.name, argument.get_id()));
                }
            }
        }
        fresh.sort();
        let wanted = [
            "add id",
            "fuse id",
            "gate.insert id",
            "group.parallelize id",
            "step.add id",
            "step.clone to",
            "template.apply prefix",
        ];
        assert_eq!(fresh, wanted, "these take new names; others have a kind");
    }

    #[test]
    fn the_project_is_the_one_that_was_typed() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(project(&words("seqctl -- seqctl --project a why x")), Some("a".into()));
        assert_eq!(project(&words("seqctl -- seqctl why --project=b x")), Some("b".into()));
        assert_eq!(project(&words("seqctl -- seqctl step add x -- --project c")), None);
    }
}
