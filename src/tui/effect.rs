//! What an update wants to be done outside the state.

use crate::{action::Action, model::Id};

/// An action somebody asked for on the screen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    /// What is to be done.
    pub(super) action: Action,
    /// Whether a person has confirmed it.
    pub(super) is_confirmed: bool,
}

/// Something to do. The first ones are done beside the screen, the last ones with its terminal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// Do an action.
    Call(Box<Asked>),
    /// Look whether a change could be made.
    Check(Box<Action>),
    /// Read what the inspector shows of a step or gate.
    Inspect { id: Id, tab: super::inspector::Tab },
    /// Open the editor on the prompt of this step.
    Edit(Id),
    /// List the last entries of the audit log.
    Audit,
    /// Show this part of a log from now on, or none.
    Log(Option<Box<super::log_panel::Wish>>),
    /// Put a text into the clipboard.
    Copy(String),
    /// Hand the terminal to `seqctl` with these arguments, for an editor or an agent of its own.
    HandOver(Vec<String>),
    /// Draw every cell again.
    Redraw,
    /// Ring, and say why.
    Ring(String),
    /// Stop like any program at Ctrl-Z.
    Suspend,
    /// Give the mouse to the terminal, or take it.
    Mouse(bool),
    /// Leave.
    Quit,
}

impl Effect {
    /// Whether it is done with the screen's terminal.
    pub(super) const fn needs_terminal(&self) -> bool {
        !matches!(self, Self::Call(_) | Self::Check(_) | Self::Inspect { .. } | Self::Edit(_) | Self::Audit | Self::Log(_))
    }
}
