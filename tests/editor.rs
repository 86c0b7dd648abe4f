//! A person's editor, and git, at work on the plan while `seqctl` is: nothing of theirs is written
//! over, and no finished step runs again.

use std::{
    fs::{self, OpenOptions},
    io::{Seek as _, Write as _},
    os::unix::fs::FileExt as _,
    thread,
    time::Duration,
};

use serde_json::json;

use crate::harness::{Background, Test, names, wait_until};

/// `hold` waits for the file `go`.
const PLAN: &str = "\
version: \"1.0\"
name: edited
steps:
  # The first of all.
  - id: first
    command: echo first >> order

  - id: hold
    command: echo hold >> order; until [ -e go ]; do sleep 0.01; done
    depends_on: [first]

  - id: last   # the end
    command: echo last >> order
    depends_on: [hold]
";

/// A run of [`PLAN`] that has come to `hold`.
fn holding() -> (Test, Background) {
    let test = Test::new().power().sequence(PLAN);
    let run = test.spawn(&["run"]);
    test.wait_for_status("hold", "RUNNING");
    test.wait_for_commit("first");
    (test, run)
}

/// Saves the plan as most editors do: over what is there.
fn save(test: &Test, text: &str) {
    fs::write(test.plan_path(), text).unwrap();
}

/// Saves the plan as careful editors do: a new file in its place.
fn save_as_new(test: &Test, text: &str) {
    let path = test.path(".threados/sequence.yaml~");
    fs::write(&path, text).unwrap();
    fs::rename(path, test.plan_path()).unwrap();
}

/// Lets `hold` end, and checks that everything has run once, and stands in the file.
fn let_go(test: &Test, run: Background) {
    test.write("go", "");
    run.wait().success();
    assert_all_ran_once(test);
}

fn assert_all_ran_once(test: &Test) {
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["first", "hold", "last"]);
    assert!(test.statuses().iter().all(|(_, status)| status == "DONE"), "{}", test.plan());
    assert_eq!(test.plan().matches("status: DONE").count(), 3, "{}", test.plan());
    test.assert_chain_valid();
    test.assert_no_processes();
}

fn runner_log(test: &Test) -> String {
    test.read(format!(".threados/runs/{}/runner.log", test.last_run()))
}

#[test]
fn a_save_after_we_have_read_is_merged() {
    for (number, save) in [save, save_as_new].into_iter().enumerate() {
        let test = Test::new().sequence(PLAN);
        let mut command = test.seqctl(&["step", "add", "ours", "--command", "echo ours"]);
        command.env("THREADOS_FAULT", "tx.staged:sleep:700");
        let change = test.spawn_command(command);
        wait_until("the change to be staged", || {
            names(&test.path(".threados/state/tx"))
                .iter()
                .any(|tx| test.path(".threados/state/tx").join(tx).join("plan.json").exists())
        });
        let theirs = PLAN.replace("# The first of all.", "# Theirs.").replace("echo last", "echo LAST");
        save(&test, &theirs);
        change.wait().success();
        let merged = test.plan();
        assert!(merged.starts_with(&theirs) && merged.contains("- id: ours\n    command: echo ours\n"), "{number}: {merged}");
        assert_eq!(test.audited("step.add").len(), 1);
        test.assert_chain_valid();
    }
}

#[test]
fn a_save_at_the_very_moment_of_ours_is_merged() {
    for (number, save) in [save, save_as_new].into_iter().enumerate() {
        let test = Test::new().sequence(PLAN);
        let mut command = test.seqctl(&["step", "add", "ours", "--command", "echo ours"]);
        command.env("THREADOS_FAULT", "tx.before_exchange:sleep:700");
        let change = test.spawn_command(command);
        wait_until("the change to be committed", || test.audited("step.add").len() == 1);
        let theirs = PLAN.replace("# The first of all.", "# Theirs.").replace("echo last", "echo LAST");
        save(&test, &theirs);
        change.wait().success().says("both changes are in it");
        let merged = test.plan();
        assert!(merged.starts_with(&theirs) && merged.contains("- id: ours\n    command: echo ours\n"), "{number}: {merged}");
        test.run(&["validate", "--strict"]).success();
        test.assert_chain_valid();
    }
}

