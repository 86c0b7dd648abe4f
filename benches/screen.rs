//! What the full-screen interface costs: the layout by itself, and the real binary on a pseudo-terminal of 140×40, from a
//! key to the frame that shows what it did. By hand: `cargo bench --bench screen [-- NAME…]`.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    num::NonZero,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use threados::{
    layout::{Layout, Zoom},
    model::Graph,
    store::yaml,
};

const COLUMNS: u16 = 140;
const ROWS: u16 = 40;
const RIGHT: &str = "\x1b[C";
const LEFT: &str = "\x1b[D";
const PAN_RIGHT: &str = "\x1b[1;2C";
const PAN_LEFT: &str = "\x1b[1;2D";
/// The end of a frame.
const DRAWN: &[u8] = b"\x1b[?2026l";

/// Layers of twenty steps, each of which waits for two of the layer before.
fn plan(count: usize) -> String {
    const WIDTH: usize = 20;
    let mut text = String::from("version: \"1.0\"\nname: bench\nsteps:\n");
    for at in 0..count {
        let _ = writeln!(text, "  - id: s{at}\n    name: Step number {at}\n    command: [\"true\"]");
        if at >= WIDTH {
            let before = at - WIDTH;
            let beside = before / WIDTH * WIDTH + (at * 7 + at / WIDTH) % WIDTH;
            let _ = writeln!(text, "    depends_on: [s{before}, s{beside}]");
        }
    }
    text
}

/// Four steps that write as fast as they can, and a plan beside them.
fn noisy(count: usize) -> String {
    let mut text = plan(count);
    for at in 0..4 {
        let _ = writeln!(text, "  - id: noise{at}\n    command: yes 'a line of a log that goes on and on, number {at}'");
    }
    text
}

fn project(root: &Path, plan: &str) {
    let dir = root.join(".threados");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("policy.yaml"), "max_concurrent: 4\n").unwrap();
    fs::write(dir.join("sequence.yaml"), plan).unwrap();
}

