//! Runs in numbers, as text for people.

use std::fmt::Write as _;

use super::{
    style,
    table::{Table, tame},
};
use crate::{
    error::count,
    model::{Metrics, Span, Work},
};

/// Runs in numbers, nowhere wider than 80 columns.
pub(super) fn text(metrics: &Metrics, width: Option<usize>) -> String {
    if metrics.total.attempts == 0 {
        return "nothing has run yet: seqctl run\n".into();
    }
    let mut text = format!(
        "{} of {}, {} in {}\n\n",
        count(metrics.total.attempts, "attempt"),
        count(metrics.total.steps, "step"),
        count(metrics.runs, "run"),
        time(metrics.elapsed_ms)
    );
    let threads = metrics.threads.iter().map(|thread| (thread.kind.as_str(), &thread.work));
    let sum = Some(("all", &metrics.total)).filter(|_| metrics.threads.len() > 1);
    let rows: Vec<_> = threads.chain(sum).map(|(name, work)| row(name, work)).collect();
    text.push_str(&numbers(&rows).lines("", width));
    let facts = facts(metrics);
    if !facts.is_empty() {
        let _ = write!(text, "\n{}", facts.lines("", width));
    }
    text
}

fn row(name: &str, work: &Work) -> [String; 7] {
    let Work { steps, attempts, retries, failed, total_ms, average_ms } = work;
    let [steps, attempts, retries, failed] = [steps, attempts, retries, failed].map(usize::to_string);
    [name.to_owned(), steps, attempts, retries, failed, time(*average_ms), time(*total_ms)]
}

/// Rows of numbers, which end below each other, and above them what they are. What is zero is dim.
fn numbers(rows: &[[String; 7]]) -> Table {
    const HEADS: [&str; 7] = ["type", "steps", "attempts", "retries", "failed", "average", "total"];
    let width = |at: usize| rows.iter().map(|row| row[at].len()).max().unwrap_or(0).max(HEADS[at].len());
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut table = Table::default();
    let aligned = |at: usize, cell: &str| if at == 0 { cell.to_owned() } else { format!("{cell:>0$}", widths[at]) };
    table.row(HEADS.iter().enumerate().map(|(at, head)| style::dim(&aligned(at, head))));
    for row in rows {
        let cell = |(at, cell): (usize, &String)| if cell == "0" { style::dim(&aligned(at, cell)) } else { aligned(at, cell) };
        table.row(row.iter().enumerate().map(cell));
    }
    table
}

fn time(ms: u64) -> String {
    Span::from_ms(ms).short()
}

/// What there is beside the types, a line each.
fn facts(metrics: &Metrics) -> Table {
    let mut table = Table::default();
    let mut put = |name: &str, value: String| table.row([style::dim(name), value]);
    if !metrics.failures.is_empty() {
        let reasons = metrics.failures.iter().map(|(reason, number)| format!("{number} {}", reason.replace('_', " ")));
        put("failures", reasons.collect::<Vec<_>>().join(", "));
    }
    if metrics.limits > 0 {
        put("limits", format!("{} met a usage limit", count(metrics.limits, "attempt")));
    }
    if let Some(fanout) = &metrics.fanout {
        let failed = if fanout.failed > 0 { format!(", {} failed", fanout.failed) } else { String::new() };
        let times = count(fanout.attempts, "time");
        put("fan-out", format!("{times}, {} at most, {} in all{failed}", count(fanout.largest, "worker"), fanout.workers));
    }
    if let Some(gates) = &metrics.gates {
        let longest = if gates.count > 1 { format!(" on average, {} at most", time(gates.longest_ms)) } else { String::new() };
        put("gates", format!("{} approved after {}{longest}", gates.count, time(gates.average_ms)));
    }
    if let Some(usage) = metrics.usage {
        put("agents", usage.words());
    }
    for agent in &metrics.agents {
        let used = if agent.usage.input_tokens + agent.usage.output_tokens == 0 { String::new() } else { agent.usage.words() };
        let parts = [count(agent.attempts, "attempt"), used];
        put("", format!("{}: {}", tame(&agent.agent), parts.map(|part| part).join(" · ").trim_end_matches(" · ")));
    }
    for fusion in &metrics.fusions {
        let lines = format!("{} of {}", fusion.kept, count(fusion.lines, "line"));
        put("fusion", format!("{} kept {} of its candidates ({lines})", fusion.step, percent(fusion.share)));
        for candidate in &fusion.candidates {
            let lines = format!("{} of {}", candidate.kept, count(candidate.lines, "line"));
            put("", format!("{}: {} ({lines})", candidate.step, percent(candidate.share)));
        }
    }
    table
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
