//! Every word of a text, and whatever is expanded in it.

use shuck_ast::{
    BourneParameterExpansion, LiteralText, ParameterExpansion, ParameterExpansionSyntax, ParameterOp, Pattern, PatternPart, Span,
    VarRef, Word, WordPart, WordPartNode,
};

use super::{
    Checked,
    assignment::settable,
    text,
    walk::{Walker, odd, place},
};

/// What surrounds a part of a word.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Quotes {
    /// Nothing: quotes and blanks mean something.
    None,
    /// Double quotes, or the body of a here-document.
    Double,
}

impl Walker<'_> {
    /// A word that stands alone. The parser makes two of `>|]x`, which is one to all shells.
    pub(super) fn whole_word(&mut self, word: &Word) -> Checked {
        let next = self.source.get(word.span.end.offset()..).and_then(|rest| rest.chars().next());
        if next.is_some_and(|next| !" \t\n;|&<>()`".contains(next)) {
            return odd("this word", word.span);
        }
        self.word(word, Quotes::None)
    }

    pub(super) fn word(&mut self, word: &Word, quotes: Quotes) -> Checked {
        word.parts.iter().try_for_each(|part| self.part(part, quotes))
    }

    fn part(&mut self, part: &WordPartNode, quotes: Quotes) -> Checked {
        let span = part.span;
        match &part.kind {
            WordPart::Literal(text) => self.literal(text, span, quotes),
            // Within double quotes the parser reports quotes that shells do not see.
            WordPart::SingleQuoted { dollar: false, .. } if quotes == Quotes::None => {
                self.mark_plain(span);
                Ok(())
            }
            WordPart::DoubleQuoted { parts, dollar: false } if quotes == Quotes::None => self.double_quoted(parts, span),
            WordPart::Variable(_) => Ok(()),
            WordPart::CommandSubstitution { syntax, .. } => self.substitution(*syntax, span),
            WordPart::ArithmeticExpansion { expression_ast, syntax, .. } => {
                self.arithmetic(expression_ast.as_deref(), *syntax, span)
            }
            WordPart::Parameter(parameter) => self.parameter(parameter, span, quotes),
            WordPart::Length(reference) => plain_reference(reference),
            WordPart::ParameterExpansion { reference, operator, operand_word_ast, .. } => {
                plain_reference(reference)?;
                self.operation(reference, operator, operand_word_ast.as_deref(), span, quotes)
            }
            WordPart::SingleQuoted { .. } | WordPart::DoubleQuoted { .. } => odd("this quote", span),
            WordPart::ZshQualifiedGlob(_)
            | WordPart::ArrayAccess(_)
            | WordPart::ArrayLength(_)
            | WordPart::ArrayIndices(_)
            | WordPart::Substring { .. }
            | WordPart::ArraySlice { .. }
            | WordPart::IndirectExpansion { .. }
            | WordPart::PrefixMatch { .. }
            | WordPart::ProcessSubstitution { .. }
            | WordPart::Transformation { .. } => odd("this expansion", span),
        }
    }

    pub(super) fn literal(&mut self, text: &LiteralText, span: Span, quotes: Quotes) -> Checked {
        let is_odd = match text {
            // Made up by the parser: nothing that it could have got wrong may be in it.
            LiteralText::Owned(text) => text.contains(['\\', '$', '`']),
            LiteralText::Source | LiteralText::CookedSource(_) => {
                if quotes == Quotes::Double {
                    self.mark_plain(span);
                }
                // Where the nesting is too deep the parser says that all of it is literal.
                text::has_expansion(self.raw(span)?)
            }
        };
        if is_odd { odd("this text", span) } else { Ok(()) }
    }

    fn double_quoted(&mut self, parts: &[WordPartNode], span: Span) -> Checked {
        if self.raw(span)?.ends_with("$\"") && matches!(parts.last(), Some(WordPartNode { kind: WordPart::Literal(_), .. })) {
            let end = span.end.offset();
            self.plain.push(end - 2..end);
        }
        parts.iter().try_for_each(|part| self.part(part, Quotes::Double))
    }

    pub(super) fn parameter(&mut self, parameter: &ParameterExpansion, span: Span, quotes: Quotes) -> Checked {
        let ParameterExpansionSyntax::Bourne(syntax) = &parameter.syntax else { return odd("this expansion", span) };
        match syntax {
            BourneParameterExpansion::Access { reference } | BourneParameterExpansion::Length { reference } => {
                plain_reference(reference)
            }
            BourneParameterExpansion::Operation { reference, operator, operand_word_ast, .. } => {
                plain_reference(reference)?;
                self.operation(reference, operator, operand_word_ast.as_deref(), span, quotes)
            }
            BourneParameterExpansion::Indices { .. }
            | BourneParameterExpansion::Indirect { .. }
            | BourneParameterExpansion::PrefixMatch { .. }
            | BourneParameterExpansion::Slice { .. }
            | BourneParameterExpansion::Transformation { .. } => odd("this expansion", span),
        }
    }

    fn operation(
        &mut self,
        reference: &VarRef,
        operator: &ParameterOp,
        operand: Option<&Word>,
        span: Span,
        quotes: Quotes,
    ) -> Checked {
        let raw = self.raw(span)?;
        let has_quotes = quotes == Quotes::Double && raw.contains(['\'', '"']);
        let braces = raw.matches('{').count();
        if has_quotes || raw.contains('\\') || braces != raw.matches("${").count() || braces != raw.matches('}').count() {
            return odd("quotes or braces in this expansion", span);
        }
        match operator {
            ParameterOp::UseDefault | ParameterOp::UseReplacement | ParameterOp::Error => {}
            ParameterOp::AssignDefault => {
                settable(&reference.name, span)?;
                self.numbers.set(&reference.name, false);
            }
            ParameterOp::RemovePrefixShort { pattern }
            | ParameterOp::RemovePrefixLong { pattern }
            | ParameterOp::RemoveSuffixShort { pattern }
            | ParameterOp::RemoveSuffixLong { pattern } => {
                self.pattern(pattern, quotes)?;
                return operand.map_or(Ok(()), |word| self.word(word, quotes));
            }
            ParameterOp::ReplaceFirst { .. }
            | ParameterOp::ReplaceAll { .. }
            | ParameterOp::UpperFirst
            | ParameterOp::UpperAll
            | ParameterOp::LowerFirst
            | ParameterOp::LowerAll => return odd("this expansion", span),
        }
        match operand {
            Some(word) => self.word(word, quotes),
            None if raw.ends_with(['-', '+', '?', '=']) || raw.trim_end_matches('}').ends_with(['-', '+', '?', '=']) => Ok(()),
            None => odd("this expansion", span),
        }
    }

    pub(super) fn pattern(&mut self, pattern: &Pattern, quotes: Quotes) -> Checked {
        for part in &pattern.parts {
            match &part.kind {
                PatternPart::Literal(text) => self.literal(text, part.span, quotes)?,
                PatternPart::AnyString | PatternPart::AnyChar => {}
                PatternPart::CharClass(_) => {
                    let raw = self.raw(part.span)?;
                    if raw.contains(['$', '`', '\\', '\'', '"', '(', ')', '\n']) {
                        return odd("this pattern", part.span);
                    }
                    self.mark_plain(part.span);
                }
                PatternPart::Word(word) => self.word(word, quotes)?,
                PatternPart::Group { .. } => return odd("this pattern", part.span),
            }
        }
        Ok(())
    }

    /// What a word is for certain; nothing where it is expanded, globbed, escaped or odd.
    pub(super) fn literal_text(&self, word: &Word) -> Result<Option<String>, String> {
        let mut text = String::new();
        for part in &word.parts {
            match &part.kind {
                WordPart::Literal(literal) => {
                    let raw = match literal {
                        LiteralText::Owned(text) => text,
                        LiteralText::Source | LiteralText::CookedSource(_) => self.raw(part.span)?,
                    };
                    if raw.contains(['\\', '$', '`', '*', '?', '{', '}', '~', '\'', '"'])
                        || (raw.contains(['[', ']']) && !matches!(raw, "[" | "]"))
                    {
                        return Ok(None);
                    }
                    text.push_str(raw);
                }
                WordPart::SingleQuoted { value, dollar: false } => {
                    let raw = self.raw(part.span)?;
                    let inner = raw.strip_prefix('\'').and_then(|raw| raw.strip_suffix('\''));
                    if inner != Some(value.slice(self.source)) {
                        return odd(&format!("this quote{}", place(part.span)), part.span);
                    }
                    text.push_str(inner.unwrap_or_default());
                }
                WordPart::DoubleQuoted { dollar: false, .. } => {
                    let raw = self.raw(part.span)?;
                    match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
                        Some(inner) if !inner.contains(['\\', '$', '`', '"']) => text.push_str(inner),
                        _ => return Ok(None),
                    }
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(text))
    }

    /// Whether a part of a word is a number, given that the variables in it, put into `named`, are.
    pub(super) fn is_numeric(&self, part: &WordPart, span: Span, named: &mut Vec<String>) -> bool {
        match part {
            WordPart::Literal(_) => self.raw(span).is_ok_and(|raw| {
                let digits = raw.strip_prefix('-').unwrap_or(raw);
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
            }),
            WordPart::ArithmeticExpansion { .. } | WordPart::Length(_) => true,
            WordPart::Variable(name) => is_numeric_variable(name.as_str(), named),
            WordPart::Parameter(parameter) => match &parameter.syntax {
                ParameterExpansionSyntax::Bourne(BourneParameterExpansion::Length { .. }) => true,
                ParameterExpansionSyntax::Bourne(BourneParameterExpansion::Access { reference })
                    if reference.subscript.is_none() =>
                {
                    is_numeric_variable(reference.name.as_str(), named)
                }
                _ => false,
            },
            WordPart::DoubleQuoted { parts, .. } => {
                !parts.is_empty() && parts.iter().all(|part| self.is_numeric(&part.kind, part.span, named))
            }
            _ => false,
        }
    }
}

/// A variable that is no element of an array.
fn plain_reference(reference: &VarRef) -> Checked {
    if reference.subscript.is_some() { odd("an array", reference.span) } else { Ok(()) }
}

fn is_numeric_variable(name: &str, named: &mut Vec<String>) -> bool {
    if matches!(name, "#" | "?" | "$" | "!") {
        return true;
    }
    named.push(name.to_owned());
    super::variable::is_name(name)
}
