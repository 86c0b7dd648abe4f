//! What to do about each failure.

use std::io;

use super::Error;

impl Error {
    /// What to do about it, in one sentence.
    #[expect(clippy::too_many_lines, reason = "one arm for each failure")]
    pub fn hint(&self) -> Option<String> {
        let meant = |nearest: &Option<String>| nearest.as_ref().map(|name| format!("did you mean `{name}`?"));
        match self {
            Self::Usage { hint, .. } => hint.clone().or_else(|| Some("`seqctl help` shows the commands".into())),
            Self::IdInvalid { .. } => Some("ids look like `build-api-2`".into()),
            Self::DurationInvalid { .. } => Some("durations look like `90s`, `45m` or `1h30m`".into()),
            Self::ActionUnknown { nearest, .. } => {
                meant(nearest).or_else(|| Some("actions are called like `gate.approve`; `seqctl help` shows the commands".into()))
            }
            Self::ActionInvalid { action, .. } => Some(format!("`seqctl schema action {action}` shows what it takes")),
            Self::Entries { wrong } => wrong.first().and_then(|(_, error)| error.hint()),
            Self::FileNotFound { .. } => Some("look at the path; it counts from the current folder".into()),
            Self::GroupNotFound { nearest, .. } => {
                meant(nearest).or_else(|| Some("`seqctl step edit <id> --group <group>` puts a step into one".into()))
            }
            Self::FieldInvalid { .. } => Some("`seqctl help <command>` shows what each option takes".into()),
            Self::PromptChanged { step } => Some(format!("look again with `seqctl prompt show {step}`")),
            Self::NoPrompt { step, has_command: true } => Some(format!("it runs a command; `seqctl step show {step}` shows it")),
            Self::NoPrompt { step, has_command: false } => Some(format!("`seqctl prompt set {step} --text '…'` writes one")),
            Self::RevisionChanged { .. } => Some("look again with `seqctl status`, then repeat with the new revision".into()),
            Self::Yaml { expected, .. } => Some(expected.as_ref().map_or_else(
                || "mend that line; `seqctl validate` checks the file".to_owned(),
                |what| format!("expected {what}"),
            )),
            Self::TemplateInvalid { expected, path, .. } => Some(expected.as_ref().map_or_else(
                || format!("mend {}; docs/templates.md says how templates are written", path.display()),
                |what| if what.ends_with('?') { what.clone() } else { format!("expected {what}") },
            )),
            Self::ParameterUnknown { template, nearest, .. } => {
                meant(nearest).or_else(|| Some(format!("`seqctl template show {template}` shows its parameters")))
            }
            Self::ParameterInvalid { parameter, .. } => Some(format!("give it with `--set {parameter}=…`")),
            Self::TemplateNotFound { nearest, .. } => {
                meant(nearest).or_else(|| Some("`seqctl template list` shows the templates".into()))
            }
            Self::IdsTaken { .. } => {
                Some("`--prefix NAME` puts a name before every new id; for one step, choose it with `--id`".into())
            }
            Self::PromptTaken { .. } => Some("move that file away, or use other ids with `--prefix NAME`".into()),
            Self::GroupDisagrees { .. } => {
                Some("give all members the same; `seqctl group parallelize <ids>… --id <group> --fail-policy POLICY` does".into())
            }
            Self::GroupDependent { id, need, .. } => {
                Some(format!("leave one of them out, or take the dependency away: `seqctl dep rm {id} {need}`"))
            }
            Self::NoFusion { step } => Some(format!("`seqctl fusion create --candidates <ids>… --synth {step}` gives it some")),
            Self::CannotTurn { .. } => Some("`seqctl audit list` shows the changes and their numbers".into()),
            Self::NothingToTurn { .. } => {
                Some("only changes of the plan can be undone; `seqctl reset` forgets an outcome".into())
            }
            Self::StepElsewhere { step } => {
                Some(format!("once nothing runs there any more, `seqctl stop {step} --force` declares it dead"))
            }
            Self::TooNew { .. } => Some("update seqctl; this version will not write over it".into()),
            Self::CircularDependency { .. } => Some("take one of these dependencies away: `seqctl dep rm <step> <needs>`".into()),
            Self::DependencyNotFound { nearest, .. } | Self::NodeNotFound { nearest, .. } => {
                meant(nearest).or_else(|| Some("`seqctl step list` shows what there is".into()))
            }
            Self::StepNotFound { nearest, .. } => meant(nearest).or_else(|| Some("`seqctl step list` shows the steps".into())),
            Self::GateNotFound { nearest, .. } => meant(nearest).or_else(|| Some("`seqctl gate list` shows the gates".into())),
            Self::ProjectNotFound { .. } => Some("make one here with `seqctl init`, or choose one with `--project DIR`".into()),
            Self::ProjectExists { .. } => Some("`seqctl status` shows it".into()),
            Self::PromptNotFound { step, file } => {
                Some(format!("write `.threados/{file}`, or change it with `seqctl step edit {step}`"))
            }
            Self::RunNotFound { .. } => Some("`seqctl runs list` shows the runs".into()),
            Self::NoRunYet => Some("`seqctl run` starts one".into()),
            Self::NoRun => Some("`seqctl run` starts one, `seqctl runs` lists those that have ended".into()),
            Self::LogNotFound { run, .. } => Some(format!("`seqctl runs show {run}` shows the attempts; a pruned run has none")),
            Self::NeverRan { step } => Some(format!("`seqctl run {step}` runs it")),
            Self::AlreadyExists { .. } => Some("choose another id; steps and gates share one space of names".into()),
            Self::HasDependents { .. } => Some("`--cascade` connects them to what it needs itself".into()),
            Self::StepRunning { step } => Some(format!("stop it first: `seqctl stop {step}`")),
            Self::StepEnded { step, .. } => Some(format!("`seqctl restart {step}` runs it again")),
            Self::StepBlocked { .. } => Some("`seqctl status` shows what it waits for".into()),
            Self::GateNotPending { gate, .. } => Some(format!("`seqctl gate reopen {gate}` makes it PENDING again")),
            Self::GateChanged { .. } => Some("look again with `seqctl gate list --json`, then repeat with the new digest".into()),
            Self::GateNotReached { .. } => Some("`--ahead` approves it before they have ended".into()),
            Self::Locked { .. } => Some("look whether that process hangs; ending it is safe, nothing is lost".into()),
            Self::SaveConflict { place, .. } => {
                Some(format!("theirs stands, the file with the change is {place}; take over what you want"))
            }
            Self::FileUnusable { why, .. } => Some(usable(why).unwrap_or("mend it, or take another file").to_owned()),
            Self::FileBusy { .. } => Some("let the other program finish saving, then try again".into()),
            Self::Denied { .. } => Some("`.threados/policy.yaml` says what is allowed".into()),
            Self::ConfirmationRequired { why, .. } => Some(format!("{why}; add `--yes` to confirm")),
            Self::StepFailed { failed } => failed
                .first()
                .map(|(step, _)| format!("`seqctl logs {step}` shows its output, `seqctl restart {step}` runs it again")),
            Self::Waiting { hint, .. } => Some(hint.clone()),
            Self::AgentUnknown { .. }
            | Self::AgentMissing { .. }
            | Self::AgentUnable { .. }
            | Self::NoSession { .. }
            | Self::TerminalMissing { .. }
            | Self::NotEnded { .. }
            | Self::NotInStep
            | Self::NotInReview { .. } => self.agent_hint(),
            Self::Warnings { .. } => Some("mend them, or leave out `--strict`".into()),
            Self::AuditBroken { .. } => {
                Some("entries from here on may have been changed by hand; `git log` or a backup can tell".into())
            }
            Self::AuditDamaged { .. } => Some(
                "`seqctl audit verify` names the first line that is wrong; keep a copy and cut the file off before it to go on"
                    .into(),
            ),
            Self::Declined { .. } => Some("answer `y`, or add `--yes`, to go on".into()),
            Self::StepCannotConfirm { why, .. } => {
                Some(format!("{why}; a person has to run it, or set `mode: POWER` in .threados/policy.yaml"))
            }
            Self::Requested { request, .. } => Some(format!(
                "a person approves it with `seqctl requests approve {request}`, and then it is done; there is no need to ask again"
            )),
            Self::RequestNotFound { .. } => Some("`seqctl requests list` shows them".into()),
            Self::RequestClosed { .. } => Some("`seqctl requests list --all` shows the answers".into()),
            Self::RequestVoid { .. } => Some("ask again, and what it is now is shown".into()),
            Self::RequestDenied { .. } => Some("do without it, or ask for something else".into()),
            Self::MprocsNotFound { .. } => Some(
                "install it with `npm install -g mprocs@0.9.6` or `cargo install --locked mprocs --version 0.9.6`, or name it in \
                 THREADOS_MPROCS_PATH"
                    .into(),
            ),
            Self::MprocsFailed { .. } => {
                Some("no step depends on it; `seqctl mprocs status` shows what there is, `seqctl mprocs open` opens it anew".into())
            }
            Self::MprocsClosed => Some("`seqctl mprocs open` opens it; `seqctl run`, `stop` and `restart` do without".into()),
            Self::MprocsOpen { .. } => Some("`seqctl mprocs close` closes that one, and ends no step".into()),
            Self::Unfit { .. } => Some("each line marked ✖ says what to do".into()),
            Self::EditorFailed { kept: Some(kept), .. } => Some(format!("your text is in {}", kept.display())),
            Self::EditorFailed { kept: None, .. } => {
                Some("set VISUAL or EDITOR to an editor, or use `seqctl prompt set <step> --file FILE`".into())
            }
            Self::GatePending { gate } => Some(format!("`seqctl gate approve {gate}` or `seqctl gate block {gate}` decides it")),
            Self::CannotExtend { step, .. } => Some(format!("`seqctl step show {step}` shows how it stands")),
            Self::StepNotRunning { .. } | Self::RunState { .. } => Some("`seqctl status` shows what runs".into()),
            Self::WaitTimeout { .. } => Some("`seqctl status` shows how it stands; `seqctl wait` goes on waiting".into()),
            Self::NotDependent { id, .. } => Some(format!("`seqctl step show {id}` shows what it needs")),
            Self::PlanInvalid { .. } => Some("mend it in .threados/sequence.yaml; `seqctl validate` checks it".into()),
            Self::ProjectUnusable { .. } | Self::RunnerFailed { .. } => Some("`seqctl doctor` looks for the reason".into()),
            Self::Io { source, .. } => Some(
                match source.kind() {
                    io::ErrorKind::PermissionDenied => "look whose it is with `ls -l`",
                    io::ErrorKind::StorageFull => "make room on the disk; nothing is lost",
                    io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only: only looking works",
                    _ => "`seqctl doctor` looks for the reason",
                }
                .into(),
            ),
            Self::Internal { .. } => Some("this is a bug; please report it with what `seqctl doctor --json` prints".into()),
        }
    }

