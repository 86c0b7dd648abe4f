//! What runs took and how they went, in numbers.

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Id, ThreadType, Usage};

/// Runs in numbers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metrics {
    /// How many runs there are.
    pub runs: usize,
    /// Milliseconds from their starts to their ends, or to now, together.
    pub elapsed_ms: u64,
    /// What all steps took.
    pub total: Work,
    /// The same by thread type, without those of which nothing ran.
    pub threads: Vec<Thread>,
    /// How many attempts failed for which reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, usize>,
    /// How many attempts met a usage limit and were gone on with; they have not failed.
    pub limits: usize,
    /// What fan-outs did; nothing where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fanout: Option<FanoutUse>,
    /// How long gates waited for their approval; nothing where none was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gates: Option<Latency>,
    /// What agents took together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What each agent took.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentWork>,
    /// What syntheses kept of their candidates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fusions: Vec<Agreement>,
}

/// What steps took.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Work {
    /// How many steps ran; one that ran in two runs counts twice.
    pub steps: usize,
    /// How many attempts they took.
    pub attempts: usize,
    /// How many of these were made because one before had failed, or was wanted again.
    pub retries: usize,
    /// How many attempts failed.
    pub failed: usize,
    /// Milliseconds of all attempts.
    pub total_ms: u64,
    /// Milliseconds of one attempt.
    pub average_ms: u64,
}

impl Work {
    /// Takes note of one more attempt.
    pub fn add(&mut self, is_first: bool, has_failed: bool, ms: u64) {
        self.attempts += 1;
        self.steps += usize::from(is_first);
        self.retries += usize::from(!is_first);
        self.failed += usize::from(has_failed);
        self.total_ms = self.total_ms.saturating_add(ms);
        self.average_ms = self.total_ms / self.attempts as u64;
    }
}

/// What the steps of a thread type took.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Thread {
    /// base, p, c, f, b or l.
    #[serde(rename = "type")]
    pub kind: ThreadType,
    /// What they took.
    #[serde(flatten)]
    pub work: Work,
}

/// What fan-outs did.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FanoutUse {
    /// How many attempts were fan-outs.
    pub attempts: usize,
    /// How many workers they had.
    pub workers: usize,
    /// How many of these failed, not counting those who were stopped because of it.
    pub failed: usize,
    /// The most workers of one.
    pub largest: usize,
}

/// How long something waited.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Latency {
    /// How often.
    pub count: usize,
    /// Milliseconds on average.
    pub average_ms: u64,
    /// The most milliseconds.
    pub longest_ms: u64,
}

impl Latency {
    /// Of some waits in milliseconds; nothing where there was none.
    pub fn of(waits: &[u64]) -> Option<Self> {
        let longest_ms = waits.iter().copied().max()?;
        let sum = waits.iter().fold(0_u64, |sum, wait| sum.saturating_add(*wait));
        Some(Self { count: waits.len(), average_ms: sum / waits.len() as u64, longest_ms })
    }
}

/// What an agent took.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentWork {
    /// The agent.
    pub agent: String,
    /// How many attempts it made.
    pub attempts: usize,
    /// What they took, as far as it tells.
    pub usage: Usage,
}

/// How much of its candidates a synthesis kept.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Agreement {
    /// The synthesis.
    pub step: Id,
    /// The run in which it ran.
    pub run: String,
    /// The share of the lines of all candidates that it kept, from 0 to 1.
    pub share: f64,
    /// How many different lines the candidates have together.
    pub lines: usize,
    /// How many of them the synthesis has too.
    pub kept: usize,
    /// The same for each candidate.
    pub candidates: Vec<Kept>,
}

/// How much of one candidate a synthesis kept.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The candidate.
    pub step: Id,
    /// The share of its lines, from 0 to 1.
    pub share: f64,
    /// How many different lines it has.
    pub lines: usize,
    /// How many of them the synthesis has too.
    pub kept: usize,
}

