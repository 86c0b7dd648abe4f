//! The tabs of the inspector.

use ratatui::style::Color;

use super::stage::Stage;
use crate::tui::panels::Panel;

const PLAN: &str = "\
version: \"1.0\"
steps:
  - {id: plan, command: \"echo planned\"}
  - {id: make-it, group_id: api, prompt: \"# Make it\\n\\nWith **care** and `tests`.\", depends_on: [plan, look]}
  - {id: ship, command: make ship, depends_on: [make-it]}
gates:
  - {id: look, depends_on: [plan], name: Look at the plan}
";

#[test]
fn details_of_a_step_say_everything_of_it() {
    let mut stage = Stage::new((140, 40), PLAN);
    stage.press("right right");
    assert_eq!(stage.app.selected_id().unwrap().as_str(), "make-it");
    let screen = stage.text();
    for words in ["BLOCKED", "p · group api", "cwd      .", "needs    ○ plan", "◆ look", "unlocks  ◌ ship"] {
        assert!(screen.contains(words), "no `{words}`\n{screen}");
    }
    stage.press("tab enter");
    assert!(stage.text().contains("Change fields") || stage.text().contains("depends_on"), "{}", stage.text());
    assert_eq!(stage.app.layers.len(), 1);
}

#[test]
fn details_of_a_gate_say_what_it_waits_for_and_how_to_decide() {
    let mut stage = Stage::new((140, 40), PLAN);
    stage.press("right");
    assert_eq!(stage.app.selected_id().unwrap().as_str(), "look");
    let screen = stage.text();
    for words in ["PENDING · not reached", "Look at the plan", "after    ○ plan", "◌ make-it", "a approve  b block"] {
        assert!(screen.contains(words), "no `{words}`\n{screen}");
    }
}

#[test]
fn a_prompt_is_told_apart() {
    let mut stage = Stage::new((140, 40), PLAN);
    stage.press("right right ] ]");
    let screen = stage.text();
    assert!(screen.contains("With **care** and `tests`."), "{screen}");
    let code = stage.find("tests`");
    assert_eq!(stage.buffer()[code].fg, Color::Green);
}

#[test]
fn the_inspector_scrolls_to_its_end_and_no_further() {
    let long: Vec<String> = (0..80).map(|line| format!("line {line}")).collect();
    let mut stage = Stage::new((140, 40), &PLAN.replace("# Make it", &long.join("\\n")));
    stage.press("right right ] ] tab");
    assert_eq!(stage.app.panels.focus, Panel::Inspector);
    stage.press("end");
    let end = stage.app.inspector.scroll;
    assert!(stage.text().contains("tests`") && end > 0, "{}", stage.text());
    stage.press("down down pagedown");
    assert_eq!(stage.app.inspector.scroll, end);
    stage.press("up");
    assert_eq!(stage.app.inspector.scroll, end - 1);
    stage.press("home");
    assert!(stage.text().contains("line 0"));
}

#[test]
fn a_folded_inspector_is_a_rail() {
    let mut stage = Stage::new((140, 40), PLAN);
    stage.press("I");
    let screen = stage.text();
    assert!(!screen.contains("Details") && screen.lines().nth(2).unwrap().ends_with("│○│"), "{screen}");
}
