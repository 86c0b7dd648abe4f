//! What is wrong with a text that is no YAML, in plain words.

use saphyr_parser::ScanError;

use super::source::Source;
use crate::error::Error;

/// How the parser's message begins, what to say instead, and what was expected.
const WORDS: &[(&str, &str, &str)] = &[
    ("while scanning a quoted scalar, found unexpected end", "this quote is never closed", "a closing quote"),
    ("while scanning a quoted scalar, found unexpected doc", "this quote is never closed", "a closing quote"),
    (
        "invalid indentation in quoted scalar",
        "this quote is not closed, or its text goes on with too little indentation",
        "a closing quote",
    ),
    ("invalid trailing content after double", "something stands behind the closing quote", "the end of the line"),
    (
        "while parsing a quoted scalar, found unknown escape",
        "there is an unknown escape in these quotes",
        r"`\\` for a backslash",
    ),
    ("while parsing a quoted scalar", "there is an incomplete escape in these quotes", r"`\\` for a backslash"),
    ("while parsing a flow mapping", "these braces are not closed, or lack a comma", "`,` or `}`"),
    ("while parsing a flow sequence", "these brackets are not closed, or lack a comma", "`,` or `]`"),
    ("misplaced bracket", "this bracket was never opened", "text that begins with a bracket in quotes"),
    ("invalid indentation in flow construct", "this line is indented too little for what is open", "more spaces before it"),
    ("invalid indentation", "this line is indented unlike its neighbours", "the indentation of the lines above"),
    ("while parsing a block mapping", "this line fits none of the keys above it", "a `key:` in line with the others"),
    ("while parsing a block collection", "this line fits none of the items above it", "a `- ` in line with the others"),
    ("mapping values are not allowed", "there is a second `: ` on this line", "text with `: ` in quotes"),
    ("illegal placement of ':'", "this `:` stands in brackets that are not closed", "`]` before it"),
    ("simple key expect", "this line has no `:`", "`key: value`"),
    ("simple key expected", "a key is missing here", "`key: value`"),
    ("block sequence entries are not allowed", "a list cannot begin here", "`- ` on a line of its own"),
    (r#""-" is only valid inside"#, "a `- ` cannot stand in brackets", "elements parted by `,`"),
    ("tabs disallowed", "a tab cannot indent a line", "spaces"),
    ("tab cannot be used", "a tab cannot indent a line", "spaces"),
    ("while scanning a plain scalar, found a tab", "a tab cannot indent a line", "spaces"),
    ("a block scalar content cannot start with a tab", "a tab cannot indent a line", "spaces"),
    ("wrongly indented line in block scalar", "a line of this text is indented unlike the first", "the same indentation"),
    ("while scanning a block scalar, did not find", "something stands behind `|` or `>`", "the text on the lines below"),
    ("unexpected character", "a value cannot begin with this character", "the value in quotes"),
    ("comment intercepting", "a comment stands in the middle of a text", "the text in quotes"),
    ("':' must be followed", "a `:` is followed by a tab", "a space"),
    ("'-' must be followed", "a `-` is followed by a tab", "a space"),
    ("found unprintable", "there is a character here that is no text", "text"),
    ("a byte order mark", "a byte order mark stands inside the text", "it at the very beginning, or nowhere"),
    ("while parsing node, found unknown anchor", "aliases (`*name`) are not read", "the value itself, or text in quotes"),
    ("while parsing a node, did not", "a value is missing here", "a value"),
    ("while scanning an anchor or alias", "`&` and `*` begin anchors and aliases", "the value in quotes"),
    ("recursion limit", "this is nested more than 64 levels deep", "fewer levels"),
    ("did not find expected <document start>", "this does not belong to what stands above", "the indentation of the lines above"),
    ("invalid content after document end", "something stands behind `...`", "the end of the line"),
];

/// The parser's failure as ours.
pub(super) fn of(source: &Source<'_>, error: &ScanError) -> Error {
    let text = source.text;
    let at = text.char_indices().nth(error.marker().index()).map_or(text.len(), |(at, _)| at);
    // Behind the last line there is nothing to show.
    let at = if at == text.len() { text.trim_end().len() } else { at };
    let line = source.line_start(at);
    let Some((start, why, expected)) = WORDS.iter().find(|(start, ..)| error.info().starts_with(start)) else {
        return source.error(at, format!("this is not valid YAML: {}", error.info()), None);
    };
    if start.starts_with(MAPPING) && !text[line..at].contains(": ") {
        let expected = "the indentation of the keys above, or text in quotes";
        return source.error(at, "this line goes on with the text above, so it cannot be a key", Some(expected.into()));
    }
    let at = if why.contains("a tab") { tab_below(source, line).unwrap_or(at) } else { at };
    source.error(at, *why, Some((*expected).into()))
}

const MAPPING: &str = "mapping values are not allowed";

/// The first tab that indents a line from `line` on.
fn tab_below(source: &Source<'_>, line: usize) -> Option<usize> {
    let mut here = line;
    while here < source.text.len() {
        let blank = &source.text[here..source.line_end(here)];
        let blank = &blank[..blank.len() - blank.trim_start_matches([' ', '\t']).len()];
        if let Some(tab) = blank.find('\t') {
            return Some(here + tab);
        }
        here = source.next_line(here);
    }
    None
}
