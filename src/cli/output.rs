//! The one place that prints. A closed pipe is a quiet end.

use std::{
    borrow::Cow,
    cell::RefCell,
    io::{self, IsTerminal as _, Write},
    process::ExitCode,
};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    args::{Color, Flags},
    fields::Fields,
    pager::Pager,
    show, style,
};
use crate::{client::Reply, error::Error};

/// Prints replies and errors the way the flags ask for.
pub(super) struct Printer {
    is_json: bool,
    is_quiet: bool,
    verbose: u8,
    has_pager: bool,
    fields: RefCell<Fields>,
    /// The terminal's width; nothing in a pipe.
    pub(super) width: Option<usize>,
}

impl Printer {
    pub(super) fn new(flags: &Flags) -> Self {
        let choice = match flags.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::AlwaysAnsi,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        let width =
            io::stdout().is_terminal().then(|| terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0)));
        Self {
            is_json: flags.json || !flags.fields.is_empty(),
            is_quiet: flags.quiet,
            verbose: flags.verbose,
            has_pager: !flags.no_pager,
            fields: RefCell::default(),
            width,
        }
    }

    /// Prints only these fields of documents from now on.
    pub(super) fn limit_to(&self, fields: Fields) {
        *self.fields.borrow_mut() = fields;
    }

    /// Prints a reply; warnings go to standard error.
    pub(super) fn reply(&self, reply: &Reply) -> Result<ExitCode, Error> {
        if self.is_json {
            return self.answer(reply);
        }
        self.warnings(&reply.warnings);
        if !self.is_quiet {
            self.page(&show::text(reply, self.width, self.verbose > 0));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Prints a reply as a document, without building it first: that would take longer than all the rest.
    pub(super) fn answer(&self, reply: &Reply) -> Result<ExitCode, Error> {
        if self.fields.borrow().is_all() {
            self.json(&Success { success: true, reply })?;
        } else {
            self.document(&success(reply)?);
        }
        Ok(ExitCode::SUCCESS)
    }

    fn json(&self, document: &impl Serialize) -> Result<(), Error> {
        let mut text = Vec::with_capacity(4096);
        serde_json::to_writer_pretty(&mut text, document).map_err(|error| Error::internal(error.to_string()))?;
        text.push(b'\n');
        // There are no colours in it to take out.
        self.bytes(&text);
        Ok(())
    }

    pub(super) fn warnings(&self, warnings: &[String]) {
        if !self.is_json {
            for warning in warnings {
                self.note(&format!("{} {warning}", style::bold("warning:")));
            }
        }
    }

    /// Prints an error, with `data` in JSON, and returns the exit status.
    pub(super) fn fail(&self, error: &Error, data: Option<Value>) -> ExitCode {
        let (code, class) = error.code();
        if self.is_json {
            let mut document = Map::new();
            document.insert("success".into(), false.into());
            document.insert("error".into(), error.to_string().into());
            document.insert("code".into(), code.into());
            if let Some(hint) = error.hint() {
                document.insert("hint".into(), hint.into());
            }
            if let Some(data) = data.or_else(|| error.data()) {
                document.insert("data".into(), data);
            }
            self.document(&document.into());
        } else {
            self.complain(error);
        }
        ExitCode::from(class.exit())
    }

    fn complain(&self, error: &Error) {
        self.note(&format!("{} {error}", style::bold("error:")));
        if let Error::Yaml { excerpt, .. } | Error::TemplateInvalid { excerpt, .. } = error
            && !excerpt.is_empty()
        {
            self.note(excerpt);
        }
        if let Some(hint) = error.hint() {
            self.note(&format!("{} {hint}", style::bold("hint:")));
        }
    }

    /// Prints one JSON document: of one that went well the fields that are wanted.
    pub(super) fn document(&self, value: &Value) {
        // What is made of strings and numbers can be written.
        let _ = self.json(&self.picked(value));
    }

    /// Prints one JSON line.
    pub(super) fn line(&self, value: &Value) {
        self.text(&format!("{}\n", self.picked(value)));
    }

    fn picked<'a>(&self, value: &'a Value) -> Cow<'a, Value> {
        let is_answer = value.get("success").is_some_and(|success| success == true);
        let fields = self.fields.borrow();
        if is_answer && !fields.is_all() { Cow::Owned(fields.pick(value)) } else { Cow::Borrowed(value) }
    }

    /// Prints a text to standard output, through a pager where it does not fit the terminal.
    fn page(&self, text: &str) {
        let height = terminal_size::terminal_size().map_or(24, |(_, height)| usize::from(height.0));
        let is_long = self.width.is_some() && text.lines().count() >= height;
        match is_long.then(|| self.pager()).flatten() {
            Some(mut pager) => {
                let has_colours = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
                let text = if has_colours { text.to_owned() } else { anstream::adapter::strip_str(text).to_string() };
                pager.write(text.as_bytes());
            }
            None => self.text(text),
        }
    }

    /// Prints help, or the version.
    pub(super) fn help(&self, text: &clap::Error) -> ExitCode {
        self.page(&text.render().ansi().to_string());
        ExitCode::SUCCESS
    }

    /// A pager for what may be long; nothing where it is not wanted, or standard output is no terminal.
    pub(super) fn pager(&self) -> Option<Pager> {
        self.has_pager.then(Pager::start).flatten()
    }

    /// Prints a text to standard output.
    #[expect(clippy::unused_self, reason = "only who has a printer may print")]
    pub(super) fn text(&self, text: &str) {
        let mut out = anstream::stdout();
        let result = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        quiet_end(result);
    }

    /// Prints bytes to standard output as they are.
    #[expect(clippy::unused_self, reason = "only who has a printer may print")]
    pub(super) fn bytes(&self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        quiet_end(out.write_all(bytes).and_then(|()| out.flush()));
    }

    /// Prints a line to standard error.
    #[expect(clippy::unused_self, reason = "only who has a printer may print")]
    pub(super) fn note(&self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }

    pub(super) const fn is_json(&self) -> bool {
        self.is_json
    }

    pub(super) const fn is_quiet(&self) -> bool {
        self.is_quiet
    }
}

/// Whoever read our output has gone, and wants no more of it: that is success.
fn quiet_end(result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() == io::ErrorKind::BrokenPipe
    {
        #[expect(clippy::exit, reason = "nobody is left to answer to, and nothing is held")]
        std::process::exit(0);
    }
}

/// A reply as the document that says so.
/// A reply that went well, as its document.
#[derive(Serialize)]
struct Success<'a> {
    success: bool,
    #[serde(flatten)]
    reply: &'a Reply,
}

pub(super) fn success(reply: &Reply) -> Result<Value, Error> {
    let mut document = Map::new();
    document.insert("success".into(), true.into());
    match serde_json::to_value(reply).map_err(|error| Error::internal(error.to_string()))? {
        Value::Object(fields) => document.extend(fields.into_iter().filter(|(_, value)| !value.is_null())),
        other => {
            document.insert("data".into(), other);
        }
    }
    Ok(document.into())
}
