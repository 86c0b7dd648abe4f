//! `times.jsonl` of an attempt: when its logs had which length.

use std::{fs::File, io, os::unix::fs::FileExt as _, path::PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use super::file;
use crate::error::Error;

/// Standard output and standard error, as places in a pair.
pub const STREAMS: [&str; 2] = ["stdout.log", "stderr.log"];

/// A line of the file.
#[derive(Deserialize)]
struct Written<'a> {
    at: &'a str,
    stdout: u64,
    stderr: u64,
}

/// A moment, and how long the logs were then.
#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Timestamp,
    lengths: [u64; 2],
}

/// The moments that are noted, in order.
#[derive(Debug)]
pub struct Times {
    path: PathBuf,
    file: Option<File>,
    read: u64,
    moments: Vec<Moment>,
}

impl Times {
    /// The moments noted in the file at `path`, which need not exist yet.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, file: None, read: 0, moments: Vec::new() }
    }

    /// Reads what has been noted since the last time.
    pub fn refresh(&mut self) -> Result<(), Error> {
        if self.file.is_none() {
            self.file = match file::open(&self.path) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(Error::io("read", &self.path)(error)),
            };
        }
        let Some(file) = &self.file else { return Ok(()) };
        let mut block = vec![0; 64 * 1024];
        loop {
            let got = file.read_at(&mut block, self.read).map_err(Error::io("read", &self.path))?;
            let Some(end) = block[..got].iter().rposition(|&byte| byte == b'\n') else { return Ok(()) };
            for line in block[..end].split(|&byte| byte == b'\n') {
                let Ok(Written { at, stdout, stderr }) = serde_json::from_slice(line) else { continue };
                self.moments.extend(at.parse().ok().map(|at| Moment { at, lengths: [stdout, stderr] }));
            }
            self.read += end as u64 + 1;
        }
    }

    /// How many moments there are.
    pub const fn count(&self) -> usize {
        self.moments.len()
    }

    /// When a moment was, and how long both logs were then.
    pub fn lengths(&self, moment: usize) -> Option<(Timestamp, [u64; 2])> {
        self.moments.get(moment).map(|moment| (moment.at, moment.lengths))
    }

    /// Adds the last moment of all: the logs have ended.
    pub fn end(&mut self, at: Timestamp, lengths: [u64; 2]) {
        self.moments.push(Moment { at, lengths });
    }

    /// The first moment at which what stands at `offset` of a stream had been written; their count where none is.
    pub fn moment(&self, stream: usize, offset: u64) -> usize {
        self.moments.partition_point(|moment| moment.lengths[stream] <= offset)
    }

    /// When what stands at `offset` of a stream had been written, to two seconds.
    pub fn at(&self, stream: usize, offset: u64) -> Option<Timestamp> {
        self.moments.get(self.moment(stream, offset)).map(|moment| moment.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn moments_are_read_as_they_come_and_damaged_lines_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("times.jsonl");
        let mut times = Times::new(path.clone());
        times.refresh().unwrap();
        let mut file = File::create(&path).unwrap();
        let line = |at: u32, stdout: u64| {
            format!("{{\"v\":1,\"at\":\"2026-11-22T10:42:{at:02}.141Z\",\"stdout\":{stdout},\"stderr\":0}}\n")
        };
        write!(file, "{}rubbish\n{}{}", line(2, 10), line(4, 30), &line(6, 50)[..20]).unwrap();
        times.refresh().unwrap();
        assert_eq!((times.count(), times.lengths(1).map(|(_, lengths)| lengths)), (2, Some([30, 0])));
        write!(file, "{}", &line(6, 50)[20..]).unwrap();
        times.refresh().unwrap();
        assert_eq!((times.count(), times.moment(0, 9), times.moment(0, 10), times.moment(0, 50)), (3, 0, 1, 3));
        assert_eq!(times.at(0, 10).unwrap().to_string(), "2026-11-22T10:42:04.141Z");
        assert_eq!((times.at(0, 50), times.at(1, 0)), (None, None));
    }
}
