//! A pane of mprocs: a view of one step, whoever starts it. Ending the view ends nothing; keys that are typed into it
//! start and stop the step.

use std::{
    env,
    io::{self, IsTerminal as _},
    process::ExitCode,
    time::{Duration, Instant, SystemTime},
};

use rustix::process::getppid;

use super::{
    Session,
    args::Flags,
    ask::question,
    keyboard::{Keyboard, Woken},
    signals::{Signal, Signals},
    stream::GrowingLog,
    style,
    table::tame,
};
use crate::{
    action::{
        Action,
        query::{Logs, StepShow},
        run,
    },
    client::{Bell, Caller, Consent, Glance, Output, PANE_VARIABLE, Started, StepDetail},
    error::Error,
    model::{Id, StepStatus},
    sys,
};

/// How often the log of a running step is looked at.
const SOON: Duration = Duration::from_millis(100);

/// How often a step is looked at about which nothing is heard.
const LATE: Duration = Duration::from_secs(2);

/// How often the plan is looked at, at most: all panes hear of every change.
const PACE: Duration = Duration::from_secs(1);

/// How much of a log that is there already is shown.
const TAIL: usize = 1000;

/// What can be typed.
const KEYS: &str = "s starts it, x stops it, r runs it again; closing the pane ends nothing";

/// Whether this is the program of a pane.
pub(super) fn is_here(flags: &Flags) -> bool {
    let is_marked = env::var_os(PANE_VARIABLE).is_some_and(|value| !value.is_empty());
    is_marked && !flags.json && io::stdin().is_terminal() && io::stdout().is_terminal()
}

