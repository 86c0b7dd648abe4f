//! claude, codex and gemini themselves, run by `seqctl`.

use serde_json::{Value, json};

use super::{
    anthropic, google, openai,
    provider::{DONE, Model, Provider, Refusal, Wire},
    tools,
};
use crate::harness::{Out, Test, text};

/// A project with one agent's step, and the provider that its program talks to.
pub(super) struct Scene {
    pub(super) test: Test,
    pub(super) provider: Provider,
}

/// A project whose step `think` has these lines besides its prompt.
fn scene(wire: Wire, step: &str, config: &str, refusal: Option<Refusal>) -> Scene {
    let plan = format!("version: \"1.0\"\nsteps:\n  - id: think\n    prompt: please write out.txt\n{step}");
    scene_of(wire, &plan, config, None, refusal)
}

/// A project with a plan, and a model that executes a command line if there is one.
fn scene_of(wire: Wire, plan: &str, config: &str, command: Option<&str>, refusal: Option<Refusal>) -> Scene {
    let test = Test::new().power().sequence(plan);
    test.config(config);
    let command = command.map(str::to_owned);
    let provider = Provider::start(wire, Model { file: test.path("out.txt"), text: "made by an agent".into(), command }, refusal);
    let path = format!("{}:{}", tools::agents().display(), std::env::var("PATH").unwrap());
    for (name, value) in [
        ("PATH", path.as_str()),
        ("ANTHROPIC_BASE_URL", &provider.url),
        ("ANTHROPIC_API_KEY", "anything"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("GOOGLE_GEMINI_BASE_URL", &provider.url),
        ("GEMINI_API_KEY", "anything"),
        ("OPENAI_API_KEY", "anything"),
    ] {
        test.set_env(name, Some(value));
    }
    test.write("../home/.gemini/settings.json", r#"{"security":{"auth":{"selectedType":"gemini-api-key"}}}"#);
    Scene { test, provider }
}

fn claude(config: &str, more: &str) -> Scene {
    claude_at(config, more, None)
}

pub(super) fn claude_at(config: &str, more: &str, refusal: Option<Refusal>) -> Scene {
    scene(anthropic::wire, &format!("    model: claude-code\n{more}"), config, refusal)
}

fn gemini(config: &str) -> Scene {
    gemini_at(config, None)
}

pub(super) fn gemini_at(config: &str, refusal: Option<Refusal>) -> Scene {
    scene(google::wire, "    model: gemini/gemini-2.5-flash\n", config, refusal)
}

fn codex() -> Scene {
    codex_at(None)
}

pub(super) fn codex_at(refusal: Option<Refusal>) -> Scene {
    let scene = scene(openai::wire, "    model: codex\n", "", refusal);
    let base = format!("{}/v1", scene.provider.url);
    let provider =
        format!(r#"model_providers.stub={{name="stub",base_url="{base}",env_key="OPENAI_API_KEY",wire_api="responses"}}"#);
    let args = json!(["-c", "model=stub", "-c", "model_provider=stub", "-c", provider]);
    let plan = scene.test.plan().replace("    model: codex\n", &format!("    model: codex\n    agent_args: {args}\n"));
    scene.test.write(".threados/sequence.yaml", plan);
    scene
}

impl Scene {
    /// Runs it, with everything there is to know where it goes otherwise than it should.
    #[track_caller]
    pub(super) fn run(&self, args: &[&str], code: i32) -> Out {
        let out = self.test.run(args);
        let log = |name: &str| self.test.run(&["logs", "think", "--raw", name]).stdout;
        assert_eq!(out.code, code, "{}\n{}\n{}", out.all(), log("--quiet"), log("--stderr"));
        out
    }

    pub(super) fn status(&self) -> Value {
        self.test.attempt_status("think", 1)
    }

    /// Checks that a file was really made, and that it is known what that took.
    fn assert_worked(&self) -> Value {
        self.run(&["run"], 0);
        assert_eq!(self.test.read("out.txt"), "made by an agent");
        let status = self.status();
        assert_eq!((&status["status"], &status["summary"]), (&json!("DONE"), &json!(DONE)));
        assert!(!text(&status["sessionId"]).is_empty(), "{status}");
        assert_eq!(self.test.run(&["result", "think"]).success().stdout, format!("{DONE}\n"));
        let transcript = self.test.run(&["logs", "think"]).success().stdout;
        assert!(transcript.contains("→ ") && transcript.contains("out.txt") && transcript.contains(DONE), "{transcript}");
        status
    }

    /// Checks that the session goes on: the provider is shown what was said before.
    fn assert_goes_on(&self, before: &Value, args: &[&str]) {
        let asked = self.provider.requests().len();
        self.run(args, 0);
        let request = self.provider.requests()[asked..].last().unwrap().to_string();
        assert!(request.contains("please write out.txt") && request.contains("one thing more"), "{request}");
        let status = self.status();
        assert_eq!((&status["status"], &status["sessionId"]), (&json!("DONE"), &before["sessionId"]));
    }
}

const GO_ON: [&str; 4] = ["continue", "think", "-m", "one thing more"];

#[test]
fn claude_writes_a_file_and_goes_on() {
    let scene = claude("", "");
    let status = scene.assert_worked();
    assert!(status["usage"]["costUsd"].as_f64().unwrap() > 0.0, "{status}");
    assert_eq!((&status["usage"]["inputTokens"], &status["turns"]), (&json!(3000), &json!(2)));
    scene.assert_goes_on(&status, &GO_ON);
}

#[test]
fn codex_writes_a_file_and_goes_on() {
    let scene = codex();
    let status = scene.assert_worked();
    assert_eq!(status["usage"], json!({"inputTokens": 1800, "cachedInputTokens": 200, "outputTokens": 60}));
    scene.assert_goes_on(&status, &GO_ON);
    // codex says what the whole session took.
    let log = scene.test.stdout("think", 1);
    assert!(log.contains(r#""input_tokens":2700"#), "{log}");
    assert_eq!(scene.status()["usage"]["inputTokens"], 900, "{}", scene.status());
}

#[test]
fn gemini_writes_a_file_and_goes_on() {
    let scene = gemini("");
    let status = scene.assert_worked();
    assert_eq!(status["usage"], json!({"inputTokens": 1600, "outputTokens": 40}));
    assert_eq!(status["model"], "gemini-2.5-flash");
    scene.assert_goes_on(&status, &GO_ON);
}

#[test]
fn what_claude_is_denied_wants_a_review_and_a_message_sends_it_on() {
    let scene = claude("agents:\n  claude-code:\n    command: [claude, -p, --output-format, stream-json, --verbose]\n", "");
    scene.run(&["run"], 9);
    assert!(!scene.test.path("out.txt").exists());
    let status = scene.status();
    assert_eq!((&status["status"], &status["exitCode"]), (&json!("NEEDS_REVIEW"), &json!(0)));
    assert_eq!(status["denials"][0]["tool"], "Write");
    scene.test.run(&["status"]).success().prints("`think` wants a review (denied: Write ");
    scene.assert_goes_on(&status, &["review", "reject", "think", "-m", "one thing more"]);
}

#[test]
fn what_gemini_is_denied_wants_a_review() {
    let scene = gemini("agents:\n  gemini:\n    command: [gemini, -o, stream-json, --skip-trust]\n");
    scene.run(&["run"], 9);
    let status = scene.status();
    assert_eq!(status["denials"], json!([{"tool": "write_file", "argument": scene.test.path("out.txt")}]));
    assert!(!scene.test.path("out.txt").exists());
}

#[test]
fn claude_stops_at_its_budget() {
    let scene = claude("", "    max_cost_usd: 0.00001\n");
    scene.run(&["run"], 7).says("Reached maximum budget");
    assert_eq!(scene.status()["reason"], "exit");
    let spec = scene.test.read(scene.test.attempt("think", 1).join("spec.json"));
    assert!(spec.contains("--max-budget-usd"), "{spec}");
}

#[test]
fn a_session_that_is_gone_fails_with_claudes_words() {
    let scene = claude("", "");
    scene.run(&["run"], 0);
    std::fs::remove_dir_all(scene.test.path("../home/.claude")).unwrap();
    scene.run(&GO_ON, 7).says("No conversation found with session ID");
}

#[test]
fn claude_leads_others() {
    let plan = "\
version: \"1.0\"
steps:
  - id: think
    orchestrator: true
    model: claude-code
    agent_args: [--allowedTools, \"Bash(seqctl *)\"]
    prompt: please lead
";
    let command = "seqctl step add hello --command 'echo hello >> order' && \
                   seqctl step add world --command 'echo world >> order' --after hello && seqctl run hello world";
    let scene = scene_of(anthropic::wire, plan, "", Some(command), None);
    scene.run(&["run", "think"], 0);
    let status = scene.status();
    assert_eq!(
        (&status["status"], &status["denials"], &status["turns"]),
        (&json!("DONE"), &Value::Null, &json!(2)),
        "{status:#}"
    );
    let test = &scene.test;
    assert_eq!(test.lines("order"), ["hello", "world"], "{}", test.stdout("think", 1));
    assert_eq!((test.status("hello"), test.status("world"), test.runs().len()), ("DONE".into(), "DONE".into(), 1));
    let added = &test.audited("step.add")[0];
    assert_eq!((&added["actor"], &added["via"]), (&json!("orchestrator"), &json!("cli:think")));
    assert_eq!(test.plan().matches("orchestrator: think").count(), 2, "{}", test.plan());
    // It waited for them: what they came to is what it was told.
    let told = scene.provider.requests().last().unwrap().to_string();
    assert!(told.contains("tool_result") && told.contains("DONE"), "{told}");
    assert!(test.run(&["logs", "think"]).success().stdout.contains("→ Bash seqctl step add hello"));
    test.assert_chain_valid();
}
