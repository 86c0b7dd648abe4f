//! From the tree to the plan: the top level and its sections.

use std::path::Path;

use super::{
    build::build,
    field::{Field, Owner, key_text},
    keys::{self, Keys},
    parsed::{Lines, Parsed, Warning},
    source::Source,
    status::Statuses,
    tree::{Node, Value},
};
use crate::{
    error::Error,
    model::{Defaults, FailPolicy, Metadata, Mode, PolicyLimits, Sequence},
};

/// Reads the bytes of sequence.yaml. `path` is for messages.
///
/// # Errors
/// `FileUnusable` for a file that is too large, `TooNew` for a later format, `Yaml` with the place for anything else that
/// is not what it should be. Cycles and unknown dependencies are not looked for.
pub fn parse(bytes: &[u8], path: &Path) -> Result<Parsed, Error> {
    let source = Source::read(bytes, path)?;
    decode(&source, root(&source)?, None)
}

/// Reads the bytes of sequence.yaml once for both: what they say, and where its statuses stand.
///
/// # Errors
/// Those of [`parse`].
pub fn read(bytes: &[u8], path: &Path) -> Result<Parsed, Error> {
    let source = Source::read(bytes, path)?;
    decode(&source, root(&source)?, Some(Statuses::new(&source)))
}

fn decode(source: &Source<'_>, root: Node<'_>, statuses: Option<Statuses>) -> Result<Parsed, Error> {
    let mut decoder = Decoder { source, warnings: Vec::new(), lines: Lines::default(), statuses };
    let sequence = decoder.sequence(root)?;
    let Decoder { mut warnings, lines, statuses, .. } = decoder;
    warnings.sort_by_key(|warning| warning.line);
    Ok(Parsed { sequence, warnings, lines, statuses })
}

/// The top level of a sequence.yaml.
pub(super) fn root<'t>(source: &Source<'t>) -> Result<Node<'t>, Error> {
    let expected = || Some("`version: \"1.0\"` and `steps:`".into());
    match build(source)? {
        Some(node) if matches!(node.value, Value::Map { .. }) => Ok(node),
        Some(node) if !node.is_null() => Err(source.error(node.start, "this is not a sequence", expected())),
        _ => Err(source.error(0, "the file is empty", expected())),
    }
}

/// Nobody reads more, and a file that is none of ours may be nothing else.
const MOST_WARNINGS: usize = 1000;

/// Collects what is odd and where things stand while it reads.
pub(super) struct Decoder<'s, 't> {
    pub(super) source: &'s Source<'t>,
    pub(super) warnings: Vec<Warning>,
    pub(super) lines: Lines,
    /// Nothing where nobody wants to know.
    pub(super) statuses: Option<Statuses>,
}

impl<'s, 't> Decoder<'s, 't> {
    pub(super) fn warn(&mut self, at: usize, message: String, hint: Option<String>) {
        if self.warnings.len() == MOST_WARNINGS {
            return;
        }
        self.warnings.push(Warning { line: self.source.line(at), message, hint });
    }

