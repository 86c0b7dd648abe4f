//! `open`: a person at the session of a step's agent.

use serde_json::json;

use crate::{
    agents::{CONFIG, project},
    harness::text,
    terminal::{SIZE, on_terminal, program},
};

const PLAN: &str = "\
version: \"1.0\"
steps:
  - {id: think, model: fake, prompt: make it so, review: true, env: {NAME: ada}, agent_args: [--wide], cwd: inner}
  - {id: plain, command: 'true', env: {NAME: bob}}
";

#[test]
fn the_terminal_is_handed_to_the_agent_in_its_session_and_folder() {
    let test = project(PLAN);
    test.write("inner/keep", "");
    let agent = test.path("fake-agent").display().to_string();
    let talk =
        program(&test, "talk", "echo \"talk $* as $NAME in $(basename \"$PWD\")\"; read line; echo \"heard $line\" > said");
    test.config(
        CONFIG.replace("./fake-agent", &agent) + &format!("    open: [{talk}, \"{{args}}\", --session, \"{{session}}\"]\n"),
    );
    let (said, code) = on_terminal(&test, &["open", "think"], SIZE, None);
    assert!(code == 4 && said.contains("it has not run"), "{said}");
    test.run(&["run", "think"]).fails(9);
    let out = test.run(&["open", "think", "--json"]).fails(8).json();
    assert_eq!(out["code"], "NO_TERMINAL");
    assert_eq!(test.audited("open").len(), 0, "nothing was opened yet");

    let (said, code) =
        on_terminal(&test, &["open", "think"], SIZE, Some(("talk --wide --session s-1 as ada in inner", "hello\n")));
    assert_eq!((code, test.read("inner/said")), (0, "heard hello\n".into()), "{said}");
    for wanted in ["left the session of `think`", "seqctl review accept think", "seqctl continue think -m '…'"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let entry = &test.audited("open")[0];
    assert_eq!(
        (&entry["target"], &entry["payload"]["session"], &entry["actor"]),
        (&json!("think"), &json!("s-1"), &json!("user"))
    );
    assert!(!text(&entry["payload"]["argv"][0]).is_empty());
    assert_eq!(test.status("think"), "NEEDS_REVIEW", "it is still the person's turn");
    test.set_env("THREADOS_STEP_ID", Some("plain"));
    let (said, code) = on_terminal(&test, &["open", "think"], SIZE, None);
    assert!(code == 5 && said.contains("a step cannot decide"), "{said}");
}

#[test]
fn a_step_that_runs_is_not_opened() {
    let test = project(PLAN);
    test.write(
        ".threados/sequence.yaml",
        "version: \"1.0\"\nsteps:\n  - {id: plain, command: 'until [ -f go ]; do sleep 0.01; done'}\n",
    );
    test.run(&["run", "--detach"]).success();
    test.wait_for_status("plain", "RUNNING");
    let (said, code) = on_terminal(&test, &["open", "plain"], SIZE, None);
    assert!(code == 4 && said.contains("`plain` is running"), "{said}");
    test.write("go", "");
    test.wait_for_status("plain", "DONE");
}

#[test]
fn a_command_is_opened_as_a_shell_in_its_folder() {
    let test = project(PLAN);
    test.set_env("SHELL", Some(&program(&test, "my-shell", "echo \"shell as $NAME\"; read line; echo \"$line\" > typed")));
    let (said, code) = on_terminal(&test, &["open", "plain"], SIZE, Some(("shell as bob", "ls\n")));
    assert_eq!((code, test.read("typed")), (0, "ls\n".into()), "{said}");
    assert!(said.contains("left the folder of `plain`"), "{said}");
}

#[test]
fn an_agent_that_cannot_be_opened_says_what_is_missing() {
    let test = project(&PLAN.replace(", cwd: inner", ""));
    test.run(&["run", "think"]).fails(9);
    let (said, code) = on_terminal(&test, &["open", "think"], SIZE, None);
    assert!(code == 2 && said.contains("the agent `fake` cannot open a session for a person"), "{said}");
    assert!(said.contains("`open` below `agents: fake:`"), "{said}");
    test.config(format!("{CONFIG}    open: [./no-such-program, \"{{session}}\"]\n"));
    let (said, code) = on_terminal(&test, &["open", "think"], SIZE, None);
    assert!(code == 8 && said.contains("`./no-such-program` was not found"), "{said}");
}
