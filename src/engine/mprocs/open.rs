//! Opening mprocs and staying beside it: its panes are started, follow the plan, and are cleaned up after.

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{Command as Process, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::json;

use super::{
    keep::in_order,
    pane::{PANE_VARIABLE, is_open},
    session::{Session, SessionLock},
};
use crate::{
    engine::{Caller, Engine},
    error::Error,
    model::Id,
    mprocs::{Command, Config, Panes, Program, VERSION, free_port, is_free, send},
    store::{FALLBACK, Listener, Paths, active, file},
};

/// Names the port instead of any that is free.
const PORT_VARIABLE: &str = "THREADOS_MPROCS_PORT";

/// How many views are started with mprocs. Each is a process with a file watch of its own, which systems have few of;
/// further ones start with the first key.
const VIEWS: usize = 60;

/// mprocs hears nothing before its port is open, and does not act on what it hears for a moment after.
const EARLIEST: Duration = Duration::from_millis(250);

/// How long views may take to show up before they are started again.
const AGAIN: Duration = Duration::from_secs(2);

/// How long the first view may take at most.
const LATEST: Duration = Duration::from_secs(15);

/// How often we look for views while they come up.
const SOON: Duration = Duration::from_millis(50);

/// How often the panes are looked after, at most: a run makes many changes, and few of them are changes of the plan.
const PACE: Duration = Duration::from_millis(500);

/// How long mprocs may take to end once it was told to.
pub(super) const END: Duration = Duration::from_secs(5);

/// Taken out of the environment of panes: their folder says which project they are of.
const PROJECT_VARIABLE: &str = "THREADOS_BASE_PATH";

/// An mprocs that this process has started and stays beside.
pub struct Hosted<'a> {
    engine: &'a Engine,
    caller: Caller,
    session: Session,
    wakes: Receiver<Wake>,
    _listener: Option<Listener>,
    rise: Option<Rise>,
    /// Whether something changed since the panes were looked after, and when that was.
    is_behind: bool,
    kept: Instant,
}

/// What whoever stays beside mprocs wakes for.
enum Wake {
    Ended(io::Result<ExitStatus>),
    Changed,
}

/// Views that are coming up.
struct Rise {
    begun: Instant,
    told: Option<Instant>,
}

impl Engine {
    /// Writes mprocs.yaml for a port. Returns the panes that it has, and where it is.
    fn write_mprocs_config(&self, port: u16) -> Result<(Panes, PathBuf), Error> {
        let view = self.view()?;
        let panes = Panes::of(in_order(&view));
        let env = [(PANE_VARIABLE, Some("1")), (PROJECT_VARIABLE, None)];
        let (title, program) = (view.sequence.name.as_deref().unwrap_or("steps"), self.program()?);
        let config = Config { port, title, program: &program, root: &self.paths().root, env: &env, panes: &panes };
        let path = config_path(self.paths());
        file::replace(&path, config.text()?.as_bytes())?;
        Ok((panes, path))
    }

    /// Writes mprocs.yaml for whoever starts mprocs themselves.
    pub(in crate::engine) fn only_mprocs_config(&self) -> Result<PathBuf, Error> {
        let lock = SessionLock::take(self.paths())?;
        if let Some(session) = self.session(&lock)? {
            return Err(Error::MprocsOpen { pid: session.pid });
        }
        Ok(self.write_mprocs_config(port()?)?.1)
    }

    /// Starts mprocs on this process' terminal.
    pub fn open_mprocs(&self, caller: &Caller) -> Result<Hosted<'_>, Error> {
        let program = Program::find()?;
        check_version(&program)?;
        let paths = self.paths();
        let lock = SessionLock::take(paths)?;
        if let Some(session) = self.session(&lock)? {
            return Err(Error::MprocsOpen { pid: session.pid });
        }
        let port = port()?;
        let (panes, config) = self.write_mprocs_config(port)?;
        Session::remove(paths)?;
        let mut process = Process::new(&program.path);
        process.arg("-c").arg(&config).current_dir(&paths.root).env(PANE_VARIABLE, "1").env_remove(PROJECT_VARIABLE);
        let mut child = process.spawn().map_err(Error::io("start", &program.path))?;
        let session = Session::new(child.id(), port, panes);
        session.write(paths)?;
        drop(lock);
        let payload = json!({"pid": session.pid, "port": port, "panes": session.panes.all().len()});
        self.note_mprocs(caller, "mprocs.open", payload);
        let rise = (!session.panes.all().is_empty()).then(|| Rise { begun: Instant::now(), told: None });
        let (ended, wakes) = channel();
        let changed = ended.clone();
        thread::spawn(move || {
            let _ = ended.send(Wake::Ended(child.wait()));
        });
        let listener = Listener::new(&paths.dir, &[], move || {
            let _ = changed.send(Wake::Changed);
        });
        let (caller, kept) = (caller.clone(), Instant::now());
        Ok(Hosted { engine: self, caller, session, wakes, _listener: listener, rise, is_behind: true, kept })
    }
}

