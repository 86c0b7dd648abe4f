//! Gates: what waits for a person, and how it goes on.

use serde_json::json;

use crate::harness::{Test, text, wait_until};

const GATED: &str = "\
version: \"1.0\"
name: gated
steps:
  - id: build
    command: echo build >> order
  - id: ship
    command: echo ship >> order
    depends_on: [ok]
  - id: tell
    command: echo tell >> order
    depends_on: [ship]
gates:
  - id: ok
    name: Ship it?
    depends_on: [build]
";

fn run_state(test: &Test) -> String {
    text(&test.run(&["runs", "show", "--json"]).success().json()["state"])
}

#[test]
fn a_pending_gate_ends_the_command_and_leaves_the_run_waiting() {
    let test = Test::new().power().sequence(GATED);
    let out = test.run(&["run"]).fails(9).says("waits for gate `ok`").says("seqctl gate approve ok");
    assert!(out.stdout.contains("waits for gate `ok`"), "{}", out.stdout);
    test.assert_no_processes();
    assert_eq!(
        (run_state(&test), test.status("ship"), test.status("ok")),
        ("waiting".into(), "BLOCKED".into(), "PENDING".into())
    );
    let report = test.run(&["run", "--json"]).fails(9).json();
    assert_eq!((&report["code"], &report["data"]["waitsFor"]), (&json!("WAITING"), &json!(["gate `ok`"])));
    assert_eq!(test.runs().len(), 1, "a second run attaches to the waiting one");
    let status = test.run(&["status"]).success();
    assert!(status.stdout.contains("gate `ok` waits for you: seqctl gate approve ok"), "{}", status.stdout);
}

#[test]
fn an_approval_lets_the_chain_finish_when_no_process_is_left() {
    let test = Test::new().power().sequence(GATED);
    test.run(&["run"]).fails(9);
    test.assert_no_processes();
    test.run(&["gate", "approve", "ok", "--note", "looks good"]).success().prints("approved gate `ok`");
    wait_until("the run to end", || run_state(&test) == "ended");
    assert_eq!(test.lines("order"), ["build", "ship", "tell"]);
    assert_eq!(test.runs().len(), 1, "the same run went on");
    let gates = test.run(&["gate", "list", "--json"]).success().json();
    let gate = &gates["gates"][0];
    assert_eq!((&gate["status"], &gate["by"], &gate["note"]), (&json!("APPROVED"), &json!("user"), &json!("looks good")));
    assert!(test.plan().contains("    depends_on: [build]\n    status: APPROVED\n"), "{}", test.plan());
    test.assert_no_processes();
    test.assert_chain_valid();
}

#[test]
fn a_run_that_is_watched_goes_on_after_the_approval() {
    let test = Test::new().power().sequence(GATED);
    let run = test.spawn(&["run", "--wait"]);
    wait_until("the run to wait", || {
        run.stdout().contains("waits for gate `ok`") || run.stderr().contains("waits for gate `ok`")
    });
    test.run(&["gate", "approve", "ok"]).success();
    run.wait().success().prints("tell done");
}

#[test]
fn a_gate_can_be_approved_ahead_only_on_purpose() {
    let test = Test::new().power().sequence(GATED);
    test.run(&["gate", "approve", "ok"]).fails(4).says("waits for `build`").says("--ahead");
    test.run(&["gate", "approve", "ok", "--ahead"]).success();
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["build", "ship", "tell"]);
}

#[test]
fn a_gate_is_decided_once_until_it_is_reopened() {
    let test = Test::new().power().sequence(GATED);
    test.run(&["run", "build"]).success();
    test.run(&["gate", "block", "ok", "--note", "not yet"]).success();
    test.run(&["gate", "block", "ok"]).fails(4);
    test.run(&["gate", "approve", "ok"]).fails(4).says("BLOCKED, not PENDING").says("seqctl gate reopen ok");
    test.run(&["run"]);
    assert_eq!(test.lines("order"), ["build"], "nothing passes a blocked gate");
    test.run(&["gate", "reopen", "ok"]).success();
    test.run(&["gate", "reopen", "ok"]).fails(4);
    assert_eq!(test.status("ok"), "PENDING");
    test.run(&["gate", "approve", "ok"]).success();
    let twice = test.run(&["gate", "approve", "ok", "--json"]).fails(4).json();
    assert_eq!(twice["code"], "GATE_NOT_PENDING");
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["build", "ship", "tell"]);
    for (action, note) in [("gate.block", json!("not yet")), ("gate.reopen", json!(null))] {
        let entry = test.audited(action).pop().unwrap();
        assert_eq!((&entry["target"], &entry["payload"]["note"]), (&json!("ok"), &note));
    }
}

