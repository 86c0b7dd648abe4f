//! What an update wants to be done outside the state.

use serde_json::{Map, Value};

use super::proposal::{Applying, Draft};
use crate::{action::Action, client::Arrangement, model::Id};

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
    /// Look what a list of changes would do.
    Propose(Box<Draft>),
    /// Make the changes of a proposal.
    Apply(Box<Applying>),
    /// Read what the inspector shows of a step or gate.
    Inspect { id: Id, tab: super::inspector::Tab },
    /// Open the editor on the prompt of this step.
    Edit(Id),
    /// Keep how the screen is arranged.
    Keep(Box<Arrangement>),
    /// List the last entries of the audit log.
    Audit,
    /// List the templates; of the one that is chosen this is known already.
    Templates(Map<String, Value>),
    /// Show this part of a log from now on, or none.
    Log(Option<Box<super::log_panel::Wish>>),
    /// Say what these say, from now on.
    Follow(Vec<super::tails::Running>),
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
        let is_beside = matches!(self, Self::Call(_) | Self::Check(_) | Self::Propose(_) | Self::Apply(_) | Self::Log(_))
            || matches!(self, Self::Inspect { .. } | Self::Edit(_) | Self::Audit | Self::Templates(_) | Self::Keep(_))
            || matches!(self, Self::Follow(_));
        !is_beside
    }
}
