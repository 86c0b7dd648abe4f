//! Who can do the work on this machine.

use serde_json::{Map, Value};

use super::app::App;

impl App {
    /// The agent of a step that names none.
    pub(super) fn usual_agent(&self) -> &str {
        let plan = self.snapshot.as_ref().and_then(|snapshot| snapshot.project.sequence.defaults.model.as_deref());
        plan.filter(|model| *model != "shell").and_then(|model| model.split('/').next()).unwrap_or("claude-code")
    }

    /// Where the usual agent is not on this machine, a sentence begins with one that is, or as a command for the shell.
    pub(super) fn choose_worker(&self, known: &mut Map<String, Value>) {
        let is_missing = self.agents.iter().any(|agent| agent.name == self.usual_agent() && !agent.is_here);
        if !is_missing || known.contains_key("agent") || known.contains_key("command") {
            return;
        }
        match self.agents.iter().find(|agent| agent.is_here) {
            Some(agent) => known.insert("agent".into(), agent.name.clone().into()),
            None => known.insert("command".into(), true.into()),
        };
    }
}
