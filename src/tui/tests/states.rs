//! What the screen looks like, whole, in states that need steps that ran, in empty ones, in dialogs, and while it waits.

use ratatui::style::{Color, Modifier};

use super::{
    logs::as_agent,
    stage::{PLAN, SIZES, Stage, shows},
};
use crate::{model::StepStatus, tui::theme::Theme};

/// The screen as it is, at every size.
fn at_sizes(name: &str, stage: &mut Stage) {
    for (width, height) in SIZES {
        stage.resize((width, height));
        shows!(stage, format!("{name}-{width}x{height}"));
    }
}

/// Walks to a state at every size.
fn walked(name: &str, plan: &str, walk: impl Fn(&mut Stage)) {
    for (width, height) in SIZES {
        let mut stage = Stage::new((width, height), plan);
        walk(&mut stage);
        stage.app.toasts.clear();
        shows!(stage, format!("{name}-{width}x{height}"));
    }
}

const THREADS: &str = "\
version: \"1.0\"
name: threads
steps:
  - {id: base, command: make}
  - {id: left, group_id: pair, command: make left, depends_on: [base]}
  - {id: right, group_id: pair, command: make right, depends_on: [base], fanout: 3}
  - {id: phase, type: c, command: make phase, depends_on: [approve]}
  - {id: draft-a, fusion_candidates: true, fusion_synth: merge, model: codex, prompt: draft, depends_on: [phase]}
  - {id: draft-b, fusion_candidates: true, fusion_synth: merge, model: gemini, prompt: draft, depends_on: [phase]}
  - {id: merge, fusion_synth: true, fusion_candidates: [draft-a, draft-b], model: claude-code, prompt: merge}
  - {id: lead, type: b, orchestrator: true, model: claude-code, prompt: lead, depends_on: [base]}
  - {id: worker, orchestrator: lead, command: make work, depends_on: [base]}
  - {id: long, type: l, model: claude-code, prompt: go on, timeout: 8h, depends_on: [base]}
  - {id: watch, watchdog_for: long, command: test -e alive, watchdog_interval: 5m}
gates:
  - {id: approve, name: Approve the phase, depends_on: [left, right]}
";

#[test]
fn each_thread_type() {
    walked("threads", THREADS, |stage| {
        stage.press("2");
    });
}

const NEEDY: &str = "\
version: \"1.0\"
name: needy
steps:
  - {id: build, command: make, status: FAILED}
  - {id: look, command: make, status: NEEDS_REVIEW}
  - {id: later, command: make, depends_on: [look]}
  - {id: last, command: make, depends_on: [ship, later]}
gates:
  - {id: ship}
";

fn goes_to(stage: &mut Stage, id: &str) {
    stage.press("/").write(id).press("enter esc");
    assert_eq!(stage.app.selected_id().unwrap().as_str(), id);
}

#[test]
fn what_needs_a_person() {
    walked("attention-all", NEEDY, |stage| {
        stage.press("!");
    });
    walked("why", NEEDY, |stage| {
        goes_to(stage, "last");
        stage.press("w");
    });
    walked("menu-review", NEEDY, |stage| {
        goes_to(stage, "look");
        stage.press("v");
    });
    walked("menu-gate", NEEDY, |stage| {
        goes_to(stage, "ship");
        stage.press("v");
    });
}

#[test]
fn dialogs() {
    walked("form-reject", NEEDY, |stage| {
        goes_to(stage, "look");
        stage.press("b");
    });
    walked("form-approve", NEEDY, |stage| {
        goes_to(stage, "ship");
        stage.press("v n");
    });
    walked("form-continue", NEEDY, |stage| {
        goes_to(stage, "look");
        stage.press("c");
    });
    walked("form-template", PLAN, |stage| {
        stage.press("p t").write("j").press("enter");
    });
    walked("form-dependency", PLAN, |stage| {
        stage.press("home p d").write("impl");
    });
    walked("form-edit", PLAN, |stage| {
        stage.press("home enter enter");
    });
    walked("form-skip", PLAN, |stage| {
        stage.press("home :").write("skip").press("enter");
    });
    walked("confirm-delete", PLAN, |stage| {
        goes_to(stage, "deploy");
        stage.press("p x enter").act();
    });
}

