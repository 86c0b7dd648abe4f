//! Going about: the board, its window, searches, panels and views.

use super::stage::{PLAN, Stage, chain};
use crate::{
    layout::Zoom,
    tui::panels::{Panel, View},
};

fn selected(stage: &Stage) -> String {
    stage.app.selected_id().unwrap().to_string()
}

#[test]
fn keys_move_along_edges() {
    let mut stage = Stage::new((140, 40), PLAN);
    let mut at = |keys: &str| selected(stage.press(keys));
    assert_eq!(
        ["right", "down", "right", "right", "right"].map(&mut at),
        ["implement-a", "implement-b", "review", "deploy", "deploy"]
    );
    assert_eq!(["left", "left", "left", "h"].map(&mut at), ["review", "implement-a", "plan", "plan"]);
    assert_eq!(["l", "j", "k"].map(&mut at), ["implement-a", "implement-b", "implement-a"]);
}

#[test]
fn keys_move_in_the_list() {
    let mut stage = Stage::new((80, 24), &chain(40));
    let mut at = |keys: &str| selected(stage.press(keys));
    assert_eq!(
        ["j", "k", "k", "pagedown", "pageup", "end", "home", "G", "g", "ctrl-d", "ctrl-u"].map(&mut at),
        ["step-1", "step-0", "step-0", "step-10", "step-0", "step-39", "step-0", "step-39", "step-0", "step-10", "step-0"]
    );
    assert!(stage.press("end").text().contains("step-39"), "what is selected is seen: {}", stage.text());
}

#[test]
fn the_window_pans_and_zooms() {
    let mut stage = Stage::new((140, 40), &chain(40));
    assert_eq!(stage.app.board.origin.x, 0);
    let left = stage.press("shift-right").app.board.origin.x;
    assert!(left > 0);
    assert_eq!(stage.press("L H shift-left").app.board.origin.x, 0);
    assert_eq!(stage.press("shift-left").app.board.origin.x, 0, "there is nothing there");
    assert_eq!(stage.press("shift-down J").app.board.origin.y, 0, "all of it is seen");
    assert_eq!(stage.app.board.zoom, Zoom::Normal);
    let zooms: Vec<Zoom> = ["+", "=", "-", "-", "-", "-"].map(|key| stage.press(key).app.board.zoom).into();
    assert_eq!(zooms, [Zoom::Detail, Zoom::Detail, Zoom::Normal, Zoom::Compact, Zoom::Overview, Zoom::Overview]);

    let tall: String = (0..60).map(|at| format!("  - {{id: s-{at}, command: \"true\"}}\n")).collect();
    let mut stage = Stage::new((140, 40), &format!("version: \"1.0\"\nsteps:\n{tall}"));
    let top = stage.press("shift-down").app.board.origin.y;
    assert!(top > 0);
    assert_eq!(stage.press("J K shift-up").app.board.origin.y, 0);
}

#[test]
fn a_search_filters_and_is_stepped_through() {
    let mut stage = Stage::new((80, 24), PLAN);
    stage.press("/").write("implement");
    let text = stage.text();
    assert!(text.contains("2 hits") && !text.contains("deploy     "), "{text}");
    assert_eq!(selected(&stage), "implement-a");
    let mut at = |keys: &str| selected(stage.press(keys));
    assert_eq!(["enter", "n", "n", "N"].map(&mut at), ["implement-a", "implement-b", "implement-a", "implement-b"]);
    assert!(stage.press("esc").text().contains("deploy"), "{}", stage.text());
    assert!(stage.press("n").text().contains("nothing is being searched for"));

    stage.press("home /").write("deploy").press("esc");
    assert_eq!(selected(&stage), "plan", "Esc goes back to where it began");
    stage.press("/").write("zzz");
    assert!(stage.text().contains("0 hits"), "{}", stage.text());
}

#[test]
fn tab_goes_about_the_panels_that_are_shown() {
    let mut stage = Stage::new((140, 40), PLAN);
    let mut at = |keys: &str| stage.press(keys).app.panels.focus;
    let ways = ["tab", "tab", "tab", "tab", "backtab", "backtab", "esc", "i", "esc"].map(&mut at);
    use Panel::{Board, Chat, Inspector, Log};
    assert_eq!(ways, [Inspector, Log, Chat, Board, Chat, Log, Board, Chat, Board]);
    let mut stage = Stage::new((80, 24), PLAN);
    let mut at = |keys: &str| stage.press(keys).app.panels.focus;
    assert_eq!(["tab", "tab", "tab"].map(&mut at), [Log, Chat, Board], "the inspector is not there");
    assert_eq!(["enter", "esc"].map(&mut at), [Inspector, Board]);
}

#[test]
fn views_are_chosen() {
    let mut stage = Stage::new((140, 40), PLAN);
    let views = ["1", "2"].map(|key| stage.press(key).app.view());
    assert_eq!((stage.app.view(), views), (View::Graph, [View::List, View::Graph]));
    assert_eq!(Stage::new((72, 50), PLAN).app.view(), View::List);
    let mut stage = Stage::new((140, 40), &chain(40));
    let with = stage.text();
    assert!(with.contains("map"), "{with}");
    assert!(!stage.press("m").text().contains("map"));
    assert_eq!(stage.press("m").text(), with);
}

#[test]
fn the_next_thing_that_needs_a_person() {
    let plan = "version: \"1.0\"\nsteps:\n  - {id: a, command: \"true\"}\n  - {id: b, command: \"false\", status: FAILED}\n  \
        - {id: c, command: \"true\", status: NEEDS_REVIEW}\ngates:\n  - {id: go, depends_on: []}\n";
    let mut stage = Stage::new((80, 24), plan);
    let mut seen: Vec<String> = (0..3).map(|_| selected(stage.press("."))).collect();
    assert_eq!(selected(stage.press(".")), seen[0], "round and round");
    seen.sort();
    assert_eq!(seen, ["b", "c", "go"]);
    let mut calm = Stage::new((80, 24), "version: \"1.0\"\nsteps:\n  - {id: a, command: \"true\"}\n");
    assert!(calm.press(".").text().contains("nothing needs you"));
    assert!(calm.press("!").text().contains("What needs you"));
}

#[test]
fn panels_are_sized_and_folded() {
    let mut stage = Stage::new((140, 40), PLAN);
    let before = stage.app.regions();
    let wider = stage.press("<").app.regions().inspector.width;
    assert!(wider > before.inspector.width);
    assert_eq!(stage.press(">").app.regions(), before);
    assert!(stage.press("{").app.regions().log.height > before.log.height);
    assert_eq!(stage.press("}").app.regions(), before);
    assert_eq!(stage.press("I").app.regions().inspector.width, 3);
    assert_eq!(stage.press("O").app.regions().log.height, 1);
    assert_eq!(stage.press("I O").app.regions(), before);
    let full = stage.press("o").app.regions();
    assert_eq!((full.board.area(), full.inspector.area(), full.log.width), (0, 0, 140));
    assert_eq!(stage.press("esc").app.regions(), before);
}
