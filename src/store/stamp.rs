//! How a change of sequence.yaml by other hands is noticed.

use std::{
    fs::{self, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Paths, file};
use crate::{error::Error, model::Sha};

/// The SHA-256 of `bytes` in hex.
pub fn sha256(bytes: &[u8]) -> String {
    Sha::of(bytes).to_string()
}

/// SHA-256 of what comes out of `from`, in hexadecimal digits, and how many bytes that were.
pub fn sha256_of(mut from: impl Read) -> io::Result<(String, u64)> {
    let (mut digest, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 64 * 1024]);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok((Sha::from(<[u8; 32]>::from(digest.finalize())).to_string(), bytes)),
            Ok(got) => {
                digest.update(&buffer[..got]);
                bytes += got as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What stat says of a file; equal means that nobody wrote to it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FileId {
    dev: u64,
    ino: u64,
    size: u64,
    mtime: i128,
    ctime: i128,
}

impl FileId {
    /// What stat says now, following links; nothing where there is no file.
    pub fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|meta| Self::from(&meta))
    }

    /// Whether the other is the same file with nothing written to it; a rename changes the rest.
    pub const fn has_same_content(&self, other: &Self) -> bool {
        self.is_same_file(other) && self.size == other.size && self.mtime == other.mtime
    }

    /// Its inode.
    pub const fn inode(&self) -> u64 {
        self.ino
    }

    /// How long ago it was written to, by the clock; nothing for a time to come.
    pub fn age(&self) -> std::time::Duration {
        let now = i128::from(crate::clock::now().as_millisecond()) * 1_000_000;
        let age = u64::try_from((now - self.mtime.max(self.ctime)).max(0)).unwrap_or(u64::MAX);
        std::time::Duration::from_nanos(age)
    }

    /// Whether both are the same file, changed or not.
    pub const fn is_same_file(&self, other: &Self) -> bool {
        self.dev == other.dev && self.ino == other.ino
    }
}

impl From<&Metadata> for FileId {
    fn from(meta: &Metadata) -> Self {
        let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Self {
            dev: meta.dev(),
            ino: meta.ino(),
            size: meta.len(),
            mtime: nanos(meta.mtime(), meta.mtime_nsec()),
            ctime: nanos(meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// What we last wrote to sequence.yaml.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Stamp {
    v: u8,
    /// SHA-256 of its bytes.
    pub sha: String,
    /// Its stat.
    pub id: FileId,
}

impl Stamp {
    /// A stamp for what stands at `path` now and has the hash `sha`.
    pub fn take(path: &Path, sha: String) -> Option<Self> {
        FileId::of(path).map(|id| Self { v: 1, sha, id })
    }

    /// The stamp of a project.
    pub fn read(paths: &Paths) -> Option<Self> {
        file::read_json(&paths.state("stamp"))
    }

    /// Writes the stamp of a project.
    pub fn write(&self, paths: &Paths) -> Result<(), Error> {
        let bytes = serde_json::to_vec(self).map_err(|error| Error::internal(error.to_string()))?;
        file::replace(&paths.state("stamp"), &bytes)
    }
}
