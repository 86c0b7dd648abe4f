//! What gives variables their values.

use shuck_ast::{Assignment, AssignmentValue, DeclClause, DeclOperand, Span, VarRef, Word, WordPart};

use super::{
    Checked,
    variable::{is_name, is_risky},
    walk::{Walker, odd, place},
};

impl Walker<'_> {
    /// `export`, `readonly` and `local`.
    pub(super) fn declaration(&mut self, command: &DeclClause) -> Checked {
        let name = command.variant.as_str();
        if !matches!(name, "export" | "readonly" | "local") {
            return odd(&format!("`{name}`"), command.span);
        }
        self.called(name, command.variant_span)?;
        command.assignments.iter().try_for_each(|assignment| self.assignment(assignment))?;
        for operand in &command.operands {
            match operand {
                DeclOperand::Flag(word) if self.literal_text(word)?.as_deref() == Some("-p") => {}
                DeclOperand::Flag(word) | DeclOperand::Dynamic(word) => return odd("this argument", word.span),
                DeclOperand::Name(reference) => target(reference)?,
                DeclOperand::Assignment(assignment) => {
                    // dash splits it into more assignments.
                    if let AssignmentValue::Scalar(word) = &assignment.value
                        && word.parts.iter().any(|part| {
                            !matches!(
                                part.kind,
                                WordPart::Literal(_) | WordPart::SingleQuoted { .. } | WordPart::DoubleQuoted { .. }
                            )
                        })
                    {
                        return odd(&format!("a value of `{name}` that is not in double quotes"), word.span);
                    }
                    self.assignment(assignment)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn assignment(&mut self, assignment: &Assignment) -> Checked {
        target(&assignment.target)?;
        match &assignment.value {
            AssignmentValue::Scalar(word) if !assignment.append => {
                self.whole_word(word)?;
                let is_number = self.is_number(word);
                self.numbers.set(&assignment.target.name, is_number);
                Ok(())
            }
            AssignmentValue::Scalar(_) | AssignmentValue::Compound(_) => odd("this assignment", assignment.span),
        }
    }

    /// Whether a word is a number whatever happens.
    pub(super) fn is_number(&self, word: &Word) -> bool {
        self.numbers_in(word).is_some_and(|named| named.is_empty())
    }

    /// Whether a word is a number if the variables in it are, and asks for them to be.
    pub(super) fn must_be_number(&mut self, word: &Word) -> bool {
        let Some(named) = self.numbers_in(word) else { return false };
        for name in &named {
            self.numbers.need(name, word.span);
        }
        true
    }

    fn numbers_in(&self, word: &Word) -> Option<Vec<String>> {
        let mut named = Vec::new();
        let is_number =
            !word.parts.is_empty() && word.parts.iter().all(|part| self.is_numeric(&part.kind, part.span, &mut named));
        is_number.then_some(named)
    }
}

/// A variable that gets a value.
fn target(reference: &VarRef) -> Checked {
    if reference.subscript.is_some() {
        return odd("an array", reference.span);
    }
    settable(&reference.name, reference.span)
}

/// Whether a variable may be set without changing what runs.
pub(super) fn settable(name: &str, at: Span) -> Checked {
    if !is_name(name) {
        return odd(&format!("the variable `{name}`"), at);
    }
    if is_risky(name) {
        return Err(format!("`{name}`{} is set, which may change what runs", place(at)));
    }
    Ok(())
}
