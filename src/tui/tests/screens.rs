//! What the screen looks like, whole, in its main states.

use super::stage::{PLAN, SIZES, Stage, chain, shows};
use crate::{layout::Glyphs, tui::theme::Theme};

/// The same at every size.
fn at_every_size(name: &str, plan: &str, walk: impl Fn(&mut Stage)) {
    for (width, height) in SIZES {
        let mut stage = Stage::new((width, height), plan);
        walk(&mut stage);
        shows!(stage, format!("{name}-{width}x{height}"));
    }
}

/// A hundred and twenty steps in six stages.
fn large() -> String {
    let steps: String = (0..120)
        .map(|at| match at {
            0..20 => format!("  - {{id: step-{at}, command: \"true\"}}\n"),
            _ => format!(
                "  - {{id: step-{at}, command: \"true\", depends_on: [step-{}, step-{}]}}\n",
                at - 20,
                (at - 20) / 20 * 20
            ),
        })
        .collect();
    format!("version: \"1.0\"\nname: large\nsteps:\n{steps}")
}

#[test]
fn the_first_look() {
    at_every_size("first", PLAN, |_| {});
}

#[test]
fn both_views() {
    at_every_size("list", PLAN, |stage| {
        stage.press("1");
    });
    at_every_size("graph", PLAN, |stage| {
        stage.press("2 right right");
    });
}

#[test]
fn a_large_graph_at_every_zoom() {
    at_every_size("zoom-normal", &large(), |stage| {
        stage.press("2");
    });
    at_every_size("zoom-detail", &large(), |stage| {
        stage.press("2 +");
    });
    at_every_size("zoom-compact", &large(), |stage| {
        stage.press("2 -");
    });
    at_every_size("zoom-overview", &large(), |stage| {
        stage.press("2 - -");
    });
}

#[test]
fn searching() {
    at_every_size("search", PLAN, |stage| {
        stage.press("/").write("impl");
    });
}

#[test]
fn layers() {
    at_every_size("palette", PLAN, |stage| {
        stage.press("ctrl-k").write("gate");
    });
    at_every_size("help", PLAN, |stage| {
        stage.press("?");
    });
    at_every_size("menu-plan", PLAN, |stage| {
        stage.press("p");
    });
    at_every_size("menu-copy", PLAN, |stage| {
        stage.press("y");
    });
    at_every_size("confirm-run", PLAN, |stage| {
        stage.press("A").act();
    });
    at_every_size("confirm-power", PLAN, |stage| {
        stage.press("S").act();
    });
    at_every_size("form", PLAN, |stage| {
        stage.press("p n").write("extra");
    });
    at_every_size("form-error", PLAN, |stage| {
        stage.press("p n").write("Not An Id");
    });
    at_every_size("editor", PLAN, |stage| {
        stage.press("home");
        stage.tell(crate::tui::msg::Msg::Open(Box::new(crate::tui::layers::editor::Editor::empty("plan".parse().unwrap()))));
        stage.write("Plan the migration.");
    });
    at_every_size("attention", PLAN, |stage| {
        stage.press("!");
    });
}

#[test]
fn nothing_yet() {
    at_every_size("no-steps", "version: \"1.0\"\nname: empty\nsteps: []\n", |_| {});
}

#[test]
fn a_broken_plan() {
    at_every_size("broken", PLAN, |stage| {
        std::fs::write(stage.root().join(".threados/sequence.yaml"), "version: \"1.0\"\nsteps:\n  - {id: a\n").unwrap();
        stage.look();
    });
    let mut stage = Stage::new((80, 24), PLAN);
    std::fs::write(stage.root().join(".threados/sequence.yaml"), "steps: [").unwrap();
    stage.look();
    assert!(stage.text().contains("plan") && stage.text().contains("cannot be read"), "{}", stage.text());
    std::fs::write(stage.root().join(".threados/sequence.yaml"), PLAN).unwrap();
    stage.look();
    assert!(!stage.text().contains("cannot be read"), "it recovers by itself: {}", stage.text());
}

#[test]
fn without_box_drawing() {
    at_every_size("ascii", PLAN, |stage| {
        stage.app.look.glyphs = Glyphs::Ascii;
    });
    let mut stage = Stage::new((140, 40), &chain(40));
    stage.app.look.glyphs = Glyphs::Ascii;
    for keys in ["2", "?", "esc p", "esc p n", "esc ctrl-k", "esc S", "esc y", "esc !", "esc /", "esc 1", "o"] {
        let text = stage.press(keys).text();
        assert!(text.is_ascii(), "{keys}: {:?}\n{text}", text.chars().filter(|letter| !letter.is_ascii()).collect::<String>());
    }
}

#[test]
fn without_colours_nothing_has_one() {
    let mut stage = Stage::new((140, 40), PLAN);
    stage.app.look.theme = Theme::new(false);
    for keys in ["2", "1", "?", "esc p n"] {
        let buffer = stage.press(keys).buffer();
        assert!(
            buffer.content.iter().all(|cell| cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset)
        );
    }
}

#[test]
fn sizes_of_all_kinds() {
    for (width, height) in [(1, 1), (5, 2), (39, 12), (40, 11), (40, 12), (60, 15), (99, 30), (100, 30), (300, 100)] {
        let mut stage = Stage::new((width, height), PLAN);
        for keys in [
            "1", "2", "enter", "esc", "?", "esc", "p", "n", "esc", "ctrl-k", "esc", "A", "esc", "o", "esc", "I", "O", "+", "-",
            "-",
        ] {
            stage.press(keys).text();
        }
    }
    shows!(Stage::new((40, 12), PLAN), "smallest");
    shows!(Stage::new((39, 12), PLAN), "too-small");
}

#[test]
fn names_cannot_draw() {
    let plan = "version: \"1.0\"\nname: \"wi\\e[31mld 漢字 e\\u0301\\u202e\"\nsteps:\n  - {id: a, name: \"👩‍👩‍👧 \\a\\t漢\", command: \"true\"}\n";
    let mut stage = Stage::new((140, 40), plan);
    for keys in ["1", "2", "enter", "ctrl-k"] {
        let text = stage.press(keys).text();
        assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n' || letter == '\u{202e}'), "{text:?}");
    }
    shows!(Stage::new((140, 40), plan), "wide-names");
}
