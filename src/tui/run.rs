//! The screen on the real terminal: its threads, its signals, its end.

use std::{
    env, io,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
    thread,
};

use crossterm::{
    clipboard::CopyToClipboard,
    event::Event,
    execute,
    terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate},
};
use ratatui::{Terminal, backend::CrosstermBackend, layout::Size};

use super::{
    app::{App, Look},
    crash,
    effect::Effect,
    keymap::Keymap,
    keys::Keys,
    log_reader::{self, LogReader},
    main_loop::{self, Host},
    msg::Msg,
    outside::{Abilities, Outside},
    snapshot::Surveyor,
    tails::{self, TailReader},
    terminal,
    theme::Theme,
    welcome::Start,
    worker::Worker,
};
use crate::{
    client::{self, Caller, Client, Subscription, Update},
    error::Error,
    layout::Glyphs,
};

/// How the screen is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Draw with nothing but ASCII.
    pub ascii: bool,
    /// Use no colours.
    pub is_plain: bool,
    /// What to begin with.
    pub start: Option<Start>,
}

/// Shows the screen until the person leaves. Returns what to say on the terminal then.
pub fn run(open: impl Fn() -> Result<Client, Error>, caller: &Caller, options: &Options) -> Result<String, Error> {
    let client = open()?;
    let root = client.paths().root.clone();
    let (to_screen, inbox) = channel();
    crash::guard(client.paths().dir.join("state"), Some(to_screen.clone()));
    let (to_worker, jobs) = channel();
    let arrangement = client::arrangement(&client);
    let subscription = watch(&client, to_screen.clone())?;
    let (to_logs, wishes) = channel();
    let (logs, again, out) = (LogReader::new(open()?), to_logs.clone(), to_screen.clone());
    thread::spawn(move || log_reader::work(logs, &wishes, &again, &out));
    let (to_tails, followed) = channel();
    let (tails, out) = (TailReader::new(open()?), to_screen.clone());
    thread::spawn(move || tails::work(tails, &followed, &out));
    let agents = client::agents(Some(&client));
    let worker = Worker { client, caller: caller.clone(), out: to_screen.clone(), logs: to_logs, tails: to_tails };
    thread::spawn(move || worker.work(&jobs));
    let mut screen = terminal::take().map_err(Error::io("set up", "the terminal"))?;
    catch_signals(to_screen.clone()).map_err(Error::io("catch", "signals"))?;
    let size = screen.size().map_err(Error::io("measure", "the terminal"))?;
    let mut app = App::new(look(options), Keymap::new(&[]).0, Size::new(size.width, size.height), crate::clock::now_ms());
    app.arrange(&arrangement);
    app.agents = agents;
    app.begin(options.start);
    let keys = Keys::read(to_screen).map_err(Error::io("read from", "the terminal"))?;
    let mut owner = Owner { root, keys, outside: Outside::new(io::stdout(), Abilities::here()), has_mouse: true };
    let result = main_loop::run(&mut app, &mut screen, &inbox, &to_worker, &mut owner);
    terminal::give_back();
    crash::relax();
    if let Some(crash) = app.crash.take() {
        crash.end();
    }
    drop(subscription);
    result.map_err(Error::io("draw on", "the terminal"))?;
    Ok(app.farewell())
}

pub(super) fn look(options: &Options) -> Look {
    Look {
        theme: Theme::new(terminal::has_colours() && !options.is_plain),
        glyphs: if options.ascii { Glyphs::Ascii } else { Glyphs::Unicode },
        is_animated: !terminal::is_remote(),
    }
}

/// Tells the screen of every change of the project, for as long as the subscription is kept.
fn watch(client: &Client, out: Sender<Msg>) -> Result<Subscription, Error> {
    let mut surveyor = Surveyor::default();
    client.subscribe(move |update| {
        let msg = match update {
            Update::Changed(project) => Msg::Snapshot(Arc::new(surveyor.survey(project))),
            Update::Broken(error) => Msg::Broken(error),
        };
        // Nobody listens any more: the screen is gone.
        let _ = out.send(msg);
    })
}

