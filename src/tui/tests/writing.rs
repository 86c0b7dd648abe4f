//! Writing on the screen: prompts in their editor, fields of a step in their form.

use ratatui::style::Modifier;

use super::stage::Stage;
use crate::tui::effect::Effect;

const PLAN: &str = "\
version: \"1.0\"
name: writing
steps:
  - {id: first, command: \"true\"}
  - {id: talk, prompt_file: prompts/talk.md, model: claude-code/opus, depends_on: [first], env: {A: x y}, retries: 2}
  - {id: other, command: [echo, a b], group_id: api}
";

/// The editor on the prompt of `talk`, as the inspector opens it.
fn editor(size: (u16, u16)) -> Stage {
    let mut stage = Stage::new(size, PLAN);
    std::fs::create_dir_all(stage.root().join(".threados/prompts")).unwrap();
    std::fs::write(stage.root().join(".threados/prompts/talk.md"), "# Talk\n\nSay it.\n").unwrap();
    stage.press("down");
    if stage.app.selected_id().unwrap().as_str() != "talk" {
        stage.press("right");
    }
    assert_eq!(stage.app.selected_id().unwrap().as_str(), "talk");
    stage.press("enter ] ] enter");
    assert!(stage.text().contains("Prompt · talk "), "{}", stage.text());
    stage
}

fn prompt(stage: &Stage) -> String {
    std::fs::read_to_string(stage.root().join(".threados/prompts/talk.md")).unwrap()
}

#[test]
fn a_prompt_is_written_undone_and_saved() {
    let mut stage = editor((80, 24));
    assert!(!stage.text().contains("· changed"), "{}", stage.text());
    stage.write("Well. ");
    assert!(stage.text().contains("Well. # Talk") && stage.text().contains("· changed"), "{}", stage.text());
    stage.press("ctrl-z ctrl-z ctrl-z ctrl-z ctrl-z ctrl-z");
    assert!(!stage.text().contains("Well.") && !stage.text().contains("· changed"), "{}", stage.text());
    stage.press("ctrl-y down end").write(" More").press("ctrl-s").act();
    assert!(stage.app.layers.is_empty(), "what is saved is left: {}", stage.text());
    assert!(prompt(&stage).contains(" More\n"), "{}", prompt(&stage));
}

#[test]
fn unsaved_text_is_not_thrown_away_at_once() {
    for leave in ["esc", "ctrl-c"] {
        let mut stage = editor((80, 24));
        stage.press(leave);
        assert!(stage.app.layers.is_empty(), "nothing was changed");
        let mut stage = editor((80, 24));
        stage.write("x").press(leave);
        assert!(stage.app.layers.len() == 1 && stage.text().contains("the prompt is not saved"), "{}", stage.text());
        stage.write("y").press(leave);
        assert_eq!(stage.app.layers.len(), 1, "more was written since it was said");
        stage.press(leave);
        assert!(stage.app.layers.is_empty() && prompt(&stage) == "# Talk\n\nSay it.\n");
    }
}

#[test]
fn a_prompt_is_searched() {
    let mut stage = editor((80, 24));
    stage.press("ctrl-f").write("Say");
    assert!(stage.text().contains("Search: Say"), "{}", stage.text());
    stage.press("enter").write("I ");
    assert!(stage.text().contains("I Say it."), "it goes where it was found: {}", stage.text());
    stage.press("ctrl-f").write("no(such").press("esc");
    assert_eq!(stage.app.layers.len(), 1, "Esc leaves the search alone");
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_lost() {
    let mut stage = editor((80, 24));
    stage.write("Mine. ");
    std::fs::write(stage.root().join(".threados/prompts/talk.md"), "Theirs.\n").unwrap();
    stage.press("ctrl-s").act();
    assert!(stage.text().contains("somebody else changed it") && stage.text().contains("Mine. # Talk"), "{}", stage.text());
    assert_eq!(prompt(&stage), "Theirs.\n");
    stage.press("ctrl-r");
    assert!(stage.app.layers.len() == 2 && stage.text().contains("Theirs."), "{}", stage.text());
    stage.press("esc");
    assert!(stage.text().contains("Mine. # Talk"));
    stage.press("ctrl-o").act();
    assert!(stage.app.layers.is_empty() && prompt(&stage).starts_with("Mine. # Talk"), "{}", prompt(&stage));
}

#[test]
fn a_paste_goes_into_the_prompt() {
    let mut stage = editor((80, 24));
    stage.tell(crate::tui::msg::Msg::Input(crossterm::event::Event::Paste("one\r\ntwo\u{1b}[31m\rq".into())));
    assert!(stage.text().contains("· changed") && !stage.app.is_over, "{}", stage.text());
    stage.press("ctrl-s").act();
    assert!(prompt(&stage).starts_with("one\ntwo"), "{:?}", prompt(&stage));
}

#[test]
fn a_prompt_that_is_not_there_yet_is_begun() {
    let mut stage = Stage::new((80, 24), "version: \"1.0\"\nsteps:\n  - {id: talk, model: codex}\n");
    stage.press("enter ] ] enter").write("Begin.").press("ctrl-s").act();
    assert_eq!(prompt(&stage), "Begin.\n");
}

/// The form of `talk`.
fn open_form(stage: &mut Stage) {
    stage.press("/").write("talk").press("enter esc enter enter");
}

/// Goes to a field of the form that is open.
fn to_field(stage: &mut Stage, name: &str) {
    for _ in 0..60 {
        let buffer = stage.buffer();
        let width = usize::from(buffer.area.width);
        let is_there = buffer.content.chunks(width).any(|row| {
            let label: String =
                row.iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED)).map(ratatui::buffer::Cell::symbol).collect();
            label.trim_matches(['*', ' ']) == name
        });
        if is_there {
            return;
        }
        stage.press("tab");
    }
    panic!("no field `{name}`\n{}", stage.text());
}

