//! Questions change nothing, and a copy of a project is another project.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::Path,
};

use rustix::process::Signal;
use serde_json::json;

use crate::harness::{Test, finish, kill, names, wait_until};

const PLAN: &str = "\
version: \"1.0\"
name: asked
steps:
  - id: done
    command: echo out; echo err >&2
  - id: hold
    command: echo $$ > pid; until [ -e go ]; do sleep 0.01; done
    depends_on: [done]
  - id: after
    command: \"true\"
    depends_on: [hold, ok]
gates:
  - id: ok
    depends_on: [done]
";

const QUESTIONS: &[&str] = &[
    "",
    "status",
    "status --json",
    "validate",
    "step list",
    "step show hold",
    "gate list",
    "logs done",
    "logs done --stderr",
    "logs done --json",
    "logs hold --tail 3",
    "runs",
    "runs show",
    "audit",
    "audit list --target done",
    "audit verify",
    "audit head",
    "run --dry-run",
    "run group nope --dry-run",
    "apply --dry-run -f list.json",
    "step show nope",
    "help",
];

/// Everything that stat says of every file below a folder.
fn listing(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for name in names(folder) {
        let path = folder.join(&name);
        let meta = fs::symlink_metadata(&path).unwrap();
        let stat = (meta.ino(), meta.len(), meta.mode(), meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec());
        found.insert(path.display().to_string(), format!("{stat:?}"));
        if meta.is_dir() {
            found.extend(listing(&path));
        }
    }
    found
}

