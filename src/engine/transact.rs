//! One transaction: apply to a copy, stage, check that nobody saved meanwhile, append the audit
//! line, and do it.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    caller::Caller,
    view::{View, locate},
    writer::Held,
};
use crate::{
    action::{Access, Action, Txn},
    audit,
    error::Error,
    fault,
    model::{GateStatus, Graph, Id, Sequence, StepStatus},
    store::{
        FileId, Paths, Record, Stamp,
        displaced::Late,
        file, sha256,
        tx::{self, By, Plan, Texts},
        yaml::{self, Statuses},
    },
};

/// What a transaction shall do.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) entry: audit::Draft,
    /// The plan as it shall be; nothing where only statuses change.
    pub(super) after: Option<Sequence>,
    /// A text that is nearer to it than the file, comments and all, and what that says.
    pub(super) nearer: Option<(String, Sequence)>,
    /// The actions that make it so.
    pub(super) actions: Vec<Action>,
    /// New records, as their lines.
    pub(super) records: Vec<(Id, Vec<u8>)>,
    /// Leases to commit.
    pub(super) leases: Vec<(Id, String)>,
    /// Stop requests to make.
    pub(super) stops: Vec<(Id, crate::runner::StopRequest)>,
    /// Files to place, relative to `.threados/`.
    pub(super) files: Vec<(std::path::PathBuf, Vec<u8>)>,
    /// Files to take away, relative to `.threados/`.
    pub(super) removes: Vec<std::path::PathBuf>,
    /// Runs to open.
    pub(super) opens: Vec<String>,
}

/// An entry by `caller` that went well.
pub(super) fn entry(caller: &Caller, action: &str, target: Option<String>, mut payload: Value) -> audit::Draft {
    if let (Some(request), Some(facts)) = (&caller.request, payload.as_object_mut()) {
        facts.insert("request".into(), request.id.clone().into());
        facts.insert("askedBy".into(), format!("orchestrator `{}`", request.step).into());
    }
    audit::Draft {
        actor: caller.actor.as_str().into(),
        via: caller.via(),
        action: action.into(),
        target,
        result: "ok".into(),
        payload: audit::redact(payload),
        ..audit::Draft::default()
    }
}

/// The new text of a transaction, and what it does to the view.
struct NewText {
    text: String,
    sha: String,
    /// What it says of the steps and gates whose status changes.
    statuses: Vec<(Id, Option<String>)>,
    /// Where its statuses stand, if nothing else changes.
    slots: Option<Statuses>,
}

