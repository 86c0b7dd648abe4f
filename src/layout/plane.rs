//! Every box and every line on cells, at one zoom.

use super::{
    bundle::Bundle,
    canvas::Stretch,
    frame::{Frame, Part, frames},
    order::Layout,
    settle::{Stack, settle},
    slot::Link,
    track::{Gap, Way},
};

/// How large a node is drawn.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Zoom {
    /// One cell a node.
    Overview,
    /// One row a node.
    Compact,
    /// A box with its name and a line about it.
    #[default]
    Normal,
    /// A box with everything that is known.
    Detail,
}

impl Zoom {
    /// How many rows a node takes.
    pub const fn height(self) -> i32 {
        match self {
            Self::Overview | Self::Compact => 1,
            Self::Normal => 4,
            Self::Detail => 6,
        }
    }

    /// The row of a node at which edges leave and arrive.
    pub const fn port(self) -> i32 {
        if self.has_boxes() { 1 } else { 0 }
    }

    /// Whether nodes have borders.
    pub const fn has_boxes(self) -> bool {
        matches!(self, Self::Normal | Self::Detail)
    }

    /// Whether edges have tips and groups have frames.
    pub const fn has_tips(self) -> bool {
        !matches!(self, Self::Overview)
    }

    /// How many cells a column takes whose longest name takes `name`.
    fn width(self, name: usize) -> i32 {
        let cells = match self {
            Self::Overview => 1,
            Self::Compact => name.min(28) + 4,
            Self::Normal => (name + 3).clamp(14, 28) + 2,
            Self::Detail => (name + 3).clamp(24, 36) + 2,
        };
        i32::try_from(cells).unwrap_or(i32::MAX)
    }
}

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Area {
    /// Its first column.
    pub x: i32,
    /// Its first row.
    pub y: i32,
    /// Its columns.
    pub width: i32,
    /// Its rows.
    pub height: i32,
}

impl Area {
    /// Whether both have a cell in common.
    pub const fn meets(self, other: Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    /// The smallest rectangle around both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: bottom - y }
    }
}

/// A cell's place.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Point {
    /// Its column.
    pub x: i32,
    /// Its row.
    pub y: i32,
}

/// A column of the drawing.
pub(super) struct Column {
    pub(super) x: i32,
    pub(super) width: i32,
    /// Its slots from top to bottom.
    pub(super) slots: Vec<usize>,
}

/// What lies between a column and the next one.
pub(super) struct Between {
    /// The first cell.
    pub(super) start: i32,
    /// The cell after the last one.
    pub(super) end: i32,
    first_track: i32,
    step: i32,
    pub(super) bundles: Vec<Bundle>,
}

impl Between {
    pub(super) fn track(&self, track: usize) -> i32 {
        self.first_track + i32::try_from(track).unwrap_or(0) * self.step
    }
}

/// A drawing at one zoom, ready to be painted in parts.
pub struct Plane {
    /// The zoom.
    pub zoom: Zoom,
    /// How many columns of cells it has.
    pub width: i32,
    /// How many rows it has.
    pub height: i32,
    /// The frames of groups, from left to right.
    pub frames: Vec<Frame>,
    pub(super) columns: Vec<Column>,
    pub(super) gaps: Vec<Between>,
    /// The row of each slot's line.
    pub(super) rows: Vec<i32>,
    /// Into which bundle of its gap each link went.
    bundle_of: Vec<usize>,
    pub(super) nodes: usize,
    pub(super) tips: Vec<Tips>,
    pub(super) gates: Vec<bool>,
    dotted: Vec<bool>,
}

/// What a bundle is drawn of.
pub(super) struct Pieces {
    /// Along rows: the row, and from where to where.
    pub(super) across: Vec<(i32, Stretch)>,
    /// Down columns: the column, the first and the last row.
    pub(super) down: Vec<(i32, i32, i32)>,
}

/// What the ends of a node's edges look like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tips {
    pub(super) has_leaving: bool,
    /// All that leave it are dotted.
    pub(super) leaves_dotted: bool,
    /// An edge points to it from the left.
    pub(super) is_target: bool,
    /// Candidates meet in it.
    pub(super) is_synth: bool,
    /// An edge points to it from the right.
    pub(super) is_back: bool,
}

impl Layout {
    /// The drawing at a zoom.
    pub fn plane(&self, zoom: Zoom) -> Plane {
        let stacks: Vec<Stack> = self.columns.iter().map(|column| self.stack(column, zoom)).collect();
        let mut rows = settle(&stacks, &self.slots);
        let top = (0..rows.len()).map(|slot| rows[slot] - self.above(slot, zoom)).min().unwrap_or(0);
        for row in &mut rows {
            *row -= top;
        }
        let bottom = (0..rows.len()).map(|slot| rows[slot] + self.below(slot, zoom)).max().unwrap_or(-1) + 1;
        let mut plane = Plane {
            zoom,
            width: 0,
            height: bottom,
            frames: Vec::new(),
            columns: Vec::with_capacity(self.columns.len()),
            gaps: Vec::new(),
            rows,
            bundle_of: vec![0; self.slots.links.len()],
            nodes: self.len(),
            tips: self.tips(),
            gates: self.gates.clone(),
            dotted: self.slots.dotted.clone(),
        };
        self.place_columns(&mut plane, bottom);
        if zoom.has_tips() {
            self.place_frames(&mut plane);
        }
        plane
    }

