//! `kill -9` at random moments: of runners, spawners, supervisors and steps.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::{self, Write as _},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use threados::{
    model::{Reason, StepStatus},
    store::{Paths, ProcStat, Record, stat_of},
};

use crate::harness::{Test, kill, names, wait_until};

/// How many kills each test brings about.
const KILLS: usize = 60;

/// How many steps a project has.
const STEPS: usize = 48;

/// Random numbers (splitmix64) that can be had again: `THREADOS_SEED=<seed>` repeats a test that failed.
struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    fn new() -> Self {
        let any = || RandomState::new().build_hasher().finish();
        let seed = std::env::var("THREADOS_SEED").map_or_else(|_| any(), |text| text.parse().unwrap());
        Self { seed, state: seed }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = writeln!(io::stderr(), "THREADOS_SEED={} repeats it", self.seed);
        }
    }
}

/// Who is killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Runner,
    Spawner,
    Supervisor,
    Child,
}

/// A project with many short steps, whose processes are being killed.
struct Field {
    test: Test,
    /// What the hidden daemons of this project sleep begins with this.
    nap: String,
    /// Supervisors that were killed: pid and start.
    supervisors: BTreeSet<(u32, u64)>,
    /// Claims whose child was killed.
    children: BTreeSet<String>,
    kills: BTreeMap<String, usize>,
}

impl Field {
    fn new(random: &mut Random) -> Self {
        let nap = format!("{}{}", 10_000 + random.below(80_000), std::process::id());
        let test = Test::new().policy("version: \"1.0\"\nmode: POWER\nmax_concurrent: 4\n").sequence(&plan(&nap, random));
        Self { test, nap, supervisors: BTreeSet::new(), children: BTreeSet::new(), kills: BTreeMap::new() }
    }

    fn paths(&self) -> Paths {
        Paths::at(self.test.root())
    }

    /// The pids of the runners, by what their files say.
    fn runners(&self) -> Vec<u32> {
        let folder = self.paths().state("runners");
        let pid = |name: &String| {
            let holder: serde_json::Value = serde_json::from_str(&fs::read_to_string(folder.join(name)).ok()?).ok()?;
            let pid = u32::try_from(holder["pid"].as_u64()?).ok()?;
            (holder["start"].as_u64() == stat(pid).map(|stat| stat.start)).then_some(pid)
        };
        names(&folder).iter().filter_map(pid).collect()
    }

    fn leases(&self) -> Vec<Record> {
        let folder = self.paths().state("active");
        names(&folder).iter().filter_map(|name| Record::read(&folder.join(name)).ok()?).collect()
    }

    /// Kills one process of this kind, if there is one.
    fn kill(&mut self, kind: Kind, random: &mut Random) -> bool {
        let victims: Vec<(u32, Option<String>)> = match kind {
            Kind::Runner => self.runners().into_iter().map(|pid| (pid, None)).collect(),
            Kind::Spawner => self.runners().into_iter().flat_map(children_of).map(|pid| (pid, None)).collect(),
            Kind::Supervisor => {
                let meant = self.leases().into_iter().filter_map(|lease| lease.supervisor);
                meant
                    .filter(|(pid, start)| stat(*pid).is_some_and(|stat| stat.start == *start))
                    .map(|(pid, _)| (pid, None))
                    .collect()
            }
            Kind::Child => {
                let meant = self.leases().into_iter().filter_map(|lease| Some((lease.child?.0, lease.nonce()?.to_owned())));
                meant.filter(|(pid, nonce)| carries(*pid, nonce)).map(|(pid, nonce)| (pid, Some(nonce))).collect()
            }
        };
        if victims.is_empty() {
            return false;
        }
        let (pid, nonce) = victims[random.below(victims.len())].clone();
        if kind == Kind::Supervisor
            && let Some(stat) = stat(pid)
        {
            self.supervisors.insert((pid, stat.start));
        }
        self.children.extend(nonce);
        kill(pid, Signal::KILL);
        *self.kills.entry(format!("{kind:?}")).or_default() += 1;
        true
    }

