//! Looking into the logs of one attempt, of any size and while they grow: any lines by their numbers, the last ones, the
//! next with a text in it. Of a fan-out the logs of all workers are one text. No call takes longer than its budget or what
//! it returns; nothing is loaded whole.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    call::Engine,
    crew::worker_prefix,
    log_transcript::{TranscriptLine, TranscriptLines},
    log_weave::{Segment, Weave},
    view::View,
};
use crate::{
    action::query::Logs,
    agent::PieceKind,
    error::Error,
    model::{Id, OutputFormat},
    store::{AttemptStatus, Found, LINE, LineFile, Listener, RawLine, STREAMS, Search, Times},
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

/// A folder with logs in it: that of the attempt, or of a fan-out that of a worker.
struct Place {
    folder: PathBuf,
    /// What stands before each of its lines.
    prefix: String,
    times: Times,
    /// When what writes there has ended.
    ended: Option<Timestamp>,
}

/// One of the outputs that are looked at.
struct Output {
    /// Where it is, of all places.
    place: usize,
    /// Which it is there, of [`STREAMS`].
    stream: usize,
    source: Source,
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
    places: Vec<Place>,
    outputs: Vec<Output>,
    /// The order of all, where there is more than one, and how many moments of each place are in it.
    weave: Option<(Weave, Vec<usize>)>,
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
        let found = self.log_places(view, &Logs { stderr: false, ..args.clone() })?;
        let workers = u32::try_from(found.len()).unwrap_or(u32::MAX);
        let (mut places, mut outputs) = (Vec::new(), Vec::new());
        let wanted: &[usize] = match streams {
            Streams::Stdout => &[0],
            Streams::Stderr => &[1],
            Streams::Both => &[0, 1],
        };
        for (at, place) in found.iter().enumerate() {
            let folder = place.path.parent().map(Path::to_path_buf).unwrap_or_default();
            let prefix = place.worker.filter(|_| workers > 1).map_or(String::new(), |worker| worker_prefix(worker, workers));
            outputs.extend(wanted.iter().map(|&stream| {
                let path = folder.join(STREAMS[stream]);
                let source = match place.format {
                    OutputFormat::Text => Source::Text(LineFile::new(path)),
                    _ if stream > 0 => Source::Text(LineFile::new(path)),
                    format => Source::Transcript(Box::new(TranscriptLines::new(path, format))),
                };
                Output { place: at, stream, source }
            }));
            places.push(Place { prefix, times: Times::new(folder.join("times.jsonl")), folder, ended: None });
        }
        let first = found.into_iter().next().ok_or_else(|| Error::internal("an attempt has a log"))?;
        let (step, run, attempt) = (first.step, first.run, first.attempt);
        let folder = match first.worker {
            Some(_) if args.worker.is_none() => self.paths().attempt(&run, step.as_str(), attempt),
            _ => places[0].folder.clone(),
        };
        let weave = (outputs.len() > 1).then(|| (Weave::new(outputs.len()), vec![0; places.len()]));
        Ok(LogWindow { step, run, attempt, folder, places, outputs, weave, ended: None, is_complete: false })
    }
}

impl LogWindow {
    /// Whether something was written to an output that is not looked at.
    pub fn has_other(&self) -> bool {
        let is_shown = |at: usize, stream: usize| self.outputs.iter().any(|output| (output.place, output.stream) == (at, stream));
        let is_written = |path: PathBuf| path.metadata().is_ok_and(|about| about.len() > 0);
        self.places.iter().enumerate().any(|(at, place)| {
            (0..STREAMS.len()).any(|stream| !is_shown(at, stream) && is_written(place.folder.join(STREAMS[stream])))
        })
    }

    /// Counts lines in up to `budget` more bytes of what is there. Whether there is more to look at; once there is not, it is
    /// cheap to ask again whether the logs have grown.
    pub fn index(&mut self, budget: u64) -> Result<bool, Error> {
        self.refresh()?;
        let (mut left, mut has_more) = (budget.max(1), false);
        for Output { place, source, .. } in &mut self.outputs {
            let before = source.seen();
            has_more |= source.index(left, self.ended.or(self.places[*place].ended).is_some())?;
            left = left.saturating_sub(source.seen() - before).max(1);
        }
        has_more |= self.weave(left)?;
        self.is_complete = !has_more;
        Ok(has_more)
    }

    /// Brings into order what has been counted. Whether the budget was not enough.
    fn weave(&mut self, mut left: u64) -> Result<bool, Error> {
        let Some((weave, taken)) = &mut self.weave else { return Ok(false) };
        loop {
            let next = self.places.iter().enumerate().filter_map(|(at, place)| Some((place.times.lengths(taken[at])?, at)));
            let Some(((_, lengths), at)) = next.min_by_key(|((when, _), at)| (*when, *at)) else { return Ok(false) };
            if left == 0 {
                return Ok(true);
            }
            let mut counts = Vec::with_capacity(STREAMS.len());
            for (index, output) in self.outputs.iter_mut().enumerate().filter(|(_, output)| output.place == at) {
                let length = lengths[output.stream];
                if output.source.seen() < length {
                    return Ok(false);
                }
                counts.push((index, output.source.begun_before(length)?));
            }
            for (index, count) in counts {
                weave.add(index, count);
            }
            taken[at] += 1;
            left = left.saturating_sub(LINE as u64);
        }
    }

