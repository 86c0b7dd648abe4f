//! Errors say what to do next, and their codes, classes and exit statuses are stable.

use std::{collections::BTreeSet, io};

use serde_json::json;
use threados::{
    error::{Class, Error},
    model::{FailPolicy, GateStatus, Id},
};

use crate::harness::Test;

fn id(name: &str) -> Id {
    name.parse().unwrap()
}

/// One of every failure, with the facts of an example.
#[expect(clippy::too_many_lines, reason = "a list")]
pub(crate) fn samples() -> Vec<Error> {
    let near = || Some("build".to_owned());
    let path = || ".threados/sequence.yaml".into();
    let run = || "20261122-104204-ef8c".to_owned();
    let yaml = Error::Yaml {
        path: path(),
        line: 12,
        column: 5,
        why: "this quote is never closed".into(),
        expected: Some("a closing quote".into()),
        excerpt: String::new(),
    };
    vec![
        Error::Internal { what: "a plan has a kind".into() },
        Error::Io { what: "write", path: path(), source: io::Error::from(io::ErrorKind::PermissionDenied) },
        Error::Unfit { broken: vec!["locks".into()] },
        Error::Usage { what: "there is no command `stpe`".into(), hint: Some("did you mean `step`?".into()) },
        Error::IdInvalid { id: "Build".into(), why: "it must begin with a lower-case letter or a digit" },
        Error::DurationInvalid { text: "5x".into() },
        Error::FieldInvalid { field: "env", why: "`A` is not NAME=VALUE".into() },
        Error::ActionInvalid { action: "skip".into(), why: "missing field `id`".into() },
        Error::ActionUnknown { action: "gate.aprove".into(), nearest: Some("gate.approve".into()) },
        Error::Entries { wrong: vec![(2, Error::StepNotFound { step: "biuld".into(), nearest: near() })] },
        yaml,
        Error::FileUnusable { path: path(), why: "is missing".into() },
        Error::PlanInvalid { id: id("build"), why: "`watchdog_for` names itself".into(), place: None },
        Error::TemplateInvalid {
            path: ".threados/templates/mine.yaml".into(),
            line: 7,
            column: 9,
            why: "`{{targt}}` is no parameter of this template".into(),
            expected: Some("`target`".into()),
            excerpt: String::new(),
        },
        Error::ParameterUnknown { template: "mine".into(), parameter: "targt".into(), nearest: Some("target".into()) },
        Error::ParameterInvalid { template: "mine".into(), parameter: "count".into(), why: "`x` is not a whole number".into() },
        Error::TemplateNotFound { template: "fuson".into(), nearest: Some("fusion".into()) },
        Error::IdsTaken { ids: vec![id("plan")] },
        Error::PromptTaken { step: id("plan"), path: ".threados/prompts/plan.md".into() },
        Error::GroupDisagrees {
            group: id("tests"),
            members: [(id("unit"), FailPolicy::FailFast), (id("api"), FailPolicy::BestEffort)],
        },
        Error::GroupDependent { group: id("tests"), id: id("api"), need: id("unit") },
        Error::NoFusion { step: id("merge") },
        Error::Warnings { path: path(), count: "1 warning".into(), list: "\n  line 7: unknown key `timout`".into() },
        Error::TooNew { path: path(), version: "2.0".into() },
        Error::CircularDependency { cycle: vec![id("build"), id("test")], place: None },
        Error::FileNotFound { path: "changes.json".into() },
        Error::DependencyNotFound { id: id("test"), dependency: id("biuld"), nearest: near(), place: None },
        Error::NotDependent { id: id("test"), dependency: id("lint") },
        Error::ProjectNotFound { from: "/home/ada".into(), is_chosen: false },
        Error::StepNotFound { step: "biuld".into(), nearest: near() },
        Error::GateNotFound { gate: "shp".into(), nearest: Some("ship".into()) },
        Error::NodeNotFound { id: "biuld".into(), nearest: near() },
        Error::GroupNotFound { group: "tests".into(), nearest: None },
        Error::PromptNotFound { step: id("review"), file: "prompts/review.md".into() },
        Error::NoPrompt { step: id("review"), has_command: false },
        Error::RunNotFound { run: run() },
        Error::NoRun,
        Error::NoRunYet,
        Error::LogNotFound { step: id("build"), run: run(), attempt: 3 },
        Error::NeverRan { step: id("build") },
        Error::RevisionChanged { expected: "sha256:0123456789abcdef".into(), actual: "sha256:fedcba9876543210".into() },
        Error::PromptChanged { step: id("review") },
        Error::AlreadyExists { id: id("build") },
        Error::ProjectExists { path: "/home/ada/shop".into() },
        Error::HasDependents { id: id("build"), dependents: vec![id("test"), id("ship")] },
        Error::StepRunning { step: id("build") },
        Error::StepNotRunning { step: id("build") },
        Error::CannotExtend { step: id("build"), why: "its time is over, and it is being ended".into() },
        Error::CannotTurn { seq: 12, why: "it is no change of the plan".into() },
        Error::NothingToTurn { what: "undo" },
        Error::StepElsewhere { step: id("build") },
        Error::StepEnded { step: id("build"), status: "DONE" },
        Error::StepBlocked { step: id("test"), why: "it waits for `build`".into() },
        Error::GateNotPending { gate: id("ship"), status: GateStatus::Approved },
        Error::GateChanged { gate: id("ship") },
        Error::GatePending { gate: id("ship") },
        Error::GateNotReached { gate: id("ship"), why: "it waits for `test`".into() },
        Error::Locked { pid: Some(4711), seconds: 10 },
        Error::SaveConflict { place: ".threados/state/conflicts/12.yaml".into(), why: "no step is called `build`".into() },
        Error::FileBusy { path: path() },
        Error::RunState { run: run(), why: "has ended".into() },
        Error::AuditDamaged { path: ".threados/audit.log".into() },
        Error::AuditBroken {
            path: ".threados/audit.log".into(),
            line: 7,
            seq: 7,
            why: "does not follow the one before it".into(),
        },
        Error::Denied { why: "`rm` is not among allowed_commands".into(), rule: "allowed_commands" },
        Error::ConfirmationRequired { what: "running `build`".into(), why: "SAFE mode asks before it runs anything".into() },
        Error::StepCannotConfirm { what: "running `build`".into(), why: "SAFE mode asks before it runs anything".into() },
        Error::Declined { what: "running `build`".into() },
        Error::Requested { request: "r7".into(), what: "running `build`".into() },
        Error::RequestNotFound { request: "r7".into() },
        Error::RequestClosed { request: "r7".into(), how: "denied", by: "user".into() },
        Error::RequestVoid { request: "r7".into(), steps: vec![id("build")] },
        Error::RequestDenied {
            request: "r7".into(),
            what: "running `build`".into(),
            by: "user".into(),
            note: Some("not today".into()),
        },
        Error::StepFailed { failed: vec![(id("build"), "exit 2".into())] },
        Error::AgentUnknown {
            step: id("review"),
            agent: "claud".into(),
            nearest: Some("claude-code".into()),
            known: vec!["codex".into()],
        },
        Error::AgentMissing {
            step: id("review"),
            agent: "codex".into(),
            program: "codex".into(),
            install: Some("npm install -g @openai/codex".into()),
        },
        Error::AgentUnable { agent: "mine".into(), what: "takes no model", key: "model_flag" },
        Error::NoSession { step: id("review"), why: "it is a command" },
        Error::TerminalMissing { action: "open" },
        Error::NotEnded { step: id("review") },
        Error::NotInStep,
        Error::NotInReview { step: id("review"), status: "DONE" },
        Error::ProjectUnusable { path: ".threados/state/lock".into(), why: "this file system does not lock".into() },
        Error::RunnerFailed { run: run(), why: "it ended at once".into() },
        Error::MprocsNotFound { why: "`mprocs` is not on PATH".into() },
        Error::MprocsFailed { why: "cannot listen: port 4050 is taken".into() },
        Error::MprocsClosed,
        Error::MprocsOpen { pid: 4242 },
        Error::EditorFailed { why: "wants a terminal".into(), kept: None },
        Error::Waiting { what: vec!["gate `ship`".into()], hint: "`seqctl gate approve ship` lets it go on".into() },
        Error::WaitTimeout { ids: vec![id("deploy")], after: "5m".into() },
    ]
}

