//! The sequence, as a graph or a list.

use ratatui::{
    Frame,
    layout::Rect,
    text::Line,
    widgets::{Clear, Paragraph, Wrap},
};

use super::{
    super::{
        app::App,
        command::Command,
        panels::{Panel, View},
        welcome,
    },
    graph, list, minimap, panel, tame,
};

/// Draws the board.
pub(super) fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    if area.area() == 0 {
        return;
    }
    let theme = &app.look.theme;
    let title = match (&app.broken, app.view()) {
        (Some(_), _) => Line::styled(" sequence.yaml cannot be read ", theme.error),
        (None, View::List) => Line::raw(" List "),
        (None, View::Graph) => Line::raw(" Sequence "),
    };
    let block = panel(app, title, app.panels.focus == Panel::Board);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let Some(snapshot) = &app.snapshot else {
        let text = app.broken.clone().unwrap_or_else(|| app.look.glyphs.spell("reading the project …"));
        return frame.render_widget(Paragraph::new(tame(&text)).wrap(Wrap { trim: true }), inside);
    };
    if snapshot.graph.nodes.is_empty() {
        return frame.render_widget(Paragraph::new(nothing(app)).wrap(Wrap { trim: false }), inside);
    }
    if app.view() == View::List && app.board.order.is_empty() {
        let text =
            format!("nothing has `{}` in its name, agent, status or group", app.board.search.as_deref().unwrap_or_default());
        return frame.render_widget(Paragraph::new(Line::styled(tame(&text), theme.dim)).wrap(Wrap { trim: true }), inside);
    }
    match app.view() {
        View::List => list::draw(app, snapshot, frame, inside),
        View::Graph => {
            graph::draw(app, snapshot, frame, inside);
            minimap::draw(app, snapshot, frame);
        }
    }
    if let Some(problem) = &app.broken {
        over(app, frame, inside, problem);
    }
}

/// What is said of a plan without steps: what this is, who is here, and how to start.
fn nothing(app: &App) -> Vec<Line<'static>> {
    let theme = &app.look.theme;
    let key = |command| app.keymap.key(command).unwrap_or_default();
    let mut lines = vec![
        Line::styled("no steps yet", theme.title),
        Line::default(),
        Line::styled(
            "A plan says which step needs which; gates wait for your word. It stands in .threados/sequence.yaml.",
            theme.dim,
        ),
        Line::styled(tame(&welcome::found(&app.agents)), theme.dim),
        Line::default(),
    ];
    lines.extend(welcome::ways(theme, ""));
    lines.push(Line::default());
    let more = format!("{} changes the plan, {} finds every command", key(Command::Plan), key(Command::Palette));
    lines.push(Line::styled(app.look.glyphs.spell(&more), theme.dim));
    lines
}

/// Says what is wrong with the file, over what it was when it was last good.
fn over(app: &App, frame: &mut Frame<'_>, inside: Rect, problem: &str) {
    let theme = &app.look.theme;
    frame.buffer_mut().set_style(inside, theme.faded);
    // Which project it is, the toolbar says.
    let problem = problem.split_once("/.threados/").filter(|(root, _)| root.starts_with('/')).map_or(problem, |(_, rest)| rest);
    let width = usize::from(inside.width.saturating_sub(2)).max(1);
    let lines: Vec<Line<'_>> = problem.lines().map(|line| Line::styled(tame(line), theme.error)).collect();
    let rows: usize = lines.iter().map(|line| line.width().div_ceil(width).max(1)).sum();
    let height = u16::try_from(rows + 2).unwrap_or(u16::MAX).min(inside.height);
    let place = Rect { y: inside.bottom() - height, height, ..inside };
    let block = panel(app, Line::styled(" the last good state stays until the file is mended ", theme.dim), false);
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }).block(block), place);
}
