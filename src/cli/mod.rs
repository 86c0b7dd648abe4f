//! The command line: parse, call, show.

mod args;
mod ask;
mod bars;
mod demo;
mod edit;
mod examples;
mod fields;
mod foreground;
mod graph;
mod keyboard;
mod mistake;
mod mprocs;
mod output;
mod own;
mod pager;
mod pane;
mod policy;
mod show;
mod signals;
mod stream;
mod style;
mod table;
mod templates;
mod why;

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
    process::ExitCode,
};

use crate::{
    action::{Action, graph::Format, prompt, schema::Of},
    client::{self, Caller, Client, Consent, Health, Judgement, Output, Reply},
    error::Error,
    model::StepStatus,
};
pub use args::command;
use args::{Asked, Flags};
use fields::Fields;
use output::Printer;
use own::Own;

/// Does what the command line asks for.
pub fn main(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let (asked, flags) = match args::parse(arguments) {
        Ok((asked, flags)) => (asked, Flags { json: flags.json || !flags.fields.is_empty(), ..flags }),
        Err(early) => return early.finish(),
    };
    let printer = Printer::new(&flags);
    let done = match &asked {
        Asked::Action(action) => perform(action, &flags, &printer),
        Asked::Own(Own::Completions(completions)) => Ok(completions.print(&printer)),
        Asked::Own(Own::Man(man)) => man.print(&printer),
        Asked::Own(Own::Edit(edit)) => open(&flags, &printer).and_then(|session| session.edit_prompt(&edit.step)),
    };
    match done {
        Ok(code) => code,
        Err(error) => printer.fail(&error, None),
    }
}

fn perform(action: &Action, flags: &Flags, printer: &Printer) -> Result<ExitCode, Error> {
    let caller = Caller::from_environment("cli");
    if !flags.fields.is_empty() {
        printer.limit_to(Fields::of(&flags.fields, action.name(), &client::schema(Of::Output, Some(action.name()))?)?);
    }
    match action {
        Action::Schema(args) if !args.write => printer.reply(&client::describe(args)?),
        Action::Doctor(_) => examine(flags, printer),
        Action::Init(init) => {
            let here = std::env::current_dir().map_err(Error::io("find", "."))?;
            let root = flags.project.as_ref().map_or(here.clone(), |chosen| here.join(chosen));
            std::fs::create_dir_all(&root).map_err(Error::io("make the folder", &root))?;
            let root = root.canonicalize().map_err(Error::io("find", &root))?;
            printer.reply(&client::init(&root, init, &caller)?)
        }
        Action::Demo(demo) => demo::run(demo, flags, printer, &caller),
        // A prompt asks everywhere, so what is no project is no error.
        Action::Status(args)
            if args.short && matches!(client::open(flags.project.as_deref()), Err(Error::ProjectNotFound { .. })) =>
        {
            Ok(ExitCode::SUCCESS)
        }
        _ => open(flags, printer)?.perform(action),
    }
}

/// The project that is meant.
fn open<'a>(flags: &'a Flags, printer: &'a Printer) -> Result<Session<'a>, Error> {
    let client = client::open(flags.project.as_deref())?;
    let caller = Caller::from_environment("cli").by_ancestry(client.paths());
    Ok(Session { client, caller, flags, printer })
}

/// Shows what `doctor` finds, in a project or outside.
fn examine(flags: &Flags, printer: &Printer) -> Result<ExitCode, Error> {
    let reply = client::examine(flags.project.as_deref())?;
    let Output::Checked { checks } = &reply.output else { return printer.reply(&reply) };
    let broken: Vec<String> =
        checks.iter().filter(|check| check.health == Health::Broken).map(|check| check.name.clone()).collect();
    if broken.is_empty() {
        return printer.reply(&reply);
    }
    if !printer.is_json() {
        printer.reply(&reply)?;
    }
    let data = serde_json::to_value(&reply.output).ok();
    Ok(printer.fail(&Error::Unfit { broken }, data))
}

/// One command on one project.
struct Session<'a> {
    client: Client,
    caller: Caller,
    flags: &'a Flags,
    printer: &'a Printer,
}

