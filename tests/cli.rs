//! The command line: help, errors, output for people, lists of actions.

use std::collections::BTreeSet;

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use serde_json::json;
use threados::{action::CATALOG, model::CommandLine, store::yaml::parse};

use crate::harness::{Out, Test, snapshot, text};

const PLAN: &str = "\
version: \"1.0\"
name: shop
steps:
  - id: fetch
    name: Fetch the data
    command: echo fetch
  - id: build-api
    command: echo api
    depends_on: [fetch]
    group_id: build
  - id: build-web
    command: exit 3
    depends_on: [fetch]
    group_id: build
    fail_policy: best_effort
  - id: check
    command: exit 42
    depends_on: [fetch]
    timeout: 5m
    retries: 1
  - id: ship
    command: echo ship
    depends_on: [build-api, build-web, ready]
gates:
  - id: ready
    name: Ready to ship?
    depends_on: [build-api, check]
";

/// Columns whose width depends on how long something took are drawn together.
fn close_up(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        let words: Vec<&str> = rest.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
        format!("{indent}{}\n", words.join("  "))
    });
    lines.collect()
}

fn shop_after_a_run() -> Test {
    let test = Test::new().power().sequence(PLAN);
    test.run(&["run"]).fails(7);
    test
}

#[test]
fn help_of_every_command_says_how_to_use_it() {
    let test = Test::new();
    for spec in CATALOG {
        let words: Vec<&str> = spec.name.split('.').collect();
        let usage = format!("Usage: seqctl {}", words.join(" "));
        for (before, after) in [(&["help"][..], &[][..]), (&[], &["--help"]), (&[], &["-h"])] {
            let args: Vec<&str> = before.iter().chain(&words).chain(after).copied().collect();
            let out = test.run(&args).success();
            assert!(out.stdout.contains(&usage), "{args:?}: {}", out.stdout);
            let first = out.stdout.lines().next().unwrap();
            assert!(!first.is_empty() && !first.ends_with('.'), "{args:?}: {first}");
        }
    }
    for line in ["--help", "help", "-h", "--version", "step --help", "run --help", "gate -h", "runs --help"] {
        test.run(&line.split(' ').collect::<Vec<_>>()).success();
    }
    test.run(&["help"]).success().prints("Run, watch and remember sequences");
    snapshot!("help", test.run(&["help"]).success().stdout);
    snapshot!("help_run_step", test.run(&["help", "run", "step"]).success().stdout);
}

#[test]
fn outside_a_project_every_command_says_how_to_make_one() {
    let test = Test::new();
    for spec in CATALOG.iter().filter(|spec| !["init", "demo", "schema", "doctor"].contains(&spec.name)) {
        let arguments = match spec.name {
            "step.add" | "step.edit" | "step.rm" | "step.show" | "skip" | "reset" | "run.step" | "run.group" | "run.fusion"
            | "restart" | "stop" | "logs" | "why" | "prompt.show" | "prompt.compile" | "diff" | "gate.insert"
            | "gate.approve" | "gate.block" | "gate.reopen" | "gate.rm" | "review.accept" | "review.reject" | "result"
            | "open" => &["x"][..],
            "continue" => &["x", "-m", "y"],
            "outcome" => &["done"],
            "add" | "fuse" | "group.parallelize" | "group.rm" | "template.show" | "template.apply" => &["x"],
            "fusion.create" => &["--candidates", "x", "--synth", "y"],
            "step.clone" | "dep.add" | "dep.rm" => &["x", "y"],
            "step.move" => &["x", "--last"],
            "apply" => &["-f", "-"],
            "policy.check" | "requests.approve" | "requests.deny" => &["x"],
            "mprocs.select" | "mprocs.start" | "mprocs.stop" | "mprocs.restart" => &["x"],
            "mprocs.send-key" => &["x", "y"],
            "extend" => &["x", "30m"],
            "policy.set-mode" => &["SAFE"],
            "prompt.set" => &["x", "--text", "y"],
            _ => &[],
        };
        let args: Vec<&str> = spec.name.split('.').chain(arguments.iter().copied()).collect();
        let out = test.run(&args).fails(3).says("no ThreadOS project").says("seqctl init");
        assert_eq!(out.stdout, "", "{args:?}");
    }
    test.run(&[]).fails(3);
}

