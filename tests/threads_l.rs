//! L threads: steps that work for hours, more time for them, and watchdogs.

use serde_json::json;

use crate::harness::{Test, text, wait_until};

/// A step that works until a file `go` is there.
fn until_go(timeout: &str) -> String {
    format!(
        "version: \"1.0\"\nsteps:\n  - id: long\n    timeout: {timeout}\n    command: echo begun > begun; until [ -e go ]; do sleep 0.05; done; echo finished\n"
    )
}

fn row(test: &Test, id: &str) -> serde_json::Value {
    let report = test.run(&["status", "--json"]).success().json();
    report["steps"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone()
}

#[test]
fn a_step_that_is_given_more_time_finishes_after_its_timeout() {
    let test = Test::new().power().sequence(&until_go("8s"));
    test.run(&["run", "--detach"]).success();
    test.wait_for_file("begun");
    assert_eq!(row(&test, "long")["timeoutMs"], 8000);
    let answer = test.run(&["extend", "long", "5m", "--json"]).success().json();
    assert_eq!((&answer["addedMs"], &answer["timeoutMs"]), (&json!(300_000), &json!(308_000)));
    test.run(&["extend", "long", "1h"]).success().prints("`long` has 1h5m8s now");
    wait_until("`long` to run for longer than its timeout", || row(&test, "long")["durationMs"].as_u64() > Some(8500));
    assert!(row(&test, "long")["leftMs"].as_u64() > Some(3_600_000));
    test.run(&["step", "show", "long"]).success().prints("1h5m8s").prints(" left");
    test.write("go", "");
    test.wait_for_commit("long");
    assert_eq!((test.status("long").as_str(), test.stdout("long", 1).as_str()), ("DONE", "finished\n"));
    let extended = test.audited("extend");
    assert_eq!((&extended[0]["actor"], &extended[0]["payload"]["timeoutMs"]), (&json!("user"), &json!(308_000)));
    assert!(!test.path(".threados/state/active/long.time").exists(), "it goes with the lease");
}

#[test]
fn more_time_is_for_the_attempt_that_runs() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: twice, timeout: 5s, retries: 1, retry_delay: 0s, command: echo $THREADOS_ATTEMPT >> attempts; sleep 60}\n";
    let test = Test::new().power().sequence(plan);
    test.run(&["run", "--detach"]).success();
    test.wait_for_file("attempts");
    test.run(&["extend", "twice", "1s"]).success();
    test.wait_for_commit("twice");
    assert_eq!(test.lines("attempts"), ["1", "2"]);
    let note = |attempt| text(&test.attempt_status("twice", attempt)["note"]);
    assert_eq!((note(1), note(2)), ("longer than 6s".into(), "longer than 5s".into()));
}

#[test]
fn the_end_of_a_long_time_is_announced_and_more_time_is_announced_again() {
    let test = Test::new().power().sequence(&until_go("1h")).env("THREADOS_WARN_PERCENT", "0");
    let watching = test.spawn(&["run"]);
    test.wait_for_file("begun");
    let events = test.spawn(&["attach", "--json", "--watch"]);
    let warned = |count: usize| wait_until("a warning", || test.audited("time.short").len() >= count);
    warned(1);
    let report = test.run(&["status", "--json"]).success().json();
    let attention = text(&report["attention"][0]);
    assert!(
        attention.starts_with("`long` has used 0 % of its 1h, ") && attention.ends_with("seqctl extend long 30m"),
        "{attention}"
    );
    test.run(&["extend", "long", "2h"]).success();
    warned(2);
    test.write("go", "");
    let out = watching.wait().success();
    assert!(out.stdout.contains("`long` has used 0 % of its 1h, 59m"), "{}", out.stdout);
    assert!(out.stdout.contains("`seqctl extend long 30m` gives it more"), "{}", out.stdout);
    assert!(out.stdout.contains("long has 3h now, 2h more, by user"), "{}", out.stdout);
    assert_eq!(test.audited("time.short").len(), 2, "each is said once");
    let lines = events.wait().success().json_lines();
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    assert!(of("timeShort") >= 1 && of("extended") == 1, "{lines:#?}");
}

#[test]
fn a_step_gives_more_time_only_to_what_it_added() {
    let plan = until_go("1h")
        + "  - {id: own, orchestrator: boss, timeout: 1h, command: 'echo x > own; until [ -e go ]; do sleep 0.05; done'}\n  - {id: boss, orchestrator: true, command: 'true'}\n";
    let test = Test::new().power().sequence(&plan);
    test.run(&["run", "long", "own", "--detach"]).success();
    test.wait_for_file("begun");
    test.wait_for_file("own");
    let by_boss = |id: &str| test.run_env("THREADOS_STEP_ID", "boss", &["extend", id, "1h"]);
    by_boss("long").fails(5).says("only steps that it added");
    by_boss("own").success();
    assert_eq!((&row(&test, "long")["timeoutMs"], &row(&test, "own")["timeoutMs"]), (&json!(3_600_000), &json!(7_200_000)));
    let denied: Vec<_> = test.audited("extend").iter().map(|entry| text(&entry["result"])).collect();
    assert_eq!(denied, ["denied", "ok"]);
    test.write("go", "");
    test.run(&["wait", "long", "own"]).success();
    test.run(&["extend", "long", "1h"]).fails(4).says("`long` is not running");
}
