//! `seqctl mprocs`: handing the terminal over, and what there is to say of it.

use std::{
    io::{self, IsTerminal as _},
    os::unix::process::ExitStatusExt as _,
    process::{ExitCode, ExitStatus},
};

use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::{
    Session,
    signals::{Signal, Signals},
    style,
    table::Table,
};
use crate::{
    action::Action,
    client::{MprocsReport, Output, Reply},
    error::{Error, list},
    model::Id,
};

/// What a program that was killed leaves a terminal in: another screen, no cursor, the mouse, and pastes in brackets.
const USUAL_SCREEN: &str = "\u{1b}[?1049l\u{1b}[?25h\u{1b}[?1000l\u{1b}[?1002l\u{1b}[?1003l\u{1b}[?1006l\u{1b}[?2004l\u{1b}[0m";

impl Session<'_> {
    /// Hands the terminal over to mprocs, and takes it back.
    pub(super) fn open_mprocs(&self, action: &Action) -> Result<ExitCode, Error> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(Error::TerminalMissing { action: "mprocs.open" });
        }
        let usual = tcgetattr(io::stdin()).ok();
        let mut signals = Signals::catch()?;
        let mut hosted = self.client.open_mprocs(&self.caller)?;
        let mut came = None;
        let ended = loop {
            match (hosted.tend(), signals.next()) {
                (Ok(None), None | Some(Signal::Interrupt)) => {}
                (Ok(None), Some(signal)) => {
                    came = Some(signal);
                    break Ok(None);
                }
                (other, _) => break other,
            }
        };
        let left = hosted.finish(ended.as_ref().ok().copied().flatten());
        let is_whole = matches!(&ended, Ok(Some(status)) if status.success());
        if let Some(usual) = usual.filter(|_| !is_whole) {
            self.printer.text(USUAL_SCREEN);
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &usual);
        }
        let running = left?;
        match (ended?, came) {
            (_, Some(signal)) => Ok(ExitCode::from(signal.exit())),
            (Some(status), None) if !status.success() => Err(Error::MprocsFailed { why: how(status, &running) }),
            _ => {
                let warnings = self.client.take_warnings();
                let output = Output::Left { running };
                self.printer.reply(&Reply { action: action.name(), revision: None, output, warnings, next: Vec::new() })
            }
        }
    }
}

/// How mprocs ended that did not end well.
fn how(status: ExitStatus, running: &[Id]) -> String {
    let how = status.signal().map_or_else(|| status.to_string(), |signal| format!("signal {signal}"));
    let goes_on = match running {
        [] => "nothing runs".to_owned(),
        [one] => format!("`{one}` goes on"),
        many => format!("{} go on", list(many)),
    };
    format!("ended with {how}; {goes_on}")
}

/// What goes on after mprocs.
pub(super) fn left(running: &[Id]) -> String {
    match running {
        [] => "mprocs is closed; nothing runs\n".into(),
        [one] => format!("mprocs is closed; `{one}` goes on: seqctl logs {one} -f\n"),
        many => format!("mprocs is closed; {} go on: seqctl attach\n", list(many)),
    }
}

/// Whether mprocs is open, and its panes.
pub(super) fn report(report: &MprocsReport, width: Option<usize>) -> String {
    let mut text = match &report.session {
        None => "mprocs is not open: seqctl mprocs open\n".to_owned(),
        Some(session) if !session.alive => format!("mprocs is gone (pid {} has ended): seqctl mprocs open\n", session.pid),
        Some(session) => format!("mprocs is open, as pid {} on port {}\n", session.pid, session.port),
    };
    if report.program.is_none() {
        text.push_str("mprocs was not found: seqctl doctor\n");
    }
    let mut table = Table::default();
    for row in &report.panes {
        let (glyph, word) =
            row.status.map_or_else(|| ("·".into(), "removed".into()), |status| (style::glyph(status), style::word(status)));
        let view = if row.open { "open" } else { "closed" };
        table.row([row.pane.to_string(), format!("{glyph} {}", row.step), word, style::dim(view)]);
    }
    if !table.is_empty() {
        text.push('\n');
        text.push_str(&table.lines("", width));
    }
    text
}
