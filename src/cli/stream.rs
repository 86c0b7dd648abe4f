//! Commands that go on printing: `status --watch` and `logs --follow`.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    process::ExitCode,
    time::Duration,
};

use super::{Session, output::success, prefix::Prefix, show, signals::Signals};
use crate::{
    action::{Action, query::Logs},
    client::{Follower, Kind, LogText, SLICE, Streams, TranscriptReader, start_of_lines, worker_prefix},
    error::Error,
    model::WorkerEnd,
};

const PATIENCE: Duration = Duration::from_millis(250);

impl Session<'_> {
    /// The status again at every change, until Ctrl-C.
    pub(super) fn watch_status(&self, action: &Action) -> Result<ExitCode, Error> {
        let mut signals = Signals::catch()?;
        let mut follower = self.client.follow()?;
        let mut last = String::new();
        loop {
            let reply = self.call(action)?;
            if self.printer.is_json() {
                let line = success(&reply)?;
                let text = line.to_string();
                if text != last {
                    self.printer.line(&line);
                    last = text;
                }
            } else {
                let text = show::text(&reply, self.printer.width, false);
                if text != last {
                    // On a terminal the screen is redrawn in place, in a pipe one follows the other.
                    let clear = if self.printer.width.is_some() { "\u{1b}[H\u{1b}[2J\u{1b}[3J" } else { "" };
                    self.printer.text(&format!("{clear}{text}"));
                    last = text;
                }
            }
            loop {
                if let Some(signal) = signals.next() {
                    return Ok(ExitCode::from(signal.exit()));
                }
                if !follower.next(PATIENCE)?.is_empty() {
                    break;
                }
            }
        }
    }

    /// A log, whole, without loading it.
    pub(super) fn copy_log(&self, args: &Logs) -> Result<ExitCode, Error> {
        let places = self.client.log_places(&self.client.view()?, args)?;
        let mut pager = self.printer.pager();
        let mut put = |bytes: &[u8]| match &mut pager {
            Some(pager) => pager.write(bytes),
            None => self.put(bytes),
        };
        match places.as_slice() {
            [place] => GrowingLog::begin(place.clone(), None)?.print(true, &mut put)?,
            _ => self.copy_woven(args, &mut put)?,
        }
        drop(pager);
        for place in &places {
            self.explain_silence(place);
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The logs of all workers of a fan-out, in the order in which they were written.
    fn copy_woven(&self, args: &Logs, put: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Error> {
        let streams = if args.stderr { Streams::Stderr } else { Streams::Stdout };
        let mut window = self.client.open_log(&self.client.view()?, args, streams)?;
        while window.index(SLICE)? {}
        let mut next = 0;
        while next < window.count() {
            let lines = window.lines(next..next + 1000)?;
            if lines.is_empty() {
                break;
            }
            next += lines.len() as u64;
            let text: String =
                lines.iter().map(|line| format!("{}{}\n", line.text, if line.is_cut { " …" } else { "" })).collect();
            if !put(text.as_bytes()) {
                break;
            }
        }
        Ok(())
    }

    fn put(&self, bytes: &[u8]) -> bool {
        self.printer.bytes(bytes);
        true
    }

    /// A step that never came to write anything has its reason in its outcome.
    fn explain_silence(&self, place: &LogText) {
        if std::fs::metadata(&place.path).is_ok_and(|meta| meta.len() > 0) {
            return;
        }
        let Some(status) = crate::client::attempt_status(&self.client, place) else { return };
        let (who, outcome) = match place.worker {
            None => (format!("`{}`", place.step), Some(status.outcome())),
            Some(worker) => {
                let end = status.workers.iter().find(|end| end.worker == worker);
                (format!("worker {worker} of `{}`", place.step), end.map(WorkerEnd::outcome))
            }
        };
        if let Some(note) = outcome.filter(|outcome| outcome.reason.is_some()).and_then(|outcome| outcome.note) {
            self.printer.note(&format!("{who} wrote nothing: {}", super::table::tame(&note)));
        }
    }

    /// Where the log is, once the step has been claimed by the run that is to run it.
    fn first_places(&self, args: &Logs, follower: &mut Follower) -> Result<Vec<LogText>, Error> {
        loop {
            match self.client.log_places(&self.client.view()?, args) {
                Err(Error::NeverRan { step }) if self.client.is_awaited(&step)? => drop(follower.next(PATIENCE)?),
                other => return other,
            }
        }
    }

    /// A log as it grows, until its step ends.
    pub(super) fn follow_logs(&self, args: &Logs) -> Result<ExitCode, Error> {
        let mut signals = Signals::catch()?;
        let mut follower = self.client.follow()?;
        let mut logs = GrowingLog::begin_all(self.first_places(args, &mut follower)?, args.tail)?;
        let print = |logs: &mut [GrowingLog], is_over| {
            logs.iter_mut().try_for_each(|log| log.print(is_over, &mut |bytes| self.put(bytes)))
        };
        loop {
            print(&mut logs, false)?;
            if let Some(signal) = signals.next() {
                return Ok(ExitCode::from(signal.exit()));
            }
            if args.run.is_some() || !self.is_running(args)? {
                print(&mut logs, true)?;
                return Ok(ExitCode::SUCCESS);
            }
            let now = self.client.log_places(&self.client.view()?, args)?;
            if now.iter().map(|place| &place.path).ne(logs.iter().map(|log| &log.place.path)) {
                print(&mut logs, true)?;
                logs = GrowingLog::begin_all(now, None)?;
            }
            for event in follower.next(PATIENCE)? {
                if matches!(&event.kind, Kind::StepEnded { step, .. } if *step == args.step) {
                    print(&mut logs, true)?;
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
    }

    fn is_running(&self, args: &Logs) -> Result<bool, Error> {
        let view = self.client.view()?;
        Ok(view.leases.get(&args.step).is_some_and(|lease| lease.is_held))
    }
}

/// A log that may still grow: as it is, or as a transcript.
pub(super) struct GrowingLog {
    pub(super) place: LogText,
    offset: u64,
    transcript: Option<TranscriptReader>,
    /// How many of the lines that are there already are wanted; all where nothing is said.
    tail: Option<usize>,
    /// Whose lines they are, where others are shown beside them.
    prefix: Option<Prefix>,
}

impl GrowingLog {
    /// The logs of all workers of a fan-out, or the one that there is.
    fn begin_all(places: Vec<LogText>, tail: Option<usize>) -> Result<Vec<Self>, Error> {
        let workers = u32::try_from(places.len()).unwrap_or(u32::MAX);
        let begin = |place: LogText| {
            let worker = place.worker.filter(|_| workers > 1);
            let prefix = worker.map(|worker| Prefix::new(worker_prefix(worker, workers)));
            Self::begin(place, tail).map(|log| Self { prefix, ..log })
        };
        places.into_iter().map(begin).collect()
    }

    /// A log from its beginning, or its last lines.
    pub(super) fn begin(place: LogText, tail: Option<usize>) -> Result<Self, Error> {
        let offset = match tail {
            Some(lines) if place.format.is_text() => start_of_tail(&place.path, lines)?,
            _ => 0,
        };
        Ok(Self { place, offset, transcript: None, tail, prefix: None })
    }

    /// Gives `to` what there is more of it, until it wants no more. `is_over` says that nothing will follow.
    pub(super) fn print(&mut self, is_over: bool, to: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Error> {
        let Some(mut prefix) = self.prefix.take() else { return self.copy(is_over, to) };
        self.copy(is_over, &mut |bytes| to(&prefix.lines(bytes, false)))?;
        to(&prefix.lines(b"", is_over));
        self.prefix = Some(prefix);
        Ok(())
    }

    fn copy(&mut self, is_over: bool, to: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Error> {
        if self.place.format.is_text() {
            self.offset = copy_from(&self.place.path, self.offset, to)?;
            return Ok(());
        }
        if self.transcript.is_none() {
            self.transcript = TranscriptReader::open(&self.place);
        }
        let Some(reader) = &mut self.transcript else { return Ok(()) };
        if let Some(lines) = self.tail.take() {
            to(reader.tail(is_over, lines, usize::MAX)?.0.as_bytes());
        }
        while let Some(text) = reader.next(is_over)? {
            if !to(text.as_bytes()) {
                break;
            }
        }
        Ok(())
    }
}

fn copy_from(path: &std::path::Path, offset: u64, to: &mut dyn FnMut(&[u8]) -> bool) -> Result<u64, Error> {
    let Ok(mut file) = File::open(path) else { return Ok(offset) };
    file.seek(SeekFrom::Start(offset)).map_err(Error::io("read", path))?;
    let mut block = vec![0; 1 << 16];
    let mut offset = offset;
    loop {
        let got = file.read(&mut block).map_err(Error::io("read", path))?;
        if got == 0 || !to(&block[..got]) {
            return Ok(offset);
        }
        offset += got as u64;
    }
}

/// Where the last `lines` lines of a file begin.
fn start_of_tail(path: &std::path::Path, lines: usize) -> Result<u64, Error> {
    let Ok(mut file) = File::open(path) else { return Ok(0) };
    let len = file.metadata().map_err(Error::io("look at", path))?.len();
    let start = len.saturating_sub(8 * 1024 * 1024);
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start)).and_then(|_| file.read_to_end(&mut bytes)).map_err(Error::io("read", path))?;
    let from = start_of_lines(&bytes, lines);
    Ok(start + from as u64)
}
