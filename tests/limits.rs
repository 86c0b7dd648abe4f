//! Usage limits of providers, and what a run may cost, with a small program that speaks claude's format.

use serde_json::json;

use crate::{
    agents::{CONFIG, PLAN, project, row},
    harness::{Test, kill, text, wait_until},
};

/// Makes the agent meet a limit while there is no file `over`; `when` is what its message says behind that.
pub(crate) fn limited(when: &str) -> String {
    format!(
        "[ -f over ] || {{ {OVER} say '{{\"type\":\"result\",\"is_error\":true,\"result\":\"Claude AI usage limit reached'\"{when}\"'\",\"session_id\":\"'$session'\"}}'; exit 1; }}"
    )
}

/// What the agent does beside that when it meets one: nothing, unless a file `once` is there.
const OVER: &str = "[ -f once ] && touch over;";

/// In two seconds.
pub(crate) const SOON: &str = "|$(($(date +%s)+2))";

/// In three hours.
pub(crate) const FAR: &str = "|$(($(date +%s)+10800))";

/// A project whose agent is at its limit for hours, and a run that waits for it.
fn waiting(plan: &str) -> Test {
    let test = project(plan);
    test.write("behave", limited(FAR));
    test.run(&["run", "--detach"]).success();
    wait_until("the step to wait", || row(&test, "think")["until"].is_string());
    test
}

fn runner_of(test: &Test) -> Option<u32> {
    let found = test.processes().into_iter().find(|(_, words)| words.contains("__runner"));
    found.map(|(pid, _)| pid)
}

#[test]
fn a_step_waits_for_the_end_of_a_usage_limit_and_goes_on_in_its_session() {
    let test = project(PLAN);
    test.write("once", "");
    test.write("behave", limited("|$(($(date +%s)+2))"));
    let out = test.run(&["run"]).success();
    assert!(out.stdout.contains("think met a usage limit") && out.stdout.contains("2 done"), "{}", out.all());
    let first = test.attempt_status("think", 1);
    assert_eq!((&first["status"], &first["reason"]), (&json!("FAILED"), &json!("limit")));
    let reset = text(&first["limit"]["resetsAt"]);
    assert_eq!(text(&first["until"]), reset);
    assert!(reset > text(&first["endedAt"]), "{first:#}");
    assert_eq!(test.attempt_status("think", 2)["status"], "DONE");
    assert!(text(&test.attempt_status("think", 2)["startedAt"]) >= reset);
    assert_eq!(test.lines("calls"), ["-p", "-p --resume s-1"]);
    assert!(test.lines("prompts")[1].contains("Go on with your task where you stopped"), "{:?}", test.lines("prompts"));
    let commit = &test.audited("commit")[0]["payload"]["outcomes"][0];
    assert_eq!((&commit["reason"], &commit["until"]), (&json!("limit"), &first["until"]));
    assert_eq!(test.runs().len(), 1);
    let metrics = test.run(&["metrics", "--json"]).success().json();
    assert_eq!((&metrics["limits"], &metrics["total"]["failed"]), (&json!(1), &json!(0)), "it has not failed");
    assert_eq!(metrics.get("failures"), None);
    test.run(&["metrics"]).success().prints("1 attempt met a usage limit");
    test.assert_chain_valid();
}

#[test]
fn it_is_seen_until_when_a_step_waits() {
    let test = waiting(PLAN);
    let think = row(&test, "think");
    assert_eq!((&think["status"], &think["attempt"]), (&json!("READY"), &json!(1)));
    assert!(!test.plan().contains("FAILED"), "{}", test.plan());
    test.run(&["status"]).success().prints("waits for its usage limit until ");
    let why = test.run(&["why", "think", "--json"]).success().json();
    assert_eq!((&why["blockers"][0]["kind"], &why["acts"][0]["command"]), (&json!("limit"), &json!("seqctl wait think")));
    let why = test.run(&["why", "after", "--json"]).success().json();
    assert_eq!((&why["blockers"][0]["kind"], &why["blockers"][0]["id"]), (&json!("limit"), &json!("think")));
    let run = test.run(&["runs", "show", "--json"]).success().json();
    assert_eq!((&run["state"], &run["failed"]), (&json!("active"), &json!([])));
    assert_eq!(test.run(&["wait", "think", "--timeout", "10ms", "--json"]).fails(9).json()["code"], "WAIT_TIMEOUT");
}