/// The name of a failure. No `_`: a new one has to be added to [`samples`] too.
fn name(error: &Error) -> &'static str {
    macro_rules! names {
        ($($name:ident)*) => { match error { $(Error::$name { .. } => stringify!($name),)* } };
    }
    names!(Internal Io Usage IdInvalid DurationInvalid FieldInvalid ActionInvalid ActionUnknown Entries FileNotFound RevisionChanged
        Yaml FileUnusable TooNew CircularDependency DependencyNotFound NotDependent PlanInvalid Warnings ProjectNotFound StepNotFound
        GateNotFound NodeNotFound GroupNotFound PromptNotFound NoPrompt PromptChanged RunNotFound NoRun NoRunYet LogNotFound NeverRan
        AlreadyExists ProjectExists HasDependents StepRunning StepNotRunning CannotExtend CannotTurn NothingToTurn StepElsewhere StepEnded StepBlocked GateNotPending GatePending
        GateNotReached Locked SaveConflict FileBusy RunState Denied ConfirmationRequired Declined StepCannotConfirm
        Requested RequestNotFound RequestClosed RequestVoid RequestDenied StepFailed
        WaitTimeout Waiting AgentUnknown AgentMissing AgentUnable NoSession TerminalMissing NotEnded NotInStep NotInReview ProjectUnusable RunnerFailed MprocsNotFound MprocsFailed MprocsClosed MprocsOpen Unfit EditorFailed AuditBroken AuditDamaged
        TemplateInvalid ParameterUnknown ParameterInvalid TemplateNotFound IdsTaken PromptTaken GateChanged GroupDisagrees GroupDependent NoFusion)
}

