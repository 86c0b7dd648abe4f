//! A folder without a project, and a plan without steps.

use ratatui::{Terminal, backend::TestBackend};

use super::stage::Stage;
use crate::tui::{
    theme::Theme,
    welcome::{self, Start},
};

const EMPTY: &str = "version: \"1.0\"\nsteps: []\n";

#[test]
fn the_first_screen_says_what_there_is_and_how_to_start() {
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let agents = ["claude-code".to_owned()];
    terminal.draw(|frame| welcome::draw(frame, &Theme::new(true), "/home/me/shop".as_ref(), &agents)).unwrap();
    let screen = terminal.backend().to_string();
    for words in ["agents found: claude-code", "n  a task of yours, in /home/me/shop", "t  a template", "d  the demo"] {
        assert!(screen.contains(words), "no `{words}`\n{screen}");
    }
}

#[test]
fn a_task_becomes_the_first_step() {
    let mut stage = Stage::new((80, 24), EMPTY);
    assert!(stage.text().contains("p a  a task of yours"), "{}", stage.text());
    stage.app.begin(Some(Start::Task));
    stage.write("Mend the tests").press("enter");
    stage.act();
    assert_eq!(stage.app.snapshot.as_ref().unwrap().status().steps.len(), 1, "{}", stage.text());
}

#[test]
fn a_template_is_asked_for() {
    let mut stage = Stage::new((80, 24), EMPTY);
    stage.app.begin(Some(Start::Template));
    assert!(stage.text().contains("from a template ━"), "{}", stage.text());
}
