//! Which column each node stands in.

use super::tie::{Tie, TieKind};

/// The columns of nodes: the longest path from a root. Who only watches stands just before what it
/// watches. `order` has every tie lead forward.
pub(super) fn columns(nodes: usize, ties: &[Tie], order: &[usize]) -> Vec<usize> {
    let mut needs = vec![Vec::new(); nodes];
    let mut has_dependents = vec![false; nodes];
    for tie in ties {
        needs[tie.to].push(tie.from);
        has_dependents[tie.from] |= tie.kind != TieKind::Watch || tie.is_backward;
    }
    let mut columns = vec![0; nodes];
    for &node in order {
        columns[node] = needs[node].iter().map(|&need| columns[need] + 1).max().unwrap_or(0);
    }
    let mut nearest = vec![usize::MAX; nodes];
    for tie in ties.iter().filter(|tie| tie.kind == TieKind::Watch && !tie.is_backward) {
        nearest[tie.from] = nearest[tie.from].min(columns[tie.to] - 1);
    }
    for node in (0..nodes).filter(|&node| !has_dependents[node] && nearest[node] != usize::MAX) {
        columns[node] = columns[node].max(nearest[node]);
    }
    columns
}
