//! Here-documents: only where the end is where the parser thinks it is.

use shuck_ast::{Heredoc, HeredocBodyMode, HeredocBodyPart, Span};

use super::{
    Checked,
    walk::{Walker, odd, place},
    word::Quotes,
};

impl Walker<'_> {
    pub(super) fn heredoc(&mut self, heredoc: &Heredoc, at: Span) -> Checked {
        self.has_heredoc = true;
        let (delimiter, body) = (&heredoc.delimiter, &heredoc.body);
        let end = self.literal_text(&delimiter.raw)?.unwrap_or_default();
        let is_simple = !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_simple || end != delimiter.cooked.as_str() {
            return odd("the end of this here-document", at);
        }
        self.check_extent(heredoc, &end, at)?;
        if self.raw(delimiter.raw.span)?.contains(['\'', '"']) == (body.mode == HeredocBodyMode::Expanding) {
            return odd("this here-document", at);
        }
        if body.mode == HeredocBodyMode::Literal {
            self.mark_plain(body.span);
            return Ok(());
        }
        for part in &body.parts {
            match &part.kind {
                HeredocBodyPart::Literal(text) => self.literal(text, part.span, Quotes::Double)?,
                HeredocBodyPart::Variable(_) => {}
                HeredocBodyPart::CommandSubstitution { syntax, .. } => self.substitution(*syntax, part.span)?,
                HeredocBodyPart::ArithmeticExpansion { expression_ast, syntax, .. } => {
                    self.arithmetic(expression_ast.as_deref(), *syntax, part.span)?;
                }
                HeredocBodyPart::Parameter(parameter) => self.parameter(parameter, part.span, Quotes::Double)?,
            }
        }
        Ok(())
    }

    /// The body is the lines right below, up to the first that is the delimiter.
    fn check_extent(&self, heredoc: &Heredoc, end: &str, at: Span) -> Checked {
        let body = heredoc.body.span;
        let ending = |line: &str| if heredoc.delimiter.strip_tabs { line.trim_start_matches('\t') == end } else { line == end };
        let first = self.source[..at.start.offset()].matches('\n').count() + 1;
        let from = self.source.split_inclusive('\n').take(first).map(str::len).sum::<usize>();
        let text = self.raw(body)?;
        let rest = self.source.get(body.end.offset()..).unwrap_or_default();
        let is_whole = body.start.offset() == from
            && (text.is_empty() || text.ends_with('\n'))
            && !text.lines().any(ending)
            && rest.lines().next().is_some_and(ending);
        if is_whole { Ok(()) } else { Err(format!("the here-document{} is not closed, or not alone in its line", place(at))) }
    }
}
