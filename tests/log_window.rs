//! Looking into logs by line numbers: plain ones, both together, and agents' transcripts.

use std::{fmt::Write as _, ops::Range};

use serde_json::json;
use threados::{
    action::query::Logs,
    client::{self, Found, LogLine, LogWindow, PieceKind, SLICE, Search, Streams},
};

use crate::harness::Test;

const BOTH: &str = "version: \"1.0\"\nsteps:\n  - {id: talk, command: 'echo out; echo err >&2'}\n";
const AGENT: &str = "version: \"1.0\"\nsteps:\n  - {id: think, model: tape, prompt: go}\n";
const TAPE: &str = "agents:\n  tape:\n    command: [cat, tape.jsonl]\n    output: claude\n";

fn open(test: &Test, step: &str, streams: Streams) -> LogWindow {
    let client = client::open(Some(test.root())).unwrap();
    let view = client.view().unwrap();
    client.open_log(&view, &Logs::of(step.parse().unwrap()), streams).unwrap()
}

fn counted(test: &Test, step: &str, streams: Streams, budget: u64) -> LogWindow {
    let mut window = open(test, step, streams);
    while window.index(budget).unwrap() {}
    window
}

fn texts(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

fn find(window: &LogWindow, text: &str, range: Range<u64>, is_backward: bool, budget: u64) -> Found {
    let search = Search::new(text).unwrap();
    let mut ahead = range;
    loop {
        match window.find(&search, ahead.clone(), is_backward, budget).unwrap() {
            Found::NotYet(left) => {
                assert!(left.end - left.start < ahead.end - ahead.start, "{left:?} after {ahead:?}");
                ahead = left;
            }
            found => return found,
        }
    }
}

/// `times.jsonl` with a moment for each pair of lengths.
fn times(lengths: &[(usize, usize)]) -> String {
    let line = |(at, (out, err)): (usize, &(usize, usize))| {
        format!("{{\"v\":1,\"at\":\"2026-11-22T10:{:02}:{:02}Z\",\"stdout\":{out},\"stderr\":{err}}}\n", at / 60, at % 60)
    };
    lengths.iter().enumerate().map(line).collect()
}

fn message(text: &str) -> String {
    json!({"type": "assistant", "message": {"content": [{"type": "text", "text": text}]}}).to_string()
}

#[test]
fn both_streams_are_in_the_order_in_which_they_were_written() {
    let test = Test::new().power().sequence(BOTH);
    test.run(&["run"]).success();
    let folder = test.attempt("talk", 1);
    let window = counted(&test, "talk", Streams::Both, SLICE);
    let lines = window.lines(0..9).unwrap();
    assert_eq!(texts(&lines), ["out", "err"]);
    assert!(window.is_over() && lines.iter().all(|line| line.at.is_some()), "{lines:?}");

    test.write(folder.join("stdout.log"), "a\nb\nc\nd\ne");
    test.write(folder.join("stderr.log"), "1\n2\n3\n");
    test.write(folder.join("times.jsonl"), times(&[(2, 0), (2, 4), (6, 4), (6, 4)]));
    for budget in [1, 70_000, SLICE] {
        let mut window = counted(&test, "talk", Streams::Both, budget);
        assert_eq!(window.count(), 8);
        let lines = window.lines(0..99).unwrap();
        assert_eq!(texts(&lines), ["a", "1", "2", "b", "c", "d", "e", "3"]);
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), (0..8).map(Some).collect::<Vec<_>>());
        assert_eq!(lines.iter().map(|line| line.is_stderr).filter(|is_stderr| *is_stderr).count(), 3);
        assert_eq!(lines[4].at.unwrap().to_string(), "2026-11-22T10:00:02Z");
        assert_eq!(texts(&window.lines(2..5).unwrap()), ["2", "b", "c"]);
        assert_eq!(texts(&window.tail(2).unwrap()), ["e", "3"]);
        assert_eq!(find(&window, "3", 0..8, false, budget), Found::Line(7));
        assert_eq!(find(&window, "b", 0..8, true, budget), Found::Line(3));
        assert_eq!(find(&window, "b", 4..8, false, budget), Found::Nowhere);
    }
    // The end is there before anything has been counted.
    assert_eq!(texts(&open(&test, "talk", Streams::Both).tail(3).unwrap()), ["d", "e", "3"]);
    assert_eq!(texts(&counted(&test, "talk", Streams::Stderr, SLICE).lines(0..9).unwrap()), ["1", "2", "3"]);
}

