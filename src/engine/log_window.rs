//! Looking into the logs of one attempt, of any size and while they grow: any lines by their numbers, the last ones, the
//! next with a text in it. No call takes longer than its budget or what it returns; nothing is loaded whole.

use std::{ops::Range, path::PathBuf};

use jiff::Timestamp;

use super::{
    call::Engine,
    log_transcript::{TranscriptLine, TranscriptLines},
    log_weave::{Segment, Weave},
    view::View,
};
use crate::{
    action::query::Logs,
    agent::PieceKind,
    error::Error,
    model::{Id, OutputFormat},
    store::{AttemptStatus, Found, LineFile, Listener, RawLine, STREAMS, Search, Times},
};

/// Which output is looked at.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Streams {
    /// Standard output; of an agent, its transcript.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
    /// Both, in the order in which they were written, to two seconds.
    Both,
}

/// A line to show.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// Its number, from 0; nothing where the lines before it have not been counted.
    pub number: Option<u64>,
    /// Whether it comes from standard error.
    pub is_stderr: bool,
    /// What it is, in a transcript.
    pub kind: PieceKind,
    /// The text as it was written, with what is not UTF-8 replaced. It may have anything in it that a terminal would obey;
    /// that of a transcript has not.
    pub text: String,
    /// Whether there is more of it: lines are cut at 64 KiB.
    pub is_cut: bool,
    /// When it had been written, to two seconds.
    pub at: Option<Timestamp>,
}

/// The lines of one output.
enum Source {
    Text(LineFile),
    Transcript(Box<TranscriptLines>),
}

/// A view into the logs of one attempt.
pub struct LogWindow {
    /// The step.
    pub step: Id,
    /// The run.
    pub run: String,
    /// The attempt.
    pub attempt: u32,
    folder: PathBuf,
    /// Which they are, as places in [`STREAMS`], and their lines.
    sources: Vec<(usize, Source)>,
    times: Times,
    /// The order of both.
    weave: Option<Weave>,
    /// When the attempt ended.
    ended: Option<Timestamp>,
    /// Whether everything had been counted at the last look.
    is_complete: bool,
}

impl Engine {
    /// Opens the logs that `args` ask for: step, run, attempt, and whether an agent's output is shown as it is.
    ///
    /// # Errors
    /// `NeverRan`, `LogNotFound` and the like where there are none.
    pub fn open_log(&self, view: &View, args: &Logs, streams: Streams) -> Result<LogWindow, Error> {
        let place = self.log_place(view, &Logs { stderr: false, ..args.clone() })?;
        let folder = self.paths().attempt(&place.run, place.step.as_str(), place.attempt);
        let open = |stream: usize| {
            let path = folder.join(STREAMS[stream]);
            let source = match place.format {
                OutputFormat::Text => Source::Text(LineFile::new(path)),
                _ if stream > 0 => Source::Text(LineFile::new(path)),
                format => Source::Transcript(Box::new(TranscriptLines::new(path, format))),
            };
            (stream, source)
        };
        let sources = match streams {
            Streams::Stdout => vec![open(0)],
            Streams::Stderr => vec![open(1)],
            Streams::Both => vec![open(0), open(1)],
        };
        let (times, weave) = (Times::new(folder.join("times.jsonl")), (streams == Streams::Both).then(Weave::default));
        let (step, run, attempt) = (place.step, place.run, place.attempt);
        Ok(LogWindow { step, run, attempt, folder, sources, times, weave, ended: None, is_complete: false })
    }
}

impl LogWindow {
    /// Counts lines in up to `budget` more bytes of what is there. Whether there is more to look at; once there is not, it is
    /// cheap to ask again whether the logs have grown.
    pub fn index(&mut self, budget: u64) -> Result<bool, Error> {
        self.refresh()?;
        let (mut left, mut has_more) = (budget.max(1), false);
        for (_, source) in &mut self.sources {
            let before = source.seen();
            has_more |= source.index(left, self.ended.is_some())?;
            left = left.saturating_sub(source.seen() - before).max(1);
        }
        if let (Some(weave), [(_, out), (_, err)]) = (&mut self.weave, self.sources.as_mut_slice()) {
            has_more |= weave.go_on(&self.times, &mut left, |stream, offset| {
                let source = if stream == 0 { &mut *out } else { &mut *err };
                (source.seen() >= offset).then(|| source.begun_before(offset)).transpose()
            })?;
        }
        self.is_complete = !has_more;
        Ok(has_more)
    }

    /// Reads what is known of the attempt beside its logs.
    fn refresh(&mut self) -> Result<(), Error> {
        if self.ended.is_none() {
            let status: Option<AttemptStatus> = crate::store::file::read_json(&self.folder.join("status.json"));
            self.ended = status.and_then(|status| status.ended_at.parse().ok());
        }
        self.times.refresh()
    }

    /// Calls `tell` whenever the logs may have grown, until what it gives is dropped; nothing where the system cannot watch.
    pub fn watch(&self, tell: impl Fn() + Send + 'static) -> Option<Listener> {
        Listener::new(&self.folder, &[], tell)
    }

    /// How many lines have been counted.
    pub fn count(&self) -> u64 {
        self.sources.iter().map(|(_, source)| source.count()).sum()
    }

    /// How many bytes have been looked at: another number means that there is something new, if only in the last line.
    pub fn seen(&self) -> u64 {
        self.sources.iter().map(|(_, source)| source.seen()).sum()
    }

