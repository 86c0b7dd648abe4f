//! B threads: a step that adds others and runs them, what people have to confirm of that, and what is held until they do.

use std::fs;

use serde_json::{Value, json};

use crate::{
    harness::{Test, text, wait_until},
    schemas::assert_described,
};

/// An orchestrator that adds two workers, the second after the first, and waits for both.
const LEAD: &str = "\
version: \"1.0\"
name: big
steps:
  - id: lead
    orchestrator: true
    command: |
      set -e
      seqctl step add w1 --command 'echo w1 >> order'
      seqctl step add w2 --command 'echo w2 >> order' --after w1
      seqctl run w1 w2 --json > ran
      seqctl wait w1 w2 --for done
      echo lead >> order
";

const ONE_AT_A_TIME: &str = "version: \"1.0\"\nmax_concurrent: 1\n";

fn safe(plan: &str) -> Test {
    Test::new().policy(ONE_AT_A_TIME).sequence(plan)
}

fn power(plan: &str) -> Test {
    Test::new().policy(&format!("{ONE_AT_A_TIME}mode: POWER\n")).sequence(plan)
}

/// The open requests.
fn requests(test: &Test) -> Vec<Value> {
    test.run(&["requests", "--json"]).success().json()["requests"].as_array().unwrap().clone()
}

/// The name of the one request, once it is there.
fn request(test: &Test) -> String {
    wait_until("a request", || !requests(test).is_empty());
    let open = requests(test);
    assert_eq!(open.len(), 1, "{open:#?}");
    text(&open[0]["id"])
}

fn run_state(test: &Test) -> String {
    text(&test.run(&["runs", "show", "--json"]).success().json()["state"])
}

#[test]
fn in_power_its_workers_run_within_the_policy_and_it_holds_no_slot() {
    let test = power(LEAD);
    test.run(&["run", "lead"]).success();
    assert_eq!(test.lines("order"), ["w1", "w2", "lead"]);
    assert_described(&test.json("ran"));
    assert_eq!(test.runs().len(), 1, "its workers run in its run");
    let added = test.audited("step.add");
    assert_eq!((&added[0]["actor"], &added[0]["via"]), (&json!("orchestrator"), &json!("cli:lead")));
    let asked = &test.audited("run.step")[1];
    assert_eq!((&asked["actor"], &asked["payload"]["steps"]), (&json!("orchestrator"), &json!(["w1", "w2"])));
    assert_eq!(test.plan().matches("orchestrator: lead").count(), 2, "{}", test.plan());
    assert!(requests(&test).is_empty());
    test.assert_no_processes();
    test.assert_chain_valid();
}

#[test]
fn in_safe_a_person_approves_what_it_asks_for() {
    let test = safe(LEAD);
    let run = test.spawn(&["run", "--yes"]);
    let id = request(&test);
    let open = &requests(&test)[0];
    assert_eq!((&open["state"], &open["step"]), (&json!("open"), &json!("lead")));
    assert_eq!(open["work"], json!(["w1: echo w1 >> order", "w2: echo w2 >> order"]));
    let status = test.run(&["status", "--json"]).success().json();
    let needs = text(&status["attention"][0]);
    assert_eq!(needs, format!("`lead` asks for running `w1` and `w2`: seqctl requests approve {id}"));
    assert_eq!((&status["requests"][0]["id"], &status["steps"][1]["held"]), (&json!(id), &json!(true)));
    assert_eq!(status["attention"].as_array().unwrap().len(), 1, "once, not for every step: {status:#}");
    let short = test.run(&["status", "--short", "--json"]).success().json();
    assert_eq!(short["waiting"], 1);
    let why = test.run(&["why", "w1", "--json"]).success().json();
    assert_eq!((&why["blockers"][0]["kind"], &why["acts"][0]["action"]), (&json!("requested"), &json!("requests.approve")));
    assert!(test.lines("order").is_empty(), "nothing runs before");
    for line in [&["requests"][..], &["status"], &["why", "w1"]] {
        assert_described(&test.run(&[line, &["--json"]].concat()).success().json());
    }
    let approval = test.run(&["requests", "approve", &id, "--note", "go on", "--json"]).success().json();
    assert_described(&approval);
    assert_eq!((&approval["state"], &approval["doneIn"]), (&json!("approved"), &json!(test.last_run())));
    run.wait().success().prints("`lead` asks for running `w1` and `w2`");
    assert_eq!(test.lines("order"), ["w1", "w2", "lead"]);
    assert_eq!(test.runs().len(), 1);
    let approved = &test.audited("requests.approve")[0];
    assert_eq!((&approved["actor"], &approved["payload"]["askedBy"]), (&json!("user"), &json!("orchestrator `lead`")));
    let answered = test.run(&["requests", "list", "--all", "--json"]).success().json();
    let answered = &answered["requests"][0];
    assert_eq!((&answered["state"], &answered["by"], &answered["note"]), (&json!("approved"), &json!("user"), &json!("go on")));
    test.run(&["requests", "approve", &id]).success().says("was approved by user already");
    test.run(&["requests", "deny", &id]).fails(4).says("was approved by user already");
    test.assert_chain_valid();
}

