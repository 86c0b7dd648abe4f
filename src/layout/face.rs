//! What is written into a node's box, and the characters that drawings are made of.

use super::canvas::Ink;
use crate::model::{GateStatus, StepStatus};

/// What is shown of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Face {
    /// Its status.
    pub glyph: char,
    /// The colour of its status.
    pub ink: Ink,
    /// Its name.
    pub title: String,
    /// What stands below the name, the most important first.
    pub lines: Vec<String>,
}

/// The characters of a drawing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Glyphs {
    /// Box drawing.
    #[default]
    Unicode,
    /// Nothing but ASCII, for terminals without box drawing.
    Ascii,
}

/// The parts of a box or a frame.
pub(super) struct Border {
    /// Upper left, upper right, lower left, lower right.
    pub(super) corners: [char; 4],
    pub(super) across: char,
    pub(super) down: char,
}

impl Glyphs {
    /// Whether nothing but ASCII is drawn.
    pub const fn is_ascii(self) -> bool {
        matches!(self, Self::Ascii)
    }

    /// Words of ours, whose signs have to be ASCII where nothing else is drawn. Names and logs stay as they are.
    pub fn spell(self, words: &str) -> String {
        if !self.is_ascii() {
            return words.to_owned();
        }
        let plain = |sign: char| match sign {
            '·' => '.',
            '…' => '~',
            '─' | '−' | '—' => '-',
            '×' => 'x',
            '←' | '‹' => '<',
            '→' | '›' | '▶' => '>',
            '↑' => '^',
            '↓' => 'v',
            '▣' => '#',
            other => other,
        };
        words.chars().map(plain).collect()
    }

    pub(super) const fn box_of_step(self) -> Border {
        if self.is_ascii() {
            Border { corners: ['+'; 4], across: '-', down: '|' }
        } else {
            Border { corners: ['╭', '╮', '╰', '╯'], across: '─', down: '│' }
        }
    }

    pub(super) const fn box_of_gate(self) -> Border {
        if self.is_ascii() {
            Border { corners: ['#'; 4], across: '=', down: '#' }
        } else {
            Border { corners: ['╔', '╗', '╚', '╝'], across: '═', down: '║' }
        }
    }

    pub(super) const fn frame(self) -> Border {
        if self.is_ascii() {
            Border { corners: ['.', '.', '\'', '\''], across: '.', down: ':' }
        } else {
            Border { corners: ['╭', '╮', '╰', '╯'], across: '┄', down: '┆' }
        }
    }

    /// The status of a step.
    pub const fn step_status(self, status: StepStatus) -> char {
        let (plain, drawn) = match status {
            StepStatus::Ready => ('o', '○'),
            StepStatus::Blocked => ('.', '◌'),
            StepStatus::Running => ('*', '●'),
            StepStatus::NeedsReview => ('?', '◆'),
            StepStatus::Done => ('v', '✔'),
            StepStatus::Failed => ('x', '✖'),
        };
        if self.is_ascii() { plain } else { drawn }
    }

    /// The status of a gate.
    pub const fn gate_status(self, status: GateStatus) -> char {
        match status {
            _ if !self.is_ascii() => '◆',
            GateStatus::Pending => '?',
            GateStatus::Approved => 'v',
            GateStatus::Blocked => 'x',
        }
    }

    /// The end of a cut text.
    pub const fn ellipsis(self) -> char {
        if self.is_ascii() { '~' } else { '…' }
    }

    /// The tip of an edge; where candidates meet it is hollow.
    pub(super) const fn tip(self, is_hollow: bool) -> char {
        match (self.is_ascii(), is_hollow) {
            (true, false) => '>',
            (true, true) => ')',
            (false, false) => '▶',
            (false, true) => '▷',
        }
    }

    /// The tip of an edge that points to the left.
    pub(super) const fn back(self) -> char {
        if self.is_ascii() { '<' } else { '◀' }
    }

    /// Where an edge goes on in the next band.
    pub const fn onward(self) -> char {
        if self.is_ascii() { '>' } else { '▸' }
    }

    /// A crossing of lines: which of up, right, down and left lead out of the cell.
    pub(super) const fn line(self, arms: u8, is_dotted: bool) -> char {
        if self.is_ascii() {
            return match (arms, is_dotted) {
                (0b0001 | 0b0100 | 0b0101, false) => '|',
                (0b0001 | 0b0100 | 0b0101, true) => ':',
                (0b0010 | 0b1000 | 0b1010, false) => '-',
                (0b0010 | 0b1000 | 0b1010, true) => '.',
                (0, _) => ' ',
                _ => '+',
            };
        }
        match (arms, is_dotted) {
            (0, _) => ' ',
            (0b0001 | 0b0100 | 0b0101, false) => '│',
            (0b0001 | 0b0100 | 0b0101, true) => '┆',
            (0b0010 | 0b1000 | 0b1010, false) => '─',
            (0b0010 | 0b1000 | 0b1010, true) => '┄',
            (0b0011, _) => '╰',
            (0b0110, _) => '╭',
            (0b1100, _) => '╮',
            (0b1001, _) => '╯',
            (0b0111, _) => '├',
            (0b1110, _) => '┬',
            (0b1101, _) => '┤',
            (0b1011, _) => '┴',
            _ => '┼',
        }
    }
}