    /// Gives every known key that has a value to `read`, and warns of unknown ones.
    pub(super) fn each<'n>(
        &mut self,
        node: &'n Node<'t>,
        owner: Owner<'n>,
        keys: &Keys,
        mut read: impl FnMut(&mut Self, Field<'n, 't>) -> Result<(), Error>,
    ) -> Result<(), Error>
    where
        's: 'n,
    {
        for entry in node.entries() {
            let key = key_text(self.source, entry)?;
            if keys.place(key).is_some() {
                if !entry.value.is_null() {
                    read(self, Field { source: self.source, owner, key, node: &entry.value })?;
                }
            } else if !keys::is_own(key) && self.warnings.len() < MOST_WARNINGS {
                let hint = keys.nearest(key).map(|near| format!("did you mean `{near}`?"));
                let hint = hint.or_else(|| Some("keys of your own begin with `x-`".into()));
                self.warn(entry.start, format!("unknown key `{key}`{owner}"), hint);
            }
        }
        self.check_others(node, owner, keys)
    }

    /// A key must not stand beside another name of itself.
    fn check_others(&self, node: &Node<'t>, owner: Owner<'_>, keys: &Keys) -> Result<(), Error> {
        let written = |name: &str| node.entries().iter().find(|entry| entry.name() == name && !entry.value.is_null());
        for (other, name) in keys.others {
            if let Some(second) = written(other)
                && let Some(first) = written(name)
            {
                let line = self.source.line(first.start);
                let why = format!("`{other}`{owner} says the same as `{name}` on line {line}");
                return Err(self.source.error(second.start, why, Some("one of the two".into())));
            }
        }
        Ok(())
    }

    fn sequence(&mut self, mut root: Node<'t>) -> Result<Sequence, Error> {
        let mut sequence = Sequence::default();
        match root.get("version").filter(|version| !version.is_null()) {
            Some(version) => check_version(self.source, version)?,
            None => self.warn(root.start, "`version` is missing".into(), Some("write `version: \"1.0\"` at the top".into())),
        }
        self.each(&root, Owner::Sequence, &keys::SEQUENCE, |decoder, field| {
            match field.key {
                "name" => sequence.name = field.text()?,
                "metadata" => sequence.metadata = decoder.metadata(&field)?,
                "policy" => sequence.policy = decoder.policy(&field)?,
                "defaults" => sequence.defaults = decoder.defaults(&field)?,
                "steps" => is_list(&field, "a list of steps, each beginning with `- id:`")?,
                "gates" => is_list(&field, "a list of gates, each beginning with `- id:`")?,
                _ => {}
            }
            Ok(())
        })?;
        // The tree of a step goes when the step is made of it: both of all steps would be the most there ever is in memory.
        let steps = root.take_items("steps");
        sequence.steps.reserve_exact(steps.len());
        for item in steps {
            sequence.steps.push(self.step(&item.node)?);
        }
        for item in root.take_items("gates") {
            sequence.gates.push(self.gate(&item.node)?);
        }
        Ok(sequence)
    }

    fn metadata(&mut self, field: &Field<'_, 't>) -> Result<Metadata, Error> {
        let mut found = Metadata::default();
        self.each(mapping(field)?, Owner::Section("metadata"), &keys::METADATA, |_, field| {
            match field.key {
                "created_at" => found.created_at = field.text()?,
                "updated_at" => found.updated_at = field.text()?,
                "created_by" => found.created_by = field.text()?,
                "description" => found.description = field.text()?,
                "tags" => found.tags = field.texts()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn policy(&mut self, field: &Field<'_, 't>) -> Result<PolicyLimits, Error> {
        let mode = |word: &str| [Mode::Safe, Mode::Power].into_iter().find(|mode| mode.as_str() == word);
        let mut found = PolicyLimits::default();
        self.each(mapping(field)?, Owner::Section("policy"), &keys::POLICY, |_, field| {
            match field.key {
                "mode" => found.mode = field.word(mode, &["SAFE", "POWER"])?,
                "max_fanout" => found.max_fanout = field.count()?,
                "max_concurrent" => found.max_concurrent = field.count()?,
                "max_cost_usd" => found.max_cost_usd = field.money()?,
                "allowed_commands" | "command_allowlist" => found.allowed_commands = field.texts()?,
                "allowed_cwd" | "cwd_patterns" => found.allowed_cwd = field.texts()?,
                "forbidden_patterns" => found.forbidden_patterns = field.texts()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn defaults(&mut self, field: &Field<'_, 't>) -> Result<Defaults, Error> {
        let mut found = Defaults::default();
        self.each(mapping(field)?, Owner::Section("defaults"), &keys::DEFAULTS, |decoder, field| {
            match field.key {
                "model" | "agent" => found.model = field.text()?,
                "timeout" => found.timeout = field.span()?,
                "timeout_ms" => found.timeout = field.milliseconds()?,
                "cwd" => found.cwd = field.text()?,
                "retries" => found.retries = field.count()?,
                "retry_delay" => found.retry_delay = field.span()?,
                "retry_delay_ms" => found.retry_delay = field.milliseconds()?,
                "fail_policy" => found.fail_policy = field.word(FailPolicy::parse, FAIL_POLICIES)?,
                "review" => found.review = field.flag()?,
                "max_cost_usd" => found.max_cost_usd = field.money()?,
                "limit" => found.limit = field.text()?,
                "env" => found.env = decoder.env(&field)?,
                "agent_args" => found.agent_args = field.texts()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// An environment; names without a value are warned of.
    pub(super) fn env(&mut self, field: &Field<'_, 't>) -> Result<std::collections::BTreeMap<String, String>, Error> {
        field.pairs(|entry| {
            let name = entry.name();
            let hint = Some(format!("`{name}: \"\"` sets it to nothing"));
            self.warn(entry.start, format!("`{name}` under `{}`{} has no value", field.key, field.owner), hint);
        })
    }
}

pub(super) const FAIL_POLICIES: &[&str] = &["fail_fast", "best_effort"];

fn check_version(source: &Source<'_>, node: &Node<'_>) -> Result<(), Error> {
    let wrong = || source.error(node.start, "this `version` is unknown", Some("`version: \"1.0\"`".into()));
    let text = node.text().ok_or_else(wrong)?;
    let mut parts: Vec<u64> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>().ok_or_else(wrong)?;
    let stated = parts.len();
    while parts.last() == Some(&0) {
        parts.pop();
    }
    if parts.as_slice() > &[1] {
        Err(Error::TooNew { path: source.path.into(), version: text.into() })
    } else if parts == [1] && stated <= 2 {
        Ok(())
    } else {
        Err(wrong())
    }
}

fn mapping<'n, 't>(field: &Field<'n, 't>) -> Result<&'n Node<'t>, Error> {
    match field.node.value {
        Value::Map { .. } => Ok(field.node),
        Value::Scalar { .. } | Value::List { .. } => Err(field.wrong(field.node, "`key: value` lines")),
    }
}

fn is_list(field: &Field<'_, '_>, expected: &str) -> Result<(), Error> {
    match &field.node.value {
        Value::List { .. } => Ok(()),
        Value::Scalar { .. } | Value::Map { .. } => Err(field.wrong(field.node, expected)),
    }
}
