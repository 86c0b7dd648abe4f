//! What an attempt leaves behind once it has ended, and what its agent says of it.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use super::SpecFile;
use crate::{
    agent::Report,
    error::Error,
    fault,
    model::{Id, Outcome, OutputFormat, Products, Reason, StepStatus, Usage, WorkerEnd},
    store::{AttemptStatus, Exit, Paths, file, worker_folder, worker_of},
};

/// Of an output that is longer than this only the beginning and the end are read, in bytes: who
/// waits for the outcome must not wait for long.
const LONG: u64 = 64 * 1024 * 1024;

/// What of a long output is read at its beginning and at its end.
const ENDS: (u64, u64) = (1024 * 1024, 16 * 1024 * 1024);

/// Writes status.json of an attempt of which no agent says anything.
pub fn write_status(paths: &Paths, run: &str, step: &Id, exit: &Exit) -> Result<(), Error> {
    complete(paths, run, step, exit, &Left::default())
}

/// What is known of an attempt beside its outcome.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// What its agent says of its work.
    pub(super) report: Report,
    /// What it left in the work tree.
    pub(super) products: Products,
    /// Which worker of a fan-out it is about.
    pub(super) worker: Option<u32>,
    /// How the workers of a fan-out ended.
    pub(super) workers: Vec<WorkerEnd>,
}

/// Writes status.json and summary.md of an attempt. Until status.json stands, the lease must be kept.
pub(super) fn complete(paths: &Paths, run: &str, step: &Id, exit: &Exit, left: &Left) -> Result<(), Error> {
    let Left { report, products, worker, workers } = left;
    let folder = match worker {
        Some(worker) => paths.worker(run, step.as_str(), exit.attempt, *worker),
        None => paths.attempt(run, step.as_str(), exit.attempt),
    };
    let ran = workers.iter().filter(|end| end.attempt == exit.attempt);
    let logs: Vec<_> = ran.map(|end| folder.join(worker_folder(end.worker))).chain([folder.clone()]).collect();
    let size = |name: &str| logs.iter().filter_map(|folder| fs::metadata(folder.join(name)).ok()).map(|meta| meta.len()).sum();
    let status = AttemptStatus {
        v: 1,
        step: step.clone(),
        run: run.into(),
        attempt: exit.attempt,
        worker: *worker,
        status: exit.outcome.status,
        reason: exit.outcome.reason,
        exit_code: exit.outcome.code,
        signal: exit.outcome.signal,
        note: exit.outcome.note.clone(),
        until: exit.outcome.until.clone(),
        started_at: exit.began(),
        ended_at: exit.at.to_string(),
        duration_ms: exit.ms,
        stdout_bytes: size("stdout.log"),
        stderr_bytes: size("stderr.log"),
        workers: workers.clone(),
        agent: report.facts.clone(),
        products: products.clone(),
    };
    if !folder.is_dir() {
        // Perhaps there is no folder either.
        fs::create_dir_all(&folder).map_err(Error::io("make the folder", &folder))?;
    }
    if !report.text.is_empty() {
        file::replace(&folder.join("summary.md"), format!("{}\n", report.text.trim_end()).as_bytes())?;
    }
    fault::write("status.write").map_err(Error::io("write", folder.join("status.json")))?;
    file::replace(&folder.join("status.json"), &file::pretty(&status)?)
}

/// What the output of an attempt says of its agent's work. What cannot be read says nothing.
pub(super) fn read_report(folder: &Path, format: OutputFormat) -> Report {
    let mut report = Report::default();
    if format.is_text() {
        return report;
    }
    let Ok(mut log) = File::open(folder.join("stdout.log")) else { return report };
    let len = log.metadata().map_or(0, |meta| meta.len());
    if len > LONG {
        report.read(format, (&mut log).take(ENDS.0));
        if log.seek(SeekFrom::Start(len - ENDS.1)).is_err() {
            return report;
        }
    }
    report.read(format, log);
    if format.counts_session() {
        // What an earlier attempt took stands in its own status.json.
        let spent = spent_before(folder);
        report.facts.usage = report.facts.usage.map(|usage| spent.map_or(usage, |spent| usage.since(spent)));
    }
    report
}

/// What the session had taken before which an attempt, or a worker of it, goes on with.
fn spent_before(folder: &Path) -> Option<Usage> {
    let read = |folder: &Path| file::read_json::<SpecFile>(&folder.join("spec.json"));
    match worker_of(folder) {
        Some(worker) => read(folder.parent()?)?.workers_spent.get(&worker).copied(),
        None => read(folder)?.spent,
    }
}

