//! The edges in a gap between two columns: which vertical piece runs on which track, so that lines
//! that mean different things never lie on each other.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet},
};

use super::slot::Link;

/// The most tracks of a gap; what does not fit lies on the last one.
const MOST_TRACKS: usize = 40;

/// Edges that share a vertical piece: all its sources lead to all its targets. Rows, not slots.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    pub(super) sources: Vec<i32>,
    pub(super) targets: Vec<i32>,
    pub(super) is_dotted: bool,
    pub(super) way: Way,
    /// Its links, by their numbers in the gap.
    pub(super) links: Vec<usize>,
}

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

impl Bundle {
    /// Whether nothing of it is vertical.
    fn is_flat(&self) -> bool {
        self.sources.iter().chain(&self.targets).all(|row| *row == self.sources[0])
    }

    fn span(rows: impl Iterator<Item = i32>) -> (i32, i32) {
        rows.fold((i32::MAX, i32::MIN), |(low, high), row| (low.min(row), high.max(row)))
    }

    fn whole(&self) -> (i32, i32) {
        Self::span(self.sources.iter().chain(&self.targets).copied())
    }

    /// Left to right: what goes down from further below first, what goes up from further above first.
    fn wish(&self) -> (i32, i32) {
        let (source, target) = (self.sources[0], self.targets[self.targets.len() / 2]);
        (if source <= target { -source } else { source }, target)
    }
}

impl Gap {
    /// Routes the links of a gap; `below` is a row under everything.
    pub(super) fn route(links: &[Link], rows: &[i32], below: i32) -> Self {
        let mut gap = Self { bundles: bundles(links, rows), tracks: 0 };
        gap.assign(below);
        gap
    }

    /// Which bundle must be left of which: what arrives on the row of a source must not get there
    /// before the source's own lines have left it.
    fn precedence(&self) -> Vec<Vec<usize>> {
        let mut arriving: HashMap<i32, Vec<usize>> = HashMap::new();
        for (at, bundle) in self.bundles.iter().enumerate() {
            bundle.targets.iter().for_each(|&row| arriving.entry(row).or_default().push(at));
        }
        let after = self.bundles.iter().enumerate().map(|(at, bundle)| {
            let met = bundle.sources.iter().filter_map(|row| arriving.get(row));
            met.flatten().copied().filter(|&other| other != at).collect()
        });
        after.collect()
    }

    fn assign(&mut self, below: i32) {
        let after = self.precedence();
        let mut waits = vec![0_usize; self.bundles.len()];
        after.iter().flatten().for_each(|&next| waits[next] += 1);
        let mut free = FreeRows::new(&self.bundles, below);
        let mut tracks = Tracks::default();
        // Left parts are at work before their bundle is: `least` is the first track it may have.
        let mut least = vec![0; self.bundles.len()];
        let mut detours: HashMap<usize, (usize, i32)> = HashMap::new();
        let mut ready: BinaryHeap<Reverse<((i32, i32), usize)>> = BinaryHeap::new();
        let mut rest: BinaryHeap<Reverse<((i32, i32), usize)>> = BinaryHeap::new();
        for (at, bundle) in self.bundles.iter().enumerate() {
            let entry = Reverse((bundle.wish(), at));
            if waits[at] == 0 { ready.push(entry) } else { rest.push(entry) }
        }
        loop {
            let (at, is_ready) = match (ready.pop(), rest.is_empty()) {
                (Some(Reverse((_, at))), _) => (at, true),
                (None, true) => break,
                (None, false) => match rest.pop() {
                    // It has been done, or its left part has.
                    Some(Reverse((_, at))) if waits[at] == 0 || detours.contains_key(&at) => continue,
                    Some(Reverse((_, at))) => (at, false),
                    None => break,
                },
            };
            let bundle = &self.bundles[at];
            let track = if !is_ready {
                let row = free.take(bundle.whole());
                let span = Bundle::span(bundle.sources.iter().copied().chain([row]));
                let track = tracks.take(span, least[at]);
                detours.insert(at, (track, row));
                least[at] = least[at].max(track + 1);
                track
            } else if let Some(&(left, row)) = detours.get(&at) {
                let span = Bundle::span(bundle.targets.iter().copied().chain([row]));
                let right = tracks.take(span, least[at]);
                self.bundles[at].way = Way::Detour { left, row, right };
                continue;
            } else if bundle.is_flat() {
                self.bundles[at].way = Way::Straight;
                least[at].saturating_sub(1)
            } else {
                let track = tracks.take(bundle.whole(), least[at]);
                self.bundles[at].way = Way::Track(track);
                track
            };
            for &next in &after[at] {
                least[next] = least[next].max(track + 1);
                waits[next] -= 1;
                if waits[next] == 0 {
                    ready.push(Reverse((self.bundles[next].wish(), next)));
                }
            }
        }
        self.tracks = tracks.taken.len();
    }
}

/// Links with the same source belong together, and so do sources with the same targets.
fn bundles(links: &[Link], rows: &[i32]) -> Vec<Bundle> {
    let mut by_source: BTreeMap<(usize, bool), (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (at, link) in links.iter().enumerate() {
        let (targets, numbers) = by_source.entry((link.from, link.is_dotted)).or_default();
        targets.push(link.to);
        numbers.push(at);
    }
    let mut by_targets: HashMap<(Vec<usize>, bool), usize> = HashMap::new();
    let mut bundles: Vec<Bundle> = Vec::new();
    for ((from, is_dotted), (targets, numbers)) in by_source {
        let fresh = bundles.len();
        let target_rows = || targets.iter().map(|&to| rows[to]).collect();
        let at = *by_targets.entry((targets.clone(), is_dotted)).or_insert(fresh);
        if at == fresh {
            let empty = Bundle { sources: Vec::new(), targets: target_rows(), is_dotted, way: Way::Straight, links: Vec::new() };
            bundles.push(empty);
        }
        bundles[at].sources.push(rows[from]);
        bundles[at].links.extend(numbers);
    }
    for bundle in &mut bundles {
        bundle.sources.sort_unstable();
        bundle.targets.sort_unstable();
    }
    bundles
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
