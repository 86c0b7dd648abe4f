//! policy.yaml, and how a sequence tightens it.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{
    error::Error,
    model::{Mode, PolicyLimits, Span},
};

/// How long an attempt may take where the plan does not say.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Timeouts {
    /// For commands.
    pub commands: Span,
    /// For agents.
    pub agents: Span,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { commands: Span::from_ms(1_800_000), agents: Span::from_ms(7_200_000) }
    }
}

/// policy.yaml.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The format.
    #[serde(deserialize_with = "text")]
    #[schemars(extend("enum" = ["1.0", 1], "type" = ["string", "number"]))]
    pub version: String,
    /// SAFE or POWER.
    pub mode: Mode,
    /// The largest fan-out.
    pub max_fanout: u32,
    /// How many attempts may run at once in the project.
    #[serde(deserialize_with = "at_least_one")]
    pub max_concurrent: u32,
    /// What a run may cost, in US dollars; once it has, it starts nothing more.
    #[serde(deserialize_with = "money")]
    pub max_cost_usd: Option<f64>,
    /// How long an attempt may take: one number in milliseconds for everything, or none.
    #[serde(rename = "timeout_default_ms", deserialize_with = "timeouts")]
    #[schemars(with = "u64", extend("default" = 1_800_000))]
    pub timeouts: Timeouts,
    /// The only commands that may run; all where it is empty.
    #[serde(alias = "command_allowlist")]
    pub allowed_commands: Vec<String>,
    /// Globs of the working directories that may be used.
    #[serde(alias = "cwd_patterns", deserialize_with = "globs")]
    pub allowed_cwd: Vec<String>,
    /// Regular expressions that no text to be run may match.
    #[serde(deserialize_with = "patterns")]
    pub forbidden_patterns: Vec<String>,
    /// Names of actions that need a confirmation even in POWER.
    pub confirmation_required: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: "1.0".into(),
            mode: Mode::Safe,
            max_fanout: 10,
            max_concurrent: 5,
            max_cost_usd: None,
            timeouts: Timeouts::default(),
            allowed_commands: Vec::new(),
            allowed_cwd: vec!["./**".into()],
            forbidden_patterns: Vec::new(),
            confirmation_required: Vec::new(),
        }
    }
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Version {
        Text(String),
        Number(f64),
    }
    Ok(match Version::deserialize(from)? {
        Version::Text(text) => text,
        Version::Number(number) => format!("{number:.1}"),
    })
}

fn timeouts<'de, D: Deserializer<'de>>(from: D) -> Result<Timeouts, D::Error> {
    let ms = u64::deserialize(from)?;
    Ok(Timeouts { commands: Span::from_ms(ms), agents: Span::from_ms(ms) })
}

fn patterns<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    each("forbidden_patterns", from, |pattern| regex::Regex::new(pattern).map(drop).map_err(|error| error.to_string()))
}

fn globs<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    each("allowed_cwd", from, |glob| globset::Glob::new(glob).map(drop).map_err(|error| error.to_string()))
}

/// A list of texts that each have to pass, so that the complaint has the line of the one that does not.
fn each<'de, D: Deserializer<'de>>(key: &str, from: D, check: fn(&str) -> Result<(), String>) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    for (at, text) in texts.iter().enumerate() {
        check(text).map_err(|why| {
            let why = why.lines().last().unwrap_or_default();
            D::Error::custom(format!("{key}[{at}]: `{text}` cannot be used: {why}"))
        })?;
    }
    Ok(texts)
}

fn at_least_one<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        0 => Err(D::Error::custom("max_concurrent: 0 would let nothing run, expected at least 1")),
        some => Ok(some),
    }
}

fn money<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    match Option::<f64>::deserialize(from)? {
        Some(cost) if !cost.is_finite() || cost <= 0.0 => {
            Err(D::Error::custom(format!("max_cost_usd: {cost} would let nothing run, expected more than 0")))
        }
        other => Ok(other),
    }
}

impl Policy {
    /// Other names that keys are read from, and the keys.
    pub const ALIASES: &[(&str, &str)] = &[("command_allowlist", "allowed_commands"), ("cwd_patterns", "allowed_cwd")];

