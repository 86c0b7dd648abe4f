//! Appending to the audit log.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{Draft, Entry, read};
use crate::{clock, error::Error, fault};

/// Past this size the log is rotated, in bytes.
const ROTATE: u64 = 64 * 1024 * 1024;

/// `prev` of the very first entry.
pub(super) const ORIGIN: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The log and its head, as of the last look. Only a holder of the project lock may append.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    ino: u64,
    len: u64,
    seq: u64,
    head: String,
}

impl Log {
    /// Opens the log and makes sure that it ends with a whole line: a torn one, which a kill or a
    /// power cut left, is moved to `audit.torn`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(Error::io("open the audit log", path))?;
        read::check_file(&file, path)?;
        let mut log = Self { path: path.into(), file, ino: 0, len: 0, seq: 0, head: ORIGIN.into() };
        log.look()?;
        Ok(log)
    }

    /// The number of the last entry.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// SHA-256 of the last entry's line.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// How long the log is, in bytes.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no entry.
    pub const fn is_empty(&self) -> bool {
        self.seq == 0
    }

    /// Whether somebody appended to it (or replaced it) since the last look.
    pub fn is_behind(&self) -> bool {
        fs::metadata(&self.path).map_or(true, |meta| (meta.ino(), meta.len()) != (self.ino, self.len))
    }

    /// Looks again: the last entry, a torn tail, a rotation by somebody else.
    pub fn refresh(&mut self) -> Result<(), Error> {
        *self = Self::open(&self.path)?;
        Ok(())
    }

    fn look(&mut self) -> Result<(), Error> {
        let meta = self.file.metadata().map_err(Error::io("look at", &self.path))?;
        (self.ino, self.len) = (meta.ino(), meta.len());
        let tail = read::last_line(&self.file, self.len).map_err(Error::io("read", &self.path))?;
        if tail.end < self.len {
            self.cut(tail.end)?;
        }
        let line = match tail.line {
            Some(line) => Some(line),
            // Just rotated: the head is the end of the newest older part.
            None => read::older_parts(&self.path)?.pop().map(|part| read::last_line_of(&part)).transpose()?.flatten(),
        };
        if let Some(line) = line {
            let entry = read::entry(&line, &self.path)?;
            self.seq = entry.seq;
            self.head = hash(&line);
        }
        Ok(())
    }

    fn cut(&mut self, end: u64) -> Result<(), Error> {
        let mut torn = Vec::new();
        let mut file = &self.file;
        file.seek(SeekFrom::Start(end))
            .and_then(|_| file.read_to_end(&mut torn))
            .and_then(|_| {
                let side = self.path.with_file_name("audit.torn");
                let mut side = OpenOptions::new().append(true).create(true).mode(0o600).open(side)?;
                torn.push(b'\n');
                side.write_all(&torn)
            })
            .and_then(|()| self.file.set_len(end))
            .map_err(Error::io("mend the torn end of", &self.path))?;
        self.len = end;
        Ok(())
    }

    /// Appends an entry, with `sync` down to the disk, and returns it. This is the commit.
    pub fn append(&mut self, body: Draft, sync: bool) -> Result<Entry, Error> {
        if self.len > ROTATE {
            self.rotate()?;
        }
        let entry = Entry { v: 1, seq: self.seq + 1, at: clock::stamp(), prev: self.head.clone(), body };
        let mut line = serde_json::to_vec(&entry).map_err(|error| Error::internal(error.to_string()))?;
        let head = hash(&line);
        line.push(b'\n');
        fault::write("audit.append").map_err(Error::io("append to", &self.path))?;
        if let Err(error) = self.file.write_all(&line) {
            // Half a line must not stay in front of the next one.
            let _ = self.file.set_len(self.len);
            return Err(Error::io("append to", &self.path)(error));
        }
        fault::point("audit.appended");
        if sync && let Err(error) = self.file.sync_data() {
            // What may not survive must not be believed either.
            let _ = self.file.set_len(self.len);
            return Err(Error::io("sync", &self.path)(error));
        }
        self.len += line.len() as u64;
        self.seq = entry.seq;
        self.head = head;
        Ok(entry)
    }

    fn rotate(&mut self) -> Result<(), Error> {
        let name = format!("audit-{:012}.log", self.seq);
        fs::rename(&self.path, self.path.with_file_name(name)).map_err(Error::io("rotate", &self.path))?;
        let (seq, head) = (self.seq, std::mem::take(&mut self.head));
        self.refresh()?;
        (self.seq, self.head) = (seq, head);
        Ok(())
    }
}

/// SHA-256 of a line without its newline, in hex.
pub(super) fn hash(line: &[u8]) -> String {
    let digits = Sha256::digest(line).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
