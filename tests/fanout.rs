//! A fan-out: several workers of one step, through the real binary.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Test, kill, names, text, wait_until};

fn project(step: &str) -> Test {
    Test::new().power().sequence(&format!("version: \"1.0\"\nsteps:\n  - id: many\n{step}"))
}

/// `worker status reason` of each worker of an attempt.
fn workers(test: &Test, attempt: u32) -> Vec<String> {
    let ended = test.attempt_status("many", attempt);
    let rows = ended["workers"].as_array().unwrap();
    rows.iter()
        .map(|row| format!("{} {} {}", row["worker"], text(&row["status"]), text(&row["reason"])).trim_end().into())
        .collect()
}

/// The lines of the logs of all workers, sorted: nobody knows who ended first.
fn logs(test: &Test, more: &[&str]) -> Vec<String> {
    let out = test.run(&[&["logs", "many"], more].concat()).success().stdout;
    let mut lines: Vec<String> = out.lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn each_worker_has_its_number_and_a_folder_of_its_own() {
    let test = project(
        "    fanout: 3\n    command: echo \"$THREADOS_WORKER_INDEX of $THREADOS_WORKER_COUNT\"; echo oh >&2; printf x > made-$THREADOS_WORKER_INDEX\n    artifacts: [made-*]\n",
    );
    test.run(&["run"]).success();
    let folder = test.attempt("many", 1);
    assert_eq!(names(&folder), ["prompt.md", "spec.json", "status.json", "worker-1", "worker-2", "worker-3"]);
    for worker in 1..=3 {
        let own = folder.join(format!("worker-{worker}"));
        assert_eq!(names(&own), ["prompt.md", "status.json", "stderr.log", "stdout.log"]);
        assert_eq!(test.read(own.join("stdout.log")), format!("{worker} of 3\n"));
        let ended = test.json(own.join("status.json"));
        assert_eq!((&ended["worker"], &ended["status"], &ended["stdoutBytes"]), (&json!(worker), &json!("DONE"), &json!(7)));
    }
    let ended = test.attempt_status("many", 1);
    assert_eq!((&ended["status"], &ended["stdoutBytes"], &ended["stderrBytes"]), (&json!("DONE"), &json!(21), &json!(9)));
    assert_eq!(ended["artifacts"].as_array().map(Vec::len), Some(3));
    assert_eq!(test.json(folder.join("spec.json"))["fanout"], json!({"workers": 3, "atOnce": 3, "failPolicy": "fail_fast"}));
    assert_eq!(test.committed(), ["many DONE"], "one outcome");
    assert_eq!(workers(&test, 1), ["1 DONE", "2 DONE", "3 DONE"]);

    assert_eq!(logs(&test, &[]), ["worker 1 │ 1 of 3", "worker 2 │ 2 of 3", "worker 3 │ 3 of 3"]);
    assert_eq!(test.run(&["logs", "many", "--worker", "2"]).success().stdout, "2 of 3\n");
    assert_eq!(logs(&test, &["--stderr"]), ["worker 1 │ oh", "worker 2 │ oh", "worker 3 │ oh"]);
    assert_eq!(logs(&test, &["--stderr", "--tail", "2"]).len(), 2);
    let reply = test.run(&["logs", "many", "--json", "--worker", "3"]).success().json();
    assert_eq!((&reply["worker"], &reply["text"]), (&json!(3), &json!("3 of 3\n")));
    test.run(&["logs", "many", "--worker", "4"]).fails(2).says("`many` had the workers 1 to 3");
    test.run(&["logs", "many", "--after", "0"]).fails(2).says("`--worker N` picks one");
    let result = test.run(&["result", "many"]).success().stdout;
    assert!(result.starts_with("## Worker 1 of 3: done\n\n1 of 3\n\n## Worker 2 of 3: done\n"), "{result}");
    assert_eq!(test.run(&["result", "many", "--worker", "1"]).success().stdout, "1 of 3\n");
    test.run(&["step", "show", "many"]).success().prints("worker 2  ✔ DONE");
    test.run(&["runs", "show"]).success().prints("✔ worker 3");
    test.assert_no_processes();
}

#[test]
fn a_worker_has_files_of_its_own_where_the_plan_tells_them_apart() {
    let test = project(
        "    fanout: 2\n    command: mkdir -p out/$THREADOS_WORKER_INDEX; echo $THREADOS_WORKER_INDEX > out/$THREADOS_WORKER_INDEX/a; echo all >> out/all\n    artifacts: [out/all, 'out/$THREADOS_WORKER_INDEX/*']\n",
    );
    test.run(&["run"]).success();
    let paths = |ended: &Value| -> Vec<String> {
        ended["artifacts"].as_array().unwrap().iter().map(|file| text(&file["path"])).collect()
    };
    assert_eq!(paths(&test.attempt_status("many", 1)), ["out/1/a", "out/2/a", "out/all"]);
    for worker in 1..=2 {
        let own = test.json(test.attempt("many", 1).join(format!("worker-{worker}/status.json")));
        assert_eq!(
            (paths(&own), &own["status"], &own["stdoutBytes"]),
            (vec![format!("out/{worker}/a")], &json!("DONE"), &json!(0))
        );
    }
}

#[test]
fn as_many_run_at_once_as_there_are_slots_and_all_get_their_turn() {
    let test = Test::new().policy("version: \"1.0\"\nmode: POWER\nmax_concurrent: 2\n").sequence(
        "version: \"1.0\"\nsteps:\n  - id: many\n    fanout: 5\n    command: mkdir busy-$THREADOS_WORKER_INDEX; ls -d busy-* | wc -l >> at-once; sleep 0.05; rmdir busy-$THREADOS_WORKER_INDEX\n",
    );
    test.run(&["run"]).success();
    let at_once = test.lines("at-once");
    assert_eq!(at_once.len(), 5);
    assert!(at_once.iter().all(|count| ["1", "2"].contains(&count.trim())), "{at_once:?}");
    let claim = test.read(".threados/state/last/many");
    assert!(claim.contains("\"slots\":2,"), "{claim}");
}

#[test]
fn a_fan_out_takes_what_the_others_leave_and_lets_them_run() {
    let plan = "\
version: \"1.0\"
steps:
  - {id: a, command: 'until [ -e go ]; do sleep 0.01; done'}
  - {id: many, fanout: 9, command: 'until [ -e go ]; do sleep 0.01; done'}
  - {id: z, command: 'true'}
";
    let test = Test::new().policy("version: \"1.0\"\nmode: POWER\nmax_concurrent: 3\n").sequence(plan);
    let run = test.spawn(&["run"]);
    test.wait_for_status("many", "RUNNING");
    assert_eq!(
        (test.status("a"), test.status("z")),
        ("RUNNING".into(), "READY".into()),
        "two of three slots are those of `many`"
    );
    test.write("go", "");
    run.wait().success();
    assert!(test.read(".threados/state/last/many").contains("\"slots\":2,"));
    assert_eq!(workers(&test, 1).len(), 9);
}

#[test]
fn fail_fast_stops_the_other_workers() {
    let test = project(
        "    fanout: 7\n    command: \"case $THREADOS_WORKER_INDEX in 2) until [ -e 1.runs ]; do sleep 0.01; done; exit 3;; *) touch $THREADOS_WORKER_INDEX.runs; sleep 100;; esac\"\n",
    );
    test.run(&["run"]).fails(7).says("step `many` failed: exit 3, worker 2 of 7");
    let ended = workers(&test, 1);
    assert_eq!(
        (ended[1].as_str(), ended[0].as_str(), ended[6].as_str()),
        ("2 FAILED exit", "1 FAILED fail_fast", "7 FAILED fail_fast")
    );
    let rows = test.attempt_status("many", 1)["workers"].clone();
    assert_eq!((&rows[0]["note"], &rows[6]["note"]), (&json!("by the failure of worker 2"), &json!("never started")));
    test.run(&["logs", "many"]).success().says("worker 7 of `many` wrote nothing: never started");
    test.assert_no_processes();
}

#[test]
fn best_effort_lets_them_finish_and_goes_on_with_what_succeeded() {
    let test = Test::new().power().sequence(
        "version: \"1.0\"\nsteps:\n  - id: many\n    fanout: 3\n    fail_policy: best_effort\n    command: '[ $THREADOS_WORKER_INDEX != 1 ] || exit 3; echo $THREADOS_WORKER_INDEX > $THREADOS_WORKER_INDEX.out'\n  - {id: merge, depends_on: [many], command: cat *.out > merged}\n",
    );
    test.run(&["run"]).success();
    assert_eq!(test.read("merged"), "2\n3\n");
    assert_eq!(workers(&test, 1), ["1 FAILED exit", "2 DONE", "3 DONE"]);
    assert_eq!(test.attempt_status("many", 1)["note"], "worker 1 of 3 failed (exit 3)");
}

#[test]
fn a_retry_runs_only_those_who_failed_and_keeps_what_was_there() {
    let test = project(
        "    fanout: 3\n    fail_policy: best_effort\n    retries: 2\n    command: echo $THREADOS_WORKER_INDEX.$THREADOS_ATTEMPT | tee -a ran; [ $THREADOS_WORKER_INDEX != 2 ] || [ $THREADOS_ATTEMPT = 3 ] || exit 3\n",
    );
    test.run(&["run"]).success();
    let mut ran = test.lines("ran");
    ran.sort();
    assert_eq!(ran, ["1.1", "2.1", "2.2", "2.3", "3.1"]);
    assert_eq!(test.attempt_status("many", 1)["status"], "FAILED", "it is tried again");
    assert_eq!(workers(&test, 3), ["1 DONE", "2 DONE", "3 DONE"]);
    let attempts: Vec<Value> = (0..3).map(|at| test.attempt_status("many", 3)["workers"][at]["attempt"].clone()).collect();
    assert_eq!(attempts, [1, 3, 1]);
    let last = test.run(&["logs", "many", "--tail", "1"]).success().stdout;
    assert_eq!(last, "worker 2 │ 2.3\n", "it came after the others");
    assert_eq!(logs(&test, &[]), ["worker 1 │ 1.1", "worker 2 │ 2.3", "worker 3 │ 3.1"]);
    assert_eq!(logs(&test, &["--attempt", "1"]), ["worker 1 │ 1.1", "worker 2 │ 2.1", "worker 3 │ 3.1"]);
    assert_eq!(test.committed(), ["many DONE"]);
}

#[test]
fn a_stop_and_a_timeout_reach_every_worker() {
    let sleeper = "    fanout: 3\n    command: touch $THREADOS_WORKER_INDEX.runs; sleep 100\n";
    let test = project(sleeper);
    let run = test.spawn(&["run"]);
    (1..=3).for_each(|worker| wait_until("all workers", || test.path(format!("{worker}.runs")).exists()));
    test.run(&["stop", "many"]).success();
    run.wait().fails(7);
    assert_eq!(workers(&test, 1), ["1 FAILED stopped", "2 FAILED stopped", "3 FAILED stopped"]);
    assert_eq!(test.attempt_status("many", 1)["note"], "by user");
    test.assert_no_processes();

    let test = project(&format!("{sleeper}    timeout: 100ms\n    fail_policy: best_effort\n"));
    test.run(&["run"]).fails(7).says("timeout, workers 1, 2, 3 of 3: longer than 100ms");
    test.assert_no_processes();
}

#[test]
fn workers_die_with_their_supervisor_and_what_is_known_of_them_is_kept() {
    let test =
        project("    fanout: 3\n    command: touch $THREADOS_WORKER_INDEX.runs; [ $THREADOS_WORKER_INDEX = 1 ] || sleep 100\n");
    let run = test.spawn(&["run"]);
    wait_until("the first worker to end", || test.path(".threados/runs").is_dir() && ended_worker(&test));
    wait_until("all workers", || test.path("3.runs").exists() && test.path("2.runs").exists());
    let lease = test.read(".threados/state/active/many");
    let line = lease.lines().find(|line| line.contains("\"t\":\"supervisor\"")).unwrap();
    let supervisor: Value = serde_json::from_str(line).unwrap();
    kill(supervisor["pid"].as_u64().unwrap().try_into().unwrap(), Signal::KILL);
    run.wait().fails(7).says("orphaned process");
    assert_eq!(workers(&test, 1), ["1 DONE", "2 FAILED orphaned_process", "3 FAILED orphaned_process"]);
    let own = test.json(test.attempt("many", 1).join("worker-2/status.json"));
    assert_eq!((&own["status"], &own["worker"], &own["note"]), (&json!("FAILED"), &json!(2), &json!("its end was not seen")));
    test.assert_no_processes();
}

fn ended_worker(test: &Test) -> bool {
    test.runs().first().is_some_and(|run| test.path(format!(".threados/runs/{run}/many/1/worker-1/status.json")).exists())
}

#[test]
fn more_workers_than_the_policy_allows_are_denied() {
    let test = Test::new()
        .policy("version: \"1.0\"\nmode: POWER\nmax_fanout: 2\n")
        .sequence("version: \"1.0\"\nsteps:\n  - {id: many, fanout: 3, command: touch ran}\n");
    test.run(&["run"]).fails(7).says("policy, a fan-out of 3 is more than 2");
    let denied = test.audited("run.step").pop().unwrap();
    assert_eq!((&denied["result"], &denied["error"]), (&json!("denied"), &json!("a fan-out of 3 is more than 2")));
    assert!(!test.path("ran").exists());
}

#[test]
fn agents_are_told_which_worker_they_are() {
    use std::os::unix::fs::PermissionsExt as _;
    for (how, command) in [("stdin", "cat"), ("file", "cat \"$1\""), ("arg", "printf %s \"$1\"")] {
        let test = project("    fanout: 2\n    model: me\n    prompt: Do it.\n");
        test.config(format!("agents:\n  me: {{command: [./me], prompt: {how}}}\n"));
        test.write("me", format!("#!/bin/sh\n{command} > told-$THREADOS_WORKER_INDEX\necho did $THREADOS_WORKER_INDEX\n"));
        std::fs::set_permissions(test.path("me"), std::fs::Permissions::from_mode(0o755)).unwrap();
        test.run(&["run"]).success();
        for worker in 1..=2 {
            let told = test.read(format!("told-{worker}"));
            assert!(told.contains(&format!("\n- worker: {worker} of 2; all of you have the same task")), "{how}: {told}");
            assert_eq!(told, test.read(test.attempt("many", 1).join(format!("worker-{worker}/prompt.md"))), "{how}");
        }
        test.run(&["result", "many"]).success().prints("## Worker 2 of 2: done\n\ndid 2\n");
        test.run(&["continue", "many", "-m", "more"]).fails(4).says("its last attempt left none");
    }
}

#[test]
fn a_workers_own_word_is_its_outcome() {
    let test = project(
        "    fanout: 2\n    command: '[ $THREADOS_WORKER_INDEX = 1 ] || \"$SEQCTL\" outcome review --note \"look at me\"'\n",
    );
    test.set_env("SEQCTL", Some(env!("CARGO_BIN_EXE_seqctl")));
    test.run(&["run"]).fails(9);
    assert_eq!(workers(&test, 1), ["1 DONE", "2 NEEDS_REVIEW"]);
    assert_eq!(test.attempt_status("many", 1)["note"], "worker 2 of 2: look at me");
    test.run(&["review", "accept", "many"]).success();
    assert_eq!(test.status("many"), "DONE");
}

#[test]
fn the_logs_of_all_workers_are_followed_to_their_end() {
    let test = project("    fanout: 2\n    command: printf 'begin '; until [ -e go ]; do sleep 0.01; done; echo end\n");
    let run = test.spawn(&["run"]);
    test.wait_for_status("many", "RUNNING");
    let follow = test.spawn(&["logs", "many", "-f"]);
    test.write("go", "");
    run.wait().success();
    let out = follow.wait().success().stdout;
    let mut lines: Vec<&str> = out.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["worker 1 │ begin end", "worker 2 │ begin end"]);
}

