//! How steps run and how they end.

use std::{fs, path::Path};

use serde_json::json;

use crate::harness::{Test, names, text, wait_until};

/// A project in POWER mode with these steps.
fn steps(yaml: &str) -> Test {
    Test::new().power().sequence(&format!("version: \"1.0\"\nsteps:\n{yaml}"))
}

/// The status, reason and note of an attempt.
fn end_of(test: &Test, step: &str, attempt: u32) -> (String, String, String) {
    let status = test.attempt_status(step, attempt);
    (text(&status["status"]), text(&status["reason"]), text(&status["note"]))
}

fn failed(reason: &str, note: &str) -> (String, String, String) {
    ("FAILED".into(), reason.into(), note.into())
}

#[test]
fn a_step_that_takes_too_long_is_ended() {
    let test = steps("  - id: slow\n    command: trap '' TERM; echo up; while :; do sleep 0.1; done\n    timeout: 300ms\n");
    test.run(&["run"]).fails(7).says("timeout").says("seqctl logs slow");
    assert_eq!(end_of(&test, "slow", 1), failed("timeout", "longer than 300ms"));
    assert_eq!(test.stdout("slow", 1), "up\n");
    test.assert_no_processes();
}

#[test]
fn a_step_that_ends_in_time_keeps_its_outcome() {
    let test = steps("  - id: quick\n    command: \"true\"\n    timeout_ms: 60000\n");
    test.run(&["run"]).success();
    assert_eq!(end_of(&test, "quick", 1).0, "DONE");
}

#[test]
fn retries_get_folders_of_their_own() {
    let test = steps(
        "  - id: flaky\n    command: echo \"try $THREADOS_ATTEMPT\"; test \"$THREADOS_ATTEMPT\" = 3\n    retries: 4\n    retry_delay: 20ms\n",
    );
    let out = test.run(&["run"]).success();
    assert!(out.stdout.contains("attempt 3"), "{}", out.stdout);
    let folder = test.attempt("flaky", 1).parent().unwrap().to_owned();
    assert_eq!(names(&folder), ["1", "2", "3", "latest"]);
    assert_eq!(fs::read_link(folder.join("latest")).unwrap(), Path::new("3"));
    for attempt in 1..=3 {
        assert_eq!(test.stdout("flaky", attempt), format!("try {attempt}\n"));
        let wanted = if attempt < 3 { failed("exit", "") } else { ("DONE".into(), String::new(), String::new()) };
        assert_eq!(end_of(&test, "flaky", attempt), wanted);
        assert!(test.attempt("flaky", attempt).join("spec.json").exists());
    }
    assert_eq!(test.run(&["logs", "flaky"]).stdout, "try 3\n", "the last attempt");
    assert_eq!(test.run(&["logs", "flaky", "--attempt", "1"]).stdout, "try 1\n");
    assert_eq!(test.committed(), ["flaky DONE"], "one outcome for all attempts");
}

#[test]
fn retries_come_to_an_end() {
    let test = steps("  - id: bad\n    command: echo try >> tries; exit 5\n    retries: 2\n");
    test.run(&["run"]).fails(7).says("exit 5");
    assert_eq!(test.lines("tries").len(), 3);
    test.run(&["restart", "bad"]).fails(7);
    assert_eq!(test.lines("tries").len(), 6, "a restart has all its retries again");
}

const GROUP: &str = "
  - id: bad
    command: until [ -e up ]; do sleep 0.01; done; exit 1
    group_id: g
    fail_policy: POLICY
  - id: other
    command: echo > up; until [ -e go ]; do sleep 0.01; done
    group_id: g
    fail_policy: POLICY
  - id: later
    command: \"true\"
    depends_on: [bad, other]
";

