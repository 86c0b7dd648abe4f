//! The mouse.

use crossterm::event::{
    MouseButton::{Left, Right},
    MouseEventKind::{Down, Drag, ScrollDown, ScrollUp, Up},
};

use super::stage::{PLAN, Stage, chain};
use crate::{
    action::Action,
    layout::Zoom,
    tui::{effect::Effect, inspector::Tab, panels::Panel},
};

fn selected(stage: &Stage) -> String {
    stage.app.selected_id().unwrap().to_string()
}

#[test]
fn a_click_selects_and_two_open() {
    let mut stage = Stage::new((140, 40), PLAN);
    let review = stage.find("review");
    stage.mouse(Down(Left), review).mouse(Up(Left), review);
    assert_eq!(selected(&stage), "review");
    stage.mouse(Down(Left), review).mouse(Up(Left), review);
    assert_eq!(stage.app.panels.focus, Panel::Inspector, "a gate is opened");
    let plan = stage.find("○ plan");
    stage.mouse(Down(Left), plan).mouse(Up(Left), plan);
    assert_eq!(selected(&stage), "plan");
    stage.app.now += 1_000;
    stage.mouse(Down(Left), plan).mouse(Up(Left), plan);
    assert!(stage.app.layers.is_empty(), "too slow for a double click");
    stage.mouse(Down(Left), plan);
    assert!(stage.text().contains("Prompt · plan"), "{}", stage.text());
}

#[test]
fn a_row_of_the_list_is_clicked_and_scrolled() {
    let mut stage = Stage::new((80, 24), &chain(40));
    let row = stage.find("step-3");
    stage.mouse(Down(Left), row);
    assert_eq!(selected(&stage), "step-3");
    stage.mouse(ScrollDown, row);
    assert!(!stage.text().contains("step-0 "), "{}", stage.text());
    stage.mouse(ScrollUp, row);
    assert!(stage.text().contains("step-0 "), "{}", stage.text());
}

#[test]
fn the_right_button_opens_a_menu_where_it_is() {
    let mut stage = Stage::new((140, 40), PLAN);
    let place = stage.find("implement-b");
    stage.mouse(Down(Right), place);
    let text = stage.text();
    assert!(text.contains("why it does not run") && selected(&stage) == "implement-b", "{text}");
    let entry = stage.find("copy its id");
    stage.mouse(Down(Left), entry);
    assert!(stage.text().contains("command or prompt"), "{}", stage.text());
    stage.mouse(Down(Left), (0, 39));
    assert!(stage.app.layers.is_empty(), "a click beside it closes it");
}

#[test]
fn the_ground_is_dragged_and_the_wheel_pans() {
    let mut stage = Stage::new((140, 40), &chain(40));
    let ground = (20, 25);
    stage.mouse(Down(Left), ground).mouse(Drag(Left), (10, 25));
    assert_eq!(stage.app.board.origin.x, 10);
    stage.mouse(Drag(Left), (20, 25)).mouse(Up(Left), (20, 25)).mouse(Drag(Left), (10, 25));
    assert_eq!(stage.app.board.origin.x, 0, "it is let go");
    let tall: String = (0..60).map(|at| format!("  - {{id: s-{at}, command: \"true\"}}\n")).collect();
    let mut stage = Stage::new((140, 40), &format!("version: \"1.0\"\nsteps:\n{tall}"));
    stage.mouse(ScrollDown, ground);
    assert_eq!(stage.app.board.origin.y, 3);
    stage.mouse(ScrollUp, ground);
    assert_eq!(stage.app.board.origin.y, 0);
}

#[test]
fn borders_are_dragged() {
    let mut stage = Stage::new((140, 40), PLAN);
    let before = stage.app.regions();
    let (side, top) = ((before.inspector.x, 5), (20, before.log.y));
    stage.mouse(Down(Left), side).mouse(Drag(Left), (side.0 - 10, 5)).mouse(Up(Left), (side.0 - 10, 5));
    assert_eq!(stage.app.regions().inspector.width, before.inspector.width + 10);
    stage.mouse(Down(Left), top).mouse(Drag(Left), (20, top.1 - 5)).mouse(Up(Left), (20, top.1 - 5));
    assert_eq!(stage.app.regions().log.height, before.log.height + 5);
}

#[test]
fn a_box_is_connected_from_its_right_edge() {
    let mut stage =
        Stage::new((140, 40), "version: \"1.0\"\nsteps:\n  - {id: one, command: \"true\"}\n  - {id: two, command: \"true\"}\n");
    let (x, y) = stage.find("○ one");
    let right = (x..140).find(|&x| stage.cell(x, y) == "│").unwrap();
    let two = stage.find("two");
    stage.mouse(Down(Left), (right, y)).mouse(Drag(Left), two).mouse(Up(Left), two);
    assert!(
        matches!(&stage.wanted[..], [Effect::Call(asked)] if matches!(&asked.action, Action::DepAdd(add) if add.id.as_str() == "two"))
    );
    stage.act();
    assert!(stage.text().contains("──▶"), "{}", stage.text());
}

#[test]
fn the_map_is_jumped_about() {
    let mut stage = Stage::new((140, 40), &chain(40));
    let map = crate::tui::minimap::Minimap::of(&stage.app).unwrap().inside();
    stage.mouse(Down(Left), (map.right() - 1, map.y));
    assert!(stage.text().contains("step-39"), "{}", stage.text());
    stage.mouse(Down(Left), (map.x, map.y));
    assert!(stage.text().contains("step-0 "), "{}", stage.text());
}

#[test]
fn every_button_does_something() {
    let mut stage = Stage::new((140, 40), PLAN);
    let click = |stage: &mut Stage, text: &str| {
        let place = stage.find(text);
        stage.mouse(Down(Left), place).mouse(Up(Left), place);
    };
    click(&mut stage, "−");
    assert_eq!(stage.app.board.zoom, Zoom::Compact);
    click(&mut stage, "+");
    assert_eq!(stage.app.board.zoom, Zoom::Normal);
    click(&mut stage, "▣");
    assert!(!stage.app.panels.has_minimap);
    for (button, shown) in [("? help", "All keys"), ("/ search", "0 hits")] {
        click(&mut stage, button);
        if shown == "0 hits" {
            stage.write("zzz");
        }
        assert!(stage.text().contains(shown), "{button}: {}", stage.text());
        stage.press("esc");
    }
    click(&mut stage, " SAFE ");
    assert!(matches!(&stage.wanted[..], [Effect::Call(asked)] if asked.action.name() == "policy.set-mode"), "{:?}", stage.wanted);
    stage.wanted.clear();
    click(&mut stage, "Run runnable");
    assert!(matches!(&stage.wanted[..], [Effect::Call(asked)] if asked.action.name() == "run.runnable"));
    click(&mut stage, "Diff");
    assert_eq!(stage.app.inspector.tab, Tab::Diff);
}
