//! Making one plan's change to another plan: what turned `from` into `to`, done to `ours`.

use std::collections::HashSet;

use super::{Gate, Id, Sequence, Step};

/// Does to `ours` what turned `from` into `to`. Statuses, and the notes of decisions, stay ours.
///
/// # Errors
/// The step, gate or key that `ours` has otherwise than both, so that doing it would lose something.
pub fn redo_on(ours: &Sequence, from: &Sequence, to: &Sequence) -> Result<Sequence, String> {
    let mut after = ours.clone();
    field(&mut after.name, &from.name, &to.name, "name")?;
    field(&mut after.metadata, &from.metadata, &to.metadata, "metadata")?;
    field(&mut after.policy, &from.policy, &to.policy, "policy")?;
    field(&mut after.defaults, &from.defaults, &to.defaults, "defaults")?;
    list(&mut after.steps, &from.steps, &to.steps)?;
    list(&mut after.gates, &from.gates, &to.gates)?;
    Ok(after)
}

fn field<T: Clone + PartialEq>(ours: &mut T, from: &T, to: &T, name: &str) -> Result<(), String> {
    if from == to || ours == to {
        return Ok(());
    }
    if ours != from {
        return Err(name.to_owned());
    }
    ours.clone_from(to);
    Ok(())
}

/// What stands in a list of the plan under a name of its own.
trait Item: Clone {
    fn id(&self) -> &Id;
    /// Whether both say the same, whatever became of them.
    fn is_same(&self, other: &Self) -> bool;
    /// Takes over what became of the other.
    fn keep(&mut self, other: &Self);
}

impl Item for Step {
    fn id(&self) -> &Id {
        &self.id
    }

    fn is_same(&self, other: &Self) -> bool {
        Self { status: None, ..self.clone() } == Self { status: None, ..other.clone() }
    }

    fn keep(&mut self, other: &Self) {
        self.status = other.status;
    }
}

impl Item for Gate {
    fn id(&self) -> &Id {
        &self.id
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.depends_on) == (&other.name, &other.depends_on)
    }

    fn keep(&mut self, other: &Self) {
        self.status = other.status;
        self.note.clone_from(&other.note);
    }
}

fn list<T: Item>(ours: &mut Vec<T>, from: &[T], to: &[T]) -> Result<(), String> {
    let find = |list: &[T], id: &Id| list.iter().position(|item| item.id() == id);
    for old in from.iter().filter(|old| find(to, old.id()).is_none()) {
        if let Some(at) = find(ours, old.id()) {
            if !ours[at].is_same(old) {
                return Err(old.id().to_string());
            }
            ours.remove(at);
        }
    }
    let moved = moved(from, to);
    for (at, new) in to.iter().enumerate() {
        if let Some(here) = moved.contains(&new.id()).then(|| find(ours, new.id())).flatten() {
            let item = ours.remove(here);
            let before = to[..at].iter().rev().find_map(|item| find(ours, item.id()));
            ours.insert(before.map_or(0, |before| before + 1), item);
        }
        let old = find(from, new.id()).map(|at| &from[at]);
        if old.is_some_and(|old| old.is_same(new)) {
            continue;
        }
        match (find(ours, new.id()), old) {
            (Some(at), _) if ours[at].is_same(new) => {}
            (Some(at), Some(old)) if ours[at].is_same(old) => {
                let mut new = new.clone();
                new.keep(&ours[at]);
                ours[at] = new;
            }
            (None, None) => {
                // Behind what it stands behind there.
                let before = to[..at].iter().rev().find_map(|item| find(ours, item.id()));
                ours.insert(before.map_or(0, |before| before + 1), new.clone());
            }
            _ => return Err(new.id().to_string()),
        }
    }
    Ok(())
}

/// What stands elsewhere among those that are in both lists, as few as possible.
fn moved<'a, T: Item>(from: &'a [T], to: &'a [T]) -> HashSet<&'a Id> {
    let ids = |list: &'a [T]| list.iter().map(Item::id);
    let (before, after): (HashSet<&Id>, HashSet<&Id>) = (ids(from).collect(), ids(to).collect());
    let old: Vec<&Id> = ids(from).filter(|id| after.contains(id)).collect();
    let new: Vec<&Id> = ids(to).filter(|id| before.contains(id)).collect();
    if old == new {
        return HashSet::new();
    }
    let mut moved: HashSet<&Id> = new.iter().copied().collect();
    for op in similar::capture_diff_slices(similar::Algorithm::Myers, &old, &new) {
        if let similar::DiffOp::Equal { new_index, len, .. } = op {
            new[new_index..new_index + len].iter().for_each(|id| _ = moved.remove(id));
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::StepStatus;

    fn plan(names: &[&str]) -> Sequence {
        let steps = names.iter().map(|name| Step::new(name.parse().unwrap())).collect();
        Sequence { steps, ..Sequence::default() }
    }

    fn names(plan: &Sequence) -> Vec<&str> {
        plan.steps.iter().map(|step| step.id.as_str()).collect()
    }

    #[test]
    fn what_came_between_stays() {
        let (from, to) = (plan(&["a", "b", "c"]), plan(&["a", "c"]));
        let mut ours = plan(&["z", "a", "b", "c", "d"]);
        ours.steps[3].status = Some(StepStatus::Done);
        assert_eq!(names(&redo_on(&ours, &from, &to).unwrap()), ["z", "a", "c", "d"]);
        let back = redo_on(&plan(&["z", "a", "c", "d"]), &to, &from).unwrap();
        assert_eq!(names(&back), ["z", "a", "b", "c", "d"]);
    }

    #[test]
    fn what_was_changed_since_is_not_lost() {
        let (from, to) = (plan(&["a", "b"]), plan(&["a"]));
        let mut ours = from.clone();
        ours.steps[1].name = Some("by hand".into());
        assert_eq!(redo_on(&ours, &from, &to), Err("b".into()));
    }

    proptest! {
        /// Done and taken back, any change leaves the plan it began with.
        #[test]
        fn there_and_back(from in prop::collection::vec(0u8..8, 0..8), to in prop::collection::vec(0u8..8, 0..8)) {
            let plan = |numbers: &[u8]| {
                let mut seen = Vec::new();
                for number in numbers { if !seen.contains(number) { seen.push(*number); } }
                let mut plan = Sequence::default();
                for number in seen { plan.steps.push(Step::new(format!("s{number}").parse().unwrap())); }
                plan
            };
            let (from, to) = (plan(&from), plan(&to));
            let there = redo_on(&from, &from, &to).unwrap();
            prop_assert_eq!(names(&there), names(&to));
            let back = redo_on(&there, &to, &from).unwrap();
            prop_assert_eq!(names(&back), names(&from));
        }
    }
}
