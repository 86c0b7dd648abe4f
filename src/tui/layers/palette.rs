//! The palette: every command, action, step and gate, found by a few letters; a command can be typed whole.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};
use nucleo_matcher::{
    Config, Matcher,
    pattern::{CaseMatching, Normalization, Pattern},
};
use ratatui::{
    Frame,
    layout::{Margin, Rect},
    text::{Line, Span},
    widgets::{Clear, Paragraph},
};
use tui_textarea::TextArea;

use super::{
    super::{
        app::App,
        choice::Choice,
        draw,
        keymap::BINDINGS,
        layer::{Flow, Layer},
        region,
        toast::Tone,
        typing::type_into,
    },
    rows::{Hit, Rows},
};
use crate::action::{Access, Action, CATALOG};

/// Something that can be found.
struct Item {
    /// What it is called.
    name: String,
    /// In a sentence.
    words: String,
    key: String,
    choice: Choice,
}

/// The palette.
pub(in super::super) struct Palette {
    text: TextArea<'static>,
    items: Vec<Item>,
    /// What is found, the best first.
    found: Vec<usize>,
    rows: Rows,
}

/// The rows of what is found.
const ROWS: u16 = 14;

impl Palette {
    /// With everything there is.
    pub(in super::super) fn new(app: &App) -> Self {
        let commands = BINDINGS.iter().map(|row| Item {
            name: row.name.replace('_', " "),
            words: row.words.into(),
            key: app.look.glyphs.spell(&app.keymap.key(row.command).unwrap_or_default()),
            choice: Choice::Command(row.command),
        });
        let actions = CATALOG
            .iter()
            .filter(|spec| spec.name != "init" && spec.access != Access::Read && spec.access != Access::Report)
            .map(|spec| Item {
                name: spec.name.replace('.', " "),
                words: spec.words(),
                key: String::new(),
                choice: Choice::Action { name: spec.name, known: app.known(spec) },
            });
        let nodes = app.snapshot.iter().flat_map(|snapshot| {
            snapshot.graph.nodes.iter().map(|node| Item {
                name: format!("go to {}", node.id),
                words: node.name.clone(),
                key: String::new(),
                choice: Choice::Node(node.id.clone()),
            })
        });
        let items: Vec<Item> = commands.chain(actions).chain(nodes).collect();
        let found = (0..items.len()).collect();
        let mut text = TextArea::default();
        text.set_cursor_line_style(ratatui::style::Style::new());
        Self { text, items, found, rows: Rows::default() }
    }

    fn typed(&self) -> &str {
        self.text.lines().first().map_or("", String::as_str)
    }

    fn search(&mut self) {
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(self.typed(), CaseMatching::Ignore, Normalization::Smart);
        let mut buffer = Vec::new();
        let mut scored: Vec<(u32, usize)> = Vec::new();
        for (at, item) in self.items.iter().enumerate() {
            let mut score = |text: &str| pattern.score(nucleo_matcher::Utf32Str::new(text, &mut buffer), &mut matcher);
            // A hit in the name is worth more than one in the sentence.
            let best = score(&item.name).map(|score| score * 2).max(score(&item.words));
            scored.extend(best.map(|score| (score, at)));
        }
        scored.sort_by_key(|&(score, at)| (std::cmp::Reverse(score), at));
        self.found = scored.into_iter().map(|(_, at)| at).collect();
        self.rows = Rows::default();
    }

    /// A whole command, like `gate approve review`.
    fn command(&self) -> Option<Result<Action, String>> {
        let words = shell_words::split(self.typed()).ok()?;
        let words: Vec<&str> = words.iter().map(String::as_str).skip_while(|word| *word == "seqctl").collect();
        let spec =
            CATALOG.iter().find(|spec| spec.name.split('.').eq(words.iter().copied().take(spec.name.split('.').count())))?;
        let rest = &words[spec.name.split('.').count()..];
        if rest.is_empty() {
            return None;
        }
        let command = (spec.command)(clap::Command::new(spec.name).no_binary_name(true));
        let parsed = command.try_get_matches_from(rest).and_then(|matches| Action::from_matches(spec.name, &matches));
        Some(
            parsed.map_err(|error| error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()),
        )
    }

