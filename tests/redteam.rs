//! What people try to get past a list of allowed commands, and what must get through.

use std::{collections::BTreeMap, path::Path};

use threados::{
    model::CommandLine,
    policy::{Execution, Policy, Verdict},
};

/// The commands that the tables allow.
const ALLOWED: [&str; 21] = [
    "git",
    "make",
    "cargo",
    "echo",
    "cat",
    "ls",
    "grep",
    "cd",
    "mkdir",
    "cp",
    "test",
    "[",
    "export",
    "printf",
    "read",
    "sort",
    "head",
    "true",
    "local",
    "unset",
    "./tools/lint",
];

/// Texts that could run something else, by how they try.
const BYPASSES: &[(&str, &[&str])] = &[
    (
        "separators",
        &[
            "git log; rm x",
            "git log && rm x",
            "git log || rm x",
            "git log | rm x",
            "git log & rm x",
            "git log\nrm x",
            "git log;rm x",
            "! rm x",
        ],
    ),
    ("names that begin or end alike", &["git-evil", "gitx", "xgit", "GIT log", "git/log", "git.exe"]),
    (
        "folders",
        &["/tmp/git log", "./git log", "../git log", "tools/../git", "~/git", "./tools/../tools/lint", "cd x && ./tools/lint"],
    ),
    (
        "substitutions",
        &[
            "git log $(rm x)",
            "git log `rm x`",
            "git log \"$(rm x)\"",
            "git log \"`rm x`\"",
            "git log ${x:-$(rm x)}",
            "git log \"${x:-`rm x`}\"",
            "git log \"${x:-'$(rm x)'}\"",
            "git log $(( $(rm x) ))",
            "x=$(rm x)",
            "git $(git $(git $(rm x)))",
            "git `git \\`rm x\\``",
            "git log > $(rm x)",
            "for f in $(rm x); do git add $f; done",
            "case $(rm x) in a) git log;; esac",
            "case a in $(rm x)) git log;; esac",
            "case a in a) rm x;; esac",
            "git log <(rm x)",
            "git log >(rm x)",
            "git ${x#$(rm x)}",
            "git ${x%%`rm x`}",
            "git \"$\\\n(rm x)\"",
            "git ${x:=$(rm x)}",
        ],
    ),
    (
        "names that are not written out",
        &["$x", "${x}", "g$x", "$(echo rm) x", "`echo rm` x", "*", "/bin/r?", "r\\m x", "\\rm x", "{rm,x}", "~root"],
    ),
    (
        "quotes",
        &[
            "r'm' x",
            "'rm' x",
            "\"rm\" x",
            "''rm x",
            "r\"\"m x",
            "$'\\x72m' x",
            "$\"rm\" x",
            "'git' log; 'r''m' x",
            "'git log'",
            "\"\"",
        ],
    ),
    (
        "variables in front",
        &[
            "PATH=. git log",
            "LD_PRELOAD=./x.so git log",
            "GIT_SSH_COMMAND=./x git fetch",
            "IFS=/ git log",
            "ENV=./x git log",
            "BASH_ENV=x git log",
            "HOME=. git log",
            "PAGER=./x git log",
            "x=1 rm x",
            "x=1 y=2 rm x",
            "x=$(rm x) git log",
        ],
    ),
    (
        "variables elsewhere",
        &[
            "PATH=.; git log",
            "export PATH=.; git log",
            "export PATH; git log",
            "for PATH in . x; do git log; done",
            "git ${PATH:=.}",
            ": ${PATH:=.}",
            "read -r PATH",
            "unset PATH",
            "PATH+=:.",
            "export x=$y",
            "local x=$y",
            "git $((PATH=1))",
            "a[0]=1",
            "a=(1 2)",
            "export \"$x\"",
        ],
    ),
    (
        "commands that run others",
        &[
            "sh -c 'rm x'",
            "sh -c \"sh -c 'rm x'\"",
            "eval rm x",
            "exec rm x",
            ". ./x",
            "source ./x",
            "command rm x",
            "builtin eval rm x",
            "env rm x",
            "xargs rm",
            "ls | xargs rm",
            "nohup rm x",
            "nice rm x",
            "timeout 1 rm x",
            "time rm x",
            "find . -exec rm {} +",
            "trap 'rm x' EXIT",
            "alias git=rm",
            "set -- rm x; git log",
            "set -k",
            "coproc rm x",
        ],
    ),
    (
        "functions",
        &[
            "git() { rm x; }; git log",
            "f() { git log; }; f",
            "rm() { git log; }; rm x",
            "git() rm x",
            "function git { rm x; }",
            "git() ( rm x )",
            "git() { git log; } > $(rm x)",
        ],
    ),
    (
        "control structures",
        &[
            "if rm x; then git log; fi",
            "if git log; then rm x; fi",
            "if git log; then git log; elif rm x; then git log; fi",
            "if git log; then git log; else rm x; fi",
            "while rm x; do git log; done",
            "while git log; do rm x; done",
            "until rm x; do git log; done",
            "for f in a; do rm x; done",
            "for f; do rm x; done",
            "( rm x )",
            "{ rm x; }",
            "git log; ( cd x; ( rm x ) )",
            "[[ -f x ]]",
            "(( x = 1 ))",
            "select x in a; do git log; done",
            "for ((;;)); do git log; done",
            "case a in a) git log;& b) git log;; esac",
        ],
    ),
    (
        "here-documents",
        &[
            "cat <<E\n$(rm x)\nE",
            "cat <<E\n`rm x`\nE",
            "cat <<E\n${x:-$(rm x)}\nE",
            "cat <<'E'\na\nE\nrm x",
            "cat <<E\na\nE \nrm x\nE",
            "cat <<E\na",
            "cat <<A <<B\nA\nB\nrm x\nB",
            "cat <<\"E\n\"\na\nE\nrm x\n",
            "cat <<E\\\nF\na\nEF\nrm x",
            "cat <<-E\n\ta\n\tE\nrm x",
            "cat <<<$(rm x)",
            "git log <<E\nE\nrm x\nE",
        ],
    ),
    (
        "line ends and odd characters",
        &[
            "git log\r\nrm x",
            "git log\rrm x",
            "git log # x\rrm x",
            "git log\u{0}rm x",
            "git\u{a0}log",
            "git log\u{2028}rm x",
            "git log \u{1b}[2K",
            "gi\\\nt log",
            "# x\\\nrm x",
        ],
    ),
    (
        "redirections",
        &[
            "git log >& x",
            "git log &> x",
            "git log |& rm x",
            "git log {fd}> x",
            "> $(rm x)",
            "11> x",
            ">|]unset x",
            "1>|]git x",
            "git log 11> x",
            "2>&1 rm x",
            "< x rm x",
        ],
    ),
    (
        "brackets that bash looks into",
        &[
            "printf -v 'a[$(rm x)]' x",
            "printf \"$f\" 'a[$(rm x)]' x",
            "read -r 'a[$(rm x)]'",
            "unset 'a[$(rm x)]'",
            "test -v 'a[$(rm x)]'",
            "[ -v 'a[$(rm x)]' ]",
            "[ $x ]",
            "test $x -a $y = z",
            "test \"$a\" \"$b\"",
            "x='a[$(rm x)]'; git $((x))",
            "git $((x))",
            "read -r x; git $((x + 1))",
            "git $(($1))",
            "git ${x[$(rm x)]}",
            "git ${x:$(rm x)}",
            "git ${x@P}",
            "git ${!x}",
            "git ${x/a/$(rm x)}",
            "git $[`rm x`]",
        ],
    ),
    ("mistakes", &["git log; (", "rm x; fi", "git log '", "git log \"", "git $(", "git log; }", "git log;; rm x", "git log && "]),
];

