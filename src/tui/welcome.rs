//! The first screen in a folder without a project: what this is, and three ways to start.

use std::{env, path::Path};

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::{
    Frame,
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{Options, crash, draw::tame, run::look, terminal, theme::Theme};
use crate::error::Error;

/// A way to start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
    /// With a task in this folder.
    Task,
    /// With a template in this folder.
    Template,
    /// With the demo, in a folder of its own.
    Demo,
}

impl Start {
    /// What a key chooses; none of them leaves.
    const fn of(letter: char) -> Option<Self> {
        match letter {
            'n' => Some(Self::Task),
            't' => Some(Self::Template),
            'd' => Some(Self::Demo),
            _ => None,
        }
    }
}

/// Asks how to start. Answers with nothing where the person leaves.
pub fn welcome(root: &Path, agents: &[String], options: &Options) -> Result<Option<Start>, Error> {
    let theme = look(options).theme;
    crash::guard(env::temp_dir(), None);
    let mut screen = terminal::take().map_err(Error::io("set up", "the terminal"))?;
    let chosen = loop {
        let drawn = screen.draw(|frame| draw(frame, &theme, root, agents)).map(|_| ());
        let event = match drawn.and_then(|()| event::read()) {
            Ok(event) => event,
            Err(error) => {
                terminal::give_back();
                return Err(Error::io("draw on", "the terminal")(error));
            }
        };
        let Event::Key(key) = event else { continue };
        match key.code {
            _ if key.kind == KeyEventKind::Release => {}
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => break None,
            KeyCode::Char('q') | KeyCode::Esc => break None,
            KeyCode::Char(letter) => {
                if let Some(start) = Start::of(letter) {
                    break Some(start);
                }
            }
            _ => {}
        }
    };
    terminal::give_back();
    Ok(chosen)
}

/// Draws it.
pub(super) fn draw(frame: &mut Frame<'_>, theme: &Theme, root: &Path, agents: &[String]) {
    let found = match agents {
        [] => "no agent is installed; shell steps run without one, and `seqctl doctor` says how to get one".to_owned(),
        agents => format!("agents found: {}", agents.join(", ")),
    };
    let way =
        |key: &'static str, words: String| Line::from(vec![Span::styled(format!("  {key}  "), theme.key), Span::raw(words)]);
    let lines = vec![
        Line::styled("seqctl runs sequences of AI agents and shell commands", theme.title),
        Line::default(),
        Line::raw("A plan says which step needs which; gates wait for your word. There is no plan here yet."),
        Line::raw(tame(&found)),
        Line::default(),
        way("n", tame(&format!("a task of yours, in {}", root.display()))),
        way("t", "a template: parallel, chained, fusion and others, in the same folder".into()),
        way("d", "the demo: 12 harmless steps in a temporary folder".into()),
        way("q", "leave; nothing has been written".into()),
    ];
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), frame.area());
}