    /// Runs the project and kills at random moments until it has ended or `wanted` were killed.
    fn rage(&mut self, wanted: usize, random: &mut Random) -> usize {
        let mut count = 0;
        let until = Instant::now() + Duration::from_mins(1);
        while count < wanted && !self.is_over() {
            assert!(Instant::now() < until, "it does not get on: {:?}", self.test.statuses());
            if self.runners().is_empty() {
                self.test.run(&["run", "--detach"]).success();
            }
            thread::sleep(Duration::from_micros(random.below(12_000) as u64));
            let kinds = [Kind::Runner, Kind::Spawner, Kind::Supervisor, Kind::Supervisor, Kind::Child, Kind::Child];
            count += usize::from(self.kill(kinds[random.below(kinds.len())], random));
        }
        count
    }

    fn is_over(&self) -> bool {
        !self.test.runs().is_empty() && names(&self.paths().state("runners")).is_empty()
    }

    /// Lets the project come to its end and checks what is promised.
    fn check(&self) {
        let code = self.test.run(&["run"]).code;
        assert!(code == 0 || code == 7, "{code}");
        let before = self.test.lines("log");
        self.test.run(&["run"]);
        assert_eq!(self.test.lines("log"), before, "nothing runs again by itself");
        for (step, status) in self.test.statuses() {
            self.check_step(&step, &status);
        }
        let committed: Vec<String> =
            self.test.committed().into_iter().map(|line| line.split(' ').next().unwrap().into()).collect();
        assert_eq!(committed.len(), committed.iter().collect::<BTreeSet<_>>().len(), "every outcome is committed once");
        for folder in ["active", "tx", "runners"] {
            assert_eq!(names(&self.paths().state(folder)), [""; 0], "state/{folder}");
        }
        self.test.assert_chain_valid();
        self.test.assert_no_processes();
        self.check_hidden();
    }

    fn check_step(&self, step: &str, status: &str) {
        let path = self.paths().last(step);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let log = self.test.lines("log");
        let of =
            |what: &str| -> Vec<&String> { log.iter().filter(|line| line.starts_with(&format!("{what} {step} "))).collect() };
        let (starts, ends) = (of("start"), of("end"));
        let story = || format!("`{step}` is {status}, and began {starts:?}, and ended {ends:?}, and its record is\n{text}");
        let Some(record) = Record::read(&path).unwrap() else {
            assert!(status == "BLOCKED" && starts.is_empty(), "{}", story());
            return;
        };
        let nonce = record.nonce().unwrap();
        let exit = record.exit.as_ref().unwrap_or_else(|| panic!("{}", story()));
        assert_eq!(exit.outcome.status.as_str(), status, "{}", story());
        assert_eq!(starts.iter().collect::<BTreeSet<_>>().len(), starts.len(), "no attempt begins twice: {}", story());
        assert!(starts.iter().all(|line| line.contains(nonce)), "only one claim ran: {}", story());
        let attempts = text.matches("\"t\":\"child\"").count();
        assert!(starts.len() <= attempts, "{}", story());
        let was_killed = self.children.contains(nonce);
        let reason = exit.outcome.reason;
        if reason == Some(Reason::Spawn) {
            // Three times in a row it was killed before it began.
            assert!(attempts == 0 && starts.is_empty() && !self.kills.is_empty(), "{}", story());
        } else if record.supervisor.is_some_and(|supervisor| self.supervisors.contains(&supervisor)) {
            let is_fine = match reason {
                None => exit.outcome.status == StepStatus::Done && !ends.is_empty(),
                Some(Reason::OrphanedProcess) => record.child.is_some(),
                // Its second attempt went with its supervisor.
                Some(Reason::Exit) => exit.attempt == 1,
                reason => was_killed && reason == Some(Reason::Signal),
            };
            assert!(is_fine, "its supervisor was killed: {}", story());
        } else if was_killed {
            assert!(matches!(reason, None | Some(Reason::Signal)), "it was killed: {}", story());
        } else {
            assert!(exit.outcome.status == StepStatus::Done, "nobody touched it: {}", story());
            assert!(starts.len() == attempts && !ends.is_empty(), "it ran as often as it says: {}", story());
        }
    }

    /// What hid from its environment went with its supervisor, unless that was killed itself: then nothing
    /// tells whose it is.
    fn check_hidden(&self) {
        let excused = |words: &String| {
            let step = format!("s{}", words.rsplit('.').next().unwrap());
            let record = Record::read(&self.paths().last(&step)).unwrap().unwrap();
            record.supervisor.is_some_and(|supervisor| self.supervisors.contains(&supervisor))
        };
        wait_until("hidden processes to end", || self.hidden().iter().all(|(_, words)| excused(words)));
    }