impl Held<'_> {
    /// Commits what `build` makes of the view. It is asked again if somebody saves meanwhile.
    /// Returns the number of the transaction.
    pub(super) fn transact(&mut self, build: impl Fn(&View, &Paths) -> Result<Draft, Error>) -> Result<u64, Error> {
        self.take_late_saves()?;
        loop {
            let draft = build(self.view(), self.paths())?;
            let seq = self.log().seq() + 1;
            let (plan, texts, new) = self.prepare(&draft)?;
            let sync = true;
            if let Err(error) = tx::stage(self.paths(), seq, &plan, &texts, sync) {
                tx::discard(self.paths(), seq)?;
                return Err(error);
            }
            fault::point("tx.before_check");
            if FileId::of(&self.paths().sequence()) != Some(self.view().id) {
                tx::discard(self.paths(), seq)?;
                self.reload()?;
                continue;
            }
            let entry = self.entry_for(&draft, &plan);
            if let Err(error) = self.log().append(entry, sync) {
                tx::discard(self.paths(), seq)?;
                return Err(error);
            }
            fault::point("tx.committed");
            let paths = self.paths().clone();
            let finished = match tx::finish(&paths, seq, By::Committer, &|plan, theirs| repeat(&paths, plan, theirs)) {
                Ok(finished) => finished,
                Err(error) => {
                    // It is committed, and whoever locks next, we too, has to finish it first.
                    self.writer.log = None;
                    self.writer.view = None;
                    return Err(error);
                }
            };
            self.writer.warnings.extend(finished.warnings);
            if let Some((place, why)) = finished.conflict {
                self.writer.view = None;
                return Err(Error::SaveConflict { place, why });
            }
            if finished.merged {
                self.reload()?;
            } else {
                self.absorb(&draft, new)?;
            }
            return Ok(seq);
        }
    }

    fn entry_for(&self, draft: &Draft, plan: &Plan) -> audit::Draft {
        let view = self.view();
        audit::Draft {
            tx: true,
            pre_sha: Some(view.sha.clone()),
            post_sha: Some(plan.post_sha.clone().unwrap_or_else(|| view.sha.clone())),
            policy_mode: view.policy().ok().map(|policy| policy.mode.as_str().to_owned()),
            ..draft.entry.clone()
        }
    }

    fn prepare(&self, draft: &Draft) -> Result<(Plan, Texts, Option<NewText>), Error> {
        let new = self.new_text(draft)?;
        let mut plan = Plan {
            v: 1,
            actions: draft.actions.iter().map(Action::to_entry).collect(),
            records: draft.records.iter().map(|(id, _)| id.clone()).collect(),
            leases: draft.leases.clone(),
            files: draft.files.iter().map(|(path, _)| path.clone()).collect(),
            removes: draft.removes.clone(),
            opens: draft.opens.clone(),
            keep: draft.after.is_some(),
            ..Plan::default()
        };
        for (step, request) in &draft.stops {
            plan.stops.push((step.clone(), serde_json::to_value(request).map_err(|error| Error::internal(error.to_string()))?));
        }
        let mut texts = Texts {
            sequence: None,
            records: draft.records.iter().map(|(_, bytes)| bytes.clone()).collect(),
            files: draft.files.iter().map(|(_, bytes)| bytes.clone()).collect(),
        };
        if let Some(new) = &new {
            plan.pre_sha = Some(self.view().sha.clone());
            plan.post_sha = Some(new.sha.clone());
            plan.statuses.clone_from(&new.statuses);
            texts.sequence = Some(new.text.clone().into_bytes());
        }
        Ok((plan, texts, new))
    }

    /// The text after the transaction; nothing where it stays as it is.
    fn new_text(&self, draft: &Draft) -> Result<Option<NewText>, Error> {
        let view = self.view();
        let path = self.paths().sequence();
        let wanted = wanted_statuses(self.paths(), view, draft)?;
        let statuses: Vec<(Id, Option<String>)> =
            wanted.iter().map(|(id, status)| (id.clone(), status.map(str::to_owned))).collect();
        let mut slots = None;
        let text = match &draft.after {
            Some(after) => {
                let mut after = after.clone();
                set_statuses(&mut after, &statuses);
                if after == *view.sequence {
                    return Ok(None);
                }
                // Checked before anything is staged, with the lines of the file as it is.
                Graph::build(&after).map_err(|error| locate(error, &path, &view.lines))?;
                match &draft.nearer {
                    Some((text, says)) => yaml::patch(text, says, &after, &path)?,
                    None => yaml::patch(&view.text, &view.sequence, &after, &path)?,
                }
            }
            None if wanted.is_empty() => return Ok(None),
            None => {
                let changes: Vec<_> =
                    wanted.iter().filter_map(|(id, status)| Some((view.graph.find(id.as_str())?, *status))).collect();
                let mut text = view.text.clone();
                let places = slots.insert(view.statuses.clone().map_or_else(|| Statuses::find(&text, &path), Ok)?);
                places.set(&mut text, &changes)?;
                text
            }
        };
        if text == view.text {
            return Ok(None);
        }
        Ok(Some(NewText { sha: sha256(text.as_bytes()), text, statuses, slots }))
    }

    /// Brings the view to where the transaction led, without reading it again.
    fn absorb(&mut self, draft: &Draft, new: Option<NewText>) -> Result<(), Error> {
        let path = self.paths().sequence();
        if draft.after.is_some() {
            return self.reload();
        }
        let stamp = Stamp::read(self.paths());
        let view = self.view_mut();
        let is_new =
            |id: &Id| draft.records.iter().any(|(other, _)| other == id) || draft.leases.iter().any(|(other, _)| other == id);
        view.damaged.retain(|id| !is_new(id));
        for (id, bytes) in &draft.records {
            view.records.insert(id.clone(), Record::parse(bytes));
        }
        for (id, _) in &draft.leases {
            if let Some(lease) = view.leases.remove(id) {
                view.records.insert(id.clone(), lease.record);
            }
        }
        let Some(new) = new else { return Ok(()) };
        (view.text, view.sha, view.statuses) = (new.text, new.sha, new.slots);
        set_statuses(std::sync::Arc::make_mut(&mut view.sequence), &new.statuses);
        match stamp {
            Some(stamp) if stamp.sha == view.sha => {
                view.id = stamp.id;
                view.is_stamped = true;
                Ok(())
            }
            _ if FileId::of(&path).is_some() => self.reload(),
            _ => Ok(()),
        }
    }
}

