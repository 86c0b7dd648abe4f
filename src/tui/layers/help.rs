//! Every key.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{Clear, Paragraph},
};

use super::super::{
    app::App,
    draw,
    keymap::{BINDINGS, Section},
    layer::{Flow, Layer},
    region,
};

/// The list of keys.
#[derive(Default)]
pub(in super::super) struct Help {
    scroll: u16,
}

impl Help {
    fn lines(app: &App) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for section in Section::ALL {
            lines.push(Line::styled(section.title(), app.look.theme.title));
            for row in BINDINGS.iter().filter(|row| row.section == section) {
                let keys = app.keymap.keys(row.command).join(" ");
                let keys = app.look.glyphs.spell(if keys.is_empty() { "·" } else { &keys });
                lines.push(Line::from(vec![Span::styled(format!("  {keys:<14}"), app.look.theme.key), Span::raw(row.words)]));
            }
            lines.push(Line::raw(""));
        }
        lines.pop();
        lines
    }

    fn last_scroll(&self, app: &App) -> u16 {
        let lines = u16::try_from(Self::lines(app).len()).unwrap_or(u16::MAX);
        lines.saturating_sub(self.area(app).height.saturating_sub(2))
    }
}

impl Layer for Help {
    fn key(&mut self, app: &mut App, key: KeyEvent) -> Flow {
        let last = self.last_scroll(app);
        self.scroll = match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.scroll + 1,
            KeyCode::Up | KeyCode::Char('k') => self.scroll.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll.saturating_add(10),
            KeyCode::PageUp => self.scroll.saturating_sub(10),
            KeyCode::End | KeyCode::Char('G') => last,
            KeyCode::Home | KeyCode::Char('g') => 0,
            _ => return Flow::Close,
        }
        .min(last);
        Flow::Stay
    }

    fn area(&self, app: &App) -> Rect {
        let screen = Rect::new(0, 0, app.size.width, app.size.height);
        let rows = u16::try_from(Self::lines(app).len() + 2).unwrap_or(u16::MAX);
        region::dialog(screen, 100, rows.min(screen.height.saturating_sub(2)))
    }

    fn draw(&self, app: &App, frame: &mut Frame<'_>) {
        let area = self.area(app);
        frame.render_widget(Clear, area);
        let paragraph = Paragraph::new(Self::lines(app)).scroll((self.scroll, 0)).block(draw::panel(app, " All keys ", true));
        frame.render_widget(paragraph, area);
    }

    fn hints(&self, _app: &App) -> Vec<(String, String)> {
        [("↑↓", "scroll"), ("Esc", "close")].map(|(key, words)| (key.into(), words.into())).into()
    }
}
