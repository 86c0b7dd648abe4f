//! Every failure that `seqctl` can report.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::model::{FailPolicy, GateStatus, Id};

/// A failure with the facts that explain it. Its text is one sentence without a full stop;
/// [`Error::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A bug, or a machine that does not keep its word.
    #[error("{what}")]
    Internal { what: String },
    /// The operating system refused something.
    #[error("cannot {what} {}: {source}", path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    /// The command line was not understood.
    #[error("{what}")]
    Usage { what: String, hint: Option<String> },
    /// An id does not follow the rules.
    #[error("`{id}` cannot be an id: {why}")]
    IdInvalid { id: String, why: &'static str },
    /// A duration could not be read.
    #[error("`{text}` is not a duration")]
    DurationInvalid { text: String },
    /// A field of an action has a value it cannot have.
    #[error("{field}: {why}")]
    FieldInvalid { field: &'static str, why: String },
    /// An action's JSON does not fit its schema.
    #[error("invalid arguments for `{action}`: {why}")]
    ActionInvalid { action: String, why: String },
    /// No action has that name.
    #[error("no action is called `{action}`")]
    ActionUnknown { action: String, nearest: Option<String> },
    /// Entries of a list of actions are wrong; numbered from 1.
    #[error("{}", numbered(wrong))]
    Entries { wrong: Vec<(usize, Self)> },
    /// A file that was named is not there.
    #[error("there is no file {}", path.display())]
    FileNotFound { path: PathBuf },
    /// The plan changed since the caller looked.
    #[error("the plan is at {actual}, not at {expected}")]
    RevisionChanged { expected: String, actual: String },

    /// A file of ours is not valid YAML, or not what it should be.
    #[error("{}:{line}:{column}: {why}", path.display())]
    Yaml { path: PathBuf, line: usize, column: usize, why: String, expected: Option<String>, excerpt: String },
    /// A file of ours cannot be used at all.
    #[error("{}: {why}", path.display())]
    FileUnusable { path: PathBuf, why: String },
    /// A template cannot be read, or what it makes is no plan.
    #[error("{}:{line}:{column}: {why}", path.display())]
    TemplateInvalid { path: PathBuf, line: usize, column: usize, why: String, expected: Option<String>, excerpt: String },
    /// A template has no such parameter.
    #[error("template `{template}` has no parameter `{parameter}`")]
    ParameterUnknown { template: String, parameter: String, nearest: Option<String> },
    /// A parameter of a template has a value it cannot have, or none.
    #[error("parameter `{parameter}` of template `{template}`: {why}")]
    ParameterInvalid { template: String, parameter: String, why: String },
    /// A newer `seqctl` wrote this file.
    #[error("{} was written by a newer seqctl (format {version})", path.display())]
    TooNew { path: PathBuf, version: String },
    /// Dependencies form a circle.
    #[error("{}these depend on each other in a circle: {}", before(place.as_ref()), circle(cycle))]
    CircularDependency { cycle: Vec<Id>, place: Option<Place> },
    /// Something depends on what does not exist.
    #[error("{}`{id}` depends on `{dependency}`, which does not exist", before(place.as_ref()))]
    DependencyNotFound { id: Id, dependency: Id, nearest: Option<String>, place: Option<Place> },
    /// A link between two nodes is not there.
    #[error("`{id}` does not depend on `{dependency}`")]
    NotDependent { id: Id, dependency: Id },
    /// A plan breaks a rule of the model.
    #[error("`{id}`: {why}")]
    PlanInvalid { id: Id, why: String },
    /// Members of a group want different things when one of them fails.
    #[error("`{}` and `{}` of group `{group}` disagree on `fail_policy`: {} and {}", members[0].0, members[1].0, members[0].1.as_str(), members[1].1.as_str())]
    GroupDisagrees { group: Id, members: [(Id, FailPolicy); 2] },
    /// A member of a group waits for another one.
    #[error("`{id}` and `{need}` cannot both be in group `{group}`: `{id}` waits for `{need}`")]
    GroupDependent { group: Id, id: Id, need: Id },
    /// `validate --strict` found warnings.
    #[error("{}: {count}{list}", path.display())]
    Warnings { path: PathBuf, count: String, list: String },

    /// There is no project here or above.
    #[error("no ThreadOS project in {}{}", from.display(), if *is_chosen { "" } else { " or above" })]
    ProjectNotFound { from: PathBuf, is_chosen: bool },
    /// No step has that name.
    #[error("no step is called `{step}`")]
    StepNotFound { step: String, nearest: Option<String> },
    /// No gate has that name.
    #[error("no gate is called `{gate}`")]
    GateNotFound { gate: String, nearest: Option<String> },
    /// No step or gate has that name.
    #[error("no step or gate is called `{id}`")]
    NodeNotFound { id: String, nearest: Option<String> },
    /// No group has that name.
    #[error("no group is called `{group}`")]
    GroupNotFound { group: String, nearest: Option<String> },
    /// No template has that name.
    #[error("no template is called `{template}`")]
    TemplateNotFound { template: String, nearest: Option<String> },
    /// A step's prompt is missing.
    #[error("`{step}` names the prompt file `{file}`, which does not exist")]
    PromptNotFound { step: Id, file: String },
    /// A step has no prompt.
    #[error("`{step}` has no prompt")]
    NoPrompt { step: Id, has_command: bool },
    /// A prompt changed since the caller looked.
    #[error("the prompt of `{step}` has changed since")]
    PromptChanged { step: Id },
    /// No run has that id.
    #[error("no run is called `{run}`")]
    RunNotFound { run: String },
    /// No run is going on, or there never was one.
    #[error("no run is going on")]
    NoRun,
    /// An attempt has no folder: it never was, or its run was pruned.
    #[error("there is no attempt {attempt} of `{step}` in run {run}")]
    LogNotFound { step: Id, run: String, attempt: u32 },
    /// A step has not run yet.
    #[error("`{step}` has not run yet")]
    NeverRan { step: Id },

    /// The name is taken.
    #[error("`{id}` exists already")]
    AlreadyExists { id: Id },
    /// Names that a template makes are taken.
    #[error("{} {} already", list(ids), if ids.len() == 1 { "exists" } else { "exist" })]
    IdsTaken { ids: Vec<Id> },
    /// The prompt file of a new step is there, and says something else.
    #[error("the prompt file {} of the new step `{step}` exists already and says something else", path.display())]
    PromptTaken { step: Id, path: PathBuf },
    /// There is a project already.
    #[error("{} is a ThreadOS project already", path.display())]
    ProjectExists { path: PathBuf },
    /// Others depend on it.
    #[error("`{id}` is needed by {}", list(dependents))]
    HasDependents { id: Id, dependents: Vec<Id> },
    /// The step runs.
    #[error("`{step}` is running")]
    StepRunning { step: Id },
    /// The step does not run.
    #[error("`{step}` is not running")]
    StepNotRunning { step: Id },
    /// A change of the plan cannot be undone or redone.
    #[error("change {seq} cannot be undone or redone: {why}")]
    CannotTurn { seq: u64, why: String },
    /// There is no change to undo or redo.
    #[error("there is nothing to {what}")]
    NothingToTurn { what: &'static str },
    /// Another machine claimed the step and may still run it.
    #[error("`{step}` was claimed on another machine, which may still run it")]
    StepElsewhere { step: Id },
    /// The step has an outcome.
    #[error("`{step}` is {status}")]
    StepEnded { step: Id, status: &'static str },
    /// The step waits for something.
    #[error("`{step}` cannot start: {why}")]
    StepBlocked { step: Id, why: String },
    /// The gate was decided.
    #[error("gate `{gate}` is {}, not PENDING", status.as_str())]
    GateNotPending { gate: Id, status: GateStatus },
    /// What is before the gate ran again since the caller looked.
    #[error("what is before gate `{gate}` has changed since")]
    GateChanged { gate: Id },
    /// The gate is pending.
    #[error("gate `{gate}` is PENDING already")]
    GatePending { gate: Id },
    /// What is before the gate has not ended.
    #[error("gate `{gate}` cannot be approved yet: {why}")]
    GateNotReached { gate: Id, why: String },
    /// Somebody else holds the project's lock and does not let go.
    #[error("another seqctl{} has held the project's lock for {seconds} s", pid.map_or(String::new(), |pid| format!(" (pid {pid})")))]
    Locked { pid: Option<u32>, seconds: u64 },
    /// A change was committed, and what somebody saved at the same moment does not take it.
    #[error("somebody saved sequence.yaml at the same moment and the change does not fit theirs: {why}")]
    SaveConflict { place: String, why: String },
    /// The file keeps changing under us.
    #[error("{} keeps changing", path.display())]
    FileBusy { path: PathBuf },
    /// The run cannot do that now.
    #[error("run `{run}` {why}")]
    RunState { run: String, why: String },

    /// The policy forbids it.
    #[error("policy: {why}")]
    Denied { why: String, rule: &'static str },
    /// The policy wants a person's word.
    #[error("{what} needs a confirmation")]
    ConfirmationRequired { what: String, why: String },

    /// The person said no.
    #[error("nothing was done: {what} was not confirmed")]
    Declined { what: String },
    /// The policy wants a person's word, and a step asks.
    #[error("{what} needs a confirmation, and a step cannot give it")]
    StepCannotConfirm { what: String, why: String },

    /// A step failed.
    #[error("{}", failures(failed))]
    StepFailed { failed: Vec<(Id, String)> },
    /// `wait` ran out of time.
    #[error("still waiting for {} after {after}", list(ids))]
    WaitTimeout { ids: Vec<Id>, after: String },
    /// Only a person can let it go on.
    #[error("waits for {}", what.join(", "))]
    Waiting { what: Vec<String>, hint: String },
    /// No agent has that name.
    #[error("step `{step}` wants the agent `{agent}`, which is not known")]
    AgentUnknown { step: Id, agent: String, nearest: Option<String>, known: Vec<String> },
    /// An agent's program is not there.
    #[error("step `{step}` wants the agent `{agent}`, whose program `{program}` was not found")]
    AgentMissing { step: Id, agent: String, program: String, install: Option<String> },
    /// An agent has no argument for what is asked of it.
    #[error("the agent `{agent}` {what}")]
    AgentUnable { agent: String, what: &'static str, key: &'static str },
    /// There is no session to go on with.
    #[error("`{step}` has no session to go on with: {why}")]
    NoSession { step: Id, why: &'static str },
    /// An agent's final text comes with its end.
    #[error("`{step}` has not ended")]
    NotEnded { step: Id },
    /// Only a step can report its outcome.
    #[error("there is no step here whose outcome could be reported")]
    NotInStep,
    /// The step does not wait for a review.
    #[error("`{step}` is {status}, not NEEDS_REVIEW")]
    NotInReview { step: Id, status: &'static str },
    /// The project is on a read-only or otherwise unfit file system.
    #[error("{}: {why}", path.display())]
    ProjectUnusable { path: PathBuf, why: String },
    /// A runner could not be started.
    #[error("the runner of `{run}` did not start: {why}")]
    RunnerFailed { run: String, why: String },
    /// `doctor` found something that keeps steps from running.
    #[error("{} in the way: {}", if broken.len() == 1 { "one thing is".to_owned() } else { format!("{} things are", broken.len()) }, broken.join(", "))]
    Unfit { broken: Vec<String> },
    /// An editor could not be used.
    #[error("the editor {why}")]
    EditorFailed { why: String, kept: Option<PathBuf> },
    /// The audit log was changed by other hands.
    #[error("{}:{line}: entry {seq} {why}", path.display())]
    AuditBroken { path: PathBuf, line: u64, seq: u64, why: String },
    /// Nothing can be appended to the audit log.
    #[error("{}: the last line is no entry, so nothing can follow it", path.display())]
    AuditDamaged { path: PathBuf },
}

/// The few kinds of failure that a caller can react to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// Our fault, or the machine's.
    Internal,
    /// What was asked makes no sense.
    Invalid,
    /// It does not exist.
    NotFound,
    /// It does not fit the present state.
    Conflict,
    /// The policy forbids it.
    Denied,
    /// The policy wants a person's word.
    NeedsConfirmation,
    /// A step failed.
    StepFailed,
    /// Something outside is missing.
    Unavailable,
    /// Only a person can let it go on.
    Waiting,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 9] = [
        Self::Internal,
        Self::Invalid,
        Self::NotFound,
        Self::Conflict,
        Self::Denied,
        Self::NeedsConfirmation,
        Self::StepFailed,
        Self::Unavailable,
        Self::Waiting,
    ];

    /// The status of an HTTP answer.
    pub const fn http(self) -> u16 {
        match self {
            Self::Internal => 500,
            Self::Invalid => 400,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Denied => 403,
            Self::NeedsConfirmation => 428,
            Self::StepFailed | Self::Waiting => 200,
            Self::Unavailable => 503,
        }
    }

    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Invalid => "invalid",
            Self::NotFound => "not found",
            Self::Conflict => "conflict",
            Self::Denied => "denied",
            Self::NeedsConfirmation => "needs confirmation",
            Self::StepFailed => "a step failed",
            Self::Unavailable => "unavailable",
            Self::Waiting => "waits for a person",
        }
    }

    /// The exit status of the process.
    pub const fn exit(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Invalid => 2,
            Self::NotFound => 3,
            Self::Conflict => 4,
            Self::Denied => 5,
            Self::NeedsConfirmation => 6,
            Self::StepFailed => 7,
            Self::Unavailable => 8,
            Self::Waiting => 9,
        }
    }
}

impl Error {
    /// For `map_err`: the operating system refused to do `what` with `path`.
    pub fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }

    /// For `map_err`: a file that somebody named cannot be read.
    pub fn reading(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::FileNotFound { path },
            io::ErrorKind::InvalidData => Self::FileUnusable { path, why: "is not UTF-8".into() },
            io::ErrorKind::IsADirectory => Self::FileUnusable { path, why: "is a folder, not a file".into() },
            _ => Self::Io { what: "read", path, source },
        }
    }

    /// Something that cannot happen did.
    pub fn internal(what: impl Into<String>) -> Self {
        Self::Internal { what: what.into() }
    }

    /// The stable code of this failure and its class.
    pub fn code(&self) -> (&'static str, Class) {
        match self {
            Self::Internal { .. } => ("INTERNAL_ERROR", Class::Internal),
            Self::Io { .. } => ("IO_ERROR", Class::Internal),
            Self::Usage { .. } => ("USAGE_ERROR", Class::Invalid),
            Self::IdInvalid { .. } | Self::DurationInvalid { .. } | Self::FieldInvalid { .. } | Self::ActionInvalid { .. } => {
                ("VALIDATION_ERROR", Class::Invalid)
            }
            Self::ActionUnknown { .. } => ("ACTION_UNKNOWN", Class::Invalid),
            Self::Entries { wrong } => wrong.first().map_or(("VALIDATION_ERROR", Class::Invalid), |(_, error)| error.code()),
            Self::FileNotFound { .. } => ("FILE_NOT_FOUND", Class::NotFound),
            Self::Yaml { .. }
            | Self::FileUnusable { .. }
            | Self::PlanInvalid { .. }
            | Self::GroupDisagrees { .. }
            | Self::Warnings { .. } => ("SEQUENCE_VALIDATION_FAILED", Class::Invalid),
            Self::TemplateInvalid { .. } => ("INVALID_TEMPLATE", Class::Invalid),
            Self::ParameterUnknown { .. } | Self::ParameterInvalid { .. } | Self::GroupDependent { .. } => {
                ("VALIDATION_ERROR", Class::Invalid)
            }
            Self::TemplateNotFound { .. } => ("TEMPLATE_NOT_FOUND", Class::NotFound),
            Self::TooNew { .. } => ("FORMAT_TOO_NEW", Class::Invalid),
            Self::CircularDependency { .. } => ("CIRCULAR_DEPENDENCY", Class::Invalid),
            Self::DependencyNotFound { .. } | Self::NotDependent { .. } => ("DEPENDENCY_NOT_FOUND", Class::NotFound),
            Self::ProjectNotFound { .. } => ("PROJECT_NOT_FOUND", Class::NotFound),
            Self::StepNotFound { .. } => ("STEP_NOT_FOUND", Class::NotFound),
            Self::GateNotFound { .. } => ("GATE_NOT_FOUND", Class::NotFound),
            Self::NodeNotFound { .. } => ("NODE_NOT_FOUND", Class::NotFound),
            Self::GroupNotFound { .. } => ("GROUP_NOT_FOUND", Class::NotFound),
            Self::PromptNotFound { .. } | Self::NoPrompt { .. } => ("PROMPT_NOT_FOUND", Class::NotFound),
            Self::RunNotFound { .. } | Self::NoRun => ("RUN_NOT_FOUND", Class::NotFound),
            Self::LogNotFound { .. } => ("LOG_NOT_FOUND", Class::NotFound),
            Self::NeverRan { .. } => ("NEVER_RAN", Class::NotFound),
            Self::AlreadyExists { .. } | Self::IdsTaken { .. } | Self::PromptTaken { .. } | Self::ProjectExists { .. } => {
                ("ALREADY_EXISTS", Class::Conflict)
            }
            Self::HasDependents { .. } => ("HAS_DEPENDENTS", Class::Conflict),
            Self::StepRunning { .. } => ("STEP_RUNNING", Class::Conflict),
            Self::StepNotRunning { .. } => ("STEP_NOT_RUNNING", Class::Conflict),
            Self::CannotTurn { .. } => ("CANNOT_TURN", Class::Conflict),
            Self::NothingToTurn { .. } => ("NOTHING_TO_TURN", Class::Conflict),
            Self::StepElsewhere { .. } => ("STEP_ELSEWHERE", Class::Conflict),
            Self::StepEnded { .. } => ("STEP_ENDED", Class::Conflict),
            Self::StepBlocked { .. } => ("STEP_BLOCKED", Class::Conflict),
            Self::GateNotPending { .. } => ("GATE_NOT_PENDING", Class::Conflict),
            Self::GateChanged { .. } => ("GATE_CHANGED", Class::Conflict),
            Self::GatePending { .. } => ("GATE_PENDING", Class::Conflict),
            Self::GateNotReached { .. } => ("GATE_NOT_REACHED", Class::Conflict),
            Self::RevisionChanged { .. } | Self::PromptChanged { .. } => ("REVISION_CHANGED", Class::Conflict),
            Self::Locked { .. } => ("LOCKED", Class::Conflict),
            Self::FileBusy { .. } => ("FILE_BUSY", Class::Conflict),
            Self::SaveConflict { .. } => ("SAVE_CONFLICT", Class::Conflict),
            Self::RunState { .. } => ("RUN_STATE", Class::Conflict),
            Self::Denied { .. } => ("POLICY_DENIED", Class::Denied),
            Self::ConfirmationRequired { .. } | Self::StepCannotConfirm { .. } => {
                ("CONFIRMATION_REQUIRED", Class::NeedsConfirmation)
            }
            Self::Declined { .. } => ("DECLINED", Class::NeedsConfirmation),
            Self::StepFailed { .. } => ("STEP_FAILED", Class::StepFailed),
            Self::WaitTimeout { .. } => ("WAIT_TIMEOUT", Class::Waiting),
            Self::Waiting { .. } => ("WAITING", Class::Waiting),
            Self::AgentUnknown { .. } | Self::AgentMissing { .. } => ("AGENT_NOT_FOUND", Class::Unavailable),
            Self::AgentUnable { .. } => ("AGENT_UNABLE", Class::Invalid),
            Self::NoSession { .. } => ("NO_SESSION", Class::Conflict),
            Self::NotEnded { .. } => ("NOT_ENDED", Class::Conflict),
            Self::NotInStep => ("NOT_IN_STEP", Class::Conflict),
            Self::NotInReview { .. } => ("NOT_IN_REVIEW", Class::Conflict),
            Self::ProjectUnusable { .. } => ("PROJECT_UNUSABLE", Class::Unavailable),
            Self::RunnerFailed { .. } => ("RUNNER_FAILED", Class::Unavailable),
            Self::AuditBroken { .. } | Self::AuditDamaged { .. } => ("AUDIT_BROKEN", Class::Conflict),
            Self::Unfit { .. } => ("UNFIT", Class::Internal),
            Self::EditorFailed { .. } => ("EDITOR_FAILED", Class::Unavailable),
        }
    }

    /// What to do about it, in one sentence.
    #[expect(clippy::too_many_lines, reason = "one arm for each failure")]
    pub fn hint(&self) -> Option<String> {
        let meant = |nearest: &Option<String>| nearest.as_ref().map(|name| format!("did you mean `{name}`?"));
        match self {
            Self::Usage { hint, .. } => hint.clone().or_else(|| Some("`seqctl help` shows the commands".into())),
            Self::IdInvalid { .. } => Some("ids look like `build-api-2`".into()),
            Self::DurationInvalid { .. } => Some("durations look like `90s`, `45m` or `1h30m`".into()),
            Self::ActionUnknown { nearest, .. } => {
                meant(nearest).or_else(|| Some("actions are called like `gate.approve`; `seqctl help` shows the commands".into()))
            }
            Self::ActionInvalid { action, .. } => Some(format!("`seqctl schema action {action}` shows what it takes")),
            Self::Entries { wrong } => wrong.first().and_then(|(_, error)| error.hint()),
            Self::FileNotFound { .. } => Some("look at the path; it counts from the current folder".into()),
            Self::GroupNotFound { nearest, .. } => {
                meant(nearest).or_else(|| Some("`seqctl step edit <id> --group <group>` puts a step into one".into()))
            }
            Self::FieldInvalid { .. } => Some("`seqctl help <command>` shows what each option takes".into()),
            Self::PromptChanged { step } => Some(format!("look again with `seqctl prompt show {step}`")),
            Self::NoPrompt { step, has_command: true } => Some(format!("it runs a command; `seqctl step show {step}` shows it")),
            Self::NoPrompt { step, has_command: false } => Some(format!("`seqctl prompt set {step} --text '…'` writes one")),
            Self::RevisionChanged { .. } => Some("look again with `seqctl status`, then repeat with the new revision".into()),
            Self::Yaml { expected, .. } => Some(expected.as_ref().map_or_else(
                || "mend that line; `seqctl validate` checks the file".to_owned(),
                |what| format!("expected {what}"),
            )),
            Self::TemplateInvalid { expected, path, .. } => Some(expected.as_ref().map_or_else(
                || format!("mend {}; docs/templates.md says how templates are written", path.display()),
                |what| if what.ends_with('?') { what.clone() } else { format!("expected {what}") },
            )),
            Self::ParameterUnknown { template, nearest, .. } => {
                meant(nearest).or_else(|| Some(format!("`seqctl template show {template}` shows its parameters")))
            }
            Self::ParameterInvalid { parameter, .. } => Some(format!("give it with `--set {parameter}=…`")),
            Self::TemplateNotFound { nearest, .. } => {
                meant(nearest).or_else(|| Some("`seqctl template list` shows the templates".into()))
            }
            Self::IdsTaken { .. } => {
                Some("`--prefix NAME` puts a name before every new id; for one step, choose it with `--id`".into())
            }
            Self::PromptTaken { .. } => Some("move that file away, or use other ids with `--prefix NAME`".into()),
            Self::GroupDisagrees { .. } => {
                Some("give all members the same; `seqctl group parallelize <ids>… --id <group> --fail-policy POLICY` does".into())
            }
            Self::GroupDependent { id, need, .. } => {
                Some(format!("leave one of them out, or take the dependency away: `seqctl dep rm {id} {need}`"))
            }
            Self::CannotTurn { .. } => Some("`seqctl audit list` shows the changes and their numbers".into()),
            Self::NothingToTurn { .. } => {
                Some("only changes of the plan can be undone; `seqctl reset` forgets an outcome".into())
            }
            Self::StepElsewhere { step } => {
                Some(format!("once nothing runs there any more, `seqctl stop {step} --force` declares it dead"))
            }
            Self::TooNew { .. } => Some("update seqctl; this version will not write over it".into()),
            Self::CircularDependency { .. } => Some("take one of these dependencies away: `seqctl dep rm <step> <needs>`".into()),
            Self::DependencyNotFound { nearest, .. } | Self::NodeNotFound { nearest, .. } => {
                meant(nearest).or_else(|| Some("`seqctl step list` shows what there is".into()))
            }
            Self::StepNotFound { nearest, .. } => meant(nearest).or_else(|| Some("`seqctl step list` shows the steps".into())),
            Self::GateNotFound { nearest, .. } => meant(nearest).or_else(|| Some("`seqctl gate list` shows the gates".into())),
            Self::ProjectNotFound { .. } => Some("make one here with `seqctl init`, or choose one with `--project DIR`".into()),
            Self::ProjectExists { .. } => Some("`seqctl status` shows it".into()),
            Self::PromptNotFound { step, file } => {
                Some(format!("write `.threados/{file}`, or change it with `seqctl step edit {step}`"))
            }
            Self::RunNotFound { .. } => Some("`seqctl runs list` shows the runs".into()),
            Self::NoRun => Some("`seqctl run` starts one, `seqctl runs` lists those that have ended".into()),
            Self::LogNotFound { run, .. } => Some(format!("`seqctl runs show {run}` shows the attempts; a pruned run has none")),
            Self::NeverRan { step } => Some(format!("`seqctl run {step}` runs it")),
            Self::AlreadyExists { .. } => Some("choose another id; steps and gates share one space of names".into()),
            Self::HasDependents { .. } => Some("`--cascade` connects them to what it needs itself".into()),
            Self::StepRunning { step } => Some(format!("stop it first: `seqctl stop {step}`")),
            Self::StepEnded { step, .. } => Some(format!("`seqctl restart {step}` runs it again")),
            Self::StepBlocked { .. } => Some("`seqctl status` shows what it waits for".into()),
            Self::GateNotPending { gate, .. } => Some(format!("`seqctl gate reopen {gate}` makes it PENDING again")),
            Self::GateChanged { .. } => Some("look again with `seqctl gate list --json`, then repeat with the new digest".into()),
            Self::GateNotReached { .. } => Some("`--ahead` approves it before they have ended".into()),
            Self::Locked { .. } => Some("look whether that process hangs; ending it is safe, nothing is lost".into()),
            Self::SaveConflict { place, .. } => {
                Some(format!("theirs stands, the file with the change is {place}; take over what you want"))
            }
            Self::FileUnusable { why, .. } => Some(usable(why).unwrap_or("mend it, or take another file").to_owned()),
            Self::FileBusy { .. } => Some("let the other program finish saving, then try again".into()),
            Self::Denied { .. } => Some("`.threados/policy.yaml` says what is allowed".into()),
            Self::ConfirmationRequired { why, .. } => Some(format!("{why}; add `--yes` to confirm")),
            Self::StepFailed { failed } => failed
                .first()
                .map(|(step, _)| format!("`seqctl logs {step}` shows its output, `seqctl restart {step}` runs it again")),
            Self::Waiting { hint, .. } => Some(hint.clone()),
            Self::AgentUnknown { .. }
            | Self::AgentMissing { .. }
            | Self::AgentUnable { .. }
            | Self::NoSession { .. }
            | Self::NotEnded { .. }
            | Self::NotInStep
            | Self::NotInReview { .. } => self.agent_hint(),
            Self::Warnings { .. } => Some("mend them, or leave out `--strict`".into()),
            Self::AuditBroken { .. } => {
                Some("entries from here on may have been changed by hand; `git log` or a backup can tell".into())
            }
            Self::AuditDamaged { .. } => Some(
                "`seqctl audit verify` names the first line that is wrong; keep a copy and cut the file off before it to go on"
                    .into(),
            ),
            Self::Declined { .. } => Some("answer `y`, or add `--yes`, to go on".into()),
            Self::StepCannotConfirm { why, .. } => {
                Some(format!("{why}; a person has to run it, or set `mode: POWER` in .threados/policy.yaml"))
            }
            Self::Unfit { .. } => Some("each line marked ✖ says what to do".into()),
            Self::EditorFailed { kept: Some(kept), .. } => Some(format!("your text is in {}", kept.display())),
            Self::EditorFailed { kept: None, .. } => {
                Some("set VISUAL or EDITOR to an editor, or use `seqctl prompt set <step> --file FILE`".into())
            }
            Self::GatePending { gate } => Some(format!("`seqctl gate approve {gate}` or `seqctl gate block {gate}` decides it")),
            Self::StepNotRunning { .. } | Self::RunState { .. } => Some("`seqctl status` shows what runs".into()),
            Self::WaitTimeout { .. } => Some("`seqctl status` shows how it stands; `seqctl wait` goes on waiting".into()),
            Self::NotDependent { id, .. } => Some(format!("`seqctl step show {id}` shows what it needs")),
            Self::PlanInvalid { .. } => Some("mend it in .threados/sequence.yaml; `seqctl validate` checks it".into()),
            Self::ProjectUnusable { .. } | Self::RunnerFailed { .. } => Some("`seqctl doctor` looks for the reason".into()),
            Self::Io { source, .. } => Some(
                match source.kind() {
                    io::ErrorKind::PermissionDenied => "look whose it is with `ls -l`",
                    io::ErrorKind::StorageFull => "make room on the disk; nothing is lost",
                    io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only: only looking works",
                    _ => "`seqctl doctor` looks for the reason",
                }
                .into(),
            ),
            Self::Internal { .. } => Some("this is a bug; please report it with what `seqctl doctor --json` prints".into()),
        }
    }

    /// What to do about a failure that has to do with an agent, or with what it does.
    fn agent_hint(&self) -> Option<String> {
        match self {
            Self::AgentUnknown { nearest, known, .. } => nearest
                .as_ref()
                .map(|name| format!("did you mean `{name}`?"))
                .or_else(|| Some(format!("agents are {}; `agents:` in .threados/config.yaml adds others", known.join(", ")))),
            Self::AgentMissing { agent, install, .. } => Some(match install {
                Some(command) => format!("install it with `{command}`, or say where it is in .threados/config.yaml"),
                None => format!("install it, or mend its `command` below `agents: {agent}:` in .threados/config.yaml"),
            }),
            Self::AgentUnable { agent, key, .. } => {
                Some(format!("`{key}` below `agents: {agent}:` in .threados/config.yaml says how it does"))
            }
            Self::NoSession { step, .. } => Some(format!("`seqctl restart {step}` runs it afresh")),
            Self::NotEnded { step } => Some(format!("`seqctl logs {step} -f` shows how far it is")),
            Self::NotInStep => Some("it is for steps: `seqctl` finds the step in the environment that `seqctl run` makes".into()),
            Self::NotInReview { .. } => Some("`seqctl status` shows what wants a review".into()),
            _ => None,
        }
    }

    /// More for programs: what stands beside `error` and `code` in the document of this failure.
    pub fn data(&self) -> Option<serde_json::Value> {
        let Self::Entries { wrong } = self else { return None };
        let entries: Vec<_> = wrong
            .iter()
            .map(|(at, error)| serde_json::json!({"entry": at, "error": error.to_string(), "code": error.code().0, "hint": error.hint()}))
            .collect();
        Some(serde_json::json!({"entries": entries}))
    }

    /// The same failure, where the file is a template and no plan.
    #[must_use]
    pub fn of_template(self) -> Self {
        match self {
            Self::Yaml { path, line, column, why, expected, excerpt } => {
                Self::TemplateInvalid { path, line, column, why, expected, excerpt }
            }
            Self::FileUnusable { path, why } => {
                Self::TemplateInvalid { path, line: 1, column: 1, why, expected: None, excerpt: String::new() }
            }
            other => other,
        }
    }

    /// The same failure, with the line of the file it stands on where it has a place for one.
    #[must_use]
    pub fn at(mut self, path: &Path, line: usize) -> Self {
        if let Self::DependencyNotFound { place, .. } | Self::CircularDependency { place, .. } = &mut self {
            *place = Some(Place { path: path.into(), line });
        }
        self
    }
}