/// The statuses that the file shall have after the transaction and does not have now.
fn wanted_statuses(paths: &Paths, view: &View, draft: &Draft) -> Result<Vec<(Id, Option<&'static str>)>, Error> {
    if !view.config.status_in_file {
        return Ok(Vec::new());
    }
    let mut wanted: HashMap<Id, Option<&'static str>> = HashMap::new();
    if !view.is_stamped {
        wanted.extend(view.projection().into_iter().map(|(at, status)| (view.id_of(at).clone(), status)));
    }
    for (id, nonce) in &draft.leases {
        let record = match view.leases.get(id) {
            Some(lease) if lease.record.nonce() == Some(nonce) => Some(lease.record.clone()),
            _ => Record::read(&paths.lease(id.as_str()))?,
        };
        if let Some(exit) = record.and_then(|record| record.exit) {
            // A step that waits for the end of a usage limit has no outcome yet.
            wanted.insert(id.clone(), exit.outcome.until.is_none().then(|| exit.outcome.status.as_str()));
        }
    }
    for (id, bytes) in &draft.records {
        let record = Record::parse(bytes);
        let status = match record.gate_status() {
            Some(status) => Some(status.as_str()),
            None => match record.step_state() {
                crate::model::State::Ended(status) => Some(status.as_str()),
                _ => None,
            },
        };
        wanted.insert(id.clone(), status);
    }
    let sequence = draft.after.as_ref().unwrap_or(&view.sequence);
    let mut list = Vec::new();
    for step in &sequence.steps {
        if let Some(status) = wanted.get(&step.id)
            && *status != step.status.map(StepStatus::as_str)
            && (status.is_some() || step.status.is_some_and(|status| status.is_outcome() || status == StepStatus::Running))
        {
            list.push((step.id.clone(), *status));
        }
    }
    for gate in &sequence.gates {
        if let Some(status) = wanted.get(&gate.id)
            && status.and_then(GateStatus::parse).unwrap_or_default() != gate.status.unwrap_or_default()
        {
            list.push((gate.id.clone(), *status));
        }
    }
    Ok(list)
}

fn set_statuses(sequence: &mut Sequence, statuses: &[(Id, Option<String>)]) {
    let wanted: HashMap<&Id, Option<&str>> = statuses.iter().map(|(id, status)| (id, status.as_deref())).collect();
    for step in &mut sequence.steps {
        if let Some(status) = wanted.get(&step.id) {
            step.status = status.and_then(StepStatus::parse);
        }
    }
    for gate in &mut sequence.gates {
        if let Some(status) = wanted.get(&gate.id) {
            gate.status = status.and_then(GateStatus::parse);
        }
    }
}

