//! The lines of a part of the log from its end, for what they are long and not for what the part is.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

/// What is read at once, in bytes.
const BLOCK: u64 = 64 * 1024;

/// The longest line that is read, in bytes.
pub(super) const LONGEST: u64 = 64 * 1024 * 1024;

/// The whole lines of a file, the last one first. What stands behind the last line's end is none.
pub(super) struct Backward<'f> {
    file: &'f File,
    /// Where `bytes` begins in the file.
    start: u64,
    /// What was read and not given out: it ends where the last line that was given out begins.
    bytes: Vec<u8>,
    /// How much of the end of `bytes` is known to have no line in it.
    searched: usize,
    is_torn: bool,
}

impl<'f> Backward<'f> {
    /// From the end of a file that is `len` bytes long.
    pub(super) const fn new(file: &'f File, len: u64) -> Self {
        Self { file, start: len, bytes: Vec::new(), searched: 0, is_torn: true }
    }

    /// The line before those that were given out, without its end; nothing where there is none.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.is_torn {
            self.end()?;
        }
        if self.bytes.is_empty() && self.start == 0 {
            return Ok(None);
        }
        // The last byte is the end of this very line.
        self.searched = self.searched.max(1);
        let begin = self.find()?;
        let mut line = self.bytes.split_off(begin);
        self.searched = 0;
        line.pop();
        Ok(Some(line))
    }

    /// Where the next line to be given out ends in the file, its newline included.
    pub(super) fn end(&mut self) -> io::Result<u64> {
        if self.is_torn {
            let end = self.find()?;
            self.bytes.truncate(end);
            self.searched = 0;
            self.is_torn = false;
        }
        Ok(self.start + self.bytes.len() as u64)
    }

    /// Behind the last newline that has not been looked at, in `bytes`; reads as much as that takes.
    fn find(&mut self) -> io::Result<usize> {
        loop {
            let left = self.bytes.len().saturating_sub(self.searched);
            if let Some(at) = self.bytes[..left].iter().rposition(|&byte| byte == b'\n') {
                return Ok(at + 1);
            }
            if self.start == 0 {
                return Ok(0);
            }
            if self.bytes.len() as u64 > LONGEST {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line has no end"));
            }
            self.searched = self.bytes.len().max(self.searched);
            self.read()?;
        }
    }

    /// Twice as much each time, so that a long line costs what it is long.
    fn read(&mut self) -> io::Result<()> {
        let step = self.start.min(BLOCK.max(self.bytes.len() as u64));
        self.start -= step;
        let mut block = Vec::new();
        let mut file = self.file;
        file.seek(SeekFrom::Start(self.start))?;
        file.take(step).read_to_end(&mut block)?;
        if block.len() as u64 != step {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        block.append(&mut self.bytes);
        self.bytes = block;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn lines(text: &[u8]) -> (u64, Vec<Vec<u8>>) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let mut lines = Backward::new(&file, text.len() as u64);
        let end = lines.end().unwrap();
        (end, std::iter::from_fn(|| lines.next().unwrap()).collect())
    }

    #[test]
    fn ends() {
        assert_eq!(lines(b""), (0, vec![]));
        assert_eq!(lines(b"torn"), (0, vec![]));
        assert_eq!(lines(b"\n"), (1, vec![b"".to_vec()]));
        assert_eq!(lines(b"a\n\nb\ntorn"), (5, vec![b"b".to_vec(), b"".to_vec(), b"a".to_vec()]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// Whatever the lengths, the lines are those of the text, and what is torn is left out.
        #[test]
        fn all_lines(lengths in prop::collection::vec(prop_oneof![0usize..50, 60_000usize..70_000, Just(65_535), Just(131_072)], 0..8), torn in 0usize..70_000) {
            let (mut text, mut wanted) = (Vec::new(), Vec::new());
            for (number, length) in (b'a'..).zip(lengths) {
                wanted.push(vec![number; length]);
                text.extend(vec![number; length]);
                text.push(b'\n');
            }
            let end = text.len() as u64;
            text.extend(vec![b'!'; torn]);
            wanted.reverse();
            prop_assert!(lines(&text) == (end, wanted));
        }
    }
}
