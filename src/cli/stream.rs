//! Commands that go on printing: `status --watch` and `logs --follow`.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    process::ExitCode,
    time::Duration,
};

use super::{Session, output::success, show, signals::Signals};
use crate::{
    action::{Action, query::Logs},
    client::{Follower, Kind, LogText, start_of_lines},
    error::Error,
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

    /// A log as it is, whole, without loading it.
    pub(super) fn copy_log(&self, args: &Logs) -> Result<ExitCode, Error> {
        let place = self.client.log_place(&self.client.view()?, args)?;
        if let Ok(mut file) = File::open(&place.path) {
            let mut block = vec![0; 1 << 16];
            let mut pager = self.printer.pager();
            loop {
                let got = file.read(&mut block).map_err(Error::io("read", &place.path))?;
                if got == 0 {
                    break;
                }
                match &mut pager {
                    Some(pager) => {
                        if !pager.write(&block[..got]) {
                            break;
                        }
                    }
                    None => self.printer.bytes(&block[..got]),
                }
            }
        }
        self.explain_silence(&place);
        Ok(ExitCode::SUCCESS)
    }

    /// A step that never came to write anything has its reason in its outcome.
    fn explain_silence(&self, place: &LogText) {
        if std::fs::metadata(&place.path).is_ok_and(|meta| meta.len() > 0) {
            return;
        }
        let status = crate::client::attempt_status(&self.client, place);
        if let Some(note) = status.filter(|status| status.reason.is_some()).and_then(|status| status.note) {
            self.printer.note(&format!("`{}` wrote nothing: {}", place.step, super::table::tame(&note)));
        }
    }

    /// Where the log is, once the step has been claimed by the run that is to run it.
    fn first_place(&self, args: &Logs, follower: &mut Follower) -> Result<LogText, Error> {
        loop {
            match self.client.log_place(&self.client.view()?, args) {
                Err(Error::NeverRan { step }) if self.client.is_awaited(&step)? => drop(follower.next(PATIENCE)?),
                other => return other,
            }
        }
    }

    /// A log as it grows, until its step ends.
    pub(super) fn follow_logs(&self, args: &Logs) -> Result<ExitCode, Error> {
        let mut signals = Signals::catch()?;
        let mut follower = self.client.follow()?;
        let mut place = self.first_place(args, &mut follower)?;
        let mut offset = match args.tail {
            Some(lines) => start_of_tail(&place.path, lines)?,
            None => 0,
        };
        loop {
            offset = self.copy_from(&place.path, offset)?;
            if let Some(signal) = signals.next() {
                return Ok(ExitCode::from(signal.exit()));
            }
            if args.run.is_some() || !self.is_running(args)? {
                self.copy_from(&place.path, offset)?;
                return Ok(ExitCode::SUCCESS);
            }
            let now = self.client.log_place(&self.client.view()?, args)?;
            if now.path != place.path {
                self.copy_from(&place.path, offset)?;
                (place, offset) = (now, 0);
            }
            for event in follower.next(PATIENCE)? {
                if matches!(&event.kind, Kind::StepEnded { step, .. } if *step == args.step) {
                    self.copy_from(&place.path, offset)?;
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
    }

    fn is_running(&self, args: &Logs) -> Result<bool, Error> {
        let view = self.client.view()?;
        Ok(view.leases.get(&args.step).is_some_and(|lease| lease.is_held))
    }

    fn copy_from(&self, path: &std::path::Path, offset: u64) -> Result<u64, Error> {
        let Ok(mut file) = File::open(path) else { return Ok(offset) };
        file.seek(SeekFrom::Start(offset)).map_err(Error::io("read", path))?;
        let mut block = vec![0; 1 << 16];
        let mut offset = offset;
        loop {
            let got = file.read(&mut block).map_err(Error::io("read", path))?;
            if got == 0 {
                return Ok(offset);
            }
            self.printer.bytes(&block[..got]);
            offset += got as u64;
        }
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