/// A line of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
}

fn before(place: Option<&Place>) -> String {
    place.map_or(String::new(), |place| format!("{}:{}: ", place.path.display(), place.line))
}

/// How a file becomes usable again.
fn usable(why: &str) -> Option<&'static str> {
    const HINTS: &[(&str, &str)] = &[
        ("is missing", "bring it back with `git checkout`, or from `.threados/state/history/`"),
        ("is damaged", "bring the file back from a backup, or move it away to go on without it"),
        ("is larger", "files that people write are far smaller; has something else been saved over it?"),
        ("is a link", "make what it leads to, or put a file in its place"),
        ("is a folder", "move it away, and put a file in its place"),
        ("is not a file", "move it away, and put a file in its place"),
    ];
    HINTS.iter().find(|(start, _)| why.starts_with(start)).map(|(_, hint)| *hint)
}

/// `1 step`, `2 steps`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `` `a`, `b` and `c` ``, or the first few and how many more.
pub fn list(ids: &[Id]) -> String {
    const SHOWN: usize = 6;
    let mut words: Vec<_> = ids.iter().take(SHOWN).map(|id| format!("`{id}`")).collect();
    if ids.len() > SHOWN {
        words.push(format!("{} more", ids.len() - SHOWN));
    }
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.join(""),
    }
}

