//! The command line: parse, call, show.

mod args;
mod ask;
mod bars;
mod demo;
mod foreground;
mod graph;
mod output;
mod show;
mod signals;
mod stream;
mod style;
mod table;
mod why;

use std::{path::PathBuf, process::ExitCode};

use crate::{
    action::{Action, graph::Format},
    client::{self, Caller, Client, Consent, Output, Reply},
    error::Error,
};
use args::Flags;
use output::Printer;

/// Does what the command line asks for.
pub fn main(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let (action, flags) = match args::parse(arguments) {
        Ok(parsed) => parsed,
        Err(early) => return early.finish(),
    };
    let printer = Printer::new(&flags);
    match perform(&action, &flags, &printer) {
        Ok(code) => code,
        Err(error) => printer.fail(&error, None),
    }
}

fn perform(action: &Action, flags: &Flags, printer: &Printer) -> Result<ExitCode, Error> {
    let caller = Caller::from_environment("cli");
    match action {
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
        _ => {
            let client = client::open(flags.project.as_deref())?;
            let caller = caller.by_ancestry(client.paths());
            Session { client, caller, flags, printer }.perform(action)
        }
    }
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
            Action::Graph(args) if args.format == Format::Json => {
                self.printer.document(&output::success(&self.call(action)?)?);
                Ok(ExitCode::SUCCESS)
            }
            Action::Logs(args) if args.follow => self.follow_logs(args),
            Action::Logs(args) if !self.flags.json && args.tail.is_none() => self.copy_log(args),
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
                    Err(Error::ConfirmationRequired { what, why })
                }
            }
            other => other,
        }
    }

    fn started(reply: &Reply) -> Option<(String, bool)> {
        match &reply.output {
            Output::Started(started) => Some((started.run.clone(), started.attached)),
            _ => None,
        }
    }
}

/// Where a command without a project of its own works.
fn folder(chosen: Option<&PathBuf>) -> Result<PathBuf, Error> {
    let here = std::env::current_dir().map_err(Error::io("find", "."))?;
    Ok(chosen.map_or(here.clone(), |chosen| here.join(chosen)))
}
