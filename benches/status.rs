//! What a look at a project costs: `seqctl status --json` as a whole process, of a plan that has not run and of one that
//! has, beside `make -n` on the same graph where there is a `make`. By hand: `cargo bench --bench status`.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const SIZES: [usize; 3] = [100, 1_000, 10_000];
const ROUNDS: usize = 15;

fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// Each step waits for two before it.
fn plan(count: usize) -> String {
    let mut text = String::from("version: \"1.0\"\nsteps:\n");
    for at in 0..count {
        let _ = writeln!(text, "  - id: s{at}\n    name: Step number {at}\n    command: [\"true\"]");
        if at > 1 {
            let _ = writeln!(text, "    depends_on: [s{}, s{}]", at / 2, at - 1 - at % 7 / 6);
        }
    }
    text
}

fn makefile(count: usize) -> String {
    let all: Vec<String> = (0..count).map(|at| format!("s{at}")).collect();
    let mut text = format!(".PHONY: {0}\nall: {0}\n", all.join(" "));
    for at in 0..count {
        let needs = if at > 1 { format!("s{} s{}", at / 2, at - 1 - at % 7 / 6) } else { String::new() };
        let _ = writeln!(text, "s{at}: {needs}\n\ttrue");
    }
    text
}

fn best(mut command: impl FnMut() -> Command) -> Option<Duration> {
    let run = |mut command: Command| {
        let begun = Instant::now();
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
        status.success().then(|| begun.elapsed())
    };
    (0..ROUNDS).map(|_| run(command())).collect::<Option<Vec<_>>>()?.into_iter().min()
}

fn show(time: Option<Duration>) -> String {
    time.map_or_else(|| "–".to_owned(), |time| format!("{:.1}", time.as_secs_f64() * 1000.0))
}

fn main() {
    println!("| steps | not run, ms | run, ms | `make -n`, ms |");
    println!("|---|---|---|---|");
    for count in SIZES {
        let root = folder();
        let dir = root.path().join(".threados");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("policy.yaml"), "mode: POWER\nmax_concurrent: 2\n").unwrap();
        fs::write(dir.join("sequence.yaml"), plan(count)).unwrap();
        fs::write(root.path().join("Makefile"), makefile(count)).unwrap();
        let seqctl = |words: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_seqctl"));
            command.args(words).current_dir(root.path());
            command
        };
        let fresh = best(|| seqctl(&["status", "--json"]));
        assert!(
            seqctl(&["run", "--yes", "--json"]).stdout(Stdio::null()).status().unwrap().success(),
            "{count} steps did not run"
        );
        let done = best(|| seqctl(&["status", "--json"]));
        let make = best(|| {
            let mut command = Command::new("make");
            command.args(["-n", "all"]).current_dir(root.path());
            command
        });
        println!("| {count} | {} | {} | {} |", show(fresh), show(done), show(make));
    }
}