impl Hosted<'_> {
    /// Stays beside mprocs for a while; how it ended, once it has.
    pub fn tend(&mut self) -> Result<Option<ExitStatus>, Error> {
        let patience = match (&self.rise, self.is_behind) {
            (Some(_), _) => SOON,
            (None, true) => PACE.saturating_sub(self.kept.elapsed()),
            (None, false) => FALLBACK,
        };
        let is_quiet = match self.wakes.recv_timeout(patience) {
            Ok(Wake::Ended(status)) => return status.map(Some).map_err(Error::io("wait for", "mprocs")),
            Ok(Wake::Changed) => false,
            Err(_) => true,
        };
        // Where nobody tells of changes they are looked for.
        self.is_behind |= !is_quiet || patience == FALLBACK;
        if self.rise.is_some() {
            self.raise()?;
        } else if self.is_behind && self.kept.elapsed() >= PACE {
            (self.is_behind, self.kept) = (false, Instant::now());
            self.engine.keep_panes();
        }
        Ok(None)
    }

    /// Starts the views, until all are there. The selection stays where it is.
    fn raise(&mut self) -> Result<(), Error> {
        let (all, Some(rise)) = (self.session.panes.all(), &mut self.rise) else { return Ok(()) };
        let first = &all[..all.len().min(VIEWS)];
        let open = first.iter().filter(|pane| is_open(self.engine.paths(), &pane.step)).count();
        let is_late = rise.begun.elapsed() >= LATEST;
        if open == first.len() || (is_late && open > 0) {
            self.rise = None;
        } else if is_late {
            let why = format!("does not listen on port {}, or starts nothing", self.session.port);
            return Err(Error::MprocsFailed { why });
        } else if rise.told.map_or_else(|| rise.begun.elapsed() >= EARLIEST, |told| told.elapsed() >= AGAIN) {
            let _lock = SessionLock::take(self.engine.paths())?;
            // Its port may not be open yet.
            let is_told = send(self.session.port, &Command::start_all(first.len(), all.len())).is_ok();
            rise.told = is_told.then(Instant::now);
        }
        Ok(())
    }

    /// Ends mprocs, and no step.
    fn end(&self) {
        let _ = send(self.session.port, &Command::Quit);
        let begun = Instant::now();
        while self.session.is_alive() {
            if begun.elapsed() > END {
                self.session.signal(Signal::KILL);
            }
            thread::sleep(SOON);
        }
    }

    /// Cleans up after mprocs has ended. Returns the steps that go on.
    pub fn finish(self, status: Option<ExitStatus>) -> Result<Vec<Id>, Error> {
        if status.is_none() {
            self.end();
        }
        let running = running(self.engine.paths())?;
        let how = status.map(|status| status.to_string());
        let facts = json!({"how": how, "goesOn": running});
        self.engine.forget_session(&self.caller, &self.session, "mprocs.end", facts)?;
        Ok(running)
    }
}

/// What runs.
pub(super) fn running(paths: &Paths) -> Result<Vec<Id>, Error> {
    Ok(active(paths)?.into_iter().filter(|(_, _, is_held)| *is_held).map(|(step, ..)| step).collect())
}

fn config_path(paths: &Paths) -> PathBuf {
    paths.dir.join("mprocs.yaml")
}

/// What adds a pane for a step: the same program as in mprocs.yaml, for a shell, which makes room for it.
pub(super) fn added(program: &Path, step: &Id) -> Result<Command, Error> {
    let program = program.to_str().ok_or_else(|| Error::MprocsFailed { why: "takes no path that is not UTF-8".into() })?;
    let cmd = format!("exec {}", shell_words::join([program, "run", "step", step.as_str()]));
    Ok(Command::AddProc { cmd, name: step.to_string() })
}

/// The port that is named, or one that is free.
fn port() -> Result<u16, Error> {
    let Some(named) = env::var_os(PORT_VARIABLE).filter(|text: &OsString| !text.is_empty()) else { return free_port() };
    let port = named.to_str().and_then(|text| text.parse().ok()).filter(|port| *port > 0);
    let port = port.ok_or_else(|| Error::MprocsFailed { why: format!("cannot listen: {PORT_VARIABLE} is not a port number") })?;
    if is_free(port) { Ok(port) } else { Err(Error::MprocsFailed { why: format!("cannot listen: port {port} is taken") }) }
}

/// Only one version is known to be told things the way we do.
fn check_version(program: &Program) -> Result<(), Error> {
    let path = &program.path;
    let output = Process::new(path).arg("--version").stdin(Stdio::null()).output().map_err(Error::io("start", path))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.split_whitespace().any(|word| word == VERSION) {
        return Ok(());
    }
    let said = text.lines().next().unwrap_or("nothing").trim().to_owned();
    Err(Error::MprocsNotFound { why: format!("{} is not mprocs {VERSION}: it says `{said}`", path.display()) })
}
