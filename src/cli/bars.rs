//! The progress of a run: bars on a terminal, plain lines in a pipe, events as JSON lines.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{IsTerminal as _, Read as _, Seek as _, SeekFrom},
    path::PathBuf,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::{Session, output::Printer, signals::Signals, style, table::tame};
use crate::{
    client::{Client, Event, Kind},
    error::Error,
    model::{Id, Outcome, Span, StepStatus},
};

/// How many running steps get a line of their own.
const SHOWN: usize = 12;

/// How a run is followed on screen.
pub(super) struct Progress<'a> {
    printer: &'a Printer,
    client: &'a Client,
    look: Look,
    told_waiting: Vec<String>,
}

enum Look {
    Quiet,
    Lines,
    Json,
    Bars(Box<Bars>),
}

/// What is known of the run as a whole.
struct Totals {
    all: usize,
    done: usize,
    failed: usize,
    running: BTreeMap<Id, (String, u32, Instant)>,
    past: BTreeMap<Id, u64>,
    left: BTreeSet<Id>,
    width: usize,
}

struct Bars {
    totals: Totals,
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
            Look::Bars(Box::new(Bars::new(Totals::new(&session.client, run)?)))
        } else {
            Look::Lines
        };
        Ok(Self { printer, client: &session.client, look, told_waiting: Vec::new() })
    }

    /// Takes note of an event of the run.
    pub(super) fn take(&mut self, event: &Event, run: &str) {
        if event.run() != Some(run) {
            return;
        }
        match &mut self.look {
            Look::Quiet => {}
            Look::Json => self.printer.line(&json!(event)),
            Look::Lines => {
                if let Some(line) = line(event) {
                    self.printer.text(&format!("{line}\n"));
                }
            }
            Look::Bars(bars) => bars.take(event),
        }
    }

    /// Draws what changes by itself: times and last lines.
    pub(super) fn tick(&mut self) {
        if let Look::Bars(bars) = &mut self.look {
            bars.draw(self.client);
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
            Look::Lines => self.printer.note(text),
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
        let mut totals = Self {
            all: 0,
            done: 0,
            failed: 0,
            running: BTreeMap::new(),
            past: BTreeMap::new(),
            left: BTreeSet::new(),
            width: view.policy().map_or(1, |policy| policy.max_concurrent as usize),
        };
        for (at, step) in view.sequence.steps.iter().enumerate().filter(|(_, step)| found.covers(&step.id)) {
            totals.all += 1;
            if let Some(exit) = view.records.get(&step.id).and_then(|record| record.exit.as_ref()) {
                totals.past.insert(step.id.clone(), exit.ms);
            }
            match ready.status(at) {
                StepStatus::Done => totals.done += 1,
                StepStatus::Failed | StepStatus::NeedsReview => totals.failed += 1,
                StepStatus::Running => {
                    totals.running.insert(step.id.clone(), (run.to_owned(), 1, Instant::now()));
                }
                StepStatus::Ready | StepStatus::Blocked => drop(totals.left.insert(step.id.clone())),
            }
        }
        Ok(totals)
    }

    fn take(&mut self, event: &Event) {
        match &event.kind {
            Kind::StepStarted { step, run, attempt } => {
                self.left.remove(step);
                self.running.insert(step.clone(), (run.clone(), *attempt, Instant::now()));
            }
            Kind::StepEnded { step, outcome, duration_ms, .. } => {
                self.left.remove(step);
                self.running.remove(step);
                self.past.insert(step.clone(), *duration_ms);
                if outcome.status == StepStatus::Done {
                    self.done += 1;
                } else {
                    self.failed += 1;
                }
            }
            _ => {}
        }
    }

    /// `12/40 steps · 3 running · about 4m left`.
    fn words(&self) -> String {
        let mut words = format!("{}/{} steps", self.done, self.all);
        if self.failed > 0 {
            words.push_str(&format!(" · {} failed", self.failed));
        }
        if !self.running.is_empty() {
            words.push_str(&format!(" · {} running", self.running.len()));
        }
        if let Some(left) = self.time_left() {
            words.push_str(&format!(" · about {} left", seconds(left)));
        }
        words
    }

    /// In seconds, from past durations of the same steps, or their mean where a step has none.
    fn time_left(&self) -> Option<u64> {
        if self.past.is_empty() || self.left.is_empty() || self.running.is_empty() {
            return None;
        }
        let mean = self.past.values().sum::<u64>() / self.past.len() as u64;
        let wait: u64 = self.left.iter().map(|id| self.past.get(id).copied().unwrap_or(mean)).sum();
        let now: u64 = self
            .running
            .iter()
            .map(|(id, (_, _, since))| {
                let so_far = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.past.get(id).copied().unwrap_or(mean).saturating_sub(so_far)
            })
            .sum();
        let lanes = self.width.min(self.left.len() + self.running.len()).max(1) as u64;
        Some(((wait + now) / lanes).div_ceil(1000))
    }
}

impl Bars {
    fn new(totals: Totals) -> Self {
        let multi = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        let sum = multi.add(ProgressBar::no_length());
        sum.set_style(plain_style());
        let running: Vec<Id> = totals.running.keys().cloned().collect();
        let mut bars = Self { totals, multi, sum, steps: BTreeMap::new(), drawn: Instant::now() };
        for step in &running {
            bars.begin(step);
        }
        bars
    }

    fn take(&mut self, event: &Event) {
        self.totals.take(event);
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

    fn draw(&mut self, client: &Client) {
        if self.drawn.elapsed() < Duration::from_millis(120) {
            return;
        }
        self.drawn = Instant::now();
        self.sum.set_message(self.totals.words());
        let width = self.steps.keys().map(|id| id.as_str().len()).max().unwrap_or(0);
        for (id, bar) in &self.steps {
            let Some((run, attempt, since)) = self.totals.running.get(id) else { continue };
            let took = seconds(since.elapsed().as_secs());
            let last = last_line(&client.paths().run(run).join(id.as_str()), *attempt);
            bar.set_message(format!("{} {id:<width$}  {:>6}  {}", style::glyph(StepStatus::Running), took, style::dim(&last)));
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
    let read = || {
        let mut file = File::open(path).ok()?;
        let len = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(len.saturating_sub(4096))).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.lines().rev().find(|line| !line.trim().is_empty()).map(tame)
    };
    read().unwrap_or_default()
}

/// An event in a line, for people.
fn line(event: &Event) -> Option<String> {
    match &event.kind {
        Kind::StepStarted { step, .. } if !std::io::stdout().is_terminal() => {
            Some(format!("{} {step} started", style::glyph(StepStatus::Running)))
        }
        Kind::StepEnded { step, attempt, outcome, duration_ms, .. } => Some(ended(step, *attempt, outcome, *duration_ms)),
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
