//! Killed, or out of space, at every point of a transaction, a claim, an execution and a recovery.

use std::{collections::BTreeSet, fs, path::Path, thread, time::Duration};

use serde_json::{Value, json};
use threados::model::Id;

use crate::harness::{Out, Test, names, text, wait_until};

const PLAN: &str = "\
# Kept through everything.
version: \"1.0\"
name: faults

steps:
  - id: one   # the first
    command: echo one

  # Between the two.
  - id: two
    command: \"echo two\"
    depends_on: [one, ok]

gates:
  - id: ok   # a gate
    name: Go on?
";

const ACTIONS: &str = r#"[
    {"action": "step.add", "id": "three", "command": "echo three", "depends_on": ["two"]},
    {"action": "skip", "id": "one", "note": "by hand"},
    {"action": "gate.approve", "id": "ok"}
]"#;

/// Commands that change the plan, and whether undo needs what they displace.
const CHANGES: [(&[&str], bool); 3] = [
    (&["step", "add", "three", "--command", "echo three", "--after", "two"], true),
    (&["gate", "approve", "ok", "--note", "fine"], false),
    (&["apply", "-f", "actions.json"], true),
];

/// The points of a transaction before its commit.
const BEFORE: [&str; 3] = ["tx.before_plan", "tx.staged", "tx.before_check"];

/// Those after it.
const AFTER: [&str; 10] = [
    "audit.appended",
    "tx.committed",
    "tx.files_placed",
    "tx.records_placed",
    "tx.before_exchange",
    "tx.exchanged",
    "tx.text_placed",
    "tx.leases_moved",
    "tx.history_kept",
    "tx.cleaned",
];

fn project() -> Test {
    let test = Test::new().power().sequence(PLAN);
    test.write("actions.json", ACTIONS);
    test
}

fn faulty(test: &Test, fault: &str, args: &[&str]) -> Out {
    test.run_env("THREADOS_FAULT", fault, args)
}

/// The next command of somebody else, which has to finish or to clear away what was left.
fn come_next(test: &Test) {
    test.run(&["step", "add", "later", "--command", "echo later"]).success();
    assert_eq!(names(&test.path(".threados/state/tx")), [""; 0]);
    test.assert_chain_valid();
}

/// Everything a change leaves behind that can be compared.
fn state(test: &Test) -> (String, Vec<(String, String)>, Value) {
    let mut gates = test.run(&["gate", "list", "--json"]).success().json()["gates"].clone();
    gates[0]["at"] = Value::Null;
    (test.plan(), test.statuses(), gates)
}

/// The state where nothing went wrong: with the change, and without.
fn wanted(change: Option<&[&str]>) -> (String, Vec<(String, String)>, Value) {
    let test = project();
    if let Some(change) = change {
        test.run(change).success();
    }
    come_next(&test);
    state(&test)
}

#[test]
fn killed_before_the_audit_line_a_change_has_not_happened() {
    let untouched = wanted(None);
    for (change, _) in CHANGES {
        for point in BEFORE {
            let test = project();
            faulty(&test, &format!("{point}:kill"), change).fails(137);
            assert_eq!((test.plan().as_str(), test.audit().len()), (PLAN, 2), "{point} {change:?}");
            come_next(&test);
            assert_eq!(state(&test), untouched, "{point} {change:?}");
            test.run(change).success();
            assert_eq!(test.audit().len(), 4, "{point} {change:?}");
            test.assert_chain_valid();
        }
    }
}

#[test]
fn killed_after_the_audit_line_a_change_is_finished_by_whoever_comes_next() {
    for (change, is_kept) in CHANGES {
        let wanted = wanted(Some(change));
        for point in AFTER {
            let test = project();
            faulty(&test, &format!("{point}:kill"), change).fails(137);
            assert_eq!(test.audit().len(), 3, "{point} {change:?}");
            come_next(&test);
            assert_eq!(state(&test), wanted, "{point} {change:?}");
            assert_eq!(test.audit().len(), 4, "{point} {change:?}: finishing is no change of its own");
            if is_kept {
                assert_eq!(test.read(".threados/state/history/3.yaml"), PLAN, "{point} {change:?}");
            }
        }
    }
}

