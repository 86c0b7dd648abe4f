//! A step: one piece of work for an agent or a shell.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Id, Span, StepStatus};

/// A step exactly as sequence.yaml has it; what is absent there is absent here.
/// [`super::Resolved`] adds the defaults.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct Step {
    /// Its name in the plan.
    pub id: Id,
    /// What people call it; the id where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Thread type; inferred where absent.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<ThreadType>,
    /// The row of the canvas it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// What part it plays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The agent: `shell`, `claude-code`, `codex`, `gemini`, one of config.yaml, or `agent/its-model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The prompt itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Where the prompt is, looked up in `.threados/`, then in the project root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_file: Option<String>,
    /// What a shell step runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandLine>,
    /// Working directory, relative to the project root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Added to the environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Steps and gates that must be satisfied first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Id>,
    /// The outcome, as the file has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<StepStatus>,
    /// Globs of what it makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<String>,
    /// The group it runs with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<Id>,
    /// How many workers run it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fanout: Option<u32>,
    /// On a candidate `true`; on a synthesiser the list of its candidates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fusion_candidates: Option<Candidates>,
    /// On a synthesiser `true`; on a candidate the id of its synthesiser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fusion_synth: Option<Synth>,
    /// The step this one watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watchdog_for: Option<Id>,
    /// `true` on an orchestrator; its id on what it added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orchestrator: Option<Orchestrator>,
    /// How long one attempt may take. Read from `timeout_ms` too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// What the failure of a group's member means for the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_policy: Option<FailPolicy>,
    /// How many more attempts a failure gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// The pause before a retry. Read from `retry_delay_ms` too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_delay: Option<Span>,
    /// How often a watchdog looks. Read from `watchdog_interval_ms` too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watchdog_interval: Option<Span>,
    /// What one attempt may cost, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
    /// What a provider's usage limit does: `wait`, `fail`, or another agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Whether a success wants a person's review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<bool>,
    /// Added to the agent's command line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agent_args: Vec<String>,
}

impl Step {
    /// A step with nothing but its id.
    pub const fn new(id: Id) -> Self {
        Self {
            id,
            name: None,
            kind: None,
            lane: None,
            role: None,
            model: None,
            prompt: None,
            prompt_file: None,
            command: None,
            cwd: None,
            env: BTreeMap::new(),
            depends_on: Vec::new(),
            status: None,
            artifacts: Vec::new(),
            group_id: None,
            fanout: None,
            fusion_candidates: None,
            fusion_synth: None,
            watchdog_for: None,
            orchestrator: None,
            timeout: None,
            fail_policy: None,
            retries: None,
            retry_delay: None,
            watchdog_interval: None,
            max_cost_usd: None,
            limit: None,
            review: None,
            agent_args: Vec::new(),
        }
    }

    /// What people call it.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(self.id.as_str())
    }

    /// Whether it adds and runs steps of its own.
    pub fn is_orchestrator(&self) -> bool {
        matches!(self.orchestrator, Some(Orchestrator::Is(true)))
    }

    /// The steps whose results it synthesises; implied dependencies.
    pub fn candidates(&self) -> &[Id] {
        match &self.fusion_candidates {
            Some(Candidates::Of(ids)) => ids,
            Some(Candidates::Is(_)) | None => &[],
        }
    }

    /// Whether it brings the results of candidates together.
    pub fn is_synthesis(&self) -> bool {
        !self.candidates().is_empty() || self.fusion_synth == Some(Synth::Is(true))
    }

    /// Whether it is a candidate of `synth`, provided that `synth` waits for it.
    pub fn is_candidate_of(&self, synth: &Self) -> bool {
        synth.candidates().contains(&self.id)
            || self.fusion_candidates == Some(Candidates::Is(true))
            || self.fusion_synth.as_ref().is_some_and(|of| matches!(of, Synth::By(id) if *id == synth.id))
    }

    /// Everything it waits for: what it lists, then what `fusion_candidates` implies.
    pub fn needs(&self) -> impl Iterator<Item = &Id> {
        let implied = self.candidates().iter().filter(|id| !self.depends_on.contains(id));
        self.depends_on.iter().chain(implied)
    }
}

/// What a shell step runs: text for `sh -c`, or words that are executed as they are.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CommandLine {
    /// A text for `sh -c`.
    Shell(String),
    /// A program and its arguments.
    Argv(Vec<String>),
}

impl CommandLine {
    /// As one line that a shell would read the same way.
    pub fn display(&self) -> String {
        match self {
            Self::Shell(text) => text.clone(),
            Self::Argv(words) => shell_words::join(words),
        }
    }
}

/// The six thread types.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ThreadType {
    /// One step.
    #[default]
    Base,
    /// A parallel group or a fan-out.
    P,
    /// Chained phases with gates.
    C,
    /// Fusion: candidates, then a synthesiser.
    F,
    /// Big: an orchestrator that adds steps while it runs.
    B,
    /// Long autonomy, with an optional watchdog.
    L,
}

impl ThreadType {
    /// Every type.
    pub const ALL: [Self; 6] = [Self::Base, Self::P, Self::C, Self::F, Self::B, Self::L];

    /// The word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::P => "p",
            Self::C => "c",
            Self::F => "f",
            Self::B => "b",
            Self::L => "l",
        }
    }

    /// The type named by `word`.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What the failure of a group's member means for the others.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailPolicy {
    /// The others are stopped.
    #[default]
    #[serde(alias = "stop-all")]
    FailFast,
    /// The others go on, and what comes after may use those that succeeded.
    #[serde(alias = "continue")]
    BestEffort,
}

impl FailPolicy {
    /// The policy named by `word`, by its name or by one of the words read as it.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "fail_fast" | "stop-all" => Some(Self::FailFast),
            "best_effort" | "continue" => Some(Self::BestEffort),
            _ => None,
        }
    }

    /// The word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FailFast => "fail_fast",
            Self::BestEffort => "best_effort",
        }
    }
}

/// `true`, or the candidates of a synthesiser.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Candidates {
    /// Whether the step is a candidate.
    Is(bool),
    /// The candidates of this step.
    Of(Vec<Id>),
}

/// `true`, or the synthesiser of a candidate.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Synth {
    /// Whether the step is a synthesiser.
    Is(bool),
    /// The synthesiser of this step.
    By(Id),
}

/// `true`, or the orchestrator that added a step.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Orchestrator {
    /// Whether the step is an orchestrator.
    Is(bool),
    /// The orchestrator that added this step.
    By(Id),
}

impl std::str::FromStr for Orchestrator {
    type Err = crate::error::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::Is).or_else(|_| text.parse().map(Self::By))
    }
}
