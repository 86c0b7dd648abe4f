//! Following what happens in a project.

use std::time::Duration;

use super::{call::Engine, event::Event, output::RunReport};
use crate::{
    audit::Tail,
    error::Error,
    model::Id,
    store::{Run, RunState, Watch, is_held},
};

/// Events from the moment it was made, as they happen.
pub struct Follower {
    tail: Tail,
    watch: Watch,
}

impl Follower {
    /// The events since the last call, after waiting for them up to `patience`.
    pub fn next(&mut self, patience: Duration) -> Result<Vec<Event>, Error> {
        let mut events = self.read()?;
        if events.is_empty() {
            self.watch.wait(patience);
            events = self.read()?;
        }
        Ok(events)
    }

    fn read(&mut self) -> Result<Vec<Event>, Error> {
        Ok(self.tail.read()?.iter().flat_map(Event::of).collect())
    }
}

impl Engine {
    /// Follows what happens from now on.
    pub fn follow(&self) -> Result<Follower, Error> {
        Ok(Follower { tail: Tail::from_end(&self.paths().audit())?, watch: Watch::new(self.paths(), &[]) })
    }

    /// Where a run is; an active one without a runner gets one.
    pub fn tend(&self, run: &str) -> Result<Run, Error> {
        let mut found = Run::read(self.paths(), run)?;
        if found.state == RunState::Ended && is_held(&self.paths().runner(run)) {
            // Its runner says so a moment before it lets go.
            found.state = RunState::Active;
            return Ok(found);
        }
        if found.state == RunState::Active && !is_held(&self.paths().runner(run)) {
            self.launch(run)?;
        }
        Ok(found)
    }

    /// Whether an open run is going to run a step.
    pub fn is_awaited(&self, step: &Id) -> Result<bool, Error> {
        let open = crate::store::open_runs(self.paths())?;
        let view = self.view()?;
        Ok(open.iter().any(|run| run.state == RunState::Active && view.covers(run, step)))
    }

    /// Everything about a run.
    pub fn report(&self, run: &str) -> Result<RunReport, Error> {
        super::past::run_report(self.paths(), &self.view()?, &Run::read(self.paths(), run)?)
    }

    /// The run that is meant: the named one, else the open one.
    pub fn open_run(&self, name: Option<&str>) -> Result<String, Error> {
        match name {
            Some(name) => Run::read(self.paths(), name).map(|run| run.id),
            None => crate::store::open_runs(self.paths())?.pop().map(|run| run.id).ok_or(Error::NoRun),
        }
    }
}
