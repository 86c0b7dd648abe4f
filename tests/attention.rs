//! What needs a person, and in which order.

use serde_json::{Value, json};

use crate::harness::{Test, text};

const PLAN: &str = "\
version: \"1.0\"
steps:
  - {id: plan, command: 'true'}
  - {id: draft, command: 'true', review: true}
  - {id: check, command: 'exit 3'}
  - {id: publish, command: 'true', depends_on: [draft]}
  - {id: build, command: 'true', depends_on: [ship]}
  - {id: test, command: 'true', depends_on: [build]}
  - {id: deploy, command: 'true', depends_on: [test]}
gates:
  - {id: ship, depends_on: [plan]}
  - {id: later, depends_on: [deploy]}
";

fn needs(test: &Test) -> Vec<Value> {
    test.run(&["attention", "--json"]).success().json()["needs"].as_array().unwrap().clone()
}

fn names(needs: &[Value]) -> Vec<(String, String, u64)> {
    needs.iter().map(|need| (text(&need["kind"]), text(&need["id"]), need["holdsUp"].as_u64().unwrap())).collect()
}

fn named(needs: &[(&str, &str, u64)]) -> Vec<(String, String, u64)> {
    needs.iter().map(|(kind, id, holds)| ((*kind).to_owned(), (*id).to_owned(), *holds)).collect()
}

#[test]
fn what_holds_up_the_most_comes_first() {
    let test = Test::new().power().sequence(PLAN);
    test.run(&["attention"]).success().prints("nothing needs you\n");
    test.run(&["run"]).fails(7);
    let found = needs(&test);
    assert_eq!(names(&found), named(&[("gate", "ship", 4), ("review", "draft", 1), ("failed", "check", 0)]));
    assert_eq!((&found[0]["command"], &found[0]["action"]), (&json!("seqctl gate approve ship"), &json!("gate.approve")));
    assert_eq!((&found[1]["command"], &found[1]["look"]), (&json!("seqctl review accept draft"), &json!("seqctl logs draft")));
    assert_eq!((&found[2]["command"], &found[2]["reason"]), (&json!("seqctl restart check"), &json!("`check` failed (exit 3)")));
    assert!(found.iter().all(|need| need["since"].is_string()), "{found:#?}");
    let out = test.run(&["attention"]).success().stdout;
    let wanted = "\
◆ gate `ship` waits for you  holds up 4
    seqctl gate approve ship
◆ `draft` wants a review     holds up 1
    seqctl logs draft
    seqctl review accept draft
✖ `check` failed (exit 3)
    seqctl logs check
    seqctl restart check
";
    assert_eq!(out, wanted);
    // The status says the same in the same order.
    let lines = test.run(&["status", "--json"]).success().json()["attention"].clone();
    let firsts: Vec<String> =
        lines.as_array().unwrap().iter().map(|line| text(line).split('`').nth(1).unwrap().to_owned()).collect();
    assert_eq!(firsts, ["ship", "draft", "check"]);
}

#[test]
fn every_command_settles_its_need() {
    let test = Test::new().power().sequence(PLAN);
    test.run(&["run"]).fails(7);
    test.write(".threados/sequence.yaml", test.plan().replace("exit 3", "true"));
    for id in ["ship", "draft", "check"] {
        let found = needs(&test).into_iter().find(|need| need["id"] == id).unwrap();
        let words = text(&found["command"]);
        test.run(&words.split(' ').skip(1).collect::<Vec<_>>()).success();
        assert!(needs(&test).iter().all(|need| need["id"] != id), "{found:#}");
    }
    test.wait_for_status("deploy", "DONE");
    assert_eq!(names(&needs(&test)), named(&[("gate", "later", 0)]));
}