#[test]
fn a_failure_under_fail_fast_stops_its_group() {
    let test = steps(&GROUP.replace("POLICY", "fail_fast"));
    test.run(&["run"]).fails(7);
    assert_eq!(end_of(&test, "bad", 1), failed("exit", ""));
    assert_eq!(end_of(&test, "other", 1), failed("fail_fast", "by the failure of `bad`"));
    assert_eq!(test.status("later"), "BLOCKED");
    test.assert_no_processes();
}

#[test]
fn a_failure_under_best_effort_lets_the_others_finish() {
    let test = steps(&GROUP.replace("POLICY", "best_effort"));
    let run = test.spawn(&["run"]);
    test.wait_for_status("bad", "FAILED");
    assert_eq!(test.status("other"), "RUNNING");
    test.write("go", "");
    run.wait().fails(7);
    assert_eq!((test.status("other"), test.status("later")), ("DONE".into(), "DONE".into()));
}

#[test]
fn members_of_a_failed_group_wait_for_its_reset() {
    let test = steps(
        "  - id: bad\n    command: test -e fixed\n    group_id: g\n  - id: second\n    command: \"true\"\n    group_id: g\n    depends_on: [first]\n  - id: first\n    command: \"true\"\n",
    );
    test.run(&["run", "bad"]).fails(7);
    test.run(&["run"]);
    assert_eq!((test.status("first"), test.status("second")), ("DONE".into(), "BLOCKED".into()));
    test.write("fixed", "");
    test.run(&["restart", "bad"]).success();
    test.run(&["run"]).success();
    assert_eq!(test.status("second"), "DONE");
}

#[test]
fn run_with_fail_fast_starts_nothing_more() {
    let test = Test::new()
        .policy("version: \"1.0\"\nmode: POWER\nmax_concurrent: 1\n")
        .sequence("version: \"1.0\"\nsteps:\n  - id: bad\n    command: exit 1\n  - id: b\n    command: \"true\"\n  - id: c\n    command: \"true\"\n");
    test.run(&["run", "--fail-fast"]).fails(7);
    assert_eq!(test.committed(), ["bad FAILED"]);
    test.run(&["run"]);
    assert_eq!(test.committed(), ["bad FAILED", "b DONE", "c DONE"]);
}

#[test]
fn as_many_steps_run_at_once_as_the_policy_allows_and_no_more() {
    let mut plan = "version: \"1.0\"\nsteps:\n".to_owned();
    for n in 0..8 {
        // Each pair waits for each other: with less than two at once none would ever end.
        let other = n ^ 1;
        plan += &format!(
            "  - id: s{n}\n    command: echo + >> log; echo > up{n}; until [ -e up{other} ]; do sleep 0.01; done; echo - >> log\n"
        );
    }
    let test = Test::new().policy("version: \"1.0\"\nmode: POWER\nmax_concurrent: 2\n").sequence(&plan);
    test.run(&["run"]).success();
    let (mut now, mut most) = (0, 0);
    for line in test.lines("log") {
        now += if line == "+" { 1 } else { -1 };
        most = most.max(now);
    }
    assert_eq!((most, now), (2, 0));
}

#[test]
fn the_limit_holds_across_runs() {
    let hold = "echo + >> log; until [ -e go ]; do sleep 0.01; done";
    let test = Test::new()
        .policy("version: \"1.0\"\nmode: POWER\nmax_concurrent: 1\n")
        .sequence(&format!("version: \"1.0\"\nsteps:\n  - id: a\n    command: {hold}\n  - id: b\n    command: {hold}\n"));
    let first = test.spawn(&["run", "a"]);
    test.wait_for_file("log");
    let second = test.spawn(&["run", "b"]);
    wait_until("the second run to begin", || test.runs().len() == 2);
    test.run(&["status"]).success();
    assert_eq!((test.lines("log").len(), test.status("b").as_str()), (1, "READY"));
    test.write("go", "");
    first.wait().success();
    second.wait().success();
    assert_eq!(test.lines("log").len(), 2);
}

