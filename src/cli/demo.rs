//! `seqctl demo`: a small project, made and run to its end.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{Session, args::Flags, bars::Progress, folder, foreground::verdict, output::Printer, screen};
use crate::{
    action::{Action, gate, project::Demo, run},
    client::{self, Caller, Client, Consent, DEMO_GATE, Output, Reply, RunState},
    error::Error,
};

/// Makes the demo's project, in a temporary folder where none is chosen.
pub(super) fn make(dir: Option<&Path>, caller: &Caller) -> Result<(PathBuf, Client), Error> {
    let root = match dir {
        Some(dir) => folder(Some(&dir.to_owned()))?,
        None => std::env::temp_dir().join(format!("seqctl-demo-{}", crate::clock::run_id())),
    };
    std::fs::create_dir_all(&root).map_err(Error::io("make the folder", &root))?;
    let root = root.canonicalize().map_err(Error::io("find", &root))?;
    let client = client::make_demo(&root, caller)?;
    Ok((root, client))
}

/// Makes the demo's project and shows how it runs: on the screen where somebody looks, else as lines.
pub(super) fn run(args: &Demo, flags: &Flags, printer: &Printer, caller: &Caller) -> Result<ExitCode, Error> {
    if !args.no_ui && !flags.json && !flags.quiet && caller.is_person() && screen::is_possible() {
        return screen::open_demo(args.dir.as_deref(), flags, printer);
    }
    let (root, client) = make(args.dir.as_deref(), caller)?;
    if !flags.json && !flags.quiet {
        printer.text(&format!("12 steps, a gate and a retry in {}\n\n", root.display()));
    }
    let session = Session { client, caller: caller.clone(), flags, printer };
    let run = session.play()?;
    let report = session.client.report(&run)?;
    let error = verdict(&report);
    let output = Output::Demo { path: root, report: Box::new(report) };
    let next = ["status", "logs test-api", "runs show", "audit tail"];
    let dir = session.client.paths().root.display().to_string();
    let next = next.iter().map(|command| format!("seqctl --project {dir} {command}")).collect();
    let reply = Reply { action: "demo", revision: None, output, warnings: session.client.take_warnings(), next };
    let Some(error) = error else { return printer.reply(&reply) };
    if !printer.is_json() {
        printer.reply(&reply)?;
    }
    Ok(printer.fail(&error, serde_json::to_value(&reply.output).ok()))
}

impl Session<'_> {
    /// Runs everything, approves the gate when the run waits for it, and returns the run.
    fn play(&self) -> Result<String, Error> {
        let mut follower = self.client.follow()?;
        let all = Action::RunAll(run::All::default());
        let reply = self.client.call(&self.caller, &all, Consent::Given)?;
        let Some((run, _)) = Self::started(&reply) else { return Err(Error::internal("a run has an id")) };
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
        let mut progress = Progress::choose(self, &run, false, is_terminal)?;
        loop {
            for event in follower.next(std::time::Duration::from_millis(150))? {
                progress.take(&event, &run);
            }
            progress.tick();
            match self.client.tend(&run)?.state {
                RunState::Ended => break,
                RunState::Waiting => approve(&self.client, &self.caller, &progress)?,
                RunState::Active => {}
            }
        }
        for event in follower.next(std::time::Duration::ZERO)? {
            progress.take(&event, &run);
        }
        progress.finish();
        Ok(run)
    }
}

fn approve(client: &Client, caller: &Caller, progress: &Progress<'_>) -> Result<(), Error> {
    let Ok(id) = DEMO_GATE.parse() else { return Ok(()) };
    let approve =
        Action::GateApprove(gate::Approve { id, note: Some("approved by the demo".into()), ahead: false, expect: None });
    match client.call(caller, &approve, Consent::Given) {
        Ok(_) => {
            progress.note(&format!("◆ gate `{DEMO_GATE}` approved by the demo"));
            Ok(())
        }
        // The runner had not taken note of the approval yet.
        Err(Error::GateNotPending { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
