//! How long work takes that is done in an order, so many pieces at once.

use std::{cmp::Reverse, collections::BinaryHeap};

/// A piece of work.
#[derive(Clone, Debug, Default)]
pub struct Task {
    /// How long it still takes, in milliseconds.
    pub left: u64,
    /// What of the other work has to be done before it, as places in the same list.
    pub needs: Vec<usize>,
    /// Whether it is being done now.
    pub is_running: bool,
    /// Whether it takes one of the places; what takes none is over as soon as it may begin.
    pub takes_slot: bool,
}

/// How long all of it takes in milliseconds, if each piece begins as soon as it may and one of `slots` is free; what comes
/// first in the list goes first. A task that needs itself is left out.
pub fn time_left(works: &[Task], slots: usize) -> u64 {
    let mut unmet: Vec<usize> = works.iter().map(|work| work.needs.len()).collect();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); works.len()];
    for (at, work) in works.iter().enumerate() {
        for &need in &work.needs {
            dependents[need].push(at);
        }
    }
    // What runs goes on, whatever it needs and however many slots there are.
    let mut under_way: BinaryHeap<Reverse<(u64, usize)>> =
        works.iter().enumerate().filter(|(_, work)| work.is_running).map(|(at, work)| Reverse((work.left, at))).collect();
    let may_begin = |at: &usize| works[*at].needs.is_empty() && !works[*at].is_running;
    let mut open: BinaryHeap<Reverse<usize>> = (0..works.len()).filter(may_begin).map(Reverse).collect();
    let (mut now, mut taken) = (0, under_way.len());
    loop {
        let mut waiting = Vec::new();
        while let Some(Reverse(at)) = open.pop() {
            if !works[at].takes_slot {
                under_way.push(Reverse((now, at)));
            } else if taken < slots.max(1) {
                taken += 1;
                under_way.push(Reverse((now + works[at].left, at)));
            } else {
                waiting.push(Reverse(at));
            }
        }
        open.extend(waiting);
        let Some(Reverse((end, done))) = under_way.pop() else { return now };
        now = end;
        taken -= usize::from(works[done].takes_slot || works[done].is_running);
        for &next in &dependents[done] {
            unmet[next] -= 1;
            if unmet[next] == 0 && !works[next].is_running {
                open.push(Reverse(next));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn work(left: u64, needs: &[usize]) -> Task {
        Task { left, needs: needs.to_vec(), is_running: false, takes_slot: true }
    }

    #[test]
    fn order_and_slots_count() {
        let chain = [work(10, &[]), work(20, &[0]), work(5, &[1])];
        assert_eq!((time_left(&chain, 1), time_left(&chain, 9)), (35, 35));
        let wide = [work(10, &[]), work(10, &[]), work(10, &[]), work(1, &[0, 1, 2])];
        assert_eq!([1, 2, 3].map(|slots| time_left(&wide, slots)), [31, 21, 11]);
        let running = [Task { is_running: true, ..work(7, &[]) }, work(10, &[0]), work(10, &[])];
        assert_eq!([1, 2].map(|slots| time_left(&running, slots)), [27, 17]);
        let gate = [work(4, &[]), Task { takes_slot: false, ..work(0, &[0]) }, work(4, &[1])];
        assert_eq!(time_left(&gate, 1), 8);
        assert_eq!(time_left(&[], 3), 0);
    }

    proptest! {
        #[test]
        fn never_less_than_the_longest_chain_nor_more_than_one_after_the_other(
            lefts in prop::collection::vec((0..100_u64, any::<u64>()), 1..30),
            slots in 1..6_usize,
        ) {
            let works: Vec<Task> = lefts.iter().enumerate().map(|(at, (left, bits))| {
                work(*left, &(0..at.min(64)).filter(|before| bits >> before & 3 == 3).collect::<Vec<_>>())
            }).collect();
            let mut ends: Vec<u64> = Vec::new();
            for work in &works {
                ends.push(work.left + work.needs.iter().map(|&need| ends[need]).max().unwrap_or(0));
            }
            let (longest, sum) = (ends.into_iter().max().unwrap_or(0), works.iter().map(|work| work.left).sum::<u64>());
            let found = time_left(&works, slots);
            prop_assert!(found >= longest.max(sum.div_ceil(slots as u64)) && found <= sum, "{found} {longest} {sum}");
        }
    }
}
