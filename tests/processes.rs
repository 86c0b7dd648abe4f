//! Processes: what a step gets, what it leaves behind, and who may die without taking anything along.

use std::{fs, path::Path, thread, time::Duration};

use portable_pty::{PtySize, native_pty_system};
use rustix::process::Signal;
use serde_json::json;
use threados::store::{Paths, Record, stat_of};

use crate::harness::{Test, kill, names, text, wait_until};

/// `first`, then `hold` until there is a file `go`, then `last`.
const PLAN: &str = "\
version: \"1.0\"
steps:
  - id: first
    command: echo first >> order
  - id: hold
    command: echo hold >> order; until [ -e go ]; do sleep 0.01; done
    depends_on: [first]
  - id: last
    command: echo last >> order
    depends_on: [hold]
";

fn steps(yaml: &str) -> Test {
    Test::new().power().sequence(&format!("version: \"1.0\"\nsteps:\n{yaml}"))
}

/// The lease of a running step, with its child.
fn lease(test: &Test, step: &str) -> Record {
    let path = Paths::at(test.root()).lease(step);
    wait_until("the child", || Record::read(&path).unwrap().is_some_and(|record| record.child.is_some()));
    Record::read(&path).unwrap().unwrap()
}

fn runner(test: &Test) -> u32 {
    let holder = test.json(format!(".threados/state/runners/{}", test.last_run()));
    u32::try_from(holder["pid"].as_u64().unwrap()).unwrap()
}

/// The spawner of a runner, with its command line.
fn spawner(runner: u32) -> Option<(u32, String)> {
    let pids = names(Path::new("/proc")).into_iter().filter_map(|name| name.parse::<u32>().ok());
    let mut children =
        pids.filter(|pid| stat_of(Path::new("/proc"), *pid).is_some_and(|stat| stat.parent == runner && !stat.is_zombie));
    let pid = children.next()?;
    Some((pid, String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/cmdline")).ok()?).replace('\0', " ")))
}

fn reason(test: &Test, step: &str) -> String {
    text(&test.attempt_status(step, 1)["reason"])
}

fn assert_finished(test: &Test) {
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["first", "hold", "last"]);
    assert!(test.statuses().iter().all(|(_, status)| status == "DONE"), "{}", test.plan());
    test.assert_chain_valid();
    test.assert_no_processes();
}

#[test]
fn a_chain_finishes_after_its_terminal_has_gone() {
    let test = Test::new().power().sequence(PLAN);
    let terminal = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut run = terminal.slave.spawn_command(test.on_terminal(&["run"])).unwrap();
    drop(terminal.slave);
    test.wait_for_status("hold", "RUNNING");
    drop(terminal.master);
    wait_until("the command to end with its terminal", || run.try_wait().unwrap().is_some());
    assert_eq!(test.status("hold"), "RUNNING");
    test.write("go", "");
    wait_until("the run to end", || test.status("last") == "DONE");
    assert_eq!(test.runs().len(), 1, "it went on; nobody started it again");
    assert_finished(&test);
}

#[test]
fn signals_in_a_pipe_stop_even_steps_that_ignore_them() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let test = steps(
            "  - id: deaf\n    command: trap '' TERM INT HUP; (trap '' TERM; sleep 1000) & echo up > up; while :; do sleep 0.05; done\n",
        );
        let run = test.spawn(&["run"]);
        test.wait_for_file("up");
        wait_until("the run to follow", || run.stdout().contains("deaf started"));
        run.signal(signal);
        run.wait().fails(code);
        assert_eq!((test.status("deaf"), reason(&test, "deaf")), ("FAILED".into(), "stopped".into()));
        test.assert_no_processes();
    }
}

