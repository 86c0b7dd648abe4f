//! Drawing: reads the state, decides nothing.

mod board;
mod card;
mod chat;
mod details;
mod graph;
mod hints;
mod inspector;
mod list;
mod log;
mod minimap;
mod screen;
mod toasts;
mod toolbar;

use ratatui::{
    text::Line,
    widgets::{Block, BorderType},
};

pub(super) use card::card_lines;
use inspector::diff_line;
pub(super) use inspector::{last_row, tab_at, why_row, wrap};
pub(super) use screen::draw;
pub(super) use toolbar::button_at;

use super::app::App;
pub(super) use crate::layout::{fit, tame};

/// The frame of a panel. The one that has the keys is visibly another.
pub(super) fn panel<'a>(app: &App, title: impl Into<Line<'a>>, is_focused: bool) -> Block<'a> {
    let theme = &app.look.theme;
    let style = if is_focused { theme.focused } else { theme.border };
    let block = Block::bordered().border_style(style).title(title);
    match (app.look.glyphs.is_ascii(), is_focused) {
        (true, _) => block.border_set(ASCII),
        (false, true) => block.border_type(BorderType::Thick),
        (false, false) => block.border_type(BorderType::Rounded),
    }
}

const ASCII: ratatui::symbols::border::Set<'static> = ratatui::symbols::border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};
