//! How far a run has come, and how long it still takes.

use serde_json::{Value, json};

use crate::harness::Test;

const WAIT: &str = "until [ -f go ]; do sleep 0.01; done";

/// A step that waits for the file `go`, and others in the order of their needs.
fn plan(rest: &str) -> String {
    format!("version: \"1.0\"\nsteps:\n  - {{id: first, command: '{WAIT}'}}\n{rest}")
}

/// As if a step had taken so long in an earlier run.
fn past(test: &Test, step: &str, ms: u64, status: &str) {
    let folder = format!(".threados/runs/20200101-000000-0000/{step}");
    let past = json!({"v": 1, "step": step, "run": "20200101-000000-0000", "attempt": 1, "status": status,
        "startedAt": "2020-01-01T00:00:00Z", "endedAt": "2020-01-01T00:00:00Z", "durationMs": ms,
        "stdoutBytes": 0, "stderrBytes": 0});
    test.write(format!("{folder}/1/status.json"), past.to_string());
    std::os::unix::fs::symlink("1", test.path(format!("{folder}/latest"))).unwrap();
}

/// The progress of a run while its first step runs.
fn progress(test: &Test) -> Value {
    let run = test.spawn(&["run"]);
    test.wait_for_status("first", "RUNNING");
    let report = test.run(&["status", "--json"]).success().json();
    test.write("go", "");
    run.wait();
    assert!(test.run(&["status", "--json"]).success().json().get("progress").is_none());
    report["progress"].clone()
}

fn is_about(progress: &Value, seconds: u64) {
    let left = progress["leftMs"].as_u64().unwrap_or_else(|| panic!("{progress:#}"));
    assert!(left <= seconds * 1000 && left + 30_000 > seconds * 1000, "{left} is not about {seconds} s");
}

#[test]
fn it_follows_from_how_long_the_same_steps_took() {
    let test = Test::new().power().sequence(&plan(
        "  - {id: a, command: 'true', depends_on: [first]}\n  - {id: b, command: 'true', depends_on: [first]}\n  \
         - {id: c, command: 'true', depends_on: [a, b]}\n",
    ));
    for (step, seconds) in [("first", 100), ("a", 60), ("b", 300), ("c", 40)] {
        past(&test, step, seconds * 1000, "DONE");
    }
    let found = progress(&test);
    assert_eq!((&found["total"], &found["done"], &found["running"]), (&json!(4), &json!(0), &json!(1)));
    assert_eq!(found["needsPerson"], json!(false));
    is_about(&found, 100 + 300 + 40);
}

#[test]
fn with_one_slot_one_comes_after_the_other() {
    let test = Test::new().policy("version: \"1.0\"\nmode: POWER\nmax_concurrent: 1\n").sequence(&plan(
        "  - {id: a, command: 'true', depends_on: [first]}\n  - {id: b, command: 'true', depends_on: [first]}\n",
    ));
    for (step, seconds) in [("first", 100), ("a", 60), ("b", 300)] {
        past(&test, step, seconds * 1000, "DONE");
    }
    is_about(&progress(&test), 100 + 60 + 300);
}

#[test]
fn it_ends_where_a_person_is_needed() {
    let rest = "  - {id: a, command: 'true', depends_on: [first]}\n  - {id: b, command: 'true', depends_on: [ship]}\n\
                gates:\n  - {id: ship, depends_on: [a]}\n";
    let test = Test::new().power().sequence(&plan(rest));
    for (step, seconds) in [("first", 100), ("a", 60)] {
        past(&test, step, seconds * 1000, "DONE");
    }
    let run = test.spawn(&["run"]);
    test.wait_for_status("first", "RUNNING");
    let found = test.run(&["status", "--json"]).success().json()["progress"].clone();
    assert_eq!(found["needsPerson"], json!(true));
    is_about(&found, 160);
    test.run(&["status"]).success().prints("0/3 steps · 1 running · about 3 min until it needs you\n");
    test.write("go", "");
    run.wait().fails(9);
}

#[test]
fn what_is_not_known_is_not_said() {
    let rest = |count: usize| -> String {
        (0..count).map(|at| format!("  - {{id: s{at}, command: 'true', depends_on: [first]}}\n")).collect()
    };
    let test = Test::new().power().sequence(&plan(&rest(3)));
    past(&test, "first", 100_000, "DONE");
    past(&test, "s0", 60_000, "FAILED");
    past(&test, "s1", 60_000, "DONE");
    assert!(progress(&test).get("leftMs").is_none());
    // Three of a kind speak for the others.
    let test = Test::new().power().sequence(&plan(&rest(4)));
    for (step, seconds) in [("first", 100), ("s0", 60), ("s1", 80)] {
        past(&test, step, seconds * 1000, "DONE");
    }
    is_about(&progress(&test), 180);
}
