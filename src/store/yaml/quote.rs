//! Text as a scalar that every reader of YAML 1.1 and 1.2 takes for that text.

use std::fmt::Write as _;

/// Whether `text` needs no quotes.
pub(super) fn is_plain(text: &str, in_flow: bool) -> bool {
    let (Some(first), Some(last)) = (text.chars().next(), text.chars().last()) else {
        return false;
    };
    let second = text[first.len_utf8()..].chars().next();
    let begins = match first {
        '-' => second.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-') && !text.starts_with("---"),
        '?' | ':' | ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => false,
        _ => !first.is_whitespace() && !text.starts_with("..."),
    };
    let in_brackets = |c: char| matches!(c, ',' | '[' | ']' | '{' | '}' | ':' | '?' | '#' | '"' | '\'');
    begins
        && !last.is_whitespace()
        && last != ':'
        && text.chars().all(is_printable)
        && !text.contains(['\n', '\t'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !(in_flow && (text.contains(in_brackets) || last == '-'))
        && !is_something_else(text)
}

/// Whether some reader takes `text` for a number, a truth value, a date or nothing.
fn is_something_else(text: &str) -> bool {
    const WORDS: &[&str] =
        &["~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "=", "<<", ".inf", ".nan", "inf", "nan"];
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    if WORDS.iter().any(|word| bare.eq_ignore_ascii_case(word)) {
        return true;
    }
    let mut bytes = bare.bytes();
    match (bytes.next(), bytes.next()) {
        (Some(b'0'), Some(b'x' | b'X' | b'o' | b'O' | b'b' | b'B')) => {
            bare.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit() || byte == b'_')
        }
        (Some(b'0'..=b'9' | b'.'), _) => {
            let is_sign = |byte: u8| matches!(byte, b'_' | b'.' | b':' | b',' | b'+' | b'-' | b'e' | b'E');
            let is_date = bare.len() > 4 && bare.bytes().take(4).all(|byte| byte.is_ascii_digit()) && &bare[4..5] == "-";
            is_date || bare.bytes().all(|byte| byte.is_ascii_digit() || is_sign(byte))
        }
        _ => false,
    }
}

/// Whether a character may stand in YAML text as itself and means the same to every reader. A tab and a line feed may.
fn is_printable(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// `text` in single quotes, where that is possible.
pub(super) fn single(text: &str) -> Option<String> {
    let is_simple = text.chars().all(|c| is_printable(c) && !matches!(c, '\n' | '\t'));
    is_simple.then(|| format!("'{}'", text.replace('\'', "''")))
}

/// `text` in double quotes, as JSON has them.
pub(super) fn double(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if is_printable(c) => quoted.push(c),
            c => write!(quoted, "\\u{:04x}", u32::from(c)).expect("writing to a String cannot fail"),
        }
    }
    quoted.push('"');
    quoted
}

/// `text` as a literal block under a parent in column `parent`, its lines in column `column`: what stands behind the
/// indicator, and the lines.
pub(super) fn literal(text: &str, parent: usize, column: usize) -> Option<(String, String)> {
    let lines: Vec<_> = text.strip_suffix('\n').unwrap_or(text).split('\n').collect();
    let (first, last) = (lines.first()?, lines.last()?);
    // Kept line breaks would swallow the blank lines that follow, and blanks at the ends are read in many ways.
    let is_safe = !last.trim_end().is_empty()
        && (first.is_empty() || !first.trim_end().is_empty())
        && !first.starts_with('\t')
        && text.chars().all(is_printable);
    if !is_safe {
        return None;
    }
    let lead = lines.iter().find(|line| !line.is_empty())?;
    if lead.trim_end().is_empty() {
        return None;
    }
    let (indicator, column) = match column - parent {
        _ if !lead.starts_with(' ') => (String::new(), column),
        width @ 1..=9 => (width.to_string(), column),
        _ => ("2".into(), parent + 2),
    };
    let chomp = if text.ends_with('\n') { "" } else { "-" };
    let mut body = String::with_capacity(text.len() + lines.len() * (column + 1));
    for line in lines {
        if !line.is_empty() {
            body.extend(std::iter::repeat_n(' ', column));
            body.push_str(line);
        }
        body.push('\n');
    }
    Some((format!("|{indicator}{chomp}"), body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_needs_quotes() {
        let plain = ["a", "cargo test --all", "--model", "-p", "http://x/y#z", "45m", "größer", "a,b", "2-b", "it's", "=x"];
        for text in plain {
            assert!(is_plain(text, false), "{text}");
        }
        let quoted = [
            " a¦a ¦yes¦No¦on¦y¦null¦~¦1¦1.0¦-1¦+1¦0x1f¦0o7¦0b1¦1e5¦.5¦.inf¦-.INF¦12:30¦190:20:30.15¦1_000",
            "2026-01-02¦2026-01-02T10:00:00Z¦*a¦&a¦!a¦%a¦@a¦`a¦|¦>¦- a¦-¦? a¦: a¦a: b¦a:¦a #b¦#a¦'a¦\"a¦[a¦{a¦]a",
            "}a¦,a¦---¦--- a¦...¦a\tb¦a\nb¦\u{7f}¦\u{85}¦\u{2028}¦\u{feff}¦=¦<<¦0¦1.2.3¦\u{a0}a",
        ];
        for text in quoted.iter().flat_map(|line| line.split('¦')).chain([""]) {
            assert!(!is_plain(text, false), "{text}");
        }
        for text in ["a,b", "a]", "http://x", "a{", "is?"] {
            assert!(!is_plain(text, true), "{text}");
        }
    }

    #[test]
    fn literal_blocks() {
        let block = |text| literal(text, 2, 4);
        assert_eq!(block("a\n\n b\n"), Some(("|".into(), "    a\n\n     b\n".into())));
        assert_eq!(block("a\nb"), Some(("|-".into(), "    a\n    b\n".into())));
        assert_eq!(block("  a\nb\n"), Some(("|2".into(), "      a\n    b\n".into())));
        for text in ["", "\n", "a\n\n", "a\n ", " \na", "\ta\n", "a\r\n", "\n  \na", "a\u{85}b"] {
            assert_eq!(block(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_text_reads_back(text in r#"(\PC|[ \n\t'":#\-,\[\]{}&*!|>%@?~0-9.eEx]|yes|null|\r|\u{85}|\u{2028}){0,12}"#) {
            let mut forms = vec![double(&text)];
            forms.extend(single(&text));
            for (form, in_flow) in [(&text, false), (&text, true)] {
                if is_plain(form, in_flow) {
                    forms.push(text.clone());
                }
            }
            for form in &forms {
                let read: serde_yaml::Value = serde_yaml::from_str(&format!("k: {form}\n")).unwrap();
                prop_assert_eq!(read["k"].as_str(), Some(text.as_str()));
            }
            if is_plain(&text, true) {
                let read: serde_yaml::Value = serde_yaml::from_str(&format!("[{text}, {text}]\n")).unwrap();
                prop_assert_eq!(read[1].as_str(), Some(text.as_str()));
            }
            if let Some((head, body)) = literal(&text, 0, 2) {
                let read: serde_yaml::Value = serde_yaml::from_str(&format!("k: {head}\n{body}z: 1\n")).unwrap();
                prop_assert_eq!(read["k"].as_str(), Some(text.as_str()));
            }
        }
    }
}
