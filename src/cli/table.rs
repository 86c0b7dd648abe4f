//! Columns that line up.

use unicode_width::UnicodeWidthStr as _;

/// Rows of cells, each column as wide as its widest cell.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows as lines with `indent` before each, cut at `width` columns where one is given.
    pub(super) fn lines(&self, indent: &str, width: Option<usize>) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|at| self.rows.iter().filter_map(|row| row.get(at)).map(|cell| shown(cell)).max().unwrap_or(0))
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = indent.to_owned();
            for (at, cell) in row.iter().enumerate() {
                line.push_str(cell);
                if at + 1 < row.len() && row[at + 1..].iter().any(|cell| !cell.is_empty()) {
                    line.push_str(&" ".repeat(widths[at] - shown(cell) + 2));
                }
            }
            text.push_str(&width.map_or_else(|| line.trim_end().to_owned(), |width| cut(line.trim_end(), width)));
            text.push('\n');
        }
        text
    }
}

/// How many columns a text takes, escape sequences aside.
fn shown(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().width()
}

/// A text cut to `width` columns, with `…` where something is missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    if shown(text) <= width {
        return text.to_owned();
    }
    let (mut out, mut used, mut in_escape) = (String::new(), 0, false);
    for c in text.chars() {
        if c == '\u{1b}' {
            in_escape = true;
        }
        if in_escape {
            out.push(c);
            in_escape = !c.is_ascii_alphabetic();
            continue;
        }
        let wide = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used + wide + 1 > width {
            out.push('…');
            out.push_str("\u{1b}[0m");
            break;
        }
        used += wide;
        out.push(c);
    }
    out
}

/// A text in lines of at most `width` columns, as far as its words are no longer.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A text on one line without anything that a terminal would obey.
pub(super) fn tame(text: &str) -> String {
    let plain = anstream::adapter::strip_str(text).to_string();
    plain.chars().map(|c| if matches!(c, '\t' | '\n') { ' ' } else { c }).filter(|c| !c.is_control()).collect()
}

/// A text of many lines without anything that a terminal would obey.
pub(super) fn harmless(text: &str) -> String {
    let plain = anstream::adapter::strip_str(text).to_string();
    plain.chars().filter(|c| matches!(c, '\t' | '\n') || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::default();
        table.row(["a".into(), "\u{1b}[32mDONE\u{1b}[0m".into(), "x".into()]);
        table.row(["日本".into(), "READY".into(), String::new()]);
        let plain = anstream::adapter::strip_str(&table.lines("  ", None)).to_string();
        assert_eq!(plain, "  a     DONE   x\n  日本  READY\n");
        assert_eq!(cut("abcdef", 4), "abc…\u{1b}[0m");
    }

    #[test]
    fn words_are_kept_whole() {
        assert_eq!(wrapped("one two three fourteen", 9), ["one two", "three", "fourteen"]);
        assert_eq!(wrapped("seventeen", 4), ["seventeen"]);
    }

    #[test]
    fn nothing_is_obeyed() {
        assert_eq!(tame("a\u{1b}[2Jb\r\tc\u{7}"), "ab c");
    }
}
