//! How much of each result fits.

use super::Finding;

/// How many bytes the results of other steps take in a prompt together. Some 12,000 tokens: a small part of any agent's
/// window, and beside a task it still fits the 128 KiB that Linux allows to one argument, for agents that get their
/// prompt that way. All of each result is in a file that the prompt names.
pub const BUDGET: usize = 48 * 1024;

/// How many bytes of each result are told. The newest get what they need, but half of the budget is kept in equal parts
/// for all of them; where they are candidates to be compared, all of it is.
pub fn shares(findings: &[Finding], is_synthesis: bool, budget: usize) -> Vec<usize> {
    let wanted: Vec<usize> = findings.iter().map(|found| found.text.as_ref().map_or(0, |text| text.tail.len())).collect();
    let parts = if is_synthesis { findings.len() } else { findings.len() * 2 };
    let floor = budget / parts.max(1);
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by(|&a, &b| findings[b].ended_at.cmp(&findings[a].ended_at));
    let (mut shares, mut left) = (vec![0; findings.len()], budget);
    for (place, &at) in order.iter().enumerate() {
        let kept: usize = order[place + 1..].iter().map(|&other| wanted[other].min(floor)).sum();
        shares[at] = wanted[at].min(left.saturating_sub(kept));
        left -= shares[at];
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prompt::Text;

    fn findings(lengths: &[usize]) -> Vec<Finding> {
        let finding = |(at, &len): (usize, &usize)| Finding {
            ended_at: Some(format!("{at:03}")),
            text: Some(Text { tail: "x".repeat(len), before: 0, path: "x".into() }),
            ..Finding::default()
        };
        lengths.iter().enumerate().map(finding).collect()
    }

    #[test]
    fn the_newest_are_kept_and_the_oldest_are_not_forgotten() {
        let share = |lengths: &[usize], is_synthesis| shares(&findings(lengths), is_synthesis, 100);
        assert_eq!(share(&[], false), [0; 0]);
        assert_eq!(share(&[10, 20], false), [10, 20]);
        assert_eq!(share(&[90, 90], false), [25, 75]);
        assert_eq!(share(&[90, 90], true), [50, 50]);
        assert_eq!(share(&[90, 10, 90], true), [33, 10, 57]);
        assert_eq!(share(&[10, 90, 90], false), [10, 16, 74]);
    }

    proptest! {
        #[test]
        fn nothing_is_over_budget_or_wasted(lengths in prop::collection::vec(0_usize..500, 0..20), is_synthesis: bool, budget in 0_usize..1000) {
            let shares = shares(&findings(&lengths), is_synthesis, budget);
            let (told, wanted): (usize, usize) = (shares.iter().sum(), lengths.iter().sum());
            prop_assert_eq!(told, wanted.min(budget));
            prop_assert!(shares.iter().zip(&lengths).all(|(share, wanted)| share <= wanted));
        }
    }
}
