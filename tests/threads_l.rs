//! L threads: steps that work for hours, more time for them, and watchdogs.

use rustix::process::Signal;
use serde_json::json;

use crate::harness::{Test, kill, text, wait_until};

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

/// A step that works until a file `go` is there, and a watchdog that looks all the time.
fn watched(look: &str) -> String {
    format!(
        "version: \"1.0\"\npolicy: {{max_concurrent: 1}}\nsteps:\n  - {{id: long, command: 'echo working; echo begun > begun; until [ -e go ]; do sleep 0.05; done; echo finished'}}\n  - id: dog\n    watchdog_for: long\n    watchdog_interval: 100ms\n    command: |\n      {look}\n"
    )
}

fn looks(test: &Test) -> Vec<serde_json::Value> {
    let lines = test.lines(test.attempt("dog", 1).join("looks.jsonl"));
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_watchdog_stops_its_step_and_both_logs_are_kept() {
    let look = "echo look >> looks; cat \"$THREADOS_WATCHED_STDOUT\"; echo \"at $THREADOS_WATCHED_ID\" >&2; [ -e bad ] && { echo 'the disk is nearly full'; exit 1; }; true";
    // One slot, which the step holds: its watchdog needs none.
    let test = Test::new().power().sequence(&watched(look));
    let watching = test.spawn(&["run"]);
    wait_until("three looks", || test.lines("looks").len() >= 3);
    assert_eq!((test.status("long").as_str(), test.status("dog").as_str()), ("RUNNING", "RUNNING"));
    test.write("bad", "");
    let out = watching.wait().fails(7);
    assert!(out.stdout.contains("long FAILED: watchdog, `dog`: the disk is nearly full"), "{}", out.stdout);
    let (long, dog) = (test.attempt_status("long", 1), test.attempt_status("dog", 1));
    assert_eq!((&long["status"], &long["reason"]), (&json!("FAILED"), &json!("watchdog")));
    assert_eq!(text(&long["note"]), "`dog`: the disk is nearly full");
    assert_eq!((&dog["status"], text(&dog["note"])), (&json!("DONE"), "stopped `long`: the disk is nearly full".to_owned()));
    assert_eq!((test.status("long").as_str(), test.status("dog").as_str()), ("FAILED", "DONE"));
    assert_eq!(test.stdout("long", 1), "working\n");
    let log = test.stdout("dog", 1);
    assert!(log.matches("working\n").count() >= 4 && log.ends_with("the disk is nearly full\n"), "{log}");
    let looks = looks(&test);
    let stderr = test.read(test.attempt("dog", 1).join("stderr.log"));
    assert_eq!(stderr.matches("at long\n").count(), looks.len(), "each look's output stands behind the one before");
    let (last, rest) = looks.split_last().unwrap();
    assert_eq!((&last["verdict"], &last["words"]), (&json!("stop"), &json!("the disk is nearly full")));
    assert!(rest.iter().all(|look| look["verdict"] == "fine"), "{looks:#?}");
    assert!(looks.windows(2).all(|pair| pair[0]["stdout"].as_u64() < pair[1]["stdout"].as_u64()));
    test.assert_chain_valid();
}

#[test]
fn a_watchdog_asks_for_a_review_with_42_or_its_own_word() {
    for look in ["echo strange; exit 42", "$SEQCTL outcome review --note strange"] {
        let look = look.replace("$SEQCTL", env!("CARGO_BIN_EXE_seqctl"));
        let test = Test::new().power().sequence(&watched(&look));
        test.run(&["run"]).fails(9);
        let long = test.attempt_status("long", 1);
        assert_eq!((&long["status"], &long["reason"]), (&json!("NEEDS_REVIEW"), &json!("watchdog")), "{look}");
        assert_eq!(text(&long["note"]), "`dog`: strange");
        assert_eq!(test.status("dog"), "DONE");
        test.run(&["status"]).success().prints("`long` wants a review (`dog`: strange)");
        test.run(&["review", "accept", "long"]).success();
        assert_eq!(test.status("long"), "DONE");
    }
}

#[test]
fn a_look_that_fails_is_a_warning_and_stops_nothing() {
    let test = Test::new().power().sequence(&watched("echo look >> looks; exit 3"));
    test.run(&["run", "--detach"]).success();
    wait_until("two looks", || test.lines("looks").len() >= 2);
    wait_until("a warning", || {
        let out = test.run(&["status"]).success();
        out.stdout.contains("watchdog `dog` could not look at `long` (exit 3): seqctl logs dog")
    });
    test.run(&["extend", "dog", "1h"]).fails(4).says("it is a watchdog and works for as long as its step");
    test.write("go", "");
    test.run(&["wait", "long", "dog"]).success();
    assert_eq!((test.status("long").as_str(), test.status("dog").as_str()), ("DONE", "DONE"));
    let note = text(&test.attempt_status("dog", 1)["note"]);
    let number = looks(&test).len();
    assert_eq!(note, format!("{number} of {number} looks failed, the last one: exit 3"));
    assert!(test.stdout("long", 1).ends_with("finished\n"));
}

#[test]
fn a_look_that_takes_too_long_is_ended_and_the_next_begins() {
    let plan = watched("echo $$ >> looks; sleep 60").replace("watchdog_interval", "timeout: 200ms\n    watchdog_interval");
    let test = Test::new().power().sequence(&plan);
    test.run(&["run", "--detach"]).success();
    wait_until("three looks", || test.lines("looks").len() >= 3);
    test.write("go", "");
    test.run(&["wait", "long", "dog"]).success();
    assert_eq!(test.status("long"), "DONE");
    assert!(text(&test.attempt_status("dog", 1)["note"]).ends_with("the last one: longer than 200ms"));
    test.assert_no_processes();
}

#[test]
fn a_watchdog_begins_and_ends_with_its_step_however_often_that_runs() {
    let test = Test::new().power().sequence(&watched("echo \"$THREADOS_WATCHED_RUN $THREADOS_WATCHED_PID\" >> looks"));
    // Named alone, the step takes its watchdog with it, and shows that before it asks.
    test.run(&["run", "dog"]).fails(4).says("it is the watchdog of `long`, which does not run");
    test.run(&["run", "long", "--dry-run"]).success().prints("\n  dog: echo");
    test.run(&["run", "long", "--detach"]).success();
    wait_until("a look", || !test.lines("looks").is_empty());
    let first = test.last_run();
    assert!(test.lines("looks")[0].starts_with(&first));
    let pid: u32 = test.lines("looks")[0].rsplit(' ').next().unwrap().parse().unwrap();
    assert!(test.processes().iter().any(|(other, _)| *other == pid), "{pid} is the step's own process");
    test.run(&["stop", "long"]).success().prints("stopped long");
    assert_eq!((test.status("long").as_str(), test.status("dog").as_str()), ("FAILED", "DONE"));
    test.run(&["restart", "dog"]).fails(4).says("it is the watchdog of `long`, which does not run");
    test.run(&["why", "dog"]).success().prints("seqctl restart long");
    test.run(&["restart", "long", "--detach"]).success();
    let second = test.last_run();
    assert_ne!(first, second);
    wait_until("a look in the second run", || test.lines("looks").iter().any(|line| line.starts_with(&second)));
    // Stopped by itself it stays stopped; restarted, it goes on beside the step that never noticed.
    test.run(&["stop", "dog"]).success();
    assert_eq!((test.status("long").as_str(), test.status("dog").as_str()), ("RUNNING", "FAILED"));
    let before = test.lines("looks").len();
    test.run(&["restart", "dog", "--detach"]).success();
    wait_until("a look after that", || test.lines("looks").len() > before);
    test.write("go", "");
    test.run(&["wait", "long", "dog"]).success();
    assert_eq!((test.status("long").as_str(), test.status("dog").as_str()), ("DONE", "DONE"));
    test.assert_chain_valid();
}

/// The process that supervises a step.
fn supervisor(test: &Test, step: &str) -> u32 {
    let lease = test.read(format!(".threados/state/active/{step}"));
    let lines = lease.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let signed = lines.into_iter().find(|line| line["t"] == "supervisor").unwrap();
    signed["pid"].as_u64().unwrap().try_into().unwrap()
}

#[test]
fn a_watchdog_needs_no_runner_to_stop_its_step() {
    let test = Test::new().power().sequence(&watched("echo look >> looks; [ -e bad ] && { echo bad; exit 1; }; true"));
    test.run(&["run", "--detach"]).success();
    wait_until("a look", || !test.lines("looks").is_empty());
    let runner = test.processes().into_iter().find(|(_, words)| words.contains("__runner")).unwrap().0;
    kill(runner, Signal::KILL);
    test.write("bad", "");
    wait_until("both to end", || {
        let ended = |step: &str| test.attempt(step, 1).join("status.json").exists();
        ended("long") && ended("dog")
    });
    assert_eq!(test.attempt_status("long", 1)["reason"], "watchdog");
    test.run(&["wait", "--for", "settled"]);
    wait_until("both to be committed", || test.committed().len() == 2);
    assert_eq!((test.status("long").as_str(), test.status("dog").as_str()), ("FAILED", "DONE"));
    test.assert_chain_valid();
}

#[test]
fn killing_a_supervisor_ends_its_own_step_and_its_watchdog_properly() {
    let test = Test::new().power().sequence(&watched("echo look >> looks; sleep 0.1"));
    test.run(&["run", "--detach"]).success();
    wait_until("a look", || !test.lines("looks").is_empty());
    kill(supervisor(&test, "long"), Signal::KILL);
    test.run(&["wait"]).success();
    assert_eq!(test.attempt_status("long", 1)["reason"], "orphaned_process");
    assert_eq!(test.status("dog"), "DONE");
    // And the other way round: the step goes on, and its watchdog can be started again.
    test.run(&["restart", "long", "--detach"]).success();
    // Killed before its first look it would have run nothing, and would simply be started again.
    let signed = || test.lines(".threados/state/active/dog").iter().any(|line| line.contains("\"child\""));
    wait_until("a first look", signed);
    kill(supervisor(&test, "dog"), Signal::KILL);
    test.wait_for_status("dog", "FAILED");
    assert_eq!(test.status("long"), "RUNNING");
    let before = test.lines("looks").len();
    test.run(&["restart", "dog", "--detach"]).success();
    wait_until("a look", || test.lines("looks").len() > before);
    test.write("go", "");
    test.run(&["wait", "long", "dog"]).success();
    assert_eq!((test.status("long").as_str(), test.status("dog").as_str()), ("DONE", "DONE"));
    test.assert_no_processes();
}

#[test]
fn a_watchdog_that_cannot_watch_is_refused() {
    let table = [
        ("{id: dog, command: x, watchdog_for: dog}", "sequence.yaml:4: `dog`: `watchdog_for` names itself"),
        ("{id: dog, command: x, watchdog_for: logn}", "which does not exist; did you mean `long`?"),
        ("{id: dog, command: x, watchdog_for: cat}", "which is a watchdog itself"),
        ("{id: dog, command: x, watchdog_for: long, depends_on: [long]}", "cannot wait for its end"),
        ("{id: dog, command: x, watchdog_for: ok}", "which is a gate"),
    ];
    for (step, why) in table {
        let plan = format!(
            "version: \"1.0\"\nsteps:\n  - {{id: long, command: x}}\n  - {step}\n  - {{id: cat, command: x, watchdog_for: long}}\ngates: [{{id: ok}}]\n"
        );
        let test = Test::new().sequence(&plan);
        test.run(&["validate"]).fails(2).says(why);
    }
    let test = Test::new().sequence(&until_go("1h"));
    test.run(&["step", "add", "dog", "--watchdog-for", "dog", "--command", "x"]).fails(2).says("names itself");
}

#[test]
fn the_template_makes_a_pair_that_works() {
    let test = Test::new().power().sequence("version: \"1.0\"\nsteps: []\n");
    test.config("agents:\n  me: {command: [sh, -c, 'cat > told; until [ -e go ]; do sleep 0.05; done; echo finished']}\n");
    let args = [
        "template",
        "apply",
        "long-autonomy",
        "--model",
        "me",
        "--timeout",
        "6h",
        "--set",
        "interval=100ms",
        "--task",
        "Port it.",
    ];
    test.run(&args).success();
    test.run(&["validate"]).success();
    test.run(&["run", "--detach"]).success();
    test.wait_for_file("told");
    assert!(test.read("told").contains("Port it.") && test.read("told").contains("you have 6h"));
    assert_eq!(row(&test, "long")["timeoutMs"], 21_600_000);
    wait_until("two looks", || test.lines(test.attempt("watchdog", 1).join("looks.jsonl")).len() >= 2);
    let looks = test.read(test.attempt("watchdog", 1).join("looks.jsonl"));
    assert!(looks.contains("\"verdict\":\"fine\""), "{looks}");
    test.write("go", "");
    test.run(&["wait"]).success();
    assert_eq!((test.status("long").as_str(), test.status("watchdog").as_str()), ("DONE", "DONE"));
    // It does what it is there for: on a disk that is nearly full it ends the step.
    let full = test.path("full");
    test.write("full/df", "#!/bin/sh\necho head; echo fs 9 9 1000 99% /\n");
    std::fs::set_permissions(full.join("df"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::remove_file(test.path("go")).unwrap();
    test.set_env("PATH", Some(&format!("{}:{}", full.display(), std::env::var("PATH").unwrap())));
    test.run(&["restart", "long"]).fails(7).says("less than 1 GiB is left on this disk");
}

#[test]
fn a_watchdog_of_a_fan_out_looks_at_who_wrote_last() {
    let plan = "\
version: \"1.0\"
steps:
  - id: many
    fanout: 2
    command: echo worker $THREADOS_WORKER_INDEX; until [ -e go ]; do sleep 0.05; done; if [ $THREADOS_WORKER_INDEX = 1 ]; then sleep 0.05; echo late; sleep 60; fi
  - id: dog
    watchdog_for: many
    watchdog_interval: 100ms
    command: |
      touch go
      echo \"$THREADOS_WATCHED_SILENT\" >> silent
      if grep late \"$THREADOS_WATCHED_STDOUT\"; then echo \"$THREADOS_WATCHED_STDOUT\" > found; exit 1; fi
";
    let test = Test::new().power().sequence(plan);
    test.run(&["run"]).fails(7);
    assert!(test.read("found").trim_end().ends_with("many/1/worker-1/stdout.log"), "{}", test.read("found"));
    assert_eq!(test.attempt_status("many", 1)["reason"], "watchdog");
    assert!(test.lines("silent").iter().all(|seconds| seconds.parse::<u64>().is_ok_and(|seconds| seconds < 20)));
    test.write(".threados/sequence.yaml", plan.replace("    watchdog_for", "    fanout: 2\n    watchdog_for"));
    test.run(&["validate"]).fails(2).says("leave `fanout` out, or add more watchdogs");
}
