//! The life of a project: made, filled, run, failed, mended, done.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};

use crate::harness::{Test, names, snapshot, text, wait_until};

const CHAIN: &str = "\
version: \"1.0\"
name: chain
steps:
  - id: one
    command: echo one >> order
  - id: two
    command: echo two >> order
    depends_on: [one]
  - id: three
    command: echo three >> order
    depends_on: [two]
";

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_failure_is_shown_mended_and_run_again_until_all_is_done() {
    let test = Test::new();
    test.run(&["init", "--empty", "--name", "mending"]).success();
    test.run(&["step", "add", "build", "--command", "echo built > out"]).success().prints("added step `build`");
    test.run(&["step", "add", "check", "--command", "cat out; exit 3", "--after", "build"]).success();
    test.run(&["step", "add", "ship", "--command", "cp out shipped"]).success();
    test.run(&["dep", "add", "ship", "check"]).success();

    let out = test.run(&["run", "-y", "--json"]).fails(7);
    let report = out.json();
    assert_eq!(report["code"], "STEP_FAILED");
    assert_eq!(report["error"], "step `check` failed: exit 3");
    assert!(text(&report["hint"]).contains("seqctl logs check"), "{report:#}");
    assert!(text(&report["hint"]).contains("seqctl restart check"), "{report:#}");
    let left = [("build", "DONE"), ("check", "FAILED"), ("ship", "BLOCKED")];
    assert_eq!(test.statuses(), left.map(|(id, status)| (id.into(), status.into())));

    test.run(&["step", "edit", "check", "--command", "cat out"]).success();
    assert_eq!(test.status("check"), "FAILED", "an edit is no outcome");
    test.run(&["restart", "check", "-y"]).success();
    test.run(&["run", "-y"]).success();
    assert!(test.statuses().iter().all(|(_, status)| status == "DONE"), "{}", test.plan());
    assert_eq!(test.read("shipped"), "built\n");
    assert_eq!(test.run(&["logs", "check"]).success().stdout, "built\n");
    assert_eq!(test.committed(), ["build DONE", "check FAILED", "check DONE", "ship DONE"]);
    let actions = ["init", "step.add", "dep.add", "run.all", "claim", "commit", "run.end", "step.edit", "restart"];
    for action in actions {
        assert!(!test.audited(action).is_empty(), "`{action}` is not in the audit log");
    }
    test.assert_chain_valid();
    test.assert_no_processes();
}

#[test]
fn every_field_of_a_step_can_be_set_from_the_command_line() {
    let test = Test::new().sequence(
        "version: \"1.0\"\nname: fields\nsteps:\n  - id: base\n    command: \"true\"\n  - id: beside\n    command: \"true\"\n",
    );
    let flags = "--name=Full --type=c --model=shell --prompt-file=prompts/full.md --cwd=src --env=A=1 --env=B=x=y \
        --depends-on=base --group=g --fanout=0 --timeout=45m --retries=2 --retry-delay=90s --fail-policy=best_effort \
        --review --lane=left --role=tester --artifact=*.txt --artifact=out/** --watchdog-interval=5m --orchestrator \
        --max-cost-usd=1.5 --limit=wait --agent-arg=--fast --fusion-candidates=base --watchdog-for=beside --fusion-synth=base";
    let args: Vec<&str> = ["step", "add", "full"].into_iter().chain(flags.split_whitespace()).collect();
    test.run(&args).success();
    test.run(&["step", "add", "argv", "--before", "full", "--", "printf", "%s", "a b"]).success();
    test.run(&["step", "add", "inline", "--prompt", "first line\nsecond line\n", "--fanout=3"]).success();
    test.run(&["step", "clone", "full", "copy"]).success();
    snapshot!("every_field_of_a_step", test.tidy(&test.plan()));

    test.run(&["step", "edit", "full", "--unset", "name,timeout,env.A", "--retries", "0"]).success();
    let step = test.run(&["step", "show", "full", "--json"]).success().json()["step"].clone();
    assert_eq!((&step["name"], &step["timeout"], &step["retries"]), (&Value::Null, &Value::Null, &json!(0)));
    assert_eq!(step["env"], json!({"B": "x=y"}));
}

#[test]
fn steps_added_to_a_new_project_stand_one_below_the_other() {
    let test = Test::new();
    test.run(&["init", "--empty", "--name", "new"]).success();
    test.run(&["step", "add", "one", "--command", "echo 1"]).success();
    test.run(&["step", "add", "two", "--command", "echo 2", "--after", "one"]).success();
    test.run(&["gate", "insert", "ok", "--after", "two"]).success();
    let steps = "steps:\n  - id: one\n    command: echo 1\n";
    assert!(test.plan().contains(steps), "{}", test.plan());
    assert!(test.plan().contains("  - id: two\n    command: echo 2\n    depends_on: [one]\n"), "{}", test.plan());
    assert!(test.plan().contains("gates:\n  - id: ok\n    depends_on: [two]\n"), "{}", test.plan());
}

