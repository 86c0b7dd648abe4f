//! A drawing that is too wide, cut into bands that stand below each other.

use std::ops::Range;

use super::{
    order::Layout,
    plane::{Area, Plane},
};

/// Some columns of a drawing.
#[derive(Clone, Debug)]
pub struct Band {
    /// What of the drawing it shows.
    pub window: Area,
    /// The rows on which edges come from the band before, with their numbers.
    pub entries: Vec<(i32, usize)>,
    /// The rows on which edges go on in the next band, with their numbers.
    pub exits: Vec<(i32, usize)>,
}

/// The bands of a drawing whose lines have at most `width` cells, marks of what goes on included:
/// as few as possible, and about as wide as each other.
pub fn bands(layout: &Layout, plane: &Plane, width: usize) -> Vec<Band> {
    let width = i32::try_from(width).unwrap_or(i32::MAX);
    let widest = cut(layout, plane, width);
    let (mut too_narrow, mut enough) = (width / 2, width);
    while enough - too_narrow > 1 {
        let middle = i32::midpoint(too_narrow, enough);
        let is_enough = ranges(plane, middle).len() <= widest.len();
        (too_narrow, enough) = if is_enough { (too_narrow, middle) } else { (middle, enough) };
    }
    if enough == width { widest } else { cut(layout, plane, enough) }
}

/// The columns of each band.
fn ranges(plane: &Plane, width: i32) -> Vec<Range<usize>> {
    let count = plane.columns.len();
    let (mut ranges, mut first) = (Vec::new(), 0);
    while first < count {
        // The marks on both sides have up to three digits and a tip.
        let is_fitting = |&last: &usize| {
            let marks = 4 * (i32::from(first > 0) + i32::from(last + 1 < count));
            plane.right_of(last) - plane.left_of(first) + marks <= width
        };
        let end = (first + 1..count).take_while(is_fitting).last().unwrap_or(first) + 1;
        ranges.push(first..end);
        first = end;
    }
    ranges
}

fn cut(layout: &Layout, plane: &Plane, width: i32) -> Vec<Band> {
    let (mut entries, mut numbers): (Vec<(i32, usize)>, usize) = (Vec::new(), 0);
    let bands = ranges(plane, width).into_iter().map(|columns| {
        let is_last = columns.end == plane.columns.len();
        let leaving = plane.columns[columns.end - 1].slots.iter().filter(|&&slot| !is_last && layout.leaves(slot));
        let exits: Vec<(i32, usize)> = leaving
            .map(|&slot| {
                numbers += 1;
                (plane.rows[slot], numbers)
            })
            .collect();
        let (top, bottom) = plane.rows_of(columns.clone(), &entries);
        let (left, right) = (plane.left_of(columns.start), plane.right_of(columns.end - 1));
        let window = Area { x: left, y: top, width: right - left, height: bottom - top + 1 };
        Band { window, entries: std::mem::replace(&mut entries, exits.clone()), exits }
    });
    bands.collect()
}

impl Plane {
    /// Where a band begins that begins with this column: the edges that lead to it.
    fn left_of(&self, column: usize) -> i32 {
        column.checked_sub(1).map_or(0, |before| self.gaps[before].start + i32::from(self.is_framed(before)))
    }

    /// Where a band ends that ends with this column: a cell of the edges that leave it.
    fn right_of(&self, column: usize) -> i32 {
        self.gaps.get(column).map_or(self.width, |gap| gap.start + 1 + i32::from(self.is_framed(column)))
    }

    /// Whether a frame ends right of a column.
    fn is_framed(&self, column: usize) -> bool {
        let edge = self.columns[column].x + self.columns[column].width;
        self.frames.iter().any(|frame| frame.area.x + frame.area.width == edge + 1)
    }

    /// The first and the last row that some columns need, with the gaps before and between them.
    fn rows_of(&self, columns: Range<usize>, entries: &[(i32, usize)]) -> (i32, i32) {
        let (mut top, mut bottom) = (i32::MAX, i32::MIN);
        let mut see = |low: i32, high: i32| (top, bottom) = (top.min(low), bottom.max(high));
        for column in columns.clone() {
            for &slot in &self.columns[column].slots {
                if slot < self.nodes {
                    let area = self.area(column, slot);
                    see(area.y, area.y + area.height - 1);
                } else {
                    see(self.rows[slot], self.rows[slot]);
                }
            }
        }
        for gap in &self.gaps[columns.start.saturating_sub(1)..columns.end - 1] {
            for bundle in &gap.bundles {
                for (row, _) in Self::pieces(gap, bundle).across {
                    see(row, row);
                }
            }
        }
        for (row, _) in entries {
            see(*row, *row);
        }
        let (left, right) = (self.columns[columns.start].x, self.right_of(columns.end - 1));
        for frame in &self.frames {
            if frame.area.x < right && frame.area.x + frame.area.width > left {
                see(frame.area.y, frame.area.y + frame.area.height - 1);
            }
        }
        (top, bottom)
    }
}
