//! What the approval of a gate is given for: the attempts before it.

use std::collections::BTreeSet;

use super::view::View;
use crate::{
    action::{Action, gate::Approve},
    error::Error,
    model::{Id, Node},
    store::sha256,
};

/// Sixteen hex digits over the last attempts of the steps that `gate` waits for, directly or through other gates. They
/// change when one of these runs again, is skipped or reset, and when others take their place.
pub(super) fn grounds(view: &View, gate: usize) -> String {
    let (mut steps, mut ahead, mut seen) = (BTreeSet::new(), vec![gate], BTreeSet::new());
    while let Some(at) = ahead.pop() {
        for need in view.graph.needs(at) {
            match view.graph.node(need) {
                Node::Step(_) => _ = steps.insert(need),
                Node::Gate(_) if seen.insert(need) => ahead.push(need),
                Node::Gate(_) => {}
            }
        }
    }
    let text: String = steps.into_iter().map(|at| attempt(view, view.id_of(at))).collect();
    sha256(text.as_bytes()).chars().take(16).collect()
}

/// The last attempt of a step, or what was decided about it, as a line.
fn attempt(view: &View, id: &Id) -> String {
    let record = view.leases.get(id).map(|lease| &lease.record).or_else(|| view.records.get(id));
    let ran = record.and_then(|record| Some(format!("{} {}", record.nonce()?, record.attempt()))).unwrap_or_default();
    let decided = record.and_then(|record| record.decision.as_ref()).map_or("", |decided| decided.at.as_str());
    format!("{id} {ran} {decided}\n")
}

/// Refuses an approval that was given for other attempts than those that count now.
pub(super) fn check(view: &View, action: &Action) -> Result<(), Error> {
    let Action::GateApprove(Approve { id, expect: Some(expected), .. }) = action else { return Ok(()) };
    match view.graph.find(id.as_str()) {
        Some(at) if grounds(view, at) != *expected => Err(Error::GateChanged { gate: id.clone() }),
        _ => Ok(()),
    }
}