#[test]
fn what_people_see() {
    let test = shop_after_a_run();
    for (name, line) in [
        ("status", "status"),
        ("step_list", "step list"),
        ("gate_list", "gate list"),
        ("step_show", "step show build-web"),
        ("step_show_check", "step show check"),
        ("runs_show", "runs show"),
        ("validate", "validate"),
        ("audit_list", "audit list"),
    ] {
        let out = test.run(&line.split(' ').collect::<Vec<_>>()).success();
        assert_eq!(out.stderr, "", "{line}");
        snapshot!(format!("shows_{name}"), close_up(&test.tidy(&out.stdout)));
    }
}

#[test]
fn a_plan_that_has_not_run() {
    let test = Test::new().sequence(PLAN);
    snapshot!("fresh_status", test.run(&["status"]).success().stdout);
    snapshot!("fresh_dry_run", test.run(&["run", "--dry-run"]).success().stdout);
    let empty = Test::new();
    empty.run(&["init", "--empty", "--name", "bare"]).success();
    snapshot!("empty_status", empty.run(&["status"]).success().stdout);
    assert_eq!(empty.run(&["run", "-y"]).success().stderr, "");
}

fn complaint(test: &Test, out: &Out) -> String {
    test.tidy(&out.all())
}

#[test]
fn what_people_are_told_when_something_is_wrong() {
    let test = Test::new().sequence(PLAN);
    for (name, line) in [
        ("wrong_step", "step show build-ap"),
        ("wrong_gate", "gate approve redy"),
        ("wrong_group", "run group biuld"),
        ("wrong_id", "step add Build_Api"),
        ("wrong_duration", "step add x --timeout 5parsecs"),
        ("wrong_command", "stpe list"),
        ("wrong_flag", "run --detatch"),
        ("cycle", "dep add fetch ship"),
        ("unknown_dependency", "dep add ship fetsh"),
        ("has_dependents", "step rm fetch --yes"),
        ("taken", "step add ready"),
        ("not_reached", "gate approve ready"),
        ("unconfirmed", "run"),
        ("never_ran", "logs fetch"),
        ("not_running", "stop fetch"),
    ] {
        let out = test.run(&line.split(' ').collect::<Vec<_>>());
        assert_ne!(out.code, 0, "{line}");
        snapshot!(format!("says_{name}"), complaint(&test, &out));
    }
    let outside = Test::new();
    snapshot!("says_no_project", complaint(&outside, &outside.run(&["status"])));
}

#[test]
fn what_people_are_told_about_a_plan_by_hand() {
    for (name, plan) in [
        ("cycle", PLAN.replace("command: echo fetch\n", "command: echo fetch\n    depends_on: [ship]\n")),
        (
            "unknown_dependency",
            PLAN.replace("    depends_on: [build-api, check]\n", "    depends_on:\n      - build-api\n      - chek\n"),
        ),
        ("unclosed", PLAN.replace("depends_on: [fetch]", "depends_on: [fetch")),
        ("tab", PLAN.replace("    name: Fetch", "\tname: Fetch")),
        ("twice", PLAN.replace("- id: check", "- id: fetch")),
        ("two_timeouts", PLAN.replace("    timeout: 5m\n", "    timeout: 5m\n    timeout_ms: 1\n")),
        ("wrong_type", PLAN.replace("retries: 1", "retries: many")),
        ("bad_id", PLAN.replace("- id: check", "- id: Check It")),
        ("not_a_plan", "just text\n".into()),
        ("empty", String::new()),
        ("newer", PLAN.replace("\"1.0\"", "\"2.0\"")),
    ] {
        let test = Test::new().sequence(&plan);
        let out = test.run(&["status"]);
        assert!(out.code == 2 || out.code == 3, "{name}: {}", out.all());
        snapshot!(format!("plan_{name}"), complaint(&test, &out));
        test.run(&["skip", "fetch"]).fails(out.code);
        assert_eq!(test.plan(), plan, "{name}");
    }
}