#[test]
fn nothing_is_there() {
    walked("empty-runs", PLAN, |stage| {
        stage.press("home U");
    });
    walked("empty-prompt", PLAN, |stage| {
        stage.press("home enter ] ]");
    });
    walked("empty-diff", PLAN, |stage| {
        stage.press("home d");
    });
    walked("empty-audit", PLAN, |stage| {
        stage.press("T");
    });
    walked("empty-search", PLAN, |stage| {
        stage.press("1 /").write("zzz");
    });
    walked("empty-palette", PLAN, |stage| {
        stage.press("ctrl-k").write("zzzz");
    });
    walked("vanished", PLAN, |stage| {
        std::fs::remove_file(stage.root().join(".threados/sequence.yaml")).unwrap();
        stage.look();
    });
}

#[test]
fn it_is_being_read() {
    walked("reading", PLAN, |stage| {
        (stage.app.snapshot, stage.app.inspector.facts) = (None, None);
    });
    let mut stage = Stage::new((140, 40), PLAN);
    for keys in ["home", "]", "]", "]", "]"] {
        stage.press(keys);
        stage.app.inspector.facts = Some(Box::new(crate::tui::inspector::Facts::none("plan".parse().unwrap())));
        let is_log = stage.app.inspector.tab == crate::tui::inspector::Tab::Logs;
        assert!(is_log || stage.text().contains("reading …"), "{:?}\n{}", stage.app.inspector.tab, stage.text());
    }
    stage.press("R");
    assert!(!stage.text().contains("working …"), "not before it takes its time");
    assert_eq!(stage.app.rests_for(), Some(100), "then it is said, without a key");
    stage.app.now += 100;
    assert!(stage.text().contains("working …"), "{}", stage.text());
    stage.act();
    assert!(!stage.text().contains("working …"), "{}", stage.text());
}

