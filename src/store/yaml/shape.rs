//! The plan as lists of keys and values, in the canonical order of the keys.

use std::{borrow::Cow, collections::BTreeMap};

use super::keys::{self, Keys};
use crate::model::{
    Candidates, CommandLine, Defaults, Gate, Id, Metadata, Orchestrator, PolicyLimits, Sequence, Span, Step, Synth,
};

/// A value as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Datum<'m> {
    /// Text, which may need quotes.
    Text(&'m str),
    /// A number or a truth value.
    Bare(String),
    /// `45m`, or a number of milliseconds under a key that ends in `_ms`.
    Span(Span),
    /// `one_as_text`: whether a single text says the same as a list of one.
    List { texts: Vec<&'m str>, one_as_text: bool },
    /// Without `keys`, the user's own names.
    Map { fields: Vec<(Cow<'m, str>, Self)>, keys: Option<&'static Keys> },
    /// Steps or gates.
    Records(Vec<Record<'m>>),
}

/// A step or a gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Record<'m> {
    Step(&'m Step),
    Gate(&'m Gate),
}

/// A key of the canonical order with its value, if it has one.
pub(super) type Field<'m> = (&'static str, Option<Datum<'m>>);

impl<'m> Record<'m> {
    /// Its name in the plan.
    pub(super) fn id(self) -> &'m str {
        match self {
            Self::Step(step) => step.id.as_str(),
            Self::Gate(gate) => gate.id.as_str(),
        }
    }

    /// Its keys.
    pub(super) const fn keys(self) -> &'static Keys {
        match self {
            Self::Step(_) => &keys::STEP,
            Self::Gate(_) => &keys::GATE,
        }
    }

    /// Its keys with their values.
    pub(super) fn fields(self) -> Vec<Field<'m>> {
        match self {
            Self::Step(step) => step_fields(step),
            Self::Gate(gate) => gate_fields(gate),
        }
    }

    /// Whether nothing but the name is different.
    pub(super) fn is_renamed(self, other: Self) -> bool {
        self.fields()[1..] == other.fields()[1..]
    }
}

/// The keys of the top level with their values.
pub(super) fn sequence_fields(sequence: &Sequence) -> Vec<Field<'_>> {
    vec![
        ("version", Some(Datum::Text(&sequence.version))),
        ("name", text(sequence.name.as_ref())),
        ("metadata", section(metadata_fields(&sequence.metadata), &keys::METADATA)),
        ("policy", section(policy_fields(&sequence.policy), &keys::POLICY)),
        ("defaults", section(defaults_fields(&sequence.defaults), &keys::DEFAULTS)),
        ("steps", Some(Datum::Records(sequence.steps.iter().map(Record::Step).collect()))),
        ("gates", Some(Datum::Records(sequence.gates.iter().map(Record::Gate).collect()))),
    ]
}

fn section<'m>(fields: Vec<Field<'m>>, keys: &'static Keys) -> Option<Datum<'m>> {
    let fields: Vec<_> = fields.into_iter().filter_map(|(key, datum)| Some((Cow::from(key), datum?))).collect();
    (!fields.is_empty()).then_some(Datum::Map { fields, keys: Some(keys) })
}

fn metadata_fields(metadata: &Metadata) -> Vec<Field<'_>> {
    vec![
        ("created_at", text(metadata.created_at.as_ref())),
        ("updated_at", text(metadata.updated_at.as_ref())),
        ("created_by", text(metadata.created_by.as_ref())),
        ("description", text(metadata.description.as_ref())),
        ("tags", texts(&metadata.tags)),
    ]
}

fn policy_fields(policy: &PolicyLimits) -> Vec<Field<'_>> {
    vec![
        ("mode", policy.mode.map(|mode| Datum::Text(mode.as_str()))),
        ("max_fanout", bare(policy.max_fanout)),
        ("max_concurrent", bare(policy.max_concurrent)),
        ("max_cost_usd", policy.max_cost_usd.map(money)),
        ("allowed_commands", texts(&policy.allowed_commands)),
        ("allowed_cwd", texts(&policy.allowed_cwd)),
        ("forbidden_patterns", texts(&policy.forbidden_patterns)),
    ]
}

fn defaults_fields(defaults: &Defaults) -> Vec<Field<'_>> {
    vec![
        ("model", text(defaults.model.as_ref())),
        ("timeout", defaults.timeout.map(Datum::Span)),
        ("cwd", text(defaults.cwd.as_ref())),
        ("retries", bare(defaults.retries)),
        ("retry_delay", defaults.retry_delay.map(Datum::Span)),
        ("fail_policy", defaults.fail_policy.map(|policy| Datum::Text(policy.as_str()))),
        ("review", bare(defaults.review)),
        ("max_cost_usd", defaults.max_cost_usd.map(money)),
        ("limit", text(defaults.limit.as_ref())),
        ("env", pairs(&defaults.env)),
        ("agent_args", texts(&defaults.agent_args)),
    ]
}

