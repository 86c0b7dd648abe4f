//! Prompts from the command line: where they come from, and where they go.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::json;
use threados::store::sha256;

use crate::harness::Test;

const PLAN: &str = "\
version: \"1.0\"
steps:
  - id: inline
    prompt: |  # kept
      In the plan.
  - id: named
    prompt_file: texts/named.md
  - id: rooted
    prompt_file: rooted.md
  - id: default
    model: codex
  - id: outside
    prompt_file: ../outside.md
  - id: shell
    command: echo
";

fn project() -> Test {
    let test = Test::new().sequence(PLAN);
    test.write("rooted.md", "In the root.\n");
    test
}

#[test]
fn a_prompt_is_written_where_it_stands() {
    let test = project();
    for (step, place) in
        [("named", ".threados/texts/named.md"), ("rooted", "rooted.md"), ("default", ".threados/prompts/default.md")]
    {
        test.run(&["prompt", "set", step, "--text", "New.\n"]).success().prints(&format!("wrote the prompt of `{step}`"));
        assert_eq!(test.read(place), "New.\n");
        let out = test.run(&["prompt", "show", step]).success();
        assert_eq!(
            (out.stdout.as_str(), out.stderr.trim_end()),
            ("New.\n", format!("the prompt of `{step}`, from {place}").as_str())
        );
    }
    assert!(!test.path(".threados/rooted.md").exists());
    assert_eq!(test.plan(), PLAN, "files are no part of it");
    test.run_with(&["prompt", "set", "inline"], "From a pipe.\n").success();
    assert_eq!(test.plan(), PLAN.replace("In the plan.", "From a pipe."));
    let shown = test.run(&["prompt", "show", "inline", "--json"]).success().json();
    assert_eq!((&shown["source"], &shown["text"], &shown["bytes"]), (&json!("plan"), &json!("From a pipe.\n"), &json!(13)));
    test.write("new.md", "From a file.\n");
    test.run(&["prompt", "set", "named", "--file", "new.md"]).success();
    assert_eq!(test.read(".threados/texts/named.md"), "From a file.\n");
    test.run(&["prompt", "set", "outside", "--text", "x"]).fails(2).says("outside of the project");
    assert!(!test.path("../outside.md").exists());
    test.assert_chain_valid();
}

#[test]
fn the_audit_log_has_the_hash_of_a_prompt_and_not_its_text() {
    let test = project();
    test.run(&["prompt", "set", "named", "--text", "do not repeat this"]).success();
    let list =
        json!([{"action": "prompt.set", "step": "default", "text": "do not repeat this"}, {"action": "skip", "id": "shell"}]);
    test.run_with(&["apply", "-f", "-"], &list.to_string()).success();
    assert!(!test.read(".threados/audit.log").contains("do not repeat this"));
    let sha = sha256(b"do not repeat this");
    assert_eq!(test.audited("prompt.set").pop().unwrap()["payload"], json!({"step": "named", "sha256": sha, "bytes": 18}));
    assert_eq!(test.audited("apply").pop().unwrap()["payload"]["actions"][0]["sha256"], sha);
    assert_eq!(test.read(".threados/prompts/default.md"), "do not repeat this");
}

#[test]
fn a_prompt_is_only_written_over_what_was_seen() {
    let test = project();
    for step in ["inline", "rooted"] {
        let seen = test.run(&["prompt", "show", step, "--json"]).success().json()["sha256"].as_str().unwrap().to_owned();
        test.run(&["prompt", "set", step, "--text", "second\n", "--if-unchanged", &seen]).success();
        let refused = test.run(&["prompt", "set", step, "--text", "third\n", "--if-unchanged", &seen, "--json"]).fails(4).json();
        assert_eq!(refused["code"], "REVISION_CHANGED");
        assert_eq!(test.run(&["prompt", "show", step]).success().stdout, "second\n");
    }
    let nothing = sha256(b"");
    test.run(&["prompt", "set", "default", "--text", "first", "--if-unchanged", &nothing]).success();
    test.run(&["prompt", "set", "default", "--text", "second", "--if-unchanged", &nothing]).fails(4);
}

#[test]
fn a_prompt_file_keeps_its_mode_and_its_link() {
    let test = project();
    test.run(&["prompt", "set", "default", "--text", "new"]).success();
    let mode = |path: &str| fs::metadata(test.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(".threados/prompts/default.md"), 0o644);
    fs::set_permissions(test.path("rooted.md"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(test.path(".threados/texts")).unwrap();
    std::os::unix::fs::symlink(test.path("rooted.md"), test.path(".threados/texts/named.md")).unwrap();
    test.run(&["prompt", "set", "named", "--text", "through the link"]).success();
    assert_eq!((test.read("rooted.md").as_str(), mode("rooted.md")), ("through the link", 0o600));
    assert!(test.path(".threados/texts/named.md").is_symlink());
}

#[test]
fn a_change_that_fails_writes_no_prompt() {
    let test = project();
    let list = json!([{"action": "prompt.set", "step": "default", "text": "x"}, {"action": "skip", "id": "nope"}]);
    test.run_with(&["apply", "-f", "-"], &list.to_string()).fails(3);
    assert!(!test.path(".threados/prompts/default.md").exists());
    let test = test.env("THREADOS_FAULT", "tx.committed:kill");
    test.run(&["prompt", "set", "default", "--text", "x"]).fails(137);
    test.set_env("THREADOS_FAULT", None);
    test.run(&["skip", "shell"]).success();
    assert_eq!(test.read(".threados/prompts/default.md"), "x", "what is committed is carried out");
}
