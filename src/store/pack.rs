//! All records in one file, so that a look at a project need not open thousands. It is believed only while it cannot be
//! stale.
//!
//! Records come and go by renames, each of which gives their folder a new time. Clocks of file systems are coarse, so a
//! pack that was written soon after the last change counts only until the audit log grows: a change has its line there
//! before its record is placed.

use std::{
    collections::HashMap,
    fs,
    io::{BufWriter, Write as _},
    os::unix::fs::MetadataExt as _,
    sync::Arc,
};

use compact_str::CompactString;
use serde::{Deserialize, Serialize, Serializer};

use super::{Claim, Decided, Exit, Machine, Paths, Record, Records, file};
use crate::{
    clock,
    error::Error,
    model::{Id, Outcome, Reason, Sha, StepStatus},
};

/// Fewer records are read one by one. Tests hold each pack against the records.
const WORTH_IT: usize = if cfg!(debug_assertions) { 1 } else { 64 };

/// How old the last change has to be for its time to be told from that of a later one, in nanoseconds. No file system
/// that locks has a coarser clock.
const SETTLED: i128 = 100_000_000;

/// What a pack was made of.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct State {
    folder: (u64, i128),
    log: (u64, u64),
}

impl State {
    fn now(paths: &Paths) -> Option<Self> {
        let folder = fs::metadata(paths.state("last")).ok()?;
        let log = fs::metadata(paths.audit()).ok()?;
        let time = i128::from(folder.mtime()) * 1_000_000_000 + i128::from(folder.mtime_nsec());
        Some(Self { folder: (folder.ino(), time), log: (log.ino(), log.len()) })
    }
}

/// What the records say of a plan, so that nobody has to work it out who finds just these in both. It holds for the plan's
/// very text, and says nothing of steps whose prompt is a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KnownPlan {
    /// SHA-256 of sequence.yaml.
    pub sha: String,
    /// Its revision.
    pub revision: String,
    /// The steps that are defined in another way than when they ended.
    pub changed: Vec<Id>,
}

/// `R` is [`Row`]s to read, or [`Rows`] to write.
#[derive(Deserialize, Serialize)]
struct Pack<R> {
    v: u8,
    state: State,
    is_settled: bool,
    #[serde(default)]
    plan: Option<KnownPlan>,
    machines: Vec<Arc<Machine>>,
    records: R,
    damaged: Vec<Id>,
}

/// A record without the names of its fields.
#[derive(Deserialize)]
struct Row(Id, Option<ClaimRow>, Option<(u32, u64)>, Option<(u32, u32)>, Option<ExitRow>, Option<Decided>);

/// Run, nonce, attempt, definition, slots, machine, project, watched claim, time.
#[derive(Deserialize)]
struct ClaimRow(CompactString, CompactString, u32, Sha, u32, usize, u64, Option<String>, CompactString);

/// Attempt, status, reason, code, signal, note, milliseconds, time, until.
#[derive(Deserialize)]
struct ExitRow(
    u32,
    StepStatus,
    Option<Reason>,
    Option<i32>,
    Option<i32>,
    Option<String>,
    u64,
    CompactString,
    #[serde(default)] Option<String>,
);

/// The records, if they are packed and nothing can have changed since.
pub(super) fn read(paths: &Paths) -> Option<Records> {
    let now = State::now(paths)?;
    let pack: Pack<Vec<Row>> = file::read_json(&paths.state("records"))?;
    let is_current = pack.v == 1 && pack.state.folder == now.folder && (pack.is_settled || pack.state.log == now.log);
    is_current.then(|| pack.unpack()).flatten()
}

/// Packs the records of a project, of which these are all, with what they say of its plan where `plan` gives the plan's
/// SHA-256 and the way to find out. Only under the project lock, with no transaction pending.
///
/// Nobody depends on it, so a failure is none.
pub fn pack<'a>(
    paths: &Paths,
    records: impl ExactSizeIterator<Item = (&'a Id, &'a Record)> + Clone,
    damaged: &[Id],
    plan: Option<(&str, &dyn Fn() -> KnownPlan)>,
) {
    if records.len() < WORTH_IT || is_lasting(paths, plan.map(|(sha, _)| sha)) {
        return;
    }
    let Some(state) = State::now(paths) else { return };
    let is_settled = i128::from(clock::now().as_millisecond()) * 1_000_000 - state.folder.1 > SETTLED;
    let mut machines: Vec<Arc<Machine>> = Vec::new();
    for claim in records.clone().filter_map(|(_, record)| record.claim.as_ref()) {
        if !machines.contains(&claim.machine) {
            machines.push(claim.machine.clone());
        }
    }
    let rows = Rows { records, machines: machines.clone() };
    let plan = plan.map(|(_, know)| know());
    let pack = Pack { v: 1, state, is_settled, plan, machines, records: rows, damaged: damaged.to_vec() };
    let _: Result<(), Error> = file::replace_with(&paths.state("records"), |file| {
        let mut out = BufWriter::new(file);
        serde_json::to_writer(&mut out, &pack)?;
        out.flush()
    });
}

/// Whether the pack there is will count until the records change, and knows this plan.
fn is_lasting(paths: &Paths, plan: Option<&str>) -> bool {
    #[derive(Deserialize)]
    struct Head {
        state: State,
        is_settled: bool,
        #[serde(default)]
        plan: Option<KnownPlan>,
    }
    let Some(head) = file::read_json::<Head>(&paths.state("records")) else { return false };
    let is_known = plan.is_none_or(|sha| head.plan.is_some_and(|known| known.sha == sha));
    is_known && head.is_settled && State::now(paths).is_some_and(|now| now.folder == head.state.folder)
}

