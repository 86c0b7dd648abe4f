//! The command lines of agents' programs, their output, and one readable transcript for all of
//! them. Pure: nothing here starts or opens anything.

mod claude;
mod codex;
mod command;
mod event;
mod gemini;
mod known;
mod limit;
mod line;
mod report;
mod transcript;

pub use command::{Agent, Order};
pub use event::{Event, parse};
pub use known::Agents;
pub use limit::Reset;
pub use line::Lines;
pub use report::Report;
pub use transcript::{Piece, PieceKind, Transcript, plain};
