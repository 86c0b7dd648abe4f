//! Telling an open mprocs something, on the panes of steps. What it makes of that is seen by leases.

use std::{
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::json;

use super::{
    open::{END, running},
    pane::{is_open, leave_word},
    session::{Session, SessionLock},
};
use crate::{
    action::{
        Action,
        mprocs::{Select, SendKey},
        run,
    },
    engine::{
        Actor, Caller, Consent, Engine, confirm,
        output::{MprocsReport, MprocsSession, Output, PaneRow, Started},
    },
    error::Error,
    model::{Id, Readiness, StepStatus},
    mprocs::{Command, GAP, Key, Program, send},
};

/// How long a stop waits for others that tell mprocs something.
const SOON: Duration = Duration::from_secs(1);

/// What is done to panes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::engine) enum Through {
    /// Their programs are told to end.
    Stop,
    /// And started again.
    Restart,
}

impl Engine {
    /// Does what is about mprocs.
    pub(in crate::engine) fn mprocs(&self, caller: &Caller, action: &Action, consent: Consent) -> Result<Output, Error> {
        match action {
            Action::MprocsOpen(args) if args.config_only => Ok(Output::Wrote { path: self.only_mprocs_config()? }),
            Action::MprocsOpen(_) => Err(Error::TerminalMissing { action: "mprocs.open" }),
            Action::MprocsSelect(args) => self.select_pane(args),
            Action::MprocsSendKey(args) => self.type_key(caller, action, args, consent),
            Action::MprocsClose(_) => self.close_mprocs(caller, action, consent),
            Action::MprocsStart(args) => self.start_step(caller, &args.id, consent),
            Action::MprocsStop(args) => {
                self.pane_of(&args.id)?;
                self.stop(caller, &run::Stop { target: Some(args.id.to_string()), all: false, force: false })
            }
            Action::MprocsRestart(args) => {
                self.pane_of(&args.id)?;
                let restart = restarting(&args.id);
                let output = self.restart(caller, &Action::Restart(restart.clone()), &restart, consent)?;
                self.select_pane(&Select { id: args.id.clone() })?;
                Ok(output)
            }
            _ => Err(Error::internal(format!("`{}` has nothing to do with mprocs", action.name()))),
        }
    }

    /// The place of a step's pane in the session that lives, brought into step with the plan.
    fn pane_of(&self, step: &Id) -> Result<(SessionLock, Session, usize), Error> {
        self.view()?.sequence.expect_step(step.as_str())?;
        let lock = SessionLock::take(self.paths())?;
        let session = self.session(&lock)?.ok_or(Error::MprocsClosed)?;
        let session = self.follow_plan(&lock, session)?;
        let index = session.panes.index(step).ok_or_else(|| Error::internal(format!("`{step}` has no pane")))?;
        Ok((lock, session, index))
    }

    fn select_pane(&self, args: &Select) -> Result<Output, Error> {
        let (_lock, session, index) = self.pane_of(&args.id)?;
        send(session.port, &Command::Batch { cmds: vec![Command::SelectProc { index }] })?;
        thread::sleep(GAP);
        Ok(Output::Selected { step: args.id.clone(), pane: index })
    }

    /// Runs a step under policy and lease, and shows its pane. A view that is there shows it by itself.
    fn start_step(&self, caller: &Caller, step: &Id, consent: Consent) -> Result<Output, Error> {
        drop(self.pane_of(step)?);
        if matches!(self.glance(step)?, super::Glance::Running { .. }) {
            return Err(Error::StepRunning { step: step.clone() });
        }
        let begun = self
            .begin(caller, &starting(step), false, consent)?
            .ok_or_else(|| Error::internal("one step is something to run"))?;
        let (_lock, session, index) = self.pane_of(step)?;
        let mut cmds = vec![Command::SelectProc { index }];
        cmds.extend((!is_open(self.paths(), step)).then_some(Command::StartProc));
        send(session.port, &Command::Batch { cmds })?;
        thread::sleep(GAP);
        Ok(Output::Started(Started { run: begun.run.id, attached: begun.is_attached, steps: None }))
    }