    /// This policy, if its format is known.
    ///
    /// # Errors
    /// `TooNew`; then nothing that needs policy is allowed.
    pub fn known(self, path: &Path) -> Result<Self, Error> {
        match self.version.as_str() {
            "1.0" => Ok(self),
            _ => Err(Error::TooNew { path: path.into(), version: self.version }),
        }
    }

    /// The allowed commands that run whatever they are told to.
    pub fn worthless(&self) -> impl Iterator<Item = &str> {
        super::command::worthless(&self.allowed_commands)
    }

    /// The policy in force for a sequence, which can only tighten it.
    #[must_use]
    pub fn tightened(&self, by: &PolicyLimits) -> Self {
        let mut policy = self.clone();
        if by.mode == Some(Mode::Safe) {
            policy.mode = Mode::Safe;
        }
        let least = |ours: u32, theirs: Option<u32>| theirs.map_or(ours, |theirs| ours.min(theirs.max(1)));
        policy.max_fanout = least(policy.max_fanout, by.max_fanout);
        policy.max_concurrent = least(policy.max_concurrent, by.max_concurrent);
        policy.max_cost_usd = [policy.max_cost_usd, by.max_cost_usd].into_iter().flatten().reduce(f64::min);
        if policy.allowed_commands.is_empty() {
            policy.allowed_commands.clone_from(&by.allowed_commands);
        } else if !by.allowed_commands.is_empty() {
            policy.allowed_commands.retain(|command| by.allowed_commands.contains(command));
            if policy.allowed_commands.is_empty() {
                // Two lists without a common command allow none, and an empty list would allow all.
                policy.allowed_commands.push(String::new());
            }
        }
        policy.forbidden_patterns.extend(by.forbidden_patterns.iter().cloned());
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> anyhow::Result<Policy> {
        Ok(serde_yaml::from_str::<Policy>(text)?.known(Path::new("policy.yaml"))?)
    }

    #[test]
    fn defaults_are_safe() {
        let policy = Policy::default();
        assert_eq!((policy.mode, policy.max_concurrent, policy.timeouts.agents.as_ms()), (Mode::Safe, 5, 7_200_000));
        let policy = parse("version: 1.0\nmode: POWER\ncommand_allowlist: [git]\n").unwrap();
        assert_eq!(policy.allowed_commands, ["git"]);
    }

    #[test]
    fn mistakes_are_errors() {
        for text in [
            "mode: power",
            "max_concurrent: 0",
            "max_cost_usd: 0",
            "max_cost_usd: -1",
            "max_cost_usd: .nan",
            "allowed_comands: [git]",
            "forbidden_patterns: ['(']",
            "version: 2.0",
            "[",
            "max_fanout: many",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_sequence_only_tightens() {
        let policy = Policy { mode: Mode::Power, allowed_commands: vec!["git".into(), "make".into()], ..Policy::default() };
        let limits = PolicyLimits {
            mode: Some(Mode::Safe),
            max_concurrent: Some(50),
            allowed_commands: vec!["make".into(), "rm".into()],
            ..PolicyLimits::default()
        };
        let tight = policy.tightened(&limits);
        assert_eq!((tight.mode, tight.max_concurrent, tight.allowed_commands), (Mode::Safe, 5, vec!["make".to_owned()]));
        let cost = |ours, theirs| {
            let limits = PolicyLimits { max_cost_usd: theirs, ..PolicyLimits::default() };
            Policy { max_cost_usd: ours, ..Policy::default() }.tightened(&limits).max_cost_usd
        };
        assert_eq!((cost(Some(5.0), Some(9.0)), cost(Some(5.0), Some(2.0))), (Some(5.0), Some(2.0)));
        assert_eq!((cost(None, Some(2.0)), cost(Some(5.0), None), cost(None, None)), (Some(2.0), Some(5.0), None));
        let power = PolicyLimits { mode: Some(Mode::Power), ..PolicyLimits::default() };
        assert_eq!(Policy::default().tightened(&power).mode, Mode::Safe);
        let foreign = PolicyLimits { allowed_commands: vec!["rm".into()], ..PolicyLimits::default() };
        assert_eq!(policy.tightened(&foreign).allowed_commands, [""], "nothing in common allows nothing");
    }
}
