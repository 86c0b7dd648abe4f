//! The edges in a gap between two columns: which vertical piece runs on which track, so that lines
//! that mean different things never lie on each other, and never meet where one could turn into the other.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet},
};

use super::{
    bundle::{Bundle, Order, bundles},
    slot::Link,
};

/// The most tracks of a gap; what does not fit lies on the last one.
const MOST_TRACKS: usize = 40;

/// How a bundle gets from its sources to its targets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    /// All on one row.
    Straight,
    /// On one track.
    Track(usize),
    /// On one track to a free row, and on another from there.
    Detour { left: usize, row: i32, right: usize },
}

/// The bundles of a gap, and how many tracks they need.
pub(super) struct Gap {
    pub(super) bundles: Vec<Bundle>,
    pub(super) tracks: usize,
}

/// A bundle that waits for others: those that yield anyway first, then by their wish.
type Waiting = (bool, (i32, i32), usize);

impl Gap {
    /// Routes the links of a gap; `below` is a row under everything.
    pub(super) fn route(links: &[Link], rows: &[i32], below: i32) -> Self {
        let (bundles, order) = bundles(links, rows);
        let mut gap = Self { bundles, tracks: 0 };
        gap.assign(&order, below);
        gap
    }

    fn assign(&mut self, order: &Order, below: i32) {
        let mut waits = vec![0_usize; self.bundles.len()];
        order.leaves.iter().chain(&order.arrives).flatten().for_each(|&next| waits[next] += 1);
        // What lies on the row on which something else has to arrive first gets there by a detour.
        let mut yields = vec![false; self.bundles.len()];
        order.arrives.iter().flatten().for_each(|&next| yields[next] = self.bundles[next].is_flat());
        let least = vec![0; self.bundles.len()];
        let free = FreeRows::new(&self.bundles, below);
        let mut router = Router { tracks: Tracks::default(), free, least, detours: HashMap::new() };
        let mut ready: BinaryHeap<Reverse<((i32, i32), usize)>> = BinaryHeap::new();
        let mut rest: BinaryHeap<Reverse<Waiting>> = BinaryHeap::new();
        for (at, bundle) in self.bundles.iter().enumerate() {
            if waits[at] == 0 {
                ready.push(Reverse((bundle.wish(), at)));
            } else {
                rest.push(Reverse((!yields[at], bundle.wish(), at)));
            }
        }
        loop {
            let (at, is_ready) = match (ready.pop(), rest.is_empty()) {
                (Some(Reverse((_, at))), _) => (at, true),
                (None, true) => break,
                (None, false) => match rest.pop() {
                    // It has been done, or its left part has.
                    Some(Reverse((.., at))) if waits[at] == 0 || router.detours.contains_key(&at) => continue,
                    Some(Reverse((.., at))) => (at, false),
                    None => break,
                },
            };
            let (track, placed) = router.place(at, &mut self.bundles[at], is_ready);
            if placed == Placed::Left && is_ready {
                ready.push(Reverse((self.bundles[at].wish(), at)));
            }
            let left = order.leaves[at].iter().filter(|_| placed != Placed::Right);
            for &next in left.chain(order.arrives[at].iter().filter(|_| placed != Placed::Left)) {
                router.least[next] = router.least[next].max(track + 1);
                waits[next] -= 1;
                if waits[next] == 0 {
                    ready.push(Reverse((self.bundles[next].wish(), next)));
                }
            }
        }
        self.tracks = router.tracks.taken.len();
    }
}

/// What of a bundle has been placed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Placed {
    Whole,
    /// What leaves its sources, down to the row of its detour.
    Left,
    /// The rest of it.
    Right,
}

/// Finds tracks and rows for bundles, one after the other.
struct Router {
    tracks: Tracks,
    free: FreeRows,
    /// The first track that each bundle may have; left parts are at work before their bundle is.
    least: Vec<usize>,
    /// The track of the left part and the row of those that make a detour.
    detours: HashMap<usize, (usize, i32)>,
}

impl Router {
    /// Places a bundle, or the part of it whose turn it is. Also returns the track, behind which others may follow.
    fn place(&mut self, at: usize, bundle: &mut Bundle, is_ready: bool) -> (usize, Placed) {
        if let Some(&(left, row)) = self.detours.get(&at).filter(|_| is_ready) {
            let span = Bundle::span(bundle.targets.iter().copied().chain([row]));
            let right = self.tracks.take(span, self.least[at]);
            bundle.way = Way::Detour { left, row, right };
            return (right, Placed::Right);
        }
        if !is_ready || bundle.is_bent {
            let row = self.free.take(bundle.whole());
            let span = Bundle::span(bundle.sources.iter().copied().chain([row]));
            let track = self.tracks.take(span, self.least[at]);
            self.detours.insert(at, (track, row));
            self.least[at] = self.least[at].max(track + 1);
            return (track, Placed::Left);
        }
        if bundle.is_flat() {
            bundle.way = Way::Straight;
            return (self.least[at].saturating_sub(1), Placed::Whole);
        }
        let track = self.tracks.take(bundle.whole(), self.least[at]);
        bundle.way = Way::Track(track);
        (track, Placed::Whole)
    }
}

/// What lies on each track, as first rows with last rows.
#[derive(Default)]
struct Tracks {
    taken: Vec<BTreeMap<i32, i32>>,
}

impl Tracks {
    /// The first track from `least` on that is free from row to row.
    fn take(&mut self, (low, high): (i32, i32), least: usize) -> usize {
        let least = least.min(MOST_TRACKS - 1);
        let is_free = |track: &BTreeMap<i32, i32>| track.range(..=high).next_back().is_none_or(|(_, &end)| end < low);
        let found = self.taken.iter().skip(least).position(is_free).map(|at| at + least);
        let track = found.unwrap_or_else(|| self.taken.len().max(least).min(MOST_TRACKS - 1));
        if track >= self.taken.len() {
            self.taken.resize_with(track + 1, BTreeMap::new);
        }
        let end = self.taken[track].entry(low).or_insert(high);
        *end = high.max(*end);
        track
    }
}

/// Rows of a gap on which nothing leaves or arrives.
struct FreeRows {
    taken: HashSet<i32>,
    below: i32,
}

impl FreeRows {
    fn new(bundles: &[Bundle], below: i32) -> Self {
        let ports = bundles.iter().flat_map(|bundle| bundle.sources.iter().chain(&bundle.targets));
        Self { taken: ports.copied().collect(), below }
    }

    /// A free row near the middle of a span, or one under everything.
    fn take(&mut self, (low, high): (i32, i32)) -> i32 {
        let middle = i32::midpoint(low, high);
        let near = (0..32).flat_map(|away| [middle - away, middle + away]).find(|row| *row >= 0 && !self.taken.contains(row));
        let row = near.unwrap_or_else(|| {
            self.below += 1;
            self.below - 1
        });
        self.taken.insert(row);
        row
    }
}
