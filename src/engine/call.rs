//! `engine.call`: one door for every action.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::json;

use super::{
    attention::reached_at,
    caller::{Caller, Consent},
    confirm, grounds,
    next::next,
    orchestrator,
    output::{Output, Started},
    prompt, query, request,
    start::Begun,
    transact::{Draft, entry},
    view::View,
    writer::{Held, Writer},
};
use crate::{
    action::{Action, Changed, Txn},
    clock,
    error::Error,
    model::{Decision, Id},
    store::{Decided, Line, Paths, Record, yaml::Warning},
};

/// Where an entry of the audit log says how long the gates waited that it approves.
pub(super) const GATE_WAITS: &str = "waitedMs";

/// A project, and the only way to change it.
pub struct Engine {
    paths: Paths,
    program: Option<PathBuf>,
    warnings: RefCell<Vec<String>>,
}

/// What an action answers with, and what goes with it.
#[derive(Clone, Debug, Serialize)]
pub struct Reply {
    /// The action's name.
    pub action: &'static str,
    /// The plan's revision afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The answer itself.
    #[serde(flatten)]
    pub output: Output,
    /// What a person should know beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Commands that make sense next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
}

impl Engine {
    /// The engine of a project.
    pub const fn new(paths: Paths) -> Self {
        Self { paths, program: None, warnings: RefCell::new(Vec::new()) }
    }

    /// The same, starting runners with another program than the running one.
    #[must_use]
    pub fn with_program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// The project's files.
    pub const fn paths(&self) -> &Paths {
        &self.paths
    }

    pub(super) fn program(&self) -> Result<PathBuf, Error> {
        self.program.clone().map_or_else(env::current_exe, Ok).map_err(Error::io("find", "seqctl itself"))
    }

    /// The project as it stands.
    pub fn view(&self) -> Result<View, Error> {
        let view = View::load(&self.paths)?;
        for warning in view.disagreements() {
            self.warn(match warning.hint {
                Some(hint) => format!("{}; {hint}", warning.message),
                None => warning.message,
            });
        }
        if let Err(error) = view.policy() {
            self.warn(error.to_string());
        }
        Ok(view)
    }

