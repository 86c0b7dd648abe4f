//! Reading and verifying the audit log. Never takes a lock.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::{
    Entry,
    backward::{Backward, LONGEST},
    log::{ORIGIN, hash},
};
use crate::error::Error;

/// How far before the end it is looked for entries that were appended a moment ago, in bytes.
const BLOCK: u64 = 64 * 1024;

/// Opens a part of the log for reading; nothing where there is none.
///
/// # Errors
/// `FileUnusable` for what is no file; a pipe would have to be waited for.
pub(super) fn open(path: &Path) -> Result<Option<File>, Error> {
    let file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", path)(error)),
    };
    check_file(&file, path)?;
    Ok(Some(file))
}

/// Whether what was opened is a file.
pub(super) fn check_file(file: &File, path: &Path) -> Result<(), Error> {
    if file.metadata().map_err(Error::io("look at", path))?.is_file() {
        Ok(())
    } else {
        Err(Error::FileUnusable { path: path.into(), why: "is not a file".into() })
    }
}

/// The last whole line of a file and where it ends.
pub(super) struct LastLine {
    pub(super) line: Option<Vec<u8>>,
    pub(super) end: u64,
}

pub(super) fn last_line(file: &File, len: u64) -> io::Result<LastLine> {
    let mut lines = Backward::new(file, len);
    Ok(LastLine { end: lines.end()?, line: lines.next()? })
}

pub(super) fn last_line_of(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let Some(file) = open(path)? else { return Ok(None) };
    let read = || last_line(&file, file.metadata()?.len());
    Ok(read().map_err(Error::io("read", path))?.line)
}

/// The rotated parts of a log, oldest first.
pub(super) fn older_parts(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let entries = fs::read_dir(folder).map_err(Error::io("list", folder))?;
    let mut parts: Vec<_> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.strip_prefix("audit-").and_then(|rest| rest.strip_suffix(".log")).is_some_and(|seq| seq.parse::<u64>().is_ok())
        })
        .map(|entry| entry.path())
        .collect();
    parts.sort();
    Ok(parts)
}

/// The entry in the last line of a part.
pub(super) fn entry(line: &[u8], path: &Path) -> Result<Entry, Error> {
    let damaged = || Error::AuditDamaged { path: path.into() };
    let entry: Entry = serde_json::from_slice(line).map_err(|_| damaged())?;
    check_format(&entry, path)?;
    // Something has to be able to follow.
    if entry.seq < u64::MAX { Ok(entry) } else { Err(damaged()) }
}

fn check_format(entry: &Entry, path: &Path) -> Result<(), Error> {
    match entry.v {
        0 | 1 => Ok(()),
        later => Err(Error::TooNew { path: path.into(), version: later.to_string() }),
    }
}

/// The number and hash of the last entry; zeros where there is none.
pub fn head(path: &Path) -> Result<(u64, String), Error> {
    for part in older_parts(path)?.iter().map(PathBuf::as_path).chain([path]).rev() {
        if let Some(line) = last_line_of(part)? {
            return Ok((entry(&line, part)?.seq, hash(&line)));
        }
    }
    Ok((0, ORIGIN.to_owned()))
}

/// The last `count` entries, oldest first. Costs what they are long, not what the log is.
pub fn last_entries(path: &Path, count: usize) -> Result<Vec<Entry>, Error> {
    last_entries_that(path, count, |_| Some(true))
}

/// The last `count` entries that are `wanted`, oldest first. `wanted` sees the newest first, and none
/// older than the one of which it says nothing. Holds no more in memory than what it returns.
pub fn last_entries_that(path: &Path, count: usize, wanted: impl Fn(&Entry) -> Option<bool>) -> Result<Vec<Entry>, Error> {
    let mut parts = older_parts(path)?;
    parts.push(path.into());
    let mut found = Vec::new();
    'parts: for part in parts.iter().rev() {
        let Some(file) = open(part)? else { continue };
        let len = file.metadata().map_err(Error::io("look at", part))?.len();
        let mut lines = Backward::new(&file, len);
        while found.len() < count
            && let Some(line) = lines.next().map_err(Error::io("read", part))?
        {
            let Ok(entry) = serde_json::from_slice::<Entry>(&line) else { continue };
            match wanted(&entry) {
                Some(true) => found.push(entry),
                Some(false) => {}
                None => break 'parts,
            }
        }
    }
    found.reverse();
    Ok(found)
}

/// Follows the log: each call returns the entries that were appended since the last one.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
    seq: u64,
}

