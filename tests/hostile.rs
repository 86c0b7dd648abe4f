//! Files that are damaged, foreign or meant to do harm: a clear error, nothing hangs, and nothing is changed.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use rustix::fs::{CWD, Mode, mkfifoat};

use crate::harness::{Out, Test, names};

const PLAN: &str =
    "version: \"1.0\"\nsteps:\n  - id: a\n    command: echo a\n  - id: b\n    command: echo b\n    depends_on: [a]\n";

/// What a person would try first: two questions and a change.
const COMMANDS: [&[&str]; 3] = [&["status"], &["validate"], &["step", "add", "new", "--command", "true"]];

fn project() -> Test {
    Test::new().sequence(PLAN).power()
}

/// A project in which both steps are done.
fn done() -> Test {
    let test = project();
    test.run(&["run", "--quiet"]).success();
    test.wait_for_commit("b");
    test
}

/// Runs a command in at most 3 GiB of addresses.
fn bounded(test: &Test, args: &[&str]) -> Out {
    test.sh(&format!("ulimit -v 3145728; exec \"$SEQCTL\" {}", args.join(" ")))
}

fn make_pipe(path: &Path) {
    mkfifoat(CWD, path, Mode::from_bits_truncate(0o600)).unwrap();
}

/// Puts each of the things that are no file at `path`, and looks what `check` makes of it.
fn each_that_is_no_file(path: &Path, check: impl Fn(&str)) {
    let _ = fs::remove_file(path);
    fs::create_dir(path).unwrap();
    check("is a folder");
    fs::remove_dir(path).unwrap();
    make_pipe(path);
    check("is not a file");
    fs::remove_file(path).unwrap();
    symlink("/dev/zero", path).unwrap();
    check("is not a file");
    fs::remove_file(path).unwrap();
    symlink(path.file_name().unwrap(), path).unwrap();
    check("symbolic links");
    fs::remove_file(path).unwrap();
}

/// The plan is refused by everything, at this place and with a hint, and stays as it is.
#[track_caller]
fn refused(test: &Test, text: impl AsRef<[u8]>, place: &str, why: &str) {
    let text = text.as_ref();
    fs::write(test.plan_path(), text).unwrap();
    for command in COMMANDS {
        let out = bounded(test, command).fails(2).says(&format!(".threados/sequence.yaml:{place}")).says(why);
        assert!(out.stderr.contains("hint: "), "{}", out.stderr);
        assert!(fs::read(test.plan_path()).unwrap() == text, "the file was changed");
    }
}

#[test]
fn a_plan_that_is_no_plan_has_a_place_and_a_reason() {
    let test = project();
    let bomb: String = (1..60).map(|at| format!("x{at}: &a{at} [*a{0}, *a{0}]\n", at - 1)).collect();
    let good = "version: \"1.0\"\nsteps:\n- id: a\n  command: x\n";
    let cases: &[(String, &str, &str)] = &[
        (format!("x0: &a0 [x]\n{bomb}"), "2:10", "aliases (`*name`) are not read"),
        (format!("{good}  <<: {{name: x}}\n"), "5:3", "merge keys (`<<`) are not read"),
        (format!("x: {}", "[".repeat(100_000)), "1:", "nested more than 64 levels deep"),
        (format!("x: {}", "{a: ".repeat(100_000)), "1:", "nested more than 64 levels deep"),
        ("- ".repeat(100_000), "1:129", "nested more than 64 levels deep"),
        (format!("{good}  command: y\n"), "5:3", "the key `command` stands here and on line 4 already"),
        (format!("{good}- id: a\n"), "5:7", "the id `a` stands here and on line 3 already"),
        ("version: \"1.0\"\nsteps:\n\t- id: a\n".into(), "3:1", "a tab cannot indent a line"),
        (format!("{good}  name: a\0b\n"), "5:10", "NUL"),
        (format!("{good}---\n{good}"), "5:1", "a second document begins here"),
        (String::new(), "1:1", "the file is empty"),
        ("# one\n# two\n".into(), "1:1", "the file is empty"),
        ("hello".into(), "1:1", "this is not a sequence"),
        (format!("{good}  name: \"x\n"), "5:9", "this quote is never closed"),
        (format!("{good}  name: \u{feff}x\n"), "5:9", "byte order mark"),
    ];
    for (text, place, why) in cases {
        refused(&test, text, place, why);
    }
}