    pub(super) fn warn(&self, warning: String) {
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    pub(super) fn writer(&self) -> Writer {
        Writer::new(&self.paths)
    }

    /// Keeps what a writer has to say for the reply.
    pub(super) fn keep(&self, writer: Writer) {
        for warning in writer.warnings {
            self.warn(warning);
        }
    }

    /// Does what `action` asks for.
    pub fn call(&self, caller: &Caller, action: &Action, consent: Consent) -> Result<Reply, Error> {
        // A step that says yes has not asked anybody.
        let consent = if caller.can_confirm() { consent } else { Consent::None };
        let (output, revision) = match action {
            Action::ReviewReject(args) if args.message.is_some() => (self.resume(caller, action, consent)?, None),
            Action::Continue(_) => (self.resume(caller, action, consent)?, None),
            Action::Outcome(args) => (self.take_word(args)?, None),
            Action::PromptSet(args) if args.file.is_some() && args.text.is_none() => {
                let filled = prompt::filled(args, args.file.as_deref().unwrap_or_else(|| Path::new("-")))?;
                let (changes, revision) = self.change(caller, &[filled], None, consent)?;
                (Output::Changed { changes }, Some(revision))
            }
            Action::TemplateApply(args) if args.dry_run => {
                self.apply(caller, std::slice::from_ref(action), None, true, consent)?
            }
            action if action.is_change() => {
                let (changes, revision) = self.change(caller, std::slice::from_ref(action), None, consent)?;
                (Output::Changed { changes }, Some(revision))
            }
            Action::Apply(args) => {
                let actions = query::read_actions(&args.file)?;
                self.apply(caller, &actions, args.if_unchanged.as_deref(), args.dry_run, consent)?
            }
            Action::Undo(_) | Action::Redo(_) => {
                let (output, revision) = self.turn(caller, action, consent)?;
                (output, Some(revision))
            }
            Action::RunAll(_) | Action::RunRunnable(_) | Action::RunStep(_) | Action::RunGroup(_) | Action::RunFusion(_) => {
                let options = run_options(action).unwrap_or_default();
                if options.dry_run {
                    (Output::WouldRun(self.plan_run(action)?), None)
                } else {
                    let output = match self.ask(caller, action)? {
                        Some(output) => output,
                        None => match self.begin(caller, action, options.fail_fast, consent)? {
                            Some(Begun { run, is_attached: attached }) => {
                                Output::Started(Started { run: run.id, attached, steps: None })
                            }
                            None => Output::WouldRun(self.plan_run(action)?),
                        },
                    };
                    (output, None)
                }
            }
            Action::Restart(args) => (self.restart(caller, action, args, consent)?, None),
            Action::Stop(args) => (self.stop(caller, args)?, None),
            Action::Open(args) => (self.open(caller, action, args)?, None),
            Action::Extend(args) => (self.extend(caller, action, args, consent)?, None),
            Action::RunsPrune(args) => (self.prune(caller, action, args, consent)?, None),
            Action::PolicySetMode(args) => (self.set_mode(caller, action, args, consent)?, None),
            Action::Trust(_) => (self.trust(caller, action)?, None),
            Action::Wait(args) => (self.wait(caller, args)?, None),
            Action::RequestsApprove(args) => (self.approve(caller, action, args)?, None),
            Action::RequestsDeny(args) => (self.deny(caller, action, args)?, None),
            Action::Attach(args) => {
                let run = self.open_run(args.run.as_deref())?;
                self.launch(&run)?;
                (Output::Started(Started { run, attached: true, steps: None }), None)
            }
            Action::MprocsOpen(_)
            | Action::MprocsSelect(_)
            | Action::MprocsStart(_)
            | Action::MprocsStop(_)
            | Action::MprocsRestart(_)
            | Action::MprocsSendKey(_)
            | Action::MprocsClose(_) => (self.mprocs(caller, action, consent)?, None),
            query => self.query(query)?,
        };
        let next = next(action, &output);
        Ok(Reply { action: action.name(), revision, output, warnings: self.warnings.take(), next })
    }

    /// Warnings that have come up and were not part of a reply.
    pub fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    fn apply(
        &self,
        caller: &Caller,
        actions: &[Action],
        if_unchanged: Option<&str>,
        dry_run: bool,
        consent: Consent,
    ) -> Result<(Output, Option<String>), Error> {
        if dry_run {
            let preview = self.preview(caller, actions)?;
            return Ok((Output::Preview { changes: preview.changes, diff: preview.diff }, None));
        }
        let (changes, revision) = self.change(caller, actions, if_unchanged, consent)?;
        Ok((Output::Changed { changes }, Some(revision)))
    }

    pub(super) fn filled(&self, actions: &[Action]) -> Result<Vec<Action>, Error> {
        actions.iter().map(|action| super::template::filled(Some(&self.paths), action)).collect()
    }

    /// Changes the plan: all of `actions` or none. Returns what each did and the new revision.
    pub fn change(
        &self,
        caller: &Caller,
        actions: &[Action],
        if_unchanged: Option<&str>,
        consent: Consent,
    ) -> Result<(Vec<Changed>, String), Error> {
        let actions = &self.filled(actions)?;
        super::settle::repair_all(&self.paths)?;
        let mut writer = self.writer();
        let (changes, revision) = {
            let mut held = writer.lock()?;
            held.refresh_leases()?;
            held.settle(&Caller::system())?;
            if let Some(expected) = if_unchanged {
                let actual = held.view().sequence.revision();
                if actual != expected {
                    return Err(Error::RevisionChanged { expected: expected.into(), actual });
                }
            }
            // What cannot be done at all is not worth a question.
            let (tried, tries) = apply_all(held.view(), actions)?;
            held.expect_open(caller)?;
            let touched: Vec<Id> = tries.into_iter().flat_map(|change| change.ids).collect();
            for action in actions {
                grounds::check(held.view(), action)?;
                let checked = held.audited(caller, action, |held| {
                    orchestrator::check_nesting(held.view(), caller, &tried.sequence)?;
                    confirm::check(held.view(), caller, action, &confirm::describe(action, &[]), consent)
                });
                held.or_request(caller, checked, actions, &touched)?;
            }
            let signed = &orchestrator::signed(held.view(), caller, actions, &tried.sequence);
            let unconfirmed = held.unconfirmed()?;
            let (changes, prompts) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
            held.transact(|view, paths| {
                let (txn, mut made) = apply_all(view, signed)?;
                made.truncate(actions.len());
                *changes.borrow_mut() = made;
                *prompts.borrow_mut() = prompt::files(paths, view, &txn)?;
                let texts = prompts.borrow().iter().map(|file| (file.place.clone(), file.text.clone())).collect();
                let added = orchestrator::added(view, caller, &txn.sequence);
                let mut draft = Draft { files: texts, ..draft(caller, view, actions, txn) };
                draft.actions.clone_from(signed);
                draft.files.extend(added.map(|known| known.to_file()).transpose()?);
                request::close(&mut draft, caller, None)?;
                Ok(draft)
            })?;
            prompt::restore_modes(held.paths(), &prompts.take());
            held.confirm_own(caller, &unconfirmed)?;
            crate::store::pack(held.paths(), held.view().records.iter(), &held.view().damaged, None);
            (changes.take(), held.view().sequence.revision())
        };
        self.keep(writer);
        self.keep_panes();
        self.wake_runs()?;
        Ok((changes, revision))
    }
}

impl Held<'_> {
    /// Does something that the policy may deny; a denial is audited.
    pub(super) fn audited<T>(
        &mut self,
        caller: &Caller,
        action: &Action,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let result = work(self);
        if let Err(error @ Error::Denied { .. }) = &result {
            let mut entry = entry(caller, action.name(), action.target(), action.args());
            entry.result = "denied".into();
            entry.error = Some(error.to_string());
            self.log().append(entry, true)?;
        }
        result
    }
}

