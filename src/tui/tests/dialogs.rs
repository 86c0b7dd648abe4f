//! What lies over the screen: errors beside their fields, lists under the mouse, messages that cover nothing.

use crossterm::event::{MouseButton, MouseEventKind};
use ratatui::layout::Rect;

use super::stage::{PLAN, SIZES, Stage};
use crate::{
    client::Agent,
    layout::Glyphs,
    tui::{effect::Effect, toast::Tone},
};

const CLICK: MouseEventKind = MouseEventKind::Down(MouseButton::Left);

/// The row of the screen with a text.
fn row(stage: &Stage, text: &str) -> u16 {
    stage.find(text).1
}

#[test]
fn an_error_stands_below_its_field() {
    for size in SIZES {
        let mut stage = Stage::new(size, PLAN);
        stage.press("p n").write("plan");
        assert_eq!(row(&stage, "exists already"), row(&stage, "*id") + 1, "{size:?}\n{}", stage.text());
        stage.press("backspace").press("tab");
        let field = |stage: &mut Stage, name: &str| {
            for _ in 0..60 {
                let screen = stage.text();
                if screen.lines().any(|line| line.contains(&format!(" {name} "))) && stage.app.layers.len() == 1 {
                    let (x, y) = stage.find(&format!(" {name} "));
                    if stage.buffer()[(x + 1, y)].modifier.contains(ratatui::style::Modifier::REVERSED) {
                        return;
                    }
                }
                stage.press("tab");
            }
            panic!("no {name}\n{}", stage.text());
        };
        field(&mut stage, "depends_on");
        stage.press("ctrl-u").write("nobody");
        assert_eq!(row(&stage, "`nobody`"), row(&stage, " depends_on ") + 1, "{size:?}\n{}", stage.text());
        stage.press("ctrl-u");
        field(&mut stage, "retries");
        stage.write("many");
        assert_eq!(row(&stage, "a whole number, not `many`"), row(&stage, " retries ") + 1, "{size:?}\n{}", stage.text());
    }
}

#[test]
fn a_form_goes_to_the_field_that_is_missing() {
    let mut stage = Stage::new((80, 24), PLAN);
    stage.press("p n enter");
    assert_eq!(row(&stage, "`id` is missing"), row(&stage, "*id") + 1, "{}", stage.text());
}

#[test]
fn a_form_says_which_agents_are_here_and_how_to_get_the_others() {
    let mut stage = Stage::new((80, 24), PLAN);
    let agent = |name: &str, is_here| Agent { name: name.into(), is_here, install: Some(format!("npm install -g {name}")) };
    stage.app.agents = vec![agent("claude-code", false), agent("codex", true)];
    stage.press("p a");
    assert!(stage.text().contains(" agent            codex"), "what is here is offered\n{}", stage.text());
    let (x, y) = stage.find(" agent ");
    stage.mouse(CLICK, (x + 1, y)).press("ctrl-u").write("clau");
    assert!(stage.text().contains("here: codex, shell"), "{}", stage.text());
    stage.press("ctrl-u").write("claude-code/opus");
    assert_eq!(row(&stage, "`claude-code` is not installed here"), row(&stage, " agent ") + 1, "{}", stage.text());
    assert!(stage.text().contains("npm install -g"), "{}", stage.text());
    stage.press("ctrl-u").write("c").press("right");
    assert!(stage.text().contains(" agent            codex"), "{}", stage.text());
    stage.press("esc");
    stage.app.agents = vec![agent("claude-code", false)];
    stage.press("p a").write("make all");
    assert!(stage.text().contains(" command          yes"), "without an agent it is a command\n{}", stage.text());
    assert!(!stage.text().contains("not installed"), "{}", stage.text());
}

#[test]
fn a_click_answers_a_question() {
    let mut stage = Stage::new((80, 24), PLAN);
    stage.press("A");
    stage.act();
    let (x, y) = stage.find(" No ");
    stage.mouse(CLICK, (x, y));
    assert!(stage.wanted.is_empty() && stage.app.layers.is_empty());
    stage.press("A");
    stage.act();
    let (x, y) = stage.find(" Yes ");
    stage.mouse(CLICK, (x + 1, y));
    assert!(matches!(&stage.wanted[..], [Effect::Call(asked)] if asked.is_confirmed));
}

