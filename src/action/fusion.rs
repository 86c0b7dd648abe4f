//! Fusions: several candidates for one task, and a synthesiser that makes one result of theirs.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act, Change, Changed, Txn, add, template};
use crate::{
    error::{Error, list},
    model::{Candidates, FailPolicy, Id, Resolved, Step, Synth, ThreadType},
    template::{Kind, Made},
};

/// Link candidates with their synthesiser; steps that do not exist are made
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Create {
    /// The candidates
    #[arg(long, required = true, value_name = "ID", value_delimiter = ',', num_args = 1..)]
    pub candidates: Vec<Id>,
    /// The synthesiser
    #[arg(long, value_name = "ID")]
    pub synth: Id,
    /// What candidates that are made shall do
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The agent of steps that are made; the plan's default, else claude-code
    #[arg(long, visible_alias = "model")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

impl Act for Create {
    const NAME: &'static str = "fusion.create";
    const ACCESS: Access = Access::Change;
}

impl Change for Create {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        if self.candidates.contains(&self.synth) {
            let why = format!("`{}` cannot be its own candidate", self.synth);
            return Err(Error::FieldInvalid { field: "candidates", why });
        }
        let task = self.task.clone().unwrap_or_else(|| task_of(txn, &self.candidates));
        let mut made = Made::default();
        let missing = self.candidates.iter().chain([&self.synth]).filter(|id| !txn.sequence.contains(id.as_str()));
        for id in missing {
            let mut step = Step::new(id.clone());
            step.model = self.agent.clone().or_else(|| add::default_agent(&txn.sequence));
            if *id == self.synth {
                step.prompt = Some(synthesis(&self.synth, &task));
            } else {
                write_candidate(&mut step, &self.synth, &task);
            }
            made.steps.push(step);
        }
        let made = Made::new(made.steps, Vec::new(), None, &[])?;
        let fresh: Vec<Id> = made.ids().cloned().collect();
        template::put(txn, &made, &[])?;
        link(txn, &self.candidates, &self.synth)?;
        let new = if fresh.is_empty() { String::new() } else { format!("; made {}", list(&fresh)) };
        let text = format!("`{}` makes one result of {}{new}", self.synth, list(&self.candidates));
        let mut changed = Changed::new(text, self.candidates.iter().chain([&self.synth]).cloned());
        if let Some(id) = fresh.first().filter(|_| self.task.is_none()) {
            changed = changed.then(format!("seqctl prompt edit {id}"));
        }
        Ok(changed.then(format!("seqctl run fusion {}", self.synth)))
    }

    fn target(&self) -> Option<String> {
        Some(self.synth.to_string())
    }
}

/// Give one task to several agents, and make one result of theirs
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fuse {
    /// What is to be done
    pub task: String,
    /// The candidates; an agent may be named twice
    #[arg(long, value_name = "AGENT", value_delimiter = ',', default_value = "claude-code,codex,gemini")]
    #[serde(default = "three")]
    pub agents: Vec<String>,
    /// The agent that makes one result of theirs; the first of them where absent
    #[arg(long, value_name = "AGENT")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synth: Option<String>,
    /// Steps and gates that must be satisfied first
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Id>,
    /// Name of the synthesiser, with which those of the candidates begin; made from the task where absent
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
}

fn three() -> Vec<String> {
    ["claude-code", "codex", "gemini"].map(str::to_owned).into()
}

impl Act for Fuse {
    const NAME: &'static str = "fuse";
    const ACCESS: Access = Access::Change;
}

