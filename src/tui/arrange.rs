//! How a person arranged the screen, kept from one time to the next.

use super::{app::App, effect::Effect, mouse::Held};
use crate::client::Arrangement;

impl App {
    /// Takes over an arrangement, and keeps every later one.
    pub(super) fn arrange(&mut self, arrangement: &Arrangement) {
        let panels = &mut self.panels;
        panels.inspector = arrangement.inspector.map_or(panels.inspector, |cells| cells.clamp(24, 200));
        panels.log = arrangement.log.map_or(panels.log, |rows| rows.clamp(3, 60));
        panels.is_inspector_folded = arrangement.inspector_folded;
        panels.is_log_folded = arrangement.log_folded;
        panels.has_minimap = !arrangement.no_minimap;
        self.board.folded.clone_from(&arrangement.folded_groups);
        self.redraw_scene();
        self.kept = Some(self.arrangement());
    }

    fn arrangement(&self) -> Arrangement {
        Arrangement {
            inspector: Some(self.panels.inspector),
            log: Some(self.panels.log),
            inspector_folded: self.panels.is_inspector_folded,
            log_folded: self.panels.is_log_folded,
            no_minimap: !self.panels.has_minimap,
            folded_groups: self.board.folded.clone(),
        }
    }

    /// Keeps the arrangement if it is another one, once a border is let go.
    pub(super) fn keep_arrangement(&mut self) {
        let Some(kept) = &self.kept else { return };
        if matches!(self.mouse.held, Held::Side | Held::LogTop) {
            return;
        }
        let now = self.arrangement();
        if *kept != now {
            self.kept = Some(now.clone());
            self.want(Effect::Keep(Box::new(now)));
        }
    }
}
