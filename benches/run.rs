//! What running steps costs, as ratios in one run to a floor that starts the same programs and
//! writes the same three small files. Run by hand: `cargo bench --bench run [-- NAME…]`.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded anyway")]

use std::{
    fmt::Write as _,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

/// A plan: how many steps, and what each waits for.
struct Shape {
    name: &'static str,
    needs: Vec<Vec<usize>>,
    /// How many lanes the floor may use; a chain has one.
    lanes: usize,
}

fn shapes() -> Vec<Shape> {
    let independent = |count: usize| vec![Vec::new(); count];
    let layered = |layers: usize, width: usize| {
        (0..layers * width).map(|at| if at < width { vec![] } else { vec![at - width, (at - width) / width * width] }).collect()
    };
    let chain = |count: usize| (0..count).map(|at: usize| at.checked_sub(1).into_iter().collect()).collect();
    vec![
        Shape { name: "independent-100", needs: independent(100), lanes: 2 },
        Shape { name: "independent-1000", needs: independent(1_000), lanes: 2 },
        Shape { name: "independent-10000", needs: independent(10_000), lanes: 2 },
        Shape { name: "layers-20x50", needs: layered(20, 50), lanes: 2 },
        Shape { name: "chain-200", needs: chain(200), lanes: 1 },
    ]
}

fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn plan(shape: &Shape) -> String {
    let mut text = String::from("version: \"1.0\"\nsteps:\n");
    for (at, needs) in shape.needs.iter().enumerate() {
        let _ = writeln!(text, "  - id: s{at}\n    command: [\"true\"]");
        if !needs.is_empty() {
            let mut needs: Vec<_> = needs.iter().map(|need| format!("s{need}")).collect();
            needs.dedup();
            let _ = writeln!(text, "    depends_on: [{}]", needs.join(", "));
        }
    }
    text
}

fn project(root: &Path, plan: &str) {
    let dir = root.join(".threados");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("policy.yaml"), "max_concurrent: 2\n").unwrap();
    fs::write(dir.join("sequence.yaml"), plan).unwrap();
}

/// A file that was just written could be half a save, and `seqctl` waits for it to settle; that is not
/// what is measured here.
fn settle() {
    thread::sleep(Duration::from_millis(350));
}

/// The same programs, as many at a time, with three small files each.
fn floor(shape: &Shape) -> Duration {
    let (root, next, count) = (folder(), AtomicUsize::new(0), shape.needs.len());
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..shape.lanes {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return;
                    }
                    let folder = root.path().join(at.to_string());
                    fs::create_dir(&folder).unwrap();
                    let log = |name: &str| Stdio::from(File::create(folder.join(name)).unwrap());
                    let (out, err) = (log("stdout.log"), log("stderr.log"));
                    let status = Command::new("true").stdin(Stdio::null()).stdout(out).stderr(err).status().unwrap();
                    fs::write(folder.join("status.json"), format!("{{\"code\":{:?}}}", status.code())).unwrap();
                }
            });
        }
    });
    begun.elapsed()
}

fn seqctl() -> PathBuf {
    env!("CARGO_BIN_EXE_seqctl").into()
}

/// A runner's memory at its most, in MiB.
#[derive(Clone, Copy, Default)]
struct Peak {
    /// What it has for itself.
    private: f64,
    /// The same with the pages of the program, which all that run share.
    resident: f64,
}

/// One run through the real binary; the time it took and the runner's memory.
fn ours(shape: &Shape) -> (Duration, Peak) {
    let root = folder();
    project(root.path(), &plan(shape));
    settle();
    let begun = Instant::now();
    let mut child = Command::new(seqctl())
        .args(["run", "--json", "--yes"])
        .current_dir(root.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = Peak::default();
    let mut runner = None;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        runner = runner.or_else(|| runner_of(root.path()));
        if let Some(pid) = runner {
            peak.private = peak.private.max(memory(pid, "RssAnon:"));
            peak.resident = peak.resident.max(memory(pid, "VmHWM:"));
        }
        thread::sleep(Duration::from_millis(20));
    };
    let took = begun.elapsed();
    assert!(status.success(), "{} failed", shape.name);
    (took, peak)
}