#[test]
fn a_step_can_ask_for_a_review() {
    let test = steps(
        "  - id: code\n    command: exit 42\n  - id: flag\n    command: \"true\"\n    review: true\n  - id: word\n    command: echo review > \"$THREADOS_OUTCOME_FILE\"\n  - id: json\n    command: 'echo \"{\\\"outcome\\\":\\\"review\\\",\\\"note\\\":\\\"look at x\\\"}\" > \"$THREADOS_OUTCOME_FILE\"; exit 1'\n  - id: after\n    command: \"true\"\n    depends_on: [code]\n",
    );
    let out = test.run(&["run", "--json"]).fails(9).json();
    assert_eq!(out["code"], "WAITING");
    for id in ["code", "flag", "word", "json"] {
        assert_eq!((id, test.status(id).as_str()), (id, "NEEDS_REVIEW"));
    }
    assert_eq!(end_of(&test, "json", 1).2, "look at x");
    assert_eq!(test.status("after"), "BLOCKED");
    test.run(&["skip", "code", "--note", "reviewed"]).success();
    test.wait_for_status("after", "DONE");
}

#[test]
fn what_a_step_says_of_itself_wins_over_its_exit_code() {
    let say = |text: &str, code: i32| format!("'echo \"{text}\" > \"$THREADOS_OUTCOME_FILE\"; exit {code}'");
    let test = steps(&format!(
        "  - id: good\n    command: {}\n  - id: bad\n    command: {}\n  - id: noise\n    command: {}\n",
        say("done", 1),
        say(r#"{\"outcome\":\"fail\",\"note\":\"no net\"}"#, 0),
        say("whatever", 0),
    ));
    test.run(&["run"]).fails(7).says("no net");
    assert_eq!(test.statuses().iter().map(|(_, status)| status.as_str()).collect::<Vec<_>>(), ["DONE", "FAILED", "DONE"]);
}

#[test]
fn a_signal_is_a_failure_with_its_number() {
    let test = steps("  - id: shot\n    command: kill -9 $$\n");
    test.run(&["run"]).fails(7).says("signal 9");
    let status = test.attempt_status("shot", 1);
    assert_eq!((&status["reason"], &status["signal"]), (&json!("signal"), &json!(9)));
}

#[test]
fn output_that_is_not_utf8_is_kept_byte_for_byte() {
    let test = steps("  - id: bytes\n    command: printf 'a\\377\\000\\303(b\\n'\n");
    test.run(&["run"]).success();
    let log = test.attempt("bytes", 1).join("stdout.log");
    assert_eq!(fs::read(&log).unwrap(), b"a\xff\0\xc3(b\n");
    let out = test.seqctl(&["logs", "bytes"]).output().unwrap();
    assert_eq!(out.stdout, b"a\xff\0\xc3(b\n");
    let reply = test.run(&["logs", "bytes", "--json"]).success().json();
    assert_eq!(reply["text"], "a\u{fffd}\0\u{fffd}(b\n");
}

#[test]
fn a_gigabyte_of_output_is_whole() {
    let test = steps("  - id: big\n    command: head -c 1G /dev/zero; echo; echo the end\n");
    test.run(&["run"]).success();
    let size = (1 << 30) + 9;
    assert_eq!(test.attempt_status("big", 1)["stdoutBytes"], size);
    assert_eq!(fs::metadata(test.attempt("big", 1).join("stdout.log")).unwrap().len(), size);
    assert_eq!(test.run(&["logs", "big", "--tail", "1"]).success().stdout, "the end\n");
}

#[test]
fn a_step_may_close_its_outputs() {
    let test = steps("  - id: mute\n    command: exec >&- 2>&-; sleep 0.05; echo x > done\n");
    test.run(&["run"]).success();
    assert_eq!(test.lines("done"), ["x"]);
}

#[test]
fn a_step_reads_nothing_from_its_starter() {
    let test = steps("  - id: reads\n    command: cat > got; test ! -t 0\n");
    test.run_with(&["run"], "not for the step\n").success();
    assert_eq!(test.read("got"), "");
}

#[test]
fn what_cannot_be_started_says_why() {
    let test = steps(
        "  - id: nowhere\n    command: \"true\"\n    cwd: no/such/folder\n  - id: nobody\n    command: [no-such-program, x]\n  - id: no-prompt\n    prompt_file: prompts/none.md\n  - id: not-a-program\n    command: [./data.txt]\n",
    );
    test.write("data.txt", "x");
    test.run(&["run"]).fails(7);
    for (step, wanted) in [
        ("nowhere", "no/such/folder"),
        ("nobody", "`no-such-program` was not found"),
        ("no-prompt", "prompts/none.md"),
        ("not-a-program", "./data.txt"),
    ] {
        let (status, reason, note) = end_of(&test, step, 1);
        assert_eq!((status.as_str(), reason.as_str()), ("FAILED", "spawn"), "{step}");
        assert!(note.contains(wanted), "{step}: {note}");
    }
}

#[test]
fn prompt_files_are_scripts() {
    let test = steps(
        "  - id: plain\n    prompt_file: prompts/plain.md\n  - id: with-line\n    prompt_file: tools/script\n  - id: inline\n    prompt: |\n      echo inline\n      echo twice\n",
    );
    test.write(".threados/prompts/plain.md", "echo plain $0\nfalse\necho on\n");
    test.write("tools/script", "#!/usr/bin/env sed -n 2p\nsecond line\n");
    test.run(&["run", "plain"]).success();
    let copy = test.attempt("plain", 1).join("prompt.md");
    assert_eq!(test.stdout("plain", 1), format!("plain {}\non\n", copy.display()), "the checked copy runs");
    test.write("tools/script", "#!/bin/sed 1d\nsecond line\n");
    test.run(&["run", "with-line", "inline"]).success();
    assert_eq!(test.stdout("with-line", 1), "second line\n");
    assert_eq!(test.stdout("inline", 1), "inline\ntwice\n");
}

#[test]
fn a_command_list_runs_without_a_shell() {
    let test = steps("  - id: argv\n    command: [printf, '<%s>', 'a b', '$HOME;x', '*', '']\n");
    test.run(&["run"]).success();
    assert_eq!(test.stdout("argv", 1), "<a b><$HOME;x><*><>");
}

#[test]
fn a_step_knows_where_it_is() {
    let test = Test::new().power().env("FROM_STARTER", "here").sequence(
        "version: \"1.0\"\ndefaults:\n  env: {SHARED: default, OWN: default}\nsteps:\n  - id: env\n    command: env\n    env: {OWN: mine, TERM: special}\n",
    );
    test.run(&["run"]).success();
    let (env, run, folder) = (test.stdout("env", 1), test.last_run(), test.attempt("env", 1));
    let nonce = text(&test.audited("claim")[0]["payload"]["claims"][0]["nonce"]);
    for wanted in [
        "THREADOS_STEP_ID=env".into(),
        format!("THREADOS_RUN_ID={run}"),
        "THREADOS_ATTEMPT=1".into(),
        format!("THREADOS_LEASE={nonce}"),
        format!("THREADOS_BASE_PATH={}", test.root().display()),
        "SHARED=default".into(),
        "OWN=mine".into(),
        "TERM=special".into(),
        "FROM_STARTER=here".into(),
    ] {
        assert!(env.lines().any(|line| line == wanted), "`{wanted}` is not in\n{env}");
    }
    let outcome = env.lines().find_map(|line| line.strip_prefix("THREADOS_OUTCOME_FILE=")).unwrap();
    assert_eq!(Path::new(outcome).parent(), Some(folder.as_path()));
}

#[test]
fn a_step_can_work_on_its_own_project() {
    let test = steps("  - id: grow\n    command: '\"$SEQCTL\" step add grown --command \"echo grown >> order\"'\n");
    test.set_env("SEQCTL", Some(env!("CARGO_BIN_EXE_seqctl")));
    test.run(&["run"]).success();
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["grown"]);
    let entry = test.audited("step.add").pop().unwrap();
    assert_eq!((&entry["actor"], &entry["via"]), (&json!("orchestrator"), &json!("cli:grow")));
}