/// Repeats a committed transaction on what somebody saved in between: keys are theirs, the change
/// and the outcomes are ours.
pub(super) fn repeat(paths: &Paths, plan: &Plan, theirs: &[u8]) -> Result<(Vec<u8>, Vec<String>), Error> {
    let path = paths.sequence();
    let parsed = yaml::parse(theirs, &path)?;
    let text = std::str::from_utf8(theirs).map_err(|_| Error::FileUnusable { path: path.clone(), why: "is not UTF-8".into() })?;
    let mut txn = Txn::new(parsed.sequence.clone(), HashMap::new());
    for entry in &plan.actions {
        let action = Action::from_entry(entry.clone())?;
        // Decisions have their effect through records and statuses.
        if matches!(action.spec().access, Access::Change | Access::Destroy)
            && let Some(result) = action.change(&mut txn)
        {
            result?;
        } else if let Some(turned) = super::undo::again(paths, &action, &txn.sequence) {
            txn.sequence = turned?;
        }
    }
    set_statuses(&mut txn.sequence, &plan.statuses);
    Graph::build(&txn.sequence)?;
    let merged = yaml::patch(text, &parsed.sequence, &txn.sequence, &path)?;
    let warning = "somebody saved sequence.yaml at the same moment; both changes are in it".to_owned();
    Ok((merged.into_bytes(), vec![warning]))
}

/// Merges what an editor wrote into a displaced text: theirs, with every change since.
pub(super) fn merge_late(held: &mut Held<'_>, late: &Late) -> Result<(), Error> {
    let paths = held.paths().clone();
    let path = paths.sequence();
    let last = held.log().seq();
    let mut bytes = late.bytes.clone();
    yaml::parse(&bytes, &path)?;
    for seq in late.seq..=last {
        if let Some(plan) = file::read_json::<Plan>(&paths.state("history").join(format!("{seq}.json"))) {
            bytes = repeat(&paths, &plan, &bytes)?.0;
        }
    }
    let parsed = yaml::parse(&bytes, &path)?;
    Graph::build(&parsed.sequence).map_err(|error| locate(error, &path, &parsed.lines))?;
    let text = String::from_utf8(bytes).map_err(|_| Error::FileUnusable { path: path.clone(), why: "is not UTF-8".into() })?;
    let seq = last + 1;
    let view = held.view();
    let mut merged = parsed.sequence.clone();
    let statuses: Vec<_> = view
        .sequence
        .ids()
        .enumerate()
        .filter(|(_, id)| view.records.contains_key(*id))
        .map(|(at, id)| (id.clone(), status_word(view, at).map(str::to_owned)))
        .collect();
    set_statuses(&mut merged, &statuses);
    let text = yaml::patch(&text, &parsed.sequence, &merged, &path)?;
    let plan = Plan {
        v: 1,
        pre_sha: Some(view.sha.clone()),
        post_sha: Some(sha256(text.as_bytes())),
        statuses,
        keep: true,
        ..Plan::default()
    };
    let mut entry = entry(&Caller::system(), "merge", None, json!({"displacedBy": late.seq}));
    (entry.tx, entry.pre_sha, entry.post_sha) = (true, plan.pre_sha.clone(), plan.post_sha.clone());
    tx::stage(&paths, seq, &plan, &Texts { sequence: Some(text.into_bytes()), ..Texts::default() }, true)?;
    held.log().append(entry, true)?;
    tx::finish(&paths, seq, By::Committer, &|plan, theirs| repeat(&paths, plan, theirs))?;
    held.reload()
}

fn status_word(view: &View, at: usize) -> Option<&'static str> {
    match view.state(at) {
        crate::model::State::Ended(status) => Some(status.as_str()),
        crate::model::State::Gate(status) => Some(status.as_str()),
        crate::model::State::Idle | crate::model::State::Running => None,
    }
}
