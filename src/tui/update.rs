//! The only place where the state of the screen changes.

use std::sync::Arc;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseEvent};
use ratatui::layout::Size;

use super::{
    app::App,
    effect::{Asked, Effect},
    inspector::Facts,
    keymap::Key,
    layer::Flow,
    layers::confirm::Confirm,
    msg::Msg,
    outside,
    panels::Panel,
    snapshot::Snapshot,
    toast::Tone,
    typing::type_into,
};
use crate::{
    client::{Need, Output, Reply, plain},
    error::Error,
};

impl App {
    /// Takes what happened, and says what is to be done about it.
    pub(super) fn update(&mut self, msg: Msg) -> Vec<Effect> {
        match msg {
            Msg::Input(event) => self.take_input(event),
            Msg::Snapshot(snapshot) => self.take_snapshot(&snapshot),
            Msg::Broken(error) => {
                let hint = error.hint().map(|hint| format!("\n{hint}")).unwrap_or_default();
                self.broken = Some(format!("{error}{hint}"));
                self.is_dirty = true;
            }
            Msg::Done { action, result } => self.take_result(action, *result),
            Msg::Ask { asked, what, why, plan } => {
                self.pending = self.pending.saturating_sub(1);
                let plan = plan.map(|plan| plan.commands).unwrap_or_default();
                let confirm = Confirm::policy(self, (what, why), plan, asked.action);
                self.open(confirm);
            }
            Msg::Proposed(proposed) => self.take_proposed(*proposed),
            Msg::AskToApply { applying, why } => self.ask_to_apply(*applying, why),
            Msg::Applied { applying, result } => self.take_applied(&applying, *result),
            Msg::Checked(verdict) => {
                self.layers.iter_mut().for_each(|layer| layer.checked(&verdict));
                self.is_dirty = true;
            }
            Msg::Facts(facts) => self.take_facts(facts),
            Msg::Lines(lines) => self.take_lines(*lines),
            Msg::Tails(new) => self.take_tails(new),
            Msg::Open(layer) => {
                self.layers.push(layer);
                self.is_dirty = true;
            }
            Msg::Say(text) => self.say(Tone::Warning, text, None),
            Msg::Tick => self.is_dirty = true,
            Msg::Terminate => self.leave(),
            Msg::Crashed(crash) => {
                self.crash = Some(crash);
                self.leave();
            }
        }
        self.keep_arrangement();
        let now = self.now;
        self.toasts.retain(|toast| toast.until > now);
        std::mem::take(&mut self.effects)
    }

