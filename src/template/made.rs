//! What a template makes: steps and gates with their final names, and the texts of prompt files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    model::{Candidates, Gate, Id, Orchestrator, Step, Synth},
};

/// Steps, gates and prompts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Made {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The gates, in order.
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// The prompts that go to files.
    #[serde(default)]
    pub prompts: Vec<PromptText>,
}

/// The text of a prompt file.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct PromptText {
    /// The step.
    pub step: Id,
    /// What its file says.
    pub text: String,
}

impl Made {
    /// Steps and gates whose names begin with `prefix`. What waits for nothing waits for `after`; a prompt of several
    /// lines goes to a file: the one that the step names beside it, else one of its own.
    ///
    /// # Errors
    /// `IdInvalid` for a name that has become too long.
    pub fn new(steps: Vec<Step>, gates: Vec<Gate>, prefix: Option<&Id>, after: &[Id]) -> Result<Self, Error> {
        let rename = |id: &mut Id| {
            if let Some(prefix) = prefix {
                *id = format!("{}{id}", lead(prefix)).parse()?;
            }
            Ok::<(), Error>(())
        };
        let mut made = Self { steps, gates, prompts: Vec::new() };
        for step in &mut made.steps {
            step.status = None;
            names(step).try_for_each(rename)?;
            if step.needs().next().is_none() {
                step.depends_on = after.to_vec();
            }
            made.prompts.extend(out_of_plan(step));
        }
        for gate in &mut made.gates {
            (gate.status, gate.note) = (None, None);
            [&mut gate.id].into_iter().chain(&mut gate.depends_on).try_for_each(rename)?;
            if gate.depends_on.is_empty() {
                gate.depends_on = after.to_vec();
            }
        }
        Ok(made)
    }

    /// The names of its steps, then of its gates.
    pub fn ids(&self) -> impl Iterator<Item = &Id> {
        self.steps.iter().map(|step| &step.id).chain(self.gates.iter().map(|gate| &gate.id))
    }
}

/// Every name in a step.
fn names(step: &mut Step) -> impl Iterator<Item = &mut Id> {
    let candidates = match &mut step.fusion_candidates {
        Some(Candidates::Of(ids)) => ids.as_mut_slice(),
        Some(Candidates::Is(_)) | None => &mut [],
    };
    let synth = match &mut step.fusion_synth {
        Some(Synth::By(id)) => Some(id),
        Some(Synth::Is(_)) | None => None,
    };
    let orchestrator = match &mut step.orchestrator {
        Some(Orchestrator::By(id)) => Some(id),
        Some(Orchestrator::Is(_)) | None => None,
    };
    let single = [&mut step.id].into_iter().chain(&mut step.group_id).chain(synth).chain(&mut step.watchdog_for);
    single.chain(orchestrator).chain(&mut step.depends_on).chain(candidates)
}

/// Moves a prompt of several lines, or one with a file of its own, to where that file will be.
fn out_of_plan(step: &mut Step) -> Option<PromptText> {
    let is_named = step.prompt_file.is_some();
    let text = step.prompt.take_if(|text| is_named || text.trim_end().contains('\n'))?;
    step.prompt_file.get_or_insert_with(|| format!("prompts/{}.md", step.id));
    Some(PromptText { step: step.id.clone(), text: text.trim_end().to_owned() + "\n" })
}
/// What names begin with for a prefix: `api` and `api-` are the same.
pub(super) fn lead(prefix: &Id) -> String {
    format!("{}-", prefix.as_str().trim_end_matches('-'))
}
