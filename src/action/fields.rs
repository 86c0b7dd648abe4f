//! The fields of a step that `step add` and `step edit` set.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    model::{Candidates, CommandLine, FailPolicy, Id, Orchestrator, Span, Step, Synth, ThreadType},
};

/// Fields of a step; what is absent stays as it is.
#[derive(Args, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Fields {
    /// What people call it
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Thread type; inferred where absent
    #[arg(long = "type", value_name = "TYPE", value_parser = thread_type)]
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<ThreadType>,
    /// Agent: shell, claude-code, codex, gemini, or agent/its-model
    #[arg(long, visible_alias = "agent")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Shell text to run
    #[arg(long, short, value_parser = shell_text, conflicts_with = "argv")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandLine>,
    /// Program and arguments to run, without a shell
    #[arg(last = true)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// Prompt text, kept in the plan
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Prompt file, in .threados/ or the project root
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_file: Option<String>,
    /// Working directory, from the project root
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Variables to add to the environment
    #[arg(long, value_name = "NAME=VALUE")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Steps and gates that must be satisfied first
    #[arg(long, visible_alias = "after", value_name = "ID", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<Vec<Id>>,
    /// Group it runs with
    #[arg(long = "group", value_name = "GROUP")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<Id>,
    /// How many workers run it
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fanout: Option<u32>,
    /// Longest time an attempt may take, like 45m
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// More attempts after a failure
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// Pause before each of them
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_delay: Option<Span>,
    /// What a failure means for its group: `fail_fast` or `best_effort`
    #[arg(long, value_name = "POLICY", value_parser = fail_policy)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_policy: Option<FailPolicy>,
    /// Whether a success wants a person's review
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<bool>,
    /// Row of the canvas
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// What part it plays
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Globs of what it makes
    #[arg(long = "artifact", value_name = "GLOB")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<String>,
    /// Steps whose results it synthesises
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fusion_candidates: Option<Vec<Id>>,
    /// The synthesiser of this candidate
    #[arg(long, value_name = "ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fusion_synth: Option<Id>,
    /// The step it watches
    #[arg(long, value_name = "ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watchdog_for: Option<Id>,
    /// How often a watchdog looks
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watchdog_interval: Option<Span>,
    /// Whether it adds and runs steps of its own, or the orchestrator that it works for
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL|ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orchestrator: Option<Orchestrator>,
    /// What an attempt may cost, in US dollars
    #[arg(long, value_name = "USD")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
    /// What a provider's usage limit does: wait, fail, or another agent
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Arguments added to the agent's command line
    #[arg(long = "agent-arg", value_name = "ARG", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agent_args: Vec<String>,
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a parser that may fail")]
fn shell_text(text: &str) -> Result<CommandLine, String> {
    Ok(CommandLine::Shell(text.to_owned()))
}

fn thread_type(word: &str) -> Result<ThreadType, String> {
    ThreadType::parse(word).ok_or_else(|| "one of base, p, c, f, b, l".into())
}

pub(super) fn fail_policy(word: &str) -> Result<FailPolicy, String> {
    FailPolicy::parse(word).ok_or_else(|| "fail_fast or best_effort".into())
}