#[test]
fn a_denial_is_told_to_whoever_waits() {
    let plan = "version: \"1.0\"\nsteps:\n  - id: lead\n    orchestrator: true\n    command: |\n      \
                seqctl step add w1 --command 'echo w1 >> order'\n      \
                seqctl run w1 > said 2>&1; echo $? > code\n      seqctl wait w1 > told 2>&1; echo $? >> code\n";
    let test = safe(plan);
    let run = test.spawn(&["run", "lead", "--yes"]);
    let id = request(&test);
    test.run(&["requests", "deny", &id, "--note", "not today"]).success().prints("denied request");
    run.wait().success();
    assert_eq!(test.lines("code"), ["5", "5"], "{}", test.read("said"));
    for file in ["said", "told"] {
        assert!(test.read(file).contains("was denied by user: not today"), "{}", test.read(file));
    }
    assert!(test.lines("order").is_empty());
    test.run(&["requests", "approve", &id]).fails(4).says("was denied by user already");
    let denied = &test.audited("requests.deny")[0];
    assert_eq!((&denied["actor"], &denied["payload"]["askedBy"]), (&json!("user"), &json!("orchestrator `lead`")));
}

#[test]
fn an_approval_is_for_what_was_shown() {
    let plan = "version: \"1.0\"\nsteps:\n  - id: lead\n    orchestrator: true\n    command: |\n      \
                seqctl step add w1 --command 'echo w1 >> order'\n      \
                seqctl run w1 > said 2>&1; echo $? > code\n      \
                seqctl run w1\n";
    let test = safe(plan);
    let run = test.spawn(&["run", "lead", "--yes"]);
    let id = request(&test);
    // Not by the user: what they change themselves they have seen.
    test.run_env("THREADOS_STEP_ID", "lead", &["step", "edit", "w1", "--command", "echo other >> order"]).success();
    test.wait_for_file("code");
    assert_eq!(test.lines("code"), ["4"], "{}", test.read("said"));
    assert!(test.read("said").contains("is void: `w1` changed since"), "{}", test.read("said"));
    test.run(&["requests", "approve", &id]).fails(4).says("is void").says("ask again");
    let open = || requests(&test).into_iter().find(|request| request["state"] == "open");
    wait_until("another request", || open().is_some());
    test.run(&["requests", "approve", &text(&open().unwrap()["id"])]).success();
    run.wait().success();
    assert_eq!(test.lines("order"), ["other"]);
}

#[test]
fn an_unchanged_run_is_confirmed_once() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: a, command: echo a >> order}\n  - {id: b, command: echo b >> order, depends_on: [a]}\n";
    let test = Test::new().sequence(plan);
    test.run(&["run"]).fails(6).says("running `a` and `b` needs a confirmation");
    test.run(&["run", "--yes"]).success();
    test.run(&["reset", "a", "b"]).success();
    test.run(&["run"]).success();
    assert_eq!(test.lines("order"), ["a", "b", "a", "b"]);
    test.run(&["restart", "a"]).success();
    test.run(&["reset", "a", "b"]).success();
    fs::write(test.plan_path(), test.plan().replace("echo b >>", "echo B >>")).unwrap();
    test.run(&["run"]).fails(6).says("running `b` needs a confirmation");
    let would = test.run(&["run", "--dry-run", "--json"]).success().json();
    let ask = &would["asks"][0];
    assert_eq!((&ask["step"], &ask["was"], &ask["work"]), (&json!("b"), &json!("echo b >> order"), &json!("echo B >> order")));
    assert_eq!(would["asks"].as_array().unwrap().len(), 1);
    test.run(&["run", "a"]).success();
    test.run(&["run", "--yes"]).success();
    assert_eq!(test.lines("order").last().unwrap(), "B");
}

