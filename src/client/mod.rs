//! What a face needs of a project: `call`, `view`, events, logs. Every face goes through here; a
//! remote project will be a second implementation of the same calls.

use std::path::Path;

use crate::{
    action::{Action, doctor::Doctor, project::Init, schema::Schema},
    error::Error,
    store::{Config, Paths},
};

pub use crate::{
    action::run::Options as RunOptions,
    agent::{PieceKind, plain},
    audit::Entry,
    engine::{
        Actor, Answer, Ask, COST_LIMIT, Caller, Check, Consent, DEMO_GATE, DiffText, Engine as Client, Event, Extended, Follower,
        GateRow, Glance, GraphNode, GraphReport, GroupRow, Health, Hindrance, Judgement, Kind, LogLine, LogText, LogWindow,
        MprocsReport, Need, NeedKind, Observer, Opening, Output, PANE_VARIABLE, Plan, Preview, Progress, PromptText, Reply,
        RequestRow, Rule, RunReport, RunRow, ShortStatus, Snapshot, Standing, Started, StatusReport, StepDetail, StepRow,
        Streams, Subscription, TemplateRow, TranscriptReader, Update, Verdict, WhyReport, blocked_by_gate, schema, time_words,
        worker_prefix,
    },
    store::{
        Arrangement, AttemptStatus, Bell, Color, FirstView, Found, RunState, SLICE, Search, Ui, start_of_lines, yaml::Warning,
    },
};

/// The project that is meant: the chosen one, else the nearest above the current folder.
pub fn open(chosen: Option<&Path>) -> Result<Client, Error> {
    Paths::find(chosen).map(Client::new)
}

/// Makes a project in `root`.
pub fn init(root: &Path, args: &Init, caller: &Caller) -> Result<Reply, Error> {
    let output = Client::init(root, args, caller)?;
    let action = Action::Init(args.clone()).name();
    let next = vec!["seqctl status".to_owned(), "seqctl run".to_owned()];
    Ok(Reply { action, revision: None, output, warnings: Vec::new(), next })
}

/// The schema that is asked for; needs no project.
pub fn describe(args: &Schema) -> Result<Reply, Error> {
    let output = Output::Schema { schema: schema(args.of, args.name.as_deref())? };
    Ok(answer(&Action::Schema(args.clone()), output))
}

/// Whether this machine is fit for use, and the project where there is one.
pub fn examine(chosen: Option<&Path>) -> Result<Reply, Error> {
    let paths = match Paths::find(chosen) {
        Ok(paths) => Some(paths),
        Err(Error::ProjectNotFound { is_chosen: false, .. }) => None,
        Err(error) => return Err(error),
    };
    let checks = crate::engine::doctor(paths.as_ref());
    Ok(answer(&Action::Doctor(Doctor {}), Output::Checked { checks }))
}

fn answer(action: &Action, output: Output) -> Reply {
    Reply { action: action.name(), revision: None, output, warnings: Vec::new(), next: Vec::new() }
}

/// Makes the demo's project in `root`, where there must be none.
pub fn make_demo(root: &Path, caller: &Caller) -> Result<Client, Error> {
    let policy = "version: \"1.0\"\nmode: POWER   # the demo's own harmless commands\n";
    Client::make(root, crate::engine::demo_sequence(), policy, caller)?;
    Ok(Client::new(Paths::at(root)))
}

/// How the attempt that wrote a log ended, if it has.
pub fn attempt_status(client: &Client, log: &LogText) -> Option<AttemptStatus> {
    AttemptStatus::read(client.paths(), &log.run, log.step.as_str(), log.attempt)
}

/// How this project's screen was arranged last.
pub fn arrangement(client: &Client) -> Arrangement {
    Arrangement::read(client.paths())
}

/// Keeps how this project's screen is arranged.
pub fn keep_arrangement(client: &Client, arrangement: &Arrangement) -> Result<(), Error> {
    arrangement.keep(client.paths())
}

/// The options of a run action; nothing for another one.
pub fn run_options(action: &Action) -> Option<RunOptions> {
    crate::engine::run_options(action)
}

/// An agent, and whether it is on this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Agent {
    /// What it is called in a plan.
    pub name: String,
    /// Whether its program is on PATH.
    pub is_here: bool,
    /// How people install it.
    pub install: Option<String>,
}

/// The agents we know, and those of the project's config.yaml as far as that can be read. None of them is started.
pub fn agents(client: Option<&Client>) -> Vec<Agent> {
    let config = client.and_then(|client| Config::read(client.paths()).ok()).unwrap_or_default();
    let folders: Vec<_> = std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect();
    let is_here = |program: &str| folders.iter().any(|folder| folder.join(program).is_file());
    let all = crate::agent::Agents::new(config.agents.iter().map(|(name, settings)| (name.as_str(), settings)));
    let row = |agent: &crate::agent::Agent| Agent {
        name: agent.name.clone(),
        is_here: is_here(agent.program()),
        install: agent.install.clone(),
    };
    all.iter().map(row).collect()
}
