//! The lines of a file of any size that may still grow, by their numbers, without ever loading it whole.

use std::{fs::File, io, ops::Range, os::unix::fs::FileExt as _, path::PathBuf};

use memchr::{memchr, memchr_iter, memrchr_iter};

use super::{Found, Search, file};
use crate::error::Error;

/// The most of a line that is read, in bytes; what is longer is cut.
pub const LINE: usize = 64 * 1024;

/// How many bytes of a log may be looked at in a call that somebody waits for: a few milliseconds.
pub const SLICE: u64 = 4 << 20;

/// The most that [`LineFile::lines`] reads at once, in bytes.
const WINDOW: u64 = 8 << 20;

/// The end of a file that is looked at for its last lines, in bytes.
const TAIL: usize = 1 << 20;

/// How much is read from the file at once.
const BLOCK: usize = 256 * 1024;

/// Where a line begins. There is a mark for the first line that begins [`LINE`] bytes or more after the mark before, so all
/// lines between two marks but the last are shorter than that.
#[derive(Clone, Copy, Debug)]
struct Mark {
    line: u64,
    offset: u64,
}

/// A line as it stands in the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RawLine {
    /// Its number, from 0; nothing where the lines before it have not been counted.
    pub number: Option<u64>,
    /// Where it begins.
    pub offset: u64,
    /// Its bytes without the line end, at most [`LINE`] of them.
    pub bytes: Vec<u8>,
    /// Whether there is more of it than `bytes`.
    pub is_cut: bool,
}

/// The lines of a file. Only places are kept, some sixteen bytes for each 64 KiB of the file.
#[derive(Debug)]
pub struct LineFile {
    path: PathBuf,
    file: Option<File>,
    marks: Vec<Mark>,
    /// How many line ends have been counted.
    ends: u64,
    /// Where the line after the last of them begins.
    open: u64,
    /// How much of the file has been looked at.
    seen: u64,
}

