//! What a runner, whom nobody sees, writes into its run's `runner.log`.

use super::{Runner, Writer};
use crate::{clock, error::Error, store::Paths};

impl Runner {
    /// What the run's starter had in its environment and we have not, a step may miss.
    pub(super) fn warn_of_environment(&self) {
        let missing: Vec<&str> =
            self.run.env.iter().map(String::as_str).filter(|name| std::env::var_os(name).is_none()).collect();
        if !missing.is_empty() {
            self.write_log(&format!("warning: not in the environment any more: {}", missing.join(", ")));
        }
    }

    /// While somebody is at work on the plan the same error comes at every look.
    pub(super) fn log_once(&mut self, error: &Error) {
        let text = error.to_string();
        if self.logged.as_ref() != Some(&text) {
            self.write_log(&text);
            self.logged = Some(text);
        }
    }

    pub(super) fn log_warnings(&self, writer: &mut Writer) {
        for warning in writer.warnings.drain(..) {
            self.write_log(&warning);
        }
    }

    pub(super) fn write_log(&self, text: &str) {
        write_log(&self.paths, &self.run.id, text);
    }
}

/// Adds a line to the log of a run's runner, if that can be done.
pub(in crate::engine) fn write_log(paths: &Paths, run: &str, text: &str) {
    use std::io::Write as _;
    let path = paths.run(run).join("runner.log");
    if let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(path) {
        let _ = writeln!(file, "{} {text}", clock::stamp());
    }
}
