//! Boxes that are put above or below others of their column.

use crossterm::event::{
    MouseButton::Left,
    MouseEventKind::{Down, Drag, Up},
};

use super::stage::{PLAN, Stage};
use crate::{action::Action, tui::effect::Effect};

/// Five steps side by side, two of them a group, and one that follows.
const WIDE: &str = "\
version: \"1.0\"
steps:
  - {id: root, command: x}
  # about a
  - {id: a, command: x, depends_on: [root]}
  - {id: b, command: x, depends_on: [root]}
  - {id: g-1, group_id: g, command: x, depends_on: [root]}
  - {id: g-2, group_id: g, command: x, depends_on: [root]}
  - {id: c, command: x, depends_on: [root]}
";

fn column(stage: &Stage) -> Vec<String> {
    let snapshot = stage.app.snapshot.as_ref().unwrap();
    let layout = &snapshot.graph.layout;
    layout.nodes_in(1).map(|at| snapshot.node(at).id.to_string()).collect()
}

fn goes_to(stage: &mut Stage, id: &str) {
    let at = stage.app.snapshot.as_ref().unwrap().find(&id.parse().unwrap()).unwrap();
    stage.app.select(at);
    assert_eq!(stage.app.selected_id().unwrap().as_str(), id);
}

/// Where the name of a box stands.
fn place(stage: &Stage, id: &str) -> (u16, u16) {
    let (x, y) = stage.find(&format!("│◌ {id} "));
    (x + 3, y)
}

/// Drags a box by its name.
fn drag(stage: &mut Stage, from: (u16, u16), to: (u16, u16)) {
    stage.mouse(Down(Left), from).mouse(Drag(Left), to).mouse(Up(Left), to);
}

#[test]
fn a_step_is_moved_with_keys_and_the_plan_follows() {
    let mut stage = Stage::new((140, 40), WIDE);
    assert_eq!(column(&stage), ["a", "b", "g-1", "g-2", "c"]);
    goes_to(&mut stage, "b");
    stage.press("alt-up").act();
    assert_eq!(column(&stage), ["b", "a", "g-1", "g-2", "c"], "{}", stage.text());
    assert_eq!(stage.app.selected_id().unwrap().as_str(), "b", "it stays selected");
    let text = std::fs::read_to_string(stage.root().join(".threados/sequence.yaml")).unwrap();
    assert!(text.contains("{id: b, command: x, depends_on: [root]}\n  # about a\n  - {id: a,"), "{text}");
    stage.press("alt-up");
    assert!(stage.wanted.is_empty() && stage.text().contains("it is the first of its column already"), "{}", stage.text());
    stage.press("alt-down").act();
    stage.press("alt-down").act();
    assert_eq!(column(&stage), ["a", "g-1", "g-2", "b", "c"], "a group is passed whole: {}", stage.text());
    stage.press("p k").act();
    assert_eq!(column(&stage), ["a", "b", "g-1", "g-2", "c"]);
    stage.press("p u").act();
    assert_eq!(column(&stage), ["a", "g-1", "g-2", "b", "c"], "and it can be taken back");
}

#[test]
fn members_change_places_within_their_group() {
    let mut stage = Stage::new((140, 40), WIDE);
    goes_to(&mut stage, "g-2");
    stage.press("alt-up").act();
    assert_eq!(column(&stage), ["a", "b", "g-2", "g-1", "c"]);
}

#[test]
fn a_box_is_dragged_onto_another_or_between_two() {
    let mut stage = Stage::new((140, 40), WIDE);
    let (c, a) = (place(&stage, "c"), place(&stage, "a"));
    drag(&mut stage, c, a);
    stage.act();
    assert_eq!(column(&stage), ["c", "a", "b", "g-1", "g-2"], "{}", stage.text());
    let (c, b) = (place(&stage, "c"), place(&stage, "b"));
    drag(&mut stage, c, (b.0, b.1 + 3));
    stage.act();
    assert_eq!(column(&stage), ["a", "b", "c", "g-1", "g-2"], "{}", stage.text());
    let c = place(&stage, "c");
    drag(&mut stage, c, (c.0, c.1 + 1));
    assert!(stage.wanted.is_empty(), "on itself: {:?}", stage.wanted);
    drag(&mut stage, c, (100, 27));
    assert!(stage.wanted.is_empty(), "beside its column: {:?}", stage.wanted);
}

#[test]
fn what_lines_decide_stays_and_says_why() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: p, command: x}\n  - {id: q, command: x}\n  - {id: x, command: x, depends_on: [p]}\n  - {id: y, command: x, depends_on: [q]}\n";
    let mut stage = Stage::new((140, 40), plan);
    goes_to(&mut stage, "y");
    stage.press("alt-up");
    assert!(stage.wanted.is_empty() && stage.text().contains("`y` stays where it is"), "{}", stage.text());
    goes_to(&mut stage, "q");
    stage.press("alt-up").act();
    assert_eq!(column(&stage), ["y", "x"], "what follows it comes along: {}", stage.text());
}

#[test]
fn a_gate_has_no_place_among_steps_and_a_lane_is_still_changed() {
    let mut stage = Stage::new((140, 40), &PLAN.replace("depends_on: [implement-a, implement-b]", "depends_on: [plan]"));
    goes_to(&mut stage, "review");
    stage.press("alt-up");
    assert!(stage.wanted.is_empty() && stage.text().contains("the order of the plan is one of steps"), "{}", stage.text());
    let lanes = WIDE.replace("{id: b,", "{id: b, lane: low,");
    let mut stage = Stage::new((140, 40), &lanes);
    let (a, b) = (place(&stage, "a"), place(&stage, "b"));
    drag(&mut stage, a, b);
    assert!(
        matches!(&stage.wanted[..], [Effect::Call(asked)] if matches!(&asked.action, Action::StepEdit(edit) if edit.fields.lane.as_deref() == Some("low"))),
        "{:?}",
        stage.wanted
    );
}
