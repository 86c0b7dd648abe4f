//! `open`: a person at the session of a step's agent.

use std::{
    io::{self, IsTerminal as _},
    process::{Command, ExitCode},
};

use super::{Session, signals::Signals};
use crate::{
    action::Action,
    client::{Opening, Output},
    error::Error,
};

impl Session<'_> {
    /// Hands the terminal over, and says what to do once it is back.
    pub(super) fn open_step(&self, action: &Action) -> Result<ExitCode, Error> {
        if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
            return Err(Error::TerminalMissing { action: action.name() });
        }
        let reply = self.call(action)?;
        let Output::Opened(opening) = &reply.output else { return Err(Error::internal("what is opened is told")) };
        if !self.printer.is_json() {
            self.printer.warnings(&reply.warnings);
        }
        enter(opening)?;
        self.printer.reply(&reply)
    }
}

/// Runs the program to its end. What is typed meanwhile, Ctrl-C included, is for it alone.
fn enter(opening: &Opening) -> Result<(), Error> {
    let _signals = Signals::catch()?;
    let mut words = opening.argv.iter();
    let program = words.next().map(String::as_str).unwrap_or_default();
    let mut command = Command::new(program);
    command.args(words).current_dir(&opening.cwd).envs(&opening.env);
    // How it ends says nothing about the step.
    command.status().map(drop).map_err(Error::io("start", program))
}
