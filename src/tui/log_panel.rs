//! The log of the selected step: which part of it is shown, and how.

use super::{app::App, effect::Effect, inspector::Tab, panels::Panel, region, toast::Tone};
use crate::{
    client::{Found, LogLine, Streams},
    model::Id,
};

/// The log that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) step: Id,
    /// The attempt: run and number. Another one begins another log.
    pub(super) attempt: Option<(String, u32)>,
    pub(super) streams: Streams,
    /// Whether an agent's stream is shown as it is.
    pub(super) is_raw: bool,
}

/// What is to be looked for, and from which line on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Find {
    pub(super) text: String,
    pub(super) from: u64,
    pub(super) is_backward: bool,
}

/// The part of a log that is to be read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wish {
    pub(super) wanted: Wanted,
    /// The first line; the last ones where absent.
    pub(super) top: Option<u64>,
    pub(super) rows: usize,
    pub(super) find: Option<Find>,
}

/// What was read of a log.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    pub(super) wanted: Wanted,
    pub(super) shown: Vec<LogLine>,
    /// How many lines there are, as far as they have been counted.
    pub(super) total: u64,
    /// Whether all have been counted.
    pub(super) is_counted: bool,
    /// Whether only what is not looked at has been written to.
    pub(super) has_other: bool,
    /// Where what was looked for is: nowhere, or in a line.
    pub(super) found: Option<Found>,
    pub(super) problem: Option<String>,
}

/// The log panel.
#[derive(Default)]
pub(super) struct LogPanel {
    pub(super) wanted: Option<Wanted>,
    /// An attempt other than the last one: of which step, its run and number.
    pub(super) chosen: Option<(Id, String, u32)>,
    /// Whether anything of it has been read yet.
    pub(super) is_read: bool,
    /// Whether something is being looked for in it.
    pub(super) is_searching: bool,
    pub(super) lines: Vec<LogLine>,
    pub(super) total: u64,
    pub(super) is_counted: bool,
    /// Whether only what is not shown has been written to.
    pub(super) has_other: bool,
    /// The first line of the window; it follows the end where absent.
    pub(super) top: Option<u64>,
    /// Cells that are off the left side where lines are not wrapped.
    pub(super) left: usize,
    pub(super) is_wrapped: bool,
    pub(super) streams: Streams,
    pub(super) is_raw: bool,
    /// What is looked for, and the line it was found in last.
    pub(super) search: Option<String>,
    pub(super) hit: Option<u64>,
    pub(super) problem: Option<String>,
}

impl LogPanel {
    /// The word for what is shown.
    pub(super) const fn stream(&self) -> &'static str {
        match self.streams {
            Streams::Stdout => "stdout",
            Streams::Stderr => "stderr",
            Streams::Both => "both",
        }
    }
}

impl App {
    /// Shows the log of the selection; of its last attempt.
    pub(super) fn show_log(&mut self) {
        let step = self.selected_id().and_then(|id| self.snapshot.as_ref()?.step(&id).cloned());
        let chosen = self.log.chosen.take().filter(|(id, ..)| step.as_ref().is_some_and(|row| row.id == *id));
        self.log.chosen.clone_from(&chosen);
        let wanted = step.map(|row| Wanted {
            attempt: chosen.map(|(_, run, attempt)| (run, attempt)).or(row.run.zip(row.attempt)),
            step: row.id,
            streams: self.log.streams,
            is_raw: self.log.is_raw,
        });
        if self.log.wanted == wanted {
            return;
        }
        let is_same_step = match (&self.log.wanted, &wanted) {
            (Some(before), Some(now)) => before.step == now.step,
            _ => false,
        };
        let panel = &mut self.log;
        (panel.lines, panel.total, panel.is_counted, panel.problem) = (Vec::new(), 0, false, None);
        (panel.is_read, panel.is_searching) = (false, false);
        (panel.top, panel.left, panel.hit) = (None, 0, None);
        if !is_same_step {
            panel.search = None;
        }
        panel.wanted = wanted;
        self.read_log(None);
    }

    /// Asks for what the window shows.
    pub(super) fn read_log(&mut self, find: Option<Find>) {
        let rows = usize::from(self.size.height);
        if let Some(wanted) = self.log.wanted.clone().filter(|wanted| wanted.attempt.is_some()) {
            self.want(Effect::Log(Some(Box::new(Wish { wanted, top: self.log.top, rows, find }))));
        } else {
            self.want(Effect::Log(None));
        }
    }