    const fn is_framed(&self, slot: usize, zoom: Zoom) -> bool {
        self.slots.is_node(slot) && zoom.has_tips() && self.slots.groups.as_slice()[slot].is_some()
    }

    /// How many rows above its line a slot takes, its frame's border aside.
    const fn above(&self, slot: usize, zoom: Zoom) -> i32 {
        let frame = if self.is_framed(slot, zoom) { 1 } else { 0 };
        if self.slots.is_node(slot) { zoom.port() + frame } else { 0 }
    }

    /// How many rows below its line.
    const fn below(&self, slot: usize, zoom: Zoom) -> i32 {
        let frame = if self.is_framed(slot, zoom) { 1 } else { 0 };
        if self.slots.is_node(slot) { zoom.height() - zoom.port() - 1 + frame } else { 0 }
    }

    fn stack(&self, column: &[usize], zoom: Zoom) -> Stack {
        let (mut apart, mut is_tied) = (vec![0; column.len()], vec![false; column.len()]);
        for at in 1..column.len() {
            let (above, here) = (column[at - 1], column[at]);
            let is_inside =
                self.is_framed(above, zoom) && self.is_framed(here, zoom) && self.slots.groups[above] == self.slots.groups[here];
            is_tied[at] = is_inside;
            let border = if is_inside { 2 } else { 0 };
            apart[at] = self.below(above, zoom) + self.above(here, zoom) + 1 - border;
        }
        Stack { slots: column.to_vec(), apart, is_tied }
    }

    fn tips(&self) -> Vec<Tips> {
        let mut tips = vec![Tips::default(); self.len()];
        for tie in &self.ties {
            let from = &mut tips[tie.from];
            from.leaves_dotted = !tie.kind.is_dependency() && (from.leaves_dotted || !from.has_leaving);
            from.has_leaving = true;
            from.is_back |= tie.is_backward;
            tips[tie.to].is_target |= !tie.is_backward;
            tips[tie.to].is_synth |= tie.kind == super::TieKind::Candidate;
        }
        tips
    }

    fn place_columns(&self, plane: &mut Plane, bottom: i32) {
        let zoom = plane.zoom;
        let framed: Vec<i32> =
            self.columns.iter().map(|column| i32::from(column.iter().any(|&slot| self.is_framed(slot, zoom)))).collect();
        let tip = i32::from(zoom.has_tips());
        let mut x = framed.first().map_or(0, |framed| framed * (1 + tip));
        for (at, slots) in self.columns.iter().enumerate() {
            let names = slots.iter().filter(|&&slot| self.slots.is_node(slot)).map(|&slot| self.names[slot]);
            // The first column of a compact drawing has no arrow to keep away from.
            let width = zoom.width(names.max().unwrap_or(0)) - i32::from(zoom == Zoom::Compact && at == 0);
            plane.columns.push(Column { x, width, slots: slots.clone() });
            plane.width = x + width + framed[at];
            if at + 1 == self.columns.len() {
                break;
            }
            let (links, numbers) = self.links_of(at);
            let gap = Gap::route(&links, &plane.rows, bottom);
            for (number, bundle) in gap.bundles.iter().enumerate() {
                bundle.links.iter().for_each(|&link| plane.bundle_of[numbers[link]] = number);
                if let Way::Detour { row, .. } = bundle.way {
                    plane.height = plane.height.max(row + 1);
                }
            }
            let step = if gap.tracks <= 6 && zoom.has_tips() { 2 } else { 1 };
            let tracks = i32::try_from(gap.tracks).unwrap_or(0);
            let stub = framed[at] + tip;
            let lines = if tracks == 0 { 1 } else { tracks * step + i32::from(step == 1) };
            let start = x + width;
            x = start + stub + lines + framed[at + 1] + tip;
            plane.gaps.push(Between { start, end: x, first_track: start + stub, step, bundles: gap.bundles });
        }
    }

    /// The links that leave a column, and their numbers.
    fn links_of(&self, column: usize) -> (Vec<Link>, Vec<usize>) {
        let links = &self.slots.links;
        let mut found = (Vec::new(), Vec::new());
        for &slot in &self.columns[column] {
            let from = links.partition_point(|link| link.from < slot);
            for (number, link) in links[from..].iter().take_while(|link| link.from == slot).enumerate() {
                found.0.push(*link);
                found.1.push(from + number);
            }
        }
        found
    }

