//! Texts that go into cells: how wide they are, cut to fit, and tame.

use unicode_normalization::UnicodeNormalization as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How many cells a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// A text on one line without anything that a terminal would obey or that has no cell of its own. A letter and its accent
/// become one character where there is one.
pub fn tame(text: &str) -> String {
    let spaced = text.nfc().map(|c| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { c });
    spaced.filter(|c| c.width().is_some_and(|wide| wide > 0)).collect()
}

/// A tame text of at most `cells` cells, with `end` where something is missing.
pub fn fit(text: &str, cells: usize, end: char) -> String {
    let tame = tame(text);
    let wide = |c: char| c.width().unwrap_or(0);
    // Cells are counted a character at a time, as they are filled.
    if tame.chars().map(wide).sum::<usize>() <= cells {
        return tame;
    }
    let mut out = String::new();
    let mut used = 1;
    for c in tame.chars() {
        used += wide(c);
        if used > cells {
            break;
        }
        out.push(c);
    }
    if cells > 0 {
        out.push(end);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut() {
        assert_eq!(fit("deploy", 6, '…'), "deploy");
        assert_eq!(fit("deploying", 6, '…'), "deplo…");
        assert_eq!(fit("日本語です", 5, '…'), "日本…");
        assert_eq!(fit("日本語です", 4, '…'), "日…");
        assert_eq!(fit("a\u{1b}[2J\r\n\u{7}e\u{301}", 20, '…'), "a[2J  é");
        assert_eq!(tame("x\u{301}\u{302}y"), "xy");
        assert_eq!(fit("x", 0, '…'), "");
    }
}
