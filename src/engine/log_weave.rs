//! Standard output and standard error as one text, in the order in which they were written as far as that is known.

use std::ops::Range;

use crate::{
    error::Error,
    store::{LINE, Times},
};

/// Lines of one source that follow each other in the whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Segment {
    /// 0 for standard output, 1 for standard error.
    pub(super) source: usize,
    /// Their numbers there.
    pub(super) lines: Range<u64>,
    /// The number of the first of them in the whole.
    pub(super) first: u64,
}

/// How the lines of both go together: piece after piece, each with the standard output of a while before the standard error
/// of the same while. Moments in which only one of them grew make no piece of their own.
#[derive(Debug, Default)]
pub(super) struct Weave {
    /// How many moments are in it.
    moments: usize,
    /// How many lines of each there are to the end of each piece.
    pieces: Vec<[u64; 2]>,
}

impl Weave {
    /// Takes in what has been noted since. `begun` gives how many lines of a stream begin before an offset, as soon as so much
    /// of it has been counted. Whether the budget was not enough.
    pub(super) fn go_on(
        &mut self,
        times: &Times,
        budget: &mut u64,
        mut begun: impl FnMut(usize, u64) -> Result<Option<u64>, Error>,
    ) -> Result<bool, Error> {
        while let Some([out, err]) = times.lengths(self.moments) {
            if *budget == 0 {
                return Ok(true);
            }
            let (Some(out), Some(err)) = (begun(0, out)?, begun(1, err)?) else { return Ok(false) };
            self.add([out, err]);
            self.moments += 1;
            *budget = budget.saturating_sub(LINE as u64);
        }
        Ok(false)
    }

    fn add(&mut self, to: [u64; 2]) {
        let [.., last] = self.pieces.as_slice() else { return self.pieces.push(to) };
        let before = self.pieces.len().checked_sub(2).map_or([0, 0], |at| self.pieces[at]);
        // A clock that was set back must not take lines away.
        let to = [to[0].max(last[0]), to[1].max(last[1])];
        if last[1] == before[1] || to[0] == last[0] {
            self.pieces.pop();
        }
        self.pieces.push(to);
    }

    /// Where the lines in `range` come from, in order; `counts` of each are there.
    pub(super) fn segments(&self, range: Range<u64>, counts: [u64; 2]) -> impl Iterator<Item = Segment> {
        let first = self.pieces.partition_point(|piece| piece[0] + piece[1] <= range.start);
        let mut before = first.checked_sub(1).map_or([0, 0], |at| self.pieces[at]);
        let ends = self.pieces[first..].iter().copied().chain([counts]);
        let parts = ends.flat_map(move |to| {
            let from = std::mem::replace(&mut before, to);
            let begin = from[0] + from[1];
            [(0, from[0]..to[0], begin), (1, from[1]..to[1], begin + to[0] - from[0])]
        });
        let parts = parts.take_while({
            let end = range.end;
            move |(.., begin)| *begin < end
        });
        parts.map(move |(source, lines, begin)| {
            let skipped = range.start.saturating_sub(begin).min(lines.end - lines.start);
            let end = lines.end.min(lines.start + range.end.saturating_sub(begin));
            Segment { source, lines: lines.start + skipped..end.max(lines.start + skipped), first: begin + skipped }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn woven(pieces: &[[u64; 2]], range: Range<u64>, counts: [u64; 2]) -> Vec<(usize, Range<u64>, u64)> {
        let mut weave = Weave::default();
        for piece in pieces {
            weave.add(*piece);
        }
        let segments = weave.segments(range, counts).filter(|segment| !segment.lines.is_empty());
        segments.map(|Segment { source, lines, first }| (source, lines, first)).collect()
    }

    #[test]
    fn pieces_are_made_where_the_order_needs_them() {
        let mut weave = Weave::default();
        for piece in [[3, 0], [5, 0], [5, 1], [5, 2], [6, 2], [9, 4], [9, 4]] {
            weave.add(piece);
        }
        assert_eq!(weave.pieces, [[5, 2], [9, 4]]);
    }

    #[test]
    fn every_window_is_a_part_of_the_whole() {
        let pieces = [[2, 1], [4, 3], [4, 3], [9, 3]];
        let counts = [10, 5];
        let all = woven(&pieces, 0..15, counts);
        assert_eq!(all, [(0, 0..2, 0), (1, 0..1, 2), (0, 2..4, 3), (1, 1..3, 5), (0, 4..9, 7), (0, 9..10, 12), (1, 3..5, 13)]);
        let lines = |parts: Vec<(usize, Range<u64>, u64)>| {
            let numbered = parts.into_iter().flat_map(|(source, lines, first)| {
                lines.zip(first..).map(move |(line, number)| (number, source, line)).collect::<Vec<_>>()
            });
            numbered.collect::<Vec<_>>()
        };
        let whole = lines(all);
        for (from, to) in (0..=15).flat_map(|from| (from..=15).map(move |to| (from, to))) {
            assert_eq!(lines(woven(&pieces, from as u64..to as u64, counts)), whole[from..to], "{from}..{to}");
        }
    }
}
