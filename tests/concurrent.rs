//! Many processes on one project at the same time.

use std::collections::BTreeSet;

use crate::harness::Test;

const BASE: &str = "\
# Kept through everything.
version: \"1.0\"
name: crowd
steps:
  - id: base # and this
    command: echo base
";

/// Runs so many shells at once, each with its number as `$0`, to their ends.
fn write(test: &Test, writers: usize, script: &str) {
    let shell = |writer: usize| {
        let mut shell = test.command("/bin/sh");
        shell.args(["-c", script, &writer.to_string()]).env("SEQCTL", env!("CARGO_BIN_EXE_seqctl"));
        test.spawn_command(shell)
    };
    let shells: Vec<_> = (0..writers).map(shell).collect();
    for shell in shells {
        shell.wait().success();
    }
}

#[test]
fn fifty_processes_lose_none_of_a_thousand_changes() {
    const WRITERS: usize = 50;
    let test = Test::new().sequence(BASE);
    // What each does is one shell loop, so that fifty of them are at it at once.
    let script = r#"
        "$SEQCTL" -q step add "w$0" --command "echo $0" || exit 1
        for n in 1 2 3 4; do
            "$SEQCTL" -q apply -f - <<END || exit 1
[{"action": "step.edit", "id": "w$0", "env": ["N$n=$0"]}, {"action": "dep.add", "id": "w$0", "needs": ["base"]},
 {"action": "skip", "id": "w$0"}, {"action": "reset", "ids": ["w$0"]}]
END
        done
        "$SEQCTL" -q skip "w$0" || exit 1
        "$SEQCTL" -q gate insert "g$0" --after "w$0" || exit 1
        "$SEQCTL" -q gate approve "g$0" || exit 1"#;
    write(&test, WRITERS, script);

    let report = test.run(&["status", "--json"]).success().json();
    let count = |key: &str| report[key].as_array().unwrap().len();
    assert_eq!((count("steps"), count("gates")), (WRITERS + 1, WRITERS));
    for writer in 0..WRITERS {
        let step = test.plan();
        let step = step.split("\n  - ").find(|part| part.starts_with(&format!("id: w{writer}\n"))).unwrap();
        for n in 1..=4 {
            assert!(step.contains(&format!("N{n}: \"{writer}\"")), "{step}");
        }
        assert!(step.contains("depends_on: [base]") && step.contains("status: DONE"), "{step}");
        assert!(test.plan().contains(&format!("- id: g{writer}\n    depends_on: [w{writer}]\n    status: APPROVED\n")));
    }
    assert!(test.plan().starts_with("# Kept through everything.\n") && test.plan().contains("- id: base # and this\n"));
    assert_eq!(test.audit().len(), 1 + WRITERS * 8, "one entry a change");
    test.assert_chain_valid();
}

#[test]
fn two_runs_at_once_run_every_step_exactly_once() {
    let mut plan = "version: \"1.0\"\nsteps:\n".to_owned();
    for n in 0..30 {
        plan += &format!("  - id: s{n}\n    command: echo s{n} >> ran\n");
        if n >= 3 {
            plan += &format!("    depends_on: [s{}]\n", n - 3);
        }
    }
    let test = Test::new().power().sequence(&plan);
    let runs: Vec<_> = ["run", "run all", "run", "run runnable"]
        .map(|line| test.spawn(&line.split(' ').collect::<Vec<_>>()))
        .into_iter()
        .collect();
    for run in runs {
        run.wait().success();
    }
    test.run(&["run"]).success();
    let ran = test.lines("ran");
    assert_eq!((ran.len(), ran.iter().collect::<BTreeSet<_>>().len()), (30, 30), "{ran:?}");
    assert!(test.statuses().iter().all(|(_, status)| status == "DONE"));
    assert_eq!(test.committed().len(), 30);
    test.assert_chain_valid();
}

#[test]
fn the_plan_can_be_changed_while_it_runs() {
    let mut plan = "version: \"1.0\"\nsteps:\n".to_owned();
    for n in 0..20 {
        plan += &format!("  - id: s{n}\n    command: echo s{n} >> ran\n");
    }
    let test = Test::new().power().sequence(&plan);
    let run = test.spawn(&["run"]);
    let script = r#"for n in 0 1 2 3 4; do
            "$SEQCTL" -q step add "late$0-$n" --command "echo late$0-$n >> ran" --after "s$n" || exit 1
        done"#;
    write(&test, 4, script);
    run.wait().success();
    test.run(&["run"]).success();
    let ran = test.lines("ran");
    assert_eq!((ran.len(), ran.iter().collect::<BTreeSet<_>>().len()), (40, 40), "{ran:?}");
    test.assert_chain_valid();
}

#[test]
fn a_lock_that_is_not_let_go_of_is_told_and_questions_need_none() {
    let test = Test::new().sequence("version: \"1.0\"\nsteps:\n  - {id: a, command: echo}\n");
    let file = std::fs::OpenOptions::new().read(true).write(true).open(test.path(".threados/state/lock")).unwrap();
    file.lock().unwrap();
    test.run(&["status"]).success();
    let reply = test.run(&["skip", "a", "--json"]).fails(4).json();
    assert_eq!(reply["code"], "LOCKED", "{reply}");
    assert!(reply["hint"].as_str().unwrap().contains("look whether that process hangs"), "{reply}");
    assert_eq!(test.status("a"), "READY");
    drop(file);
    test.run(&["skip", "a"]).success();
}
