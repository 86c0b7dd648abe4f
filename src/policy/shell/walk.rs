//! Every statement of a text. What is not listed here is denied.

use std::ops::Range;

use shuck_ast::{
    BackgroundOperator, BinaryOp, BuiltinCommand, CaseCommand, CaseTerminator, Command, Comment, CompoundCommand, ForCommand,
    ForSyntax, FunctionDef, IfCommand, IfSyntax, LiteralText, Redirect, RedirectKind, RedirectTarget, SimpleCommand, Span, Stmt,
    StmtSeq, StmtTerminator, WordPart,
};

use super::{Checked, assignment::settable, builtin, text, variable::Numbers, word::Quotes};

/// A text on its way through the check.
pub(super) struct Walker<'a> {
    pub(super) source: &'a str,
    allowed: &'a [String],
    /// Where the text means nothing but itself.
    pub(super) plain: Vec<Range<usize>>,
    pub(super) numbers: Numbers,
    pub(super) has_heredoc: bool,
    pub(super) substitutions: u32,
    changes_folder: bool,
    /// A program that is found from the folder the text is in.
    relative: Option<String>,
}

impl<'a> Walker<'a> {
    pub(super) fn new(source: &'a str, allowed: &'a [String]) -> Self {
        Self {
            source,
            allowed,
            plain: Vec::new(),
            numbers: Numbers::default(),
            has_heredoc: false,
            substitutions: 0,
            changes_folder: false,
            relative: None,
        }
    }

    /// What can only be said of the whole text.
    pub(super) fn finish(mut self) -> Checked {
        if let Some(name) = self.relative.filter(|_| self.changes_folder) {
            return Err(format!("`{name}` is another program after `cd`"));
        }
        if self.has_heredoc && self.source.contains("\\\n") {
            return Err("it has a here-document, and a backslash that ends a line".into());
        }
        self.numbers.check()?;
        text::check_ambiguous(self.source, &mut self.plain)
    }

