//! What is read, what is refused, and what a change leaves alone, by example.

use std::path::Path;

use super::{Statuses, parse, patch};
use crate::{
    error::Error,
    model::{Candidates, CommandLine, Gate, GateStatus, Sequence, Span, Step, StepStatus},
};

fn path() -> &'static Path {
    Path::new("s.yaml")
}

fn read(text: &str) -> Sequence {
    parse(text.as_bytes(), path()).unwrap().sequence
}

fn changed(text: &str, change: impl FnOnce(&mut Sequence)) -> String {
    let before = read(text);
    let mut after = before.clone();
    change(&mut after);
    patch(text, &before, &after, path()).unwrap()
}

fn refusal(text: &str) -> String {
    match parse(text.as_bytes(), path()).unwrap_err() {
        Error::Yaml { line, column, why, .. } => format!("{line}:{column} {why}"),
        other => other.to_string(),
    }
}

fn step(id: &str) -> Step {
    let mut step = Step::new(id.parse().unwrap());
    step.command = Some(CommandLine::Shell(format!("run {id}")));
    step
}

#[test]
fn every_key_is_read() {
    let plan = read(
        "version: 1\nname: 5\nmetadata: {tags: one, created_at: 2026-01-02}\npolicy:\n  command_allowlist: [ls]\n  cwd_patterns: src\n\
         defaults: {agent: codex, timeout_ms: 1500}\nsteps:\n- id: 7\n  agent: claude-code/opus\n  command: [sh, -c, 'x y']\n  env: {PORT: 8080, ON: true}\n  \
         depends_on: build\n  fusion_candidates: [a, b]\n  orchestrator: true\n  retry_delay: 1h30m\n  fail_policy: continue\n  max_cost_usd: 2\n  review: null\n\
         gates:\n- {id: g, status: APPROVED, note: !!str 1}\n",
    );
    let step = &plan.steps[0];
    assert_eq!((plan.name.as_deref(), plan.metadata.created_at.as_deref()), (Some("5"), Some("2026-01-02")));
    assert_eq!((&*plan.metadata.tags, &*plan.policy.allowed_cwd), (&["one".to_owned()][..], &["src".to_owned()][..]));
    assert_eq!((plan.defaults.model.as_deref(), plan.defaults.timeout), (Some("codex"), Some(Span::from_ms(1500))));
    assert_eq!((step.id.as_str(), step.model.as_deref()), ("7", Some("claude-code/opus")));
    assert_eq!(step.command, Some(CommandLine::Argv(vec!["sh".into(), "-c".into(), "x y".into()])));
    assert_eq!((&*step.env["PORT"], &*step.env["ON"], step.depends_on[0].as_str()), ("8080", "true", "build"));
    assert_eq!(step.fusion_candidates, Some(Candidates::Of(vec!["a".parse().unwrap(), "b".parse().unwrap()])));
    assert_eq!((step.retry_delay, step.max_cost_usd, step.review), (Some(Span::from_ms(5_400_000)), Some(2.0), None));
    assert_eq!((plan.gates[0].status, plan.gates[0].note.as_deref()), (Some(GateStatus::Approved), Some("1")));
}

