//! `seqctl tui`: starts the full-screen terminal UI.

use std::{
    env,
    io::{self, IsTerminal as _},
    path::PathBuf,
    process::ExitCode,
};

use super::{
    args::{Color, Flags},
    output::Printer,
    own::Tui,
};
use crate::{
    action::project::Init,
    client::{self, Caller},
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
        let Some(start) = tui::welcome(&from, &client::agents_found(), &options)? else { return Ok(ExitCode::SUCCESS) };
        chosen = Some(make(start, from)?);
        options.start = Some(start);
    }
    let client = || client::open(chosen.as_deref());
    let caller = Caller::from_environment("tui").by_ancestry(client()?.paths());
    printer.text(&tui::run(client, &caller, &options)?);
    Ok(ExitCode::SUCCESS)
}

/// Makes the project that somebody wants to start with. Returns its folder.
fn make(start: Start, here: PathBuf) -> Result<PathBuf, Error> {
    let caller = Caller::from_environment("tui");
    if start == Start::Demo {
        let root = env::temp_dir().join(format!("seqctl-demo-{}", crate::clock::run_id()));
        std::fs::create_dir_all(&root).map_err(Error::io("make the folder", &root))?;
        client::make_demo(&root, &caller)?;
        return Ok(root);
    }
    client::init(&here, &Init { name: None, empty: true, template: None }, &caller)?;
    Ok(here)
}
