//! What mprocs is told, one connection a message. It answers nothing, and any input that it cannot read ends it
//! and all it hosts: only typed commands are ever written.

use std::{
    io::{self, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use serde::Serialize;

use super::Key;
use crate::error::Error;

/// How long mprocs may take to accept a message.
const PATIENCE: Duration = Duration::from_secs(2);

/// How far apart messages have to be for their order to be kept.
pub const GAP: Duration = Duration::from_millis(30);

/// A command. What acts on a pane acts on the selected one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "c", rename_all = "kebab-case")]
pub enum Command {
    /// Several, in their order.
    Batch {
        /// The commands.
        cmds: Vec<Self>,
    },
    /// Selects the pane at an index. One that is too large selects the last pane, so it is looked up before.
    SelectProc {
        /// From 0.
        index: usize,
    },
    /// Selects the next pane, after the last one the first.
    NextProc,
    /// Selects the pane before, before the first one the last.
    PrevProc,
    /// Starts the program of the pane.
    StartProc,
    /// Sends SIGTERM to the program of the pane.
    TermProc,
    /// Sends SIGTERM to the program of the pane, and starts it again when it has ended.
    RestartProc,
    /// Types a key into the pane.
    SendKey {
        /// The key.
        key: Key,
    },
    /// Adds a pane at the end and starts its program.
    AddProc {
        /// For a shell.
        cmd: String,
        /// What the pane is called.
        name: String,
    },
    /// Ends every program, then mprocs.
    Quit,
}

impl Command {
    /// One command on the pane at `index`.
    pub fn at(index: usize, command: Self) -> Self {
        Self::Batch { cmds: vec![Self::SelectProc { index }, command] }
    }

    /// Starts the programs of `count` panes of `all`, from the selected one on, and leaves the selection where it is.
    pub fn start_all(count: usize, all: usize) -> Self {
        let started = (0..count).flat_map(|_| [Self::StartProc, Self::NextProc]);
        let back = (0..if count == all { 0 } else { count }).map(|_| Self::PrevProc);
        Self::Batch { cmds: started.chain(back).collect() }
    }
}

/// Tells the mprocs that listens on a port of this machine something.
pub fn send(port: u16, command: &Command) -> Result<(), Error> {
    let failed = |error: io::Error| Error::MprocsFailed { why: format!("does not take what it is told on port {port}: {error}") };
    let document = serde_json::to_vec(command).map_err(|error| Error::internal(error.to_string()))?;
    let mut stream = TcpStream::connect_timeout(&address(port), PATIENCE).map_err(failed)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
    // It reads up to the end; half a document would abort it, and a small one is written whole.
    stream.write_all(&document).and_then(|()| stream.shutdown(Shutdown::Write)).map_err(failed)
}

/// A port that nobody uses at the moment.
pub fn free_port() -> Result<u16, Error> {
    let listener = TcpListener::bind(address(0)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| Error::MprocsFailed { why: format!("finds no free port: {error}") })
}

/// Whether nobody uses a port.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind(address(port)).is_ok()
}

fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_message_is_one_document_on_a_connection_of_its_own() {
        let listener = TcpListener::bind(address(0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        let reader = std::thread::spawn(move || {
            let mut texts = Vec::new();
            for _ in 0..2 {
                let mut text = String::new();
                listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
                texts.push(text);
            }
            texts
        });
        send(port, &Command::at(2, Command::SendKey { key: Key::letter('s') })).unwrap();
        send(port, &Command::Quit).unwrap();
        let batch = r#"{"c":"batch","cmds":[{"c":"select-proc","index":2},{"c":"send-key","key":"<s>"}]}"#;
        assert_eq!(reader.join().unwrap(), [batch, r#"{"c":"quit"}"#]);
        let error = send(port, &Command::Quit).unwrap_err().to_string();
        assert!(error.contains(&format!("port {port}")), "{error}");
    }

    #[test]
    fn starting_panes_leaves_the_selection_where_it_was() {
        use Command::{NextProc, PrevProc, StartProc};
        let all = Command::start_all(2, 2);
        assert_eq!(all, Command::Batch { cmds: vec![StartProc, NextProc, StartProc, NextProc] }, "the list is a ring");
        let some = Command::start_all(1, 3);
        assert_eq!(some, Command::Batch { cmds: vec![StartProc, NextProc, PrevProc] });
    }
}