    /// Types a key into a pane, as its person would: so only a person may.
    fn type_key(&self, caller: &Caller, action: &Action, args: &SendKey, consent: Consent) -> Result<Output, Error> {
        let key: Key = args.key.parse()?;
        drop(self.pane_of(&args.id)?);
        let mut writer = self.writer();
        {
            let mut held = writer.lock()?;
            held.audited(caller, action, |held| {
                if caller.actor != Actor::User {
                    let why = format!("only a person types into a pane ({} asked for `{}`)", caller.name(), action.name());
                    return Err(Error::Denied { why, rule: "decisions" });
                }
                let what = format!("typing {key} into the pane of `{}`", args.id);
                confirm::check(held.view(), caller, action, &what, consent)
            })?;
            held.note(caller, action.name(), Some(args.id.to_string()), json!({"typed": key}), true)?;
        }
        self.keep(writer);
        let (_lock, session, index) = self.pane_of(&args.id)?;
        send(session.port, &Command::at(index, Command::SendKey { key: key.clone() }))?;
        thread::sleep(GAP);
        Ok(Output::Typed { step: args.id.clone(), key: key.to_string() })
    }

    /// Ends mprocs, whatever it takes, and no step.
    fn close_mprocs(&self, caller: &Caller, action: &Action, consent: Consent) -> Result<Output, Error> {
        let session = self.session(&SessionLock::take(self.paths())?)?.ok_or(Error::MprocsClosed)?;
        let mut writer = self.writer();
        writer.lock()?.audited(caller, action, |held| {
            let what = format!("closing mprocs (pid {}; what runs goes on)", session.pid);
            confirm::check(held.view(), caller, action, &what, consent)
        })?;
        self.keep(writer);
        self.note_mprocs(caller, action.name(), json!({"pid": session.pid}));
        let is_told = {
            let _lock = SessionLock::take(self.paths())?;
            send(session.port, &Command::Quit).is_ok()
        };
        let patience = if is_told { END } else { Duration::ZERO };
        let begun = Instant::now();
        while session.is_alive() {
            if begun.elapsed() > patience {
                session.signal(Signal::KILL);
            }
            thread::sleep(GAP);
        }
        let running = running(self.paths())?;
        self.forget_session(caller, &session, "mprocs.end", json!({"goesOn": running}))?;
        Ok(Output::Left { running })
    }

    /// Tells the panes of steps that are being stopped, as far as they are open: the views hand the stop on. Whether
    /// there was anybody to tell.
    pub(in crate::engine) fn through_panes(&self, caller: &Caller, steps: &[Id], how: Through) -> bool {
        if caller.via == PANE || !Session::is_there(self.paths()) {
            return false;
        }
        let Ok(_lock) = SessionLock::take_within(self.paths(), SOON) else { return false };
        let Some(session) = Session::living(self.paths()) else { return false };
        let open = steps.iter().filter(|step| is_open(self.paths(), step));
        let open = open.filter_map(|step| leave_word(self.paths(), step).ok().and_then(|()| session.panes.index(step)));
        let command = match how {
            Through::Stop => Command::TermProc,
            Through::Restart => Command::RestartProc,
        };
        let cmds: Vec<Command> = open.map(|index| Command::at(index, command.clone())).collect();
        let is_told = !cmds.is_empty() && send(session.port, &Command::Batch { cmds }).is_ok();
        thread::sleep(if is_told { GAP } else { Duration::ZERO });
        is_told
    }

    /// Whether mprocs is open, and how its panes are. Writes nothing: a dead session is only told of.
    pub(in crate::engine) fn mprocs_status(&self, view: &crate::engine::View, ready: &Readiness) -> MprocsReport {
        let session = Session::read(self.paths());
        let panes = session.iter().flat_map(|session| session.panes.all().iter().enumerate());
        let row = |(pane, found): (usize, &crate::mprocs::Pane)| {
            let status = view.graph.find(found.step.as_str()).map_or(StepStatus::Blocked, |at| ready.status(at));
            let open = !found.ended && is_open(self.paths(), &found.step);
            PaneRow { pane, step: found.step.clone(), open, ended: found.ended, status: (!found.ended).then_some(status) }
        };
        let panes = panes.map(row).collect();
        let session = session.map(|session| MprocsSession {
            pid: session.pid,
            port: session.port,
            started_at: session.started_at.clone(),
            alive: session.is_alive(),
        });
        MprocsReport { program: Program::find().ok().map(|program| program.path), session, panes }
    }
}

/// The face that a pane is.
pub(in crate::engine) const PANE: &str = "mprocs";

/// What a start or restart in mprocs runs.
pub(in crate::engine) fn as_run(action: &Action) -> Option<Action> {
    match action {
        Action::MprocsStart(args) => Some(starting(&args.id)),
        Action::MprocsRestart(args) => Some(Action::Restart(restarting(&args.id))),
        _ => None,
    }
}

fn starting(step: &Id) -> Action {
    Action::RunStep(run::Steps { ids: vec![step.clone()], options: run::Options::default() })
}

fn restarting(step: &Id) -> run::Restart {
    run::Restart { id: step.clone(), downstream: false, options: run::Options::default() }
}
