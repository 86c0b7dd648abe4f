//! Markdown with what each piece of it is. The syntaxes are loaded when they are first wanted, by whoever reads for the
//! screen.

use std::sync::LazyLock;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

/// What a piece of Markdown is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mark {
    Plain,
    Heading,
    Code,
    Strong,
    Emphasis,
    Quote,
    Bullet,
}

/// A line: pieces with what they are.
pub(super) type Marked = Vec<(Mark, String)>;

/// How much is told apart; what comes after it is plain.
const PARSED: usize = 256 << 10;

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);

/// Scopes and what they mean, the more telling ones first.
static MARKS: LazyLock<Vec<(Scope, Mark)>> = LazyLock::new(|| {
    let marks = [
        ("markup.raw", Mark::Code),
        ("markup.heading", Mark::Heading),
        ("markup.bold", Mark::Strong),
        ("markup.italic", Mark::Emphasis),
        ("punctuation.definition.list_item", Mark::Bullet),
        ("markup.quote", Mark::Quote),
    ];
    marks.into_iter().filter_map(|(scope, mark)| Some((Scope::new(scope).ok()?, mark))).collect()
});

/// Tells the pieces of a text apart.
pub(super) fn marked(text: &str) -> Vec<Marked> {
    let Some(syntax) = SYNTAXES.find_syntax_by_extension("md") else { return text.lines().map(plain).collect() };
    let (mut state, mut stack, mut read) = (ParseState::new(syntax), ScopeStack::new(), 0);
    let lines = text.split_inclusive('\n').map(|line| {
        read += line.len();
        let whole = line.trim_end_matches(['\n', '\r']);
        let Some(ops) = (read <= PARSED).then(|| state.parse_line(line, &SYNTAXES).ok()).flatten() else { return plain(whole) };
        let (mut pieces, mut from) = (Marked::new(), 0);
        for (at, op) in ops {
            push(&mut pieces, mark(&stack), whole, from..at);
            from = at;
            if stack.apply(&op).is_err() {
                return plain(whole);
            }
        }
        push(&mut pieces, mark(&stack), whole, from..whole.len());
        pieces
    });
    lines.collect()
}

fn plain(line: &str) -> Marked {
    vec![(Mark::Plain, line.to_owned())]
}

fn push(pieces: &mut Marked, mark: Mark, line: &str, part: std::ops::Range<usize>) {
    let Some(text) = line.get(part.start.min(line.len())..part.end.min(line.len())).filter(|text| !text.is_empty()) else {
        return;
    };
    match pieces.last_mut() {
        Some((last, before)) if *last == mark => before.push_str(text),
        _ => pieces.push((mark, text.to_owned())),
    }
}

fn mark(stack: &ScopeStack) -> Mark {
    let found = MARKS.iter().find(|(scope, _)| stack.as_slice().iter().any(|other| scope.is_prefix_of(*other)));
    found.map_or(Mark::Plain, |(_, mark)| *mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_told_apart_and_nothing_is_lost() {
        let text = "# Title\n\nPlain **strong** and `code`\n- item\n\n> quote\n\n```sh\nmake\n```\nlast";
        let lines = marked(text);
        let again: Vec<String> = lines.iter().map(|line| line.iter().map(|(_, text)| text.as_str()).collect()).collect();
        assert_eq!(again.join("\n"), text);
        let mark_of = |text: &str| lines.iter().flatten().find(|(_, piece)| piece.contains(text)).map(|(mark, _)| *mark);
        assert_eq!(
            ["Title", "Plain", "strong", "code", "quote", "make", "last"].map(mark_of),
            [Mark::Heading, Mark::Plain, Mark::Strong, Mark::Code, Mark::Quote, Mark::Code, Mark::Plain].map(Some)
        );
    }
}