#[test]
fn every_failure_is_among_the_samples() {
    let source = include_str!("../src/error.rs");
    let variants = source.split("pub enum Error {").nth(1).unwrap().split("\n}\n").next().unwrap();
    let declared: BTreeSet<&str> = variants
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| line.split([' ', ',', '(']).next().unwrap())
        .collect();
    let sampled: Vec<&str> = samples().iter().map(name).collect();
    assert_eq!(sampled.iter().copied().collect::<BTreeSet<_>>(), declared);
    assert_eq!(sampled.len(), declared.len(), "one of each");
}

#[test]
fn every_failure_says_what_to_do() {
    for error in samples() {
        let (text, (code, class)) = (error.to_string(), error.code());
        let hint = error.hint().unwrap_or_else(|| panic!("{code}: `{text}` has no hint"));
        for words in [&text, &hint] {
            assert!(!words.is_empty() && !words.ends_with(['.', '\n', ' ']), "{code}: {words}");
        }
        let first = text.chars().next().unwrap();
        assert!(!first.is_uppercase(), "{code}: {text}");
        assert!(code.chars().all(|c| c.is_ascii_uppercase() || c == '_'), "{code}");
        assert!((1..=9).contains(&class.exit()), "{code}");
    }
}

#[test]
fn classes_differ() {
    let exits: BTreeSet<u8> = Class::ALL.iter().map(|class| class.exit()).collect();
    assert_eq!(exits, (1..=9).collect());
    let words: BTreeSet<&str> = Class::ALL.iter().map(|class| class.as_str()).collect();
    assert_eq!(words.len(), Class::ALL.len());
    assert!(Class::ALL.iter().all(|class| [200, 400, 403, 404, 409, 428, 500, 503].contains(&class.http())));
}

const PLAN: &str = "\
version: \"1.0\"
name: shop
steps:
  - {id: fetch, command: echo fetch}
  - {id: build, command: echo build, depends_on: [fetch]}
  - {id: review, model: claude-cod, prompt: Look}
