//! A first walk over the screen.

use super::stage::{SIZES, Stage, shows};
use crate::tui::effect::Effect;

const PLAN: &str = "\
version: \"1.0\"
name: payments-migration
steps:
  - {id: plan, command: \"true\"}
  - {id: implement-a, group_id: api, command: make a, depends_on: [plan]}
  - {id: implement-b, group_id: api, command: make b, depends_on: [plan]}
  - {id: deploy, command: make deploy, depends_on: [review]}
gates:
  - {id: review, name: Review the API, depends_on: [implement-a, implement-b]}
";

#[test]
fn the_screen_at_every_size() {
    for (width, height) in SIZES {
        let stage = Stage::new((width, height), PLAN);
        shows!(stage, format!("first-{width}x{height}"));
    }
}

#[test]
fn keys_move_along_edges() {
    let mut stage = Stage::new((140, 40), PLAN);
    let mut at = |keys: &str| stage.press(keys).app.selected_id().unwrap().to_string();
    assert_eq!(
        ["right", "down", "right", "right", "right"].map(&mut at),
        ["implement-a", "implement-b", "review", "deploy", "deploy"]
    );
    assert_eq!(["left", "left", "left", "h"].map(&mut at), ["review", "implement-a", "plan", "plan"]);
}

#[test]
fn a_run_is_confirmed_and_quitting_leaves() {
    let mut stage = Stage::new((80, 24), PLAN);
    stage.press("A");
    stage.act();
    assert!(stage.text().contains("SAFE mode"), "{}", stage.text());
    stage.press("enter");
    assert!(stage.wanted.is_empty(), "the harmless answer is the default");
    stage.press("q");
    assert_eq!(stage.wanted, [Effect::Quit]);
}