    /// Whether the attempt has ended, so that nothing more will come.
    pub const fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// Counted lines by their numbers. Where they are very long it may be fewer than were asked for.
    pub fn lines(&self, range: Range<u64>) -> Result<Vec<LogLine>, Error> {
        let mut found = Vec::new();
        for Segment { source, lines, first } in self.segments(range) {
            let wanted = lines.end - lines.start;
            let got = self.lines_of(source, lines.clone(), first.wrapping_sub(lines.start))?;
            let is_short = (got.len() as u64) < wanted;
            found.extend(got);
            if is_short {
                break;
            }
        }
        Ok(found)
    }

    /// The last `count` lines of what is there now, also before everything has been counted.
    pub fn tail(&mut self, count: usize) -> Result<Vec<LogLine>, Error> {
        if self.is_complete {
            let all = self.count();
            return self.lines(all.saturating_sub(count as u64)..all);
        }
        self.refresh()?;
        let (mut found, is_over) = (Vec::new(), self.is_over());
        for at in 0..self.sources.len() {
            let (stream, source) = &mut self.sources[at];
            let stream = *stream;
            let lines: Vec<(u64, LogLine)> = match source {
                Source::Text(file) => {
                    let lines = file.tail(count)?;
                    lines.iter().map(|line| (line.offset, self.text_line(stream, line, 0))).collect()
                }
                Source::Transcript(transcript) => {
                    let lines = transcript.tail(count, is_over)?;
                    lines.into_iter().map(|line| (line.offset, self.transcript_line(line, 0))).collect()
                }
            };
            found.extend(lines.into_iter().map(|(offset, line)| (self.times.moment(stream, offset), line)));
        }
        found.sort_by_key(|(moment, line)| (*moment, line.is_stderr));
        let rest = found.split_off(found.len().saturating_sub(count));
        Ok(rest.into_iter().map(|(_, line)| LogLine { number: None, ..line }).collect())
    }

    /// The first line in `range` that has what is searched for, or with `is_backward` the last. Looks at `budget` bytes; where
    /// that was not enough, the answer says which lines are left.
    pub fn find(&self, search: &Search, range: Range<u64>, is_backward: bool, mut budget: u64) -> Result<Found, Error> {
        let mut segments: Vec<Segment> = self.segments(range.clone()).collect();
        if is_backward {
            segments.reverse();
        }
        for Segment { source, lines, first } in segments {
            let back = |line: u64| first + (line - lines.start);
            let found = match &self.sources[source].1 {
                Source::Text(file) => file.find(search, lines.clone(), is_backward, &mut budget)?,
                Source::Transcript(transcript) => transcript.find(search, lines.clone(), is_backward, &mut budget)?,
            };
            match found {
                Found::Line(line) => return Ok(Found::Line(back(line))),
                Found::NotYet(left) if is_backward => return Ok(Found::NotYet(range.start..back(left.end))),
                Found::NotYet(left) => return Ok(Found::NotYet(back(left.start)..range.end.min(self.count()))),
                Found::Nowhere => {}
            }
        }
        Ok(Found::Nowhere)
    }

    /// Which lines of which source the lines in `range` are.
    fn segments(&self, range: Range<u64>) -> impl Iterator<Item = Segment> {
        let range = range.start..range.end.min(self.count());
        let (single, woven) = match (&self.weave, self.sources.as_slice()) {
            (Some(weave), [(_, out), (_, err)]) => (None, Some(weave.segments(range, [out.count(), err.count()]))),
            _ => (Some(Segment { source: 0, first: range.start, lines: range }), None),
        };
        single.into_iter().chain(woven.into_iter().flatten()).filter(|segment| !segment.lines.is_empty())
    }

    /// Lines of one source; `shift` makes the numbers those of the whole.
    fn lines_of(&self, source: usize, lines: Range<u64>, shift: u64) -> Result<Vec<LogLine>, Error> {
        let (stream, source) = &self.sources[source];
        Ok(match source {
            Source::Text(file) => file.lines(lines)?.into_iter().map(|line| self.text_line(*stream, &line, shift)).collect(),
            Source::Transcript(transcript) => {
                transcript.lines(lines)?.into_iter().map(|line| self.transcript_line(line, shift)).collect()
            }
        })
    }

    fn text_line(&self, stream: usize, line: &RawLine, shift: u64) -> LogLine {
        LogLine {
            number: line.number.map(|number| number.wrapping_add(shift)),
            is_stderr: stream == 1,
            kind: PieceKind::Output,
            at: self.times.at(stream, line.offset).or(self.ended),
            text: String::from_utf8_lossy(&line.bytes).into_owned(),
            is_cut: line.is_cut,
        }
    }

    fn transcript_line(&self, line: TranscriptLine, shift: u64) -> LogLine {
        LogLine {
            number: Some(line.number.wrapping_add(shift)),
            is_stderr: false,
            kind: line.kind,
            at: self.times.at(0, line.offset).or(self.ended),
            text: line.text,
            is_cut: line.is_cut,
        }
    }
}

impl Source {
    fn index(&mut self, budget: u64, is_over: bool) -> Result<bool, Error> {
        match self {
            Self::Text(file) => file.index(budget),
            Self::Transcript(transcript) => transcript.index(budget, is_over),
        }
    }

    fn count(&self) -> u64 {
        match self {
            Self::Text(file) => file.count(),
            Self::Transcript(transcript) => transcript.count(),
        }
    }

    fn seen(&self) -> u64 {
        match self {
            Self::Text(file) => file.seen(),
            Self::Transcript(transcript) => transcript.seen(),
        }
    }

    fn begun_before(&mut self, offset: u64) -> Result<u64, Error> {
        match self {
            Self::Text(file) => file.begun_before(offset),
            Self::Transcript(transcript) => transcript.begun_before(offset),
        }
    }
}