/// How a run action wants to be started and watched.
pub fn run_options(action: &Action) -> Option<crate::action::run::Options> {
    match action {
        Action::RunAll(args) => Some(args.options.clone()),
        Action::RunRunnable(args) => Some(args.options.clone()),
        Action::RunStep(args) => Some(args.options.clone()),
        Action::RunGroup(args) => Some(args.options.clone()),
        Action::RunFusion(args) => Some(args.options.clone()),
        Action::Restart(args) => Some(args.options.clone()),
        Action::Continue(args) => Some(args.options.clone()),
        Action::ReviewReject(args) => Some(args.options.clone()),
        _ => None,
    }
}

pub(super) fn apply_all(view: &View, actions: &[Action]) -> Result<(Txn, Vec<Changed>), Error> {
    let mut txn = Txn::new((*view.sequence).clone(), view.states());
    let mut changes = Vec::with_capacity(actions.len());
    for (at, action) in actions.iter().enumerate() {
        let change = action.change(&mut txn).unwrap_or_else(|| {
            Err(Error::ActionInvalid { action: "apply".into(), why: format!("`{}` does not change the plan", action.name()) })
        });
        changes.push(change.map_err(|error| match actions {
            [_] => error,
            _ => Error::Entries { wrong: vec![(at + 1, error)] },
        })?);
    }
    forget_namesakes(view, &mut txn);
    Ok((txn, changes))
}

/// A new step or gate must not inherit the record of an old one of the same name.
fn forget_namesakes(view: &View, txn: &mut Txn) {
    let fresh: Vec<_> =
        txn.sequence.ids().filter(|id| !view.sequence.contains(id.as_str()) && view.records.contains_key(*id)).cloned().collect();
    for id in fresh {
        if txn.decisions.iter().all(|(other, ..)| *other != id) {
            txn.decisions.push((id, Decision::Reset, None));
        }
    }
}

fn draft(caller: &Caller, view: &View, actions: &[Action], txn: Txn) -> Draft {
    let name = match actions {
        [one] => one.name(),
        _ => "apply",
    };
    let mut payload = match actions {
        [one] => prompt::audited(one, one.args()),
        many => json!({"actions": many.iter().map(|one| prompt::audited(one, one.to_entry())).collect::<Vec<_>>()}),
    };
    let target = match actions {
        [one] => one.target(),
        _ => None,
    };
    let waits = gate_waits(view, &txn);
    if let (Some(payload), false) = (payload.as_object_mut(), waits.is_empty()) {
        payload.insert(GATE_WAITS.into(), json!(waits));
    }
    let records = decision_records(caller, view, &txn);
    let after = (txn.sequence != *view.sequence).then_some(txn.sequence);
    Draft { entry: entry(caller, name, target, payload), after, actions: actions.to_vec(), records, ..Draft::default() }
}

/// How many milliseconds the gates waited that a change approves. Who approves ahead lets nobody wait.
fn gate_waits(view: &View, txn: &Txn) -> BTreeMap<Id, u64> {
    let approved = txn.decisions.iter().filter(|(_, decision, _)| *decision == Decision::Approved);
    let mut gates = approved.filter_map(|(id, ..)| Some((id, view.graph.find(id.as_str())?))).peekable();
    if gates.peek().is_none() {
        return BTreeMap::new();
    }
    let (ready, now) = (view.readiness(), clock::stamp());
    let wait =
        |at: usize| reached_at(view, at).filter(|_| ready.is_unhindered(at)).and_then(|since| clock::ms_between(&since, &now));
    gates.map(|(id, at)| (id.clone(), wait(at).unwrap_or(0))).collect()
}

/// The records that the decisions of a change make, the last one of each id.
pub(super) fn decision_records(caller: &Caller, view: &View, txn: &Txn) -> Vec<(Id, Vec<u8>)> {
    let mut records: Vec<(Id, Vec<u8>)> = Vec::new();
    for (id, decision, note) in &txn.decisions {
        records.retain(|(other, _)| other != id);
        let decided = Decided { decision: *decision, by: caller.name(), note: note.clone(), resume: None, at: clock::stamp() };
        // A review is about an execution, which stays known.
        let is_review = matches!(decision, Decision::Accept | Decision::Reject);
        let mut lines = view.records.get(id).filter(|_| is_review).map(Record::execution).unwrap_or_default();
        lines.extend(Line::Decision(decided).to_bytes());
        records.push((id.clone(), lines));
    }
    records
}

impl Engine {
    /// The warnings of a plan, for `validate` and `status`.
    pub(super) fn findings(view: &View) -> Vec<Warning> {
        let mut findings = view.warnings.clone();
        findings.extend(view.disagreements());
        findings.extend(super::agent::unknown(view));
        findings.extend(super::agent::unlimited(view));
        findings
    }

    /// Where a path of this project leads, for people.
    pub fn show_path(&self, path: &Path) -> String {
        self.paths.show(path).to_string()
    }
}
