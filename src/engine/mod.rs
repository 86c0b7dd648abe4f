//! The only way to change a project, and the way to look at one: transactions, claims, runs,
//! queries and events. Wires everything below it.

mod agent;
mod attention;
mod brief;
mod budget;
mod call;
mod caller;
mod claim;
mod confirm;
mod demo;
mod diagram;
mod doctor;
mod drive;
mod event;
mod excerpt;
mod face;
mod follow;
mod graph;
mod grounds;
mod guard;
mod init;
mod launch;
mod limit;
mod log;
mod log_transcript;
mod log_weave;
mod log_window;
mod next;
mod open;
mod output;
mod past;
mod policy;
mod progress;
mod prompt;
mod query;
mod restart;
mod resume;
mod schema;
mod settle;
mod snapshot;
mod start;
mod stop;
mod subscribe;
mod template;
mod transact;
mod trust;
mod undo;
mod view;
mod wait;
mod why;
mod writer;

pub use attention::{Need, NeedKind};
pub use budget::COST_LIMIT;
pub use call::{Engine, Preview, Reply, run_options};
pub use caller::{Actor, Caller, Consent};
pub use demo::{DEMO_GATE, demo_sequence};
pub use doctor::{Check, Health, doctor};
pub use drive::drive;
pub use event::{Event, Kind};
pub use follow::Follower;
pub use graph::{GraphEdge, GraphNode, GraphReport, NodeKind, Standing};
pub use log::TranscriptReader;
pub use log_window::{LogLine, LogWindow, Streams};
pub use open::Opening;
pub use output::{
    Answer, DiffText, GateRow, GroupRow, LogText, Output, PromptText, RunReport, RunRow, ShortStatus, Started, StatusReport,
    StepDetail, StepRow, TemplateRow,
};
pub use policy::{Judgement, Rule};
pub use progress::Progress;
pub use schema::schema;
pub use snapshot::{Observer, Snapshot};
pub use start::{Plan, blocked_by_gate};
pub use subscribe::{Subscription, Update};
pub use view::View;
pub use why::{Hindrance, Remedy, WhyReport};
