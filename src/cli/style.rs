//! Colour means status and nothing else. Written as escape sequences; the printer takes them out
//! where they are not wanted.

use anstyle::{AnsiColor, Style};

use crate::{
    client::Health,
    layout::Glyphs,
    model::{GateStatus, StepStatus},
};

/// A status as its glyph, in its colour.
pub(super) fn glyph(status: StepStatus) -> String {
    let (glyph, style) = look(status);
    format!("{style}{glyph}{style:#}")
}

/// A status as its word, in its colour.
pub(super) fn word(status: StepStatus) -> String {
    let (_, style) = look(status);
    format!("{style}{}{style:#}", status.as_str())
}

/// The colour of a step's status.
pub(super) fn step(status: StepStatus) -> Style {
    look(status).1
}

fn look(status: StepStatus) -> (char, Style) {
    let color_of = match status {
        StepStatus::Ready => AnsiColor::Blue,
        StepStatus::Blocked => AnsiColor::BrightBlack,
        StepStatus::Running => AnsiColor::Yellow,
        StepStatus::NeedsReview => AnsiColor::Magenta,
        StepStatus::Done => AnsiColor::Green,
        StepStatus::Failed => AnsiColor::Red,
    };
    (Glyphs::Unicode.step_status(status), color(color_of))
}

/// A gate's glyph and word, in its colour.
pub(super) fn gate(status: &str) -> (String, String) {
    let style = gate_style(GateStatus::parse(status).unwrap_or_default());
    (format!("{style}◆{style:#}"), format!("{style}{status}{style:#}"))
}

/// The colour of a gate's status.
pub(super) const fn gate_style(status: GateStatus) -> Style {
    color(match status {
        GateStatus::Approved => AnsiColor::Green,
        GateStatus::Blocked => AnsiColor::Red,
        GateStatus::Pending => AnsiColor::Magenta,
    })
}

/// How something is that `doctor` looked at.
pub(super) fn health(health: Health) -> String {
    let (glyph, style) = match health {
        Health::Ok => ("✔", color(AnsiColor::Green)),
        Health::Warning => ("!", color(AnsiColor::Yellow)),
        Health::Broken => ("✖", color(AnsiColor::Red)),
    };
    format!("{style}{glyph}{style:#}")
}

/// Something that is less important.
pub(super) fn dim(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let style = Style::new().dimmed();
    format!("{style}{text}{style:#}")
}

/// A heading.
pub(super) fn bold(text: &str) -> String {
    let style = Style::new().bold();
    format!("{style}{text}{style:#}")
}

const fn color(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(anstyle::Color::Ansi(color)))
}