#[test]
fn safe_mode_runs_nothing_without_a_yes() {
    let test = Test::new().sequence("version: \"1.0\"\nsteps:\n  - id: a\n    command: echo a >> order\n");
    let reply = test.run(&["run", "--json"]).fails(6).json();
    assert_eq!((&reply["code"], text(&reply["hint"]).contains("--yes")), (&json!("CONFIRMATION_REQUIRED"), true));
    for line in ["run a", "run runnable", "restart a", "run --detach"] {
        test.run(&line.split(' ').collect::<Vec<_>>()).fails(6).says("--yes");
    }
    assert_eq!((test.lines("order").len(), test.runs().len()), (0, 0));
    test.run(&["run", "--yes"]).success();
    assert_eq!(test.lines("order"), ["a"]);
}

#[test]
fn a_command_that_is_not_allowed_does_not_run() {
    let test = Test::new()
        .policy("version: \"1.0\"\nmode: POWER\nallowed_commands: [echo]\nforbidden_patterns: ['secret']\n")
        .sequence("version: \"1.0\"\nsteps:\n  - id: fine\n    command: echo fine\n  - id: other\n    command: touch ran\n  - id: chain\n    command: echo a; touch ran\n  - id: listed\n    command: [touch, ran]\n  - id: script\n    prompt: touch ran\n  - id: pattern\n    command: echo secret\n  - id: out\n    command: echo out\n    cwd: ..\n");
    test.run(&["run"]).fails(7);
    assert_eq!(test.status("fine"), "DONE");
    let denied = ["other", "chain", "listed", "script", "pattern", "out"];
    for step in denied {
        let (status, reason, note) = end_of(&test, step, 1);
        assert_eq!((status.as_str(), reason.as_str()), ("FAILED", "policy"), "{step}: {note}");
        assert!(!test.attempt(step, 1).join("stdout.log").exists(), "{step}");
    }
    assert!(!test.path("ran").exists());
    let entries = test.audit().into_iter().filter(|entry| entry["result"] == "denied").collect::<Vec<_>>();
    let mut targets: Vec<String> = entries.iter().map(|entry| text(&entry["target"])).collect();
    targets.sort();
    let mut wanted = denied.map(str::to_owned);
    wanted.sort();
    assert_eq!(targets, wanted);
    assert!(entries.iter().all(|entry| entry["error"].is_string()));
}