impl Session<'_> {
    /// Shows a step until the pane is closed.
    pub(super) fn show_pane(&self, step: &Id) -> Result<ExitCode, Error> {
        // A pane that mprocs starts once more shows nothing if its step has left the plan.
        self.client.view()?.sequence.expect_step(step.as_str())?;
        // mprocs may leave the terminals of other panes open in ours, which then would not hear of its end.
        sys::close_inherited();
        let parent = getppid();
        let keyboard = Keyboard::take()?;
        let mut signals = Signals::catch()?;
        let bell = Bell::on_changes(self.client.paths());
        let mut mark = None;
        let mut pane = Pane::new(self, step);
        while getppid() == parent {
            if mark.is_none() {
                // The view before this one may take a moment to end.
                mark = self.client.enter_pane(step)?;
            }
            pane.refresh();
            match keyboard.wait(&signals, bell.as_ref(), pane.patience(bell.is_some())) {
                Woken::Nothing => {}
                Woken::Keys(bytes) => pane.typed(&bytes),
                Woken::Gone => break,
                Woken::Signal => match signals.next() {
                    Some(Signal::Terminate) if self.client.is_step_meant(step)? => {
                        pane.say(&style::dim(&format!("{step} is being stopped")));
                    }
                    Some(Signal::Terminate | Signal::HangUp) => break,
                    Some(Signal::Interrupt) | None => {}
                },
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What is on screen.
struct Pane<'a> {
    session: &'a Session<'a>,
    step: &'a Id,
    caller: Caller,
    /// The attempt that is shown: its run and its number.
    attempt: Option<(String, u32)>,
    /// What it wrote: its output, and its errors.
    logs: Vec<GrowingLog>,
    is_running: bool,
    /// Whether what was printed last has no end of line.
    is_amid_line: bool,
    /// The last line on how the step stands.
    said: String,
    /// What the plan was looked at for, and when.
    looked: Option<(Stamp, Instant)>,
    /// What waits for a yes.
    asked: Option<Action>,
}

/// Changes with the plan and with everything that happens to it.
type Stamp = [Option<(u64, SystemTime)>; 2];

impl<'a> Pane<'a> {
    fn new(session: &'a Session<'a>, step: &'a Id) -> Self {
        let caller = Caller { via: "mprocs", ..session.caller.clone() };
        let (attempt, logs, said) = (None, Vec::new(), String::new());
        Self { session, step, caller, attempt, logs, is_running: false, is_amid_line: false, said, looked: None, asked: None }
    }

    /// Shows what is new. What cannot be read now can be in a moment, so nothing ends here.
    fn refresh(&mut self) {
        if let Err(error) = self.look() {
            self.say(&in_words(&error));
        }
    }

    fn look(&mut self) -> Result<(), Error> {
        let glance = self.session.client.glance(self.step)?;
        let was_running = std::mem::replace(&mut self.is_running, matches!(glance, Glance::Running { .. }));
        match glance {
            Glance::Running { run, attempt } => {
                if self.turn_to(&run, attempt)? {
                    self.say(&format!("{} {}", style::glyph(StepStatus::Running), style::bold(&format!("{} runs", self.step))));
                }
                self.copy(false)
            }
            Glance::Ended { ran, .. } => {
                let is_other = ran.map_or(Ok(false), |(run, attempt)| self.turn_to(&run, attempt))?;
                if is_other || was_running {
                    self.copy(true)?;
                    self.looked = None;
                }
                self.stand()
            }
            Glance::Idle => self.stand(),
        }
    }

    /// Makes an attempt the one that is shown; whether it was another one.
    fn turn_to(&mut self, run: &str, attempt: u32) -> Result<bool, Error> {
        if self.attempt.as_ref().is_some_and(|(shown, number)| shown == run && *number == attempt) {
            return Ok(false);
        }
        self.copy(true)?;
        let view = self.session.client.view()?;
        let wanted = Logs { run: Some(run.into()), attempt: Some(attempt), ..Logs::of(self.step.clone()) };
        let place = |stderr: bool| self.session.client.log_place(&view, &Logs { stderr, ..wanted.clone() });
        self.logs = match (place(false), place(true)) {
            (Ok(output), Ok(errors)) => vec![GrowingLog::begin(output, Some(TAIL))?, GrowingLog::begin(errors, Some(TAIL))?],
            // Its run was pruned.
            _ => Vec::new(),
        };
        self.attempt = Some((run.into(), attempt));
        if self.asked.take().is_some() {
            // Somebody else was faster.
            self.session.printer.text("\n");
        }
        Ok(true)
    }

    /// Copies what the logs have more.
    fn copy(&mut self, is_over: bool) -> Result<(), Error> {
        let printer = self.session.printer;
        let mut last = None;
        for log in &mut self.logs {
            log.print(is_over, &mut |bytes| {
                last = bytes.last().copied().or(last);
                printer.bytes(bytes);
                true
            })?;
        }
        if let Some(last) = last {
            self.said.clear();
            self.is_amid_line = last != b'\n';
        }
        Ok(())
    }

    fn stamp(&self) -> Stamp {
        let paths = self.session.client.paths();
        [paths.sequence(), paths.audit()].map(|path| {
            let meta = path.metadata().ok()?;
            Some((meta.len(), meta.modified().ok()?))
        })
    }

    /// Says how a step stands that does not run, if that is new.
    fn stand(&mut self) -> Result<(), Error> {
        let now = self.stamp();
        let is_known = self.looked.is_some_and(|(then, at)| then == now || at.elapsed() < PACE);
        if self.asked.is_some() || is_known {
            return Ok(());
        }
        self.looked = Some((now, Instant::now()));
        let show = Action::StepShow(StepShow { id: self.step.clone() });
        let reply = self.session.client.call(&self.caller, &show, Consent::None)?;
        if let Output::Step(detail) = &reply.output {
            self.say(&standing(detail));
        }
        Ok(())
    }

    /// How long nothing has to be looked at.
    fn patience(&self, is_told: bool) -> Duration {
        if self.is_running {
            return SOON;
        }
        let is_behind = self.looked.is_none_or(|(then, _)| then != self.stamp());
        if is_behind || !is_told { PACE } else { LATE }
    }

    /// Prints a line unless it stands there already.
    fn say(&mut self, line: &str) {
        if self.said != line {
            self.said = line.into();
            let start = if std::mem::take(&mut self.is_amid_line) { "\n" } else { "" };
            self.session.printer.text(&format!("{start}{line}\n"));
        }
    }

    fn typed(&mut self, bytes: &[u8]) {
        // An arrow, or what a terminal answers to something in a log: nobody types that for us.
        if bytes.contains(&0x1b) {
            return;
        }
        let options = run::Options::default;
        for byte in bytes {
            match (self.asked.take(), byte) {
                (Some(action), b'y' | b'Y') => {
                    self.session.printer.text("yes\n");
                    self.ask_for(&action, Consent::Given);
                }
                (Some(_), _) => {
                    self.session.printer.text("no\n");
                    self.said.clear();
                    self.looked = None;
                }
                (None, b's') => {
                    let ids = vec![self.step.clone()];
                    self.ask_for(&Action::RunStep(run::Steps { ids, options: options() }), Consent::None);
                }
                (None, b'r') => {
                    let id = self.step.clone();
                    let restart = run::Restart { id, downstream: false, options: options() };
                    self.ask_for(&Action::Restart(restart), Consent::None);
                }
                (None, b'x') => {
                    let target = Some(self.step.to_string());
                    self.ask_for(&Action::Stop(run::Stop { target, all: false, force: false }), Consent::None);
                }
                (None, _) => self.say(&style::dim(KEYS)),
            }
        }
    }

    /// Does what was typed, or puts the question that it raises.
    fn ask_for(&mut self, action: &Action, consent: Consent) {
        match self.session.client.call(&self.caller, action, consent) {
            Ok(reply) => {
                self.session.printer.warnings(&reply.warnings);
                if matches!(reply.output, Output::Started(Started { attached: true, .. })) {
                    self.say(&style::dim(&format!("{} runs already", self.step)));
                }
            }
            Err(Error::ConfirmationRequired { what, why }) => {
                let plan = self.session.client.plan_run(action).ok();
                self.session.printer.text(&question(&what, &why, plan.as_ref()));
                self.asked = Some(action.clone());
            }
            Err(Error::StepEnded { step, status }) => self.say(&format!("{step} is {status}; r runs it again")),
            Err(error) => self.say(&in_words(&error)),
        }
    }
}

/// How a step stands that does not run.
fn standing(detail: &StepDetail) -> String {
    let row = &detail.state;
    let mut line = format!("{} {} {}", style::glyph(row.status), style::bold(row.id.as_str()), style::word(row.status));
    if let Some(outcome) = row.outcome.as_ref().filter(|_| row.status == StepStatus::Failed) {
        line.push_str(&format!(" ({})", tame(outcome)));
    }
    let hint = match row.status {
        StepStatus::Ready => format!("s starts it: {}", tame(detail.work.lines().next().unwrap_or_default())),
        StepStatus::Blocked => {
            let waits: Vec<&str> = row.waits_for.iter().map(Id::as_str).collect();
            format!("waits for {}", waits.join(", "))
        }
        StepStatus::NeedsReview => format!("seqctl review accept {}, or reject", row.id),
        StepStatus::Running => "runs on another machine".into(),
        StepStatus::Done | StepStatus::Failed => "r runs it again".into(),
    };
    format!("{line}  {}", style::dim(&hint))
}

fn in_words(error: &Error) -> String {
    let hint = error.hint().map_or(String::new(), |hint| format!(" ({hint})"));
    format!("{} {error}{hint}", style::bold("error:"))
}