fn numbered(wrong: &[(usize, Error)]) -> String {
    match wrong {
        [(at, error)] => format!("entry {at}: {error}"),
        many => many.iter().fold(format!("{} are wrong", entries(many.len())), |text, (at, error)| {
            let hint = error.hint().map_or(String::new(), |hint| format!(" ({hint})"));
            format!("{text}\n  entry {at}: {error}{hint}")
        }),
    }
}

fn entries(number: usize) -> String {
    if number == 1 { "1 entry".into() } else { format!("{number} entries") }
}

fn circle(cycle: &[Id]) -> String {
    const SHOWN: usize = 20;
    let mut words: Vec<_> = cycle.iter().take(SHOWN).map(|id| format!("`{id}`")).collect();
    if cycle.len() > SHOWN {
        words.push(format!("{} more", cycle.len() - SHOWN));
    }
    words.extend(cycle.first().map(|id| format!("`{id}`")));
    words.join(" → ")
}

fn failures(failed: &[(Id, String)]) -> String {
    if let [(step, why)] = failed {
        format!("step `{step}` failed: {why}")
    } else {
        let ids: Vec<_> = failed.iter().map(|(step, _)| step.clone()).collect();
        format!("{} failed: {}", count(failed.len(), "step"), list(&ids))
    }
}
