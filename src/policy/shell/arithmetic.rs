//! `$((…))`. Only numbers, and variables that are numbers.

use shuck_ast::{ArithmeticExpansionSyntax, ArithmeticExpr, ArithmeticExprNode, ArithmeticLvalue, Span};

use super::{
    Checked,
    assignment::settable,
    variable::is_name,
    walk::{Walker, odd},
};

impl Walker<'_> {
    pub(super) fn arithmetic(
        &mut self,
        expression: Option<&ArithmeticExprNode>,
        syntax: ArithmeticExpansionSyntax,
        span: Span,
    ) -> Checked {
        let inner = self.raw(span)?.strip_prefix("$((").and_then(|raw| raw.strip_suffix("))"));
        let is_plain = inner.is_some_and(|inner| {
            let is_known = |c: char| c.is_ascii_alphanumeric() || " \n\t_$(){}+-*/%<>=!&|^~?:,#".contains(c);
            inner.chars().all(is_known) && !inner.replace("$((", "").contains("$(") && is_balanced(inner)
        });
        match expression {
            Some(expression) if is_plain && syntax == ArithmeticExpansionSyntax::DollarParenParen => self.term(expression),
            _ => odd("this calculation", span),
        }
    }

    fn term(&mut self, node: &ArithmeticExprNode) -> Checked {
        let span = node.span;
        match &node.kind {
            ArithmeticExpr::Number(text) => {
                let is_number = text.slice(self.source).bytes().all(|byte| byte.is_ascii_alphanumeric());
                if is_number { Ok(()) } else { odd("this number", span) }
            }
            ArithmeticExpr::Variable(name) => self.counted(name, span),
            ArithmeticExpr::ShellWord(word) => {
                let mut named = Vec::new();
                let is_number = word.parts.iter().all(|part| self.is_numeric(&part.kind, part.span, &mut named));
                if !is_number || word.parts.is_empty() {
                    return odd("this calculation", span);
                }
                for name in &named {
                    self.numbers.need(name, span);
                }
                // What is calculated within it.
                self.word(word, super::word::Quotes::Double)
            }
            ArithmeticExpr::Parenthesized { expression } => self.term(expression),
            ArithmeticExpr::Unary { expr, .. } | ArithmeticExpr::Postfix { expr, .. } => self.term(expr),
            ArithmeticExpr::Binary { left, right, .. } => self.term(left).and_then(|()| self.term(right)),
            ArithmeticExpr::Conditional { condition, then_expr, else_expr } => {
                self.term(condition)?;
                self.term(then_expr)?;
                self.term(else_expr)
            }
            ArithmeticExpr::Assignment { target: ArithmeticLvalue::Variable(name), value, .. } => {
                settable(name, span)?;
                self.numbers.set(name, true);
                self.numbers.need(name, span);
                self.term(value)
            }
            ArithmeticExpr::Assignment { target: ArithmeticLvalue::Indexed { .. }, .. } | ArithmeticExpr::Indexed { .. } => {
                odd("an array", span)
            }
        }
    }

    fn counted(&mut self, name: &str, span: Span) -> Checked {
        if !is_name(name) {
            return odd("this calculation", span);
        }
        settable(name, span)?;
        self.numbers.need(name, span);
        Ok(())
    }
}

/// Whether `))` cannot come earlier than where it does.
fn is_balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    let never_below = text.chars().all(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth >= 0
    });
    never_below && depth == 0
}
