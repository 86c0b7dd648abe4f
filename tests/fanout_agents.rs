//! A fan-out of agents: usage limits, costs, and going on with the session of each worker.

use serde_json::{Value, json};

use crate::{
    agents::{CONFIG, project, row},
    harness::{Test, kill, names, text, wait_until},
    limits::{FAR, SOON, limited},
};

const PLAN: &str = "\
version: \"1.0\"
steps:
  - id: many
    model: fake
    fanout: 3
    prompt: make it so
  - {id: after, command: 'true', depends_on: [many]}
";

/// A project whose second worker meets a usage limit while there is no file `over`.
fn second_is_limited(plan: &str, when: &str) -> Test {
    let test = project(plan);
    test.write("behave", format!("if [ $THREADOS_WORKER_INDEX = 2 ]; then {}; fi", limited(when)));
    test
}

/// `worker attempt status reason` of each worker of an attempt.
fn workers(test: &Test, attempt: u32) -> Vec<String> {
    let ended = test.attempt_status("many", attempt);
    let line = |row: &Value| format!("{} {} {} {}", row["worker"], row["attempt"], text(&row["status"]), text(&row["reason"]));
    ended["workers"].as_array().unwrap().iter().map(|row| line(row).trim_end().into()).collect()
}

fn calls(test: &Test) -> Vec<String> {
    let mut calls = test.lines("calls");
    calls.sort();
    calls
}

#[test]
fn a_limit_makes_only_those_wait_who_met_it() {
    let test = second_is_limited(&PLAN.replace("    prompt", "    artifacts: ['made-$THREADOS_WORKER_INDEX']\n    prompt"), SOON);
    test.write("once", "");
    let behave = test.read("behave");
    test.write("behave", format!("echo $THREADOS_ATTEMPT >> made-$THREADOS_WORKER_INDEX\n{behave}"));
    test.run(&["run"]).success().prints("many met a usage limit");
    assert_eq!(workers(&test, 1), ["1 1 DONE", "2 1 FAILED limit", "3 1 DONE"]);
    let first = test.attempt_status("many", 1);
    assert_eq!((&first["reason"], &first["until"]), (&json!("limit"), &first["limit"]["resetsAt"]));
    assert_eq!(first["until"], first["workers"][1]["until"]);
    assert!(text(&first["note"]).starts_with("worker 2 of 3: Claude AI usage limit"), "{first:#}");
    assert_eq!(workers(&test, 2), ["1 1 DONE", "2 2 DONE", "3 1 DONE"]);
    assert!(text(&test.attempt_status("many", 2)["startedAt"]) >= text(&first["until"]));
    assert_eq!(calls(&test), ["-p", "-p", "-p", "-p --resume s-2"]);
    assert!(test.lines("prompts")[3].contains("Go on with your task where you stopped"));
    let made: Vec<String> = (1..=3).map(|worker| test.read(format!("made-{worker}"))).collect();
    assert_eq!(made, ["1\n", "1\n2\n", "1\n"]);
    let artifacts = test.attempt_status("many", 2)["artifacts"].clone();
    assert_eq!(artifacts.as_array().map(Vec::len), Some(3), "{artifacts}");
    // What those had to say who were done is still there.
    let result = test.run(&["result", "many"]).success().stdout;
    assert!(result.contains("## Worker 1 of 3: done\n\ndid: make it so\n"), "{result}");
    assert!(!test.attempt("many", 2).join("worker-1").exists());
    let cost = |attempt| test.attempt_status("many", attempt)["usage"]["costUsd"].as_f64().unwrap();
    assert!((cost(1) - 2.0 * 0.0136).abs() < 1e-9 && (cost(2) - 0.0136).abs() < 1e-9, "each is counted once");
    assert_eq!((test.status("after"), test.runs().len()), ("DONE".into(), 1));
    test.assert_chain_valid();
}

#[test]
fn nobody_begins_who_would_meet_the_same_limit() {
    let test = second_is_limited(PLAN, SOON).policy("version: \"1.0\"\nmode: POWER\nmax_concurrent: 1\n");
    test.write("once", "");
    test.run(&["run"]).success();
    assert_eq!(workers(&test, 1), ["1 1 DONE", "2 1 FAILED limit", "3 1 FAILED limit"]);
    assert_eq!(test.attempt_status("many", 1)["workers"][2]["note"], "never started");
    assert_eq!(workers(&test, 2), ["1 1 DONE", "2 2 DONE", "3 2 DONE"]);
    assert_eq!(test.lines("calls"), ["-p", "-p", "-p --resume s-2", "-p"]);
    assert_eq!(test.lines("prompts")[3], "make it so");
}

