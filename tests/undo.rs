//! Taking changes of the plan back, and making them again.

use crate::harness::Test;

const PLAN: &str = "\
# The plan.
version: \"1.0\"
steps:
  - id: one   # first
    command: echo one

  # The second.
  - id: two
    command: echo two
    depends_on: [one]
";

fn project() -> Test {
    Test::new().power().sequence(PLAN)
}

#[test]
fn changes_are_taken_back_and_made_again_one_by_one() {
    let test = project();
    test.run(&["undo"]).fails(4).says("there is nothing to undo");
    test.run(&["step", "add", "three", "--command", "echo three", "--after", "two"]).success();
    let with_three = test.plan();
    test.run(&["step", "edit", "three", "--command", "echo 3"]).success();
    let edited = test.plan();
    test.run(&["undo"]).success().prints("took back change 3: step.edit `three`");
    assert_eq!(test.plan(), with_three);
    test.run(&["undo"]).success();
    assert_eq!(test.plan(), PLAN);
    test.run(&["undo"]).fails(4);
    test.run(&["redo"]).success();
    test.run(&["redo"]).success().prints("made again change 3");
    assert_eq!(test.plan(), edited);
    test.run(&["redo"]).fails(4).says("there is nothing to redo");
    test.assert_chain_valid();
}

#[test]
fn outcomes_and_runs_stay() {
    let test = project();
    test.run(&["step", "rm", "two", "--yes"]).success();
    test.run(&["run"]).success();
    test.run(&["undo"]).success();
    assert_eq!((test.status("one"), test.status("two")), ("DONE".into(), "READY".into()));
    assert!(test.plan().contains("  # The second.\n  - id: two\n"), "{}", test.plan());
    test.run(&["run"]).success();
    test.run(&["redo"]).success();
    assert!(!test.plan().contains("two"), "{}", test.plan());
    test.run(&["undo"]).success();
    assert_eq!(test.status("two"), "DONE", "its outcome came back with it");
}

#[test]
fn decisions_are_no_changes_of_the_plan() {
    let test = Test::new().power().sequence(&format!("{PLAN}gates:\n  - id: ok\n    depends_on: [two]\n"));
    test.run(&["step", "edit", "two", "--name", "Two"]).success();
    test.run(&["gate", "approve", "ok", "--ahead", "--note", "fine"]).success();
    test.run(&["skip", "one"]).success();
    test.run(&["undo"]).success().prints("took back change 2: step.edit `two`");
    test.run(&["undo"]).fails(4).says("there is nothing to undo");
    assert_eq!((test.status("one"), test.status("ok")), ("DONE".into(), "APPROVED".into()));
}

#[test]
fn what_others_did_since_stays() {
    let test = project();
    test.run(&["step", "add", "three", "--command", "echo three"]).success();
    test.run(&["step", "add", "four", "--command", "echo four", "--after", "three"]).success();
    test.run(&["undo", "2"]).fails(4).says("change 2 cannot be undone").says("three");
    test.run(&["dep", "rm", "four", "three"]).success();
    let hand = test.plan().replace("command: echo four", "command: echo four   # by hand");
    test.write(".threados/sequence.yaml", &hand);
    test.run(&["undo", "2"]).success();
    assert!(!test.plan().contains("three") && test.plan().contains("echo four   # by hand"), "{}", test.plan());
    let changed = test.plan().replace("command: echo four ", "command: echo vier ");
    test.write(".threados/sequence.yaml", &changed);
    test.run(&["undo", "3"]).fails(4).says("`four` was changed since");
    assert_eq!(test.plan(), changed);
}

#[test]
fn a_step_that_runs_is_not_taken_away() {
    let test = project();
    test.run(&["step", "add", "long", "--command", "until [ -e go ]; do sleep 0.01; done"]).success();
    test.run(&["run", "long", "--detach"]).success();
    test.wait_for_status("long", "RUNNING");
    test.run(&["undo"]).fails(4).says("`long` is running");
    test.write("go", "");
    test.wait_for_status("long", "DONE");
}

#[test]
fn a_step_cannot_take_back_what_a_person_did() {
    let test = Test::new().power().sequence("version: \"1.0\"\nsteps:\n  - id: one\n    command: $SEQCTL undo\n");
    test.set_env("SEQCTL", Some(env!("CARGO_BIN_EXE_seqctl")));
    test.run(&["step", "add", "two", "--command", "true"]).success();
    test.run(&["run", "one"]).fails(7);
    assert!(test.plan().contains("two"));
    assert_eq!(test.audited("undo")[0]["result"], "denied");
}

#[test]
fn killed_at_any_point_an_undo_has_happened_or_has_not() {
    for (point, happens) in [("tx.staged", false), ("tx.committed", true), ("tx.exchanged", true)] {
        let test = project();
        test.run(&["step", "add", "three", "--command", "echo three"]).success();
        let before = test.plan();
        test.run_env("THREADOS_FAULT", &format!("{point}:kill"), &["undo"]).fails(137);
        // A save in between is merged with it.
        test.run(&["gate", "insert", "ok"]).success();
        assert_eq!(test.plan().contains("three"), !happens, "{point}");
        assert!(test.plan().starts_with(if happens { PLAN } else { &before }), "{point}: {}", test.plan());
    }
}
