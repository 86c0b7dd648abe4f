//! What config.yaml says of the screen.

use super::{app::App, effect::Effect, keymap::Keymap, panels::View, toast::Tone};
use crate::{
    client::{FirstView, Ui},
    layout::Glyphs,
};

impl App {
    /// Does as config.yaml says, where that is something else than before.
    pub(super) fn settle(&mut self, ui: &Ui) {
        let last = self.ui.replace(ui.clone());
        if last.as_ref() == Some(ui) {
            return;
        }
        let last = last.unwrap_or_default();
        let (theme, problems) = self.given.theme.clone().with(&ui.theme);
        self.look.theme = theme;
        self.look.glyphs = if ui.is_ascii { Glyphs::Ascii } else { self.given.glyphs };
        self.look.is_animated = self.given.is_animated && ui.is_animated;
        let keys: Vec<(String, Vec<String>)> = ui.keys.iter().map(|(name, keys)| (name.clone(), keys.clone())).collect();
        let (keymap, others) = Keymap::new(&keys);
        self.keymap = keymap;
        if ui.has_mouse != last.has_mouse {
            self.is_mouse_given = !ui.has_mouse;
            self.want(Effect::Mouse(ui.has_mouse));
        }
        if ui.view != last.view {
            self.panels.view = ui.view.map(|view| match view {
                FirstView::List => View::List,
                FirstView::Graph => View::Graph,
            });
        }
        let problems: Vec<String> = problems.into_iter().chain(others).collect();
        if !problems.is_empty() {
            let hint = "mend it in .threados/config.yaml; docs/files.md lists what there is".to_owned();
            self.say(Tone::Warning, problems.join("; "), Some(hint));
        }
    }
}
