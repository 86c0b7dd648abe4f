//! Whatever is typed, clicked, pasted or resized: nothing breaks, nothing that a terminal obeys gets onto the screen, and
//! Esc leads back.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEventKind};
use proptest::prelude::*;

use super::stage::Stage;
use crate::{
    action::{Access, CATALOG},
    tui::{effect::Effect, keymap::BINDINGS, msg::Msg, panels::Panel},
};

/// Names with everything that is hard to draw.
const PLAN: &str = "\
version: \"1.0\"
name: \"wi\\e[31mld 漢字 e\\u0301\\u202e👩‍👩‍👧\"
steps:
  - {id: plan, name: \"\\e]0;title\\a\\t漢\\u200b\", command: \"printf '\\\\033[2J'\"}
  - {id: build, group_id: api, lane: \"👍🏽\\x1b[5m\", prompt: \"# Go\\n\\e[31mred\\tand\\u202e more\", depends_on: [plan]}
  - {id: test, group_id: api, command: make, depends_on: [plan], status: FAILED, fanout: 3}
  - {id: look, command: make, status: NEEDS_REVIEW}
  - {id: ship, command: make, depends_on: [go]}
gates:
  - {id: go, name: \"Ｗｉｄｅ\\u0007\", depends_on: [build, test], note: \"a\\e[1mb\"}
";

/// A plan that somebody else left of it.
const LESS: &str = "version: \"1.0\"\nsteps:\n  - {id: only, command: \"true\"}\n";

#[derive(Clone, Debug)]
enum Deed {
    Press(KeyCode, KeyModifiers),
    Bound(&'static str),
    Mouse(MouseEventKind, u16, u16),
    Paste(String),
    Resize(u16, u16),
    /// What is wanted is done, but nothing is run.
    Act,
    /// Somebody else writes another plan, takes it away, or breaks it.
    Plan(Option<&'static str>),
    Wait,
}

fn deed() -> impl Strategy<Value = Deed> {
    let keys: Vec<&'static str> = BINDINGS.iter().flat_map(|row| row.keys).copied().collect();
    let codes = prop::sample::select(vec![
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::PageDown,
        KeyCode::End,
        KeyCode::F(5),
        KeyCode::Insert,
    ]);
    let modifiers = prop::sample::select(vec![
        KeyModifiers::NONE,
        KeyModifiers::NONE,
        KeyModifiers::CONTROL,
        KeyModifiers::ALT,
        KeyModifiers::SHIFT,
    ]);
    let letters = prop_oneof![prop::char::range('!', '~'), Just('漢'), Just('\u{301}'), Just('👍'), Just(' ')];
    let mice = prop::sample::select(vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::Drag(MouseButton::Left),
        MouseEventKind::Down(MouseButton::Right),
        MouseEventKind::Down(MouseButton::Middle),
        MouseEventKind::Moved,
        MouseEventKind::ScrollDown,
        MouseEventKind::ScrollUp,
    ]);
    let plans = prop::sample::select(vec![Some(PLAN), Some(PLAN), Some(LESS), Some("steps: ["), None]);
    prop_oneof![
        8 => prop::sample::select(keys).prop_map(Deed::Bound),
        4 => (codes, modifiers.clone()).prop_map(|(code, modifiers)| Deed::Press(code, modifiers)),
        3 => (letters, modifiers).prop_map(|(letter, modifiers)| Deed::Press(KeyCode::Char(letter), modifiers)),
        6 => (mice, 0..200_u16, 0..60_u16).prop_map(|(kind, x, y)| Deed::Mouse(kind, x, y)),
        1 => "\\PC{0,12}\\s\\PC{0,12}".prop_map(Deed::Paste),
        1 => Just(Deed::Paste("a\u{1b}[31mb\r\nc\u{7}\td\u{202e}".into())),
        2 => (1..=200_u16, 1..=60_u16).prop_map(|(width, height)| Deed::Resize(width, height)),
        3 => Just(Deed::Act),
        1 => plans.prop_map(Deed::Plan),
        1 => Just(Deed::Wait),
    ]
}

fn is_run(name: &str) -> bool {
    CATALOG.iter().any(|spec| spec.name == name && !matches!(spec.access, Access::Change | Access::Destroy | Access::Decide))
}

fn carry_out(stage: &mut Stage, deed: &Deed) {
    let file = stage.root().join(".threados/sequence.yaml");
    match deed {
        Deed::Press(code, modifiers) => stage.tell(Msg::Input(Event::Key(KeyEvent::new(*code, *modifiers)))),
        Deed::Bound(key) => drop(stage.press(key)),
        Deed::Mouse(kind, x, y) => drop(stage.mouse(*kind, (*x, *y))),
        Deed::Paste(text) => stage.tell(Msg::Input(Event::Paste(text.clone()))),
        Deed::Resize(width, height) => drop(stage.resize((*width, *height))),
        Deed::Act => {
            stage.wanted.retain(|effect| matches!(effect, Effect::Call(asked) if !is_run(asked.action.name())));
            stage.act();
        }
        Deed::Plan(Some(plan)) => stage.plan(plan),
        Deed::Plan(None) => {
            let _ = std::fs::remove_file(file);
            stage.look();
        }
        Deed::Wait => stage.app.now += 1_000,
    }
}

/// Whether a terminal would do anything else with a text than to show it.
fn is_obeyed(text: &str) -> bool {
    text.chars().any(|letter| letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

/// Nothing is drawn that a terminal would obey, and no wide letter reaches over the edge or into its neighbour.
fn is_sound(stage: &Stage) {
    let buffer = stage.buffer();
    let width = usize::from(buffer.area.width);
    for row in buffer.content.chunks(width) {
        let mut x = 0;
        while x < width {
            let symbol = row[x].symbol();
            assert!(!is_obeyed(symbol), "{symbol:?}\n{}", stage.text());
            let cells = crate::layout::width(symbol).max(1);
            assert!(x + cells <= width, "{symbol:?} at {x} of {width}\n{}", stage.text());
            x += cells;
        }
    }
}

/// As many cases as `PROPTEST_CASES` says, or a few: each draws the screen a hundred times.
fn config() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(24), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn nothing_breaks_the_screen(size in (1..=200_u16, 1..=60_u16), deeds in prop::collection::vec(deed(), 1..60)) {
        let mut stage = Stage::new(size, PLAN);
        is_sound(&stage);
        for deed in &deeds {
            carry_out(&mut stage, deed);
            is_sound(&stage);
            prop_assert!(!stage.app.effects.iter().any(|_| true), "everything that is wanted is told");
        }
        for _ in 0..2 * stage.app.layers.len() + 6 {
            stage.press("esc");
            is_sound(&stage);
        }
        prop_assert!(stage.app.layers.is_empty(), "{} layers stay\n{}", stage.app.layers.len(), stage.text());
        prop_assert_eq!(stage.app.panels.focus, Panel::Board);
    }
}
