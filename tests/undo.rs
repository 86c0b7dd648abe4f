//! Taking changes of the plan back, and making them again.

use serde_json::json;

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
    test.run(&["undo"]).success().prints("took back change 4: step.edit `three`");
    assert_eq!(test.plan(), with_three);
    test.run(&["undo"]).success();
    assert_eq!(test.plan(), PLAN);
    test.run(&["undo"]).fails(4);
    test.run(&["redo"]).success();
    test.run(&["redo"]).success().prints("made again change 4");
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
    test.run(&["undo"]).success().prints("took back change 3: step.edit `two`");
    test.run(&["undo"]).fails(4).says("there is nothing to undo");
    assert_eq!((test.status("one"), test.status("ok")), ("DONE".into(), "APPROVED".into()));
}

#[test]
fn a_prompt_comes_back_with_its_file() {
    let test = Test::new().sequence("version: \"1.0\"\nsteps:\n  - {id: a, model: codex}\n  - {id: b, prompt_file: b.md}\n");
    let (own, named) = (".threados/prompts/a.md", "b.md");
    test.write(named, "by hand\n");
    test.run(&["step", "edit", "a", "--name", "A"]).success();
    test.run(&["prompt", "set", "a", "--text", "one"]).success();
    test.run(&["prompt", "set", "b", "--text", "two"]).success();
    let plan = test.plan();
    test.run(&["undo"]).success().prints("took back change 4: prompt.set `b`");
    assert_eq!((test.read(named).as_str(), test.read(own).as_str(), test.plan()), ("by hand\n", "one", plan.clone()));
    test.run(&["undo"]).success().prints("took back change 3: prompt.set `a`");
    assert!(!test.path(own).exists() && test.plan() == plan, "it was not there before");
    test.run(&["undo"]).success().prints("took back change 2: step.edit `a`");
    for _ in 0..3 {
        test.run(&["redo"]).success();
    }
    assert_eq!((test.read(named).as_str(), test.read(own).as_str(), test.plan()), ("two", "one", plan));
    test.write(named, "by hand again\n");
    test.run(&["undo"]).fails(4).says("change 4 cannot be undone").says("or redone: b.md was changed since");
    assert_eq!(test.read(named), "by hand again\n");
    test.assert_chain_valid();
}

#[test]
fn a_template_goes_with_its_prompts_unless_somebody_wrote_to_them() {
    let test = Test::new().sequence("version: \"1.0\"\nsteps: []\n");
    let plan = test.plan();
    test.run(&["fuse", "sort the list", "--id", "sorted"]).success();
    let prompts = || crate::harness::names(&test.path(".threados/prompts"));
    let (made, with_steps) = (prompts(), test.plan());
    assert!(!made.is_empty());
    test.run(&["undo"]).success();
    assert_eq!((test.plan(), prompts()), (plan.clone(), Vec::new()));
    test.run(&["redo"]).success();
    assert_eq!((test.plan(), prompts()), (with_steps, made.clone()));
    test.write(format!(".threados/prompts/{}", made[0]), "mine\n");
    test.run(&["undo"]).success().says(&format!("prompts/{} was changed since, so it stays as it is", made[0]));
    assert_eq!((test.plan(), prompts()), (plan, made[..1].to_vec()));
}

#[test]
fn killed_at_any_point_an_undo_of_a_prompt_has_happened_or_has_not() {
    for (point, happens) in [("tx.staged", false), ("tx.committed", true), ("tx.files_placed", true), ("tx.history_kept", true)] {
        let test = project();
        test.write("two.md", "before");
        test.run(&["step", "edit", "two", "--unset", "command", "--prompt-file", "two.md"]).success();
        test.run_env("THREADOS_FAULT", &format!("{point}:kill"), &["prompt", "set", "two", "--text", "after"]).fails(137);
        test.run(&["gate", "insert", "ok"]).success();
        assert_eq!(test.read("two.md") == "after", happens, "{point}");
        if happens {
            let seq = test.audited("prompt.set")[0]["seq"].to_string();
            test.run_env("THREADOS_FAULT", &format!("{point}:kill"), &["undo", &seq]).fails(137);
            test.run(&["gate", "insert", "ok-2"]).success();
            assert_eq!(test.read("two.md"), "before", "{point}");
        }
    }
}

#[test]
fn what_others_did_since_stays() {
    let test = project();
    test.run(&["step", "add", "three", "--command", "echo three"]).success();
    test.run(&["step", "add", "four", "--command", "echo four", "--after", "three"]).success();
    test.run(&["undo", "3"]).fails(4).says("change 3 cannot be undone").says("three");
    test.run(&["dep", "rm", "four", "three"]).success();
    let hand = test.plan().replace("command: echo four", "command: echo four   # by hand");
    test.write(".threados/sequence.yaml", &hand);
    test.run(&["undo", "3"]).success();
    assert!(!test.plan().contains("three") && test.plan().contains("echo four   # by hand"), "{}", test.plan());
    let changed = test.plan().replace("command: echo four ", "command: echo vier ");
    test.write(".threados/sequence.yaml", &changed);
    test.run(&["undo", "4"]).fails(4).says("`four` was changed since");
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
fn a_step_cannot_take_back_what_a_person_did_but_ask_for_it() {
    let plan = "version: \"1.0\"\nsteps:\n  - id: one\n    command: $SEQCTL undo 2> said; echo $? > code\n";
    let test = Test::new().power().sequence(plan);
    test.set_env("SEQCTL", Some(env!("CARGO_BIN_EXE_seqctl")));
    test.run(&["step", "add", "two", "--command", "true"]).success();
    test.run(&["run", "one"]).success();
    assert!(test.plan().contains("two"));
    assert_eq!(test.lines("code"), ["9"], "{}", test.read("said"));
    assert!(test.read("said").contains("taking back change 3, step.add `two`"), "{}", test.read("said"));
    let open = test.run(&["requests", "--json"]).success().json()["requests"][0].clone();
    let id = open["id"].as_str().unwrap();
    // What was changed meanwhile is not meant.
    test.run(&["step", "add", "three", "--command", "true"]).success();
    test.run(&["requests", "approve", id]).success();
    assert!(!test.plan().contains("two") && test.plan().contains("three"), "{}", test.plan());
    let undone = &test.audited("undo")[0];
    assert_eq!((&undone["actor"], &undone["payload"]["askedBy"]), (&json!("user"), &json!("orchestrator `one`")));
    test.run(&["requests", "approve", id]).success().says("was approved by user already");
    test.assert_chain_valid();
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