#[test]
fn a_script_that_changed_is_asked_for_again() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: a, model: shell, prompt_file: do.sh}\n";
    let test = Test::new().sequence(plan);
    test.write("do.sh", "echo one >> order\n");
    test.run(&["run", "--yes"]).success();
    test.run(&["restart", "a"]).success();
    test.write("do.sh", "echo two >> order\n");
    test.run(&["restart", "a"]).fails(6);
    test.write("do.sh", "echo one >> order\n");
    test.run(&["restart", "a"]).success();
    assert_eq!(test.lines("order"), ["one", "one", "one"]);
}

/// An orchestrator that adds a step, and changes one of the user's, while the whole plan is being run.
const MEDDLER: &str = "\
version: \"1.0\"
steps:
  - id: lead
    orchestrator: true
    command: |
      set -e
      seqctl step add more --command 'echo more >> order'
      seqctl step edit after --command 'echo changed >> order'
  - {id: after, command: echo after >> order, depends_on: [lead]}
  - {id: other, command: echo other >> order, depends_on: [lead]}
";

#[test]
fn what_an_orchestrator_adds_or_changes_is_held() {
    let test = safe(MEDDLER);
    let out = test.run(&["run", "--yes"]).fails(9);
    assert!(out.stderr.contains("waits for approval of `after`, approval of `more`"), "{}", out.all());
    assert!(out.stderr.contains("`seqctl run after` shows what it would run"), "{}", out.all());
    assert_eq!(test.lines("order"), ["other"]);
    let status = test.run(&["status", "--json"]).success().json();
    let needs: Vec<String> = status["attention"].as_array().unwrap().iter().map(text).collect();
    assert_eq!(needs[0], "`after` is held, changed since it was confirmed as `echo after >> order`: seqctl run step after");
    assert_eq!(needs[1], "`more` is held, added by `lead`: seqctl run step more");
    assert_eq!(test.run(&["status", "--short", "--json"]).success().json()["waiting"], 2);
    test.run(&["status"]).success().prints("needs your approval");
    let why = test.run(&["why", "more", "--json"]).success().json();
    assert_eq!((&why["blockers"][0]["kind"], &why["acts"][0]["command"]), (&json!("held"), &json!("seqctl run step more")));
    test.run(&["run", "more"]).fails(6).says("needs a confirmation");
    test.run(&["run", "more", "--yes"]).success();
    wait_until("the run to look again", || run_state(&test) != "active");
    assert_eq!(test.status("after"), "READY");
    test.run(&["run", "--yes"]).success();
    assert_eq!(test.lines("order"), ["other", "more", "changed"]);
}

#[test]
fn additions_run_by_themselves_if_a_person_says_so_beforehand_and_changes_do_not() {
    let test = safe(MEDDLER);
    let out = test.run(&["run", "--yes=additions"]).fails(9);
    assert!(out.stderr.contains("waits for approval of `after`\n"), "{}", out.all());
    let mut order = test.lines("order");
    order.sort();
    assert_eq!(order, ["more", "other"]);
    let test = safe(LEAD);
    test.run(&["run", "lead", "--yes=additions"]).success();
    assert_eq!(test.lines("order"), ["w1", "w2", "lead"]);
    assert!(test.run(&["requests", "list", "--all", "--json"]).success().json()["requests"].as_array().unwrap().is_empty());
}

#[test]
fn additions_keep_to_the_policy() {
    let plan = LEAD.replace("echo w2 >> order", "rm -rf w2");
    for mode in ["", "mode: POWER\n"] {
        let policy = format!("{ONE_AT_A_TIME}{mode}forbidden_patterns: ['rm -rf w2$']\n");
        let test = Test::new().policy(&policy).sequence(&plan);
        test.run(&["run", "lead", "--yes=additions"]).fails(7).says("`w2`");
        assert_eq!(test.lines("order"), ["w1"]);
        assert_eq!(test.attempt_status("w2", 1)["reason"], "policy");
    }
}

