//! The decisions themselves.

use std::{collections::BTreeMap, path::Path};

use globset::{GlobBuilder, GlobSetBuilder};
use regex::RegexSet;

use super::{Policy, command, environment};
use crate::model::{CommandLine, Mode};

/// What would be executed, resolved as far as it will be.
#[derive(Clone, Copy, Debug)]
pub struct Execution<'a> {
    /// The command of a shell step; nothing for a script file or an agent.
    pub command: Option<&'a CommandLine>,
    /// The full text that would run: the command, the script's bytes, the prompt.
    pub text: &'a str,
    /// Whether a shell interprets [`Execution::text`].
    pub is_shell: bool,
    /// What the plan adds to the environment.
    pub env: &'a BTreeMap<String, String>,
    /// The project root, links resolved.
    pub root: &'a Path,
    /// The working directory, links resolved.
    pub cwd: &'a Path,
    /// How many workers there would be.
    pub fanout: u32,
}

/// What the policy says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Go on.
    Allow,
    /// No, because of a rule of policy.yaml.
    Deny {
        /// In words.
        why: String,
        /// The key in policy.yaml.
        rule: &'static str,
    },
    /// Only with a person's word.
    Confirm {
        /// In words.
        why: String,
    },
}

impl Policy {
    /// Whether something may be executed; never asks for a confirmation.
    pub fn check(&self, what: &Execution<'_>) -> Verdict {
        let deny = |rule, why| Verdict::Deny { why, rule };
        if let Err(why) = self.check_command(what) {
            return deny("allowed_commands", why);
        }
        if let Err(why) = self.check_cwd(what) {
            return deny("allowed_cwd", why);
        }
        if let Err(why) = self.check_patterns(what.text) {
            return deny("forbidden_patterns", why);
        }
        if what.fanout > self.max_fanout {
            return deny("max_fanout", format!("a fan-out of {} is more than {}", what.fanout, self.max_fanout));
        }
        Verdict::Allow
    }

    fn check_patterns(&self, text: &str) -> Result<(), String> {
        if self.forbidden_patterns.is_empty() {
            return Ok(());
        }
        let set = RegexSet::new(&self.forbidden_patterns).map_err(|error| error.to_string())?;
        match set.matches(text).iter().next() {
            Some(at) => Err(format!("the text to be run matches `{}`", self.forbidden_patterns[at])),
            None => Ok(()),
        }
    }

    fn check_command(&self, what: &Execution<'_>) -> Result<(), String> {
        if self.allowed_commands.is_empty() || !what.is_shell {
            return Ok(());
        }
        environment::check(what.env)?;
        match what.command {
            Some(CommandLine::Argv(words)) => {
                command::check_name(words.first().map_or("", String::as_str), &self.allowed_commands)
            }
            Some(CommandLine::Shell(text)) => command::check_text(text, &self.allowed_commands),
            None => command::check_script(what.text, &self.allowed_commands),
        }
    }

    fn check_cwd(&self, what: &Execution<'_>) -> Result<(), String> {
        // The default, without making a set of globs for every step.
        if what.cwd.starts_with(what.root) && self.allowed_cwd.iter().any(|glob| matches!(glob.as_str(), "./**" | "**")) {
            return Ok(());
        }
        let mut globs = GlobSetBuilder::new();
        for glob in &self.allowed_cwd {
            let relative = glob.strip_prefix("./").unwrap_or(glob);
            let glob = GlobBuilder::new(relative).literal_separator(true).build().map_err(|error| error.to_string())?;
            globs.add(glob);
        }
        let globs = globs.build().map_err(|error| error.to_string())?;
        let inside = what.cwd.strip_prefix(what.root);
        let is_root = inside.as_ref().is_ok_and(|path| path.as_os_str().is_empty());
        let root_allowed = self.allowed_cwd.iter().any(|glob| matches!(glob.as_str(), "." | "./" | "./**" | "**"));
        let is_allowed = match inside {
            Ok(_) if is_root => root_allowed,
            Ok(path) => globs.is_match(path),
            Err(_) => self.allowed_cwd.iter().any(|glob| glob.starts_with('/')) && globs.is_match(what.cwd),
        };
        if is_allowed { Ok(()) } else { Err(format!("working directory {} is not allowed", what.cwd.display())) }
    }

    /// Whether an action may go on without a question. `runs` says that it runs or applies
    /// something, `destroys` that it takes something away.
    pub fn check_action(&self, name: &str, runs: bool, destroys: bool) -> Verdict {
        let why = if self.confirmation_required.iter().any(|listed| listed == name) {
            format!("policy.yaml wants `{name}` confirmed")
        } else if destroys {
            "it takes something away".to_owned()
        } else if runs && self.mode == Mode::Safe {
            "the project is in SAFE mode".to_owned()
        } else {
            return Verdict::Allow;
        };
        Verdict::Confirm { why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: &Policy, cwd: &str) -> Verdict {
        let (root, cwd) = (Path::new("/p"), Path::new(cwd));
        policy.check(&Execution { command: None, text: "make", is_shell: true, env: &BTreeMap::new(), root, cwd, fanout: 1 })
    }

    #[test]
    fn directories() {
        let policy = Policy::default();
        assert_eq!(check(&policy, "/p"), Verdict::Allow);
        assert_eq!(check(&policy, "/p/a/b"), Verdict::Allow);
        assert!(matches!(check(&policy, "/etc"), Verdict::Deny { rule: "allowed_cwd", .. }));
        assert!(matches!(check(&policy, "/pp"), Verdict::Deny { .. }));
        let narrow = Policy { allowed_cwd: vec!["./services/*".into()], ..Policy::default() };
        assert_eq!(check(&narrow, "/p/services/api"), Verdict::Allow);
        assert!(matches!(check(&narrow, "/p"), Verdict::Deny { .. }));
        assert!(matches!(check(&narrow, "/p/services/api/deep"), Verdict::Deny { .. }));
    }

    #[test]
    fn patterns_and_modes() {
        let policy = Policy { forbidden_patterns: vec!["ma.e".into()], ..Policy::default() };
        assert!(matches!(check(&policy, "/p"), Verdict::Deny { rule: "forbidden_patterns", .. }));
        let power = Policy { mode: Mode::Power, ..Policy::default() };
        assert!(matches!(Policy::default().check_action("run.all", true, false), Verdict::Confirm { .. }));
        assert_eq!(power.check_action("run.all", true, false), Verdict::Allow);
        assert!(matches!(power.check_action("step.rm", false, true), Verdict::Confirm { .. }));
        assert_eq!(Policy::default().check_action("step.add", false, false), Verdict::Allow);
    }
}
