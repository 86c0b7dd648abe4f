//! The lines of an agent's transcript by their numbers, made from its log again wherever they are wanted.

use std::{ops::Range, path::PathBuf};

use super::log::TranscriptReader;
use crate::{
    agent::{Piece, PieceKind, Transcript},
    error::Error,
    model::OutputFormat,
    store::{Found, LINE, Search},
};

/// How many bytes of a plain log cost as much time as one of these.
const PRICE: u64 = 8;

/// The most of a log that is read for one window, in bytes.
const WINDOW: u64 = 8 << 20;

/// The end of a log that the last lines are made from at first, in bytes.
const TAIL: u64 = 256 * 1024;

/// A line of a transcript.
#[derive(Clone, Debug)]
pub(super) struct TranscriptLine {
    /// Its number, from 0.
    pub(super) number: u64,
    /// Where the line of the log begins that it was made from.
    pub(super) offset: u64,
    pub(super) kind: PieceKind,
    pub(super) text: String,
    pub(super) is_cut: bool,
}

/// A place in the log where the transcript can be taken up.
#[derive(Clone, Debug)]
struct Mark {
    line: u64,
    offset: u64,
    transcript: Transcript,
}

/// A transcript. Only places are kept, one for each 64 KiB of the log.
pub(super) struct TranscriptLines {
    path: PathBuf,
    marks: Vec<Mark>,
    /// Where counting has come to.
    head: Option<Walk>,
    /// Where [`TranscriptLines::begun_before`] was asked last.
    asked: Option<Walk>,
    /// The length of the log when there was nothing more to count.
    exhausted: Option<(u64, bool)>,
    is_over: bool,
    format: OutputFormat,
}

impl TranscriptLines {
    pub(super) fn new(path: PathBuf, format: OutputFormat) -> Self {
        let marks = vec![Mark { line: 0, offset: 0, transcript: Transcript::new(format) }];
        Self { path, marks, head: None, asked: None, exhausted: None, is_over: false, format }
    }

    /// Counts lines in up to `budget` more bytes. Whether there is more to look at.
    pub(super) fn index(&mut self, budget: u64, is_over: bool) -> Result<bool, Error> {
        self.is_over |= is_over;
        let len = std::fs::metadata(&self.path).map_or(0, |meta| meta.len());
        if self.exhausted == Some((len, self.is_over)) {
            return Ok(false);
        }
        if self.head.is_none() {
            self.head = self.walk_from(0);
        }
        let Some(head) = &mut self.head else { return Ok(false) };
        let until = head.offset().saturating_add((budget / PRICE).max(1));
        while head.offset() < until {
            if !head.step(self.is_over, &mut |_| {})? {
                self.exhausted = Some((len, self.is_over));
                return Ok(false);
            }
            let last = self.marks.last().map_or(0, |mark| mark.offset);
            if head.offset() - last >= LINE as u64 && head.is_between_lines() {
                let transcript = head.reader.transcript().clone();
                self.marks.push(Mark { line: head.begun(), offset: head.offset(), transcript });
            }
        }
        Ok(true)
    }

    /// How many lines have been counted.
    pub(super) fn count(&self) -> u64 {
        self.head.as_ref().map_or(0, Walk::begun)
    }

    /// How much of the log has been looked at, in bytes.
    pub(super) fn seen(&self) -> u64 {
        self.head.as_ref().map_or(0, Walk::offset)
    }

    /// How many of the counted lines come from what stands before `offset` of the log. Quick for ascending offsets.
    pub(super) fn begun_before(&mut self, offset: u64) -> Result<u64, Error> {
        if offset >= self.seen() {
            return Ok(self.count());
        }
        let mark = self.marks.partition_point(|mark| mark.offset < offset).saturating_sub(1);
        if self.asked.as_ref().is_none_or(|asked| asked.offset() > offset || asked.offset() < self.marks[mark].offset) {
            self.asked = self.walk_from(mark);
        }
        let Some(asked) = &mut self.asked else { return Ok(0) };
        while asked.offset() < offset && asked.step(self.is_over, &mut |_| {})? {}
        Ok(asked.begun())
    }

    /// Counted lines by their numbers. Where a great deal of the log says little it may be fewer.
    pub(super) fn lines(&self, range: Range<u64>) -> Result<Vec<TranscriptLine>, Error> {
        let range = range.start..range.end.min(self.count());
        let mut found = Vec::new();
        if range.is_empty() {
            return Ok(found);
        }
        let Some(mut walk) = self.walk_from(self.stretch_of(range.start)) else { return Ok(found) };
        let until = walk.offset() + WINDOW;
        let mut take = |line: TranscriptLine| {
            if range.contains(&line.number) {
                found.push(line);
            }
        };
        while walk.ended < range.end && walk.offset() < until && walk.step(self.is_over, &mut take)? {}
        walk.rest(&mut take);
        Ok(found)
    }

