//! Several logs in one stream: before each line stands whose it is.

/// Puts a text before each line, however the lines come in.
pub(super) struct Prefix {
    text: String,
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
}

impl Prefix {
    pub(super) const fn new(text: String) -> Self {
        Self { text, rest: Vec::new() }
    }

    /// The lines that are whole now. `is_over` says that the last one will have no end.
    pub(super) fn lines(&mut self, bytes: &[u8], is_over: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.put(&mut out);
            }
        }
        if is_over && !self.rest.is_empty() {
            self.rest.push(b'\n');
            self.put(&mut out);
        }
        out
    }

    fn put(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text.as_bytes());
        out.append(&mut self.rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart_however_they_come() {
        let mut prefix = Prefix::new("[1] ".into());
        let mut out = Vec::new();
        for (bytes, is_over) in [("a\nb", false), ("", false), ("c\n\n", false), ("last", true), ("", true)] {
            out.extend(prefix.lines(bytes.as_bytes(), is_over));
        }
        assert_eq!(String::from_utf8(out).unwrap(), "[1] a\n[1] bc\n[1] \n[1] last\n");
    }
}
