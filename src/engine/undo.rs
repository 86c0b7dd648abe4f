//! Undo and redo of changes of the plan and its prompts. Each is one more change: outcomes, runs and what others
//! did since stay.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};

use super::{
    call::Engine,
    caller::{Actor, Caller, Consent},
    confirm,
    output::Output,
    prompt::{self, PromptFile},
    request,
    transact::{Draft, entry, repeat},
    view::View,
};
use crate::{
    action::{Access, Action, Changed, history},
    audit::{self, Entry},
    error::Error,
    model::{Graph, Id, Sequence, State, redo_on},
    store::{Paths, displaced, file, tx::Plan, yaml},
};

/// How far back the log is searched for changes, in entries.
const REACH: usize = 20_000;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Turn {
    Back,
    Again,
}

impl Turn {
    /// What was before and after a change as what is before and after the turn.
    fn order<T>(self, [before, after]: [T; 2]) -> [T; 2] {
        if self == Self::Back { [after, before] } else { [before, after] }
    }
}

/// The turn that an action asks for, and of which change.
fn asked(action: &Action) -> Option<(Turn, Option<u64>)> {
    match action {
        Action::Undo(args) => Some((Turn::Back, args.change)),
        Action::Redo(args) => Some((Turn::Again, args.change)),
        _ => None,
    }
}

impl Engine {
    /// Takes a change of the plan back, or makes it again.
    pub(super) fn turn(&self, caller: &Caller, action: &Action, consent: Consent) -> Result<(Output, String), Error> {
        let Some((turn, wanted)) = asked(action) else { return Err(Error::internal("neither undo nor redo")) };
        super::settle::repair_all(self.paths())?;
        let mut writer = self.writer();
        let (changed, revision) = {
            let mut held = writer.lock()?;
            held.refresh_leases()?;
            held.settle(&Caller::system())?;
            let (seq, what) = find(self.paths(), turn, wanted)?;
            // The number is part of what is done, whenever it is repeated.
            let action = match turn {
                Turn::Back => Action::Undo(history::Undo { change: Some(seq) }),
                Turn::Again => Action::Redo(history::Redo { change: Some(seq) }),
            };
            held.expect_open(caller)?;
            let checked = if caller.actor == Actor::Orchestrator {
                let word = if turn == Turn::Back { "taking back" } else { "making again" };
                let why = "what was changed before is for people to take back".into();
                Err(Error::ConfirmationRequired { what: format!("{word} change {seq}, {what},"), why })
            } else {
                held.audited(caller, &action, |held| {
                    confirm::check(held.view(), caller, &action, &confirm::describe(&action, &[]), consent)
                })
            };
            held.or_request(caller, checked, std::slice::from_ref(&action), &[])?;
            let turned = RefCell::new(Files::default());
            held.transact(|view, paths| {
                let change = Change::read(paths, turn, seq)?;
                let entry = entry(caller, action.name(), None, action.args());
                let mut draft = Draft { entry, actions: vec![action.clone()], ..Draft::default() };
                if change.plan.is_some() {
                    let after = change.make_on(&view.sequence)?;
                    refuse_running(view, &after)?;
                    Graph::build(&after).map_err(|error| Error::CannotTurn { seq, why: error.to_string() })?;
                    draft.nearer = change.merge_into(&view.text, &view.sequence, &paths.sequence());
                    draft.after = Some(after);
                }
                let files = change.files_on(paths)?;
                draft.files = files.placed.iter().map(|file| (file.place.clone(), file.text.clone())).collect();
                draft.removes.clone_from(&files.removed);
                request::close(&mut draft, caller, None)?;
                turned.replace(files);
                Ok(draft)
            })?;
            let turned = turned.take();
            prompt::restore_modes(held.paths(), &turned.placed);
            held.writer.warnings.extend(turned.kept.iter().map(|path| format!("{path} was changed since, so it stays as it is")));
            let (word, other) = match turn {
                Turn::Back => ("took back", "redo"),
                Turn::Again => ("made again", "undo"),
            };
            let changed = Changed::new(format!("{word} change {seq}: {what}"), []).then(format!("seqctl {other}"));
            (changed, held.view().sequence.revision())
        };
        self.keep(writer);
        self.keep_panes();
        self.wake_runs()?;
        Ok((Output::Changed { changes: vec![changed] }, revision))
    }
}