    fn take_input(&mut self, event: Event) {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.take_key(key),
            Event::Mouse(mouse) => self.take_mouse(mouse),
            Event::Paste(text) => self.take_paste(&text),
            Event::Resize(width, height) => {
                self.size = Size { width, height };
                self.reveal();
                self.is_dirty = true;
            }
            _ => {}
        }
    }

    fn take_key(&mut self, key: KeyEvent) {
        self.is_dirty = true;
        while let Some(mut layer) = self.layers.pop() {
            let depth = self.layers.len();
            let flow = layer.key(self, key);
            match flow {
                // What it opened lies above it.
                Flow::Stay => return self.layers.insert(depth, layer),
                Flow::Close => return,
                Flow::Pass => {}
            }
        }
        if self.panels.focus == Panel::Chat && self.type_into_chat(key) {
            return;
        }
        if (self.panels.focus == Panel::Card && self.key_on_card(key)) || self.begin_by(key) {
            return;
        }
        if let Some(command) = self.keymap.command(Key::of(key)) {
            self.perform(command);
        }
    }

    /// Whether the chat took the key.
    fn type_into_chat(&mut self, key: KeyEvent) -> bool {
        let modifiers = key.modifiers;
        match key.code {
            KeyCode::Esc => self.focus(Panel::Board),
            KeyCode::Char('c' | 'z' | 'l') if modifiers.contains(KeyModifiers::CONTROL) => return false,
            KeyCode::Tab | KeyCode::BackTab => return false,
            KeyCode::Char('j') if modifiers.contains(KeyModifiers::CONTROL) => self.chat.insert_newline(),
            KeyCode::Enter if !modifiers.is_empty() => self.chat.insert_newline(),
            KeyCode::Enter => self.send_chat(),
            _ => {
                type_into(&mut self.chat, key);
            }
        }
        true
    }

    fn send_chat(&mut self) {
        self.say(Tone::Warning, "the chat cannot answer yet", Some("the draft is kept; use the keys or `:`".into()));
    }

    fn take_mouse(&mut self, mouse: MouseEvent) {
        if let Some(mut layer) = self.layers.pop() {
            let depth = self.layers.len();
            if layer.mouse(self, mouse) == Flow::Stay {
                self.layers.insert(depth, layer);
            }
            self.is_dirty = true;
            return;
        }
        self.point(mouse);
    }

    /// A paste outside a text field goes to the chat's draft, never to the keymap.
    fn take_paste(&mut self, text: &str) {
        self.is_dirty = true;
        // What was copied elsewhere may have anything in it that a terminal obeys.
        let text = plain(&text.replace("\r\n", "\n").replace('\r', "\n"));
        if let Some(mut layer) = self.layers.pop() {
            let depth = self.layers.len();
            layer.paste(self, &text);
            return self.layers.insert(depth, layer);
        }
        self.chat.insert_str(text);
        self.focus(Panel::Chat);
    }

    fn take_snapshot(&mut self, snapshot: &Arc<Snapshot>) {
        let is_new_plan = self.snapshot.as_ref().is_none_or(|last| last.project.revision != snapshot.project.revision);
        self.broken = None;
        self.settle(&snapshot.project.ui);
        let before = self.board.selected.clone();
        self.board.take(snapshot, is_new_plan, self.proposal.as_ref());
        self.snapshot = Some(Arc::clone(snapshot));
        if is_new_plan {
            self.renew_proposal();
        }
        if before == self.board.selected {
            self.inspect();
            self.show_log();
        } else {
            self.selection_changed();
            self.reveal();
        }
        self.ring_for_needs(snapshot);
        self.follow_running();
        let mut layers = std::mem::take(&mut self.layers);
        for layer in &mut layers {
            layer.refresh(self);
        }
        layers.append(&mut self.layers);
        self.layers = layers;
        self.is_dirty = true;
    }

    /// Rings when something starts to need a person.
    fn ring_for_needs(&mut self, snapshot: &Snapshot) {
        let last = self.known_needs.replace(snapshot.needs().to_vec());
        let is_new = |need: &&Need| last.as_ref().is_some_and(|last| !last.iter().any(|other| other.is_same(need)));
        let new: Vec<&Need> = snapshot.needs().iter().filter(is_new).collect();
        if !new.is_empty() && self.ui.as_ref().is_none_or(|ui| ui.has_bell) {
            self.want(Effect::Ring(outside::words(&snapshot.status().name, &new)));
        }
    }

    fn take_result(&mut self, action: &'static str, result: Result<Reply, Error>) {
        self.pending = self.pending.saturating_sub(1);
        self.layers.retain_mut(|layer| layer.done(action, result.as_ref().map(|_| ())) != Flow::Close);
        match result {
            Ok(reply) => {
                for warning in &reply.warnings {
                    self.say(Tone::Warning, warning.clone(), None);
                }
                let text = match &reply.output {
                    Output::Changed { changes } => {
                        changes.iter().map(|change| change.text.clone()).collect::<Vec<_>>().join("; ")
                    }
                    Output::Started(started) if started.attached => format!("run {} was there already", started.run),
                    Output::Started(started) => format!("run {} started", started.run),
                    Output::WouldRun(_) => "there is nothing to run".into(),
                    _ => format!("{action}: done"),
                };
                self.say(Tone::Good, text, None);
            }
            Err(error) => self.say(Tone::Error, error.to_string(), error.hint()),
        }
    }

    /// Reads what is shown of the selection.
    pub(super) fn selection_changed(&mut self) {
        (self.inspector.scroll, self.inspector.is_at_why) = (0, false);
        if let Some(id) = self.selected_id()
            && self.inspector.facts.as_ref().is_none_or(|facts| facts.id != id)
        {
            self.inspector.facts = Some(Box::new(Facts::none(id)));
            self.inspector.chosen = 0;
        }
        self.inspect();
        self.show_log();
    }

    fn inspect(&mut self) {
        if let Some(id) = self.selected_id() {
            self.want(Effect::Inspect { id, tab: self.inspector.tab });
        }
    }

    /// Does an action, unless the policy wants a person's word first.
    pub(super) fn ask(&mut self, action: crate::action::Action, is_confirmed: bool) {
        if self.pending == 0 {
            self.pending_since = self.now;
        }
        self.pending += 1;
        self.want(Effect::Call(Box::new(Asked { action, is_confirmed })));
    }

    /// Ends the screen. What runs goes on.
    pub(super) fn leave(&mut self) {
        self.is_over = true;
        self.want(Effect::Quit);
    }
}

impl App {
    /// What to say when the screen has gone: what goes on without it.
    pub(super) fn farewell(&self) -> String {
        let Some(snapshot) = &self.snapshot else { return String::new() };
        let running: Vec<&str> = snapshot
            .status()
            .steps
            .iter()
            .filter(|row| row.status == crate::model::StepStatus::Running)
            .map(|row| row.id.as_str())
            .collect();
        match running.as_slice() {
            [] => String::new(),
            [one] => format!("`{one}` goes on running: seqctl attach\n"),
            many => format!("{} steps go on running ({}): seqctl attach\n", many.len(), many.join(", ")),
        }
    }
}