/// The same for an attempt that somebody else started.
pub(super) fn recall_report(folder: &Path) -> Report {
    let format = file::read_json::<SpecFile>(&folder.join("spec.json")).map_or(OutputFormat::Text, |spec| spec.output);
    read_report(folder, format)
}

/// The outcome of a process that ended by itself, in the light of what its agent says: exit code 0
/// does not mean that work was done. What the step itself `said` of its end stands against a failure
/// that the agent reports.
pub(super) fn weigh(outcome: Outcome, report: &Report, format: OutputFormat, has_said: bool) -> Outcome {
    let note = |words: &str| Some(super::word::cut(words));
    match (outcome.status, &report.failure) {
        _ if format.is_text() => outcome,
        (StepStatus::Failed, Some(why)) if outcome.note.is_none() => Outcome { note: note(why), ..outcome },
        (StepStatus::Failed, _) => outcome,
        (_, Some(why)) if !has_said => {
            Outcome { status: StepStatus::Failed, reason: Some(Reason::Agent), note: note(why), ..outcome }
        }
        (StepStatus::NeedsReview, _) if outcome.note.is_none() => {
            Outcome { note: report.denied().as_deref().and_then(note), ..outcome }
        }
        (StepStatus::Done, _) => match report.denied() {
            Some(denied) => Outcome { status: StepStatus::NeedsReview, note: note(&denied), ..outcome },
            None if !report.has_ended && !has_said => {
                Outcome { status: StepStatus::NeedsReview, note: note("its output has no result in it"), ..outcome }
            }
            None => outcome,
        },
        _ => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAUDE: OutputFormat = OutputFormat::Claude;

    fn done() -> Outcome {
        Outcome { status: StepStatus::Done, reason: None, code: Some(0), signal: None, note: None, until: None }
    }

    fn report(result: &str) -> Report {
        let mut report = Report::default();
        report.read(CLAUDE, format!("{{\"type\":\"result\"{result}}}\n").as_bytes());
        report
    }

    fn denied() -> Report {
        let denial = r#"{"tool_name":"Write","tool_input":{"file_path":"a.txt"}}"#;
        report(&format!(",\"permission_denials\":[{denial},{denial}]"))
    }

    fn failed() -> Report {
        report(",\"is_error\":true,\"errors\":[\"no credit\"]")
    }

    #[test]
    fn success_is_what_agent_and_exit_code_agree_on() {
        assert_eq!(weigh(done(), &report(""), CLAUDE, false), done());
        let review = weigh(done(), &denied(), CLAUDE, true);
        assert_eq!((review.status, review.note.as_deref()), (StepStatus::NeedsReview, Some("denied: Write a.txt, and 1 more")));
        let wanted = Outcome { status: StepStatus::NeedsReview, ..done() };
        assert_eq!(weigh(wanted, &denied(), CLAUDE, false).note, review.note);
        let outcome = weigh(done(), &failed(), CLAUDE, false);
        assert_eq!((outcome.status, outcome.explained().as_str()), (StepStatus::Failed, "the agent failed, no credit"));
        assert_eq!(weigh(done(), &failed(), CLAUDE, true), done());
        assert_eq!(weigh(done(), &Report::default(), CLAUDE, false).status, StepStatus::NeedsReview);
        assert_eq!(weigh(done(), &Report::default(), OutputFormat::Text, false), done());
    }

    #[test]
    fn a_failure_stays_one_and_gets_the_agents_words() {
        let exit = Outcome { status: StepStatus::Failed, reason: Some(Reason::Exit), code: Some(1), ..done() };
        assert_eq!(weigh(exit.clone(), &failed(), CLAUDE, false).explained(), "exit 1, no credit");
        assert_eq!(weigh(exit.clone(), &denied(), CLAUDE, false), exit);
    }

    #[test]
    fn of_a_long_output_both_ends_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let stream = include_str!("../agent/fixtures/codex.jsonl");
        let (first, rest) = stream.split_once('\n').unwrap();
        let mut log = File::create(folder.path().join("stdout.log")).unwrap();
        std::io::Write::write_all(&mut log, format!("{first}\n").as_bytes()).unwrap();
        log.set_len(LONG + 1).unwrap();
        log.seek(SeekFrom::End(0)).unwrap();
        std::io::Write::write_all(&mut log, format!("\n{rest}").as_bytes()).unwrap();
        let report = read_report(folder.path(), OutputFormat::Codex);
        assert!(report.facts.session_id.is_some() && report.has_ended);
    }
}
