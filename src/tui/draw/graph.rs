//! The graph: cells of the layout, on the screen.

use ratatui::{
    Frame,
    buffer::{Buffer, Cell},
    layout::{Position, Rect},
    style::{Modifier, Style},
};

use super::super::{
    app::App,
    scene::{Scene, sign},
    snapshot::{Row, Snapshot},
};
use crate::{
    layout::{Area, Face, Glyphs, Mark, Plane, Point, Zoom},
    model::Usage,
};

/// Says what a step has said last, and what it has cost, before what it is.
fn tell_more(app: &App, snapshot: &Snapshot, at: usize, face: &mut Face) {
    let Row::Step(step) = snapshot.row(at) else { return };
    let status = face.lines.iter().position(|line| line.starts_with(step.status.as_str())).map_or(0, |line| line + 1);
    let used = step.usage.as_ref().map(Usage::words).filter(|words| !words.is_empty());
    let more = app.said(step).map(str::to_owned).into_iter().chain(used);
    face.lines.splice(status..status, more);
}

/// Draws what the window shows of the graph.
pub(super) fn draw(app: &App, snapshot: &Snapshot, frame: &mut Frame<'_>, area: Rect) {
    let (Some(plane), Some(scene)) = (&app.board.plane, &app.board.scene) else { return };
    let window = Window { origin: app.board.origin, area };
    let face = |node: usize| -> Face {
        let Some(at) = scene.item(node) else { return scene.ghost(node, app.look.glyphs) };
        if let Some(fold) = scene.fold(at) {
            return fold.face(snapshot, plane.zoom, app.look.glyphs);
        }
        let mut node = snapshot.node(at).clone();
        node.duration_ms = snapshot.duration_ms(at, app.now);
        let mut face = node.face(plane.zoom, app.look.glyphs);
        if plane.zoom == Zoom::Detail {
            tell_more(app, snapshot, at, &mut face);
        }
        face
    };
    let canvas = plane.paint(window.cells(), app.look.glyphs, &face);
    let buffer = frame.buffer_mut();
    for (y, row) in (area.y..area.bottom()).zip(canvas.rows()) {
        for (x, cell) in (area.x..area.right()).zip(row) {
            if cell.ch != '\0' {
                buffer[(x, y)].set_char(cell.ch).set_style(app.look.theme.ink(cell.ink));
            }
        }
    }
    for (item, _) in scene.folds().filter(|_| plane.zoom.has_boxes()) {
        let area = plane.node(&scene.layout, scene.place(item));
        window.each(area, |place| frame_cell(&mut buffer[place], app.look.glyphs));
    }
    haunt(app, scene, plane, &window, buffer);
    light_paths(app, &window, buffer);
    dim_what_is_not_found(app, snapshot, &window, buffer);
    if let Some(at) = app.selected_item() {
        let node = plane.node(&scene.layout, scene.place(at));
        let title = match plane.zoom {
            Zoom::Overview | Zoom::Compact => node,
            Zoom::Normal | Zoom::Detail => Area { x: node.x + 1, y: node.y + 1, width: node.width - 2, height: 1 },
        };
        window.style(buffer, node, app.look.theme.lit);
        window.style(buffer, title, app.look.theme.selected);
    }
}

/// The part of the drawing that is seen, and where.
struct Window {
    origin: Point,
    area: Rect,
}

impl Window {
    const fn cells(&self) -> Area {
        Area { x: self.origin.x, y: self.origin.y, width: self.area.width as i32, height: self.area.height as i32 }
    }

    /// The cell of the screen that shows a cell of the drawing.
    fn place(&self, x: i32, y: i32) -> Option<Position> {
        let x = u16::try_from(x - self.origin.x).ok().filter(|x| *x < self.area.width)?;
        let y = u16::try_from(y - self.origin.y).ok().filter(|y| *y < self.area.height)?;
        Some(Position::new(self.area.x + x, self.area.y + y))
    }

    /// Every cell of the screen that shows a part of the drawing.
    fn each(&self, area: Area, mut work: impl FnMut(Position)) {
        let seen = self.cells();
        for y in area.y.max(seen.y)..(area.y + area.height).min(seen.y + seen.height) {
            for x in area.x.max(seen.x)..(area.x + area.width).min(seen.x + seen.width) {
                self.place(x, y).into_iter().for_each(&mut work);
            }
        }
    }

