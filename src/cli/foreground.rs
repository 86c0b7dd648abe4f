//! A run in the foreground: its progress, Ctrl-C, and how the command ends.

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use super::{
    Session, ask,
    bars::Progress,
    signals::{Signal, Signals},
};
use crate::{
    action::{Action, run},
    client::{COST_LIMIT, Client, Consent, Event, Follower, Kind, Output, Reply, RunReport, RunState, blocked_by_gate},
    error::Error,
    model::StepStatus,
};

const PATIENCE: Duration = Duration::from_millis(200);

const SOON: Duration = Duration::from_millis(5);

/// How often we look whether a run still has a runner.
const TEND: Duration = Duration::from_secs(2);

/// Why watching ended.
enum End {
    /// The run is over.
    Over,
    /// It waits for a person, and nobody is there.
    Waiting,
    /// A signal; the run goes on, or was stopped.
    Signal(Signal),
}

impl Session<'_> {
    /// Watches a run to its end. With `stay` also while it waits for a person.
    pub(super) fn watch_run(&self, follower: Follower, reply: Reply, stay: bool, events: bool) -> Result<ExitCode, Error> {
        let Some((run, is_attached)) = Self::started(&reply) else { return self.printer.reply(&reply) };
        let events = events && self.printer.is_json();
        self.printer.warnings(&reply.warnings);
        let is_terminal = io::stderr().is_terminal() && io::stdout().is_terminal();
        let mut progress = Progress::choose(self, &run, events, is_terminal)?;
        if is_attached {
            progress.note(&format!("attached to run {run}"));
        }
        let end = self.watch_until_end(follower, &run, &mut progress, stay || (is_terminal && !self.printer.is_json()));
        progress.finish();
        match end? {
            End::Signal(signal) => Ok(ExitCode::from(signal.exit())),
            End::Over | End::Waiting if events => self.result(&run, reply, false),
            End::Over | End::Waiting => self.result(&run, reply, true),
        }
    }

    fn watch_until_end(&self, mut follower: Follower, run: &str, progress: &mut Progress, stay: bool) -> Result<End, Error> {
        let mut signals = Signals::catch()?;
        let (mut tended, mut interrupts, mut is_ending) = (Instant::now().checked_sub(TEND), 0, false);
        loop {
            // The log tells of the end a moment before run.json does.
            let patience = if is_ending { SOON } else { PATIENCE };
            for event in follower.next(patience)? {
                is_ending |= is_about_end(&event, run);
                progress.take(&event, run);
            }
            let is_due = is_ending || tended.is_none_or(|at| at.elapsed() >= TEND);
            progress.tick();
            if let Some(signal) = signals.next() {
                interrupts += 1;
                if let Some(end) = self.interrupted(signal, interrupts, run, progress, &mut signals)? {
                    return Ok(end);
                }
            }
            if is_due {
                tended = Some(Instant::now());
                let found = self.client.tend(run)?;
                if found.state != RunState::Active {
                    // The log told of the last steps before run.json of the end, but perhaps after we had looked.
                    for event in follower.next(Duration::ZERO)? {
                        is_ending |= is_about_end(&event, run);
                        progress.take(&event, run);
                    }
                }
                match found.state {
                    RunState::Ended => return Ok(End::Over),
                    RunState::Waiting if !stay => return Ok(End::Waiting),
                    RunState::Waiting => {
                        is_ending = false;
                        progress.waits(&found.waits_for);
                    }
                    RunState::Active => {}
                }
            }
        }
    }

    /// Ctrl-C on a terminal asks; in a pipe, and SIGTERM anywhere, it stops the run. SIGHUP leaves it.
    fn interrupted(
        &self,
        signal: Signal,
        count: u32,
        run: &str,
        progress: &mut Progress,
        signals: &mut Signals,
    ) -> Result<Option<End>, Error> {
        let is_asked = signal == Signal::Interrupt && ask::is_possible(self.flags);
        match signal {
            Signal::HangUp => return Ok(Some(End::Signal(signal))),
            Signal::Interrupt if is_asked && count == 1 => {
                let answer = progress.ask("leave it running [l], stop it [s], or go on watching [g]? ", signals);
                match answer.as_deref().map(str::trim) {
                    Some("g" | "go on") => return Ok(None),
                    Some("s" | "stop") => {}
                    Some(_) => {
                        progress.note(&format!("run {run} goes on; `seqctl attach` watches it, `seqctl stop {run}` stops it"));
                        return Ok(Some(End::Signal(signal)));
                    }
                    // A second Ctrl-C instead of an answer.
                    None => {}
                }
            }
            Signal::Interrupt | Signal::Terminate => {}
        }
        progress.note(&format!("stopping run {run}"));
        self.stop_run(run, progress, signals)?;
        Ok(Some(End::Signal(signal)))
    }

    /// Stops a run. Ctrl-C meanwhile kills what does not want to end.
    fn stop_run(&self, run: &str, progress: &Progress, signals: &mut Signals) -> Result<(), Error> {
        let stop = Action::Stop(run::Stop { target: Some(run.to_owned()), all: false, force: false });
        let (client, caller) = (Client::new(self.client.paths().clone()), self.caller.clone());
        let stopping = thread::spawn(move || client.call(&caller, &stop, Consent::None));
        while !stopping.is_finished() {
            if signals.next() == Some(Signal::Interrupt) {
                progress.note("killing what is left");
                self.client.hurry(run)?;
            }
            thread::sleep(SOON);
        }
        match stopping.join() {
            Ok(Ok(_) | Err(Error::RunState { .. })) => Ok(()),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::internal("the stop did not come to its end")),
        }
    }

    /// How the run ended, as output and exit status.
    fn result(&self, run: &str, reply: Reply, is_shown: bool) -> Result<ExitCode, Error> {
        let report = self.client.report(run)?;
        let error = verdict(&report);
        if !is_shown {
            return Ok(error.map_or(ExitCode::SUCCESS, |error| ExitCode::from(error.code().1.exit())));
        }
        match error {
            Some(error) if self.printer.is_json() => Ok(self.printer.fail(&error, serde_json::to_value(&report).ok())),
            error => {
                let reply = Reply { output: Output::Run(Box::new(report)), warnings: self.client.take_warnings(), ..reply };
                let code = self.printer.reply(&reply)?;
                Ok(error.map_or(code, |error| self.printer.fail(&error, None)))
            }
        }
    }
}