#[test]
fn whoever_comes_along_starts_a_killed_runner_again() {
    let test = waiting(PLAN);
    kill(runner_of(&test).unwrap(), rustix::process::Signal::KILL);
    wait_until("the runner to end", || runner_of(&test).is_none());
    test.run(&["status"]).success().prints("has no runner: seqctl attach");
    test.run(&["step", "edit", "after", "--timeout", "5m"]).success();
    assert!(runner_of(&test).is_some());
    assert_eq!(test.lines("calls").len(), 1, "it still waits");
    test.write("over", "");
    test.run(&["restart", "think"]).success();
    test.wait_for_status("after", "DONE");
}

#[test]
fn a_stop_wins_over_the_waiting() {
    let test = waiting(PLAN);
    test.run(&["stop", "think"]).success().prints("think");
    let think = row(&test, "think");
    assert_eq!((&think["status"], &think["reason"], &think["until"]), (&json!("FAILED"), &json!("stopped"), &json!(null)));
    assert!(test.plan().contains("status: FAILED"));
    wait_until("the run to end", || runner_of(&test).is_none());
    assert_eq!((test.status("after"), test.lines("calls").len()), ("BLOCKED".into(), 1));
    test.run(&["stop", "think"]).fails(4);

    let test = waiting(PLAN);
    test.run(&["stop", &test.last_run()]).success();
    assert_eq!(row(&test, "think")["reason"], "stopped");
    assert_eq!(test.run(&["runs", "show", "--json"]).success().json()["state"], "ended");
    let test = waiting(PLAN);
    test.run(&["stop", "--all"]).success();
    assert_eq!((&row(&test, "think")["reason"], runner_of(&test)), (&json!("stopped"), None));
    test.assert_chain_valid();
}

#[test]
fn a_skip_and_a_reset_win_over_the_waiting() {
    let test = waiting(PLAN);
    test.run(&["skip", "think"]).success();
    test.wait_for_status("after", "DONE");
    assert_eq!(test.lines("calls").len(), 1);

    let test = waiting(PLAN);
    test.write("over", "");
    test.run(&["reset", "think"]).success();
    test.wait_for_status("after", "DONE");
    assert_eq!(test.lines("calls"), ["-p", "-p"], "it begins afresh");

    let test = waiting(PLAN);
    test.write("over", "");
    test.run(&["continue", "think", "-m", "try it now"]).success();
    test.wait_for_status("after", "DONE");
    assert_eq!(test.lines("calls"), ["-p", "-p --resume s-1"]);
    assert_eq!(test.lines("prompts")[1], "try it now");
}

#[test]
fn a_limit_takes_no_retry_and_gives_none_back() {
    let test = project(&PLAN.replace("    prompt", "    retries: 2\n    prompt"));
    test.set_env("THREADOS_LIMIT_PAUSE_MS", Some("20"));
    test.write("behave", "n=$(wc -l < calls); [ $n = 2 ] && { touch once; . ./limit; }; code=1 error=true answer=no");
    test.write("limit", limited(""));
    test.run(&["run"]).fails(7).says("`think`");
    let reasons: Vec<String> = (1..=4).map(|attempt| text(&test.attempt_status("think", attempt)["reason"])).collect();
    assert_eq!(reasons, ["exit", "limit", "exit", "exit"], "three failures and a limit");
    assert_eq!(test.lines("calls").len(), 4);
    assert_eq!(test.attempt_status("think", 2)["limit"], json!({"began": true}), "nobody said when it is over");
}

#[test]
fn a_step_that_is_not_to_wait_fails_at_once() {
    let test = project(&PLAN.replace("    prompt", "    limit: fail\n    retries: 3\n    prompt"));
    test.write("behave", limited(FAR));
    test.run(&["run"]).fails(7).says("usage limit, Claude AI usage limit reached|");
    let status = test.attempt_status("think", 1);
    assert_eq!((&status["reason"], &status["until"]), (&json!("limit"), &json!(null)));
    assert!(status["limit"]["resetsAt"].is_string(), "{status:#}");
    assert_eq!((test.status("think"), test.lines("calls").len()), ("FAILED".into(), 1));
}

