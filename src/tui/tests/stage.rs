//! A screen on which tests act like a person.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, LazyLock, mpsc::channel},
    thread,
    time::{Duration, Instant},
};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, layout::Size};
use regex::Regex;
use tempfile::TempDir;

use super::super::{
    app::{App, Look},
    draw,
    effect::Effect,
    keymap::{Key, Keymap},
    log_panel::{Lines, Wish},
    log_reader::LogReader,
    msg::Msg,
    snapshot::Surveyor,
    theme::Theme,
    worker::Worker,
};
use crate::{
    client::{self, Actor, Caller, Observer, StepRow},
    layout::Glyphs,
    model::Id,
};

/// The three sizes that every screen is shown at.
pub(super) const SIZES: [(u16, u16); 3] = [(80, 24), (72, 50), (140, 40)];

/// A plan with a group and a gate.
pub(super) const PLAN: &str = "\
version: \"1.0\"
name: payments-migration
steps:
  - {id: plan, command: \"true\"}
  - {id: implement-a, group_id: api, command: make a, depends_on: [plan]}
  - {id: implement-b, group_id: api, command: make b, depends_on: [plan]}
  - {id: deploy, command: make deploy, depends_on: [review]}
gates:
  - {id: review, name: Review the API, depends_on: [implement-a, implement-b]}
";

/// A plan of steps that wait for one another.
pub(super) fn chain(steps: usize) -> String {
    let rest = (1..steps).map(|at| format!("  - {{id: step-{at}, command: \"true\", depends_on: [step-{}]}}\n", at - 1));
    format!("version: \"1.0\"\nsteps:\n  - {{id: step-0, command: \"true\"}}\n{}", rest.collect::<String>())
}

/// How long everything took, in milliseconds, and in which run.
const TOOK: u64 = 134_000;
const RUN: &str = "20261122-064800-7f3a";

fn steady(row: &mut StepRow) {
    row.duration_ms = row.duration_ms.map(|_| TOOK);
    row.run = row.run.as_ref().map(|_| RUN.to_owned());
    row.left_ms = row.left_ms.map(|_| 10 * TOOK);
}

/// The program that runs steps: the one that stands beside this test.
fn program() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("seqctl")
}

/// A screen with a project behind it.
pub(super) struct Stage {
    pub(super) app: App,
    /// What was wanted beyond looking: actions, copies, the bell, leaving.
    pub(super) wanted: Vec<Effect>,
    worker: Worker,
    logs: LogReader,
    observer: Observer,
    surveyor: Surveyor,
    /// Whether whatever took its time is shown to have taken the same, and every run to be the same.
    is_steady: bool,
    /// The last runs of steps, where others are shown.
    runs: HashMap<Id, String>,
    folder: TempDir,
}