#[test]
fn a_step_a_run_and_everything_can_be_stopped() {
    let deaf = |id: &str| format!("  - id: {id}\n    command: trap '' TERM; echo {id} >> up; while :; do sleep 0.05; done\n");
    for (what, last) in [("one", "RUNNING"), ("the run", "FAILED"), ("--all", "FAILED")] {
        let test = steps(&format!("{}{}", deaf("one"), deaf("two")));
        test.run(&["run", "--detach"]).success();
        wait_until("both", || test.lines("up").len() == 2);
        let run = test.last_run();
        test.run(&["stop", if what == "the run" { &run } else { what }]).success();
        assert_eq!((test.status("one"), reason(&test, "one")), ("FAILED".into(), "stopped".into()), "{what}");
        assert_eq!(test.status("two"), last, "{what}");
        test.run(&["stop", "--all"]).success();
        test.assert_no_processes();
        assert_eq!(test.status("two"), "FAILED", "{what}");
        test.run(&["run"]).fails(7);
        assert_eq!(test.lines("up").len(), 2, "{what}: what was stopped stays so");
        test.assert_chain_valid();
    }
}

#[test]
fn a_step_has_no_signal_blocked_or_ignored() {
    let test = steps("  - id: look\n    command: [grep, Sig, /proc/self/status]\n");
    // Whoever starts it may ignore what it likes.
    test.sh("trap '' HUP INT TERM TSTP PIPE USR1; \"$SEQCTL\" run").success();
    let out = test.stdout("look", 1);
    for name in ["SigPnd", "SigBlk", "SigIgn"] {
        let mask = out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t")).unwrap();
        // 32 and 33 belong to the C library, which lets nobody change them.
        let mask = u64::from_str_radix(mask, 16).unwrap() & !(0b11 << 31);
        assert_eq!(mask, 0, "{out}");
    }
}

#[test]
fn a_step_has_a_process_group_and_a_session_apart_and_nothing_else_of_ours() {
    let test = steps(
        "  - id: stat\n    command: [cat, /proc/self/stat]\n  - id: files\n    command: [ls, /proc/self/fd]\n  - id: stdin\n    command: [readlink, /proc/self/fd/0]\n  - id: read\n    command: cat; echo end\n  - id: hold\n    command: until [ -e go ]; do sleep 0.01; done\n",
    );
    let run = test.spawn(&["run"]);
    test.wait_for_status("hold", "RUNNING");
    let record = lease(&test, "hold");
    let (supervisor, child) = (record.supervisor.unwrap().0, record.child.unwrap().0);
    let session = |pid: u32| stat_of(Path::new("/proc"), pid).unwrap().session;
    assert_eq!((session(supervisor), session(child)), (supervisor, supervisor));
    assert_ne!(session(runner(&test)), session(run.pid()), "the runner has left the terminal's session");
    test.write("go", "");
    run.wait().success();
    let stat = test.stdout("stat", 1);
    let fields: Vec<&str> = stat.split(' ').collect();
    assert_eq!(fields[0], fields[4], "it leads its process group");
    assert_eq!(fields[3], fields[5], "its supervisor leads its session");
    assert_eq!(test.stdout("files", 1), "0\n1\n2\n3\n", "3 is the folder that ls reads");
    assert_eq!(test.stdout("stdin", 1), "/dev/null\n");
    assert_eq!(test.stdout("read", 1), "end\n");
}

#[test]
fn nothing_of_a_step_is_left_when_the_next_one_starts() {
    let daemons = [
        "sleep 1000 & echo $! >> pids",
        "nohup sleep 1000 > /dev/null 2>&1 & echo $! >> pids",
        "setsid sh -c 'echo $$ >> pids; exec sleep 1000' &",
        "(setsid sh -c 'sleep 1000 & echo $! >> pids' &)",
        "setsid env -i /bin/sh -c 'echo $$ >> pids; exec sleep 1000' &",
        "setsid sh -c 'trap \"\" TERM; echo $$ >> pids; while :; do sleep 1; done' &",
        "(env -i setsid /bin/sh -c 'trap \"\" TERM HUP; (echo $$ >> pids; exec sleep 1000) &' &)",
    ];
    for daemon in daemons {
        let test = steps(&format!(
            "  - id: leaves\n    command: |-\n      {daemon}\n      until [ -s pids ]; do sleep 0.01; done\n  - id: looks\n    command: for pid in $(cat pids); do if grep -s 'State:.[^ZX]' /proc/$pid/status; then exit 1; fi; done\n    depends_on: [leaves]\n"
        ));
        let out = test.run(&["run"]);
        assert_eq!(out.code, 0, "{daemon}: {}", out.all());
        let pid: u32 = test.lines("pids")[0].parse().unwrap();
        assert!(stat_of(Path::new("/proc"), pid).is_none_or(|stat| stat.is_zombie), "{daemon}");
        assert_eq!(test.status("leaves"), "DONE", "{daemon}");
        test.assert_no_processes();
    }
}

