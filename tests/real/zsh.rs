//! What is offered while a command is typed, in a real zsh.

use portable_pty::CommandBuilder;

use crate::{harness::Test, terminal::type_to};

#[test]
fn the_tab_key_completes_from_fpath() {
    let test = Test::new()
        .sequence("version: \"1.0\"\nsteps:\n  - {id: deploy, command: echo, depends_on: [ship]}\ngates:\n  - {id: ship}\n");
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_seqctl"));
    test.write("fpath/_seqctl", test.run(&["completions", "zsh"]).success().stdout);
    let path = format!("path=({} $path)", binary.parent().unwrap().display());
    test.write(".zshrc", format!("{path}\nfpath=(fpath $fpath)\nautoload -U compinit; compinit -u -D\nPS1='ready> '\n"));
    let command = test.command("zsh");
    let mut zsh = CommandBuilder::new("zsh");
    zsh.args(["--no-globalrcs", "-i"]);
    zsh.cwd(test.root());
    zsh.env_clear();
    command.get_envs().for_each(|(name, value)| zsh.env(name, value.unwrap()));
    zsh.env("ZDOTDIR", test.root());
    let (text, code) = type_to(zsh, (24, 80), Some(("ready> ", "seqctl why dep\t\rexit\r")));
    assert!(text.contains("`deploy` cannot start yet"), "the feature `real-tools` needs zsh: {text}");
    assert_eq!(code, 0, "{text}");
}
