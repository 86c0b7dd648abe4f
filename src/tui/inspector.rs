//! What is shown of the selection: its tabs, and what was read for them.

use super::{app::App, draw, markdown::Marked};
use crate::{
    client::{AttemptStatus, DiffText, PromptText, StepDetail, WhyReport},
    model::{Id, StepStatus},
};

/// A tab of the inspector.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Tab {
    #[default]
    Details,
    Logs,
    Prompt,
    Runs,
    Diff,
}

impl Tab {
    /// Every tab of a step, from left to right.
    pub(super) const ALL: [Self; 5] = [Self::Details, Self::Logs, Self::Prompt, Self::Runs, Self::Diff];

    /// Its name.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Details => "Details",
            Self::Logs => "Logs",
            Self::Prompt => "Prompt",
            Self::Runs => "Runs",
            Self::Diff => "Diff",
        }
    }
}

/// What was read of a step or gate.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) id: Id,
    /// For which tab it was read; none while it is being read.
    pub(super) tab: Option<Tab>,
    /// Everything the plan and the last attempt say; nothing of a gate.
    pub(super) detail: Option<StepDetail>,
    pub(super) why: Option<WhyReport>,
    pub(super) prompt: Option<PromptText>,
    pub(super) diff: Option<DiffText>,
    /// The text of the prompt, told apart.
    pub(super) prompt_lines: Vec<Marked>,
    /// Its attempts, the newest first; those alone that have ended.
    pub(super) attempts: Vec<AttemptStatus>,
    /// Of a gate: the steps before it.
    pub(super) produced: Vec<StepDetail>,
    /// What could not be read.
    pub(super) problem: Option<String>,
}

impl Facts {
    /// Nothing is known yet.
    pub(super) const fn none(id: Id) -> Self {
        Self {
            id,
            tab: None,
            detail: None,
            why: None,
            prompt: None,
            diff: None,
            prompt_lines: Vec::new(),
            attempts: Vec::new(),
            produced: Vec::new(),
            problem: None,
        }
    }
}

/// The inspector.
#[derive(Default)]
pub(super) struct Inspector {
    pub(super) tab: Tab,
    /// What was read last; of another id while it is being read.
    pub(super) facts: Option<Box<Facts>>,
    /// The first line that is shown.
    pub(super) scroll: u16,
    /// Whether somebody asked why it does not run: that is what is scrolled to.
    pub(super) is_at_why: bool,
    /// The attempt that is chosen in the list of all.
    pub(super) chosen: usize,
}

impl App {
    /// The attempts of the selected step whose logs can be looked at, the newest first: run and number.
    pub(super) fn attempts(&self) -> Vec<(String, u32)> {
        let Some(facts) = self.inspector.facts.as_ref().filter(|facts| facts.tab == Some(Tab::Runs)) else { return Vec::new() };
        let running = self.running_attempt().into_iter();
        running.chain(facts.attempts.iter().map(|attempt| (attempt.run.clone(), attempt.attempt))).collect()
    }

    /// The attempt of the selected step that runs now, as long as it is not among those that have ended.
    pub(super) fn running_attempt(&self) -> Option<(String, u32)> {
        let row = self.snapshot.as_ref()?.step(&self.selected_id()?)?;
        let attempt = row.run.clone().zip(row.attempt).filter(|_| row.status == StepStatus::Running)?;
        let facts = self.inspector.facts.as_ref()?;
        let has_ended = facts.attempts.iter().any(|ended| (&ended.run, ended.attempt) == (&attempt.0, attempt.1));
        (!has_ended).then_some(attempt)
    }

    /// Goes to another attempt in the list of all, and keeps it in sight.
    pub(super) fn choose_attempt(&mut self, by: isize) {
        let last = self.attempts().len().saturating_sub(1);
        self.inspector.chosen = self.inspector.chosen.saturating_add_signed(by).min(last);
        let rows = i32::from(self.regions().inspector.height.saturating_sub(2)).max(1);
        // Each attempt has two lines.
        let first = i32::try_from(self.inspector.chosen * 2).unwrap_or(i32::MAX);
        let top = i32::from(self.inspector.scroll);
        self.scroll_inspector(first.min(top).max(first + 2 - rows) - top);
    }

    /// Takes what was read of the selection.
    pub(super) fn take_facts(&mut self, facts: Box<Facts>) {
        if self.board.selected.as_ref() != Some(&facts.id) {
            return;
        }
        self.inspector.facts = Some(facts);
        if self.inspector.is_at_why {
            self.inspector.scroll = draw::why_row(self).min(draw::last_row(self));
        }
        self.is_dirty = true;
    }
}
