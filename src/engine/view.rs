//! A project as it stands on disk, with every repair made in memory. Reading takes no lock and
//! writes nothing.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{Arc, OnceLock},
};

use super::trust;
use crate::{
    agent::Agents,
    audit,
    error::Error,
    model::{GateStatus, Graph, Id, Mode, Node, Readiness, Sequence, State, Step, StepStatus},
    policy::Policy,
    runner::{Leftover, leftover, orphaned},
    store::{
        self, Config, Confirmed, Covered, FileId, KnownPlan, Paths, Record, Records, Stamp, file, sha256,
        tx::{self, Staged},
        yaml::{self, Lines, Parsed, Statuses, Warning},
    },
};

/// A lease in `state/active/`.
#[derive(Clone, Debug)]
pub struct LeaseView {
    /// What it says.
    pub record: Record,
    /// Whether somebody holds it.
    pub is_held: bool,
    /// What it means if nobody does.
    pub leftover: Leftover,
}

/// A project as it stands.
pub struct View {
    /// sequence.yaml.
    pub text: String,
    /// SHA-256 of sequence.yaml.
    pub sha: String,
    /// The plan.
    pub sequence: Arc<Sequence>,
    /// Its graph.
    pub graph: Arc<Graph>,
    /// Where things stand in the file.
    pub lines: Lines,
    /// What is odd in the file.
    pub warnings: Vec<Warning>,
    /// The last record of steps and gates.
    pub records: HashMap<Id, Record>,
    /// What runs, and what ended and is not committed.
    pub leases: BTreeMap<Id, LeaseView>,
    pub(super) real_root: std::path::PathBuf,
    pub(super) id: FileId,
    pub(super) is_stamped: bool,
    /// Where statuses can be written; nothing in a view that was not made for changing.
    pub(super) statuses: Option<Statuses>,
    pub(super) config: Config,
    /// Whose record cannot be read.
    pub(super) damaged: Vec<Id>,
    /// The agents its steps can want.
    pub(super) agents: Agents,
    /// What came with the project and does not count, because this user has not trusted it.
    pub(super) ignored: Vec<&'static str>,
    /// Read when it is asked for: it may be large, and in POWER nobody does.
    confirmed: OnceLock<Confirmed<Covered>>,
    /// What was worked out before, of this very plan and these records.
    pub(super) known: Option<KnownPlan>,
    policy: Result<Policy, String>,
    policy_id: Option<FileId>,
}

impl View {
    /// Looks at a project.
    ///
    /// # Errors
    /// `Yaml` and its kin for a file that cannot be read, `DependencyNotFound` and
    /// `CircularDependency` for a plan that makes no sense.
    pub fn load(paths: &Paths) -> Result<Self, Error> {
        Self::load_by(paths, yaml::parse)
    }

    /// The same for whoever is going to change it.
    pub(super) fn load_to_change(paths: &Paths) -> Result<Self, Error> {
        // What is worked out once does not follow changes.
        Self::load_by(paths, yaml::read).map(|view| Self { known: None, ..view })
    }

    fn load_by(paths: &Paths, parse: fn(&[u8], &Path) -> Result<Parsed, Error>) -> Result<Self, Error> {
        // Leases before the plan: a lease that is gone has its outcome in the plan already. For the same reason
        // what a transaction has staged comes before where it puts that.
        let leases = leases(paths)?;
        let staged = committed(paths)?;
        let path = paths.sequence();
        let (mut bytes, id) = read(paths)?;
        bytes = staged.text.filter(|_| staged.pre_sha == Some(sha256(&bytes))).unwrap_or(bytes);
        let Records { known: mut records, damaged, plan: known } = store::records(paths)?;
        let known = known.filter(|_| staged.records.is_empty());
        let parsed = parse(&bytes, &path)?;
        records.extend(staged.records);
        let sha = sha256(&bytes);
        let text =
            String::from_utf8(bytes).map_err(|_| Error::FileUnusable { path: path.clone(), why: "is not UTF-8".into() })?;
        let graph = Graph::build(&parsed.sequence).map_err(|error| locate(error, &path, &parsed.lines))?;
        let is_stamped = Stamp::read(paths).is_some_and(|stamp| stamp.sha == sha);
        let (mut policy, policy_id) = read_policy(paths);
        let config = Config::read(paths)?;
        let ignored = ignored(paths, &mut policy, &config);
        let agents = config.agents.iter().filter(|_| !ignored.contains(&trust::AGENTS));
        Ok(Self {
            known: known.filter(|known| known.sha == sha),
            text,
            sha,
            sequence: Arc::new(parsed.sequence),
            graph: Arc::new(graph),
            lines: parsed.lines,
            warnings: parsed.warnings,
            records,
            leases,
            real_root: paths.root.canonicalize().unwrap_or_else(|_| paths.root.clone()),
            id,
            is_stamped,
            statuses: parsed.statuses,
            agents: Agents::new(agents.map(|(name, settings)| (name.as_str(), settings))),
            config,
            damaged,
            ignored,
            confirmed: OnceLock::new(),
            policy,
            policy_id,
        })
    }

