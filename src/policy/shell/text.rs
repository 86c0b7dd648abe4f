//! What the bytes of a text alone tell.

use std::ops::Range;

use super::Checked;

/// What dash and bash, or a shell and the parser, read differently, unless it is quoted.
const AMBIGUOUS: [&str; 10] = ["<(", ">(", "$[", "[[", "&>", "<<<", "|&", ";&", "$'", "$\""];

/// Denies characters that no honest text needs, and line ends that are taken away.
pub(super) fn check_characters(text: &str) -> Checked {
    if let Some(odd) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(format!("its text has the character `{}` in it", odd.escape_default()));
    }
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err("its text is not UTF-8".into());
    }
    // Between two words it does nothing; elsewhere it joins what looks apart.
    let glued = text.match_indices("\\\n").find(|(at, _)| !text[..*at].ends_with([' ', '\t', '\n']));
    match glued {
        Some((at, _)) => Err(format!("a backslash ends line {} in the middle of a word", line_of(text, at))),
        None => Ok(()),
    }
}

/// Denies what is read differently, wherever it is not within `plain`: quotes, comments, the
/// bodies of here-documents.
///
/// The leftmost difference between a shell and the parser cannot be hidden in quotes that only
/// the parser sees, since up to there both agree on them.
pub(super) fn check_ambiguous(text: &str, plain: &mut [Range<usize>]) -> Checked {
    plain.sort_unstable_by_key(|range| (range.start, range.end));
    let is_plain = |at: Range<usize>| {
        let before = plain.partition_point(|range| range.start <= at.start);
        // Ranges nest at most a few deep, so what covers a place begins close before it.
        plain[..before].iter().rev().take(64).any(|range| range.end >= at.end)
    };
    for odd in AMBIGUOUS {
        if let Some((at, _)) = text.match_indices(odd).find(|(at, _)| !is_plain(*at..at + odd.len())) {
            return Err(format!("`{odd}` in line {} is not the same to all shells", line_of(text, at)));
        }
    }
    let foreign = text.char_indices().filter(|(_, c)| !c.is_ascii()).find(|(at, c)| !is_plain(*at..at + c.len_utf8()));
    match foreign {
        Some((at, c)) => Err(format!("`{c}` in line {} is not in quotes", line_of(text, at))),
        None => Ok(()),
    }
}

/// Whether a literal has something in it that a shell would expand.
pub(super) fn has_expansion(raw: &str) -> bool {
    let mut characters = raw.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            '`' => return true,
            '$' if characters.peek().is_some_and(|next| !matches!(next, ' ' | '|' | ')' | '/' | '.' | ',' | ':' | '\n')) => {
                return true;
            }
            _ => {}
        }
    }
    false
}

pub(super) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The beginning of a text, on one line.
pub(super) fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() > 40 || text.lines().count() > 1 {
        format!("{}…", line.chars().take(39).collect::<String>())
    } else {
        line.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_expansions_are_seen() {
        for bad in ["a`b", "$(x)", "a${b", "$[1]", "$x", "\\\\$(x)", "$\\", "$$"] {
            assert!(has_expansion(bad), "{bad}");
        }
        for good in ["", "\\`", "\\$(x)", "a$", "cost: $ 5", "a$|b$)"] {
            assert!(!has_expansion(good), "{good}");
        }
    }

    #[test]
    fn lines_are_joined_between_words_only() {
        assert!(check_characters("git \\\n  status").is_ok());
        assert!(check_characters("echo \"$\\\n(x)\"").is_err());
        assert!(check_characters("git\r\n").is_err());
    }
}