impl Agreement {
    /// What the result of `step` has of those of its candidates, line by line. Nothing where these have no lines.
    pub fn find(step: &Id, run: &str, result: &str, candidates: &[(Id, String)]) -> Option<Self> {
        let result = telling(result);
        let mut all = HashSet::new();
        let kept_of = |lines: &HashSet<&str>| lines.intersection(&result).count();
        let mut found = Vec::new();
        for (id, text) in candidates {
            let lines = telling(text);
            let kept = kept_of(&lines);
            found.push(Kept { step: id.clone(), share: share(kept, lines.len()), lines: lines.len(), kept });
            all.extend(lines);
        }
        let kept = kept_of(&all);
        let share = share(kept, all.len());
        (!all.is_empty()).then(|| Self { step: step.clone(), run: run.into(), share, lines: all.len(), kept, candidates: found })
    }
}

#[expect(clippy::cast_precision_loss, reason = "lines are few, and two digits are shown")]
fn share(part: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

/// The different lines of a text that say something. Of a patch these are the lines that it adds.
fn telling(text: &str) -> HashSet<&str> {
    let mut place = Place::Text;
    let mut found = HashSet::new();
    for line in text.lines() {
        place = place.after(line);
        let line = match place {
            Place::Text => line,
            Place::Patch => line.strip_prefix('+').filter(|_| !line.starts_with("+++ ")).unwrap_or_default(),
            Place::Binary => continue,
        };
        let line = line.trim();
        if line.chars().any(char::is_alphanumeric) {
            found.insert(line);
        }
    }
    found
}

/// What a line of a text is part of.
#[derive(Clone, Copy)]
enum Place {
    Text,
    Patch,
    Binary,
}

impl Place {
    /// Where `line` is, which comes after a line that is here.
    fn after(self, line: &str) -> Self {
        const HEADS: [&str; 10] = [
            "diff ",
            "index ",
            "similarity ",
            "dissimilarity ",
            "rename ",
            "copy ",
            "old mode ",
            "new mode ",
            "new file ",
            "deleted file ",
        ];
        let begins = line.starts_with("diff --git ") || line.starts_with("@@ ");
        match self {
            _ if begins => Self::Patch,
            Self::Patch if line == "GIT binary patch" => Self::Binary,
            Self::Patch if line.is_empty() || line.starts_with([' ', '+', '-', '\\']) => Self::Patch,
            Self::Patch if HEADS.iter().any(|head| line.starts_with(head)) => Self::Patch,
            Self::Patch | Self::Text => Self::Text,
            Self::Binary => Self::Binary,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> Id {
        name.parse().unwrap()
    }

    #[test]
    fn work_adds_up() {
        let mut work = Work::default();
        for (is_first, has_failed, ms) in [(true, true, 100), (false, false, 50), (true, false, 30)] {
            work.add(is_first, has_failed, ms);
        }
        assert_eq!(work, Work { steps: 2, attempts: 3, retries: 1, failed: 1, total_ms: 180, average_ms: 60 });
        assert_eq!(Latency::of(&[]), None);
        assert_eq!(Latency::of(&[10, 40, 10]), Some(Latency { count: 3, average_ms: 20, longest_ms: 40 }));
    }

    #[test]
    fn a_synthesis_keeps_lines_of_its_candidates() {
        let candidates =
            [(id("a"), "fn x() {\n}\n  shared\nonly a\n".to_owned()), (id("b"), "shared\nonly b\nshared\n".to_owned())];
        let found = Agreement::find(&id("s"), "r", "shared\n\tfn x() {\nown\n}\n", &candidates).unwrap();
        assert_eq!((found.lines, found.kept, found.share), (4, 2, 0.5));
        let kept: Vec<_> = found.candidates.iter().map(|kept| (kept.step.as_str(), kept.kept, kept.lines)).collect();
        assert_eq!(kept, [("a", 2, 3), ("b", 1, 2)]);
        assert_eq!(Agreement::find(&id("s"), "r", "shared", &[(id("a"), "}\n\n---\n".into())]), None);
    }

    #[test]
    fn of_a_patch_counts_what_it_adds() {
        let patch = "My way:\n```diff\ndiff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n-old\n+new line\n+ another\n same\n```\n- a list\ndiff --git a/b b/b\nGIT binary patch\nliteral 3\nzcmV\n\ndiff --git a/c b/c\n+last\n";
        let mut lines: Vec<_> = telling(patch).into_iter().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["- a list", "My way:", "```diff", "another", "last", "new line"]);
    }
}
