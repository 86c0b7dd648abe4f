//! A plan and what it would become, in one drawing.

use std::collections::{HashMap, HashSet};

use super::{Outline, tie::Tie};
use crate::model::{Gate, Graph, Node, Sequence, Step};

/// What becomes of a node or an edge.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Mark {
    /// It stays.
    #[default]
    Kept,
    /// A node that says something else, or an edge that takes the place of another one.
    Changed,
    /// It is new.
    Added,
    /// It goes.
    Removed,
}

/// A plan and what it would become.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Everything that is in either. First the nodes of the plan as it is, then the new ones.
    pub outline: Outline,
    /// The number of each node in the plan as it would be.
    pub after: Vec<Option<usize>>,
    /// What becomes of each node.
    pub marks: Vec<Mark>,
    ties: HashMap<(usize, usize), Mark>,
}

impl Difference {
    /// What leads from a plan to another one.
    pub fn of(before: (&Sequence, &Graph), after: (&Sequence, &Graph)) -> Self {
        let (old, new) = (Outline::of(before.0, before.1), Outline::of(after.0, after.1));
        let mut nodes = old.nodes.clone();
        let mut numbers: Vec<Option<usize>> = before.0.ids().map(|id| after.1.find(id.as_str())).collect();
        let mut marks = Vec::with_capacity(nodes.len());
        for (at, number) in numbers.iter().enumerate() {
            let Some(number) = *number else {
                marks.push(Mark::Removed);
                continue;
            };
            nodes[at] = new.nodes[number].clone();
            let is_same = is_same(says(before, at), says(after, number));
            marks.push(if is_same { Mark::Kept } else { Mark::Changed });
        }
        let mut places = vec![0; new.nodes.len()];
        numbers.iter().enumerate().for_each(|(at, number)| _ = number.map(|number| places[number] = at));
        for (number, id) in after.0.ids().enumerate().filter(|(_, id)| before.1.find(id.as_str()).is_none()) {
            debug_assert!(!before.0.contains(id.as_str()));
            places[number] = nodes.len();
            nodes.push(new.nodes[number].clone());
            numbers.push(Some(number));
            marks.push(Mark::Added);
        }
        let mut ties: Vec<Tie> = new.ties.iter().map(|tie| Tie { from: places[tie.from], to: places[tie.to], ..*tie }).collect();
        let tie_marks = mark_ties(&old.ties, &mut ties, &marks);
        Self { outline: Outline { nodes, ties }, after: numbers, marks, ties: tie_marks }
    }

    /// What becomes of an edge of the drawing.
    pub fn mark(&self, tie: &Tie) -> Mark {
        self.ties.get(&tie.ends()).copied().unwrap_or_default()
    }
}

/// What becomes of each edge, by its ends. Those that go are added to `ties`, as far as that makes no circle.
fn mark_ties(old: &[Tie], ties: &mut Vec<Tie>, nodes: &[Mark]) -> HashMap<(usize, usize), Mark> {
    let known: HashSet<(usize, usize)> = old.iter().map(Tie::ends).collect();
    let now: HashSet<(usize, usize)> = ties.iter().map(Tie::ends).collect();
    let gone: Vec<&Tie> = old.iter().filter(|tie| !now.contains(&tie.ends())).collect();
    let losers: HashSet<usize> = gone.iter().map(|tie| tie.to).collect();
    let is_there = |at: usize| !matches!(nodes[at], Mark::Added | Mark::Removed);
    let mut marks: HashMap<(usize, usize), Mark> = HashMap::new();
    for tie in ties.iter().filter(|tie| !known.contains(&tie.ends())) {
        let is_rewired = is_there(tie.to) && losers.contains(&tie.to);
        marks.insert(tie.ends(), if is_rewired { Mark::Changed } else { Mark::Added });
    }
    let mut next: HashMap<usize, Vec<usize>> = HashMap::new();
    for tie in ties.iter().filter(|tie| tie.kind.is_dependency()) {
        next.entry(tie.from).or_default().push(tie.to);
    }
    for tie in gone {
        if tie.kind.is_dependency() {
            if leads(&next, tie.to, tie.from) {
                continue;
            }
            next.entry(tie.from).or_default().push(tie.to);
        }
        marks.insert(tie.ends(), Mark::Removed);
        ties.push(*tie);
    }
    marks
}

