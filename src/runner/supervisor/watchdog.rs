//! A watchdog: its supervisor runs it again and again, for as long as somebody holds the lease of the
//! step that it watches, and stops that step when it says so. It needs no runner for that.

use std::{
    ffi::OsString,
    fs,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use super::{Ending, Refusal, Supervisor, TICK};
use crate::{
    clock,
    model::{Outcome, Span, StepStatus},
    runner::{
        Allowance, Look, SpecFile, Verdict,
        finish::{Left, read_report},
        spec::Watch,
        stop::{Finding, StopRequest, deliver},
        word::{Said, Word, cut, said},
    },
    store::{self, Exit, Paths, Record, file, worker_folder},
};

/// How long the first look waits for the step's own process.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a watchdog does next.
enum Cue {
    Look,
    /// The step has ended.
    Over,
    /// Somebody stops the watchdog.
    Asked(StopRequest),
    LeaseGone,
}

/// The looks so far.
#[derive(Default)]
struct Tally {
    looks: u32,
    failed: u32,
    /// How the last one failed that did.
    why: String,
}

impl Watch {
    /// What the lease of the watched step says, as long as somebody holds it for the claim that is meant.
    fn record(&self, paths: &Paths) -> Option<Record> {
        let (record, is_held) = store::look(&paths.lease(self.step.as_str())).ok()??;
        (is_held && record.nonce() == Some(&self.nonce)).then_some(record)
    }

    /// Whether the watched step has not ended.
    pub(super) fn goes_on(&self, paths: &Paths) -> bool {
        self.record(paths).is_some()
    }

    /// What a look is told of the step: its names, its logs, and how active it is.
    pub(super) fn environment(&self, paths: &Paths) -> Vec<(&'static str, OsString)> {
        let record = self.record(paths).unwrap_or_default();
        let attempt = record.attempt();
        let folder = paths.attempt(&self.run, self.step.as_str(), attempt);
        let began = record.began.as_deref().or_else(|| record.claim.as_ref().map(|claim| claim.at.as_str()));
        let elapsed = began.and_then(|began| clock::ms_between(began, &clock::stamp())).unwrap_or(0);
        let added = Allowance::read(paths, self.step.as_str(), &self.nonce, attempt).added_ms;
        let spec = file::read_json::<SpecFile>(&folder.join("spec.json"));
        let timeout = spec.as_ref().map_or(0, |spec| spec.timeout_ms);
        let workers = spec.and_then(|spec| spec.fanout).map_or(0, |fanout| fanout.workers);
        let workers = (1..=workers).map(|worker| folder.join(worker_folder(worker)));
        // Of a fan-out the worker is looked at that wrote last.
        let talker = workers.max_by_key(|folder| last_written(folder)).unwrap_or(folder);
        let seconds = |ms: u64| OsString::from((ms / 1000).to_string());
        let log = |name: &str| talker.join(name).into_os_string();
        vec![
            ("THREADOS_WATCHED_ID", self.step.as_str().into()),
            ("THREADOS_WATCHED_RUN", self.run.clone().into()),
            ("THREADOS_WATCHED_ATTEMPT", attempt.to_string().into()),
            ("THREADOS_WATCHED_PID", record.child.map_or_else(String::new, |(pid, _)| pid.to_string()).into()),
            ("THREADOS_WATCHED_STDOUT", log("stdout.log")),
            ("THREADOS_WATCHED_STDERR", log("stderr.log")),
            ("THREADOS_WATCHED_ELAPSED", seconds(elapsed)),
            ("THREADOS_WATCHED_SILENT", seconds(silence(&talker).unwrap_or(elapsed).min(elapsed))),
            ("THREADOS_WATCHED_LEFT", seconds(timeout.saturating_add(added).saturating_sub(elapsed))),
        ]
    }
}

/// When something was written to the logs in a folder.
fn last_written(folder: &Path) -> Option<SystemTime> {
    let written = |name: &str| fs::metadata(folder.join(name)).and_then(|meta| meta.modified()).ok();
    written("stdout.log").max(written("stderr.log"))
}

/// For how long nothing was written to the logs of an attempt, in milliseconds.
fn silence(folder: &Path) -> Option<u64> {
    let last = jiff::Timestamp::try_from(last_written(folder)?).ok()?;
    clock::now().duration_since(last).as_millis().try_into().ok()
}

impl Supervisor {
    /// Looks after a step until it has ended. Nothing if the watchdog's own lease is gone.
    pub(super) fn keep_watch(&mut self, watch: &Watch) -> Option<Exit> {
        let (begun, attempt) = (Instant::now(), self.spec.attempt);
        (self.left, self.has_run) = (Left::default(), false);
        self.drain();
        self.await_process(watch);
        let (mut tally, mut due) = (Tally::default(), Instant::now());
        let outcome = loop {
            match self.cue(watch, due) {
                Cue::Look => {}
                Cue::Over => break tally.outcome(),
                Cue::Asked(request) => break request.outcome(),
                Cue::LeaseGone => {
                    self.sweep();
                    return None;
                }
            }
            due = Instant::now() + watch.interval();
            // One that was cut short has its reason in the next cue.
            let Some(look) = self.look_after(tally.looks + 1) else { continue };
            tally.take(&look);
            if matches!(look.verdict, Verdict::Stop | Verdict::Review) && watch.goes_on(&self.paths) {
                self.stop_watched(watch, &look);
                break Outcome { note: Some(cut(&format!("stopped `{}`: {}", watch.step, look.words))), ..tally.outcome() };
            }
        };
        self.left.report = read_report(&self.folder(attempt), self.spec.output);
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Some(Exit { attempt, outcome, ms, at: clock::stamp().into() })
    }

    /// The step was claimed a moment before its watchdog; a look at once would find no process of it.
    fn await_process(&mut self, watch: &Watch) {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until && watch.record(&self.paths).is_some_and(|record| record.child.is_none()) {
            self.sleep(Instant::now() + Duration::from_millis(20));
        }
    }

    /// Waits for what comes first: the next look, the end of the step, or that of the watchdog. Who ends the step
    /// wakes us; where nobody does, a tick finds out.
    fn cue(&mut self, watch: &Watch, due: Instant) -> Cue {
        loop {
            if !watch.goes_on(&self.paths) {
                return Cue::Over;
            }
            if let Some(request) = self.stop_request() {
                return Cue::Asked(request);
            }
            if !self.lease.is_at(&self.lease_path) {
                return Cue::LeaseGone;
            }
            let now = Instant::now();
            if now >= due {
                return Cue::Look;
            }
            self.sleep(due.min(now + TICK));
        }
    }

    /// Runs the watchdog once. Nothing if that was cut short.
    fn look_after(&mut self, number: u32) -> Option<Look> {
        let folder = self.folder(self.spec.attempt);
        let size = |name: &str| fs::metadata(folder.join(name)).map_or(0, |meta| meta.len());
        let (stdout, stderr) = (size("stdout.log"), size("stderr.log"));
        let (begun, at) = (Instant::now(), clock::stamp());
        // What the last look said is not said again.
        let _ = file::remove(&folder.join("outcome"));
        let (verdict, words) = match self.start(self.spec.attempt) {
            Err(Refusal(why)) => (Verdict::Failed, cut(&why)),
            Ok(pid) => {
                (self.child, self.ended, self.has_run) = (Some(pid), None, true);
                let ending = self.watch(begun, self.spec.attempt);
                self.sweep();
                match ending {
                    Some(Ending::Timeout) => (Verdict::Failed, format!("longer than {}", Span::from_ms(self.spec.timeout_ms))),
                    Some(_) => return None,
                    None => self.found(&folder, [("stdout.log", stdout), ("stderr.log", stderr)]),
                }
            }
        };
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let look = Look { v: 1, look: number, at, ms, verdict, words, stdout, stderr };
        // The step is stopped whether this can be written or not.
        let _ = look.note(&folder);
        Some(look)
    }

    /// What a look that ended by itself found, and why.
    fn found(&self, folder: &Path, logs: [(&str, u64); 2]) -> (Verdict, String) {
        let said = said(folder);
        let (code, signal) = self.end();
        let verdict = judge(code, said.as_ref(), self.spec.output.is_text());
        let end = code.map(|code| format!("exit {code}")).or_else(|| signal.map(|signal| format!("signal {signal}")));
        let words = match verdict {
            Verdict::Fine => String::new(),
            Verdict::Failed => end.unwrap_or_default(),
            Verdict::Stop | Verdict::Review => {
                let noted = said.and_then(|said| said.note);
                let is_text = self.spec.output.is_text();
                let last = || logs.iter().filter(|_| is_text).find_map(|(name, from)| last_line(&folder.join(name), *from));
                cut(&noted.or_else(last).or(end).unwrap_or_default())
            }
        };
        (verdict, words)
    }

    /// Stops the watched step, and waits until it has ended. The request is as durable as anybody's; it is written
    /// without the project lock, since the runner may be gone and the step must not go on until there is another.
    fn stop_watched(&mut self, watch: &Watch, look: &Look) {
        let finding = Finding { note: look.words.clone(), review: look.verdict == Verdict::Review };
        let by = format!("`{}`", self.spec.step);
        let request = StopRequest::by_watchdog(watch.nonce.clone(), by, finding);
        while let Some(record) = watch.record(&self.paths).filter(|_| self.lease.is_at(&self.lease_path)) {
            let is_asked = StopRequest::read(&self.paths, watch.step.as_str(), &watch.nonce).is_some();
            let until = if is_asked || request.write(&self.paths, &watch.step).is_ok() {
                deliver(&record);
                TICK
            } else {
                // A full disk, perhaps the very reason.
                TICK / 10
            };
            self.sleep(Instant::now() + until);
        }
    }
}

impl Tally {
    fn take(&mut self, look: &Look) {
        self.looks += 1;
        if look.verdict == Verdict::Failed {
            self.failed += 1;
            self.why.clone_from(&look.words);
        }
    }

    /// The end of a watchdog whose step has ended: its work is done, even where some of it failed.
    fn outcome(&self) -> Outcome {
        let note = (self.failed > 0).then(|| {
            let looks = crate::error::count(self.looks as usize, "look");
            cut(&format!("{} of {looks} failed, the last one: {}", self.failed, self.why))
        });
        Outcome { status: StepStatus::Done, reason: None, code: None, signal: None, note, until: None }
    }
}

/// What a look means. Its own word wins; an agent has nothing else, since its program exits with 1 for reasons of its own.
fn judge(code: Option<i32>, said: Option<&Said>, is_command: bool) -> Verdict {
    match (said.map(|said| said.outcome), code) {
        (Some(Word::Done), _) | (None, Some(0)) => Verdict::Fine,
        (Some(Word::Fail), _) => Verdict::Stop,
        (Some(Word::Review), _) => Verdict::Review,
        (None, Some(1)) if is_command => Verdict::Stop,
        (None, Some(42)) if is_command => Verdict::Review,
        (None, _) => Verdict::Failed,
    }
}

/// The last line with something on it that a log has from `from` on.
fn last_line(log: &Path, from: u64) -> Option<String> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = fs::File::open(log).ok()?;
    let len = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(from.max(len.saturating_sub(4096)))).ok()?;
    let mut bytes = Vec::new();
    file.take(4096).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    text.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_look_means() {
        let said = |word: &str| serde_json::from_str::<Said>(&format!("{{\"outcome\":\"{word}\"}}")).ok();
        let table = [
            (Some(0), None, true, Verdict::Fine),
            (Some(1), None, true, Verdict::Stop),
            (Some(42), None, true, Verdict::Review),
            (Some(2), None, true, Verdict::Failed),
            (None, None, true, Verdict::Failed),
            (Some(1), None, false, Verdict::Failed),
            (Some(0), said("fail"), false, Verdict::Stop),
            (Some(0), said("review"), true, Verdict::Review),
            (Some(1), said("done"), true, Verdict::Fine),
        ];
        for (code, said, is_command, verdict) in table {
            assert_eq!(judge(code, said.as_ref(), is_command), verdict, "{code:?} {is_command}");
        }
    }

    #[test]
    fn the_last_line_is_that_of_this_look() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        fs::write(&log, "before\n\nnow\n  \n").unwrap();
        assert_eq!(last_line(&log, 7).as_deref(), Some("now"));
        assert_eq!(last_line(&log, 12), None);
    }
}