#[test]
fn a_save_that_does_not_fit_ours_stays_and_ours_is_kept_beside_it() {
    let clash = format!("{PLAN}\n  - id: ours\n    command: echo theirs\n");
    for theirs in [clash.as_str(), "steps: [broken\n", ""] {
        let test = Test::new().sequence(PLAN);
        let mut command = test.seqctl(&["step", "add", "ours", "--command", "echo ours"]);
        command.env("THREADOS_FAULT", "tx.before_exchange:sleep:700");
        let change = test.spawn_command(command);
        wait_until("the change to be committed", || test.audited("step.add").len() == 1);
        save(&test, theirs);
        let out = change.wait();
        assert_eq!(test.plan(), theirs, "nothing of theirs is written over: {out:?}");
        let conflicts = names(&test.path(".threados/state/conflicts"));
        assert_eq!(conflicts.len(), 1, "{out:?}");
        let place = format!(".threados/state/conflicts/{}", conflicts[0]);
        assert!(test.read(&place).contains("command: echo ours\n"));
        out.says(&place);
        save(&test, PLAN);
        test.run(&["step", "add", "more", "--command", "true"]).success();
        test.assert_chain_valid();
    }
}

#[test]
fn saves_during_the_commits_of_a_run_are_merged() {
    let test = Test::new().power().env("THREADOS_FAULT", "tx.before_exchange:sleep:100").sequence(PLAN);
    test.write("go", "");
    let mut run = test.spawn(&["run"]);
    let mut number = 0;
    while run.is_running() {
        number += 1;
        // The buffer of somebody who knows nothing of outcomes.
        let text = format!("# save {number}\n{PLAN}");
        if number % 2 == 0 {
            save(&test, &text);
        } else {
            save_as_new(&test, &text);
        }
        wait_until("the runner to take it or end", || test.plan() != text || !run.is_running());
    }
    run.wait().success();
    test.set_env("THREADOS_FAULT", None);
    // The last save may have come after the last commit; the next change puts the outcomes back.
    test.run(&["step", "edit", "last", "--lane", "x"]).success();
    assert_all_ran_once(&test);
    let plan = test.plan();
    assert!(plan.starts_with(&format!("# save {number}\n")), "{plan}");
    let changed = ["    status: DONE\n", "    lane: x\n", &format!("# save {number}\n")];
    assert_eq!(changed.iter().fold(plan, |plan, part| plan.replace(part, "")), PLAN);
}

#[test]
fn half_a_save_is_not_taken_for_the_plan() {
    let (test, run) = holding();
    // Up to here the file is a valid, shorter plan.
    let theirs = format!("# saved in pieces\n{}", test.plan());
    let half = theirs.find("\n  - id: last").unwrap();
    let mut file = OpenOptions::new().write(true).truncate(true).open(test.plan_path()).unwrap();
    test.write("go", "");
    for piece in theirs.as_bytes()[..half].chunks(64) {
        file.write_all(piece).unwrap();
        thread::sleep(Duration::from_millis(10));
    }
    // However long that takes on a busy machine, the editor is at work meanwhile.
    wait_until("`hold` to end", || {
        file.write_all_at(&theirs.as_bytes()[..1], 0).unwrap();
        test.attempt("hold", 1).join("status.json").exists()
    });
    file.write_all(&theirs.as_bytes()[half..]).unwrap();
    drop(file);
    run.wait().success();
    assert_all_ran_once(&test);
    assert!(test.plan().starts_with("# saved in pieces\n"), "{}", test.plan());
}

#[test]
fn an_editor_that_has_the_old_file_open_loses_nothing() {
    let test = Test::new().sequence(PLAN);
    for number in 1..=3 {
        let theirs = format!("# edit {number}\n{}", test.plan());
        let mut editor = OpenOptions::new().read(true).write(true).open(test.plan_path()).unwrap();
        test.run(&["step", "add", &format!("ours{number}"), "--command", "true"]).success();
        editor.set_len(0).unwrap();
        editor.rewind().unwrap();
        editor.write_all(theirs.as_bytes()).unwrap();
        drop(editor);
        let next = test.run(&["step", "add", &format!("next{number}"), "--command", "true"]).success();
        next.says("merged");
        let plan = test.plan();
        for wanted in [format!("# edit {number}\n"), format!("- id: ours{number}\n"), format!("- id: next{number}\n")] {
            assert!(plan.contains(&wanted), "{wanted}{plan}");
        }
    }
    test.run(&["validate", "--strict"]).success();
    test.assert_chain_valid();
}

