//! What needs a person, for people.

use std::fmt::Write as _;

use super::{
    style,
    table::{Table, tame},
};
use crate::{
    client::{Need, NeedKind},
    error::count,
    model::StepStatus,
};

/// How many needs are shown.
const SHOWN: usize = 20;

/// An answer as text: each need, and below it the commands for it, whole and to be copied.
pub(super) fn text(needs: &[Need], width: Option<usize>) -> String {
    if needs.is_empty() {
        return "nothing needs you\n".to_owned();
    }
    let mut table = Table::default();
    for need in needs.iter().take(SHOWN) {
        let holds = if need.holds_up == 0 { String::new() } else { style::dim(&format!("holds up {}", need.holds_up)) };
        table.row([format!("{} {}", glyph(need.kind), tame(&need.reason)), holds]);
    }
    let lines = table.lines("", width);
    let mut text = String::new();
    for (line, need) in lines.lines().zip(needs) {
        let _ = writeln!(text, "{line}");
        for command in need.look.iter().chain([&need.remedy.command]) {
            let _ = writeln!(text, "    {}", tame(command));
        }
    }
    if needs.len() > SHOWN {
        let _ = writeln!(text, "… and {} more, with --json", count(needs.len() - SHOWN, "need"));
    }
    text
}

fn glyph(kind: NeedKind) -> String {
    match kind {
        NeedKind::Gate => style::gate("PENDING").0,
        NeedKind::Review => style::glyph(StepStatus::NeedsReview),
        NeedKind::Failed => style::glyph(StepStatus::Failed),
        NeedKind::Elsewhere | NeedKind::Runner | NeedKind::Cost | NeedKind::Time | NeedKind::Watchdog | NeedKind::Trust => {
            style::bold("!")
        }
    }
}
