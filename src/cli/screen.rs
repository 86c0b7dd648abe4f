//! `seqctl tui`: starts the full-screen terminal UI.

use std::{
    env,
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use super::{
    args::{Color, Flags},
    output::Printer,
    own::Tui,
};
use crate::{
    client::{self, Caller},
    error::Error,
    tui,
};

/// Whether there is a terminal that can show it.
pub(super) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal() && env::var("TERM").is_ok_and(|term| term != "dumb")
}

/// Shows the screen until the person leaves.
pub(super) fn open(tui: &Tui, flags: &Flags, printer: &Printer) -> Result<ExitCode, Error> {
    if !is_possible() {
        return Err(Error::Usage {
            what: "there is no terminal to show the screen on".into(),
            hint: Some("`seqctl status` prints how the sequence stands".into()),
        });
    }
    let client = || client::open(flags.project.as_deref());
    let caller = Caller::from_environment("tui").by_ancestry(client()?.paths());
    let options = tui::Options { ascii: tui.ascii, is_plain: flags.color == Color::Never };
    printer.text(&tui::run(client, &caller, &options)?);
    Ok(ExitCode::SUCCESS)
}
