//! What a terminal shows beside its cells: title, progress, bell, notification. Every byte of it goes out here.

use std::{
    env,
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use super::app::App;
use crate::{client::Need, layout::tame};

/// Whether the terminal keeps the title that it had before.
static HAS_TITLE: AtomicBool = AtomicBool::new(false);

/// Whether the terminal shows a progress of ours.
static HAS_PROGRESS: AtomicBool = AtomicBool::new(false);

/// How many cells of a title are worth sending.
const LONGEST: usize = 120;

/// What a terminal is known to take. There is no way to ask, so it goes by the variables that it sets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Abilities {
    /// A title, and remembering the one before: xterm and everything that follows it.
    has_titles: bool,
    /// OSC 9: a message on the desktop.
    has_notifications: bool,
    /// OSC 9;4: progress in the tab or the task bar.
    has_progress: bool,
}

impl Abilities {
    /// Those of the terminal of this process.
    pub(super) fn here() -> Self {
        let can = Self::of(|name| env::var(name).ok().filter(|value| !value.is_empty()));
        if is_below("mprocs") { Self { has_notifications: false, has_progress: false, ..can } } else { can }
    }

    /// Those of a terminal that sets these variables.
    fn of(var: impl Fn(&str) -> Option<String>) -> Self {
        let term = var("TERM").unwrap_or_default();
        let program = var("TERM_PROGRAM").unwrap_or_default();
        let is = |names: &[&str]| names.contains(&program.as_str());
        // What lies between inherits the terminal's variables, and takes its sequences for something else.
        let is_between = ["TMUX", "STY", "ZELLIJ", crate::client::PANE_VARIABLE].iter().any(|name| var(name).is_some())
            || ["screen", "tmux"].iter().any(|name| term.starts_with(name));
        let is_ghostty = is(&["ghostty"]) || term == "xterm-ghostty";
        let has_features = |letter: char| var("TERM_FEATURES").is_some_and(|features| features.contains(letter));
        Self {
            has_titles: !term.is_empty() && !["dumb", "linux", "vt52", "vt100", "vt220"].contains(&term.as_str()),
            has_notifications: !is_between
                && (is_ghostty || is(&["iTerm.app", "WezTerm"]) || term.starts_with("foot") || term == "xterm-kitty"),
            has_progress: !is_between
                && (is_ghostty
                    || is(&["WezTerm"])
                    || (is(&["iTerm.app"]) && has_features('P'))
                    || var("WT_SESSION").is_some()
                    || var("ConEmuANSI").is_some_and(|value| value == "ON")),
        }
    }
}

/// Whether a program is above this process, where the system tells. mprocs sets no variable that would.
fn is_below(program: &str) -> bool {
    let above = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
    };
    let name = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    std::iter::successors(Some(std::process::id()), above).take(100).any(|pid| pid > 0 && name(pid).trim_end() == program)
}

/// How far it is, for the tab or the task bar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Far {
    /// It goes on; in percent.
    Going(usize),
    /// It waits for a person; in percent.
    Waits(usize),
    /// A step has failed; in percent.
    Failed(usize),
}

/// What is to be seen of the screen where it is not seen itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Sign {
    pub(super) title: Option<String>,
    pub(super) far: Option<Far>,
}

impl App {
    /// What is to be seen of the screen where it is not seen itself.
    pub(super) fn sign(&self) -> Sign {
        let Some(snapshot) = self.snapshot.as_deref().filter(|_| self.ui.as_ref().is_none_or(|ui| ui.has_title)) else {
            return Sign::default();
        };
        let (status, waiting) = (snapshot.status(), snapshot.needs().len());
        let counted = |word| status.counts.iter().find(|(status, _)| *status == word).map_or(0, |&(_, number)| number);
        let (done, total) = match &status.progress {
            Some(progress) => (progress.done, progress.total),
            None => (counted(crate::model::StepStatus::Done), status.steps.len()),
        };
        let mut parts = vec![format!("{done}/{total}")];
        match waiting {
            0 => {}
            1 => parts.push("1 waits".into()),
            _ => parts.push(format!("{waiting} wait")),
        }
        let (between, dash) = if self.look.glyphs.is_ascii() { (", ", "-") } else { (" · ", "—") };
        let title = format!("{} {dash} {}", parts.join(between), tame(&status.name));
        let far = status.progress.as_ref().filter(|progress| progress.total > 0).map(|progress| {
            let percent = progress.done * 100 / progress.total;
            match () {
                () if progress.failed > 0 => Far::Failed(percent),
                () if progress.running == 0 && waiting > 0 => Far::Waits(percent),
                () => Far::Going(percent),
            }
        });
        Sign { title: Some(crate::layout::fit(&title, LONGEST, self.look.glyphs.ellipsis())), far }
    }
}

/// What a notification says of what has come to need a person.
pub(super) fn words(sequence: &str, new: &[&Need]) -> String {
    let more = match new.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    tame(&format!("{sequence}: {}{more}", new.first().map_or("", |need| need.reason.as_str())))
}

/// Tells the terminal, where something is another than before.
pub(super) struct Outside<W> {
    out: W,
    can: Abilities,
    told: Sign,
}