fn plan(stage: &Stage) -> String {
    std::fs::read_to_string(stage.root().join(".threados/sequence.yaml")).unwrap()
}

#[test]
fn every_field_says_what_is_wrong_with_it() {
    let wrong = [
        ("env", "novalue"),
        ("depends_on", "nowhere"),
        ("group_id", "Not An Id"),
        ("fanout", "many"),
        ("timeout", "soon"),
        ("retries", "-1"),
        ("retry_delay", "later"),
        ("fusion_candidates", "nowhere"),
        ("watchdog_for", "nowhere"),
        ("watchdog_interval", "often"),
        ("max_cost_usd", "much"),
        ("agent_args", "\"open"),
    ];
    // What may come to be by itself, like a folder, a prompt or an agent of config.yaml, `seqctl validate` warns of.
    let mut silent = Vec::new();
    for (field, text) in wrong {
        let mut stage = Stage::new((80, 50), PLAN);
        open_form(&mut stage);
        assert!(stage.text().contains("depends_on"), "{}", stage.text());
        to_field(&mut stage, field);
        stage.press("end ctrl-u").write(text);
        let before = plan(&stage);
        stage.press("enter").act();
        if stage.app.layers.is_empty() || plan(&stage) != before {
            silent.push((field, stage.app.toasts.clone()));
        }
    }
    assert!(silent.is_empty(), "taken without a word: {silent:?}");
}

#[test]
fn fields_are_changed_and_taken_away() {
    let mut stage = Stage::new((80, 50), PLAN);
    open_form(&mut stage);
    for (field, there) in [("model", "claude-code/opus"), ("depends_on", "first"), ("retries", "2"), ("env", "'A=x y'")] {
        to_field(&mut stage, field);
        assert!(stage.text().contains(there), "{field}: {}", stage.text());
    }
    to_field(&mut stage, "timeout");
    stage.write("45m");
    to_field(&mut stage, "retries");
    stage.press("end ctrl-u");
    to_field(&mut stage, "review");
    stage.press("right");
    stage.press("enter");
    assert!(matches!(stage.wanted.last(), Some(Effect::Call(asked)) if asked.action.name() == "step.edit"));
    stage.act();
    let plan = plan(&stage);
    assert!(
        stage.app.layers.is_empty() && plan.contains("timeout: 45m") && !plan.contains("retries"),
        "{plan}\n{}",
        stage.text()
    );
    assert!(plan.contains("review: true") && plan.contains("env: {A: x y}"), "{plan}");
}
