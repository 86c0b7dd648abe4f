//! A grid of cells, the way a terminal has them.

use crate::model::{GateStatus, StepStatus};

/// What a cell is part of, which decides its colour.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Ink {
    /// Nothing, or text without a meaning of its own.
    #[default]
    Plain,
    /// The name of a node.
    Title,
    /// What is less important.
    Dim,
    /// An edge.
    Line,
    /// The frame of a group.
    Frame,
    /// Something that stands for a step's status.
    Step(StepStatus),
    /// Something that stands for a gate's status.
    Gate(GateStatus),
}

/// A cell. A wide character is followed by a cell with `'\0'`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cell {
    /// The character.
    pub ch: char,
    /// What it is part of.
    pub ink: Ink,
}

/// What a window of a drawing shows.
#[derive(Clone, Debug)]
pub struct Canvas {
    /// The column of the drawing at the left edge.
    pub x: i32,
    /// The row of the drawing at the upper edge.
    pub y: i32,
    width: usize,
    cells: Vec<Cell>,
    /// Lines that lead out of each cell: up, right, down, left; dotted ones in the upper half.
    arms: Vec<u8>,
    /// Whether a line ends in the cell, so that those in it are joined there and do not just cross.
    is_joint: Vec<bool>,
}

/// From where to where a line goes, and whether it leads on beyond its ends.
#[derive(Clone, Copy)]
pub(super) struct Stretch {
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) opens: [bool; 2],
}

pub(super) const UP: u8 = 0b0001;
pub(super) const RIGHT: u8 = 0b0010;
pub(super) const DOWN: u8 = 0b0100;
pub(super) const LEFT: u8 = 0b1000;

impl Canvas {
    pub(super) fn new(x: i32, y: i32, width: usize, height: usize) -> Self {
        let blank = Cell { ch: ' ', ink: Ink::Plain };
        Self {
            x,
            y,
            width,
            cells: vec![blank; width * height],
            arms: vec![0; width * height],
            is_joint: vec![false; width * height],
        }
    }

    /// The rows, from top to bottom.
    pub fn rows(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks(self.width.max(1))
    }

    fn index(&self, x: i32, y: i32) -> Option<usize> {
        let (column, row) = (usize::try_from(x - self.x).ok()?, usize::try_from(y - self.y).ok()?);
        let at = row * self.width + column;
        (column < self.width && at < self.cells.len()).then_some(at)
    }

    pub(super) fn put(&mut self, x: i32, y: i32, ch: char, ink: Ink) {
        if let Some(at) = self.index(x, y) {
            self.cells[at] = Cell { ch, ink };
        }
    }

    /// Writes a tame text. A wide character of which only half is visible becomes a space.
    pub(super) fn write(&mut self, x: i32, y: i32, text: &str, ink: Ink) {
        let mut x = x;
        for c in text.chars() {
            if unicode_width::UnicodeWidthChar::width(c) == Some(2) {
                let is_whole = self.index(x, y).is_some() && self.index(x + 1, y).is_some();
                self.put(x, y, if is_whole { c } else { ' ' }, ink);
                self.put(x + 1, y, if is_whole { '\0' } else { ' ' }, ink);
                x += 2;
            } else {
                self.put(x, y, c, ink);
                x += 1;
            }
        }
    }

    fn arm(&mut self, x: i32, y: i32, arms: u8, is_dotted: bool) {
        if let Some(at) = self.index(x, y) {
            self.arms[at] |= if is_dotted { arms << 4 } else { arms };
        }
    }

    /// A line along a row.
    pub(super) fn across(&mut self, y: i32, stretch: Stretch, is_dotted: bool) {
        let (first, last) = (stretch.from.max(self.x - 1), stretch.to.min(self.x + self.cells_across()));
        for x in first..=last {
            let left = if x > stretch.from || stretch.opens[0] { LEFT } else { 0 };
            let right = if x < stretch.to || stretch.opens[1] { RIGHT } else { 0 };
            self.arm(x, y, left | right, is_dotted);
        }
        for (x, is_open) in [stretch.from, stretch.to].into_iter().zip(stretch.opens) {
            if let Some(at) = self.index(x, y).filter(|_| !is_open) {
                self.is_joint[at] = true;
            }
        }
    }

    /// A line down a column, from end to end.
    pub(super) fn down(&mut self, x: i32, from: i32, to: i32, is_dotted: bool) {
        let height = self.cells.len() / self.width.max(1);
        let (first, last) = (from.max(self.y), to.min(self.y + i32::try_from(height).unwrap_or(i32::MAX)));
        for y in first..=last {
            let up = if y > from { UP } else { 0 };
            let down = if y < to { DOWN } else { 0 };
            self.arm(x, y, up | down, is_dotted);
        }
    }

    fn cells_across(&self) -> i32 {
        i32::try_from(self.width).unwrap_or(i32::MAX)
    }

    /// Turns lines into characters. Where two cross and have nothing to do with each other, the one from left to
    /// right passes under the other.
    pub(super) fn join(&mut self, glyphs: super::Glyphs) {
        for (cell, (&arms, &is_joint)) in self.cells.iter_mut().zip(self.arms.iter().zip(&self.is_joint)) {
            let (solid, dotted) = (arms & 0b1111, arms >> 4);
            let is_crossing = solid | dotted == UP | RIGHT | DOWN | LEFT && !is_joint;
            let seen = if is_crossing { UP | DOWN } else { UP | RIGHT | DOWN | LEFT };
            if arms != 0 {
                *cell = Cell { ch: glyphs.line((solid | dotted) & seen, solid & seen == 0), ink: Ink::Line };
            }
        }
    }
}
