//! The mouse, where no layer has it.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{
    app::App,
    command::Command,
    draw,
    effect::Effect,
    inspector::Tab,
    minimap::Minimap,
    panels::{Panel, View},
    snapshot::Snapshot,
    toast::Tone,
};
use crate::{
    action::{Action, dep, step},
    layout::Point,
    model::Id,
};

/// Two clicks within this time, in milliseconds, are one.
const DOUBLE: u64 = 400;

/// What is held while the button is down.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Held {
    #[default]
    Nothing,
    /// The ground: it moves with the pointer.
    Ground { from: Position, origin: Point },
    /// The border between board and inspector.
    Side,
    /// The border above the log.
    LogTop,
    /// A box by its right edge: an edge is drawn to another.
    Edge(Id),
    /// A box: it goes to where it is let go.
    Box(Id),
}

/// What the mouse does.
#[derive(Clone, Debug, Default)]
pub(super) struct Mouse {
    pub(super) held: Held,
    /// Where it is.
    pub(super) at: Position,
    /// The last click, and when.
    last: Option<(Position, u64)>,
}

impl App {
    /// Takes the mouse.
    pub(super) fn point(&mut self, mouse: MouseEvent) {
        let at = Position::new(mouse.column, mouse.row);
        self.mouse.at = at;
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => self.press(at),
            MouseEventKind::Down(MouseButton::Right) => self.press_right(at),
            MouseEventKind::Drag(MouseButton::Left) => self.drag(at),
            MouseEventKind::Up(MouseButton::Left) => self.release(at),
            MouseEventKind::ScrollDown => self.wheel(at, 3),
            MouseEventKind::ScrollUp => self.wheel(at, -3),
            _ => return,
        }
        self.is_dirty = true;
    }

    fn press(&mut self, at: Position) {
        let regions = self.regions();
        if let Some(command) = draw::button_at(self, at) {
            return self.perform(command);
        }
        if self.is_on_side(at) {
            self.mouse.held = Held::Side;
        } else if at.y == regions.log.y && regions.board.height > 0 && !regions.inspector.contains(at) {
            self.mouse.held = Held::LogTop;
        } else if let Some(tab) = draw::tab_at(self, at) {
            self.inspector.tab = tab;
            self.focus(Panel::Inspector);
            self.selection_changed();
        } else if regions.inspector.contains(at) {
            self.focus(Panel::Inspector);
        } else if regions.board.contains(at) {
            self.press_on_board(at);
        } else if regions.log.contains(at) {
            self.focus(Panel::Log);
        } else if regions.card.contains(at) {
            self.focus(Panel::Card);
            if let Some(proposal) = &mut self.proposal {
                proposal.is_seen = true;
            }
        } else if regions.chat.contains(at) {
            self.focus(Panel::Chat);
        }
    }

    fn press_on_board(&mut self, at: Position) {
        self.focus(Panel::Board);
        if let Some(point) = Minimap::of(self).and_then(|map| map.point(at)) {
            return self.center(point);
        }
        let is_double = self.mouse.last.is_some_and(|(last, when)| last == at && self.now.saturating_sub(when) < DOUBLE);
        self.mouse.last = Some((at, self.now));
        let Some(node) = self.node_at(at) else {
            if let Some(group) = self.cell_at(at).and_then(|point| self.frame_at(point)) {
                return self.fold(&group);
            }
            self.mouse.held = Held::Ground { from: at, origin: self.board.origin };
            return;
        };
        self.select(node);
        if is_double && self.selected_fold().is_some() {
            return self.turn_fold();
        }
        let Some(id) = self.selected_id() else { return };
        let is_step = self.snapshot.as_ref().is_some_and(|snapshot| snapshot.step(&id).is_some());
        match (is_double, is_step) {
            (true, true) => self.want(Effect::Edit(id)),
            (true, false) => self.perform(Command::Open),
            _ if self.is_right_edge(node, at) => self.mouse.held = Held::Edge(id),
            _ => self.mouse.held = Held::Box(id),
        }
    }

    fn press_right(&mut self, at: Position) {
        if self.regions().board.contains(at)
            && let Some(node) = self.node_at(at)
        {
            self.select(node);
            if self.selected_fold().is_some() {
                self.open_fold_menu(at);
            } else {
                self.open_context_menu(at);
            }
        }
    }

    fn drag(&mut self, at: Position) {
        let screen = self.size;
        match self.mouse.held.clone() {
            Held::Ground { from, origin } => {
                self.board.origin = origin;
                self.pan(i32::from(from.x) - i32::from(at.x), i32::from(from.y) - i32::from(at.y));
            }
            Held::Side => self.panels.inspector = screen.width.saturating_sub(at.x).clamp(24, screen.width / 2),
            Held::LogTop => {
                let bottom = self.regions().log.bottom();
                self.panels.log = bottom.saturating_sub(at.y).clamp(3, screen.height / 2);
            }
            Held::Nothing | Held::Edge(_) | Held::Box(_) => {}
        }
    }

    fn release(&mut self, at: Position) {
        let held = std::mem::take(&mut self.mouse.held);
        let Some(snapshot) = self.snapshot.clone() else { return };
        let Some(other) = self.node_at(at) else {
            if let Held::Box(id) = held {
                self.drop_on_ground(&id, at);
            }
            return;
        };
        let fold = self.board.scene.as_ref().and_then(|scene| scene.fold(other)).map(|fold| fold.id.clone());
        match (held, fold) {
            (Held::Box(id), _) => self.drop_on_box(&snapshot, &id, other),
            (Held::Edge(_), Some(group)) => {
                self.say(Tone::Plain, format!("`{group}` is folded"), Some("double click unfolds it".into()));
            }
            (Held::Edge(id), None) if snapshot.node(other).id != id => {
                self.ask(Action::DepAdd(dep::Add { id: snapshot.node(other).id.clone(), needs: vec![id] }), false);
            }
            _ => {}
        }
    }

    /// In one column the order is free; between columns it follows from the dependencies.
    fn drop_on_box(&mut self, snapshot: &Snapshot, id: &Id, other: usize) {
        let Some(item) = snapshot.find(id).filter(|item| *item != other) else { return };
        let is_fold = other >= snapshot.graph.nodes.len();
        let lane = |at: usize| snapshot.graph.nodes.get(at).and_then(|node| node.lane.as_ref());
        let is_of_lane = is_fold || lane(other).is_none() || lane(other) == lane(item);
        let y = |at: usize| self.board.area(at).map_or(0, |area| area.y);
        match self.is_in_one_column(item, other) {
            true if is_of_lane => self.reorder(snapshot, item, other, y(other) < y(item)),
            _ if is_fold => {}
            _ => self.move_beside(id, &snapshot.node(other).id),
        }
    }

    /// Puts a step where another one is, in its lane.
    fn move_beside(&mut self, id: &Id, other: &Id) {
        let lane = self.snapshot.as_ref().and_then(|snapshot| snapshot.lane(other));
        let Some(lane) = lane else {
            return self.say(
                Tone::Plain,
                format!("`{other}` is in no lane"),
                Some("drag from a box's right edge to connect it".into()),
            );
        };
        let fields = crate::action::fields::Fields { lane: Some(lane), ..Default::default() };
        self.ask(Action::StepEdit(step::Edit { id: id.clone(), unset: Vec::new(), fields }), false);
    }

    fn wheel(&mut self, at: Position, rows: i32) {
        let regions = self.regions();
        if regions.inspector.contains(at) && self.inspector.tab == Tab::Logs {
            self.scroll_log(i64::from(rows));
        } else if regions.inspector.contains(at) {
            self.scroll_inspector(rows);
        } else if regions.card.contains(at) {
            self.scroll_card(isize::try_from(rows).unwrap_or(0));
        } else if regions.log.contains(at) {
            self.scroll_log(i64::from(rows));
        } else if regions.board.contains(at) {
            match self.view() {
                View::Graph => self.pan(0, rows),
                View::List => self.scroll_list(rows),
            }
        }
    }

    fn scroll_list(&mut self, rows: i32) {
        let shown = usize::from(self.regions().board.height.saturating_sub(2));
        let last = self.board.order.len().saturating_sub(shown);
        let first = i64::try_from(self.board.first_row).unwrap_or(0) + i64::from(rows);
        self.board.first_row = usize::try_from(first.max(0)).unwrap_or(0).min(last);
    }

    /// Shows a cell of the drawing in the middle of the window.
    fn center(&mut self, point: Point) {
        let board = self.regions().board;
        self.board.origin = point;
        self.pan(-i32::from(board.width) / 2, -i32::from(board.height) / 2);
    }

    fn is_on_side(&self, at: Position) -> bool {
        let Rect { x, y, height, width } = self.regions().inspector;
        width > 0 && x > 0 && (at.x == x || at.x + 1 == x) && (y..y + height).contains(&at.y) && !self.panels.is_inspector_folded
    }

    fn is_right_edge(&self, node: usize, at: Position) -> bool {
        let Some(area) = self.board.area(node) else { return false };
        let right = area.x + area.width - 1 - self.board.origin.x + i32::from(self.regions().board.x) + 1;
        self.view() == View::Graph && i32::from(at.x) == right
    }

    /// The item under a cell of the screen.
    pub(super) fn node_at(&self, position: Position) -> Option<usize> {
        match self.view() {
            View::List => {
                let row = position.y.checked_sub(self.regions().board.y + 1)?;
                self.board.order.get(self.board.first_row + usize::from(row)).copied()
            }
            View::Graph => self.board.hit(self.cell_at(position)?),
        }
    }

    /// The cell of the drawing that a cell of the screen shows.
    pub(super) fn cell_at(&self, position: Position) -> Option<Point> {
        let board = self.regions().board;
        let (x, y) = (position.x.checked_sub(board.x + 1)?, position.y.checked_sub(board.y + 1)?);
        let Point { x: left, y: top } = self.board.origin;
        (self.view() == View::Graph).then(|| Point { x: left + i32::from(x), y: top + i32::from(y) })
    }
}