#[test]
fn a_blocked_gate_ends_a_run_with_its_reason() {
    let test = Test::new().power().sequence(GATED);
    test.run(&["run"]).fails(9);
    test.run(&["gate", "block", "ok", "--note", "not this week"]).success();
    wait_until("the run to see it", || run_state(&test) != "active");
    test.assert_no_processes();
    let status = test.run(&["status"]).success();
    assert!(status.stdout.contains("not this week"), "{}", status.stdout);
    let out = test.run(&["run"]);
    assert!(out.code != 0 && out.all().contains("`ok`"), "a run that can do nothing says why: {}", out.all());
}

#[test]
fn an_approval_by_hand_is_none() {
    let test = Test::new().power().sequence(GATED);
    test.run(&["run", "build"]).success();
    let by_hand = test.plan().replace("    depends_on: [build]\n", "    depends_on: [build]\n    status: APPROVED\n");
    test.write(".threados/sequence.yaml", &by_hand);
    let out = test.run(&["status"]).success();
    let said = "gate `ok` is APPROVED in the file, but nobody approved it here; it is PENDING";
    out.clone().says(said).says("seqctl gate approve ok");
    let report = test.run(&["status", "--json"]).success().json();
    assert!(report["warnings"].to_string().contains(said), "{report:#}");
    test.run(&["run"]).fails(9);
    assert_eq!(test.lines("order"), ["build"]);
    test.run(&["gate", "approve", "ok"]).success();
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["build", "ship", "tell"]);
}

#[test]
fn a_gate_that_holds_others_is_removed_only_with_cascade() {
    let test = Test::new().sequence(GATED);
    test.run(&["gate", "rm", "ok", "--yes"]).fails(4).says("`ok` is needed by `ship`").says("--cascade");
    test.run(&["gate", "rm", "ok", "--cascade"]).fails(6);
    test.run(&["gate", "rm", "ok", "--cascade", "--yes"]).success();
    let show = test.run(&["step", "show", "ship", "--json"]).success().json();
    assert_eq!(show["step"]["depends_on"], json!(["build"]), "what waited for the gate waits for what came before it");
}

#[test]
fn a_step_that_others_need_is_removed_only_with_cascade() {
    let test = Test::new().sequence(GATED);
    let out = test.run(&["step", "rm", "build", "--yes", "--json"]).fails(4).json();
    assert_eq!((&out["code"], &out["error"]), (&json!("HAS_DEPENDENTS"), &json!("`build` is needed by `ok`")));
    test.run(&["step", "add", "more", "--command", "true", "--after", "build"]).success();
    test.run(&["step", "rm", "build", "--yes"]).fails(4).says("`build` is needed by `more` and `ok`");
    test.run(&["step", "rm", "ship", "--cascade", "--yes"]).success().prints("rewired `tell`");
    let show = test.run(&["step", "show", "tell", "--json"]).success().json();
    assert_eq!(show["step"]["depends_on"], json!(["ok"]));
    test.run(&["validate", "--strict"]).success();
}

#[test]
fn inserting_a_gate_puts_it_between() {
    let test = Test::new().power().sequence(
        "version: \"1.0\"\nsteps:\n  - id: a\n    command: \"true\"\n  - id: b\n    command: \"true\"\n    depends_on: [a] # why\n",
    );
    test.run(&["gate", "insert", "mid", "--name", "Between", "--after", "a", "--before", "b"]).success();
    let show = test.run(&["step", "show", "b", "--json"]).success().json();
    assert_eq!(show["step"]["depends_on"], json!(["mid"]));
    assert!(test.plan().contains("depends_on: [mid] # why\n"), "{}", test.plan());
    test.run(&["run"]).fails(9);
    test.run(&["gate", "approve", "mid"]).success();
    test.wait_for_status("b", "DONE");
}