const TALK: &str = "\
version: \"1.0\"
name: talk
steps:
  - {id: talk, command: \"printf '\\\\033[32mgreen\\\\033[0m and \\\\033[1;31mred\\\\033[0m\\\\n'; echo wrong >&2; printf '漢字\\\\tand e\\u0301\\\\n'\"}
  - {id: slow, command: \"until [ -e go ]; do sleep 0.02; done\", timeout: 1h}
  - {id: bad, command: \"exit 3\"}
gates:
  - {id: check, depends_on: [talk, bad]}
";

#[test]
fn logs_with_colours() {
    let mut stage = Stage::new((140, 40), TALK);
    goes_to(&mut stage, "talk");
    stage.run("DONE").steadily();
    stage.press("t t");
    stage.until("both", |stage| stage.text().contains("wrong") && stage.text().contains("漢字"));
    let styled = |stage: &Stage, text: &str| {
        let cell = &stage.buffer()[stage.find(text)];
        (cell.fg, cell.modifier.contains(Modifier::BOLD))
    };
    assert_eq!(styled(&stage, "green and"), (Color::Green, false));
    assert_eq!(styled(&stage, "red  "), (Color::Red, true));
    assert_eq!(styled(&stage, "wrong   "), (Color::Yellow, false));
    stage.log("talk", "times.jsonl", "");
    at_sizes("log", &mut stage);
    stage.press("o");
    at_sizes("log-full", &mut stage);
}

#[test]
fn an_agents_transcript() {
    let mut stage = Stage::new((140, 40), TALK);
    goes_to(&mut stage, "talk");
    stage.run("DONE").steadily();
    used(&mut stage);
    as_agent(&mut stage, include_str!("../../agent/fixtures/claude.jsonl"));
    stage.press("o");
    at_sizes("transcript", &mut stage);
    let (before, after) = TALK.split_once("command: \"printf").unwrap();
    let (_, after) = after.split_once('}').unwrap();
    stage.plan(&format!("{before}model: claude-code, prompt: Say it}}{after}"));
    stage.press("esc 1");
    assert!(stage.text().contains("41.2k tokens · $0.32"), "{}", stage.text());
    at_sizes("list-usage", &mut stage);
}

/// Makes the last attempt of `talk` say what an agent used.
fn used(stage: &mut Stage) {
    let path = stage.attempt("talk").join("status.json");
    let mut status: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    status["usage"] = serde_json::json!({"inputTokens": 41_000, "outputTokens": 200, "costUsd": 0.32});
    std::fs::write(&path, status.to_string()).unwrap();
}

#[test]
fn runs_and_what_came_of_them() {
    let mut stage = Stage::new((140, 40), TALK);
    goes_to(&mut stage, "bad");
    stage.run("FAILED").run("FAILED");
    goes_to(&mut stage, "talk");
    stage.run("DONE").steadily();
    goes_to(&mut stage, "bad");
    stage.press("U down");
    at_sizes("runs", &mut stage);
    stage.press("esc");
    goes_to(&mut stage, "check");
    stage.press("w");
    at_sizes("gate", &mut stage);
    stage.press("esc T");
    at_sizes("audit", &mut stage);
}

#[test]
fn a_question_before_a_stop() {
    let mut stage = Stage::new((140, 40), TALK);
    goes_to(&mut stage, "slow");
    stage.run("RUNNING");
    stage.steadily_running();
    stage.press("x");
    at_sizes("confirm-stop", &mut stage);
    std::fs::write(stage.root().join("go"), "").unwrap();
    stage.press("n").until_status("slow", "DONE");
}

/// Every status at once.
const STATUSES: &str = "\
version: \"1.0\"
name: statuses
steps:
  - {id: ready, command: make}
  - {id: blocked, command: make, depends_on: [ready]}
  - {id: done, command: make, status: DONE}
  - {id: failed, command: make, status: FAILED}
  - {id: review, command: make, status: NEEDS_REVIEW}
gates:
  - {id: pending}
  - {id: approved}
  - {id: blocked-gate}
";

/// With a decision about two of the gates.
fn decided(size: (u16, u16)) -> Stage {
    let mut stage = Stage::new(size, STATUSES);
    for (id, key) in [("approved", "a"), ("blocked-gate", "b")] {
        goes_to(&mut stage, id);
        stage.press(key).act();
    }
    stage.app.toasts.clear();
    stage.press("home");
    stage
}

#[test]
fn sixteen_colours_are_enough() {
    for keys in ["2", "1", "p", "ctrl-k", "S", "?", "!"] {
        let mut stage = decided((140, 40));
        stage.press(keys).act();
        for cell in &stage.buffer().content {
            for colour in [cell.fg, cell.bg] {
                assert!(
                    !matches!(colour, Color::Rgb(..) | Color::Indexed(_)),
                    "{keys}: {colour:?} is none of the terminal's own"
                );
            }
        }
    }
    let mut stage = decided((80, 24));
    // The sign of a row stands before its name.
    let sign = |id: &str| {
        let (x, y) = stage.find(&format!(" {id} "));
        stage.buffer()[(x - 1, y)].fg
    };
    let ready = stage.find("ready ");
    assert_eq!(stage.buffer()[ready].fg, Color::Reset, "names have no colour");
    let of = |status: StepStatus| Theme::new(true).step(status).fg.unwrap();
    let statuses = [
        ("ready", StepStatus::Ready),
        ("blocked", StepStatus::Blocked),
        ("done", StepStatus::Done),
        ("failed", StepStatus::Failed),
        ("review", StepStatus::NeedsReview),
        ("pending", StepStatus::NeedsReview),
        ("approved", StepStatus::Done),
        ("blocked-gate", StepStatus::Failed),
    ];
    for (id, status) in statuses {
        assert_eq!(sign(id), of(status), "{id}");
    }
    stage.press("1");
    at_sizes("colours-16", &mut stage);
}

#[test]
fn without_colours_statuses_are_told_apart() {
    let mut stage = decided((80, 24));
    stage.app.look.theme = Theme::new(false);
    let signs: std::collections::BTreeSet<String> = ["ready", "blocked", "done", "failed", "review"]
        .iter()
        .map(|id| {
            let (x, y) = stage.find(&format!(" {id} "));
            stage.cell(x - 1, y)
        })
        .collect();
    assert_eq!(signs.len(), 5, "{signs:?}");
    for keys in ["1", "2", "p", "esc S", "esc ctrl-k", "esc d", "w", "T", "esc !"] {
        stage.press(keys).act();
        let buffer = stage.buffer();
        assert!(buffer.content.iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)), "{keys}\n{}", stage.text());
        stage.app.toasts.clear();
    }
    stage.press("esc 1");
    at_sizes("no-color", &mut stage);
}
