//! Putting a question to the person at the terminal.

use std::io::{self, IsTerminal as _, Write as _};

use super::{args::Flags, table::tame};
use crate::{
    client::{Ask, Plan},
    error::{Error, count},
};

/// Whether there is somebody to ask: without a terminal nothing ever waits for an answer.
pub(super) fn is_possible(flags: &Flags) -> bool {
    !flags.json && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// What a person said.
pub(super) enum Answer {
    /// Anything but a clear yes.
    No,
    /// Go on.
    Yes,
    /// Go on, and let orchestrators add to it.
    Additions,
}

/// Asks whether to go on. Anything but a clear yes is a no.
pub(super) fn confirm(what: &str, why: &str, plan: Option<&Plan>) -> Result<Answer, Error> {
    let mut out = anstream::stderr();
    let question = question(what, why, plan);
    out.write_all(question.as_bytes()).and_then(|()| out.flush()).map_err(Error::io("ask on", "the terminal"))?;
    let orchestrates = plan.is_some_and(|plan| plan.orchestrates);
    Ok(match read_line()?.trim() {
        "y" | "Y" | "yes" => Answer::Yes,
        "a" | "A" | "additions" if orchestrates => Answer::Additions,
        _ => Answer::No,
    })
}

/// What is asked: what exactly would happen, and whether to go on.
pub(super) fn question(what: &str, why: &str, plan: Option<&Plan>) -> String {
    let mut question = plan.map_or_else(String::new, listed);
    let many = plan.map(|plan| lines(plan).len()).filter(|lines| *lines > 3);
    // What they are stands above.
    let what = many.map_or_else(|| what.to_owned(), |many| format!("running {}", count(many, "step")));
    let orchestrates = plan.is_some_and(|plan| plan.orchestrates);
    let answers = if orchestrates { "y/N, a: yes, and what orchestrators add to it" } else { "y/N" };
    question.push_str(&format!("{what}: {why}. Go on? [{answers}] "));
    question
}

/// What would be executed, a line each: what nobody has confirmed yet, or all of it where that does not count.
fn lines(plan: &Plan) -> Vec<String> {
    if plan.asks.is_empty() {
        return plan.commands.clone();
    }
    let line = |ask: &Ask| match (&ask.was, &ask.added_by) {
        (None, None) => format!("{}: {}", ask.step, ask.work),
        _ => format!("{}: {} ({})", ask.step, ask.work, ask.why()),
    };
    plan.asks.iter().map(line).collect()
}

fn listed(plan: &Plan) -> String {
    const SHOWN: usize = 15;
    let lines = lines(plan);
    let mut text: String = lines.iter().take(SHOWN).map(|line| format!("  {}\n", tame(line))).collect();
    if lines.len() > SHOWN {
        text.push_str(&format!("  … and {} more\n", count(lines.len() - SHOWN, "step")));
    }
    let known = plan.commands.len() - lines.len().min(plan.commands.len());
    if known > 0 {
        text.push_str(&format!("  and {} as confirmed before\n", count(known, "step")));
    }
    text
}

/// A line from the terminal.
pub(super) fn read_line() -> Result<String, Error> {
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Error::io("read from", "the terminal"))?;
    Ok(answer)
}
