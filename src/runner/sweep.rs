//! Ending what a step left running: daemons, forgotten background jobs, whatever called `setsid`.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};

use super::stop::grace;
use crate::store::{Machine, Paths, ProcStat, RunnerFile, active, file, stat_of};

/// The parent of the kernel's own threads, which have neither environment nor words.
const KTHREADD: u32 = 2;

/// Whose leftovers are looked for.
pub(super) struct Target<'a> {
    /// The project.
    pub(super) paths: &'a Paths,
    /// The claim, which every process of the step carries in its environment unless it hid it.
    pub(super) nonce: &'a str,
    /// The living supervisor that sweeps for itself; its descendants and its session are meant too.
    pub(super) supervisor: Option<u32>,
}

impl Target<'_> {
    /// Ends all leftovers: SIGTERM, a while, SIGKILL, until none is left. `reap` is called in
    /// between. Returns how many there were.
    pub(super) fn sweep(&self, mut reap: impl FnMut()) -> usize {
        let (mut known, begun) = (HashSet::new(), Instant::now());
        let (mut pause, mut quiet) = (Duration::from_millis(2), 0);
        loop {
            reap();
            let (victims, is_sure) = self.find();
            // One look is not enough: a process may have been forked behind it by one that has ended.
            quiet = if victims.is_empty() && (is_sure || begun.elapsed() > grace()) { quiet + 1 } else { 0 };
            if quiet == 2 {
                return known.len();
            }
            for &pid in &victims {
                if begun.elapsed() > grace() {
                    kill(pid, Signal::KILL);
                } else if known.insert(pid) {
                    kill(pid, Signal::TERM);
                }
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    /// The living processes that belong to the step, and whether every process could be judged.
    fn find(&self) -> (Vec<u32>, bool) {
        let proc = Path::new("/proc");
        let stats: HashMap<u32, ProcStat> = file::names(proc)
            .unwrap_or_default()
            .iter()
            .filter_map(|name| name.parse().ok())
            .filter_map(|pid| Some((pid, stat_of(proc, pid)?)))
            .collect();
        let exempt = self.exempt();
        let (own, mut is_sure) = (std::process::id(), true);
        let mut found: Vec<u32> = stats
            .iter()
            .filter(|&(&pid, stat)| pid != own && !stat.is_zombie)
            .filter(|&(&pid, stat)| {
                self.is_below(pid, stat, &stats, &exempt) || {
                    let carries = self.carries_nonce(pid);
                    is_sure &= carries.is_some() || pid == KTHREADD || stat.parent == KTHREADD;
                    carries == Some(true)
                }
            })
            .map(|(&pid, _)| pid)
            .collect();
        found.sort_unstable();
        (found, is_sure)
    }

    /// Whether a process descends from the sweeping supervisor, and from nobody in between who has
    /// a life of their own.
    fn is_below(&self, pid: u32, stat: &ProcStat, stats: &HashMap<u32, ProcStat>, exempt: &HashSet<u32>) -> bool {
        let Some(supervisor) = self.supervisor else { return false };
        let mut path = std::iter::successors(Some(pid), |pid| stats.get(pid).map(|stat| stat.parent)).take(stats.len());
        // The supervisor itself descends from a runner, so the walk must end with it.
        let end = path.find(|pid| *pid == supervisor || exempt.contains(pid));
        end == Some(supervisor) || (end.is_none() && stat.session == supervisor)
    }

    /// Whether a process was started by the step; nothing while it is in the middle of exec and shows
    /// neither environment nor words.
    fn carries_nonce(&self, pid: u32) -> Option<bool> {
        use std::os::unix::fs::MetadataExt as _;
        let folder = Path::new("/proc").join(pid.to_string());
        let is_ours = std::fs::metadata(&folder).is_ok_and(|meta| meta.uid() == Machine::this().uid);
        let Ok(bytes) = std::fs::read(folder.join("environ")) else { return Some(false) };
        if is_ours && bytes.is_empty() && std::fs::read(folder.join("cmdline")).is_ok_and(|words| words.is_empty()) {
            return None;
        }
        let mark = format!("THREADOS_LEASE={}", self.nonce);
        Some(is_ours && bytes.split(|&byte| byte == 0).any(|var| var == mark.as_bytes()))
    }

    /// Supervisors of other leases and runners, with everything below them: an orchestrator's
    /// workers must not die with it.
    fn exempt(&self) -> HashSet<u32> {
        let leases = active(self.paths).unwrap_or_default();
        let supervisors = leases
            .iter()
            .filter(|(_, record, held)| *held && record.nonce() != Some(self.nonce))
            .filter_map(|(_, record, _)| record.supervisor.map(|(pid, _)| pid));
        let runs = file::names(&self.paths.state("runners")).unwrap_or_default();
        let runners = runs.iter().filter_map(|run| RunnerFile::holder(self.paths, run)).map(|(pid, _)| pid);
        supervisors.chain(runners).filter(|&pid| Some(pid) != self.supervisor).collect()
    }
}

fn kill(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}
