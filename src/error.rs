//! Every failure that `seqctl` can report.

mod hint;

use std::{
    fmt::Display,
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
    #[error("{}`{id}`: {why}", before(place.as_ref()))]
    PlanInvalid { id: Id, why: String, place: Option<Place> },
    /// Members of a group want different things when one of them fails.
    #[error("`{}` and `{}` of group `{group}` disagree on `fail_policy`: {} and {}", members[0].0, members[1].0, members[0].1.as_str(), members[1].1.as_str())]
    GroupDisagrees { group: Id, members: [(Id, FailPolicy); 2] },
    /// A member of a group waits for another one.
    #[error("`{id}` and `{need}` cannot both be in group `{group}`: `{id}` waits for `{need}`")]
    GroupDependent { group: Id, id: Id, need: Id },
    /// A step has no candidates.
    #[error("`{step}` brings no candidates together")]
    NoFusion { step: Id },
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
    /// No run is going on.
    #[error("no run is going on")]
    NoRun,
    /// Nothing was run here, or no folder of it is left.
    #[error("there is no run yet")]
    NoRunYet,
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
    /// The attempt of a step cannot be given more time.
    #[error("`{step}` cannot be extended: {why}")]
    CannotExtend { step: Id, why: String },
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

    /// What a step asked for is left for a person to decide.
    #[error("{what} needs a person's word, and request `{request}` asks for it")]
    Requested { request: String, what: String },
    /// No request has that name.
    #[error("no request is called `{request}`")]
    RequestNotFound { request: String },
    /// A request has its answer.
    #[error("request `{request}` was {how} by {by} already")]
    RequestClosed { request: String, how: &'static str, by: String },
    /// A request is about something else than was shown.
    #[error("request `{request}` is void: {} changed since", list(steps))]
    RequestVoid { request: String, steps: Vec<Id> },
    /// A person said no.
    #[error("request `{request}` ({what}) was denied by {by}{}", note.as_ref().map_or(String::new(), |note| format!(": {note}")))]
    RequestDenied { request: String, what: String, by: String, note: Option<String> },

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
    /// A person has to be there.
    #[error("`{action}` takes over the terminal, and this is none")]
    TerminalMissing { action: &'static str },
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
    /// mprocs is not there, or not the one that can be told things.
    #[error("mprocs was not found: {why}")]
    MprocsNotFound { why: String },
    /// mprocs does not do what it is told, or ended by itself.
    #[error("mprocs {why}")]
    MprocsFailed { why: String },
    /// mprocs is not open for this project.
    #[error("mprocs is not open for this project")]
    MprocsClosed,
    /// mprocs is open for this project already.
    #[error("mprocs is open for this project already, as pid {pid}")]
    MprocsOpen { pid: u32 },
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
    #[expect(clippy::too_many_lines, reason = "a line for each cause")]
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
            Self::ParameterUnknown { .. }
            | Self::ParameterInvalid { .. }
            | Self::GroupDependent { .. }
            | Self::NoFusion { .. } => ("VALIDATION_ERROR", Class::Invalid),
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
            Self::RequestNotFound { .. } => ("REQUEST_NOT_FOUND", Class::NotFound),
            Self::RequestClosed { .. } => ("REQUEST_CLOSED", Class::Conflict),
            Self::RequestVoid { .. } => ("REQUEST_VOID", Class::Conflict),
            Self::RequestDenied { .. } => ("REQUEST_DENIED", Class::Denied),
            Self::Requested { .. } => ("REQUESTED", Class::Waiting),
            Self::MprocsNotFound { .. } => ("MPROCS_NOT_FOUND", Class::Unavailable),
            Self::MprocsFailed { .. } => ("MPROCS_CONNECTION_FAILED", Class::Unavailable),
            Self::MprocsClosed => ("MPROCS_NOT_OPEN", Class::Conflict),
            Self::MprocsOpen { .. } => ("MPROCS_OPEN", Class::Conflict),
            Self::RunNotFound { .. } | Self::NoRun | Self::NoRunYet => ("RUN_NOT_FOUND", Class::NotFound),
            Self::LogNotFound { .. } => ("LOG_NOT_FOUND", Class::NotFound),
            Self::NeverRan { .. } => ("NEVER_RAN", Class::NotFound),
            Self::AlreadyExists { .. } | Self::IdsTaken { .. } | Self::PromptTaken { .. } | Self::ProjectExists { .. } => {
                ("ALREADY_EXISTS", Class::Conflict)
            }
            Self::HasDependents { .. } => ("HAS_DEPENDENTS", Class::Conflict),
            Self::StepRunning { .. } => ("STEP_RUNNING", Class::Conflict),
            Self::StepNotRunning { .. } => ("STEP_NOT_RUNNING", Class::Conflict),
            Self::CannotExtend { .. } => ("CANNOT_EXTEND", Class::Conflict),
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
            Self::TerminalMissing { .. } => ("NO_TERMINAL", Class::Unavailable),
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
        if let Self::DependencyNotFound { place, .. } | Self::CircularDependency { place, .. } | Self::PlanInvalid { place, .. } =
            &mut self
        {
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

/// `1 step`, `2 steps`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `` `a`, `b` and `c` ``, or the first few and how many more.
pub fn list(ids: &[impl Display]) -> String {
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
