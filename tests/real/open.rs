//! `open`: the agents' own programs on a terminal, in the session of a step.

use std::{
    io::{Read as _, Write as _},
    sync::{Arc, Mutex},
    thread,
};

use portable_pty::{PtySize, native_pty_system};
use serde_json::json;

use super::{
    agents::{Scene, claude_at, codex_at, gemini_at},
    provider::DONE,
};
use crate::harness::wait_until;

const SIZE: PtySize = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };

/// Opens the session of `think`, says `one thing more` there, and leaves with `bye`. Checks that the model is shown what was said
/// before.
fn assert_talks(scene: &Scene, bye: &str) {
    scene.run(&["run"], 0);
    let asked = scene.provider.requests().len();
    scene.test.set_env("TERM", Some("xterm-256color"));
    let terminal = native_pty_system().openpty(SIZE).unwrap();
    let mut child = terminal.slave.spawn_command(scene.test.on_terminal(&["open", "think"])).unwrap();
    drop(terminal.slave);
    let screen = Arc::new(Mutex::new(vt100::Parser::new(SIZE.rows.try_into().unwrap(), SIZE.cols.try_into().unwrap(), 0)));
    let keyboard = Arc::new(Mutex::new(terminal.master.take_writer().unwrap()));
    let mut output = terminal.master.try_clone_reader().unwrap();
    let (shown, answers) = (Arc::clone(&screen), Arc::clone(&keyboard));
    let reader = thread::spawn(move || {
        let mut block = [0; 4096];
        while let Ok(count) = output.read(&mut block) {
            if count == 0 {
                break;
            }
            let mut screen = shown.lock().unwrap();
            screen.process(&block[..count]);
            // Where is the cursor? Somebody waits for the answer.
            if block[..count].windows(4).any(|bytes| bytes == b"\x1b[6n") {
                let (row, column) = screen.screen().cursor_position();
                let _ = write!(answers.lock().unwrap(), "\x1b[{};{}R", row + 1, column + 1);
            }
        }
    });
    let text = || screen.lock().unwrap().screen().contents();
    let wait_for = |wanted: &str| {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wait_until(wanted, || text().contains(wanted))));
        assert!(result.is_ok(), "no `{wanted}` on\n{}", text());
    };
    // What is typed while a program still starts may be lost, and Enter right behind a text may count as pasted: either is
    // typed again until it has done its work.
    let type_until = |keys: &str, is_done: &mut dyn FnMut() -> bool| {
        let mut looks = 0;
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until(keys, || {
                if looks % 200 == 0 {
                    let _ = write!(keyboard.lock().unwrap(), "{keys}");
                }
                looks += 1;
                is_done()
            });
        }));
        assert!(result.is_ok(), "`{}` did nothing on\n{}", keys.escape_debug(), text());
    };
    wait_for(DONE);
    type_until("one thing more", &mut || text().contains("one thing more"));
    type_until("\r", &mut || {
        let requests = scene.provider.requests();
        let asks = |one: &String| one.contains("please write out.txt") && one.contains("one thing more");
        requests[asked..].iter().map(ToString::to_string).any(|one| asks(&one))
    });
    type_until(bye, &mut || text().contains(bye));
    type_until("\r", &mut || child.try_wait().unwrap().is_some());
    let code = child.wait().unwrap().exit_code();
    drop(terminal.master);
    reader.join().unwrap();
    assert_eq!(code, 0, "{}", text());
    assert!(text().contains("left the session of `think`"), "{}", text());
    assert_eq!(scene.test.audited("open").len(), 1);
}

#[test]
fn claude_is_opened_in_its_session() {
    let scene = claude_at("", "", None);
    let root = scene.test.root().display().to_string();
    let known = json!({
        "hasCompletedOnboarding": true,
        "theme": "dark",
        "customApiKeyResponses": {"approved": ["anything"], "rejected": []},
        "projects": {root: {"hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true}},
    });
    scene.test.write("../home/.claude.json", known.to_string());
    assert_talks(&scene, "/exit");
}

#[test]
fn codex_is_opened_in_its_session() {
    assert_talks(&codex_at(None), "/quit");
}

#[test]
fn gemini_is_opened_in_its_session() {
    let scene = gemini_at("", None);
    scene.test.write(
        "../home/.gemini/trustedFolders.json",
        json!({scene.test.root().display().to_string(): "TRUST_FOLDER"}).to_string(),
    );
    assert_talks(&scene, "/quit");
}
