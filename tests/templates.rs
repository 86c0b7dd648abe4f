//! Templates, and the actions that make threads, through the real binary.

use std::fs;

use serde_json::{Value, json};
use threados::template::BUILTIN;

use crate::harness::{Test, names};

const EMPTY: &str = "version: \"1.0\"\nsteps: []\n";

const FILLED: &str = "\
# The plan.
version: \"1.0\"
defaults: {retries: 1}
steps:
  - id: build   # first
    command: echo built

  # Others build on it.
  - id: lint
    command: echo linted
    depends_on: [build]
gates:
  - id: ok
    depends_on: [lint]
";

fn apply<'a>(name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    ["template", "apply", name].into_iter().chain(more.iter().copied()).collect()
}

fn ids(answer: &Value) -> Vec<String> {
    serde_json::from_value(answer["changes"][0]["ids"].clone()).unwrap()
}

fn prompts(test: &Test) -> Vec<String> {
    let mut found = names(&test.path(".threados/prompts"));
    found.sort();
    found
}

/// A project with a template of the user's own.
fn own(text: &str) -> Test {
    let test = Test::new().sequence(EMPTY);
    test.write(".threados/templates/own.yaml", text);
    test
}

#[test]
fn each_makes_a_valid_plan_in_one_change() {
    for (name, _) in BUILTIN {
        for (plan, more) in [(EMPTY, &[][..]), (FILLED, &["--prefix", "x", "--after", "ok", "--task", "Do it: {{as}} said."][..])]
        {
            let test = Test::new().sequence(plan);
            let entries = test.audit().len();
            let preview = test.run(&apply(name, &[more, &["--dry-run"]].concat())).success();
            assert!(preview.stdout.contains("+  - id: "), "{}", preview.stdout);
            assert_eq!(
                (test.plan().as_str(), prompts(&test), test.audit().len()),
                (plan, vec![], entries),
                "{name} was only tried"
            );

            let answer = test.run(&apply(name, &[more, &["--json"]].concat())).success().json();
            test.run(&["validate", "--strict"]).success();
            assert_eq!(test.audit().len(), entries + 1);
            let made = ids(&answer);
            assert!(made.iter().all(|id| plan == EMPTY || id.starts_with("x-")), "{made:?}");
            for prompt in prompts(&test) {
                let text = test.read(format!(".threados/prompts/{prompt}"));
                assert!(
                    !text.replace("{{as}}", "").contains("{{") && text.contains("Do it") == (plan == FILLED),
                    "{name}: {text}"
                );
            }
            let sequence: Value = serde_yaml::from_str(&test.plan()).unwrap();
            for step in
                sequence["steps"].as_array().unwrap().iter().filter(|step| made.contains(&step["id"].as_str().unwrap().into()))
            {
                let works =
                    step["command"].is_string() || test.path(".threados").join(step["prompt_file"].as_str().unwrap()).is_file();
                assert!(works, "{step:#}");
                if plan == FILLED {
                    assert!(
                        !step["depends_on"].is_null() || !step["fusion_candidates"].is_boolean() && step["id"] == "x-synthesis",
                        "{step:#}"
                    );
                }
            }
            test.run(&["undo"]).success().prints(&format!("template.apply `{name}`"));
            assert_eq!(test.plan(), plan, "{name}");
            test.run(&["redo"]).success();
            test.run(&["validate", "--strict"]).success();
            test.assert_chain_valid();
        }
    }
}

#[test]
fn parameters_decide_what_is_made() {
    let test = Test::new().sequence(EMPTY);
    let made = |more: &[&str]| ids(&test.run(&[&["template", "apply", "--json"], more].concat()).success().json());
    assert_eq!(made(&["parallel", "--count", "2", "--prefix", "a"]), ["a-worker-1", "a-worker-2", "a-merge"]);
    assert_eq!(made(&["parallel", "--count", "1", "--merge", "false", "--model", "codex/o5", "--timeout", "45m"]), ["worker-1"]);
    let step = test.run(&["step", "show", "worker-1", "--json"]).success().json()["step"].clone();
    assert_eq!((&step["model"], &step["timeout"]), (&json!("codex/o5"), &json!("45m")));
    assert_eq!(made(&["chained", "--gates", "plan,verify"]), ["plan", "implement", "verify", "plan-ok", "verify-ok"]);
    let shown = test.run(&["step", "show", "implement", "--json"]).success().json();
    assert_eq!(shown["step"]["depends_on"], json!(["plan-ok"]), "the gate stands between");
    assert_eq!(made(&["chained", "--gates", "", "--prefix", "b-"]), ["b-plan", "b-implement", "b-verify"]);
    let fusion = made(&["fusion", "--agents", "codex,codex,claude-code/opus", "--set", "model=gemini"]);
    assert_eq!(fusion, ["candidate-codex", "candidate-codex-2", "candidate-claude-code-opus", "synthesis"]);
    let synthesis = test.run(&["step", "show", "synthesis", "--json"]).success().json();
    assert_eq!((&synthesis["step"]["model"], &synthesis["state"]["status"]), (&json!("gemini"), &json!("BLOCKED")));
    assert_eq!(synthesis["state"]["waitsFor"], json!(fusion[..3]), "its candidates are its dependencies");
    assert_eq!(made(&["orchestrated", "--gates", ""]), ["orchestrate"]);
}