impl Stage {
    /// The screen at a size, on a project with this plan.
    pub(super) fn new((width, height): (u16, u16), plan: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".threados")).unwrap();
        std::fs::write(folder.path().join(".threados/sequence.yaml"), plan).unwrap();
        let look = Look { theme: Theme::new(true), glyphs: Glyphs::Unicode, is_animated: false };
        let app = App::new(look, Keymap::new(&[]).0, Size::new(width, height), 0);
        let caller = Caller { actor: Actor::User, via: "tui", step: None, request: None };
        let client = client::open(Some(folder.path())).unwrap().with_program(program());
        let worker = Worker { client, caller, out: channel().0, logs: channel().0, tails: channel().0 };
        let logs = LogReader::new(client::open(Some(folder.path())).unwrap());
        let observer = Observer::new(worker.client.paths().clone());
        let mut stage = Self {
            app,
            wanted: Vec::new(),
            worker,
            logs,
            observer,
            surveyor: Surveyor::default(),
            is_steady: false,
            runs: HashMap::new(),
            folder,
        };
        stage.look();
        stage
    }

    /// The project's folder.
    pub(super) fn root(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Looks at the project again, as after a change of its files.
    pub(super) fn look(&mut self) {
        let msg = match self.observer.look() {
            Ok(mut project) => {
                if self.is_steady {
                    self.runs.extend(project.status.steps.iter().filter_map(|row| Some((row.id.clone(), row.run.clone()?))));
                    project.status.steps.iter_mut().for_each(steady);
                }
                Msg::Snapshot(Arc::new(self.surveyor.survey(Arc::new(project))))
            }
            Err(error) => Msg::Broken(Arc::new(error)),
        };
        self.tell(msg);
    }

    /// Something happens; what is wanted of the project is done at once.
    pub(super) fn tell(&mut self, msg: Msg) {
        let effects = self.app.update(msg);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Log(wish) = effect {
                if let Some(wish) = wish {
                    let lines = self.read_log(&wish);
                    self.tell(Msg::Lines(Box::new(lines)));
                }
            } else if !effect.needs_terminal() && !matches!(effect, Effect::Call(_) | Effect::Apply(_)) {
                if let Some(mut msg) = self.worker.answer(effect) {
                    if let (true, Msg::Facts(facts)) = (self.is_steady, &mut msg) {
                        facts.produced.iter_mut().for_each(|detail| steady(&mut detail.state));
                        for attempt in &mut facts.attempts {
                            (attempt.duration_ms, attempt.run) = (TOOK, RUN.to_owned());
                        }
                    }
                    self.tell(msg);
                }
            } else {
                self.wanted.push(effect);
            }
        }
    }

    /// Shows from now on whatever took its time as if it had taken the same, so that it can be compared.
    pub(super) fn steadily(&mut self) -> &mut Self {
        self.until("the runs to have ended or to wait", |stage| {
            let runs = &stage.app.snapshot.as_ref().unwrap().status().runs;
            runs.iter().all(|run| !run.has_runner || !run.waits_for.is_empty())
        });
        self.steadily_running()
    }

    /// The same while something runs.
    pub(super) fn steadily_running(&mut self) -> &mut Self {
        self.is_steady = true;
        self.look();
        self
    }

    /// Another size of the terminal.
    pub(super) fn resize(&mut self, (width, height): (u16, u16)) -> &mut Self {
        self.tell(Msg::Input(Event::Resize(width, height)));
        self
    }

    /// The screen with times and runs that are always the same.
    pub(super) fn steady_text(&self) -> String {
        static VARYING: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
            [
                (Regex::new(r"running for \d+m?s *").unwrap(), "running for 2m14s "),
                (Regex::new(r"\d{8}-\d{6}-[0-9a-f]{4}").unwrap(), RUN),
                (Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").unwrap(), "2026-11-22 06:48:00"),
                (Regex::new(r"\b\d\d:\d\d:\d\d\b").unwrap(), "06:48:00"),
            ]
        });
        VARYING.iter().fold(self.text(), |text, (varying, steady)| varying.replace_all(&text, *steady).into_owned())
    }

    /// Looks and reads the log again until something is so.
    pub(super) fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) -> &mut Self {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_so(self) {
            assert!(Instant::now() < deadline, "waited in vain for {what}:\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
            self.look();
            self.app.read_log(None);
            let effects = std::mem::take(&mut self.app.effects);
            self.carry_out(effects);
        }
        self
    }

    /// Waits until a step has a status.
    pub(super) fn until_status(&mut self, step: &str, status: &str) -> &mut Self {
        self.until(&format!("{step} to be {status}"), |stage| stage.status(step) == status)
    }

    /// The status of a step or gate.
    pub(super) fn status(&self, id: &str) -> &'static str {
        let snapshot = self.app.snapshot.as_ref().unwrap();
        snapshot.node(snapshot.find(&id.parse().unwrap()).unwrap()).status
    }

    /// Runs the selection by its key, whatever is asked, and waits until it has a status.
    pub(super) fn run(&mut self, status: &str) -> &mut Self {
        let program = program();
        assert!(program.is_file(), "{} is needed: cargo test builds it, and so does cargo build", program.display());
        let id = self.app.selected_id().unwrap();
        let last = self.last_attempt(id.as_str());
        self.press("r").act();
        if !self.app.layers.is_empty() {
            self.press("y").act();
        }
        self.until("another attempt", |stage| stage.last_attempt(id.as_str()) != last);
        self.until_status(id.as_str(), status);
        self.app.toasts.clear();
        self
    }

    fn last_attempt(&self, step: &str) -> Option<(String, u32)> {
        let row = self.app.snapshot.as_ref()?.step(&step.parse().unwrap())?;
        row.run.clone().zip(row.attempt)
    }

    /// The folder of a step's last attempt.
    pub(super) fn attempt(&self, step: &str) -> PathBuf {
        let (shown, attempt) = self.last_attempt(step).expect("it has run");
        let run = self.runs.get(step).unwrap_or(&shown);
        self.root().join(format!(".threados/runs/{run}/{step}/{attempt}"))
    }

    /// Writes another log in the place of that of a step's last attempt, and reads it.
    pub(super) fn log(&mut self, step: &str, name: &str, text: &str) -> &mut Self {
        std::fs::write(self.attempt(step).join(name), text).unwrap();
        self.reopen()
    }

    /// Reads the log as if nobody had seen it before.
    pub(super) fn reopen(&mut self) -> &mut Self {
        self.observer = Observer::new(self.worker.client.paths().clone());
        self.logs = LogReader::new(client::open(Some(self.root())).unwrap());
        self.app.log.wanted = None;
        self.look();
        self
    }

    /// Reads a part of a log as the log's thread does at first: whether there is more to count, and the lines.
    pub(super) fn read_once(&mut self, wish: &Wish) -> (Lines, bool) {
        LogReader::new(client::open(Some(self.root())).unwrap()).read(wish)
    }

    fn read_log(&mut self, wish: &Wish) -> Lines {
        let mut real = wish.clone();
        if let (Some((run, _)), Some(last)) = (&mut real.wanted.attempt, self.runs.get(&wish.wanted.step)) {
            run.clone_from(last);
        }
        let found = real.find.as_ref().and_then(|find| self.logs.find(&real.wanted, find, &mut || false));
        loop {
            let (lines, has_more) = self.logs.read(&real);
            if !has_more {
                return Lines { found, wanted: wish.wanted.clone(), ..lines };
            }
        }
    }

    /// Does the actions that are wanted, and looks again.
    pub(super) fn act(&mut self) -> &mut Self {
        for effect in std::mem::take(&mut self.wanted) {
            if let Some(msg) = self.worker.answer(effect) {
                self.tell(msg);
            }
        }
        self.look();
        self
    }

    /// Presses keys, as config.yaml writes them, with blanks between.
    pub(super) fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            let (code, modifiers) = Key::parse(key).unwrap().parts();
            self.tell(Msg::Input(Event::Key(KeyEvent::new(code, modifiers))));
        }
        self
    }

    /// Types a text.
    pub(super) fn write(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            self.tell(Msg::Input(Event::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE))));
        }
        self
    }

    /// Does something with the mouse.
    pub(super) fn mouse(&mut self, kind: MouseEventKind, (column, row): (u16, u16)) -> &mut Self {
        self.tell(Msg::Input(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })));
        self
    }

    /// Saves another plan, and looks.
    pub(super) fn plan(&mut self, plan: &str) {
        std::fs::write(self.root().join(".threados/sequence.yaml"), plan).unwrap();
        self.look();
    }

    /// The cells of the screen.
    pub(super) fn buffer(&self) -> Buffer {
        let Size { width, height } = self.app.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw::draw(&self.app, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// What stands in a cell.
    pub(super) fn cell(&self, x: u16, y: u16) -> String {
        self.buffer()[(x, y)].symbol().to_owned()
    }

    /// The screen as text.
    pub(super) fn text(&self) -> String {
        let Size { width, height } = self.app.size;
        let buffer = self.buffer();
        let rows = (0..height).map(|y| {
            let mut row = String::new();
            let mut x = 0;
            while x < width {
                let symbol = buffer[(x, y)].symbol();
                row.push_str(symbol);
                x += u16::try_from(crate::layout::width(symbol)).unwrap().max(1);
            }
            row.trim_end().to_owned()
        });
        rows.collect::<Vec<_>>().join("\n")
    }

    /// Where a text stands on the screen.
    pub(super) fn find(&self, text: &str) -> (u16, u16) {
        let screen = self.text();
        let (y, row) =
            screen.lines().enumerate().find(|(_, row)| row.contains(text)).unwrap_or_else(|| panic!("no {text}:\n{screen}"));
        let before = row.split(text).next().unwrap();
        (u16::try_from(crate::layout::width(before)).unwrap(), u16::try_from(y).unwrap())
    }
}

/// Compares the screen with its snapshot.
macro_rules! shows {
    ($stage:expr, $name:expr) => {
        insta::with_settings!({snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/tui"), prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!($name, $stage.steady_text());
        })
    };
}
pub(super) use shows;
