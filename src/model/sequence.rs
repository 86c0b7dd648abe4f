//! The whole plan.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FailPolicy, Gate, Id, Sha, Span, Step};
use crate::error::Error;

/// sequence.yaml as data. What the file leaves out is left out here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sequence {
    /// The format; `"1.0"`.
    pub version: String,
    /// What people call the sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who made it, when, and why.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// What tightens policy.yaml for this sequence.
    #[serde(skip_serializing_if = "PolicyLimits::is_empty")]
    pub policy: PolicyLimits,
    /// What steps get that do not say otherwise.
    #[serde(skip_serializing_if = "Defaults::is_empty")]
    pub defaults: Defaults,
    /// The work, in the order people wrote it.
    pub steps: Vec<Step>,
    /// The points that wait for a person.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
}

impl Default for Sequence {
    fn default() -> Self {
        Self {
            version: "1.0".into(),
            name: None,
            metadata: Metadata::default(),
            policy: PolicyLimits::default(),
            defaults: Defaults::default(),
            steps: Vec::new(),
            gates: Vec::new(),
        }
    }
}

impl Sequence {
    /// The step of that name.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id.as_str() == id)
    }

    /// The gate of that name.
    pub fn gate(&self, id: &str) -> Option<&Gate> {
        self.gates.iter().find(|gate| gate.id.as_str() == id)
    }

    /// The step of that name, or an error with the nearest one.
    pub fn expect_step(&self, id: &str) -> Result<&Step, Error> {
        self.step(id).ok_or_else(|| Error::StepNotFound { step: id.into(), nearest: self.nearest(id) })
    }

    /// The gate of that name, or an error with the nearest one.
    pub fn expect_gate(&self, id: &str) -> Result<&Gate, Error> {
        self.gate(id).ok_or_else(|| Error::GateNotFound {
            gate: id.into(),
            nearest: super::nearest(id, self.gates.iter().map(|gate| gate.id.as_str())),
        })
    }

    /// The step or gate whose name is nearest to `id`, if one is near.
    pub fn nearest(&self, id: &str) -> Option<String> {
        super::nearest(id, self.ids().map(Id::as_str))
    }

    /// The names of all steps, then of all gates.
    pub fn ids(&self) -> impl Iterator<Item = &Id> {
        self.steps.iter().map(|step| &step.id).chain(self.gates.iter().map(|gate| &gate.id))
    }

    /// Whether a step or a gate has that name.
    pub fn contains(&self, id: &str) -> bool {
        self.ids().any(|other| other.as_str() == id)
    }

    /// The members of a group, in the plan's order.
    pub fn group<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a Step> {
        self.steps.iter().filter(move |step| step.group_id.as_ref().is_some_and(|id| id.as_str() == group))
    }

    /// The candidates of a synthesiser, in the plan's order.
    pub fn candidates_of<'a>(&'a self, synth: &'a Step) -> impl Iterator<Item = &'a Step> {
        let needs: Vec<&Id> = synth.needs().collect();
        self.steps.iter().filter(move |step| needs.contains(&&step.id) && step.is_candidate_of(synth))
    }

    /// `sha256:` and 16 hex digits of the plan, blind to statuses and gate notes: it changes when
    /// somebody changes what would run, not when something ran.
    pub fn revision(&self) -> String {
        fn put(text: &mut Vec<u8>, value: &impl Serialize) {
            // Plans are made of strings, numbers and lists, which can be written.
            let _ = serde_json::to_writer(&mut *text, value);
            text.push(b'\n');
        }
        let mut text = Vec::with_capacity(4096);
        put(&mut text, &(&self.version, &self.name, &self.metadata, &self.policy, &self.defaults));
        for step in &self.steps {
            if step.status.is_some() {
                put(&mut text, &Step { status: None, ..step.clone() });
            } else {
                put(&mut text, step);
            }
        }
        for gate in &self.gates {
            put(&mut text, &(&gate.id, &gate.name, &gate.depends_on));
        }
        format!("sha256:{:.16}", Sha::of(&text).to_string())
    }
}

/// Who made a sequence, when, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Metadata {
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// A person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Free words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl Metadata {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What steps get that do not say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Defaults {
    /// The agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How long one attempt may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// How many more attempts a failure gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// The pause before a retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_delay: Option<Span>,
    /// What the failure of a group's member means for the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_policy: Option<FailPolicy>,
    /// Whether a success wants a person's review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<bool>,
    /// What one attempt may cost, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
    /// What a provider's usage limit does: `wait`, `fail`, or the agent that takes over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Added to the environment of every step.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub env: std::collections::BTreeMap<String, String>,
    /// Added to every agent's command line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agent_args: Vec<String>,
}

impl Defaults {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How much is asked before things run.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Running, applying and destructive actions need a confirmation.
    #[default]
    Safe,
    /// Only destructive actions do.
    Power,
}

impl Mode {
    /// The word in the file and on screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "SAFE",
            Self::Power => "POWER",
        }
    }
}

/// The `policy:` of a sequence; it can only tighten policy.yaml.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PolicyLimits {
    /// SAFE or POWER.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The largest fan-out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_fanout: Option<u32>,
    /// How many attempts may run at once in the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u32>,
    /// What a run may cost, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
    /// The only commands that may run. Read from `command_allowlist` too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_commands: Vec<String>,
    /// The only working directories, as globs. Read from `cwd_patterns` too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_cwd: Vec<String>,
    /// Regular expressions no command may match.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forbidden_patterns: Vec<String>,
}

impl PolicyLimits {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
