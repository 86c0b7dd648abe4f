//! What stands in a form, row by row, and where: drawing and the mouse read the same rows.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::Line,
    widgets::{Clear, Paragraph, Wrap},
};

use super::{
    super::{
        super::{app::App, draw},
        field::{Field, Kind},
    },
    Form, snake,
};

/// The columns of the fields' names.
const NAMES: u16 = 18;

/// The rows below the fields: a blank one, what the field is, and what would happen or is wrong as a whole.
pub(super) const FOOT: u16 = 5;

/// How many rows a remark beside a field has at most.
const REMARK: usize = 3;

/// A row of a form.
pub(super) enum Row {
    Field(usize),
    /// What is to be said of the field above.
    Remark(Line<'static>),
}

/// The rows of all fields, each with what is to be said of it below it.
pub(super) fn rows(form: &Form, app: &App, width: u16) -> Vec<Row> {
    let room = usize::from(width.saturating_sub(NAMES)).max(10);
    let mut rows = Vec::new();
    for at in 0..form.fields.len() {
        rows.push(Row::Field(at));
        for (text, style) in remarks(form, app, at) {
            let lines = draw::wrap(Line::styled(draw::tame(&text), style), room);
            rows.extend(lines.into_iter().take(REMARK).map(Row::Remark));
        }
    }
    rows
}

fn remarks(form: &Form, app: &App, at: usize) -> Vec<(String, Style)> {
    let theme = &app.look.theme;
    let wrong = form.verdict.as_ref().filter(|verdict| verdict.at == Some(at)).and_then(|verdict| verdict.said.as_ref().err());
    let missing = form.missing_agent(app, at);
    let wrong = wrong.map(|why| (why.clone(), theme.error));
    wrong.into_iter().chain(missing.map(|words| (words, theme.warning))).collect()
}

/// The first row that is shown, so that the field and what is said of it are.
pub(super) fn first(form: &Form, rows: &[Row], fit: usize) -> usize {
    let field = rows.iter().position(|row| matches!(row, Row::Field(at) if *at == form.at)).unwrap_or(0);
    let remarks = rows.iter().skip(field + 1).take_while(|row| matches!(row, Row::Remark(_))).count();
    (field + remarks + 1).saturating_sub(fit.max(1)).min(field)
}

/// Draws a form.
pub(super) fn draw(form: &Form, app: &App, frame: &mut Frame<'_>, area: Rect) {
    frame.render_widget(Clear, area);
    let block = draw::panel(app, format!(" {} ", form.title), true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let fit = inside.height.saturating_sub(FOOT);
    let rows = rows(form, app, inside.width);
    let first = first(form, &rows, usize::from(fit));
    for (y, row) in (inside.y..inside.y + fit).zip(rows.iter().skip(first)) {
        let place = Rect { y, height: 1, ..inside };
        let right = Rect { x: place.x + NAMES.min(place.width), width: place.width.saturating_sub(NAMES), ..place };
        match row {
            Row::Field(at) => field(form, app, frame, *at, place, right),
            Row::Remark(line) => frame.render_widget(line, right),
        }
    }
    let hidden = rows.len().saturating_sub(first + usize::from(fit));
    foot(form, app, frame, Rect { y: inside.y + fit, height: inside.height - fit, ..inside }, (first, hidden));
}

fn field(form: &Form, app: &App, frame: &mut Frame<'_>, at: usize, place: Rect, right: Rect) {
    let (theme, field) = (&app.look.theme, &form.fields[at]);
    let is_here = at == form.at;
    let style = if is_here { theme.selected } else { Style::new() };
    let is_wrong = form.verdict.as_ref().is_some_and(|verdict| verdict.said.is_err() && verdict.at == Some(at));
    let style = if is_wrong { style.patch(theme.error) } else { style };
    let mark = if field.is_required { "*" } else { " " };
    let name = Rect { width: NAMES.min(place.width), ..place };
    frame.render_widget(Line::styled(format!("{mark}{}", snake(&field.name)), style), name);
    if is_here && !field.has_few() {
        frame.render_widget(&field.text, right);
        if let Some(rest) = form.suggestion(app) {
            let used = u16::try_from(crate::layout::width(field.typed()) + 1).unwrap_or(u16::MAX).min(right.width);
            let after = Rect { x: right.x + used, width: right.width - used, ..right };
            frame.render_widget(Line::styled(draw::tame(&rest), theme.dim), after);
        }
        return;
    }
    frame.render_widget(Line::raw(shown(app, field, is_here)), right);
}

/// A field's value where it is not being typed.
fn shown(app: &App, field: &Field, is_here: bool) -> String {
    match (&field.kind, field.typed()) {
        (Kind::Flag | Kind::One(_), text) if is_here => {
            let (left, right) = (app.look.glyphs.spell("‹"), app.look.glyphs.spell("›"));
            format!("{left} {} {right}", if text.is_empty() { "-" } else { text })
        }
        (_, text) => draw::tame(text),
    }
}

/// What the field is, and what would happen or is wrong as a whole.
fn foot(form: &Form, app: &App, frame: &mut Frame<'_>, area: Rect, (above, below): (usize, usize)) {
    let theme = &app.look.theme;
    let [_, about, verdict] = split(area);
    if above + below > 0 {
        let (up, down) = (app.look.glyphs.spell("↑"), app.look.glyphs.spell("↓"));
        let more = [(above, up), (below, down)].into_iter().filter(|(number, _)| *number > 0);
        let more: Vec<String> = more.map(|(number, sign)| format!("{sign} {number} more")).collect();
        let line = Line::styled(more.join("  "), theme.dim).right_aligned();
        frame.render_widget(line, Rect { height: 1, ..area });
    }
    let words = form.fields.get(form.at).map_or(String::new(), |field| Form::about(app, field));
    frame.render_widget(Paragraph::new(Line::styled(draw::tame(&words), theme.dim)).wrap(Wrap { trim: true }), about);
    let line = match form.verdict.as_ref().map(|verdict| (&verdict.said, verdict.at)) {
        Some((Ok(would), _)) => Line::styled(draw::tame(would), theme.good),
        Some((Err(why), None)) => Line::styled(draw::tame(why), theme.error),
        Some((Err(_), Some(_))) => Line::default(),
        None => Line::styled("* has to be filled in", theme.dim),
    };
    frame.render_widget(Paragraph::new(line).wrap(Wrap { trim: true }), verdict);
}

fn split(area: Rect) -> [Rect; 3] {
    use ratatui::layout::{Constraint, Layout};
    Layout::vertical([Constraint::Length(1), Constraint::Length(2), Constraint::Length(2)]).areas(area)
}
