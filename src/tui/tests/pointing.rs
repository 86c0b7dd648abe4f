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

#[test]
fn an_edge_that_would_close_a_circle_is_refused() {
    let plan =
        "version: \"1.0\"\nsteps:\n  - {id: one, command: \"true\"}\n  - {id: two, command: \"true\", depends_on: [one]}\n";
    let mut stage = Stage::new((140, 40), plan);
    let (x, y) = stage.find("◌ two");
    let right = (x..140).find(|&x| stage.cell(x, y) == "│").unwrap();
    let one = stage.find("○ one");
    stage.mouse(Down(Left), (right, y)).mouse(Drag(Left), one).mouse(Up(Left), one);
    stage.act();
    assert!(stage.text().contains("cycle") || stage.text().contains("circle"), "{}", stage.text());
    assert_eq!(std::fs::read_to_string(stage.root().join(".threados/sequence.yaml")).unwrap(), plan);
}

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    let long: Vec<String> = (0..80).map(|line| format!("line {line}")).collect();
    let plan = format!("version: \"1.0\"\nsteps:\n  - {{id: a, prompt: \"{}\"}}\n", long.join("\\n"));
    let mut stage = Stage::new((140, 40), &plan);
    stage.press("] ]");
    let inside = stage.app.regions().inspector;
    let place = (inside.x + 3, inside.y + 3);
    stage.mouse(ScrollDown, place);
    assert!(!stage.text().contains("line 2 ") && stage.text().contains("line 3 "), "{}", stage.text());
    stage.mouse(ScrollUp, place).mouse(ScrollUp, place);
    assert!(stage.text().contains("line 0 "), "{}", stage.text());
    assert_eq!(stage.app.panels.focus, Panel::Board, "the wheel takes no focus");
    stage.press("?");
    let before = stage.text();
    stage.resize((140, 20)).mouse(ScrollDown, (70, 10));
    assert_ne!(stage.text(), before, "help is longer than that");
}

#[test]
fn a_click_gives_a_panel_the_keys() {
    let mut stage = Stage::new((140, 40), PLAN);
    let regions = stage.app.regions();
    let click = |stage: &mut Stage, (x, y): (u16, u16)| stage.mouse(Down(Left), (x, y)).mouse(Up(Left), (x, y)).app.panels.focus;
    assert_eq!(click(&mut stage, (regions.inspector.x + 5, 10)), Panel::Inspector);
    assert_eq!(click(&mut stage, (20, regions.log.y + 2)), Panel::Log);
    assert_eq!(click(&mut stage, (20, regions.chat.y)), Panel::Chat);
    assert_eq!(click(&mut stage, (3, 20)), Panel::Board);
    let mut narrow = Stage::new((80, 24), PLAN);
    assert_eq!(click(&mut narrow, (4, 0)), Panel::Board, "what is not shown takes no keys");
    narrow.press("enter");
    let tab = narrow.find("Prompt");
    narrow.mouse(Down(Left), tab);
    assert_eq!(narrow.app.inspector.tab, Tab::Prompt);
}

#[test]
fn a_menu_that_outlives_what_it_names_says_so() {
    let mut stage = Stage::new((140, 40), PLAN);
    stage.press("ctrl-k").write("go to deploy");
    stage.plan("version: \"1.0\"\nsteps:\n  - {id: only, command: make}\n");
    stage.press("enter");
    assert!(stage.text().contains("`deploy` is not in the plan any more"), "{}", stage.text());
    stage.press("p ctrl-c");
    assert!(stage.app.layers.is_empty(), "Ctrl-C is no letter");
}

#[test]
fn taking_away_is_asked_twice_in_safe_mode() {
    let mut stage = Stage::new((140, 40), PLAN);
    stage.press("end p x enter").act();
    assert!(stage.text().contains("Sure?"), "{}", stage.text());
    stage.press("ctrl-y");
    assert!(stage.wanted.is_empty() && stage.app.layers.len() == 2, "Ctrl-Y is no yes");
    stage.press("y");
    assert!(stage.wanted.is_empty() && stage.text().contains("a second time"), "{}", stage.text());
    stage.press("enter");
    assert!(stage.wanted.is_empty(), "no is the default again");
    stage.press("esc p x enter").act().press("y y").act();
    assert!(stage.app.snapshot.as_ref().unwrap().find(&"deploy".parse().unwrap()).is_none(), "{}", stage.text());
}
