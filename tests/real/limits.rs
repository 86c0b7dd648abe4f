//! Usage limits as the agents' own programs tell of them.

use serde_json::{Value, json};

use super::{
    agents::{Scene, claude_at, codex_at, gemini_at},
    provider::DONE,
};
use crate::harness::text;

/// Checks that the step met the limit, waited, and went on.
fn assert_waited(scene: &Scene) -> Value {
    scene.run(&["run"], 0);
    let first = scene.test.attempt_status("think", 1);
    assert_eq!((&first["status"], &first["reason"]), (&json!("FAILED"), &json!("limit")), "{first:#}");
    let second = scene.test.attempt_status("think", 2);
    assert_eq!((&second["status"], &second["summary"]), (&json!("DONE"), &json!(DONE)), "{second:#}");
    assert!(text(&second["startedAt"]) >= text(&first["until"]), "{first:#}");
    first
}

/// Checks that the model was shown the task and that it is to go on.
fn assert_same_session(scene: &Scene) {
    let (first, second) = (scene.test.attempt_status("think", 1), scene.test.attempt_status("think", 2));
    assert_eq!(first["sessionId"], second["sessionId"]);
    let request = scene.provider.requests()[0].to_string();
    assert!(request.contains("please write out.txt") && request.contains("Go on with your task"), "{request}");
}

#[test]
fn claude_waits_for_the_end_of_its_limit_and_goes_on_in_its_session() {
    let scene = claude_at(
        "",
        "",
        Some(|end| {
            let headers = format!(
                "anthropic-ratelimit-unified-status: rejected\r\nanthropic-ratelimit-unified-reset: {end}\r\nanthropic-ratelimit-unified-representative-claim: five_hour\r\nx-should-retry: false\r\n"
            );
            (headers, json!({"type": "error", "error": {"type": "rate_limit_error", "message": "This would exceed your limit."}}))
        }),
    );
    // A subscription: only then does it tell when the limit is over.
    scene.test.set_env("ANTHROPIC_API_KEY", None);
    scene.test.set_env("CLAUDE_CODE_OAUTH_TOKEN", Some("sk-ant-oat01-anything"));
    scene.test.set_env("THREADOS_LIMIT_PAUSE_MS", Some("4000"));
    let first = assert_waited(&scene);
    assert!(text(&first["note"]).starts_with("You've hit your session limit"), "{first:#}");
    assert!(first["limit"]["resetsAt"].is_string(), "{first:#}");
    assert_same_session(&scene);
}

#[test]
fn codex_waits_for_the_end_of_its_limit() {
    let scene = codex_at(Some(|end| {
        (
            String::new(),
            json!({"error": {"type": "usage_limit_reached", "plan_type": "plus", "message": "limit", "resets_at": end}}),
        )
    }));
    // It tells the minute alone, which has begun.
    scene.test.set_env("THREADOS_LIMIT_PAUSE_MS", Some("4000"));
    let first = assert_waited(&scene);
    assert!(text(&first["note"]).contains("hit your usage limit"), "{first:#}");
    assert!(first["limit"]["resetsAt"].is_string(), "{first:#}");
}

#[test]
fn gemini_waits_though_nobody_says_how_long() {
    let scene = gemini_at(
        "",
        Some(|_| {
            let quota = json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]});
            let error = json!({"code": 429, "message": "You exceeded your current quota.", "status": "RESOURCE_EXHAUSTED", "details": [quota]});
            (String::new(), json!({"error": error}))
        }),
    );
    scene.test.set_env("THREADOS_LIMIT_PAUSE_MS", Some("4000"));
    let first = assert_waited(&scene);
    assert!(text(&first["note"]).contains("exhausted your daily quota"), "{first:#}");
    assert_eq!(first["limit"], json!({}), "{first:#}");
}
