//! What each command of the screen does.

use super::{
    app::App,
    board::Way,
    choice::Choice,
    command::Command,
    draw,
    effect::Effect,
    inspector::Tab,
    keymap::{Section, binding},
    layers::{confirm::Confirm, help::Help, palette::Palette, search::Search},
    panels::{Panel, View},
    region,
    toast::Tone,
};
use crate::{
    action::{Action, CATALOG, gate, policy, review, run},
    layout::Zoom,
    model::{Id, Mode, Span, StepStatus},
};

impl App {
    /// Does what a key, a button or the palette asks for.
    pub(super) fn perform(&mut self, command: Command) {
        self.is_dirty = true;
        match binding(command).section {
            Section::Move => self.perform_move(command),
            Section::Look => self.perform_look(command),
            Section::Act | Section::Run | Section::Plan => self.perform_act(command),
            Section::Screen => self.perform_screen(command),
        }
    }

    fn perform_move(&mut self, command: Command) {
        match command {
            Command::Left => self.move_by(Way::Left),
            Command::Right => self.move_by(Way::Right),
            Command::Up => self.move_by(Way::Up),
            Command::Down => self.move_by(Way::Down),
            Command::First => self.jump(isize::MIN),
            Command::Last => self.jump(isize::MAX),
            Command::PageUp => self.jump(-10),
            Command::PageDown => self.jump(10),
            Command::PanLeft => self.pan(-8, 0),
            Command::PanRight => self.pan(8, 0),
            Command::PanUp => self.pan(0, -4),
            Command::PanDown => self.pan(0, 4),
            Command::NextPanel => self.next_panel(1),
            Command::PreviousPanel => self.next_panel(3),
            Command::Open if self.panels.focus == Panel::Inspector => self.edit_what_is_shown(),
            Command::Open => self.open_selection(),
            Command::Close => {
                self.close();
            }
            Command::NextAttention => self.next_attention(),
            Command::Search => {
                let search = Search::new(self);
                self.open(search);
            }
            Command::NextHit if self.is_in_log() => self.find_in_log(false),
            Command::PreviousHit if self.is_in_log() => self.find_in_log(true),
            Command::NextHit => self.go_to_hit(1),
            Command::PreviousHit => self.go_to_hit(-1),
            _ => {}
        }
    }

    fn perform_look(&mut self, command: Command) {
        match command {
            Command::ListView => self.show(View::List),
            Command::GraphView => self.show(View::Graph),
            Command::Attention => self.open_attention(),
            Command::NextTab => self.turn(1),
            Command::PreviousTab => self.turn(Tab::ALL.len() - 1),
            Command::Why => self.show_why(),
            Command::Diff => self.show_tab(Tab::Diff),
            Command::Runs => self.show_tab(Tab::Runs),
            Command::FullLog if self.panels.is_log_full => self.leave_full_log(),
            Command::FullLog => self.show_full_log(),
            Command::Follow => self.turn_follow(),
            Command::Stream => self.turn_stream(),
            Command::Wrap => self.log.is_wrapped ^= true,
            Command::Raw => {
                self.log.is_raw ^= true;
                self.show_log();
            }
            Command::Audit => self.want(Effect::Audit),
            Command::Fold => self.turn_fold(),
            Command::Minimap => self.panels.has_minimap ^= true,
            Command::ZoomIn => self.zoom(1),
            Command::ZoomOut => self.zoom(-1),
            _ => {}
        }
    }

    fn perform_act(&mut self, command: Command) {
        match command {
            Command::Run => self.run_selection(),
            Command::Stop => self.stop_selection(),
            Command::Approve => self.decide(true),
            Command::Block => self.decide(false),
            Command::Continue => self.act_on("continue"),
            Command::Review => self.open_review_menu(),
            Command::Prompt => {
                if let Some((id, _)) = self.step() {
                    self.want(Effect::HandOver(vec!["prompt".into(), "edit".into(), id.to_string()]));
                }
            }
            Command::Yank => self.open_yank_menu(),
            Command::RunRunnable => self.ask(Action::RunRunnable(run::Runnable::default()), false),
            Command::RunAll => self.ask(Action::RunAll(run::All::default()), false),
            Command::Plan => self.open_plan_menu(),
            Command::MoveUp => self.move_selection(true),
            Command::MoveDown => self.move_selection(false),
            Command::Propose => self.propose_from_file(),
            Command::Skip => self.act_on("skip"),
            Command::Reset => self.act_on("reset"),
            _ => {}
        }
    }