#[test]
fn the_plan_can_tighten_the_policy_and_not_loosen_it() {
    let tight = "version: \"1.0\"\npolicy: {mode: SAFE, allowed_commands: [echo]}\nsteps:\n  - id: a\n    command: touch ran\n";
    let test = Test::new().power().sequence(tight);
    test.run(&["run"]).fails(6);
    test.run(&["run", "--yes"]).fails(7);
    assert_eq!(end_of(&test, "a", 1).1, "policy");
    let loose = "version: \"1.0\"\npolicy: {mode: POWER, allowed_commands: [touch]}\nsteps:\n  - id: a\n    command: touch ran\n";
    let test = Test::new().policy("version: \"1.0\"\nmode: SAFE\nallowed_commands: [echo]\n").sequence(loose);
    test.run(&["run"]).fails(6);
    test.run(&["run", "--yes"]).fails(7);
    assert!(!test.path("ran").exists());
}

#[test]
fn a_policy_that_cannot_be_read_denies() {
    let test = Test::new().policy("mode: [POWER\n").sequence("version: \"1.0\"\nsteps:\n  - id: a\n    command: touch ran\n");
    let reply = test.run(&["run", "--yes", "--json"]).fails(5).json();
    assert_eq!((&reply["code"], text(&reply["error"]).contains("policy.yaml")), (&json!("POLICY_DENIED"), true));
    test.run(&["restart", "a", "--yes"]).fails(5);
    test.run(&["step", "rm", "a", "--yes"]).fails(5);
    assert!(!test.path("ran").exists());
    assert_eq!(test.audited("run.all").pop().unwrap()["result"], "denied");
    test.run(&["status"]).success().prints("policy.yaml cannot be read");
    test.run(&["step", "add", "b", "--command", "true"]).success();
    let test = test.power();
    test.run(&["run"]).success();
}

