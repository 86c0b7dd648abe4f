//! What actions answer with: typed, serialised the same for every face.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    attention::Need, doctor::Check, graph::GraphReport, progress::Progress, request::RequestRow, start::Plan, why::WhyReport,
};
use crate::{
    action::{Changed, outcome},
    audit::Entry,
    model::{AgentReport, DiffFacts, FailPolicy, Id, Metrics, OutputFormat, Reason, Step, StepStatus, Usage, WorkerEnd},
    store::{AttemptStatus, Run, yaml::Warning},
    template::Parameter,
};

/// What an action answers with.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the JSON documents")]
pub enum Output {
    #[schemars(title = "changed")]
    Changed { changes: Vec<Changed> },
    #[schemars(title = "preview")]
    Preview { changes: Vec<Changed>, diff: String },
    #[schemars(title = "made")]
    Made { path: PathBuf, files: Vec<String> },
    #[schemars(title = "status")]
    Status(Box<StatusReport>),
    #[schemars(title = "short")]
    Short(ShortStatus),
    #[schemars(title = "graph")]
    Graph(Box<GraphReport>),
    #[schemars(title = "attention")]
    Attention { needs: Vec<Need> },
    #[schemars(title = "why")]
    Why(Box<WhyReport>),
    #[schemars(title = "steps")]
    Steps { steps: Vec<StepRow> },
    #[schemars(title = "step")]
    Step(Box<StepDetail>),
    #[schemars(title = "gates")]
    Gates { gates: Vec<GateRow> },
    #[schemars(title = "valid")]
    Valid { steps: usize, gates: usize, findings: Vec<Warning> },
    #[schemars(title = "would_run")]
    WouldRun(Plan),
    #[schemars(title = "started")]
    Started(Started),
    #[schemars(title = "requested")]
    Requested { request: RequestRow, steps: Vec<Id> },
    #[schemars(title = "requests")]
    Requests { requests: Vec<RequestRow> },
    #[schemars(title = "answered")]
    Answered(RequestRow),
    #[schemars(title = "run")]
    Run(Box<RunReport>),
    #[schemars(title = "runs")]
    Runs { runs: Vec<RunRow> },
    #[schemars(title = "metrics")]
    Metrics(Box<Metrics>),
    #[schemars(title = "stopped")]
    Stopped { stopped: Vec<Id>, runs: Vec<String> },
    #[schemars(title = "opened")]
    Opened(super::open::Opening),
    #[schemars(title = "extended")]
    Extended(Extended),
    #[schemars(title = "waited")]
    Waited { steps: Vec<StepRow> },
    #[schemars(title = "audit")]
    Audit { entries: Vec<Entry> },
    #[schemars(title = "chain")]
    Chain { entries: u64, head: String },
    #[schemars(title = "log")]
    Log(LogText),
    #[schemars(title = "diff")]
    Diff(Box<DiffText>),
    #[schemars(title = "answer")]
    Answer(Box<Answer>),
    #[schemars(title = "reported")]
    Reported { step: Id, outcome: outcome::Word },
    #[schemars(title = "policy")]
    Policy { rules: Vec<super::policy::Rule>, ignored: Vec<String> },
    #[schemars(title = "judged")]
    Judged(super::policy::Judgement),
    #[schemars(title = "trusted")]
    Trusted {
        path: PathBuf,
        mode: crate::model::Mode,
        agents: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        notify: Option<String>,
        place: PathBuf,
    },
    #[schemars(title = "pruned")]
    Pruned { runs: Vec<String> },
    #[schemars(title = "demo")]
    Demo { path: PathBuf, report: Box<RunReport> },
    #[schemars(title = "prompt")]
    Prompt(PromptText),
    #[schemars(title = "groups")]
    Groups { groups: Vec<GroupRow> },
    #[schemars(title = "templates")]
    Templates { templates: Vec<TemplateRow> },
    #[schemars(title = "template")]
    Template(TemplateText),
    #[schemars(title = "schema")]
    Schema { schema: serde_json::Value },
    #[schemars(title = "wrote")]
    Wrote { path: PathBuf },
    #[schemars(title = "mprocs")]
    Mprocs(Box<MprocsReport>),
    #[schemars(title = "selected")]
    Selected { step: Id, pane: usize },
    #[schemars(title = "typed")]
    Typed { step: Id, key: String },
    #[schemars(title = "left")]
    Left { running: Vec<Id> },
    #[schemars(title = "checked")]
    Checked { checks: Vec<Check> },
}

