//! A project in a temporary folder, and the real binary to work on it.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    io::{Read, Write as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
        mpsc::channel,
    },
    thread,
    time::{Duration, Instant},
};

use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;
use threados::store::{Paths, Stamp, sha256};

/// How long a test waits for something that has to happen.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long a command may take before it counts as hanging.
const HANGS: Duration = Duration::from_mins(2);

/// A project in the making, with an environment of its own. Whatever it started ends with it.
pub(crate) struct Test {
    base: TempDir,
    root: PathBuf,
    mark: String,
    env: RefCell<BTreeMap<String, String>>,
    spawned: Cell<u32>,
}

impl Test {
    /// An empty folder, and an environment with nothing in it but what a program needs.
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let base = tempfile::Builder::new().prefix("threados-").tempdir().unwrap();
        let root = base.path().canonicalize().unwrap().join("project");
        let home = root.with_file_name("home");
        fs::create_dir(&root).unwrap();
        fs::create_dir(&home).unwrap();
        let mark = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let env = [
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", home.display().to_string()),
            ("TERM", "dumb".into()),
            ("LANG", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
            ("THREADOS_GRACE_MS", "300".into()),
            ("THREADOS_TEST_ID", mark.clone()),
        ];
        // Where what was executed is counted for coverage, if it is.
        let counters = std::env::var("LLVM_PROFILE_FILE").ok().map(|place| ("LLVM_PROFILE_FILE", place));
        let env = env.into_iter().chain(counters).map(|(name, value)| (name.to_owned(), value));
        Self { base, root, mark, env: RefCell::new(env.collect()), spawned: Cell::new(0) }
    }

    /// A project with this plan, as if it had been made with it.
    pub(crate) fn sequence(self, yaml: &str) -> Self {
        let has_policy = self.path(".threados/policy.yaml").exists();
        self.run(&["init", "--empty"]).success();
        let paths = Paths::at(&self.root);
        fs::write(paths.sequence(), yaml).unwrap();
        if has_policy {
            self.run(&["trust"]);
        }
        // A plan that is known already is not watched for half a save, which saves every test a while.
        Stamp::take(&paths.sequence(), sha256(yaml.as_bytes())).unwrap().write(&paths).unwrap();
        self
    }

    /// Runs need no confirmation from now on.
    pub(crate) fn power(self) -> Self {
        self.policy("version: \"1.0\"\nmode: POWER\n")
    }

    /// Writes policy.yaml, as a user who means it.
    pub(crate) fn policy(self, yaml: &str) -> Self {
        self.write(".threados/policy.yaml", yaml);
        if self.plan_path().exists() {
            self.run(&["trust"]);
        }
        self
    }

    /// Writes config.yaml, as a user who means it.
    pub(crate) fn config(&self, yaml: impl AsRef<[u8]>) {
        self.write(".threados/config.yaml", yaml);
        self.run(&["trust"]);
    }

    /// A variable for every command from now on.
    pub(crate) fn env(self, name: &str, value: &str) -> Self {
        self.set_env(name, Some(value));
        self
    }

