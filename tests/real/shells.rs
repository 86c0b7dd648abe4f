//! The check of shell texts against dash and bash themselves: whatever it allows must not run
//! anything else in either of them.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::{Command, Stdio},
};

use threados::{
    model::CommandLine,
    policy::{Execution, Policy, Verdict},
};

const ALLOWED: [&str; 10] = ["ok", "true", "echo", "printf", "test", "[", "read", "export", "unset", "cd"];

/// What texts are made of. Every word of them that is no allowed command is a tripwire.
const SOUP: &[&str] = &[
    "ok",
    "ok",
    "ok ",
    "ok ",
    "true ",
    "echo ",
    "evil",
    "evil ",
    "evil x",
    "x",
    "x=",
    "$x",
    "${x:-",
    "${x#",
    "\"${x:-",
    "}",
    "}\"",
    " ",
    " ",
    "\n",
    "\n",
    ";",
    "; ",
    "&&",
    " || ",
    "|",
    "&",
    "(",
    ")",
    "{ ",
    "; }",
    "$(",
    "\"$(",
    ")\"",
    "`",
    "\"",
    "'",
    "'",
    "\\",
    "\\\n",
    " \\\n",
    "#",
    " # ",
    "$((",
    "))",
    "1",
    "+1",
    "if ",
    "; then ",
    "; else ",
    "; fi",
    "while ",
    "; do ",
    "; done",
    "for x in ",
    "case x in ",
    "x) ",
    ";; ",
    "esac",
    "<<E",
    "<<'E'",
    "<<-E",
    "\nE\n",
    "\nE",
    "E",
    "\t",
    ">x",
    " 2>&1 ",
    "<x ",
    "ok() ",
    "x() ",
    "!",
    " ! ",
    "[ ",
    " ]",
    "test ",
    "printf ",
    "read ",
    "read -r x",
    "export x=",
    "unset x",
    "cd .",
    "a[",
    "]",
    "-v ",
    "$",
    "$'",
    "$\"",
    "=",
    "*",
    "?",
    "~",
    "é",
    "\u{a0}",
    "eval ",
    ". ",
    "exec ",
    "set -- ",
    "2",
    "1>",
];

/// A stream of numbers that is the same every time (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }
}

fn is_allowed(text: &str) -> bool {
    let policy = Policy { allowed_commands: ALLOWED.map(str::to_owned).into(), ..Policy::default() };
    let (root, command) = (Path::new("/project"), CommandLine::Shell(text.to_owned()));
    let env = BTreeMap::new();
    let what = Execution { command: Some(&command), text, is_shell: true, env: &env, root, cwd: root, fanout: 1 };
    policy.check(&what) == Verdict::Allow
}

/// Functions that call themselves side by side never end; they are no way out.
fn multiplies(text: &str) -> bool {
    text.contains("()") && text.contains(['&', '|', '$', '`'])
}

struct Sandbox {
    base: tempfile::TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let bin = base.path().join("bin");
        fs::create_dir(&bin).unwrap();
        fs::create_dir(base.path().join("cwd")).unwrap();
        symlink("/bin/true", bin.join("ok")).unwrap();
        for name in ["evil", "x", "E", "a", "1", "2", "evilx", "evil1", "xx", "okx", "ok1", "okok", "okevil", "xevil", "-v"] {
            fs::write(bin.join(name), format!("#!/bin/sh\necho tripped >> '{}'\n", base.path().join("trip").display())).unwrap();
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { base }
    }

    /// What the text ran in this shell that it should not have.
    fn breakout(&self, shell: &[&str], text: &str) -> Option<String> {
        let cwd = self.base.path().join("cwd");
        // A processor second is enough for a loop that never ends.
        let line = "ulimit -t 1; exec \"$@\"";
        let out = Command::new("/bin/sh")
            .args(["-c", line, "sh"])
            .args(shell)
            .args(["-c", text])
            .env_clear()
            .env("PATH", self.base.path().join("bin"))
            .env("LC_ALL", "C")
            .current_dir(cwd)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        let is_tripped = self.base.path().join("trip").exists();
        (is_tripped || said.contains("not found")).then_some(said)
    }
}

#[test]
fn what_is_allowed_runs_nothing_else_in_dash_and_bash() {
    let cases = std::env::var("THREADOS_FUZZ_CASES").map_or(40_000, |cases| cases.parse().unwrap());
    let seed = std::env::var("THREADOS_FUZZ_SEED").map_or(0x5eed_1234_abcd_0001, |seed| seed.parse().unwrap());
    let (sandbox, mut dice, mut ran) = (Sandbox::new(), Dice(seed), 0);
    for _ in 0..cases {
        let text: String = (0..=dice.below(12)).map(|_| SOUP[dice.below(SOUP.len())]).collect();
        if !is_allowed(&text) || multiplies(&text) {
            continue;
        }
        ran += 1;
        for shell in [&["/bin/dash"][..], &["/bin/bash"], &["/bin/bash", "--posix"]] {
            if let Some(said) = sandbox.breakout(shell, &text) {
                panic!("{shell:?} ran something else for {text:?}: {said}");
            }
        }
    }
    assert!(ran * 1000 > cases, "only {ran} of {cases} texts were allowed, which says nothing");
}
