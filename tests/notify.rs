//! `notify` of config.yaml: a person is told what started to need them, once.

use serde_json::json;

use crate::harness::{Test, wait_until};

/// Writes down what it is told.
const NOTIFY: &str = "notify: 'echo \"$THREADOS_NOTIFY_REASON $THREADOS_NOTIFY_STEP, $THREADOS_NOTIFY_COUNT: \
                      $THREADOS_NOTIFY_COMMAND\" >> told; [ \"$PWD\" = \"$THREADOS_NOTIFY_PROJECT\" ]'\n";

fn project(plan: &str) -> Test {
    let test = Test::new().power().sequence(plan);
    test.config(NOTIFY);
    test
}

/// Waits until so many needs have been told, and nobody is telling any more. Returns them in order.
#[track_caller]
fn told(test: &Test, count: usize) -> Vec<String> {
    let is_telling = || test.processes().iter().any(|(_, words)| words.contains("__notify"));
    wait_until("everything to be told", || test.path("told").exists() && test.lines("told").len() >= count && !is_telling());
    let mut lines = test.lines("told");
    lines.sort();
    lines
}

fn runner_log(test: &Test) -> String {
    test.read(format!(".threados/runs/{}/runner.log", test.last_run()))
}

const PLAN: &str = "\
version: \"1.0\"
steps:
  - {id: plan, command: 'true'}
  - {id: draft, command: 'true', review: true}
  - {id: check, command: 'exit 3'}
  - {id: build, command: 'true', depends_on: [ship]}
  - {id: last, command: 'exit 1', depends_on: [build]}
gates:
  - {id: ship, depends_on: [plan]}
";

#[test]
fn a_gate_a_review_and_a_failure_are_told_once() {
    let test = project(PLAN);
    test.run(&["run"]).fails(7);
    let first = told(&test, 3);
    let names: Vec<&str> = first.iter().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(names, ["failed check", "gate ship", "review draft"]);
    assert!(first[1].ends_with(": seqctl gate approve ship"), "{first:?}");
    // What they know of is not told again by the runner that goes on; what is new is.
    test.run(&["gate", "approve", "ship"]).success();
    test.wait_for_status("last", "FAILED");
    let second = told(&test, 4);
    assert!(second.contains(&"failed last, 3: seqctl restart last".into()), "{second:?}");
    assert_eq!(second.len(), 4);
    // Nor by another run; the same step failing again is something new.
    test.run(&["restart", "check"]).fails(7);
    assert_eq!(told(&test, 5).iter().filter(|line| line.starts_with("failed check")).count(), 2);
    assert_eq!(runner_log(&test), "");
    let known = test.json(test.path(".threados/state/notified.json"));
    assert_eq!((&known["v"], known["needs"].as_array().unwrap().len()), (&json!(1), 3));
    test.assert_no_processes();
}

#[test]
fn what_was_there_before_is_no_news() {
    let test = Test::new().power().sequence(PLAN);
    test.run(&["run"]).fails(7);
    assert!(!test.path(".threados/state/notified.json").exists(), "nobody wants to be told");
    test.config(NOTIFY);
    test.run(&["gate", "approve", "ship"]).success();
    test.wait_for_status("last", "FAILED");
    assert_eq!(told(&test, 1), ["failed last, 3: seqctl restart last"]);
}

#[test]
fn what_a_step_asks_for_and_what_is_held_is_told_while_it_runs() {
    let test = Test::new().sequence(
        "version: \"1.0\"\nsteps:\n  - id: lead\n    orchestrator: true\n    command: |\n      \
         seqctl step add w1 --command 'true'\n      seqctl run w1\n  - {id: other, command: 'true', depends_on: [lead]}\n",
    );
    test.config(NOTIFY);
    let run = test.spawn(&["run", "--yes"]);
    let asked = told(&test, 1);
    assert!(asked[0].starts_with("request ") && asked[0].contains(", 1: seqctl requests approve "), "{asked:?}");
    // Somebody changed it after it was confirmed.
    test.write(".threados/sequence.yaml", test.plan().replace("id: other, command: 'true'", "id: other, command: 'false'"));
    let id = asked[0].rsplit(' ').next().unwrap();
    test.run(&["requests", "approve", id]).success();
    assert_eq!(told(&test, 2)[0], "held other, 1: seqctl run step other");
    run.wait().fails(9);
    assert_eq!(told(&test, 2).len(), 2);
}

#[test]
fn a_command_that_fails_hangs_or_is_not_there_does_no_harm() {
    for (command, why) in [
        ("'exit 3'", "ended with exit status: 3"),
        ("[./nowhere]", "cannot be started: No such file or directory"),
        ("[sleep, '100']", "did not end within 50ms"),
    ] {
        let test = Test::new().power().sequence(PLAN);
        test.set_env("THREADOS_NOTIFY_MS", Some("50"));
        test.config(format!("notify: {command}\n"));
        test.run(&["run"]).fails(7).says("`check`");
        wait_until("the warning", || runner_log(&test).contains("notify"));
        test.assert_no_processes();
        let log = runner_log(&test);
        assert_eq!((log.lines().count(), log.matches(why).count()), (1, 1), "three needs, one warning: {log}");
        test.run(&["gate", "approve", "ship"]).success();
        test.wait_for_status("last", "FAILED");
        test.assert_chain_valid();
    }
}

#[test]
fn nothing_is_run_before_somebody_trusts_it() {
    let test = Test::new().sequence(PLAN);
    test.write(".threados/config.yaml", NOTIFY);
    test.run(&["run", "--yes"]).fails(7);
    test.run(&["attention"]).success().prints("nobody has trusted `notify` of config.yaml yet");
    test.run(&["trust"]).success();
    // What is trusted and then changed is not trusted any more.
    test.write(".threados/config.yaml", format!("{NOTIFY}# more\n"));
    test.run(&["restart", "check", "--yes"]).fails(7);
    test.assert_no_processes();
    assert!(!test.path("told").exists());
}
