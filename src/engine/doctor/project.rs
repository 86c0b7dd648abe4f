//! The project and where it lies.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use super::check::Check;
use crate::{
    audit, clock,
    engine::{Engine, View},
    error::Error,
    store::{Config, Paths},
};

const MIB: u64 = 1024 * 1024;

/// Everything about the project.
pub(super) fn all(paths: &Paths, view: &Result<View, Error>) -> Vec<Check> {
    let files = [plan(view), policy(view), config(paths)].into_iter().chain(trust(view));
    files.chain([permissions(paths), locks(paths), file_system(paths), space(paths), time(paths)]).collect()
}

fn plan(view: &Result<View, Error>) -> Check {
    match view {
        Ok(view) if Engine::findings(view).is_empty() => Check::ok(
            "plan",
            format!(
                "{}, {}",
                crate::error::count(view.sequence.steps.len(), "step"),
                crate::error::count(view.sequence.gates.len(), "gate")
            ),
        ),
        Ok(view) => Check::warning(
            "plan",
            crate::error::count(Engine::findings(view).len(), "warning"),
            "`seqctl validate` shows them with their lines",
        ),
        Err(error) => {
            Check::broken("plan", error.to_string(), error.hint().unwrap_or_else(|| "`seqctl validate` shows the line".into()))
        }
    }
}

fn policy(view: &Result<View, Error>) -> Check {
    match view.as_ref().map(View::policy) {
        Ok(Ok(policy)) => Check::ok("policy", format!("{}, {} at once", policy.mode.as_str(), policy.max_concurrent)),
        Ok(Err(error)) => Check::broken("policy", error.to_string(), "mend .threados/policy.yaml; until then nothing runs"),
        Err(_) => Check::warning("policy", "cannot be judged without a plan", "mend the plan first"),
    }
}

fn config(paths: &Paths) -> Check {
    let hint = "mend .threados/config.yaml";
    match Config::read(paths) {
        Ok(_) if !paths.config().exists() => Check::ok("config", "there is none, so everything is as usual"),
        Ok(config) if config.warnings.is_empty() => Check::ok("config", "nothing is odd in it"),
        Ok(config) => Check::warning("config", config.warnings.join("; "), hint),
        Err(error) => Check::broken("config", error.to_string(), hint),
    }
}

/// What this user has not trusted does not count, which is easily missed; nothing where there is nothing to trust.
fn trust(view: &Result<View, Error>) -> Option<Check> {
    let ignored = &view.as_ref().ok()?.ignored;
    let text = || format!("without effect before you trust it: {}", ignored.join(" and "));
    let hint = "read policy.yaml and config.yaml, then `seqctl trust` makes them count as they stand";
    (!ignored.is_empty()).then(|| Check::warning("trust", text(), hint))
}

fn permissions(paths: &Paths) -> Check {
    let name = "permissions";
    for folder in [paths.dir.clone(), paths.dir.join("state"), paths.runs()] {
        let shown = paths.show(&folder).to_string();
        let Ok(meta) = fs::metadata(&folder) else {
            if folder == paths.dir {
                return Check::broken(
                    name,
                    format!("{shown} cannot be looked at"),
                    format!("`ls -ld {shown}` shows whose it is"),
                );
            }
            continue;
        };
        if rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_err() {
            let hint = format!("`ls -ld {shown}` shows whose it is; on a read-only disk only looking works");
            return Check::broken(name, format!("{shown} cannot be written to"), hint);
        }
        if folder != paths.dir && meta.mode() & 0o077 != 0 {
            let text = format!("others can look into {shown}, where output and prompts are kept");
            return Check::warning(name, text, format!("`chmod 700 {shown}` keeps it to you"));
        }
    }
    Check::ok(name, ".threados can be written to, state and runs are yours alone")
}

