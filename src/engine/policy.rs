//! Showing the policy, and the two changes of it that commands make: the mode, and trust.

use std::{collections::BTreeMap, path::Path};

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    call::Engine,
    caller::{Actor, Caller, Consent},
    claim,
    output::Output,
    trust,
    view::View,
};
use crate::{
    action::{Action, policy::SetMode},
    error::Error,
    model::{Id, Mode, Reason},
    policy::{Policy, Verdict},
    store::{Paths, file, yaml},
};

/// A value of the policy in force.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Rule {
    /// Its key in policy.yaml.
    pub key: String,
    /// The value.
    pub value: Value,
    /// `default`, `policy.yaml`, `sequence.yaml` or `not trusted`.
    pub from: &'static str,
}

/// Whether a step may run.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// The step.
    pub step: Id,
    /// Whether the policy lets it run.
    pub allowed: bool,
    /// What it would run.
    pub work: String,
    /// Why it is denied, or could not be run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Why a person is asked first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks: Option<String>,
}

impl Engine {
    /// What is in force, and where it comes from.
    pub(super) fn policy_show(&self, view: &View) -> Result<Output, Error> {
        let policy = view.policy()?;
        for name in policy.worthless() {
            self.warn(format!("`{name}` in `allowed_commands` runs whatever it is told to, so anything may run"));
        }
        let written: BTreeMap<String, Value> = typed(self.paths())?.unwrap_or_default();
        let (base, in_force) = (as_map(&view.policy_of_project()?), as_map(&policy));
        let rules = in_force.into_iter().filter(|(key, _)| key != "version").map(|(key, value)| {
            let from = match () {
                () if base.get(&key) != Some(&value) => "sequence.yaml",
                () if key == "mode" && view.ignored.contains(&trust::MODE) => "not trusted",
                () if is_written(&written, &key) => "policy.yaml",
                () => "default",
            };
            Rule { key, value, from }
        });
        Ok(Output::Policy { rules: rules.collect(), ignored: view.ignored.iter().map(|&what| what.to_owned()).collect() })
    }

    /// Whether the policy would let a step run.
    pub(super) fn policy_check(&self, view: &View, id: &Id) -> Result<Output, Error> {
        let step = view.sequence.expect_step(id.as_str())?;
        let policy = view.policy()?;
        let why = claim::resolve(self.paths(), view, step, Path::new("/")).err();
        let is_denied = why.as_ref().is_some_and(|outcome| outcome.reason == Some(Reason::Policy));
        let asks = match policy.check_action("run.step", true, false) {
            Verdict::Confirm { why } => Some(why),
            Verdict::Allow | Verdict::Deny { .. } => None,
        };
        Ok(Output::Judged(Judgement {
            step: id.clone(),
            allowed: !is_denied,
            work: super::agent::words(view, step).unwrap_or_default(),
            why: why.and_then(|outcome| outcome.note),
            asks,
        }))
    }

    /// Writes the mode into policy.yaml, and nothing else.
    pub(super) fn set_mode(&self, caller: &Caller, action: &Action, args: &SetMode, consent: Consent) -> Result<Output, Error> {
        let path = self.paths().policy();
        self.only_a_person(caller, action)?;
        if args.mode == Mode::Power && !consent.is_given() {
            return Err(Error::ConfirmationRequired {
                what: "writing `mode: POWER` into policy.yaml".into(),
                why: "from then on steps run without a question".into(),
            });
        }
        let mut writer = self.writer();
        let mut held = writer.lock()?;
        let text = file::read_up_to(&path, yaml::SIZE_LIMIT)?.unwrap_or_default();
        let text = String::from_utf8(text).map_err(|_| Error::FileUnusable { path: path.clone(), why: "is not UTF-8".into() })?;
        let before: Policy = typed(self.paths())?.unwrap_or_default();
        // A change of a file that somebody else wrote must not make the rest of it count.
        let config = &held.view().config;
        let is_ours = trust::is_trusted(self.paths()) || (config.agents.is_empty() && config.notify.is_none());
        let after = with_mode(&text, args.mode);
        let is_whole = yaml::typed::<Policy>(after.as_bytes(), &path, "`key: value` lines")?
            .is_some_and(|policy| policy == Policy { mode: args.mode, ..before.clone() });
        if !is_whole {
            return Err(Error::FileUnusable { path, why: "has its mode where it cannot be changed; change it by hand".into() });
        }
        held.note(caller, action.name(), None, json!({"from": before.mode, "to": args.mode}), true)?;
        file::replace(&path, after.as_bytes())?;
        if is_ours {
            trust::grant(self.paths())?;
        } else {
            self.warn("config.yaml has settings that you have not trusted; `seqctl trust` makes all of it count".into());
        }
        Ok(Output::Wrote { path })
    }

