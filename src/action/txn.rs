//! A change of the plan in progress.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    error::Error,
    model::{Decision, Graph, Id, Readiness, Sequence, State},
};

/// The only way to change a plan: actions work on this copy, the engine writes what came out.
#[derive(Clone, Debug, Default)]
pub struct Txn {
    /// The plan.
    pub sequence: Sequence,
    /// What is known of steps and gates that are not idle or pending.
    pub states: HashMap<Id, State>,
    /// What was decided, in order.
    pub decisions: Vec<(Id, Decision, Option<String>)>,
    /// The prompts that were written, in order.
    pub prompts: Vec<NewPrompt>,
}

/// A prompt that was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewPrompt {
    /// Whose it is.
    pub step: Id,
    /// The text for its file; nothing where it stands in the plan.
    pub text: Option<String>,
    /// The SHA-256 that the prompt has to have until now.
    pub if_unchanged: Option<String>,
    /// Whether its file must not be there already, unless it says the same.
    pub is_new: bool,
}

impl Txn {
    /// A change of `sequence`, of which `states` are known.
    pub fn new(sequence: Sequence, states: HashMap<Id, State>) -> Self {
        Self { sequence, states, ..Self::default() }
    }

    /// The graph and readiness of the plan as it is now.
    pub fn readiness(&self) -> Result<(Graph, Readiness), Error> {
        let graph = Graph::build(&self.sequence)?;
        let mut ready = Readiness::new(&self.sequence, &graph);
        for (id, state) in &self.states {
            if let Some(at) = graph.find(id.as_str()) {
                ready.set(at, *state);
            }
        }
        Ok((graph, ready))
    }

    /// What is known of a step or gate.
    pub fn state(&self, id: &Id) -> Option<State> {
        self.states.get(id).copied()
    }

    /// Takes note of a decision about `id`, whose state is `state` from now on.
    pub fn decide(&mut self, id: &Id, decision: Decision, note: Option<String>, state: State) {
        self.decisions.push((id.clone(), decision, note));
        self.states.insert(id.clone(), state);
    }

    /// Refuses to touch a step that runs.
    pub fn refuse_running(&self, step: &Id) -> Result<(), Error> {
        if self.state(step) == Some(State::Running) {
            return Err(Error::StepRunning { step: step.clone() });
        }
        Ok(())
    }

    /// Refuses a name that is taken.
    pub fn refuse_taken(&self, id: &Id) -> Result<(), Error> {
        if self.sequence.contains(id.as_str()) {
            return Err(Error::AlreadyExists { id: id.clone() });
        }
        Ok(())
    }

    /// Refuses a name that no step and no gate has.
    pub fn expect_node(&self, id: &Id) -> Result<(), Error> {
        if self.sequence.contains(id.as_str()) {
            return Ok(());
        }
        Err(Error::NodeNotFound { id: id.to_string(), nearest: self.sequence.nearest(id.as_str()) })
    }

    /// The steps and gates that list `id` among their dependencies.
    pub fn dependents(&self, id: &Id) -> Vec<Id> {
        let steps = self.sequence.steps.iter().filter(|step| step.needs().any(|need| need == id)).map(|step| &step.id);
        let gates = self.sequence.gates.iter().filter(|gate| gate.depends_on.contains(id)).map(|gate| &gate.id);
        steps.chain(gates).cloned().collect()
    }

    /// Replaces `old` by `new` in every list of dependencies.
    pub fn rewire(&mut self, old: &Id, new: &[Id]) {
        let lists = self.sequence.steps.iter_mut().map(|step| &mut step.depends_on);
        for list in lists.chain(self.sequence.gates.iter_mut().map(|gate| &mut gate.depends_on)) {
            if let Some(at) = list.iter().position(|id| id == old) {
                list.remove(at);
                let fresh: Vec<_> = new.iter().filter(|id| !list.contains(id)).cloned().collect();
                list.splice(at..at, fresh);
            }
        }
    }
}

/// What an action did, for people and programs.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    /// In one sentence.
    pub text: String,
    /// The steps and gates it touched.
    pub ids: Vec<Id>,
    /// Commands that make sense next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
}

impl Changed {
    /// A sentence about the ids it touched.
    pub fn new(text: impl Into<String>, ids: impl IntoIterator<Item = Id>) -> Self {
        Self { text: text.into(), ids: ids.into_iter().collect(), next: Vec::new() }
    }

    /// The same, with a command that makes sense next.
    #[must_use]
    pub fn then(mut self, command: impl Into<String>) -> Self {
        self.next.push(command.into());
        self
    }
}