gates:
  - {id: ship, depends_on: [build]}
";

#[test]
fn a_beginner_is_told_the_next_step() {
    let test = Test::new().sequence(PLAN);
    let table: &[(&str, i32, &str, &str)] = &[
        ("stpe list", 2, "there is no command `stpe`", "did you mean `step`?"),
        ("step lst", 2, "there is no command `step lst`", "did you mean `step list`?"),
        ("frobnicate", 2, "there is no command `frobnicate`", "`seqctl help` shows the commands"),
        ("run --detatch", 2, "no option `--detatch`", "did you mean `--detach`?"),
        ("status --nonsense", 2, "no option `--nonsense`", "`seqctl help status` shows how to use it"),
        ("dep", 2, "`seqctl dep` wants to know what to do", "one of add, rm"),
        ("dep add x", 2, "wants `<NEEDS>...`", "`seqctl help dep add`"),
        ("step add a b", 2, "`b` is one word too many", "`seqctl help step add`"),
        ("step add Build_Api", 2, "`Build_Api` cannot be an id", "ids look like `build-api-2`"),
        ("step add x --timeout 5parsecs", 2, "`5parsecs` is not a duration", "`45m`"),
        ("step add x --retries many", 2, "`--retries <N>` does not take `many`", "`seqctl help step add`"),
        ("step add x --type z", 2, "`--type <TYPE>` does not take `z`: one of base", "`seqctl help step add`"),
        ("logs fetch --tail", 2, "`--tail <N>` wants a value", "`seqctl help logs`"),
        ("status --color pink", 2, "`--color <WHEN>` does not take `pink`", "one of auto, always, never"),
        ("run --detach --wait", 2, "`--detach` and `--wait` exclude each other", "`seqctl help run all`"),
        ("schema output statsu", 2, "no action is called `statsu`", "did you mean `status`?"),
        ("step show biuld", 3, "no step is called `biuld`", "did you mean `build`?"),
        ("step show zzz", 3, "no step is called `zzz`", "`seqctl step list`"),
        ("gate approve shp", 3, "no gate is called `shp`", "did you mean `ship`?"),
        ("run group tests", 3, "no group is called `tests`", "`seqctl step edit <id> --group <group>`"),
        ("logs fetch", 3, "`fetch` has not run yet", "`seqctl run fetch`"),
        ("attach", 3, "no run is going on", "`seqctl run` starts one"),
        ("attach 20260101-000000-0000", 3, "no run is called", "`seqctl runs list`"),
        ("apply -f none.json", 3, "there is no file none.json", "current folder"),
        ("apply -f .threados", 2, ".threados: is a folder", "put a file in its place"),
        ("prompt set review --file none.md", 3, "there is no file none.md", "current folder"),
        ("prompt show fetch", 3, "`fetch` has no prompt", "it runs a command"),
        ("prompt set fetch --text x", 2, "`fetch` runs a command", "`seqctl help <command>`"),
        ("prompt edit review", 8, "the editor wants a terminal", "`seqctl prompt set <step> --file FILE`"),
        ("dep add fetch ship", 2, "in a circle", "`seqctl dep rm <step> <needs>`"),
        ("dep add build nope", 3, "no step or gate is called `nope`", "`seqctl step list`"),
        ("dep rm build ship", 3, "`build` does not depend on `ship`", "`seqctl step show build`"),
        ("step rm fetch --yes", 4, "`fetch` is needed by `build`", "`--cascade`"),
        ("step add ship", 4, "`ship` exists already", "choose another id"),
        ("run build", 4, "`build` cannot start: it waits for `fetch`", "`seqctl status`"),
        ("stop fetch", 4, "`fetch` is not running", "`seqctl status`"),
        ("extend fetch 30m", 4, "`fetch` is not running", "`seqctl status`"),
        ("extend fetch 0s", 2, "nothing would be added", "`seqctl help <command>`"),
        ("extend fetch soon", 2, "`soon`", "`90s`, `45m` or `1h30m`"),
        ("extend fetsh 30m", 3, "no step is called `fetsh`", "did you mean `fetch`?"),
        ("gate approve ship", 4, "cannot be approved yet", "`--ahead`"),
        ("gate reopen ship", 4, "is PENDING already", "`seqctl gate approve ship`"),
        ("init", 4, "is a ThreadOS project already", "`seqctl status`"),
        ("run fetch", 6, "needs a confirmation", "`--yes`"),
        ("run review --yes", 8, "`claude-cod`", "did you mean `claude-code`"),
    ];
    for (line, code, what, hint) in table {
        let out = test.run(&line.split(' ').collect::<Vec<_>>()).fails(*code);
        let (error, rest) = out.stderr.split_once('\n').unwrap_or_else(|| panic!("{line}: {}", out.all()));
        assert!(error.starts_with("error: ") && error.contains(what), "{line}: {}", out.all());
        assert!(rest.starts_with("hint: ") && rest.contains(hint), "{line}: {}", out.all());
        assert!(out.stdout.is_empty(), "{line}: {}", out.all());
    }
    let outside = Test::new();
    outside.run(&["status"]).fails(3).says("no ThreadOS project").says("`seqctl init`").says("`--project DIR`");
    outside.run(&["--project", "/nowhere", "status"]).fails(3).says("/nowhere").says("`seqctl init`");
}

