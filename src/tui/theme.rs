//! Every colour on the screen. Colour means status and nothing else; the terminal's own sixteen
//! are right in light and dark.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};

use crate::{
    client,
    layout::Ink,
    model::{GateStatus, StepStatus},
};

/// The styles of what is drawn.
#[derive(Clone, Debug)]
pub(super) struct Theme {
    /// Whether there are any.
    pub(super) has_colours: bool,
    /// Borders of panels.
    pub(super) border: Style,
    /// Border of the panel that has the keys.
    pub(super) focused: Style,
    /// Names.
    pub(super) title: Style,
    /// What is less important.
    pub(super) dim: Style,
    /// Edges to and from the selection, and its box.
    pub(super) lit: Style,
    /// What a search does not find.
    pub(super) faded: Style,
    /// What is selected.
    pub(super) selected: Style,
    /// Keys in hints and help.
    pub(super) key: Style,
    /// Errors.
    pub(super) error: Style,
    /// What a person should know.
    pub(super) warning: Style,
    /// What went well, and added lines.
    pub(super) good: Style,
    /// Of statuses, in the order of [`StepStatus::ALL`].
    statuses: [Color; 6],
}

/// The terminal's colour for the statuses.
const fn color_of(status: StepStatus) -> Color {
    match status {
        StepStatus::Ready => Color::Blue,
        StepStatus::Blocked => Color::DarkGray,
        StepStatus::Running => Color::Yellow,
        StepStatus::NeedsReview => Color::Magenta,
        StepStatus::Done => Color::Green,
        StepStatus::Failed => Color::Red,
    }
}

impl Theme {
    /// With the terminal's colours, or with none.
    pub(super) fn new(has_colours: bool) -> Self {
        let plain = Style::new();
        let color = |color: Color| if has_colours { plain.fg(color) } else { plain };
        Self {
            has_colours,
            border: plain.add_modifier(Modifier::DIM),
            focused: plain.add_modifier(Modifier::BOLD),
            title: plain.add_modifier(Modifier::BOLD),
            dim: plain.add_modifier(Modifier::DIM),
            lit: plain.add_modifier(Modifier::BOLD).remove_modifier(Modifier::DIM),
            faded: plain.add_modifier(Modifier::DIM).remove_modifier(Modifier::BOLD),
            selected: plain.add_modifier(Modifier::REVERSED),
            key: plain.add_modifier(Modifier::BOLD),
            error: color(Color::Red).add_modifier(Modifier::BOLD),
            warning: color(Color::Yellow),
            good: color(Color::Green),
            statuses: StepStatus::ALL.map(color_of),
        }
    }

    /// Of a step's status.
    pub(super) fn step(&self, status: StepStatus) -> Style {
        let style = Style::new();
        if !self.has_colours {
            return match status {
                StepStatus::Running | StepStatus::NeedsReview | StepStatus::Failed => style.add_modifier(Modifier::BOLD),
                StepStatus::Blocked => style.add_modifier(Modifier::DIM),
                StepStatus::Ready | StepStatus::Done => style,
            };
        }
        let at = StepStatus::ALL.iter().position(|other| *other == status);
        style.fg(at.map_or(Color::Reset, |at| self.statuses[at]))
    }

    /// The same with colours of config.yaml, and what is wrong with them. Without colours it stays as it is.
    pub(super) fn with(mut self, colors: &BTreeMap<String, client::Color>) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        for (name, &color) in colors {
            let color = match color {
                client::Color::Default => Color::Reset,
                client::Color::Number(number) => Color::Indexed(number),
                client::Color::Rgb(red, green, blue) => Color::Rgb(red, green, blue),
            };
            let status = StepStatus::ALL.iter().position(|status| status.as_str().to_lowercase() == *name);
            let style = match name.as_str() {
                "border" => Some(&mut self.border),
                "focused" => Some(&mut self.focused),
                "title" => Some(&mut self.title),
                "dim" => Some(&mut self.dim),
                "key" => Some(&mut self.key),
                "error" => Some(&mut self.error),
                "warning" => Some(&mut self.warning),
                "good" => Some(&mut self.good),
                _ => None,
            };
            match (style, status) {
                (Some(style), _) if self.has_colours => *style = style.fg(color),
                (None, Some(status)) => self.statuses[status] = color,
                (None, None) => problems.push(format!("`ui.theme` has `{name}`, which has no colour")),
                _ => {}
            }
        }
        (self, problems)
    }

    /// Of a gate's status.
    pub(super) fn gate(&self, status: GateStatus) -> Style {
        self.step(match status {
            GateStatus::Pending => StepStatus::NeedsReview,
            GateStatus::Approved => StepStatus::Done,
            GateStatus::Blocked => StepStatus::Failed,
        })
    }

    /// Of a cell of the drawing.
    pub(super) fn ink(&self, ink: Ink) -> Style {
        match ink {
            Ink::Plain => Style::new(),
            Ink::Title => self.title,
            Ink::Dim | Ink::Line | Ink::Frame => self.dim,
            Ink::Step(status) => self.step(status),
            Ink::Gate(status) => self.gate(status),
        }
    }
}