/// Three workers who write down that they ran.
fn counted() -> Test {
    project(
        "    fanout: 3\n    command: echo $THREADOS_WORKER_INDEX.$THREADOS_ATTEMPT >> ran; echo did $THREADOS_WORKER_INDEX\n    retries: 1\n",
    )
}

#[test]
fn killed_at_any_point_no_worker_runs_twice_and_what_was_written_counts() {
    for (point, wanted) in [
        ("supervisor.before_fork:kill:2", "FAILED orphaned_process"),
        ("status.write:kill", "FAILED orphaned_process"),
        ("status.write:kill:3", "FAILED orphaned_process"),
        ("supervisor.before_exit_line:kill", "FAILED orphaned_process"),
        ("supervisor.after_exit_line:kill", "DONE"),
        ("status.write:kill:4", "DONE"),
        ("supervisor.after_status:kill", "DONE"),
    ] {
        for more in ["", ",recover.before_sweep:kill", ",recover.before_status:kill"] {
            let test = counted();
            let fault = format!("{point}{more}");
            test.run_env("THREADOS_FAULT", &fault, &["run", "--detach"]).success();
            wait_until("the supervisor to be killed", || {
                test.processes().is_empty() || test.path(".threados/state/last/many").exists()
            });
            test.run(&["run"]);
            test.wait_for_commit("many");
            let ended = test.attempt_status("many", 1);
            let outcome = format!("{} {}", text(&ended["status"]), text(&ended["reason"]));
            assert_eq!(outcome.trim_end(), wanted, "{fault}");
            let mut ran = test.lines("ran");
            ran.sort();
            ran.dedup();
            assert_eq!(ran.len(), test.lines("ran").len(), "{fault}: nobody runs twice");
            assert_eq!(ended["workers"].as_array().map(Vec::len), Some(3), "{fault}: {ended:#}");
            if !point.starts_with("supervisor.before_fork") && !point.ends_with("kill") {
                // Who came to an end before that is known to have.
                let done = workers(&test, 1).iter().filter(|worker| worker.ends_with("DONE")).count();
                assert!(ran.len() == 3 && done >= 2, "{fault}: {done} of {}", ran.len());
            }
            test.run(&["logs", "many"]).success();
            test.assert_chain_valid();
            test.assert_no_processes();
        }
    }
}