#[test]
fn what_a_person_adds_to_a_run_is_not_held() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: a, command: echo a >> order}\n  - {id: b, command: echo b >> order, depends_on: [g]}\ngates:\n  - {id: g, depends_on: [a]}\n";
    let test = safe(plan);
    test.run(&["run", "--yes"]).fails(9);
    test.run(&["step", "add", "c", "--command", "echo c >> order"]).success();
    test.wait_for_status("c", "DONE");
    // Nobody knows who wrote into the file.
    let text = test.plan().replace("steps:\n", "steps:\n  - {id: d, command: echo d >> order}\n");
    fs::write(test.plan_path(), text).unwrap();
    test.run(&["gate", "approve", "g"]).success();
    test.wait_for_status("b", "DONE");
    wait_until("the run to wait", || run_state(&test) == "waiting");
    assert_eq!((test.status("d"), test.lines("order")), ("READY".into(), vec!["a".into(), "c".into(), "b".into()]));
}

#[test]
fn a_step_cannot_decide_for_a_person() {
    let commands = [
        "gate approve g --ahead",
        "review accept look",
        "review reject look",
        "requests approve r1",
        "requests deny r1",
        "policy set-mode POWER --yes",
        "trust",
    ];
    let lines: String = commands.iter().map(|line| format!("      seqctl {line} >> said 2>&1; echo $? >> code\n")).collect();
    let plan = format!(
        "version: \"1.0\"\nsteps:\n  - {{id: look, command: exit 42}}\n  - id: lead\n    orchestrator: true\n    command: |\n{lines}gates:\n  - {{id: g}}\n"
    );
    let test = safe(&plan);
    test.run(&["run", "look", "--yes"]).fails(9);
    test.run(&["run", "lead", "--yes"]).success();
    assert_eq!(test.lines("code"), vec!["5"; commands.len()], "{}", test.read("said"));
    let denied: Vec<Value> = test.audit().into_iter().filter(|entry| entry["result"] == "denied").collect();
    assert_eq!(denied.len(), commands.len());
    assert!(denied.iter().all(|entry| entry["actor"] == "orchestrator" && entry["via"] == "cli:lead"), "{denied:#?}");
    assert_eq!((test.status("g"), test.status("look")), ("PENDING".into(), "NEEDS_REVIEW".into()));
}

#[test]
fn what_a_step_wants_to_take_away_is_a_request_too() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: old, command: echo old}\n  - id: lead\n    orchestrator: true\n    command: seqctl step rm old > said 2>&1; echo $? > code\n";
    let test = power(plan);
    test.run(&["run", "lead"]).success();
    assert_eq!(test.lines("code"), ["9"], "{}", test.read("said"));
    let id = request(&test);
    assert!(test.read("said").contains(&format!("request `{id}` asks for it")), "{}", test.read("said"));
    // The step that asked has ended; what it asked for is still there.
    test.run(&["requests", "approve", &id]).success().prints("removing step `old`");
    assert!(!test.plan().contains("id: old"), "{}", test.plan());
    let removed = &test.audited("step.rm")[0];
    let facts = (&removed["actor"], &removed["payload"]["request"], &removed["payload"]["askedBy"]);
    assert_eq!(facts, (&json!("user"), &json!(id), &json!("orchestrator `lead`")));
    test.run(&["undo"]).success();
    assert!(test.plan().contains("id: old"), "{}", test.plan());
}

#[test]
fn old_runs_are_removed_when_a_person_says_so() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: old, command: echo old}\n  - id: lead\n    orchestrator: true\n    command: seqctl runs prune --keep 0 > said 2>&1; echo $? > code\n";
    let test = power(plan);
    test.run(&["run", "old"]).success();
    test.run(&["run", "lead"]).success();
    assert_eq!((test.lines("code"), test.runs().len()), (vec!["9".to_owned()], 2), "{}", test.read("said"));
    let id = request(&test);
    test.run(&["requests", "approve", &id]).success().prints("removing all runs but the newest 0");
    assert!(test.runs().is_empty());
    assert!(requests(&test).is_empty());
    assert_eq!(test.audited("runs.prune")[0]["payload"]["askedBy"], "orchestrator `lead`");
    test.assert_chain_valid();
}

