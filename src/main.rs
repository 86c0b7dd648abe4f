//! `seqctl`.

use std::{ffi::OsString, io::Write as _, path::PathBuf, process::ExitCode};

use threados::{cli, clock, engine, error::Error, runner, store::Paths, sys};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    match (words.get(1).and_then(|word| word.to_str()), words.get(2), words.get(3).and_then(|word| word.to_str())) {
        // Programs that seqctl starts for itself.
        (Some("__spawner"), ..) => runner::serve_spawner().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        (Some("__runner"), Some(root), Some(run)) => ended(&run_runner(root.into(), run)),
        (Some("__notify"), Some(root), Some(run)) => ended(&engine::notify(&Paths::at(root), run)),
        _ => cli::main(words),
    }
}

fn ended(result: &Result<(), Error>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    let _ = writeln!(std::io::stderr(), "{} {error}", clock::stamp());
    ExitCode::FAILURE
}

fn run_runner(root: PathBuf, run: &str) -> Result<(), Error> {
    // Our starter's terminal may go; we and our steps stay.
    let _ = rustix::process::setsid();
    // Before any thread and any lock: a child that inherits one would keep it.
    let spawner = runner::fork_spawner().map_err(Error::io("fork", "the spawner"))?;
    let _signals = sys::signal_pipe(&[libc::SIGHUP, libc::SIGINT]).map_err(Error::io("catch", "signals"))?;
    engine::drive(&Paths::at(root), run, spawner, || {
        let mut out = std::io::stdout();
        let _ = out.write_all(b"ready\n").and_then(|()| out.flush());
        if let Ok(null) = std::fs::OpenOptions::new().write(true).open("/dev/null") {
            let _ = rustix::stdio::dup2_stdout(&null);
        }
    })
}
