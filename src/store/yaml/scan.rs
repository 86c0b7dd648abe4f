//! Places in YAML text that the event parser does not tell: indicators, comments, properties, ends of scalars.

/// Where the next thing stands that is neither blank, a line break nor a comment.
pub(super) fn skip_blank(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => at += 1,
            b'#' => at += bytes[at..].iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count(),
            _ => break,
        }
    }
    at
}

/// Whether a blank, a line break or the end of the text stands at `at`.
pub(super) fn is_blank(text: &str, at: usize) -> bool {
    matches!(text.as_bytes().get(at), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
}

/// The end of the anchor or tag at `at`, if there is one.
pub(super) fn skip_property(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let end = match rest.as_bytes() {
        [b'!', b'<', ..] => rest.find('>').map_or(rest.len(), |end| end + 1),
        [b'!' | b'&', ..] => rest.find([' ', '\t', '\n', '\r', ',', '[', ']', '{', '}']).unwrap_or(rest.len()),
        _ => return None,
    };
    Some(at + end)
}

/// The end of the quoted scalar that begins at `at`, behind its closing quote.
pub(super) fn quoted_end(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(at).filter(|byte| matches!(byte, b'"' | b'\''))?;
    let mut here = at + 1;
    loop {
        match *bytes.get(here)? {
            b'\\' if quote == b'"' => here += 2,
            byte if byte != quote => here += 1,
            b'\'' if bytes.get(here + 1) == Some(&b'\'') => here += 2,
            _ => return Some(here + 1),
        }
    }
}

/// The head of a block scalar: `|` or `>` with its indicators.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Head {
    /// Where it ends.
    pub(super) end: usize,
    /// The indentation it states.
    pub(super) indent: Option<usize>,
    /// Whether all line breaks at the end belong to the text.
    pub(super) is_keep: bool,
}

/// The head of the block scalar that begins at `at`.
pub(super) fn block_head(text: &str, at: usize) -> Head {
    let bytes = text.as_bytes();
    let mut head = Head { end: at + 1, indent: None, is_keep: false };
    loop {
        match bytes.get(head.end) {
            Some(digit @ b'1'..=b'9') => head.indent = Some(usize::from(digit - b'0')),
            Some(b'+') => head.is_keep = true,
            Some(b'-') => {}
            _ => return head,
        }
        head.end += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_found() {
        assert_eq!(skip_blank("  # x\r\n\t y", 0), 9);
        assert_eq!(skip_property("!<tag:x,y> z", 0), Some(10));
        assert_eq!(skip_property("&a, b", 0), Some(2));
        assert_eq!(quoted_end("'it''s' x", 0), Some(7));
        assert_eq!(quoted_end(r#""a\"b\\" x"#, 0), Some(8));
        assert_eq!(quoted_end("'open", 0), None);
        assert_eq!(quoted_end("\u{79e}\u{79e}", 0), None);
        assert_eq!(block_head("|2+ # x", 0), Head { end: 3, indent: Some(2), is_keep: true });
    }
}
