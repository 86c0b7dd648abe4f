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
        panels::{Panel, View},
    },
    graph, list, minimap, panel, tame,
};

/// What is said of a plan without steps.
const NOTHING: [&str; 3] = ["no steps yet", "p a  a task of yours", "p t  steps from a template"];

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
        let text = app.broken.as_deref().unwrap_or("reading the project …");
        return frame.render_widget(Paragraph::new(tame(text)).wrap(Wrap { trim: true }), inside);
    };
    if snapshot.graph.nodes.is_empty() {
        return frame.render_widget(Paragraph::new(NOTHING.map(|line| Line::styled(line, theme.dim)).to_vec()), inside);
    }
    match app.view() {
        View::List => list::draw(app, snapshot, frame, inside),
        View::Graph => {
            graph::draw(app, snapshot, frame, inside);
            minimap::draw(app, snapshot, frame);
        }
    }
    if let Some(broken) = &app.broken {
        frame.buffer_mut().set_style(inside, theme.faded);
        draw_error(app, frame, inside, broken);
    }
}

/// Draws what is wrong with the plan over the last good one.
fn draw_error(app: &App, frame: &mut Frame<'_>, inside: Rect, broken: &str) {
    let lines: Vec<Line> = broken.lines().map(|line| Line::raw(tame(line))).collect();
    let paragraph = Paragraph::new(lines).style(app.look.theme.error).wrap(Wrap { trim: true });
    let rows = broken.lines().map(|line| crate::layout::width(line) / usize::from(inside.width.max(1)) + 1).sum::<usize>();
    let height = u16::try_from(rows + 1).unwrap_or(u16::MAX).min(inside.height);
    let area = Rect { height, ..inside };
    frame.render_widget(Clear, area);
    frame.render_widget(paragraph, area);
}
