//! What a shell offers while a command is typed, asked of a real bash.

use portable_pty::CommandBuilder;

use crate::{
    harness::{Out, Test, finish},
    terminal::type_to,
};

const PLAN: &str = "\
version: \"1.0\"
steps:
  - {id: build, command: echo, group_id: pair}
  - {id: bench, command: echo, group_id: pair}
  - {id: deploy, command: echo, depends_on: [ship]}
gates:
  - {id: ship, depends_on: [build]}
";

/// Calls what the script has registered, as bash does when somebody presses TAB behind these words.
const ASK: &str = r#"
. <("$SEQCTL" completions bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9 COMPREPLY=()
_clap_complete_seqctl seqctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

fn ask(test: &Test, line: &str) -> Out {
    let mut bash = test.command("bash");
    bash.args(["--norc", "--noprofile", "-c", ASK, "bash"]).args(line.split(' ')).env("SEQCTL", env!("CARGO_BIN_EXE_seqctl"));
    finish(bash, b"")
}

/// What is offered; nothing else may be said.
#[track_caller]
fn offered(test: &Test, line: &str) -> Vec<String> {
    let out = ask(test, line);
    assert_eq!(out.stderr, "", "{line}");
    out.stdout.lines().filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[test]
fn names_of_the_plan_are_offered_where_they_fit() {
    let test = Test::new().power().sequence(PLAN);
    test.run(&["run"]).fails(9);
    let run = test.last_run();
    for (line, wanted) in [
        ("seqctl gate approve s", vec!["ship"]),
        ("seqctl gate approve b", vec![]),
        ("seqctl logs b", vec!["build", "bench"]),
        ("seqctl why s", vec!["ship"]),
        ("seqctl run b", vec!["build", "bench"]),
        ("seqctl run build d", vec!["deploy"]),
        ("seqctl run step be", vec!["bench"]),
        ("seqctl run group p", vec!["pair"]),
        ("seqctl runs show 2", vec![run.as_str()]),
        ("seqctl logs build --run 2", vec![run.as_str()]),
        ("seqctl stop 2", vec![run.as_str()]),
        ("seqctl stop dep", vec!["deploy"]),
        ("seqctl step add new --after build,s", vec!["build,ship"]),
        ("seqctl step add b", vec![]),
        ("seqctl sta", vec!["status"]),
        ("seqctl gate app", vec!["approve"]),
        ("seqctl gate approve ship --no", vec!["--note", "--no-pager"]),
        ("seqctl graph --format m", vec!["mermaid"]),
        ("seqctl nothing like this", vec![]),
    ] {
        assert_eq!(offered(&test, line), wanted, "{line}");
    }
    let elsewhere = Test::new();
    let line = format!("seqctl --project {} why dep", test.root().display());
    assert_eq!(offered(&elsewhere, &line), ["deploy"]);
    elsewhere.set_env("THREADOS_BASE_PATH", test.root().to_str());
    assert_eq!(offered(&elsewhere, "seqctl why dep"), ["deploy"]);
}

#[test]
fn nothing_is_offered_and_nothing_is_said_where_there_is_no_plan() {
    let test = Test::new();
    assert!(offered(&test, "seqctl gate approve s").is_empty());
    assert_eq!(offered(&test, "seqctl gate app"), ["approve"]);
    let test = Test::new().sequence("version: [\n");
    assert!(offered(&test, "seqctl gate approve s").is_empty());
    assert_eq!(test.run_env("SEQCTL_COMPLETE", "bash", &["nonsense"]).stderr, "");
    test.run_env("SEQCTL_COMPLETE", "", &["--version"]).success().prints("seqctl 0");
}

#[test]
fn the_tab_key_completes() {
    let test = Test::new().sequence(PLAN);
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_seqctl"));
    test.write("rc", format!("PATH={}:$PATH\nPS1='ready> '\n. <(seqctl completions bash)\n", binary.parent().unwrap().display()));
    let command = test.command("bash");
    let mut bash = CommandBuilder::new("bash");
    bash.args(["--noprofile", "--rcfile", "rc", "-i"]);
    bash.cwd(test.root());
    bash.env_clear();
    command.get_envs().for_each(|(name, value)| bash.env(name, value.unwrap()));
    let (text, code) = type_to(bash, (24, 80), Some(("ready> ", "seqctl why dep\t\rexit\r")));
    assert!(text.contains("seqctl why deploy") && text.contains("`deploy` cannot start yet"), "{text}");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn every_shell_gets_a_script() {
    let test = Test::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = test.run(&["completions", shell]).success().stdout;
        assert!(script.contains("SEQCTL_COMPLETE") && script.contains(env!("CARGO_BIN_EXE_seqctl")), "{shell}: {script}");
    }
    test.run(&["completions", "nushell"]).fails(2).says("one of bash");
}