#[test]
fn a_policy_that_breaks_while_a_run_goes_on_denies_what_follows() {
    let test = steps(
        "  - id: a\n    command: 'echo up > up; until [ -e go ]; do sleep 0.01; done'\n  - id: b\n    command: touch ran\n    depends_on: [a]\n",
    );
    let run = test.spawn(&["run"]);
    test.wait_for_file("up");
    test.write(".threados/policy.yaml", "mode: [POWER\n");
    test.write("go", "");
    test.wait_for_status("a", "DONE");
    run.wait();
    assert!(!test.path("ran").exists());
}

const THREE: &str = "
  - id: a
    command: echo a >> order
  - id: b
    command: echo b >> order
    depends_on: [a]
  - id: c
    command: echo c >> order
    depends_on: [b]
";

#[test]
fn a_skipped_step_counts_as_done_and_does_not_run() {
    let test = steps(THREE);
    test.run(&["skip", "b", "--note", "did it myself"]).success();
    assert_eq!(test.status("c"), "READY");
    test.run(&["run"]).success();
    assert_eq!(test.lines("order").len(), 2);
    assert!(!test.lines("order").contains(&"b".to_owned()));
    test.run(&["skip", "b"]).fails(4);
}

#[test]
fn a_reset_makes_steps_run_again() {
    let test = steps(THREE);
    test.run(&["run"]).success();
    test.run(&["reset", "b"]).success().prints("reset `b`");
    assert_eq!((test.status("b"), test.status("c")), ("READY".into(), "DONE".into()));
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["a", "b", "c", "b"]);
    test.run(&["reset", "b", "--downstream"]).success().prints("reset `b` and `c`");
    assert!(!test.plan().contains("depends_on: [b]\n    status"), "{}", test.plan());
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["a", "b", "c", "b", "b", "c"]);
}

#[test]
fn a_step_that_is_done_runs_again_only_by_restart() {
    let test = steps(THREE);
    test.run(&["run"]).success();
    test.run(&["run"]).success();
    let reply = test.run(&["run", "b", "--json"]).fails(4).json();
    assert_eq!((&reply["code"], &reply["error"]), (&json!("STEP_ENDED"), &json!("`b` is DONE")));
    assert!(text(&reply["hint"]).contains("seqctl restart b"));
    assert_eq!(test.lines("order"), ["a", "b", "c"]);
    test.run(&["restart", "b"]).success();
    assert_eq!(test.lines("order"), ["a", "b", "c", "b"]);
    test.run(&["restart", "b", "--downstream"]).success();
    assert_eq!(test.lines("order"), ["a", "b", "c", "b", "b", "c"]);
}

#[test]
fn a_running_step_is_stopped_before_it_is_restarted() {
    let test = steps(
        "  - id: hold\n    command: echo \"up $THREADOS_LEASE\" >> log; trap 'echo down >> log; exit 1' TERM; until [ -e go ]; do sleep 0.02; done\n",
    );
    let first = test.spawn(&["run"]);
    test.wait_for_file("log");
    let second = test.spawn(&["restart", "hold"]);
    wait_until("the second start", || test.lines("log").len() == 3);
    test.write("go", "");
    second.wait().success();
    first.wait().fails(7);
    let log: Vec<String> = test.lines("log").iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(log, ["up", "down", "up"]);
    assert_eq!(test.committed(), ["hold FAILED", "hold DONE"]);
    assert_eq!(test.runs().len(), 2);
}