#[test]
fn what_a_list_of_actions_gets_wrong_is_said_by_entry() {
    let test = Test::new().sequence(PLAN);
    let apply = |list: &str| test.run_with(&["apply", "-f", "-"], list);
    let out = apply(r#"[{"action": "skip", "id": "fetch"}, {"action": "skip"}, {"action": "skp", "id": "x"}]"#).fails(2);
    assert!(out.stderr.starts_with("error: 2 entries are wrong\n  entry 2: invalid arguments for `skip`"), "{}", out.stderr);
    assert!(out.stderr.contains("  entry 3: no action is called `skp` (did you mean `skip`?)"), "{}", out.stderr);
    let list = r#"[{"action": "skip", "id": "fetch"}, {"action": "skip", "id": "biuld"}]"#;
    let document = test.run_with(&["apply", "-f", "-", "--json"], list).fails(3).json();
    assert_eq!((&document["data"]["entries"][0]["entry"], &document["code"]), (&json!(2), &json!("STEP_NOT_FOUND")));
    let out = apply(list).fails(3);
    assert!(out.stderr.starts_with("error: entry 2: no step is called `biuld`\nhint: did you mean `build`?"), "{}", out.stderr);
    let out = apply(r#"{"action": "skip", "id": "biuld"}"#).fails(3);
    assert!(out.stderr.starts_with("error: no step is called `biuld`\n"), "{}", out.stderr);
    assert_eq!(test.status("fetch"), "READY");
}

#[test]
fn a_step_is_not_told_to_confirm_for_itself() {
    let test = Test::new().sequence(PLAN);
    let out = test.run_env("THREADOS_STEP_ID", "fetch", &["run", "fetch", "--yes"]).fails(6);
    assert!(out.stderr.contains("a step cannot give it") && !out.stderr.contains("add `--yes`"), "{}", out.stderr);
}

#[test]
fn waiting_for_a_review_or_a_gate_is_waiting_for_a_person() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: look, command: exit 42}\n  - {id: after, command: 'true', depends_on: [g]}\n  - {id: bad, command: exit 1}\ngates:\n  - {id: g}\n";
    let test = Test::new().power().sequence(plan);
    test.run(&["run", "look"]).fails(9);
    test.run(&["wait", "look", "--for", "done"])
        .fails(9)
        .says("waits for the review of `look`")
        .says("`seqctl review accept look` accepts it");
    test.run(&["wait", "after", "--for", "done"]).fails(9).says("waits for gate `g`").says("`seqctl gate approve g`");
    test.run(&["run", "bad"]).fails(7);
    test.run(&["wait", "bad", "look", "--for", "done"]).fails(7).says("step `bad` failed");
}
