//! The text of a file: its lines, its line ending, and errors that point into it.

use std::path::Path;

use unicode_width::UnicodeWidthChar;

use crate::error::Error;

/// The largest sequence.yaml that is read, in bytes.
pub const SIZE_LIMIT: u64 = LARGEST as u64;
const LARGEST: usize = 16 << 20;
const TOO_LARGE: &str = "is larger than 16 MiB";
/// The byte order mark.
pub(super) const BOM: &str = "\u{feff}";

/// A file's text without its byte order mark.
pub(super) struct Source<'t> {
    pub(super) path: &'t Path,
    pub(super) text: &'t str,
    /// The bytes of the byte order mark that was left out.
    pub(super) mark: &'t str,
    /// What ends a line in this file.
    pub(super) newline: &'static str,
    starts: Vec<usize>,
}

/// What stands on a line that is no part of a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Blank,
    /// A comment, by the column of its `#`.
    Comment(usize),
    Content,
}

impl<'t> Source<'t> {
    /// The text in `bytes`, if it is UTF-8 text of a bearable size.
    pub(super) fn read(bytes: &'t [u8], path: &'t Path) -> Result<Self, Error> {
        let utf_16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..]);
        if utf_16 && bytes.len() <= LARGEST {
            let expected = Some("UTF-8; save the file in that encoding".into());
            return Err(Self::index("", path).error(0, "this is UTF-16 text, or no text at all", expected));
        }
        let text = match str::from_utf8(bytes) {
            Ok(text) => text,
            Err(_) if bytes.len() > LARGEST => "",
            Err(error) => {
                let valid = str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
                let why = format!("the byte 0x{:02x} is not UTF-8 text", bytes[valid.len()]);
                return Err(Self::index(valid, path).error(valid.len(), why, Some("UTF-8".into())));
            }
        };
        if bytes.len() > LARGEST {
            return Err(Error::FileUnusable { path: path.into(), why: TOO_LARGE.into() });
        }
        Self::new(text, path)
    }

    /// The text with its lines counted.
    pub(super) fn new(text: &'t str, path: &'t Path) -> Result<Self, Error> {
        if text.len() > LARGEST {
            return Err(Error::FileUnusable { path: path.into(), why: TOO_LARGE.into() });
        }
        let source = Self::index(text, path);
        match source.text.find('\0') {
            Some(at) => Err(source.error(at, "there is a NUL byte here", Some("text".into()))),
            None => Ok(source),
        }
    }

    fn index(text: &'t str, path: &'t Path) -> Self {
        let (mark, text) = text.split_at(if text.starts_with(BOM) { BOM.len() } else { 0 });
        let bytes = text.as_bytes();
        let ends_line = |at: usize| bytes[at] == b'\n' || (bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
        let starts: Vec<_> = [0].into_iter().chain((0..bytes.len()).filter(|&at| ends_line(at)).map(|at| at + 1)).collect();
        let newline = match starts.get(1) {
            Some(&next) if text[..next].ends_with("\r\n") => "\r\n",
            _ => "\n",
        };
        Self { path, text, mark, newline, starts }
    }

    /// The number of the line that `at` stands on, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start <= at)
    }

    /// Where the line of `at` begins.
    pub(super) fn line_start(&self, at: usize) -> usize {
        self.starts[self.line(at) - 1]
    }

    /// Where the line after that of `at` begins; the end of the text after the last.
    pub(super) fn next_line(&self, at: usize) -> usize {
        self.starts.get(self.line(at)).copied().unwrap_or(self.text.len())
    }

    /// Where the line that ends before the line start `at` begins.
    pub(super) fn previous_line(&self, at: usize) -> usize {
        self.line_start(at.saturating_sub(1))
    }

    /// Where the line of `at` ends, before its line ending.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let line = &self.text[at..self.next_line(at)];
        at + line.trim_end_matches(['\n', '\r']).len()
    }

    /// Where the character stands that another reader counts as `column` on `line`, both from 1.
    pub(super) fn place(&self, line: usize, column: usize) -> usize {
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let line = &self.text[start..self.line_end(start)];
        start + line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at)
    }

    /// How many characters stand before `at` on its line.
    pub(super) fn column(&self, at: usize) -> usize {
        let before = &self.text[self.line_start(at)..at];
        if before.is_ascii() { before.len() } else { before.chars().count() }
    }

    /// Whether nothing but spaces stands before `at` on its line.
    pub(super) fn leads_line(&self, at: usize) -> bool {
        self.text[self.line_start(at)..at].bytes().all(|byte| byte == b' ')
    }

    /// What stands on the line that begins at `start`.
    pub(super) fn kind(&self, start: usize) -> Kind {
        let line = self.text[start..self.next_line(start)].trim_end_matches(['\n', '\r']);
        let rest = line.trim_start_matches([' ', '\t']);
        match rest.bytes().next() {
            None => Kind::Blank,
            Some(b'#') => Kind::Comment(line.len() - rest.len()),
            Some(_) => Kind::Content,
        }
    }

    /// Whether the text lacks a line ending at its end.
    pub(super) fn is_cut(&self) -> bool {
        !self.text.is_empty() && !self.text.ends_with(['\n', '\r'])
    }

    /// `lines`, which end in line feeds, with this file's line endings.
    pub(super) fn fit(&self, lines: &str) -> String {
        if self.newline == "\n" { lines.to_owned() } else { lines.replace('\n', self.newline) }
    }

    /// A failure that points at `at`.
    pub(super) fn error(&self, at: usize, why: impl Into<String>, expected: Option<String>) -> Error {
        let at = at.min(self.text.len());
        Error::Yaml {
            path: self.path.into(),
            line: self.line(at),
            column: self.column(at) + 1,
            why: why.into(),
            expected,
            excerpt: self.excerpt(at),
        }
    }

    /// The line of `at` with its number, and a caret below.
    fn excerpt(&self, at: usize) -> String {
        const BEFORE: usize = 60;
        const SHOWN: usize = 100;
        let (line, column, start) = (self.line(at), self.column(at), self.line_start(at));
        let skipped = column.saturating_sub(BEFORE);
        let readable = |c: char| if c.is_control() { ' ' } else { c };
        let all = self.text[start..self.line_end(start)].chars().map(readable);
        let shown: String = all.clone().skip(skipped).take(SHOWN).collect();
        let width: usize = all.skip(skipped).take(column - skipped).map(|c| c.width().unwrap_or(0)).sum();
        let cut = if skipped > 0 { "…" } else { "" };
        let pad = width + usize::from(skipped > 0);
        format!("{line:>4} | {cut}{}\n     | {:pad$}^", shown.trim_end(), "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml_error(bytes: &[u8]) -> String {
        match Source::read(bytes, Path::new("s.yaml")).err() {
            Some(Error::Yaml { line, column, why, excerpt, .. }) => format!("{line}:{column} {why}\n{excerpt}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn only_utf_8_text_is_read() {
        assert_eq!(yaml_error(b"\xff\xfea\0"), "1:1 this is UTF-16 text, or no text at all\n   1 | \n     | ^");
        assert_eq!(yaml_error(b"a\0b\0"), "1:1 this is UTF-16 text, or no text at all\n   1 | \n     | ^");
        assert_eq!(yaml_error(b"a: b\nc: \xc3("), "2:4 the byte 0xc3 is not UTF-8 text\n   2 | c:\n     |    ^");
        assert_eq!(yaml_error(b"a: b\nc\0"), "2:2 there is a NUL byte here\n   2 | c\n     |  ^");
        let large = vec![b' '; LARGEST + 1];
        assert_eq!(Source::read(&large, Path::new("s.yaml")).err().unwrap().to_string(), "s.yaml: is larger than 16 MiB");
    }

    #[test]
    fn lines_of_every_kind_of_ending() {
        let source = Source::new("\u{feff}a\r\nbü\rc\n", Path::new("s")).unwrap();
        assert_eq!((source.text, source.newline), ("a\r\nbü\rc\n", "\r\n"));
        assert_eq!((source.line(0), source.line(3), source.line(7), source.line(9)), (1, 2, 3, 4));
        assert_eq!((source.line_end(0), source.next_line(0), source.column(6)), (1, 3, 2));
    }
}
