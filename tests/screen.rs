//! The full-screen terminal UI of the real binary, on a pseudo-terminal.

use std::{
    io::{Read as _, Write},
    num::NonZero,
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use portable_pty::{Child, MasterPty, PtySize, native_pty_system};
use rustix::process::Signal;

use crate::{
    harness::{Test, kill, names, wait_until},
    terminal::{SIZE, on_terminal, program},
};

const PLAN: &str = "version: \"1.0\"\nname: walk\nsteps:\n  - {id: first, command: \"printf '\\\\033[32mgreen\\\\033[0m words\\\\n'\"}\n  \
    - {id: second, command: echo over, depends_on: [go]}\ngates:\n  - {id: go, depends_on: [first]}\n";

/// What a terminal is told by a screen that takes it, and by one that gives it back.
const TAKEN: &str = "\x1b[?1049h";
const GIVEN_BACK: &str = "\x1b[?1049l";

fn size(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).unwrap()
}

/// A screen that somebody looks at and types to.
struct Screen {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    parser: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    copier: JoinHandle<()>,
}

impl Screen {
    fn start(test: &Test, program: &[&str]) -> Self {
        test.set_env("TERM", Some("xterm-256color"));
        let terminal = native_pty_system().openpty(PtySize { rows: 24, cols: 80, ..PtySize::default() }).unwrap();
        let mut command = test.on_terminal(&[]);
        if let [program, args @ ..] = program {
            let environment = test.on_terminal(&[]);
            command = portable_pty::CommandBuilder::new(program);
            command.args(args);
            command.cwd(test.root());
            command.env_clear();
            for (name, value) in environment.iter_full_env_as_str() {
                command.env(name, value);
            }
        }
        let child = terminal.slave.spawn_command(command).unwrap();
        drop(terminal.slave);
        let parser = Arc::new(Mutex::new(vt100::Parser::new(size(24), size(80), 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let mut reader = terminal.master.try_clone_reader().unwrap();
        let (seen, told) = (Arc::clone(&parser), Arc::clone(&raw));
        let copier = thread::spawn(move || {
            let mut block = [0; 4096];
            // A terminal whose last user has gone is an error on Linux.
            while let Ok(count) = reader.read(&mut block) {
                if count == 0 {
                    break;
                }
                seen.lock().unwrap().process(&block[..count]);
                told.lock().unwrap().extend(&block[..count]);
            }
        });
        let keyboard = terminal.master.take_writer().unwrap();
        Self { child, master: terminal.master, keyboard, parser, raw, copier }
    }

    fn text(&self) -> String {
        self.parser.lock().unwrap().screen().contents()
    }

    /// Waits until a text is on the screen.
    fn sees(&mut self, text: &str) -> &mut Self {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.text().contains(text) {
            assert!(Instant::now() < deadline, "waited too long for `{text}` on\n{}", self.text());
            thread::sleep(Duration::from_millis(5));
        }
        self
    }

    /// Presses Esc, and waits until a text is gone: what follows at once would be taken for Alt and a letter.
    fn escapes(&mut self, text: &str) -> &mut Self {
        self.press("\x1b");
        wait_until(&format!("`{text}` to go"), || !self.text().contains(text));
        self
    }

    fn press(&mut self, keys: &str) -> &mut Self {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
        self
    }

    /// How often the terminal was told something.
    fn told(&self, what: &str) -> usize {
        String::from_utf8_lossy(&self.raw.lock().unwrap()).matches(what).count()
    }

    /// Waits for its end; what the terminal shows then, and the exit status.
    fn end(mut self) -> (String, u32) {
        wait_until("the screen to end", || self.child.try_wait().unwrap().is_some());
        let code = self.child.wait().unwrap().exit_code();
        drop(self.keyboard);
        drop(self.master);
        self.copier.join().unwrap();
        let parser = self.parser.lock().unwrap();
        let screen = parser.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste(), "{}", screen.contents());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        (screen.contents(), code)
    }
}

#[test]
fn a_sequence_is_run_to_its_end_by_keys_alone() {
    let test = Test::new().sequence(PLAN);
    let mut screen = Screen::start(&test, &[]);
    screen.sees("first").press("R");
    screen.sees("Sure?").press("y");
    test.wait_for_status("first", "DONE");
    screen.sees("green words").sees("waits for you").press(".");
    screen.sees("select a step to see its log").press("a");
    screen.sees("APPROVED").press("/second\r\x1b");
    screen.sees("has not run yet").press("r");
    screen.sees("Sure?").press("\x1b[Cy");
    test.wait_for_status("second", "DONE");
    screen.sees("over").press("q");
    assert_eq!(screen.end().1, 0);
    test.assert_chain_valid();
    let via: Vec<String> = test.audited("gate.approve").iter().map(|entry| entry["via"].to_string()).collect();
    assert_eq!(via, ["\"tui\""]);
}

#[test]
fn it_is_resized_at_any_time() {
    let test = Test::new().sequence(PLAN);
    let mut screen = Screen::start(&test, &[]);
    screen.sees(" List ");
    for (rows, cols, shown) in [(40, 140, " Sequence "), (8, 30, "too small"), (24, 80, " List ")] {
        screen.parser.lock().unwrap().screen_mut().set_size(size(rows), size(cols));
        screen.master.resize(PtySize { rows, cols, ..PtySize::default() }).unwrap();
        screen.sees(shown);
    }
    screen.press("q");
    assert_eq!(screen.end().1, 0);
}

#[test]
fn leaving_ends_nothing_and_coming_back_shows_it() {
    let test = Test::new()
        .power()
        .sequence("version: \"1.0\"\nsteps:\n  - {id: slow, command: 'until [ -e go ]; do sleep 0.05; done'}\n");
    let mut screen = Screen::start(&test, &[]);
    screen.sees("slow").press("r");
    screen.sees("RUNNING").press("q");
    let (text, code) = screen.end();
    assert!(code == 0 && text.contains("`slow` goes on running: seqctl attach"), "{text}");
    assert_eq!(test.status("slow"), "RUNNING");
    let mut screen = Screen::start(&test, &[]);
    screen.sees("RUNNING").press("x");
    screen.sees("SIGTERM").press("\r");
    test.write("go", "");
    screen.sees("DONE").press("q");
    assert_eq!(screen.end().1, 0);
}

#[test]
fn a_signal_gives_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP] {
        let test = Test::new().sequence(PLAN);
        let mut screen = Screen::start(&test, &[]);
        screen.sees("first");
        kill(screen.child.process_id().unwrap(), signal);
        assert_eq!(screen.end().1, 0, "{signal:?}");
    }
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_read() {
    let test = Test::new().sequence(PLAN);
    test.set_env("THREADOS_FAULT", Some("frame:panic:3"));
    let mut screen = Screen::start(&test, &[]);
    wait_until("the screen", || screen.told(TAKEN) > 0);
    screen.press("jkjk");
    let (text, code) = screen.end();
    assert!(code == 101 && text.contains("the screen broke: a test wants it"), "{code}: {text}");
    tells_of_its_report(&test, &text);
}

/// Whether the terminal says where the report is, and that says what is needed to understand it.
fn tells_of_its_report(test: &Test, text: &str) {
    let report = names(&test.path(".threados/state")).into_iter().find(|name| name.starts_with("crash-")).expect("a report");
    let joined: String = text.lines().map(str::trim_end).collect();
    assert!(joined.contains(&report) && text.contains("what runs goes on"), "{report}: {text}");
    let report = test.read(format!(".threados/state/{report}"));
    for words in
        ["a test wants it", "terminal 80x24", "TERM=xterm-256color", concat!("seqctl ", env!("CARGO_PKG_VERSION")), "fault"]
    {
        assert!(report.contains(words), "no {words}: {report}");
    }
}

#[test]
fn a_panic_beside_the_screen_ends_it_too() {
    let test = Test::new().sequence(PLAN);
    test.set_env("THREADOS_FAULT", Some("screen.worker:panic"));
    let screen = Screen::start(&test, &[]);
    let (text, code) = screen.end();
    assert!(code == 101 && text.contains("the screen broke: a test wants it"), "{code}: {text}");
    tells_of_its_report(&test, &text);
}

/// Waits for a step that a file ends, and a gate after it.
const SLOW: &str = "version: \"1.0\"\nname: walk\nsteps:\n  - {id: slow, command: 'until [ -e go ]; do sleep 0.05; done'}\ngates:\n  \
    - {id: ok, depends_on: [slow]}\n";

#[test]
fn what_starts_to_need_a_person_rings_once_and_stands_in_the_title() {
    let test = Test::new().power().sequence(SLOW);
    test.set_env("TERM_PROGRAM", Some("WezTerm"));
    let mut screen = Screen::start(&test, &[]);
    wait_until("the title", || screen.told("\x1b]2;0/1 — walk\x1b\\") == 1);
    assert_eq!((screen.told("\x1b[22;0t"), screen.told("\x07")), (1, 0), "what was there before rings nobody");
    screen.press("r");
    screen.sees("RUNNING");
    wait_until("the progress", || screen.told("\x1b]9;4;1;0\x1b\\") == 1);
    test.write("go", "");
    wait_until("the bell", || screen.told("\x07") == 1);
    wait_until("why", || screen.told("\x1b]9;walk: gate `ok` waits for you\x1b\\") == 1);
    wait_until("the title with it", || screen.told("\x1b]2;1/1 · 1 waits — walk\x1b\\") == 1);
    screen.sees("1 needs you").press("\x1a");
    wait_until("the old title", || screen.told("\x1b[23;0t") == 1 && screen.told("\x1b]9;4;0;0\x1b\\") > 0);
}

#[test]
fn config_keeps_bell_and_title_away() {
    let test = Test::new().power().sequence(SLOW);
    test.config("version: \"1.0\"\nui: {bell: false, title: false, mouse: false}\n");
    test.set_env("TERM_PROGRAM", Some("WezTerm"));
    let shell = format!("set -m; {} ; echo stopped; fg >/dev/null; echo ended", env!("CARGO_BIN_EXE_seqctl"));
    let mut screen = Screen::start(&test, &["bash", "-c", &shell]);
    screen.sees("slow").press("r");
    screen.sees("RUNNING");
    test.write("go", "");
    screen.sees("1 needs you").press("\x1a");
    wait_until("the screen to be there again", || screen.told("stopped") == 1 && screen.told(TAKEN) == 2);
    let mouse = "\x1b[?1000h";
    let taken = screen.told(mouse);
    screen.press("?");
    screen.sees("All keys").escapes("All keys");
    assert_eq!((screen.told(mouse), taken), (1, 1), "the mouse stays the terminal's after `fg`");
    assert_eq!((screen.told("\x07"), screen.told("\x1b]2;"), screen.told("\x1b]9;")), (0, 0, 0));
    screen.press("q");
    assert_eq!(screen.end().1, 0);
}

#[test]
fn it_goes_to_the_background_and_comes_back() {
    let test = Test::new().sequence(PLAN);
    let shell = format!("set -m; {} ; echo stopped; fg >/dev/null; echo ended", env!("CARGO_BIN_EXE_seqctl"));
    let mut screen = Screen::start(&test, &["bash", "-c", &shell]);
    screen.sees("first").press("\x1a");
    wait_until("the terminal to be given back and taken again", || {
        screen.told(GIVEN_BACK) == 1 && screen.told("stopped") == 1 && screen.told(TAKEN) == 2
    });
    screen.sees("first").press("j?");
    screen.sees("All keys").escapes("All keys");
    screen.sees(" List ").press("q");
    let (text, code) = screen.end();
    assert!(code == 0 && text.contains("ended"), "{text}");
}

#[test]
fn without_a_terminal_it_says_so() {
    let test = Test::new().sequence(PLAN);
    test.run(&["tui"]).fails(2).says("there is no terminal to show the screen on");
    let (text, code) = on_terminal(&test, &["tui"], SIZE, None);
    assert!(code == 2 && text.contains("no terminal"), "a dumb one cannot show it: {text}");
}

#[test]
fn the_demo_is_shown_while_it_runs_and_waits_at_its_gate() {
    let test = Test::new();
    let mut screen = Screen::start(&test, &[env!("CARGO_BIN_EXE_seqctl"), "demo", "here"]);
    screen.sees("the demo runs by itself").sees("1 needs you").press(".");
    screen.sees("seqctl gate approve release-ok").press("a");
    wait_until("the demo to end", || test.path("here/published.txt").exists());
    screen.sees("✔ 12").press("q");
    let (text, code) = screen.end();
    assert!(code == 0 && text.contains("the demo is in ") && text.contains("opens it again"), "{text}");
}

#[test]
fn the_demo_is_lines_where_somebody_says_so() {
    let test = Test::new();
    test.set_env("TERM", Some("xterm-256color"));
    let (text, code) = on_terminal(&test, &["demo", "here", "--no-ui"], SIZE, None);
    assert!(code == 0 && text.contains("12 done") && text.contains("approved by the demo"), "{text}");
}

#[test]
fn an_empty_folder_leads_to_a_step_that_runs() {
    let test = Test::new();
    test.set_env("PATH", Some("/usr/bin:/bin"));
    let mut screen = Screen::start(&test, &[]);
    screen.sees("no agent is installed").sees("with `npm").press("n");
    screen.sees("command").sees("yes").press("echo hello\r");
    screen.sees("READY").press("r");
    screen.sees("Sure?").press("y");
    screen.sees("DONE").sees("hello").press("q");
    assert_eq!(screen.end().1, 0);
}

#[test]
fn a_prompt_is_written_in_the_persons_own_editor_and_the_screen_comes_back() {
    let test = Test::new().sequence("version: \"1.0\"\nname: own\nsteps:\n  - {id: talk, prompt: Hello}\n");
    test.set_env("EDITOR", Some(&program(&test, "append", "echo more >> \"$1\"; echo typed in an editor")));
    let mut screen = Screen::start(&test, &[]);
    screen.sees("talk").press("e");
    wait_until("the terminal to be given away and taken again", || screen.told(GIVEN_BACK) == 1 && screen.told(TAKEN) == 2);
    screen.sees("talk").press("\r]]");
    screen.sees("Hellomore").escapes("Hellomore").press("q");
    assert_eq!(screen.end().1, 0);
    assert_eq!(test.run(&["prompt", "show", "talk"]).success().stdout, "Hellomore\n");
}

#[test]
fn the_mouse_and_the_clipboard_are_the_terminals_own() {
    let test = Test::new().sequence(PLAN);
    let mut screen = Screen::start(&test, &[]);
    screen.sees("second");
    let row = screen.text().lines().position(|row| row.contains("second")).unwrap() + 1;
    screen.press(&format!("\x1b[<0;6;{row}M\x1b[<0;6;{row}m"));
    screen.sees("Log · second").press("yi");
    // OSC 52 with `second` in base 64.
    wait_until("the clipboard", || screen.told("\x1b]52;c;c2Vjb25k") == 1);
    screen.sees("copied the id");
    let (on, off) = ("\x1b[?1000h", "\x1b[?1000l");
    let given = screen.told(off);
    screen.press("M");
    wait_until("the mouse to be given back", || screen.told(off) == given + 1);
    let taken = screen.told(on);
    screen.press("M");
    wait_until("the mouse to be taken", || screen.told(on) == taken + 1);
    screen.press("\x1b[200~qA\nx\x1b[201~");
    screen.sees("qA").sees("Enter send").escapes("Enter send").press("q");
    assert_eq!(screen.end().1, 0);
    assert!(test.audited("run.all").is_empty() && test.audited("stop").is_empty(), "a paste is no key");
}

#[test]
fn what_others_do_meanwhile_is_shown() {
    let test = Test::new().power().sequence(PLAN);
    let mut screen = Screen::start(&test, &[]);
    screen.sees("second");
    test.run(&["step", "add", "third", "--command", "echo elsewhere"]).success();
    screen.sees("third").press("/third\r");
    screen.sees("Log · third");
    test.run(&["run", "third"]).success();
    screen.sees(" elsewhere").press("o/elsewhere\r");
    screen.sees("· /elsewhere").sees("f follow").escapes("f follow").escapes("/third");
    std::fs::remove_file(test.plan_path()).unwrap();
    screen.sees("cannot be read");
    test.write(".threados/sequence.yaml", PLAN);
    screen.sees("first").sees("second");
    wait_until("the plan to be shown again", || !screen.text().contains("cannot be read") && !screen.text().contains("third"));
    screen.press("q");
    assert_eq!(screen.end().1, 0);
}

#[test]
fn the_sizes_of_its_panels_are_remembered() {
    let test = Test::new().sequence(PLAN);
    let mut screen = Screen::start(&test, &[]);
    screen.sees("has not run yet").press("O");
    wait_until("the log to be folded", || !screen.text().contains("has not run yet"));
    screen.press("q");
    screen.end();
    let mut screen = Screen::start(&test, &[]);
    screen.sees("Log · first");
    assert!(!screen.text().contains("has not run yet"), "{}", screen.text());
    screen.press("q");
    assert_eq!(screen.end().1, 0);
}

#[test]
fn a_review_is_rejected_and_accepted_by_keys() {
    let plan = "version: \"1.0\"\nname: eye\nsteps:\n  - {id: look, command: 'echo look at me; exit 42'}\n  \
        - {id: after, command: echo over, depends_on: [look]}\n";
    let test = Test::new().power().sequence(plan);
    let mut screen = Screen::start(&test, &[]);
    screen.sees("look").press("R");
    screen.sees("NEEDS_REVIEW").sees("look at me").press("b");
    screen.sees("note").press("not so\r");
    screen.sees("✖ look").sees("Enter open").press("r");
    screen.sees("◆ look").press("v");
    screen.sees("Review look").press("a");
    screen.sees("DONE").press("/after\r");
    screen.sees("Log · after").press("r");
    test.wait_for_status("after", "DONE");
    screen.sees("over").press("q");
    assert_eq!(screen.end().1, 0);
    test.assert_chain_valid();
}

/// The numbers of every colour that the terminal was told of, among everything that sets how cells look.
fn colours(screen: &Screen) -> Vec<String> {
    let raw = String::from_utf8_lossy(&screen.raw.lock().unwrap()).into_owned();
    let sequences = raw.split("\x1b[").filter_map(|rest| rest.split_once('m'));
    let looks = sequences.filter(|(head, _)| head.chars().all(|letter| letter.is_ascii_digit() || letter == ';'));
    let is_colour = |look: &str| {
        let first = look.split(';').next().and_then(|number| number.parse::<u8>().ok());
        first.is_some_and(|number| matches!(number, 30..=38 | 40..=48 | 90..=97 | 100..=107))
    };
    looks.map(|(head, _)| head.to_owned()).filter(|look| is_colour(look)).collect()
}

#[test]
fn every_colour_is_one_of_the_users_own_sixteen_or_none() {
    let test = Test::new().power().sequence(PLAN);
    let mut screen = Screen::start(&test, &[]);
    screen.sees("first").press("r");
    screen.sees("green words").press("2");
    screen.sees(" Sequence ").press("!");
    screen.sees("What needs you").press("q");
    let told = colours(&screen);
    let is_own = |look: &String| {
        // The background is the terminal's.
        let number = look.strip_suffix(";49").unwrap_or(look).strip_prefix("38;5;");
        number.is_some_and(|number| number.parse::<u8>().is_ok_and(|number| number < 16))
    };
    assert!(!told.is_empty() && told.iter().all(is_own), "{told:?}");
    screen.press("q");
    screen.end();
    test.set_env("NO_COLOR", Some("1"));
    let mut screen = Screen::start(&test, &[]);
    screen.sees("first").press("!");
    screen.sees("What needs you");
    assert_eq!(colours(&screen), [""; 0]);
    screen.press("qq");
    screen.end();
}

#[test]
fn keys_that_only_newer_terminals_tell_are_used_and_nothing_is_asked() {
    let test = Test::new().power().sequence(PLAN);
    let mut screen = Screen::start(&test, &[]);
    screen.sees("first").press("\x1b[13;5u");
    test.wait_for_status("first", "DONE");
    screen.sees("1 needs you").press("\x1b[106u\x1b[107u\x1b[63u");
    screen.sees("All keys").press("\x1b[27u");
    wait_until("help to go", || !screen.text().contains("All keys"));
    for question in ["\x1b[?u", "\x1b[c", "\x1b[0c", "\x1b[>c", "\x1b[6n", "\x1b[5n", "\x1b]10;?", "\x1b]11;?", "\x1b[18t"] {
        assert_eq!(screen.told(question), 0, "{question:?}");
    }
    screen.press("q");
    let raw = Arc::clone(&screen.raw);
    assert_eq!(screen.end().1, 0);
    let raw = String::from_utf8_lossy(&raw.lock().unwrap()).into_owned();
    let order = [TAKEN, "\x1b[>1u", "\x1b[<1u", GIVEN_BACK].map(|sequence| raw.find(sequence).unwrap());
    assert!(order.is_sorted(), "the mode is of the screen alone: {order:?}");
}