fn ask_everything(test: &Test) {
    test.write("list.json", r#"[{"action": "skip", "id": "hold"}]"#);
    for question in QUESTIONS {
        let before = listing(&test.path(".threados"));
        test.run(&question.split_whitespace().collect::<Vec<_>>());
        let after = listing(&test.path(".threados"));
        let changed: Vec<_> = after.iter().filter(|entry| before.get(entry.0) != Some(entry.1)).collect();
        assert!(changed.is_empty() && before.len() == after.len(), "`seqctl {question}` changed {changed:#?}");
    }
}

/// A project whose runner and supervisor were killed while `hold` ran.
fn killed() -> Test {
    let test = Test::new().power().sequence(PLAN);
    let run = test.spawn(&["run"]);
    // It runs, so its supervisor has written its line.
    test.wait_for_file("pid");
    test.wait_for_commit("done");
    run.signal(Signal::KILL);
    run.wait();
    let pid_in = |path: &str, mark: &str| {
        let text = test.read(path);
        let line = text.lines().find(|line| line.contains(mark)).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        u32::try_from(line["pid"].as_u64().unwrap()).unwrap()
    };
    // The runner first, so that it repairs nothing; then the supervisor, which takes the step along.
    let runner = pid_in(&format!(".threados/state/runners/{}", test.last_run()), "pid");
    kill(runner, Signal::KILL);
    wait_until("the runner to be gone", || test.processes().iter().all(|(pid, _)| *pid != runner));
    kill(pid_in(".threados/state/active/hold", "\"supervisor\""), Signal::KILL);
    test.assert_no_processes();
    test
}

#[test]
fn questions_change_nothing_in_a_fresh_project() {
    ask_everything(&Test::new().sequence(PLAN));
}

#[test]
fn questions_change_nothing_while_steps_run() {
    let test = Test::new().power().sequence(PLAN);
    let run = test.spawn(&["run"]);
    test.wait_for_file("pid");
    test.wait_for_commit("done");
    let log = test.audit().len();
    ask_everything(&test);
    assert_eq!(test.audit().len(), log);
    test.write("go", "");
    run.wait().fails(9);
}

#[test]
fn questions_change_nothing_in_a_project_that_needs_repair() {
    let test = killed();
    ask_everything(&test);
    let report = test.run(&["status", "--json"]).success().json();
    assert_eq!((&report["steps"][1]["status"], &report["steps"][1]["reason"]), (&json!("FAILED"), &json!("orphaned_process")));
    assert!(report["attention"].to_string().contains("has no runner"), "{report:#}");
    test.run(&["stop", "--all"]);
    assert_eq!(test.attempt_status("hold", 1)["reason"], "orphaned_process");
}

#[test]
fn questions_change_nothing_after_a_torn_transaction() {
    for point in ["tx.staged", "tx.committed", "tx.exchanged", "tx.text_placed", "tx.history_kept"] {
        let test = Test::new().sequence(PLAN);
        test.run_env("THREADOS_FAULT", &format!("{point}:kill"), &["step", "add", "new", "--command", "true"]).fails(137);
        ask_everything(&test);
        test.run(&["skip", "done"]).success();
        assert_eq!(test.plan().contains("id: new"), point != "tx.staged", "{point}");
        test.assert_chain_valid();
    }
}

#[test]
fn questions_change_nothing_after_an_outside_edit() {
    let test = Test::new().power().sequence(PLAN);
    test.run(&["run", "done"]).success();
    test.write(".threados/sequence.yaml", PLAN.replace("depends_on: [done]", "depends_on: [done]\n    status: APPROVED"));
    ask_everything(&test);
}

#[test]
fn a_project_that_cannot_be_written_to_can_be_looked_at() {
    let test = killed();
    test.write("list.json", "[]");
    fn set_modes(path: &Path, add_write: bool) {
        let meta = fs::symlink_metadata(path).unwrap();
        if meta.is_symlink() {
            return;
        }
        let mode = if add_write {
            0o755
        } else if meta.is_dir() {
            0o555
        } else {
            0o444
        };
        if add_write {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        if meta.is_dir() {
            for name in names(path) {
                set_modes(&path.join(name), add_write);
            }
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    // Root may write everywhere: then somebody else asks, with a copy of the program that they can reach.
    test.sh("cp \"$SEQCTL\" ../seqctl && chmod 755 .. ../seqctl").success();
    let program = test.path("../seqctl");
    let ask = |line: &str| {
        let mut command = test.command(&program);
        command.args(line.split_whitespace());
        if rustix::process::getuid().is_root() {
            command.uid(65534).gid(65534);
        }
        finish(command, b"")
    };
    set_modes(test.root(), false);
    let questions = QUESTIONS.iter().filter(|question| !question.contains("nope"));
    let failures: Vec<String> =
        questions.map(|question| ask(question)).filter(|out| out.code != 0).map(|out| format!("{out:?}")).collect();
    let denied = ask("skip hold --json");
    set_modes(test.root(), true);
    assert!(failures.is_empty(), "{failures:#?}");
    assert_ne!(denied.code, 0);
    assert_eq!(denied.json()["success"], false);
}

#[test]
fn a_copy_of_a_project_leaves_the_original_alone() {
    let test = Test::new().power().sequence(&PLAN.replace("[hold, ok]", "[hold]"));
    let run = test.spawn(&["run"]);
    test.wait_for_file("pid");
    test.sh("cp -a . ../copy").success();
    let copy = test.path("../copy").canonicalize().unwrap();
    let copy = copy.to_str().unwrap();
    test.run(&["--project", copy, "status"]).success();
    test.run(&["--project", copy, "stop", "--all"]).success();
    assert_eq!(test.status("hold"), "RUNNING", "the copy's stop is not for us");
    test.run(&["--project", copy, "reset", "hold"]).success();
    test.run(&["--project", copy, "trust"]).success();
    let theirs = test.spawn(&["--project", copy, "run"]);
    fs::write(format!("{copy}/go"), "").unwrap();
    theirs.wait().success();
    assert_eq!(test.status("hold"), "RUNNING");
    let pid: u32 = test.read("pid").trim().parse().unwrap();
    assert!(test.processes().iter().any(|(other, _)| *other == pid), "the original's step lives");
    test.write("go", "");
    run.wait().success();
    assert_eq!(test.status("after"), "DONE");
    test.run(&["--project", copy, "audit", "verify"]).success();
    test.assert_chain_valid();
    test.assert_no_processes();
}