#[test]
fn unknown_keys_are_warnings_with_their_line_and_survive() {
    let plan = PLAN
        .replace("    timeout: 5m\n", "    timout: 5m # typo\n    x-mine: [1, 2]\n")
        .replace("name: shop\n", "name: shop\nx-top: {a: 1}\n");
    let test = Test::new().sequence(&plan);
    let out = test.run(&["validate"]).success();
    snapshot!("unknown_keys", out.all());
    test.run(&["validate", "--strict"]).fails(2).says("timout");
    test.run(&["step", "edit", "check", "--name", "Check"]).success();
    test.run(&["skip", "fetch"]).success();
    for kept in ["    timout: 5m # typo\n", "    x-mine: [1, 2]\n", "x-top: {a: 1}\n"] {
        assert!(test.plan().contains(kept), "{kept}");
    }
}

#[test]
fn colours_come_only_when_they_are_wanted() {
    let test = shop_after_a_run();
    let is_coloured = |out: Out| out.all().contains('\u{1b}');
    assert!(!is_coloured(test.run(&["status"])));
    assert!(!is_coloured(test.run(&["step", "show", "nope"])));
    assert!(is_coloured(test.run(&["status", "--color", "always"])));
    assert!(!is_coloured(test.run(&["status", "--color=never"])));
    assert!(!is_coloured(test.run_env("NO_COLOR", "1", &["status"])));
    assert!(!is_coloured(test.run(&["status", "--json", "--color", "always"])), "JSON has none");
    let drawn = test.run(&["graph", "--color", "always"]).success().stdout;
    let colour_of = |glyph: &str| drawn.split(glyph).next().unwrap().rsplit('\u{1b}').next().unwrap().to_owned();
    assert!(colour_of("✔").starts_with('[') && colour_of("✔") != colour_of("✖"), "{drawn}");
}

#[test]
fn quiet_prints_errors_only() {
    let test = Test::new().power().sequence(PLAN);
    for line in ["step add x --command true -q", "-q run fetch", "status -q", "-q init --project other"] {
        let out = test.run(&line.split(' ').collect::<Vec<_>>()).success();
        assert_eq!((out.stdout, out.stderr), (String::new(), String::new()), "{line}");
    }
    let out = test.run(&["-q", "run"]).fails(7);
    assert_eq!(out.stdout, "");
    assert!(out.stderr.starts_with("error: ") && out.stderr.contains("build-web"), "{}", out.stderr);
}

#[test]
fn the_project_is_found_from_anywhere() {
    let test = Test::new().sequence(PLAN);
    std::fs::create_dir_all(test.path("deep/er")).unwrap();
    test.sh("cd deep/er && \"$SEQCTL\" status").success().prints("shop");
    let root = test.root().to_str().unwrap();
    let elsewhere = Test::new();
    elsewhere.run(&["status"]).fails(3);
    elsewhere.run(&["--project", root, "status"]).success().prints("shop");
    elsewhere.run(&["step", "list", "--project", root]).success().prints("fetch");
    elsewhere.run_env("THREADOS_BASE_PATH", root, &["status"]).success().prints("shop");
    elsewhere.run_env("THREADOS_BASE_PATH", "/nowhere", &["--project", root, "status"]).success().prints("shop");
    elsewhere.run_env("THREADOS_BASE_PATH", "/nowhere", &["status"]).fails(3).says("/nowhere");
    elsewhere.run(&["--project", &format!("{root}/deep"), "status"]).fails(3);
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let test = Test::new()
        .power()
        .sequence("version: \"1.0\"\nsteps:\n  - id: big\n    command: yes 'a line of the log' | head -100000\n");
    test.run(&["run"]).success();
    for line in ["logs big", "logs big --json", "status", "audit list --json", "help", "run --dry-run", "step show nope --json"] {
        let out = test.sh(&format!("{{ \"$SEQCTL\" {line}; echo $? > code; }} | head -1 > /dev/null; cat code"));
        let code = if line.contains("nope") { "3\n" } else { "0\n" };
        assert!(out.stderr.is_empty() && (out.stdout == code || out.stdout == "0\n"), "{line}: {}", out.all());
    }
    let out = test.sh("exec >&-; \"$SEQCTL\" status; echo $? > code; cat code >&2");
    assert_eq!(out.stderr, "0\n", "no standard output at all");
}