#[test]
fn a_person_may_save_between_the_kill_and_the_next_command() {
    for (change, _) in CHANGES {
        for point in AFTER {
            let test = project();
            faulty(&test, &format!("{point}:kill"), change).fails(137);
            let mine = test.plan().replace("gates:\n", "  - id: mine   # by hand\n    command: echo mine\n\ngates:\n");
            test.write(".threados/sequence.yaml", &mine);
            come_next(&test);
            let plan = test.plan();
            for part in ["# Kept through everything.\n", "  - id: mine   # by hand\n", "  # Between the two.\n", "- id: later\n"]
            {
                assert!(plan.contains(part), "{point} {change:?} lost {part}: {plan}");
            }
            let gate = &test.run(&["gate", "list", "--json"]).success().json()["gates"][0];
            let has = match change[0] {
                "step" => plan.contains("- id: three\n"),
                "gate" => gate["status"] == "APPROVED",
                _ => plan.contains("- id: three\n") && gate["status"] == "APPROVED" && test.status("one") == "DONE",
            };
            assert!(has, "{point} {change:?}: {plan}");
        }
    }
}

#[test]
fn killed_while_finishing_what_another_left_it_is_finished_all_the_same() {
    let wanted = wanted(Some(CHANGES[2].0));
    for first in ["tx.committed", "tx.exchanged"] {
        for second in &AFTER[2..] {
            let test = project();
            faulty(&test, &format!("{first}:kill"), CHANGES[2].0).fails(137);
            faulty(&test, &format!("{second}:kill"), &["reset", "two"]);
            come_next(&test);
            assert_eq!(state(&test), wanted, "{first}, then {second}");
        }
    }
}

#[test]
fn a_save_between_the_exchange_and_the_stamp_is_seen() {
    let test = Test::new().power().sequence(
        "version: \"1.0\"\nsteps:\n  - id: one\n    command: echo one >> order\n  - id: hold\n    command: until [ -e go ]; do sleep 0.01; done\n",
    );
    test.run_env("THREADOS_FAULT", "tx.exchanged:sleep:400", &["run", "--detach"]).success();
    wait_until("the outcome of `one` to be written", || test.plan().contains("status: DONE"));
    let mine = format!("{}  - id: mine\n    command: echo mine >> order\n", test.plan());
    test.write(".threados/sequence.yaml", &mine);
    test.wait_for_status("mine", "DONE");
    assert_eq!(test.status("hold"), "RUNNING", "while the run went on");
    test.write("go", "");
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["one", "mine"]);
}

#[test]
fn killed_while_a_run_is_opened_it_is_there_or_it_is_not() {
    for (points, is_there) in [(&BEFORE[..], false), (&AFTER[..], true)] {
        // It leaves the plan's text alone.
        for point in points.iter().filter(|point| !point.ends_with("exchange") && !point.ends_with("exchanged")) {
            let test = chain();
            faulty(&test, &format!("{point}:kill"), &["run", "--detach"]).fails(137);
            test.run(&["reset", "one"]);
            assert_eq!(test.runs().len(), usize::from(is_there), "{point}");
            settle(&test, point);
            assert_eq!(test.runs().len(), 1, "{point}");
        }
    }
}

/// Three steps that say when they begin: two at once, and one after the first.
fn chain() -> Test {
    let step = |id: &str, more: &str| {
        format!("  - id: {id}\n    command: echo {id} $THREADOS_ATTEMPT >> began; setsid sleep 1000 & echo {id} >> ended\n{more}")
    };
    let steps = [step("one", ""), step("two", ""), step("three", "    depends_on: [one]\n")];
    Test::new().power().sequence(&format!("version: \"1.0\"\nsteps:\n{}", steps.concat()))
}

/// Brings a chain to its end after a fault and checks that everything ran exactly once.
fn settle(test: &Test, what: &str) {
    let out = test.run(&["run"]);
    assert_eq!(out.code, 0, "{what}: {}", out.all());
    let began = test.lines("began").into_iter().collect::<BTreeSet<_>>();
    assert_eq!(test.lines("began").len(), 3, "{what}: {began:?}");
    assert_eq!(began, ["one 1", "three 1", "two 1"].map(String::from).into(), "{what}");
    assert!(test.statuses().iter().all(|(_, status)| status == "DONE"), "{what}: {}", test.plan());
    assert_clean(test, what);
}