/// How a sequence stands.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusReport {
    /// What people call the sequence.
    pub name: String,
    /// SAFE or POWER.
    pub mode: String,
    /// How many steps have which status, in the order of [`StepStatus::ALL`].
    #[serde(serialize_with = "as_map")]
    #[schemars(with = "BTreeMap<String, usize>")]
    pub counts: Vec<(StepStatus, usize)>,
    /// What needs a person, most urgent first.
    pub attention: Vec<String>,
    /// How many warnings `seqctl validate` has.
    pub findings: usize,
    /// The steps, in the plan's order.
    pub steps: Vec<StepRow>,
    /// The gates, in the plan's order.
    pub gates: Vec<GateRow>,
    /// The runs that have not ended.
    pub runs: Vec<RunRow>,
    /// How far those have come that go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What steps ask a person for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestRow>,
}

/// How a sequence stands, in numbers.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShortStatus {
    /// What people call the sequence.
    pub name: String,
    /// How many gates, reviews, requests and steps to confirm wait for a person.
    pub waiting: usize,
    /// How many steps have which status, in the order of [`StepStatus::ALL`].
    #[serde(serialize_with = "as_map")]
    pub counts: Vec<(StepStatus, usize)>,
}

fn as_map<S: serde::Serializer>(counts: &[(StepStatus, usize)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(counts.iter().map(|(status, number)| (status.as_str(), number)))
}

/// A step in a list.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepRow {
    /// Its name in the plan.
    pub id: Id,
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub status: StepStatus,
    /// base, p, c, f, b or l.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The agent; `shell` for commands.
    pub agent: String,
    /// What it waits for, where it is BLOCKED.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<Id>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Its outcome in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// What there is to say about its outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it starts by itself, where it waits for the end of its provider's usage limit; RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// What its agent's last attempt took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The last run it took part in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// How long it took, or has taken so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// How long the attempt that runs may take, with what was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// How much of that is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_ms: Option<u64>,
    /// How far the workers of a fan-out are that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<WorkerCount>,
    /// Whether its definition is another one than when it ran.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
    /// Whether an open run would start it if somebody confirmed it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// The group it runs with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Id>,
    /// The step it watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watches: Option<Id>,
}

/// How far the workers of a fan-out are.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct WorkerCount {
    /// How many have ended, however they did.
    pub ended: u32,
    /// How many there are.
    pub all: u32,
}

/// A gate in a list.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GateRow {
    /// Its name in the plan.
    pub id: Id,
    /// What people call it.
    pub name: String,
    /// PENDING, APPROVED or BLOCKED.
    pub status: &'static str,
    /// Whether everything before it has ended, so that it can be decided.
    pub reached: bool,
    /// Of the last attempts before it, for `gate approve --expect`.
    pub digest: String,
    /// What it waits for.
    pub depends_on: Vec<Id>,
    /// What waits for it.
    pub holds: Vec<Id>,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Everything about a step.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepDetail {
    /// How it stands.
    pub state: StepRow,
    /// What the plan says.
    pub step: Step,
    /// What waits for it.
    pub dependents: Vec<Id>,
    /// What watches it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub watchdogs: Vec<Id>,
    /// Where it runs.
    pub cwd: PathBuf,
    /// The folder of its last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// What its last attempt left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<AttemptStatus>,
    /// Its prompt file, or what it runs, as a person wants to read it.
    pub work: String,
}

/// A run in a list.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRow {
    /// Its id.
    pub id: String,
    /// What it covers.
    pub what: String,
    /// active, waiting or ended.
    pub state: String,
    /// Who asked for it.
    pub by: String,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// What it waits for, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<String>,
    /// Whether a process advances it now.
    pub has_runner: bool,
}

/// A run that was started and not waited for.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// The run.
    pub run: String,
    /// Whether it was there already.
    pub attached: bool,
    /// Where a step asked: the steps that it asked for, in the run that it is in itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<Id>>,
}

/// A step that was given more time.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Extended {
    /// The step.
    pub step: Id,
    /// The run.
    pub run: String,
    /// The attempt that runs.
    pub attempt: u32,
    /// What was added.
    pub added_ms: u64,
    /// How long the attempt may take now.
    pub timeout_ms: u64,
    /// How much of that is left.
    pub left_ms: u64,
}

/// How a run stands.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// The run.
    #[serde(flatten)]
    pub run: RunRow,
    /// How many of its steps have which status.
    #[serde(serialize_with = "as_map")]
    #[schemars(with = "BTreeMap<String, usize>")]
    pub counts: Vec<(StepStatus, usize)>,
    /// The steps it covers that have failed, in this run or before, with their outcome in words.
    pub failed: Vec<(Id, String)>,
    /// A step that cannot start because somebody blocked a gate, and which gate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stuck: Option<(Id, Id)>,
    /// What its agents' attempts took together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The attempts, in the plan's order.
    pub attempts: Vec<AttemptStatus>,
    /// Where everything is.
    pub folder: PathBuf,
}

