//! Groups: which steps run side by side, and what the failure of one means for the others.

use std::collections::HashMap;

use super::{FailPolicy, Id, Sequence, Step};
use crate::error::Error;

/// A group and its members, as places in `sequence.steps`.
#[derive(Clone, Debug, PartialEq)]
pub struct Group<'a> {
    /// Its name.
    pub id: &'a Id,
    /// Its steps, in the plan's order.
    pub members: Vec<usize>,
    /// What the failure of one means for all of them: what a member states, else the plan's default. Who is silent
    /// follows the others.
    pub policy: FailPolicy,
}

/// The groups of a plan. The one place that says what a failure means.
#[derive(Clone, Debug)]
pub struct Groups<'a> {
    sequence: &'a Sequence,
    all: Vec<Group<'a>>,
    of: Vec<Option<usize>>,
}

impl<'a> Groups<'a> {
    /// The groups of `sequence`, in the order of their first members.
    pub fn of(sequence: &'a Sequence) -> Self {
        let mut names: HashMap<&Id, usize> = HashMap::new();
        let (mut all, mut of) = (Vec::<Group<'a>>::new(), Vec::with_capacity(sequence.steps.len()));
        let usual = sequence.defaults.fail_policy.unwrap_or_default();
        let mut stated = Vec::new();
        for (at, step) in sequence.steps.iter().enumerate() {
            let Some(id) = &step.group_id else {
                of.push(None);
                continue;
            };
            let group = *names.entry(id).or_insert_with(|| {
                all.push(Group { id, members: Vec::new(), policy: usual });
                stated.push(None);
                all.len() - 1
            });
            all[group].members.push(at);
            stated[group] = stated[group].or(step.fail_policy);
            of.push(Some(group));
        }
        for (group, stated) in all.iter_mut().zip(stated) {
            group.policy = stated.unwrap_or(usual);
        }
        Self { sequence, all, of }
    }

    /// Every group, in the order of their first members.
    pub fn all(&self) -> &[Group<'a>] {
        &self.all
    }

    /// The place in [`Groups::all`] of the group that the step at `at` of the plan is in.
    pub fn place(&self, at: usize) -> Option<usize> {
        self.of[at]
    }

    /// The group that the step at `at` of the plan is in.
    pub fn group(&self, at: usize) -> Option<&Group<'a>> {
        self.place(at).map(|group| &self.all[group])
    }

    /// What the failure of the step at `at` of the plan means: for its group, and for its own workers.
    pub fn policy(&self, at: usize) -> FailPolicy {
        let own = || self.sequence.steps[at].fail_policy.or(self.sequence.defaults.fail_policy).unwrap_or_default();
        self.group(at).map_or_else(own, |group| group.policy)
    }
}

/// Checks that members of a group who say what the failure of one means for the others say the same.
///
/// # Errors
/// `GroupDisagrees` with the first two that do not.
pub(super) fn check(sequence: &Sequence) -> Result<(), Error> {
    let mut first: HashMap<&Id, (&Step, FailPolicy)> = HashMap::new();
    for step in &sequence.steps {
        let (Some(group), Some(policy)) = (&step.group_id, step.fail_policy) else { continue };
        let (other, wanted) = *first.entry(group).or_insert((step, policy));
        if policy != wanted {
            return Err(Error::GroupDisagrees {
                group: group.clone(),
                members: [(other.id.clone(), wanted), (step.id.clone(), policy)],
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(members: &[(&str, Option<&str>, Option<FailPolicy>)]) -> Sequence {
        let steps = members.iter().map(|&(id, group, policy)| {
            let mut step = Step::new(id.parse().unwrap());
            (step.group_id, step.fail_policy) = (group.map(|group| group.parse().unwrap()), policy);
            step
        });
        Sequence { steps: steps.collect(), ..Sequence::default() }
    }

    #[test]
    fn who_is_silent_follows_the_group() {
        let (fast, best) = (Some(FailPolicy::FailFast), Some(FailPolicy::BestEffort));
        let mut plan = plan(&[
            ("a", Some("g"), None),
            ("b", Some("g"), best),
            ("c", Some("h"), None),
            ("d", None, None),
            ("e", None, best),
            ("f", Some("g"), None),
        ]);
        let policies = |plan: &Sequence| (0..6).map(|at| Groups::of(plan).policy(at)).collect::<Vec<_>>();
        let (fast_word, best_word) = (FailPolicy::FailFast, FailPolicy::BestEffort);
        assert_eq!(policies(&plan), [best_word, best_word, fast_word, fast_word, best_word, best_word]);
        plan.defaults.fail_policy = best;
        assert_eq!(policies(&plan)[2..4], [best_word, best_word]);
        plan.steps[1].fail_policy = fast;
        assert_eq!(policies(&plan), [fast_word, fast_word, best_word, best_word, best_word, fast_word]);
        let groups = Groups::of(&plan);
        assert_eq!(
            groups.all().iter().map(|group| (group.id.as_str(), group.members.clone())).collect::<Vec<_>>(),
            [("g", vec![0, 1, 5]), ("h", vec![2])]
        );
        assert!(check(&plan).is_ok());
        plan.steps[5].fail_policy = best;
        assert!(check(&plan).is_err());
    }
}
