//! The last line: the keys that make sense now.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::super::{app::App, command::Command, keymap::binding, panels::Panel};

/// Draws as many hints as fit, the most useful first.
pub(super) fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let hints = match app.layers.last() {
        Some(layer) => layer.hints(app),
        None => own(app),
    };
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    for (key, words) in hints {
        let (key, words) = (app.look.glyphs.spell(&key), app.look.glyphs.spell(&words));
        let width = crate::layout::width(&key) + crate::layout::width(&words) + 3;
        if used + width > usize::from(area.width) {
            break;
        }
        used += width;
        spans.push(Span::styled(key, app.look.theme.key));
        spans.push(Span::styled(format!(" {words}  "), app.look.theme.dim));
    }
    frame.render_widget(Line::from(spans), area);
    if app.is_slow() {
        frame.render_widget(Line::styled(app.look.glyphs.spell(" working … "), app.look.theme.warning).right_aligned(), area);
    }
}

fn own(app: &App) -> Vec<(String, String)> {
    if app.panels.focus == Panel::Chat {
        return [("Enter", "send"), ("Ctrl-J", "new line"), ("Esc", "back")]
            .map(|(key, words)| (key.into(), words.into()))
            .into();
    }
    if app.panels.focus == Panel::Card {
        return [
            ("a", "apply"),
            ("A", "apply and run"),
            ("d", "discard"),
            ("e", "edit the request"),
            ("↑↓", "scroll"),
            ("Esc", "back"),
        ]
        .map(|(key, words)| (key.into(), words.into()))
        .into();
    }
    if app.panels.focus == Panel::Board && app.is_plan_empty() {
        let ways = [("n", "task"), ("t", "template"), ("d", "demo")].map(|(key, words)| (key.to_owned(), words.to_owned()));
        let more = [Command::Plan, Command::Palette, Command::Help, Command::Quit];
        let more = more.iter().filter_map(|&command| Some((app.keymap.key(command)?, binding(command).short.to_owned())));
        return ways.into_iter().chain(more).collect();
    }
    let commands: &[Command] = match app.panels.focus {
        Panel::Log => &[Command::Follow, Command::FullLog, Command::Search, Command::NextPanel, Command::Close],
        Panel::Inspector => &[Command::NextTab, Command::Prompt, Command::Diff, Command::NextPanel, Command::Close],
        _ => &[
            Command::Open,
            Command::Run,
            Command::Stop,
            Command::Approve,
            Command::NextAttention,
            Command::Help,
            Command::Quit,
            Command::Prompt,
            Command::Search,
            Command::Palette,
        ],
    };
    let row = |&command: &Command| Some((app.keymap.key(command)?, binding(command).short.to_owned()));
    commands.iter().filter_map(row).collect()
}
