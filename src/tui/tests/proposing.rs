//! Proposals: from a file to a card and ghosts, and what a person decides.

use crossterm::event::{
    MouseButton::Left,
    MouseEventKind::{Down, ScrollDown},
};
use ratatui::style::{Color, Modifier};

use super::stage::{PLAN, SIZES, Stage, shows};
use crate::{
    layout::{Glyphs, Zoom},
    tui::{effect::Effect, panels::Panel, theme::Theme},
};

/// Adds a step behind another one, takes one away, and changes one.
const ACTIONS: &str = r#"[
  {"action": "step.add", "id": "verify", "command": "make verify", "dependsOn": ["deploy"]},
  {"action": "step.rm", "id": "implement-b", "cascade": true},
  {"action": "gate.insert", "id": "ship", "dependsOn": ["review"], "before": ["deploy"]},
  {"action": "step.edit", "id": "plan", "timeout": "5m"}
]"#;

const ADDS: &str = r#"{action: step.add, id: verify, command: "true", dependsOn: [deploy]}"#;

fn file(stage: &Stage, name: &str, text: &str) -> String {
    let path = stage.root().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// Proposes what a file says, as a person would.
fn propose(stage: &mut Stage, text: &str) {
    let path = file(stage, "change.json", text);
    stage.press(":").write("propose from").press("enter").write(&path).press("enter");
}

/// Goes to the card when it takes keys.
fn look_at(stage: &mut Stage) {
    stage.app.now += 300;
    stage.press("tab");
    assert_eq!(stage.app.panels.focus, Panel::Card);
}

fn ids(stage: &Stage) -> Vec<String> {
    stage.app.snapshot.as_ref().unwrap().graph.nodes.iter().map(|node| node.id.to_string()).collect()
}

#[test]
fn a_proposal_is_ghosted_and_its_card_waits() {
    for (width, height) in SIZES {
        let mut stage = Stage::new((width, height), PLAN);
        stage.press("2");
        propose(&mut stage, ACTIONS);
        shows!(stage, format!("proposal-closed-{width}x{height}"));
        look_at(&mut stage);
        shows!(stage, format!("proposal-card-{width}x{height}"));
    }
}

#[test]
fn ghosts_without_colours_and_without_box_drawing() {
    let mut stage = Stage::new((140, 40), PLAN);
    stage.app.look.theme = Theme::new(false);
    propose(&mut stage, ACTIONS);
    let coloured = stage.buffer().content.iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
    assert!(!coloured);
    for sign in ["╔+╌", "╭×─", "╭~─", "╌"] {
        assert!(stage.text().contains(sign), "{sign}: {}", stage.text());
    }
    stage.app.look.glyphs = Glyphs::Ascii;
    shows!(stage, "proposal-ascii");
    look_at(&mut stage);
    assert!(stage.text().is_ascii(), "{}", stage.text());
}

#[test]
fn what_is_new_is_green_what_goes_red_and_struck_what_changes_yellow() {
    let mut stage = Stage::new((140, 40), PLAN);
    propose(&mut stage, ACTIONS);
    let buffer = stage.buffer();
    let (x, y) = stage.find("╔+╌");
    assert_eq!(buffer[(x, y)].fg, Color::Green);
    let (x, y) = stage.find("╭×─");
    assert!(buffer[(x, y)].fg == Color::Red && buffer[(x + 3, y + 1)].modifier.contains(Modifier::CROSSED_OUT));
    let (x, y) = stage.find("╭~─");
    assert_eq!(buffer[(x, y)].fg, Color::Yellow);
}

#[test]
fn every_zoom_says_what_changes() {
    let mut stage = Stage::new((140, 40), PLAN);
    propose(&mut stage, ACTIONS);
    for zoom in [Zoom::Overview, Zoom::Compact, Zoom::Normal, Zoom::Detail] {
        let snapshot = stage.app.snapshot.clone().unwrap();
        stage.app.board.set_zoom(zoom, &snapshot);
        let text = stage.text();
        let board: String = text.lines().take(20).collect();
        assert!(["+", "×", "~"].iter().all(|sign| board.contains(sign)), "{zoom:?}\n{text}");
    }
}

#[test]
fn a_card_never_takes_the_keys_by_itself_and_is_deaf_at_first() {
    let mut stage = Stage::new((140, 40), PLAN);
    propose(&mut stage, ADDS);
    assert_eq!(stage.app.panels.focus, Panel::Board);
    stage.press("tab a A d e j");
    assert!(stage.app.proposal.is_some() && stage.wanted.is_empty(), "it is deaf for 300 ms");
    stage.app.now += 299;
    stage.press("d");
    assert!(stage.app.proposal.is_some());
    stage.app.now += 1;
    stage.press("d");
    assert!(stage.app.proposal.is_none() && stage.text().contains("discarded"), "{}", stage.text());
    assert_eq!(stage.app.panels.focus, Panel::Board);
}

#[test]
fn keys_for_the_board_are_no_use_on_the_card() {
    let mut stage = Stage::new((140, 40), PLAN);
    propose(&mut stage, ADDS);
    look_at(&mut stage);
    stage.press("r x R p y ctrl-enter");
    assert!(stage.wanted.is_empty() && stage.app.layers.is_empty());
    stage.press("?");
    assert!(stage.text().contains("All keys"));
    stage.press("esc esc");
    assert_eq!(stage.app.panels.focus, Panel::Board);
    stage.press("tab");
    assert_eq!(stage.app.panels.focus, Panel::Inspector, "once it was seen it takes its turn");
    stage.press("tab tab tab");
    assert_eq!(stage.app.panels.focus, Panel::Card);
    stage.press("backtab");
    assert_eq!(stage.app.panels.focus, Panel::Chat);
}

#[test]
fn a_applies_what_was_shown() {
    let mut stage = Stage::new((140, 40), PLAN);
    propose(&mut stage, ADDS);
    look_at(&mut stage);
    stage.press("a");
    assert!(matches!(&stage.wanted[..], [Effect::Apply(applying)] if !applying.is_confirmed && !applying.runs));
    stage.act();
    assert!(ids(&stage).contains(&"verify".to_owned()), "{}", stage.text());
    assert!(stage.app.proposal.is_none() && !stage.text().contains("Proposal"), "{}", stage.text());
}

#[test]
fn what_takes_away_is_asked_about_and_no_is_the_default() {
    let mut stage = Stage::new((140, 40), PLAN);
    propose(&mut stage, ACTIONS);
    look_at(&mut stage);
    stage.press("a").act();
    let text = stage.text();
    assert!(
        text.contains("apply 4 changes") && text.contains("takes something away") && text.contains("seqctl step rm"),
        "{text}"
    );
    stage.press("enter").act();
    assert!(ids(&stage).contains(&"implement-b".to_owned()) && stage.app.proposal.is_some(), "nothing is lost");
    stage.press("a").act().press("y");
    assert!(stage.wanted.is_empty() && stage.text().contains("a second time"), "{}", stage.text());
    stage.press("y").act();
    assert!(!ids(&stage).contains(&"implement-b".to_owned()), "{}", stage.text());
}

#[test]
fn a_capital_a_applies_and_runs() {
    let mut stage = Stage::new((140, 40), PLAN);
    propose(&mut stage, ADDS);
    look_at(&mut stage);
    stage.press("A").act();
    assert!(ids(&stage).contains(&"verify".to_owned()));
    assert!(matches!(&stage.wanted[..], [Effect::Call(asked)] if asked.action.name() == "run.runnable"), "{:?}", stage.wanted);
    stage.act();
    assert!(stage.text().contains("Sure?") && stage.text().contains("SAFE mode"), "{}", stage.text());
}

#[test]
fn a_plan_that_changed_renews_the_card() {
    let mut stage = Stage::new((140, 40), PLAN);
    propose(&mut stage, ADDS);
    look_at(&mut stage);
    let revision = stage.app.proposal.as_ref().unwrap().preview.revision.clone();
    stage.plan(&PLAN.replace("make deploy", "make release"));
    assert!(stage.text().contains("the plan changed meanwhile"), "{}", stage.text());
    assert_ne!(stage.app.proposal.as_ref().unwrap().preview.revision, revision);
    stage.press("a");
    assert!(stage.wanted.is_empty(), "a renewed card is deaf again");
    stage.app.now += 300;
    stage.press("a").act();
    assert!(ids(&stage).contains(&"verify".to_owned()));
}

#[test]
fn a_change_that_nobody_has_seen_yet_applies_nothing() {
    let mut stage = Stage::new((140, 40), PLAN);
    propose(&mut stage, ADDS);
    look_at(&mut stage);
    let path = stage.root().join(".threados/sequence.yaml");
    std::fs::write(&path, PLAN.replace("make deploy", "make release")).unwrap();
    stage.press("a").act();
    assert!(!ids(&stage).contains(&"verify".to_owned()), "{}", stage.text());
    assert!(stage.text().contains("nothing was applied") && stage.app.proposal.is_some(), "{}", stage.text());
    stage.app.now += 300;
    stage.press("a").act();
    assert!(ids(&stage).contains(&"verify".to_owned()));
}

#[test]
fn a_proposal_that_fits_no_more_says_so_and_stays() {
    let mut stage = Stage::new((140, 40), PLAN);
    propose(&mut stage, ADDS);
    stage.plan(&PLAN.replace("id: deploy", "id: release"));
    assert!(stage.text().contains("does not fit the plan any more"), "{}", stage.text());
    look_at(&mut stage);
    assert!(stage.text().contains("`deploy`"), "it says why: {}", stage.text());
    stage.press("a");
    assert!(stage.wanted.is_empty());
    stage.plan(PLAN);
    assert!(stage.app.proposal.as_ref().unwrap().problem.is_none(), "{}", stage.text());
}

#[test]
fn what_cannot_be_made_never_becomes_a_card() {
    for (name, text, says) in [
        ("none", None, "none"),
        ("broken", Some("[{\"action\": "), "broken"),
        ("unknown", Some(r#"[{"action": "step.ad", "id": "x"}]"#), "did you mean `step.add`?"),
        ("missing", Some(r#"[{"action": "dep.add", "id": "deploy", "needs": ["nobody"]}]"#), "`nobody`"),
        ("circle", Some(r#"[{"action": "dep.add", "id": "plan", "needs": ["deploy"]}]"#), "circle"),
        ("run", Some(r#"[{"action": "run.all"}]"#), "does not change the plan"),
        ("empty", Some("[]"), "has no actions"),
    ] {
        let mut stage = Stage::new((140, 40), PLAN);
        let path = text.map_or_else(|| stage.root().join(name).display().to_string(), |text| file(&stage, name, text));
        stage.press(":").write("propose from").press("enter").write(&path).press("enter");
        assert!(stage.app.proposal.is_none() && stage.text().contains(says), "{name}: {}", stage.text());
        stage.press("esc");
        assert!(stage.app.layers.is_empty());
    }
}

#[test]
fn an_error_is_shown_beside_the_field() {
    for (width, height) in SIZES {
        let mut stage = Stage::new((width, height), PLAN);
        stage.press(":").write("propose").press("enter").write("nowhere/change.yaml").press("enter");
        shows!(stage, format!("propose-error-{width}x{height}"));
        stage.press("ctrl-u enter");
        assert!(stage.text().contains("which file?"));
        stage.write("-").press("enter");
        assert!(stage.text().contains("standard input"));
    }
}

#[test]
fn the_request_is_edited_and_made_anew() {
    let mut stage = Stage::new((140, 40), PLAN);
    propose(&mut stage, ADDS);
    look_at(&mut stage);
    file(&stage, "change.json", &ADDS.replace("verify", "check"));
    stage.press("e");
    assert!(stage.text().contains("change.json") && stage.text().contains("Propose from a file"), "{}", stage.text());
    stage.press("enter");
    let commands = &stage.app.proposal.as_ref().unwrap().commands;
    assert_eq!(commands[..], ["seqctl step add --command true --depends-on deploy check"]);
}

#[test]
fn the_mouse_opens_and_scrolls_the_card() {
    let mut stage = Stage::new((80, 24), PLAN);
    propose(&mut stage, ACTIONS);
    let card = stage.find("Proposal");
    stage.mouse(Down(Left), card);
    assert_eq!(stage.app.panels.focus, Panel::Card);
    let before = stage.text();
    let inside = stage.find("added step");
    stage.mouse(ScrollDown, inside);
    assert_ne!(stage.text(), before);
    stage.app.now += 300;
    stage.press("end");
    assert!(!stage.text().contains("added step"), "{}", stage.text());
    stage.press("home");
    assert_eq!(stage.text(), before);
}

#[test]
fn ghosts_are_laid_out_once_for_each_proposal() {
    let mut stage = Stage::new((140, 40), PLAN);
    let layout = |stage: &Stage| std::sync::Arc::clone(&stage.app.board.scene.as_ref().unwrap().layout);
    let before = layout(&stage);
    propose(&mut stage, ACTIONS);
    let ghosted = layout(&stage);
    assert!(!std::sync::Arc::ptr_eq(&before, &ghosted));
    stage.plan(&PLAN.replace("id: deploy,", "id: deploy, status: DONE,"));
    assert!(std::sync::Arc::ptr_eq(&ghosted, &layout(&stage)), "a status moves nothing");
}