    /// A stretch of the text, exactly as it stands there.
    pub(super) fn raw(&self, span: Span) -> Result<&'a str, String> {
        let range = span.start.offset()..span.end.offset();
        self.source.get(range).ok_or_else(|| "its text is not understood".to_owned())
    }

    pub(super) fn mark_plain(&mut self, span: Span) {
        self.plain.push(span.start.offset()..span.end.offset());
    }

    pub(super) fn list(&mut self, list: &StmtSeq) -> Checked {
        self.comments(&list.leading_comments);
        self.comments(&list.trailing_comments);
        list.stmts.iter().try_for_each(|statement| self.statement(statement))
    }

    fn comments<'c>(&mut self, comments: impl IntoIterator<Item = &'c Comment>) {
        let ranges = comments.into_iter().map(|comment| comment.range);
        self.plain.extend(ranges.map(|range| range.start().to_u32() as usize..range.end().to_u32() as usize));
    }

    fn statement(&mut self, statement: &Stmt) -> Checked {
        self.comments(&statement.leading_comments);
        self.comments(&statement.inline_comment);
        match statement.terminator {
            None | Some(StmtTerminator::Semicolon | StmtTerminator::Background(BackgroundOperator::Plain)) => {}
            Some(StmtTerminator::Background(_)) => return odd("this way of running in the background", statement.span),
        }
        statement.redirects.iter().try_for_each(|redirect| self.redirect(redirect))?;
        match &statement.command {
            Command::Simple(command) => self.simple(command, !statement.redirects.is_empty()),
            Command::Builtin(command) => self.control(command),
            Command::Decl(command) => self.declaration(command),
            Command::Binary(command) => match command.op {
                BinaryOp::And | BinaryOp::Or | BinaryOp::Pipe => {
                    self.statement(&command.left)?;
                    self.statement(&command.right)
                }
                BinaryOp::PipeAll => odd("`|&`", command.op_span),
            },
            Command::Compound(command) => self.compound(command, statement.span),
            Command::Function(function) => self.function(function),
            Command::AnonymousFunction(function) => odd("a function without a name", function.span),
        }
    }

    fn simple(&mut self, command: &SimpleCommand, is_redirected: bool) -> Checked {
        command.assignments.iter().try_for_each(|assignment| self.assignment(assignment))?;
        let is_absent = matches!(command.name.parts.as_slice(), [part] if
            matches!(&part.kind, WordPart::Literal(LiteralText::Owned(text)) if text.is_empty()));
        if is_absent {
            let is_whole = command.args.is_empty() && (is_redirected || !command.assignments.is_empty());
            return if is_whole { Ok(()) } else { odd("a command without a name", command.span) };
        }
        let Some(name) = self.literal_text(&command.name)? else {
            return Err(format!(
                "cannot tell which command `{}` would be{}",
                text::shorten(self.raw(command.name.span)?),
                place(command.name.span)
            ));
        };
        self.whole_word(&command.name)?;
        command.args.iter().try_for_each(|word| self.whole_word(word))?;
        if !builtin::is_free(self, &name, &command.args)? {
            self.called(&name, command.name.span)?;
        }
        builtin::check(self, &name, &command.args)
    }

    /// A command by its name.
    pub(super) fn called(&mut self, name: &str, at: Span) -> Checked {
        if name.is_empty() || !self.allowed.iter().any(|known| known == name) {
            return Err(format!("`{name}`{} is not one of the allowed commands", place(at)));
        }
        self.changes_folder |= matches!(name, "cd" | "pushd" | "popd");
        if name.contains('/') && !name.starts_with('/') {
            self.relative = Some(name.to_owned());
        }
        Ok(())
    }

    /// `exit` and its like run nothing.
    fn control(&mut self, command: &BuiltinCommand) -> Checked {
        let (word, more, assignments) = match command {
            BuiltinCommand::Break(it) => (&it.depth, &it.extra_args, &it.assignments),
            BuiltinCommand::Continue(it) => (&it.depth, &it.extra_args, &it.assignments),
            BuiltinCommand::Return(it) => (&it.code, &it.extra_args, &it.assignments),
            BuiltinCommand::Exit(it) => (&it.code, &it.extra_args, &it.assignments),
        };
        assignments.iter().try_for_each(|assignment| self.assignment(assignment))?;
        word.iter().chain(more).try_for_each(|word| self.whole_word(word))
    }

    fn redirect(&mut self, redirect: &Redirect) -> Checked {
        if redirect.fd_var.is_some() || self.has_long_number(redirect)? {
            return odd("this redirection", redirect.span);
        }
        match (redirect.kind, &redirect.target) {
            (
                RedirectKind::Output
                | RedirectKind::Clobber
                | RedirectKind::Append
                | RedirectKind::Input
                | RedirectKind::ReadWrite,
                RedirectTarget::Word(word),
            ) => self.whole_word(word),
            (RedirectKind::DupOutput | RedirectKind::DupInput, RedirectTarget::Word(word)) => {
                let target = self.literal_text(word)?.unwrap_or_default();
                if target == "-" || target.len() == 1 && target.as_bytes()[0].is_ascii_digit() {
                    return Ok(());
                }
                odd("this redirection", redirect.span)
            }
            (RedirectKind::HereDoc | RedirectKind::HereDocStrip, RedirectTarget::Heredoc(heredoc)) => {
                self.heredoc(heredoc, redirect.span)
            }
            (RedirectKind::HereString | RedirectKind::OutputBoth, _)
            | (_, RedirectTarget::Word(_) | RedirectTarget::Heredoc(_)) => odd("this redirection", redirect.span),
        }
    }

    /// Whether more than one digit stands before it: for dash they are a command then.
    fn has_long_number(&self, redirect: &Redirect) -> Result<bool, String> {
        let before = self.source.as_bytes()[..redirect.span.start.offset()].last().is_some_and(u8::is_ascii_digit);
        let digits = self.raw(redirect.span)?.bytes().take_while(u8::is_ascii_digit).count();
        Ok(before || digits > 1 || redirect.fd.is_some_and(|fd| !(0..10).contains(&fd)))
    }

    fn compound(&mut self, command: &CompoundCommand, span: Span) -> Checked {
        match command {
            CompoundCommand::If(command) => self.condition(command),
            CompoundCommand::For(command) => self.for_loop(command),
            CompoundCommand::While(command) => self.list(&command.condition).and_then(|()| self.list(&command.body)),
            CompoundCommand::Until(command) => self.list(&command.condition).and_then(|()| self.list(&command.body)),
            CompoundCommand::Case(command) => self.case(command),
            CompoundCommand::Subshell(list) | CompoundCommand::BraceGroup(list) => self.list(list),
            CompoundCommand::Time(command) => {
                self.called("time", command.span)?;
                command.command.iter().try_for_each(|statement| self.statement(statement))
            }
            CompoundCommand::Repeat(_)
            | CompoundCommand::Foreach(_)
            | CompoundCommand::ArithmeticFor(_)
            | CompoundCommand::Select(_)
            | CompoundCommand::Arithmetic(_)
            | CompoundCommand::Conditional(_)
            | CompoundCommand::Coproc(_)
            | CompoundCommand::Always(_) => odd("what begins there", span),
        }
    }

    fn condition(&mut self, command: &IfCommand) -> Checked {
        let IfSyntax::ThenFi { .. } = command.syntax else { return odd("this `if`", command.span) };
        self.list(&command.condition)?;
        self.list(&command.then_branch)?;
        for (condition, body) in &command.elif_branches {
            self.list(condition)?;
            self.list(body)?;
        }
        command.else_branch.iter().try_for_each(|list| self.list(list))
    }

    fn for_loop(&mut self, command: &ForCommand) -> Checked {
        let (ForSyntax::InDoDone { .. }, [target]) = (command.syntax, command.targets.as_slice()) else {
            return odd("this `for`", command.span);
        };
        let Some(name) = &target.name else { return odd("this `for`", target.span) };
        settable(name, target.span)?;
        let words = command.words.as_deref().unwrap_or_default();
        words.iter().try_for_each(|word| self.whole_word(word))?;
        let is_number = command.words.is_some() && words.iter().all(|word| self.is_number(word));
        self.numbers.set(name, is_number);
        self.list(&command.body)
    }

    fn case(&mut self, command: &CaseCommand) -> Checked {
        self.whole_word(&command.word)?;
        for case in &command.cases {
            let CaseTerminator::Break = case.terminator else { return odd("this `case`", command.span) };
            case.patterns.iter().try_for_each(|pattern| self.pattern(pattern, Quotes::None))?;
            self.list(&case.body)?;
        }
        Ok(())
    }

    fn function(&mut self, function: &FunctionDef) -> Checked {
        let header = &function.header;
        let ([entry], None, Some(_)) = (header.entries.as_slice(), header.function_keyword_span, header.trailing_parens_span)
        else {
            return odd("this function", function.span);
        };
        let Some(name) = self.literal_text(&entry.word)? else { return odd("this function", function.span) };
        self.called(&name, entry.word.span)?;
        self.statement(&function.body)
    }
}

/// Denies something that is not understood, or not by all shells.
pub(super) fn odd<T>(what: &str, at: Span) -> Result<T, String> {
    Err(format!("{what}{} is more than the check of commands understands", place(at)))
}

/// Where something stands, for a sentence.
pub(super) fn place(span: Span) -> String {
    format!(" at line {}, column {}", span.start.line(), span.start.column())
}
