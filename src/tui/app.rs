//! The state of the screen.

use std::{collections::HashMap, sync::Arc};

use ratatui::layout::Size;
use tui_textarea::TextArea;

use super::{
    board::Board,
    crash::Crash,
    effect::Effect,
    inspector::Inspector,
    keymap::Keymap,
    layer::Layer,
    log_panel::LogPanel,
    mouse::Mouse,
    panels::{Panel, Panels, View},
    proposal::Proposal,
    region::{self, Card, Regions},
    snapshot::Snapshot,
    tails::Running,
    theme::Theme,
    toast::{Toast, Tone},
};
use crate::{
    client::{Agent, Arrangement, Need, Ui},
    layout::Glyphs,
    model::Id,
};

/// What takes longer than this, in milliseconds, is said to be going on.
const SLOW: u64 = 100;

/// How the screen is drawn and what the terminal can.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) theme: Theme,
    pub(super) glyphs: Glyphs,
    /// Whether anything may move by itself.
    pub(super) is_animated: bool,
}

/// Everything that is shown.
pub(super) struct App {
    pub(super) look: Look,
    /// How it is drawn where config.yaml says nothing.
    pub(super) given: Look,
    /// What config.yaml said last.
    pub(super) ui: Option<Ui>,
    pub(super) keymap: Keymap,
    pub(super) size: Size,
    /// The time, in milliseconds since 1970.
    pub(super) now: u64,
    /// The project; nothing before the first look at it.
    pub(super) snapshot: Option<Arc<Snapshot>>,
    /// Why the project cannot be read now; the last good snapshot stays.
    pub(super) broken: Option<String>,
    pub(super) board: Board,
    pub(super) panels: Panels,
    pub(super) inspector: Inspector,
    pub(super) log: LogPanel,
    pub(super) chat: TextArea<'static>,
    pub(super) layers: Vec<Box<dyn Layer>>,
    /// What is proposed and not decided.
    pub(super) proposal: Option<Proposal>,
    pub(super) toasts: Vec<Toast>,
    pub(super) mouse: Mouse,
    /// Whether the terminal has the mouse itself.
    pub(super) is_mouse_given: bool,
    /// Actions that are being done.
    pub(super) pending: usize,
    /// Since when any are.
    pub(super) pending_since: u64,
    /// Whether it is to be drawn again.
    pub(super) is_dirty: bool,
    /// Whether it is over.
    pub(super) is_over: bool,
    /// What it has broken at.
    pub(super) crash: Option<Crash>,
    /// What needed a person at the last look, to ring once for each; nothing before the first one.
    pub(super) known_needs: Option<Vec<Need>>,
    /// What runs, and what of it has said what last.
    pub(super) running: Vec<Running>,
    pub(super) tails: HashMap<Id, String>,
    /// The need that was gone to last.
    pub(super) need: Option<Need>,
    /// The arrangement that was kept last; nothing is kept where absent.
    pub(super) kept: Option<Arrangement>,
    pub(super) effects: Vec<Effect>,
    /// The agents there are, whether they are on this machine or not.
    pub(super) agents: Vec<Agent>,
}

impl App {
    /// An empty screen.
    pub(super) fn new(look: Look, keymap: Keymap, size: Size, now: u64) -> Self {
        let mut chat = TextArea::default();
        chat.set_cursor_line_style(ratatui::style::Style::new());
        Self {
            given: look.clone(),
            look,
            ui: None,
            keymap,
            size,
            now,
            snapshot: None,
            broken: None,
            board: Board::default(),
            panels: Panels::default(),
            inspector: Inspector::default(),
            log: LogPanel::default(),
            chat,
            layers: Vec::new(),
            proposal: None,
            toasts: Vec::new(),
            mouse: Mouse::default(),
            is_mouse_given: false,
            pending: 0,
            pending_since: 0,
            is_dirty: true,
            is_over: false,
            crash: None,
            known_needs: None,
            need: None,
            kept: None,
            effects: Vec::new(),
            running: Vec::new(),
            tails: HashMap::new(),
            agents: Vec::new(),
        }
    }

    /// The places of the screen.
    pub(super) fn regions(&self) -> Regions {
        let lines = u16::try_from(self.chat.lines().len()).unwrap_or(u16::MAX);
        let card = match (&self.proposal, self.panels.focus) {
            (None, _) => Card::None,
            (Some(proposal), Panel::Card) => Card::Open(proposal.lines()),
            (Some(_), _) => Card::Closed,
        };
        Regions::of(self.size, &self.panels, lines, card)
    }

    /// The view that is shown.
    pub(super) fn view(&self) -> View {
        region::view(self.size, &self.panels)
    }

    /// The selected step or gate, as far as it still exists.
    pub(super) fn selected(&self) -> Option<(&Snapshot, usize)> {
        let snapshot = self.snapshot.as_deref()?;
        Some((snapshot, snapshot.find(self.board.selected.as_ref()?)?))
    }

    /// What is selected, a folded group included, as the board numbers it.
    pub(super) fn selected_item(&self) -> Option<usize> {
        self.board.selected_item(self.snapshot.as_deref()?)
    }

    /// The id of the selected step or gate.
    pub(super) fn selected_id(&self) -> Option<Id> {
        let (snapshot, at) = self.selected()?;
        Some(snapshot.node(at).id.clone())
    }

    /// Wants something to be done.
    pub(super) fn want(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Puts a layer on top.
    pub(super) fn open(&mut self, layer: impl Layer + 'static) {
        self.layers.push(Box::new(layer));
        self.is_dirty = true;
    }

    /// Says something for a few seconds.
    pub(super) fn say(&mut self, tone: Tone, text: impl Into<String>, hint: Option<String>) {
        let toast = Toast::new(tone, text, hint, self.now);
        // What is only told gives way to what is told next.
        let is_replaced = |other: &Toast| other.text == toast.text || (other.tone == Tone::Plain && tone == Tone::Plain);
        self.toasts.retain(|other| !is_replaced(other));
        self.toasts.push(toast);
        self.is_dirty = true;
    }

    /// Gives a panel the keys.
    pub(super) fn focus(&mut self, panel: Panel) {
        self.panels.focus = panel;
        self.is_dirty = true;
    }

    /// Whether something that was asked for takes its time.
    pub(super) const fn is_slow(&self) -> bool {
        self.pending > 0 && self.now >= self.pending_since + SLOW
    }

    /// How long nothing moves by itself, in milliseconds; nothing where that is forever.
    pub(super) fn rests_for(&self) -> Option<u64> {
        let toasts = self.toasts.iter().map(|toast| toast.until.saturating_sub(self.now));
        let running = self.snapshot.as_ref().is_some_and(|snapshot| snapshot.is_anything_running());
        let beat = running.then_some(if self.look.is_animated { 250 } else { 1_000 });
        let until_slow = self.pending_since + SLOW;
        let slow = (self.pending > 0 && self.now < until_slow).then(|| until_slow - self.now);
        toasts.chain(beat).chain(slow).min().map(|rest| rest.max(1))
    }
}
