//! The command line for programs: every command answers one JSON document, whatever happens.

use serde_json::{Value, json};
use threados::action::{Action, CATALOG};

use crate::harness::{Out, Test};

/// Arguments that every command understands, and that name nothing that exists.
fn arguments(name: &str) -> &'static [&'static str] {
    match name {
        "step.add" | "step.edit" | "step.rm" | "step.show" | "skip" | "reset" | "run.step" | "run.group" | "run.fusion"
        | "restart" | "stop" | "logs" | "why" | "result" | "review.accept" | "review.reject" | "open" | "gate.insert"
        | "gate.approve" | "gate.block" | "gate.reopen" | "gate.rm" | "prompt.show" | "prompt.compile" | "diff"
        | "policy.check" | "requests.approve" | "requests.deny" => &["nope"],
        "mprocs.select" | "mprocs.start" | "mprocs.stop" | "mprocs.restart" => &["nope"],
        "mprocs.send-key" => &["nope", "s"],
        "extend" => &["nope", "30m"],
        "policy.set-mode" => &["SAFE"],
        "prompt.set" => &["nope", "--text", "x"],
        "add" | "fuse" | "group.parallelize" | "group.rm" | "template.show" | "template.apply" => &["nope"],
        "fusion.create" => &["--candidates", "nope", "--synth", "nope"],
        "continue" => &["nope", "-m", "x"],
        "outcome" => &["done"],
        "step.clone" | "dep.add" | "dep.rm" => &["nope", "never"],
        "step.move" => &["nope", "--first"],
        "apply" => &["-f", "nowhere.json"],
        "attach" | "wait" | "runs.show" => &["nope"],
        "schema" => &["output", "nope"],
        _ => &[],
    }
}

/// Checks that there is exactly one document, that it fits the exit status, and returns it.
fn document(out: &Out, line: &str) -> Value {
    let document = out.json();
    let is_success = document["success"].as_bool().unwrap_or_else(|| panic!("{line}: {document:#}"));
    assert_eq!(is_success, out.code == 0, "{line}: {}", out.all());
    assert!(out.stderr.is_empty(), "{line}: {}", out.all());
    if !is_success {
        for field in ["error", "code", "hint"] {
            assert!(document[field].as_str().is_some_and(|text| !text.is_empty()), "{line}: no {field} in {document:#}");
        }
    }
    document
}