/// Texts that have to get through.
const HONEST: &[&str] = &[
    "git status",
    "  git   status  ",
    "git status; git log",
    "git add . && git commit -m 'done; really'",
    "git log | head -5",
    "cd sub && make -j2 all",
    "make CC=gcc all",
    "cargo test -- --nocapture 2>&1 | grep -v '^warning'",
    "grep -E '\\.rs$' list",
    "grep \"end$\" list",
    "grep '[[:space:]]' list",
    "FOO=bar make",
    "x=$(git rev-parse HEAD)\necho \"$x\"",
    "echo \"on ${BRANCH:-main}\"",
    "echo `git rev-parse HEAD`",
    "echo \"${name%.rs}\" ${name##*/}",
    "for f in *.rs; do git add \"$f\"; done",
    "for f in a b c; do\n  cp \"$f\" out/\ndone",
    "if [ -f Makefile ]; then make; else cargo build; fi",
    "if [ \"$x\" = y ]; then make; fi",
    "[ $# -eq 0 ] || git log",
    "test -n \"$x\" && make",
    "while read -r line; do echo \"$line\"; done < list",
    "case \"$1\" in a|b) make;; *) git log;; esac",
    "set -eu\ngit pull\nmake",
    "set -euo pipefail; make",
    "git log > log.txt 2>&1",
    "git log >> log.txt 2>/dev/null",
    "cat > file <<'EOF'\nrm -rf / is only text\n$(rm x)\nEOF",
    "cat <<EOF\nhello $USER, it is $(git rev-parse HEAD)\nEOF\nmake",
    "git commit -m \"$(cat <<'EOF'\na subject\n\na body\nEOF\n)\"",
    "# a comment; rm x\ngit status # another $(rm x) – with a dash",
    "make all \\\n  CC=gcc \\\n  -j2",
    "(cd sub && make); git status",
    "{ git log; git status; } | head",
    "i=1; while [ $i -lt 3 ]; do i=$((i + 1)); echo $i; done",
    "exit 3",
    "git log || exit 1",
    "make & make check; true",
    "echo 'Grüße' \"aus Köln\"",
    "command -v cargo >/dev/null || echo missing",
    "export FOO=bar BAZ=\"$x\"; make",
    "'git' log; \"git\" log",
    "./tools/lint src",
    "! git diff --quiet",
    "git() { echo wrapped; }; git log",
    "printf '%s\\n' \"$x\"",
    ": > empty",
    "until git pull; do echo again; done",
    "echo a\\;b \"a \\\"quoted\\\" word\" \\$HOME",
];

fn verdict(text: &str) -> Verdict {
    let policy = Policy { allowed_commands: ALLOWED.map(str::to_owned).into(), ..Policy::default() };
    let root = Path::new("/project");
    let command = CommandLine::Shell(text.to_owned());
    policy.check(&Execution { command: Some(&command), text, is_shell: true, env: &BTreeMap::new(), root, cwd: root, fanout: 1 })
}

#[test]
fn no_text_runs_what_is_not_allowed() {
    let through: Vec<_> = BYPASSES
        .iter()
        .flat_map(|(how, texts)| texts.iter().map(move |text| (how, text, verdict(text))))
        .filter(|(.., verdict)| !matches!(verdict, Verdict::Deny { rule: "allowed_commands", .. }))
        .collect();
    assert!(through.is_empty(), "these got through: {through:#?}");
    assert!(BYPASSES.iter().map(|(_, texts)| texts.len()).sum::<usize>() > 150);
}

#[test]
fn honest_texts_run() {
    let denied: Vec<_> =
        HONEST.iter().map(|text| (text, verdict(text))).filter(|(_, verdict)| *verdict != Verdict::Allow).collect();
    assert!(denied.is_empty(), "these were denied: {denied:#?}");
}