#[test]
fn an_editor_that_has_the_file_open_while_a_step_ends_loses_nothing() {
    let (test, run) = holding();
    let theirs = test.plan().replace("# The first of all.", "# Mine.").replace("echo last >>", "echo  last >>");
    let mut editor = OpenOptions::new().read(true).write(true).open(test.plan_path()).unwrap();
    test.write("go", "");
    run.wait().success();
    editor.set_len(0).unwrap();
    editor.rewind().unwrap();
    editor.write_all(theirs.as_bytes()).unwrap();
    drop(editor);
    assert_all_ran_once(&test);
    test.run(&["step", "edit", "last", "--name", "The end"]).success();
    let plan = test.plan();
    assert!(plan.contains("# Mine.") && plan.contains("echo  last >>") && plan.contains("name: The end"), "{plan}");
    assert_eq!(plan.matches("status: DONE").count(), 3, "{plan}");
}

#[test]
fn a_stale_buffer_takes_no_outcome_and_no_decision_back() {
    let gated =
        format!("{}gates:\n  - id: ok\n    depends_on: [first]\n", PLAN.replace("depends_on: [hold]", "depends_on: [hold, ok]"));
    let test = Test::new().power().sequence(&gated);
    test.write("go", "");
    test.run(&["run"]).fails(9);
    test.run(&["gate", "approve", "ok"]).success();
    test.wait_for_commit("last");
    test.assert_no_processes();
    let stale = gated.replace("name: edited", "name: stale");
    save(&test, &stale);
    let status = test.run(&["status"]).success();
    for step in ["first", "hold", "last"] {
        assert!(status.stderr.contains(&format!("`{step}` is DONE by its record")), "{}", status.stderr);
        assert!(status.stderr.contains(&format!("seqctl reset {step}")), "the way out: {}", status.stderr);
    }
    assert_eq!(test.plan(), stale, "a question changes nothing");
    test.run(&["run"]).success();
    test.run(&["step", "edit", "first", "--name", "One"]).success();
    assert_eq!(test.lines("order"), ["first", "hold", "last"]);
    let plan = test.plan();
    assert!(plan.contains("name: stale") && plan.contains("status: APPROVED"), "{plan}");
    assert_eq!(plan.matches("status: DONE").count(), 3, "{plan}");
    assert!(!test.run(&["status"]).success().stderr.contains("warning"));
}

#[test]
fn statuses_by_hand() {
    let test = Test::new().power().sequence(PLAN);
    let by_hand = PLAN
        .replace("echo first >> order\n", "echo first >> order\n    status: DONE\n")
        .replace("depends_on: [first]\n", "depends_on: [first]\n    status: RUNNING\n");
    save(&test, &by_hand);
    test.run(&["status"])
        .success()
        .says("`hold` is RUNNING in the file, but nothing runs; it counts as FAILED")
        .says("seqctl reset hold");
    let wanted = [("first", "DONE"), ("hold", "FAILED"), ("last", "BLOCKED")];
    assert_eq!(test.statuses(), wanted.map(|(id, status)| (id.into(), status.into())));
    test.write("go", "");
    test.run(&["restart", "hold"]).success();
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["hold", "last"], "a DONE by hand is believed");
}

#[test]
fn a_plan_that_is_gone_for_a_while() {
    let (test, run) = holding();
    let text = test.plan();
    fs::remove_file(test.plan_path()).unwrap();
    test.write("go", "");
    wait_until("`hold` to end", || test.attempt("hold", 1).join("status.json").exists());
    wait_until("the runner to notice", || runner_log(&test).contains("missing"));
    let error = test.run(&["status", "--json"]).fails(2).json();
    assert!(error["error"].to_string().contains("sequence.yaml"), "{error:#}");
    test.run(&["step", "add", "x", "--command", "true"]).fails(2);
    assert!(!test.plan_path().exists(), "nobody makes up a plan");
    assert_eq!(test.lines("order"), ["first", "hold"], "nothing is claimed");
    save(&test, &text);
    run.wait().success();
    assert_all_ran_once(&test);
}