#[test]
fn a_run_goes_on_when_its_spawner_is_killed() {
    let test = steps(
        "  - id: one\n    command: until [ -e go ]; do sleep 0.01; done\n  - id: two\n    command: until [ -e stay ]; do sleep 0.01; done\n    depends_on: [one]\n",
    );
    test.run(&["run", "--detach"]).success();
    test.wait_for_status("one", "RUNNING");
    lease(&test, "one");
    let runner = runner(&test);
    let (old, words) = spawner(runner).unwrap();
    assert!(words.contains("__runner"), "a fork of the runner: {words}");
    kill(old, Signal::KILL);
    test.write("go", "");
    lease(&test, "two");
    let (new, words) = spawner(runner).unwrap();
    assert!(new != old && words.contains("__spawner"), "{words}");
    test.write("stay", "");
    test.run(&["run"]).success();
    assert_eq!(test.runs().len(), 1);
    test.assert_no_processes();
}

#[test]
fn a_spawner_that_is_found_dead_at_the_next_start_takes_no_end_with_it() {
    let test = steps(
        "  - id: hold\n    command: until [ -e go ]; do sleep 0.01; done\n  - id: one\n    command: \"true\"\n  - id: two\n    command: \"true\"\n    depends_on: [one]\n",
    );
    // Between a claim and its start the runner listens to nobody.
    test.run_env("THREADOS_FAULT", "claim.before_send:sleep:400", &["run", "--detach"]).success();
    wait_until("the claim of `two`", || test.audited("claim").len() == 2);
    kill(spawner(runner(&test)).unwrap().0, Signal::KILL);
    test.wait_for_status("two", "DONE");
    test.write("go", "");
    wait_until("the end of `hold` to be heard of", || test.committed().contains(&"hold DONE".into()));
    wait_until("the run to end", || names(&test.path(".threados/state/runners")).is_empty());
    assert_eq!(test.committed().len(), 3);
    test.assert_no_processes();
}

#[test]
fn a_stop_request_survives_whoever_made_it() {
    for point in ["audit.appended", "tx.committed", "tx.text_placed", "tx.leases_moved", "tx.cleaned"] {
        let test = Test::new().power().sequence(PLAN);
        test.run(&["run", "--detach"]).success();
        test.wait_for_status("hold", "RUNNING");
        lease(&test, "hold");
        wait_until("the outcome of `first`", || test.committed().len() == 1);
        test.run_env("THREADOS_FAULT", &format!("{point}:kill"), &["stop", "hold"]).fails(137);
        // Queries change nothing; it is the runner that finishes it.
        test.wait_for_status("hold", "FAILED");
        assert_eq!(reason(&test, "hold"), "stopped", "{point}");
        test.assert_no_processes();
        test.assert_chain_valid();
    }
}

#[test]
fn signals_to_a_supervisor_alone_change_nothing() {
    let test = Test::new().power().sequence(PLAN);
    let run = test.spawn(&["run"]);
    test.wait_for_status("hold", "RUNNING");
    let (supervisor, start) = lease(&test, "hold").supervisor.unwrap();
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::TERM] {
        kill(supervisor, signal);
        thread::sleep(Duration::from_millis(20));
        assert!(stat_of(Path::new("/proc"), supervisor).is_some_and(|stat| stat.start == start));
    }
    assert_eq!(test.status("hold"), "RUNNING");
    test.write("go", "");
    run.wait().success();
    assert_finished(&test);
}

