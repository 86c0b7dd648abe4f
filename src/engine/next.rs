//! What makes sense after an answer.

use super::output::{LogText, Output, RunRow, StatusReport};
use crate::{
    action::{Action, query::Logs},
    model::StepStatus,
};

/// How many commands for what needs a person are worth proposing.
const SHOWN: usize = 5;

/// Commands that make sense next, the most obvious first.
pub(super) fn next(action: &Action, output: &Output) -> Vec<String> {
    match output {
        Output::Changed { changes } => changes.iter().flat_map(|change| change.next.iter().cloned()).collect(),
        Output::Attention { needs } => {
            needs.iter().take(SHOWN).map(|need| need.look.clone().unwrap_or_else(|| need.remedy.command.clone())).collect()
        }
        Output::Why(report) => report.acts.iter().take(1).map(|act| act.command.clone()).collect(),
        Output::Status(report) => after_status(report),
        Output::Valid { findings, .. } if findings.is_empty() => vec!["seqctl run".into()],
        Output::WouldRun(plan) if !plan.starts.is_empty() => vec!["seqctl run".into()],
        Output::Started(started) => vec![format!("seqctl attach {}", started.run), format!("seqctl wait {}", started.run)],
        Output::Step(detail) => match detail.state.status {
            StepStatus::Ready => vec![format!("seqctl run {}", detail.state.id)],
            StepStatus::Failed => vec![format!("seqctl logs {}", detail.state.id), format!("seqctl restart {}", detail.state.id)],
            StepStatus::NeedsReview => vec![format!("seqctl logs {}", detail.state.id)],
            StepStatus::Running => vec![format!("seqctl logs {} --follow", detail.state.id)],
            StepStatus::Blocked | StepStatus::Done => Vec::new(),
        },
        Output::Opened(opening) => {
            let step = &opening.step;
            let message = opening.session.is_some().then(|| format!("seqctl continue {step} -m '…'"));
            let decision = match opening.status {
                StepStatus::NeedsReview => Some(format!("seqctl review accept {step}")),
                StepStatus::Failed => Some(format!("seqctl restart {step}")),
                _ => None,
            };
            decision.into_iter().chain(message).collect()
        }
        Output::Gates { gates } => {
            let open = gates.iter().filter(|gate| gate.reached && gate.status == "PENDING");
            open.map(|gate| format!("seqctl gate approve {}", gate.id)).collect()
        }
        Output::Runs { runs } => runs.iter().filter_map(orphaned).collect(),
        Output::Log(log) if log.truncated => match action {
            Action::Logs(args) => vec![more_of(log, args)],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What reads on in the same log: behind what was read, or from the beginning where that was cut off.
fn more_of(log: &LogText, args: &Logs) -> String {
    let after = if args.after.is_some() { log.cursor } else { 0 };
    let mut command = format!("seqctl logs {} --after {after}", log.step);
    let flags = [(args.stderr, "--stderr"), (args.raw, "--raw")];
    flags.iter().filter(|(is_set, _)| *is_set).for_each(|(_, flag)| command = format!("{command} {flag}"));
    let run = args.run.as_ref().map(|run| format!(" --run {run}"));
    let attempt = args.attempt.map(|attempt| format!(" --attempt {attempt}"));
    let limit = args.limit.map(|limit| format!(" --limit {limit}"));
    command + &[run, attempt, limit].into_iter().flatten().collect::<String>()
}

fn after_status(report: &StatusReport) -> Vec<String> {
    let count = |wanted| report.counts.iter().find(|(status, _)| *status == wanted).map_or(0, |(_, count)| *count);
    let gates = report.gates.iter().filter(|gate| gate.reached && gate.status == "PENDING");
    let ended = |wanted| report.steps.iter().filter(move |step| step.status == wanted);
    let looks = ended(StepStatus::NeedsReview).chain(ended(StepStatus::Failed));
    let mut next: Vec<String> = gates
        .map(|gate| format!("seqctl gate approve {}", gate.id))
        .chain(looks.map(|step| format!("seqctl logs {}", step.id)))
        .chain(report.runs.iter().filter_map(orphaned))
        .take(SHOWN)
        .collect();
    if report.steps.is_empty() {
        next.push("seqctl step add <id> --command '…'".into());
    } else if let Some(run) = report.runs.iter().find(|run| run.has_runner) {
        next.push(format!("seqctl attach {}", run.id));
    } else if count(StepStatus::Ready) > 0 {
        next.push("seqctl run".into());
    }
    if report.findings > 0 {
        next.push("seqctl validate".into());
    }
    next
}

/// A run that nobody advances, taken up again.
fn orphaned(run: &RunRow) -> Option<String> {
    (run.state == "active" && !run.has_runner).then(|| format!("seqctl attach {}", run.id))
}