    fn perform_screen(&mut self, command: Command) {
        match command {
            Command::Palette => {
                let palette = Palette::new(self);
                self.open(palette);
            }
            Command::Mode => self.turn_mode(),
            Command::Chat => self.focus(Panel::Chat),
            Command::Mouse => {
                self.is_mouse_given ^= true;
                self.want(Effect::Mouse(!self.is_mouse_given));
            }
            Command::Wider => self.panels.inspector = self.panels.inspector.saturating_add(4).min(200),
            Command::Narrower => self.panels.inspector = self.panels.inspector.saturating_sub(4).max(24),
            Command::Higher => self.panels.log = self.panels.log.saturating_add(2).min(60),
            Command::Lower => self.panels.log = self.panels.log.saturating_sub(2).max(3),
            Command::FoldInspector => self.panels.is_inspector_folded ^= true,
            Command::FoldLog => self.panels.is_log_folded ^= true,
            Command::Help => self.open(Help::default()),
            Command::Redraw => self.want(Effect::Redraw),
            Command::Suspend => self.want(Effect::Suspend),
            Command::Interrupt => {
                let was_open = self.close();
                self.say_how_to_quit(was_open);
            }
            Command::Quit => self.leave(),
            _ => {}
        }
    }

    fn move_by(&mut self, way: Way) {
        match (self.panels.focus, way) {
            (Panel::Log | Panel::Inspector, Way::Up) if self.is_in_log() => self.scroll_log(-1),
            (Panel::Log | Panel::Inspector, Way::Down) if self.is_in_log() => self.scroll_log(1),
            (Panel::Inspector, Way::Up) if self.inspector.tab == Tab::Runs => self.choose_attempt(-1),
            (Panel::Inspector, Way::Down) if self.inspector.tab == Tab::Runs => self.choose_attempt(1),
            (Panel::Log, Way::Left) => self.log.left = self.log.left.saturating_sub(8),
            (Panel::Log, Way::Right) => self.log.left = (self.log.left + 8).min(1 << 16),
            (Panel::Inspector, Way::Up) => self.scroll_inspector(-1),
            (Panel::Inspector, Way::Down) => self.scroll_inspector(1),
            (Panel::Inspector, Way::Left) => self.turn(Tab::ALL.len() - 1),
            (Panel::Inspector, Way::Right) => self.turn(1),
            _ => self.go(way),
        }
    }

    fn jump(&mut self, rows: isize) {
        if self.is_in_log() {
            return match rows {
                isize::MIN => self.go_to_line(0),
                isize::MAX => self.go_to_line(u64::MAX),
                _ => self.scroll_log(i64::try_from(self.log_rows()).unwrap_or(1) * if rows < 0 { -1 } else { 1 }),
            };
        }
        if self.panels.focus == Panel::Inspector {
            let page = i32::from(self.regions().inspector.height.saturating_sub(2)).max(1);
            return self.scroll_inspector(match rows {
                isize::MIN => i32::MIN,
                isize::MAX => i32::MAX,
                _ => page * if rows < 0 { -1 } else { 1 },
            });
        }
        let Some(at) = self.selected_item() else { return };
        let row = self.board.order.iter().position(|&other| other == at).unwrap_or(0);
        let row = row.saturating_add_signed(rows).min(self.board.order.len().saturating_sub(1));
        if let Some(&at) = self.board.order.get(row) {
            self.select(at);
        }
    }

    /// Edits the step's fields or its prompt, whichever the inspector shows.
    fn edit_what_is_shown(&mut self) {
        match self.inspector.tab {
            Tab::Details => {
                if self.step().is_some() {
                    self.act_on("step.edit");
                }
            }
            Tab::Prompt => {
                if let Some((id, _)) = self.step() {
                    self.want(Effect::Edit(id));
                }
            }
            Tab::Runs => {
                if let Some(attempt) = self.attempts().into_iter().nth(self.inspector.chosen) {
                    self.show_log_of(attempt);
                }
            }
            Tab::Logs => self.show_full_log(),
            Tab::Diff => {}
        }
    }

