//! The log of the selected step.

use crate::model::Id;

/// The log that is wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Wanted {
    pub(super) step: Id,
    pub(super) is_stderr: bool,
}

/// What was read of a log.
pub(super) struct Lines {
    pub(super) wanted: Wanted,
    /// The last lines, without control characters.
    pub(super) lines: Vec<String>,
}

/// The log panel.
#[derive(Default)]
pub(super) struct LogPanel {
    pub(super) wanted: Option<Wanted>,
    pub(super) lines: Vec<String>,
    /// How many lines the window is above the end; at the end it follows.
    pub(super) above_end: usize,
}

impl LogPanel {
    /// Moves the window by some lines.
    pub(super) fn scroll(&mut self, is_up: bool, lines: usize) {
        let above = if is_up { self.above_end.saturating_add(lines) } else { self.above_end.saturating_sub(lines) };
        self.above_end = above.min(self.lines.len());
    }
}