#[test]
fn a_failure_that_is_made_up_for_needs_nobody() {
    let plan = |policy: &str| {
        format!(
            "version: \"1.0\"\nsteps:\n  - {{id: one, command: 'exit 1', group_id: g, fail_policy: {policy}}}\n  \
             - {{id: two, command: 'true', group_id: g, fail_policy: {policy}}}\n  \
             - {{id: after, command: 'true', depends_on: [one, two]}}\n"
        )
    };
    let test = Test::new().power().sequence(&plan("best_effort"));
    test.run(&["run"]);
    assert_eq!(needs(&test), Vec::<Value>::new());
    let test = Test::new().power().sequence(&plan("fail_fast"));
    test.run(&["run", "step", "one"]).fails(7);
    // Its sibling may not start any more, nor what comes after both.
    assert_eq!(names(&needs(&test)), named(&[("failed", "one", 2)]));
}

#[test]
fn who_was_stopped_comes_after_who_failed() {
    let test = Test::new().power().sequence(
        "version: \"1.0\"\nsteps:\n  - {id: victim, command: sleep 60, group_id: g}\n  \
         - {id: culprit, command: 'until [ -e go ]; do sleep 0.02; done; exit 3', group_id: g}\n  \
         - {id: after, command: 'true', depends_on: [victim, culprit]}\n",
    );
    test.run(&["run", "--detach"]).success();
    test.wait_for_status("victim", "RUNNING");
    test.write("go", "");
    test.run(&["wait", "victim", "culprit"]);
    let found = needs(&test);
    let ids: Vec<&str> = found.iter().filter_map(|need| need["id"].as_str()).collect();
    assert_eq!(ids, ["culprit", "victim"]);
}

#[test]
fn what_was_cloned_and_what_has_no_runner_needs_somebody() {
    let test = Test::new().sequence("version: \"1.0\"\nsteps:\n  - {id: a, model: mine}\n  - {id: b, command: 'true'}\n");
    test.write(".threados/config.yaml", "agents:\n  mine: {command: [mine]}\n");
    let found = needs(&test);
    assert_eq!(
        (&found[0]["kind"], &found[0]["holdsUp"], &found[0]["command"]),
        (&json!("trust"), &json!(1), &json!("seqctl trust"))
    );
    test.run(&["trust"]).success();
    assert_eq!(needs(&test), Vec::<Value>::new());
}

#[test]
fn whoever_waits_for_it_hears_of_what_holds_up_their_steps_and_of_nothing_else() {
    let wait = "until [ -e go ]; do sleep 0.01; done";
    let plan = format!(
        "version: \"1.0\"\nsteps:\n  - {{id: bad, command: exit 1}}\n  - {{id: first, command: '{wait}'}}\n  \
         - {{id: one, group_id: g, command: exit 1, fail_policy: best_effort}}\n  - {{id: two, group_id: g, command: 'true', fail_policy: best_effort}}\n  \
         - {{id: next, command: 'true', depends_on: [ok, one, two]}}\ngates:\n  - {{id: ok, depends_on: [first]}}\n"
    );
    let test = Test::new().power().sequence(&plan);
    test.run(&["run", "--detach"]).success();
    test.wait_for_status("bad", "FAILED");
    test.wait_for_status("one", "FAILED");
    test.wait_for_status("two", "DONE");
    // Neither a failure elsewhere nor one that is made up for is about it.
    test.run(&["wait", "next", "--for", "attention", "--timeout", "50ms"]).fails(9).says("`next`");
    test.run(&["wait", "bad", "--for", "attention"]).success();
    let waiting = test.spawn(&["wait", "next", "--for", "attention"]);
    test.write("go", "");
    waiting.wait().success();
    assert_eq!((test.status("first"), test.status("ok")), ("DONE".into(), "PENDING".into()));
    test.run(&["gate", "approve", "ok"]).success();
    test.run(&["wait", "next", "--for", "done"]).success();
}

#[test]
fn whoever_waits_for_it_hears_that_time_is_nearly_over() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: long, timeout: 1h, command: 'echo > begun; sleep 60'}\n";
    let test = Test::new().power().sequence(plan);
    test.run(&["run", "--detach"]).success();
    test.wait_for_file("begun");
    test.run(&["wait", "long", "--for", "attention", "--timeout", "50ms"]).fails(9);
    test.run_env("THREADOS_WARN_PERCENT", "0", &["wait", "long", "--for", "attention"]).success();
    assert_eq!(test.status("long"), "RUNNING");
}