#[test]
fn what_cannot_be_made_is_said_and_changes_nothing() {
    let test = Test::new().sequence(FILLED);
    test.write(".threados/prompts/plan.md", "Mine.\n");
    for (line, code, says, hint) in [
        ("nope", 3, "no template is called `nope`", "template list"),
        ("fuson", 3, "no template is called `fuson`", "did you mean `fusion`?"),
        ("../sequence", 3, "no template", "template list"),
        ("base --count 3", 2, "template `base` has no parameter `count`", "template show base"),
        ("base --set modle=x", 2, "no parameter `modle`", "did you mean `model`?"),
        ("base --set model", 2, "`model` is not NAME=VALUE", "help"),
        ("parallel --count 0", 2, "parameter `count` of template `parallel`: `0` is not a number from 1 to 1000", "--set count="),
        ("base --timeout soon", 2, "`soon` is not a duration like `45m`", "--set timeout="),
        ("chained --gates plan,biuld --prefix x", 2, "chained.yaml", "biuld"),
        ("base --after nope", 3, "no step or gate is called `nope`", "step list"),
        ("chained", 4, "the prompt file .threados/prompts/plan.md of the new step `plan` exists already", "--prefix"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        test.run(&apply(words[0], &words[1..])).fails(code).says(says).says(hint);
        test.run(&apply(words[0], &[&words[1..], &["--dry-run"]].concat())).fails(code).says(says);
    }
    assert_eq!((test.plan().as_str(), prompts(&test)), (FILLED, vec!["plan.md".to_owned()]));
    test.run(&["template", "apply", "parallel"]).success();
    test.run(&["template", "apply", "parallel"])
        .fails(4)
        .says("`worker-1`, `worker-2`, `worker-3` and `merge` exist already")
        .says("--prefix");
    test.run(&["template", "apply", "parallel", "--prefix", "more"]).success();
    let list = r#"[{"action": "template.apply", "name": "base"}, {"action": "template.apply", "name": "base"}]"#;
    test.run_with(&["apply", "-f", "-"], list).fails(4).says("`task` exists already");
    assert!(!test.plan().contains("id: task"), "all or nothing");
    let list = r#"[{"action": "template.apply", "name": "base"}, {"action": "dep.add", "id": "task", "needs": ["ok"]}]"#;
    test.run_with(&["apply", "-f", "-"], list).success();
    assert_eq!(test.status("task"), "BLOCKED");
}

const OWN: &str = "\
description: Builds for several targets
parameters:
  targets: [x86, arm/64]
  retries: 2
  jobs: {type: number, about: How many jobs a build may have}
  check: true
steps:
  - for_each: targets
    id: build-{{item}}
    command: [make, \"-j{{jobs}}\", \"TARGET={{item}}\"]
    depends_on: \"build-{{previous}}\"
    retries: \"{{retries}}\"
    env: {TARGET: \"{{item}}\", NOTE: 'plain {braces} and ${{ x.y }} stay'}
  - id: x86
    command: echo {{prefix}}x86
  - when: check
    id: check
    name: Check {{targets}}
    depends_on: [\"build-{{targets}}\"]
    prompt: Look at it.
    model: codex
    x-mine: kept for me
gates:
  - id: ship
    after: [check]
";

#[test]
fn a_template_of_ones_own() {
    let test = own(OWN);
    let list = test.run(&["template", "--json"]).success().json();
    let row = list["templates"].as_array().unwrap().iter().find(|row| row["name"] == "own").unwrap();
    assert_eq!(row["description"], "Builds for several targets");
    let kinds: Vec<&str> = row["parameters"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["list", "number", "number", "flag"]);
    test.run(&["template", "apply", "own"])
        .fails(2)
        .says("parameter `jobs` of template `own`: it has no default")
        .says("--set jobs=");
    test.run(&["template", "apply", "own", "--set", "jobs=4"]).success().prints("made 4 steps and 1 gate from `own`");
    let wanted = "\
steps:
  - id: build-x86
    command: [make, -j4, TARGET=x86]
    env:
      NOTE: plain {braces} and ${{ x.y }} stay
      TARGET: x86
    retries: 2

  - id: build-arm-64
    command: [make, -j4, TARGET=arm/64]
    env:
      NOTE: plain {braces} and ${{ x.y }} stay
      TARGET: arm/64
    depends_on: [build-x86]
    retries: 2

  - id: x86
    command: echo x86

  - id: check
    name: Check x86, arm/64
    model: codex
    prompt: Look at it.
    depends_on: [build-x86, build-arm-64]
gates:
  - id: ship
    depends_on: [check]
";
    assert!(test.plan().ends_with(wanted), "{}", test.plan());
    let set = ["--set", "jobs=1", "--set", "targets=arm", "--set", "check=false", "--prefix", "p"];
    test.run(&apply("own", &set)).fails(2).says("`ship` depends on `check`").says("own.yaml:24");
    test.run(&["template", "show", "own"]).success().prints(OWN);
}

#[test]
fn the_example_of_the_page_works() {
    let page = include_str!("../docs/templates.md");
    let text = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let test = own(text);
    test.run(&["template", "apply", "own"]).fails(2).says("parameter `version`").says("has no default");
    let made = test.run(&apply("own", &["--set", "version=1.2", "--json"])).success().json();
    assert_eq!(ids(&made), ["build-x86", "build-arm", "notes", "publish", "ship"]);
    test.run(&["validate", "--strict"]).success();
    let publish = test.run(&["step", "show", "publish", "--json"]).success().json();
    assert_eq!((&publish["step"]["depends_on"], &publish["step"]["command"]), (&json!(["ship"]), &json!("./publish 1.2")));
    for (name, _) in BUILTIN {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn ones_own_hides_ours_of_the_same_name() {
    let test = Test::new().sequence(EMPTY);
    test.write(".threados/templates/base.yaml", "steps:\n  - id: mine\n    command: echo mine\n");
    test.run(&["template", "apply", "base"]).success().prints("made 1 step from `base`: `mine`");
    let ours = test.run(&["template", "show", "fusion"]).success().stdout;
    test.write(".threados/templates/copy.yaml", ours);
    test.run(&["template", "apply", "copy"]).success().prints("made 4 steps from `copy`");
}

#[test]
fn a_broken_template_is_shown_with_its_line() {
    let step = |rest: &str| format!("parameters:\n  count: {{type: count, default: 2}}\nsteps:\n  - id: a\n{rest}\n");
    for (text, place, why, hint) in [
        ("steps: [".to_owned(), "own.yaml:1:9", "a value is missing here", "expected"),
        (String::new(), "own.yaml:1:1", "the file is empty", "expected"),
        ("stesp: []\n".into(), "own.yaml:1:1", "a template has no key `stesp`", "expected `steps`"),
        ("steps: {}\n".into(), "own.yaml:1:8", "`steps` is not a list", "expected `- id:` items"),
        (step("    comand: x"), "own.yaml:5:1", "unknown key `comand` in step `a`", "did you mean `command`?"),
        (step("    command: echo {{cuont}}"), "own.yaml:5:14", "`cuont` is no parameter of this template", "expected `count`"),
        (step("    command: x\n    retries: \"{{prefix}}x\""), "own.yaml:6:14", "`retries` in step `a` is `x`", "a whole number"),
        (step("    command: x\n    depends_on: [b]"), "own.yaml:6:1", "`a` depends on `b`, which does not exist", "hint"),
        (step("    command: x\n    depends_on: [a]"), "own.yaml:4:1", "depend on each other in a circle: `a` → `a`", "hint"),
        (step("    command: x\n    for_each: prefix"), "own.yaml:6:15", "`for_each` does not name a list", "list or count"),
        (step("    command: x\n    when: nope"), "own.yaml:6:11", "`nope` is no parameter", "hint"),
        (step("    command: x\n  - id: a\n    command: x"), "own.yaml:6:9", "the id `a` stands here and on line 4", "another id"),
        (step("    name: x"), "own.yaml:4:1", "step `a` has nothing to run", "`command:`"),
        ("parameters:\n  Count: 3\n".into(), "own.yaml:2:3", "`Count` cannot be the name of a parameter", "`timeout`"),
        ("parameters:\n  item: 3\n".into(), "own.yaml:2:3", "`item` cannot be the name", "expected"),
        ("parameters:\n  a: {type: int}\n".into(), "own.yaml:2:13", "`a` has an unknown type", "text, number, count"),
        ("parameters:\n  a: {type: flag, default: 3}\n".into(), "own.yaml:2:28", "the default of `a`", "`true` or `false`"),
        ("parameters:\n  a: {typ: flag}\n".into(), "own.yaml:2:7", "a parameter has no key `typ`", "expected `type`"),
    ] {
        let test = own(&text);
        test.run(&["template", "apply", "own"]).fails(2).says(place).says(why).says(hint);
        let document = test.run(&["template", "apply", "own", "--json"]).fails(2).json();
        assert_eq!(document["code"], "INVALID_TEMPLATE", "{text}");
        test.run(&["template", "list"]).success().prints("chained");
        assert_eq!(test.plan(), EMPTY);
    }
    let test = own("stesp: []\n");
    test.run(&["template", "list"]).success().prints("a template has no key `stesp`");
}

#[test]
fn killed_anywhere_all_of_it_is_there_or_nothing() {
    for (point, happens) in [("tx.staged", false), ("tx.committed", true), ("tx.exchanged", true)] {
        let test = own(OWN);
        test.run_env("THREADOS_FAULT", &format!("{point}:kill"), &apply("own", &["--set", "jobs=1"])).fails(137);
        test.run_env("THREADOS_FAULT", &format!("{point}:kill"), &apply("base", &["--prefix", "b"])).fails(137);
        // What it makes is known, whatever becomes of its file.
        fs::remove_file(test.path(".threados/templates/own.yaml")).unwrap();
        test.run(&["gate", "insert", "last"]).success();
        test.run(&["validate", "--strict"]).success();
        assert_eq!(test.plan().contains("build-x86"), happens, "{point}");
        assert_eq!(prompts(&test), if happens { vec!["b-task.md"] } else { vec![] }, "{point}");
        test.assert_chain_valid();
    }
}

#[test]
fn a_project_begins_with_a_template() {
    let test = Test::new();
    test.run(&["init", "--template", "nope"]).fails(3).says("no template is called `nope`");
    assert!(!test.path(".threados").exists());
    test.run(&["init", "--template", "chained", "--name", "shop"]).success();
    assert!(test.plan().contains("name: shop") && test.plan().contains("plan-ok"), "{}", test.plan());
    assert_eq!(prompts(&test), ["implement.md", "plan.md", "verify.md"]);
    test.run(&["validate", "--strict"]).success();
}

#[test]
fn a_sentence_becomes_a_step() {
    let test = Test::new().power().sequence(FILLED);
    let added = test.run(&["add", "Fix the flaky test.", "--after", "lint", "--json"]).success().json();
    assert_eq!(
        (&added["changes"][0]["text"], &added["next"]),
        (&json!("added step `fix-flaky-test`; `seqctl run fix-flaky-test` runs it"), &json!(["seqctl run fix-flaky-test"]))
    );
    let wanted = "\n  - id: fix-flaky-test\n    model: claude-code\n    prompt: Fix the flaky test.\n    depends_on: [lint]\n";
    assert!(test.plan().contains(wanted), "{}", test.plan());
    test.run(&["add", "fix the flaky test", "--agent", "codex"]).success().prints("added step `fix-flaky-test-2`");
    test.run(&["add", "echo 'hello' && touch here", "--command", "--id", "hello"]).success();
    test.run(&["run", "hello"]).success();
    assert!(test.path("here").exists());
    test.run(&["add", "  "]).fails(2).says("there is nothing to do in it");
    test.run(&["add", "x", "--id", "build"]).fails(4).says("`build` exists already");
    test.run(&["add", "x", "--after", "biuld"]).fails(3).says("did you mean `build`?");
    test.run(&["validate", "--strict"]).success();
    let test = Test::new().sequence("version: \"1.0\"\ndefaults: {model: gemini}\nsteps: []\n");
    test.run(&["add", "write the docs"]).success();
    assert!(!test.plan().contains("claude-code"), "the plan has a default: {}", test.plan());
}

#[test]
fn a_task_becomes_a_fusion() {
    let test = Test::new().sequence(FILLED);
    let fused =
        test.run(&["fuse", "Speed up the parser", "--after", "ok", "--agents", "codex,gemini", "--json"]).success().json();
    assert_eq!(ids(&fused), ["speed-up-parser-codex", "speed-up-parser-gemini", "speed-up-parser"]);
    test.run(&["validate", "--strict"]).success();
    assert_eq!(prompts(&test), ["speed-up-parser-candidate.md", "speed-up-parser.md"]);
    let synth = test.run(&["step", "show", "speed-up-parser", "--json"]).success().json();
    assert_eq!(synth["state"]["waitsFor"], json!(["speed-up-parser-codex", "speed-up-parser-gemini"]));
    assert_eq!((&synth["state"]["type"], &synth["step"]["model"]), (&json!("f"), &json!("codex")));
    let candidate = test.run(&["step", "show", "speed-up-parser-gemini", "--json"]).success().json();
    assert_eq!((&candidate["step"]["depends_on"], &candidate["step"]["fail_policy"]), (&json!(["ok"]), &json!("best_effort")));
    test.run(&["fuse", "Speed up the parser", "--id", "again"])
        .success()
        .prints("`again-claude-code`, `again-codex` and `again-gemini`");
    test.run(&["fuse", "x", "--agents", "codex"]).fails(2).says("a fusion takes two or more");
    test.run(&["undo"]).success();
    test.run(&["undo"]).success();
    assert_eq!(test.plan(), FILLED);
}

#[test]
fn existing_steps_become_a_fusion_that_runs() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: a, command: echo from a}\n  - {id: b, command: \"false\"}\n  \
                - id: both\n    command: echo both\n";
    let test = Test::new().power().sequence(plan);
    test.run(&["fusion", "create", "--candidates", "a,b", "--synth", "a"]).fails(2).says("cannot be its own candidate");
    test.run(&["fusion", "create", "--candidates", "a,b", "--synth", "both"])
        .success()
        .prints("`both` makes one result of `a` and `b`");
    test.run(&["validate", "--strict"]).success();
    test.run(&["run"]).fails(7);
    assert_eq!((test.status("b"), test.status("both")), ("FAILED".into(), "DONE".into()), "one result is enough");
    let made = test.run(&["fusion", "create", "--candidates", "a,new", "--synth", "sum", "--task", "Say hello."]).success();
    assert!(made.stdout.contains("made `new` and `sum`"), "{}", made.stdout);
    test.run(&["prompt", "show", "new"]).success().prints("Say hello.\n\nOthers solve the same task");
    test.run(&["prompt", "show", "sum"])
        .success()
        .prints("\n\nSay hello.\n\n`seqctl step show sum` names them, and `seqctl result <id>`");
}

#[test]
fn steps_become_a_group_and_leave_it() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: a, command: echo a}\n  - {id: b, command: echo b}\n  \
                - {id: c, command: echo c, depends_on: [g]}\ngates:\n  - {id: g, depends_on: [b]}\n";
    let test = Test::new().power().sequence(plan);
    test.run(&["group", "list"]).success().prints("no groups");
    test.run(&["group", "parallelize", "a", "b", "c"])
        .fails(2)
        .says("`c` and `b` cannot both be in group `group-1`")
        .says("dep rm c b");
    test.run(&["group", "parallelize", "a", "b"]).success().prints("`a` and `b` are in group `group-1`");
    let list = test.run(&["group", "--json"]).success().json();
    assert_eq!(list["groups"], json!([{"id": "group-1", "members": ["a", "b"], "failPolicy": "fail_fast"}]));
    assert!(test.plan().contains("{id: a, type: p, command: echo a, group_id: group-1}"), "{}", test.plan());
    test.run(&["run", "group", "group-1"]).success();
    test.run(&["group", "parallelize", "a", "b", "--id", "group-1", "--fail-policy", "best_effort"]).success();
    test.run(&["step", "edit", "a", "--fail-policy", "fail_fast"])
        .fails(2)
        .says("`a` and `b` of group `group-1` disagree on `fail_policy`: fail_fast and best_effort")
        .says("group parallelize");
    test.run(&["step", "add", "d", "--command", "true"]).success();
    test.run(&["group", "parallelize", "d", "--id", "group-1"]).success();
    let list = test.run(&["group", "--json"]).success().json();
    assert_eq!(list["groups"], json!([{"id": "group-1", "members": ["a", "b", "d"], "failPolicy": "best_effort"}]));
    test.run(&["group", "rm", "grop-1"]).fails(3).says("did you mean `group-1`?");
    test.run(&["group", "rm", "group-1"]).success().prints("dissolved group `group-1`: `a`, `b` and `d` stay");
    assert!(!test.plan().contains("group") && !test.plan().contains("type: p"), "{}", test.plan());
    let hand = "version: \"1.0\"\nsteps:\n  - {id: a, command: echo, group_id: g, fail_policy: continue}\n  - {id: b, command: echo, group_id: g, fail_policy: stop-all}\n";
    let test = Test::new().sequence(hand);
    test.run(&["validate"]).fails(2).says("disagree on `fail_policy`");
}
