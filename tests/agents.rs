//! Agents: a small program that speaks claude's format, through the real binary.

use serde_json::{Value, json};

use crate::harness::{Test, text};

/// An agent: writes down how it was called and what it was told, works, and reports. What it does
/// beside that is in `behave`.
const FAKE: &str = r#"#!/bin/sh
echo "$@" >> calls
prompt=$(cat)
echo "$prompt" >> prompts
say() { printf '%s\n' "$1"; }
session=s-1
case "$*" in *--resume*) session=$(echo "$*" | sed 's/.*--resume //') ;; esac
say '{"type":"system","subtype":"init","session_id":"'$session'","model":"fake-1"}'
say '{"type":"assistant","message":{"content":[{"type":"tool_use","name":"Write","input":{"file_path":"work","content":"x"}}]}}'
echo "$prompt" > work
say '{"type":"user","message":{"content":[{"type":"tool_result","content":"written"}]}}'
denials='[]' error=false subtype=success code=0 answer="did: $prompt"
[ -f behave ] && . ./behave
say '{"type":"assistant","message":{"content":[{"type":"text","text":"'"$answer"'"}]}}'
say '{"type":"result","subtype":"'$subtype'","is_error":'$error',"num_turns":2,"result":"'"$answer"'","session_id":"'$session'","total_cost_usd":0.0136,"usage":{"input_tokens":2400,"cache_read_input_tokens":600,"output_tokens":52},"permission_denials":'"$denials"'}'
exit $code
"#;

const CONFIG: &str = "\
agents:
  fake:
    command: [./fake-agent, -p]
    output: claude
    resume: [--resume, \"{session}\"]
    model_flag: --model
    budget_flag: --budget
    install: make fake-agent
";

const PLAN: &str = "\
version: \"1.0\"
steps:
  - id: think
    model: fake
    prompt: make it so
  - id: after
    command: cat work > seen
    depends_on: [think]
";

fn project(plan: &str) -> Test {
    use std::os::unix::fs::PermissionsExt as _;
    let test = Test::new().power().sequence(plan);
    test.write(".threados/config.yaml", CONFIG);
    test.write("fake-agent", FAKE);
    std::fs::set_permissions(test.path("fake-agent"), std::fs::Permissions::from_mode(0o755)).unwrap();
    test
}

fn row(test: &Test, id: &str) -> Value {
    let report = test.run(&["status", "--json"]).success().json();
    report["steps"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone()
}

#[test]
fn an_agent_works_and_its_work_is_accounted_for() {
    let test = project(PLAN);
    test.run(&["run"]).success();
    assert_eq!((test.lines("prompts"), test.lines("calls")), (vec!["make it so".to_owned()], vec!["-p".to_owned()]));
    assert_eq!(test.read("seen"), "make it so\n");
    let status = test.attempt_status("think", 1);
    assert_eq!((&status["status"], &status["exitCode"]), (&json!("DONE"), &json!(0)));
    assert_eq!((&status["sessionId"], &status["model"], &status["turns"]), (&json!("s-1"), &json!("fake-1"), &json!(2)));
    let usage = json!({"inputTokens": 3000, "cachedInputTokens": 600, "outputTokens": 52, "costUsd": 0.0136});
    assert_eq!((&status["usage"], &status["summary"]), (&usage, &json!("did: make it so")));
    assert_eq!(test.read(test.attempt("think", 1).join("summary.md")), "did: make it so\n");
    let spec = test.json(test.attempt("think", 1).join("spec.json"));
    assert_eq!((&spec["agent"], &spec["output"], &spec["timeoutMs"]), (&json!("fake"), &json!("claude"), &json!(7_200_000)));
    assert_eq!(test.read(test.attempt("think", 1).join("prompt.md")), "make it so");
    assert!(test.attempt_status("after", 1).get("usage").is_none());
}