fn assert_clean(test: &Test, what: &str) {
    for folder in ["active", "tx", "runners"] {
        assert_eq!(names(&test.path(".threados/state").join(folder)), [""; 0], "{what}: state/{folder}");
    }
    let committed = test.committed();
    assert_eq!(committed.iter().collect::<BTreeSet<_>>().len(), committed.len(), "{what}: {committed:?}");
    test.assert_chain_valid();
    test.assert_no_processes();
}

#[test]
fn killed_in_a_claim_nothing_has_run_and_no_attempt_counts() {
    for point in [
        "claim.folder",
        "claim.made",
        "claim.reserve",
        "claim.locked",
        "claim.named",
        "claim.before_audit",
        "claim.audited",
        "claim.before_send",
    ] {
        for number in [1, 2] {
            let is_one = matches!(point, "claim.before_audit" | "claim.audited" | "claim.before_send");
            if is_one && number == 2 {
                // Both are claimed together.
                continue;
            }
            let what = format!("{point}:kill:{number}");
            let test = chain();
            faulty(&test, &what, &["run", "--detach"]).success();
            test.assert_no_processes();
            let statuses = [("one", "READY"), ("two", "READY"), ("three", "BLOCKED")];
            assert_eq!(test.statuses(), statuses.map(|(id, status)| (id.into(), status.into())), "{what}");
            assert_eq!(test.lines("began"), [""; 0], "{what}");
            settle(&test, &what);
            assert_eq!(test.runs().len(), 1, "{what}: the same run went on");
        }
    }
}

#[test]
fn the_runner_killed_right_after_a_claim_loses_nothing() {
    for point in ["claim.sent", "run.noted", "run.closed"] {
        let test = chain();
        faulty(&test, &format!("{point}:kill"), &["run", "--detach"]).success();
        test.assert_no_processes();
        settle(&test, point);
    }
}

#[test]
fn a_supervisor_killed_before_its_child_has_run_nothing() {
    for point in ["supervisor.start", "log.open", "supervisor.before_fork"] {
        let test = chain();
        // Without a runner nobody tries again.
        faulty(&test, &format!("{point}:kill,claim.sent:kill"), &["run", "--detach"]).success();
        test.assert_no_processes();
        let statuses = [("one", "READY"), ("two", "READY"), ("three", "BLOCKED")];
        assert_eq!(test.statuses(), statuses.map(|(id, status)| (id.into(), status.into())), "{point}");
        settle(&test, point);
    }
}

#[test]
fn a_supervisor_that_dies_every_time_is_not_tried_for_ever() {
    let test = chain();
    faulty(&test, "supervisor.start:kill", &["run"]).fails(7);
    assert_eq!(test.lines("began"), [""; 0]);
    for step in ["one", "two"] {
        assert_eq!(end(&test, step), ("FAILED".into(), "spawn".into()));
        assert!(text(&test.attempt_status(step, 1)["note"]).starts_with("no supervisor could be started"));
    }
    for step in ["one", "two"] {
        test.run(&["restart", step]).success();
    }
    settle_again(&test);
}

/// The chain after its steps were restarted.
fn settle_again(test: &Test) {
    test.run(&["run"]).success();
    assert_eq!(test.lines("began").len(), 3, "{:?}", test.lines("began"));
    assert!(test.statuses().iter().all(|(_, status)| status == "DONE"), "{}", test.plan());
    test.assert_chain_valid();
    test.assert_no_processes();
}

/// The status and reason of a step in the only run.
fn end(test: &Test, step: &str) -> (String, String) {
    let status = test.attempt_status(step, 1);
    (text(&status["status"]), text(&status["reason"]))
}

#[test]
fn a_child_killed_before_its_program_has_run_nothing() {
    for point in ["child.before_line", "child.after_line"] {
        let test = chain();
        faulty(&test, &format!("{point}:kill"), &["run"]).fails(7);
        assert_eq!(test.lines("began"), [""; 0], "{point}");
        for step in ["one", "two"] {
            assert_eq!(end(&test, step), ("FAILED".into(), "signal".into()), "{point}");
        }
        assert_eq!(test.status("three"), "BLOCKED");
        test.run(&["run"]).fails(7);
        assert_eq!(test.lines("began"), [""; 0], "{point}: it is not tried again by itself");
        assert_clean(&test, point);
    }
}