#[test]
fn lines_and_warnings() {
    let text = "name: x\nstesp: []\nx-own: 1\nsteps:\n- id: a\n  dependson: x\n  env: {A: }\n- id: b\n  command: x\n  depends_on:\n    - a\n    - g\ngates:\n- {id: g}\n";
    let parsed = parse(text.as_bytes(), path()).unwrap();
    let warnings: Vec<_> = parsed
        .warnings
        .iter()
        .map(|warning| format!("{} {} ({})", warning.line, warning.message, warning.hint.clone().unwrap()))
        .collect();
    assert_eq!(
        warnings,
        [
            "1 `version` is missing (write `version: \"1.0\"` at the top)",
            "2 unknown key `stesp` (did you mean `steps`?)",
            "5 step `a` has nothing to run (give it a `command:`, a `prompt:` or a `prompt_file:`)",
            "6 unknown key `dependson` in step `a` (did you mean `depends_on`?)",
            "7 `A` under `env` in step `a` has no value (`A: \"\"` sets it to nothing)",
        ]
    );
    assert_eq!((parsed.lines.of("b"), parsed.lines.of("g"), parsed.lines.of("c")), (Some(8), Some(14), None));
    assert_eq!((parsed.lines.of_dependency("b", "g"), parsed.lines.of_dependency("a", "b")), (Some(12), None));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let cases = [
        ("", "1:1 the file is empty"),
        ("# only a comment\n", "1:1 the file is empty"),
        ("- a\n", "1:1 this is not a sequence"),
        ("version: 2\n", "s.yaml was written by a newer seqctl (format 2)"),
        ("version: \"1.1\"\nsteps: nonsense\n", "s.yaml was written by a newer seqctl (format 1.1)"),
        ("version: one\n", "1:10 this `version` is unknown"),
        ("steps:\n  - id: a\n\tname: b\n", "3:1 a tab cannot indent a line"),
        ("steps: [a", "1:10 these brackets are not closed, or lack a comma"),
        ("name: \"a\n", "1:7 this quote is never closed"),
        ("name: a: b\n", "1:8 there is a second `: ` on this line"),
        ("steps:\n- id: a\n   name: b\n", "3:8 this line goes on with the text above, so it cannot be a key"),
        ("steps:\n- id: a\n  name: x\n  id: b\n", "4:3 the key `id` stands here and on line 2 already"),
        ("steps:\n- id: a\ngates:\n- id: a\n", "4:7 the id `a` stands here and on line 2 already"),
        ("steps:\n- name: x\n", "2:3 this step has no `id`"),
        ("steps:\n- id: all\n", "2:7 `id` in step `all`: `all` cannot be an id, that word has a meaning of its own in commands"),
        ("steps:\n- id: a\n  timeout: 5\n", "3:12 `timeout` in step `a` is `5`"),
        (
            "steps:\n- id: a\n  timeout_ms: 5\n  timeout: 5m\n",
            "3:3 `timeout_ms` in step `a` says the same as `timeout` on line 4",
        ),
        ("steps:\n- id: a\n  status: DOEN\n", "3:11 `status` in step `a` is `DOEN`"),
        ("steps:\n- id: a\n  review: yes\n", "3:11 `review` in step `a` is `yes`"),
        ("steps:\n- id: a\n  dependsOn: [b]\n  depends_on: {b: c}\n", "4:15 `depends_on` in step `a` is a mapping"),
        ("a: &x 1\nb: *x\n", "2:4 aliases (`*name`) are not read"),
        ("x-a: {<<: 1}\n", "1:7 merge keys (`<<`) are not read"),
        ("name: a\n---\nname: b\n", "2:1 a second document begins here"),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(text), expected, "{text:?}");
    }
    let deep = format!("x: {}", "[".repeat(100));
    assert_eq!(refusal(&deep), "1:67 this is nested more than 64 levels deep");
}

#[test]
fn an_excerpt_points_at_the_place() {
    let error = parse("name: x\nsteps:\n- id: größe\n".as_bytes(), path()).unwrap_err();
    let Error::Yaml { excerpt, expected, .. } = error else { panic!("{error}") };
    assert_eq!(excerpt, "   3 | - id: größe\n     |       ^");
    assert_eq!(expected.unwrap(), "an id like `build-api-2`");
}

const PLAN: &str = "\
# Our plan
version: \"1.0\"

steps:
  # First of all
  - id: build     # quick
    command: cargo build   # all of it
    timeout_ms: 60000
    x-team: core

  # Then the tests

  # (slow)
  - id: test
    'name': 'The tests'
    depends_on:
      - build # needed
      # - lint
    prompt: |  # long
        Run them.
    # retries: 3
";

#[test]
fn a_scalar_changes_alone() {
    let new = changed(PLAN, |plan| {
        plan.steps[0].command = Some(CommandLine::Shell("make: all".into()));
        plan.steps[0].timeout = Some(Span::from_ms(5000));
        plan.steps[1].name = Some("It's new".into());
        plan.steps[1].prompt = Some("Run them.\nAll.\n".into());
    });
    let expected = PLAN
        .replace("cargo build   #", "\"make: all\"   #")
        .replace("60000", "5000")
        .replace("'The tests'", "'It''s new'")
        .replace("        Run them.\n", "        Run them.\n        All.\n");
    assert_eq!(new, expected);
}

#[test]
fn keys_come_and_go_by_lines() {
    let new = changed(PLAN, |plan| {
        plan.steps[0].timeout = None;
        plan.steps[0].status = Some(StepStatus::Done);
        plan.steps[1].depends_on.clear();
        plan.steps[1].model = Some("codex".into());
        plan.name = Some("demo".into());
    });
    let expected = PLAN
        .replace("    timeout_ms: 60000\n", "    status: DONE\n")
        .replace("    depends_on:\n      - build # needed\n      # - lint\n", "    model: codex\n")
        .replace("\"1.0\"\n", "\"1.0\"\nname: demo\n");
    assert_eq!(new, expected);
}

#[test]
fn steps_come_go_and_move_with_their_comments() {
    let new = changed(PLAN, |plan| plan.steps.insert(1, step("lint")));
    assert_eq!(new, PLAN.replace("    x-team: core\n", "    x-team: core\n\n  - id: lint\n    command: run lint\n"));
    let new = changed(PLAN, |plan| drop(plan.steps.remove(0)));
    let (start, end) = (PLAN.find("  # First").unwrap(), PLAN.find("  # Then").unwrap());
    assert_eq!(new, format!("{}{}", &PLAN[..start], &PLAN[end..]));
    let new = changed(PLAN, |plan| plan.steps.reverse());
    let test = PLAN.find("  # (slow)").unwrap();
    assert_eq!(new, format!("{}{}\n{}{}", &PLAN[..start], &PLAN[test..], &PLAN[start..end], "  # Then the tests\n"));
    let new = changed(PLAN, |plan| plan.steps.clear());
    assert_eq!(new, "# Our plan\nversion: \"1.0\"\n\nsteps: []\n  # Then the tests\n");
}