    /// Takes what was read.
    pub(super) fn take_lines(&mut self, lines: Lines) {
        if self.log.wanted.as_ref() != Some(&lines.wanted) {
            return;
        }
        let panel = &mut self.log;
        (panel.is_read, panel.is_searching, panel.has_other) = (true, false, lines.has_other);
        (panel.lines, panel.total, panel.is_counted, panel.problem) = (lines.shown, lines.total, lines.is_counted, lines.problem);
        match lines.found {
            Some(Found::Line(line)) => {
                panel.hit = Some(line);
                self.go_to_line(line.saturating_sub(2));
            }
            Some(Found::Nowhere) => self.say(Tone::Plain, "it is nowhere else in the log", None),
            Some(Found::NotYet(_)) | None => {}
        }
        self.is_dirty = true;
    }

    /// Whether the keys go to a log: the panel's, or the inspector's.
    pub(super) fn is_in_log(&self) -> bool {
        match self.panels.focus {
            Panel::Log => true,
            Panel::Inspector => self.inspector.tab == Tab::Logs,
            Panel::Board | Panel::Chat | Panel::Card => false,
        }
    }

    /// The rows of the log that are seen.
    pub(super) fn log_rows(&self) -> u64 {
        let regions = self.regions();
        let area = if self.panels.focus == Panel::Inspector { regions.inspector } else { regions.log };
        u64::from(area.height.saturating_sub(2))
    }

    /// Shows the log on the whole screen.
    pub(super) fn show_full_log(&mut self) {
        self.panels.is_log_full = true;
        self.focus(Panel::Log);
    }

    /// Shows everything again, and the last attempt's log.
    pub(super) fn leave_full_log(&mut self) {
        self.panels.is_log_full = false;
        let is_covered = self.panels.is_inspector_open && !region::is_wide(self.size);
        self.focus(if is_covered { Panel::Inspector } else { Panel::Board });
        if self.log.chosen.take().is_some() {
            self.show_log();
        }
    }

    /// Shows the log of an attempt of the selection.
    pub(super) fn show_log_of(&mut self, (run, attempt): (String, u32)) {
        self.log.chosen = self.selected_id().map(|id| (id, run, attempt));
        self.show_log();
        self.show_full_log();
    }

    /// Follows the end of the log, or stays where it is.
    pub(super) fn turn_follow(&mut self) {
        if self.log.top.is_some() {
            return self.go_to_line(u64::MAX);
        }
        self.log.top = Some(self.log.total.saturating_sub(self.log_rows()));
        self.read_log(None);
    }

    /// Moves the window over the log by some lines.
    pub(super) fn scroll_log(&mut self, lines: i64) {
        let last = self.log.total.saturating_sub(self.log_rows());
        let top = self.log.top.unwrap_or(last);
        self.go_to_line(top.saturating_add_signed(lines));
    }

    /// Shows a line at the top; at the end it follows.
    pub(super) fn go_to_line(&mut self, line: u64) {
        let last = self.log.total.saturating_sub(self.log_rows());
        self.log.top = Some(line).filter(|line| *line < last);
        self.read_log(None);
        self.is_dirty = true;
    }

    /// Looks for the search's next hit in the log.
    pub(super) fn find_in_log(&mut self, is_backward: bool) {
        let Some(text) = self.log.search.clone().filter(|text| !text.is_empty()) else {
            return self.say(Tone::Plain, "nothing is being searched for", None);
        };
        let from = match (self.log.hit, is_backward) {
            (Some(hit), true) => hit,
            (Some(hit), false) => hit + 1,
            (None, true) => self.log.total,
            (None, false) => 0,
        };
        self.log.is_searching = true;
        self.read_log(Some(Find { text, from, is_backward }));
    }

    /// Shows stdout, then stderr, then both.
    pub(super) fn turn_stream(&mut self) {
        self.log.streams = match self.log.streams {
            Streams::Stdout => Streams::Stderr,
            Streams::Stderr => Streams::Both,
            Streams::Both => Streams::Stdout,
        };
        self.show_log();
    }
}
