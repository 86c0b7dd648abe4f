//! Every key of the table, pressed, and what it does. A key that is bound and not pressed here fails the test.

use std::collections::BTreeSet;

use super::stage::{PLAN, Stage, chain};
use crate::{
    layout::Zoom,
    tui::{
        effect::Effect,
        inspector::Tab,
        keymap::BINDINGS,
        panels::{Panel, View},
    },
};

/// Keys, where they are pressed, and what is so afterwards and was not before.
struct Row {
    keys: &'static [&'static str],
    plan: fn() -> String,
    /// What is pressed before; nothing where empty.
    before: &'static str,
    is_done: fn(&Stage) -> bool,
}

const fn on(keys: &'static [&'static str], before: &'static str, is_done: fn(&Stage) -> bool) -> Row {
    Row { keys, plan: || PLAN.to_owned(), before, is_done }
}

fn is_at(stage: &Stage, id: &str) -> bool {
    stage.app.selected_id().is_some_and(|at| at.as_str() == id)
}

/// Whether nothing but this action is wanted.
fn asks(stage: &Stage, name: &str) -> bool {
    matches!(&stage.wanted[..], [Effect::Call(asked)] if asked.action.name() == name)
}

fn says(stage: &Stage, words: &str) -> bool {
    stage.app.toasts.iter().any(|toast| toast.text.contains(words))
}

/// Whether a layer with these words lies over the screen.
fn opens(stage: &Stage, words: &str) -> bool {
    stage.app.layers.len() == 1 && stage.text().contains(words)
}

fn wide() -> String {
    chain(40)
}

fn tall() -> String {
    let steps: String = (0..60).map(|at| format!("  - {{id: s-{at}, command: \"true\"}}\n")).collect();
    format!("version: \"1.0\"\nsteps:\n{steps}")
}

fn review() -> String {
    "version: \"1.0\"\nsteps:\n  - {id: look, command: make, status: NEEDS_REVIEW}\n".to_owned()
}

