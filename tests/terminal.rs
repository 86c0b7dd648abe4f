//! What a person at a terminal meets: questions, editors, pagers, and lines that fit.

use std::{
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Mutex},
    thread,
};

use portable_pty::{PtySize, native_pty_system};

use crate::harness::{Test, names, wait_until};

/// Runs `seqctl` on a terminal of this size; `answer` is typed once the text before it is shown.
/// Returns what the terminal got, without escape sequences, and the exit status.
pub(crate) fn on_terminal(test: &Test, args: &[&str], (rows, cols): (u16, u16), answer: Option<(&str, &str)>) -> (String, u32) {
    let terminal = native_pty_system().openpty(PtySize { rows, cols, ..PtySize::default() }).unwrap();
    let mut child = terminal.slave.spawn_command(test.on_terminal(args)).unwrap();
    drop(terminal.slave);
    let mut reader = terminal.master.try_clone_reader().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let copier = thread::spawn(move || {
        let mut block = [0; 4096];
        // A terminal whose last user has gone is an error on Linux.
        while let Ok(count) = reader.read(&mut block) {
            if count == 0 {
                break;
            }
            sink.lock().unwrap().extend(&block[..count]);
        }
    });
    let text = || anstream::adapter::strip_str(&String::from_utf8_lossy(&seen.lock().unwrap())).to_string().replace('\r', "");
    // Kept to the end: letting go of it types a newline, whose echo could come amid what is printed.
    let mut keyboard = terminal.master.take_writer().unwrap();
    if let Some((question, answer)) = answer {
        wait_until(question, || text().contains(question));
        keyboard.write_all(answer.as_bytes()).unwrap();
    }
    wait_until("the command to end", || child.try_wait().unwrap().is_some());
    let code = child.wait().unwrap().exit_code();
    drop(keyboard);
    copier.join().unwrap();
    (text(), code)
}

const SIZE: (u16, u16) = (24, 80);

/// Writes a program into the project's root and returns its path.
fn program(test: &Test, name: &str, text: &str) -> String {
    test.write(name, format!("#!/bin/sh\n{text}\n"));
    std::fs::set_permissions(test.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    test.path(name).display().to_string()
}

#[test]
fn a_no_is_a_no() {
    let test = Test::new().sequence("version: \"1.0\"\nsteps:\n  - {id: a, command: touch made}\n");
    let (text, code) = on_terminal(&test, &["run"], SIZE, Some(("[y/N]", "n\n")));
    assert!(text.contains("error: nothing was done: running `a` was not confirmed"), "{text}");
    assert!(!text.contains("needs a confirmation"), "{text}");
    assert_eq!((code, test.path("made").exists()), (6, false));
    let (text, code) = on_terminal(&test, &["run"], SIZE, Some(("[y/N]", "y\n")));
    assert_eq!((code, test.path("made").exists()), (0, true), "{text}");
}

#[test]
fn a_prompt_is_written_in_an_editor() {
    let test = Test::new().sequence("version: \"1.0\"\nsteps:\n  - {id: talk, prompt: Hello}\n  - {id: new, model: codex}\n");
    let edit = |step: &str| on_terminal(&test, &["prompt", "edit", step], SIZE, None);
    // What is kept for the person is kept where the test ends.
    test.set_env("TMPDIR", test.root().to_str());
    test.set_env("EDITOR", Some(&program(&test, "append", "echo more >> \"$1\"")));
    let (text, code) = edit("talk");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("wrote the prompt of `talk`"), "{text}");
    assert_eq!(test.run(&["prompt", "show", "talk"]).success().stdout, "Hellomore\n");
    assert_eq!(edit("new").1, 0);
    assert_eq!(test.read(".threados/prompts/new.md"), "more\n");

    let before = test.audit().len();
    test.set_env("VISUAL", Some("true --some-option"));
    let (text, code) = edit("talk");
    assert!(code == 0 && text.contains("stays as it is"), "{text}");
    assert_eq!(test.audit().len(), before);
    test.set_env("VISUAL", Some("false"));
    let (text, code) = edit("talk");
    assert!(code == 8 && text.contains("error: the editor ended with") && text.contains("hint: your text is in "), "{text}");

    let meanwhile = format!("{} prompt set talk --text theirs; echo mine > \"$1\"", env!("CARGO_BIN_EXE_seqctl"));
    test.set_env("VISUAL", Some(&program(&test, "meanwhile", &meanwhile)));
    let (text, code) = edit("talk");
    assert!(code == 4 && text.contains("the prompt of `talk` has changed since"), "{text}");
    assert_eq!(test.run(&["prompt", "show", "talk"]).success().stdout, "theirs");
    let kept = text.lines().find_map(|line| line.strip_prefix("your text is in ")).unwrap();
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "mine\n", "nothing typed is thrown away");
    std::fs::remove_dir_all(std::path::Path::new(kept).parent().unwrap()).unwrap();
}

