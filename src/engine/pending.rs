//! What is open in a project: the runs that go on, and what waits for a person's word in them.

use std::collections::HashSet;

use super::{call::Engine, held::Ask, request, view::View};
use crate::{
    error::Error,
    model::{Id, Readiness},
    store::{Request, Run, open_runs},
};

/// What is open.
pub(super) struct Pending {
    /// The runs that have not ended.
    pub(super) runs: Vec<Run>,
    /// What steps ask for.
    pub(super) requests: Vec<Request>,
    /// What the runs hold back.
    pub(super) held: Vec<Ask>,
    /// What the requests are about.
    is_asked: HashSet<Id>,
}

impl Pending {
    /// What is held back and nobody has asked a person for.
    pub(super) fn unasked(&self) -> impl Iterator<Item = &Ask> {
        self.held.iter().filter(|ask| !self.is_asked.contains(&ask.step))
    }
}

impl Engine {
    /// What is open now.
    pub(super) fn pending(&self, view: &View, ready: &Readiness) -> Result<Pending, Error> {
        let runs = open_runs(self.paths())?;
        let requests = request::open(self.paths(), view)?;
        let is_asked = requests.iter().flat_map(|request| request.shown.iter().map(|shown| shown.step.clone())).collect();
        Ok(Pending { held: view.held_back(ready, &runs), runs, requests, is_asked })
    }
}