    /// The policy in force, tightened by the plan.
    ///
    /// # Errors
    /// `Denied` when policy.yaml cannot be read or parsed: it never falls open.
    pub fn policy(&self) -> Result<Policy, Error> {
        match &self.policy {
            Ok(policy) => Ok(policy.tightened(&self.sequence.policy)),
            Err(why) => Err(Error::Denied { why: format!("it cannot be used: {why}"), rule: "policy.yaml" }),
        }
    }

    /// The same, before the plan tightens it.
    pub(super) fn policy_of_project(&self) -> Result<Policy, Error> {
        self.policy.clone().map_err(|why| Error::Denied { why: format!("it cannot be used: {why}"), rule: "policy.yaml" })
    }

    /// What people have confirmed, and what orchestrators have added.
    pub(super) fn confirmed(&self) -> &Confirmed<Covered> {
        self.confirmed.get_or_init(|| Confirmed::read(&Paths::at(&self.real_root)))
    }

    /// The same with what was shown, to add to it.
    pub(super) fn confirmations(&self) -> Confirmed {
        Confirmed::read(&Paths::at(&self.real_root))
    }

    /// Whether what runs has to be confirmed.
    pub(super) fn is_safe(&self) -> bool {
        let is_tightened = self.sequence.policy.mode == Some(Mode::Safe);
        self.policy.as_ref().is_ok_and(|policy| policy.mode == Mode::Safe || is_tightened)
    }

    pub(super) fn refresh_policy(&mut self, paths: &Paths) {
        if FileId::of(&paths.policy()) != self.policy_id {
            (self.policy, self.policy_id) = read_policy(paths);
            self.ignored = ignored(paths, &mut self.policy, &self.config);
        }
    }

    /// What is known of a node.
    pub fn state(&self, at: usize) -> State {
        match self.graph.node(at) {
            Node::Step(step) => self.step_state(&self.sequence.steps[step]),
            Node::Gate(gate) => {
                let gate = &self.sequence.gates[gate];
                let recorded = self.records.get(&gate.id).and_then(Record::gate_status);
                // An approval needs a record: a line that came with a clone or a merge is no decision here.
                let written = gate.status.filter(|status| *status == GateStatus::Blocked);
                State::Gate(recorded.or(written).unwrap_or_default())
            }
        }
    }

    fn step_state(&self, step: &Step) -> State {
        if let Some(lease) = self.leases.get(&step.id) {
            match (lease.is_held, lease.leftover) {
                (true, _) | (false, Leftover::Elsewhere) => return State::Running,
                (false, Leftover::Void) => {}
                (false, Leftover::Orphan) => return State::Ended(StepStatus::Failed),
                (false, Leftover::Complete | Leftover::Unfinished) => return lease.record.step_state(),
            }
        }
        if self.is_due_again(step) {
            return State::Idle;
        }
        match (self.records.get(&step.id), step.status) {
            (Some(record), _) => record.step_state(),
            (None, Some(StepStatus::Running)) => State::Ended(StepStatus::Failed),
            (None, Some(status)) if status.is_outcome() => State::Ended(status),
            (None, _) => State::Idle,
        }
    }

    /// The states of all nodes that are not idle or pending.
    pub fn states(&self) -> HashMap<Id, State> {
        let ids = self.sequence.ids().enumerate().map(|(at, id)| (id.clone(), self.state(at)));
        ids.filter(|(_, state)| !matches!(state, State::Idle | State::Gate(GateStatus::Pending))).collect()
    }