#[test]
fn the_workers_of_a_fan_out_are_one_text() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: many, fanout: 2, command: 'echo x'}\n";
    let test = Test::new().power().sequence(plan);
    test.run(&["run"]).success();
    let folder = test.attempt("many", 1);
    for (worker, out, err, lengths) in
        [(1, "a\nb\nc\n", "1\n", &[(2, 0), (2, 2), (4, 2)][..]), (2, "A\nB", "", &[(0, 0), (2, 0)][..])]
    {
        let own = folder.join(format!("worker-{worker}"));
        test.write(own.join("stdout.log"), out);
        test.write(own.join("stderr.log"), err);
        test.write(own.join("times.jsonl"), times(lengths));
    }
    let all = ["worker 1 │ a", "worker 1 │ 1", "worker 2 │ A", "worker 1 │ b", "worker 1 │ c", "worker 2 │ B"];
    for budget in [1, SLICE] {
        let mut window = counted(&test, "many", Streams::Both, budget);
        let lines = window.lines(0..9).unwrap();
        assert_eq!((texts(&lines)[..4].to_vec(), window.count()), (all[..4].to_vec(), 6));
        assert!(lines[1].is_stderr && lines.iter().all(|line| line.at.is_some()));
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), (0..6).map(Some).collect::<Vec<_>>());
        assert_eq!(texts(&window.lines(2..4).unwrap()), all[2..4]);
        assert_eq!(find(&window, "A", 0..6, false, budget), Found::Line(2));
        assert_eq!(window.tail(1).unwrap().len(), 1);
    }
    assert_eq!(texts(&open(&test, "many", Streams::Stdout).tail(5).unwrap())[..3], [all[0], all[2], all[3]]);
    assert_eq!(counted(&test, "many", Streams::Stdout, SLICE).count(), 5);
    let client = client::open(Some(test.root())).unwrap();
    let one = Logs { worker: Some(2), ..Logs::of("many".parse().unwrap()) };
    let mut window = client.open_log(&client.view().unwrap(), &one, Streams::Stdout).unwrap();
    while window.index(SLICE).unwrap() {}
    assert_eq!((texts(&window.lines(0..9).unwrap()), window.is_over()), (vec!["A", "B"], true));
}

#[test]
fn both_streams_grow_together() {
    let test = Test::new().power().sequence(BOTH);
    test.run(&["run"]).success();
    let folder = test.attempt("talk", 1);
    test.write(folder.join("times.jsonl"), "");
    let (mut out, mut err, mut noted, mut wanted) = (String::new(), String::new(), Vec::new(), Vec::new());
    let mut window = open(&test, "talk", Streams::Both);
    for round in 0..40 {
        for at in 0..round % 4 {
            let _ = writeln!(out, "out {round} {at}");
            wanted.push(format!("out {round} {at}"));
        }
        for at in 0..round % 3 {
            let _ = writeln!(err, "err {round} {at}");
            wanted.push(format!("err {round} {at}"));
        }
        noted.push((out.len(), err.len()));
        test.write(folder.join("stdout.log"), &out);
        test.write(folder.join("stderr.log"), &err);
        test.write(folder.join("times.jsonl"), times(&noted));
        while window.index(1 + round * 100).unwrap() {}
        assert_eq!(texts(&window.lines(0..999).unwrap()), wanted, "{round}");
        let from = wanted.len() / 2;
        assert_eq!(texts(&window.lines(from as u64..from as u64 + 2).unwrap()), wanted[from..wanted.len().min(from + 2)]);
    }
}

