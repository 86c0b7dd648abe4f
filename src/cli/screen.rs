//! `seqctl tui`: starts the full-screen terminal UI.

use std::{
    env,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{
    args::{Color, Flags},
    demo,
    output::Printer,
    own::Tui,
};
use crate::{
    action::{Action, project::Init, run},
    client::{self, Caller, Consent},
    error::Error,
    tui::{self, Start},
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
    let mut options = tui::Options { ascii: tui.ascii, is_plain: flags.color == Color::Never, start: None };
    let mut chosen = flags.project.clone();
    if let Err(Error::ProjectNotFound { from, is_chosen: false }) = client::open(None).map(drop)
        && chosen.is_none()
    {
        let Some(start) = tui::welcome(&from, &client::agents(None), &options)? else { return Ok(ExitCode::SUCCESS) };
        chosen = Some(make(start, from)?);
        options.start = Some(start);
    }
    show(chosen.as_deref(), &options, printer)
}

/// Shows the screen of a project until the person leaves.
fn show(project: Option<&Path>, options: &tui::Options, printer: &Printer) -> Result<ExitCode, Error> {
    let client = || client::open(project);
    let caller = Caller::from_environment("tui").by_ancestry(client()?.paths());
    let farewell = tui::run(client, &caller, options)?;
    printer.text(&farewell);
    if options.start == Some(Start::Demo)
        && let Some(root) = project
    {
        printer.text(&format!("the demo is in {0}: `seqctl --project {0}` opens it again\n", root.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the demo's project, starts its run, and shows it.
pub(super) fn open_demo(dir: Option<&Path>, flags: &Flags, printer: &Printer) -> Result<ExitCode, Error> {
    let root = start_demo(dir)?;
    let options = tui::Options { is_plain: flags.color == Color::Never, start: Some(Start::Demo), ..tui::Options::default() };
    show(Some(&root), &options, printer)
}

fn start_demo(dir: Option<&Path>) -> Result<PathBuf, Error> {
    let caller = Caller::from_environment("tui");
    let (root, client) = demo::make(dir, &caller)?;
    client.call(&caller, &Action::RunAll(run::All::default()), Consent::Given)?;
    Ok(root)
}

/// Makes the project that somebody wants to start with. Returns its folder.
fn make(start: Start, here: PathBuf) -> Result<PathBuf, Error> {
    if start == Start::Demo {
        return start_demo(None);
    }
    client::init(&here, &Init { name: None, empty: true, template: None }, &Caller::from_environment("tui"))?;
    Ok(here)
}
