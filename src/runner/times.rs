//! `times.jsonl`: when the logs of an attempt had which length.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

use crate::clock;

/// The file, for showing times beside the lines of the logs.
pub(super) struct Times {
    folder: PathBuf,
    seen: [u64; 2],
}

impl Times {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, seen: [0; 2] }
    }

    pub(super) fn note(&mut self) {
        let size = |name: &str| fs::metadata(self.folder.join(name)).map_or(0, |meta| meta.len());
        let now = [size("stdout.log"), size("stderr.log")];
        if now == self.seen {
            return;
        }
        self.seen = now;
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(self.folder.join("times.jsonl"));
        let line = format!("{{\"v\":1,\"at\":\"{}\",\"stdout\":{},\"stderr\":{}}}\n", clock::stamp(), now[0], now[1]);
        // A log without times is still a log.
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}
