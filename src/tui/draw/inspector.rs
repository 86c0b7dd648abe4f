//! The inspector of the selection.

use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Clear,
};

use super::{
    super::{
        app::App,
        command::Command,
        inspector::{Facts, Tab},
        markdown::{Mark, Marked},
        panels::Panel,
        theme::Theme,
    },
    panel, tame,
};
use crate::model::{Id, Span as Duration, StepStatus};

/// Draws the inspector; as a rail where it is folded.
pub(super) fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    if area.area() == 0 {
        return;
    }
    frame.render_widget(Clear, area);
    let is_focused = app.panels.focus == Panel::Inspector;
    let is_rail = area.width < 8;
    let block = panel(app, if is_rail { Line::default() } else { tabs(app) }, is_focused);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    if is_rail {
        return draw_rail(app, frame, inside);
    }
    if app.inspector.tab == Tab::Logs {
        return super::log::lines(app, frame, inside);
    }
    let rows = rows(app, inside.width);
    let first = usize::from(app.inspector.scroll).min(rows.len().saturating_sub(usize::from(inside.height)));
    for (y, row) in (inside.y..inside.bottom()).zip(rows.into_iter().skip(first)) {
        frame.render_widget(row, Rect { y, height: 1, ..inside });
    }
}

/// The selection's status, and the key that unfolds it.
fn draw_rail(app: &App, frame: &mut Frame<'_>, inside: Rect) {
    let Some((snapshot, at)) = app.selected() else { return };
    let glyph = super::details::glyph(app, snapshot, &snapshot.node(at).id);
    frame.render_widget(Line::from(glyph), Rect { height: 1.min(inside.height), ..inside });
    if let (Some(key), true) = (app.keymap.key(Command::FoldInspector), inside.height > 1) {
        frame.render_widget(Line::styled(key, app.look.theme.key), Rect { y: inside.bottom() - 1, height: 1, ..inside });
    }
}

/// The furthest that it can be scrolled.
pub(in super::super) fn last_row(app: &App) -> u16 {
    let area = app.regions().inspector;
    let rows = rows(app, area.width.saturating_sub(2)).len();
    u16::try_from(rows).unwrap_or(u16::MAX).saturating_sub(area.height.saturating_sub(2))
}

/// The row at which it begins to say why the selection does not run.
pub(in super::super) fn why_row(app: &App) -> u16 {
    let width = usize::from(app.regions().inspector.width.saturating_sub(2)).max(1);
    let lines = app.inspector.facts.as_ref().map(|facts| super::details::about(app, facts)).unwrap_or_default();
    u16::try_from(lines.into_iter().flat_map(|line| wrap(line, width)).count()).unwrap_or(u16::MAX)
}

/// Everything that the tab shows, in rows of the panel's width.
fn rows(app: &App, width: u16) -> Vec<Line<'static>> {
    if let (Some(fold), Some(snapshot)) = (app.selected_fold(), &app.snapshot) {
        let lines = super::details::of_fold(app, snapshot, fold);
        return lines.into_iter().flat_map(|line| wrap(line, usize::from(width).max(1))).collect();
    }
    let Some(facts) = &app.inspector.facts else { return Vec::new() };
    let theme = &app.look.theme;
    let is_read = facts.tab == Some(app.inspector.tab);
    let mut lines = match app.inspector.tab {
        Tab::Details => super::details::lines(app, facts),
        _ if !is_read => Vec::new(),
        Tab::Prompt => facts.prompt_lines.iter().map(|line| prompt_line(app, line)).collect(),
        Tab::Diff => diff(app, facts),
        Tab::Runs => attempts(app, facts),
        Tab::Logs => Vec::new(),
    };
    match &facts.problem {
        Some(problem) if is_read => lines.push(Line::styled(tame(problem), theme.dim)),
        _ if lines.is_empty() && !is_read => lines.push(Line::styled(app.look.glyphs.spell("reading …"), theme.dim)),
        None if lines.is_empty() && facts.detail.is_none() => {
            lines.push(Line::styled("a gate has none; Details has what came before it", theme.dim));
        }
        None if lines.is_empty() => lines.push(Line::styled(nothing(app.inspector.tab), theme.dim)),
        _ => {}
    }
    lines.into_iter().flat_map(|line| wrap(line, usize::from(width).max(1))).collect()
}

const fn nothing(tab: Tab) -> &'static str {
    match tab {
        Tab::Prompt => "no prompt",
        Tab::Diff => "it changed nothing",
        Tab::Runs => "it has not run yet",
        Tab::Details | Tab::Logs => "",
    }
}

fn prompt_line(app: &App, line: &Marked) -> Line<'static> {
    let theme = &app.look.theme;
    let style = |mark| match mark {
        Mark::Plain => Style::new(),
        Mark::Heading => theme.title.add_modifier(Modifier::UNDERLINED),
        Mark::Code => theme.good,
        Mark::Strong => theme.title,
        Mark::Emphasis => Style::new().add_modifier(Modifier::ITALIC),
        Mark::Quote => theme.dim,
        Mark::Bullet => theme.key,
    };
    line.iter().map(|(mark, text)| Span::styled(tame(&text.replace('\t', "    ")), style(*mark))).collect()
}

