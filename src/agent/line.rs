//! JSON lines of any length in bounded memory: strings that are too long are shortened while they
//! are read.

use std::io::{self, BufRead, Read};

/// The most of a string that is kept, in bytes of JSON.
const STRING: usize = 128 * 1024;

/// The most of a line that is kept after that, in bytes. A longer one does not parse.
const LINE: usize = 512 * 1024;

/// The lines of an output.
pub struct Lines<R> {
    from: R,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `from`.
    pub const fn new(from: R) -> Self {
        Self { from }
    }

    /// Reads the next line into `line`, without its end. Returns how many bytes of the output it
    /// takes, and whether it has an end; nothing after the last.
    pub fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Option<(u64, bool)>> {
        line.clear();
        let mut shortener = Shortener::default();
        let mut taken = 0;
        loop {
            let block = match self.from.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if block.is_empty() {
                return Ok((taken > 0).then_some((taken, false)));
            }
            let end = block.iter().position(|&byte| byte == b'\n');
            shortener.take(&block[..end.unwrap_or(block.len())], line);
            let used = end.map_or(block.len(), |end| end + 1);
            self.from.consume(used);
            taken += used as u64;
            if end.is_some() {
                return Ok(Some((taken, true)));
            }
        }
    }

    /// The output itself.
    pub const fn inner(&mut self) -> &mut R {
        &mut self.from
    }
}

impl<R: Read> Lines<io::BufReader<R>> {
    /// The lines of a file or the like.
    pub fn of(from: R) -> Self {
        Self::new(io::BufReader::with_capacity(64 * 1024, from))
    }
}

/// Where in a JSON text we are, as far as shortening needs it.
#[derive(Default)]
struct Shortener {
    is_in_string: bool,
    /// Whether the byte before was a backslash with a meaning.
    is_escaped: bool,
    /// How many bytes of the string there were so far.
    length: usize,
    is_dropping: bool,
}

impl Shortener {
    fn take(&mut self, block: &[u8], line: &mut Vec<u8>) {
        for &byte in block {
            self.step(byte, line);
            if !self.is_dropping && line.len() < LINE {
                line.push(byte);
            }
        }
    }

    fn step(&mut self, byte: u8, line: &[u8]) {
        if !self.is_in_string {
            self.is_in_string = byte == b'"';
            (self.length, self.is_escaped, self.is_dropping) = (0, false, false);
            return;
        }
        self.length += 1;
        if self.is_escaped {
            self.is_escaped = false;
        } else if byte == b'"' {
            (self.is_in_string, self.is_dropping) = (false, false);
        } else {
            // Only where a character begins, and not within a pair of surrogates.
            self.is_dropping |= self.length > STRING && byte & 0xc0 != 0x80 && !ends_within_escape(line);
            self.is_escaped = byte == b'\\';
        }
    }
}

/// Whether a text ends within `\uXXXX`, or after the first of two that belong together.
fn ends_within_escape(line: &[u8]) -> bool {
    let tail = &line[line.len().saturating_sub(6)..];
    let Some(at) = tail.windows(2).rposition(|pair| pair == b"\\u") else { return false };
    let digits = &tail[at + 2..];
    digits.len() < 4 || (digits.len() == 4 && matches!(digits[..2], [b'd' | b'D', b'8'..=b'9' | b'a' | b'b' | b'A' | b'B']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(bytes: &[u8], capacity: usize) -> Vec<Vec<u8>> {
        let mut lines = Lines::new(io::BufReader::with_capacity(capacity, bytes));
        let (mut line, mut found) = (Vec::new(), Vec::new());
        while lines.next(&mut line).unwrap().is_some() {
            found.push(line.clone());
        }
        found
    }

    #[test]
    fn a_long_string_is_shortened_and_the_line_still_parses() {
        for unit in ["x", "ä", "\\n", "\\\"", "\\ud83d\\ude00", "😀", "\\\\"] {
            let text = format!("{{\"a\":\"{}\",\"b\":7}}\n{{}}\n", unit.repeat(STRING));
            let found = lines(text.as_bytes(), 4096);
            let value: serde_json::Value = serde_json::from_slice(&found[0]).unwrap_or_else(|error| panic!("{unit}: {error}"));
            assert_eq!(value["b"], 7, "{unit}");
            assert!(found[0].len() <= STRING + 64, "{unit}: {}", found[0].len());
            assert_eq!(found[1], b"{}");
        }
    }

    #[test]
    fn a_line_of_endless_length_takes_no_endless_memory() {
        let text = format!("[{}", "1,".repeat(LINE));
        assert_eq!(lines(text.as_bytes(), 4096)[0].len(), LINE);
    }

    proptest! {
        #[test]
        fn short_lines_stay_as_they_are(bytes in prop::collection::vec(any::<u8>(), 0..300), capacity in 1..40_usize) {
            let mut wanted: Vec<Vec<u8>> = bytes.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
            if wanted.last().is_some_and(Vec::is_empty) {
                wanted.pop();
            }
            prop_assert_eq!(lines(&bytes, capacity), wanted);
        }
    }
}
