//! The log of the selected step.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{
    super::{ansi, app::App, command::Command, panels::Panel},
    panel, tame,
};
use crate::client::{LogLine, PieceKind};

/// The narrowest panel with times.
const WITH_TIMES: u16 = 60;

/// Draws the log panel; as one line where it is folded.
pub(super) fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let title = title(app);
    if area.height < 3 {
        return frame.render_widget(Line::styled(title, app.look.theme.dim), area);
    }
    let block = panel(app, title, app.panels.focus == Panel::Log);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    lines(app, frame, inside);
}

fn title(app: &App) -> String {
    let panel = &app.log;
    let Some(wanted) = &panel.wanted else { return " Log ".into() };
    let place = match (panel.top, panel.is_counted) {
        (None, _) => "following".to_owned(),
        (Some(top), true) => format!("{}/{}", top + 1, panel.total),
        (Some(top), false) => format!("{}/{} and counting", top + 1, panel.total),
    };
    let (dot, dash) = (app.look.glyphs.spell(" · "), app.look.glyphs.spell(" ─ "));
    let searching = if panel.is_searching { app.look.glyphs.spell(" …") } else { String::new() };
    let search = panel.search.as_ref().map_or(String::new(), |text| format!("{dot}/{}{searching}", tame(text)));
    let attempt = match (&panel.chosen, &wanted.attempt) {
        (Some((_, run, attempt)), _) => format!("{dot}attempt {attempt} of {run}"),
        (None, Some((_, attempt))) if *attempt > 1 => format!("{dot}attempt {attempt}"),
        _ => String::new(),
    };
    let raw = if wanted.is_raw { " as it is" } else { "" };
    format!(" Log{dot}{}{attempt}{dot}{}{raw}{dash}{place}{search} ", wanted.step, panel.stream())
}

/// Draws the lines that fit, the last ones while it follows.
pub(super) fn lines(app: &App, frame: &mut Frame<'_>, inside: Rect) {
    let panel = &app.log;
    let Some(wanted) = &panel.wanted else {
        return frame.render_widget(Line::styled("select a step to see its log", app.look.theme.dim), inside);
    };
    if panel.lines.is_empty() {
        let words = match (&panel.problem, &wanted.attempt) {
            (Some(problem), _) => tame(problem),
            (None, None) => format!("`{}` has not run yet", wanted.step),
            (None, Some(_)) if !panel.is_read => app.look.glyphs.spell("reading …"),
            (None, Some(_)) if panel.has_other => {
                let (stream, key) = (panel.stream(), app.keymap.key(Command::Stream).unwrap_or_default());
                format!("nothing written to {stream}; {key} shows what was written elsewhere")
            }
            (None, Some(_)) => "nothing written yet".into(),
        };
        return frame.render_widget(Line::styled(words, app.look.theme.dim), inside);
    }
    let rows = usize::from(inside.height);
    let seen = if panel.top.is_some() {
        &panel.lines[..rows.min(panel.lines.len())]
    } else {
        &panel.lines[panel.lines.len().saturating_sub(rows)..]
    };
    let all: Vec<Line<'static>> = seen.iter().flat_map(|line| rows_of(app, line, inside.width)).collect();
    let skipped = if panel.top.is_none() { all.len().saturating_sub(rows) } else { 0 };
    for (y, line) in (inside.y..inside.bottom()).zip(all.into_iter().skip(skipped)) {
        frame.render_widget(line, Rect { y, height: 1, ..inside });
    }
}

/// A line of the log as rows of the screen: one, or more where it is wrapped.
fn rows_of(app: &App, line: &LogLine, width: u16) -> Vec<Line<'static>> {
    let theme = &app.look.theme;
    let time = (width >= WITH_TIMES).then(|| line.at.map_or("         ".into(), |at| format!("{} ", clock(at))));
    let time = time.unwrap_or_default();
    let room = usize::from(width).saturating_sub(time.len()).max(1);
    let mut text = ansi::line(&line.text, theme.has_colours);
    let style = match line.kind {
        _ if line.is_stderr => theme.warning,
        PieceKind::Called => theme.title,
        PieceKind::Answered | PieceKind::Took => theme.dim,
        PieceKind::Failed | PieceKind::Notice => theme.error,
        PieceKind::Output | PieceKind::Said => Style::new(),
    };
    text = text.patch_style(style);
    if line.is_cut {
        text.push_span(Span::styled(app.look.glyphs.spell(" … cut"), theme.dim));
    }
    if line.number.is_some() && line.number == app.log.hit {
        text = text.patch_style(theme.selected);
    }
    let head = |is_first: bool| Span::styled(if is_first { time.clone() } else { " ".repeat(time.len()) }, theme.dim);
    if app.log.is_wrapped {
        let parts = cut(&text, room);
        return parts.into_iter().enumerate().map(|(at, part)| with_head(head(at == 0), part)).collect();
    }
    let shifted = cut_at(&text, app.log.left);
    vec![with_head(head(true), cut(&shifted, room).into_iter().next().unwrap_or_default())]
}

fn with_head(head: Span<'static>, mut line: Line<'static>) -> Line<'static> {
    line.spans.insert(0, head);
    line
}

/// A line without its first cells.
fn cut_at(line: &Line<'static>, left: usize) -> Line<'static> {
    if left == 0 {
        return line.clone();
    }
    cut(line, left).into_iter().skip(1).flat_map(|part| part.spans).collect::<Vec<_>>().into()
}

/// A line in parts of at most so many cells.
fn cut(line: &Line<'static>, room: usize) -> Vec<Line<'static>> {
    let (mut parts, mut used) = (vec![Line::default()], 0);
    for span in &line.spans {
        let mut text = String::new();
        let style = line.style.patch(span.style);
        for letter in span.content.chars() {
            let wide = crate::layout::width(letter.encode_utf8(&mut [0; 4]));
            if used + wide > room {
                push(&mut parts, &mut text, style);
                parts.push(Line::default());
                used = 0;
            }
            text.push(letter);
            used += wide;
        }
        push(&mut parts, &mut text, style);
    }
    parts
}

fn push(parts: &mut [Line<'static>], text: &mut String, style: Style) {
    if let Some(last) = parts.last_mut().filter(|_| !text.is_empty()) {
        last.push_span(Span::styled(std::mem::take(text), style));
    }
}

/// The time of day where the person is.
fn clock(at: jiff::Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string()
}
