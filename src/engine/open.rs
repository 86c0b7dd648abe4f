//! What hands a person the session of a step's agent.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    agent,
    call::Engine,
    caller::{Caller, Consent},
    confirm,
    output::Output,
    query::last_attempt,
    view::View,
};
use crate::{
    action::{Action, open::Open},
    agent::Order,
    error::Error,
    model::{Id, Resolved, State, Step, StepStatus},
    runner::SpecFile,
    store::{AttemptStatus, Paths, file},
};

/// A program that takes the terminal over.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Opening {
    /// The step.
    pub step: Id,
    /// The agent; `shell` for commands.
    pub agent: String,
    /// The session it goes on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Where it runs.
    pub cwd: PathBuf,
    /// Where the step is.
    pub status: StepStatus,
    /// Added to the environment.
    #[serde(skip)]
    pub env: BTreeMap<String, String>,
}

impl Engine {
    /// What to start in a person's terminal. It is in the audit log from now on.
    pub(super) fn open(&self, caller: &Caller, action: &Action, args: &Open) -> Result<Output, Error> {
        super::settle::repair_all(self.paths())?;
        let mut writer = self.writer();
        let opening = {
            let mut held = writer.lock()?;
            held.refresh_leases()?;
            held.settle(&Caller::system())?;
            held.audited(caller, action, |held| {
                confirm::check(held.view(), caller, action, &confirm::describe(action, &[]), Consent::None)
            })?;
            let opening = opening(held.paths(), held.view(), &args.id)?;
            let payload = json!({"agent": opening.agent, "session": opening.session, "argv": opening.argv, "cwd": opening.cwd});
            held.note(caller, action.name(), Some(args.id.to_string()), payload, true)?;
            opening
        };
        self.keep(writer);
        Ok(Output::Opened(opening))
    }
}

fn opening(paths: &Paths, view: &View, id: &Id) -> Result<Opening, Error> {
    let step = view.sequence.expect_step(id.as_str())?;
    let at = view.graph.find(id.as_str()).unwrap_or_default();
    if view.state(at) == State::Running {
        return Err(Error::StepRunning { step: id.clone() });
    }
    let resolved = Resolved::new(&view.sequence, step);
    let wanted = agent::folder(view, step);
    let cwd = wanted.canonicalize().map_err(Error::io("enter", &wanted))?;
    let status = view.readiness().status(at);
    let opening =
        Opening { step: id.clone(), agent: "shell".into(), session: None, argv: Vec::new(), cwd, status, env: resolved.env() };
    if resolved.is_shell() {
        let shell = std::env::var("SHELL").ok().filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into());
        return Ok(Opening { argv: vec![shell], ..opening });
    }
    let (agent, session) = session(paths, view, id)?;
    let argv = argv(view, step, &opening, &agent, &session)?;
    Ok(Opening { agent, session: Some(session), argv, ..opening })
}

/// The session of a step's last attempt, and the agent that left it.
fn session(paths: &Paths, view: &View, id: &Id) -> Result<(String, String), Error> {
    let none = |why| Error::NoSession { step: id.clone(), why };
    let last = last_attempt(paths, view, id).and_then(|(run, attempt)| Some((run, attempt?)));
    let (run, attempt) = last.ok_or_else(|| none("it has not run"))?;
    let spec: Option<SpecFile> = file::read_json(&paths.attempt(&run, id.as_str(), attempt).join("spec.json"));
    let session = AttemptStatus::read(paths, &run, id.as_str(), attempt).and_then(|status| status.agent.session_id);
    spec.map(|spec| spec.agent).zip(session).ok_or_else(|| none("its last attempt left none"))
}

fn argv(view: &View, step: &Step, opening: &Opening, agent: &str, session: &str) -> Result<Vec<String>, Error> {
    let resolved = Resolved::new(&view.sequence, step);
    let known = view.agents.expect(agent, &step.id)?;
    // What the plan says is for the agent that it names.
    let is_named = resolved.agent() == agent;
    let argv = known.opening(&Order {
        model: resolved.agent_model().filter(|_| is_named),
        args: if is_named { resolved.agent_args() } else { &view.sequence.defaults.agent_args },
        session: Some(session),
        ..Order::default()
    })?;
    let program = argv.first().cloned().unwrap_or_default();
    agent::expect_program(&program, &opening.cwd, &opening.env, || Error::AgentMissing {
        step: step.id.clone(),
        agent: agent.to_owned(),
        program: program.clone(),
        install: known.install.clone(),
    })?;
    Ok(argv)
}