impl Tail {
    /// Follows from the present end.
    pub fn from_end(path: &Path) -> Result<Self, Error> {
        let last = last_entries(path, 1)?.pop();
        let len = fs::metadata(path).map_or(0, |meta| meta.len());
        // Whatever was appended between the two looks is read again and dropped by its number.
        let offset = last.as_ref().map_or(0, |_| len.saturating_sub(BLOCK));
        Ok(Self { path: path.into(), offset, seq: last.map_or(0, |entry| entry.seq) })
    }

    /// Follows from behind entry `seq`, which must be one of the last few.
    pub fn after(path: &Path, seq: u64) -> Self {
        let len = fs::metadata(path).map_or(0, |meta| meta.len());
        Self { path: path.into(), offset: len.saturating_sub(BLOCK), seq }
    }

    /// The number of the last entry that was returned.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The entries since the last call.
    pub fn read(&mut self) -> Result<Vec<Entry>, Error> {
        let Some(mut file) = open(&self.path)? else { return Ok(Vec::new()) };
        let len = file.metadata().map_err(Error::io("look at", &self.path))?.len();
        if len < self.offset {
            // Rotated: what the old part still had comes first.
            self.offset = 0;
            let missed = self.missed()?;
            if !missed.is_empty() {
                return Ok(missed);
            }
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.offset))
            .and_then(|_| file.read_to_end(&mut bytes))
            .map_err(Error::io("read", &self.path))?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        self.offset += whole as u64;
        Ok(self.fresh(&bytes[..whole]))
    }

    fn missed(&mut self) -> Result<Vec<Entry>, Error> {
        let Some(part) = older_parts(&self.path)?.pop() else { return Ok(Vec::new()) };
        let bytes = fs::read(&part).map_err(Error::io("read", &part))?;
        Ok(self.fresh(&bytes))
    }

    fn fresh(&mut self, bytes: &[u8]) -> Vec<Entry> {
        let mut found = Vec::new();
        for line in bytes.split(|&byte| byte == b'\n') {
            if let Ok(entry) = serde_json::from_slice::<Entry>(line)
                && entry.seq > self.seq
            {
                self.seq = entry.seq;
                found.push(entry);
            }
        }
        found
    }
}

/// What is known of a log beside itself. A chain does not show what was cut off its end, or changed in its last line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'a> {
    /// The hash of an entry that was its last one once.
    pub head: Option<&'a str>,
    /// The number of an entry that it had at some time.
    pub seq: u64,
}

/// Checks the whole chain, rotated parts included. Returns how many entries there are and the
/// hash of the last one.
///
/// # Errors
/// `AuditBroken` with the first entry that does not fit.
pub fn verify(path: &Path, expected: Expected<'_>) -> Result<(u64, String), Error> {
    let (mut count, mut seq, mut head, mut lines_of_last) = (0, 0, ORIGIN.to_owned(), 0);
    let mut is_found = expected.head.is_none();
    let mut parts = older_parts(path)?;
    parts.push(path.into());
    for part in parts {
        let Some(file) = open(&part)? else { continue };
        let mut lines = BufReader::new(file);
        let (mut line, mut number) = (Vec::new(), 0);
        while lines.by_ref().take(LONGEST).read_until(b'\n', &mut line).map_err(Error::io("read", &part))? > 0 {
            number += 1;
            let broken = |why: &str| Error::AuditBroken { path: part.clone(), line: number, seq: seq + 1, why: why.into() };
            if line.pop() != Some(b'\n') {
                if line.len() as u64 + 1 >= LONGEST {
                    return Err(broken("has no end"));
                }
                // A torn tail; the next writer moves it aside.
                break;
            }
            let entry: Entry = serde_json::from_slice(&line).map_err(|_| broken("is not an audit entry"))?;
            check_format(&entry, &part)?;
            if entry.prev != head {
                return Err(broken("does not follow from the one before: a line was changed, added or taken away"));
            }
            if entry.seq != seq + 1 {
                return Err(broken("has the wrong number"));
            }
            head = hash(&line);
            is_found |= expected.head == Some(head.as_str());
            seq = entry.seq;
            count += 1;
            line.clear();
        }
        lines_of_last = number;
    }
    let missing =
        |why: &str| Err(Error::AuditBroken { path: path.into(), line: lines_of_last + 1, seq: seq + 1, why: why.into() });
    match (is_found, seq < expected.seq) {
        (false, _) => missing("is not there, nor is any other with the hash that was expected"),
        (_, true) => missing("is missing: what a later one did is kept in state/history"),
        _ => Ok((count, head)),
    }
}