/// Does an undo or redo once more, on what somebody saved meanwhile. Nothing for another action.
pub(super) fn again(paths: &Paths, action: &Action, sequence: &Sequence) -> Option<Result<Sequence, Error>> {
    let (turn, seq) = asked(action)?;
    Some(Change::read(paths, turn, seq.unwrap_or_default()).and_then(|change| change.make_on(sequence)))
}

/// A change that is made or taken back.
struct Change {
    seq: u64,
    /// What it does to the plan, as text and as what that says; nothing where it wrote prompts alone.
    plan: Option<[(String, Sequence); 2]>,
    /// What it does to prompt files, by their place from `.threados/`.
    files: Vec<(PathBuf, [Option<Vec<u8>>; 2])>,
}

/// The prompt files of a change that is made or taken back.
#[derive(Default)]
struct Files {
    placed: Vec<PromptFile>,
    removed: Vec<PathBuf>,
    /// Those that somebody wrote to since.
    kept: Vec<String>,
}

impl Change {
    fn read(paths: &Paths, turn: Turn, seq: u64) -> Result<Self, Error> {
        let history = |ending: &str| paths.state("history").join(format!("{seq}.{ending}"));
        let forgotten = || Error::CannotTurn { seq, why: "it is not kept any more".into() };
        let plan = file::read_json::<Plan>(&history("json")).ok_or_else(forgotten)?;
        let mut files = Vec::new();
        for (at, place) in plan.files.iter().enumerate() {
            let kept = displaced::kept_file(paths, (seq, at))?;
            files.extend(kept.map(|kept| (place.clone(), turn.order([kept.before, kept.after]))));
        }
        let read = |bytes: Vec<u8>| {
            let says = yaml::parse(&bytes, &history("yaml"))?.sequence;
            Ok::<_, Error>((String::from_utf8(bytes).map_err(|_| forgotten())?, says))
        };
        let plan = match file::read_if_there(&history("yaml"))? {
            Some(before) => {
                let (after, _) = repeat(paths, &plan, &before)?;
                Some(turn.order([read(before)?, read(after)?]))
            }
            None if files.is_empty() => return Err(forgotten()),
            None => None,
        };
        Ok(Self { seq, plan, files })
    }

    /// The plan with the change.
    fn make_on(&self, ours: &Sequence) -> Result<Sequence, Error> {
        let Some([from, to]) = &self.plan else { return Ok(ours.clone()) };
        redo_on(ours, &from.1, &to.1).map_err(|what| self.refused(&format!("`{what}`")))
    }

    fn refused(&self, what: &str) -> Error {
        Error::CannotTurn { seq: self.seq, why: format!("{what} was changed since") }
    }

    /// What becomes of its prompt files. One that was written to since stays, or is a refusal where the change is
    /// about nothing else.
    fn files_on(&self, paths: &Paths) -> Result<Files, Error> {
        let mut files = Files::default();
        for (place, [from, to]) in &self.files {
            // As people write it: a prompt may lie beside `.threados/`.
            let path = place.strip_prefix("..").map_or_else(|_| paths.dir.join(place), |inner| paths.root.join(inner));
            match (file::read_if_there(&path)?, to) {
                (now, to) if now == *to => {}
                (now, Some(text)) if now == *from => files.placed.push(PromptFile::new(paths, place.clone(), text.clone())),
                (now, None) if now == *from => files.removed.push(place.clone()),
                _ if self.plan.is_some() => files.kept.push(paths.show(&path).to_string()),
                _ => return Err(self.refused(&paths.show(&path).to_string())),
            }
        }
        Ok(files)
    }

