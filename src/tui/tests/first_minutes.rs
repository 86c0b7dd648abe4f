//! A folder without a project, and a plan without steps.

use ratatui::{Terminal, backend::TestBackend};

use super::stage::{SIZES, Stage};
use crate::{
    client::Agent,
    tui::{effect::Effect, theme::Theme, welcome},
};

const EMPTY: &str = "version: \"1.0\"\nsteps: []\n";

#[test]
fn the_first_screen_says_what_there_is_and_how_to_start() {
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let agents = [Agent { name: "claude-code".into(), is_here: true, install: None }];
    terminal.draw(|frame| welcome::draw(frame, &Theme::new(true), "/home/me/shop".as_ref(), &agents)).unwrap();
    let screen = terminal.backend().to_string();
    for words in ["agents found: claude-code", "n  a task of yours, in /home/me/shop", "t  a template", "d  the demo"] {
        assert!(screen.contains(words), "no `{words}`\n{screen}");
    }
}

#[test]
fn a_task_becomes_the_first_step() {
    let mut stage = Stage::new((80, 24), EMPTY);
    assert!(stage.text().contains("n  a task of yours"), "{}", stage.text());
    stage.press("n");
    stage.write("Mend the tests").press("enter");
    stage.act();
    assert_eq!(stage.app.snapshot.as_ref().unwrap().status().steps.len(), 1, "{}", stage.text());
}

#[test]
fn a_template_is_asked_for() {
    let mut stage = Stage::new((80, 24), EMPTY);
    stage.press("t");
    let screen = stage.text();
    assert!(screen.contains("parallel") && screen.contains("fusion"), "what there is, to choose from\n{screen}");
    stage.press("enter");
    assert!(stage.text().contains("from a template ━"), "{}", stage.text());
}

#[test]
fn the_demo_has_a_screen_of_its_own_and_leads_back() {
    let mut stage = Stage::new((80, 24), EMPTY);
    stage.press("d");
    assert_eq!(stage.wanted, [Effect::HandOver(vec!["demo".into()])]);
    stage.wanted.clear();
    stage.press("i").write("d");
    assert!(stage.wanted.is_empty() && stage.app.chat.lines() == ["d"], "the chat is typed into");
    let mut stage = Stage::new((80, 24), "version: \"1.0\"\nsteps: [{id: a, command: make}]\n");
    stage.press("d");
    assert!(stage.wanted.is_empty(), "with a step the keys are what they are");
}

#[test]
fn every_way_to_start_fits_every_size() {
    let agents = vec![Agent { name: "claude-code".into(), is_here: false, install: Some("npm install -g it".into()) }];
    for size in SIZES {
        let mut stage = Stage::new(size, EMPTY);
        stage.app.agents.clone_from(&agents);
        let screen = stage.text();
        for words in
            ["n  a task", "t  a template", "d  the demo", "no agent is installed", "npm install -g it", "p changes the plan"]
        {
            assert!(screen.replace('\n', " ").contains(words), "no `{words}` at {size:?}\n{screen}");
        }
    }
}