    /// Scrolls the inspector, as far as there is anything to see.
    pub(super) fn scroll_inspector(&mut self, rows: i32) {
        self.inspector.is_at_why = false;
        let to = i32::from(self.inspector.scroll).saturating_add(rows).clamp(0, i32::from(draw::last_row(self)));
        self.inspector.scroll = u16::try_from(to).unwrap_or(0);
    }

    fn next_panel(&mut self, by: usize) {
        const ORDER: [Panel; 5] = [Panel::Board, Panel::Inspector, Panel::Log, Panel::Chat, Panel::Card];
        // What is new is what a person wants to get to.
        if let Some(proposal) = self.proposal.as_mut().filter(|proposal| !proposal.is_seen) {
            proposal.is_seen = true;
            return self.focus(Panel::Card);
        }
        let at = ORDER.iter().position(|&panel| panel == self.panels.focus).unwrap_or(0);
        let regions = self.regions();
        let shown = |panel: Panel| match panel {
            Panel::Inspector => regions.inspector.area() > 0,
            Panel::Board => regions.board.area() > 0,
            Panel::Log | Panel::Chat => true,
            Panel::Card => self.proposal.is_some(),
        };
        let step = if by == 1 { 1 } else { ORDER.len() - 1 };
        let next = (1..=ORDER.len()).map(|turn| ORDER[(at + turn * step) % ORDER.len()]).find(|&panel| shown(panel));
        self.focus(next.unwrap_or_default());
    }

    fn turn(&mut self, by: usize) {
        let at = Tab::ALL.iter().position(|&tab| tab == self.inspector.tab).unwrap_or(0);
        self.inspector.tab = Tab::ALL[(at + by) % Tab::ALL.len()];
        self.selection_changed();
    }

    fn show_tab(&mut self, tab: Tab) {
        self.inspector.tab = tab;
        self.selection_changed();
        self.open_selection();
    }

    /// Shows why the selection does not run, wherever that stands.
    fn show_why(&mut self) {
        self.show_tab(Tab::Details);
        self.inspector.is_at_why = true;
    }

    /// Fills in an action for the selection.
    fn act_on(&mut self, name: &'static str) {
        if let Some(spec) = CATALOG.iter().find(|spec| spec.name == name) {
            self.choose(Choice::Action { name, known: self.known(spec) });
        }
    }

    /// SAFE to POWER asks, POWER to SAFE does not: the policy sees to it.
    fn turn_mode(&mut self) {
        let mode = if self.is_safe() { Mode::Power } else { Mode::Safe };
        self.ask(Action::PolicySetMode(policy::SetMode { mode }), false);
    }

    /// Whether the project is in SAFE mode, as far as is known.
    pub(super) fn is_safe(&self) -> bool {
        self.snapshot.as_ref().is_none_or(|snapshot| snapshot.status().mode == Mode::Safe.as_str())
    }

    fn open_selection(&mut self) {
        self.panels.is_inspector_open = true;
        self.panels.is_inspector_folded = false;
        self.focus(Panel::Inspector);
    }

    /// Closes what is on top; whether there was anything.
    fn close(&mut self) -> bool {
        let is_inspector_over = self.panels.is_inspector_open && !region::is_wide(self.size);
        if self.panels.is_log_full {
            self.leave_full_log();
        } else if is_inspector_over {
            self.panels.is_inspector_open = false;
            self.panels.focus = Panel::Board;
        } else if self.panels.focus != Panel::Board {
            self.panels.focus = Panel::Board;
        } else if self.board.search.is_some() {
            self.search(None);
        } else if !self.toasts.is_empty() {
            self.toasts.clear();
        } else {
            return false;
        }
        self.is_dirty = true;
        true
    }

    fn say_how_to_quit(&mut self, was_open: bool) {
        if !was_open {
            self.say(Tone::Plain, "q quits; what runs goes on", None);
        }
    }