    /// Makes policy.yaml and config.yaml count as they stand.
    pub(super) fn trust(&self, caller: &Caller, action: &Action) -> Result<Output, Error> {
        self.only_a_person(caller, action)?;
        let mut writer = self.writer();
        let mut held = writer.lock()?;
        // What cannot be read cannot be meant.
        let policy: Policy = typed(self.paths())?.unwrap_or_default();
        let config = crate::store::Config::read(self.paths())?;
        let notify = config.notify.map(|command| command.display());
        let agents: Vec<String> = config.agents.into_keys().collect();
        let place = if let Some(place) = trust::granted(self.paths())? {
            place
        } else {
            let sha = trust::content(self.paths())?;
            let payload = json!({"mode": policy.mode, "agents": agents, "notify": notify, "sha256": sha});
            held.note(caller, action.name(), None, payload, true)?;
            trust::grant(self.paths())?
        };
        Ok(Output::Trusted { path: self.paths().root.clone(), mode: policy.mode, agents, notify, place })
    }

    fn only_a_person(&self, caller: &Caller, action: &Action) -> Result<(), Error> {
        if caller.actor == Actor::User {
            return Ok(());
        }
        let mut writer = self.writer();
        writer.lock()?.audited(caller, action, |_| {
            Err(Error::Denied {
                why: format!("only a person changes the policy ({} asked for `{}`)", caller.name(), action.name()),
                rule: "decisions",
            })
        })
    }
}

/// policy.yaml as something that can be read from it.
fn typed<T: serde::de::DeserializeOwned>(paths: &Paths) -> Result<Option<T>, Error> {
    let path = paths.policy();
    let bytes = file::read_up_to(&path, yaml::SIZE_LIMIT)?.unwrap_or_default();
    yaml::typed(&bytes, &path, "`key: value` lines like `mode: SAFE`")
}

fn as_map(policy: &Policy) -> serde_json::Map<String, Value> {
    match serde_json::to_value(policy) {
        Ok(Value::Object(map)) => map,
        _ => serde_json::Map::new(),
    }
}

/// Whether the file has a key, also by its older name.
fn is_written(written: &BTreeMap<String, Value>, key: &str) -> bool {
    let older = match key {
        "allowed_commands" => "command_allowlist",
        "allowed_cwd" => "cwd_patterns",
        key => key,
    };
    written.contains_key(key) || written.contains_key(older)
}

/// The text of policy.yaml with another mode; everything else stays, byte for byte.
fn with_mode(text: &str, mode: Mode) -> String {
    let is_mode = |line: &&str| line.strip_prefix("mode").is_some_and(|rest| rest.trim_start().starts_with(':'));
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if let Some(line) = lines.iter_mut().find(|line| is_mode(&line.as_str())) {
        let words = [Mode::Safe, Mode::Power].map(Mode::as_str).into_iter();
        if let Some((at, word)) = words.filter_map(|word| line.find(word).map(|at| (at, word))).min() {
            line.replace_range(at..at + word.len(), mode.as_str());
        }
    } else {
        // Below the version where there is one: a file begins with comments and its version.
        let version = lines.iter().position(|line| line.starts_with("version") && line.ends_with('\n'));
        lines.insert(version.map_or(0, |at| at + 1), format!("mode: {}\n", mode.as_str()));
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_mode_changes() {
        for (text, wanted) in [
            (
                "# mode: SAFE\nversion: \"1.0\"\nmode: SAFE   # not POWER\nx: 1\n",
                "# mode: SAFE\nversion: \"1.0\"\nmode: POWER   # not POWER\nx: 1\n",
            ),
            ("mode: \"SAFE\"", "mode: \"POWER\""),
            ("# c\nversion: 1.0\nmax_fanout: 3\n", "# c\nversion: 1.0\nmode: POWER\nmax_fanout: 3\n"),
            ("", "mode: POWER\n"),
            ("mode: POWER\r\nmax_fanout: 3\r\n", "mode: POWER\r\nmax_fanout: 3\r\n"),
        ] {
            assert_eq!(with_mode(text, Mode::Power), wanted);
        }
    }
}