#[test]
fn a_list_of_actions_is_one_change() {
    let test = Test::new().sequence(PLAN);
    let list = json!([
        {"action": "step.add", "id": "pack", "command": "echo pack", "dependsOn": ["build-api"], "timeout": "5m"},
        {"action": "dep.add", "id": "ship", "needs": ["pack"]},
        {"action": "step.edit", "id": "pack", "retry_delay": "10s"},
        {"action": "gate.insert", "id": "second", "before": ["pack"], "name": "Second"},
    ]);
    let dry = test.run_with(&["apply", "--dry-run", "-f", "-"], &list.to_string()).success();
    snapshot!("apply_dry_run", dry.stdout);
    assert_eq!((test.plan().as_str(), test.audit().len()), (PLAN, 1));
    test.run_with(&["apply", "-f", "-"], &list.to_string()).success();
    assert_eq!(test.audit().len(), 2, "one entry");
    assert_eq!(test.audited("apply").pop().unwrap()["payload"]["actions"].as_array().unwrap().len(), 4);
    let show = test.run(&["step", "show", "ship", "--json"]).success().json();
    assert_eq!(show["step"]["depends_on"], json!(["build-api", "build-web", "ready", "pack"]));
    test.run(&["validate", "--strict"]).success();

    let yaml = "- action: skip\n  id: fetch\n- {action: step.clone, id: fetch, to: again}\n";
    test.write("list.yaml", yaml);
    test.run(&["apply", "-f", "list.yaml"]).success();
    assert_eq!((test.status("fetch"), test.status("again")), ("DONE".into(), "READY".into()));
}

#[test]
fn a_list_that_fails_changes_nothing() {
    let test = Test::new().sequence(PLAN);
    let add = json!({"action": "step.add", "id": "pack", "command": "true"});
    for (list, code, word) in [
        (json!([add, {"action": "step.rm", "id": "ship"}]), 6, "CONFIRMATION_REQUIRED"),
        (json!([add, {"action": "skip", "id": "nope"}]), 3, "STEP_NOT_FOUND"),
        (json!([add, add]), 4, "ALREADY_EXISTS"),
        (json!([add, {"action": "dep.add", "id": "fetch", "needs": ["ship"]}]), 2, "CIRCULAR_DEPENDENCY"),
        (json!([add, {"action": "status"}]), 2, "VALIDATION_ERROR"),
        (json!([add, {"action": "step.ad", "id": "x"}]), 2, "ACTION_UNKNOWN"),
        (json!([add, {"action": "step.add", "id": "x", "comand": "true"}]), 2, "VALIDATION_ERROR"),
        (json!([add, {"id": "x"}]), 2, "VALIDATION_ERROR"),
        (json!({"action": "skip"}), 2, "VALIDATION_ERROR"),
    ] {
        let out = test.run_with(&["apply", "-f", "-", "--json"], &list.to_string()).fails(code);
        assert_eq!(out.json()["code"], word, "{list}");
        assert_eq!(test.plan(), PLAN, "{list}");
    }
    test.run(&["apply", "-f", "none.json"]);
    test.run_with(&["apply", "-f", "-"], "[{").fails(2);
    assert!(test.audited("apply").iter().all(|entry| entry["result"] != "ok"));
    assert_eq!(test.run(&["status", "--json"]).success().json()["steps"].as_array().unwrap().len(), 5);
}