    /// Reads what is known of the attempt beside its logs.
    fn refresh(&mut self) -> Result<(), Error> {
        let ended = |folder: &Path| {
            let status = AttemptStatus::read_in(folder)?;
            Some((status.ended_at.parse::<Timestamp>().ok()?, [status.stdout_bytes, status.stderr_bytes]))
        };
        if self.ended.is_none() {
            self.ended = ended(&self.folder).map(|(at, _)| at);
        }
        let is_one = self.places.len() == 1;
        for place in &mut self.places {
            let over = if place.ended.is_none() && !is_one { ended(&place.folder) } else { None };
            place.times.refresh()?;
            if let Some((at, lengths)) = over {
                // Who ended soon was done before what others wrote later.
                place.times.end(at, lengths);
                place.ended = Some(at);
            }
        }
        Ok(())
    }

    /// Calls `tell` whenever the logs may have grown, until what it gives is dropped; nothing where the system cannot watch.
    pub fn watch(&self, tell: impl Fn() + Send + 'static) -> Option<Listener> {
        let folders: Vec<PathBuf> = self.places.iter().map(|place| place.folder.clone()).collect();
        Listener::new(&self.folder, &folders, tell)
    }

    /// How many lines have been counted.
    pub fn count(&self) -> u64 {
        self.outputs.iter().map(|output| output.source.count()).sum()
    }

    /// How many bytes have been looked at: another number means that there is something new, if only in the last line.
    pub fn seen(&self) -> u64 {
        self.outputs.iter().map(|output| output.source.seen()).sum()
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
        let (mut found, is_one) = (Vec::new(), self.places.len() == 1);
        for at in 0..self.outputs.len() {
            let Output { place, stream, source } = &mut self.outputs[at];
            let (place, stream) = (*place, *stream);
            let is_over = self.ended.or(self.places[place].ended).is_some();
            let lines: Vec<(u64, LogLine)> = match source {
                Source::Text(file) => {
                    let lines = file.tail(count)?;
                    lines.iter().map(|line| (line.offset, self.text_line(place, stream, line, 0))).collect()
                }
                Source::Transcript(transcript) => {
                    let lines = transcript.tail(count, is_over)?;
                    lines.into_iter().map(|line| (line.offset, self.transcript_line(place, &line, 0))).collect()
                }
            };
            // The moments of one place have an order of their own, whatever the clock says.
            let moment = |offset| if is_one { self.places[place].times.moment(stream, offset) } else { 0 };
            let when = |line: &LogLine| if is_one { Timestamp::MIN } else { line.at.unwrap_or(Timestamp::MAX) };
            found.extend(lines.into_iter().map(|(offset, line)| ((when(&line), moment(offset), place), line)));
        }
        found.sort_by_key(|(moment, line)| (*moment, line.is_stderr));
        let rest = found.split_off(found.len().saturating_sub(count));
        Ok(rest.into_iter().map(|(_, line)| LogLine { number: None, ..line }).collect())
    }

    /// The first line in `range` that has what is searched for, or with `is_backward` the last. Looks at `budget` bytes; where
    /// that was not enough, the answer says which lines are left.
    pub fn find(&self, search: &Search, range: Range<u64>, is_backward: bool, mut budget: u64) -> Result<Found, Error> {
        let mut segments = self.segments(range.clone());
        if is_backward {
            segments.reverse();
        }
        for Segment { source, lines, first } in segments {
            let back = |line: u64| first + (line - lines.start);
            let found = match &self.outputs[source].source {
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
    fn segments(&self, range: Range<u64>) -> Vec<Segment> {
        let range = range.start..range.end.min(self.count());
        match &self.weave {
            Some((weave, _)) => {
                let counts: Vec<u64> = self.outputs.iter().map(|output| output.source.count()).collect();
                weave.segments(range, &counts)
            }
            None if range.is_empty() => Vec::new(),
            None => vec![Segment { source: 0, first: range.start, lines: range }],
        }
    }

    /// Lines of one source; `shift` makes the numbers those of the whole.
    fn lines_of(&self, source: usize, lines: Range<u64>, shift: u64) -> Result<Vec<LogLine>, Error> {
        let Output { place, stream, source } = &self.outputs[source];
        Ok(match source {
            Source::Text(file) => {
                file.lines(lines)?.into_iter().map(|line| self.text_line(*place, *stream, &line, shift)).collect()
            }
            Source::Transcript(transcript) => {
                transcript.lines(lines)?.into_iter().map(|line| self.transcript_line(*place, &line, shift)).collect()
            }
        })
    }

    fn text_line(&self, place: usize, stream: usize, line: &RawLine, shift: u64) -> LogLine {
        LogLine {
            number: line.number.map(|number| number.wrapping_add(shift)),
            is_stderr: stream == 1,
            kind: PieceKind::Output,
            at: self.moment(place, stream, line.offset),
            text: format!("{}{}", self.places[place].prefix, String::from_utf8_lossy(&line.bytes)),
            is_cut: line.is_cut,
        }
    }

    fn transcript_line(&self, place: usize, line: &TranscriptLine, shift: u64) -> LogLine {
        LogLine {
            number: Some(line.number.wrapping_add(shift)),
            is_stderr: false,
            kind: line.kind,
            at: self.moment(place, 0, line.offset),
            text: format!("{}{}", self.places[place].prefix, line.text),
            is_cut: line.is_cut,
        }
    }

    /// When what stands at an offset had been written.
    fn moment(&self, place: usize, stream: usize, offset: u64) -> Option<Timestamp> {
        let place = &self.places[place];
        place.times.at(stream, offset).or(place.ended).or(self.ended)
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
