//! What an attempt leaves behind once it has ended.

use std::fs;

use crate::{
    clock,
    error::Error,
    fault,
    model::Id,
    store::{AttemptStatus, Exit, Paths, file},
};

/// Writes status.json of an attempt. Until it stands, the lease must be kept.
pub fn write_status(paths: &Paths, run: &str, step: &Id, exit: &Exit) -> Result<(), Error> {
    let folder = paths.attempt(run, step.as_str(), exit.attempt);
    let size = |name: &str| fs::metadata(folder.join(name)).map_or(0, |meta| meta.len());
    let started = exit.at.parse::<jiff::Timestamp>().ok().and_then(|end| {
        let took = jiff::SignedDuration::from_millis(i64::try_from(exit.ms).ok()?);
        end.checked_sub(took).ok()
    });
    let status = AttemptStatus {
        v: 1,
        step: step.clone(),
        run: run.into(),
        attempt: exit.attempt,
        status: exit.outcome.status,
        reason: exit.outcome.reason,
        exit_code: exit.outcome.code,
        signal: exit.outcome.signal,
        note: exit.outcome.note.clone(),
        started_at: started.map_or_else(|| exit.at.clone(), clock::rfc3339),
        ended_at: exit.at.clone(),
        duration_ms: exit.ms,
        stdout_bytes: size("stdout.log"),
        stderr_bytes: size("stderr.log"),
    };
    if !folder.is_dir() {
        fs::create_dir_all(&folder).map_err(Error::io("make the folder", &folder))?;
    }
    fault::write("status.write").map_err(Error::io("write", folder.join("status.json")))?;
    file::replace(&folder.join("status.json"), &file::pretty(&status)?)
}
