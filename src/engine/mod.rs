//! The only way to change a project, and the way to look at one: transactions, claims, runs,
//! queries and events. Wires everything below it.

mod agent;
mod brief;
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
mod follow;
mod graph;
mod grounds;
mod guard;
mod init;
mod launch;
mod log;
mod mprocs;
mod next;
mod output;
mod past;
mod policy;
mod prompt;
mod query;
mod restart;
mod resume;
mod schema;
mod settle;
mod start;
mod stop;
mod template;
mod transact;
mod trust;
mod undo;
mod view;
mod wait;
mod why;
mod writer;

pub use call::{Engine, Preview, Reply, run_options};
pub use caller::{Actor, Caller, Consent};
pub use demo::{DEMO_GATE, demo_sequence};
pub use doctor::{Check, Health, doctor};
pub use drive::drive;
pub use event::{Event, Kind};
pub use follow::Follower;
pub use graph::{GraphEdge, GraphNode, GraphReport, NodeKind, Standing};
pub use log::TranscriptReader;
pub use mprocs::{Glance, Hosted, PANE_VARIABLE, PaneMark};
pub use output::{
    Answer, DiffText, GateRow, GroupRow, LogText, MprocsReport, Output, PaneRow, PromptText, RunReport, RunRow, ShortStatus,
    Started, StatusReport, StepDetail, StepRow, TemplateRow,
};
pub use policy::{Judgement, Rule};
pub use query::start_of_lines;
pub use schema::schema;
pub use start::{Plan, blocked_by_gate};
pub use view::View;
pub use why::{Hindrance, Remedy, WhyReport};
