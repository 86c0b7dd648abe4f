//! Telling a person that something needs them: `notify` of config.yaml, run once for each need that was not there before.
//!
//! A runner finds out what is new, under the project lock, and hands it to a process of its own, which outlives it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read as _, Write as _},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    attention::{Need, NeedKind},
    call::Engine,
    drive::write_log,
    trust,
    view::View,
};
use crate::{
    error::Error,
    model::{CommandLine, Id, Span},
    store::{Config, FALLBACK, Paths, file},
};

/// How long the command may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest time between two looks whether it has ended.
const LOOK: Duration = Duration::from_millis(200);

/// How many needs one look tells of. All of them fit into a pipe.
const AT_ONCE: usize = 50;

/// What tells a need from others, as `state/notified.json` has it.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
struct Key {
    kind: String,
    id: Option<String>,
    since: Option<String>,
}

/// What somebody was told of, or found when they came, and still is there.
#[derive(Deserialize, Serialize)]
struct Known {
    v: u8,
    needs: BTreeSet<Key>,
}

/// What a command is told of a need.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Notice {
    /// The step, gate, run or request.
    step: Option<String>,
    /// What kind of need it is.
    reason: String,
    /// What would settle it.
    command: String,
    /// How many needs there are.
    count: usize,
}

/// What a runner keeps from one look to the next.
#[derive(Default)]
pub(super) struct News {
    /// The held steps that it has seen, and when first.
    held: BTreeMap<Key, Instant>,
}

impl News {
    /// What started to need a person since the last look; the project lock is held. Whatever was there before the first look
    /// of all is nobody's news. `is_last` if this is the runner's last look.
    pub(super) fn look(&mut self, paths: &Paths, view: &View, is_last: bool) -> Result<Vec<Notice>, Error> {
        if view.config.notify.is_none() || view.ignored.contains(&trust::NOTIFY) {
            return Ok(Vec::new());
        }
        let engine = Engine::new(paths.clone());
        let ready = view.readiness();
        let needs = engine.needs(view, &ready, &engine.pending(view, &ready)?);
        self.held.retain(|known, _| needs.iter().any(|need| key(need) == *known));
        let now: BTreeMap<Key, &Need> = needs
            .iter()
            .map(|need| (key(need), need))
            .filter(|(key, need)| is_settled(view, need) && (is_last || self.is_ripe(key, need)))
            .collect();
        let place = paths.state("notified.json");
        let known = file::read_json::<Known>(&place).filter(|known| known.v == 1).map(|known| known.needs);
        let keys: BTreeSet<Key> = now.keys().cloned().collect();
        if known.as_ref() != Some(&keys) {
            file::replace(&place, &file::pretty(&Known { v: 1, needs: keys })?)?;
        }
        let Some(known) = known else { return Ok(Vec::new()) };
        let new = now.into_iter().filter(|(key, _)| !known.contains(key)).take(AT_ONCE);
        let notice = |(key, need): (Key, &Need)| Notice {
            step: key.id,
            reason: key.kind,
            command: need.remedy.command.clone(),
            count: needs.len(),
        };
        Ok(new.map(notice).collect())
    }

    /// Whether it is time to tell of a need. What an orchestrator adds is held until it asks for it, which it does at once.
    fn is_ripe(&mut self, key: &Key, need: &Need) -> bool {
        need.kind != NeedKind::Held || self.held.entry(key.clone()).or_insert_with(Instant::now).elapsed() >= FALLBACK
    }
}

fn key(need: &Need) -> Key {
    let kind = serde_json::to_value(need.kind).ok().as_ref().and_then(Value::as_str).map(ToOwned::to_owned);
    Key { kind: kind.unwrap_or_default(), id: need.id.clone(), since: need.since.clone() }
}

