//! Why a step does not start, for people.

use std::fmt::Write as _;

use super::{
    style,
    table::{Table, tame},
};
use crate::{
    client::{Hindrance, WhyReport},
    model::StepStatus,
};

/// How many blockers and acts are shown; a terminal of 24 lines has room for both.
const SHOWN: usize = 8;

/// An answer as text.
pub(super) fn text(report: &WhyReport, width: Option<usize>) -> String {
    let mut text = format!("{} {}\n", glyph(report.status, report.is_gate), tame(&report.summary));
    if !report.blockers.is_empty() {
        let _ = writeln!(text, "\n{}", style::bold("held back by"));
        let mut table = Table::default();
        for blocker in report.blockers.iter().take(SHOWN) {
            table.row(row(blocker));
        }
        text.push_str(&table.lines("  ", width));
        text.push_str(&more(report.blockers.len()));
    }
    if !report.acts.is_empty() {
        let heading = match report.status {
            "DONE" => "to run it again",
            "NEEDS_REVIEW" => "to accept it",
            "FAILED" => "to run it again",
            _ if report.is_gate => "to let it through",
            _ => "to start it",
        };
        let _ = writeln!(text, "\n{}", style::bold(heading));
        for act in report.acts.iter().take(SHOWN) {
            let _ = writeln!(text, "  {}", act.command);
        }
        text.push_str(&more(report.acts.len()));
    }
    if let Some(run) = report.run.as_ref().filter(|_| !report.blockers.is_empty()) {
        let _ = writeln!(text, "\nrun {run} starts it by itself then");
    }
    text
}

fn more(count: usize) -> String {
    if count > SHOWN { format!("  … and {} more, with --json\n", count - SHOWN) } else { String::new() }
}

fn row(blocker: &Hindrance) -> [String; 3] {
    let name = match (&blocker.id, blocker.status) {
        (Some(id), Some(status)) => format!("{} {id}", glyph(status, blocker.is_gate)),
        (Some(id), None) => format!("run {id}"),
        (None, _) => return [tame(&blocker.text), String::new(), String::new()],
    };
    let through: Vec<&str> = blocker.through.iter().map(crate::model::Id::as_str).collect();
    let through = if through.is_empty() { String::new() } else { style::dim(&format!("before {}", through.join(", "))) };
    [name, tame(&blocker.text), through]
}

fn glyph(status: &str, is_gate: bool) -> String {
    match StepStatus::parse(status).filter(|_| !is_gate) {
        Some(status) => style::glyph(status),
        None => style::gate(status).0,
    }
}