impl<W: Write> Outside<W> {
    /// Nothing is told yet.
    pub(super) fn new(out: W, can: Abilities) -> Self {
        Self { out, can, told: Sign::default() }
    }

    /// Shows the title and the progress.
    pub(super) fn show(&mut self, sign: Sign) -> io::Result<()> {
        if sign.title != self.told.title && self.can.has_titles {
            match &sign.title {
                Some(title) => {
                    if !HAS_TITLE.swap(true, Ordering::SeqCst) {
                        self.out.write_all(b"\x1b[22;0t")?;
                    }
                    write!(self.out, "\x1b]2;{title}\x1b\\")?;
                }
                None => take_title_back(&mut self.out)?,
            }
        }
        if sign.far != self.told.far && self.can.has_progress {
            let (state, percent) = match sign.far {
                None => (0, 0),
                Some(Far::Going(percent)) => (1, percent),
                Some(Far::Failed(percent)) => (2, percent),
                Some(Far::Waits(percent)) => (4, percent),
            };
            HAS_PROGRESS.store(sign.far.is_some(), Ordering::SeqCst);
            write!(self.out, "\x1b]9;4;{state};{percent}\x1b\\")?;
        }
        if sign != self.told {
            self.told = sign;
            self.out.flush()?;
        }
        Ok(())
    }

    /// Rings, and says why on the desktop.
    pub(super) fn ring(&mut self, words: &str) -> io::Result<()> {
        self.out.write_all(b"\x07")?;
        // A message that begins with a number would be one of the other sequences of OSC 9.
        if self.can.has_notifications {
            write!(self.out, "\x1b]9;{}\x1b\\", words.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';'))?;
        }
        self.out.flush()
    }

    /// The terminal was somebody else's meanwhile.
    pub(super) fn forget(&mut self) {
        self.told = Sign::default();
    }
}

fn take_title_back(out: &mut impl Write) -> io::Result<()> {
    if HAS_TITLE.swap(false, Ordering::SeqCst) { out.write_all(b"\x1b[23;0t") } else { Ok(()) }
}

/// Gives back the title that was there, and takes the progress away.
pub(super) fn give_back(out: &mut impl Write) -> io::Result<()> {
    take_title_back(out)?;
    if HAS_PROGRESS.swap(false, Ordering::SeqCst) { out.write_all(b"\x1b]9;4;0;0\x1b\\") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Abilities = Abilities { has_titles: true, has_notifications: true, has_progress: true };

    fn can(variables: &[(&str, &str)]) -> Abilities {
        Abilities::of(|name| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_terminal_is_told_what_it_is_known_to_take() {
        let plain = Abilities { has_titles: true, ..Abilities::default() };
        assert_eq!(can(&[("TERM", "xterm-256color")]), plain);
        assert_eq!(can(&[("TERM", "linux")]), Abilities::default());
        assert_eq!(can(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")]), ALL);
        assert_eq!(can(&[("TERM", "xterm-ghostty")]), ALL);
        for (program, notifies, progresses) in [("iTerm.app", true, false), ("Apple_Terminal", false, false)] {
            let told = can(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", program)]);
            assert_eq!((told.has_notifications, told.has_progress), (notifies, progresses), "{program}");
        }
        assert!(can(&[("TERM", "xterm-256color"), ("WT_SESSION", "1")]).has_progress);
        for between in ["TMUX", "STY", "ZELLIJ", "THREADOS_PANE"] {
            assert_eq!(can(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm"), (between, "1")]), plain, "{between}");
        }
        assert_eq!(can(&[("TERM", "screen-256color"), ("TERM_PROGRAM", "ghostty")]), plain);
    }

    #[test]
    fn it_is_told_once_and_everything_is_taken_back() {
        let mut outside = Outside::new(Vec::new(), ALL);
        let sign = |title: &str, far| Sign { title: Some(title.into()), far };
        for shown in [
            sign("0/2 — x", Some(Far::Going(0))),
            sign("0/2 — x", Some(Far::Going(0))),
            sign("1/2 — x", Some(Far::Waits(50))),
            sign("1/2 — x", None),
        ] {
            outside.show(shown).unwrap();
        }
        outside.ring("9;4;x wants a review").unwrap();
        let told = String::from_utf8(std::mem::take(&mut outside.out)).unwrap();
        assert_eq!(
            told,
            "\x1b[22;0t\x1b]2;0/2 — x\x1b\\\x1b]9;4;1;0\x1b\\\x1b]2;1/2 — x\x1b\\\x1b]9;4;4;50\x1b\\\x1b]9;4;0;0\x1b\\\
             \x07\x1b]9;x wants a review\x1b\\"
        );
        outside.show(sign("1/2 — x", Some(Far::Failed(50)))).unwrap();
        let mut rest = Vec::new();
        give_back(&mut rest).unwrap();
        give_back(&mut rest).unwrap();
        assert_eq!(rest, b"\x1b[23;0t\x1b]9;4;0;0\x1b\\");
        let mut plain = Outside::new(Vec::new(), Abilities::default());
        plain.show(sign("1/2 — x", Some(Far::Going(1)))).unwrap();
        plain.ring("it").unwrap();
        assert_eq!(plain.out, b"\x07", "who takes nothing is rung at and nothing else");
    }
}
