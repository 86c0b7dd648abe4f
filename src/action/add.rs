//! A step from a sentence.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act, Change, Changed, Txn};
use crate::{
    error::Error,
    model::{CommandLine, Id, MODE_WORDS, Sequence, Step},
};

/// Add a step from a sentence
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Add {
    /// What is to be done; with --command, the shell text to run
    pub text: String,
    /// Who does it; the plan's default, else claude-code
    #[arg(long, visible_alias = "model", conflicts_with = "command")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Steps and gates that must be satisfied first
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Id>,
    /// Name of the new step; made from the sentence where absent
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// The text is a command for the shell
    #[arg(long, short)]
    #[serde(default)]
    pub command: bool,
}

impl Act for Add {
    const NAME: &'static str = "add";
    const ACCESS: Access = Access::Change;
}

impl Change for Add {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        let text = self.text.trim();
        if text.is_empty() {
            return Err(Error::FieldInvalid { field: "text", why: "there is nothing to do in it".into() });
        }
        let id = name(txn, self.id.as_ref(), text)?;
        let mut step = Step::new(id.clone());
        if self.command {
            step.command = Some(CommandLine::Shell(text.to_owned()));
        } else {
            step.prompt = Some(text.to_owned());
            step.model = self.agent.clone().or_else(|| default_agent(&txn.sequence));
        }
        for need in &self.after {
            txn.expect_node(need)?;
        }
        step.depends_on.clone_from(&self.after);
        txn.sequence.steps.push(step);
        let text = format!("added step `{id}`; `seqctl run {id}` runs it");
        Ok(Changed::new(text, [id.clone()]).then(format!("seqctl run {id}")))
    }

    fn target(&self) -> Option<String> {
        self.id.as_ref().map(Id::to_string)
    }
}

/// The agent to write into a new step; nothing where the plan's default will do.
pub(super) fn default_agent(sequence: &Sequence) -> Option<String> {
    let default = sequence.defaults.model.as_deref().filter(|model| *model != "shell");
    default.is_none().then(|| "claude-code".to_owned())
}

/// The chosen name, which must be free, or a free one made from `text`.
pub(super) fn name(txn: &Txn, chosen: Option<&Id>, text: &str) -> Result<Id, Error> {
    if let Some(id) = chosen {
        txn.refuse_taken(id)?;
        return Ok(id.clone());
    }
    let base = derived(text);
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    let is_free = |name: &String| !txn.sequence.contains(name) && txn.sequence.group(name).next().is_none();
    [base.clone()].into_iter().chain(numbered).find(is_free).unwrap_or_default().parse()
}

/// Words that say nothing about what a sentence is about.
const SMALL: &[&str] = &[
    "a", "an", "all", "and", "any", "are", "at", "be", "by", "can", "do", "for", "from", "i", "if", "in", "into", "is", "it",
    "its", "me", "my", "of", "on", "or", "our", "please", "so", "some", "that", "the", "their", "then", "there", "these", "this",
    "those", "to", "us", "we", "with", "you", "your",
];

/// `fix the flaky test` → `fix-flaky-test`: the first words that say something, as many as stay readable.
fn derived(text: &str) -> String {
    const LONGEST: usize = 28;
    const WORDS: usize = 4;
    let sentence =
        text.split(['\n', '.', ';', ':', '!', '?']).find(|part| part.chars().any(char::is_alphanumeric)).unwrap_or(text);
    let words: Vec<String> = sentence
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .map(|word| word.chars().filter_map(plain).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect();
    let telling: Vec<&String> = words.iter().filter(|word| !SMALL.contains(&word.as_str())).collect();
    let chosen = if telling.is_empty() { words.iter().collect() } else { telling };
    let mut name = String::new();
    for word in chosen.into_iter().take(WORDS) {
        if name.is_empty() {
            name = word.chars().take(LONGEST).collect();
        } else if name.len() + 1 + word.len() <= LONGEST {
            name = format!("{name}-{word}");
        } else {
            break;
        }
    }
    if name.is_empty() || MODE_WORDS.contains(&name.as_str()) {
        format!("task{}{name}", if name.is_empty() { "" } else { "-" })
    } else {
        name
    }
}

/// The letter or digit of an id that `c` is written as; nothing for other scripts and for signs.
fn plain(c: char) -> Option<char> {
    let c = c.to_lowercase().next().unwrap_or(c);
    Some(match c {
        'à'..='å' => 'a',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        'ß' => 's',
        _ if c.is_ascii_alphanumeric() => c,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_a_person_would_choose() {
        for (text, name) in [
            ("fix the flaky test", "fix-flaky-test"),
            ("Fix the flaky test in src/login.rs, please. It fails on Mondays.", "fix-flaky-test-src"),
            ("don't log passwords", "dont-log-passwords"),
            ("Refactor the authentication-middleware of the API gateway", "refactor-authentication"),
            ("cargo test --all", "cargo-test"),
            ("Überprüfe die Prüfsummen", "uberprufe-die-prufsummen"),
            ("make all", "make"),
            ("run it", "task-run"),
            ("do it for me", "do-it-for-me"),
            ("修正", "task"),
            ("…", "task"),
            ("2 + 2", "2-2"),
        ] {
            assert_eq!(derived(text), name, "{text}");
            assert!(derived(text).parse::<Id>().is_ok());
        }
    }
}