#[test]
fn a_plan_that_is_broken_for_a_while() {
    let (test, run) = holding();
    let text = test.plan();
    let broken = text.replace("depends_on: [hold]", "depends_on: [hold");
    save(&test, &broken);
    test.write("go", "");
    wait_until("`hold` to end", || test.attempt("hold", 1).join("status.json").exists());
    wait_until("the runner to notice", || runner_log(&test).contains("sequence.yaml:"));
    for args in [&["status"][..], &["step", "add", "x", "--command", "true"], &["run"], &["gate", "list"]] {
        let out = test.run(args).fails(2);
        assert!(out.stderr.contains("sequence.yaml:1"), "file, line and column: {}", out.stderr);
        assert!(out.stderr.contains("depends_on: [hold"), "the line itself: {}", out.stderr);
    }
    assert_eq!(test.plan(), broken);
    assert_eq!(test.lines("order"), ["first", "hold"], "nothing is claimed");
    assert_eq!(runner_log(&test).matches("sequence.yaml:").count(), 1, "it is said once: {}", runner_log(&test));
    save(&test, &text.replace("# the end", "# mended"));
    run.wait().success();
    assert_all_ran_once(&test);
    assert!(test.plan().contains("# mended"));
}

#[test]
fn a_new_plan_during_a_run_is_what_runs() {
    let (test, run) = holding();
    let text = test.plan().replace("echo last >> order", "echo changed >> order");
    save_as_new(&test, &format!("{text}\n  - id: extra\n    command: echo extra >> order\n    depends_on: [last]\n"));
    test.write("go", "");
    run.wait().success();
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["first", "hold", "changed", "extra"]);
}

#[test]
fn a_running_step_that_is_gone_from_the_plan_ends_in_peace() {
    let (test, run) = holding();
    let text = test.plan();
    let without = &text[..text.find("\n  - id: hold").unwrap()];
    save(&test, without);
    test.write("go", "");
    run.wait().success();
    test.run(&["status"]).success();
    assert_eq!(test.lines("order"), ["first", "hold"]);
    assert_eq!(test.attempt_status("hold", 1)["status"], json!("DONE"));
    assert_eq!(test.plan(), without, "nothing of theirs is written over");
    test.assert_no_processes();
    save(&test, &text);
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["first", "hold", "last"], "it comes back with its outcome");
}

fn git(test: &Test, args: &str) {
    test.sh(&format!("git -c user.name=Test -c user.email=test@example.com {args}")).success();
}

#[test]
fn git_checkout_and_stash_during_a_run() {
    let test = Test::new().power().sequence(PLAN);
    git(&test, "init -q -b main . && git add . && git -c user.name=T -c user.email=t@e.x commit -qm plan");
    git(&test, "checkout -q -b other");
    save(&test, &PLAN.replace("# The first of all.", "# The first on the other branch."));
    git(&test, "commit -qam other");
    git(&test, "checkout -q main");
    let run = test.spawn(&["run"]);
    test.wait_for_status("hold", "RUNNING");
    test.wait_for_commit("first");

    git(&test, "stash");
    assert_eq!(test.plan(), PLAN, "git took the statuses away");
    test.run(&["status"]).success().says("`first` is DONE by its record").says("seqctl reset first");
    git(&test, "stash pop");
    assert!(!test.run(&["status"]).success().stderr.contains("warning"));

    git(&test, "stash");
    git(&test, "checkout -q other");
    test.wait_for_status("first", "DONE");
    let_go(&test, run);
    assert!(test.plan().contains("# The first on the other branch."));
    git(&test, "checkout -q -- .");
    git(&test, "checkout -q main");
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["first", "hold", "last"]);
}

#[test]
fn git_clean_during_a_run_stops_its_steps_and_leaves_a_usable_project() {
    let test = Test::new().power().sequence(PLAN);
    git(&test, "init -q . && git add . && git -c user.name=T -c user.email=t@e.x commit -qm plan");
    let run = test.spawn(&["run"]);
    test.wait_for_status("hold", "RUNNING");
    test.wait_for_commit("first");
    // It may say that a folder it cleans is not empty: the runner has made it anew.
    test.sh("git clean -qfdx");
    let plan = test.plan();
    run.wait();
    test.assert_no_processes();
    assert_eq!(test.plan(), plan, "the plan is not what was cleaned");
    let first = test.run(&["status"]).success();
    assert_eq!(test.status("first"), "DONE", "a DONE without a record is believed: {}", first.stdout);
    fs::write(test.path("go"), "").unwrap();
    test.run(&["run"]).success();
    assert_eq!(test.lines("order").last().unwrap(), "last");
    assert!(!test.lines("order").contains(&"first".to_owned()), "it was cleaned away, and does not run again");
    test.assert_chain_valid();
}