#[test]
fn an_attempt_leaves_everything_that_is_promised() {
    let test = Test::new().power().sequence(
        "version: \"1.0\"\nname: art\nsteps:\n  - id: work\n    command: echo out; echo err >&2; pwd\n    cwd: sub\n    env: {SECRET: hidden}\n    retries: 1\n    timeout: 1m\n",
    );
    fs::create_dir(test.path("sub")).unwrap();
    test.run(&["run"]).success();
    let folder = test.attempt("work", 1);
    assert_eq!(names(&folder), ["prompt.md", "spec.json", "status.json", "stderr.log", "stdout.log"]);
    assert_eq!(fs::read_link(folder.with_file_name("latest")).unwrap(), Path::new("1"));
    assert_eq!(test.stdout("work", 1), format!("out\n{}\n", test.path("sub").display()));
    assert_eq!(test.read(folder.join("stderr.log")), "err\n");
    assert_eq!(test.read(folder.join("prompt.md")), "echo out; echo err >&2; pwd\n");

    let spec = test.json(folder.join("spec.json"));
    assert_eq!(spec["v"], 1);
    assert_eq!(spec["argv"], json!(["/bin/sh", "-c", "echo out; echo err >&2; pwd"]));
    assert_eq!(spec["cwd"], json!(test.path("sub")));
    assert_eq!((&spec["timeoutMs"], &spec["retries"]), (&json!(60_000), &json!(1)));
    assert_eq!(spec["env"], json!(["SECRET"]), "names, never values");
    assert_eq!(text(&spec["defhash"]).len(), 64);

    let status = test.json(folder.join("status.json"));
    assert_eq!((&status["v"], &status["step"], &status["status"]), (&json!(1), &json!("work"), &json!("DONE")));
    assert_eq!((&status["exitCode"], &status["attempt"]), (&json!(0), &json!(1)));
    assert_eq!(status["stdoutBytes"], test.stdout("work", 1).len());
    assert_eq!(status["stderrBytes"], 4);
    for key in ["startedAt", "endedAt"] {
        assert_eq!(test.tidy(&text(&status[key])), "[time]", "{key}");
        assert!(text(&status[key]).ends_with('Z') && text(&status[key]).len() == 24, "UTC with milliseconds");
    }

    let run = test.json(format!(".threados/runs/{}/run.json", test.last_run()));
    assert_eq!((&run["v"], &run["state"], &run["by"]), (&json!(1), &json!("ended"), &json!("user")));
    assert_eq!(run["what"], json!({"kind": "all"}));
    assert!(test.plan().contains("status: DONE"));
}