impl LineFile {
    /// The lines of the file at `path`, which need not exist yet. None is counted before [`LineFile::index`].
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: None, marks: vec![Mark { line: 0, offset: 0 }], ends: 0, open: 0, seen: 0 }
    }

    /// Counts lines in up to `budget` more bytes of the file. Whether there is more to look at.
    pub fn index(&mut self, budget: u64) -> Result<bool, Error> {
        let len = self.len()?;
        if len < self.seen {
            // Whoever wrote it has begun anew.
            (self.ends, self.open, self.seen) = (0, 0, 0);
            self.marks.truncate(1);
        }
        let Some(file) = &self.file else { return Ok(false) };
        let until = len.min(self.seen.saturating_add(budget));
        let mut block = vec![0; BLOCK.min(usize::try_from(until - self.seen).unwrap_or(BLOCK))];
        while self.seen < until {
            let want = block.len().min(usize::try_from(until - self.seen).unwrap_or(BLOCK));
            let got = file.read_at(&mut block[..want], self.seen).map_err(Error::io("read", &self.path))?;
            if got == 0 {
                return Ok(false);
            }
            for end in memchr_iter(b'\n', &block[..got]) {
                self.ends += 1;
                self.open = self.seen + end as u64 + 1;
                if self.open - self.marks.last().map_or(0, |mark| mark.offset) >= LINE as u64 {
                    self.marks.push(Mark { line: self.ends, offset: self.open });
                }
            }
            self.seen += got as u64;
        }
        Ok(self.seen < len)
    }

    /// How long the file is now; 0 where there is none.
    fn len(&mut self) -> Result<u64, Error> {
        if self.file.is_none() {
            self.file = match file::open(&self.path) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
                Err(error) => return Err(Error::io("read", &self.path)(error)),
            };
        }
        let meta = self.file.as_ref().map(File::metadata).transpose().map_err(Error::io("look at", &self.path))?;
        Ok(meta.filter(std::fs::Metadata::is_file).map_or(0, |meta| meta.len()))
    }

    /// How many lines have been counted, the last one also if it has no end yet.
    pub const fn count(&self) -> u64 {
        self.ends + (self.seen > self.open) as u64
    }

    /// How much of the file has been looked at, in bytes.
    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// How many of the counted lines begin before `offset`.
    pub fn begun_before(&self, offset: u64) -> Result<u64, Error> {
        if offset >= self.seen {
            return Ok(self.count());
        }
        let at = self.marks.partition_point(|mark| mark.offset < offset);
        let Some(mark) = at.checked_sub(1).map(|at| self.marks[at]) else { return Ok(0) };
        let bytes = self.read(mark.offset, LINE.min(usize::try_from(offset - mark.offset - 1).unwrap_or(LINE)))?;
        let begun = mark.line + 1 + memchr_iter(b'\n', &bytes).count() as u64;
        Ok(begun.min(self.marks.get(at).map_or(u64::MAX, |next| next.line)))
    }

    /// Counted lines by their numbers. Where they are very long it may be fewer than were asked for, but never none.
    pub fn lines(&self, range: Range<u64>) -> Result<Vec<RawLine>, Error> {
        let range = range.start..range.end.min(self.count());
        let (mut found, mut size) = (Vec::new(), 0);
        for at in self.stretch_of(range.start)..self.marks.len() {
            if self.marks[at].line >= range.end || size > WINDOW {
                break;
            }
            let stretch = self.stretch(at)?;
            for part in stretch.parts().filter(|part| range.contains(&part.number)) {
                size += part.text.len() as u64;
                found.push(RawLine::new(Some(part.number), part.offset, part.text, part.goes_on));
            }
        }
        Ok(found)
    }

    /// The last `count` lines of what is there now, counted or not. Fewer where they are very long.
    pub fn tail(&mut self, count: usize) -> Result<Vec<RawLine>, Error> {
        let len = self.len()?;
        let start = len.saturating_sub(TAIL as u64);
        let bytes = self.read(start, TAIL)?;
        // Where the file is cut, the first line is not whole, unless it is all there is.
        let first = if start == 0 { 0 } else { memchr(b'\n', &bytes).map_or(0, |end| end + 1) };
        let first = if first == bytes.len() { 0 } else { first };
        let from = first + start_of_lines(&bytes[first..], count);
        let mut lines = Vec::new();
        let mut offset = start + from as u64;
        for part in bytes[from..].split_inclusive(|&byte| byte == b'\n') {
            lines.push(RawLine::new(None, offset, part.strip_suffix(b"\n").unwrap_or(part), false));
            offset += part.len() as u64;
        }
        if self.seen >= len {
            let count = self.count();
            let first = count.saturating_sub(lines.len() as u64);
            lines.iter_mut().zip(first..count).for_each(|(line, number)| line.number = Some(number));
        }
        Ok(lines)
    }

    /// The first of the counted lines in `range` that has what is searched for, or the last one. Looks at `budget` bytes and
    /// takes what it looked at off it; only what [`LineFile::lines`] gives of a line counts.
    pub fn find(&self, search: &Search, range: Range<u64>, is_backward: bool, budget: &mut u64) -> Result<Found, Error> {
        let range = range.start..range.end.min(self.count());
        if range.is_empty() {
            return Ok(Found::Nowhere);
        }
        let (first, last) = (self.stretch_of(range.start), self.stretch_of(range.end - 1));
        let mut stretches = first..=last;
        while let Some(at) = if is_backward { stretches.next_back() } else { stretches.next() } {
            if *budget == 0 {
                let ahead = if is_backward { range.start..self.next_line(at) } else { self.marks[at].line..range.end };
                return Ok(Found::NotYet(ahead.start.max(range.start)..ahead.end.min(range.end)));
            }
            *budget = budget.saturating_sub((self.end_of(at) - self.marks[at].offset).min(2 * LINE as u64));
            let stretch = self.stretch(at)?;
            if !search.may_be_in(&stretch.bytes) {
                continue;
            }
            let mut hits = stretch
                .parts()
                .filter(|part| range.contains(&part.number) && search.is_in(&part.text[..part.text.len().min(LINE)]))
                .map(|part| part.number);
            let found = if is_backward { hits.last() } else { hits.next() };
            if let Some(number) = found {
                return Ok(Found::Line(number));
            }
        }
        Ok(Found::Nowhere)
    }

    /// The number of the mark before a line.
    fn stretch_of(&self, line: u64) -> usize {
        self.marks.partition_point(|mark| mark.line <= line).saturating_sub(1)
    }

    fn end_of(&self, at: usize) -> u64 {
        self.marks.get(at + 1).map_or(self.seen, |next| next.offset)
    }

    fn next_line(&self, at: usize) -> u64 {
        self.marks.get(at + 1).map_or_else(|| self.count(), |next| next.line)
    }

    /// What stands between a mark and the next one, but for the end of a line that is too long.
    fn stretch(&self, at: usize) -> Result<Stretch, Error> {
        let (Mark { line, offset }, end) = (self.marks[at], self.end_of(at));
        let whole = usize::try_from(end - offset).unwrap_or(usize::MAX);
        let bytes = self.read(offset, whole.min(2 * LINE + 1))?;
        Ok(Stretch { line, offset, is_whole: bytes.len() == whole, bytes })
    }

    fn read(&self, offset: u64, count: usize) -> Result<Vec<u8>, Error> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let (mut bytes, mut got) = (vec![0; count], 0);
        while got < count {
            match file.read_at(&mut bytes[got..], offset + got as u64) {
                Ok(0) => break,
                Ok(more) => got += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", &self.path)(error)),
            }
        }
        bytes.truncate(got);
        Ok(bytes)
    }
}

