//! Long output on a terminal goes through a pager.

use std::{
    env,
    io::{IsTerminal as _, Write as _},
    process::{Child, Command, Stdio},
};

/// A pager, until it is dropped; it is waited for.
pub(super) struct Pager {
    child: Child,
}

impl Pager {
    /// The pager that $PAGER names, else `less`; nothing where it cannot be started, or is not wanted.
    pub(super) fn start() -> Option<Self> {
        if !std::io::stdout().is_terminal() {
            return None;
        }
        let program = env::var("PAGER").unwrap_or_else(|_| "less".into());
        if program.trim().is_empty() || program == "cat" {
            return None;
        }
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(&program).stdin(Stdio::piped());
        if env::var_os("LESS").is_none() {
            // Ends where all fits on the screen, keeps colours, leaves the text on the screen.
            command.env("LESS", "FRX");
        }
        // The shell would start and then miss the program.
        let first = program.split_whitespace().next().unwrap_or_default();
        let has_program =
            first.contains('/') || env::split_paths(&env::var_os("PATH")?).any(|folder| folder.join(first).is_file());
        has_program.then(|| command.spawn().ok()).flatten().map(|child| Self { child })
    }

    /// Gives it more to show; `false` once the person has seen enough.
    pub(super) fn write(&mut self, bytes: &[u8]) -> bool {
        self.child.stdin.as_mut().is_some_and(|stdin| stdin.write_all(bytes).is_ok())
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