    fn choose(&self, app: &mut App) -> Flow {
        match (self.command(), self.found.get(self.rows.at)) {
            (Some(Ok(action)), _) => app.ask(action, false),
            (_, Some(&at)) => app.choose(self.items[at].choice.clone()),
            (Some(Err(why)), None) => {
                app.say(Tone::Error, why, None);
                return Flow::Stay;
            }
            (None, None) => return Flow::Stay,
        }
        Flow::Close
    }

    /// Where what is found stands.
    fn place(&self, app: &App) -> Rect {
        let inside = self.area(app).inner(Margin::new(1, 1));
        Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside }
    }
}

impl Layer for Palette {
    fn key(&mut self, app: &mut App, key: KeyEvent) -> Flow {
        let (count, fit) = (self.found.len(), usize::from(self.place(app).height));
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return Flow::Close,
            KeyCode::Char('c') if is_control => return Flow::Close,
            KeyCode::Char('n') if is_control => self.rows.go(1, count, fit),
            KeyCode::Char('p') if is_control => self.rows.go(-1, count, fit),
            KeyCode::Enter => return self.choose(app),
            // These are the text's own.
            KeyCode::Home | KeyCode::End => {
                type_into(&mut self.text, key);
            }
            code if self.rows.key(code, count, fit) => {}
            _ => {
                if type_into(&mut self.text, key) {
                    self.search();
                }
            }
        }
        Flow::Stay
    }

    fn mouse(&mut self, app: &mut App, mouse: MouseEvent) -> Flow {
        let (area, place) = (self.area(app), self.place(app));
        match self.rows.mouse(mouse, area, place, self.found.len()) {
            Hit::Row => self.choose(app),
            Hit::Outside => Flow::Close,
            Hit::Nothing => Flow::Stay,
        }
    }

    fn paste(&mut self, _app: &mut App, text: &str) {
        self.text.insert_str(text.lines().collect::<Vec<_>>().join(" "));
        self.search();
    }

    fn area(&self, app: &App) -> Rect {
        let screen = Rect::new(0, 0, app.size.width, app.size.height);
        region::dialog(screen, 84.min(screen.width.saturating_sub(2)), (ROWS + 3).min(screen.height.saturating_sub(2)))
    }

    fn draw(&self, app: &App, frame: &mut Frame<'_>) {
        let (area, theme) = (self.area(app), &app.look.theme);
        frame.render_widget(Clear, area);
        let block = draw::panel(app, " Commands, steps and gates ", true);
        let inside = block.inner(area);
        frame.render_widget(block, area);
        let input = Rect { height: 1, ..inside };
        frame.render_widget(&self.text, input);
        let rows = self.place(app);
        if self.found.is_empty() {
            let words = match self.command() {
                Some(Ok(action)) => format!("Enter: {}", action.name().replace('.', " ")),
                Some(Err(why)) => why,
                None => "nothing is called that".into(),
            };
            return frame.render_widget(Line::styled(draw::tame(&words), theme.dim), rows);
        }
        let (width, end) = (usize::from(rows.width), app.look.glyphs.ellipsis());
        let first = self.rows.first(usize::from(rows.height));
        let line = |(row, &at): (usize, &usize)| {
            let item = &self.items[at];
            let name = draw::fit(&format!("{:<22}", draw::tame(&item.name)), 30, end);
            let room = width.saturating_sub(crate::layout::width(&name) + crate::layout::width(&item.key) + 4);
            let words = draw::fit(&draw::tame(&item.words), room, end);
            let gap = " ".repeat(room.saturating_sub(crate::layout::width(&words)));
            let line = Line::from(vec![
                Span::styled(format!(" {name} "), theme.title),
                Span::styled(format!("{words}{gap} "), theme.dim),
                Span::styled(item.key.clone(), theme.key),
            ]);
            if row + first == self.rows.at { line.style(theme.selected) } else { line }
        };
        let lines: Vec<Line<'_>> = self.found.iter().skip(first).take(usize::from(rows.height)).enumerate().map(line).collect();
        frame.render_widget(Paragraph::new(lines), rows);
    }

    fn hints(&self, _app: &App) -> Vec<(String, String)> {
        [("↑↓", "move"), ("Enter", "do it"), ("Esc", "close")].map(|(key, words)| (key.into(), words.into())).into()
    }
}
