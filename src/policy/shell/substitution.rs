//! Commands within words. The parser keeps quiet about mistakes in them and drops what follows, so
//! each is parsed again, as a text of its own.

use shuck_ast::{CommandSubstitutionSyntax, Span};

use super::{
    Checked, parse,
    walk::{Walker, odd},
};

/// The most of them in a text: each costs a look at all that stands before it.
const LIMIT: u32 = 200;

impl Walker<'_> {
    pub(super) fn substitution(&mut self, syntax: CommandSubstitutionSyntax, span: Span) -> Checked {
        let raw = self.raw(span)?;
        let (opening, inner) = match syntax {
            CommandSubstitutionSyntax::DollarParen => (2, raw.strip_prefix("$(").and_then(|raw| raw.strip_suffix(')'))),
            // Backslashes in backquotes are taken away before anything else is looked at.
            CommandSubstitutionSyntax::Backtick => {
                let inner = raw.strip_prefix('`').and_then(|raw| raw.strip_suffix('`'));
                (1, inner.filter(|inner| !inner.contains('\\')))
            }
        };
        self.substitutions += 1;
        let Some(inner) = inner.filter(|inner| !ends_in_comment(inner) && self.substitutions <= LIMIT) else {
            return odd("this substitution", span);
        };
        // With blanks for what is before it, everything keeps its place.
        let before = self.source.get(..span.start.offset() + opening).unwrap_or_default();
        let blank = before.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' });
        let text: String = blank.chain(inner.chars()).collect();
        self.list(&parse(&text)?.body)
    }
}

/// Whether its last line may have a comment in it: a shell looks for the end behind that.
fn ends_in_comment(text: &str) -> bool {
    let last = text.rsplit('\n').next().unwrap_or_default();
    let begins = [' ', '\t', ';', '&', '|', '(', ')', '<', '>', '`'];
    last.match_indices('#').any(|(at, _)| at == 0 || last[..at].ends_with(begins))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_that_could_hide_the_end() {
        for (text, wanted) in
            [("git log # x", true), ("#", true), ("git log ${#x} a#b", false), ("# x\ngit log", false), ("git;#x", true)]
        {
            assert_eq!(ends_in_comment(text), wanted, "{text}");
        }
    }
}
