//! Reading an agent's log as a transcript, also while it grows.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufReader, Seek as _, SeekFrom},
    path::PathBuf,
};

use super::output::LogText;
use crate::{
    agent::{Lines, Piece, Transcript},
    error::Error,
};

/// How much of a log before a place is looked at to go on from there, in bytes.
const CONTEXT: u64 = 256 * 1024;

/// The transcript of a log, line by line of the log.
pub struct TranscriptReader {
    path: PathBuf,
    lines: Lines<BufReader<File>>,
    transcript: Transcript,
    /// How much of the log has been read.
    offset: u64,
    line: Vec<u8>,
}

impl TranscriptReader {
    /// The transcript of a log; nothing while there is no log.
    pub fn open(place: &LogText) -> Option<Self> {
        Self::open_at(place.path.clone(), Transcript::new(place.format), 0)
    }

    /// The rest of the transcript of the log at `path`, from a line on that begins at `offset`; nothing while there is no log.
    pub(super) fn open_at(path: PathBuf, transcript: Transcript, offset: u64) -> Option<Self> {
        let mut file = File::open(&path).ok()?;
        file.seek(SeekFrom::Start(offset)).ok()?;
        Some(Self { path, lines: Lines::of(file), transcript, offset, line: Vec::new() })
    }

    /// How the transcript goes on.
    pub(super) const fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// How much of the log has been read, in bytes.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// What the next line of the log adds; nothing where there is none yet. Of a log that will not
    /// grow any more also the last line counts that has no end.
    pub fn next(&mut self, is_over: bool) -> Result<Option<String>, Error> {
        let pieces = self.pieces(is_over)?;
        Ok(pieces.map(|pieces| pieces.into_iter().map(|piece| piece.text).collect()))
    }

    /// The same in pieces.
    pub(super) fn pieces(&mut self, is_over: bool) -> Result<Option<Vec<Piece>>, Error> {
        match self.lines.next(&mut self.line).map_err(Error::io("read", &self.path))? {
            Some((taken, has_end)) if has_end || is_over => {
                self.offset += taken;
                Ok(Some(self.transcript.pieces(&self.line)))
            }
            Some(_) => {
                let start = SeekFrom::Start(self.offset);
                self.lines.inner().seek(start).map(|_| None).map_err(Error::io("read", &self.path))
            }
            None if is_over => Ok(Some(self.transcript.last_pieces()).filter(|end| !end.is_empty())),
            None => Ok(None),
        }
    }

    /// Goes on behind a place in the log: with the next line where that is amid one.
    pub fn skip_to(&mut self, after: u64) -> Result<(), Error> {
        self.skip(after).map_err(Error::io("read", &self.path))
    }

    fn skip(&mut self, after: u64) -> io::Result<()> {
        let len = self.lines.inner().get_ref().metadata()?.len();
        // What was said shortly before is not said again at the end.
        self.offset = after.min(len).saturating_sub(CONTEXT);
        let mut is_whole = self.offset == 0;
        self.lines.inner().seek(SeekFrom::Start(self.offset))?;
        while self.offset < after
            && let Some((taken, _)) = self.lines.next(&mut self.line)?
        {
            self.offset += taken;
            if is_whole {
                self.transcript.line(&self.line);
            }
            is_whole = true;
        }
        self.transcript.end();
        Ok(())
    }

    /// What the next lines of the log add, at least one line and else at most so many bytes of the log. Also
    /// whether there are more.
    pub fn part(&mut self, is_over: bool, bytes: u64) -> Result<(String, bool), Error> {
        let (start, mut text) = (self.offset, String::new());
        loop {
            let read = self.lines.next(&mut self.line).map_err(Error::io("read", &self.path))?;
            let Some((taken, _)) = read.filter(|(_, has_end)| *has_end || is_over) else {
                return Ok((text + &self.transcript.end(), false));
            };
            if self.offset > start && self.offset + taken - start > bytes {
                return Ok((text + &self.transcript.end(), true));
            }
            self.offset += taken;
            text += &self.transcript.line(&self.line);
        }
    }

    /// The last lines of what there is of the transcript, at most so many and so many bytes. Also whether
    /// something was left out.
    pub fn tail(&mut self, is_over: bool, lines: usize, bytes: usize) -> Result<(String, bool), Error> {
        let (mut kept, mut size, mut is_cut) = (VecDeque::<String>::new(), 0, false);
        let mut is_open = false;
        while let Some(text) = self.next(is_over)? {
            for part in text.split_inclusive('\n') {
                size += part.len();
                match kept.back_mut().filter(|_| is_open) {
                    Some(last) => last.push_str(part),
                    None => kept.push_back(part.into()),
                }
                is_open = !part.ends_with('\n');
            }
            while kept.len() > lines || size > bytes {
                is_cut = true;
                let Some(mut gone) = kept.pop_front() else { break };
                size -= gone.len();
                if kept.is_empty() && lines > 0 {
                    // The end of a line that is longer than all that fits is still more than nothing.
                    let kept_part = gone.split_off(gone.ceil_char_boundary(gone.len().saturating_sub(bytes)));
                    size = kept_part.len();
                    kept.push_back(kept_part);
                    break;
                }
            }
        }
        Ok((kept.into_iter().collect(), is_cut))
    }
}
