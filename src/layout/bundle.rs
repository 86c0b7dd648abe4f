//! Which edges of a gap share a vertical piece, and what has to be left of what, so that nobody who follows a line
//! comes to where it does not lead.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{slot::Link, track::Way};

/// Edges that share a vertical piece: all its sources lead to all its targets. Rows, not slots.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    pub(super) sources: Vec<i32>,
    pub(super) targets: Vec<i32>,
    pub(super) is_dotted: bool,
    pub(super) way: Way,
    /// Its links, by their numbers in the gap.
    pub(super) links: Vec<usize>,
    /// Whether what arrives with it must not meet what else leaves its sources.
    pub(super) is_bent: bool,
}

/// What has to be right of each bundle.
pub(super) struct Order {
    /// Right of where its lines leave: what arrives on the row of a source must not get there before.
    pub(super) leaves: Vec<Vec<usize>>,
    /// Right of where it arrives: a line that arrives on a row passes the pieces of those that arrive right of it, and
    /// must not seem to lead to what they lead to beside.
    pub(super) arrives: Vec<Vec<usize>>,
}

impl Bundle {
    /// Whether nothing of it is vertical.
    pub(super) fn is_flat(&self) -> bool {
        self.sources.iter().chain(&self.targets).all(|row| *row == self.sources[0])
    }

    pub(super) fn span(rows: impl Iterator<Item = i32>) -> (i32, i32) {
        rows.fold((i32::MAX, i32::MIN), |(low, high), row| (low.min(row), high.max(row)))
    }

    pub(super) fn whole(&self) -> (i32, i32) {
        Self::span(self.sources.iter().chain(&self.targets).copied())
    }

    /// Left to right: what goes down from further below first, what goes up from further above first.
    pub(super) fn wish(&self) -> (i32, i32) {
        let (source, target) = (self.sources[0], self.targets[self.targets.len() / 2]);
        (if source <= target { -source } else { source }, target)
    }
}

/// The bundles of a gap, and their order. Sources with the same targets belong together. Where several such groups
/// arrive at one target, only the widest takes it along with others; the rest get there in bundles of their own.
pub(super) fn bundles(links: &[Link], rows: &[i32]) -> (Vec<Bundle>, Order) {
    let groups = groups(links, rows);
    let (widest, reach) = (widest(&groups), reach(&groups));
    let (mut bundles, mut group_of, mut siblings) = (Vec::new(), Vec::new(), Vec::new());
    for (at, group) in groups.iter().enumerate() {
        let mut parts = group.parts(|row| group.targets.len() == 1 || widest[&row] == at);
        let all = reach[&group.sources[0]].len();
        // Nothing that leaves its sources passes the piece of the one that leaves them last.
        let is_alone = all == group.targets.len() && parts.len() > 1 && !parts.iter().any(Bundle::is_flat);
        let last = is_alone.then(|| parts.len() - 1);
        for (number, part) in parts.iter_mut().enumerate() {
            let is_widest = part.targets.iter().all(|row| widest[row] == at);
            part.is_bent = !is_widest && part.targets.len() < all && last != Some(number);
        }
        let start = bundles.len();
        siblings.extend(last.into_iter().flat_map(|last| (start..start + last).map(move |other| (other, start + last))));
        group_of.extend(parts.iter().map(|_| at));
        bundles.extend(parts);
    }
    let mut order = Order { leaves: Vec::new(), arrives: vec![Vec::new(); bundles.len()] };
    let mut arriving: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (at, bundle) in bundles.iter().enumerate() {
        bundle.targets.iter().for_each(|&row| arriving.entry(row).or_default().push(at));
    }
    for (at, bundle) in bundles.iter().enumerate() {
        let met = bundle.sources.iter().filter_map(|row| arriving.get(row));
        order.leaves.push(met.flatten().copied().filter(|&other| other != at).collect());
    }
    for (left, right) in siblings {
        order.leaves[left].push(right);
    }
    for (row, there) in arriving {
        let Some(first) = there.iter().copied().find(|&at| group_of[at] == widest[&row]) else { continue };
        let reach_of = |at: usize| &reach[&bundles[at].sources[0]];
        let astray = there.into_iter().filter(|&other| !reach_of(other).is_superset(reach_of(first)));
        order.arrives[first].extend(astray);
    }
    (bundles, order)
}

/// Sources with the same targets, and the links to each target.
struct Group {
    sources: Vec<i32>,
    targets: BTreeMap<i32, Vec<usize>>,
    is_dotted: bool,
}

impl Group {
    /// One bundle for the targets that stay together, and one for each other.
    fn parts(&self, is_together: impl Fn(i32) -> bool) -> Vec<Bundle> {
        let (together, apart): (Vec<_>, Vec<_>) = self.targets.iter().partition(|(row, _)| is_together(**row));
        let parts = [together].into_iter().chain(apart.into_iter().map(|part| vec![part]));
        let bundle = |part: Vec<(&i32, &Vec<usize>)>| Bundle {
            sources: self.sources.clone(),
            targets: part.iter().map(|(row, _)| **row).collect(),
            is_dotted: self.is_dotted,
            way: Way::Straight,
            links: part.iter().flat_map(|(_, links)| links.iter().copied()).collect(),
            is_bent: false,
        };
        parts.filter(|part| !part.is_empty()).map(bundle).collect()
    }
}

fn groups(links: &[Link], rows: &[i32]) -> Vec<Group> {
    let mut by_source: BTreeMap<(usize, bool), BTreeMap<i32, Vec<usize>>> = BTreeMap::new();
    for (at, link) in links.iter().enumerate() {
        by_source.entry((link.from, link.is_dotted)).or_default().entry(rows[link.to]).or_default().push(at);
    }
    // Whose lines are of both kinds would lead the others of its group from the one kind into the other.
    let is_mixed = |from: &usize| [false, true].iter().all(|&is_dotted| by_source.contains_key(&(*from, is_dotted)));
    let mut known: HashMap<(Vec<i32>, bool, Option<usize>), usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (&(from, is_dotted), targets) in &by_source {
        let key = (targets.keys().copied().collect(), is_dotted, Some(from).filter(is_mixed));
        let at = *known.entry(key).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Group { sources: Vec::new(), targets: BTreeMap::new(), is_dotted });
        }
        groups[at].sources.push(rows[from]);
        for (&row, numbers) in targets {
            groups[at].targets.entry(row).or_default().extend(numbers);
        }
    }
    for group in &mut groups {
        group.sources.sort_unstable();
    }
    groups
}

/// For the row of each target the group that has most targets, of those that have this one.
fn widest(groups: &[Group]) -> HashMap<i32, usize> {
    let mut widest: HashMap<i32, usize> = HashMap::new();
    for (at, group) in groups.iter().enumerate() {
        for row in group.targets.keys() {
            let best = widest.entry(*row).or_insert(at);
            if groups[*best].targets.len() < group.targets.len() {
                *best = at;
            }
        }
    }
    widest
}

/// Where each source leads, by rows.
fn reach(groups: &[Group]) -> HashMap<i32, BTreeSet<i32>> {
    let mut reach: HashMap<i32, BTreeSet<i32>> = HashMap::new();
    for group in groups {
        for source in &group.sources {
            reach.entry(*source).or_default().extend(group.targets.keys());
        }
    }
    reach
}
