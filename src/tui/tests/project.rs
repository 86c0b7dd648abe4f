//! What the client tells of a project: needs, the bell, a broken plan.

use ratatui::style::Modifier;

use super::stage::Stage;
use crate::tui::effect::Effect;

const PLAN: &str = "\
version: \"1.0\"
steps:
  - {id: build, command: make, status: FAILED}
  - {id: test, command: \"true\", depends_on: [review]}
  - {id: deploy, command: \"true\", depends_on: [test]}
gates:
  - {id: review}
";

#[test]
fn the_point_key_goes_through_what_needs_a_person() {
    let mut stage = Stage::new((140, 40), PLAN);
    let needs: Vec<String> = stage.app.snapshot.as_ref().unwrap().needs().iter().filter_map(|need| need.id.clone()).collect();
    assert_eq!(needs, ["review", "build"], "the gate holds up two steps, the failure none");
    let mut at = || stage.press(".").app.selected_id().unwrap().to_string();
    assert_eq!([at(), at(), at()], ["review", "build", "review"]);
    let screen = stage.text();
    assert!(screen.contains("seqctl gate approve review"), "{screen}");
    assert!(screen.contains("2 need you"), "{screen}");
    stage.press("!");
    let screen = stage.text();
    assert!(screen.contains("What needs you") && screen.contains("`build` failed"), "{screen}");
}

#[test]
fn a_new_need_rings_once() {
    let mut stage = Stage::new((80, 24), PLAN);
    assert!(stage.wanted.is_empty(), "what was there before rings nobody");
    stage.plan(&PLAN.replace("  - {id: review}\n", "  - {id: review}\n  - {id: ship}\n"));
    let wanted = std::mem::take(&mut stage.wanted);
    assert!(matches!(&wanted[..], [Effect::Ring(words)] if words.ends_with("gate `ship` waits for you")), "{wanted:?}");
    stage.look();
    assert!(stage.wanted.is_empty());
}

#[test]
fn a_broken_plan_shows_its_line_over_the_last_good_graph() {
    let mut stage = Stage::new((140, 40), PLAN);
    stage.plan(&PLAN.replace("depends_on: [review]", "depends_on: [reviw]"));
    let screen = stage.text();
    assert!(screen.contains("sequence.yaml cannot be read") && screen.contains("reviw"), "{screen}");
    assert!(screen.contains("deploy"), "the last good graph stays\n{screen}");
    let (x, y) = stage.find("deploy");
    assert!(stage.buffer()[(x, y)].modifier.contains(Modifier::DIM));
    stage.plan(&PLAN.replace("id: deploy", "id: release"));
    let screen = stage.text();
    assert!(screen.contains("release") && !screen.contains("cannot be read"), "{screen}");
}

#[test]
fn places_are_found_once_for_each_plan() {
    let mut stage = Stage::new((140, 40), PLAN);
    let layout = |stage: &Stage| std::sync::Arc::clone(&stage.app.snapshot.as_ref().unwrap().graph.layout);
    let first = layout(&stage);
    stage.plan(&PLAN.replace("FAILED", "READY"));
    assert!(std::sync::Arc::ptr_eq(&first, &layout(&stage)), "a status moves nothing");
    stage.plan(&PLAN.replace("id: deploy", "id: release"));
    assert!(!std::sync::Arc::ptr_eq(&first, &layout(&stage)));
}