    /// The last lines of what is there now, with numbers that mean nothing.
    pub(super) fn tail(&self, count: usize, is_over: bool) -> Result<Vec<TranscriptLine>, Error> {
        let len = std::fs::metadata(&self.path).map_or(0, |meta| meta.len());
        let mut lines = Vec::new();
        let start = len.saturating_sub(TAIL);
        let Some(reader) = TranscriptReader::open_at(self.path.clone(), Transcript::new(self.format), start) else {
            return Ok(lines);
        };
        let mut walk = Walk::new(reader, 0);
        if start > 0 {
            // The first one is cut.
            walk.step(is_over, &mut |_| {})?;
        }
        while walk.step(is_over, &mut |line| lines.push(line))? {}
        walk.rest(&mut |line| lines.push(line));
        Ok(lines.split_off(lines.len().saturating_sub(count)))
    }

    /// As in a plain log.
    pub(super) fn find(&self, search: &Search, range: Range<u64>, is_backward: bool, budget: &mut u64) -> Result<Found, Error> {
        let range = range.start..range.end.min(self.count());
        if range.is_empty() {
            return Ok(Found::Nowhere);
        }
        let mut stretches = self.stretch_of(range.start)..=self.stretch_of(range.end - 1);
        while let Some(at) = if is_backward { stretches.next_back() } else { stretches.next() } {
            let next = self.marks.get(at + 1).map_or_else(|| self.count(), |mark| mark.line);
            let here = self.marks[at].line.max(range.start)..next.min(range.end);
            if *budget == 0 {
                return Ok(Found::NotYet(if is_backward { range.start..here.end } else { here.start..range.end }));
            }
            let end = self.marks.get(at + 1).map_or_else(|| self.seen(), |mark| mark.offset);
            *budget = budget.saturating_sub((end - self.marks[at].offset) * PRICE);
            let lines = self.lines(here)?;
            let mut hits = lines.iter().filter(|line| search.is_in(line.text.as_bytes()));
            if let Some(hit) = if is_backward { hits.next_back() } else { hits.next() } {
                return Ok(Found::Line(hit.number));
            }
        }
        Ok(Found::Nowhere)
    }

    fn stretch_of(&self, line: u64) -> usize {
        self.marks.partition_point(|mark| mark.line <= line).saturating_sub(1)
    }

    fn walk_from(&self, mark: usize) -> Option<Walk> {
        let Mark { line, offset, transcript } = self.marks[mark].clone();
        TranscriptReader::open_at(self.path.clone(), transcript, offset).map(|reader| Walk::new(reader, line))
    }
}

/// A way through the log, line by line of the log.
struct Walk {
    reader: TranscriptReader,
    /// How many lines of the transcript have ended.
    ended: u64,
    /// The one that has begun and not ended.
    open: Option<TranscriptLine>,
}

impl Walk {
    const fn new(reader: TranscriptReader, line: u64) -> Self {
        Self { reader, ended: line, open: None }
    }

    const fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// How many lines of the transcript have begun.
    fn begun(&self) -> u64 {
        self.ended + u64::from(self.open.is_some())
    }

    const fn is_between_lines(&self) -> bool {
        self.open.is_none() && self.reader.transcript().is_closed()
    }

    /// Reads a line of the log and gives `take` the lines of the transcript that end with it. Whether there was one.
    fn step(&mut self, is_over: bool, take: &mut dyn FnMut(TranscriptLine)) -> Result<bool, Error> {
        let offset = self.offset();
        let Some(pieces) = self.reader.pieces(is_over)? else { return Ok(false) };
        for Piece { kind, text } in pieces {
            for part in text.split_inclusive('\n') {
                let number = self.ended;
                let line =
                    self.open.get_or_insert_with(|| TranscriptLine { number, offset, kind, text: String::new(), is_cut: false });
                let body = part.strip_suffix('\n').unwrap_or(part);
                let room = body.floor_char_boundary(LINE - line.text.len());
                line.text.push_str(&body[..room]);
                line.is_cut |= room < body.len();
                if body.len() < part.len() {
                    self.ended += 1;
                    self.open.take().into_iter().for_each(&mut *take);
                }
            }
        }
        Ok(true)
    }

    /// Gives `take` the line that has begun and not ended.
    fn rest(&mut self, take: &mut dyn FnMut(TranscriptLine)) {
        self.open.take().into_iter().for_each(take);
    }
}
