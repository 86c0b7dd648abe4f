//! Putting a question to the person at the terminal.

use std::io::{self, IsTerminal as _, Write as _};

use super::{args::Flags, table::tame};
use crate::{
    client::Plan,
    error::{Error, count},
};

/// Whether there is somebody to ask: without a terminal nothing ever waits for an answer.
pub(super) fn is_possible(flags: &Flags) -> bool {
    !flags.json && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks whether to go on. Anything but a clear yes is a no.
pub(super) fn confirm(what: &str, why: &str, plan: Option<&Plan>) -> Result<bool, Error> {
    let mut out = anstream::stderr();
    let question = question(what, why, plan);
    out.write_all(question.as_bytes()).and_then(|()| out.flush()).map_err(Error::io("ask on", "the terminal"))?;
    Ok(matches!(read_line()?.trim(), "y" | "Y" | "yes"))
}

/// What is asked: what exactly would happen, and whether to go on.
pub(super) fn question(what: &str, why: &str, plan: Option<&Plan>) -> String {
    const SHOWN: usize = 15;
    let mut question = String::new();
    if let Some(plan) = plan {
        for line in plan.commands.iter().take(SHOWN) {
            question.push_str(&format!("  {}\n", tame(line)));
        }
        if plan.commands.len() > SHOWN {
            question.push_str(&format!("  … and {} more\n", count(plan.commands.len() - SHOWN, "step")));
        }
    }
    // What they are stands above.
    let many = plan.map(|plan| plan.commands.len()).filter(|commands| *commands > 3);
    let what = many.map_or_else(|| what.to_owned(), |many| format!("running {}", count(many, "step")));
    question + &format!("{what}: {why}. Go on? [y/N] ")
}

/// A line from the terminal.
pub(super) fn read_line() -> Result<String, Error> {
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Error::io("read from", "the terminal"))?;
    Ok(answer)
}