    fn next_attention(&mut self) {
        let Some(snapshot) = self.snapshot.clone() else { return };
        let needs = snapshot.needs();
        let last = self.need.as_ref().and_then(|last| needs.iter().position(|need| need.is_same(last)));
        let Some(need) = needs.get(last.map_or(0, |at| at + 1)).or_else(|| needs.first()) else {
            return self.say(Tone::Good, "nothing needs you", None);
        };
        if let Some(at) = snapshot.node_of(need) {
            self.select(at);
        }
        self.say(Tone::Plain, need.reason.clone(), Some(need.look.as_ref().unwrap_or(&need.remedy.command).clone()));
        self.need = Some(need.clone());
    }

    fn show(&mut self, view: View) {
        self.panels.view = Some(view);
        self.reveal();
    }

    fn zoom(&mut self, by: isize) {
        const ORDER: [Zoom; 4] = [Zoom::Overview, Zoom::Compact, Zoom::Normal, Zoom::Detail];
        let at = ORDER.iter().position(|&zoom| zoom == self.board.zoom).unwrap_or(0);
        let zoom = ORDER[at.saturating_add_signed(by).min(ORDER.len() - 1)];
        if let Some(snapshot) = self.snapshot.clone() {
            self.board.set_zoom(zoom, &snapshot);
            self.reveal();
        }
    }

    /// The selected step, or a word that there is none.
    fn step(&mut self) -> Option<(Id, StepStatus)> {
        let found = self.selected_id().and_then(|id| {
            let row = self.snapshot.as_ref()?.step(&id)?;
            Some((row.id.clone(), row.status))
        });
        if found.is_none() {
            let key = self.keymap.key(Command::Fold).unwrap_or_default();
            let hint = self.selected_fold().map(|fold| format!("`{}` is folded: {key} unfolds it", fold.id));
            self.say(Tone::Plain, "select a step first", hint);
        }
        found
    }

    fn run_selection(&mut self) {
        if let Some(id) = self.selected_fold().map(|fold| fold.id.clone()) {
            return self.run_fold(id);
        }
        let Some((id, status)) = self.step() else { return };
        let action = match status {
            StepStatus::Running => return self.say(Tone::Plain, format!("`{id}` runs already"), None),
            StepStatus::Done | StepStatus::Failed | StepStatus::NeedsReview => {
                Action::Restart(run::Restart { id, downstream: false, options: run::Options::default() })
            }
            StepStatus::Ready | StepStatus::Blocked => {
                Action::RunStep(run::Steps { ids: vec![id], options: run::Options::default() })
            }
        };
        self.ask(action, false);
    }

    fn stop_selection(&mut self) {
        let Some((id, status)) = self.step() else { return };
        if status != StepStatus::Running {
            return self.say(Tone::Plain, format!("`{id}` does not run"), None);
        }
        let what = format!("stop `{id}`{}: SIGTERM, after 5 s SIGKILL", self.about_running(&id));
        let action = Action::Stop(run::Stop { target: Some(id.to_string()), all: false, force: false });
        self.open(Confirm::own(what, action));
    }

    /// Whose work would be lost, and how much of it.
    fn about_running(&self, id: &Id) -> String {
        let found = self.snapshot.as_ref().and_then(|snapshot| {
            let took = snapshot.duration_ms(snapshot.find(id)?, self.now)?;
            Some(format!(" ({}, {})", snapshot.step(id)?.agent, Span::from_ms(took).short()))
        });
        found.unwrap_or_default()
    }

    fn decide(&mut self, is_yes: bool) {
        let Some(id) = self.selected_id() else { return };
        let is_gate = self.snapshot.as_ref().is_some_and(|snapshot| snapshot.gate(&id).is_some());
        let action = match (is_gate, is_yes) {
            (true, true) => Action::GateApprove(gate::Approve { id, note: None, ahead: false, expect: None }),
            (true, false) => Action::GateBlock(gate::Block { id, note: None }),
            (false, true) => Action::ReviewAccept(review::Accept { id, note: None }),
            (false, false) => return self.act_on("review.reject"),
        };
        self.ask(action, false);
    }
}