    /// Sets or removes a variable for every command from now on.
    pub(crate) fn set_env(&self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.env.borrow_mut().insert(name.into(), value.into()),
            None => self.env.borrow_mut().remove(name),
        };
    }

    /// The project's root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path in the project.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// sequence.yaml.
    pub(crate) fn plan_path(&self) -> PathBuf {
        self.path(".threados/sequence.yaml")
    }

    /// The text of sequence.yaml.
    pub(crate) fn plan(&self) -> String {
        self.read(".threados/sequence.yaml")
    }

    /// The text of a file in the project.
    pub(crate) fn read(&self, relative: impl AsRef<Path>) -> String {
        let path = self.path(relative);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The lines of a file in the project; none where there is no file.
    pub(crate) fn lines(&self, relative: impl AsRef<Path>) -> Vec<String> {
        fs::read_to_string(self.path(relative)).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Writes a file in the project, and the folders it needs.
    pub(crate) fn write(&self, relative: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The JSON in a file.
    pub(crate) fn json(&self, path: impl AsRef<Path>) -> Value {
        serde_json::from_str(&self.read(path)).unwrap()
    }

    /// A command with this test's environment, in the project's root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env_clear().envs(&*self.env.borrow()).stdin(Stdio::null());
        command
    }

    /// The same as `seqctl`, for a pseudo-terminal.
    pub(crate) fn on_terminal(&self, args: &[&str]) -> portable_pty::CommandBuilder {
        let command = self.seqctl(args);
        let mut words = portable_pty::CommandBuilder::new(command.get_program());
        words.args(command.get_args());
        words.cwd(self.root());
        words.env_clear();
        for (name, value) in command.get_envs() {
            words.env(name, value.unwrap());
        }
        words
    }

    /// `seqctl` with these arguments, not started yet.
    pub(crate) fn seqctl(&self, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_seqctl"));
        command.args(args);
        command
    }

    /// Runs `seqctl` to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Out {
        finish(self.seqctl(args), b"")
    }

    /// Runs `seqctl` with something on its standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Out {
        finish(self.seqctl(args), input.as_bytes())
    }

    /// Runs `seqctl` with one more variable in its environment.
    pub(crate) fn run_env(&self, name: &str, value: &str, args: &[&str]) -> Out {
        let mut command = self.seqctl(args);
        command.env(name, value);
        finish(command, b"")
    }

    /// Runs a shell line in the project's root, with `$SEQCTL` naming the binary.
    pub(crate) fn sh(&self, line: &str) -> Out {
        let mut command = self.command("/bin/sh");
        command.args(["-c", line]).env("SEQCTL", env!("CARGO_BIN_EXE_seqctl"));
        finish(command, b"")
    }

    /// Starts `seqctl` and goes on; its output goes to files outside the project.
    pub(crate) fn spawn(&self, args: &[&str]) -> Background {
        self.spawn_command(self.seqctl(args))
    }

    /// Starts a command in the background, in a process group of its own.
    pub(crate) fn spawn_command(&self, mut command: Command) -> Background {
        let number = self.spawned.get();
        self.spawned.set(number + 1);
        let stdout = self.base.path().join(format!("{number}.out"));
        let stderr = self.base.path().join(format!("{number}.err"));
        command.stdout(fs::File::create(&stdout).unwrap()).stderr(fs::File::create(&stderr).unwrap());
        let words = format!("{command:?}");
        let child = command.process_group(0).spawn().unwrap();
        Background { child, words, stdout, stderr }
    }

    /// The status of a step or gate as `status` reports it.
    pub(crate) fn status(&self, id: &str) -> String {
        let report = self.run(&["status", "--json"]).success().json();
        status_in(&report, id).unwrap_or_else(|| panic!("no `{id}` in {report:#}"))
    }

    /// The statuses of all steps, in the plan's order.
    pub(crate) fn statuses(&self) -> Vec<(String, String)> {
        let report = self.run(&["status", "--json"]).success().json();
        let rows = report["steps"].as_array().unwrap();
        rows.iter().map(|row| (text(&row["id"]), text(&row["status"]))).collect()
    }

    /// Waits until a step has this status.
    pub(crate) fn wait_for_status(&self, id: &str, wanted: &str) {
        wait_until(&format!("`{id}` to be {wanted}"), || {
            let report = self.run(&["status", "--json"]);
            report.code == 0 && status_in(&report.json(), id).as_deref() == Some(wanted)
        });
    }

    /// Waits until the outcome of a step is committed, down to the last step of its transaction.
    pub(crate) fn wait_for_commit(&self, step: &str) {
        let state = self.path(".threados/state");
        wait_until(&format!("the outcome of `{step}` to be committed"), || {
            state.join("last").join(step).exists() && names(&state.join("tx")).is_empty()
        });
    }

    /// Waits until a file is there and not empty.
    pub(crate) fn wait_for_file(&self, relative: impl AsRef<Path>) {
        let path = self.path(relative);
        wait_until(&format!("{}", path.display()), || fs::metadata(&path).is_ok_and(|meta| meta.len() > 0));
    }

    /// The ids of all runs that have begun, oldest first.
    pub(crate) fn runs(&self) -> Vec<String> {
        let folder = self.path(".threados/runs");
        let mut runs = names(&folder);
        runs.retain(|run| folder.join(run).join("run.json").exists());
        runs.sort_by_cached_key(|run| text(&self.json(folder.join(run).join("run.json"))["startedAt"]));
        runs
    }

    /// The id of the newest run.
    pub(crate) fn last_run(&self) -> String {
        self.runs().pop().unwrap()
    }

    /// The folder of an attempt of a step in the newest run that has it.
    pub(crate) fn attempt(&self, step: &str, attempt: u32) -> PathBuf {
        let folder = |run: &String| self.path(".threados/runs").join(run).join(step).join(attempt.to_string());
        let found = self.runs().iter().rev().map(folder).find(|folder| folder.is_dir());
        found.unwrap_or_else(|| panic!("`{step}` has no attempt {attempt}"))
    }

    /// status.json of an attempt of a step.
    pub(crate) fn attempt_status(&self, step: &str, attempt: u32) -> Value {
        self.json(self.attempt(step, attempt).join("status.json"))
    }

    /// What an attempt wrote to its standard output.
    pub(crate) fn stdout(&self, step: &str, attempt: u32) -> String {
        self.read(self.attempt(step, attempt).join("stdout.log"))
    }

    /// Every entry of the audit log. One that somebody is writing just now is not there yet.
    pub(crate) fn audit(&self) -> Vec<Value> {
        let log = self.read(".threados/audit.log");
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The entries of the audit log with this action.
    pub(crate) fn audited(&self, action: &str) -> Vec<Value> {
        self.audit().into_iter().filter(|entry| entry["action"] == action).collect()
    }

    /// The outcomes that were committed, as `step status`, in order.
    pub(crate) fn committed(&self) -> Vec<String> {
        let outcomes = self.audited("commit").into_iter().filter_map(|entry| entry["payload"]["outcomes"].as_array().cloned());
        outcomes.flatten().map(|end| format!("{} {}", text(&end["step"]), text(&end["status"]))).collect()
    }

    /// Checks that the audit log is whole.
    pub(crate) fn assert_chain_valid(&self) {
        self.run(&["audit", "verify"]).success();
    }

    /// The living processes of this test, with their command lines.
    pub(crate) fn processes(&self) -> Vec<(u32, String)> {
        processes_with(&format!("THREADOS_TEST_ID={}", self.mark))
    }

    /// Waits until nothing that this test started is alive.
    #[track_caller]
    pub(crate) fn assert_no_processes(&self) {
        let begun = Instant::now();
        while !self.processes().is_empty() {
            assert!(begun.elapsed() < DEADLINE, "these go on: {:#?}", self.processes());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// A text with everything that differs from run to run replaced.
    pub(crate) fn tidy(&self, text: &str) -> String {
        static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
            let rules = [
                (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "[time]"),
                (r"\d{8}-\d{6}-[0-9a-f]{4}", "[run]"),
                (r"sha256:[0-9a-f]{16}", "[revision]"),
                (r"\b[0-9a-f]{64}\b", "[sha]"),
                (r"\b(\d+ms|\d+\.\d+s|\d+m \d+s) *(\n|\z)", "[took]$2"),
                (r"\b(\d+ms|\d+\.\d+s|\d+m \d+s)\b *", "[took]  "),
            ];
            rules.map(|(rule, with)| (Regex::new(rule).unwrap(), with)).into()
        });
        let text = text.replace(&self.root.display().to_string(), "[project]");
        RULES.iter().fold(text, |text, (rule, with)| rule.replace_all(&text, *with).into_owned())
    }
}

