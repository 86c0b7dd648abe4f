//! What is known of one execution or decision, as the JSON lines of a lease and of its record.

use std::{collections::HashMap, path::Path, sync::Arc};

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::{Machine, Paths, file};
use crate::{
    clock,
    error::Error,
    model::{Decision, GateStatus, Id, Outcome, Reason, Sha, State, StepStatus, Usage},
};

/// The first line of a lease: who may run what. Whoever looks at a project has one for every step, so its short words need no
/// memory of their own.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(from = "FlatClaim")]
pub struct Claim {
    /// The step.
    pub step: Id,
    /// The run it belongs to.
    pub run: CompactString,
    /// Names this claim for good.
    pub nonce: CompactString,
    /// The number of its first attempt.
    pub attempt: u32,
    /// What was to be run: SHA-256 of the definition.
    pub defhash: Sha,
    /// How many of `max_concurrent` it takes.
    pub slots: u32,
    /// Where it was made.
    #[serde(flatten)]
    pub machine: Arc<Machine>,
    /// The inode of `.threados`: a copied project is another one.
    pub inode: u64,
    /// The claim that a watchdog watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watches: Option<String>,
    /// RFC 3339.
    pub at: CompactString,
}

/// The end of one attempt.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(from = "FlatExit")]
pub struct Exit {
    /// Which attempt.
    pub attempt: u32,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// RFC 3339.
    pub at: CompactString,
}

/// A claim as it is read. Every look at a project reads thousands, and a flattened field would make serde keep all of
/// the line before it knows what it is.
#[derive(Deserialize)]
struct FlatClaim {
    step: Id,
    run: CompactString,
    nonce: CompactString,
    attempt: u32,
    defhash: Sha,
    slots: u32,
    host: String,
    boot: String,
    pidns: u64,
    uid: u32,
    inode: u64,
    #[serde(default)]
    watches: Option<String>,
    at: CompactString,
}

impl From<FlatClaim> for Claim {
    fn from(flat: FlatClaim) -> Self {
        let FlatClaim { step, run, nonce, attempt, defhash, slots, host, boot, pidns, uid, inode, watches, at } = flat;
        Self {
            step,
            run,
            nonce,
            attempt,
            defhash,
            slots,
            machine: Machine { host, boot, pidns, uid }.shared(),
            inode,
            watches,
            at,
        }
    }
}

/// An end as it is read; see [`FlatClaim`].
#[derive(Deserialize)]
struct FlatExit {
    attempt: u32,
    status: StepStatus,
    #[serde(default)]
    reason: Option<Reason>,
    #[serde(default)]
    code: Option<i32>,
    #[serde(default)]
    signal: Option<i32>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    until: Option<String>,
    ms: u64,
    at: CompactString,
}

impl From<FlatExit> for Exit {
    fn from(flat: FlatExit) -> Self {
        let FlatExit { attempt, status, reason, code, signal, note, until, ms, at } = flat;
        Self { attempt, outcome: Outcome { status, reason, code, signal, note, until }, ms, at }
    }
}

impl Exit {
    /// When the attempt began; RFC 3339.
    pub fn began(&self) -> String {
        let took = i64::try_from(self.ms).map(jiff::SignedDuration::from_millis).ok();
        let end = self.at.parse::<jiff::Timestamp>().ok();
        end.zip(took).and_then(|(end, took)| end.checked_sub(took).ok()).map_or_else(|| self.at.to_string(), clock::rfc3339)
    }
}

/// An agent's session that is taken up again.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Resume {
    /// Its id; of a fan-out each worker has one of its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub session: String,
    /// What the agent is told.
    pub message: String,
    /// What the session has taken so far, where its agent goes on counting from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Usage>,
    /// Those of the workers of a fan-out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workers: Vec<WorkerSession>,
}

/// The session of a worker of a fan-out that is taken up again.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct WorkerSession {
    /// Its number.
    pub worker: u32,
    /// The session's id.
    pub session: String,
    /// What the session has taken so far, where its agent goes on counting from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Usage>,
}

/// What a person decided, when and why.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Decided {
    /// What was decided.
    pub decision: Decision,
    /// By whom.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The agent's session that the step is to go on with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
    /// RFC 3339.
    pub at: String,
}

/// One line of a lease or record.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Line {
    /// The claim; always first in a lease.
    Claim(Claim),
    /// The supervisor is up.
    Supervisor {
        /// Its pid.
        pid: u32,
        /// When it began ([`super::start_of`]).
        start: u64,
    },
    /// User code is about to run.
    Child {
        /// Its pid, which is its process group too.
        pid: u32,
        /// Which attempt it is.
        attempt: u32,
        /// When; RFC 3339.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    /// An attempt ended.
    Exit(Exit),
    /// A person decided.
    Decision(Decided),
}