#[test]
fn a_supervisor_killed_before_the_exit_line_makes_an_orphan_that_never_runs_again() {
    for more in ["", ",claim.sent:kill", ",recover.before_sweep:kill", ",recover.before_status:kill"] {
        let what = format!("supervisor.before_exit_line:kill{more}");
        let test = chain();
        faulty(&test, &what, &["run", "--detach"]).success();
        wait_until("both steps to end", || test.lines("ended").len() == 2);
        wait_until("the supervisors to be killed", || {
            test.processes().iter().all(|(_, words)| words.starts_with("sleep")) || test.status("one") == "FAILED"
        });
        test.run(&["run"]).fails(7);
        test.run(&["run"]).fails(7);
        let mut began = test.lines("began");
        began.sort();
        assert_eq!(began, ["one 1", "two 1"], "{what}");
        for step in ["one", "two"] {
            assert_eq!(end(&test, step), ("FAILED".into(), "orphaned_process".into()), "{what}");
        }
        assert_eq!(test.status("three"), "BLOCKED", "{what}");
        assert_clean(&test, &what);
    }
}

#[test]
fn a_supervisor_killed_after_the_exit_line_leaves_the_real_outcome() {
    for point in ["supervisor.after_exit_line", "status.write", "supervisor.after_status"] {
        for more in ["", ",claim.sent:kill", ",recover.before_sweep:kill", ",recover.before_status:kill"] {
            let what = format!("{point}:kill{more}");
            let test = chain();
            faulty(&test, &what, &["run", "--detach"]).success();
            wait_until("a step to end", || !test.lines("ended").is_empty());
            settle(&test, &what);
        }
    }
}

#[test]
fn a_full_disk_fails_a_change_and_leaves_nothing_half_done() {
    let untouched = wanted(None);
    for (change, _) in CHANGES {
        for point in ["file.write", "tx.stage", "audit.append"] {
            let test = project();
            let out = faulty(&test, &format!("{point}:enospc"), change).fails(1).says("No space left on device");
            assert!(out.stderr.contains("cannot "), "{}", out.stderr);
            assert_eq!((test.plan().as_str(), test.audit().len()), (PLAN, 2), "{point} {change:?}");
            assert_eq!(names(&test.path(".threados/state/tx")), [""; 0], "{point} {change:?}");
            come_next(&test);
            assert_eq!(state(&test), untouched, "{point} {change:?}");
            test.run(change).success();
        }
    }
}

#[test]
fn a_full_disk_opens_no_run() {
    for point in ["file.write", "audit.append"] {
        let test = chain();
        faulty(&test, &format!("{point}:enospc"), &["run", "--detach"]).fails(1).says("No space left on device");
        assert_eq!((test.runs().len(), names(&test.path(".threados/state/runners")).len()), (0, 0), "{point}");
        settle(&test, point);
    }
}

/// A chain whose run is open and has no runner.
fn abandoned() -> Test {
    let test = chain();
    faulty(&test, "claim.folder:kill", &["run", "--detach"]).success();
    test.assert_no_processes();
    test
}

#[test]
fn a_runner_and_its_steps_outlast_a_full_disk() {
    for what in [
        "file.write:enospc",
        "file.write:enospc:2",
        "file.write:enospc:5",
        "file.write:enospc:9",
        "tx.stage:enospc:3",
        "audit.append:enospc",
        "audit.append:enospc:4",
        "claim.reserve:enospc",
        "claim.reserve:enospc:3",
        "exit.append:enospc:3",
        "status.write:enospc:3",
        "exit.append:enospc:2,status.write:enospc:2,file.write:enospc:2",
    ] {
        let test = abandoned();
        let out = faulty(&test, what, &["attach"]);
        assert_eq!(out.code, 0, "{what}: {}", out.all());
        settle(&test, what);
        assert_eq!(test.runs().len(), 1, "{what}");
    }
}

