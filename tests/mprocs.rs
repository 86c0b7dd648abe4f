//! `seqctl mprocs` where there is no mprocs, or no terminal. With the real one: `real/mprocs.rs`.

use serde_json::json;

use crate::harness::Test;

const PLAN: &str = "\
version: \"1.0\"
name: shop
steps:
  - {id: last, command: echo, depends_on: [first, second]}
  - {id: first, command: echo}
  - {id: second, command: echo}
gates:
  - {id: ok, depends_on: [last]}
";

/// A project, and no mprocs anywhere.
fn project() -> Test {
    Test::new().env("PATH", "/nowhere").sequence(PLAN)
}

#[test]
fn the_config_has_a_pane_for_each_step_as_they_stand_on_the_canvas() {
    let test = project();
    let before = test.audit().len();
    let out = test.run(&["mprocs", "open", "--config-only", "--json"]).success().json();
    assert_eq!(out["path"], json!(test.path(".threados/mprocs.yaml")));
    let text = test.read(".threados/mprocs.yaml");
    let at = |step: &str| text.find(&format!("\n  {step}:\n")).unwrap_or_else(|| panic!("no {step} in {text}"));
    assert!(at("first") < at("second") && at("second") < at("last"), "{text}");
    assert!(!text.contains("\n  ok:\n"), "a gate has nothing to show");
    for line in ["proc_list_title: shop", "    autostart: false", "    stop: SIGTERM", "    - step\n    - first\n"] {
        assert!(text.contains(line), "no `{line}` in {text}");
    }
    assert!(text.contains(&format!("cwd: {}", test.root().display())), "{text}");
    assert_eq!(test.audit().len(), before);
    test.run(&["mprocs", "open", "--config-only"]).success().prints("wrote ");
    assert!(test.read(".threados/.gitignore").contains("mprocs.yaml"), "it names this machine's folders");
}

#[test]
fn without_a_terminal_it_says_so() {
    let out = project().run(&["mprocs", "open", "--json"]).fails(8).json();
    assert_eq!(out["code"], "NO_TERMINAL");
    project().run(&["mprocs", "open"]).fails(8).says("error: `mprocs.open` takes over the terminal");
}

#[test]
fn a_program_that_is_missing_or_another_one_is_told_of() {
    let test = project();
    let (said, code) = crate::terminal::on_terminal(&test, &["mprocs", "open"], (24, 200), None);
    assert_eq!(code, 8, "{said}");
    for words in ["`mprocs` is not on PATH", "npm install -g mprocs@0.9.6", "cargo install --locked mprocs --version 0.9.6"] {
        assert!(said.contains(words), "no `{words}` in {said}");
    }
    test.set_env("THREADOS_MPROCS_PATH", Some("/etc/passwd"));
    let (said, code) = crate::terminal::on_terminal(&test, &["mprocs", "open"], (24, 200), None);
    assert!(code == 8 && said.contains("THREADOS_MPROCS_PATH names /etc/passwd, which is no program"), "{said}");
    test.set_env("THREADOS_MPROCS_PATH", Some("/bin/echo"));
    let (said, code) = crate::terminal::on_terminal(&test, &["mprocs", "open"], (24, 200), None);
    assert!(code == 8 && said.contains("/bin/echo is not mprocs 0.9.6"), "{said}");
    assert!(!test.path(".threados/state/mprocs-map.json").exists());
}

#[test]
fn doctor_looks_where_open_looks() {
    let test = project();
    let found = || {
        let checks = test.run(&["doctor", "--json"]).json();
        let checks = checks.get("checks").or_else(|| checks["data"].get("checks")).unwrap().clone();
        let check = checks.as_array().unwrap().iter().find(|check| check["name"] == "mprocs").unwrap().clone();
        (check["health"].clone(), crate::harness::text(&check["text"]), crate::harness::text(&check["hint"]))
    };
    let (health, text, hint) = found();
    assert!(health == "warning" && text.contains("`mprocs` is not on PATH; only `seqctl mprocs` needs it"), "{text}");
    assert!(hint.contains("npm install -g mprocs@0.9.6"), "{hint}");
    test.set_env("THREADOS_MPROCS_PATH", Some("/bin/echo"));
    let (health, text, _) = found();
    assert!(health == "warning" && text.contains("/bin/echo is not the version 0.9.6"), "{text}");
}

#[test]
fn nothing_reaches_an_mprocs_that_is_not_open() {
    let test = project();
    for line in ["select first", "start first", "stop first", "restart first", "send-key first s", "close"] {
        let words: Vec<&str> = ["mprocs"].into_iter().chain(line.split(' ')).chain(["--yes", "--json"]).collect();
        let out = test.run(&words).fails(4).json();
        assert_eq!(out["code"], "MPROCS_NOT_OPEN", "{line}");
    }
    assert_eq!(test.status("first"), "READY", "a start that shows nothing starts nothing");
    test.run(&["mprocs", "select", "frist", "--json"]).fails(3).prints("did you mean `first`?");
    let out = test.run(&["mprocs", "--json"]).success().json();
    assert_eq!((out["panes"].clone(), out.get("session")), (json!([]), None));
    test.run(&["mprocs"]).success().prints("mprocs is not open: seqctl mprocs open");
}

#[test]
fn a_map_that_cannot_be_read_is_nobodys_session() {
    let test = project();
    test.write(".threados/state/mprocs-map.json", "{\"v\":1,");
    test.run(&["mprocs", "close", "--yes"]).fails(4);
    assert!(!test.path(".threados/state/mprocs-map.json").exists());
    assert_eq!(test.audited("mprocs.reconcile").len(), 1);
    test.write(".threados/state/mprocs-map.json", "[]");
    test.run(&["step", "add", "more", "--command", "echo"]).success();
    assert!(!test.path(".threados/state/mprocs-map.json").exists(), "a change of the plan finds it, too");
}