#[test]
fn one_gate_after_another_waits_twice() {
    let plan = "version: \"1.0\"\nsteps:\n  - id: a\n    command: \"true\"\n  - id: b\n    command: \"true\"\n    depends_on: [second]\n\
        gates:\n  - id: first\n    depends_on: [a]\n  - id: second\n    depends_on: [first]\n";
    let test = Test::new().power().sequence(plan);
    test.run(&["run"]).fails(9).says("gate `first`");
    test.run(&["gate", "approve", "second"]).fails(4).says("`first`");
    test.run(&["gate", "approve", "first"]).success();
    assert_eq!(test.status("b"), "BLOCKED");
    test.run(&["run"]).fails(9).says("gate `second`");
    test.run(&["gate", "approve", "second"]).success();
    test.wait_for_status("b", "DONE");
}

#[test]
fn a_step_cannot_decide_gates_even_if_it_hides_what_it_is() {
    for disguise in ["", "env -u THREADOS_STEP_ID", "env -i PATH=\"$PATH\"", "setsid env -i PATH=\"$PATH\""] {
        let line = format!("{disguise} \"$SEQCTL\" gate approve ok --ahead --yes > said 2>&1; echo $? > code");
        let test = Test::new().power().sequence(&GATED.replace("echo build >> order", &format!("'{line}'")));
        test.set_env("SEQCTL", Some(env!("CARGO_BIN_EXE_seqctl")));
        test.run(&["run"]).fails(9);
        assert_eq!(test.lines("code"), ["5"], "{line}: {}", test.read("said"));
        assert_eq!(test.status("ok"), "PENDING");
        let denied = test.audited("gate.approve").pop().unwrap();
        assert_eq!((&denied["result"], &denied["actor"]), (&json!("denied"), &json!("orchestrator")));
    }
}

#[test]
fn a_variable_that_the_approver_does_not_have_is_warned_of() {
    let test = Test::new().power().env("TOKEN", "secret").sequence(GATED);
    test.run(&["run"]).fails(9);
    test.set_env("TOKEN", None);
    test.run(&["gate", "approve", "ok"]).success();
    test.wait_for_status("tell", "DONE");
    let log = test.read(format!(".threados/runs/{}/runner.log", test.last_run()));
    assert!(log.contains("TOKEN") && !log.contains("secret"), "{log}");
}

#[test]
fn resetting_what_came_before_reopens_the_gate() {
    let test = Test::new().power().sequence(GATED);
    test.run(&["run"]).fails(9);
    test.run(&["gate", "approve", "ok"]).success();
    test.wait_for_status("tell", "DONE");
    test.run(&["reset", "build", "--downstream"]).success();
    assert_eq!((test.status("ok"), test.status("tell")), ("PENDING".into(), "BLOCKED".into()));
    test.run(&["run"]).fails(9);
    assert_eq!(test.lines("order"), ["build", "ship", "tell", "build"]);
}

#[test]
fn an_approval_can_be_bound_to_what_was_seen() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: a, command: echo a}\n  - {id: b, command: echo b}\n\
                gates:\n  - {id: first, depends_on: [a]}\n  - {id: ok, depends_on: [first]}\n";
    let test = Test::new().power().sequence(plan);
    let digest = || test.run(&["gate", "list", "--json"]).success().json()["gates"][1]["digest"].as_str().unwrap().to_owned();
    let before = digest();
    test.run(&["run", "a", "b"]).success();
    let seen = digest();
    assert_ne!(before, seen);
    test.run(&["restart", "b"]).success();
    assert_eq!(digest(), seen, "it is not before the gate");
    test.run(&["gate", "approve", "first"]).success();
    test.run(&["restart", "a"]).success();
    let out = test.run(&["gate", "approve", "ok", "--ahead", "--expect", &seen, "--json"]).fails(4).json();
    assert_eq!(out["code"], "GATE_CHANGED");
    assert_eq!(test.audited("gate.approve").len(), 1);
    test.run(&["gate", "approve", "ok", "--ahead", "--expect", &digest()]).success();
}