fn diff(app: &App, facts: &Facts) -> Vec<Line<'static>> {
    let theme = &app.look.theme;
    let Some(diff) = &facts.diff else { return Vec::new() };
    let mut lines = Vec::new();
    if let Some(facts) = &diff.diff {
        lines.push(Line::styled(facts.words(), theme.title));
    }
    if !diff.shared_with.is_empty() {
        let others: Vec<&str> = diff.shared_with.iter().map(Id::as_str).collect();
        lines.push(Line::styled(format!("may have changes of {}", others.join(", ")), theme.warning));
    }
    lines.extend(diff.text.lines().map(|line| diff_line(theme, line)));
    lines
}

/// A line of a unified diff, highlighted.
pub(super) fn diff_line(theme: &Theme, line: &str) -> Line<'static> {
    let style = match line.as_bytes() {
        [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] | [b'd', b'i', b'f', b'f', ..] => theme.title,
        [b'+', ..] => theme.good,
        [b'-', ..] => theme.error.remove_modifier(Modifier::BOLD),
        [b'@', b'@', ..] | [b'i', b'n', b'd', b'e', b'x', b' ', ..] => theme.dim,
        _ => Style::new(),
    };
    Line::styled(tame(&line.replace('\t', "    ")), style)
}

/// Two lines for each attempt: how it ended after how long, and when it began in which run.
fn attempts(app: &App, facts: &Facts) -> Vec<Line<'static>> {
    let theme = &app.look.theme;
    let running = app.running_attempt().map(|(run, attempt)| {
        let took = app.selected().and_then(|(snapshot, at)| snapshot.duration_ms(at, app.now)).unwrap_or_default();
        (StepStatus::Running, attempt, took, "runs".to_owned(), format!("  now  run {run}"))
    });
    let ended = facts.attempts.iter().map(|ended| {
        let began = ended.started_at.get(..19).unwrap_or(&ended.started_at).replace('T', " ");
        let how = tame(&ended.outcome().explained());
        (ended.status, ended.attempt, ended.duration_ms, how, format!("  {began}  run {}", ended.run))
    });
    let lines = running.into_iter().chain(ended).enumerate().flat_map(|(at, (status, attempt, took, how, place))| {
        let mut head = Line::from(vec![
            Span::styled(format!("{} ", app.look.glyphs.step_status(status)), theme.step(status)),
            Span::raw(format!("{attempt}  {:>6}  ", Duration::from_ms(took).short())),
            Span::styled(how, theme.step(status)),
        ]);
        if at == app.inspector.chosen {
            head = head.patch_style(theme.selected);
        }
        [head, Line::styled(place, theme.dim)]
    });
    lines.collect()
}

/// A line as rows of at most `width` cells, broken at blanks where there are any.
pub(in super::super) fn wrap(line: Line<'static>, width: usize) -> Vec<Line<'static>> {
    if line.width() <= width {
        return vec![line];
    }
    let style = line.style;
    let letters: Vec<(char, Style)> =
        line.spans.iter().flat_map(|span| span.content.chars().map(|letter| (letter, span.style)).collect::<Vec<_>>()).collect();
    let (mut rows, mut rest) = (Vec::new(), letters.as_slice());
    while !rest.is_empty() {
        let mut used = 0;
        let fits = rest.iter().take_while(|(letter, _)| {
            used += crate::layout::width(letter.encode_utf8(&mut [0; 4]));
            used <= width
        });
        let fits = fits.count().max(1);
        let blank = rest[..fits].iter().rposition(|(letter, _)| *letter == ' ').filter(|at| fits < rest.len() && *at > fits / 2);
        let end = blank.map_or(fits, |at| at + 1);
        let (row, after) = rest.split_at(end);
        let spans = row
            .chunk_by(|a, b| a.1 == b.1)
            .map(|piece| Span::styled(piece.iter().map(|(letter, _)| *letter).collect::<String>(), piece[0].1));
        rows.push(Line::from(spans.collect::<Vec<_>>()).style(style));
        rest = after;
    }
    rows
}

fn tabs(app: &App) -> Line<'static> {
    let theme = &app.look.theme;
    let mut spans = vec![Span::raw(" ")];
    for tab in Tab::ALL {
        let style = if tab == app.inspector.tab { theme.title } else { theme.dim };
        spans.push(Span::styled(tab.title(), style));
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

/// The tab whose name is at a cell of the screen.
pub(in super::super) fn tab_at(app: &App, at: Position) -> Option<Tab> {
    let area = app.regions().inspector;
    let mut x = area.x + 2;
    Tab::ALL.into_iter().find(|tab| {
        let width = u16::try_from(tab.title().len()).unwrap_or(0);
        let is_here = area.contains(at) && at.y == area.y && (x..x + width).contains(&at.x);
        x += width + 1;
        is_here
    })
}