#[test]
fn a_long_question_is_scrolled_to_its_end() {
    let steps: String = (0..40).map(|at| format!("  - {{id: step-{at}, command: \"echo {at} of many\"}}\n")).collect();
    let mut stage = Stage::new((80, 24), &format!("version: \"1.0\"\nsteps:\n{steps}"));
    stage.press("A");
    stage.act();
    let screen = stage.text();
    assert!(screen.contains("lines below") && screen.contains(" Yes ") && !screen.contains("echo 39"), "{screen}");
    stage.press("pagedown pagedown pagedown pagedown pagedown");
    let screen = stage.text();
    assert!(screen.contains("echo 39") && screen.contains(" Yes ") && screen.contains("0 lines below"), "{screen}");
}

#[test]
fn the_mouse_chooses_in_menu_list_and_palette() {
    let mut stage = Stage::new((80, 24), PLAN);
    stage.press("p");
    let (x, y) = stage.find("fusion");
    stage.mouse(CLICK, (x, y));
    assert!(stage.text().contains("*task"), "{}", stage.text());
    stage.press("esc ctrl-k").write("go to deploy");
    let (x, y) = stage.find("go to deploy");
    let below = stage.text().lines().skip(usize::from(y) + 1).position(|line| line.contains("go to deploy")).unwrap();
    stage.mouse(CLICK, (x, y + 1 + u16::try_from(below).unwrap()));
    assert_eq!(stage.app.selected_id().unwrap().as_str(), "deploy");
    stage.press("!").mouse(CLICK, (0, 0));
    assert!(stage.app.layers.is_empty(), "a click beside it closes it");
}

/// The cells of everything that must not be covered.
fn dialogs(stage: &Stage) -> Vec<Rect> {
    stage.app.layers.iter().map(|layer| layer.area(&stage.app)).collect()
}

#[test]
fn messages_cover_no_dialog_and_not_what_is_selected() {
    let long = "the plan has changed since, and what was asked for cannot be done any more ".repeat(2);
    for size in SIZES {
        for keys in ["1", "2", "p", "p n", "esc p a", "ctrl-k", "?", "!", "A", "y", "v", "2 esc esc", "o", "enter"] {
            let mut stage = Stage::new(size, PLAN);
            stage.press(keys);
            stage.act();
            stage.app.toasts.clear();
            let (before, dialogs) = (stage.buffer(), dialogs(&stage));
            let selected = stage.app.layers.is_empty().then(|| stage.app.selected_id()).flatten();
            for text in ["one", "two", &long] {
                stage.app.say(Tone::Error, text, Some("and what to do about it".into()));
            }
            let (after, screen) = (stage.buffer(), stage.text());
            for area in dialogs {
                for position in area.positions() {
                    assert_eq!(before[position], after[position], "{keys} at {size:?}, {position}\n{screen}");
                }
            }
            assert!(screen.contains("the plan has changed since"), "{keys} at {size:?}: the newest is said\n{screen}");
            let is_shown = selected.is_none_or(|id| screen.contains(id.as_str()));
            assert!(is_shown, "{keys} at {size:?}\n{screen}");
        }
    }
}

#[test]
fn only_our_own_signs_become_ascii() {
    let plan = "version: \"1.0\"\nname: \"a → b…\"\nsteps:\n  - {id: one, name: \"x → y · z…\", command: \"echo …\"}\n";
    let mut stage = Stage::new((140, 40), plan);
    stage.app.look.glyphs = Glyphs::Ascii;
    stage.press("2");
    let screen = stage.text();
    assert!(screen.contains("a → b…") && screen.contains("x → y · z…"), "names stay as they are\n{screen}");
    assert!(!screen.contains(['─', '╭', '▶', '○', '›']), "{screen}");
}

#[test]
fn what_is_told_gives_way_to_what_is_told_next_and_to_escape() {
    let mut stage = Stage::new((80, 24), PLAN);
    stage.app.say(Tone::Plain, "first", None);
    stage.app.say(Tone::Error, "it failed", None);
    stage.app.say(Tone::Plain, "second", None);
    let screen = stage.text();
    assert!(screen.contains("second") && screen.contains("it failed") && !screen.contains("first"), "{screen}");
    stage.press("esc");
    assert!(stage.app.toasts.is_empty());
}

#[test]
fn a_change_begins_at_what_can_be_changed() {
    let mut stage = Stage::new((80, 24), PLAN);
    stage.press("home enter enter").press("end").write("!");
    assert!(stage.text().contains(" command          true!"), "{}", stage.text());
}
