//! `seqctl doctor`: what it finds, and when it says that nothing can run.

use serde_json::Value;

use crate::harness::{Out, Test};

fn check(out: &Out, name: &str) -> Value {
    let document = out.json();
    let checks = document.get("checks").or_else(|| document["data"].get("checks")).unwrap().as_array().unwrap().clone();
    checks.into_iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name} in {document:#}"))
}

#[test]
fn a_fit_project_has_nothing_in_the_way() {
    let test = Test::new().sequence("version: \"1.0\"\nsteps:\n  - {id: a, command: echo}\n");
    let out = test.run(&["doctor", "--json"]).success();
    for name in [
        "plan",
        "policy",
        "permissions",
        "locks",
        "disk",
        "clock",
        "watches",
        "unicode",
        "logout",
        "terminal",
        "git",
        "mprocs",
        "claude-code",
    ] {
        assert_ne!(check(&out, name)["health"], "broken", "{name}");
    }
    assert_eq!((&check(&out, "locks")["health"], &check(&out, "plan")["text"]), (&"ok".into(), &"1 step, 0 gates".into()));
    test.run(&["doctor"]).success().prints("✔ locks");
}

#[test]
fn outside_of_a_project_the_machine_is_looked_at() {
    let test = Test::new();
    let out = test.run(&["doctor", "--json"]).success();
    assert_eq!(check(&out, "project")["health"], "warning");
    test.run(&["doctor"]).success().prints("seqctl init");
    test.run(&["--project", "/nowhere", "doctor"]).fails(3);
}

#[test]
fn what_keeps_steps_from_running_is_broken() {
    for (policy, plan, name) in [
        ("mode: maybe\n", "version: \"1.0\"\nsteps: []\n", "policy"),
        ("mode: SAFE\n", "version: \"1.0\"\nsteps: [\n", "plan"),
        ("mode: SAFE\n", "version: \"1.0\"\nsteps:\n  - {id: a, model: codex, prompt: x}\n", "codex"),
    ] {
        // Nothing but what every system has is on PATH, so no agent is.
        let test = Test::new().policy(policy).env("PATH", "/nowhere");
        let test = test.sequence("version: \"1.0\"\nsteps: []\n").policy(policy);
        test.write(".threados/sequence.yaml", plan);
        let out = test.run(&["doctor", "--json"]).fails(1);
        let found = check(&out, name);
        assert_eq!(found["health"], "broken", "{found}");
        assert!(found["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{found}");
        assert_eq!(out.json()["code"], "UNFIT");
        let out = test.run(&["doctor"]).fails(1);
        assert!(out.stdout.contains(&format!("✖ {name}")) && out.stderr.contains("in the way"), "{}", out.all());
    }
}

#[test]
fn agents_of_the_config_are_looked_for_too() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: a, model: mine, prompt: x}\n";
    let test = Test::new().sequence(plan);
    test.write(
        ".threados/config.yaml",
        "agents:\n  mine: {command: [./mine], install: make mine}\n  other: {command: [no-such]}\n",
    );
    test.run(&["trust"]).success();
    let out = test.run(&["doctor", "--json"]).fails(1);
    let mine = check(&out, "mine");
    assert_eq!((&mine["health"], &mine["text"]), (&"broken".into(), &"`./mine` is not there, and `a` wants it".into()));
    assert_eq!(mine["hint"], "`make mine` installs it");
    assert_eq!(check(&out, "other")["health"], "warning");
    test.write("mine", "#!/bin/sh\ntouch executed\n");
    std::fs::set_permissions(test.path("mine"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let out = test.run(&["doctor", "--json"]).success();
    assert_eq!(check(&out, "mine")["health"], "ok");
    assert!(!test.path("executed").exists(), "looking executes nothing that a project names");
    test.write(".threados/sequence.yaml", plan.replace("mine", "yours"));
    let out = test.run(&["doctor", "--json"]).success();
    assert_eq!(check(&out, "plan")["text"], "1 warning");
}

#[test]
fn versions_of_programs_are_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let test = Test::new();
    test.write("bin/claude", "#!/bin/sh\n[ \"$1\" = --version ] && echo '2.1.0 (Claude Code)'\n");
    test.write("bin/codex", "#!/bin/sh\nexit 1\n");
    for name in ["claude", "codex"] {
        std::fs::set_permissions(test.path("bin").join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", test.path("bin").display(), std::env::var("PATH").unwrap());
    let out = test.run_env("PATH", &path, &["doctor", "--json"]).success();
    let text = |name: &str| check(&out, name)["text"].as_str().unwrap().to_owned();
    assert!(text("claude-code").ends_with("/bin/claude is 2.1.0 (Claude Code)"), "{}", text("claude-code"));
    assert!(text("codex").contains("does not say its version"), "{}", text("codex"));
}

#[test]
fn status_mentions_the_warnings_of_the_plan() {
    let plan = "version: \"1.0\"\npolicy: {max_fanot: 2}\nsteps:\n  - {id: a, command: echo, timout: 5m}\n";
    let test = Test::new().sequence(plan);
    test.run(&["status"]).success().prints("2 warnings: seqctl validate");
    assert_eq!(test.run(&["status", "--json"]).success().json()["findings"], 2);
}

#[test]
fn a_gate_that_was_reset_forgets_its_note() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: a, command: echo}\n  - {id: b, command: echo, depends_on: [g]}\ngates:\n  - {id: g, depends_on: [a]}\n";
    for command in [&["reset", "a", "--downstream"][..], &["restart", "a", "--downstream"]] {
        let test = Test::new().power().sequence(plan);
        test.run(&["run", "a"]).success();
        test.run(&["gate", "approve", "g", "--note", "an old note"]).success();
        assert!(test.plan().contains("an old note"));
        test.run(command);
        assert!(!test.plan().contains("an old note"), "{command:?}: {}", test.plan());
        assert!(!test.run(&["status"]).success().stdout.contains("an old note"));
    }
}

#[test]
fn what_is_not_trusted_yet_is_told() {
    let test = Test::new().sequence("version: \"1.0\"\nsteps: []\n");
    let trust = |test: &Test| {
        let document = test.run(&["doctor", "--json"]).json();
        document["checks"].as_array().unwrap().iter().find(|check| check["name"] == "trust").cloned()
    };
    assert_eq!(trust(&test), None, "there is nothing to trust");
    test.write(".threados/policy.yaml", "version: \"1.0\"\nmode: POWER\n");
    test.write(".threados/config.yaml", "agents:\n  mine: {command: [cat]}\n");
    let told = trust(&test).unwrap();
    assert_eq!(told["health"], "warning");
    assert_eq!(told["text"], "without effect before you trust it: `mode: POWER` of policy.yaml and the `agents` of config.yaml");
    assert!(told["hint"].as_str().unwrap().contains("`seqctl trust`"));
    test.run(&["trust"]).success();
    assert_eq!(trust(&test), None);
}
