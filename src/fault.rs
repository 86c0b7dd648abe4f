//! Points where a test kills the process or fails a write. Nothing but empty functions unless the
//! feature `faults` is on.
//!
//! `THREADOS_FAULT=<point>:kill[:n]` kills the process with SIGKILL at the n-th time (first by
//! default) it passes the point; `<point>:enospc[:n]` makes the first n writes there fail,
//! `<point>:enospc-at:n` only the n-th; `<point>:sleep[:ms]` waits there, `<point>:panic[:n]` panics. The point `*` is every write of
//! the process. Several are separated by commas.

use std::io;

/// Passes a named point.
#[inline]
pub fn point(name: &str) {
    #[cfg(feature = "faults")]
    drop(on::pass(name, false));
    #[cfg(not(feature = "faults"))]
    let _ = name;
}

/// Passes a named point where a full disk can be pretended.
#[inline]
pub fn write(name: &str) -> io::Result<()> {
    #[cfg(feature = "faults")]
    return on::pass(name, true);
    #[cfg(not(feature = "faults"))]
    {
        let _ = name;
        Ok(())
    }
}

#[cfg(feature = "faults")]
mod on {
    use std::{
        env, io,
        sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering},
        },
        time::Duration,
    };

    struct Fault {
        point: String,
        what: String,
        number: u64,
        hits: AtomicU64,
    }

    fn faults() -> &'static [Fault] {
        static FAULTS: OnceLock<Vec<Fault>> = OnceLock::new();
        FAULTS.get_or_init(|| {
            let text = env::var("THREADOS_FAULT").unwrap_or_default();
            text.split(',').filter_map(parse).collect()
        })
    }

    fn parse(text: &str) -> Option<Fault> {
        let mut parts = text.split(':');
        let (point, what) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let number = parts.next().and_then(|number| number.parse().ok()).unwrap_or(1);
        Some(Fault { point, what, number, hits: AtomicU64::new(0) })
    }

    pub(super) fn pass(name: &str, is_write: bool) -> io::Result<()> {
        for fault in faults().iter().filter(|fault| fault.point == name || is_write && fault.point == "*") {
            let hit = fault.hits.fetch_add(1, Ordering::Relaxed) + 1;
            match fault.what.as_str() {
                "kill" if hit == fault.number => {
                    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
                    // The signal is taken on the way back to user space at the latest.
                    loop {
                        std::thread::sleep(Duration::from_secs(1));
                    }
                }
                #[expect(clippy::panic, reason = "that is what is asked for")]
                "panic" if hit == fault.number => panic!("a test wants it at `{name}`"),
                "sleep" => std::thread::sleep(Duration::from_millis(fault.number)),
                "enospc" if hit <= fault.number => return Err(io::Error::from_raw_os_error(libc::ENOSPC)),
                "enospc-at" if hit == fault.number => return Err(io::Error::from_raw_os_error(libc::ENOSPC)),
                _ => {}
            }
        }
        Ok(())
    }
}
