//! Agents: a small program that speaks claude's format, through the real binary.

use serde_json::{Value, json};

use crate::{
    harness::{Test, text},
    terminal::{on_terminal, program},
};

/// An agent: writes down how it was called and what it was told, works, and reports. What it does
/// beside that is in `behave`.
const FAKE: &str = r#"#!/bin/sh
echo "$@" >> calls
told=$(cat)
prompt=$(printf '%s\n' "$told" | sed -n '/^## Task$/,/^## /p' | sed '/^## /d; /^$/d')
prompt=${prompt:-$told}
echo "$prompt" >> prompts
say() { printf '%s\n' "$1"; }
session=s-${THREADOS_WORKER_INDEX:-1}
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

pub(crate) const CONFIG: &str = "\
agents:
  fake:
    command: [./fake-agent, -p]
    output: claude
    resume: [--resume, \"{session}\"]
    model_flag: --model
    budget_flag: --budget
    install: make fake-agent
";

pub(crate) const PLAN: &str = "\
version: \"1.0\"
steps:
  - id: think
    model: fake
    prompt: make it so
  - id: after
    command: cat work > seen
    depends_on: [think]
";

pub(crate) fn project(plan: &str) -> Test {
    use std::os::unix::fs::PermissionsExt as _;
    let test = Test::new().power().sequence(plan);
    test.config(CONFIG);
    test.write("fake-agent", FAKE);
    std::fs::set_permissions(test.path("fake-agent"), std::fs::Permissions::from_mode(0o755)).unwrap();
    test
}

pub(crate) fn row(test: &Test, id: &str) -> Value {
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
    assert!(test.read(test.attempt("think", 1).join("prompt.md")).contains("\n## Task\n\nmake it so\n\n## "));
    assert!(test.attempt_status("after", 1).get("usage").is_none());
}

#[test]
fn the_command_line_says_what_the_plan_says() {
    let plan = "version: \"1.0\"\ndefaults:\n  agent_args: [--fast]\nsteps:\n  - id: think\n    model: fake/big\n    prompt_file: think.md\n    max_cost_usd: 1.5\n    timeout: 10m\n    retries: 1\n";
    let test = project(plan);
    test.write(".threados/think.md", "line one\nline two\n");
    test.write("behave", "answer=both; [ -f again ] || { touch again; code=1; }");
    let words = "think: ./fake-agent -p --model big --budget 1.5 --fast ← line one";
    test.run(&["run", "--dry-run"]).success().prints(words);
    test.run(&["restart", "think", "--dry-run"]).success().prints(words);
    test.run(&["run"]).success();
    assert_eq!(test.lines("calls"), vec!["-p --model big --budget 1.5 --fast"; 2], "a retry begins afresh");
    assert_eq!(test.lines("prompts"), ["line one", "line two", "line one", "line two"]);
    assert_eq!(test.attempt_status("think", 1)["sessionId"], "s-1");
    assert_eq!(test.attempt_status("think", 2)["status"], "DONE");
}

#[test]
fn a_prompt_goes_as_an_argument_or_as_a_file_where_the_agent_wants_that() {
    let test = Test::new().power().sequence(
        "version: \"1.0\"\nsteps:\n  - id: arg\n    model: say\n    prompt: hello there\n  - id: file\n    model: read\n    prompt: from a file\n",
    );
    test.config("agents:\n  say: {command: [echo, said], prompt: arg}\n  read: {command: [cat], prompt: file}\n");
    test.run(&["run"]).success();
    let told = |step: &str| test.read(test.attempt(step, 1).join("prompt.md"));
    assert_eq!((test.stdout("arg", 1), test.stdout("file", 1)), (format!("said {}\n", told("arg")), told("file")));
    test.run(&["result", "arg"]).success().prints("\n\nhello there\n\n");
    let reply = test.run(&["continue", "arg", "-m", "more", "--json"]).fails(4).json();
    assert_eq!(reply["code"], "NO_SESSION");
}

#[test]
fn exit_code_0_is_not_success_where_the_agent_says_otherwise() {
    let test = project(PLAN);
    test.write("behave", r#"denials='[{"tool_name":"Bash","tool_input":{"command":"rm -rf x"}}]'"#);
    test.run(&["run"]).fails(9);
    let status = test.attempt_status("think", 1);
    assert_eq!((&status["status"], &status["note"]), (&json!("NEEDS_REVIEW"), &json!("denied: Bash rm -rf x")));
    assert_eq!(status["denials"], json!([{"tool": "Bash", "argument": "rm -rf x"}]));
    test.run(&["status"]).success().prints("`think` wants a review (denied: Bash rm -rf x)");
    assert_eq!(test.status("after"), "BLOCKED");

    test.write("behave", "error=true subtype=error_during_execution answer='no credit left'");
    test.run(&["restart", "think"]).fails(7).says("the agent failed, no credit left");
    assert_eq!(test.attempt_status("think", 1)["reason"], "agent");

    test.write("behave", "exit 0");
    test.run(&["restart", "think"]).fails(9);
    assert_eq!(test.attempt_status("think", 1)["note"], "its output has no result in it");

    test.write("behave", "error=true answer='over budget' code=1");
    test.run(&["restart", "think"]).fails(7).says("exit 1, over budget");
}

#[test]
fn an_agent_reports_its_outcome_itself() {
    let test = project(PLAN);
    test.set_env("SEQCTL", Some(env!("CARGO_BIN_EXE_seqctl")));
    test.write("behave", "cd /; \"$SEQCTL\" outcome review --note 'please look' >&2");
    test.run(&["run"]).fails(9);
    let status = test.attempt_status("think", 1);
    assert_eq!((&status["status"], &status["note"]), (&json!("NEEDS_REVIEW"), &json!("please look")));
    test.run(&["logs", "think", "--stderr"]).success().prints("outcome of `think`: review");
    for (word, status) in [("fail", "FAILED"), ("done", "DONE")] {
        test.write("behave", format!("\"$SEQCTL\" outcome {word} >&2; code=3"));
        test.run(&["restart", "think"]);
        assert_eq!(test.status("think"), status);
    }
    let reply = test.run(&["outcome", "done", "--json"]).fails(4).json();
    assert_eq!(reply["code"], "NOT_IN_STEP");
    assert!(text(&reply["hint"]).contains("seqctl run"), "{reply}");
}

#[test]
fn a_review_is_accepted_or_rejected_by_a_person() {
    let test = project(&PLAN.replace("    prompt: make it so\n", "    prompt: make it so\n    review: true\n"));
    test.run(&["review", "accept", "think"]).fails(4).says("`think` is not run, not NEEDS_REVIEW");
    test.run(&["run"]).fails(9).says("review of `think`");
    test.run_env("THREADOS_STEP_ID", "after", &["review", "accept", "think"]).fails(5).says("a step cannot decide");
    test.run(&["review", "reject", "think", "--note", "not like this"]).success();
    let think = row(&test, "think");
    assert_eq!(
        (&think["status"], &think["reason"], &think["note"]),
        (&json!("FAILED"), &json!("rejected"), &json!("not like this"))
    );
    assert_eq!(think["usage"]["outputTokens"], 52, "what it did stays known");
    assert!(test.plan().contains("status: FAILED"));
    test.run(&["logs", "think"]).success().prints("→ Write work");

    test.run(&["restart", "think"]).fails(9);
    test.run(&["review", "accept", "think", "--note", "fine"]).success().prints("accepted `think`");
    let think = row(&test, "think");
    assert_eq!((&think["status"], &think["note"]), (&json!("DONE"), &json!("fine")));
    test.run(&["runs", "show"]).success().prints("✔ think  DONE").prints("✔ 1 done");
    test.run(&["run"]).success();
    assert_eq!(test.status("after"), "DONE");
    assert_eq!(test.audited("review.accept").len(), 2, "the step's attempt is one of them");
    test.run(&["review", "accept", "think"]).fails(4);
    test.assert_chain_valid();
}

#[test]
fn a_waiting_run_goes_on_when_the_review_is_accepted() {
    let test = project(&PLAN.replace("    prompt: make it so\n", "    prompt: make it so\n    review: true\n"));
    test.run(&["run"]).fails(9);
    test.run(&["review", "accept", "think"]).success();
    test.wait_for_status("after", "DONE");
}

#[test]
fn a_waiting_run_goes_on_when_a_restart_made_the_review_needless() {
    let test = project(PLAN);
    test.write("behave", "\"$SEQCTL\" outcome review >&2");
    test.set_env("SEQCTL", Some(env!("CARGO_BIN_EXE_seqctl")));
    test.run(&["run"]).fails(9).says("waits for review of `think`");
    test.write("behave", "until [ -f go ]; do sleep 0.01; done");
    test.run(&["restart", "think", "--detach"]).success();
    test.wait_for_status("think", "RUNNING");
    for command in [&["status"][..], &["runs"]] {
        test.run(command).success().prints("waits for the end of `think`");
    }
    test.write("go", "");
    test.wait_for_status("after", "DONE");
    let runs = test.run(&["runs", "list", "--json"]).success().json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 2, "{runs:#}");
}

#[test]
fn a_run_says_what_its_agents_took_together() {
    let plan = format!("{PLAN}  - id: again\n    model: fake\n    prompt: once more\n    depends_on: [after]\n");
    let test = project(&plan);
    test.run(&["run"]).success();
    test.run(&["runs", "show"]).success().prints("✔ 3 done   6.1k tokens · $0.0272");
    let usage = test.run(&["runs", "show", "--json"]).success().json()["usage"].clone();
    assert_eq!(usage, json!({"inputTokens": 6000, "cachedInputTokens": 1200, "outputTokens": 104, "costUsd": 0.0272}));
}

#[test]
fn a_rejection_with_a_message_goes_on_in_the_agents_session() {
    let test = project(&PLAN.replace("    prompt: make it so\n", "    prompt: make it so\n    review: true\n"));
    test.run(&["run"]).fails(9);
    test.run(&["review", "reject", "think", "-m", ""]).fails(2);
    let out = test.run(&["review", "reject", "think", "-m", "again, but blue", "--dry-run"]).success();
    assert!(out.stdout.contains("think: ./fake-agent -p --resume s-1 ← again, but blue"), "{}", out.stdout);
    test.run(&["review", "reject", "think", "-m", "again, but blue"]).fails(9);
    assert_eq!(test.lines("calls"), ["-p", "-p --resume s-1"]);
    assert_eq!(test.lines("prompts"), ["make it so", "again, but blue"]);
    assert_eq!(test.read(test.attempt("think", 2).join("prompt.md")), "again, but blue");
    assert_eq!(test.attempt_status("think", 2)["sessionId"], "s-1");
    assert_eq!(test.runs().len(), 1, "the run that waited goes on");
    let think = row(&test, "think");
    assert_eq!((&think["status"], &think["changed"]), (&json!("NEEDS_REVIEW"), &json!(null)));

    test.run(&["review", "accept", "think"]).success();
    test.wait_for_status("after", "DONE");
    test.run(&["wait"]);
    test.run(&["continue", "think", "-m", "one more thing"]).fails(9);
    assert_eq!(test.runs().len(), 2);
    assert_eq!(test.lines("calls").last().unwrap(), "-p --resume s-1");
    test.run(&["restart", "think"]).fails(9);
    assert_eq!(test.lines("calls").last().unwrap(), "-p", "a restart begins a fresh session");
    assert_eq!(test.lines("prompts").last().unwrap(), "make it so");
}

#[test]
fn going_on_needs_a_session_and_a_confirmation() {
    let test = project(PLAN).policy("version: \"1.0\"\n");
    test.run(&["continue", "think", "-m", "x"]).fails(4).says("it has not run");
    test.run(&["continue", "after", "-m", "x"]).fails(4).says("no agent runs it");
    test.run(&["run", "--yes"]).success();
    test.run(&["continue", "think", "-m", "x"]).fails(6);
    test.run_env("THREADOS_STEP_ID", "after", &["continue", "think", "-m", "x", "--yes"]).fails(6);
    assert_eq!(test.lines("calls").len(), 1);
    test.run(&["continue", "think", "-m", "x", "--yes"]).success();
    test.config(CONFIG.replace("    resume: [--resume, \"{session}\"]\n", ""));
    test.run(&["continue", "think", "-m", "x", "--yes"]).fails(2).says("cannot go on with a session").says("`resume`");
}

#[test]
fn a_missing_agent_is_named_before_anything_starts() {
    let plan = "version: \"1.0\"\nsteps:\n  - id: first\n    command: touch ran\n  - id: think\n    model: fake\n    prompt: think\n    depends_on: [first]\n";
    let test = project(plan).policy("version: \"1.0\"\n");
    std::fs::remove_file(test.path("fake-agent")).unwrap();
    for line in ["run", "run --dry-run", "run think first", "restart think", "restart think --yes"] {
        let args: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        let reply = test.run(&args).fails(8).json();
        assert_eq!(reply["code"], "AGENT_NOT_FOUND", "{line}");
        assert!(text(&reply["error"]).contains("`./fake-agent` was not found"), "{line}: {reply}");
        assert!(text(&reply["hint"]).contains("make fake-agent"), "{line}: {reply}");
    }
    assert!(!test.path("ran").exists());
    test.write(".threados/sequence.yaml", plan.replace("model: fake", "model: fakee"));
    test.run(&["validate"]).success().prints("line 5: step `think` wants the agent `fakee`");
    test.run(&["run"]).fails(8).says("`fakee`, which is not known").says("did you mean `fake`?");
    test.write(".threados/sequence.yaml", plan.replace("model: fake", "model: claude-code"));
    test.set_env("PATH", Some("/usr/bin:/bin"));
    test.run(&["run"]).fails(8).says("npm install -g @anthropic-ai/claude-code");
}

#[test]
fn an_agent_that_vanishes_fails_its_step_with_the_same_words() {
    let test = project(
        "version: \"1.0\"\nsteps:\n  - id: first\n    command: rm fake-agent\n  - id: think\n    model: fake\n    prompt: think\n    depends_on: [first]\n",
    );
    test.run(&["run"])
        .fails(7)
        .says("spawn")
        .says("whose program `./fake-agent` was not found; install it with `make fake-agent`");
    assert_eq!(test.attempt_status("think", 1)["reason"], "spawn");
}

#[test]
fn policy_sees_prompts_and_folders_of_agents() {
    let test = project(PLAN).policy("version: \"1.0\"\nmode: POWER\nforbidden_patterns: ['make it']\n");
    test.run(&["run"]).fails(7).says("policy");
    assert!(!test.path("calls").exists());
}

#[test]
fn one_transcript_for_all_and_the_raw_lines_on_request() {
    let test = project(PLAN);
    test.write("behave", r"answer='\u001b[2Jred\u0007 \u202etext'");
    test.run(&["run"]).success();
    let transcript = "→ Write work\n  written\nred text\n— 2 turns · 3.1k tokens · $0.0136\n";
    assert_eq!(test.run(&["logs", "think"]).success().stdout, transcript);
    assert_eq!(test.run(&["logs", "think", "-f"]).success().stdout, transcript);
    assert_eq!(test.run(&["logs", "think", "-n", "1"]).success().stdout, "— 2 turns · 3.1k tokens · $0.0136\n");
    assert_eq!(test.run(&["logs", "think", "-n", "2", "-f"]).success().stdout, transcript.split_once("written\n").unwrap().1);
    let reply = test.run(&["logs", "think", "--json"]).success().json();
    assert_eq!((&reply["text"], &reply["format"], &reply["truncated"]), (&json!(transcript), &json!("claude"), &json!(false)));
    let raw = test.run(&["logs", "think", "--raw"]).success().stdout;
    assert_eq!(raw, test.stdout("think", 1));
    assert_eq!(test.run(&["logs", "think", "--raw", "--json"]).success().json()["text"], json!(raw));
    assert_eq!(test.run(&["result", "think"]).success().stdout, "red text\n");
    let reply = test.run(&["result", "think", "--json"]).success().json();
    assert_eq!((&reply["text"], &reply["sessionId"], &reply["status"]), (&json!("red text\n"), &json!("s-1"), &json!("DONE")));
    assert_eq!(reply["usage"]["costUsd"], 0.0136);
    test.run(&["status"]).success().prints("fake · 3.1k tokens · $0.0136");
    test.run(&["step", "show", "think"]).success().prints("s-1").prints("fake-1");
}

#[test]
fn a_transcript_grows_with_its_log() {
    let test = project(PLAN);
    test.write("behave", "say '{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"first\"}]}}'; printf '{\"type\":'; until [ -f go ]; do sleep 0.01; done; echo '\"other\"}'");
    test.run(&["run", "--detach"]).success();
    let logs = test.spawn(&["logs", "think", "-f"]);
    crate::harness::wait_until("the first words", || logs.stdout().contains("first\n"));
    assert!(!logs.stdout().contains("type"), "{}", logs.stdout());
    test.run(&["result", "think"]).fails(4).says("`think` has not ended");
    test.write("go", "");
    let out = logs.wait().success();
    assert!(out.stdout.ends_with("did: make it so\n— 2 turns · 3.1k tokens · $0.0136\n"), "{}", out.stdout);
}

#[test]
fn a_transcript_is_read_in_parts_of_whole_lines() {
    let test = project(PLAN);
    test.run(&["run"]).success();
    let whole = test.run(&["logs", "think"]).success().stdout;
    for limit in [1, 100, 300, 100_000] {
        let (mut read, mut cursor) = (String::new(), 0);
        loop {
            let (after, limit) = (cursor.to_string(), limit.to_string());
            let part = test.run(&["logs", "think", "--json", "--after", &after, "--limit", &limit]).success().json();
            read.push_str(part["text"].as_str().unwrap());
            cursor = part["cursor"].as_u64().unwrap();
            if part["truncated"] == false {
                break;
            }
        }
        assert_eq!(read, whole, "in parts of {limit} bytes");
    }
    for after in 1..test.stdout("think", 1).len() {
        let part = test.run(&["logs", "think", "--after", &after.to_string(), "--limit", "1"]).success().stdout;
        assert!(!part.contains('{') && !part.contains('"'), "after {after} it shows the log as it is: {part}");
        if after > 60 {
            break;
        }
    }
    let end = test.run(&["logs", "think", "--json", "--limit", "5"]).success().json();
    assert_eq!(
        (&end["text"], &end["truncated"], &end["next"]),
        (&json!("0136\n"), &json!(true), &json!(["seqctl logs think --after 0 --limit 5"]))
    );
    let end = test.run(&["logs", "think", "--json", "--after", "1000000"]).success().json();
    assert_eq!((&end["text"], &end["cursor"]), (&json!(""), &json!(test.stdout("think", 1).len())));
}

#[test]
fn half_a_line_waits_for_its_other_half() {
    let test = project(PLAN);
    let behave = "say 'hello'; printf '{\"type\":'; touch half; until [ -f go ]; do sleep 0.01; done; echo '\"other\"}'; code=0";
    test.write("behave", behave);
    test.run(&["run", "--detach"]).success();
    crate::harness::wait_until("half a line", || test.path("half").exists());
    let part = test.run(&["logs", "think", "--json", "--after", "0"]).success().json();
    assert!(text(&part["text"]).ends_with("hello\n") && part["truncated"] == false, "{part}");
    test.write("go", "");
    test.wait_for_status("think", "DONE");
    let rest = test.run(&["logs", "think", "--json", "--after", &part["cursor"].to_string()]).success().json();
    assert_eq!(rest["text"], "did: make it so\n— 2 turns · 3.1k tokens · $0.0136\n");
}

#[test]
fn a_session_that_counts_on_is_not_counted_twice() {
    let fake = r#"#!/bin/sh
cat > /dev/null
tokens=$(($(cat tokens 2>/dev/null || echo 0) + 1000))
echo $tokens > tokens
printf '%s\n' '{"type":"thread.started","thread_id":"t-1"}' '{"type":"item.completed","item":{"type":"agent_message","text":"done"}}'
printf '{"type":"turn.completed","usage":{"input_tokens":%s,"cached_input_tokens":0,"output_tokens":1}}\n' $tokens
"#;
    let test = project("version: \"1.0\"\nsteps:\n  - {id: think, model: counts, prompt: x}\n");
    test.config("agents:\n  counts: {command: [./counts], output: codex, resume: [resume, \"{session}\"]}\n");
    test.write("counts", fake);
    std::fs::set_permissions(test.path("counts"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    test.run(&["run"]).success();
    for _ in 0..2 {
        test.run(&["continue", "think", "-m", "more"]).success();
        assert_eq!(row(&test, "think")["usage"]["inputTokens"], 1000, "its own, not those before it");
    }
    test.run(&["restart", "think"]).success();
    assert_eq!(row(&test, "think")["usage"]["inputTokens"], 4000, "a fresh session begins at nothing");
}

#[test]
fn a_claim_that_is_being_made_has_no_log_yet() {
    let test = project(PLAN);
    // Its folder is there, what will run in it and the lease are not.
    test.run_env("THREADOS_FAULT", "claim.folder:kill", &["run", "--detach"]);
    test.assert_no_processes();
    test.run(&["logs", "think"]).fails(3).says("`think` has not run");
}

#[test]
fn what_a_killed_agent_spent_is_known_and_its_session_goes_on() {
    let test = project(PLAN);
    test.write("behave", "touch began; sleep 1000");
    test.run(&["run", "--detach"]).success();
    test.wait_for_file("prompts");
    crate::harness::wait_until("the agent to be at work", || test.path("began").exists());
    test.run(&["stop", "think"]).success();
    let status = test.attempt_status("think", 1);
    assert_eq!((&status["reason"], &status["sessionId"]), (&json!("stopped"), &json!("s-1")));
    std::fs::remove_file(test.path("behave")).unwrap();
    test.run(&["continue", "think", "-m", "go on"]).success();
    assert_eq!(test.lines("calls"), ["-p", "-p --resume s-1"]);
}

#[test]
fn what_the_agent_said_survives_a_killed_supervisor() {
    let test = project(PLAN);
    test.write("behave", r#"denials='[{"tool_name":"Bash","tool_input":{"command":"ls"}}]'"#);
    for (fault, status, reason) in [
        ("supervisor.before_exit_line:kill", "FAILED", json!("orphaned_process")),
        ("supervisor.after_exit_line:kill", "NEEDS_REVIEW", json!(null)),
    ] {
        test.run_env("THREADOS_FAULT", fault, &["restart", "think"]);
        test.wait_for_status("think", status);
        let row = row(&test, "think");
        assert_eq!((&row["reason"], &row["usage"]["outputTokens"]), (&reason, &json!(52)), "{fault}: {row}");
        assert_eq!(test.attempt_status("think", 1)["denials"][0]["tool"], "Bash", "{fault}");
    }
}

#[test]
fn what_is_odd_in_the_config_is_told() {
    let test = project(PLAN);
    test.write(".threados/config.yaml", format!("{CONFIG}    modle_flag: x\n"));
    test.run(&["trust"]).success();
    test.run(&["validate"]).success().says("config.yaml: agents: fake: unknown key `modle_flag`; did you mean `model_flag`?");
    test.run(&["validate", "--strict"]).fails(2).says("unknown key `modle_flag`");
    let out = test.run(&["status"]).success().prints("1 warning: seqctl validate");
    assert_eq!(out.stderr, "", "it is told where it is asked for, not at every command");
    let out = test.run(&["doctor", "--json"]).json();
    let checks = out.get("checks").unwrap_or(&out["data"]["checks"]).as_array().unwrap().clone();
    let check = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap().clone();
    assert!(text(&check("config")["text"]).contains("modle_flag") && check("fake")["health"] == "ok", "{checks:#?}");
    test.write(".threados/config.yaml", "agents:\n  fake:\n    command: [a\n");
    test.run(&["status"]).fails(2).says("config.yaml:");
}

#[test]
fn what_the_plan_adds_to_a_command_line_is_asked_about_and_used() {
    let steps = ["claude-code", "codex", "gemini"]
        .map(|agent| format!("  - {{id: {agent}, model: {agent}, prompt: go, agent_args: [--add-dir, \"{agent} dir\"]}}\n"));
    let test = Test::new().sequence(&format!("version: \"1.0\"\nsteps:\n{}", steps.concat()));
    for name in ["claude", "codex", "gemini"] {
        program(
            &test,
            &format!("bin/{name}"),
            "cat > told-$$; for word; do echo \"$word\"; done > \"called-$(basename \"$0\")\"",
        );
    }
    let path = format!("{}:{}", test.path("bin").display(), std::env::var("PATH").unwrap());
    test.set_env("PATH", Some(&path));
    let (asked, _) = on_terminal(&test, &["run"], (40, 200), Some(("[y/N]", "y\n")));
    for (agent, name) in [("claude-code", "claude"), ("codex", "codex"), ("gemini", "gemini")] {
        assert!(asked.contains(&format!("--add-dir '{agent} dir'")), "{agent}: {asked}");
        let called = test.lines(format!("called-{name}"));
        let at = called.iter().position(|word| word == "--add-dir").unwrap_or_else(|| panic!("{name}: {called:?}"));
        assert_eq!(called[at + 1], format!("{agent} dir"), "it stays one word");
    }
}