    /// What to do about a failure that has to do with an agent, or with what it does.
    fn agent_hint(&self) -> Option<String> {
        match self {
            Self::AgentUnknown { nearest, known, .. } => nearest
                .as_ref()
                .map(|name| format!("did you mean `{name}`?"))
                .or_else(|| Some(format!("agents are {}; `agents:` in .threados/config.yaml adds others", known.join(", ")))),
            Self::AgentMissing { agent, install, .. } => Some(match install {
                Some(command) => format!("install it with `{command}`, or say where it is in .threados/config.yaml"),
                None => format!("install it, or mend its `command` below `agents: {agent}:` in .threados/config.yaml"),
            }),
            Self::AgentUnable { agent, key, .. } => {
                Some(format!("`{key}` below `agents: {agent}:` in .threados/config.yaml says how it does"))
            }
            Self::NoSession { step, .. } => Some(format!("`seqctl restart {step}` runs it afresh")),
            Self::TerminalMissing { action: "open" } => {
                Some("type it at a terminal; `seqctl continue <step> -m '…'` sends a message without one".into())
            }
            Self::TerminalMissing { .. } => Some("type it at a terminal, not into a pipe or a script".into()),
            Self::NotEnded { step } => Some(format!("`seqctl logs {step} -f` shows how far it is")),
            Self::NotInStep => Some("it is for steps: `seqctl` finds the step in the environment that `seqctl run` makes".into()),
            Self::NotInReview { .. } => Some("`seqctl status` shows what wants a review".into()),
            _ => None,
        }
    }
}

/// How a file becomes usable again.
fn usable(why: &str) -> Option<&'static str> {
    const HINTS: &[(&str, &str)] = &[
        ("is missing", "bring it back with `git checkout`, or from `.threados/state/history/`"),
        ("is damaged", "bring the file back from a backup, or move it away to go on without it"),
        ("is larger", "files that people write are far smaller; has something else been saved over it?"),
        ("is a link", "make what it leads to, or put a file in its place"),
        ("is a folder", "move it away, and put a file in its place"),
        ("is not a file", "move it away, and put a file in its place"),
    ];
    HINTS.iter().find(|(start, _)| why.starts_with(start)).map(|(_, hint)| *hint)
}
