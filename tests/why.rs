//! What is said about why a step does not start, what would let it, and the one line for a prompt.

use serde_json::json;

use crate::harness::{Test, snapshot, text};

/// The commands that `why` names.
fn acts(test: &Test, id: &str) -> Vec<String> {
    let json = test.run(&["why", id, "--json"]).success().json();
    json["acts"].as_array().unwrap().iter().map(|act| text(&act["command"])).collect()
}

fn blockers(test: &Test, id: &str) -> Vec<String> {
    let json = test.run(&["why", id, "--json"]).success().json();
    let blockers = json["blockers"].as_array().unwrap().iter();
    blockers.map(|blocker| format!("{} {}", text(&blocker["kind"]), text(&blocker["id"])).trim_end().to_owned()).collect()
}

const BLOCKED: &str = "\
version: \"1.0\"
name: shop
steps:
  - {id: build, command: test -e fixed}
  - {id: test, command: \"true\", depends_on: [build]}
  - {id: check, command: exit 42}
  - {id: ship, command: \"true\", depends_on: [test, check, ok]}
  - {id: extra, command: \"true\"}
gates:
  - {id: ok, depends_on: [check]}
";

#[test]
fn why_names_the_roots_and_its_commands_work() {
    let test = Test::new().power().sequence(BLOCKED);
    assert_eq!(blockers(&test, "ship"), ["not_started check", "not_started build"]);
    assert_eq!(acts(&test, "ship"), ["seqctl run step build test check", "seqctl gate approve ok", "seqctl run step ship"]);
    test.run(&["run", "step", "build", "check"]).fails(7);
    assert_eq!(blockers(&test, "ship"), ["review check", "failed build"]);
    let out = test.run(&["why", "ship"]).success();
    snapshot!("why_ship", test.tidy(&out.stdout));
    snapshot!("why_build", test.run(&["why", "build"]).success().stdout);
    snapshot!("why_ok", test.run(&["why", "ok"]).success().stdout);
    let commands = acts(&test, "ship");
    assert_eq!(
        commands,
        [
            "seqctl review accept check",
            "seqctl restart build",
            "seqctl run step test",
            "seqctl gate approve ok",
            "seqctl run step ship"
        ]
    );
    test.write("fixed", "");
    for command in commands {
        let line = command.replace("seqctl", "\"$SEQCTL\" --yes");
        test.sh(&line).success();
    }
    assert_eq!(test.status("ship"), "DONE");
    assert_eq!(acts(&test, "ship"), ["seqctl restart ship"]);
    assert!(blockers(&test, "ship").is_empty());
}

#[test]
fn why_of_what_a_run_covers() {
    let plan = "\
version: \"1.0\"
steps:
  - {id: first, command: 'while ! test -e go; do sleep 0.01; done'}
  - {id: second, command: 'true'}
  - {id: third, command: 'true', depends_on: [first, ok]}
gates:
  - {id: ok}
";
    let test = Test::new().policy("version: \"1.0\"\nmode: POWER\nmax_concurrent: 1\n").sequence(plan);
    test.run(&["run", "--detach"]).success();
    test.wait_for_status("first", "RUNNING");
    assert_eq!(blockers(&test, "second"), ["no_slot"]);
    assert_eq!(acts(&test, "second"), ["seqctl wait first"]);
    assert_eq!(blockers(&test, "third"), ["running first", "gate_pending ok"]);
    // The run starts it by itself then, so that is no act of anybody's.
    assert_eq!(acts(&test, "third"), ["seqctl wait first", "seqctl gate approve ok"]);
    let json = test.run(&["why", "third", "--json"]).success().json();
    assert_eq!(json["run"], test.last_run());
    assert_eq!(json["next"], json!(["seqctl wait first"]));
    test.run(&["why", "first"]).success().prints("has been running for");
    test.run(&["gate", "block", "ok"]).success();
    assert_eq!(blockers(&test, "third"), ["running first", "gate_blocked ok"]);
    assert_eq!(acts(&test, "third"), ["seqctl wait first", "seqctl gate reopen ok", "seqctl gate approve ok"]);
    test.run(&["stop", "--all"]).success();
}

#[test]
fn why_of_a_group_that_failed() {
    let plan = "\
version: \"1.0\"
steps:
  - {id: a, command: exit 1, group_id: g}
  - {id: b, command: 'true', group_id: g}
  - {id: c, command: 'true'}
";
    let test = Test::new().power().sequence(plan);
    test.run(&["run", "step", "a"]).fails(7);
    assert_eq!(blockers(&test, "b"), ["group_failed a"]);
    assert_eq!(acts(&test, "b"), ["seqctl restart a", "seqctl run step b"]);
    assert_eq!(blockers(&test, "c"), ["no_run"]);
    test.run(&["why", "d"]).fails(3).says("`d`");
}

#[test]
fn one_line_for_a_prompt() {
    let test = Test::new().power().sequence(BLOCKED);
    assert_eq!(test.run(&["status", "--short"]).success().stdout, "shop ○ 3 ◌ 2\n");
    test.run(&["run", "--wait"]).fails(7);
    let out = test.run(&["status", "--short"]).success();
    assert_eq!((out.stdout.as_str(), out.stderr.as_str()), ("shop ◆ 1 ✔ 1 ✖ 1 ◌ 2\n", ""));
    let json = test.run(&["status", "--short", "--json"]).success().json();
    assert_eq!((&json["waiting"], &json["counts"]["FAILED"]), (&json!(1), &json!(1)));
    let name = test.path(".").canonicalize().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    test.write(".threados/config.yaml", "ui: {ascii: true}\nodd: 1\n");
    assert_eq!(test.run(&["status", "--short"]).success().stderr, "");
    for zoom in ["compact", "normal", "detail"] {
        let out = test.run(&["graph", "--zoom", zoom]).success();
        assert!(out.stdout.is_ascii(), "as config.yaml says: {}", out.stdout);
    }
    test.write(".threados/sequence.yaml", "steps: [\n");
    let out = test.run(&["status", "--short"]).success();
    assert_eq!((out.stdout, out.stderr.as_str()), (format!("{name} ✖ plan\n"), ""));
    assert_eq!(test.run(&["status", "--short", "--json"]).fails(2).json()["success"], false);
    let outside = Test::new();
    let out = outside.run(&["status", "--short"]).success();
    assert_eq!((out.stdout.as_str(), out.stderr.as_str()), ("", ""));
}