const ROWS: &[Row] = &[
    on(&["left", "h"], "right", |stage| is_at(stage, "plan")),
    on(&["right", "l"], "", |stage| is_at(stage, "implement-a")),
    on(&["up", "k"], "right down", |stage| is_at(stage, "implement-a")),
    on(&["down", "j"], "right", |stage| is_at(stage, "implement-b")),
    on(&["home", "g"], "right", |stage| is_at(stage, "plan")),
    on(&["end", "G"], "", |stage| is_at(stage, "deploy")),
    on(&["pageup", "ctrl-u"], "end", |stage| is_at(stage, "plan")),
    on(&["pagedown", "ctrl-d"], "", |stage| is_at(stage, "deploy")),
    Row { keys: &["shift-left", "H"], plan: wide, before: "L", is_done: |stage| stage.app.board.origin.x == 0 },
    Row { keys: &["shift-right", "L"], plan: wide, before: "", is_done: |stage| stage.app.board.origin.x > 0 },
    Row { keys: &["shift-up", "K"], plan: tall, before: "J", is_done: |stage| stage.app.board.origin.y == 0 },
    Row { keys: &["shift-down", "J"], plan: tall, before: "", is_done: |stage| stage.app.board.origin.y > 0 },
    on(&["tab"], "", |stage| stage.app.panels.focus == Panel::Inspector),
    on(&["backtab"], "", |stage| stage.app.panels.focus == Panel::Chat),
    on(&["enter"], "", |stage| stage.app.panels.is_inspector_open),
    on(&["esc"], "tab", |stage| stage.app.panels.focus == Panel::Board),
    Row { keys: &["."], plan: review, before: "", is_done: |stage| says(stage, "review") },
    on(&["/"], "", |stage| opens(stage, "Enter keep")),
    on(&["n"], "/ i m p enter", |stage| is_at(stage, "implement-b")),
    on(&["N"], "/ i m p enter", |stage| is_at(stage, "implement-b")),
    on(&["1"], "", |stage| stage.app.view() == View::List),
    on(&["2"], "1", |stage| stage.app.view() == View::Graph),
    on(&["!"], "", |stage| opens(stage, "nothing needs you")),
    on(&["]"], "", |stage| stage.app.inspector.tab == Tab::Logs),
    on(&["["], "", |stage| stage.app.inspector.tab == Tab::Diff),
    on(&["w"], "]", |stage| stage.app.inspector.tab == Tab::Details && stage.text().contains("can start")),
    on(&["d"], "", |stage| stage.app.inspector.tab == Tab::Diff && stage.app.panels.focus == Panel::Inspector),
    on(&["o"], "", |stage| stage.app.panels.is_log_full && stage.app.panels.focus == Panel::Log),
    on(&["f"], "", |stage| stage.app.log.top.is_some()),
    on(&["t"], "", |stage| stage.text().contains("· stderr")),
    on(&["W"], "", |stage| stage.app.log.is_wrapped),
    on(&["u"], "", |stage| stage.app.log.is_raw),
    on(&["U"], "", |stage| stage.app.inspector.tab == Tab::Runs && stage.app.panels.focus == Panel::Inspector),
    on(&["T"], "", |stage| opens(stage, "Audit log")),
    on(&["z"], "right", |stage| stage.app.selected_fold().is_some()),
    on(&["alt-up"], "right down", |stage| asks(stage, "step.move")),
    on(&["alt-down"], "right", |stage| asks(stage, "step.move")),
    on(&["m"], "", |stage| !stage.app.panels.has_minimap),
    on(&["+", "="], "", |stage| stage.app.board.zoom == Zoom::Detail),
    on(&["-"], "", |stage| stage.app.board.zoom == Zoom::Compact),
    on(&["r"], "", |stage| asks(stage, "run.step")),
    on(&["x"], "", |stage| says(stage, "`plan` does not run")),
    on(&["a"], "right right", |stage| asks(stage, "gate.approve")),
    on(&["b"], "right right", |stage| asks(stage, "gate.block")),
    on(&["c"], "", |stage| opens(stage, "message")),
    Row { keys: &["v"], plan: review, before: "", is_done: |stage| opens(stage, "Review look") },
    on(&["e"], "", |stage| stage.wanted == [Effect::HandOver(vec!["prompt".into(), "edit".into(), "plan".into()])]),
    on(&["y"], "", |stage| opens(stage, "command or prompt")),
    on(&["R", "ctrl-enter"], "", |stage| asks(stage, "run.runnable")),
    on(&["A"], "", |stage| asks(stage, "run.all")),
    on(&["p"], "", |stage| opens(stage, "Change the plan")),
    on(&["ctrl-k", ":"], "", |stage| opens(stage, "Commands, steps and gates")),
    on(&["S"], "", |stage| asks(stage, "policy.set-mode")),
    on(&["i"], "", |stage| stage.app.panels.focus == Panel::Chat),
    on(&["M"], "", |stage| stage.wanted == [Effect::Mouse(false)] && stage.app.is_mouse_given),
    on(&[">"], "", |stage| stage.app.regions().inspector.width == 32),
    on(&["<"], "", |stage| stage.app.regions().inspector.width == 40),
    on(&["}"], "", |stage| stage.app.regions().log.height == 5),
    on(&["{"], "", |stage| stage.app.regions().log.height == 9),
    on(&["I"], "", |stage| stage.app.regions().inspector.width == 3),
    on(&["O"], "", |stage| stage.app.regions().log.height == 1),
    on(&["?", "f1"], "", |stage| opens(stage, "All keys")),
    on(&["ctrl-l"], "", |stage| stage.wanted == [Effect::Redraw]),
    on(&["ctrl-z"], "", |stage| stage.wanted == [Effect::Suspend]),
    on(&["ctrl-c"], "", |stage| says(stage, "q quits")),
    on(&["q"], "", |stage| stage.app.is_over),
];

#[test]
fn every_key_of_the_table_does_what_it_says() {
    for row in ROWS {
        for key in row.keys {
            let mut stage = Stage::new((140, 40), &(row.plan)());
            if !row.before.is_empty() {
                stage.press(row.before);
            }
            assert!(!(row.is_done)(&stage), "{key}: so it is already\n{}", stage.text());
            stage.press(key);
            assert!((row.is_done)(&stage), "{key} after `{}`: {:?}\n{}", row.before, stage.wanted, stage.text());
        }
    }
}

#[test]
fn no_key_is_left_out() {
    let bound: BTreeSet<&str> = BINDINGS.iter().flat_map(|row| row.keys).copied().collect();
    let pressed: BTreeSet<&str> = ROWS.iter().flat_map(|row| row.keys).copied().collect();
    let unpressed: Vec<&&str> = bound.difference(&pressed).collect();
    let unbound: Vec<&&str> = pressed.difference(&bound).collect();
    assert!(
        unpressed.is_empty() && unbound.is_empty(),
        "bound and not pressed: {unpressed:?}, pressed and not bound: {unbound:?}"
    );
}