/// Records as [`Row`]s, each made when it is written: all of them at once would be the most a runner ever has in memory.
struct Rows<I> {
    records: I,
    machines: Vec<Arc<Machine>>,
}

impl<'a, I: Iterator<Item = (&'a Id, &'a Record)> + Clone> Serialize for Rows<I> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.records.clone().map(|(id, record)| {
            let claim = record.claim.as_ref().map(|claim| {
                let Claim { step: _, run, nonce, attempt, defhash, slots, machine, inode, watches, at } = &**claim;
                let machine = self.machines.iter().position(|known| known == machine);
                (run, nonce, attempt, defhash, slots, machine, inode, watches, at)
            });
            let exit = record.exit.as_ref().map(|exit| {
                let Exit { attempt, outcome: Outcome { status, reason, code, signal, note, until }, ms, at } = &**exit;
                (attempt, status, reason, code, signal, note, ms, at, until)
            });
            (id, claim, record.supervisor, record.child, exit, &record.decision)
        }))
    }
}

impl Pack<Vec<Row>> {
    fn unpack(self) -> Option<Records> {
        let mut known = HashMap::with_capacity(self.records.len());
        for Row(id, claim, supervisor, child, exit, decision) in self.records {
            let claim = match claim {
                None => None,
                Some(ClaimRow(run, nonce, attempt, defhash, slots, machine, inode, watches, at)) => {
                    let machine = self.machines.get(machine)?.clone();
                    Some(Box::new(Claim { step: id.clone(), run, nonce, attempt, defhash, slots, machine, inode, watches, at }))
                }
            };
            let exit = exit.map(|ExitRow(attempt, status, reason, code, signal, note, ms, at, until)| {
                let outcome = Outcome { status, reason, code, signal, note, until };
                Box::new(Exit { attempt, outcome, ms, at })
            });
            known.insert(id, Record { claim, supervisor, child, began: None, exit, decision: decision.map(Box::new) });
        }
        Some(Records { known, damaged: self.damaged, plan: self.plan })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Decision, store::Line};

    fn project() -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path());
        paths.make_folders().unwrap();
        fs::write(paths.audit(), "").unwrap();
        (folder, paths)
    }

    fn place(paths: &Paths, id: &str) -> HashMap<Id, Record> {
        let decided =
            Decided { decision: Decision::Skip, by: "user".into(), note: Some("why".into()), resume: None, at: clock::stamp() };
        let bytes = Line::Decision(decided).to_bytes();
        file::replace(&paths.last(id), &bytes).unwrap();
        HashMap::from([(id.parse().unwrap(), Record::parse(&bytes))])
    }

    #[test]
    fn a_pack_is_what_it_was_made_of() {
        let (_folder, paths) = project();
        let mut records = place(&paths, "a");
        let claim = r#"{"v":1,"t":"claim","step":"a","run":"r","nonce":"n","attempt":1,"defhash":"","slots":1,"host":"h","boot":"b","pidns":1,"uid":0,"inode":1,"at":"2026-11-22T06:48:00.000Z"}"#;
        let exit = r#"{"v":1,"t":"exit","attempt":2,"status":"FAILED","reason":"exit","code":3,"note":"x","until":"2026-11-22T09:00:00.000Z","ms":5,"at":"2026-11-22T06:48:01.000Z"}"#;
        let child = r#"{"v":1,"t":"child","pid":7,"attempt":2}"#;
        let record = Record::parse(format!("{claim}\n{child}\n{exit}\n").as_bytes());
        assert!(record.claim.is_some() && record.exit.is_some());
        records.insert("a".parse().unwrap(), record);
        pack(&paths, records.iter(), &["z".parse().unwrap()], None);
        let read = read(&paths).unwrap();
        assert_eq!((read.known, read.damaged), (records, vec!["z".parse().unwrap()]));
    }

    #[test]
    fn it_counts_until_something_changes() {
        let (_folder, paths) = project();
        let records = place(&paths, "a");
        assert!(read(&paths).is_none());
        pack(&paths, records.iter(), &[], None);
        assert!(read(&paths).is_some());
        fs::write(paths.audit(), "x").unwrap();
        assert!(read(&paths).is_none(), "its time could be that of a change since");
        pack(&paths, records.iter(), &[], None);
        assert!(read(&paths).is_some());
        fs::write(paths.state("records"), "{").unwrap();
        assert!(read(&paths).is_none());
    }

    #[test]
    fn a_pack_that_lasts_is_made_anew_for_another_plan() {
        let (_folder, paths) = project();
        let records = place(&paths, "a");
        let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_hours(24);
        fs::File::open(paths.state("last")).unwrap().set_modified(long_ago).unwrap();
        let known = |sha: &str| KnownPlan { sha: sha.into(), revision: "r".into(), changed: vec!["a".parse().unwrap()] };
        let plan = || read(&paths).unwrap().plan;
        pack(&paths, records.iter(), &[], Some(("one", &|| known("one"))));
        assert_eq!(plan(), Some(known("one")));
        pack(&paths, records.iter(), &[], Some(("one", &|| unreachable!("it lasts"))));
        pack(&paths, records.iter(), &[], None);
        assert_eq!(plan(), Some(known("one")));
        pack(&paths, records.iter(), &[], Some(("two", &|| known("two"))));
        assert_eq!(plan(), Some(known("two")));
    }
}
