//! Where a step stands in the plan.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Act, Change, Changed, Txn};
use crate::{error::Error, model::Id};

/// Put a step somewhere else in the order of the plan; what waits for what stays as it is
#[derive(Args, Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Move {
    /// The step
    pub id: Id,
    /// Before this one
    #[arg(long, value_name = "ID", group = "place")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Id>,
    /// Behind this one
    #[arg(long, value_name = "ID", group = "place")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Id>,
    /// Before all others
    #[arg(long, group = "place")]
    #[serde(default)]
    pub first: bool,
    /// Behind all others
    #[arg(long, group = "place")]
    #[serde(default)]
    pub last: bool,
}

impl Act for Move {
    const NAME: &'static str = "step.move";
    const ACCESS: Access = Access::Change;
}

impl Change for Move {
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error> {
        let steps = &mut txn.sequence;
        steps.expect_step(self.id.as_str())?;
        let wrong = |why: String| Error::ActionInvalid { action: Self::NAME.into(), why };
        let places = [self.before.is_some(), self.after.is_some(), self.first, self.last];
        if places.iter().filter(|is_set| **is_set).count() != 1 {
            return Err(wrong("say one of before, after, first and last".into()));
        }
        let beside = self.before.as_ref().or(self.after.as_ref());
        if let Some(other) = beside {
            steps.expect_step(other.as_str())?;
            if *other == self.id {
                return Err(wrong(format!("`{other}` cannot stand beside itself")));
            }
        }
        let place_of = |steps: &[crate::model::Step], id: &Id| steps.iter().position(|step| step.id == *id);
        let Some(from) = place_of(&steps.steps, &self.id) else { return Err(Error::internal("the step is there")) };
        let step = steps.steps.remove(from);
        let to = match beside.and_then(|other| place_of(&steps.steps, other)) {
            Some(at) => at + usize::from(self.after.is_some()),
            None if self.first => 0,
            None => steps.steps.len(),
        };
        steps.steps.insert(to, step);
        let place = match beside {
            Some(other) => format!("{} `{other}`", if self.after.is_some() { "behind" } else { "before" }),
            None => format!("to the {}", if self.first { "beginning" } else { "end" }),
        };
        let text = if from == to {
            format!("step `{}` stands there already", self.id)
        } else {
            format!("moved step `{}` {place}", self.id)
        };
        Ok(Changed::new(text, [self.id.clone()]))
    }

    fn target(&self) -> Option<String> {
        Some(self.id.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Sequence, Step};

    fn plan(count: usize) -> Sequence {
        let mut plan = Sequence::default();
        for at in 0..count {
            let mut step = Step::new(format!("s{at}").parse().unwrap());
            step.depends_on = (at > 0).then(|| format!("s{}", at / 2).parse().unwrap()).into_iter().collect();
            plan.steps.push(step);
        }
        plan
    }

    fn sorted(plan: &Sequence) -> Vec<Step> {
        let mut steps = plan.steps.clone();
        steps.sort_by(|a, b| a.id.cmp(&b.id));
        steps
    }

    proptest! {
        #[test]
        fn nothing_but_the_order_changes(count in 2..9_usize, id in any::<usize>(), other in any::<usize>(), place in 0..4) {
            let (id, other): (Id, Id) = (format!("s{}", id % count).parse().unwrap(), format!("s{}", other % count).parse().unwrap());
            prop_assume!(place > 1 || id != other);
            let before = plan(count);
            let mut txn = Txn::new(before.clone(), std::collections::HashMap::new());
            let action = Move {
                id: id.clone(),
                before: Some(other.clone()).filter(|_| place == 0),
                after: Some(other.clone()).filter(|_| place == 1),
                first: place == 2,
                last: place == 3,
            };
            action.apply(&mut txn).unwrap();
            let after = txn.sequence;
            prop_assert_eq!(sorted(&after), sorted(&before));
            let names = |plan: &Sequence| -> Vec<Id> { plan.steps.iter().map(|step| step.id.clone()).collect() };
            let others = |plan: &Sequence| -> Vec<Id> { names(plan).into_iter().filter(|name| *name != id).collect() };
            prop_assert_eq!(others(&after), others(&before), "the others keep their order");
            let at = |name: &Id| names(&after).iter().position(|other| other == name).unwrap();
            match place {
                0 => prop_assert_eq!(at(&id) + 1, at(&other)),
                1 => prop_assert_eq!(at(&id), at(&other) + 1),
                2 => prop_assert_eq!(at(&id), 0),
                _ => prop_assert_eq!(at(&id), count - 1),
            }
        }
    }

    #[test]
    fn one_place_and_no_more() {
        let mut txn = Txn::new(plan(3), std::collections::HashMap::new());
        let id: Id = "s1".parse().unwrap();
        let nowhere = Move { id: id.clone(), before: None, after: None, first: false, last: false };
        for wrong in [
            nowhere.clone(),
            Move { first: true, last: true, ..nowhere.clone() },
            Move { before: Some(id), ..nowhere.clone() },
            Move { after: Some("nobody".parse().unwrap()), ..nowhere },
        ] {
            assert!(wrong.apply(&mut txn).is_err(), "{wrong:?}");
        }
    }
}