impl Fields {
    /// Whether it sets nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Writes what is present into `step`.
    pub fn write(&self, step: &mut Step) -> Result<(), Error> {
        #[expect(clippy::ref_option, reason = "both sides are fields of that type")]
        fn put<T: Clone>(from: &Option<T>, to: &mut Option<T>) {
            if from.is_some() {
                to.clone_from(from);
            }
        }
        put(&self.name, &mut step.name);
        put(&self.kind, &mut step.kind);
        put(&self.model, &mut step.model);
        put(&self.cwd, &mut step.cwd);
        put(&self.group_id, &mut step.group_id);
        put(&self.fanout, &mut step.fanout);
        put(&self.timeout, &mut step.timeout);
        put(&self.retries, &mut step.retries);
        put(&self.retry_delay, &mut step.retry_delay);
        put(&self.fail_policy, &mut step.fail_policy);
        put(&self.review, &mut step.review);
        put(&self.lane, &mut step.lane);
        put(&self.role, &mut step.role);
        put(&self.watchdog_for, &mut step.watchdog_for);
        put(&self.watchdog_interval, &mut step.watchdog_interval);
        put(&self.max_cost_usd, &mut step.max_cost_usd);
        put(&self.limit, &mut step.limit);
        put(&self.fusion_candidates.clone().map(Candidates::Of), &mut step.fusion_candidates);
        put(&self.fusion_synth.clone().map(Synth::By), &mut step.fusion_synth);
        put(&self.orchestrator, &mut step.orchestrator);
        if let Some(needs) = &self.depends_on {
            step.depends_on.clone_from(needs);
        }
        for (from, to) in [(&self.artifacts, &mut step.artifacts), (&self.agent_args, &mut step.agent_args)] {
            if !from.is_empty() {
                to.clone_from(from);
            }
        }
        self.write_work(step)?;
        for pair in &self.env {
            let (name, value) = pair
                .split_once('=')
                .filter(|(name, _)| is_variable(name))
                .ok_or_else(|| Error::FieldInvalid { field: "env", why: format!("`{pair}` is not NAME=VALUE") })?;
            step.env.insert(name.to_owned(), value.to_owned());
        }
        Ok(())
    }

    /// What it runs: a new answer replaces the old one, of whatever kind.
    fn write_work(&self, step: &mut Step) -> Result<(), Error> {
        let argv = (!self.argv.is_empty()).then(|| CommandLine::Argv(self.argv.clone()));
        let command = self.command.clone().or(argv);
        let given = [command.is_some(), self.prompt.is_some(), self.prompt_file.is_some()];
        if given.iter().filter(|given| **given).count() == 0 {
            return Ok(());
        }
        if self.prompt.is_some() && self.prompt_file.is_some() {
            return Err(Error::FieldInvalid { field: "prompt", why: "give the text or a file, not both".into() });
        }
        if command.is_some() {
            step.command = command;
        }
        if self.prompt.is_some() || self.prompt_file.is_some() {
            step.prompt.clone_from(&self.prompt);
            step.prompt_file.clone_from(&self.prompt_file);
        }
        Ok(())
    }
}

/// Takes a field of `step` away by its name in sequence.yaml.
pub(super) fn unset(step: &mut Step, name: &str) -> Result<(), Error> {
    match name {
        "name" => step.name = None,
        "type" => step.kind = None,
        "lane" => step.lane = None,
        "role" => step.role = None,
        "model" | "agent" => step.model = None,
        "prompt" => step.prompt = None,
        "prompt_file" => step.prompt_file = None,
        "command" => step.command = None,
        "cwd" => step.cwd = None,
        "env" => step.env.clear(),
        "depends_on" => step.depends_on.clear(),
        "artifacts" => step.artifacts.clear(),
        "group_id" => step.group_id = None,
        "fanout" => step.fanout = None,
        "fusion_candidates" => step.fusion_candidates = None,
        "fusion_synth" => step.fusion_synth = None,
        "watchdog_for" => step.watchdog_for = None,
        "orchestrator" => step.orchestrator = None,
        "timeout" => step.timeout = None,
        "fail_policy" => step.fail_policy = None,
        "retries" => step.retries = None,
        "retry_delay" => step.retry_delay = None,
        "watchdog_interval" => step.watchdog_interval = None,
        "max_cost_usd" => step.max_cost_usd = None,
        "limit" => step.limit = None,
        "review" => step.review = None,
        "agent_args" => step.agent_args.clear(),
        _ => match name.strip_prefix("env.") {
            Some(variable) if step.env.remove(variable).is_some() => {}
            _ => return Err(Error::FieldInvalid { field: "unset", why: format!("a step has no field `{name}`") }),
        },
    }
    Ok(())
}
/// Whether a text can name a variable; as a key of YAML it has to end within 1024 characters.
fn is_variable(name: &str) -> bool {
    const LONGEST: usize = 255;
    !name.is_empty() && name.len() <= LONGEST && !name.contains(char::is_control)
}