/// The lines that name a process.
#[derive(Deserialize)]
struct Process {
    pid: u32,
    #[serde(default)]
    start: u64,
    #[serde(default)]
    attempt: u32,
    #[serde(default)]
    at: Option<String>,
}

impl Line {
    /// The line with its newline, ready for one write.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = b"{\"v\":1,".to_vec();
        let body = serde_json::to_vec(self).expect("a line has no map with other keys than strings");
        bytes.extend_from_slice(&body[1..]);
        bytes.push(b'\n');
        bytes
    }

    /// The line in `bytes`, without its newline. A line that begins as we write it is not searched for its tag first, which
    /// would cost as much again.
    fn parse(bytes: &[u8]) -> serde_json::Result<Self> {
        let tag = bytes.strip_prefix(br#"{"v":1,"t":""#).and_then(|rest| rest.split(|&byte| byte == b'"').next());
        match tag {
            Some(b"supervisor") => {
                serde_json::from_slice(bytes).map(|Process { pid, start, .. }: Process| Self::Supervisor { pid, start })
            }
            Some(b"child") => {
                serde_json::from_slice(bytes).map(|Process { pid, attempt, at, .. }: Process| Self::Child { pid, attempt, at })
            }
            Some(b"claim") => serde_json::from_slice(bytes).map(Self::Claim),
            Some(b"exit") => serde_json::from_slice(bytes).map(Self::Exit),
            Some(b"decision") => serde_json::from_slice(bytes).map(Self::Decision),
            _ => serde_json::from_slice(bytes),
        }
    }
}

/// The lines of a lease or record, folded. It is small: a runner keeps one for every step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Who may run what.
    pub claim: Option<Box<Claim>>,
    /// The supervisor's pid and start.
    pub supervisor: Option<(u32, u64)>,
    /// The last child's pid and attempt.
    pub child: Option<(u32, u32)>,
    /// When that child began, as long as nobody saw its end; RFC 3339.
    pub began: Option<Box<str>>,
    /// The last attempt's end.
    pub exit: Option<Box<Exit>>,
    /// The last decision.
    pub decision: Option<Box<Decided>>,
}

impl Record {
    /// The record in `bytes`. A last line without its newline is not there yet.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut record = Self::default();
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        for line in bytes[..whole].split(|&byte| byte == b'\n') {
            match Line::parse(line.trim_ascii()) {
                // The run names a folder.
                Ok(Line::Claim(claim)) if claim.run.contains(['/', '.']) => {}
                Ok(Line::Claim(claim)) => record.claim = Some(Box::new(claim)),
                Ok(Line::Supervisor { pid, start }) => record.supervisor = Some((pid, start)),
                Ok(Line::Child { pid, attempt, at }) => {
                    (record.child, record.began) = (Some((pid, attempt)), at.map(String::into_boxed_str));
                }
                Ok(Line::Exit(exit)) => (record.exit, record.began) = (Some(Box::new(exit)), None),
                Ok(Line::Decision(decision)) => record.decision = Some(Box::new(decision)),
                Err(_) => {}
            }
        }
        record
    }

    /// The record in a file, or nothing where there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, Error> {
        Ok(file::read_if_there(path)?.map(|bytes| Self::parse(&bytes)))
    }

    /// Whether it says how something ended or what was decided, as every record of an end does.
    pub const fn is_whole(&self) -> bool {
        self.exit.is_some() || self.decision.is_some()
    }

    /// What it says of a step, with no regard to whether somebody still holds it.
    pub fn step_state(&self) -> State {
        match (self.decision.as_deref(), &self.exit) {
            (Some(Decided { decision: Decision::Skip | Decision::Accept, .. }), _) => State::Ended(StepStatus::Done),
            (Some(Decided { decision: Decision::Reject, .. }), _) => State::Ended(StepStatus::Failed),
            (Some(_), _) | (None, None) => State::Idle,
            (None, Some(exit)) if exit.outcome.until.is_some() => State::Idle,
            (None, Some(exit)) => State::Ended(exit.outcome.status),
        }
    }

    /// Its last attempt's end, if it met a usage limit and the step goes on by itself; when, is in its outcome.
    pub fn limited(&self) -> Option<&Exit> {
        self.exit.as_deref().filter(|exit| self.decision.is_none() && exit.outcome.until.is_some())
    }

    /// How the step ended, in the light of what was decided since.
    pub fn outcome(&self) -> Option<Outcome> {
        let exit = self.exit.as_ref().map(|exit| exit.outcome.clone());
        let Some(decided) = &self.decision else { return exit };
        let (status, reason) = match decided.decision {
            Decision::Accept => (StepStatus::Done, None),
            Decision::Reject => (StepStatus::Failed, Some(Reason::Rejected)),
            _ => return exit,
        };
        Some(Outcome { status, reason, code: None, signal: None, note: decided.note.clone(), until: None })
    }

    /// The lines about the execution, without any decision.
    pub fn execution(&self) -> Vec<u8> {
        let claim = self.claim.clone().map(|claim| Line::Claim(*claim));
        let supervisor = self.supervisor.map(|(pid, start)| Line::Supervisor { pid, start });
        let child = self.child.map(|(pid, attempt)| Line::Child { pid, attempt, at: None });
        let exit = self.exit.clone().map(|exit| Line::Exit(*exit));
        [claim, supervisor, child, exit].iter().flatten().flat_map(Line::to_bytes).collect()
    }

    /// What it says of a gate.
    pub fn gate_status(&self) -> Option<GateStatus> {
        match self.decision.as_ref()?.decision {
            Decision::Approved => Some(GateStatus::Approved),
            Decision::Pending => Some(GateStatus::Pending),
            Decision::Blocked => Some(GateStatus::Blocked),
            Decision::Skip | Decision::Reset | Decision::Accept | Decision::Reject | Decision::Continue => None,
        }
    }

    /// The attempt that ran last, or would have run first.
    pub fn attempt(&self) -> u32 {
        self.child.map(|(_, attempt)| attempt).or_else(|| self.claim.as_ref().map(|claim| claim.attempt)).unwrap_or(1)
    }

    /// The nonce of its claim.
    pub fn nonce(&self) -> Option<&str> {
        self.claim.as_ref().map(|claim| claim.nonce.as_str())
    }
}