fn leads(next: &HashMap<usize, Vec<usize>>, from: usize, to: usize) -> bool {
    let (mut left, mut seen) = (vec![from], HashSet::from([from]));
    while let Some(here) = left.pop() {
        if here == to {
            return true;
        }
        left.extend(next.get(&here).into_iter().flatten().filter(|far| seen.insert(**far)));
    }
    false
}

/// What a plan says of a node.
enum Says<'a> {
    Step(&'a Step),
    Gate(&'a Gate),
}

fn says<'a>((sequence, graph): (&'a Sequence, &Graph), at: usize) -> Says<'a> {
    match graph.node(at) {
        Node::Step(step) => Says::Step(&sequence.steps[step]),
        Node::Gate(gate) => Says::Gate(&sequence.gates[gate]),
    }
}

/// Whether both say the same, what they wait for aside: edges show that.
fn is_same(before: Says<'_>, after: Says<'_>) -> bool {
    match (before, after) {
        (Says::Step(before), Says::Step(after)) => Step { depends_on: after.depends_on.clone(), ..before.clone() } == *after,
        (Says::Gate(before), Says::Gate(after)) => Gate { depends_on: after.depends_on.clone(), ..before.clone() } == *after,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(edges: &[(&str, &[&str])]) -> (Sequence, Graph) {
        let steps = edges.iter().map(|(id, needs)| {
            let mut step = Step::new(id.parse().unwrap());
            step.depends_on = needs.iter().map(|need| need.parse().unwrap()).collect();
            step
        });
        let sequence = Sequence { steps: steps.collect(), ..Sequence::default() };
        let graph = Graph::build(&sequence).unwrap();
        (sequence, graph)
    }

    fn difference(before: &[(&str, &[&str])], after: &[(&str, &[&str])]) -> Difference {
        let (before, after) = (plan(before), plan(after));
        Difference::of((&before.0, &before.1), (&after.0, &after.1))
    }

    #[test]
    fn a_step_between_two_rewires_the_second() {
        let found = difference(&[("a", &[]), ("b", &["a"])], &[("a", &[]), ("new", &["a"]), ("b", &["new"])]);
        assert_eq!(found.marks, [Mark::Kept, Mark::Kept, Mark::Added]);
        let mark = |from, to| found.outline.ties.iter().find(|tie| tie.ends() == (from, to)).map(|tie| found.mark(tie));
        assert_eq!(mark(0, 2), Some(Mark::Added));
        assert_eq!(mark(2, 1), Some(Mark::Changed));
        assert_eq!(mark(0, 1), Some(Mark::Removed));
    }

    #[test]
    fn an_edge_that_is_turned_round_makes_no_circle() {
        let found = difference(&[("a", &[]), ("b", &["a"])], &[("a", &["b"]), ("b", &[])]);
        assert_eq!(found.outline.ties.len(), 1);
        assert_eq!(found.mark(&found.outline.ties[0]), Mark::Added);
        super::super::Layout::draw(&found.outline);
    }

    #[test]
    fn what_goes_stays_where_it_was() {
        let found = difference(&[("a", &[]), ("b", &["a"]), ("c", &["b"])], &[("a", &[]), ("c", &["a"])]);
        assert_eq!(
            (found.marks.as_slice(), found.after.as_slice()),
            (&[Mark::Kept, Mark::Removed, Mark::Kept][..], &[Some(0), None, Some(1)][..])
        );
        assert_eq!(found.outline.ties.len(), 3);
    }
}
