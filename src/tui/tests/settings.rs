//! What config.yaml says of the screen.

use ratatui::style::Color;

use super::stage::Stage;
use crate::tui::{effect::Effect, panels::View};

const PLAN: &str = "version: \"1.0\"\nsteps:\n  - {id: a, command: make}\n  - {id: b, command: make, depends_on: [a]}\n";

fn configure(stage: &mut Stage, ui: &str) {
    std::fs::write(stage.root().join(".threados/config.yaml"), format!("version: \"1.0\"\nui: {ui}\n")).unwrap();
    stage.look();
}

#[test]
fn config_changes_the_screen_while_it_is_shown() {
    let mut stage = Stage::new((140, 40), PLAN);
    assert_eq!(stage.app.view(), View::Graph);
    configure(&mut stage, "{ascii: true, view: list, mouse: false, keys: {help: x}, theme: {ready: 214}}");
    let screen = stage.text();
    assert!(!screen.contains(['╭', '│', '─', '○']), "{screen}");
    assert_eq!((stage.app.view(), stage.app.is_mouse_given), (View::List, true));
    assert!(stage.wanted.contains(&Effect::Mouse(false)));
    let ready = stage.find("READY");
    assert_eq!(stage.buffer()[ready].fg, Color::Indexed(214));
    stage.press("x");
    assert!(stage.text().contains("all keys") || !stage.app.layers.is_empty(), "{}", stage.text());
    stage.press("esc");
    configure(&mut stage, "{}");
    assert!(stage.text().contains('╭'));
    assert_eq!((stage.app.view(), stage.app.is_mouse_given), (View::Graph, false));
}

#[test]
fn what_config_says_wrongly_is_told_once() {
    let mut stage = Stage::new((140, 40), PLAN);
    configure(&mut stage, "{keys: {dance: x, stop: hyper-x}, theme: {sky: blue}}");
    let screen = stage.text();
    let told = ["`ui.theme` has `sky`", "`ui.keys` has `dance`", "`hyper-x`"];
    assert!(told.iter().all(|words| stage.app.toasts.iter().any(|toast| toast.text.contains(words))), "{screen}");
    stage.app.toasts.clear();
    stage.look();
    assert!(stage.app.toasts.is_empty());
}