#[test]
fn a_change_can_be_bound_to_what_was_seen() {
    let test = Test::new().sequence(PLAN);
    let revision = |test: &Test| text(&test.run(&["status", "--json"]).success().json()["revision"]);
    let seen = revision(&test);
    let list = |id: &str| json!([{"action": "step.add", "id": id, "command": "true"}]).to_string();
    let apply = |seen: &str, id: &str| test.run_with(&["apply", "--if-unchanged", seen, "-f", "-", "--json"], &list(id));
    test.run(&["skip", "fetch"]).success();
    assert_eq!(revision(&test), seen, "statuses are no part of it");
    let reply = apply(&seen, "one").success().json();
    assert_eq!(text(&reply["revision"]), revision(&test));
    assert_ne!(revision(&test), seen);
    let refused = apply(&seen, "two").fails(4).json();
    assert_eq!(refused["code"], "REVISION_CHANGED");
    assert!(!test.plan().contains("id: two"));
    apply(&revision(&test), "two").success();
}

const COMMENTED: &str = "\
# One, at the very top.

version: \"1.0\" # two
name: words   # three
# four
defaults: # five
  timeout: 1m # six
steps: # seven
  # eight
  - id: a # nine
    # ten
    command: echo '# not a comment' # eleven
    env: # twelve
      # thirteen
      A: x # fourteen

  # fifteen
  - { id: b, command: echo b, depends_on: [a] } # sixteen
  -   id:   c   # seventeen
      command: |  # eighteen
        echo 1 # in the text
        echo 2
      depends_on: # nineteen
        - a # twenty
        # twenty-one
        - b # twenty-two
      # twenty-three
gates: # twenty-four
  - id: g # twenty-five
    depends_on: [c] # twenty-six
# twenty-seven
";