impl Drop for Test {
    fn drop(&mut self) {
        if self.processes().is_empty() {
            return;
        }
        self.set_env("THREADOS_FAULT", None);
        if !thread::panicking() && self.path(".threados").is_dir() {
            self.run(&["stop", "--all"]);
        }
        let begun = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() || begun.elapsed() > DEADLINE {
                return;
            }
            for (pid, _) in left {
                kill(pid, rustix::process::Signal::KILL);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// How a command ended, and what it printed.
#[derive(Clone, Debug)]
pub(crate) struct Out {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The exit status; 128 + n after signal n.
    pub(crate) code: i32,
    words: String,
}

impl Out {
    /// Checks that it went well.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        self.fails(0)
    }

    /// Checks that it ended with this exit status.
    #[track_caller]
    pub(crate) fn fails(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\nstdout: {}\nstderr: {}", self.words, self.stdout, self.stderr);
        self
    }

    /// The one JSON document on its standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{}: {error}\nstdout: {}\nstderr: {}", self.words, self.stdout, self.stderr))
    }

    /// The JSON lines on its standard output.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }

    /// Checks that its standard error has this in it.
    #[track_caller]
    pub(crate) fn says(self, wanted: &str) -> Self {
        assert!(self.stderr.contains(wanted), "{} should say `{wanted}`, but says: {}", self.words, self.stderr);
        self
    }

    /// Checks that its standard output has this in it.
    #[track_caller]
    pub(crate) fn prints(self, wanted: &str) -> Self {
        assert!(self.stdout.contains(wanted), "{} should print `{wanted}`, but prints: {}", self.words, self.stdout);
        self
    }

    /// Everything about it, for a snapshot.
    pub(crate) fn all(&self) -> String {
        format!("exit {}\n----- stdout\n{}----- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// A command that is going on.
pub(crate) struct Background {
    child: Child,
    words: String,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Background {
    /// Its pid, which is its process group.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap()
    }

    /// What it has complained about so far.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends it a signal, and to nobody else.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        kill(self.pid(), signal);
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Out {
        let words = self.words.clone();
        wait_for(&format!("{words} to end"), HANGS, || !self.is_running());
        let code = code(self.child.wait().unwrap());
        Out { stdout: self.stdout(), stderr: self.stderr(), code, words }
    }
}

/// Runs a command to its end, with `input` on its standard input where there is any.
pub(crate) fn finish(mut command: Command, input: &[u8]) -> Out {
    let words = format!("{command:?}");
    if !input.is_empty() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever fails before it has read everything says so by its exit status.
        let _ = stdin.write_all(input);
    }
    let (sender, receiver) = channel();
    let mut readers: Vec<Box<dyn Read + Send>> = vec![Box::new(child.stdout.take().unwrap())];
    readers.push(Box::new(child.stderr.take().unwrap()));
    for (at, mut reader) in readers.into_iter().enumerate() {
        let sender = sender.clone();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = reader.read_to_end(&mut bytes);
            let _ = sender.send((at, bytes));
        });
    }
    let begun = Instant::now();
    let mut texts = [String::new(), String::new()];
    for _ in 0..2 {
        let Ok((at, bytes)) = receiver.recv_timeout(HANGS.saturating_sub(begun.elapsed())) else {
            let _ = child.kill();
            panic!("{words} hangs");
        };
        texts[at] = String::from_utf8_lossy(&bytes).into_owned();
    }
    let [stdout, stderr] = texts;
    Out { stdout, stderr, code: code(child.wait().unwrap()), words }
}

fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap()
}

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    wait_for(what, DEADLINE, condition);
}

