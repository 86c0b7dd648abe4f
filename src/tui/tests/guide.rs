//! The guide: its screens are those of the snapshots, its keys those of the table.

use std::{fmt::Write as _, fs, path::Path};

use crate::tui::keymap::{BINDINGS, Keymap, Section};

/// What stands between two marks of the guide.
fn fill(page: &str, mark: &str, text: &str) -> String {
    let (from, to) = (format!("<!-- {mark} -->\n"), "<!-- end -->");
    let (before, rest) = page.split_once(&from).unwrap_or_else(|| panic!("no mark `{mark}`"));
    let (_, after) = rest.split_once(to).unwrap();
    format!("{before}{from}{text}{to}{after}")
}

fn screen(root: &Path, name: &str) -> String {
    let snapshot = fs::read_to_string(root.join(format!("snapshots/tui/{name}.snap"))).unwrap();
    let (_, text) = snapshot.trim_start_matches("---\n").split_once("---\n").unwrap();
    format!("```text\n{}\n```\n", text.trim_end())
}

fn keys() -> String {
    let (keymap, _) = Keymap::new(&[]);
    let mut text = String::new();
    for section in Section::ALL {
        write!(text, "### {}\n\n| key | does | name in config.yaml |\n|---|---|---|\n", section.title()).unwrap();
        for row in BINDINGS.iter().filter(|row| row.section == section) {
            let keys: Vec<String> = keymap.keys(row.command).iter().map(|key| format!("`{}`", key.replace('|', "\\|"))).collect();
            writeln!(text, "| {} | {} | `{}` |", keys.join(" "), row.words, row.name).unwrap();
        }
        text.push('\n');
    }
    text
}

/// Fills a page's marks; a mark that begins with `screen` names a snapshot.
fn made(root: &Path, page: &str) -> String {
    let mut made = page.to_owned();
    for mark in page.lines().filter_map(|line| line.strip_prefix("<!-- ")?.strip_suffix(" -->")) {
        made = match mark.strip_prefix("screen ") {
            Some(name) => fill(&made, mark, &screen(root, name)),
            None if mark == "keys" => fill(&made, mark, &keys()),
            None => made,
        };
    }
    made
}

#[test]
fn the_guide_shows_the_real_screens_and_keys() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["docs/ui-guide.md", "README.md"] {
        let page = fs::read_to_string(root.join(name)).unwrap();
        let made = made(root, &page);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(root.join(name), made).unwrap();
        } else {
            assert!(made == page, "{name} is not what the screen shows: UPDATE_DOCS=1 cargo test --lib tui::tests::guide");
        }
    }
}
