//! What the last entries of a long audit log cost: `seqctl audit tail -n 50` as a whole process, beside `tail -n 50` on the
//! same bytes. By hand: `cargo bench --bench audit`.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use threados::{
    audit::{Draft, Entry},
    store::sha256,
};

const SIZES: [u64; 3] = [100, 10_000, 1_000_000];
const ROUNDS: usize = 31;

/// A log of so many entries in one part, longer than any would be that `seqctl` had written itself.
fn write_log(path: &Path, count: u64) {
    let mut log = BufWriter::new(File::create(path).unwrap());
    let mut prev = "0".repeat(64);
    for seq in 1..=count {
        let body = Draft {
            actor: "system".into(),
            via: "runner".into(),
            action: "commit".into(),
            target: Some(format!("step-{}", seq % 1000)),
            result: "ok".into(),
            payload: serde_json::json!({"outcomes": [{"step": format!("step-{}", seq % 1000), "attempt": 1, "status": "DONE"}]}),
            ..Draft::default()
        };
        let entry = Entry { v: 1, seq, at: "2026-11-22T10:41:59.255Z".into(), prev, body };
        let line = serde_json::to_vec(&entry).unwrap();
        prev = sha256(&line);
        log.write_all(&line).unwrap();
        log.write_all(b"\n").unwrap();
    }
    log.into_inner().unwrap().sync_all().unwrap();
}

fn best(mut command: impl FnMut() -> Command) -> Duration {
    let run = |mut command: Command| {
        let begun = Instant::now();
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "{command:?}");
        begun.elapsed()
    };
    (0..ROUNDS).map(|_| run(command())).min().unwrap()
}

fn main() {
    println!("| entries | MiB | `seqctl audit tail -n 50`, ms | `tail -n 50`, ms | ratio |");
    println!("|---|---|---|---|---|");
    for count in SIZES {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join(".threados");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("sequence.yaml"), "version: \"1.0\"\nsteps: []\n").unwrap();
        let log = dir.join("audit.log");
        write_log(&log, count);
        let ours = best(|| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_seqctl"));
            command.args(["audit", "tail", "-n", "50"]).current_dir(root.path());
            command
        });
        let floor = best(|| {
            let mut command = Command::new("tail");
            command.args(["-n", "50"]).arg(&log);
            command
        });
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let size = fs::metadata(&log).unwrap().len() >> 20;
        println!("| {count} | {size} | {:.1} | {:.1} | {:.1} |", ms(ours), ms(floor), ms(ours) / ms(floor));
    }
}
