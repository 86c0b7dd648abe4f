//! The places in columns: nodes, and the lines of long edges that pass a column.

use std::collections::HashMap;

use super::tie::Tie;

/// The most lines that long edges get in all columns together; edges beyond are not drawn.
const MOST_LINES: usize = 250_000;

/// A line through columns that edges from one source, or to one target, share.
#[derive(Clone, Copy, Debug)]
struct Net {
    /// The first column it passes.
    first: usize,
    /// How many columns it passes.
    len: usize,
    /// The number of its slot in the first column; the others follow. 0 if it is not drawn.
    slot: usize,
    is_dotted: bool,
    /// The node whose place in the file decides between equals.
    owner: usize,
    /// The group that all its ends are in.
    group: Option<usize>,
}

impl Net {
    /// Its slot in a column.
    const fn at(&self, column: usize) -> usize {
        self.slot + column - self.first
    }
}

/// A connection of two slots in neighbouring columns.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) is_dotted: bool,
}

/// Every place, and what connects them. The first slots are the nodes.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    pub(super) nodes: usize,
    /// The column of each slot.
    pub(super) columns: Vec<usize>,
    /// The group of each slot.
    pub(super) groups: Vec<Option<usize>>,
    /// Which comes first in the file.
    pub(super) ranks: Vec<usize>,
    /// For each line, whether it is dotted; by slot, without the nodes.
    pub(super) dotted: Vec<bool>,
    /// Sorted by their left ends.
    pub(super) links: Vec<Link>,
    nets: Vec<Net>,
    /// The net of each tie that is longer than one column.
    net_of: Vec<Option<usize>>,
    /// How many ties are not drawn.
    pub(super) hidden: usize,
}

impl Slots {
    pub(super) fn new(ties: &[Tie], columns: Vec<usize>, groups: Vec<Option<usize>>) -> Self {
        let nodes = columns.len();
        let mut slots = Self {
            nodes,
            columns,
            groups,
            ranks: (0..nodes).collect(),
            dotted: Vec::new(),
            links: Vec::new(),
            nets: Vec::new(),
            net_of: vec![None; ties.len()],
            hidden: 0,
        };
        slots.lay_nets(ties);
        for (at, tie) in ties.iter().enumerate() {
            let is_dotted = !tie.kind.is_dependency();
            let (first, last) = (slots.columns[tie.from] + 1, slots.columns[tie.to]);
            match slots.net_of[at].map(|net| slots.nets[net]) {
                _ if first == last => slots.links.push(Link { from: tie.from, to: tie.to, is_dotted }),
                Some(net) => slots.links.extend([
                    Link { from: tie.from, to: net.at(first), is_dotted },
                    Link { from: net.at(last - 1), to: tie.to, is_dotted },
                ]),
                None => slots.hidden += 1,
            }
        }
        let lines = slots.nets.iter().filter(|net| net.slot > 0);
        slots.links.extend(lines.flat_map(|net| {
            let is_dotted = net.is_dotted;
            (net.slot + 1..net.slot + net.len).map(move |to| Link { from: to - 1, to, is_dotted })
        }));
        slots.links.sort_unstable();
        slots.links.dedup_by(|a, b| (a.from, a.to) == (b.from, b.to));
        slots
    }

    /// Whether the slot is a node, not a line.
    pub(super) const fn is_node(&self, slot: usize) -> bool {
        slot < self.nodes
    }

    /// The slots that a tie goes through, both ends included; none if it is not drawn.
    pub(super) fn path(&self, ties: &[Tie], at: usize) -> Vec<usize> {
        let Tie { from, to, .. } = ties[at];
        let (left, right) = (self.columns[from], self.columns[to]);
        let mut path = vec![from];
        if right > left + 1 {
            let Some(net) = self.net_of[at].map(|net| self.nets[net]) else { return Vec::new() };
            path.extend((left + 1..right).map(|column| net.at(column)));
        }
        path.push(to);
        path
    }

    /// Long edges share a line from where most of them come from, or to where most of them go.
    fn lay_nets(&mut self, ties: &[Tie]) {
        let is_long = |tie: &Tie| self.columns[tie.to] > self.columns[tie.from] + 1;
        let (mut outs, mut ins) = (vec![0_usize; self.nodes], vec![0_usize; self.nodes]);
        for tie in ties.iter().filter(|tie| is_long(tie)) {
            outs[tie.from] += 1;
            ins[tie.to] += 1;
        }
        let mut names: HashMap<(bool, usize, bool), usize> = HashMap::new();
        for (at, tie) in ties.iter().enumerate().filter(|(_, tie)| is_long(tie)) {
            let is_dotted = !tie.kind.is_dependency();
            let is_inward = ins[tie.to] > outs[tie.from];
            let owner = if is_inward { tie.to } else { tie.from };
            let (first, end) = (self.columns[tie.from] + 1, self.columns[tie.to]);
            let group = self.groups[tie.from].filter(|_| self.groups[tie.from] == self.groups[tie.to]);
            let net = *names.entry((is_inward, owner, is_dotted)).or_insert_with(|| {
                self.nets.push(Net { first, len: end - first, slot: 0, is_dotted, owner, group });
                self.nets.len() - 1
            });
            self.net_of[at] = Some(net);
            let net = &mut self.nets[net];
            let end = end.max(net.first + net.len);
            net.first = net.first.min(first);
            net.len = end - net.first;
            net.group = net.group.filter(|_| net.group == group);
        }
        let mut shortest: Vec<usize> = (0..self.nets.len()).collect();
        shortest.sort_by_key(|&net| self.nets[net].len);
        let mut is_drawn = vec![false; self.nets.len()];
        for net in shortest {
            let Net { first, len, is_dotted, owner, group, .. } = self.nets[net];
            if self.dotted.len() + len > MOST_LINES {
                continue;
            }
            is_drawn[net] = true;
            self.nets[net].slot = self.columns.len();
            self.columns.extend(first..first + len);
            self.groups.extend(std::iter::repeat_n(group, len));
            self.ranks.extend(std::iter::repeat_n(owner, len));
            self.dotted.extend(std::iter::repeat_n(is_dotted, len));
        }
        for net in &mut self.net_of {
            *net = net.filter(|&net| is_drawn[net]);
        }
    }
}