#[test]
fn nobody_else_can_read_runs_and_state() {
    let test = Test::new().power().sequence(CHAIN);
    test.run(&["run"]).success();
    fn look(folder: &Path, wrong: &mut Vec<String>) {
        for name in names(folder) {
            let path = folder.join(name);
            let (kind, wanted) = match fs::symlink_metadata(&path).unwrap().file_type() {
                kind if kind.is_dir() => ("folder", 0o700),
                kind if kind.is_symlink() => continue,
                _ => ("file", 0o600),
            };
            if mode(&path) != wanted {
                wrong.push(format!("{kind} {} is {:o}", path.display(), mode(&path)));
            }
            if kind == "folder" {
                look(&path, wrong);
            }
        }
    }
    let mut wrong = Vec::new();
    for folder in [".threados/state", ".threados/runs"] {
        assert_eq!(mode(test.path(folder)), 0o700, "{folder}");
        look(&test.path(folder), &mut wrong);
    }
    // The displaced plans of the history keep the mode of the plan itself.
    wrong.retain(|line| !line.contains("/history/"));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_plan_keeps_its_mode() {
    let test = Test::new().power().sequence(CHAIN);
    fs::set_permissions(test.plan_path(), fs::Permissions::from_mode(0o640)).unwrap();
    test.run(&["run"]).success();
    test.run(&["step", "add", "four", "--command", "true"]).success();
    assert_eq!(mode(test.plan_path()), 0o640);
}

#[test]
fn the_audit_log_tells_the_whole_story() {
    let test = Test::new().sequence(CHAIN);
    test.run(&["run", "-y", "one"]).success();
    test.run(&["skip", "two", "--note", "by hand"]).success();
    let story: Vec<String> = test
        .audit()
        .iter()
        .map(|entry| {
            format!("{} {} {} {}", text(&entry["actor"]), text(&entry["via"]), text(&entry["action"]), text(&entry["result"]))
        })
        .collect();
    assert_eq!(
        story,
        [
            "user cli init ok",
            "user cli run.step ok",
            "system runner claim ok",
            "system runner commit ok",
            "system runner run.end ok",
            "user cli skip ok"
        ]
    );
    let skip = test.audited("skip").pop().unwrap();
    assert_eq!((&skip["target"], &skip["payload"]["note"]), (&json!("two"), &json!("by hand")));
    let audit = test.audit();
    assert_eq!(audit.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(audit[5]["post_sha"], json!(threados::store::sha256(test.plan().as_bytes())));
    test.assert_chain_valid();

    let list = test.run(&["audit", "list", "--target", "one", "--json"]).success().json();
    let actions: Vec<String> = list["entries"].as_array().unwrap().iter().map(|entry| text(&entry["action"])).collect();
    assert_eq!(actions, ["claim", "commit"]);
    let head = test.run(&["audit", "head", "--json"]).success().json();
    assert_eq!(head["entries"], 6);
    let log = test.read(".threados/audit.log");
    assert_eq!(text(&head["head"]), threados::store::sha256(log.lines().last().unwrap().as_bytes()));
}

#[test]
fn the_demo_runs_to_its_end_in_a_pipe() {
    let test = Test::new();
    let out = test.run(&["demo", "here"]).success();
    assert!(out.stdout.contains("12 done"), "{}", out.stdout);
    assert!(out.stdout.contains("test-api done in") && out.stdout.contains("attempt 2"), "{}", out.stdout);
    assert!(!out.stdout.contains('\u{1b}'), "no colours in a pipe");
    let report = test.run(&["--project", "here", "status", "--json"]).success().json();
    let rows = report["steps"].as_array().unwrap();
    assert_eq!(rows.iter().filter(|row| row["status"] == "DONE").count(), 12);
    assert_eq!(report["gates"][0]["status"], "APPROVED");
    let retried = test.run(&["--project", "here", "step", "show", "test-api", "--json"]).success().json();
    assert_eq!(retried["state"]["attempt"], 2);
    test.run(&["--project", "here", "audit", "verify"]).success();
    assert!(test.path("here/published.txt").exists());
    test.assert_no_processes();
}

#[test]
fn the_demo_prints_one_document_with_json() {
    let test = Test::new();
    let reply = test.run(&["demo", "here", "--json"]).success().json();
    assert_eq!(reply["success"], true);
    test.run(&["demo", "here", "--json"]).fails(4).json();
}

#[test]
fn a_project_without_runs_says_so() {
    let test = Test::new().sequence(CHAIN);
    test.run(&["runs", "show"]).fails(3).says("there is no run yet").says("`seqctl run` starts one");
    test.run(&["attach"]).fails(3).says("no run is going on");
    test.run(&["runs"]).success().prints("no runs yet");
}

#[test]
fn every_command_answers_with_one_json_document() {
    let test = Test::new().sequence(CHAIN);
    for (line, code) in [
        ("run one --yes", 0),
        ("run one --yes", 4),
        ("run two", 6),
        ("run --dry-run", 0),
        ("run nope --yes", 3),
        ("run group nope --yes", 3),
        ("step add four --command true", 0),
        ("step add four --command true", 4),
        ("step add Four", 2),
        ("step add five --timeout soon", 2),
        ("step show one", 0),
        ("step show nope", 3),
        ("step list --status done", 0),
        ("step list --status nope", 2),
        ("step rm one --yes", 4),
        ("dep add one three", 2),
        ("dep rm one three", 3),
        ("gate insert g --after one --before two", 0),
        ("gate list", 0),
        ("gate approve g", 0),
        ("gate approve g", 4),
        ("skip two", 0),
        ("reset two", 0),
        ("reset nope", 3),
        ("restart one --yes", 0),
        ("logs one", 0),
        ("logs three", 3),
        ("runs", 0),
        ("runs show", 0),
        ("runs show nope", 3),
        ("runs prune --keep 1 --yes", 0),
        ("audit", 0),
        ("audit verify", 0),
        ("status", 0),
        ("validate", 0),
        ("wait two --timeout 1ms", 0),
        ("wait two --for done --timeout 1ms", 7),
        ("stop one", 4),
        ("stop --all", 0),
        ("attach", 3),
        ("attach nope", 3),
        ("init", 4),
        ("nonsense", 2),
        ("run --nonsense", 2),
    ] {
        let args: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        let out = test.run(&args).fails(code);
        let reply = out.json();
        assert_eq!(reply["success"], code == 0, "{line}: {reply:#}");
        assert!(code == 0 || (reply["error"].is_string() && reply["code"].is_string()), "{line}: {reply:#}");
        assert_eq!(out.stderr, "", "{line}");
    }
}

#[test]
fn run_with_watch_prints_events_as_json_lines() {
    let test = Test::new().power().sequence(CHAIN);
    let out = test.run(&["run", "--json", "--watch"]).success();
    let events = out.json_lines();
    let story: Vec<String> = events.iter().map(|event| format!("{} {}", text(&event["type"]), text(&event["step"]))).collect();
    for step in ["one", "two", "three"] {
        let own: Vec<&String> = story.iter().filter(|line| line.ends_with(&format!(" {step}"))).collect();
        assert_eq!(own, [&format!("stepStarted {step}"), &format!("stepEnded {step}")]);
    }
    assert_eq!(story.first().unwrap().trim_end(), "runStarted");
    assert_eq!(story.last().unwrap().trim_end(), "runEnded");
    assert!(events.windows(2).all(|pair| pair[0]["seq"].as_u64() <= pair[1]["seq"].as_u64()));
    assert!(events.iter().all(|event| event["at"].is_string()));
}

const GROUPS: &str = "\
version: \"1.0\"
name: groups
steps:
  - id: first
    command: echo first >> order
  - id: left
    command: echo left >> order
    group_id: both
  - id: right
    command: echo right >> order
    group_id: both
    depends_on: [left]
  - id: after
    command: echo after >> order
    depends_on: [first]
";

/// The steps that have run, sorted.
fn ran(test: &Test) -> Vec<String> {
    let mut lines = test.lines("order");
    lines.sort();
    lines
}

#[test]
fn a_run_covers_what_was_asked_for_and_nothing_else() {
    for (line, wanted) in [
        ("run", &["after", "first", "left", "right"][..]),
        ("run all", &["after", "first", "left", "right"]),
        ("run runnable", &["first", "left"]),
        ("run group both", &["left", "right"]),
        ("run first", &["first"]),
        ("run first after", &["after", "first"]),
        ("run step first left", &["first", "left"]),
        ("run right left --fail-fast", &["left", "right"]),
    ] {
        let test = Test::new().power().sequence(GROUPS);
        test.run(&line.split(' ').collect::<Vec<_>>()).success();
        assert_eq!(ran(&test), wanted, "{line}");
    }
}

#[test]
fn a_step_whose_needs_are_not_met_does_not_run() {
    let test = Test::new().power().sequence(GROUPS);
    test.run(&["run", "after"]).fails(4).says("waits for `first`");
    assert_eq!(ran(&test), [""; 0]);
}

#[test]
fn dry_runs_start_nothing() {
    let test = Test::new().sequence(GROUPS);
    for line in
        ["run --dry-run", "run runnable --dry-run", "run group both --dry-run", "run first --dry-run", "restart first --dry-run"]
    {
        let out = test.run(&line.split(' ').collect::<Vec<_>>()).success();
        assert!(out.stdout.contains("would start"), "{line}: {}", out.stdout);
    }
    let plan = test.run(&["run", "--dry-run", "--json"]).success().json();
    assert_eq!((&plan["starts"], &plan["follows"]), (&json!(["first", "left"]), &json!(["right", "after"])));
    assert!(test.runs().is_empty());
    assert_eq!(test.audit().len(), 1, "only init");
    test.assert_no_processes();
}

#[test]
fn a_detached_run_can_be_attached_to_and_waited_for() {
    let test = Test::new().power().sequence(
        "version: \"1.0\"\nsteps:\n  - id: hold\n    command: until [ -e go ]; do sleep 0.02; done; echo went\n  - id: next\n    command: echo next\n    depends_on: [hold]\n",
    );
    let reply = test.run(&["run", "--detach", "--json"]).success().json();
    assert_eq!((&reply["attached"], text(&reply["run"])), (&json!(false), test.last_run()));
    test.wait_for_status("hold", "RUNNING");
    test.run(&["wait", "hold", "--timeout", "1ms"]).fails(9);
    let again = test.run(&["run", "--detach", "--json"]).success().json();
    assert_eq!((&again["attached"], &again["run"]), (&json!(true), &reply["run"]), "a second run attaches to the first");
    let step = test.run(&["run", "hold", "--detach", "--json"]).success().json();
    assert_eq!(step["run"], reply["run"], "running a running step attaches");
    let (attached, waiting) = (test.spawn(&["attach"]), test.spawn(&["wait", "next", "--for", "done"]));
    wait_until("somebody to attach", || attached.stderr().contains("attached to run"));
    test.write("go", "");
    assert!(attached.wait().success().stdout.contains("next done"));
    waiting.wait().success();
    assert_eq!(test.runs().len(), 1);
    test.assert_no_processes();
}

#[test]
fn signals_to_a_foreground_run() {
    use rustix::process::Signal;
    for (signal, code, status) in [
        (Signal::TERM, 143, "FAILED"),
        (Signal::INT, 130, "FAILED"),
        (Signal::HUP, 129, "RUNNING"),
        (Signal::KILL, 137, "RUNNING"),
    ] {
        let test = Test::new().power().sequence("version: \"1.0\"\nsteps:\n  - id: hold\n    command: echo up; sleep 1000\n");
        let run = test.spawn(&["run"]);
        test.wait_for_status("hold", "RUNNING");
        wait_until("the run to follow", || run.stdout().contains("hold started"));
        run.signal(signal);
        run.wait().fails(code);
        assert_eq!(test.status("hold"), status, "{signal:?}");
        test.run(&["stop", "--all"]).success();
        assert_eq!(test.attempt_status("hold", 1)["reason"], "stopped", "{signal:?}");
        test.assert_no_processes();
    }
}

#[test]
fn runs_are_listed_newest_first() {
    let test =
        Test::new().power().sequence("version: \"1.0\"\nsteps:\n  - id: one\n    command: echo \"$THREADOS_RUN_ID\" >> order\n");
    test.run(&["run"]).success();
    for _ in 0..5 {
        test.run(&["restart", "one", "--detach"]).success();
        test.run(&["wait", "one"]).success();
    }
    let list = test.run(&["runs", "--json"]).success().json();
    let listed: Vec<String> = list["runs"].as_array().unwrap().iter().map(|run| text(&run["id"])).collect();
    let mut order = test.lines("order");
    order.reverse();
    assert_eq!(listed, order);
    assert_eq!(test.run(&["runs", "show", "--json"]).success().json()["id"], json!(order[0]), "the last run is the newest");
    test.run(&["runs", "prune", "--keep", "2", "-y"]).success();
    let mut kept = test.runs();
    kept.reverse();
    assert_eq!(kept, order[..2], "pruning keeps the newest");
}

#[test]
fn a_run_over_failed_steps_names_the_way_to_run_them_again() {
    let test = Test::new().power().sequence(
        "version: \"1.0\"\nsteps:\n  - id: bad\n    command: echo ran >> order; exit 1\n  - id: good\n    command: \"true\"\n",
    );
    test.run(&["run"]).fails(7);
    let out = test.run(&["run"]);
    assert_eq!(ran(&test), ["ran"], "`run all` never runs FAILED steps again");
    assert!(out.all().contains("seqctl restart bad"), "{}", out.all());
}

#[test]
fn what_goes_on_can_be_followed() {
    let test = Test::new().power().sequence(
        "version: \"1.0\"\nsteps:\n  - id: talk\n    command: echo one; until [ -e go ]; do sleep 0.01; done; echo two\n  - id: shut\n    command: \"true\"\n    depends_on: [ok]\ngates:\n  - id: ok\n    depends_on: [talk]\n",
    );
    test.run(&["run", "--detach"]).success();
    test.wait_for_status("talk", "RUNNING");
    let (log, status) = (test.spawn(&["logs", "talk", "--follow"]), test.spawn(&["status", "--watch", "--json"]));
    let attention = test.spawn(&["wait", "--for", "attention"]);
    wait_until("the first line", || log.stdout() == "one\n");
    wait_until("the first status", || status.stdout().contains("RUNNING"));
    test.write("go", "");
    assert_eq!(log.wait().success().stdout, "one\ntwo\n", "it ends with the step");
    attention.wait().success();
    test.run(&["wait", "talk", "--for", "done"]).success();
    test.run(&["wait", "--for", "done", "--timeout", "10ms"]).fails(9);
    wait_until("the gate to be seen", || status.stdout().lines().last().is_some_and(|line| line.contains("\"reached\":true")));
    status.signal(rustix::process::Signal::INT);
    let lines = status.wait().fails(130).json_lines();
    assert!(lines.len() >= 2 && lines.iter().all(|line| line["success"] == true));
    test.run(&["gate", "approve", "ok"]).success();
    test.wait_for_status("shut", "DONE");
}