/// What is in `state/last/`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    /// The records that can be read.
    pub known: HashMap<Id, Record>,
    /// Whose record is there and cannot be read.
    pub damaged: Vec<Id>,
    /// What they say of a plan, if somebody has worked that out.
    pub plan: Option<super::pack::KnownPlan>,
}

/// Every record in `state/last/`.
pub fn records(paths: &Paths) -> Result<Records, Error> {
    match super::pack::read(paths) {
        // Whoever writes may be at it between our two looks.
        Some(records) => {
            debug_assert!(
                read_all(paths).is_ok_and(|all| all == Records { plan: None, ..records.clone() })
                    || super::pack::read(paths).is_none(),
                "a pack must never be stale"
            );
            Ok(records)
        }
        None => read_all(paths),
    }
}

fn read_all(paths: &Paths) -> Result<Records, Error> {
    let folder = paths.state("last");
    let mut found = Records::default();
    for name in file::names(&folder)? {
        let Ok(id) = name.parse::<Id>() else { continue };
        match Record::read(&folder.join(&name)) {
            Ok(Some(record)) if record.is_whole() => {
                found.known.insert(id, record);
            }
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => found.damaged.push(id),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit() -> Line {
        let outcome = Outcome { code: Some(1), ..Outcome::failed(Reason::Exit, None) };
        Line::Exit(Exit { attempt: 2, outcome, ms: 7, at: "2026-11-22T06:48:00.000Z".into() })
    }

    #[test]
    fn lines_are_small_and_read_back() {
        let bytes = exit().to_bytes();
        assert!(bytes.starts_with(br#"{"v":1,"t":"exit","attempt":2,"status":"FAILED","reason":"exit","code":1"#));
        let record = Record::parse(&bytes);
        assert_eq!(record.exit.as_ref().unwrap().attempt, 2);
        assert_eq!(record.step_state(), State::Ended(StepStatus::Failed));
    }

    #[test]
    fn a_tag_counts_wherever_it_stands() {
        let line = r#"{"v":1,"t":"exit","attempt":2,"status":"DONE","ms":7,"at":"x"}"#;
        let moved = r#"{"attempt":2,"status":"DONE","ms":7,"at":"x","t":"exit","v":1}"#;
        assert_eq!(Record::parse(format!("{line}\n").as_bytes()), Record::parse(format!("{moved}\n").as_bytes()));
        assert!(Record::parse(format!("{moved}\n").as_bytes()).is_whole());
        let unknown = line.replace("exit", "extra");
        assert_eq!(Record::parse(format!("{unknown}\n").as_bytes()), Record::default());
    }

    #[test]
    fn half_a_line_is_not_there() {
        let bytes = exit().to_bytes();
        assert_eq!(Record::parse(&bytes[..bytes.len() - 1]), Record::default());
    }
}
