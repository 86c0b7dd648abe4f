//! The progress of a run: bars on a terminal, plain lines in a pipe, events as JSON lines.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{IsTerminal as _, Read as _, Seek as _, SeekFrom},
    path::PathBuf,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::{Session, output::Printer, show::moment, signals::Signals, style, table::tame};
use crate::{
    client::{Client, Event, Kind, Progress as ProgressReport, time_words},
    error::Error,
    model::{Id, Outcome, Span, StepStatus},
};

/// How many running steps get a line of their own.
const SHOWN: usize = 12;

/// How long lines say nothing of the run as a whole.
const SAID: Duration = Duration::from_secs(30);

/// How a run is followed on screen.
pub(super) struct Progress<'a> {
    printer: &'a Printer,
    client: &'a Client,
    look: Look,
    /// Nothing where nothing is said of it.
    totals: Option<Totals>,
    told_waiting: Vec<String>,
}

enum Look {
    Quiet,
    /// Lines, and when the last one told how far it has come.
    Lines(Instant),
    Json,
    Bars(Bars),
}

/// What is known of the run as a whole.
struct Totals {
    run: String,
    all: usize,
    /// How the steps ended that have.
    ended: BTreeMap<Id, StepStatus>,
    running: BTreeMap<Id, (String, u32, Instant)>,
    /// The last look at how long it takes, when that was, and how long to leave it at that.
    looked: Option<(ProgressReport, Instant, Duration)>,
}

struct Bars {
    multi: MultiProgress,
    sum: ProgressBar,
    steps: BTreeMap<Id, ProgressBar>,
    drawn: Instant,
}

impl<'a> Progress<'a> {
    pub(super) fn choose(session: &'a Session<'_>, run: &str, events: bool, is_terminal: bool) -> Result<Self, Error> {
        let printer = session.printer;
        let look = if printer.is_json() {
            if events { Look::Json } else { Look::Quiet }
        } else if printer.is_quiet() {
            Look::Quiet
        } else if is_terminal {
            Look::Bars(Bars::new())
        } else {
            Look::Lines(Instant::now())
        };
        let totals = match look {
            Look::Quiet | Look::Json => None,
            Look::Lines(_) | Look::Bars(_) => Some(Totals::new(&session.client, run)?),
        };
        let mut progress = Self { printer, client: &session.client, look, totals, told_waiting: Vec::new() };
        if let (Look::Bars(bars), Some(totals)) = (&mut progress.look, &progress.totals) {
            totals.running.keys().for_each(|step| bars.begin(step));
        }
        Ok(progress)
    }

    /// Takes note of an event of the run.
    pub(super) fn take(&mut self, event: &Event, run: &str) {
        if event.run() != Some(run) {
            return;
        }
        if let Some(totals) = &mut self.totals {
            totals.take(event);
        }
        match &mut self.look {
            Look::Quiet => {}
            Look::Json => self.printer.line(&json!(event)),
            Look::Lines(said) => {
                if let Some(line) = line(event) {
                    self.printer.text(&format!("{line}\n"));
                }
                let is_end = matches!(event.kind, Kind::StepEnded { .. });
                let running =
                    self.totals.as_mut().filter(|totals| is_end && said.elapsed() >= SAID && !totals.running.is_empty());
                if let Some(totals) = running {
                    *said = Instant::now();
                    totals.look(self.client);
                    self.printer.text(&format!("{}\n", totals.progress().words()));
                }
            }
            Look::Bars(bars) => bars.take(event),
        }
    }

    /// Draws what changes by itself: times and last lines.
    pub(super) fn tick(&mut self) {
        if let (Look::Bars(bars), Some(totals)) = (&mut self.look, &mut self.totals) {
            bars.draw(totals, self.client);
        }
    }

    /// Says once what the run waits for.
    pub(super) fn waits(&mut self, what: &[String]) {
        if self.told_waiting != what {
            self.told_waiting = what.to_vec();
            let hint = what.iter().find_map(|what| what.strip_prefix("gate `")?.strip_suffix('`'));
            let hint = hint.map_or(String::new(), |gate| format!(" (elsewhere: seqctl gate approve {gate})"));
            self.note(&format!("{} waits for {}{hint}", style::glyph(StepStatus::NeedsReview), what.join(", ")));
        }
    }

    /// Says something beside the progress.
    pub(super) fn note(&self, text: &str) {
        match &self.look {
            Look::Quiet | Look::Json => {}
            Look::Lines(_) => self.printer.note(text),
            Look::Bars(bars) => {
                let _ = bars.multi.println(text);
            }
        }
    }

