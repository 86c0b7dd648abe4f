//! The first screen in a folder without a project: what this is, and three ways to start.

use std::{env, path::Path};

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::{
    Frame,
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{Options, crash, draw::tame, run::look, terminal, theme::Theme};
use crate::{client::Agent, error::Error};

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
    pub(super) const fn of(letter: char) -> Option<Self> {
        match letter {
            'n' => Some(Self::Task),
            't' => Some(Self::Template),
            'd' => Some(Self::Demo),
            _ => None,
        }
    }
}

/// Asks how to start. Answers with nothing where the person leaves.
pub fn welcome(root: &Path, agents: &[Agent], options: &Options) -> Result<Option<Start>, Error> {
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

fn way(theme: &Theme, key: char, words: &str) -> Line<'static> {
    Line::from(vec![Span::styled(format!("  {key}  "), theme.key), Span::raw(tame(words))])
}

/// The ways to start; `place` says where.
pub(super) fn ways(theme: &Theme, place: &str) -> [Line<'static>; 3] {
    [
        way(theme, 'n', &format!("a task of yours{place}")),
        way(theme, 't', "a template: parallel, chained, fusion and others, in the same folder"),
        way(theme, 'd', "the demo: 12 harmless steps in a temporary folder"),
    ]
}

/// Which agents there are, or how to get one.
pub(super) fn found(agents: &[Agent]) -> String {
    let here: Vec<&str> = agents.iter().filter(|agent| agent.is_here).map(|agent| agent.name.as_str()).collect();
    if !here.is_empty() {
        return format!("agents found: {}", here.join(", "));
    }
    let install = agents.iter().find_map(|agent| agent.install.as_deref());
    let install = install.map_or(String::new(), |install| format!("; one is installed with `{install}`"));
    format!("no agent is installed: steps can run shell commands{install}")
}

/// Draws it.
pub(super) fn draw(frame: &mut Frame<'_>, theme: &Theme, root: &Path, agents: &[Agent]) {
    let lines = vec![
        Line::styled("seqctl runs sequences of AI agents and shell commands", theme.title),
        Line::default(),
        Line::raw("A plan says which step needs which; gates wait for your word. There is no plan here yet."),
        Line::raw(tame(&found(agents))),
        Line::default(),
    ];
    let leave = way(theme, 'q', "leave; nothing has been written");
    let lines: Vec<Line<'_>> = lines.into_iter().chain(ways(theme, &format!(", in {}", root.display()))).chain([leave]).collect();
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), frame.area());
}