#[test]
fn a_full_disk_keeps_nobody_from_working_and_loses_no_outcome() {
    let test = counted();
    test.run_env("THREADOS_FAULT", "status.write:enospc:8,exit.append:enospc:2", &["run"]).success();
    assert_eq!(workers(&test, 1), ["1 DONE", "2 DONE", "3 DONE"]);
    for worker in 1..=3 {
        let own = test.json(test.attempt("many", 1).join(format!("worker-{worker}/status.json")));
        assert_eq!((&own["status"], &own["worker"], &own["stdoutBytes"]), (&json!("DONE"), &json!(worker), &json!(6)));
    }
    assert_eq!(test.lines("ran").len(), 3);
}

#[test]
fn workers_end_when_their_lease_is_taken_away() {
    let test = project("    fanout: 2\n    command: touch $THREADOS_WORKER_INDEX.runs; sleep 100\n");
    test.run(&["run", "--detach"]).success();
    wait_until("all workers", || test.path("1.runs").exists() && test.path("2.runs").exists());
    // What still writes there may make parts of it anew.
    wait_until("everything to be gone", || {
        let _ = std::fs::remove_dir_all(test.path(".threados"));
        test.processes().is_empty()
    });
}

#[test]
fn the_logs_of_all_workers_are_one_text_in_the_order_in_which_they_were_written() {
    let wait = "until [ -e .threados/runs/*/many/1/worker-2/status.json ]; do sleep 0.01; done";
    let test = project(&format!(
        "    fanout: 2\n    command: \"[ $THREADOS_WORKER_INDEX = 2 ] || {{ {wait}; }}; echo $THREADOS_WORKER_INDEX; echo end\"\n"
    ));
    test.run(&["run"]).success();
    let whole = "worker 2 │ 2\nworker 2 │ end\nworker 1 │ 1\nworker 1 │ end\n";
    assert_eq!(test.run(&["logs", "many"]).success().stdout, whole);
    let part = |args: &[&str]| {
        let answer = test.run(&[&["logs", "many", "--json"], args].concat()).success().json();
        (text(&answer["text"]), answer["truncated"] == true)
    };
    assert_eq!(part(&[]), (whole.into(), false));
    assert_eq!(part(&["--tail", "1"]), ("worker 1 │ end\n".into(), true));
    assert_eq!(part(&["--tail", "9"]), (whole.into(), false));
    assert_eq!(part(&["--limit", "40"]), ("worker 1 │ 1\nworker 1 │ end\n".into(), true), "whole lines");
}
