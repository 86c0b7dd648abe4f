//! One test for each thread type, from its plan to its end: the real binary and real processes.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};
use threados::store::sha256;

use crate::harness::{Test, text};

fn status(test: &Test, step: &str) -> (String, String) {
    let ended = test.attempt_status(step, 1);
    (text(&ended["status"]), text(&ended["reason"]))
}

#[test]
fn base_runs_leaves_its_artifacts_and_is_done() {
    let test = Test::new().power();
    test.run(&["init", "--empty"]).success();
    test.run(&["trust"]).success();
    let command = "mkdir dist; printf app > dist/app.js; echo built; echo careful >&2";
    test.run(&["step", "add", "build", "--command", command, "--artifact", "dist/**"]).success();
    test.run(&["run"]).success().prints("build done");
    assert_eq!(test.status("build"), "DONE");
    assert_eq!(
        (test.stdout("build", 1), test.read(test.attempt("build", 1).join("stderr.log"))),
        ("built\n".into(), "careful\n".into())
    );
    let ended = test.attempt_status("build", 1);
    assert_eq!(ended["artifacts"], json!([{"path": "dist/app.js", "bytes": 3, "sha256": sha256(b"app")}]));
    assert!(test.plan().contains("status: DONE"), "{}", test.plan());
    assert_eq!(test.committed(), ["build DONE"]);
    test.assert_chain_valid();
    test.assert_no_processes();
}

/// Three workers, of which the second fails once the other two run, and a step that merges what they made. The third
/// says nothing of what a failure means, and follows the others.
fn parallel(policy: &str) -> Test {
    Test::new().power().sequence(&format!(
        "\
version: \"1.0\"
steps:
  - id: one
    group_id: trio
    fail_policy: {policy}
    command: touch one.runs; until [ -e go ]; do sleep 0.01; done; echo one > one.txt
  - id: two
    group_id: trio
    fail_policy: {policy}
    command: until [ -e one.runs ] && [ -e three.runs ]; do sleep 0.01; done; echo broken; exit 3
  - id: three
    group_id: trio
    command: touch three.runs; until [ -e go ]; do sleep 0.01; done; echo three > three.txt
  - id: merge
    depends_on: [one, two, three]
    command: cat *.txt > merged
"
    ))
}

#[test]
fn p_with_fail_fast_stops_the_siblings_of_a_failure() {
    let test = parallel("fail_fast");
    test.run(&["run", "group", "trio"]).fails(7).says("3 steps failed: `two`, `one` and `three`").says("seqctl logs two");
    assert_eq!(status(&test, "two"), ("FAILED".into(), "exit".into()));
    for sibling in ["one", "three"] {
        assert_eq!(status(&test, sibling), ("FAILED".into(), "fail_fast".into()), "{sibling}");
        assert_eq!(test.attempt_status(sibling, 1)["note"], "by the failure of `two`");
        assert!(!test.path(format!("{sibling}.txt")).exists());
    }
    assert_eq!((test.status("merge"), test.path("merged").exists()), ("BLOCKED".into(), false));
    assert_eq!(text(&test.run(&["why", "merge", "--json"]).success().json()["blockers"][0]["kind"]), "failed");
    test.assert_no_processes();
}

#[test]
fn p_with_best_effort_lets_them_finish_and_merges_what_succeeded() {
    let test = parallel("best_effort");
    let run = test.spawn(&["run"]);
    test.wait_for_status("two", "FAILED");
    assert_eq!((test.status("one"), test.status("merge")), ("RUNNING".into(), "BLOCKED".into()));
    test.write("go", "");
    run.wait().fails(7);
    let ended = [("one", "DONE"), ("two", "FAILED"), ("three", "DONE"), ("merge", "DONE")];
    assert_eq!(test.statuses(), ended.map(|(id, status)| (id.into(), status.into())));
    assert_eq!(test.read("merged"), "one\nthree\n");
    let groups = test.run(&["group", "list", "--json"]).success().json();
    assert_eq!(groups["groups"], json!([{"id": "trio", "members": ["one", "two", "three"], "failPolicy": "best_effort"}]));
}

#[test]
fn p_whose_members_disagree_is_no_plan() {
    let test = parallel("fail_fast");
    let plan = test.plan().replacen("fail_policy: fail_fast", "fail_policy: best_effort", 1);
    fs::write(test.plan_path(), plan).unwrap();
    for line in [&["validate"][..], &["run"], &["status"]] {
        test.run(line).fails(2).says("`one` and `two` of group `trio` disagree on `fail_policy`: best_effort and fail_fast");
    }
    assert!(test.runs().is_empty());
}

