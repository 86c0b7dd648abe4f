//! Steps that really run: what the inspector says of them, and what is decided about them.

use ratatui::style::Color;

use super::stage::Stage;
use crate::tui::{effect::Effect, inspector::Tab, panels::Panel};

const PLAN: &str = "\
version: \"1.0\"
steps:
  - {id: count, command: \"echo attempt >> made; echo this is number $(wc -l < made); test $(wc -l < made) -lt 3\"}
  - {id: look, command: \"exit 42\"}
  - {id: slow, command: \"until [ -e go ]; do sleep 0.02; done\"}
  - {id: after, command: \"true\", depends_on: [check]}
gates:
  - {id: check, depends_on: [count]}
";

fn at(size: (u16, u16), id: &str) -> Stage {
    let mut stage = Stage::new(size, PLAN);
    goes_to(&mut stage, id);
    stage
}

fn goes_to(stage: &mut Stage, id: &str) {
    stage.press("/").write(id).press("enter esc");
    assert_eq!(stage.app.selected_id().unwrap().as_str(), id);
}

#[test]
fn attempts_are_listed_and_the_log_of_an_old_one_is_read() {
    for size in [(140, 40), (80, 24)] {
        let mut stage = at(size, "count");
        assert!(stage.press("U").text().contains("it has not run yet"), "{}", stage.text());
        stage.press("esc").run("DONE");
        stage.run("DONE").run("FAILED").press("U");
        stage.until("three attempts", |stage| stage.app.attempts().len() == 3);
        let text = stage.text();
        let rows: Vec<&str> = text.lines().filter(|row| row.contains("✔ ") || row.contains("✖ ")).collect();
        assert!(text.contains("exit 1") || text.contains("exited with 1"), "how it ended: {text}");
        assert!(rows.len() >= 3, "{text}");
        stage.press("down down down enter");
        let text = stage.text();
        assert!(text.contains("this is number 1") && text.contains("attempt 1 of"), "{text}");
        assert!(stage.app.panels.is_log_full);
        stage.press("esc");
        assert_eq!(stage.app.panels.focus, if size.0 < 100 { Panel::Inspector } else { Panel::Board });
        assert!(stage.press("esc").text().contains("this is number 3"), "the last attempt is shown again: {}", stage.text());
    }
}

#[test]
fn the_attempt_that_runs_is_listed_too() {
    let mut stage = at((140, 40), "slow");
    stage.run("RUNNING").press("U");
    let text = stage.text();
    assert!(text.contains("● 1") && text.contains("runs"), "{text}");
    stage.press("enter");
    assert!(stage.app.panels.is_log_full && stage.app.log.chosen.is_some());
    std::fs::write(stage.root().join("go"), "").unwrap();
    stage.until_status("slow", "DONE");
}

#[test]
fn what_runs_is_stopped_after_a_question_that_names_it() {
    let mut stage = at((80, 24), "slow");
    stage.run("RUNNING").press("x");
    assert!(stage.text().contains("stop `slow` (shell, ") && stage.text().contains("SIGTERM"), "{}", stage.text());
    stage.press("enter");
    assert!(stage.wanted.is_empty() && stage.app.layers.is_empty(), "no is the default");
    stage.press("x y").act().until_status("slow", "FAILED");
    assert!(matches!(stage.press("r").wanted.last(), Some(Effect::Call(asked)) if asked.action.name() == "restart"));
}

#[test]
fn a_review_is_looked_at_and_decided() {
    let mut stage = at((80, 24), "look");
    stage.run("NEEDS_REVIEW").press("v");
    assert!(stage.text().contains("Review look") && stage.text().contains("accept"), "{}", stage.text());
    stage.press("d");
    assert_eq!((stage.app.inspector.tab, stage.app.panels.focus), (Tab::Diff, Panel::Inspector));
    stage.press("esc v l");
    assert!(stage.app.panels.is_log_full);
    stage.press("esc v r");
    assert!(stage.text().contains("Reject") || stage.text().contains("reject"), "{}", stage.text());
    stage.write("too short").press("enter").act();
    if !stage.app.layers.is_empty() {
        stage.press("y").act();
    }
    stage.until_status("look", "FAILED");
    assert!(stage.press("1").text().contains("too short"), "the reason is kept: {}", stage.text());
    stage.run("NEEDS_REVIEW").press("v a").act().until_status("look", "DONE");
}

#[test]
fn going_on_needs_a_session_and_says_so() {
    let mut stage = at((80, 24), "look");
    stage.run("NEEDS_REVIEW").press("c");
    stage.write("and now the tests").press("enter").act();
    assert!(stage.text().contains("session"), "{}", stage.text());
    assert_eq!(stage.app.layers.len(), 1, "what was typed stays");
    stage.press("esc");
    assert!(stage.app.layers.is_empty());
}

#[test]
fn a_gate_says_what_it_is_about_and_is_decided() {
    let mut stage = at((140, 40), "count");
    stage.run("DONE");
    goes_to(&mut stage, "check");
    let text = stage.text();
    for words in ["◆ PENDING", "holds    ◌ after", "after    ✔ count", "a approve  b block  v review"] {
        assert!(text.contains(words), "no `{words}`\n{text}");
    }
    assert!(stage.press("U").text().contains("a gate has none"), "{}", stage.text());
    stage.press("w v n").press("tab").write("").press("backtab");
    assert!(stage.text().contains("note"), "{}", stage.text());
    stage.write("looks right").press("enter").act().until_status("check", "APPROVED");
    assert!(stage.text().contains("note     looks right") && stage.text().contains("decided  "), "{}", stage.text());
    stage.press("a").act();
    assert!(stage.text().contains("gate reopen check"), "what would help is said: {}", stage.text());
    stage.app.toasts.clear();
    stage.press("v o enter").act().until_status("check", "PENDING");
    stage.press("v r").write("not yet").press("enter").act().until_status("check", "BLOCKED");
    assert!(stage.text().contains("note     not yet"), "{}", stage.text());
    stage.press("v");
    assert!(stage.text().contains("reopen") && !stage.text().contains("approve with"), "{}", stage.text());
}

#[test]
fn a_diff_is_coloured() {
    let mut stage = at((140, 40), "count");
    stage.run("DONE").press("d");
    assert!(stage.text().contains("it changed nothing"), "{}", stage.text());
    let patch = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ fn main\n same\n-old \x1b[31mline\n+new\tline\n";
    std::fs::write(stage.attempt("count").join("diff.patch"), patch).unwrap();
    stage.look();
    let colour = |text: &str| stage.buffer()[stage.find(text)].fg;
    assert_eq!(["-old ", "+new    line", " same"].map(colour), [Color::Red, Color::Green, Color::Reset]);
}

#[test]
fn everything_of_a_step_can_be_copied() {
    let mut stage = at((140, 40), "count");
    stage.run("DONE").run("DONE").run("FAILED").press("w y");
    let text = stage.text();
    for words in
        ["id", "command or prompt", "path of its last attempt", "how it ended", "commands that would let it run", "log lines"]
    {
        assert!(text.contains(words), "no `{words}`\n{text}");
    }
    stage.press("esc");
    let folder = stage.attempt("count").display().to_string();
    let mut copied = |key: &str| {
        stage.press("y").press(key);
        match stage.wanted.pop() {
            Some(Effect::Copy(text)) => text,
            other => panic!("{key}: {other:?}"),
        }
    };
    assert_eq!([copied("i"), copied("l"), copied("w")], ["count", "this is number 3", "seqctl restart count"]);
    assert!(copied("c").starts_with("echo attempt >> made"));
    assert_eq!(std::path::Path::new(&copied("p")).file_name(), std::path::Path::new(&folder).file_name());
    assert!(copied("e").contains("exit"), "{}", copied("e"));
}

#[test]
fn what_happened_is_in_the_audit_view_newest_first() {
    let mut stage = at((80, 24), "count");
    stage.run("DONE").press("T");
    let text = stage.text();
    let (started, settled) = (text.find("run.step").expect("the start"), text.find("finish").or_else(|| text.find("settle")));
    assert!(text.contains("Audit log, newest first"), "{text}");
    assert!(settled.is_none_or(|settled| settled < started), "{text}");
    stage.press("end home j k pagedown esc");
    assert!(stage.app.layers.is_empty());
}