    /// Asks; nothing where Ctrl-C came instead of an answer.
    pub(super) fn ask(&self, question: &str, signals: &Signals) -> Option<String> {
        let ask = || {
            self.printer.note(question);
            // A second Ctrl-C ends the question, not the line editor's patience.
            signals.wait_for_line().then(super::ask::read_line)?.ok().filter(|answer| !answer.is_empty())
        };
        match &self.look {
            Look::Bars(bars) => bars.multi.suspend(ask),
            _ => ask(),
        }
    }

    /// Takes the bars off the screen.
    pub(super) fn finish(&self) {
        if let Look::Bars(bars) = &self.look {
            let _ = bars.multi.clear();
        }
    }
}

impl Totals {
    fn new(client: &Client, run: &str) -> Result<Self, Error> {
        let view = client.view()?;
        let found = client.tend(run)?;
        let ready = view.readiness();
        let (mut all, mut ended, mut running) = (0, BTreeMap::new(), BTreeMap::new());
        for (at, step) in view.sequence.steps.iter().enumerate().filter(|(_, step)| view.covers(&found, &step.id)) {
            all += 1;
            match ready.status(at) {
                status if status.is_outcome() => _ = ended.insert(step.id.clone(), status),
                StepStatus::Running => _ = running.insert(step.id.clone(), (run.to_owned(), 1, Instant::now())),
                _ => {}
            }
        }
        Ok(Self { run: run.to_owned(), all, ended, running, looked: None })
    }

    fn take(&mut self, event: &Event) {
        match &event.kind {
            Kind::StepStarted { step, run, attempt } => {
                self.ended.remove(step);
                self.running.insert(step.clone(), (run.clone(), *attempt, Instant::now()));
            }
            Kind::StepEnded { step, outcome, .. } => {
                self.running.remove(step);
                if outcome.until.is_none() {
                    self.ended.insert(step.clone(), outcome.status);
                }
            }
            _ => {}
        }
    }

    /// Looks again how long it takes, if the last look is old for what it cost.
    fn look(&mut self, client: &Client) {
        if self.looked.as_ref().is_some_and(|(_, at, rest)| at.elapsed() < *rest) {
            return;
        }
        let begun = Instant::now();
        // A plan that cannot be read just now makes no difference to what runs.
        if let Ok(found) = client.progress(&self.run) {
            let rest = (begun.elapsed() * 50).max(Duration::from_secs(1));
            self.looked = Some((found, Instant::now(), rest));
        }
    }

    /// How far it has come.
    fn progress(&self) -> ProgressReport {
        let count = |wanted| self.ended.values().filter(|status| **status == wanted).count();
        let looked = self.looked.as_ref();
        let since = |at: &Instant| u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        ProgressReport {
            total: self.all,
            done: count(StepStatus::Done),
            failed: count(StepStatus::Failed),
            review: count(StepStatus::NeedsReview),
            running: self.running.len(),
            left_ms: looked.and_then(|(found, at, _)| Some(found.left_ms?.saturating_sub(since(at)))),
            needs_person: looked.is_some_and(|(found, ..)| found.needs_person),
        }
    }
}

impl Bars {
    fn new() -> Self {
        let multi = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        let sum = multi.add(ProgressBar::no_length());
        sum.set_style(plain_style());
        Self { multi, sum, steps: BTreeMap::new(), drawn: Instant::now() }
    }