#[test]
fn a_stop_wins_and_while_it_waits_it_is_seen() {
    let test = second_is_limited(PLAN, FAR);
    test.run(&["run", "--detach"]).success();
    wait_until("the step to wait", || row(&test, "many")["until"].is_string());
    assert_eq!(row(&test, "many")["status"], "READY");
    let why = test.run(&["why", "after", "--json"]).success().json();
    assert_eq!((&why["blockers"][0]["kind"], &why["blockers"][0]["id"]), (&json!("limit"), &json!("many")));
    test.run(&["stop", "many"]).success();
    assert_eq!(row(&test, "many")["reason"], "stopped");
    test.assert_no_processes();
    assert_eq!(calls(&test).len(), 3);
    // A restart begins with everybody.
    test.write("over", "");
    test.run(&["restart", "many"]).success();
    assert_eq!(workers(&test, 1), ["1 1 DONE", "2 1 DONE", "3 1 DONE"]);
    assert_eq!(calls(&test), vec!["-p"; 6]);
}

#[test]
fn who_is_not_to_wait_fails_and_another_agent_takes_over_what_is_left() {
    let test = second_is_limited(&PLAN.replace("    prompt", "    limit: fail\n    retries: 2\n    prompt"), FAR);
    test.run(&["run"]).fails(7).says("usage limit, worker 2 of 3: Claude AI usage limit reached");
    assert_eq!(test.attempt_status("many", 1)["until"], json!(null));
    assert_eq!(test.status("many"), "FAILED");

    let test = project(&PLAN.replace("    prompt", "    limit: other\n    prompt"));
    test.config(format!("{CONFIG}  other: {{command: [./fake-agent, -o], output: claude}}\n"));
    test.write("behave", format!("case \"$THREADOS_WORKER_INDEX$*\" in 2-p*) {} ;; esac", limited(FAR)));
    test.run(&["run"]).success();
    assert_eq!(calls(&test), ["-o", "-p", "-p", "-p"]);
    assert_eq!(workers(&test, 2), ["1 1 DONE", "2 2 DONE", "3 1 DONE"]);
}

#[test]
fn a_failure_beside_a_limit_counts_as_one() {
    let plan = PLAN.replace("    prompt", "    fail_policy: best_effort\n    retries: 1\n    prompt");
    let test = second_is_limited(&plan, SOON);
    test.write("once", "");
    let behave = test.read("behave");
    test.write("behave", format!("[ $THREADOS_WORKER_INDEX = 3 ] && code=1 error=true answer=no\n{behave}"));
    test.run(&["run"]).success();
    assert_eq!(workers(&test, 1), ["1 1 DONE", "2 1 FAILED limit", "3 1 FAILED exit"]);
    assert_eq!(workers(&test, 2), ["1 1 DONE", "2 2 DONE", "3 2 FAILED exit"], "its retry, and no other");
    assert_eq!(names(test.attempt("many", 2).parent().unwrap()), ["1", "2", "latest"]);

    // Without a retry it is over for those who failed; with `fail_fast` for all.
    let test = second_is_limited(&plan.replace("    retries: 1\n", ""), SOON);
    test.write("once", "");
    test.write("behave", format!("[ $THREADOS_WORKER_INDEX = 3 ] && code=1 error=true answer=no\n{behave}"));
    test.run(&["run"]).success();
    assert_eq!(workers(&test, 2), ["1 1 DONE", "2 2 DONE", "3 1 FAILED exit"]);
    let test = second_is_limited(PLAN, FAR).policy("version: \"1.0\"\nmode: POWER\nmax_concurrent: 3\n");
    let wait = "while ! grep -q limit .threados/runs/*/many/1/worker-2/status.json 2> /dev/null; do sleep 0.01; done";
    test.write("behave", format!("[ $THREADOS_WORKER_INDEX = 3 ] && {{ {wait}; code=1 error=true answer=no; }}\n{behave}"));
    test.run(&["run"]).fails(7).says("worker 3 of 3: no");
    assert_eq!(row(&test, "many")["until"], json!(null));
}