/// Every process of a run counts its own writes, so this meets the claim's, the lease's, the logs', the outcome's
/// and the commit's, one at a time.
#[test]
fn any_single_write_may_find_the_disk_full() {
    for nth in 1..=30 {
        let (test, what) = (abandoned(), format!("*:enospc-at:{nth}"));
        let out = faulty(&test, &what, &["attach"]);
        assert!([0, 1, 7].contains(&out.code), "{what}: {}", out.all());
        test.run(&["run"]);
        let began = test.lines("began");
        for step in ["one", "two", "three"] {
            let runs = began.iter().filter(|line| line.starts_with(step)).count();
            match test.status(step).as_str() {
                "DONE" => assert_eq!(runs, 1, "{what}: {step}"),
                "FAILED" => assert_eq!((runs, end(&test, step).1.as_str()), (0, "spawn"), "{what}: {step}"),
                other => assert_eq!((runs, other), (0, "BLOCKED"), "{what}: {step}"),
            }
        }
        assert_clean(&test, &what);
    }
}

#[test]
fn a_query_shows_a_change_that_is_committed_and_not_finished() {
    for (change, _) in CHANGES {
        let wanted = {
            let test = project();
            test.run(change).success();
            (test.statuses(), test.run(&["status", "--json"]).success().json()["gates"][0]["status"].clone())
        };
        for point in AFTER {
            let test = project();
            faulty(&test, &format!("{point}:kill"), change).fails(137);
            let before = names(&test.path(".threados/state/tx"));
            let status = test.run(&["status", "--json"]).success().json();
            assert_eq!((test.statuses(), status["gates"][0]["status"].clone()), wanted, "{point} {change:?}");
            assert_eq!(names(&test.path(".threados/state/tx")), before, "a query finishes nothing");
        }
    }
}

#[test]
fn a_step_whose_logs_do_not_fit_has_not_started_and_says_so() {
    let test = abandoned();
    faulty(&test, "log.open:enospc", &["attach"]).fails(7);
    assert_eq!(end(&test, "one"), ("FAILED".into(), "spawn".into()));
    assert!(text(&test.attempt_status("one", 1)["note"]).contains("No space left"));
    assert!(test.lines("began").iter().all(|line| !line.starts_with("one")), "{:?}", test.lines("began"));
    assert_clean(&test, "log.open");
}

#[test]
fn an_outcome_is_written_once_there_is_space_again() {
    for point in ["exit.append", "status.write"] {
        let test = abandoned();
        let attach = {
            let mut command = test.seqctl(&["attach"]);
            command.env("THREADOS_FAULT", format!("{point}:enospc:10"));
            test.spawn_command(command)
        };
        wait_until("a step to end", || !test.lines("ended").is_empty());
        let first = test.lines("ended")[0].parse::<Id>().unwrap();
        assert_eq!(test.status(first.as_str()), "RUNNING", "{point}: it is kept meanwhile");
        attach.wait().success();
        settle(&test, point);
    }
}

/// Nobody can write `state/stamp` while there is a folder in its place, as if the disk were full.
fn block(stamp: &Path) {
    fs::remove_file(stamp).unwrap();
    fs::create_dir(stamp).unwrap();
}

#[test]
fn a_commit_that_cannot_be_finished_is_finished_before_the_next_one() {
    let test = Test::new().power().sequence(
        "version: \"1.0\"\nsteps:\n  - id: one\n    command: until [ -e go ]; do sleep 0.01; done\n  - id: two\n    command: echo two\n    depends_on: [one]\n",
    );
    test.run(&["run", "--detach"]).success();
    test.wait_for_status("one", "RUNNING");
    let stamp = test.path(".threados/state/stamp");
    block(&stamp);
    test.write("go", "");
    wait_until("the commit", || !test.audited("commit").is_empty());
    let log = format!(".threados/runs/{}/runner.log", test.last_run());
    wait_until("the runner to complain", || test.lines(&log).iter().any(|line| line.contains("stamp")));
    // It tries again and again meanwhile.
    thread::sleep(Duration::from_millis(300));
    fs::remove_dir(&stamp).unwrap();
    wait_until("the run to end", || names(&test.path(".threados/state/runners")).is_empty());
    test.assert_no_processes();
    assert_eq!(names(&test.path(".threados/state/tx")), [""; 0]);
    assert_eq!(test.committed(), ["one DONE", "two DONE"], "each once");
    assert_eq!(test.audited("commit")[0]["payload"]["outcomes"][0]["step"], json!("one"));
    assert_eq!(test.plan().matches("status: DONE").count(), 2, "{}", test.plan());
    test.assert_chain_valid();
}