fn layout() {
    println!("| layout and placing of | ms |\n|---|---|");
    for count in [1_000, 10_000] {
        let parsed = yaml::parse(plan(count).as_bytes(), Path::new("sequence.yaml")).unwrap();
        let graph = Graph::build(&parsed.sequence).unwrap();
        let time = || {
            let begun = Instant::now();
            let plane = Layout::of(&parsed.sequence, &graph).plane(Zoom::Normal);
            let took = begun.elapsed();
            assert!(plane.width > 0);
            took
        };
        let best = (0..9).map(|_| time()).min().unwrap();
        println!("| {count} steps | {:.1} |", ms(best));
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The real binary on a terminal.
struct Screen {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn std::io::Write + Send>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    _master: Box<dyn MasterPty + Send>,
}

impl Screen {
    fn open(root: &Path) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, ..PtySize::default() };
        let terminal = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_seqctl"));
        command.cwd(root);
        command.env("TERM", "xterm-256color");
        let child = terminal.slave.spawn_command(command).unwrap();
        drop(terminal.slave);
        let (out, output) = channel();
        let mut reader = terminal.master.try_clone_reader().unwrap();
        thread::spawn(move || {
            let mut block = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = reader.read(&mut block) {
                if out.send(block[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let keyboard = terminal.master.take_writer().unwrap();
        let [rows, columns] = [ROWS, COLUMNS].map(|cells| NonZero::new(cells).unwrap());
        let mut screen = Self { child, keyboard, output, parser: vt100::Parser::new(rows, columns, 0), _master: terminal.master };
        screen.until(|screen, _| screen.title().is_some());
        screen.rest(Duration::from_millis(1_500));
        screen
    }

    /// Reads until something is so; how long that took.
    fn until(&mut self, is_so: impl Fn(&Self, &[u8]) -> bool) -> Duration {
        let begun = Instant::now();
        loop {
            let bytes = self.output.recv_timeout(Duration::from_secs(20)).unwrap();
            self.parser.process(&bytes);
            if is_so(self, &bytes) {
                return begun.elapsed();
            }
        }
    }

    /// Reads whatever comes for a while.
    fn rest(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.parser.process(&bytes),
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => panic!("the screen has gone"),
            }
        }
    }

    /// The step whose log is shown, which is the selected one.
    fn title(&self) -> Option<String> {
        let text = self.parser.screen().contents();
        let after = text.split("Log · ").nth(1)?;
        Some(after.split(' ').next()?.to_owned())
    }

    fn press(&mut self, key: &str) {
        self.keyboard.write_all(key.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// From a key to the frame that shows another step selected: the middle and the longest of many, in ms.
    fn select(&mut self) -> (f64, f64) {
        let mut times: Vec<f64> = Vec::new();
        for round in 0..40 {
            let before = self.title();
            self.press(if round % 2 == 0 { RIGHT } else { LEFT });
            times.push(ms(self.until(|screen, _| screen.title() != before)));
            self.rest(Duration::from_millis(60));
        }
        middle_and_longest(times)
    }

    /// From a key that moves the graph under its window to the end of that frame, in ms.
    fn pan(&mut self) -> (f64, f64) {
        let mut times = Vec::new();
        for round in 0..40 {
            self.press(if round % 2 == 0 { PAN_RIGHT } else { PAN_LEFT });
            times.push(ms(self.until(|_, bytes| bytes.windows(DRAWN.len()).any(|part| part == DRAWN))));
            self.rest(Duration::from_millis(40));
        }
        middle_and_longest(times)
    }

    /// A number of `/proc/<pid>/status` in MiB.
    fn memory(&self, line: &str) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let found = text.lines().find_map(|found| found.strip_prefix(line)?.trim().split(' ').next()?.parse::<f64>().ok());
        found.unwrap_or(0.0) / 1024.0
    }

    /// Processor time so far, in ticks of 10 ms.
    fn ticks(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        let after = text.rsplit(')').next().unwrap_or_default();
        after.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum()
    }

    fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn middle_and_longest(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() - 1])
}

fn seqctl(root: &Path, words: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seqctl"));
    command.args(words).current_dir(root).stdin(Stdio::null()).stdout(Stdio::null());
    assert!(command.status().unwrap().success(), "{words:?}");
}

fn idle() {
    println!(
        "\n| steps | select, ms (longest) | pan, ms (longest) | resident, MiB | private, MiB | processor in 10 s idle, ms |"
    );
    println!("|---|---|---|---|---|---|");
    for count in [100, 1_000, 10_000] {
        let root = tempfile::tempdir().unwrap();
        project(root.path(), &plan(count));
        let mut screen = Screen::open(root.path());
        let (select, slowest) = screen.select();
        let (pan, longest) = screen.pan();
        let before = screen.ticks();
        screen.rest(Duration::from_secs(10));
        let ticks = (screen.ticks() - before) * 10;
        let (all, private) = (screen.memory("VmRSS:"), screen.memory("RssAnon:"));
        println!("| {count} | {select:.1} ({slowest:.1}) | {pan:.1} ({longest:.1}) | {all:.0} | {private:.0} | {ticks} |");
    }
}

fn busy() {
    println!("\n| steps, four of them writing | select, ms (longest) | resident, MiB |\n|---|---|---|");
    for count in [1_000, 10_000] {
        let root = tempfile::tempdir().unwrap();
        project(root.path(), &noisy(count));
        seqctl(root.path(), &["run", "noise0", "noise1", "noise2", "noise3", "--detach", "--yes"]);
        let mut screen = Screen::open(root.path());
        let (select, slowest) = screen.select();
        let all = screen.memory("VmRSS:");
        drop(screen);
        seqctl(root.path(), &["stop", "--all", "--yes"]);
        println!("| {count} | {select:.1} ({slowest:.1}) | {all:.0} |");
    }
}

fn main() {
    let names: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| name.contains(wanted.as_str()));
    for (name, measure) in [("layout", layout as fn()), ("idle", idle), ("busy", busy)] {
        if wanted(name) {
            measure();
        }
    }
}