#[test]
fn sections_come_where_they_belong() {
    let add = |plan: &mut Sequence| {
        plan.steps.push(step("a"));
        plan.gates.push(Gate::new("g".parse().unwrap()));
    };
    assert_eq!(changed("version: 1", add), "version: 1\nsteps:\n  - id: a\n    command: run a\ngates:\n  - id: g\n");
    let empty = "version: 1\r\n\r\ngates: [] # none\r\nsteps:\r\n";
    let full = "version: 1\r\n\r\ngates: # none\r\n  - id: g\r\nsteps:\r\n  - id: a\r\n    command: run a\r\n";
    assert_eq!(changed(empty, add), full);
    let json = "{\n  \"version\": \"1.0\",\n  \"steps\": [\n    {\"id\": \"b\"}\n  ]\n}\n";
    let new = changed(json, |plan| {
        plan.steps[0].review = Some(true);
        add(plan);
    });
    let item = "{\"id\": \"b\", \"review\": true},\n    {\"id\": \"a\", \"command\": \"run a\"}";
    assert_eq!(new, json.replace("{\"id\": \"b\"}", item).replace("  ]\n", "  ],\n  \"gates\": [{\"id\": \"g\"}]\n"));
}

#[test]
fn lists_keep_their_form() {
    let text = "steps:\n- id: a\n  depends_on: [ b, c ] # two\n  artifacts:\n  - x # one\n  # two\n  - y\n- {id: b, agent_args: [-p,\n    # why\n    -q, # so\n    ]}\n- id: c\n  depends_on: b\n";
    let new = changed(text, |plan| {
        plan.steps[0].depends_on.insert(1, "d".parse().unwrap());
        plan.steps[0].artifacts = vec!["x".into(), "z z".into(), "w".into()];
        plan.steps[1].agent_args.push("-r".into());
        plan.steps[2].depends_on = vec!["a".parse().unwrap()];
    });
    let expected = text
        .replace("[ b, c ]", "[ b, d, c ]")
        .replace("- y\n", "- z z\n  - w\n")
        .replace("# so\n", "# so\n    -r,\n")
        .replace("depends_on: b\n", "depends_on: a\n");
    assert_eq!(new, expected);
}

#[test]
fn what_cannot_be_changed_piecemeal_is_refused() {
    let text = "steps: [id: a]\n";
    let before = read(text);
    let mut after = before.clone();
    after.steps[0].review = Some(true);
    let error = patch(text, &before, &after, path()).unwrap_err();
    assert_eq!(error.to_string(), "s.yaml:1:9: this is written in a way that seqctl cannot change");
}

#[test]
fn a_status_is_spliced() {
    let mut text = PLAN.to_owned();
    let mut statuses = Statuses::find(&text, path()).unwrap();
    statuses.set(&mut text, &[(1, Some("FAILED")), (0, Some("DONE"))]).unwrap();
    let done = PLAN
        .replace("all of it\n", "all of it\n    status: DONE\n")
        .replace("      # - lint\n", "      # - lint\n    status: FAILED\n");
    assert_eq!(text, done);
    statuses.set(&mut text, &[(1, Some("NEEDS_REVIEW")), (0, None)]).unwrap();
    assert_eq!(text, done.replace("    status: DONE\n", "").replace("FAILED", "NEEDS_REVIEW"));
    assert!(statuses.set(&mut text, &[(2, None)]).is_err());
    assert!(statuses.set(&mut text, &[(0, Some("APPROVED"))]).is_err());
    assert!(statuses.set(&mut String::new(), &[(0, None)]).is_err());
}

/// Texts that a fuzzer came upon: once they were a panic, or an error of ours.
#[test]
fn what_a_fuzzer_found() {
    let lost = "---\n{version: 1, \"sleps\":{[d !i\"mpt: é}], \"::  b, prompt: é}], ? \u{79e}\", \"status\": \"DONE\"}, {id: b, promsion: 1, \
                \"sleps\":{[d !i\"\"::  b, prompt: é}], ? \u{79e}\", \"status\": \"DONE\"},s[  ]:t}\n";
    assert!(refusal(lost).ends_with("this is written in a way that is not understood"), "{}", refusal(lost));
    assert_eq!(changed("{a: ~ -\n }", |plan| plan.name = Some("x".into())), "{a: ~ - , name: x\n }");
    assert_eq!(read("steps:\n- id: a\n  command: |\n    x").steps[0].command, Some(CommandLine::Shell("x\n".into())));
}
