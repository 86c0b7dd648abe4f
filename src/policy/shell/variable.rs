//! Variables: which ones change what runs, and which ones hold nothing but numbers.

use std::collections::BTreeSet;

use shuck_ast::Span;

use super::Checked;

/// Variables that shells, the loader and interpreters obey.
const RISKY: [&str; 39] = [
    "PATH",
    "IFS",
    "ENV",
    "CDPATH",
    "HOME",
    "SHELL",
    "SHELLOPTS",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "MANPAGER",
    "BROWSER",
    "FPATH",
    "GLOBIGNORE",
    "EXECIGNORE",
    "PROMPT_COMMAND",
    "FCEDIT",
    "PS0",
    "PS1",
    "PS2",
    "PS3",
    "PS4",
    "LESSOPEN",
    "LESSCLOSE",
    "PERL5LIB",
    "PERL5OPT",
    "PERL5DB",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "RUBYLIB",
    "RUBYOPT",
    "NODE_OPTIONS",
    "NODE_PATH",
    "JAVA_TOOL_OPTIONS",
    "RUSTC_WRAPPER",
    "MAKEFLAGS",
    "GCONV_PATH",
    "POSIXLY_CORRECT",
];
const RISKY_BEGINNINGS: [&str; 7] = ["LD_", "DYLD_", "GIT_", "BASH", "XDG_", "THREADOS_", "SSH_"];

/// Whether setting this variable may change which program runs.
pub(in crate::policy) fn is_risky(name: &str) -> bool {
    RISKY.contains(&name) || RISKY_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// Whether it is the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Which variables hold numbers. bash runs what it finds in the value of a variable that it
/// calculates with (`a[$(rm x)]`), so only numbers that the text itself makes may be used.
#[derive(Default)]
pub(super) struct Numbers {
    used: Vec<(String, Span)>,
    made: BTreeSet<String>,
    tainted: BTreeSet<String>,
}

impl Numbers {
    /// Somewhere the variable gets a value.
    pub(super) fn set(&mut self, name: &str, is_number: bool) {
        let names = if is_number { &mut self.made } else { &mut self.tainted };
        names.insert(name.to_owned());
    }

    /// Somewhere it has to be a number.
    pub(super) fn need(&mut self, name: &str, at: Span) {
        self.used.push((name.to_owned(), at));
    }

    pub(super) fn check(&self) -> Checked {
        let unsure = self.used.iter().find(|(name, _)| !self.made.contains(name) || self.tainted.contains(name));
        match unsure {
            Some((name, at)) => {
                Err(format!("`{name}` in line {} is calculated with, but may be something else than a number", at.start.line()))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn risky_names() {
        for name in ["PATH", "LD_PRELOAD", "GIT_SSH_COMMAND", "BASH_ENV", "BASHOPTS", "IFS", "PS4", "THREADOS_STEP_ID"] {
            assert!(is_risky(name), "{name}");
        }
        for name in ["FOO", "path", "CI", "DEBUG", "MY_PATH", "CARGO_TERM_COLOR"] {
            assert!(!is_risky(name), "{name}");
        }
    }
}
