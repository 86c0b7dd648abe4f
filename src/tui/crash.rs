//! A panic of the screen: the terminal is given back, what happened is kept in a file, and the person told where.

use std::{
    backtrace::Backtrace,
    env,
    fmt::Write as _,
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    panic::{self, PanicHookInfo},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, Once, PoisonError, mpsc::Sender},
    thread::{self, ThreadId},
};

use super::{msg::Msg, terminal};
use crate::clock;

/// A panic, for the person.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Crash {
    /// What happened.
    what: String,
    /// Where the report is; nothing where it could not be written.
    report: Option<PathBuf>,
}

/// Who looks after panics.
#[derive(Clone)]
struct Watch {
    /// The thread that has the terminal.
    screen: ThreadId,
    /// Where reports go.
    folder: PathBuf,
    /// Tells the screen of the panics of its other threads.
    out: Option<Sender<Msg>>,
}

static WATCH: Mutex<Option<Watch>> = Mutex::new(None);

fn watch() -> MutexGuard<'static, Option<Watch>> {
    WATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks after panics from now on, while this thread has the terminal.
pub(super) fn guard(folder: PathBuf, out: Option<Sender<Msg>>) {
    static HOOK: Once = Once::new();
    *watch() = Some(Watch { screen: thread::current().id(), folder, out });
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let found = watch().clone();
            match found {
                Some(watch) => watch.take(info),
                None => usual(info),
            }
        }));
    });
}

/// The terminal is nobody's any more: panics are what they are in any program.
pub(super) fn relax() {
    *watch() = None;
}

impl Watch {
    fn take(&self, info: &PanicHookInfo<'_>) {
        let what = what(info);
        let crash = Crash { report: write(&self.folder, &report(&what)), what };
        if thread::current().id() == self.screen {
            terminal::give_back();
            crash.tell();
        } else if let Some(out) = &self.out {
            // Only the thread that draws gives the terminal back; else it would draw over the shell.
            let _ = out.send(Msg::Crashed(crash));
        }
    }
}

impl Crash {
    /// Ends the process like the panic of its first thread would, once the terminal is given back.
    pub(super) fn end(self) -> ! {
        self.tell();
        panic::resume_unwind(Box::new(self.what))
    }

    fn tell(&self) {
        let report = match &self.report {
            Some(path) => format!("what happened is in {}", path.display()),
            None => "there was no room for a report".into(),
        };
        // Who has closed it cannot be told.
        let _ = writeln!(
            io::stderr(),
            "seqctl: the screen broke: {}\n  {report}\n  what runs goes on; `seqctl` opens the screen again, `seqctl attach` follows the run",
            self.what
        );
    }
}

fn what(info: &PanicHookInfo<'_>) -> String {
    let words = info.payload_as_str().unwrap_or("no words");
    info.location().map_or_else(|| words.to_owned(), |place| format!("{words} ({}:{})", place.file(), place.line()))
}

fn report(what: &str) -> String {
    let (width, height) = crossterm::terminal::size().unwrap_or_default();
    let thread = thread::current();
    let mut text = format!(
        "seqctl {} on {} {}\n{}\nthread {}: {what}\nterminal {width}x{height}",
        env!("CARGO_PKG_VERSION"),
        env::consts::OS,
        env::consts::ARCH,
        clock::stamp(),
        thread.name().unwrap_or("without a name"),
    );
    for name in ["TERM", "TERM_PROGRAM", "COLORTERM", "NO_COLOR", "TMUX", "LANG", "LC_ALL"] {
        if let Ok(value) = env::var(name) {
            let _ = write!(text, " {name}={value}");
        }
    }
    let _ = write!(text, "\n\n{}\n", Backtrace::force_capture());
    text
}

/// Writes a report, beside the project or, where that cannot be, in the folder for temporary files.
fn write(folder: &Path, text: &str) -> Option<PathBuf> {
    let name = format!("crash-{}.txt", clock::run_id());
    let places = [folder.join(&name), env::temp_dir().join(format!("seqctl-{name}"))];
    let create = |path: &PathBuf| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let is_written = |path: &PathBuf| create(path).and_then(|mut file| file.write_all(text.as_bytes())).is_ok();
    places.into_iter().find(is_written)
}