/// The lines from one mark to the next.
struct Stretch {
    line: u64,
    offset: u64,
    bytes: Vec<u8>,
    /// Whether `bytes` has the end of the last line.
    is_whole: bool,
}

/// One of them.
struct Part<'a> {
    number: u64,
    offset: u64,
    text: &'a [u8],
    /// Whether there is more of it in the file.
    goes_on: bool,
}

impl Stretch {
    fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let mut offset = self.offset;
        let parts = self.bytes.split_inclusive(|&byte| byte == b'\n').zip(self.line..);
        parts.map(move |(whole, number)| {
            let text = whole.strip_suffix(b"\n").unwrap_or(whole);
            let part = Part { number, offset, text, goes_on: text.len() == whole.len() && !self.is_whole };
            offset += whole.len() as u64;
            part
        })
    }
}

impl RawLine {
    /// A line without its carriage return, cut between characters where it is too long.
    fn new(number: Option<u64>, offset: u64, text: &[u8], goes_on: bool) -> Self {
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let is_cut = goes_on || text.len() > LINE;
        let text = &text[..text.len().min(LINE)];
        Self { number, offset, bytes: text[..if is_cut { whole(text) } else { text.len() }].to_vec(), is_cut }
    }
}

/// How much of a cut text is whole characters.
fn whole(text: &[u8]) -> usize {
    let last = text.iter().rev().take(4).position(|byte| byte & 0xc0 != 0x80).map_or(text.len(), |back| text.len() - back - 1);
    if std::str::from_utf8(&text[last..]).is_ok() { text.len() } else { last }
}