#[test]
fn commands_in_a_copy_leave_the_original_alone() {
    let test = Test::new().power().sequence(PLAN);
    let run = test.spawn(&["run"]);
    test.wait_for_status("hold", "RUNNING");
    let child = lease(&test, "hold").child.unwrap().0;
    test.sh("cp -a . ../copy").success();
    let in_copy = |line: &str| test.sh(&format!("cd ../copy && \"$SEQCTL\" {line}"));
    assert_eq!(in_copy("status --json").success().json()["steps"][1]["status"], "FAILED", "it does not run there");
    in_copy("step add more --command true").success();
    in_copy("stop --all").success();
    in_copy("trust").success();
    in_copy("run").fails(7);
    in_copy("restart hold --detach").success();
    test.sh("touch ../copy/go").success();
    in_copy("wait hold").success();
    in_copy("audit verify").success();
    assert!(stat_of(Path::new("/proc"), child).is_some_and(|stat| !stat.is_zombie), "the original goes on");
    assert_eq!(test.status("hold"), "RUNNING");
    test.write("go", "");
    run.wait().success();
    assert_finished(&test);
}

#[test]
fn a_restart_of_a_running_step_runs_it_exactly_once_more() {
    let test = steps(
        "  - id: work\n    command: trap '' TERM; echo began >> log; until [ -e go ]; do sleep 0.01; done; echo ended >> log\n  - id: next\n    command: echo next >> log\n    depends_on: [work]\n",
    );
    let run = test.spawn(&["run"]);
    wait_until("it to begin", || test.lines("log") == ["began"]);
    test.run(&["restart", "work", "--detach"]).success();
    wait_until("it to begin again", || test.lines("log").len() == 2);
    test.write("go", "");
    test.run(&["wait", "work"]).success();
    run.wait();
    test.run(&["run"]).success();
    assert_eq!(test.lines("log"), ["began", "began", "ended", "next"]);
    assert_eq!(test.committed(), ["work FAILED", "work DONE", "next DONE"]);
    test.assert_chain_valid();
    test.assert_no_processes();
}

#[test]
fn looking_at_a_run_does_not_keep_its_runner_from_starting() {
    let test = Test::new().power().sequence(PLAN);
    test.run_env("THREADOS_FAULT", "claim.folder:kill", &["run", "--detach"]).success();
    test.assert_no_processes();
    let file = fs::File::open(test.path(".threados/state/runners").join(test.last_run())).unwrap();
    // As everybody does for an instant who wants to know whether it is held.
    file.lock_shared().unwrap();
    let mut attach = test.spawn(&["attach"]);
    wait_until("the runner and its spawner", || {
        !attach.is_running() || test.processes().iter().filter(|(_, words)| words.contains("__runner")).count() == 2
    });
    thread::sleep(Duration::from_millis(20));
    file.unlock().unwrap();
    test.write("go", "");
    attach.wait().success();
    assert_finished(&test);
}

#[test]
fn what_a_step_is_told_of_itself_is_true() {
    let test = steps("  - id: told\n    command: env | grep ^THREADOS_ | sort\n    retries: 1\n");
    test.run(&["run"]).success();
    let folder = test.attempt("told", 1);
    let nonce = Record::read(&Paths::at(test.root()).last("told")).unwrap().unwrap().nonce().unwrap().to_owned();
    for (name, value) in [
        ("ATTEMPT", json!("1")),
        ("BASE_PATH", json!(test.root())),
        ("LEASE", json!(nonce)),
        ("OUTCOME_FILE", json!(folder.join("outcome"))),
        ("RUN_ID", json!(test.last_run())),
        ("STEP_ID", json!("told")),
    ] {
        let line = format!("THREADOS_{name}={}\n", text(&value));
        assert!(test.stdout("told", 1).contains(&line), "{line} is not in {}", test.stdout("told", 1));
    }
}