impl Change for Fuse {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        let task = self.task.trim();
        if task.is_empty() {
            return Err(Error::FieldInvalid { field: "task", why: "there is nothing to do in it".into() });
        }
        let agents = Kind::List.read(&self.agents.join(",")).map_or_else(|_| Vec::new(), |agents| agents.items().to_vec());
        let Some(first) = agents.first().filter(|_| agents.len() > 1) else {
            return Err(Error::FieldInvalid { field: "agents", why: "a fusion takes two or more".into() });
        };
        let synth = add::name(txn, self.id.as_ref(), task)?;
        let mut steps = Vec::new();
        for agent in &agents {
            let mut step = Step::new(format!("{synth}-{}", agent.slug).parse()?);
            step.model = Some(agent.text.clone());
            write_candidate(&mut step, &synth, task);
            step.depends_on.clone_from(&self.after);
            steps.push(step);
        }
        let candidates: Vec<Id> = steps.iter().map(|step| step.id.clone()).collect();
        let mut last = Step::new(synth.clone());
        (last.model, last.prompt) = (self.synth.clone().or_else(|| Some(first.text.clone())), Some(synthesis(&synth, task)));
        steps.push(last);
        let made = Made::new(steps, Vec::new(), None, &[])?;
        template::put(txn, &made, &self.after)?;
        link(txn, &candidates, &synth)?;
        let text = format!("`{synth}` makes one result of {}", list(&candidates));
        Ok(Changed::new(text, made.ids().cloned()).then(format!("seqctl run fusion {synth}")))
    }

    fn target(&self) -> Option<String> {
        self.id.as_ref().map(Id::to_string)
    }
}

/// Ties candidates and synthesiser together, and lets candidates go on when one fails.
fn link(txn: &mut Txn, candidates: &[Id], synth: &Id) -> Result<(), Error> {
    for id in candidates.iter().chain([synth]) {
        txn.sequence.expect_step(id.as_str())?;
        txn.refuse_running(id)?;
    }
    let group: Id = format!("{synth}-candidates").parse()?;
    for step in &mut txn.sequence.steps {
        if step.id == *synth {
            (step.kind, step.fusion_synth) = (Some(ThreadType::F), None);
            step.fusion_candidates = Some(Candidates::Of(candidates.to_vec()));
        } else if candidates.contains(&step.id) {
            step.kind = Some(ThreadType::F);
            step.fusion_candidates = Some(Candidates::Is(true));
            step.fusion_synth = Some(Synth::By(synth.clone()));
            // A synthesis of two is better than none of three.
            if step.group_id.is_none() {
                (step.group_id, step.fail_policy) = (Some(group.clone()), Some(FailPolicy::BestEffort));
            }
        }
    }
    Ok(())
}

/// The task of the first candidate that has one in the plan.
fn task_of(txn: &Txn, candidates: &[Id]) -> String {
    let steps = candidates.iter().filter_map(|id| txn.sequence.step(id.as_str()));
    let prompt = steps.filter(|step| !Resolved::new(&txn.sequence, step).is_shell()).find_map(|step| step.prompt.clone());
    prompt.unwrap_or_else(|| "Say here what is to be done, and how one can see that it is done well.".into())
}

/// Gives a candidate its prompt, in one file for all of them.
fn write_candidate(step: &mut Step, synth: &Id, task: &str) {
    step.prompt = Some(format!("{task}\n\n{CANDIDATE}"));
    step.prompt_file = Some(format!("prompts/{synth}-candidate.md"));
}

fn synthesis(synth: &Id, task: &str) -> String {
    format!(
        "Several candidates have solved this task independently of each other:\n\n{task}\n\n\
         `seqctl step show {synth}` names them, and `seqctl result <id>` prints the result of one.\n\n{SYNTHESIS}"
    )
}

const CANDIDATE: &str = "\
Others solve the same task independently, and somebody compares the results. Do not change files of this
repository: answer with your whole solution, changes as a patch in unified diff format, followed by your reasons
and by what you are least sure of.
";

const SYNTHESIS: &str = "\
Compare their results. Where they agree, check that they are right; where they differ, find out who is, by trying
it. Take the best of each and carry it out in this repository, then run the project's checks. End with what you
took from which candidate, and why.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_says_the_same() {
        let (_, text) = crate::template::BUILTIN.iter().find(|(name, _)| *name == "fusion").unwrap();
        let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n");
        for prompt in [CANDIDATE, SYNTHESIS] {
            assert!(lines(text).contains(&lines(prompt)), "{prompt}");
        }
    }
}