impl Session<'_> {
    fn perform(&self, action: &Action) -> Result<ExitCode, Error> {
        match action {
            Action::Status(args) if args.watch => self.watch_status(action),
            Action::Status(args) if args.short && !self.printer.is_json() => self.prompt_line(action),
            Action::Graph(args) if args.format == Format::Json => self.printer.answer(&self.call(action)?),
            Action::Logs(args) if args.follow => self.follow_logs(args),
            Action::Logs(args)
                if !self.flags.json && [args.tail.is_some(), args.after.is_some(), args.limit.is_some()] == [false; 3] =>
            {
                self.copy_log(args)
            }
            Action::MprocsOpen(args) if !args.config_only => self.open_mprocs(action),
            Action::RunStep(args) if args.ids.len() == 1 && pane::is_here(self.flags) => self.show_pane(&args.ids[0]),
            Action::PolicyCheck(_) => {
                let reply = self.call(action)?;
                match &reply.output {
                    Output::Judged(Judgement { allowed: false, why, .. }) => {
                        let why = why.clone().unwrap_or_default();
                        let data = serde_json::to_value(&reply.output).ok();
                        Ok(self.printer.fail(&Error::Denied { why, rule: "policy.yaml" }, data))
                    }
                    _ => self.printer.reply(&reply),
                }
            }
            Action::Diff(_) if !self.printer.is_json() && self.printer.width.is_none() => self.copy_diff(action),
            Action::PromptShow(_) => {
                let reply = self.call(action)?;
                self.tell_source(&reply);
                self.printer.reply(&reply)
            }
            Action::PromptSet(args) if args.text.is_none() => {
                let set = prompt::Set { file: Some(input(args.file.as_ref())?), ..args.clone() };
                self.printer.reply(&self.call(&Action::PromptSet(set))?)
            }
            Action::Attach(args) => {
                let follower = self.client.follow()?;
                let reply = self.call(action)?;
                self.watch_run(follower, reply, true, args.watch)
            }
            _ => match client::run_options(action) {
                Some(options) if !options.dry_run && !options.detach => {
                    let follower = self.client.follow()?;
                    let reply = self.call(action)?;
                    self.watch_run(follower, reply, options.wait, options.watch)
                }
                _ => self.printer.reply(&self.call(action)?),
            },
        }
    }

    /// One line on standard output whatever is wrong, and nothing beside it: a prompt asks for it at each turn.
    fn prompt_line(&self, action: &Action) -> Result<ExitCode, Error> {
        if let Ok(reply) = self.call(action) {
            return self.printer.reply(&Reply { warnings: Vec::new(), ..reply });
        }
        let root = &self.client.paths().root;
        let name = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.printer.text(&format!("{} {} plan\n", table::tame(&name), style::glyph(StepStatus::Failed)));
        Ok(ExitCode::SUCCESS)
    }

    /// Calls the engine; on a terminal a question that the policy asks is put to the person.
    fn call(&self, action: &Action) -> Result<Reply, Error> {
        // Only a person can confirm; a step that says `--yes` has not asked anybody.
        let is_person = self.caller.step.is_none();
        let consent = if self.flags.yes && is_person { Consent::Given } else { Consent::None };
        match self.client.call(&self.caller, action, consent) {
            Err(Error::ConfirmationRequired { what, why }) if is_person && ask::is_possible(self.flags) => {
                let plan = self.client.plan_run(action).ok();
                if ask::confirm(&what, &why, plan.as_ref())? {
                    self.client.call(&self.caller, action, Consent::Given)
                } else {
                    Err(Error::Declined { what })
                }
            }
            Err(Error::ConfirmationRequired { what, why }) if !is_person => Err(Error::StepCannotConfirm { what, why }),
            other => other,
        }
    }

    /// Prints a patch byte for byte, for whoever applies it.
    fn copy_diff(&self, action: &Action) -> Result<ExitCode, Error> {
        let reply = self.call(action)?;
        self.printer.warnings(&reply.warnings);
        if let Output::Diff(diff) = &reply.output
            && let Some(path) = &diff.path
        {
            self.printer.bytes(&std::fs::read(path).map_err(Error::io("read", path))?);
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Where a prompt comes from, beside its text.
    fn tell_source(&self, reply: &Reply) {
        if let Output::Prompt(prompt) = &reply.output
            && !self.printer.is_json()
            && !self.printer.is_quiet()
        {
            let place = prompt.path.as_ref().map_or("sequence.yaml".into(), |path| self.client.show_path(path));
            self.printer.note(&style::dim(&format!("the prompt of `{}`, from {place}", prompt.step)));
        }
    }

    fn started(reply: &Reply) -> Option<(String, bool)> {
        match &reply.output {
            Output::Started(started) => Some((started.run.clone(), started.attached)),
            _ => None,
        }
    }
}

/// The file that a text comes from; nothing waits at a terminal without having been told to.
fn input(file: Option<&PathBuf>) -> Result<PathBuf, Error> {
    match file {
        Some(file) => Ok(file.clone()),
        None if io::stdin().is_terminal() => Err(Error::Usage {
            what: "the new prompt is missing".into(),
            hint: Some("give it with `--text`, `--file` or on standard input, or use `seqctl prompt edit`".into()),
        }),
        None => Ok("-".into()),
    }
}

/// Where a command without a project of its own works.
fn folder(chosen: Option<&PathBuf>) -> Result<PathBuf, Error> {
    let here = std::env::current_dir().map_err(Error::io("find", "."))?;
    Ok(chosen.map_or(here.clone(), |chosen| here.join(chosen)))
}