/// SIGTERM and SIGHUP end the screen like `q` does: what runs goes on. SIGWINCH is another size.
fn catch_signals(out: Sender<Msg>) -> io::Result<()> {
    let pipe = crate::sys::signal_pipe(&[libc::SIGTERM, libc::SIGHUP, libc::SIGINT, libc::SIGWINCH])?;
    thread::spawn(move || {
        loop {
            let mut poll = [rustix::event::PollFd::new(&pipe, rustix::event::PollFlags::IN)];
            let mut signals = [0; 8];
            let count = rustix::event::poll(&mut poll, None).and_then(|_| rustix::io::read(&pipe, &mut signals)).unwrap_or(0);
            let size = || crossterm::terminal::size().map(|(width, height)| Msg::Input(Event::Resize(width, height)));
            let messages = signals[..count].iter().filter_map(|signal| match i32::from(*signal) {
                libc::SIGWINCH => size().ok(),
                _ => Some(Msg::Terminate),
            });
            for msg in messages {
                if out.send(msg).is_err() {
                    return;
                }
            }
        }
    });
    Ok(())
}

/// The owner of the real terminal.
struct Owner {
    /// The project's folder.
    root: PathBuf,
    keys: Keys,
    /// What the terminal shows beside its cells.
    outside: Outside<io::Stdout>,
    /// Whether the mouse is the screen's.
    has_mouse: bool,
}

impl Host<CrosstermBackend<io::Stdout>> for Owner {
    fn carry_out(&mut self, effect: Effect, terminal: &mut Terminal<CrosstermBackend<io::Stdout>>) -> Option<Msg> {
        let done = match effect {
            Effect::Copy(text) => execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text)),
            Effect::Ring(words) => self.outside.ring(&words),
            Effect::Redraw => terminal::blank(terminal),
            Effect::Mouse(is_ours) => {
                self.has_mouse = is_ours;
                terminal::mouse(is_ours)
            }
            Effect::Suspend => {
                self.outside.forget();
                self.keys.without(|| suspend(self.has_mouse, terminal))
            }
            Effect::HandOver(words) => {
                self.outside.forget();
                return self.keys.without(|| hand_over(&self.root, &words, self.has_mouse, terminal));
            }
            _ => Ok(()),
        };
        done.err().map(|error| Msg::Say(error.to_string()))
    }

    fn present(&mut self, app: &App, terminal: &mut Terminal<CrosstermBackend<io::Stdout>>) -> io::Result<()> {
        execute!(io::stdout(), BeginSynchronizedUpdate)?;
        main_loop::frame(app, terminal)?;
        execute!(io::stdout(), EndSynchronizedUpdate)?;
        self.outside.show(app.sign())
    }
}

/// Stops until `fg`.
fn suspend(has_mouse: bool, terminal: &mut Terminal<CrosstermBackend<io::Stdout>>) -> io::Result<()> {
    terminal::give_back();
    // To this thread alone: the next line is not reached before `fg`.
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGTSTP)?;
    terminal::enter(has_mouse)?;
    terminal::blank(terminal)
}

/// Hands the terminal to a command of `seqctl`; what it says is read before the screen comes back.
fn hand_over(
    root: &Path,
    words: &[String],
    has_mouse: bool,
    terminal: &mut Terminal<CrosstermBackend<io::Stdout>>,
) -> Option<Msg> {
    terminal::give_back();
    let child = env::current_exe().and_then(|program| {
        let mut command = process::Command::new(program);
        command.arg("--project").arg(root).args(words).stderr(process::Stdio::piped()).spawn()
    });
    let ended = child.and_then(process::Child::wait_with_output);
    let entered = terminal::enter(has_mouse).and_then(|()| terminal::blank(terminal));
    match (ended, entered) {
        (Err(error), _) | (_, Err(error)) => Some(Msg::Say(error.to_string())),
        (Ok(ended), Ok(())) => {
            let said = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
            (!said.is_empty()).then(|| Msg::Say(crate::layout::tame(&said)))
        }
    }
}
