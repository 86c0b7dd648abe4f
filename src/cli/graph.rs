//! The drawing of a plan for a terminal.

use std::fmt::Write as _;

use anstyle::Style;

use super::style;
use crate::{
    action::graph::Size,
    client::GraphReport,
    layout::{Canvas, Cell, Glyphs, Ink, Plane, Zoom, bands},
};

/// The most bands of boxes; beyond that a row for each node is clearer.
const MOST_BANDS: usize = 3;

/// A graph as the text that was asked for, `width` cells wide.
pub(super) fn text(report: &GraphReport, width: Option<usize>) -> String {
    if let Some(text) = &report.text {
        return text.clone();
    }
    if report.nodes.is_empty() {
        return "no steps yet: seqctl step add <id> --command '…'\n".into();
    }
    let width = width.unwrap_or_else(|| columns().unwrap_or(80)).max(20);
    let glyphs = if report.options.ascii { Glyphs::Ascii } else { Glyphs::Unicode };
    let plane = choose(report, width);
    let face = |node: usize| report.nodes[node].face(plane.zoom, glyphs);
    let mut text = String::new();
    for (number, band) in bands(&report.layout, &plane, width).iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        let canvas = plane.paint(band.window, glyphs, &face);
        print_band(&mut text, &canvas, band, glyphs);
    }
    if report.layout.hidden() > 0 {
        let _ = writeln!(text, "{}", style::dim(&format!("{} long edges are not drawn", report.layout.hidden())));
    }
    text
}

/// `COLUMNS`, where somebody set it.
fn columns() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok()
}

/// The drawing at the zoom that was asked for, else at the largest one that fits.
fn choose(report: &GraphReport, width: usize) -> Plane {
    if let Some(size) = report.options.zoom {
        return report.layout.plane(match size {
            Size::Overview => Zoom::Overview,
            Size::Compact => Zoom::Compact,
            Size::Normal => Zoom::Normal,
            Size::Detail => Zoom::Detail,
        });
    }
    let fits = |plane: &Plane| usize::try_from(plane.width).is_ok_and(|wide| wide <= width);
    let normal = report.layout.plane(Zoom::Normal);
    if fits(&normal) {
        return normal;
    }
    let compact = report.layout.plane(Zoom::Compact);
    if fits(&compact) || bands(&report.layout, &normal, width).len() > MOST_BANDS { compact } else { normal }
}

/// A band, line by line, with the numbers of the edges that come from the last band and go on in
/// the next one.
fn print_band(text: &mut String, canvas: &Canvas, band: &crate::layout::Band, glyphs: Glyphs) {
    let marks = |marks: &[(i32, usize)], row: i32| marks.iter().find(|(at, _)| *at == row).map(|(_, number)| *number);
    let margin = band.entries.iter().map(|(_, number)| number.to_string().len() + 1).max().unwrap_or(0);
    for (row, cells) in (canvas.y..).zip(canvas.rows()) {
        let entry = marks(&band.entries, row).map_or(String::new(), |number| format!("{number}{}", glyphs.onward()));
        let mut line = style::dim(&format!("{entry:>margin$}"));
        if entry.is_empty() {
            line = " ".repeat(margin);
        }
        line.push_str(&paint(cells));
        if let Some(number) = marks(&band.exits, row) {
            line.push_str(&style::dim(&format!("{}{number}", glyphs.onward())));
        }
        // Where nothing is, nothing passes: one such line is enough.
        if line.trim().is_empty() && text.ends_with("\n\n") {
            continue;
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// Cells as text with colours; blanks at the end are left out.
fn paint(cells: &[Cell]) -> String {
    let (mut line, mut run, mut last) = (String::new(), String::new(), Ink::Plain);
    let used = cells.iter().rposition(|cell| cell.ch != ' ').map_or(0, |at| at + 1);
    // Blanks up to the right edge are kept where an edge's number follows.
    for cell in cells.iter().take(if cells.last().is_some_and(|cell| cell.ch != ' ') { cells.len() } else { used }) {
        if cell.ink != last && cell.ch != ' ' {
            flush(&mut line, &mut run, last);
            last = cell.ink;
        }
        if cell.ch != '\0' {
            run.push(cell.ch);
        }
    }
    flush(&mut line, &mut run, last);
    line
}

fn flush(line: &mut String, run: &mut String, ink: Ink) {
    let style = match ink {
        Ink::Plain => Style::new(),
        Ink::Title => Style::new().bold(),
        Ink::Dim | Ink::Line | Ink::Frame => Style::new().dimmed(),
        Ink::Step(status) => style::step(status),
        Ink::Gate(status) => style::gate_style(status),
    };
    if !run.is_empty() {
        let _ = write!(line, "{style}{run}{style:#}");
        run.clear();
    }
}