    /// Changes the style of cells of the drawing, as far as they are seen.
    fn style(&self, buffer: &mut Buffer, area: Area, style: Style) {
        self.each(area, |place| _ = buffer[place].set_style(style));
    }
}

/// Shows what a proposal would change: what is new dashed, what goes struck, each with a sign.
fn haunt(app: &App, scene: &Scene, plane: &Plane, window: &Window, buffer: &mut Buffer) {
    for trace in &app.board.traces {
        let Some(place) = window.place(trace.point.x, trace.point.y) else { continue };
        let cell = &mut buffer[place];
        dash(cell, app.look.glyphs);
        if trace.is_label {
            cell.set_symbol(&spelled(app, trace.mark));
        }
        cell.set_style(ghost_style(app, trace.mark));
    }
    for node in scene.nodes() {
        let (mark, area) = (scene.mark(node), plane.node(&scene.layout, node));
        if mark == Mark::Kept || !area.meets(window.cells()) {
            continue;
        }
        let has_box = plane.zoom.has_boxes();
        if has_box && mark == Mark::Added {
            window.each(area, |place| dash(&mut buffer[place], app.look.glyphs));
        }
        // Of what changes the box alone is coloured: its status has a colour of its own.
        let style = ghost_style(app, mark);
        if mark == Mark::Changed && has_box {
            let (right, bottom) = (area.x + area.width - 1, area.y + area.height - 1);
            for (x, y, width, height) in [
                (area.x, area.y, area.width, 1),
                (area.x, bottom, area.width, 1),
                (area.x, area.y, 1, area.height),
                (right, area.y, 1, area.height),
            ] {
                window.style(buffer, Area { x, y, width, height }, style);
            }
        } else {
            window.style(buffer, area, style);
        }
        let lead = i32::from(has_box);
        let row = if has_box { area.y } else { area.y + plane.zoom.port() };
        let x = if plane.zoom == Zoom::Compact { area.x + plane.lead(node) } else { area.x + lead };
        if let Some(place) = window.place(x, row) {
            buffer[place].set_symbol(&spelled(app, mark)).set_style(style);
        }
    }
}

/// The colour of what becomes of something, and a line through what goes.
pub(super) fn ghost_style(app: &App, mark: Mark) -> Style {
    let theme = &app.look.theme;
    match mark {
        Mark::Kept => Style::new(),
        Mark::Added => theme.good,
        Mark::Changed => theme.warning,
        Mark::Removed => theme.error.remove_modifier(Modifier::BOLD).add_modifier(Modifier::CROSSED_OUT),
    }
}

/// Makes the border of a folded group's node the frame that the group has.
fn frame_cell(cell: &mut Cell, glyphs: Glyphs) {
    let framed = match (cell.symbol(), glyphs.is_ascii()) {
        ("─", _) => "┄",
        ("│", _) => "┆",
        ("-", true) => ".",
        ("|", true) => ":",
        _ => return,
    };
    cell.set_symbol(framed);
}

/// The character for what becomes of something, as the screen can show it.
pub(super) fn spelled(app: &App, mark: Mark) -> String {
    app.look.glyphs.spell(&sign(mark).to_string())
}

/// Makes a line of a drawing a dashed one.
fn dash(cell: &mut Cell, glyphs: Glyphs) {
    let dashed = match (cell.symbol(), glyphs.is_ascii()) {
        ("─" | "═", _) => "╌",
        ("│" | "║", _) => "╎",
        ("-" | "=", true) => ".",
        ("|" | "#", true) => ":",
        _ => return,
    };
    cell.set_symbol(dashed);
}

/// Lights up every edge that leads to the selection or away from it.
fn light_paths(app: &App, window: &Window, buffer: &mut Buffer) {
    for path in &app.board.lit {
        for ends in path.windows(2) {
            let (from, to) = (ends[0], ends[1]);
            let area = Area {
                x: from.x.min(to.x),
                y: from.y.min(to.y),
                width: (from.x - to.x).abs() + 1,
                height: (from.y - to.y).abs() + 1,
            };
            window.style(buffer, area, app.look.theme.lit);
        }
    }
}

fn dim_what_is_not_found(app: &App, snapshot: &Snapshot, window: &Window, buffer: &mut Buffer) {
    if app.board.search.is_none() {
        return;
    }
    for at in (0..snapshot.graph.nodes.len()).filter(|at| app.board.is_hidden(*at)) {
        if let Some(area) = app.board.area(at) {
            window.style(buffer, area, app.look.theme.faded);
        }
    }
}
