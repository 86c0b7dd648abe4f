//! Everything that can happen to the screen.

use std::sync::Arc;

use crossterm::event::Event;

use super::{
    crash::Crash,
    effect::Asked,
    inspector::Facts,
    layer::Layer,
    log_panel::Lines,
    proposal::{Applied, Applying, Proposed},
    snapshot::Snapshot,
};
use crate::{
    client::{Plan, Reply},
    error::Error,
    model::Id,
};

/// Something that happened.
pub(super) enum Msg {
    /// A key, the mouse, a paste, or another size.
    Input(Event),
    /// The project changed, or is shown for the first time.
    Snapshot(Arc<Snapshot>),
    /// sequence.yaml cannot be read now.
    Broken(Arc<Error>),
    /// An action was done, or was not.
    Done { action: &'static str, result: Box<Result<Reply, Error>> },
    /// The policy wants a person's word first.
    Ask { asked: Box<Asked>, what: String, why: String, plan: Option<Box<Plan>> },
    /// What a proposal would do, or why it cannot be made.
    Proposed(Box<Proposed>),
    /// The policy wants a person's word before a proposal is applied.
    AskToApply { applying: Box<Applying>, why: String },
    /// A proposal was applied, or was not.
    Applied { applying: Box<Applying>, result: Box<Result<Applied, Error>> },
    /// What a change would do, or why it cannot be made.
    Checked(Result<String, String>),
    /// What the inspector shows was read.
    Facts(Box<Facts>),
    /// What the log panel shows was read.
    Lines(Box<Lines>),
    /// Running steps, with what each has said last.
    Tails(Vec<(Id, String)>),
    /// Something that was made elsewhere is to lie over the screen.
    Open(Box<dyn Layer>),
    /// Something to say.
    Say(String),
    /// Time went by: something moves, or ends.
    Tick,
    /// The process is asked to end.
    Terminate,
    /// A thread of the screen has panicked.
    Crashed(Crash),
}
