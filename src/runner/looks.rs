//! `looks.jsonl`: what a watchdog found, a line for each of its looks.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use serde::{Deserialize, Serialize};

/// Longer than any line.
const TAIL: u64 = 4096;

/// One look.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Look {
    /// The format.
    pub v: u8,
    /// Which one it is, from 1.
    pub look: u32,
    /// When it began; RFC 3339.
    pub at: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What it means for the step.
    pub verdict: Verdict,
    /// Why, in the watchdog's words or in those of its end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// Where its output begins in stdout.log.
    pub stdout: u64,
    /// Where its output begins in stderr.log.
    pub stderr: u64,
}

/// What a look means for the step that is watched.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It goes on.
    Fine,
    /// It is stopped, and has failed.
    Stop,
    /// It is stopped, and a person looks at what it did.
    Review,
    /// The look itself failed, which says nothing of the step: it goes on.
    Failed,
}

impl Look {
    /// Appends it to the file in the attempt's folder.
    pub(super) fn note(&self, folder: &Path) -> io::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        OpenOptions::new().append(true).create(true).mode(0o600).open(folder.join("looks.jsonl"))?.write_all(&line)
    }

    /// The last one of the attempt in `folder`.
    pub fn last(folder: &Path) -> Option<Self> {
        let mut file = File::open(folder.join("looks.jsonl")).ok()?;
        let len = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(len.saturating_sub(TAIL))).ok()?;
        let mut text = String::new();
        file.take(TAIL).read_to_string(&mut text).ok()?;
        serde_json::from_str(text.trim_end().lines().last()?).ok()
    }
}
