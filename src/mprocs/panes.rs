//! Which pane is which step. mprocs knows panes by their place in its list only, and acts on the last one where a
//! place does not exist.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::model::Id;

/// The panes of a session, in mprocs' order. None ever leaves its place.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Panes(Vec<Pane>);

/// One pane.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Pane {
    /// The step it shows.
    pub step: Id,
    /// Whether the step has left the plan. The pane stays in its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

/// What is different about the panes after a change of the plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Steps that want a pane, in the order in which the panes are added.
    pub added: Vec<Id>,
    /// Steps whose pane has nothing more to show.
    pub ended: Vec<Id>,
}

impl Changes {
    /// Whether there is nothing to do.
    pub const fn is_empty(&self) -> bool {
        self.added.is_empty() && self.ended.is_empty()
    }
}

impl Panes {
    /// A pane for each of the steps, in their order.
    pub fn of(steps: impl IntoIterator<Item = Id>) -> Self {
        Self(steps.into_iter().map(|step| Pane { step, ended: false }).collect())
    }

    /// Every pane, in order.
    pub fn all(&self) -> &[Pane] {
        &self.0
    }

    /// The place of a step's pane; nothing for a step that has none, or none any more.
    pub fn index(&self, step: &Id) -> Option<usize> {
        self.0.iter().position(|pane| pane.step == *step && !pane.ended)
    }

    /// What has to be done for the panes to show these steps.
    pub fn changes(&self, steps: &[Id]) -> Changes {
        let shown: HashSet<&Id> = self.0.iter().filter(|pane| !pane.ended).map(|pane| &pane.step).collect();
        let wanted: HashSet<&Id> = steps.iter().collect();
        let ended = self.0.iter().filter(|pane| !pane.ended && !wanted.contains(&pane.step));
        Changes {
            added: steps.iter().filter(|step| !shown.contains(step)).cloned().collect(),
            ended: ended.map(|pane| pane.step.clone()).collect(),
        }
    }

    /// The panes after those changes.
    #[must_use]
    pub fn after(mut self, changes: &Changes) -> Self {
        for pane in self.0.iter_mut().filter(|pane| changes.ended.contains(&pane.step)) {
            pane.ended = true;
        }
        self.0.extend(Self::of(changes.added.iter().cloned()).0);
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(names: &[&str]) -> Vec<Id> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_step_that_comes_back_gets_a_new_place() {
        let panes = Panes::of(ids(&["a", "b"]));
        let gone = panes.changes(&ids(&["b", "c"]));
        assert_eq!(gone, Changes { added: ids(&["c"]), ended: ids(&["a"]) });
        let panes = panes.after(&gone);
        let [a, b, c] = ["a", "b", "c"].map(|name| name.parse::<Id>().unwrap());
        assert_eq!((panes.index(&a), panes.index(&b), panes.index(&c)), (None, Some(1), Some(2)));
        let back = panes.changes(&ids(&["a", "b", "c"]));
        let panes = panes.after(&back);
        assert_eq!((panes.index(&a), panes.all().len()), (Some(3), 4));
        assert!(panes.changes(&ids(&["c", "b", "a"])).is_empty(), "the order of the plan moves no pane");
    }

    proptest! {
        #[test]
        fn places_never_change_and_every_step_has_one(plans in prop::collection::vec(prop::collection::vec("[a-f]", 0..6), 1..12)) {
            let mut panes = Panes::default();
            for plan in plans {
                let mut steps: Vec<Id> = plan.iter().map(|name| name.parse().unwrap()).collect();
                steps.sort();
                steps.dedup();
                let before = panes.clone();
                let changes = panes.changes(&steps);
                panes = panes.after(&changes);
                for (at, pane) in before.all().iter().enumerate() {
                    prop_assert_eq!(&panes.all()[at].step, &pane.step);
                }
                for step in &steps {
                    prop_assert!(panes.index(step).is_some());
                }
                prop_assert_eq!(panes.all().iter().filter(|pane| !pane.ended).count(), steps.len());
                prop_assert!(panes.changes(&steps).is_empty());
            }
        }
    }
}