fn is_about_end(event: &Event, run: &str) -> bool {
    matches!(&event.kind, Kind::RunEnded { run: id } | Kind::RunWaiting { run: id, .. } if id == run)
}

/// What is wrong with how a run stands, if anything.
pub(super) fn verdict(report: &RunReport) -> Option<Error> {
    if !report.failed.is_empty() {
        return Some(Error::StepFailed { failed: report.failed.clone() });
    }
    if let Some((step, gate)) = &report.stuck {
        return Some(blocked_by_gate(step.clone(), gate));
    }
    let waits = &report.run.waits_for;
    if report.run.state == "waiting" {
        let named = |kind: &str| waits.iter().find_map(|what| what.strip_prefix(kind)?.strip_suffix('`'));
        let hint = match (named("gate `"), named("review of `")) {
            (Some(gate), _) => format!("`seqctl gate approve {gate}` lets it go on"),
            (None, Some(step)) => format!("`seqctl review accept {step}` lets it go on, `reject` does not"),
            (None, None) if waits.iter().any(|what| what.starts_with(COST_LIMIT)) => {
                let run = &report.run.id;
                format!("raise it in .threados/policy.yaml and `seqctl attach {run}`, or end it with `seqctl stop {run}`")
            }
            (None, None) if named("approval of `").is_some() => {
                format!("`seqctl run {}` shows what it would run and asks", named("approval of `").unwrap_or_default())
            }
            (None, None) => "`seqctl status` shows what needs you".into(),
        };
        return Some(Error::Waiting { what: waits.clone(), hint });
    }
    let left = report.counts.iter().find(|(status, _)| *status == StepStatus::NeedsReview).map_or(0, |(_, count)| *count);
    let attempts = &report.attempts;
    let is_last = |at: usize| attempts.get(at + 1).is_none_or(|next| next.step != attempts[at].step);
    let mut reviews = (0..attempts.len()).filter(|&at| attempts[at].status == StepStatus::NeedsReview && is_last(at));
    let (what, hint) = match (left, reviews.next(), reviews.next()) {
        (0, ..) => return None,
        (1, Some(one), None) => {
            let last = &attempts[one];
            let hint = format!("`seqctl logs {0}` shows its output, `seqctl review accept {0}` accepts it", last.step);
            (format!("review of `{}`", last.step), hint)
        }
        _ => (crate::error::count(left, "review"), "`seqctl status` shows what needs you".into()),
    };
    Some(Error::Waiting { what: vec![what], hint })
}
