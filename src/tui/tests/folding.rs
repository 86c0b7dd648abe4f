//! Folded groups: keys, the mouse, both views, and what is remembered.

use crossterm::event::{
    MouseButton::{Left, Right},
    MouseEventKind::{Down, Up},
};

use super::stage::{PLAN, SIZES, Stage, shows};
use crate::{
    client::{self, Arrangement},
    layout::{Glyphs, Zoom},
    tui::effect::Effect,
};

/// Two groups side by side, and one that a gate stands in.
const GROUPS: &str = "\
version: \"1.0\"
name: groups
steps:
  - {id: start, command: \"true\", status: DONE}
  - {id: api-a, group_id: api, type: p, command: make a, depends_on: [start], status: DONE}
  - {id: api-b, group_id: api, type: p, command: make b, depends_on: [start], status: FAILED}
  - {id: api-c, group_id: api, type: p, command: make c, depends_on: [start]}
  - {id: web-a, group_id: web, type: p, command: make d, depends_on: [start], status: DONE}
  - {id: web-b, group_id: web, type: p, command: make e, depends_on: [web-a], status: DONE}
  - {id: split-a, group_id: split, command: make f, depends_on: [start]}
  - {id: split-b, group_id: split, command: make g, depends_on: [look]}
  - {id: end, command: \"true\", depends_on: [api-a, api-b, api-c, web-b, split-b]}
gates:
  - {id: look, depends_on: [split-a]}
";

fn goes_to(stage: &mut Stage, id: &str) {
    stage.press("/").write(id).press("enter esc");
    assert_eq!(stage.app.selected_id().unwrap().as_str(), id);
}

fn group(stage: &Stage) -> Option<String> {
    stage.app.selected_fold().map(|fold| fold.id.to_string())
}

#[test]
fn a_folded_group_is_one_node_and_one_row() {
    for (width, height) in SIZES {
        let mut stage = Stage::new((width, height), GROUPS);
        stage.press("2");
        goes_to(&mut stage, "api-b");
        stage.press("z");
        assert_eq!(group(&stage).as_deref(), Some("api"));
        shows!(stage, format!("folded-graph-{width}x{height}"));
        stage.press("1");
        shows!(stage, format!("folded-list-{width}x{height}"));
    }
}

#[test]
fn z_folds_and_unfolds_and_says_where_it_cannot() {
    let mut stage = Stage::new((140, 40), GROUPS);
    goes_to(&mut stage, "web-a");
    stage.press("z");
    assert!(!stage.text().contains("╭──▶│✔ web-a") && stage.text().contains("p ×2 2/2"), "{}", stage.text());
    stage.press("z");
    assert!(stage.text().contains("web-a") && group(&stage).is_none(), "{}", stage.text());
    assert_eq!(stage.app.selected_id().unwrap().as_str(), "web-a");
    goes_to(&mut stage, "start");
    stage.press("z");
    assert!(stage.text().contains("`start` is in no group"), "{}", stage.text());
    goes_to(&mut stage, "split-a");
    stage.press("z");
    let text = stage.text();
    assert!(text.contains("`split` cannot be folded: `look` lies between its members"), "{text}");
    assert!(text.contains("split-a") && stage.app.board.folded.is_empty(), "{text}");
    assert_eq!(stage.app.selected_id().unwrap().as_str(), "split-a");
}

#[test]
fn two_groups_that_wait_for_each_other_are_not_both_folded() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: a1, group_id: a, command: x}\n  - {id: b1, group_id: b, command: x, depends_on: [a1]}\n  - {id: b2, group_id: b, command: x}\n  - {id: a2, group_id: a, command: x, depends_on: [b2]}\n";
    let mut stage = Stage::new((140, 40), plan);
    goes_to(&mut stage, "a1");
    stage.press("z");
    goes_to(&mut stage, "b1");
    stage.press("z");
    assert!(stage.text().contains("`b` cannot be folded: `a` lies between"), "{}", stage.text());
}

#[test]
fn keys_walk_over_a_folded_group() {
    let mut stage = Stage::new((140, 40), GROUPS);
    goes_to(&mut stage, "api-a");
    stage.press("z");
    stage.press("left");
    assert_eq!(stage.app.selected_id().unwrap().as_str(), "start");
    stage.press("right");
    let mut seen = vec![group(&stage)];
    for key in ["up", "up", "down", "down", "down"] {
        stage.press(key);
        seen.push(group(&stage));
    }
    assert!(seen.contains(&Some("api".into())), "{seen:?}");
    stage.press("1 home");
    assert_eq!(group(&stage).as_deref(), Some("api"), "what failed comes first");
    let rows: Vec<Option<String>> = (0..6).map(|_| group(stage.press("down"))).collect();
    assert_eq!(rows.iter().flatten().count(), 0, "the list has it once: {rows:?}");
}