/// Whether a need is one for sure. A run that has just been opened has no runner for a moment, and gets one from whoever
/// comes along; and when a step failed whose supervisor was killed is known once somebody has cleaned up after it.
fn is_settled(view: &View, need: &Need) -> bool {
    let has_lease = || need.id.as_ref().and_then(|id| id.parse::<Id>().ok()).is_some_and(|id| view.leases.contains_key(&id));
    match need.kind {
        NeedKind::Runner => false,
        NeedKind::Failed => need.since.is_some() || !has_lease(),
        _ => true,
    }
}

/// Starts the process that runs the command, once for each of these.
pub(super) fn send(paths: &Paths, run: &str, notices: &[Notice]) -> Result<Child, Error> {
    let failed = |error| Error::io("start", "the process that runs `notify`")(error);
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.arg("__notify").arg(&paths.root).arg(run).current_dir(&paths.root);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(failed)?;
    let job = serde_json::to_vec(notices).map_err(|error| Error::internal(error.to_string()))?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(&job).map_err(failed)?;
    }
    Ok(child)
}

/// The life of that process: it reads what there is to tell on its standard input, and tells it one after the other.
pub fn notify(paths: &Paths, run: &str) -> Result<(), Error> {
    // What ends the runner's group does not mean us.
    let _ = rustix::process::setsid();
    let mut job = Vec::new();
    std::io::stdin().read_to_end(&mut job).map_err(Error::io("read", "what there is to tell"))?;
    let notices: Vec<Notice> = serde_json::from_slice(&job).map_err(|error| Error::internal(error.to_string()))?;
    // What the command is counts as it stands now, and only if somebody trusts that.
    let config = Config::read(paths)?;
    let Some(line) = config.notify.filter(|_| trust::is_trusted(paths)) else { return Ok(()) };
    for notice in &notices {
        if let Err(why) = tell(paths, &line, notice) {
            warn(paths, run, &format!("warning: `notify` of config.yaml, `{}`: {why}", line.display()));
        }
    }
    Ok(())
}

/// Says in the run's log what is wrong with the command, unless that is there already.
fn warn(paths: &Paths, run: &str, text: &str) {
    let log = std::fs::read_to_string(paths.run(run).join("runner.log")).unwrap_or_default();
    if !log.contains(text) {
        write_log(paths, run, text);
    }
}

fn tell(paths: &Paths, line: &CommandLine, notice: &Notice) -> Result<(), String> {
    let mut command = match line {
        CommandLine::Shell(text) => {
            let mut command = Command::new("/bin/sh");
            command.arg("-c").arg(text);
            command
        }
        CommandLine::Argv(words) => {
            let mut command = Command::new(words.first().map_or("", String::as_str));
            command.args(words.iter().skip(1));
            command
        }
    };
    command
        .current_dir(&paths.root)
        .env("THREADOS_NOTIFY_STEP", notice.step.as_deref().unwrap_or_default())
        .env("THREADOS_NOTIFY_REASON", &notice.reason)
        .env("THREADOS_NOTIFY_COMMAND", &notice.command)
        .env("THREADOS_NOTIFY_COUNT", notice.count.to_string())
        .env("THREADOS_NOTIFY_PROJECT", &paths.root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let (deadline, mut pause) = (Instant::now() + patience(), Duration::from_millis(2));
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("ended with {status}")),
            Ok(None) if Instant::now() < deadline => {}
            Ok(None) => {
                if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                    let _ = kill_process_group(group, Signal::KILL);
                }
                let _ = child.wait();
                return Err(format!(
                    "did not end within {}",
                    Span::from_ms(u64::try_from(patience().as_millis()).unwrap_or(u64::MAX))
                ));
            }
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LOOK);
    }
}

fn patience() -> Duration {
    #[cfg(feature = "faults")]
    if let Some(ms) = std::env::var("THREADOS_NOTIFY_MS").ok().and_then(|ms| ms.parse().ok()) {
        return Duration::from_millis(ms);
    }
    PATIENCE
}
