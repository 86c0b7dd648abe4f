//! What is written into the box of a node, the same in every drawing.

use super::graph::{GraphNode, Standing};
use crate::{
    layout::{Face, Glyphs, Ink, Zoom, tame},
    model::{Span, StepStatus},
};

impl GraphNode {
    /// What is shown of it at a zoom.
    pub fn face(&self, zoom: Zoom, glyphs: Glyphs) -> Face {
        let (times, dot) = if glyphs.is_ascii() { ('x', ", ") } else { ('×', " · ") };
        let workers = self.fanout.map(|workers| format!("{times}{workers}"));
        let (glyph, ink) = match self.state {
            Standing::Step(status) => (glyphs.step_status(status), Ink::Step(status)),
            Standing::Gate(status) => (glyphs.gate_status(status), Ink::Gate(status)),
        };
        let time = self.duration_ms.map(|ms| Span::from_ms(ms).short());
        let mut title = self.id.to_string();
        if let Some(workers) = workers.as_ref().filter(|_| zoom == Zoom::Compact) {
            title = format!("{title} {workers}");
        }
        let is_blocked = self.unmet > 0 && self.state == Standing::Step(StepStatus::Blocked);
        let waits = is_blocked.then(|| format!("waits for {}", self.unmet));
        let about = self.agent.clone().unwrap_or_else(|| self.status.to_owned());
        let failure = self.outcome.clone().filter(|_| self.status == "FAILED");
        let lines = if zoom == Zoom::Detail {
            let name = (self.name != self.id.as_str()).then(|| tame(&self.name));
            let status = [Some(self.status.to_owned()), failure, time, waits];
            let status = status.into_iter().flatten().collect::<Vec<_>>().join(dot);
            let agent =
                self.agent.clone().map(|agent| [Some(agent), workers].into_iter().flatten().collect::<Vec<_>>().join(" "));
            let lines = [name, Some(status), agent, Some(tame(&self.work))];
            lines.into_iter().flatten().filter(|line| !line.is_empty()).collect()
        } else {
            let parts = if waits.is_some() { [workers, waits, None] } else { [workers, Some(about), failure.or(time)] };
            vec![parts.into_iter().flatten().collect::<Vec<_>>().join(" ")]
        };
        Face { glyph, ink, title, lines }
    }
}