/// A run in a list.
pub(super) fn run_row(run: &Run, has_runner: bool) -> RunRow {
    RunRow {
        id: run.id.clone(),
        what: match run.what.steps() {
            None => "all".into(),
            Some(steps) if steps.len() <= 3 => steps.iter().map(Id::as_str).collect::<Vec<_>>().join(" "),
            Some(steps) => format!("{} ({})", run.what.as_str(), crate::error::count(steps.len(), "step")),
        },
        state: serde_json::to_value(run.state).ok().and_then(|state| state.as_str().map(str::to_owned)).unwrap_or_default(),
        by: run.by.clone(),
        started_at: run.started_at.clone(),
        ended_at: run.ended_at.clone(),
        waits_for: run.waits_for.clone(),
        has_runner,
    }
}

/// What a step wrote.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogText {
    /// The step.
    pub step: Id,
    /// The run.
    pub run: String,
    /// The attempt.
    pub attempt: u32,
    /// The worker of a fan-out; nothing where it is no fan-out, or the text has all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<u32>,
    /// `stdout` or `stderr`.
    pub stream: &'static str,
    /// What the log is made of; the text is a transcript where that is known.
    #[serde(skip_serializing_if = "OutputFormat::is_text")]
    pub format: OutputFormat,
    /// The text, with what is not UTF-8 replaced.
    pub text: String,
    /// Whether something was left out: the beginning, or with `--after` what comes behind.
    pub truncated: bool,
    /// Where to go on with `--after`; 0 for the text of all workers of a fan-out, which is that of several logs.
    pub cursor: u64,
    /// The file itself; the attempt's folder for all workers of a fan-out.
    pub path: PathBuf,
}

/// What came out of a step.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The step.
    pub step: Id,
    /// The run.
    pub run: String,
    /// The attempt.
    pub attempt: u32,
    /// DONE, FAILED or NEEDS_REVIEW; nothing while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<StepStatus>,
    /// The final text of an agent, the output of a command.
    pub text: String,
    /// Whether the beginning was left out.
    pub truncated: bool,
    /// What an agent said of its work.
    #[serde(flatten)]
    pub agent: AgentReport,
    /// How the workers of a fan-out ended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub workers: Vec<WorkerEnd>,
}

/// What a step changed in its git work tree.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffText {
    /// The step.
    pub step: Id,
    /// The run.
    pub run: String,
    /// The attempt.
    pub attempt: u32,
    /// The patch, with what is not UTF-8 replaced; empty where there is none.
    pub text: String,
    /// The patch itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// What it has in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<DiffFacts>,
    /// The steps that worked in the same tree meanwhile, so that it may have changes of theirs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared_with: Vec<Id>,
}

/// The prompt of a step.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PromptText {
    /// The step.
    pub step: Id,
    /// `plan` or `file`; `compiled` for what an agent would be told.
    pub source: &'static str,
    /// Its file, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// SHA-256 of its bytes, for `--if-unchanged`.
    pub sha256: String,
    /// How long it is.
    pub bytes: usize,
    /// The text, with what is not UTF-8 replaced.
    pub text: String,
}

/// A group in a list.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupRow {
    /// Its name.
    pub id: Id,
    /// Its steps, in the plan's order.
    pub members: Vec<Id>,
    /// What the failure of one means for the others.
    pub fail_policy: FailPolicy,
}

/// A template in a list.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TemplateRow {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its file; absent where it comes with `seqctl`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// What can be given to it.
    pub parameters: Vec<Parameter>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A template as it is written.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TemplateText {
    /// Its name.
    pub name: String,
    /// Its file; absent where it comes with `seqctl`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The text.
    pub text: String,
}

/// Whether mprocs is open, and its panes.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MprocsReport {
    /// The program that would be used; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<PathBuf>,
    /// What is known of the mprocs that was opened; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<MprocsSession>,
    /// Its panes, in its order.
    pub panes: Vec<PaneRow>,
}

/// An mprocs that was opened.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MprocsSession {
    /// Its process.
    pub pid: u32,
    /// Where it listens, on this machine.
    pub port: u16,
    /// RFC 3339.
    pub started_at: String,
    /// Whether it is still there. What a dead one left is cleaned up by whoever uses mprocs next.
    pub alive: bool,
}

/// A pane of mprocs.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaneRow {
    /// Its place, from 0.
    pub pane: usize,
    /// The step it shows.
    pub step: Id,
    /// Whether a view is there.
    pub open: bool,
    /// Whether its step has left the plan.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// Where its step is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<StepStatus>,
}
