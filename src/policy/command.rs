//! Matching commands against an allowlist. What cannot be decided is denied.

use super::shell;

/// Names that run whatever they are told to: who allows one of them allows everything.
const ANYTHING: [&str; 62] = [
    "sh",
    "bash",
    "dash",
    "zsh",
    "ksh",
    "mksh",
    "fish",
    "busybox",
    "eval",
    "exec",
    ".",
    "source",
    "command",
    "builtin",
    "trap",
    "alias",
    "env",
    "xargs",
    "nohup",
    "nice",
    "ionice",
    "timeout",
    "time",
    "setsid",
    "stdbuf",
    "unshare",
    "chroot",
    "sudo",
    "doas",
    "su",
    "ssh",
    "watch",
    "parallel",
    "script",
    "strace",
    "gdb",
    "find",
    "awk",
    "gawk",
    "mawk",
    "sed",
    "perl",
    "python",
    "python3",
    "ruby",
    "node",
    "php",
    "lua",
    "vi",
    "vim",
    "ed",
    "let",
    "declare",
    "typeset",
    "mapfile",
    "readarray",
    "enable",
    "bind",
    "complete",
    "compgen",
    "hash",
    "fc",
];

/// The entries of a list that make it worthless, because they run whatever they are told to.
pub(super) fn worthless(allowed: &[String]) -> impl Iterator<Item = &str> {
    allowed.iter().map(String::as_str).filter(|entry| {
        let name = entry.rsplit('/').next().unwrap_or_default();
        ANYTHING.contains(&name) || ANYTHING.contains(&name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'))
    })
}

/// Whether every command that the shell text could run is on `allowed`; else why not.
pub(super) fn check_text(text: &str, allowed: &[String]) -> Result<(), String> {
    shell::check(text, allowed)
}

/// Whether the program of an argv is on `allowed`; else why not.
pub(super) fn check_name(name: &str, allowed: &[String]) -> Result<(), String> {
    if !name.is_empty() && allowed.iter().any(|known| known == name) {
        return Ok(());
    }
    Err(format!("`{name}` is not one of the allowed commands"))
}

/// Whether a script may run: by its interpreter, and if that is a shell, by its text.
pub(super) fn check_script(text: &str, allowed: &[String]) -> Result<(), String> {
    let words = interpreter(text.as_bytes());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (name, is_named) = match words.as_slice() {
        [] => ("sh", false),
        ["/usr/bin/env" | "/bin/env", name] if !name.starts_with('-') && !name.contains(['=', '/', ' ', '\t']) => (*name, true),
        [path, flags @ ..] if path.starts_with('/') && flags.iter().all(|flags| is_harmless(flags)) => match *path {
            "/bin/sh" | "/usr/bin/sh" => ("sh", false),
            path => (path, true),
        },
        [path, ..] => {
            return Err(format!(
                "the interpreter of its `#!`, `{path}`, is no full path, or gets arguments that are not understood"
            ));
        }
    };
    if is_named && name != "sh" {
        check_name(name, allowed).map_err(|why| format!("the interpreter of its `#!`: {why}"))?;
    }
    match name.rsplit('/').next() {
        Some("sh" | "dash" | "bash") => check_text(text, allowed),
        _ => Ok(()),
    }
}

/// Flags of a shell that do not change what a script runs.
fn is_harmless(flags: &str) -> bool {
    flags.strip_prefix('-').is_some_and(|flags| !flags.is_empty() && flags.bytes().all(|flag| b"eufCx".contains(&flag)))
}

/// The interpreter of a script by its `#!`, and what it is given before the script; nothing where
/// there is no such line.
pub fn interpreter(script: &[u8]) -> Vec<String> {
    let first = script.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(first).ok().and_then(|line| line.strip_prefix("#!")).map_or("", str::trim);
    line.splitn(2, [' ', '\t']).filter(|word| !word.is_empty()).map(|word| word.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn interpreters_are_commands() {
        let allowed = list(&["git", "python3", "/opt/tool"]);
        for good in [
            "git status",
            "#!/bin/sh -eu\ngit log",
            "#!/usr/bin/env python3\nimport os",
            "#!/opt/tool\nx",
            "#!/usr/bin/env sh\ngit log",
        ] {
            assert_eq!(check_script(good, &allowed), Ok(()), "{good}");
        }
        for bad in [
            "rm x",
            "#!/bin/sh\nrm x",
            "#!/bin/sh -c\ngit log",
            "#!/bin/bash\ngit log",
            "#!/usr/bin/env -S python3\nimport os",
            "#!/usr/bin/env PATH=. python3\nimport os",
            "#!/usr/bin/python3\nimport os",
            "#!python3\nimport os",
            "#!/bin/rm\n",
            "#!/bin/sh\r\ngit log",
        ] {
            assert!(check_script(bad, &allowed).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lists_that_allow_anything_are_known() {
        let allowed = list(&["git", "env", "/bin/bash", "python3.12", "make"]);
        assert_eq!(worthless(&allowed).collect::<Vec<_>>(), ["env", "/bin/bash", "python3.12"]);
    }
}
