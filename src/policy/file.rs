//! policy.yaml, and how a sequence tightens it.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

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
    pub max_concurrent: u32,
    /// What a run may cost, in US dollars.
    pub max_cost_usd: Option<f64>,
    /// How long an attempt may take: one number in milliseconds for everything, or none.
    #[serde(rename = "timeout_default_ms", deserialize_with = "timeouts")]
    #[schemars(with = "u64", extend("default" = 1_800_000))]
    pub timeouts: Timeouts,
    /// The only commands that may run; all where it is empty.
    #[serde(alias = "command_allowlist")]
    pub allowed_commands: Vec<String>,
    /// Globs of the working directories that may be used.
    #[serde(alias = "cwd_patterns")]
    pub allowed_cwd: Vec<String>,
    /// Regular expressions that no text to be run may match.
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

impl Policy {
    /// Other names that keys are read from, and the keys.
    pub const ALIASES: &[(&str, &str)] = &[("command_allowlist", "allowed_commands"), ("cwd_patterns", "allowed_cwd")];

    /// The policy in the text of policy.yaml.
    ///
    /// # Errors
    /// `Yaml` or `TooNew`; then nothing that needs policy is allowed.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        let policy: Self = serde_yaml::from_str(text).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let excerpt = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_owned();
            let why = error.to_string();
            let why = why.split(" at line ").next().unwrap_or(&why).to_owned();
            Error::Yaml { path: path.into(), line, column, why, expected: None, excerpt }
        })?;
        if policy.version != "1.0" {
            return Err(Error::TooNew { path: path.into(), version: policy.version });
        }
        policy.check_itself(path)?;
        Ok(policy)
    }

    fn check_itself(&self, path: &Path) -> Result<(), Error> {
        let unusable = |why: String| Error::FileUnusable { path: path.into(), why };
        for pattern in &self.forbidden_patterns {
            regex::Regex::new(pattern).map_err(|error| unusable(format!("forbidden_patterns: `{pattern}`: {error}")))?;
        }
        for glob in &self.allowed_cwd {
            globset::Glob::new(glob).map_err(|error| unusable(format!("allowed_cwd: {error}")))?;
        }
        if self.max_concurrent == 0 {
            return Err(unusable("max_concurrent: 0 would let nothing run".into()));
        }
        Ok(())
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

    fn parse(text: &str) -> Result<Policy, Error> {
        Policy::parse(text, Path::new("policy.yaml"))
    }

    #[test]
    fn defaults_are_safe() {
        let policy = parse("# nothing\n").unwrap();
        assert_eq!((policy.mode, policy.max_concurrent, policy.timeouts.agents.as_ms()), (Mode::Safe, 5, 7_200_000));
        let policy = parse("version: 1.0\nmode: POWER\ncommand_allowlist: [git]\n").unwrap();
        assert_eq!(policy.allowed_commands, ["git"]);
    }

    #[test]
    fn mistakes_are_errors() {
        for text in [
            "mode: power",
            "max_concurrent: 0",
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
        let power = PolicyLimits { mode: Some(Mode::Power), ..PolicyLimits::default() };
        assert_eq!(Policy::default().tightened(&power).mode, Mode::Safe);
        let foreign = PolicyLimits { allowed_commands: vec!["rm".into()], ..PolicyLimits::default() };
        assert_eq!(policy.tightened(&foreign).allowed_commands, [""], "nothing in common allows nothing");
    }
}
