//! Examples of every command, the one source for help, manual pages and the reference.

/// The commands with their examples: what is typed after `seqctl`, and what it is for.
pub(super) const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "step.add",
        &[
            ("step add build --command 'make all'", "a shell text"),
            ("step add test --after build --timeout 10m --retries 2 -- make test", "a program with its arguments"),
            ("step add review --agent claude-code --prompt 'Review the diff.'", "an agent with a prompt"),
        ],
    ),
    (
        "graph",
        &[
            ("graph", "the plan in this terminal"),
            ("graph --focus deploy --zoom compact", "what leads to a step and what follows"),
            ("graph --format mermaid > plan.mmd", "for a page that draws it"),
        ],
    ),
    (
        "attention",
        &[
            ("attention", "what needs you, with the command that settles each"),
            ("attention --json | jq -r '.needs[].command'", "the commands alone"),
        ],
    ),
    (
        "mprocs.open",
        &[
            ("mprocs open", "a pane for each step: s starts it, x stops it, r runs it again"),
            ("mprocs open --config-only", "only write .threados/mprocs.yaml"),
        ],
    ),
    ("mprocs.select", &[("mprocs select build", "bring its pane to the front, from another terminal")]),
    ("mprocs.start", &[("mprocs start build", "run it and look at it")]),
    ("mprocs.stop", &[("mprocs stop build", "for sure, whatever its pane does")]),
    ("mprocs.restart", &[("mprocs restart build", "run it again and look at it")]),
    ("mprocs.send-key", &[("mprocs send-key build r", "as if it were typed there")]),
    ("mprocs.status", &[("mprocs status", "whether it is open, and its panes")]),
    ("mprocs.close", &[("mprocs close", "steps go on")]),
    ("why", &[("why deploy", "what holds it back, and the commands that would start it")]),
    ("result", &[("result review", "the final text of an agent"), ("result review --json", "with its tokens and session")]),
    (
        "outcome",
        &[
            ("outcome done --note 'all tests pass'", "inside a step: it went well"),
            ("outcome review --note 'look at the migration'", "a person should look"),
        ],
    ),
    ("review.accept", &[("review accept api --note 'read it all'", "what was waiting for it goes on")]),
    (
        "review.reject",
        &[
            ("review reject api --note 'breaks the clients'", "it failed"),
            ("review reject api -m 'keep the old route too'", "its agent goes on with these words"),
        ],
    ),
    ("open", &[("open api", "look at what its agent did, and talk to it; leaving it comes back here")]),
    ("continue", &[("continue api -m 'now the tests'", "one more turn in the agent's session")]),
    (
        "step.edit",
        &[
            ("step edit test --timeout 45m --env CI=1", "set fields"),
            ("step edit test --unset retries,env.CI", "take fields away"),
        ],
    ),
    ("step.rm", &[("step rm lint --cascade", "connect what waited for it to what it waited for")]),
    ("step.clone", &[("step clone build build-arm", "the same step under a new name")]),
    (
        "step.move",
        &[
            ("step move lint --before test", "the order in sequence.yaml, and in drawings where no lines cross for it"),
            ("step move deploy --last", "behind all others"),
        ],
    ),
    ("dep.add", &[("dep add deploy test lint", "`deploy` waits for both")]),
    ("dep.rm", &[("dep rm deploy lint", "`deploy` no longer waits for `lint`")]),
    ("gate.insert", &[("gate insert ship --after test --before deploy --name 'Ship it?'", "between two steps")]),
    (
        "gate.approve",
        &[
            ("gate approve ship --note 'looks good'", "what waits for it goes on"),
            ("gate approve ship --expect 0123456789abcdef", "bound to what was seen"),
        ],
    ),
    ("gate.block", &[("gate block ship --note 'not on a Friday'", "what waits for it stays")]),
    ("gate.reopen", &[("gate reopen ship", "decide again later")]),
    ("gate.rm", &[("gate rm ship --cascade", "connect what waited for it to what it waited for")]),
    ("skip", &[("skip lint --note 'linted by hand'", "count it as DONE")]),
    ("reset", &[("reset test --downstream", "it, and everything after it, as if it had never run")]),
    ("undo", &[("undo", "the last change of the plan"), ("undo 12", "the one that `audit list` numbers 12")]),
    ("redo", &[("redo", "what was taken back last")]),
    (
        "prompt.set",
        &[
            ("prompt set review --file review.md", "from a file"),
            ("prompt set review --text 'Review the diff.'", "from the command line"),
        ],
    ),
    (
        "add",
        &[
            ("add 'fix the flaky test'", "for claude-code, or the plan's default agent"),
            ("add 'review the diff' --agent codex --after test", "for another agent, behind a step"),
            ("add 'make all' --command --id build", "a shell text"),
        ],
    ),
    (
        "fuse",
        &[
            ("fuse 'speed up the parser'", "for claude-code, codex and gemini"),
            ("fuse 'name the new crate' --agents codex,codex,gemini --synth claude-code --id name", "two of one kind"),
        ],
    ),
    (
        "fusion.create",
        &[("fusion create --candidates draft-a,draft-b --synth draft", "link steps, and make those that are missing")],
    ),
    (
        "group.parallelize",
        &[
            ("group parallelize lint test docs --id checks", "they run side by side"),
            ("group parallelize lint test --id checks --fail-policy best_effort", "and do not stop each other"),
        ],
    ),
    ("group.rm", &[("group rm checks", "its steps stay")]),
    ("group.list", &[("group list", "every group with its members")]),
    (
        "template.apply",
        &[
            ("template apply chained --task 'Add a login page.' --gates plan,verify", "three phases and two gates"),
            ("template apply parallel --count 5 --prefix docs --after build --dry-run", "only show what it would make"),
            ("template apply mine --set target=arm --set retries=2", "one of your own, with its parameters"),
        ],
    ),
    ("template.list", &[("template list", "ours, and those of .threados/templates/")]),
    (
        "template.show",
        &[
            ("template show fusion", "how it is written"),
            ("template show fusion > .threados/templates/mine.yaml", "begin one of your own with it"),
        ],
    ),
    ("prompt.compile", &[("prompt compile build", "what its agent would be told if it began now")]),
    (
        "diff",
        &[
            ("diff build", "what its agent changed, through a pager"),
            ("diff build --attempt 1 | git apply --3way", "take the changes of an earlier attempt over"),
        ],
    ),
    ("prompt.show", &[("prompt show review", "the text, and where it comes from")]),
    ("prompt.edit", &[("prompt edit review", "in $VISUAL or $EDITOR")]),
    (
        "init",
        &[
            ("init", "with three example steps"),
            ("init --empty --name shop", "with none"),
            ("init --template chained", "with what a template makes"),
        ],
    ),
    (
        "apply",
        &[
            ("apply --file changes.json --dry-run", "show the difference"),
            ("apply --file - --if-unchanged sha256:0123456789abcdef", "from standard input, bound to what was seen"),
        ],
    ),
    ("demo", &[("demo", "in a temporary folder"), ("demo --no-ui", "the same as lines, to its end")]),
    ("step.list", &[("step list --status failed", "those that failed")]),
    ("step.show", &[("step show build", "what it runs, needs and left")]),
    ("gate.list", &[("gate list", "who decided, and what waits")]),
    (
        "status",
        &[
            ("status", "once"),
            ("status --watch", "again at every change"),
            ("status --fields steps.id,steps.status", "two columns as JSON"),
        ],
    ),
    ("validate", &[("validate --strict", "warnings count as errors, as in CI")]),
    ("run.all", &[("run", "everything, until nothing more can start"), ("run --dry-run", "only show what would start")]),
    ("run.runnable", &[("run runnable", "what can start now, and nothing after it")]),
    (
        "run.step",
        &[("run build test", "these, in their order"), ("run build --detach --yes", "without a question, in the background")],
    ),
    ("run.group", &[("run group tests", "every member")]),
    (
        "metrics",
        &[
            ("metrics", "all runs together"),
            ("metrics --run 20261122-104204-ef8c", "one of them"),
            ("metrics --fields usage.costUsd", "what agents cost, as JSON"),
        ],
    ),
    ("run.fusion", &[("run fusion merge", "its candidates, then the step that makes one result of theirs")]),
    ("attach", &[("attach", "watch the run that is going on")]),
    ("wait", &[("wait deploy --for done --timeout 30m", "fails with 7 if it fails, with 9 if it takes longer")]),
    ("extend", &[("extend deploy 30m", "half an hour more, on top of its timeout")]),
    ("stop", &[("stop deploy", "one step"), ("stop --all", "everything that runs")]),
    ("restart", &[("restart test --downstream", "it, and then what depends on it")]),
    (
        "logs",
        &[
            ("logs test --tail 20", "the last lines"),
            ("logs test --follow", "until it ends"),
            ("logs test --json --after 4096", "what came after an earlier answer"),
        ],
    ),
    ("runs.list", &[("runs --limit 5", "the newest five")]),
    ("runs.show", &[("runs show", "the last one, with its attempts")]),
    ("runs.prune", &[("runs prune --keep 5", "remove the logs of all others")]),
    ("audit.tail", &[("audit --limit 5", "what happened last")]),
    ("audit.list", &[("audit list --action gate.approve", "every approval")]),
    (
        "audit.verify",
        &[
            ("audit verify", "nothing was changed by hand"),
            ("audit verify --expect \"$(cat head.txt)\"", "nor cut off, since `audit head` said so"),
        ],
    ),
    ("audit.head", &[("audit head", "to compare with a head written down elsewhere")]),
    (
        "schema",
        &[
            ("schema sequence --write", "for editors, after an update of seqctl"),
            ("schema output status", "what `status --json` answers"),
            ("schema action step.add", "what an entry of `apply` takes"),
        ],
    ),
    ("policy.show", &[("policy show", "what is in force, and where it comes from")]),
    ("requests.list", &[("requests", "what steps ask you for"), ("requests list --all", "with the answers given")]),
    (
        "requests.approve",
        &[("requests approve r42", "do what it asks for"), ("requests approve r42 --note 'two are enough'", "and say why")],
    ),
    ("requests.deny", &[("requests deny r42 --note 'not before the review'", "the step that asked is told so")]),
    ("policy.check", &[("policy check deploy", "whether it may run, without running it")]),
    ("policy.set-mode", &[("policy set-mode POWER", "run without a question"), ("policy set-mode SAFE", "ask again")]),
    ("trust", &[("trust", "after a clone, when you have read policy.yaml and config.yaml")]),
    ("doctor", &[("doctor", "before the first run, or when something is odd")]),
    (
        "completions",
        &[
            ("completions bash > ~/.local/share/bash-completion/completions/seqctl", "bash"),
            ("completions zsh > ~/.zfunc/_seqctl", "zsh, with ~/.zfunc in fpath"),
            ("completions fish > ~/.config/fish/completions/seqctl.fish", "fish"),
        ],
    ),
    ("man", &[("man | man -l -", "read it"), ("man --out ~/.local/share/man/man1", "install the pages")]),
];

/// The examples of a command.
pub(super) fn of(name: &str) -> &'static [(&'static str, &'static str)] {
    EXAMPLES.iter().find(|(command, _)| *command == name).map_or(&[], |(_, examples)| examples)
}

/// The examples as the end of a help text; nothing where there are none.
pub(super) fn help(name: &str) -> Option<String> {
    let examples = of(name);
    let lines: Vec<String> = examples.iter().map(|(line, what)| format!("  {what}:\n      seqctl {line}")).collect();
    (!lines.is_empty()).then(|| format!("Examples:\n{}", lines.join("\n")))
}