#[test]
fn the_plan_says_for_all_steps_what_a_limit_does() {
    let plan = PLAN.replace("steps:", "defaults: {limit: fail}\nsteps:");
    let test = project(&plan);
    test.write("behave", limited(FAR));
    test.run(&["run"]).fails(7).says("usage limit, Claude AI usage limit reached|");
    let think = |limit: &str| plan.replace("    prompt", &format!("    limit: {limit}\n    prompt"));
    test.write(".threados/sequence.yaml", think("wait"));
    test.run(&["restart", "think", "--detach"]).success();
    wait_until("the step to wait", || row(&test, "think")["until"].is_string());
    test.run(&["stop", "--all"]).success();

    let test = project(&plan.replace("limit: fail", "limit: other"));
    test.config(format!("{CONFIG}  other: {{command: [./fake-agent, -o], output: claude}}\n"));
    test.write("behave", format!("case \"$*\" in -p*) {} ;; esac", limited(FAR)));
    test.run(&["run"]).success();
    assert_eq!(test.lines("calls"), ["-p", "-o"]);
}

#[test]
fn another_agent_takes_over_at_a_limit() {
    let plan = PLAN.replace("    prompt", "    limit: other/big\n    agent_args: [--mine]\n    prompt");
    let test = project(&plan);
    let other = "  other:\n    command: [./fake-agent, -o]\n    output: claude\n    model_flag: --model\n    resume: [--resume, \"{session}\"]\n";
    test.run(&["validate"]).success().prints("wants the agent `other`, which is not known");
    test.config(format!("{CONFIG}{other}"));
    test.write("behave", format!("case \"$*\" in -p*) {} ;; esac", limited(FAR)));
    let words = "think: ./fake-agent -p --mine ← make it so; at its usage limit ./fake-agent -o --model big ← make it so";
    test.run(&["run", "--dry-run"]).success().prints(words);
    test.run(&["run"]).success();
    assert_eq!(test.lines("calls"), ["-p --mine", "-o --model big"]);
    assert_eq!(test.lines("prompts"), ["make it so", "make it so"], "it is told everything");
    assert_eq!(test.json(test.attempt("think", 2).join("spec.json"))["agent"], "other");
    let think = row(&test, "think");
    assert_eq!((&think["status"], &think["changed"]), (&json!("DONE"), &json!(null)));
    test.run(&["continue", "think", "-m", "x"]).fails(4).says("another agent's");
}

#[test]
fn the_one_that_took_over_waits_at_its_own_limit() {
    let test = project(&PLAN.replace("    prompt", "    limit: other\n    prompt"));
    test.config(format!(
        "{CONFIG}  other:\n    command: [./fake-agent, -o]\n    output: claude\n    resume: [--resume, \"{{session}}\"]\n"
    ));
    test.set_env("THREADOS_LIMIT_PAUSE_MS", Some("20"));
    test.write("behave", format!("[ $(wc -l < calls) = 2 ] && touch once; {}", limited("")));
    test.run(&["run"]).success();
    assert_eq!(test.lines("calls"), ["-p", "-o", "-o --resume s-1"]);
}

#[test]
fn of_two_limits_the_one_that_ends_first_ends_the_waiting() {
    let plan = PLAN.replace("    prompt", "    limit: other\n    prompt");
    let other = "  other:\n    command: [./fake-agent, -o]\n    output: claude\n    resume: [--resume, \"{session}\"]\n";
    // The step's own agent is there again in two seconds, the other in hours; then the other way round.
    for (own, stand_in, wanted) in [(SOON, FAR, ["-p", "-o", "-p"]), (FAR, SOON, ["-p", "-o", "-o --resume s-1"])] {
        let test = project(&plan);
        test.config(format!("{CONFIG}{other}"));
        let (own, stand_in) = (limited(own), limited(stand_in));
        test.write(
            "behave",
            format!("[ $(wc -l < calls) = 3 ] && touch over; case \"$*\" in -p*) {own} ;; *) {stand_in} ;; esac"),
        );
        test.run(&["run"]).success();
        assert_eq!(test.lines("calls"), wanted);
        let stands_in = |attempt| test.json(test.attempt("think", attempt).join("spec.json"))["standsIn"] == true;
        assert_eq!((stands_in(1), stands_in(2), stands_in(3)), (false, true, wanted[2] != "-p"));
    }
}

