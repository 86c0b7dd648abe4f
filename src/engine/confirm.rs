//! Whether the policy lets an action go on.

use super::{
    caller::{Actor, Caller, Consent},
    start::Plan,
    view::View,
};
use crate::{
    action::{Access, Action},
    error::{Error, list},
    model::Id,
    policy::Verdict,
};

/// Lets `action` go on, or says why not. `what` is what exactly would happen, in words.
///
/// # Errors
/// `Denied`, or `ConfirmationRequired` where a person has not said yes.
pub(super) fn check(view: &View, caller: &Caller, action: &Action, what: &str, consent: Consent) -> Result<(), Error> {
    let (name, access) = (action.name(), action.spec().access);
    let (runs, destroys) = (matches!(access, Access::Run), matches!(access, Access::Destroy));
    let policy = view.policy();
    if access == Access::Decide && caller.actor == Actor::Orchestrator && !matches!(action, Action::Skip(_) | Action::Reset(_)) {
        return Err(Error::Denied {
            why: format!("a step cannot decide what a person has to ({} asked for `{name}`)", caller.name()),
            rule: "decisions",
        });
    }
    let policy = match (policy, runs || destroys) {
        (Ok(policy), _) => policy,
        (Err(error), true) => return Err(error),
        (Err(_), false) => return Ok(()),
    };
    match policy.check_action(name, runs, destroys) {
        Verdict::Allow => Ok(()),
        Verdict::Deny { why, rule } => Err(Error::Denied { why, rule }),
        Verdict::Confirm { .. } if consent.is_given() => Ok(()),
        Verdict::Confirm { why } => {
            let why = match view.ignored.iter().find(|what| **what != super::trust::NOTIFY) {
                Some(ignored) if runs => format!("{why}: nobody has trusted {ignored} yet, `seqctl trust` does"),
                _ => why,
            };
            Err(Error::ConfirmationRequired { what: what.to_owned(), why })
        }
    }
}

/// Lets a run go on that does what the plan says, or says why not. What was confirmed before is not asked for again.
pub(super) fn check_run(view: &View, caller: &Caller, action: &Action, plan: &Plan, consent: Consent) -> Result<(), Error> {
    let is_confirmed = view.is_safe() && plan.asks.is_empty();
    let is_listed = || view.policy().is_ok_and(|policy| policy.check_action(action.name(), false, false) != Verdict::Allow);
    if is_confirmed && !is_listed() {
        return Ok(());
    }
    let steps = if plan.asks.is_empty() { plan.steps() } else { plan.asks.iter().map(|ask| ask.step.clone()).collect() };
    // A yes to something else than what it is now is none.
    let consent = if consent.is_for(plan.digest()) { consent } else { Consent::None };
    check(view, caller, action, &describe(action, &steps), consent)
}

/// What an action would do, in words for the question.
pub(super) fn describe(action: &Action, steps: &[Id]) -> String {
    match action {
        Action::StepRm(args) => format!("removing step `{}`", args.id),
        Action::GateRm(args) => format!("removing gate `{}`", args.id),
        Action::RunsPrune(args) => format!("removing all runs but the newest {}", args.keep),
        _ if steps.is_empty() => format!("`{}`", action.name()),
        _ => format!("running {}", list(steps)),
    }
}
