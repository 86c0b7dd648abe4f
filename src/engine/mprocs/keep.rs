//! Keeping mprocs in step: with a plan that changes, and with its own end.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    open::{added, running},
    pane,
    session::{Session, SessionLock},
};
use crate::{
    engine::{Caller, Engine, View},
    error::Error,
    layout::Layout,
    model::{Id, Node},
    mprocs::{Command, GAP, send},
};

/// How long panes that were perhaps added may take to show up.
const DOUBT: Duration = Duration::from_secs(2);

/// The steps as they stand on the canvas: column by column, from top to bottom.
pub(super) fn in_order(view: &View) -> Vec<Id> {
    let layout = Layout::of(&view.sequence, &view.graph);
    let nodes = (0..layout.width()).flat_map(|column| layout.nodes_in(column).collect::<Vec<_>>());
    nodes.filter(|&at| matches!(view.graph.node(at), Node::Step(_))).map(|at| view.id_of(at).clone()).collect()
}

impl Engine {
    /// Lets the panes of an open mprocs follow the plan. What goes wrong here is no fault of the change that led here;
    /// whoever uses the panes next tries again.
    pub fn keep_panes(&self) {
        if Session::is_there(self.paths()) {
            let _ = self.try_to_keep_panes();
        }
    }

    fn try_to_keep_panes(&self) -> Result<(), Error> {
        let lock = SessionLock::take(self.paths())?;
        match self.session(&lock)? {
            Some(session) => self.follow_plan(&lock, session).map(drop),
            None => Ok(()),
        }
    }

    /// The session that lives; what a dead one left is cleaned up.
    pub(super) fn session(&self, _lock: &SessionLock) -> Result<Option<Session>, Error> {
        let paths = self.paths();
        let Some(session) = Session::read(paths) else {
            if Session::is_there(paths) {
                Session::remove(paths)?;
                self.note_mprocs(&Caller::system(), "mprocs.reconcile", json!({"found": "a map that cannot be read"}));
            }
            return Ok(None);
        };
        if session.is_alive() {
            return Ok(Some(session));
        }
        Session::remove(paths)?;
        let payload = json!({"found": "a dead session", "pid": session.pid, "port": session.port, "goesOn": running(paths)?});
        self.note_mprocs(&Caller::system(), "mprocs.reconcile", payload);
        Ok(None)
    }

    /// Cleans up after a session that has ended, unless somebody else has, and writes that down.
    pub(super) fn forget_session(&self, caller: &Caller, session: &Session, action: &str, mut facts: Value) -> Result<(), Error> {
        {
            let _lock = SessionLock::take(self.paths())?;
            // Somebody may have opened another one since.
            if Session::read(self.paths()).is_none_or(|found| found.pid != session.pid) {
                return Ok(());
            }
            Session::remove(self.paths())?;
        }
        facts["pid"] = session.pid.into();
        self.note_mprocs(caller, action, facts);
        Ok(())
    }

    /// Adds panes for new steps at the end, all at once, and ends the views of those that are gone.
    pub(super) fn follow_plan(&self, _lock: &SessionLock, mut session: Session) -> Result<Session, Error> {
        let paths = self.paths();
        if !session.adding.is_empty() {
            session = self.settle_doubt(session)?;
        }
        let view = self.view()?;
        let steps: Vec<Id> = view.sequence.steps.iter().map(|step| step.id.clone()).collect();
        let mut changes = session.panes.changes(&steps);
        if !changes.added.is_empty() {
            changes = session.panes.changes(&in_order(&view));
        }
        if changes.is_empty() {
            return Ok(session);
        }
        for step in &changes.ended {
            pane::end(paths, step);
        }
        if !changes.added.is_empty() {
            let program = self.program()?;
            let cmds = changes.added.iter().map(|step| added(&program, step)).collect::<Result<_, _>>()?;
            for step in &changes.added {
                pane::forget(paths, step)?;
            }
            session.adding.clone_from(&changes.added);
            session.write(paths)?;
            send(session.port, &Command::Batch { cmds })?;
            thread::sleep(GAP);
        }
        session.panes = session.panes.after(&changes);
        session.adding.clear();
        session.write(paths)?;
        self.note_mprocs(&Caller::system(), "mprocs.panes", json!({"added": changes.added, "ended": changes.ended}));
        Ok(session)
    }

    /// Somebody died between telling mprocs of new panes and writing that down, or before: a view that shows up says
    /// that it was told.
    fn settle_doubt(&self, mut session: Session) -> Result<Session, Error> {
        let begun = Instant::now();
        let is_told = || session.adding.iter().any(|step| pane::was_open(self.paths(), step));
        while !is_told() && begun.elapsed() < DOUBT {
            thread::sleep(GAP);
        }
        let added = if is_told() { std::mem::take(&mut session.adding) } else { Vec::new() };
        session.adding.clear();
        session.panes = session.panes.after(&crate::mprocs::Changes { added, ended: Vec::new() });
        session.write(self.paths())?;
        Ok(session)
    }

    /// Writes into the audit log what happened to mprocs. It happened, whether that can be written or not.
    pub(super) fn note_mprocs(&self, caller: &Caller, action: &str, payload: Value) {
        let mut writer = self.writer();
        let noted = writer.lock().and_then(|mut held| held.note(caller, action, None, payload, false));
        self.keep(writer);
        if let Err(error) = noted {
            self.warn(format!("`{action}` could not be written into the audit log: {error}"));
        }
    }
}
