//! Starting runners: detached processes that outlive whoever asked for them.

use std::{
    fs::OpenOptions,
    io::{BufRead as _, BufReader},
    os::unix::fs::OpenOptionsExt as _,
    process::{Command, Stdio},
};

use super::{budget, call::Engine, view::View};
use crate::{
    clock,
    error::Error,
    runner::scheduler::{Message, Rest, Scheduler},
    store::{Paths, Run, RunState, is_held, open_runs},
};

/// What a step's environment has that a runner must not inherit: it would be swept with the step.
const OF_A_STEP: &[&str] = &[
    "THREADOS_LEASE",
    "THREADOS_STEP_ID",
    "THREADOS_ATTEMPT",
    "THREADOS_RUN_ID",
    "THREADOS_OUTCOME_FILE",
    "THREADOS_WORKER_INDEX",
    "THREADOS_WORKER_COUNT",
];

/// And a pane's, in which `seqctl` is a view.
const OF_A_PANE: &str = super::mprocs::PANE_VARIABLE;

impl Engine {
    /// Makes sure that a run has a runner.
    pub(super) fn launch(&self, run: &str) -> Result<(), Error> {
        let paths = self.paths();
        if is_held(&paths.runner(run)) || !paths.runner(run).exists() {
            return Ok(());
        }
        self.warn_of_environment(&Run::read(paths, run)?);
        let failed = |why: String| Error::RunnerFailed { run: run.into(), why };
        let log = paths.run(run).join("runner.log");
        let stderr = OpenOptions::new().append(true).create(true).mode(0o600).open(&log).map_err(Error::io("open", &log))?;
        let mut command = Command::new(self.program()?);
        command.arg("__runner").arg(&paths.root).arg(run).current_dir(&paths.root);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        for name in OF_A_STEP {
            command.env_remove(name);
        }
        command.env_remove(OF_A_PANE);
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(|error| failed(error.to_string()))?;
        }
        // Its end is nobody's business, but it must not stay as a zombie under a long-lived face.
        std::thread::spawn(move || {
            let _ = child.wait();
        });
        if line.trim() == "ready" || is_held(&paths.runner(run)) || !paths.runner(run).exists() {
            return Ok(());
        }
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        Err(failed(text.lines().last().unwrap_or("it ended at once").to_owned()))
    }

    /// What the run's starter had in its environment and we have not, its steps may miss.
    fn warn_of_environment(&self, run: &Run) {
        let missing: Vec<&str> = run.env.iter().map(String::as_str).filter(|name| std::env::var_os(name).is_none()).collect();
        if !missing.is_empty() {
            let what = crate::error::count(missing.len(), "variable");
            self.warn(format!("run `{}` goes on without {what} that its starter had: {}", run.id, missing.join(", ")));
        }
    }

    /// Gives every open run that could go on a runner again: its runner was killed, or a decision
    /// made something startable.
    pub(super) fn wake_runs(&self) -> Result<(), Error> {
        let open = open_runs(self.paths())?;
        if open.iter().all(|run| is_held(&self.paths().runner(&run.id))) {
            return Ok(());
        }
        let view = self.view()?;
        for run in open.iter().filter(|run| !is_held(&self.paths().runner(&run.id))) {
            if run.state == RunState::Active || !matches!(rest_of(self.paths(), &view, run), Rest::Waiting(_) | Rest::Held) {
                self.launch(&run.id)?;
            }
        }
        Ok(())
    }
}

/// A scheduler for a run, told everything the view knows.
pub(super) fn scheduler(view: &View, run: &Run) -> Scheduler {
    let mut scheduler = Scheduler::new(&view.sequence, &view.graph, |step| view.covers(run, step), run.fail_fast)
        .with_orchestrators(|at| view.depth(at));
    for at in 0..view.graph.len() {
        use crate::model::{GateStatus, State};
        match view.state(at) {
            State::Idle | State::Gate(GateStatus::Pending) => {}
            State::Running => {
                scheduler.handle(Message::Started(at));
            }
            State::Ended(status) => {
                scheduler.handle(Message::Ended(at, status));
            }
            State::Gate(status) => {
                scheduler.handle(Message::Decided(at, status));
            }
        }
    }
    let now = clock::now();
    for (at, _) in view.waits().filter(|(_, until)| *until > now) {
        scheduler.handle(Message::Delayed(at));
    }
    for (at, step) in view.sequence.steps.iter().enumerate() {
        if view.covers(run, &step.id) && scheduler.readiness().is_startable(at) && view.is_held(run, step) {
            scheduler.handle(Message::Held(at));
        }
    }
    if run.stopped {
        scheduler.handle(Message::Cancel);
    }
    scheduler
}

/// How a run stands.
pub(super) fn rest_of(paths: &Paths, view: &View, run: &Run) -> Rest {
    let mut scheduler = scheduler(view, run);
    scheduler.handle(Message::Hold(budget::exhausted(paths, view, &run.id).is_some()));
    scheduler.rest()
}
