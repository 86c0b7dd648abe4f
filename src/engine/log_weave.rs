//! The lines of several logs as one text, in the order in which they were written as far as that is known.

use std::ops::Range;

/// Lines of one source that follow each other in the whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Segment {
    /// Which source: its place in the list of all.
    pub(super) source: usize,
    /// Their numbers there.
    pub(super) lines: Range<u64>,
    /// The number of the first of them in the whole.
    pub(super) first: u64,
}

impl Segment {
    const fn end(&self) -> u64 {
        self.first + (self.lines.end - self.lines.start)
    }
}

/// How the lines of all go together: piece after piece, each with what one source grew by until another one did.
#[derive(Debug, Default)]
pub(super) struct Weave {
    pieces: Vec<Segment>,
    /// How many lines of each source are in them.
    woven: Vec<u64>,
}

impl Weave {
    /// Of so many sources.
    pub(super) fn new(sources: usize) -> Self {
        Self { pieces: Vec::new(), woven: vec![0; sources] }
    }

    /// Takes in that a source had so many lines at a moment that is not before the last one.
    pub(super) fn add(&mut self, source: usize, to: u64) {
        // A clock that was set back must not take lines away.
        let from = self.woven[source];
        if to <= from {
            return;
        }
        self.woven[source] = to;
        match self.pieces.last_mut().filter(|last| last.source == source) {
            Some(last) => last.lines.end = to,
            None => self.pieces.push(Segment { source, lines: from..to, first: self.pieces.last().map_or(0, Segment::end) }),
        }
    }

    /// Where the lines in `range` come from, in order; `counts` of each source are there.
    pub(super) fn segments(&self, range: Range<u64>, counts: &[u64]) -> Vec<Segment> {
        let mut end = self.pieces.last().map_or(0, Segment::end);
        let rest = counts.iter().zip(&self.woven).enumerate().map(|(source, (&count, &woven))| {
            let piece = Segment { source, lines: woven..count.max(woven), first: end };
            end = piece.end();
            piece
        });
        let first = self.pieces.partition_point(|piece| piece.end() <= range.start);
        let parts = self.pieces[first..].iter().cloned().chain(rest).take_while(|piece| piece.first < range.end);
        parts.filter_map(|piece| clip(piece, &range)).collect()
    }
}

/// What of a piece is in `range`.
fn clip(Segment { source, lines, first }: Segment, range: &Range<u64>) -> Option<Segment> {
    let start = lines.start + range.start.saturating_sub(first);
    let end = lines.end.min(lines.start + range.end.saturating_sub(first));
    (start < end).then(|| Segment { source, lines: start..end, first: first + (start - lines.start) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weave(moments: &[&[u64]]) -> Weave {
        let mut weave = Weave::new(moments[0].len());
        for lengths in moments {
            lengths.iter().enumerate().for_each(|(source, &to)| weave.add(source, to));
        }
        weave
    }

    fn woven(weave: &Weave, range: Range<u64>, counts: &[u64]) -> Vec<(usize, Range<u64>, u64)> {
        weave.segments(range, counts).into_iter().map(|Segment { source, lines, first }| (source, lines, first)).collect()
    }

    #[test]
    fn pieces_are_made_where_the_order_needs_them() {
        let weave = weave(&[&[3, 0], &[5, 0], &[5, 1], &[5, 2], &[6, 2], &[9, 4], &[9, 4], &[2, 4]]);
        let pieces: Vec<_> = weave.pieces.iter().map(|piece| (piece.source, piece.lines.clone(), piece.first)).collect();
        assert_eq!(pieces, [(0, 0..5, 0), (1, 0..2, 5), (0, 5..9, 7), (1, 2..4, 11)]);
    }

    #[test]
    fn every_window_is_a_part_of_the_whole() {
        let weave = weave(&[&[2, 1, 0], &[4, 3, 0], &[4, 3, 2], &[9, 3, 2]]);
        let counts = [10, 5, 2];
        let all = woven(&weave, 0..17, &counts);
        let wanted =
            [(0, 0..2, 0), (1, 0..1, 2), (0, 2..4, 3), (1, 1..3, 5), (2, 0..2, 7), (0, 4..9, 9), (0, 9..10, 14), (1, 3..5, 15)];
        assert_eq!(all, wanted);
        let lines = |parts: Vec<(usize, Range<u64>, u64)>| {
            let numbered = parts.into_iter().flat_map(|(source, lines, first)| {
                lines.zip(first..).map(move |(line, number)| (number, source, line)).collect::<Vec<_>>()
            });
            numbered.collect::<Vec<_>>()
        };
        let whole = lines(all);
        for (from, to) in (0..=17).flat_map(|from| (from..=17).map(move |to| (from, to))) {
            assert_eq!(lines(woven(&weave, from as u64..to as u64, &counts)), whole[from..to], "{from}..{to}");
        }
    }
}
