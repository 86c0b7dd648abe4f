//! The command line: parse, call, show.

mod args;
mod ask;
mod attention;
mod bars;
mod complete;
mod demo;
mod edit;
mod examples;
mod fields;
mod foreground;
mod graph;
mod keyboard;
mod metrics;
mod mistake;
mod mprocs;
mod open;
mod output;
mod own;
mod pager;
mod pane;
mod policy;
mod prefix;
mod requests;
mod screen;
mod show;
mod signals;
mod stream;
mod style;
mod table;
mod templates;
mod why;

use std::{
    ffi::OsString,
    io::{self, IsTerminal as _},
    path::PathBuf,
    process::ExitCode,
};

use crate::{
    action::{
        Action,
        graph::Format,
        prompt,
        run::{Until, Wait},
        schema::Of,
    },
    client::{self, Caller, Client, Consent, Health, Judgement, Output, Reply, StepRow},
    error::Error,
    model::{Id, StepStatus},
};
pub use args::command;
use args::{Asked, Flags, Yes};
use ask::Answer;
use fields::Fields;
use output::Printer;
use own::Own;

/// Does what the command line asks for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = arguments.into_iter().collect();
    if let Some(code) = complete::answer(&words) {
        return code;
    }
    let (asked, flags) = match args::parse(words) {
        Ok((asked, flags)) => (asked, Flags { json: flags.json || !flags.fields.is_empty(), ..flags }),
        Err(early) => return early.finish(),
    };
    let printer = Printer::new(&flags);
    let done = match &asked {
        Asked::Action(action) => perform(action, &flags, &printer),
        Asked::Own(Own::Tui(tui)) => screen::open(tui, &flags, &printer),
        Asked::Own(Own::Completions(completions)) => completions.print(&printer),
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
            Action::Open(_) => self.open_step(action),
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
                    if let Some(steps) = Self::asked(&reply) {
                        return self.wait_for(&reply, &steps);
                    }
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
        let consent = match self.flags.yes.filter(|_| is_person) {
            None => Consent::None,
            Some(Yes::All) => Consent::Given,
            Some(Yes::Additions) => Consent::Additions,
        };
        match self.client.call(&self.caller, action, consent) {
            Err(Error::ConfirmationRequired { what, why }) if is_person && ask::is_possible(self.flags) => {
                self.ask(action, what, why)
            }
            Err(Error::ConfirmationRequired { what, why }) if !is_person => Err(Error::StepCannotConfirm { what, why }),
            other => other,
        }
    }

    /// Puts a question to the person, until the answer is about what it is about.
    fn ask(&self, action: &Action, mut what: String, mut why: String) -> Result<Reply, Error> {
        loop {
            let plan = self.client.plan_run(action).ok();
            let additions = match ask::confirm(&what, &why, plan.as_ref())? {
                Answer::No => return Err(Error::Declined { what }),
                Answer::Yes => false,
                Answer::Additions => true,
            };
            let shown = plan.as_ref().map(|plan| Consent::Shown { digest: plan.digest(), additions });
            match self.client.call(&self.caller, action, shown.unwrap_or(Consent::Given)) {
                Err(Error::ConfirmationRequired { what: now, why: reason }) if plan.is_some() => {
                    self.printer.note("it has changed meanwhile");
                    (what, why) = (now, reason);
                }
                other => return other,
            }
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

    /// What a step asked for in the run that it is in, whose end it cannot wait for.
    fn asked(reply: &Reply) -> Option<Vec<Id>> {
        match &reply.output {
            Output::Started(started) => started.steps.clone(),
            Output::Requested { steps, .. } => Some(steps.clone()),
            _ => None,
        }
    }

    /// Waits for what a step asked for, and ends like a run of it.
    fn wait_for(&self, reply: &Reply, steps: &[Id]) -> Result<ExitCode, Error> {
        if let Output::Requested { request, .. } = &reply.output
            && !self.printer.is_json()
        {
            self.printer.note(requests::left(request).trim_end());
        }
        if steps.is_empty() {
            return self.printer.reply(reply);
        }
        let targets = steps.iter().map(Id::to_string).collect();
        let waited = self.call(&Action::Wait(Wait { targets, until: Until::Settled, timeout: None }))?;
        let reply = Reply { action: reply.action, ..waited };
        let Output::Waited { steps } = &reply.output else { return self.printer.reply(&reply) };
        let with = |wanted| steps.iter().filter(move |row| row.status == wanted);
        let words = |row: &StepRow| row.outcome.clone().unwrap_or_default();
        let failed: Vec<_> = with(StepStatus::Failed).map(|row| (row.id.clone(), words(row))).collect();
        let waits = steps.iter().filter(|row| !matches!(row.status, StepStatus::Done | StepStatus::Failed));
        let waits: Vec<String> = waits.map(|row| format!("`{}`, which is {}", row.id, row.status.as_str())).collect();
        let error = if !failed.is_empty() {
            Error::StepFailed { failed }
        } else if !waits.is_empty() {
            Error::Waiting { what: waits, hint: "`seqctl why <step>` says what holds it back".into() }
        } else {
            return self.printer.reply(&reply);
        };
        if !self.printer.is_json() {
            self.printer.reply(&reply)?;
        }
        let data = serde_json::to_value(&reply.output).ok();
        Ok(self.printer.fail(&error, data))
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
