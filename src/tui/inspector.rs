//! What is shown of the selection: its tabs, and what was read for them.

use super::markdown::Marked;
use crate::{
    client::{AttemptStatus, DiffText, PromptText, StepDetail, WhyReport},
    model::Id,
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
}