/// Where the last `lines` lines of a text begin.
pub fn start_of_lines(bytes: &[u8], lines: usize) -> usize {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    match lines {
        0 => bytes.len(),
        _ => memrchr_iter(b'\n', body).nth(lines - 1).map_or(0, |at| at + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn file_with(bytes: &[u8]) -> (tempfile::TempDir, LineFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout.log");
        std::fs::write(&path, bytes).unwrap();
        (folder, LineFile::new(path))
    }

    fn texts(lines: Vec<RawLine>) -> Vec<String> {
        lines.into_iter().map(|line| String::from_utf8_lossy(&line.bytes).into_owned()).collect()
    }

    fn find(lines: &LineFile, text: &str, range: Range<u64>, is_backward: bool) -> Found {
        lines.find(&Search::new(text).unwrap(), range, is_backward, &mut u64::MAX.clone()).unwrap()
    }

    #[test]
    fn two_million_lines_are_read_anywhere_from_little_memory() {
        const MANY: u64 = 2_000_000;
        let text: String = (0..MANY).map(|at| format!("line {at}\n")).collect();
        let (_folder, mut lines) = file_with(text.as_bytes());
        let mut calls = 0;
        while lines.index(SLICE).unwrap() {
            calls += 1;
        }
        assert_eq!((lines.count(), lines.seen(), calls), (MANY, text.len() as u64, text.len() as u64 / SLICE));
        assert!(lines.marks.len() < 500, "{}", lines.marks.len());
        for at in [0, 1, 4_711, 999_999, MANY - 3] {
            let wanted: Vec<String> = (at..at + 3).map(|at| format!("line {at}")).collect();
            assert_eq!(texts(lines.lines(at..at + 3).unwrap()), wanted);
        }
        assert_eq!(lines.lines(MANY..MANY + 5).unwrap(), []);
        assert_eq!(texts(lines.tail(2).unwrap()), ["line 1999998", "line 1999999"]);
        assert_eq!(find(&lines, "LINE 1234567", 0..MANY, false), Found::Nowhere);
        assert_eq!(find(&lines, "line 1234567", 0..MANY, false), Found::Line(1_234_567));
        assert_eq!(find(&lines, "e 77", 0..MANY, true), Found::Line(779_999));
        assert_eq!(find(&lines, "e 77", 0..700_000, true), Found::Line(77_999));
        // A search is as patient as its caller.
        let (search, mut ahead, mut calls) = (Search::new("line 1999999").unwrap(), 0..MANY, 0);
        let found = loop {
            match lines.find(&search, ahead.clone(), false, &mut SLICE.clone()).unwrap() {
                Found::NotYet(left) => (ahead, calls) = (left, calls + 1),
                found => break found,
            }
        };
        assert!(found == Found::Line(MANY - 1) && calls >= 5, "{found:?} {calls}");
    }

    #[test]
    fn a_file_is_read_while_it_grows_and_when_it_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout.log");
        let mut lines = LineFile::new(path.clone());
        assert!(!lines.index(SLICE).unwrap());
        assert_eq!((lines.count(), lines.tail(3).unwrap()), (0, Vec::new()));
        let mut file = File::create(&path).unwrap();
        let mut counts = Vec::new();
        for part in ["one\ntw", "o\n", "\nfour"] {
            file.write_all(part.as_bytes()).unwrap();
            assert!(!lines.index(SLICE).unwrap());
            counts.push(lines.count());
        }
        assert_eq!(counts, [2, 2, 4]);
        assert_eq!(texts(lines.lines(0..9).unwrap()), ["one", "two", "", "four"]);
        file.write_all(b" and five\n").unwrap();
        // What has not been counted is there for the tail alone.
        assert_eq!(lines.tail(1).unwrap()[0].number, None);
        assert_eq!(texts(lines.tail(2).unwrap()), ["", "four and five"]);
        assert!(!lines.index(SLICE).unwrap());
        assert_eq!((lines.count(), lines.tail(1).unwrap()[0].number), (4, Some(3)));
        std::fs::write(&path, "new\n").unwrap();
        assert!(!lines.index(SLICE).unwrap());
        assert_eq!(texts(lines.lines(0..9).unwrap()), ["new"]);
    }

    #[test]
    fn lines_that_are_no_text() {
        let (_folder, mut lines) = file_with(b"dos\r\nnul \0 here\nbad \xff\xc3\n\r\nlast\r");
        lines.index(SLICE).unwrap();
        assert_eq!(texts(lines.lines(0..9).unwrap()), ["dos", "nul \0 here", "bad \u{fffd}\u{fffd}", "", "last"]);
        assert_eq!(find(&lines, "here", 0..9, false), Found::Line(1));
        let (_folder, mut zeros) = file_with(&vec![0; 300_000]);
        zeros.index(SLICE).unwrap();
        let found = zeros.lines(0..9).unwrap();
        assert_eq!((found.len(), found[0].bytes.len(), found[0].is_cut), (1, LINE, true));
    }

    #[test]
    fn a_long_line_is_cut_between_characters_and_the_next_one_found() {
        for unit in ["x", "é", "日", "😀"] {
            let long = unit.repeat(5 * LINE);
            let (_folder, mut lines) = file_with(format!("a\n{long}\nb\n{long}").as_bytes());
            lines.index(SLICE).unwrap();
            lines.index(SLICE).unwrap();
            let found = lines.lines(0..9).unwrap();
            assert_eq!(found.len(), 4);
            let cut = std::str::from_utf8(&found[1].bytes).unwrap();
            assert!(found[1].is_cut && long.starts_with(cut) && cut.len() > LINE - 4, "{unit}: {}", cut.len());
            assert_eq!((found[2].bytes.as_slice(), found[2].is_cut), (&b"b"[..], false));
            assert_eq!(lines.begun_before(found[2].offset + 1).unwrap(), 3);
            let last = lines.tail(1).unwrap();
            assert!(last[0].is_cut || last[0].bytes.len() == LINE, "{unit}");
        }
    }

    proptest! {
        #[test]
        fn every_window_is_that_of_the_whole_text(
            lengths in prop::collection::vec(prop_oneof![0..40_usize, 0..40_usize, 60_000..70_000_usize], 0..12),
            has_end in any::<bool>(),
            budget in 1..90_000_u64,
            window in (0..14_u64, 0..14_u64),
        ) {
            let mut text = lengths.iter().map(|&long| "x".repeat(long)).collect::<Vec<_>>().join("\n");
            if has_end {
                text.push('\n');
            }
            let (_folder, mut lines) = file_with(text.as_bytes());
            while lines.index(budget).unwrap() {}
            let wanted: Vec<&str> = text.lines().collect();
            prop_assert_eq!(lines.count(), wanted.len() as u64);
            let range = window.0.min(window.1)..window.0.max(window.1);
            let mut offset = 0;
            for (number, wanted) in (0..).zip(wanted) {
                for before in [offset, offset + 1] {
                    prop_assert_eq!(lines.begun_before(before).unwrap(), number + u64::from(before > offset), "{}", before);
                }
                let found = lines.lines(number..number + 1).unwrap();
                prop_assert_eq!(found[0].bytes.len(), wanted.len().min(LINE));
                prop_assert_eq!(found[0].offset, offset);
                offset += wanted.len() as u64 + 1;
            }
            let numbers: Vec<u64> = lines.lines(range.clone()).unwrap().iter().filter_map(|line| line.number).collect();
            prop_assert_eq!(numbers, (range.start..range.end.min(lines.count())).collect::<Vec<_>>());
        }
    }
}