#[test]
fn bytes_that_are_no_text_have_a_place() {
    let test = project();
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(PLAN.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    refused(&test, &wide, "1:1", "UTF-16");
    refused(&test, PLAN.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>(), "1:1", "UTF-16");
    refused(&test, b"version: \"1.0\"\nname: \xc3(\n", "2:7", "the byte 0xc3 is not UTF-8 text");
    refused(&test, vec![b'x'; 1 << 20], "1:1", "this is not a sequence");
    refused(&test, format!("x: {}]", "[a, ".repeat(100_000)), "1:", "nested");
}

#[test]
fn dependencies_that_make_no_sense_have_a_place() {
    let test = project();
    let plan =
        "version: \"1.0\"\nsteps:\n- id: a\n  depends_on: [b]\n  command: x\n- id: b\n  command: x\n  depends_on:\n  - a\n";
    test.write(".threados/sequence.yaml", plan);
    test.run(&["status"]).fails(2).says(".threados/sequence.yaml:4: these depend on each other in a circle: `a` → `b` → `a`");
    test.write(".threados/sequence.yaml", plan.replace("[b]", "[bb]"));
    test.run(&["status"])
        .fails(3)
        .says(".threados/sequence.yaml:4: `a` depends on `bb`, which does not exist")
        .says("did you mean `b`");
}

#[test]
fn what_is_odd_and_harmless_is_read_and_kept() {
    let test = project();
    let plan = format!("\u{feff}{}", PLAN.replace('\n', "\r\n"));
    test.write(".threados/sequence.yaml", &plan);
    test.run(&["step", "add", "c", "--command", "echo c"]).success();
    let after = test.plan();
    assert!(after.starts_with(&plan), "{after:?}");
    assert!(!after.replace("\r\n", "").contains('\n'), "{after:?}");

    let tagged = "version: &v \"1.0\"\nsteps: !!seq\n- &first {id: a, name: !!str 1, command: x}\n";
    test.write(".threados/sequence.yaml", tagged);
    assert_eq!(test.status("a"), "READY");

    let long = "x".repeat(8 << 20);
    test.write(".threados/sequence.yaml", format!("version: \"1.0\"\nsteps:\n- id: a\n  command: {long}\n"));
    bounded(&test, &["validate"]).success();
}

#[test]
fn a_variable_whose_name_no_key_can_have_is_refused() {
    let test = project();
    for name in [&"x".repeat(1200), "a\u{7}b", ""] {
        test.run(&["step", "edit", "a", "--env", &format!("{name}=1")]).fails(2).says("is not NAME=VALUE");
    }
    assert_eq!(test.plan(), PLAN);
}

#[test]
fn too_large_a_plan_is_not_read() {
    let test = project();
    let file = fs::File::create(test.plan_path()).unwrap();
    file.set_len(50 << 20).unwrap();
    for command in COMMANDS {
        bounded(&test, command).fails(2).says("sequence.yaml: is larger than 16 MiB").says("hint: ");
    }
    assert_eq!(fs::metadata(test.plan_path()).unwrap().len(), 50 << 20);
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let test = project();
    each_that_is_no_file(&test.plan_path(), |why| {
        for command in COMMANDS {
            let out = test.run(command).says("sequence.yaml").says(why);
            assert!(matches!(out.code, 1 | 2), "{}", out.all());
        }
    });
    symlink("nowhere", test.plan_path()).unwrap();
    for command in COMMANDS {
        test.run(command).fails(2).says("is a link to something that does not exist");
    }
    assert!(test.plan_path().is_symlink());
}

#[test]
fn a_plan_that_may_not_be_read_says_so() {
    let test = project();
    fs::set_permissions(test.plan_path(), fs::Permissions::from_mode(0o000)).unwrap();
    let out = test.run(&["status"]);
    if rustix::process::geteuid().is_root() {
        out.success();
    } else {
        out.fails(1).says("sequence.yaml").says("Permission denied");
    }
}

#[test]
fn a_policy_that_cannot_be_used_allows_nothing_and_has_a_place() {
    let test = project();
    let bomb: String = (1..60).map(|at| format!("x{at}: &a{at} [*a{0}, *a{0}]\n", at - 1)).collect();
    for (policy, place, why) in [
        (format!("x0: &a0 [x]\n{bomb}"), "2:10", "aliases"),
        (format!("x: {}", "[".repeat(100_000)), "1:", "nested more than 64 levels deep"),
        ("mode: POWER\nmode: SAFE\n".into(), "2:1", "the key `mode` stands here and on line 1 already"),
        ("mode: POWER\nmax_conncurrent: 3\n".into(), "2:1", "unknown key `max_conncurrent`; expected `max_concurrent`"),
        ("mode: POWER\nmax_fanout: many\n".into(), "2:13", "expected a whole number"),
        ("max_concurrent: 0\n".into(), "1:17", "0 would let nothing run"),
        ("forbidden_patterns:\n  - ok\n  - '('\n".into(), "3:5", "`(` cannot be used"),
    ] {
        test.write(".threados/policy.yaml", policy);
        let place = format!(".threados/policy.yaml:{place}");
        bounded(&test, &["run"]).fails(5).says(&place).says(why);
        bounded(&test, &["status"]).success().says(&place);
    }
    each_that_is_no_file(&test.path(".threados/policy.yaml"), |why| {
        test.run(&["run"]).fails(5).says("policy.yaml").says(why);
    });
}

#[test]
fn settings_are_read_as_carefully_as_the_plan() {
    let test = project();
    let good = "version: \"1.0\"\n";
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(good.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let cases: [(Vec<u8>, &str, &str); 6] = [
        (wide, "1:1", "UTF-16"),
        (format!("{good}# \0\n").into(), "2:3", "NUL"),
        (format!("{good}x:\n\ty: 1\n").into(), "3:1", "a tab cannot indent a line"),
        (format!("{good}<<: {{x: y}}\n").into(), "2:1", "merge keys"),
        (format!("{good}{good}").into(), "2:1", "the key `version` stands here and on line 1 already"),
        (b"version: \xc3(\n".into(), "1:10", "is not UTF-8"),
    ];
    for name in [".threados/policy.yaml", ".threados/config.yaml"] {
        let before = fs::read(test.path(name)).ok();
        for (text, place, why) in &cases {
            test.write(name, text);
            let out = bounded(&test, &["run"]).says(&format!("{name}:{place}")).says(why);
            assert!(matches!(out.code, 2 | 5) && fs::read(test.path(name)).unwrap() == *text, "{}", out.all());
        }
        fs::File::create(test.path(name)).unwrap().set_len(50 << 20).unwrap();
        bounded(&test, &["run"]).says(name).says("is larger than 16 MiB");
        test.write(name, format!("\u{feff}{}", good.replace('\n', "\r\n")));
        bounded(&test, &["status"]).success();
        fs::remove_file(test.path(name)).unwrap();
        if let Some(text) = before {
            test.write(name, text);
        }
    }
}

#[test]
fn lists_and_settings_are_checked_before_they_are_read() {
    let test = project();
    let bomb: String = (1..60).map(|at| format!("x{at}: &a{at} [*a{0}, *a{0}]\n", at - 1)).collect();
    test.write("list.yaml", format!("x0: &a0 [x]\n{bomb}"));
    bounded(&test, &["apply", "-f", "list.yaml"]).fails(2).says("list.yaml:2:10: aliases");
    test.write("list.yaml", "- action: skip\n  action: reset\n  id: a\n");
    test.run(&["apply", "-f", "list.yaml"]).fails(2).says("list.yaml:2:3: the key `action` stands here and on line 1 already");
    test.write(".threados/config.yaml", format!("x: {}", "[".repeat(100_000)));
    bounded(&test, &["status"]).fails(2).says("config.yaml:1:").says("nested more than 64 levels deep");
}

#[test]
fn a_prompt_that_is_no_file_fails_its_step() {
    let test =
        Test::new().sequence("version: \"1.0\"\nsteps:\n  - id: a\n    model: shell\n    prompt_file: prompts/a.sh\n").power();
    fs::create_dir_all(test.path(".threados/prompts")).unwrap();
    each_that_is_no_file(&test.path(".threados/prompts/a.sh"), |why| {
        test.run(&["run", "a", "--quiet"]).fails(7).says("prompts/a.sh").says(why);
        test.run(&["reset", "a", "--yes"]).success();
    });
}

#[test]
fn an_audit_log_that_is_damaged_stops_changes_and_says_where() {
    let test = project();
    test.run(&["step", "add", "c", "--command", "true"]).success();
    let (log, lines) = (test.path(".threados/audit.log"), test.lines(".threados/audit.log").len());
    let whole = fs::read(&log).unwrap();
    let long = [vec![b'x'; 10 << 20], b"\n".to_vec()].concat();
    for rest in [&b"garbage\n"[..], b"{\"v\":1}\n", b"\0\0\0\0\n", b"[1]\n\n", &long] {
        fs::write(&log, [&whole, rest].concat()).unwrap();
        let place = format!(".threados/audit.log:{}: entry ", lines + 1);
        bounded(&test, &["audit", "verify"]).fails(4).says(&place).says("is not an audit entry");
        bounded(&test, &["status"]).success();
        bounded(&test, &["step", "add", "d", "--command", "true"])
            .fails(4)
            .says("the last line is no entry")
            .says("audit verify");
        assert_eq!(fs::read(&log).unwrap().len(), whole.len() + rest.len());
    }
    // What the hint says works.
    fs::write(&log, &whole).unwrap();
    test.run(&["step", "add", "d", "--command", "true"]).success();
    test.assert_chain_valid();
    // An end without a line ending is what a power cut leaves.
    let whole = fs::read(&log).unwrap();
    fs::write(&log, [&whole[..], &vec![0; 10 << 20]].concat()).unwrap();
    bounded(&test, &["step", "add", "e", "--command", "true"]).success();
    test.assert_chain_valid();
    each_that_is_no_file(&log, |_| {
        assert_ne!(test.run(&["step", "add", "f", "--command", "true"]).code, 0);
        assert_ne!(test.run(&["audit", "verify"]).code, 0);
        test.run(&["status"]).success();
    });
}

#[test]
fn a_damaged_record_leaves_the_file_in_charge() {
    let test = done();
    let record = test.path(".threados/state/last/a");
    let was = fs::read(&record).unwrap();
    // What is written over a record is not seen while all of them stand in one file, which is as good.
    let unpack = || drop(fs::remove_file(test.path(".threados/state/records")));
    for damage in [&b""[..], b"garbage\n", &[0; 4096], b"{\"v\":1,\"t\":\"exit\"}\n", &was[..was.len() - 5]] {
        unpack();
        fs::write(&record, damage).unwrap();
        test.run(&["status"]).success().says("the record of `a` is damaged (`.threados/state/last/a`)");
        assert_eq!(test.status("a"), "DONE", "{}", String::from_utf8_lossy(damage));
        test.run(&["step", "edit", "b", "--name", "B"]).success();
    }
    each_that_is_no_file(&record, |_| {
        unpack();
        test.run(&["status"]).success().says("the record of `a` is damaged");
    });
    fs::create_dir(&record).unwrap();
    test.run(&["reset", "a", "--yes"]).success();
    assert_eq!(test.status("a"), "READY");
    test.run(&["run", "--quiet"]).success();
    assert_eq!(test.status("b"), "DONE");
}

#[test]
fn a_damaged_lease_is_cleared_away() {
    let test = project();
    let lease = test.path(".threados/state/active/a");
    for damage in [&b""[..], b"garbage\n", &[0; 4096], b"{\"v\":1,\"t\":\"claim\",\"step\":\"a\",\"run\":\"../../x\"}\n"] {
        fs::write(&lease, damage).unwrap();
        assert_eq!(test.status("a"), "READY");
    }
    fs::create_dir(lease.with_file_name("b")).unwrap();
    assert_eq!(test.status("a"), "READY");
    test.run(&["run", "--quiet"]).success();
    assert_eq!(test.statuses().iter().map(|(_, status)| status.as_str()).collect::<Vec<_>>(), ["DONE", "DONE"]);
    make_pipe(&lease);
    assert_eq!(test.status("a"), "DONE");
}

#[test]
fn damaged_runs_hide_nothing_else() {
    let test = done();
    let (old, state) = (test.last_run(), test.path(".threados/state"));
    fs::write(test.attempt("a", 1).join("status.json"), "[]").unwrap();
    test.write(format!(".threados/runs/{old}/run.json"), "{\"v\":1,");
    make_pipe(&state.join("runners").join(&old));
    for command in [&["status"][..], &["runs"], &["logs", "a"], &["wait", "a"], &["validate"]] {
        test.run(command).success();
    }
    test.run(&["runs", "show", &old]).fails(2).says("run.json: is damaged").says("hint: ");
    test.run(&["restart", "b", "--yes"]).success();
    test.wait_for_status("b", "DONE");
}

#[test]
fn what_lies_about_in_the_state_stops_nothing() {
    let test = done();
    let state = test.path(".threados/state");
    fs::write(state.join("stamp"), "{\"v\":1,\"sha\":7}").unwrap();
    fs::write(state.join("displaced.json"), [0; 100]).unwrap();
    fs::create_dir_all(state.join("tx/1")).unwrap();
    fs::write(state.join("tx/1/plan.json"), "{").unwrap();
    fs::write(state.join("tx/2"), "a file").unwrap();
    fs::create_dir_all(state.join("tx/99999/deep/er")).unwrap();
    fs::write(state.join("tx/not-a-number"), "").unwrap();
    fs::write(state.join("active/.tmp-left"), "").unwrap();
    fs::write(state.join("last/Not An Id"), "").unwrap();
    test.run(&["status"]).success();
    let out = test.run(&["step", "add", "c", "--command", "true"]).success();
    out.says("change 1 was committed and cannot be carried out").says("conflicts/1-damaged");
    test.run(&["step", "add", "d", "--command", "true"]).success();
    assert_eq!(names(&state.join("tx")), ["not-a-number"]);
    test.assert_chain_valid();
}
