//! A part of a log: its end, its last lines, or what came after a place. Never more than fits one answer.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use super::query::start_of_lines;
use crate::{action::query::Logs, error::Error};

/// The most that is returned at once where nothing else is asked for, in bytes.
pub(super) const LIMIT: u64 = 1024 * 1024;

/// What was read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Part {
    pub(super) bytes: Vec<u8>,
    /// Whether the log has more on the side that was cut.
    pub(super) truncated: bool,
    /// The offset behind what was read.
    pub(super) cursor: u64,
}

/// The part of the log at `path` that `args` ask for; nothing where there is no log.
pub(super) fn read_part(path: &Path, args: &Logs) -> Result<Part, Error> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Part::default()),
        Err(error) => return Err(Error::io("read", path)(error)),
    };
    let len = file.metadata().map_err(Error::io("look at", path))?.len();
    let limit = args.limit.unwrap_or(LIMIT).max(1);
    let mut read = |from: u64, count: u64| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from)).and_then(|_| file.by_ref().take(count).read_to_end(&mut bytes)).map(|_| bytes)
    };
    if let Some(after) = args.after {
        let mut bytes = read(after.min(len), limit).map_err(Error::io("read", path))?;
        let truncated = after.saturating_add(bytes.len() as u64) < len;
        if truncated {
            bytes.truncate(whole(&bytes));
        }
        return Ok(Part { cursor: after.min(len) + bytes.len() as u64, bytes, truncated });
    }
    let start = len.saturating_sub(limit);
    let mut bytes = read(start, len - start).map_err(Error::io("read", path))?;
    let cursor = start + bytes.len() as u64;
    let first_line = bytes.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    // The end of a line that is longer than all that fits is still more than nothing.
    let mut from = if start > 0 && first_line < bytes.len() { first_line } else { 0 };
    if let Some(lines) = args.tail {
        from = from.max(start_of_lines(&bytes, lines));
    }
    Ok(Part { bytes: bytes.split_off(from), truncated: start > 0 || from > 0, cursor })
}

/// How much of a cut text is whole lines, or else whole characters.
fn whole(bytes: &[u8]) -> usize {
    if let Some(at) = bytes.iter().rposition(|&byte| byte == b'\n') {
        return at + 1;
    }
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(after: Option<u64>, limit: Option<u64>, tail: Option<usize>) -> Logs {
        Logs { tail, after, limit, ..Logs::of("a".parse().unwrap()) }
    }

    #[test]
    fn a_log_is_read_to_its_end_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let text = "one\ntwo\nthree é\nno newline at all ééé";
        std::fs::write(&path, text).unwrap();
        for limit in 1..60 {
            let (mut whole, mut cursor, mut parts) = (Vec::new(), 0, 0);
            loop {
                let part = read_part(&path, &ask(Some(cursor), Some(limit), None)).unwrap();
                assert!(part.bytes.len() as u64 <= limit && (!part.truncated || !part.bytes.is_empty()), "{limit}: {part:?}");
                whole.extend(&part.bytes);
                (cursor, parts) = (part.cursor, parts + 1);
                if !part.truncated {
                    break;
                }
            }
            assert_eq!((whole.as_slice(), cursor), (text.as_bytes(), text.len() as u64), "{limit} in {parts} parts");
        }
        let end = read_part(&path, &ask(Some(1000), None, None)).unwrap();
        assert_eq!(end, Part { bytes: Vec::new(), truncated: false, cursor: text.len() as u64 });
    }

    #[test]
    fn the_end_begins_with_a_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "one\ntwo\nthree\n").unwrap();
        let read = |limit, tail| {
            let part = read_part(&path, &ask(None, limit, tail)).unwrap();
            (String::from_utf8(part.bytes).unwrap(), part.truncated, part.cursor)
        };
        assert_eq!(read(None, None), ("one\ntwo\nthree\n".into(), false, 14));
        assert_eq!(read(None, Some(1)), ("three\n".into(), true, 14));
        assert_eq!(read(Some(8), None), ("three\n".into(), true, 14));
        assert_eq!(read(Some(8), Some(5)), ("three\n".into(), true, 14));
        assert_eq!(read(Some(3), None), ("ee\n".into(), true, 14));
        assert_eq!(read_part(&folder.path().join("none"), &ask(None, None, None)).unwrap(), Part::default());
    }
}
