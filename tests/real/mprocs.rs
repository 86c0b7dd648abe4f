//! mprocs itself on a terminal, opened by `seqctl`.

use std::{
    fs,
    io::{Read as _, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::tools;
use crate::harness::{Out, Test, kill, text, wait_until};

const SIZE: (u16, u16) = (64, 120);

/// How long a test waits for something to be seen.
const DEADLINE: Duration = Duration::from_secs(40);

/// mprocs on a terminal, and who looks at it.
struct Viewer {
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    keyboard: Box<dyn Write + Send>,
    terminal: Box<dyn MasterPty + Send>,
}

/// A project with these steps, and mprocs on PATH.
fn project(steps: &str) -> Test {
    let test = Test::new().power().sequence(&format!("version: \"1.0\"\nname: shop\nsteps:\n{steps}"));
    with_mprocs(&test);
    test
}

fn with_mprocs(test: &Test) {
    let path = format!("{}:{}", tools::mprocs().display(), std::env::var("PATH").unwrap());
    test.set_env("PATH", Some(&path));
    test.set_env("TERM", Some("xterm-256color"));
}

/// Says something every moment until a file is there.
const TALK: &str = "i=0; while [ ! -e enough ]; do i=$((i+1)); echo word $i; sleep 0.05; done; echo the end";

impl Viewer {
    /// Opens it, without waiting for anything.
    fn start(test: &Test) -> Self {
        Self::with(test.on_terminal(&["mprocs", "open"]))
    }

    /// Starts whatever opens it on a terminal of its own.
    fn with(command: CommandBuilder) -> Self {
        let (rows, cols) = SIZE;
        let pair = native_pty_system().openpty(PtySize { rows, cols, ..PtySize::default() }).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows.try_into().unwrap(), cols.try_into().unwrap(), 0)));
        let (sink, mut reader) = (Arc::clone(&screen), pair.master.try_clone_reader().unwrap());
        thread::spawn(move || {
            let mut block = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut block) {
                sink.lock().unwrap().process(&block[..count]);
            }
        });
        let keyboard = pair.master.take_writer().unwrap();
        Self { child, screen, keyboard, terminal: pair.master }
    }

    /// Opens it and waits until every view is there.
    fn open(test: &Test) -> Self {
        let viewer = Self::start(test);
        viewer.wait_for_views(test);
        viewer
    }

    fn wait_for_views(&self, test: &Test) {
        let are_open = || panes(test).iter().all(|pane| pane["open"] == true || pane["ended"] == true);
        wait_until(&format!("the views, with {}", self.text()), || session(test)["alive"] == true && are_open());
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// What stands in the pane, without the list beside it.
    fn pane(&self) -> String {
        let inner = |line: &str| line.split('│').nth(1).map(|part| part.trim_end().to_owned());
        self.text().lines().filter_map(inner).collect::<Vec<_>>().join("\n")
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    #[track_caller]
    fn sees(&self, wanted: &str) {
        let begun = Instant::now();
        while !self.pane().contains(wanted) {
            assert!(begun.elapsed() < DEADLINE, "no `{wanted}` on:\n{}", self.text());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until something stands anywhere on the terminal.
    #[track_caller]
    fn says(&self, wanted: &str) {
        let begun = Instant::now();
        while !self.text().contains(wanted) {
            assert!(begun.elapsed() < DEADLINE, "no `{wanted}` on:\n{}", self.text());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The step that the list marks as selected.
    fn selected(&self) -> String {
        let text = self.text();
        let mark = text.lines().find_map(|line| line.split('•').nth(1)?.split_whitespace().next().map(str::to_owned));
        mark.unwrap_or_default()
    }

    #[track_caller]
    fn shows(&self, step: &str) {
        wait_until(&format!("`{step}` to be selected"), || self.selected() == step);
    }

    /// What the list says of a pane.
    fn lists(&self, step: &str) -> String {
        let text = self.text();
        let line = text.lines().find(|line| line.trim_start_matches(['┃', '│', '•', ' ']).starts_with(&format!("{step} ")));
        line.map(|line| line.split('┃').nth(1).unwrap_or(line).to_owned()).unwrap_or_default()
    }

    /// How `seqctl mprocs open` ended.
    #[track_caller]
    fn ends(&mut self) -> u32 {
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < DEADLINE, "mprocs goes on:\n{}", self.text());
            thread::sleep(Duration::from_millis(5));
        }
        self.child.wait().unwrap().exit_code()
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn status(test: &Test) -> Value {
    test.run(&["mprocs", "status", "--json"]).success().json()
}

fn session(test: &Test) -> Value {
    status(test)["session"].clone()
}

fn panes(test: &Test) -> Vec<Value> {
    status(test)["panes"].as_array().cloned().unwrap_or_default()
}

fn pid(test: &Test) -> u32 {
    session(test)["pid"].as_u64().unwrap().try_into().unwrap()
}

/// The program that a pane runs.
fn view_of(test: &Test, step: &str) -> u32 {
    test.read(format!(".threados/state/panes/{step}")).trim().parse().unwrap()
}

fn mprocs(test: &Test, line: &str) -> Out {
    test.run(&["mprocs"].into_iter().chain(line.split(' ')).collect::<Vec<_>>())
}

fn numbered(count: usize, command: &str) -> String {
    (1..=count).map(|at| format!("  - {{id: s-{at}, command: '{command} {at}'}}\n")).collect()
}

#[test]
fn each_step_starts_through_its_pane() {
    let test = project(&numbered(4, "echo this is"));
    let mut viewer = Viewer::open(&test);
    assert_eq!(test.statuses().iter().filter(|(_, status)| status == "READY").count(), 4, "opening runs nothing");
    for at in 1..=4 {
        viewer.shows(&format!("s-{at}"));
        viewer.sees(&format!("s-{at} READY"));
        viewer.press("s");
        viewer.sees(&format!("this is {at}"));
        viewer.sees(&format!("s-{at} DONE"));
        viewer.press("j");
    }
    test.wait_for_commit("s-4");
    assert_eq!(test.committed().len(), 4);
    let doctor = test.run(&["doctor", "--json"]).success().json();
    let found = doctor["checks"].as_array().unwrap().iter().find(|check| check["name"] == "mprocs").unwrap();
    assert_eq!(found["health"], "ok", "{found}");
    let by: Vec<Value> = test.audited("run.step").iter().map(|entry| json!([entry["actor"], entry["via"]])).collect();
    assert_eq!(by, vec![json!(["user", "mprocs"]); 4]);
    viewer.press("q");
    assert_eq!(viewer.ends(), 0);
    viewer.says("mprocs is closed; nothing runs");
    test.assert_chain_valid();
}

#[test]
fn x_stops_and_r_runs_again() {
    let test = project(&format!("  - {{id: a, command: '{TALK}'}}\n  - {{id: b, command: printf half}}\n"));
    let mut viewer = Viewer::open(&test);
    viewer.press("x");
    viewer.sees("`a` is not running");
    viewer.press("s");
    viewer.sees("word 3");
    viewer.press("s");
    viewer.sees("a runs already");
    viewer.press("x");
    viewer.sees("FAILED (stopped)");
    test.wait_for_commit("a");
    assert_eq!(test.attempt_status("a", 1)["reason"], "stopped");
    viewer.press("s");
    viewer.sees("a is FAILED; r runs it again");
    viewer.press("r");
    test.wait_for_status("a", "RUNNING");
    test.write("enough", "");
    viewer.sees("the end");
    viewer.sees("a DONE");
    viewer.press("jx");
    viewer.shows("b");
    viewer.sees("`b` is not running");
    viewer.press("s");
    viewer.sees("half\n");
    viewer.sees("b DONE");
}

#[test]
fn a_pane_shows_its_step_whoever_starts_it() {
    let test = project(&format!(
        "  - {{id: a, command: '{TALK}'}}\n  - {{id: b, command: 'echo to stderr >&2; exit 3', depends_on: [a], retries: 1}}\n"
    ));
    let mut viewer = Viewer::open(&test);
    viewer.press("j");
    viewer.sees("b BLOCKED  waits for a");
    test.run(&["run", "--detach"]).success();
    viewer.press("k");
    viewer.sees("word 3");
    test.write("enough", "");
    viewer.sees("the end");
    viewer.press("j");
    viewer.sees("to stderr");
    viewer.sees("b FAILED (exit 3)");
    assert!(viewer.pane().matches("to stderr").count() == 2, "both attempts:\n{}", viewer.pane());
}

#[test]
fn a_pane_asks_before_it_runs_anything() {
    let test = project("  - {id: a, command: touch made}\n").policy("version: \"1.0\"\nmode: SAFE\n");
    let mut viewer = Viewer::open(&test);
    viewer.press("s");
    viewer.sees("running `a`: the project is in SAFE mode. Go on? [y/N]");
    viewer.press("n");
    viewer.sees("[y/N] no");
    assert_eq!((test.runs().len(), test.status("a")), (0, "READY".into()));
    viewer.press("s");
    wait_until("the second question", || viewer.pane().matches("[y/N]").count() == 2);
    viewer.press("y");
    viewer.sees("a DONE");
    assert!(test.path("made").exists());
}

#[test]
fn commands_from_elsewhere_reach_the_panes() {
    let test = project(&format!("{}  - {{id: talk, command: '{TALK}'}}\n", numbered(3, "echo this is")));
    let viewer = Viewer::open(&test);
    mprocs(&test, "select s-3").success();
    viewer.shows("s-3");
    mprocs(&test, "select s-1").success();
    viewer.shows("s-1");
    mprocs(&test, "start talk").success();
    viewer.shows("talk");
    viewer.sees("word 2");
    mprocs(&test, "start talk --json").fails(4).prints("STEP_RUNNING");
    mprocs(&test, "stop talk").success();
    assert_eq!((test.status("talk"), test.attempt_status("talk", 1)["reason"].clone()), ("FAILED".into(), json!("stopped")));
    viewer.sees("FAILED (stopped)");
    mprocs(&test, "restart talk").success();
    viewer.sees("word 2");
    mprocs(&test, "restart talk").success();
    test.wait_for_status("talk", "RUNNING");
    viewer.shows("talk");
    test.write("enough", "");
    viewer.sees("talk DONE");
    assert_eq!(test.audited("restart").len(), 2);
    viewer.wait_for_views(&test);
}

#[test]
fn a_stop_goes_through_the_pane_and_past_it_where_it_has_to() {
    let test = project(&numbered(4, "sleep 1000 #"));
    let viewer = Viewer::open(&test);
    test.run(&["run", "--detach"]).success();
    for at in 1..=4 {
        test.wait_for_status(&format!("s-{at}"), "RUNNING");
    }
    test.run(&["stop", "s-2"]).success();
    viewer.shows("s-2");
    viewer.sees("s-2 is being stopped");
    viewer.sees("s-2 FAILED (stopped)");
    // A view that does nothing, then an mprocs that does nothing.
    kill(view_of(&test, "s-3"), Signal::STOP);
    test.run(&["stop", "s-3"]).success();
    assert_eq!(test.status("s-3"), "FAILED");
    kill(view_of(&test, "s-3"), Signal::CONT);
    kill(pid(&test), Signal::STOP);
    test.run(&["stop", "s-4"]).success();
    assert_eq!(test.status("s-4"), "FAILED");
    kill(pid(&test), Signal::CONT);
    assert_eq!(test.status("s-1"), "RUNNING", "nobody else is meant");
}

#[test]
fn fifty_panes_and_no_other() {
    let test = project(&numbered(50, "echo this is"));
    let mut viewer = Viewer::open(&test);
    assert_eq!(viewer.selected(), "s-1", "starting the views moves nothing");
    for step in ["s-50", "s-17", "s-1", "s-49"] {
        mprocs(&test, &format!("select {step}")).success();
        viewer.shows(step);
        viewer.sees(&format!("{step} READY"));
    }
    mprocs(&test, "select s-51 --json").fails(3).prints("STEP_NOT_FOUND");
    mprocs(&test, "send-key s-51 s").fails(3);
    mprocs(&test, "stop s-51").fails(3);
    test.run(&["step", "rm", "s-50", "--yes"]).success();
    mprocs(&test, "select s-50").fails(3);
    assert_eq!(viewer.selected(), "s-49", "what does not exist moves nothing, and acts on nobody");
    test.run(&["run", "--detach"]).success();
    viewer.sees("this is 49");
    viewer.press("j");
    viewer.shows("s-50");
    test.run(&["wait"]).success();
    assert!(test.statuses().iter().all(|(_, status)| status == "DONE"));
    viewer.press("q");
    assert_eq!(viewer.ends(), 0);
}

#[test]
fn mprocs_killed_in_mid_run_costs_nothing() {
    let test = project(&format!("  - {{id: a, command: '{TALK}'}}\n  - {{id: b, command: echo b, depends_on: [a]}}\n"));
    let mut viewer = Viewer::open(&test);
    viewer.press("s");
    viewer.sees("word 3");
    let view = view_of(&test, "a");
    kill(pid(&test), Signal::KILL);
    assert_eq!(viewer.ends(), 8);
    viewer.says("mprocs ended with signal 9; `a` goes on");
    wait_until("the view to end", || !std::path::Path::new(&format!("/proc/{view}")).exists());
    assert_eq!(test.status("a"), "RUNNING");
    assert_eq!(test.audited("mprocs.end")[0]["payload"]["goesOn"], json!(["a"]));
    assert!(!test.path(".threados/state/mprocs-map.json").exists());
    let viewer = Viewer::open(&test);
    viewer.sees("word ");
    test.write("enough", "");
    viewer.sees("a DONE");
    assert_eq!(test.attempt_status("a", 1)["status"], "DONE");
}

#[test]
fn what_a_dead_session_leaves_is_cleaned_up() {
    let test = project(&format!("  - {{id: a, command: '{TALK}'}}\n"));
    let mut viewer = Viewer::open(&test);
    viewer.press("s");
    viewer.sees("word 2");
    let dead = pid(&test);
    let opener = viewer.child.process_id().unwrap();
    kill(opener, Signal::KILL);
    kill(dead, Signal::KILL);
    viewer.ends();
    wait_until("its end to be seen", || session(&test)["alive"] == false);
    assert!(test.path(".threados/state/mprocs-map.json").exists(), "looking writes nothing");
    mprocs(&test, "select a --json").fails(4).prints("MPROCS_NOT_OPEN");
    let noted = test.audited("mprocs.reconcile");
    assert_eq!((&noted[0]["payload"]["pid"], &noted[0]["payload"]["goesOn"]), (&json!(dead), &json!(["a"])));
    assert!(!test.path(".threados/state/mprocs-map.json").exists() && !test.path(".threados/state/panes").exists());
    assert_eq!(test.status("a"), "RUNNING");
    let viewer = Viewer::open(&test);
    viewer.sees("word ");
    test.write("enough", "");
    viewer.sees("a DONE");
}

#[test]
fn a_viewer_without_its_opener_goes_on() {
    let test = project("  - {id: a, command: echo a}\n");
    // From a shell, as a person would: the terminal is the shell's.
    let opener = test.on_terminal(&["mprocs", "open"]);
    let mut shell = CommandBuilder::new("/bin/sh");
    shell.args(["-c", "\"$SEQCTL\" mprocs open; sleep 1000"]);
    shell.cwd(test.root());
    shell.env_clear();
    for (name, value) in opener.iter_full_env_as_str() {
        shell.env(name, value);
    }
    shell.env("SEQCTL", env!("CARGO_BIN_EXE_seqctl"));
    let viewer = Viewer::with(shell);
    viewer.wait_for_views(&test);
    let is_opener = |words: &str| words.contains("mprocs open") && !words.starts_with("/bin/sh");
    let opener = test.processes().into_iter().find(|(_, words)| is_opener(words)).unwrap().0;
    kill(opener, Signal::KILL);
    wait_until("its end", || !test.processes().iter().any(|(_, words)| is_opener(words)));
    test.run(&["step", "add", "b", "--command", "echo from b"]).success();
    viewer.wait_for_views(&test);
    mprocs(&test, "start b").success();
    viewer.sees("from b");
    mprocs(&test, "close --yes").success();
    assert_eq!(session(&test), Value::Null);
}

#[test]
fn leaving_ends_no_step() {
    let test = project(&format!("  - {{id: a, command: '{TALK}'}}\n"));
    let mut viewer = Viewer::open(&test);
    viewer.press("s");
    viewer.sees("word 2");
    viewer.press("q");
    assert_eq!(viewer.ends(), 0);
    viewer.says("mprocs is closed; `a` goes on");
    assert_eq!(test.status("a"), "RUNNING");
    // And once more, without a goodbye: the terminal is closed.
    let viewer = Viewer::open(&test);
    viewer.sees("word ");
    let session = pid(&test);
    close_terminal(viewer);
    wait_until("mprocs to be gone", || !std::path::Path::new(&format!("/proc/{session}")).exists());
    assert_eq!(test.status("a"), "RUNNING");
    test.write("enough", "");
    test.wait_for_status("a", "DONE");
    assert_eq!(test.stdout("a", 1).lines().last(), Some("the end"));
}

/// Closes the window that a viewer is in, and nothing else.
fn close_terminal(mut viewer: Viewer) {
    viewer.keyboard = Box::new(std::io::sink());
    let closed = native_pty_system().openpty(PtySize::default()).unwrap().master;
    drop(std::mem::replace(&mut viewer.terminal, closed));
    // The reader of the screen has the terminal, too.
    kill(viewer.child.process_id().unwrap(), Signal::HUP);
    viewer.ends();
}

#[test]
fn closing_asks_and_stops_nothing() {
    let test = project(&format!("  - {{id: a, command: '{TALK}'}}\n"));
    let mut viewer = Viewer::open(&test);
    viewer.press("s");
    viewer.sees("word 2");
    mprocs(&test, "close --json").fails(6).prints("CONFIRMATION_REQUIRED");
    assert_eq!(session(&test)["alive"], true);
    let left = mprocs(&test, "close --yes --json").success().json();
    assert_eq!(left["running"], json!(["a"]));
    assert_eq!(viewer.ends(), 0);
    assert_eq!((session(&test), test.status("a")), (Value::Null, "RUNNING".into()));
    mprocs(&test, "close --yes --json").fails(4).prints("MPROCS_NOT_OPEN");
    assert_eq!(test.audited("mprocs.close").len(), 1);
}

#[test]
fn a_port_that_is_taken_hangs_nobody() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let test = project("  - {id: a, command: echo a}\n");
    test.set_env("THREADOS_MPROCS_PORT", Some(&port.to_string()));
    let mut viewer = Viewer::start(&test);
    assert_eq!(viewer.ends(), 8);
    viewer.says(&format!("mprocs cannot listen: port {port} is taken"));
    test.set_env("THREADOS_MPROCS_PORT", None);
    // Taken in the last moment: mprocs itself hangs with an empty screen then.
    let real = threados::mprocs::Program::find_in(None, Some(tools::mprocs().as_os_str())).unwrap();
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = --version ]; then exec {0} --version; fi\nsed -i s/127.0.0.1:.*/127.0.0.1:{port}/ \"$2\"\nexec {0} \"$@\"\n",
        real.path.display()
    );
    test.write("mprocs.sh", script);
    fs::set_permissions(test.path("mprocs.sh"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    test.set_env("THREADOS_MPROCS_PATH", test.path("mprocs.sh").to_str());
    let mut viewer = Viewer::start(&test);
    assert_eq!(viewer.ends(), 8);
    viewer.says("mprocs does not listen on port");
    assert_eq!(session(&test), Value::Null);
    test.set_env("THREADOS_MPROCS_PATH", None);
    let other = project("  - {id: b, command: echo b}\n");
    let (one, two) = (Viewer::open(&test), Viewer::open(&other));
    assert_ne!(session(&test)["port"], session(&other)["port"]);
    mprocs(&other, "start b").success();
    two.sees("b DONE");
    one.sees("a READY");
}

#[test]
fn a_project_has_one_session() {
    let test = project("  - {id: a, command: echo a}\n");
    let first = Viewer::open(&test);
    let mut second = Viewer::start(&test);
    assert_eq!(second.ends(), 4);
    second.says(&format!("already, as pid {}", pid(&test)));
    mprocs(&test, "open --config-only --json").fails(4).prints("MPROCS_OPEN");
    assert_eq!(session(&test)["alive"], true);
    first.sees("a READY");
}

#[test]
fn panes_follow_the_plan() {
    let test = project(&numbered(2, "echo this is"));
    let mut viewer = Viewer::open(&test);
    test.run(&["step", "add", "late", "--after", "s-1", "--command", "echo from late"]).success();
    viewer.wait_for_views(&test);
    assert_eq!(panes(&test)[2]["step"], "late", "a new one comes last, wherever it stands in the plan");
    assert_eq!(viewer.selected(), "s-1", "nothing moves by itself");
    mprocs(&test, "select late").success();
    viewer.sees("late BLOCKED  waits for s-1");
    test.run(&["run", "--detach"]).success();
    viewer.sees("from late");
    let view = view_of(&test, "s-2");
    test.run(&["step", "rm", "s-2", "--yes"]).success();
    wait_until("its view to end", || !std::path::Path::new(&format!("/proc/{view}")).exists());
    wait_until("the list to say so", || viewer.lists("s-2").contains("DOWN"));
    assert_eq!(panes(&test)[1], json!({"pane": 1, "step": "s-2", "open": false, "ended": true}));
    // The same name once more is another pane, and the map knows.
    test.run(&["step", "add", "s-2", "--command", "echo from the new one"]).success();
    viewer.wait_for_views(&test);
    mprocs(&test, "start s-2").success();
    viewer.sees("from the new one");
    // By hand, and by a step.
    let add = "  - {id: by-hand, command: '\"$SEQCTL\" step add by-step --command \"echo from by-step\"'}\n";
    test.set_env("SEQCTL", Some(env!("CARGO_BIN_EXE_seqctl")));
    test.write(".threados/sequence.yaml", test.plan() + add);
    wait_until("a pane of what was added by hand", || panes(&test).iter().any(|pane| pane["step"] == "by-hand"));
    viewer.wait_for_views(&test);
    test.run(&["run", "by-hand", "--detach"]).success();
    wait_until("a pane of what a step added", || panes(&test).iter().any(|pane| pane["step"] == "by-step"));
    viewer.wait_for_views(&test);
    mprocs(&test, "start by-step").success();
    viewer.shows("by-step");
    viewer.sees("from by-step");
    let places: Vec<String> = panes(&test).iter().map(|pane| text(&pane["step"])).collect();
    assert_eq!(places, ["s-1", "s-2", "late", "s-2", "by-hand", "by-step"]);
    viewer.press("q");
    assert_eq!(viewer.ends(), 0);
}

#[test]
fn keys_are_typed_by_people_only() {
    let test =
        project("  - {id: a, command: 'cat > /dev/null; echo a'}\n  - id: b\n    command: '\"$SEQCTL\" mprocs send-key a s'\n");
    test.set_env("SEQCTL", Some(env!("CARGO_BIN_EXE_seqctl")));
    let viewer = Viewer::open(&test);
    for key in ["nokey", "ä", "<C-"] {
        mprocs(&test, &format!("send-key a {key} --json")).fails(2).prints("VALIDATION_ERROR");
    }
    test.run(&["run", "b"]).fails(7);
    assert_eq!(test.audited("mprocs.send-key")[0]["result"], "denied");
    assert_eq!(test.status("a"), "READY");
    let test = test.policy("version: \"1.0\"\nmode: SAFE\n");
    mprocs(&test, "send-key a s --json").fails(6).prints("CONFIRMATION_REQUIRED");
    mprocs(&test, "send-key a s --yes").success();
    viewer.shows("a");
    viewer.sees("Go on? [y/N]");
    mprocs(&test, "send-key a y --yes").success();
    viewer.sees("a DONE");
    let keys: Vec<Value> = test.audited("mprocs.send-key").iter().map(|entry| entry["payload"]["typed"].clone()).collect();
    assert_eq!(keys[1..], ["<s>", "<y>"]);
    assert_eq!(session(&test)["alive"], true);
}