    fn take(&mut self, event: &Event) {
        match &event.kind {
            Kind::StepStarted { step, .. } => self.begin(step),
            Kind::StepEnded { step, .. } => {
                if let Some(bar) = self.steps.remove(step) {
                    bar.finish_and_clear();
                    self.multi.remove(&bar);
                }
                if let Some(line) = line(event) {
                    let _ = self.multi.println(line);
                }
            }
            Kind::TimeShort { .. } | Kind::Extended { .. } => {
                if let Some(line) = line(event) {
                    let _ = self.multi.println(line);
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, step: &Id) {
        if self.steps.len() < SHOWN && !self.steps.contains_key(step) {
            let bar = self.multi.insert_before(&self.sum, ProgressBar::no_length());
            bar.set_style(plain_style());
            self.steps.insert(step.clone(), bar);
        }
    }

    fn draw(&mut self, totals: &mut Totals, client: &Client) {
        if self.drawn.elapsed() < Duration::from_millis(120) {
            return;
        }
        self.drawn = Instant::now();
        totals.look(client);
        self.sum.set_message(totals.progress().words());
        let width = self.steps.keys().map(|id| id.as_str().len()).max().unwrap_or(0);
        for (id, bar) in &self.steps {
            let Some((run, attempt, since)) = totals.running.get(id) else { continue };
            let took = seconds(since.elapsed().as_secs());
            let last = last_line(&client.paths().run(run).join(id.as_str()), *attempt);
            let workers = client.worker_count(run, id);
            let workers = workers.map_or(String::new(), |count| format!("{} of {} ended  ", count.ended, count.all));
            bar.set_message(format!(
                "{} {id:<width$}  {:>6}  {}",
                style::glyph(StepStatus::Running),
                took,
                style::dim(&format!("{workers}{last}"))
            ));
        }
    }
}

/// Whole seconds for something that moves: nothing, `7s`, `2m14s`.
fn seconds(seconds: u64) -> String {
    match seconds {
        0 => String::new(),
        1..60 => format!("{seconds}s"),
        _ => Span::from_ms(seconds * 1000).short(),
    }
}

fn plain_style() -> ProgressStyle {
    ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The last line a step has written, of its newest attempt.
fn last_line(folder: &std::path::Path, attempt: u32) -> String {
    let newest = folder.join("latest").join("stdout.log");
    let path: PathBuf = if newest.exists() { newest } else { folder.join(attempt.to_string()).join("stdout.log") };
    last_line_in(&path).or_else(|| last_of_workers(&folder.join("latest"))).unwrap_or_default()
}

/// The line that one of the workers of a fan-out has written last.
fn last_of_workers(folder: &std::path::Path) -> Option<String> {
    let entries = std::fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path().join("stdout.log"));
    let written = |path: &PathBuf| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    last_line_in(&entries.filter(|path| path.exists()).max_by_key(written)?)
}

fn last_line_in(path: &std::path::Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let len = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(4096))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.lines().rev().find(|line| !line.trim().is_empty()).map(tame)
}

/// An event in a line, for people.
fn line(event: &Event) -> Option<String> {
    match &event.kind {
        Kind::StepStarted { step, .. } if !std::io::stdout().is_terminal() => {
            Some(format!("{} {step} started", style::glyph(StepStatus::Running)))
        }
        Kind::StepEnded { step, attempt, outcome, duration_ms, .. } => Some(ended(step, *attempt, outcome, *duration_ms)),
        Kind::TimeShort { step, timeout_ms, left_ms, .. } => Some(format!(
            "{} {}; `seqctl extend {step} 30m` gives it more",
            style::glyph(StepStatus::NeedsReview),
            time_words(step, *timeout_ms, *left_ms)
        )),
        Kind::Extended { step, added_ms, timeout_ms, by, .. } => Some(format!(
            "{} {step} has {} now, {} more, by {by}",
            style::glyph(StepStatus::Running),
            Span::from_ms(*timeout_ms),
            Span::from_ms(*added_ms)
        )),
        Kind::RunWaiting { waits_for, .. } if !std::io::stdout().is_terminal() => {
            Some(format!("{} waits for {}", style::glyph(StepStatus::NeedsReview), waits_for.join(", ")))
        }
        _ => None,
    }
}

fn ended(step: &Id, attempt: u32, outcome: &Outcome, ms: u64) -> String {
    let tries = if attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
    let took = Span::from_ms(ms).short();
    let glyph = style::glyph(outcome.status);
    let note = outcome.note.as_ref().map(|note| tame(note));
    if let Some(until) = &outcome.until {
        let note = note.map_or(String::new(), |note| format!(": {note}"));
        let glyph = style::glyph(StepStatus::Ready);
        return format!("{glyph} {step} met a usage limit after {took}{tries} and waits until {}{note}", moment(until));
    }
    match outcome.status {
        StepStatus::Done => format!("{glyph} {step} done in {took}{tries}"),
        StepStatus::NeedsReview => {
            let note = note.map_or(String::new(), |note| format!(": {note}"));
            format!("{glyph} {step} {} after {took}{tries}{note}", style::word(outcome.status))
        }
        _ => {
            let note = note.map_or(String::new(), |note| format!(", {note}"));
            format!("{glyph} {step} {}: {}{note} after {took}{tries}", style::word(outcome.status), outcome.words())
        }
    }
}
