//! The policy as people meet it: lists of commands, `seqctl policy`, and trust in what was cloned.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use serde_json::Value;

use crate::harness::{Test, text};

const LIST: &str = "version: \"1.0\"\nmode: POWER\nallowed_commands: [echo, cat, tool, true]\n";

/// A project with this list, and steps of these commands called `s0`, `s1` and so on.
fn guarded(commands: &[&str]) -> Test {
    let steps = commands
        .iter()
        .enumerate()
        .map(|(at, command)| format!("  - id: s{at}\n    command: {}\n", serde_json::to_string(command).unwrap()));
    Test::new().policy(LIST).sequence(&format!("version: \"1.0\"\nsteps:\n{}", steps.collect::<String>()))
}

/// Writes a program.
fn program(test: &Test, path: &str, script: &str) {
    test.write(path, script);
    fs::set_permissions(test.path(path), fs::Permissions::from_mode(0o755)).unwrap();
}

fn why(test: &Test, step: &str) -> String {
    text(&test.run(&["policy", "check", step, "--json"]).fails(5).json()["data"]["why"])
}

/// The value of a rule, and where it comes from.
fn rule(test: &Test, key: &str) -> (Value, String) {
    let shown = test.run(&["policy", "show", "--json"]).success().json();
    let rules = shown["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["key"] == key).unwrap_or_else(|| panic!("no {key} in {shown:#}"));
    (rule["value"].clone(), text(&rule["from"]))
}

#[test]
fn commands_that_are_not_listed_do_not_run() {
    let test = guarded(&["echo a > a && cat a", "echo b; touch ran"]);
    test.run(&["run"]).fails(7);
    assert_eq!((test.status("s0"), test.status("s1")), ("DONE".into(), "FAILED".into()));
    assert!(!test.path("ran").exists());
    let ended = test.attempt_status("s1", 1);
    assert_eq!(ended["reason"], "policy");
    assert_eq!(text(&ended["note"]), "`touch` at line 1, column 9 is not one of the allowed commands");
    assert_eq!(test.audited("run.step").pop().unwrap()["result"], "denied");
}

#[test]
fn a_program_of_an_allowed_name_in_the_project_does_not_run() {
    let test = guarded(&["tool", "cd bin; ./tool", "cat ran"]).env("PATH", "bin:.:/usr/bin:/bin");
    program(&test, "bin/tool", "#!/bin/sh\ntouch ../ran ran\n");
    program(&test, "tool", "#!/bin/sh\ntouch ran\n");
    symlink(test.path("bin"), test.root().with_file_name("link")).unwrap();
    for path in ["bin:.", "", "."] {
        test.set_env(
            "PATH",
            Some(&format!(
                "{path}:{}:{}:/usr/bin:/bin",
                test.path("bin").display(),
                test.root().with_file_name("link").display()
            )),
        );
        test.run(&["run", "--yes"]).fails(7);
        assert!(!test.path("ran").exists() && !test.path("bin/ran").exists(), "{path}");
        test.run(&["reset", "s0"]).success();
    }
}

#[test]
fn a_listed_program_outside_runs() {
    let test = guarded(&["tool"]);
    let folder = test.root().with_file_name("tools");
    fs::create_dir(&folder).unwrap();
    program(&test, "../tools/tool", "#!/bin/sh\necho \"$PATH\" > path\n");
    test.set_env("PATH", Some(&format!("relative:{}:/usr/bin:/bin", folder.display())));
    test.run(&["run"]).success();
    assert!(test.read("path").starts_with(&folder.display().to_string()), "{}", test.read("path"));
}

#[test]
fn what_shells_and_the_loader_obey_is_not_inherited() {
    let test = guarded(&["cat /proc/self/environ"]);
    for (name, value) in [
        ("ENV", "./x"),
        ("BASH_ENV", "./x"),
        ("LD_LIBRARY_PATH", "./x"),
        ("GIT_DIR", "x"),
        ("PS4", "$(x)"),
        ("BASH_FUNC_echo%%", "() { x; }"),
        ("KEPT", "yes"),
    ] {
        test.set_env(name, Some(value));
    }
    if !cfg!(target_os = "linux") {
        return;
    }
    test.run(&["run"]).success();
    let seen = test.stdout("s0", 1);
    let names: Vec<&str> = seen.split('\0').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name).collect();
    assert!(names.contains(&"KEPT") && names.contains(&"THREADOS_STEP_ID"), "{names:?}");
    assert!(
        !names.iter().any(|name| ["ENV", "BASH_ENV", "LD_LIBRARY_PATH", "GIT_DIR", "PS4", "BASH_FUNC_echo%%"].contains(name)),
        "{names:?}"
    );
}

#[test]
fn an_env_of_the_plan_that_changes_what_runs_is_denied() {
    for (name, value) in [("PATH", "."), ("LD_PRELOAD", "./x.so"), ("BASH_FUNC_echo%%", "() { x; }"), ("X", "a[$(touch ran)]")] {
        let plan = format!("version: \"1.0\"\nsteps:\n  - id: a\n    command: echo hi\n    env: {{{name:?}: {value:?}}}\n");
        let test = Test::new().policy(LIST).sequence(&plan);
        test.run(&["run"]).fails(7);
        assert!(why(&test, "a").contains("`env`"), "{}", why(&test, "a"));
    }
}

#[test]
fn scripts_are_checked_with_their_interpreter_and_run_as_checked() {
    let plan = "version: \"1.0\"\nsteps:\n  - id: a\n    prompt_file: tasks/a.sh\n";
    let test = Test::new().policy(LIST).sequence(plan);
    for (script, is_allowed) in [
        ("echo hi", true),
        ("#!/bin/sh -eu\necho hi\n", true),
        ("#!/bin/sh\ntouch ran\n", false),
        ("#!/usr/bin/env touch\n", false),
        ("#!/bin/sh -c\necho hi\n", false),
        ("#!/bin/bash\necho hi\n", false),
        ("echo hi\r\n", false),
    ] {
        test.write("tasks/a.sh", script);
        test.run(&["policy", "check", "a"]).fails(if is_allowed { 0 } else { 5 });
    }
    // What was checked is what runs, whatever becomes of the file.
    test.write("tasks/a.sh", "echo first; until [ -e go ]; do true; done");
    let test = test.policy("version: \"1.0\"\nmode: POWER\nallowed_commands: [echo, true, '[']\n");
    let run = test.spawn(&["run"]);
    test.wait_for_status("a", "RUNNING");
    test.write("tasks/a.sh", "touch ran");
    test.write("go", "");
    run.wait();
    assert_eq!((test.stdout("a", 1).as_str(), test.path("ran").exists()), ("first\n", false));
}

#[test]
fn folders_are_matched_with_their_links_resolved() {
    let plan = |cwd: &str| format!("version: \"1.0\"\nsteps:\n  - id: a\n    command: 'true'\n    cwd: {cwd}\n");
    let policy = "version: \"1.0\"\nmode: POWER\nallowed_cwd: [./inside/**]\n";
    for (cwd, is_allowed) in [
        ("inside/deep", true),
        ("link-in", true),
        (".", false),
        ("inside/../outside", false),
        ("inside/link-out", false),
        ("..", false),
        ("/", false),
        ("inside/../../..", false),
    ] {
        let test = Test::new().policy(policy).sequence(&plan(cwd));
        for folder in ["inside/deep", "outside"] {
            fs::create_dir_all(test.path(folder)).unwrap();
        }
        symlink(test.path("outside"), test.path("inside/link-out")).unwrap();
        symlink(test.path("inside/deep"), test.path("link-in")).unwrap();
        test.run(&["policy", "check", "a"]).fails(if is_allowed { 0 } else { 5 });
        test.run(&["run"]).fails(if is_allowed { 0 } else { 7 });
    }
}

#[test]
fn forbidden_patterns_see_scripts_and_fan_out_has_a_limit() {
    let policy = "version: \"1.0\"\nmode: POWER\nmax_fanout: 2\nforbidden_patterns: ['s[e]cret']\n";
    let plan =
        "version: \"1.0\"\nsteps:\n  - id: a\n    prompt_file: tasks/a.sh\n  - id: b\n    command: 'true'\n    fanout: 3\n";
    let test = Test::new().policy(policy).sequence(plan);
    test.write("tasks/a.sh", "# harmless\n\n\necho secret\n");
    test.run(&["policy", "check", "a"]).fails(5);
    assert_eq!(why(&test, "a"), "the text to be run matches `s[e]cret`");
    assert_eq!(why(&test, "b"), "a fan-out of 3 is more than 2");
}

#[test]
fn show_says_where_each_value_comes_from() {
    let plan = "version: \"1.0\"\npolicy: {max_concurrent: 2, allowed_commands: [echo]}\nsteps: []\n";
    let test = Test::new().policy("version: \"1.0\"\nmode: POWER\ncommand_allowlist: [echo, env]\n").sequence(plan);
    assert_eq!(rule(&test, "mode"), ("POWER".into(), "policy.yaml".into()));
    assert_eq!(rule(&test, "max_concurrent"), (2.into(), "sequence.yaml".into()));
    assert_eq!(rule(&test, "max_fanout"), (10.into(), "default".into()));
    assert_eq!(rule(&test, "allowed_commands"), (serde_json::json!(["echo"]), "sequence.yaml".into()));
    let test = test.policy("version: \"1.0\"\nmode: POWER\nallowed_commands: [echo, env]\n");
    test.write(".threados/sequence.yaml", "version: \"1.0\"\nsteps: []\n");
    test.run(&["policy", "show"]).success().says("`env` in `allowed_commands` runs whatever it is told to");
    test.run(&["validate"]).success().says("`env` in `allowed_commands`");
}

#[test]
fn only_a_person_sets_the_mode_and_only_the_mode_changes() {
    let test = Test::new().sequence("version: \"1.0\"\nsteps:\n  - id: a\n    command: echo hi\n");
    let before = test.read(".threados/policy.yaml");
    test.run(&["policy", "set-mode", "POWER"]).fails(6);
    test.run_env("THREADOS_STEP_ID", "a", &["policy", "set-mode", "POWER", "--yes"]).fails(5);
    test.run_env("THREADOS_STEP_ID", "a", &["policy", "set-mode", "SAFE"]).fails(5);
    test.run_env("THREADOS_STEP_ID", "a", &["trust"]).fails(5);
    assert_eq!(test.read(".threados/policy.yaml"), before);
    test.run(&["policy", "set-mode", "power", "--yes"]).success();
    assert_eq!(test.read(".threados/policy.yaml"), before.replacen("mode: SAFE", "mode: POWER", 1));
    test.run(&["run"]).success();
    test.run(&["policy", "set-mode", "SAFE"]).success();
    assert_eq!(test.read(".threados/policy.yaml"), before);
    let changes = test.audited("policy.set-mode");
    let results: Vec<_> = changes.iter().map(|entry| text(&entry["result"])).collect();
    assert_eq!(results, ["denied", "denied", "ok", "ok"]);
    test.assert_chain_valid();
}

#[test]
fn a_clone_runs_nothing_without_a_question_before_it_is_trusted() {
    let test = Test::new().power().sequence("version: \"1.0\"\nsteps:\n  - id: a\n    command: touch ran\n");
    test.run(&["run", "--dry-run"]).success();
    // Another folder, the same files: as cloned.
    let clone = test.root().with_file_name("clone");
    let clone = clone.to_str().unwrap();
    test.sh(&format!("cp -r . {clone} && rm -rf {clone}/.threados/state {clone}/.threados/runs"));
    let run = test.run(&["--project", clone, "run"]).fails(6);
    run.says("nobody has trusted `mode: POWER` of policy.yaml yet, `seqctl trust` does");
    test.run(&["--project", clone, "status"]).success().prints("SAFE").prints("seqctl trust");
    let shown = test.run(&["--project", clone, "policy", "show"]).success();
    shown.prints("not trusted").prints("seqctl trust");
    test.run(&["--project", clone, "trust"]).success().prints("POWER mode");
    test.run(&["--project", clone, "run"]).success();
    // A pull that changes the policy ends the trust.
    fs::write(format!("{clone}/.threados/policy.yaml"), "mode: POWER\nmax_concurrent: 50\n").unwrap();
    test.run(&["--project", clone, "restart", "a"]).fails(6).says("seqctl trust");
    // `init` on a policy that was there already does not trust it.
    let found = Test::new();
    found.write(".threados/policy.yaml", "mode: POWER\n");
    found.run(&["init"]).success();
    found.run(&["run"]).fails(6).says("seqctl trust");
}

#[test]
fn agents_of_a_clone_do_not_count_before_they_are_trusted() {
    let test = Test::new().sequence("version: \"1.0\"\nsteps:\n  - id: a\n    agent: mine\n    prompt: hello\n");
    test.write(".threados/config.yaml", "agents:\n  mine:\n    command: [touch, ran]\n    prompt: stdin\n    output: text\n");
    test.run(&["run", "--yes"]);
    assert!(!test.path("ran").exists());
    test.run(&["status"]).success().prints("`agents` of config.yaml");
    // Setting the mode is no word about them.
    test.run(&["policy", "set-mode", "POWER", "--yes"]).success().says("seqctl trust");
    test.run(&["run"]).fails(5).says("seqctl trust");
    test.run(&["trust"]).success().prints("mine");
    let noted = test.audited("trust");
    assert_eq!(
        (noted.len(), &noted[0]["actor"], &noted[0]["payload"]["agents"]),
        (1, &"user".into(), &serde_json::json!(["mine"]))
    );
    test.run(&["trust"]).success();
    assert_eq!(test.audited("trust").len(), 1, "nothing new was trusted");
    test.run(&["restart", "a"]).success();
    assert!(test.path("ran").exists());
}
