//! Leases that another machine made: on a shared disk, or in a project that was copied while it ran.

use std::fs;

use crate::harness::{Test, text, wait_until};

const PLAN: &str = "version: \"1.0\"\nsteps:\n  - id: far\n    command: echo far >> ran\n  - id: near\n    command: echo near >> ran\n    depends_on: [far]\n";

/// A project in whose `far` another machine seems to be at work; with `lines` behind its claim.
fn project(lines: &str) -> Test {
    let test = Test::new().power().sequence(PLAN);
    let claim = r#"{"v":1,"t":"claim","step":"far","run":"20261122-064800-7f3a","nonce":"0123456789abcdef","attempt":1,"defhash":"","slots":1,"host":"another","boot":"another","pidns":1,"uid":0,"inode":1,"at":"2026-11-22T06:48:00.000Z"}"#;
    test.run(&["step", "add", "later", "--command", "true"]).success();
    test.write(".threados/state/active/far", format!("{claim}\n{lines}"));
    test
}

const CHILD: &str = "{\"v\":1,\"t\":\"child\",\"pid\":1,\"attempt\":1}\n";

#[test]
fn what_another_machine_claimed_is_shown_and_left_alone() {
    for lines in ["", CHILD] {
        let test = project(lines);
        assert_eq!(test.status("far"), "RUNNING");
        test.run(&["status"]).success().prints("seqctl stop far --force");
        test.run(&["stop", "far"]).fails(4).says("claimed on another machine");
        test.run(&["restart", "far"]).fails(4).says("claimed on another machine");
        test.run(&["reset", "far"]).fails(4);
        test.run(&["stop", "--all"]).success();
        test.run(&["run", "later"]).success();
        assert_eq!(fs::read_to_string(test.path(".threados/state/active/far")).unwrap().matches("exit").count(), 0);
        assert_eq!(test.lines("ran"), [""; 0]);
    }
}

#[test]
fn a_person_can_declare_it_dead() {
    let test = project(CHILD);
    test.run(&["stop", "far", "--force"]).success();
    assert_eq!(test.status("far"), "FAILED");
    let outcome = &test.audited("commit")[0]["payload"]["outcomes"][0];
    assert_eq!((text(&outcome["step"]), text(&outcome["reason"])), ("far".into(), "orphaned_process".into()));
    test.run(&["restart", "far", "--wait"]).success();
    test.run(&["run"]).success();
    assert_eq!(test.lines("ran"), ["far", "near"]);
    test.assert_chain_valid();
}

#[test]
fn what_ended_there_counts_here() {
    let exit = r#"{"v":1,"t":"exit","attempt":1,"status":"DONE","code":0,"ms":5,"at":"2026-11-22T06:48:01.000Z"}"#;
    let test = project(&format!("{CHILD}{exit}\n"));
    test.run(&["run"]).success();
    assert_eq!((test.status("far"), test.status("near")), ("DONE".into(), "DONE".into()));
    assert_eq!(test.lines("ran"), ["near"]);
}

#[test]
fn whoever_lets_a_run_go_on_without_its_environment_is_told() {
    let test = Test::new().power().sequence(
        "version: \"1.0\"\nsteps:\n  - id: one\n    command: echo \"$TOKEN\"\n    depends_on: [ok]\ngates:\n  - id: ok\n",
    );
    test.run_env("TOKEN", "abc", &["run", "--detach"]).success();
    wait_until("the runner to leave", || test.processes().is_empty());
    test.run(&["gate", "approve", "ok"]).success().says("goes on without 1 variable that its starter had: TOKEN");
    test.wait_for_status("one", "DONE");
}