/// Three steps one after the other, each of which costs $0.0136.
const CHAIN: &str = "\
version: \"1.0\"
steps:
  - {id: one, model: fake, prompt: first}
  - {id: two, model: fake, prompt: second, depends_on: [one]}
  - {id: three, model: fake, prompt: third, depends_on: [two]}
";

#[test]
fn a_run_that_has_cost_what_it_may_starts_nothing_more() {
    let test = project(CHAIN).policy("mode: POWER\nmax_cost_usd: 0.02\n");
    let out = test.run(&["run", "--json"]).fails(9).json();
    assert_eq!(
        (&out["code"], &out["data"]["waitsFor"]),
        (&json!("WAITING"), &json!(["cost limit: $0.0272 of $0.0200 (`max_cost_usd`)"]))
    );
    assert!(text(&out["hint"]).contains("policy.yaml"), "{out:#}");
    assert_eq!(test.statuses().into_iter().map(|(_, status)| status).collect::<Vec<_>>(), ["DONE", "DONE", "READY"]);
    let held = &test.audited("run.hold")[0];
    assert_eq!((&held["result"], &held["error"]), (&json!("denied"), &out["data"]["waitsFor"][0]));
    test.run(&["status"]).success().prints("has reached its cost limit: $0.0272 of $0.0200");
    let why = test.run(&["why", "three", "--json"]).success().json();
    assert_eq!(why["blockers"][0]["kind"], "cost_limit");
    test.run(&["run"]).fails(9).says("cost limit");
    test.run(&["step", "edit", "three", "--timeout", "5m"]).success();
    assert_eq!(test.lines("calls").len(), 2, "no change of the plan lets it go on");

    let test = test.policy("mode: POWER\nmax_cost_usd: 0.05\n");
    test.run(&["attach"]).success();
    assert_eq!((test.status("three"), test.runs().len()), ("DONE".into(), 1));
    test.assert_chain_valid();
}

#[test]
fn a_sequence_tightens_what_a_run_may_cost_and_what_runs_is_let_finish() {
    let plan = CHAIN.replace("steps:", "policy: {max_cost_usd: 0.01}\nsteps:").replace(", depends_on: [one]", "");
    let test = project(&plan).policy("mode: POWER\nmax_cost_usd: 9\nmax_concurrent: 2\n");
    // Each waits for the other, so both run when the first has cost too much.
    test.write("behave", "touch \"here-$prompt\"; while ! { [ -f here-first ] && [ -f here-second ]; }; do sleep 0.01; done");
    test.run(&["run"]).fails(9).says("of $0.0100");
    assert_eq!(test.statuses().into_iter().map(|(_, status)| status).collect::<Vec<_>>(), ["DONE", "DONE", "READY"]);
    test.run(&["stop", &test.last_run()]).success();
    test.run(&["run"]).success();
    assert_eq!(test.status("three"), "DONE", "another run has the whole amount again");
}

#[test]
fn what_no_limit_reaches_is_said() {
    let test = Test::new().sequence(
        "version: \"1.0\"\nsteps:\n  - {id: a, model: codex, prompt: x, max_cost_usd: 1}\n  - {id: b, model: gemini, prompt: x}\n  - {id: c, model: claude-code, prompt: x, max_cost_usd: 1}\n",
    );
    let out = test.run(&["validate"]).success().prints("`max_cost_usd` does not limit `a`: `codex` takes no budget");
    assert!(!out.stdout.contains("`b`") && !out.stdout.contains("`c`"), "{}", out.stdout);
    let test = test.policy("max_cost_usd: 5\n");
    test.run(&["validate"])
        .success()
        .prints("`b` does not count towards the run's `max_cost_usd`: `gemini` does not tell what it costs");
}
