//! Finishing what a dead supervisor left.

use super::{
    SpecFile, crew,
    finish::{Left, complete, recall_report, write_status},
    product,
    sweep::Target,
    word::said,
};
use crate::{
    clock,
    error::Error,
    fault,
    model::{Id, Outcome, Reason},
    store::{Claim, Exit, Lease, Line, Machine, Paths, Record, file},
};

/// What a free lease means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Leftover {
    /// Nothing ran: the claim is void.
    Void,
    /// It ran, and nobody saw its end.
    Orphan,
    /// Its end is known, but its folder is not complete.
    Unfinished,
    /// It only waits for its commit.
    Complete,
    /// Another machine claimed it and may still run it; only a person can say that it does not.
    Elsewhere,
}

/// What a free lease means.
pub fn leftover(paths: &Paths, step: &Id, record: &Record) -> Leftover {
    let Some(claim) = &record.claim else { return Leftover::Void };
    match (&record.exit, record.child) {
        (None, _) if claim.machine.is_elsewhere(Machine::this()) => Leftover::Elsewhere,
        (None, None) => Leftover::Void,
        (None, Some(_)) => Leftover::Orphan,
        (Some(exit), Some((_, attempt))) if exit.attempt < attempt => {
            if claim.machine.is_elsewhere(Machine::this()) {
                Leftover::Elsewhere
            } else {
                Leftover::Orphan
            }
        }
        (Some(exit), _) => {
            // It is put there whole, so there is no need to read it.
            if paths.attempt(&claim.run, step.as_str(), exit.attempt).join("status.json").exists() {
                Leftover::Complete
            } else {
                Leftover::Unfinished
            }
        }
    }
}

/// Completes a free lease without the project lock: whoever locks the lease itself does it. Ends
/// what still runs of it. Returns whether there was anything to do.
pub fn repair(paths: &Paths, step: &Id) -> Result<bool, Error> {
    let path = paths.lease(step.as_str());
    let Some(lease) = Lease::adopt(&path)? else { return Ok(false) };
    let Some(record) = Record::read(&path)? else { return Ok(false) };
    let what = leftover(paths, step, &record);
    let (Leftover::Orphan | Leftover::Unfinished, Some(claim)) = (what, &record.claim) else { return Ok(false) };
    fault::point("recover.before_sweep");
    if is_here(paths, claim) {
        Target { paths, nonce: &claim.nonce, supervisor: None }.sweep(|| ());
    }
    let exit = match record.exit {
        Some(exit) if what == Leftover::Unfinished => *exit,
        _ => {
            let exit = orphaned(paths, claim, record.child.map_or(claim.attempt, |(_, attempt)| attempt));
            lease.append(&Line::Exit(exit.clone())).map_err(Error::io("write the lease", &path))?;
            exit
        }
    };
    fault::point("recover.before_status");
    let left = recall(paths, claim, step, &exit)?;
    complete(paths, &claim.run, step, &exit, &left)?;
    Ok(true)
}

/// What an attempt left of which nobody wrote that down.
fn recall(paths: &Paths, claim: &Claim, step: &Id, exit: &Exit) -> Result<Left, Error> {
    let folder = paths.attempt(&claim.run, step.as_str(), exit.attempt);
    let products = product::recall(paths, &claim.run, step, exit.attempt);
    let spec = file::read_json::<SpecFile>(&folder.join("spec.json"));
    let Some(spec) = spec.filter(|spec| spec.fanout.is_some()) else {
        return Ok(Left { report: recall_report(&folder), products, ..Left::default() });
    };
    let workers = crew::recall(paths, &claim.run, step, exit, claim.attempt, &spec)?;
    let report = crew::merge(paths, &claim.run, step, exit.attempt, &workers);
    Ok(Left { report, products, workers, ..Left::default() })
}

/// Ends a lease of another machine that a person says is dead. Only under the project lock. Returns whether it was
/// one, and free.
pub fn declare_dead(paths: &Paths, step: &Id, by: &str) -> Result<bool, Error> {
    let path = paths.lease(step.as_str());
    let Some(lease) = Lease::adopt(&path)? else { return Ok(false) };
    let Some(record) = Record::read(&path)? else { return Ok(false) };
    let (Leftover::Elsewhere, Some(claim)) = (leftover(paths, step, &record), &record.claim) else { return Ok(false) };
    let exit = Exit {
        outcome: Outcome::failed(Reason::OrphanedProcess, Some(format!("declared dead by {by}; another machine had claimed it"))),
        ..orphaned(paths, claim, record.attempt())
    };
    lease.append(&Line::Exit(exit.clone())).map_err(Error::io("write the lease", &path))?;
    write_status(paths, &claim.run, step, &exit)?;
    Ok(true)
}

/// Whether pids of the claim are processes of this machine, and the project is the one it was
/// made in: a copied project must not kill the original's.
fn is_here(paths: &Paths, claim: &Claim) -> bool {
    claim.machine.shares_pids(Machine::this()) && claim.inode == paths.inode()
}

/// The end of an attempt that nobody saw, as it will be written.
pub fn orphaned(paths: &Paths, claim: &Claim, attempt: u32) -> Exit {
    let this = Machine::this();
    let rebooted = claim.machine.host == this.host && !claim.machine.is_same_boot(this);
    let reason = if rebooted { Reason::Interrupted } else { Reason::OrphanedProcess };
    let note = if rebooted { "the machine went down" } else { "its supervisor was killed" };
    let at = clock::stamp();
    let ms = clock::ms_between(&claim.at, &at).unwrap_or(0);
    let spoke = said(&paths.attempt(&claim.run, claim.step.as_str(), attempt)).is_some();
    let note = if spoke { format!("{note}; it had reported an outcome before") } else { note.into() };
    Exit { attempt, outcome: Outcome::failed(reason, Some(note)), ms, at: at.into() }
}