    /// What may start, and what holds the rest back.
    pub fn readiness(&self) -> Readiness {
        let mut ready = Readiness::new(&self.sequence, &self.graph);
        for at in 0..self.graph.len() {
            let state = self.state(at);
            if !matches!(state, State::Idle | State::Gate(GateStatus::Pending)) {
                ready.set(at, state);
            }
        }
        ready
    }

    /// The step of that id, found without a search.
    pub(super) fn step(&self, id: &Id) -> Option<&Step> {
        match self.graph.node(self.graph.find(id.as_str())?) {
            Node::Step(step) => self.sequence.steps.get(step),
            Node::Gate(_) => None,
        }
    }

    /// The id of a node.
    pub fn id_of(&self, at: usize) -> &Id {
        match self.graph.node(at) {
            Node::Step(step) => &self.sequence.steps[step].id,
            Node::Gate(gate) => &self.sequence.gates[gate].id,
        }
    }

    /// How many slots of `max_concurrent` are taken.
    pub fn slots_taken(&self) -> u32 {
        let held = self.leases.values().filter(|lease| lease.is_held);
        held.filter_map(|lease| lease.record.claim.as_ref()).map(|claim| claim.slots).sum()
    }

    /// The records that cannot be read, as warnings. What the file says counts.
    fn damages(&self) -> impl Iterator<Item = Warning> {
        self.damaged.iter().map(|id| Warning {
            line: self.lines.of(id.as_str()).unwrap_or(1),
            message: format!("the record of `{id}` is damaged (`.threados/state/last/{id}`); what the file says counts"),
            hint: Some(format!("`seqctl reset {id}` or the next run of it writes a new one")),
        })
    }

    /// Where the file and the records differ, as warnings. The records hold.
    pub fn disagreements(&self) -> Vec<Warning> {
        if self.is_stamped {
            return self.damages().collect();
        }
        let steps = self.sequence.steps.iter().filter_map(|step| {
            let (record, written) = (self.records.get(&step.id), step.status);
            let state = self.step_state(step);
            let message = match (state, written, record) {
                (State::Ended(status), _, Some(_)) if written != Some(status) && self.config.status_in_file => {
                    format!("`{}` is {} by its record, not what the file says; the record counts", step.id, status.as_str())
                }
                (State::Idle, Some(status), Some(_)) if status.is_outcome() => {
                    format!("`{}` was reset, though the file says {}", step.id, status.as_str())
                }
                (_, Some(StepStatus::Running), None) => {
                    format!("`{}` is RUNNING in the file, but nothing runs; it counts as FAILED", step.id)
                }
                _ => return None,
            };
            let hint = Some(format!("`seqctl reset {}` forgets its outcome", step.id));
            Some(Warning { line: self.lines.of(step.id.as_str()).unwrap_or(1), message, hint })
        });
        let gates = self.sequence.gates.iter().filter_map(|gate| {
            let recorded = self.records.get(&gate.id).and_then(Record::gate_status);
            (gate.status == Some(GateStatus::Approved) && recorded != Some(GateStatus::Approved)).then(|| Warning {
                line: self.lines.of(gate.id.as_str()).unwrap_or(1),
                message: format!("gate `{}` is APPROVED in the file, but nobody approved it here; it is PENDING", gate.id),
                hint: Some(format!("`seqctl gate approve {}` approves it", gate.id)),
            })
        });
        self.damages().chain(steps).chain(gates).collect()
    }

    /// What the file should say where it says something else: outcomes and decisions are ours.
    pub(super) fn projection(&self) -> Vec<(usize, Option<&'static str>)> {
        if !self.config.status_in_file {
            return Vec::new();
        }
        let mut changes = Vec::new();
        for (at, step) in self.sequence.steps.iter().enumerate() {
            let Some(record) = self.records.get(&step.id) else { continue };
            match (record.step_state(), step.status) {
                (State::Ended(status), written) if written != Some(status) => changes.push((at, Some(status.as_str()))),
                (State::Idle, Some(status)) if status.is_outcome() || status == StepStatus::Running => changes.push((at, None)),
                _ => {}
            }
        }
        for (at, gate) in self.sequence.gates.iter().enumerate() {
            let recorded = self.records.get(&gate.id).and_then(Record::gate_status);
            match recorded {
                Some(status) if gate.status.unwrap_or_default() != status => {
                    changes.push((self.graph.gate(at), Some(status.as_str())));
                }
                None if gate.status == Some(GateStatus::Approved) => {
                    changes.push((self.graph.gate(at), Some(GateStatus::Pending.as_str())));
                }
                _ => {}
            }
        }
        changes
    }
}