    /// The text with the change, where its lines and those of everything since do not meet: what it gives back
    /// comes with its comments.
    fn merge_into(&self, text: &str, ours: &Sequence, path: &Path) -> Option<(String, Sequence)> {
        // Outcomes since then would meet the lines beside them.
        let level = |(text, says): &(String, Sequence)| yaml::patch(text, says, &with_statuses_of(ours, says), path).ok();
        let [from, to] = self.plan.as_ref()?;
        let merged = diffy::merge(&level(from)?, text, &level(to)?).ok()?;
        let says = yaml::parse(merged.as_bytes(), path).ok()?.sequence;
        Some((merged, says))
    }
}

/// `plan` with the statuses that its steps and gates have in `ours`.
fn with_statuses_of(ours: &Sequence, plan: &Sequence) -> Sequence {
    let mut plan = plan.clone();
    for step in &mut plan.steps {
        step.status = ours.step(step.id.as_str()).map_or(step.status, |step| step.status);
    }
    for gate in &mut plan.gates {
        gate.status = ours.gate(gate.id.as_str()).map_or(gate.status, |gate| gate.status);
    }
    plan
}

fn refuse_running(view: &View, after: &Sequence) -> Result<(), Error> {
    let gone = view.sequence.steps.iter().enumerate().filter(|(_, step)| after.step(step.id.as_str()).is_none());
    match gone.filter(|(at, _)| view.state(*at) == State::Running).map(|(_, step)| &step.id).next() {
        Some(step) => Err(Error::StepRunning { step: Id::clone(step) }),
        None => Ok(()),
    }
}

/// The change that is meant, and what it was in words.
fn find(paths: &Paths, turn: Turn, wanted: Option<u64>) -> Result<(u64, String), Error> {
    let entries = audit::last_entries(&paths.audit(), REACH)?;
    let (mut done, mut undone): (Vec<&Entry>, Vec<&Entry>) = (Vec::new(), Vec::new());
    for entry in entries.iter().filter(|entry| entry.body.tx && entry.body.result == "ok") {
        let of = entry.body.payload.get("change").and_then(serde_json::Value::as_u64);
        let (from, to) = match entry.body.action.as_str() {
            "undo" => (&mut done, &mut undone),
            "redo" => (&mut undone, &mut done),
            _ => {
                if is_of_the_plan(paths, entry.seq) {
                    done.push(entry);
                    undone.clear();
                }
                continue;
            }
        };
        if let Some(at) = from.iter().position(|entry| Some(entry.seq) == of) {
            to.push(from.remove(at));
        }
    }
    let list = if turn == Turn::Back { &done } else { &undone };
    let found = match wanted {
        Some(seq) => list.iter().find(|entry| entry.seq == seq),
        None => list.last(),
    };
    let found = found.ok_or(match (wanted, turn) {
        (Some(seq), _) => Error::CannotTurn { seq, why: "it is no change of the plan that this could be done to".into() },
        (None, Turn::Back) => Error::NothingToTurn { what: "undo" },
        (None, Turn::Again) => Error::NothingToTurn { what: "redo" },
    })?;
    Ok((found.seq, words(found)))
}

/// Whether a change did something to the plan or to prompts, and both are still kept. Decisions are kept for a moment too,
/// for late saves, but what they did stands in the records.
fn is_of_the_plan(paths: &Paths, seq: u64) -> bool {
    let place = |ending: &str| paths.state("history").join(format!("{seq}.{ending}"));
    let is_change = |entry: &serde_json::Value| {
        Action::from_entry(entry.clone()).is_ok_and(|action| matches!(action.spec().access, Access::Change | Access::Destroy))
    };
    let is_kept = place("yaml").exists() || place("file-0.after").exists();
    is_kept && file::read_json::<Plan>(&place("json")).is_some_and(|plan| plan.actions.iter().any(is_change))
}

fn words(entry: &Entry) -> String {
    match &entry.body.target {
        Some(target) => format!("{} `{target}`", entry.body.action),
        None => entry.body.action.clone(),
    }
}