#[test]
fn a_step_runs_again_what_a_person_has_confirmed_and_asks_for_the_rest() {
    let plan = "\
version: \"1.0\"
steps:
  - {id: known, command: echo known >> order}
  - {id: other, command: echo other >> order}
  - id: lead
    orchestrator: true
    command: |
      seqctl restart known >> said 2>&1; echo $? >> code
      seqctl restart other >> said 2>&1; echo $? >> code
      seqctl restart lead >> said 2>&1; echo $? >> code
      seqctl restart known --downstream >> said 2>&1; echo $? >> code
    depends_on: [known]
";
    let test = safe(plan);
    test.run(&["run", "known", "--yes"]).success();
    test.run(&["run", "lead", "--yes"]).success();
    assert_eq!(test.lines("order"), ["known", "known"], "{}", test.read("said"));
    assert_eq!(test.lines("code"), ["0", "9", "4", "4"], "{}", test.read("said"));
    assert!(test.read("said").contains("asks for it"), "{}", test.read("said"));
    let id = request(&test);
    test.run(&["requests", "approve", &id]).success();
    test.wait_for_status("other", "DONE");
    assert_eq!(test.lines("order"), ["known", "known", "other"]);
    test.assert_chain_valid();
}

#[test]
fn a_step_goes_on_with_an_agents_session_when_a_person_says_so_and_in_power_at_once() {
    let lead = "  - id: lead\n    orchestrator: true\n    depends_on: [think]\n    command: |\n      seqctl continue think -m 'and more' > said 2>&1; echo $? > code\n";
    let plan = format!("version: \"1.0\"\nsteps:\n  - {{id: think, model: fake, prompt: make it so}}\n{lead}");
    for (mode, code) in [("SAFE", "9"), ("POWER", "0")] {
        let test = crate::agents::project(&plan).policy(&format!("version: \"1.0\"\nmode: {mode}\n"));
        test.run(&["run", "--yes"]).success();
        assert_eq!(test.lines("code"), [code], "{}", test.read("said"));
        if mode == "SAFE" {
            assert_eq!(test.lines("calls").len(), 1);
            let id = request(&test);
            test.run(&["requests", "approve", &id]).success();
            wait_until("the session to go on", || test.lines("calls").len() == 2);
        }
        assert_eq!(test.lines("calls"), ["-p", "-p --resume s-1"]);
        wait_until("it to be done", || test.status("think") == "DONE");
        assert_eq!(test.lines("prompts"), ["make it so", "and more"]);
        test.assert_chain_valid();
    }
}

#[test]
fn the_same_question_twice_is_one_request() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: a, command: echo a >> order}\n  - id: lead\n    orchestrator: true\n    command: seqctl run a --detach --json > said && seqctl run all --detach && seqctl run a --detach\n";
    let test = safe(plan);
    test.run(&["run", "lead", "--yes"]).success();
    let id = request(&test);
    assert_eq!(test.audited("request").len(), 1);
    assert_described(&test.json("said"));
    test.run(&["requests", "approve", &id]).success();
    test.wait_for_status("a", "DONE");
    assert_eq!(test.lines("order"), ["a"]);
    assert_eq!(test.audited("requests.approve")[0]["payload"]["askedBy"], "orchestrator `lead`");
}

#[test]
fn an_orchestrator_is_told_what_it_cannot_wait_for() {
    let plan = "\
version: \"1.0\"
steps:
  - id: lead
    orchestrator: true
    command: |
      seqctl run lead >> said 2>&1; echo $? >> code
      seqctl run after >> said 2>&1; echo $? >> code
      seqctl step add bad --command 'exit 3'
      seqctl run bad >> said 2>&1; echo $? >> code
      seqctl run nope >> said 2>&1; echo $? >> code
      seqctl wait >> said 2>&1; echo $? >> code
  - {id: after, command: echo after, depends_on: [lead]}
";
    let test = power(plan);
    test.run(&["run", "lead"]).fails(7);
    assert_eq!(test.lines("code"), ["4", "4", "7", "3", "0"], "{}", test.read("said"));
    assert!(test.read("said").contains("it waits for `lead`, which asks for it"), "{}", test.read("said"));
}

#[test]
fn orchestrators_may_be_nested_three_deep() {
    let test = power("version: \"1.0\"\nsteps:\n  - {id: one, orchestrator: true, command: sh one.sh}\n");
    for (outer, inner) in [("one", "two"), ("two", "three")] {
        let add = format!("seqctl step add {inner} --orchestrator --command 'sh {inner}.sh'");
        test.write(format!("{outer}.sh"), format!("{add} && seqctl run {inner}\n"));
    }
    let four = "seqctl step add four --orchestrator --command true > said 2>&1; echo $? > code\n";
    test.write("three.sh", format!("seqctl step add w --command true && seqctl run w\n{four}"));
    test.run(&["run", "one"]).success();
    assert_eq!(test.lines("code"), ["5"], "{}", test.read("said"));
    assert!(test.read("said").contains("`four` would be an orchestrator 4 deep"), "{}", test.read("said"));
    assert_eq!([test.status("three"), test.status("two"), test.status("w")], ["DONE", "DONE", "DONE"]);
    assert_eq!(test.runs().len(), 1);
}