/// Two descriptions of one file have to exclude each other; a file system that says yes to both
/// keeps nothing safe.
fn locks(paths: &Paths) -> Check {
    let name = "locks";
    let folder = paths.dir.join("state");
    let folder = if folder.is_dir() { folder } else { paths.dir.clone() };
    let path = folder.join(format!(".doctor-{}", clock::nonce()));
    let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let tried = open().and_then(|first| Ok((first, open()?)));
    let result = match &tried {
        Err(error) => Check::broken(name, format!("cannot be tried: {error}"), "nothing can run where no file can be made"),
        Ok((first, second)) => match (first.try_lock(), second.try_lock()) {
            (Ok(()), Err(fs::TryLockError::WouldBlock)) => Check::ok(name, "one holder excludes the other"),
            (Ok(()), Ok(())) => Check::broken(
                name,
                "this file system says yes to every lock, so nothing can be kept safe",
                "move the project to a local disk",
            ),
            _ => Check::broken(name, "this file system does not lock", "move the project to a local disk"),
        },
    };
    let _ = fs::remove_file(&path);
    result
}

fn space(paths: &Paths) -> Check {
    let name = "disk";
    let Ok(found) = rustix::fs::statvfs(&paths.dir) else {
        return Check::warning(name, "does not say how much is free", "`df .` may");
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize) / MIB;
    let text = if free >= 10 * 1024 { format!("{} GiB free", free / 1024) } else { format!("{free} MiB free") };
    match free {
        0..16 => Check::broken(name, text, "make room: outcomes are kept, but no step can start"),
        16..1024 => Check::warning(name, text, "`seqctl runs prune` removes the logs of old runs"),
        _ => Check::ok(name, text),
    }
}

/// Kinds of file systems by the number that statfs gives, as linux/magic.h has them; whether locks
/// and renames may be weaker there; and what to say.
#[cfg(target_os = "linux")]
const KINDS: &[(u64, &str, &str)] = &[
    (0x6969, "NFS", "on one machine it works; two machines may both believe that they hold a lock"),
    (0xff53_4d42, "CIFS", "locks may not reach other machines"),
    (0xfe53_4d42, "SMB", "locks may not reach other machines"),
    (0x6573_5546, "FUSE", "what it promises depends on the program behind it"),
    (0x0102_1997, "9P", "changes from the other side are noticed late"),
    (0x786f_4256, "a shared folder of VirtualBox", "changes from the other side are noticed late"),
    (0x0102_1994, "tmpfs", "it is in memory and gone when the machine is switched off"),
];

#[cfg(target_os = "linux")]
fn file_system(paths: &Paths) -> Check {
    let name = "file system";
    match rustix::fs::statfs(&paths.dir) {
        Ok(found) => {
            #[expect(clippy::cast_sign_loss, reason = "the number's width differs by machine; its low 32 bits are the kind")]
            let kind = found.f_type as u64 & 0xffff_ffff;
            match KINDS.iter().find(|(number, ..)| *number == kind) {
                Some((_, kind, text)) => Check::warning(name, format!("{kind}: {text}"), "a local disk is safest"),
                None => Check::ok(name, "a local one"),
            }
        }
        Err(error) => Check::warning(name, format!("does not say what it is: {error}"), "a local disk is safest"),
    }
}

#[cfg(not(target_os = "linux"))]
fn file_system(_: &Paths) -> Check {
    Check::ok("file system", "its locks work, which is what counts")
}

/// A clock that goes back makes runs and entries look out of order.
fn time(paths: &Paths) -> Check {
    let name = "clock";
    let now = clock::stamp();
    let last = audit::last_entries(&paths.audit(), 1).ok().and_then(|mut entries| entries.pop()).map(|entry| entry.at);
    let behind = last.and_then(|last| clock::ms_between(&now, &last)).filter(|ms| *ms > 2000);
    if let Some(ms) = behind {
        let text = format!("it is {} behind the last entry of the audit log", crate::model::Span::from_ms(ms).short());
        return Check::warning(name, text, "`timedatectl` shows whether it is set by the network");
    }
    match skew(&paths.dir) {
        Some(ms) if ms > 2000 => {
            let text = format!("the file system's clock is {} ahead", crate::model::Span::from_ms(ms).short());
            Check::warning(name, text, "set both clocks by the network")
        }
        _ => Check::ok(name, now),
    }
}

/// How far a fresh file's time is ahead of ours, in milliseconds.
fn skew(folder: &Path) -> Option<u64> {
    let path = folder.join("state").join(format!(".doctor-{}", clock::nonce()));
    let file = File::create_new(&path).ok()?;
    let modified = file.metadata().ok()?.modified().ok();
    let _ = fs::remove_file(&path);
    let ahead = modified?.duration_since(clock::now().into()).ok()?;
    u64::try_from(ahead.as_millis()).ok()
}
