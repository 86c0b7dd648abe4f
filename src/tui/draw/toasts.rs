//! Messages for a few seconds, where they cover nothing that has to be read.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::Line,
    widgets::{Clear, Paragraph},
};

use super::{
    super::{
        app::App,
        panels::View,
        toast::{Toast, Tone},
    },
    panel, tame, wrap,
};

/// The widest message.
const WIDEST: u16 = 80;

/// How many are shown at once.
const SHOWN: usize = 3;

/// Draws the messages, the newest at the bottom.
pub(super) fn draw(app: &App, frame: &mut Frame<'_>, screen: Rect) {
    let mut taken: Vec<Rect> = app.layers.iter().map(|layer| layer.area(app)).collect();
    let regions = app.regions();
    taken.extend(selected(app));
    taken.push(regions.inspector);
    taken.extend(app.panels.is_log_full.then_some(regions.log));
    for (at, toast) in app.toasts.iter().rev().take(SHOWN).enumerate() {
        match place(app, toast, screen, &taken) {
            Some(area) => {
                card(app, frame, toast, area);
                taken.push(area);
            }
            // The newest one is said in any case.
            None if at == 0 => return line(app, frame, toast),
            None => return,
        }
    }
}

fn lines(app: &App, toast: &Toast) -> Vec<Line<'static>> {
    let text = Line::styled(tame(&toast.text), style(app, toast));
    let hint = toast.hint.as_ref().map(|hint| Line::styled(tame(hint), app.look.theme.dim));
    std::iter::once(text).chain(hint).collect()
}

/// What it says in rows of a card of this width.
fn rows(app: &App, toast: &Toast, width: u16) -> Vec<Line<'static>> {
    let room = usize::from(width.saturating_sub(2)).max(1);
    lines(app, toast).into_iter().flat_map(|line| wrap(line, room)).collect()
}

fn style(app: &App, toast: &Toast) -> Style {
    match toast.tone {
        Tone::Good => app.look.theme.good,
        Tone::Plain => Style::new(),
        Tone::Warning => app.look.theme.warning,
        Tone::Error => app.look.theme.error,
    }
}

/// Where a message covers nothing of what is taken: from the lower right corner of the board upwards, then anywhere
/// on the screen but the toolbar and the last two lines.
fn place(app: &App, toast: &Toast, screen: Rect, taken: &[Rect]) -> Option<Rect> {
    let regions = app.regions();
    let everywhere = Rect::new(0, 1, screen.width, regions.chat.y.saturating_sub(1));
    let board = if regions.board.area() > 0 && regions.inspector.intersection(regions.board).area() == 0 {
        regions.board
    } else {
        everywhere
    };
    let grounds = [board, everywhere];
    let lines = lines(app, toast);
    let wide = lines.iter().map(Line::width).max().unwrap_or(0) + 2;
    grounds.into_iter().find_map(|ground| {
        let width = u16::try_from(wide).unwrap_or(u16::MAX).min(ground.width).min(WIDEST);
        let rows = rows(app, toast, width).len() + 2;
        let height = u16::try_from(rows).ok().filter(|height| *height <= ground.height)?;
        let lefts = [ground.right() - width, ground.x];
        let tops = (ground.y..=ground.bottom() - height).rev();
        let mut all = lefts.into_iter().flat_map(|x| tops.clone().map(move |y| Rect::new(x, y, width, height)));
        all.find(|area| taken.iter().all(|other| other.intersection(*area).area() == 0))
    })
}

fn card(app: &App, frame: &mut Frame<'_>, toast: &Toast, area: Rect) {
    frame.render_widget(Clear, area);
    let text = Paragraph::new(rows(app, toast, area.width));
    frame.render_widget(text.block(panel(app, "", false)), area);
}

/// Says it in place of the hints, where a dialog has everything else.
fn line(app: &App, frame: &mut Frame<'_>, toast: &Toast) {
    let area = app.regions().hints;
    frame.render_widget(Clear, area);
    let words = match &toast.hint {
        Some(hint) => format!("{}: {hint}", toast.text),
        None => toast.text.clone(),
    };
    let text = super::fit(&words, usize::from(area.width.saturating_sub(1)), app.look.glyphs.ellipsis());
    frame.render_widget(Line::styled(format!(" {text}"), style(app, toast)), area);
}

/// Where the selected step or gate stands, which a message is mostly about.
fn selected(app: &App) -> Option<Rect> {
    let (snapshot, at) = app.selected()?;
    let board = app.regions().board;
    let inside = board.inner(ratatui::layout::Margin::new(1, 1));
    match app.view() {
        View::List => {
            let row = app.board.order.iter().position(|&other| other == at)?.checked_sub(app.board.first_row)?;
            let row = u16::try_from(row).ok().filter(|row| *row < inside.height)?;
            Some(Rect { y: inside.y + row, height: 1, ..inside })
        }
        View::Graph => {
            let area = app.board.plane.as_ref()?.node(&snapshot.graph.layout, at);
            let cell =
                |from: u16, at: i32, origin: i32| u16::try_from((i32::from(from) + at - origin).max(0)).unwrap_or(u16::MAX);
            let (x, y) = (cell(inside.x, area.x, app.board.origin.x), cell(inside.y, area.y, app.board.origin.y));
            let size = |cells: i32| u16::try_from(cells).unwrap_or(0);
            Some(Rect::new(x, y, size(area.width), size(area.height)).intersection(inside))
        }
    }
}