#[test]
fn an_agents_output_is_its_transcript() {
    let test = Test::new().power().sequence(AGENT);
    test.config(TAPE);
    let result = json!({"type": "result", "subtype": "success", "is_error": false, "num_turns": 2, "result": "done\nand dusted",
        "total_cost_usd": 0.0136, "usage": {"input_tokens": 2400, "output_tokens": 52}});
    let call =
        json!({"type": "assistant", "message": {"content": [{"type": "tool_use", "name": "Bash", "input": {"command": "ls"}}]}});
    let answer = json!({"type": "user", "message": {"content": [{"type": "tool_result", "content": "no", "is_error": true}]}});
    let lines = [message("I will look."), call.to_string(), answer.to_string(), "not JSON".into(), message("done\nand dusted")];
    test.write("tape.jsonl", lines.join("\n") + "\n" + &result.to_string());
    test.run(&["run"]).success();
    let window = counted(&test, "think", Streams::Stdout, 1);
    let lines = window.lines(0..99).unwrap();
    let shown: Vec<(PieceKind, &str)> = lines.iter().map(|line| (line.kind, line.text.as_str())).collect();
    use PieceKind::{Called, Failed, Output, Said, Took};
    assert_eq!(
        shown,
        [
            (Said, "I will look."),
            (Called, "→ Bash ls"),
            (Failed, "  ✖ no"),
            (Output, "not JSON"),
            (Said, "done"),
            (Said, "and dusted"),
            (Took, "— 2 turns · 2.5k tokens · $0.0136"),
        ]
    );
    assert_eq!(window.count(), 7);
    assert_eq!(texts(&open(&test, "think", Streams::Stdout).tail(2).unwrap()), ["and dusted", lines[6].text.as_str()]);
    let raw = Logs { raw: true, ..Logs::of("think".parse().unwrap()) };
    let client = client::open(Some(test.root())).unwrap();
    let mut raw = client.open_log(&client.view().unwrap(), &raw, Streams::Stdout).unwrap();
    while raw.index(SLICE).unwrap() {}
    assert!(raw.count() == 6 && raw.lines(0..1).unwrap()[0].text.starts_with("{\"type\":"));
}

#[test]
fn a_long_transcript_is_read_anywhere_and_in_parts() {
    const MANY: u64 = 6_000;
    let test = Test::new().power().sequence(AGENT);
    test.config(TAPE);
    let tape: String = (0..MANY).map(|at| message(&format!("thought {at}\nof {}", "x".repeat(60))) + "\n").collect();
    test.write("tape.jsonl", &tape);
    test.run(&["run"]).fails(9);
    for budget in [1 << 16, SLICE] {
        let mut window = open(&test, "think", Streams::Both);
        let mut calls = 0;
        while window.index(budget).unwrap() {
            calls += 1;
        }
        assert!(calls > tape.len() as u64 / budget, "{calls}");
        assert_eq!(window.count(), 2 * MANY);
        for at in [0, 1, 777, MANY - 1] {
            assert_eq!(texts(&window.lines(2 * at..2 * at + 1).unwrap()), [format!("thought {at}")]);
        }
        assert_eq!(find(&window, "thought 4321", 0..2 * MANY, false, budget), Found::Line(8642));
        assert_eq!(find(&window, "thought 43", 0..2 * MANY, true, budget), Found::Line(8798));
        assert_eq!(find(&window, "thought 43", 0..8642, true, budget), Found::Line(8640));
        assert_eq!(find(&window, "nobody", 0..2 * MANY, false, budget), Found::Nowhere);
    }
    // It goes on with a standard error that came in between.
    let folder = test.attempt("think", 1);
    test.write(folder.join("stderr.log"), "warning\n");
    test.write(folder.join("times.jsonl"), times(&[(tape.len() / 2, 8), (tape.len(), 8)]));
    let window = counted(&test, "think", Streams::Both, SLICE);
    let Found::Line(at) = find(&window, "warning", 0..2 * MANY + 1, false, SLICE) else { panic!("no warning") };
    assert!((MANY - 100..MANY + 100).contains(&at), "{at}");
    assert_eq!(window.lines(at..at + 2).unwrap()[1].number, Some(at + 1));
}

#[test]
fn an_agents_line_that_has_not_ended_is_no_entry_yet() {
    let test = Test::new().power().sequence(AGENT);
    test.config(TAPE.replace("[cat, tape.jsonl]", "[sh, agent.sh]"));
    let text = message("half a thought");
    let (one, two) = text.split_at(40);
    test.write("one", one);
    test.write("two", two);
    test.write("agent.sh", "cat one; touch said; until [ -f go ]; do sleep 0.01; done; cat two\n");
    let run = test.spawn(&["run"]);
    crate::harness::wait_until("the agent to speak", || test.path("said").exists());
    let mut window = open(&test, "think", Streams::Stdout);
    assert!(!window.index(SLICE).unwrap());
    assert_eq!((window.count(), window.is_over()), (0, false));
    test.write("go", "");
    run.wait().fails(9);
    while window.index(SLICE).unwrap() {}
    assert_eq!((texts(&window.lines(0..9).unwrap()), window.is_over()), (vec!["half a thought"], true));
}