#[test]
fn what_is_landed_on_is_shown() {
    let mut stage = Stage::new((140, 40), GROUPS);
    goes_to(&mut stage, "api-a");
    stage.press("z .");
    assert_eq!(stage.app.selected_id().unwrap().as_str(), "api-b", "the failure is in the group: {}", stage.text());
    assert!(stage.app.board.folded.is_empty());
    stage.press("z");
    assert_eq!(group(&stage).as_deref(), Some("api"));
    goes_to(&mut stage, "api-c");
    assert!(stage.app.board.folded.is_empty());
}

#[test]
fn a_folded_group_is_run_and_nothing_else_is_done_with_it() {
    let mut stage = Stage::new((140, 40), GROUPS);
    goes_to(&mut stage, "api-a");
    stage.press("z x a e w d y c");
    assert!(stage.wanted.is_empty(), "{:?}", stage.wanted);
    stage.press("esc esc r");
    assert!(matches!(&stage.wanted[..], [Effect::Call(asked)] if asked.action.name() == "run.group"), "{:?}", stage.wanted);
}

#[test]
fn the_mouse_folds_by_the_name_and_unfolds_by_a_double_click() {
    let mut stage = Stage::new((140, 40), GROUPS);
    let name = stage.find("┄ api ┄");
    stage.mouse(Down(Left), (name.0 + 3, name.1)).mouse(Up(Left), (name.0 + 3, name.1));
    assert_eq!(group(&stage).as_deref(), Some("api"), "{}", stage.text());
    let node = stage.find("p ×3 1/3");
    stage.app.now += 1_000;
    stage.mouse(Down(Right), node);
    assert!(stage.text().contains("unfold it"), "{}", stage.text());
    stage.press("esc");
    stage.mouse(Down(Left), node).mouse(Up(Left), node);
    assert_eq!(group(&stage).as_deref(), Some("api"));
    stage.mouse(Down(Left), node);
    assert!(stage.text().contains("api-b") && group(&stage).is_none(), "{}", stage.text());
}

#[test]
fn the_palette_folds_too_and_every_zoom_draws_it() {
    let mut stage = Stage::new((140, 40), GROUPS);
    goes_to(&mut stage, "api-a");
    stage.press(":").write("fold the group").press("enter");
    assert_eq!(group(&stage).as_deref(), Some("api"));
    for zoom in [Zoom::Overview, Zoom::Compact, Zoom::Normal, Zoom::Detail] {
        let snapshot = stage.app.snapshot.clone().unwrap();
        stage.app.board.set_zoom(zoom, &snapshot);
        let text = stage.text();
        assert!(zoom == Zoom::Overview || text.contains("×3 1/3"), "{zoom:?}: {text}");
    }
    stage.app.look.glyphs = Glyphs::Ascii;
    let text = stage.text();
    assert!(text.is_ascii(), "{text}");
}

#[test]
fn a_plan_that_changes_keeps_what_is_folded() {
    let mut stage = Stage::new((140, 40), GROUPS);
    goes_to(&mut stage, "api-a");
    stage.press("z");
    stage.plan(&GROUPS.replace("status: FAILED", "status: DONE"));
    assert!(stage.text().contains("p ×3 2/3"), "{}", stage.text());
    stage.plan(PLAN);
    assert!(stage.text().contains("×2 0/2") && stage.app.board.folded.len() == 1, "a group of that name: {}", stage.text());
    stage.plan("version: \"1.0\"\nsteps:\n  - {id: only, command: x}\n");
    assert_eq!(stage.app.selected_id().unwrap().as_str(), "only");
}

#[test]
fn the_arrangement_is_remembered() {
    let mut stage = Stage::new((140, 40), GROUPS);
    stage.app.arrange(&Arrangement::default());
    goes_to(&mut stage, "web-a");
    stage.press("z < {");
    let client = client::open(Some(stage.root())).unwrap();
    let kept = client::arrangement(&client);
    assert!(kept.folded_groups.iter().any(|group| group.as_str() == "web"), "{kept:?}");
    let mut other = Stage::new((140, 40), GROUPS);
    other.app.arrange(&kept);
    let sizes = |stage: &Stage| (stage.app.regions().inspector, stage.app.regions().log);
    assert_eq!(sizes(&other), sizes(&stage));
    assert!(other.text().contains("p ×2 2/2"), "{}", other.text());
}