#[test]
fn every_text_can_be_written_in_every_style() {
    const WORDS: &[&str] = &[
        "-",
        "- x",
        "echo -",
        "a -, b",
        "?",
        "a: b",
        "a #b",
        "#",
        "[x",
        "{x}",
        "x]",
        "!t",
        "&a",
        "*a",
        "%",
        "@",
        "`",
        "'",
        "\"",
        "\\",
        "yes",
        "null",
        "~",
        "1e3",
        "0x1f",
        "2026-11-22",
        "=",
        "<<",
        "a\nb",
        "a\n",
        "\ta",
        " a ",
        "a\u{85}b",
        "\u{feff}a",
        "\u{e9}",
        "\u{1f600}",
        "...",
        "---",
        "a,b",
        "a:",
        ":a",
        "::",
    ];
    let mut wrong = Vec::new();
    for (style, before, step, after) in [
        ("block", "version: \"1.0\"\nsteps:\n", "  - id: ID\n    command: old\n    name: old\n", ""),
        ("flow steps", "version: \"1.0\"\nsteps:\n", "  - { id: ID, command: old, name: old }\n", ""),
        ("flow list", "version: \"1.0\"\nsteps: [", "{id: ID, command: old, name: old}, ", "]\n"),
        ("JSON", "{\"version\": \"1.0\", \"steps\": [", "{\"id\": \"ID\", \"command\": \"old\", \"name\": \"old\"}, ", "]}\n"),
        ("literals", "version: \"1.0\"\nsteps:\n", "  - id: ID\n    command: |\n      old\n    name: 'old'\n", ""),
    ] {
        let ids: Vec<String> = (0..WORDS.len()).map(|at| format!("s{at}")).collect();
        let steps: String = ids.iter().map(|id| step.replace("ID", id)).collect();
        let test = Test::new().sequence(&format!("{before}{}{after}", steps.trim_end_matches(", ")));
        let edit = |at: usize| json!({"action": "step.edit", "id": ids[at], "command": WORDS[at], "name": WORDS[at]});
        let all: Vec<_> = (0..WORDS.len()).map(edit).collect();
        if test.run_with(&["apply", "-f", "-"], &json!(all).to_string()).code != 0 {
            for (at, edit) in all.iter().enumerate() {
                let out = test.run_with(&["apply", "-f", "-"], &json!([edit]).to_string());
                if out.code != 0 {
                    wrong.push(format!("{style}: {:?}: {}", WORDS[at], out.stderr));
                }
            }
        }
        let read = parse(test.plan().as_bytes(), &test.plan_path()).unwrap().sequence;
        for (step, word) in read.steps.iter().zip(WORDS) {
            let is_it = step.name.as_deref() == Some(word) && step.command == Some(CommandLine::Shell((*word).into()));
            if !is_it && step.name.as_deref() != Some("old") {
                wrong.push(format!("{style}: {word:?} is read as {:?} and {:?}", step.command, step.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_sequence_of_changes_loses_a_comment() {
    let comments = |text: &str| -> Vec<String> {
        let cut = |line: &str| line.rfind("# ").map(|at| line[at..].to_owned()).filter(|rest| rest != "# in the text");
        text.lines().filter_map(cut).collect()
    };
    let wanted = comments(COMMENTED);
    assert_eq!(wanted.len(), 27);
    let node = prop::sample::select(vec!["a", "b", "c"]);
    let fresh = prop::sample::select(vec!["x", "y", "z"]);
    let word = prop::sample::select(vec!["plain", "two words", "a: b", "# hash", "'quoted'", "", "-", "1.5", "null", "ünï"]);
    let action = (node, fresh, word).prop_flat_map(|(node, fresh, word)| {
        prop::sample::select(vec![
            json!({"action": "step.add", "id": fresh, "command": "true", "name": word}),
            json!({"action": "step.add", "id": fresh, "command": "true", "before": [node]}),
            json!({"action": "step.edit", "id": node, "name": word}),
            json!({"action": "step.edit", "id": node, "env": [format!("N={word}")]}),
            json!({"action": "step.edit", "id": node, "command": format!("echo {word}")}),
            json!({"action": "step.edit", "id": node, "timeout": "90s", "retries": 2}),
            json!({"action": "step.edit", "id": node, "unset": ["timeout", "retries", "name"]}),
            json!({"action": "step.rm", "id": fresh, "cascade": true}),
            json!({"action": "step.clone", "id": fresh, "to": format!("{fresh}2")}),
            json!({"action": "dep.add", "id": fresh, "needs": [node]}),
            json!({"action": "dep.rm", "id": fresh, "needs": [node]}),
            json!({"action": "gate.insert", "id": format!("gate-{fresh}"), "dependsOn": [node]}),
            json!({"action": "gate.approve", "id": "g", "ahead": true}),
            json!({"action": "gate.reopen", "id": "g"}),
            json!({"action": "skip", "id": node}),
            json!({"action": "reset", "ids": [node], "downstream": true}),
        ])
    });
    let config = ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let result = TestRunner::new_with_rng(config, rng).run(&prop::collection::vec(action, 1..14), |actions| {
        let test = Test::new().sequence(COMMENTED);
        let mut done = 0;
        for action in &actions {
            let out = test.run_with(&["apply", "-y", "-f", "-"], &json!([action]).to_string());
            prop_assert!([0, 2, 3, 4].contains(&out.code), "{action}: {}", out.all());
            done += usize::from(out.code == 0);
            let plan = test.plan();
            let kept: BTreeSet<String> = comments(&plan).into_iter().collect();
            let lost: Vec<&String> = wanted.iter().filter(|comment| !kept.contains(*comment)).collect();
            prop_assert!(lost.is_empty(), "{action} lost {lost:?}:\n{plan}");
        }
        test.run(&["status"]).success();
        prop_assert_eq!(test.audit().len(), done + 1);
        Ok(())
    });
    result.unwrap();
}
