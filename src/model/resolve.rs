//! A step with the defaults filled in.

use super::{OnLimit, Sequence, Span, Step, ThreadType};

/// The values in force for a step: its own, else the sequence's `defaults:`, else ours.
#[derive(Clone, Copy)]
pub struct Resolved<'a> {
    /// The plan it stands in.
    pub sequence: &'a Sequence,
    /// The step itself.
    pub step: &'a Step,
}

impl<'a> Resolved<'a> {
    /// The values in force for `step` of `sequence`.
    pub const fn new(sequence: &'a Sequence, step: &'a Step) -> Self {
        Self { sequence, step }
    }

    /// The agent, and the name of its own model behind `/`.
    fn model(&self) -> (&'a str, Option<&'a str>) {
        let model = match (&self.step.model, &self.step.command) {
            (Some(model), _) => model,
            (None, Some(_)) => "shell",
            (None, None) => self.sequence.defaults.model.as_deref().unwrap_or("shell"),
        };
        model.split_once('/').map_or((model, None), |(agent, own)| (agent, Some(own).filter(|own| !own.is_empty())))
    }

    /// The agent, without the model's name behind `/`.
    pub fn agent(&self) -> &'a str {
        self.model().0
    }

    /// The agent's own model, if the plan says which.
    pub fn agent_model(&self) -> Option<&'a str> {
        self.model().1
    }

    /// What is added to the agent's command line.
    pub fn agent_args(&self) -> &'a [String] {
        if self.step.agent_args.is_empty() { &self.sequence.defaults.agent_args } else { &self.step.agent_args }
    }

    /// What one attempt may cost, in US dollars.
    pub fn max_cost_usd(&self) -> Option<f64> {
        self.step.max_cost_usd.or(self.sequence.defaults.max_cost_usd)
    }

    /// The most that one process of an attempt may cost: of a fan-out each worker has an equal part of the step's.
    pub fn max_cost_of_each(&self) -> Option<f64> {
        // Rounded down, so that all of them together do not get more.
        let share = |all: f64, workers: u32| (all / f64::from(workers) * 10_000.0).floor() / 10_000.0;
        let all = self.max_cost_usd()?;
        Some(self.workers().map_or(all, |workers| share(all, workers)))
    }

    /// What happens at the usage limit of its provider.
    pub fn on_limit(&self) -> OnLimit {
        match self.limit() {
            _ if self.is_shell() => OnLimit::Fail,
            None | Some("wait") => OnLimit::Wait,
            Some("fail") => OnLimit::Fail,
            // The agent that takes over has nobody to take over from it.
            Some(other) if Some(other) == self.step.model.as_deref().or(self.sequence.defaults.model.as_deref()) => OnLimit::Wait,
            Some(_) => OnLimit::Switch,
        }
    }

    /// The agent that takes over at the usage limit of its provider, and that agent's own model behind `/`.
    pub fn substitute(&self) -> Option<&'a str> {
        self.limit().filter(|_| self.on_limit() == OnLimit::Switch)
    }

    fn limit(&self) -> Option<&'a str> {
        self.step.limit.as_deref().or(self.sequence.defaults.limit.as_deref())
    }

    /// Whether a shell runs it rather than an agent.
    pub fn is_shell(&self) -> bool {
        self.agent() == "shell"
    }

    /// How long one attempt may take, if the plan says so; the policy has the rest.
    pub fn timeout(&self) -> Option<Span> {
        self.step.timeout.or(self.sequence.defaults.timeout)
    }

    /// Working directory, relative to the project root.
    pub fn cwd(&self) -> &'a str {
        self.step.cwd.as_deref().or(self.sequence.defaults.cwd.as_deref()).unwrap_or(".")
    }

    /// How many workers run it, each in a folder of its own; nothing where it runs by itself.
    pub fn workers(&self) -> Option<u32> {
        self.step.fanout.filter(|workers| *workers > 0)
    }

    /// How many more attempts a failure gets.
    pub fn retries(&self) -> u32 {
        self.step.retries.or(self.sequence.defaults.retries).unwrap_or(0)
    }

    /// The pause before a retry.
    pub fn retry_delay(&self) -> Span {
        self.step.retry_delay.or(self.sequence.defaults.retry_delay).unwrap_or_default()
    }

    /// The pause from the beginning of a watchdog's look to the next.
    pub fn watchdog_interval(&self) -> Span {
        let wanted = self.step.watchdog_interval.unwrap_or(Span::from_ms(60_000));
        // Less would be a loop that does nothing else.
        wanted.max(Span::from_ms(100))
    }

    /// Whether a success wants a person's review.
    pub fn review(&self) -> bool {
        self.step.review.or(self.sequence.defaults.review).unwrap_or(false)
    }

    /// The environment added to the starter's.
    pub fn env(&self) -> std::collections::BTreeMap<String, String> {
        let mut env = self.sequence.defaults.env.clone();
        env.extend(self.step.env.iter().map(|(name, value)| (name.clone(), value.clone())));
        env
    }

    /// Its thread type: what it says, else what its fields imply.
    pub fn kind(&self) -> ThreadType {
        let step = self.step;
        if let Some(kind) = step.kind {
            kind
        } else if step.orchestrator.is_some() {
            ThreadType::B
        } else if step.fusion_candidates.is_some() || step.fusion_synth.is_some() {
            ThreadType::F
        } else if step.watchdog_for.is_some() {
            ThreadType::L
        } else if step.group_id.is_some() || step.fanout.is_some_and(|workers| workers > 1) {
            ThreadType::P
        } else {
            ThreadType::Base
        }
    }
}