    fn hidden(&self) -> Vec<(u32, String)> {
        let pids = names(Path::new("/proc")).into_iter().filter_map(|name| name.parse::<u32>().ok());
        let words = |pid: u32| {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            (pid, String::from_utf8_lossy(&words).trim_end_matches('\0').replace('\0', " "))
        };
        pids.map(words).filter(|(_, words)| words.starts_with(&format!("sleep {}.", self.nap))).collect()
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        for (pid, _) in self.hidden() {
            kill(pid, Signal::KILL);
        }
        if thread::panicking() {
            let _ = writeln!(io::stderr(), "killed so far: {:?}, of which supervisors {:?}", self.kills, self.supervisors);
            for (pid, words) in self.test.processes() {
                let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                let environ = String::from_utf8_lossy(&environ).into_owned();
                let step = environ.split('\0').find_map(|entry| entry.strip_prefix("THREADOS_STEP_ID=")).unwrap_or_default();
                let record = fs::read_to_string(self.paths().last(step)).unwrap_or_default();
                let parent = stat(pid).map(|stat| stat.parent);
                let _ = writeln!(io::stderr(), "left: {pid} `{words}` below {parent:?}, of `{step}`:\n{record}");
            }
        }
    }
}

fn stat(pid: u32) -> Option<ProcStat> {
    stat_of(Path::new("/proc"), pid).filter(|stat| !stat.is_zombie)
}

fn children_of(parent: u32) -> Vec<u32> {
    let pids = names(Path::new("/proc")).into_iter().filter_map(|name| name.parse::<u32>().ok());
    pids.filter(|pid| stat(*pid).is_some_and(|stat| stat.parent == parent)).collect()
}

fn carries(pid: u32, nonce: &str) -> bool {
    let mark = format!("THREADOS_LEASE={nonce}");
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|bytes| bytes.split(|&byte| byte == 0).any(|var| var == mark.as_bytes()))
}

/// Steps of all kinds: quick ones, retried ones, fan-outs, and some that leave daemons of every sort behind.
fn plan(nap: &str, random: &mut Random) -> String {
    let mut plan = "version: \"1.0\"\nsteps:\n".to_owned();
    for n in 0..STEPS {
        let ms = 5 + random.below(60);
        let daemon = match random.below(7) {
            0 => "setsid sleep 10000 &".to_owned(),
            1 => format!("setsid env -i sleep {nap}.{n} &"),
            2 => "(setsid sh -c 'sleep 10000 & sleep 10000' &) ;".to_owned(),
            3 => "nohup sleep 10000 > /dev/null 2>&1 &".to_owned(),
            _ => String::new(),
        };
        let retry = random.below(6) == 0;
        let end = if retry { "test $THREADOS_ATTEMPT = 2 || exit 1" } else { ":" };
        write!(
            plan,
            "  - id: s{n}\n    command: |-\n      echo start s{n} $THREADOS_LEASE $THREADOS_ATTEMPT.$THREADOS_WORKER_INDEX >> log\n      {daemon}\n      sleep 0.{ms:03}\n      {end}\n      echo end s{n} $THREADOS_LEASE $THREADOS_ATTEMPT.$THREADOS_WORKER_INDEX >> log\n"
        )
        .unwrap();
        if retry {
            plan += "    retries: 1\n";
        } else if random.below(5) == 0 {
            writeln!(plan, "    fanout: {}", 2 + random.below(3)).unwrap();
        }
        if n >= 4 && random.below(4) == 0 {
            writeln!(plan, "    depends_on: [s{}]", random.below(n)).unwrap();
        }
    }
    plan
}

fn kill_at_random() {
    let mut random = Random::new();
    let mut count = 0;
    while count < KILLS {
        let mut field = Field::new(&mut random);
        count += field.rage(KILLS - count, &mut random);
        field.check();
    }
}

#[test]
fn sixty_kills_at_random_moments_lose_nothing_and_run_nothing_twice() {
    kill_at_random();
}

#[test]
fn sixty_other_kills_lose_nothing_and_run_nothing_twice() {
    kill_at_random();
}

#[test]
fn sixty_more_kills_lose_nothing_and_run_nothing_twice() {
    kill_at_random();
}

#[test]
fn sixty_last_kills_lose_nothing_and_run_nothing_twice() {
    kill_at_random();
}