#[test]
fn what_is_kept_survives_the_supervisor_of_the_rest() {
    let test = second_is_limited(PLAN, SOON);
    test.write("once", "");
    let behave = test.read("behave");
    test.write("behave", format!("{behave}\n[ $THREADOS_ATTEMPT = 2 ] && {{ echo > here; sleep 100; }}"));
    let run = test.spawn(&["run"]);
    test.wait_for_file("here");
    let count = test.run(&["status", "--json"]).success().json()["steps"][0]["workers"].clone();
    assert_eq!(count, json!({"ended": 2, "all": 3}));
    assert!(test.run(&["logs", "many", "--worker", "1"]).success().stdout.contains("did: make it so"));
    let lease = test.read(".threados/state/active/many");
    let line = lease.lines().find(|line| line.contains("\"t\":\"supervisor\"")).unwrap();
    let supervisor: Value = serde_json::from_str(line).unwrap();
    kill(supervisor["pid"].as_u64().unwrap().try_into().unwrap(), rustix::process::Signal::KILL);
    run.wait().fails(7);
    assert_eq!(workers(&test, 2), ["1 1 DONE", "2 2 FAILED orphaned_process", "3 1 DONE"]);
}

#[test]
fn what_a_step_may_cost_is_for_all_workers_together() {
    let test = project(&PLAN.replace("    prompt", "    max_cost_usd: 1\n    prompt"));
    test.run(&["run", "--dry-run"]).success().prints("3 workers: ./fake-agent -p --budget 0.3333 ←");
    test.run(&["run"]).success();
    assert_eq!(calls(&test), vec!["-p --budget 0.3333"; 3]);
    let told = test.read(test.attempt("many", 1).join("worker-2/prompt.md"));
    assert!(told.contains("$0.3333") && !told.contains("$1"), "{told}");
}

#[test]
fn every_worker_goes_on_with_its_own_session() {
    let test = project(PLAN);
    test.run(&["run"]).success();
    let out = test.run(&["continue", "many", "-m", "now add tests", "--dry-run"]).success().stdout;
    assert!(out.contains("many, worker 2: ./fake-agent -p --resume s-2 ← now add tests"), "{out}");
    let out = test.run(&["continue", "many", "-m", "now add tests", "--json"]).success().json();
    assert_eq!((&out["state"], &out["counts"]["DONE"]), (&json!("ended"), &json!(1)));
    assert_eq!(calls(&test)[3..], ["-p --resume s-1", "-p --resume s-2", "-p --resume s-3"]);
    assert_eq!(test.lines("prompts")[3..], ["now add tests", "now add tests", "now add tests"]);
    assert_eq!(workers(&test, 1).len(), 3);
    test.assert_chain_valid();
}

#[test]
fn a_rejected_fan_out_goes_on_and_who_had_no_session_is_told_everything() {
    let plan = PLAN.replace("    prompt", "    review: true\n    fail_policy: best_effort\n    prompt");
    let test = project(&plan);
    // The third is gone before it has a session.
    let fake = test.read("fake-agent");
    test.write(
        "fake-agent",
        fake.replacen("told=$(cat)\n", "[ \"$THREADOS_WORKER_INDEX$THREADOS_ATTEMPT\" = 31 ] && exit 1\ntold=$(cat)\n", 1),
    );
    test.run(&["run"]).fails(9);
    assert_eq!(workers(&test, 1), ["1 1 NEEDS_REVIEW", "2 1 NEEDS_REVIEW", "3 1 FAILED exit"]);
    test.run(&["review", "reject", "many", "-m", "shorter"]).fails(9);
    assert_eq!(test.attempt_status("many", 2)["status"], "NEEDS_REVIEW", "in the run that waits");
    assert_eq!(calls(&test)[4..], ["-p --resume s-1", "-p --resume s-2"]);
    let told = |worker: u32| test.read(test.attempt("many", 2).join(format!("worker-{worker}/prompt.md")));
    assert_eq!((told(1).as_str(), told(2).as_str()), ("shorter", "shorter"));
    assert!(told(3).contains("## Task\n\nmake it so\n\nshorter\n"), "{}", told(3));
    test.run(&["review", "accept", "many"]).success();
    test.wait_for_status("after", "DONE");
}

#[test]
fn a_session_of_something_else_is_none() {
    let test = project(PLAN);
    test.run(&["continue", "many", "-m", "x"]).fails(4).says("it has not run");
    test.run(&["run"]).success();
    test.run(&["step", "edit", "many", "--fanout", "0"]).success();
    test.run(&["continue", "many", "-m", "x"]).fails(4).says("a fan-out or not, has changed");
}