/// The error, with the line of the plan it is about, if what is wrong stands in the file.
pub(super) fn locate(error: Error, path: &Path, lines: &Lines) -> Error {
    let line = match &error {
        Error::DependencyNotFound { id, dependency, .. } => lines.of_dependency(id.as_str(), dependency.as_str()),
        Error::PlanInvalid { id, .. } => lines.of(id.as_str()),
        Error::CircularDependency { cycle, .. } => {
            // Each waits for the one before it, the first for the last.
            let before = cycle.iter().cycle().skip(cycle.len().saturating_sub(1));
            let links = cycle.iter().zip(before).map(|(id, needed)| lines.of_dependency(id.as_str(), needed.as_str()));
            links.collect::<Option<Vec<_>>>().and_then(|links| links.first().copied())
        }
        _ => None,
    };
    match line {
        Some(line) => error.at(path, line),
        None => error,
    }
}

fn leases(paths: &Paths) -> Result<BTreeMap<Id, LeaseView>, Error> {
    let active = store::active(paths)?;
    Ok(active
        .into_iter()
        .map(|(id, mut record, is_held)| {
            let leftover = if is_held { Leftover::Complete } else { leftover(paths, &id, &record) };
            if let (Leftover::Orphan, Some(claim)) = (leftover, &record.claim) {
                record.exit = Some(Box::new(orphaned(paths, claim, record.attempt())));
            }
            (id, LeaseView { record, is_held, leftover })
        })
        .collect())
}

/// What a transaction has still to put in its place that was committed by somebody who died since, or is at it.
fn committed(paths: &Paths) -> Result<Staged, Error> {
    let pending = tx::pending(paths)?;
    if pending.is_empty() {
        return Ok(Staged::default());
    }
    let (seq, _) = audit::head(&paths.audit())?;
    Ok(pending.into_iter().filter(|number| *number <= seq).max().map(|number| tx::staged(paths, number)).unwrap_or_default())
}

/// sequence.yaml and the stat of exactly those bytes.
fn read(paths: &Paths) -> Result<(Vec<u8>, FileId), Error> {
    let path = paths.sequence();
    for _ in 0..100 {
        let before = FileId::of(&path);
        let bytes = file::read_up_to(&path, yaml::SIZE_LIMIT)?;
        match (bytes, before) {
            (Some(bytes), Some(id)) if FileId::of(&path) == Some(id) => return Ok((bytes, id)),
            (None, None) if path.is_symlink() => {
                let why = "is a link to something that does not exist".into();
                return Err(Error::FileUnusable { path, why });
            }
            (None, None) => return Err(Error::FileUnusable { path, why: "is missing".into() }),
            _ => {}
        }
    }
    Err(Error::FileBusy { path })
}

/// Takes what nobody has trusted out of the policy, and says what does not count.
fn ignored(paths: &Paths, policy: &mut Result<Policy, String>, config: &Config) -> Vec<&'static str> {
    let is_power = policy.as_ref().is_ok_and(|policy| policy.mode == Mode::Power);
    let wants = [(is_power, trust::MODE), (!config.agents.is_empty(), trust::AGENTS), (config.notify.is_some(), trust::NOTIFY)];
    let wants: Vec<_> = wants.into_iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, what)| what).collect();
    if wants.is_empty() || trust::is_trusted(paths) {
        return Vec::new();
    }
    if let Ok(policy) = policy {
        policy.mode = Mode::Safe;
    }
    wants
}

fn read_policy(paths: &Paths) -> (Result<Policy, String>, Option<FileId>) {
    let path = paths.policy();
    let id = FileId::of(&path);
    let policy = file::read_up_to(&path, yaml::SIZE_LIMIT).and_then(|bytes| {
        let written = yaml::typed::<Policy>(&bytes.unwrap_or_default(), &path, "`key: value` lines like `mode: SAFE`")?;
        written.map_or_else(|| Ok(Policy::default()), |policy| policy.known(&path))
    });
    let in_words = |error: Error| match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    };
    (policy.map_err(in_words), id)
}