#[track_caller]
fn wait_for(what: &str, deadline: Duration, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < deadline, "waited too long for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The living processes with `NAME=VALUE` in their environment, with their command lines.
pub(crate) fn processes_with(variable: &str) -> Vec<(u32, String)> {
    let pids = names(Path::new("/proc")).into_iter().filter_map(|name| name.parse::<u32>().ok());
    let carries = |pid: &u32| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|&byte| byte == 0).any(|entry| entry == variable.as_bytes())
    };
    pids.filter(carries)
        .map(|pid| {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            (pid, String::from_utf8_lossy(&words).replace('\0', " "))
        })
        .collect()
}

/// Sends a signal to one process.
pub(crate) fn kill(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    let _ = rustix::process::kill_process(pid, signal);
}

/// The names in a folder, sorted; none where there is no folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The text of a JSON string; empty for anything else.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The status of a step or gate in the reply of `status --json`.
fn status_in(report: &Value, id: &str) -> Option<String> {
    let rows = ["steps", "gates"].into_iter().flat_map(|key| report[key].as_array().into_iter().flatten());
    rows.filter(|row| row["id"] == id).map(|row| text(&row["status"])).next()
}

/// Compares a text with the snapshot of that name in `snapshots/`.
macro_rules! snapshot {
    ($name:expr, $text:expr) => {{
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!($name, $text));
    }};
}
pub(crate) use snapshot;