fn step_fields(step: &Step) -> Vec<Field<'_>> {
    vec![
        ("id", Some(Datum::Text(step.id.as_str()))),
        ("name", text(step.name.as_ref())),
        ("type", step.kind.map(|kind| Datum::Text(kind.as_str()))),
        ("lane", text(step.lane.as_ref())),
        ("role", text(step.role.as_ref())),
        ("model", text(step.model.as_ref())),
        ("prompt", text(step.prompt.as_ref())),
        ("prompt_file", text(step.prompt_file.as_ref())),
        ("command", step.command.as_ref().map(command)),
        ("cwd", text(step.cwd.as_ref())),
        ("env", pairs(&step.env)),
        ("depends_on", ids(&step.depends_on)),
        ("status", step.status.map(|status| Datum::Text(status.as_str()))),
        ("artifacts", texts(&step.artifacts)),
        ("group_id", text(step.group_id.as_ref())),
        ("fanout", bare(step.fanout)),
        ("fusion_candidates", step.fusion_candidates.as_ref().map(candidates)),
        ("fusion_synth", step.fusion_synth.as_ref().map(synth)),
        ("watchdog_for", text(step.watchdog_for.as_ref())),
        ("orchestrator", step.orchestrator.as_ref().map(orchestrator)),
        ("timeout", step.timeout.map(Datum::Span)),
        ("fail_policy", step.fail_policy.map(|policy| Datum::Text(policy.as_str()))),
        ("retries", bare(step.retries)),
        ("retry_delay", step.retry_delay.map(Datum::Span)),
        ("watchdog_interval", step.watchdog_interval.map(Datum::Span)),
        ("max_cost_usd", step.max_cost_usd.map(money)),
        ("limit", text(step.limit.as_ref())),
        ("review", bare(step.review)),
        ("agent_args", texts(&step.agent_args)),
    ]
}

fn gate_fields(gate: &Gate) -> Vec<Field<'_>> {
    vec![
        ("id", Some(Datum::Text(gate.id.as_str()))),
        ("name", text(gate.name.as_ref())),
        ("depends_on", ids(&gate.depends_on)),
        ("status", gate.status.map(|status| Datum::Text(status.as_str()))),
        ("note", text(gate.note.as_ref())),
    ]
}

fn text<T: AsRef<str>>(value: Option<&T>) -> Option<Datum<'_>> {
    value.map(|value| Datum::Text(value.as_ref()))
}

fn bare<'m, T: ToString>(value: Option<T>) -> Option<Datum<'m>> {
    value.map(|value| Datum::Bare(value.to_string()))
}

fn money<'m>(amount: f64) -> Datum<'m> {
    const LONGEST: f64 = 1e15;
    if amount < LONGEST {
        return Datum::Bare(amount.to_string());
    }
    // Readers of YAML 1.1 want a point and a sign.
    let text = format!("{amount:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    Datum::Bare(format!("{digits}{point}e+{exponent}"))
}

fn list<'m>(texts: impl Iterator<Item = &'m str>, one_as_text: bool) -> Datum<'m> {
    Datum::List { texts: texts.collect(), one_as_text }
}

fn texts(values: &[String]) -> Option<Datum<'_>> {
    (!values.is_empty()).then(|| list(values.iter().map(String::as_str), true))
}

fn ids(values: &[Id]) -> Option<Datum<'_>> {
    (!values.is_empty()).then(|| list(values.iter().map(Id::as_str), true))
}

fn pairs(values: &BTreeMap<String, String>) -> Option<Datum<'_>> {
    let fields = || values.iter().map(|(name, value)| (Cow::from(name), Datum::Text(value))).collect();
    (!values.is_empty()).then(|| Datum::Map { fields: fields(), keys: None })
}

fn command(command: &CommandLine) -> Datum<'_> {
    match command {
        CommandLine::Shell(line) => Datum::Text(line),
        CommandLine::Argv(words) => list(words.iter().map(String::as_str), false),
    }
}

fn candidates(candidates: &Candidates) -> Datum<'_> {
    match candidates {
        Candidates::Is(flag) => Datum::Bare(flag.to_string()),
        Candidates::Of(ids) => list(ids.iter().map(Id::as_str), true),
    }
}

fn synth(synth: &Synth) -> Datum<'_> {
    match synth {
        Synth::Is(flag) => Datum::Bare(flag.to_string()),
        Synth::By(id) => Datum::Text(id.as_str()),
    }
}

fn orchestrator(orchestrator: &Orchestrator) -> Datum<'_> {
    match orchestrator {
        Orchestrator::Is(flag) => Datum::Bare(flag.to_string()),
        Orchestrator::By(id) => Datum::Text(id.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_follow_the_order_of_the_keys() {
        let names = |fields: Vec<Field<'_>>| fields.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        let (step, gate) = (Step::new("a".parse().unwrap()), Gate::new("g".parse().unwrap()));
        let plan = Sequence::default();
        assert_eq!(names(Record::Step(&step).fields()), keys::STEP.names());
        assert_eq!(names(Record::Gate(&gate).fields()), keys::GATE.names());
        assert_eq!(names(sequence_fields(&plan)), keys::SEQUENCE.names());
        assert_eq!(names(metadata_fields(&plan.metadata)), keys::METADATA.names());
        assert_eq!(names(policy_fields(&plan.policy)), keys::POLICY.names());
        assert_eq!(names(defaults_fields(&plan.defaults)), keys::DEFAULTS.names());
    }
}