#[test]
fn a_stopped_step_is_not_retried() {
    let test = steps(
        "  - id: hold\n    command: echo up >> log; sleep 1000\n    retries: 5\n  - id: after\n    command: \"true\"\n    depends_on: [hold]\n",
    );
    let run = test.spawn(&["run"]);
    test.wait_for_file("log");
    test.run(&["stop", "hold"]).success().prints("stopped hold");
    run.wait().fails(7).says("stopped");
    assert_eq!(test.lines("log"), ["up"]);
    assert_eq!(end_of(&test, "hold", 1), failed("stopped", "by user"));
    test.run(&["stop", "hold"]).fails(4);
    test.assert_no_processes();
}

#[test]
fn a_step_that_ignores_the_stop_is_killed_with_all_it_started() {
    let test = steps(
        "  - id: deaf\n    command: trap '' TERM; (trap '' TERM; sleep 1000) & setsid sleep 1001 & echo up > up; while :; do sleep 0.1; done\n",
    );
    let run = test.spawn(&["run"]);
    test.wait_for_file("up");
    test.run(&["stop", "--all"]).success();
    run.wait().fails(7);
    test.assert_no_processes();
}

#[test]
fn what_a_step_leaves_running_ends_before_the_next_step_starts() {
    let test = steps(
        "  - id: leaves\n    command: (trap '' TERM HUP; while :; do echo still >> late; sleep 0.05; done) > /dev/null 2>&1 & until [ -e late ]; do sleep 0.01; done\n  - id: next\n    command: wc -l < late > count; sleep 0.3; wc -l < late > again\n    depends_on: [leaves]\n",
    );
    test.run(&["run"]).success();
    assert_eq!(test.read("count"), test.read("again"), "nothing of the step before is alive");
}

#[test]
fn a_changed_step_is_shown_as_changed_and_runs_only_on_request() {
    let test = steps(THREE);
    test.run(&["run"]).success();
    test.run(&["step", "edit", "b", "--command", "echo B >> order"]).success();
    let show = test.run(&["step", "show", "b", "--json"]).success().json();
    assert_eq!((&show["state"]["changed"], &show["state"]["status"]), (&json!(true), &json!("DONE")));
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["a", "b", "c"]);
    test.run(&["step", "edit", "b", "--name", "only a name"]).success();
    test.run(&["restart", "b"]).success();
    let show = test.run(&["step", "show", "b", "--json"]).success().json();
    assert_eq!((&show["state"]["changed"], test.lines("order").last().unwrap().as_str()), (&json!(null), "B"));
}

#[test]
fn an_agent_that_cannot_be_run_is_named_before_anything_starts() {
    let test = steps("  - id: a\n    command: touch ran\n  - id: think\n    model: claude-code\n    prompt: think\n");
    let reply = test.run(&["run", "--json"]).fails(8).json();
    assert_eq!(reply["code"], "AGENT_NOT_FOUND");
    assert!(text(&reply["error"]).contains("`think`"));
    assert!(!test.path("ran").exists());
}

#[test]
fn a_step_cannot_confirm_for_a_person() {
    let test = Test::new().sequence(
        "version: \"1.0\"\nsteps:\n  - id: boss\n    command: '\"$SEQCTL\" run other --yes --detach > said 2>&1; echo $? > code'\n  - id: other\n    command: touch ran\n    depends_on: [never]\n  - id: never\n    command: exit 1\n",
    );
    test.set_env("SEQCTL", Some(env!("CARGO_BIN_EXE_seqctl")));
    test.run(&["skip", "never"]).success();
    test.run(&["run", "boss", "--yes"]).success();
    assert_eq!(test.lines("code"), ["0"], "{}", test.read("said"));
    assert!(test.read("said").contains("needs a person's word"), "{}", test.read("said"));
    assert!(!test.path("ran").exists());
}
