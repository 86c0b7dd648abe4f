//! Runs in numbers: `seqctl metrics`, and what run.json keeps.

use serde_json::{Value, json};

use crate::harness::{Test, snapshot, wait_until};

/// One of everything that is counted. `flaky` fails at first, one of three workers fails, `s` keeps half of what its
/// candidates have.
const PLAN: &str = "\
version: \"1.0\"
steps:
  - {id: many, fanout: 3, fail_policy: best_effort, command: '[ $THREADOS_WORKER_INDEX != 2 ] || exit 3'}
  - {id: a, command: 'printf \"one\\ntwo\\nthree\\n\"', fusion_candidates: true}
  - {id: b, command: 'printf \"one\\nfour\\n\"', fusion_candidates: true}
  - {id: s, command: 'printf \"one\\nfour\\nfive\\n\"', fusion_candidates: [a, b]}
  - {id: flaky, command: '[ -e x ] || { touch x; exit 1; }', retries: 2}
  - {id: think, type: l, model: me, prompt: think}
  - {id: next, type: c, command: 'true', depends_on: [g]}
gates:
  - {id: g, depends_on: [flaky, s, many, think]}
";

fn project() -> Test {
    use std::os::unix::fs::PermissionsExt as _;
    let test = Test::new().power().sequence(PLAN);
    test.config("agents:\n  me: {command: [./me], output: claude}\n");
    let result = r#"{"type":"result","subtype":"success","is_error":false,"num_turns":1,"result":"ok","session_id":"s","total_cost_usd":0.5,"usage":{"input_tokens":2000,"output_tokens":100}}"#;
    test.write("me", format!("#!/bin/sh\ncat > /dev/null\necho '{result}'\n"));
    std::fs::set_permissions(test.path("me"), std::fs::Permissions::from_mode(0o755)).unwrap();
    test
}

/// The numbers, without those that are times.
fn numbers(test: &Test, args: &[&str]) -> Value {
    let mut found = test.run(&[&["metrics", "--json"], args].concat()).success().json();
    let fields = found.as_object_mut().unwrap();
    for name in ["success", "action", "revision"] {
        fields.remove(name);
    }
    without_times(&mut found);
    found
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("Ms"));
            fields.values_mut().for_each(without_times);
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        _ => {}
    }
}

#[test]
fn a_run_is_counted_and_its_record_keeps_the_numbers() {
    let test = project();
    test.run(&["run"]).fails(9);
    let run = test.last_run();
    let file = format!(".threados/runs/{run}/run.json");
    assert!(test.json(&file).get("metrics").is_none(), "it is not over");
    test.run(&["gate", "approve", "g"]).success();
    test.wait_for_status("next", "DONE");
    wait_until("the run to be closed", || test.json(&file).get("metrics").is_some());
    let found = numbers(&test, &[]);
    let work = |steps: u64, attempts: u64, failed: u64| json!({"steps": steps, "attempts": attempts, "retries": attempts - steps, "failed": failed});
    assert_eq!(found["total"], work(7, 8, 1));
    let threads: Vec<(Value, Value)> = found["threads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let mut row = row.clone();
            (row.as_object_mut().unwrap().remove("type").unwrap(), row)
        })
        .collect();
    let wanted =
        [("base", work(1, 2, 1)), ("p", work(1, 1, 0)), ("c", work(1, 1, 0)), ("f", work(3, 3, 0)), ("l", work(1, 1, 0))];
    assert_eq!(threads, wanted.map(|(kind, work)| (json!(kind), work)));
    assert_eq!(found["failures"], json!({"exit": 1}));
    assert_eq!(found["fanout"], json!({"attempts": 1, "workers": 3, "failed": 1, "largest": 3}));
    assert_eq!(found["gates"], json!({"count": 1}));
    let usage = json!({"inputTokens": 2000, "outputTokens": 100, "costUsd": 0.5});
    assert_eq!((&found["usage"], &found["agents"]), (&usage, &json!([{"agent": "me", "attempts": 1, "usage": usage}])));
    assert_eq!((&found["fusions"][0]["share"], &found["fusions"][0]["run"]), (&json!(0.5), &json!(run)));
    assert_eq!(found["fusions"][0]["candidates"][1], json!({"step": "b", "share": 1.0, "lines": 2, "kept": 2}));

    let mut kept = test.json(&file)["metrics"].clone();
    without_times(&mut kept);
    assert_eq!((&kept, &kept), (&found, &numbers(&test, &["--run", &run])));
    let text = test.run(&["metrics"]).success().stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    // How wide a column is depends on how long things took.
    let text: Vec<String> = test.tidy(&text).lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    snapshot!("metrics", text.join("\n"));
}

#[test]
fn runs_are_counted_together_and_one_by_one() {
    let test = Test::new().power().sequence("version: \"1.0\"\nsteps:\n  - {id: a, command: exit 3}\n");
    test.run(&["metrics"]).success().prints("nothing has run yet");
    test.run(&["run"]).fails(7);
    test.run(&["restart", "a"]).fails(7);
    let runs = test.runs();
    assert_eq!((&numbers(&test, &[])["runs"], &numbers(&test, &[])["total"]["failed"]), (&json!(2), &json!(2)));
    for run in &runs {
        assert_eq!(numbers(&test, &["--run", run])["total"], json!({"steps": 1, "attempts": 1, "retries": 0, "failed": 1}));
    }
    test.run(&["step", "rm", "a", "-y"]).success();
    assert_eq!(numbers(&test, &[])["threads"][0]["type"], "base", "also of a step that is gone");
    test.run(&["metrics", "--run", "nope"]).fails(3).says("nope");
}

#[test]
fn every_approval_of_a_gate_counts_and_who_approves_ahead_lets_nobody_wait() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: a, command: 'true'}\n  - {id: b, command: 'until [ -e go ]; do sleep 0.01; done', depends_on: [g]}\n  - {id: c, command: 'true', depends_on: [late]}\ngates:\n  - {id: g, depends_on: [a]}\n  - {id: late, depends_on: [b]}\n";
    let test = Test::new().power().sequence(plan);
    test.run(&["run"]).fails(9);
    test.run(&["gate", "approve", "late", "--ahead"]).success();
    test.run(&["gate", "approve", "g"]).success();
    test.wait_for_status("b", "RUNNING");
    test.run(&["gate", "reopen", "g"]).success();
    test.run(&["gate", "approve", "g"]).success();
    test.write("go", "");
    test.wait_for_status("c", "DONE");
    wait_until("the run to be over", || test.run(&["runs", "show", "--json"]).success().json()["state"] == "ended");
    test.run(&["restart", "a"]).success();
    assert_eq!(numbers(&test, &[])["gates"], json!({"count": 3}), "whatever became of them since");
    let approved = test.audited("gate.approve");
    assert_eq!(approved[0]["payload"]["waitedMs"], json!({"late": 0}));
    assert!(approved[1]["payload"]["waitedMs"]["g"].is_u64(), "{:#}", approved[1]);
    let runs = test.runs();
    let of = |run: &str| numbers(&test, &["--run", run])["gates"].clone();
    assert_eq!((of(&runs[0]), of(&runs[1])), (json!({"count": 3}), Value::Null));
}