#[test]
fn a_process_that_hides_is_still_its_step() {
    let bare = "env -i PATH=\"$PATH\" sh try.sh";
    let ways = [bare.to_owned(), format!("setsid {bare}"), format!("(setsid sh -c '{bare} &' &)")];
    let lines: String = ways
        .iter()
        .map(|way| format!("      {way}\n      until test -s code; do sleep 0.01; done; cat code >> codes; rm code\n"))
        .collect();
    let plan =
        format!("version: \"1.0\"\nsteps:\n  - id: lead\n    orchestrator: true\n    command: |\n{lines}gates:\n  - {{id: g}}\n");
    let test = power(&plan);
    test.write("try.sh", "seqctl gate approve g --ahead >> said 2>&1; echo $? > code\n");
    test.run(&["run", "lead"]).success();
    assert_eq!(test.lines("codes"), ["5", "5", "5"], "{}", test.read("said"));
    assert_eq!(test.status("g"), "PENDING");
    let denied = test.audited("gate.approve");
    assert_eq!(denied.len(), 3);
    assert!(denied.iter().all(|entry| entry["via"] == "cli:lead"), "{denied:#?}");
}

#[test]
fn an_approval_that_is_killed_is_given_or_not() {
    for (point, is_given) in [("tx.staged", false), ("tx.committed", true)] {
        let test = safe(LEAD);
        let run = test.spawn(&["run", "lead", "--yes"]);
        let id = request(&test);
        test.run_env("THREADOS_FAULT", &format!("{point}:kill"), &["requests", "approve", &id]).fails(137);
        if !is_given {
            assert_eq!(request(&test), id);
            test.run(&["requests", "approve", &id]).success();
        }
        run.wait().success();
        assert_eq!(test.lines("order"), ["w1", "w2", "lead"], "{point}");
        assert_eq!(test.audited("requests.approve").len(), 1, "{point}");
        test.assert_chain_valid();
    }
}

/// Kills the runner, or the supervisor of `lead`.
fn kill_one(test: &Test, is_runner: bool) {
    let pid = if is_runner {
        test.json(format!(".threados/state/runners/{}", test.last_run()))["pid"].clone()
    } else {
        let record = test.read(".threados/state/active/lead");
        let mut lines = record.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.find(|line| line["t"] == "supervisor").unwrap()["pid"].clone()
    };
    crate::harness::kill(u32::try_from(pid.as_u64().unwrap()).unwrap(), rustix::process::Signal::KILL);
}

#[test]
fn a_request_outlives_the_step_and_the_runner() {
    for victim in ["supervisor", "runner"] {
        let test = safe(LEAD);
        let run = test.spawn(&["run", "lead", "--yes"]);
        let id = request(&test);
        kill_one(&test, victim == "runner");
        if victim == "supervisor" {
            run.wait().fails(7);
            assert_eq!(test.status("lead"), "FAILED");
        }
        assert_eq!(request(&test), id);
        test.run(&["requests", "approve", &id]).success();
        test.wait_for_status("w2", "DONE");
        wait_until("the run to end", || run_state(&test) == "ended");
        let order = if victim == "runner" { &["w1", "w2", "lead"][..] } else { &["w1", "w2"] };
        wait_until("everything to have run", || test.lines("order") == order);
        test.assert_chain_valid();
    }
}

#[test]
fn in_power_the_work_goes_on_whoever_is_killed() {
    let plan = LEAD.replace("echo w1 >> order", "touch up; until test -f go; do sleep 0.02; done; echo w1 >> order");
    for victim in ["lead", "runner"] {
        let test = power(&plan);
        let run = test.spawn(&["run", "lead"]);
        wait_until("the worker to run", || test.path("up").exists());
        kill_one(&test, victim == "runner");
        test.write("go", "");
        let out = run.wait();
        assert_eq!(out.code, if victim == "runner" { 0 } else { 7 }, "{}", out.all());
        assert_eq!((test.status("w1"), test.status("w2")), ("DONE".into(), "DONE".into()));
        assert_eq!(test.lines("order").iter().filter(|line| line.starts_with('w')).count(), 2, "each once");
        test.assert_no_processes();
        test.assert_chain_valid();
    }
}
