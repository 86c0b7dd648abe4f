//! What keys do to the project: every one through the question that it has to ask.

use crossterm::event::Event;

use super::stage::{PLAN, Stage};
use crate::tui::{effect::Effect, inspector::Tab, msg::Msg, panels::Panel};

const OUTCOMES: &str = "\
version: \"1.0\"
steps:
  - {id: good, command: \"true\", status: DONE}
  - {id: bad, command: \"false\", status: FAILED}
  - {id: look, command: \"true\", status: NEEDS_REVIEW}
  - {id: later, command: \"true\", depends_on: [look]}
gates:
  - {id: go, depends_on: [good]}
";

fn goes_to(stage: &mut Stage, id: &str) {
    stage.press("/").write(id).press("enter esc");
    assert_eq!(stage.app.selected_id().unwrap().as_str(), id);
}

/// The names of the actions that are wanted.
fn actions(stage: &mut Stage) -> Vec<&'static str> {
    std::mem::take(&mut stage.wanted)
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Call(asked) => Some(asked.action.name()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_run_is_confirmed_and_no_is_the_default() {
    for (key, words) in [("A", "SAFE mode"), ("R", "SAFE mode"), ("r", "SAFE mode")] {
        let mut stage = Stage::new((80, 24), PLAN);
        stage.press(key);
        stage.act();
        assert!(stage.text().contains(words), "{key}: {}", stage.text());
        stage.press("enter");
        assert!(stage.wanted.is_empty(), "{key}: the harmless answer is the default");
        assert!(!stage.text().contains("Sure?"));
        stage.press(key);
        stage.act();
        stage.press("y");
        assert!(matches!(&stage.wanted[..], [Effect::Call(asked)] if asked.is_confirmed), "{key}");
    }
}

#[test]
fn what_is_done_is_run_again() {
    let mut stage = Stage::new((80, 24), OUTCOMES);
    goes_to(&mut stage, "good");
    stage.press("r");
    assert_eq!(actions(&mut stage), ["restart"]);
    goes_to(&mut stage, "later");
    stage.press("r");
    assert_eq!(actions(&mut stage), ["run.step"]);
}

#[test]
fn gates_and_reviews_are_decided() {
    let mut stage = Stage::new((80, 24), OUTCOMES);
    goes_to(&mut stage, "go");
    stage.press("a").act();
    assert!(stage.text().contains("APPROVED"), "{}", stage.text());
    let mut other = Stage::new((80, 24), OUTCOMES);
    goes_to(&mut other, "go");
    other.press("b").act();
    assert!(other.text().contains("blocked gate `go`"), "{}", other.text());
    goes_to(&mut stage, "look");
    stage.press("b");
    assert!(stage.text().contains("Esc give up"), "a reason is asked for: {}", stage.text());
    stage.press("esc a").act();
    let row = stage.app.snapshot.as_ref().unwrap().step(&"look".parse().unwrap()).unwrap();
    assert_eq!(row.status.as_str(), "DONE");
}

#[test]
fn what_does_not_run_is_not_stopped() {
    let mut stage = Stage::new((80, 24), PLAN);
    assert!(stage.press("x").text().contains("`plan` does not run"), "{}", stage.text());
    assert!(stage.wanted.is_empty());
}

#[test]
fn to_power_asks_and_to_safe_does_not() {
    let mut stage = Stage::new((80, 24), PLAN);
    stage.press("S").act();
    assert!(stage.text().contains("writing `mode: POWER`"), "{}", stage.text());
    stage.press("enter").act();
    assert!(stage.text().contains(" SAFE "), "no is the default: {}", stage.text());
    stage.press("S").act().press("right enter").act();
    assert!(stage.text().contains(" POWER "), "{}", stage.text());
    stage.press("S").act();
    assert!(stage.text().contains(" SAFE "), "{}", stage.text());
}

#[test]
fn tabs_and_reasons() {
    let mut stage = Stage::new((140, 40), PLAN);
    let mut tabs = |keys: &str| stage.press(keys).app.inspector.tab;
    assert_eq!(["]", "]", "[", "[", "["].map(&mut tabs), [Tab::Logs, Tab::Prompt, Tab::Logs, Tab::Details, Tab::Diff]);
    assert_eq!(["d", "U", "w"].map(&mut tabs), [Tab::Diff, Tab::Runs, Tab::Details]);
    assert_eq!(["right", "left"].map(&mut tabs), [Tab::Logs, Tab::Details], "arrows turn what has the keys");
    stage.press("esc").press("right right");
    stage.press("w");
    assert!(stage.text().contains("waits for"), "{}", stage.text());
}

#[test]
fn things_are_copied() {
    let mut stage = Stage::new((80, 24), PLAN);
    assert!(stage.press("y").text().contains("command or prompt"), "{}", stage.text());
    assert!(stage.press("i").text().contains("copied the id"));
    assert_eq!(stage.wanted, [Effect::Copy("plan".into())]);
    stage.press("y c");
    assert_eq!(stage.wanted[1], Effect::Copy("true".into()));
    stage.press("y z");
    assert_eq!((stage.wanted.len(), stage.app.layers.len()), (2, 0), "another key closes it and does nothing");
}

#[test]
fn the_plan_is_changed_by_its_menu() {
    let mut stage = Stage::new((80, 24), PLAN);
    let ids = |stage: &Stage| -> Vec<String> {
        stage.app.snapshot.as_ref().unwrap().graph.nodes.iter().map(|node| node.id.to_string()).collect()
    };
    stage.press("p n").write("extra").press("enter").act();
    assert!(ids(&stage).contains(&"extra".to_owned()), "{}", stage.text());
    stage.press("p u").act();
    assert!(!ids(&stage).contains(&"extra".to_owned()), "{}", stage.text());
    stage.press("p r").act();
    assert!(ids(&stage).contains(&"extra".to_owned()), "{}", stage.text());
    goes_to(&mut stage, "extra");
    stage.press("p x enter").act();
    assert!(stage.text().contains("Sure?"), "taking something away asks: {}", stage.text());
    stage.press("enter").press("esc");
    assert!(ids(&stage).contains(&"extra".to_owned()));
    for key in ["a", "g", "f", "t", "p", "e", "c", "d", "D"] {
        stage.press("p").press(key);
        assert_eq!(stage.app.layers.len(), 1, "{key} opens a form: {}", stage.text());
        stage.press("esc");
    }
}

#[test]
fn the_palette_finds_and_takes_whole_commands() {
    let mut stage = Stage::new((80, 24), PLAN);
    stage.press("ctrl-k").write("zoom in");
    assert!(stage.text().contains("zoom in"), "{}", stage.text());
    stage.press("enter");
    assert_eq!(stage.app.board.zoom, crate::layout::Zoom::Detail);
    stage.press(":").write("go to deploy").press("enter");
    assert_eq!(stage.app.selected_id().unwrap().as_str(), "deploy");
    stage.press(":").write("gate approve review --ahead").press("enter");
    assert_eq!(actions(&mut stage), ["gate.approve"]);
    stage.press(":").write("gate approve --no-such-flag");
    assert!(stage.text().contains("--no-such-flag"), "what is wrong is said: {}", stage.text());
    stage.press("enter");
    assert!(actions(&mut stage).is_empty());
    stage.press("ctrl-c");
    assert!(stage.app.layers.is_empty());
}

#[test]
fn a_form_says_what_is_wrong_while_it_is_typed() {
    let mut stage = Stage::new((80, 24), PLAN);
    stage.press("p n").write("Bad Id");
    assert!(stage.text().contains("`Bad Id` cannot be an id"), "{}", stage.text());
    stage.press("ctrl-u").write("plan");
    assert!(stage.text().contains("is taken") || stage.text().contains("already"), "{}", stage.text());
    stage.press("enter").act();
    assert_eq!(stage.app.layers.len(), 1, "what could not be done stays");
    stage.press("esc p d").write("impl");
    assert!(stage.text().contains("implement-a"), "an id is completed: {}", stage.text());
    stage.press("right");
    let text = stage.text();
    assert!(text.contains("would") || text.contains("implement-a"), "{text}");
}

#[test]
fn a_paste_is_never_a_key() {
    let mut stage = Stage::new((80, 24), PLAN);
    stage.tell(Msg::Input(Event::Paste("qAx\r\nq".into())));
    assert!(!stage.app.is_over && stage.wanted.is_empty());
    assert_eq!((stage.app.chat.lines(), stage.app.panels.focus), (&["qAx".to_owned(), "q".to_owned()][..], Panel::Chat));
    stage.press("q enter").press("ctrl-j").write("more");
    assert!(!stage.app.is_over, "letters are letters in the chat");
    assert_eq!(stage.app.chat.lines().last().unwrap(), "more");
    stage.press("esc /");
    stage.tell(Msg::Input(Event::Paste("deploy\nq".into())));
    assert_eq!(stage.app.selected_id().unwrap().as_str(), "deploy");
}

#[test]
fn the_screen_is_left_and_given_away() {
    let mut stage = Stage::new((80, 24), PLAN);
    stage.press("M ctrl-l ctrl-z M");
    assert_eq!(stage.wanted, [Effect::Mouse(false), Effect::Redraw, Effect::Suspend, Effect::Mouse(true)]);
    stage.wanted.clear();
    assert!(stage.press("ctrl-c").text().contains("q quits"), "{}", stage.text());
    stage.press("?");
    assert!(stage.text().contains("All keys"));
    stage.press("ctrl-c");
    assert!(stage.app.layers.is_empty());
    stage.press("e");
    assert_eq!(stage.wanted, [Effect::HandOver(vec!["prompt".into(), "edit".into(), "plan".into()])]);
    stage.wanted.clear();
    stage.press("q");
    assert!(stage.app.is_over);
    assert_eq!(stage.wanted, [Effect::Quit]);
}

#[test]
fn a_review_has_its_menu_and_a_session_its_message() {
    let mut stage = Stage::new((80, 24), OUTCOMES);
    goes_to(&mut stage, "look");
    assert!(stage.press("v").text().contains("reject"), "{}", stage.text());
    stage.press("d");
    assert_eq!(stage.app.inspector.tab, Tab::Diff);
    stage.press("esc c");
    assert!(stage.text().contains("message"), "{}", stage.text());
    stage.press("esc T");
    assert!(stage.text().contains("Audit log"), "{}", stage.text());
}
