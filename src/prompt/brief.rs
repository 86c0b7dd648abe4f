//! The facts that a prompt is made of.

use std::path::PathBuf;

use crate::model::{Artifact, DiffFacts, Id, Span, ThreadType};

/// Everything that goes into the prompt of one attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// What people call the sequence.
    pub sequence: String,
    /// What it is about, in the plan's words.
    pub about: Option<String>,
    /// The step.
    pub step: Id,
    /// What people call it, where that is something else.
    pub title: Option<String>,
    /// What part it plays.
    pub role: Option<String>,
    /// Its thread type.
    pub kind: ThreadType,
    /// The group it runs with, and the others of that group.
    pub group: Option<(Id, Vec<Id>)>,
    /// Its prompt as it stands in the plan.
    pub task: String,
    /// Whether it brings the results of candidates together.
    pub is_synthesis: bool,
    /// Whether it adds and runs steps itself.
    pub is_orchestrator: bool,
    /// Which worker of a fan-out it is.
    pub worker: Option<Worker>,
    /// What came out of the steps it waits for, in the plan's order.
    pub findings: Vec<Finding>,
    /// Steps and gates of the sequence, in the plan's order.
    pub plan: Vec<Listed>,
    /// How many more there are.
    pub left_out: usize,
    /// Who is given its result, as far as they wait for it directly.
    pub dependents: Vec<Id>,
    /// Where it works.
    pub cwd: PathBuf,
    /// The project's root.
    pub root: PathBuf,
    /// What it has to keep to.
    pub limits: Limits,
    /// Globs of what it has to leave.
    pub artifacts: Vec<String>,
    /// Whether a person looks at its result before anything goes on.
    pub review: bool,
}

/// A worker of a fan-out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Worker {
    /// Which one, from 1; nothing in a text that is the same for all.
    pub number: Option<u32>,
    /// How many there are.
    pub count: u32,
}

/// What a step has to keep to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// How long it may take.
    pub timeout: Span,
    /// What it may cost, in US dollars.
    pub max_cost_usd: Option<f64>,
    /// The only commands of the project; any where it is empty.
    pub allowed_commands: Vec<String>,
    /// What no command may match.
    pub forbidden_patterns: Vec<String>,
}

/// A step or gate as it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// Its name in the plan.
    pub id: Id,
    /// How it stands, in a few words.
    pub status: String,
    /// What people call it, where that is something else.
    pub title: Option<String>,
}

/// What came out of a step or gate that this one waits for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finding {
    /// Its name in the plan.
    pub of: String,
    /// How it ended, in a few words, and who did it.
    pub how: String,
    /// Whether it is a candidate of this synthesis.
    pub is_candidate: bool,
    /// When it ended; RFC 3339. Nothing for what did not run.
    pub ended_at: Option<String>,
    /// What it, or who decided on it, said.
    pub note: Option<String>,
    /// Its result.
    pub text: Option<Text>,
    /// The patch of what it changed, and what that has in it.
    pub diff: Option<(PathBuf, DiffFacts)>,
    /// With whom it shared its work tree, so that the patch may have changes of theirs.
    pub shared_with: Vec<Id>,
    /// The files it made.
    pub artifacts: Vec<Artifact>,
}

/// The result of a step: the final text of an agent, the end of what a command printed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Text {
    /// As much of it as there is at hand: its end.
    pub tail: String,
    /// How many bytes of it come before that.
    pub before: u64,
    /// Where all of it is.
    pub path: PathBuf,
}