fn runner_of(root: &Path) -> Option<u32> {
    let entry = fs::read_dir(root.join(".threados/state/runners")).ok()?.next()?.ok()?;
    let text = fs::read_to_string(entry.path()).ok()?;
    text.split("\"pid\":").nth(1)?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// A line of `/proc/<pid>/status`, in MiB.
fn memory(pid: u32, line: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kib = text.lines().find_map(|found| found.strip_prefix(line)?.trim().split(' ').next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

fn steps(wanted: &dyn Fn(&str) -> bool) {
    println!("| plan | steps | floor, ms a step | seqctl, ms a step | ratio | runner, MiB private | MiB resident |");
    println!("|---|---|---|---|---|---|---|");
    for shape in shapes().iter().filter(|shape| wanted(shape.name)) {
        let rounds = if shape.needs.len() > 1_000 { 1 } else { 3 };
        let best = |time: &mut dyn FnMut() -> Duration| (0..rounds).map(|_| time()).min().unwrap();
        let mut peak = Peak::default();
        let floor = best(&mut || floor(shape));
        let ours = best(&mut || {
            let (took, memory) = ours(shape);
            peak.private = peak.private.max(memory.private);
            peak.resident = peak.resident.max(memory.resident);
            took
        });
        let each = |took: Duration| took.as_secs_f64() * 1000.0 / shape.needs.len() as f64;
        let ratio = ours.as_secs_f64() / floor.as_secs_f64();
        let (name, count, Peak { private, resident }) = (shape.name, shape.needs.len(), peak);
        println!("| {name} | {count} | {:.3} | {:.3} | {ratio:.2} | {private:.1} | {resident:.1} |", each(floor), each(ours));
    }
}

/// Eight steps that write 200 MB each: against `cp`-like writing of the same bytes by the same
/// program, and the memory of supervisors meanwhile.
fn output() {
    const COMMAND: &str = "head -c 200000000 /dev/zero";
    let root = folder();
    let mut text = String::from("version: \"1.0\"\nsteps:\n");
    for at in 0..8 {
        let _ = writeln!(text, "  - id: s{at}\n    command: {COMMAND}");
    }
    let floor = {
        let folder = folder();
        let begun = Instant::now();
        for pair in 0..4 {
            let spawn = |at: usize| {
                let log = File::create(folder.path().join(format!("{pair}-{at}"))).unwrap();
                Command::new("sh").args(["-c", COMMAND]).stdout(log).spawn().unwrap()
            };
            let mut both = [spawn(0), spawn(1)];
            for child in &mut both {
                child.wait().unwrap();
            }
        }
        begun.elapsed()
    };
    project(root.path(), &text);
    settle();
    let begun = Instant::now();
    let status =
        Command::new(seqctl()).args(["run", "--json", "--yes"]).current_dir(root.path()).stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
    let took = begun.elapsed();
    println!(
        "\neight steps of 200 MB: floor {:.2} s, seqctl {:.2} s, ratio {:.2}",
        floor.as_secs_f64(),
        took.as_secs_f64(),
        took.as_secs_f64() / floor.as_secs_f64()
    );
}

/// The private memory of the supervisor of a step that sleeps.
fn supervisor() {
    let root = folder();
    project(root.path(), "version: \"1.0\"\nsteps:\n  - id: s\n    command: sleep 60\n");
    let run = |words: &[&str]| {
        Command::new(seqctl()).args(words).current_dir(root.path()).stdout(Stdio::null()).status().unwrap();
    };
    run(&["run", "--detach", "--yes"]);
    let lease = root.path().join(".threados/state/active/s");
    let begun = Instant::now();
    let pid = loop {
        let text = fs::read_to_string(&lease).unwrap_or_default();
        let line = text.lines().find(|line| line.contains("\"t\":\"supervisor\"")).filter(|_| text.contains("\"t\":\"child\""));
        if let Some(pid) =
            line.and_then(|line| line.split("\"pid\":").nth(1)?.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok())
        {
            break pid;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "the step did not start");
        thread::sleep(Duration::from_millis(5));
    };
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let private: f64 = text
        .lines()
        .filter(|line| line.starts_with("Private_"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok())
        .sum();
    println!("\na supervisor: {:.2} MiB of private memory", private / 1024.0);
    run(&["stop", "--all"]);
}

fn main() {
    let names: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| name.contains(wanted.as_str()));
    steps(&wanted);
    if wanted("output") {
        output();
    }
    if wanted("supervisor") {
        supervisor();
    }
}
