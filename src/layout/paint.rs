//! Painting what a window shows.

use super::{
    canvas::{Canvas, Ink, Stretch},
    face::{Border, Face, Glyphs},
    frame::Frame,
    plane::{Area, Plane, Zoom},
    text::{fit, width},
};

impl Plane {
    /// Paints a window. `face` is asked for the nodes in it and no others.
    pub fn paint(&self, window: Area, glyphs: Glyphs, face: &dyn Fn(usize) -> Face) -> Canvas {
        let (cells, rows) = (usize::try_from(window.width).unwrap_or(0), usize::try_from(window.height).unwrap_or(0));
        let mut canvas = Canvas::new(window.x, window.y, cells, rows);
        for frame in self.frames.iter().filter(|frame| frame.area.meets(window)) {
            paint_frame(&mut canvas, frame, glyphs);
        }
        let right = window.x + window.width;
        let first = self.columns.partition_point(|column| column.x + column.width < window.x);
        let last = self.columns.partition_point(|column| column.x < right);
        let first_gap = self.gaps.partition_point(|gap| gap.end <= window.x);
        for gap in self.gaps[first_gap..].iter().take_while(|gap| gap.start < right) {
            for bundle in &gap.bundles {
                let pieces = Self::pieces(gap, bundle);
                let is_visible = |row: i32| (window.y..window.y + window.height).contains(&row);
                for (row, stretch) in pieces.across.into_iter().filter(|(row, _)| is_visible(*row)) {
                    canvas.across(row, stretch, bundle.is_dotted);
                }
                for (x, from, to) in pieces.down {
                    canvas.down(x, from, to, bundle.is_dotted);
                }
            }
        }
        for column in first..last {
            self.visible(column, window).filter(|&slot| slot >= self.nodes).for_each(|slot| {
                let super::plane::Column { x, width, .. } = self.columns[column];
                let stretch = Stretch { from: x, to: x + width - 1, opens: [true; 2] };
                canvas.across(self.rows[slot], stretch, self.is_dotted(slot));
            });
        }
        canvas.join(glyphs);
        // A tip may be visible where its node is not.
        for column in first..(last + 1).min(self.columns.len()) {
            for slot in self.visible(column, window).filter(|&slot| slot < self.nodes) {
                self.paint_node(&mut canvas, column, slot, glyphs, face);
            }
        }
        canvas
    }

    /// The slots of a column in the rows of a window.
    fn visible(&self, column: usize, window: Area) -> impl Iterator<Item = usize> {
        let slots = &self.columns[column].slots;
        let from = slots.partition_point(|&slot| self.rows[slot] + self.zoom.height() <= window.y);
        let below = window.y + window.height + self.zoom.height();
        slots[from..].iter().copied().take_while(move |&slot| self.rows[slot] < below)
    }

    fn paint_node(&self, canvas: &mut Canvas, column: usize, slot: usize, glyphs: Glyphs, face: &dyn Fn(usize) -> Face) {
        let area = self.area(column, slot);
        let tips = self.tips[slot];
        if self.zoom.has_tips() && tips.is_target {
            canvas.put(area.x - 1, self.rows[slot], glyphs.tip(tips.is_synth), Ink::Line);
        }
        if self.zoom.has_tips() && tips.is_back {
            canvas.put(area.x + area.width, self.rows[slot], glyphs.back(), Ink::Line);
        }
        let face = face(slot);
        match self.zoom {
            Zoom::Overview => canvas.put(area.x, area.y, face.glyph, face.ink),
            Zoom::Compact => {
                let lead = i32::from(column > 0);
                let room = usize::try_from(area.width - lead - 3).unwrap_or(0);
                let title = fit(&face.title, room, glyphs.ellipsis());
                canvas.put(area.x + lead, area.y, face.glyph, face.ink);
                canvas.write(area.x + lead + 2, area.y, &title, Ink::Title);
                if tips.has_leaving {
                    let from = area.x + lead + 3 + i32::try_from(width(&title)).unwrap_or(0);
                    for x in from..area.x + area.width {
                        canvas.put(x, area.y, glyphs.line(0b1010, tips.leaves_dotted), Ink::Line);
                    }
                }
            }
            Zoom::Normal | Zoom::Detail => paint_box(canvas, area, &face, self.gates[slot], glyphs),
        }
    }
}

fn paint_box(canvas: &mut Canvas, area: Area, face: &Face, is_gate: bool, glyphs: Glyphs) {
    let border = if is_gate { glyphs.box_of_gate() } else { glyphs.box_of_step() };
    let inside = usize::try_from(area.width - 2).unwrap_or(0);
    for row in 1..area.height - 1 {
        canvas.write(area.x + 1, area.y + row, &" ".repeat(inside), Ink::Plain);
    }
    paint_border(canvas, area, &border, face.ink);
    canvas.put(area.x + 1, area.y + 1, face.glyph, face.ink);
    let room = inside.saturating_sub(3);
    canvas.write(area.x + 3, area.y + 1, &fit(&face.title, room + 1, glyphs.ellipsis()), Ink::Title);
    for (row, line) in (2..area.height - 1).zip(&face.lines) {
        canvas.write(area.x + 3, area.y + row, &fit(line, room + 1, glyphs.ellipsis()), Ink::Dim);
    }
}

fn paint_border(canvas: &mut Canvas, area: Area, border: &Border, ink: Ink) {
    let (right, bottom) = (area.x + area.width - 1, area.y + area.height - 1);
    for x in area.x + 1..right {
        canvas.put(x, area.y, border.across, ink);
        canvas.put(x, bottom, border.across, ink);
    }
    for y in area.y + 1..bottom {
        canvas.put(area.x, y, border.down, ink);
        canvas.put(right, y, border.down, ink);
    }
    let places = [(area.x, area.y), (right, area.y), (area.x, bottom), (right, bottom)];
    for ((x, y), corner) in places.into_iter().zip(border.corners) {
        canvas.put(x, y, corner, ink);
    }
}

fn paint_frame(canvas: &mut Canvas, frame: &Frame, glyphs: Glyphs) {
    paint_border(canvas, frame.area, &glyphs.frame(), Ink::Frame);
    let room = usize::try_from(frame.area.width - 5).unwrap_or(0);
    if room > 0 {
        let name = format!(" {} ", fit(&frame.name, room, glyphs.ellipsis()));
        canvas.write(frame.area.x + 2, frame.area.y, &name, Ink::Frame);
    }
}
