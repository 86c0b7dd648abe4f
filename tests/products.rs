//! What an attempt is given and what it leaves: compiled prompts and artifacts, through the real binary.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use threados::store::sha256;

use crate::harness::{Test, names, text};

/// A project whose agent `me` keeps what it is told in `told-<step>` and then does what `do-<step>` says.
pub(crate) fn project(plan: &str) -> Test {
    let test = Test::new().power().sequence(plan);
    test.config("agents:\n  me: {command: [./me]}\n");
    test.write(
        "me",
        "#!/bin/sh\ncat > \"$THREADOS_BASE_PATH/told-$THREADOS_STEP_ID\"\n. \"$THREADOS_BASE_PATH/do-$THREADOS_STEP_ID\"\n",
    );
    std::fs::set_permissions(test.path("me"), std::fs::Permissions::from_mode(0o755)).unwrap();
    test
}

const CHAIN: &str = "\
version: \"1.0\"
name: shop
defaults: {model: me}
steps:
  - id: plan
    prompt: Make a plan.
    artifacts: [out/*.md]
  - id: count
    command: seq 1 5000
  - id: build
    name: Build it
    prompt: Build what `PLAN.md` says.
    depends_on: [go]
gates:
  - id: go
    depends_on: [plan, count]
";

#[test]
fn an_agent_is_told_what_came_before_it_also_behind_a_gate() {
    let test = project(CHAIN);
    test.write("do-plan", "mkdir out; printf text > out/plan.md; printf no > out/plan.txt; echo 'First this, then that.'");
    test.write("do-build", "\"$SEQCTL\" outcome review --note 'look here' > /dev/null");
    test.set_env("SEQCTL", Some(env!("CARGO_BIN_EXE_seqctl")));
    test.run(&["run"]).fails(9);
    let hash = test.run(&["step", "show", "build", "--json"]).success().json()["state"]["changed"].clone();
    test.run(&["gate", "approve", "go", "--note", "fine by me"]).success();
    test.wait_for_status("build", "NEEDS_REVIEW");
    let told = test.read("told-build");
    assert_eq!(told, test.read(test.attempt("build", 1).join("prompt.md")));
    for wanted in [
        "# Step `build` of shop\n",
        "\n- step: `build`, Build it\n",
        "\n## Task\n\nBuild what `PLAN.md` says.\n\n## What came before\n",
        "\n### `go`: gate, APPROVED by user\n\n- note: fine by me\n",
        "\n### `plan`: DONE, by me\n\n- file: `out/plan.md`, 4 bytes\n",
        "\n```text\nFirst this, then that.\n```\n",
        "\n### `count`: DONE, a command\n\n- result: its end; ",
        "\n4999\n5000\n```\n",
        "\n- `build` (Build it): this step\n",
    ] {
        assert!(told.contains(wanted), "{wanted}\nis not in\n{told}");
    }
    assert!(!told.contains("\n1000\n"), "of a command only the end is told");
    let build = test.run(&["step", "show", "build", "--json"]).success().json();
    assert_eq!((&build["state"]["changed"], &hash), (&json!(null), &json!(null)), "what it is told is not its definition");
    assert_eq!(test.attempt_status("build", 1)["note"], "look here");
}

#[test]
fn a_prompt_is_compiled_without_running_it() {
    let test = project(CHAIN);
    let out = test.run(&["prompt", "compile", "build"]).success();
    assert!(out.stdout.contains("\n## Task\n\nBuild what") && out.stdout.contains("- `plan`: READY\n"), "{}", out.stdout);
    assert_eq!(test.run(&["prompt", "compile", "build"]).success().stdout, out.stdout);
    let reply = test.run(&["prompt", "compile", "build", "--json"]).success().json();
    assert_eq!((&reply["source"], &reply["text"]), (&json!("compiled"), &json!(out.stdout)));
    assert!(test.runs().is_empty() && !test.path("told-build").exists());
    test.run(&["prompt", "compile", "count"]).fails(3).says("`count` has no prompt");
    test.run(&["prompt", "compile", "nope"]).fails(3);
    let test = Test::new().power().sequence("version: \"1.0\"\nsteps:\n  - id: script\n    prompt: echo $0\n");
    assert_eq!(test.run(&["prompt", "compile", "script"]).success().stdout, "echo $0", "a script runs as it stands");
}

#[test]
fn policy_judges_the_task_and_not_what_other_steps_printed() {
    let test = project(CHAIN).policy("version: \"1.0\"\nmode: POWER\nforbidden_patterns: ['secret word']\n");
    test.write("do-plan", "echo 'the secret word'");
    test.write("do-build", "true");
    test.run(&["run"]).fails(9);
    test.run(&["gate", "approve", "go"]).success();
    test.wait_for_status("build", "DONE");
    assert!(test.read("told-build").contains("the secret word"));
}

#[test]
fn a_synthesiser_is_told_of_every_candidate() {
    let test = project(
        "version: \"1.0\"\ndefaults: {model: me}\nsteps:\n  - {id: a, prompt: One way., artifacts: [a.txt]}\n  - {id: b, prompt: Another.}\n  - {id: best, prompt: Take the best., fusion_candidates: [a, b]}\n",
    );
    test.write("do-a", "echo A > a.txt; echo mine is fast");
    test.write("do-b", "echo mine is small");
    test.write("do-best", "true");
    test.run(&["run"]).success();
    let told = test.read("told-best");
    for wanted in [
        "- thread: fusion; you make one result",
        "### Candidate `a`: DONE",
        "- file: `a.txt`",
        "mine is fast",
        "### Candidate `b`",
        "mine is small",
    ] {
        assert!(told.contains(wanted), "{wanted}\nis not in\n{told}");
    }
}

#[test]
fn artifacts_are_listed_with_size_and_hash_for_each_attempt() {
    let test = Test::new().power().sequence(
        "version: \"1.0\"\nsteps:\n  - id: make\n    cwd: work\n    command: echo $THREADOS_ATTEMPT > out-$THREADOS_ATTEMPT.txt; ln -s ../../secret leak.txt; test $THREADOS_ATTEMPT = 2\n    artifacts: [\"*.txt\", \"../../secret\"]\n    retries: 1\n",
    );
    test.write("work/.keep", "");
    test.write("../secret", "secret");
    test.run(&["run"]).success();
    let one = json!({"path": "work/out-1.txt", "bytes": 2, "sha256": sha256(b"1\n")});
    let two = json!({"path": "work/out-2.txt", "bytes": 2, "sha256": sha256(b"2\n")});
    let (first, second) = (test.attempt_status("make", 1), test.attempt_status("make", 2));
    assert_eq!((&first["status"], &first["artifacts"]), (&json!("FAILED"), &json!([one])));
    assert_eq!(second["artifacts"], json!([one, two]));
    assert_eq!(second["productNotes"], json!(["artifacts: `../../secret` is outside of the project"]));
    test.run(&["step", "show", "make"]).success().prints("work/out-1.txt, work/out-2.txt").prints("outside of the project");
    let shown = test.run(&["step", "show", "make", "--json"]).success().json();
    assert_eq!(shown["last"]["artifacts"], json!([one, two]));
    assert!(!test.attempt("make", 2).join("diff.patch").exists());
}

#[test]
fn artifacts_are_listed_whoever_completes_the_attempt() {
    let test = Test::new()
        .power()
        .sequence("version: \"1.0\"\nsteps:\n  - id: make\n    command: echo x > out.txt\n    artifacts: [out.txt]\n");
    test.set_env("THREADOS_FAULT", Some("supervisor.after_exit_line:kill"));
    test.run(&["run"]);
    test.set_env("THREADOS_FAULT", None);
    test.run(&["run"]);
    let status = test.attempt_status("make", 1);
    assert_eq!((&status["status"], text(&status["artifacts"][0]["path"]).as_str()), (&json!("DONE"), "out.txt"));
}

#[test]
fn a_step_that_changed_nothing_in_git_has_no_diff() {
    let test = project("version: \"1.0\"\nsteps:\n  - {id: think, model: me, prompt: Think.}\n  - {id: sh, command: \"true\"}\n");
    test.write("do-think", "true");
    test.run(&["diff", "think"]).fails(3);
    test.run(&["run"]).success();
    for (step, why) in [("think", "it changed nothing in a git work tree"), ("sh", "it runs a command")] {
        let out = test.run(&["diff", step]).success().says(why);
        assert_eq!(out.stdout, "");
    }
    let reply = test.run(&["diff", "think", "--json"]).success().json();
    assert_eq!((&reply["text"], reply.get("path")), (&json!(""), None));
}

#[test]
fn earlier_attempts_keep_what_they_left() {
    let plan = "version: \"1.0\"\nsteps:\n  - id: work\n    command: echo try $THREADOS_ATTEMPT | tee out.txt; [ $THREADOS_ATTEMPT = 3 ]\n    artifacts: [out.txt]\n    retries: 3\n    retry_delay: 20ms\n";
    let test = Test::new().power().sequence(plan);
    test.run(&["run"]).success();
    for (attempt, status) in [(1, "FAILED"), (2, "FAILED"), (3, "DONE")] {
        let folder = test.attempt("work", attempt);
        assert_eq!(names(&folder), ["prompt.md", "spec.json", "status.json", "stderr.log", "stdout.log"], "{attempt}");
        let ended = test.attempt_status("work", attempt);
        assert_eq!((&ended["status"], &ended["attempt"]), (&json!(status), &json!(attempt)));
        let text = format!("try {attempt}\n");
        assert_eq!(ended["artifacts"], json!([{"path": "out.txt", "bytes": 6, "sha256": sha256(text.as_bytes())}]));
        assert_eq!(test.run(&["logs", "work", "--attempt", &attempt.to_string()]).success().stdout, text);
        if attempt > 1 {
            let before = test.attempt_status("work", attempt - 1);
            assert!(
                text_of(&before, "endedAt") < text_of(&ended, "startedAt"),
                "the pause lies between {before:#} and {ended:#}"
            );
        }
    }
    assert_eq!(std::fs::read_link(test.attempt("work", 3).with_file_name("latest")).unwrap().as_os_str(), "3");
    assert_eq!(test.committed(), ["work DONE"], "one outcome");
    let run = test.run(&["runs", "show", "--json"]).success().json();
    assert_eq!(run["attempts"].as_array().map(Vec::len), Some(3));
}

fn text_of(status: &serde_json::Value, key: &str) -> String {
    text(&status[key])
}
