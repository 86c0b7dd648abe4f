//! What a step would run, as a hash, and whether that is still what it ran.

use std::collections::BTreeMap;

use serde::Serialize;

use super::view::View;
use crate::{
    model::{CommandLine, Resolved, Sha, Step},
    store::{KnownPlan, Paths, Record, read_prompt},
};

/// The hash of what a step with this prompt would run: its command, prompt, agent, folder and environment.
pub(super) fn defhash(step: &Resolved<'_>, prompt: Option<Sha>) -> Sha {
    #[derive(Serialize)]
    struct Definition<'a> {
        agent: &'a str,
        model: Option<&'a str>,
        command: Option<&'a CommandLine>,
        cwd: &'a str,
        env: BTreeMap<String, String>,
        prompt: Option<Sha>,
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        agent_args: &'a [String],
        /// Who takes over at a usage limit.
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<&'a str>,
    }
    let definition = Definition {
        agent: step.agent(),
        model: step.step.model.as_deref(),
        command: step.step.command.as_ref(),
        cwd: step.cwd(),
        env: step.env(),
        prompt,
        agent_args: if step.is_shell() { &[] } else { step.agent_args() },
        limit: step.substitute(),
    };
    Sha::of(&serde_json::to_vec(&definition).unwrap_or_default())
}

impl View {
    /// The hash of what a step would run, with its prompt as it is now.
    pub fn defhash(&self, paths: &Paths, step: &Step) -> Sha {
        let prompt = read_prompt(paths, step).ok().flatten().map(|prompt| Sha::of(&prompt.bytes));
        defhash(&Resolved::new(&self.sequence, step), prompt)
    }

    /// Whether a step is defined in another way than when it ended.
    pub(super) fn is_changed(&self, paths: &Paths, step: &Step, record: &Record) -> bool {
        let is_now = || {
            let claim = record.claim.as_ref().filter(|claim| record.exit.is_some() && !claim.defhash.is_none());
            claim.is_some_and(|claim| claim.defhash != self.defhash(paths, step))
        };
        match &self.known {
            Some(known) if stands_in_plan(step) && !self.leases.contains_key(&step.id) => {
                let is_changed = known.changed.contains(&step.id);
                debug_assert_eq!(is_changed, is_now(), "what is known of a plan must never be stale");
                is_changed
            }
            _ => is_now(),
        }
    }

    /// The revision of the plan.
    pub(super) fn revision(&self) -> String {
        match &self.known {
            Some(known) => {
                debug_assert_eq!(known.revision, self.sequence.revision(), "what is known of a plan must never be stale");
                known.revision.clone()
            }
            None => self.sequence.revision(),
        }
    }

    /// What the next one need not work out again.
    pub(super) fn know(&self, paths: &Paths) -> KnownPlan {
        let steps = self.sequence.steps.iter().filter(|step| stands_in_plan(step));
        let is_changed = |step: &&Step| self.records.get(&step.id).is_some_and(|record| self.is_changed(paths, step, record));
        let changed = steps.filter(is_changed).map(|step| step.id.clone()).collect();
        KnownPlan { sha: self.sha.clone(), revision: self.sequence.revision(), changed }
    }
}

/// Whether the text of the plan says all of what a step runs.
const fn stands_in_plan(step: &Step) -> bool {
    step.prompt.is_some() || step.command.is_some() && step.prompt_file.is_none()
}