    fn place_frames(&self, plane: &mut Plane) {
        let mut parts: Vec<Part> = Vec::new();
        let mut boxes = Vec::with_capacity(self.columns.len());
        for (column, slots) in self.columns.iter().enumerate() {
            let mut areas = Vec::new();
            let mut last: Option<usize> = None;
            for &slot in slots {
                if !self.slots.is_node(slot) {
                    last = None;
                    continue;
                }
                let area = plane.area(column, slot);
                let group = self.slots.groups[slot];
                areas.push((area, group));
                if let Some(group) = group {
                    let around = Area { x: area.x - 2, y: area.y - 1, width: area.width + 3, height: area.height + 2 };
                    match parts.last_mut().filter(|_| last == Some(group)) {
                        Some(part) => part.area = part.area.with(around),
                        None => parts.push(Part { group, column, area: around }),
                    }
                }
                last = group;
            }
            boxes.push(areas);
        }
        let is_free = |gap: usize, row: i32| {
            let gap = &plane.gaps[gap];
            gap.bundles.iter().all(|bundle| Plane::pieces(gap, bundle).across.iter().all(|(other, _)| *other != row))
        };
        plane.frames = frames(&parts, &boxes, &self.groups, &is_free);
    }
}

impl Plane {
    pub(super) fn is_dotted(&self, slot: usize) -> bool {
        slot.checked_sub(self.nodes).is_some_and(|line| self.dotted[line])
    }

    /// Where a slot of a column is.
    pub(super) fn area(&self, column: usize, slot: usize) -> Area {
        let Column { x, width, .. } = self.columns[column];
        Area { x, y: self.rows[slot] - self.zoom.port(), width, height: self.zoom.height() }
    }

    /// Where a node of the layout that this was made from is.
    pub fn node(&self, layout: &Layout, node: usize) -> Area {
        self.area(layout.column(node), node)
    }

    /// How far right of its area a node begins at the compact zoom: the first column has no arrow to keep away from.
    pub fn lead(&self, node: usize) -> i32 {
        i32::from(self.zoom == Zoom::Compact && !self.columns.first().is_some_and(|first| first.slots.contains(&node)))
    }

    /// The node at a cell.
    pub fn hit(&self, point: Point) -> Option<usize> {
        let column = self.columns.partition_point(|column| column.x <= point.x).checked_sub(1)?;
        let slots = &self.columns[column].slots;
        let from = slots.partition_point(|&slot| self.rows[slot] < point.y - self.zoom.height());
        let near = slots[from..].iter().take_while(|&&slot| self.rows[slot] <= point.y + self.zoom.height());
        let here = Area { x: point.x, y: point.y, width: 1, height: 1 };
        near.copied().filter(|&slot| slot < self.nodes).find(|&slot| self.area(column, slot).meets(here))
    }

    /// The way of an edge of the layout that this was made from, corner by corner, from the cell
    /// right of its left node to the cell left of its right node; none if it is not drawn.
    pub fn path(&self, layout: &Layout, tie: usize) -> Vec<Point> {
        let slots = layout.slots.path(&layout.ties, tie);
        let mut points = Vec::new();
        for pair in slots.windows(2) {
            let (from, to) = (self.rows[pair[0]], self.rows[pair[1]]);
            let key = (pair[0], pair[1]);
            let Ok(link) = layout.slots.links.binary_search_by_key(&key, |link| (link.from, link.to)) else { continue };
            let gap = &self.gaps[layout.slots.columns[pair[0]]];
            points.push(Point { x: gap.start, y: from });
            match gap.bundles[self.bundle_of[link]].way {
                Way::Straight => {}
                Way::Track(track) => points.extend([from, to].map(|y| Point { x: gap.track(track), y })),
                Way::Detour { left, row, right } => {
                    points.extend([from, row].map(|y| Point { x: gap.track(left), y }));
                    points.extend([row, to].map(|y| Point { x: gap.track(right), y }));
                }
            }
            points.push(Point { x: gap.end - 1, y: to });
        }
        points.dedup();
        points
    }

    /// The pieces of a bundle.
    pub(super) fn pieces(gap: &Between, bundle: &Bundle) -> Pieces {
        let (start, last) = (gap.start, gap.end - 1);
        let (mut across, mut down) = (Vec::new(), Vec::new());
        let mut tree = |x: i32, sources: &[i32], targets: &[i32], from: i32, to: i32, opens: [bool; 2]| {
            let rows = sources.iter().chain(targets);
            across.extend(sources.iter().map(|&row| (row, Stretch { from, to: x, opens: [opens[0], false] })));
            across.extend(targets.iter().map(|&row| (row, Stretch { from: x, to, opens: [false, opens[1]] })));
            down.push((x, rows.clone().min().copied().unwrap_or(0), rows.max().copied().unwrap_or(0)));
        };
        match bundle.way {
            Way::Straight => across.push((bundle.sources[0], Stretch { from: start, to: last, opens: [true; 2] })),
            Way::Track(track) => tree(gap.track(track), &bundle.sources, &bundle.targets, start, last, [true; 2]),
            Way::Detour { left, row, right } => {
                let (left, right) = (gap.track(left), gap.track(right));
                tree(left, &bundle.sources, &[row], start, right, [true, false]);
                tree(right, &[row], &bundle.targets, right, last, [false, true]);
            }
        }
        Pieces { across, down }
    }
}
