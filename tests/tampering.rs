//! What somebody does to an audit log with other hands, and that `audit verify` says so.

use threados::audit::{Expected, verify};

use crate::harness::{Test, text};

/// A project with a few entries in its log.
fn project() -> (Test, Vec<String>) {
    let test =
        Test::new().sequence("version: \"1.0\"\nsteps:\n  - {id: a, command: 'true'}\n  - {id: b, command: 'true'}\n").power();
    test.run(&["run", "a"]).success();
    test.run(&["step", "edit", "b", "--name", "B"]).success();
    test.run(&["skip", "b", "--note", "by hand"]).success();
    test.run(&["reset", "b"]).success();
    test.assert_chain_valid();
    let lines = test.lines(".threados/audit.log");
    assert!(lines.len() >= 6, "{lines:#?}");
    (test, lines)
}

/// Puts these lines in the log's place and checks that the entry of this line is the first that is wrong.
#[track_caller]
fn assert_noticed(test: &Test, lines: &[String], line: usize, why: &str) {
    test.write(".threados/audit.log", lines.join("\n") + "\n");
    let out = test.run(&["audit", "verify", "--json"]).fails(4).json();
    assert_eq!(out["code"], "AUDIT_BROKEN");
    let said = text(&out["error"]);
    assert!(said.contains(&format!("audit.log:{line}: entry ")) && said.contains(why), "{said}");
}

#[test]
fn a_changed_entry_is_noticed() {
    let (test, lines) = project();
    for at in 0..lines.len() - 1 {
        let mut changed = lines.clone();
        changed[at] = changed[at].replace("\"v\":1", "\"v\":1,\"note\":\"mine\"");
        assert_noticed(&test, &changed, at + 2, "was changed, added or taken away");
    }
}

#[test]
fn a_deleted_entry_is_noticed() {
    let (test, lines) = project();
    for at in 0..lines.len() - 1 {
        let mut changed = lines.clone();
        changed.remove(at);
        assert_noticed(&test, &changed, at + 1, "was changed, added or taken away");
    }
}

#[test]
fn an_inserted_entry_is_noticed() {
    let (test, lines) = project();
    for at in 1..=lines.len() {
        let mut changed = lines.clone();
        changed.insert(at, lines[at - 1].clone());
        assert_noticed(&test, &changed, at + 1, "was changed, added or taken away");
        // One that follows from the one before it, but has its number.
        let head = threados::store::sha256(lines[at - 1].as_bytes());
        let old = text(&serde_json::from_str::<serde_json::Value>(&lines[at - 1]).unwrap()["prev"]);
        changed[at] = lines[at - 1].replace(&old, &head);
        assert_noticed(&test, &changed, at + 1, "has the wrong number");
    }
}

#[test]
fn entries_in_another_order_are_noticed() {
    let (test, lines) = project();
    for at in 0..lines.len() - 1 {
        let mut changed = lines.clone();
        changed.swap(at, at + 1);
        assert_noticed(&test, &changed, at + 1, "was changed, added or taken away");
    }
}

#[test]
fn a_log_that_was_cut_off_is_noticed() {
    let (test, lines) = project();
    let head = text(&test.run(&["audit", "head", "--json"]).success().json()["head"]);
    test.run(&["audit", "verify", "--expect", &head]).success();
    for left in 0..lines.len() - 1 {
        // Each of the changes of the plan has left a text in the history.
        assert_noticed(&test, &lines[..left], left.max(1) + usize::from(left > 0), "");
    }
    test.write(".threados/audit.log", lines[..lines.len() - 1].join("\n") + "\n");
    std::fs::remove_dir_all(test.path(".threados/state/history")).unwrap();
    test.assert_chain_valid();
    let out = test.run(&["audit", "verify", "--expect", &head]).fails(4);
    assert!(out.stderr.contains("with the hash that was expected"), "{}", out.stderr);

    test.write(".threados/audit.log", lines.join("\n") + "\n");
    test.run(&["step", "edit", "b", "--name", "C"]).success();
    test.run(&["audit", "verify", "--expect", &head]).success();
}

#[test]
fn a_change_of_the_last_entry_is_noticed_by_whoever_knows_the_head() {
    let (test, mut lines) = project();
    let head = text(&test.run(&["audit", "head", "--json"]).success().json()["head"]);
    let last = lines.last_mut().unwrap();
    *last = last.replace("\"actor\":\"user\"", "\"actor\":\"system\"");
    test.write(".threados/audit.log", lines.join("\n") + "\n");
    test.assert_chain_valid();
    test.run(&["audit", "verify", "--expect", &head]).fails(4);
}

#[test]
fn no_byte_before_the_last_entry_can_be_another() {
    let (test, lines) = project();
    let path = test.path(".threados/audit.log");
    let whole = lines.join("\n") + "\n";
    let expected = Expected::default();
    assert!(verify(&path, expected).is_ok());
    let last = whole.len() - lines.last().unwrap().len() - 1;
    for at in 0..last {
        let mut bytes = whole.clone().into_bytes();
        bytes[at] ^= 1;
        test.write(".threados/audit.log", bytes);
        assert!(verify(&path, expected).is_err(), "byte {at}: {}", &whole[at.saturating_sub(20)..=at]);
    }
}