#[test]
fn c_waits_at_its_gate_and_goes_on_by_itself() {
    let test = Test::new().power().sequence("version: \"1.0\"\nsteps: []\n");
    for (id, command) in [("plan", "echo the plan > plan.txt"), ("build", "cat plan.txt > built")] {
        test.run(&["step", "add", id, "--type", "c", "--command", command]).success();
    }
    test.run(&["dep", "add", "build", "plan"]).success();
    test.run(&["gate", "insert", "ok", "--after", "plan", "--before", "build", "--name", "Build it?"]).success();
    test.run(&["run"]).fails(9).says("gate `ok`");
    assert_eq!(
        (test.status("plan"), test.status("ok"), test.status("build")),
        ("DONE".into(), "PENDING".into(), "BLOCKED".into())
    );
    assert!(!test.path("built").exists());
    test.run(&["status"]).success().prints("gate `ok` waits for you: seqctl gate approve ok");

    test.run(&["gate", "approve", "ok", "--note", "looks right"]).success();
    test.wait_for_status("build", "DONE");
    assert_eq!(test.read("built"), "the plan\n");
    assert_eq!(test.runs().len(), 1, "the waiting run went on");
    let gate = test.run(&["gate", "list", "--json"]).success().json()["gates"][0].clone();
    assert_eq!((&gate["status"], &gate["by"], &gate["note"]), (&json!("APPROVED"), &json!("user"), &json!("looks right")));
    let approved = test.audited("gate.approve").pop().unwrap();
    assert_eq!((&approved["actor"], &approved["payload"]["note"]), (&json!("user"), &json!("looks right")));
    test.assert_chain_valid();
}

/// Agents that answer with what `say-<step>` has, and keep what they are told in `told-<step>`.
fn fusion() -> Test {
    let test = Test::new().power().sequence("version: \"1.0\"\ndefaults: {model: me}\nsteps: []\n");
    test.config("agents:\n  me: {command: [./me]}\n");
    test.write("me", "#!/bin/sh\ncat > \"told-$THREADOS_STEP_ID\"\n. \"./say-$THREADOS_STEP_ID\"\n");
    fs::set_permissions(test.path("me"), fs::Permissions::from_mode(0o755)).unwrap();
    for (at, candidate) in ["red", "green", "blue"].into_iter().enumerate() {
        test.write(format!("say-{candidate}"), format!("echo 'fn shared() {{}}'; echo 'fn {candidate}() {{ {at} }}'\n"));
    }
    let made = ["fusion", "create", "--candidates", "red,green,blue", "--synth", "mixed", "--task", "Write it."];
    test.run(&made).success();
    test
}

#[test]
fn f_runs_its_candidates_and_a_synthesis_that_uses_all() {
    let test = fusion();
    test.write("say-mixed", "grep -h '^fn' told-mixed | sort -u\n");
    test.run(&["run", "fusion", "mixed", "--dry-run"]).success().prints("would start 3 steps, and 1 after them");
    test.run(&["run", "fusion", "mixed"]).success();
    assert!(test.statuses().iter().all(|(_, status)| status == "DONE"), "{:?}", test.statuses());
    let told = test.read("told-mixed");
    for (at, candidate) in ["red", "green", "blue"].into_iter().enumerate() {
        assert!(told.contains(&format!("\n### Candidate `{candidate}`: DONE, by me\n")), "{told}");
        assert!(told.contains(&format!("```text\nfn shared() {{}}\nfn {candidate}() {{ {at} }}\n```\n")), "{told}");
    }
    let result = test.run(&["result", "mixed"]).success().stdout;
    assert_eq!(result, "fn blue() { 2 }\nfn green() { 1 }\nfn red() { 0 }\nfn shared() {}\n");
    let run = test.json(format!(".threados/runs/{}/run.json", test.last_run()));
    assert_eq!(run["what"], json!({"kind": "fusion", "steps": ["red", "green", "blue", "mixed"]}));
    test.run(&["run", "fusion", "mixed"]).fails(4).says("`mixed` is DONE");
}

#[test]
fn f_goes_on_with_the_candidates_that_succeeded() {
    let test = fusion();
    test.write("say-red", "exit 3\n");
    test.write("say-mixed", "echo mixed\n");
    test.run(&["run", "red"]).fails(7);
    test.run(&["run", "fusion", "mixed"]).success();
    let told = test.read("told-mixed");
    assert!(told.contains("### Candidate `red`: FAILED (exit 3), by me") && told.contains("fn green()"), "{told}");
    assert_eq!(test.committed()[0], "red FAILED");
}

#[test]
fn f_says_what_keeps_it_from_running() {
    let test = fusion();
    test.run(&["step", "add", "first", "--command", "true"]).success();
    test.run(&["dep", "add", "red", "first"]).success();
    for (line, code, words) in [
        ("run fusion mixed", 4, "waits for `first`"),
        ("run fusion red", 2, "`red` brings no candidates together"),
        ("run fusion mixde", 3, "no step is called `mixde`"),
    ] {
        test.run(&line.split(' ').collect::<Vec<_>>()).fails(code).says(words);
    }
    for candidate in ["red", "green", "blue"] {
        test.write(format!("say-{candidate}"), "exit 3\n");
    }
    test.run(&["run", "first", "red", "green", "blue"]).fails(7);
    test.run(&["run", "fusion", "mixed"]).fails(7).says("3 steps failed: `red`, `green` and `blue`");
    let what: Value = test.run(&["why", "mixed", "--json"]).success().json()["blockers"].clone();
    assert_eq!(what.as_array().map(Vec::len), Some(3), "{what:#}");
}