#[test]
fn what_does_not_fit_goes_through_a_pager() {
    let steps: String = (0..40).map(|at| format!("  - {{id: step-{at}, command: seq 1 50}}\n")).collect();
    let test = Test::new().power().sequence(&format!("version: \"1.0\"\nsteps:\n{steps}"));
    test.set_env("PAGER", Some("sed 's/^/paged: /'"));
    let is_paged = |args: &[&str], rows| on_terminal(&test, args, (rows, 80), None).0.contains("paged: ");
    assert!(is_paged(&["status"], 24));
    assert!(!is_paged(&["status"], 60), "it fits");
    assert!(!is_paged(&["status", "--no-pager"], 24));
    assert!(!is_paged(&["status", "--json"], 24), "programs read JSON");
    assert!(!test.run(&["status"]).success().stdout.contains("paged"), "no terminal");
    test.run(&["run", "step-1"]).success();
    assert!(is_paged(&["logs", "step-1"], 24));
    for pager in ["", "cat", "no-such-program-anywhere"] {
        test.set_env("PAGER", Some(pager));
        assert!(on_terminal(&test, &["status"], SIZE, None).0.contains("step-39"), "{pager}");
    }
}

#[test]
fn lines_fit_and_commands_are_never_cut() {
    let long = "a-step-with-a-very-long-name-that-goes-on-and-on-for-sixty-chars";
    let gate = "a-gate-with-a-very-long-name-that-goes-on-and-on-for-sixty-chars";
    let plan = format!(
        "version: \"1.0\"\nsteps:\n  - {{id: {long}, command: exit 1}}\n  - {{id: b, command: echo, depends_on: [{gate}]}}\ngates:\n  - {{id: {gate}}}\n"
    );
    let test = Test::new().power().sequence(&plan);
    test.run(&["run"]).fails(7);
    let (text, _) = on_terminal(&test, &["status"], SIZE, None);
    for command in [format!("seqctl gate approve {gate}"), format!("seqctl logs {long}")] {
        assert!(text.lines().any(|line| line.trim_end().ends_with(&command)), "{text}");
    }
    let is_command = |line: &str| line.trim_start().starts_with("seqctl ");
    for args in [
        &["status"][..],
        &["step", "list"],
        &["gate", "list"],
        &["audit"],
        &["runs"],
        &["--help"],
        &["help", "step", "add"],
        &["doctor"],
    ] {
        let (text, _) = on_terminal(&test, args, (200, 80), None);
        for line in text.lines().filter(|line| !is_command(line) && args != ["doctor"]) {
            assert!(line.chars().count() <= 80, "{args:?}: {line}");
        }
    }
}

#[test]
fn nothing_is_left_behind_by_doctor() {
    let test = Test::new().sequence("version: \"1.0\"\nsteps: []\n");
    let before = (names(&test.path(".threados")), names(&test.path(".threados/state")));
    let (text, code) = on_terminal(&test, &["doctor"], (50, 120), None);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("120 columns, 50 lines"), "{text}");
    assert_eq!((names(&test.path(".threados")), names(&test.path(".threados/state"))), before);
}