#[test]
fn every_command_answers_one_document() {
    let outside = Test::new();
    let inside = Test::new().sequence("version: \"1.0\"\nsteps: []\n");
    for spec in CATALOG.iter().filter(|spec| spec.name != "demo") {
        let words: Vec<&str> = spec.name.split('.').collect();
        let command =
            |more: &[&'static str]| words.iter().copied().chain(more.iter().copied()).chain(["--json"]).collect::<Vec<_>>();
        for test in [&inside, &outside] {
            let out = test.run(&command(arguments(spec.name)));
            document(&out, &command(arguments(spec.name)).join(" "));
        }
        let out = inside.run(&command(&["--no-such-option"])).fails(2);
        assert_eq!(document(&out, spec.name)["code"], "USAGE_ERROR", "{}", spec.name);
        let out = inside.run(&command(&["--color", "pink"])).fails(2);
        assert_eq!(document(&out, spec.name)["code"], "USAGE_ERROR", "{}", spec.name);
    }
    for line in [
        "--json nope",
        "dep --json",
        "step add --json",
        "--json --project",
        "prompt edit x --json",
        "step add A_b --json",
        "prompt --json",
    ] {
        let out = inside.run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(document(&out, line)["success"], false, "{line}");
    }
}

#[test]
fn fields_are_parts_of_the_document() {
    let test = Test::new()
        .sequence("version: \"1.0\"\nsteps:\n  - {id: a, command: echo a}\n  - {id: b, command: echo b, depends_on: [a]}\n");
    let fields = |line: &str| test.run(&line.split(' ').collect::<Vec<_>>());
    let document = fields("status --fields steps.id,steps.waitsFor,counts.READY").success().json();
    assert_eq!(
        document,
        json!({"success": true, "counts": {"READY": 1}, "steps": [{"id": "a"}, {"id": "b", "waitsFor": ["a"]}]})
    );
    assert_eq!(fields("skip a --fields revision").success().json().as_object().unwrap().len(), 2);
    let wrong = fields("skip b --fields changes.txt").fails(2).json();
    assert_eq!((&wrong["code"], &wrong["hint"]), (&json!("USAGE_ERROR"), &json!("did you mean `text`?")));
    assert_eq!(test.status("b"), "READY", "a slip in the fields changes nothing");
    assert_eq!(fields("step show nope --fields state.id").fails(3).json()["code"], "STEP_NOT_FOUND", "errors are whole");
}

#[test]
fn a_long_log_is_read_in_parts() {
    let test = Test::new().power().sequence("version: \"1.0\"\nsteps:\n  - {id: a, command: 'seq 1 2000'}\n");
    test.run(&["run"]).success();
    let whole = test.run(&["logs", "a"]).success().stdout;
    let (mut read, mut cursor, mut parts) = (String::new(), 0, 0);
    loop {
        let after = cursor.to_string();
        let part = test.run(&["logs", "a", "--json", "--after", &after, "--max-bytes", "1000"]).success().json();
        let text = part["text"].as_str().unwrap();
        assert!(text.len() <= 1000 && text.ends_with('\n'), "{part}");
        read.push_str(text);
        cursor = part["cursor"].as_u64().unwrap();
        parts += 1;
        if part["truncated"] == false {
            assert!(part.get("next").is_none(), "{part}");
            break;
        }
        assert_eq!(part["next"], json!([format!("seqctl logs a --after {cursor} --limit 1000")]));
    }
    assert_eq!((read, parts > 5), (whole.clone(), true));
    let end = test.run(&["logs", "a", "--json", "--limit", "20"]).success().json();
    assert_eq!((&end["text"], &end["truncated"]), (&json!("1998\n1999\n2000\n"), &json!(true)));
    assert_eq!(end["next"], json!(["seqctl logs a --after 0 --limit 20"]), "what was cut off is the beginning");
    assert_eq!(test.run(&["logs", "a", "--after", "0", "--limit", "4"]).success().stdout, "1\n2\n");
    assert_eq!(test.run(&["logs", "a", "--limit", "0"]).fails(2).stdout, "");
}

#[test]
fn answers_say_what_makes_sense_next() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: a, command: exit 1}\n  - {id: b, command: echo b, depends_on: [g]}\ngates:\n  - {id: g}\n";
    let test = Test::new().power().sequence(plan);
    let next = |line: &str| test.run(&line.split(' ').chain(["--json"]).collect::<Vec<_>>()).json()["next"].clone();
    assert_eq!(next("status"), json!(["seqctl gate approve g", "seqctl run"]));
    assert_eq!(next("validate"), json!(["seqctl run"]));
    assert_eq!(next("gate list"), json!(["seqctl gate approve g"]));
    assert_eq!(next("step show a"), json!(["seqctl run a"]));
    assert_eq!(next("step add c --command true"), json!(["seqctl run c"]));
    test.run(&["run", "a"]).fails(7);
    assert_eq!(next("step show a"), json!(["seqctl logs a", "seqctl restart a"]));
    assert_eq!(next("status"), json!(["seqctl gate approve g", "seqctl logs a", "seqctl run"]));
    let empty = Test::new();
    assert_eq!(empty.run(&["init", "--empty", "--json"]).success().json()["next"], json!(["seqctl status", "seqctl run"]));
}

#[test]
fn a_restart_tells_of_its_run() {
    let test = Test::new().power().sequence("version: \"1.0\"\nsteps:\n  - {id: a, command: echo a}\n");
    test.run(&["run"]).success();
    let events = test.run(&["restart", "a", "--json", "--watch"]).success().json_lines();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"runStarted"), "{kinds:?}");
    assert_eq!(kinds.last(), Some(&"runEnded"));
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let test = Test::new();
    test.run(&["man"]).success().prints(".TH seqctl 1");
    test.run(&["man", "--out", "pages"]).success();
    let pages = crate::harness::names(&test.path("pages"));
    for spec in CATALOG {
        let page = format!("seqctl-{}.1", spec.name.replace('.', "-"));
        assert!(pages.contains(&page), "{page} is not in {pages:?}");
    }
    assert!(test.read("pages/seqctl-gate-approve.1").contains("gate approve ship"), "with its examples");
}

#[test]
fn an_unknown_field_is_named_as_it_was_written_with_what_there_is() {
    let refused = |entry: Value| Action::from_entry(entry).unwrap_err().to_string();
    let text = refused(json!({"action": "dep.add", "id": "b", "depends_on": ["a"]}));
    assert_eq!(text, "invalid arguments for `dep.add`: unknown field `depends_on`; it takes `id` and `needs`");
    let text = refused(json!({"action": "dep.add", "id": "b", "need": ["a"]}));
    assert_eq!(text, "invalid arguments for `dep.add`: unknown field `need`; did you mean `needs`?");
}
