//! The menus: changing the plan, acting on a step or gate, copying.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Position;
use serde_json::{Map, Value, json};

use super::{
    app::App,
    choice::Choice,
    command::Command,
    keymap::binding,
    layers::{
        list::{self, List},
        menu::{Entry, Menu},
    },
    panels::Panel,
    snapshot::Row,
    toast::{Toast, Tone},
    welcome::Start,
};
use crate::{
    action::{Action, Spec, camel, history},
    client::{NeedKind, plain},
    model::{GateStatus, Id, StepStatus},
};

/// How much longer than usual a first hint stays, in milliseconds.
const LOOK_AROUND: u64 = 16_000;

impl App {
    /// Opens what a person wants to begin with.
    pub(super) fn begin(&mut self, start: Option<Start>) {
        match start {
            Some(Start::Task) => self.choose(Choice::Action { name: "add", known: Map::new() }),
            Some(Start::Template) => self.choose(Choice::Action { name: "template.apply", known: Map::new() }),
            Some(Start::Demo) => {
                let hint = ". goes to what needs you, a approves it; Enter opens a step, ? shows every key, q leaves";
                let text = "the demo runs by itself until its gate waits for you";
                self.toasts.push(Toast::new(Tone::Plain, text, Some(hint.into()), self.now + LOOK_AROUND));
            }
            None => {}
        }
    }

    /// Whether there is a plan without a step or gate.
    pub(super) fn is_plan_empty(&self) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| snapshot.graph.nodes.is_empty())
    }

    /// Takes a key of those that begin a plan, where there is nothing to press another one for.
    pub(super) fn begin_by(&mut self, key: KeyEvent) -> bool {
        let KeyCode::Char(letter) = key.code else { return false };
        let is_plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let start = Start::of(letter).filter(|_| is_plain && self.panels.focus == Panel::Board && self.is_plan_empty());
        match start {
            None => return false,
            Some(Start::Demo) => self.choose(Choice::Action { name: "demo", known: Map::new() }),
            start => self.begin(start),
        }
        true
    }

    /// What is known of an action's fields: what it is about is what is selected.
    pub(super) fn known(&self, spec: &Spec) -> Map<String, Value> {
        let mut known = Map::new();
        let Some((snapshot, at)) = self.selected() else { return known };
        let id = json!(snapshot.node(at).id);
        let is_gate = snapshot.gate(&snapshot.node(at).id).is_some();
        let schema = (spec.schema)().to_value();
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let words = property.get("description").and_then(Value::as_str).unwrap_or_default();
            let is_this = match (name.as_str(), is_gate) {
                ("id" | "step" | "target", true) => words.starts_with("The gate") || words.starts_with("The step or gate"),
                ("id" | "step" | "target", false) => words.starts_with("The step") || words.starts_with("A step"),
                _ => false,
            };
            let value = match name.as_str() {
                _ if is_this => id.clone(),
                "ids" if !is_gate => json!([id]),
                "dependsOn" | "after" if ["step.add", "gate.insert", "add", "fuse", "template.apply"].contains(&spec.name) => {
                    json!([id])
                }
                _ => continue,
            };
            known.insert(name.clone(), value);
        }
        known
    }

    /// The fields of the selected step as `step.edit` takes them.
    pub(super) fn fields_of_step(&self) -> Map<String, Value> {
        let step = self.inspector.facts.as_ref().and_then(|facts| facts.detail.as_ref()).map(|detail| &detail.step);
        let Some(Value::Object(fields)) = step.and_then(|step| serde_json::to_value(step).ok()) else { return Map::new() };
        let named = fields.into_iter().map(|(name, value)| match (name.as_str(), &value) {
            ("command", Value::Array(_)) => ("argv".to_owned(), value),
            ("env", Value::Object(variables)) => {
                let pairs = variables.iter().map(|(name, value)| json!(format!("{name}={}", value.as_str().unwrap_or_default())));
                ("env".to_owned(), pairs.collect())
            }
            _ => (camel(&name), value),
        });
        named.collect()
    }

    /// Changing the plan: a key for each.
    pub(super) fn open_plan_menu(&mut self) {
        let about = |name: &'static str| -> Choice {
            let spec = crate::action::CATALOG.iter().find(|spec| spec.name == name).expect("the catalog has it");
            Choice::Action { name, known: self.known(spec) }
        };
        let mut entries = vec![
            Entry::new('n', "new step", about("step.add")),
            Entry::new('a', "new step from a sentence", about("add")),
            Entry::new('g', "gate", about("gate.insert")),
            Entry::new('f', "fusion", about("fuse")),
            Entry::new('t', "template", about("template.apply")),
            Entry::new('p', "group: run steps side by side", about("group.parallelize")),
        ];
        if let Some((snapshot, at)) = self.selected() {
            let is_gate = snapshot.gate(&snapshot.node(at).id).is_some();
            let rest = if is_gate {
                vec![Entry::new('x', "delete", about("gate.rm"))]
            } else {
                vec![
                    Entry::new('e', "edit", about("step.edit")),
                    Entry::new('c', "clone", about("step.clone")),
                    Entry::new('k', "move up", Choice::Command(Command::MoveUp)),
                    Entry::new('j', "move down", Choice::Command(Command::MoveDown)),
                    Entry::new('x', "delete", about("step.rm")),
                ]
            };
            entries.push(Entry::new('d', "dependency", about("dep.add")));
            entries.push(Entry::new('D', "take a dependency away", about("dep.rm")));
            entries.extend(rest);
        }
        entries.push(Entry::new('i', "changes from a file, shown before they are made", Choice::Command(Command::Propose)));
        entries.push(Entry::new('u', "undo", Choice::Do(Box::new(Action::Undo(history::Undo { change: None })))));
        entries.push(Entry::new('r', "redo", Choice::Do(Box::new(Action::Redo(history::Redo { change: None })))));
        self.open(Menu::new("Change the plan", entries, None));
    }

    /// What can be done about the selection, as it stands.
    pub(super) fn ways(&self) -> Vec<Command> {
        let Some((snapshot, at)) = self.selected() else { return Vec::new() };
        let row = snapshot.row(at);
        let ways: &[Command] = match &row {
            Row::Gate(gate) if gate.status == GateStatus::Pending.as_str() => &[Command::Approve, Command::Block],
            Row::Gate(_) => &[],
            Row::Step(step) => match step.status {
                StepStatus::Running => &[Command::Stop, Command::FullLog, Command::Prompt],
                StepStatus::NeedsReview => {
                    &[Command::Approve, Command::Block, Command::Continue, Command::Diff, Command::FullLog, Command::Run]
                }
                StepStatus::Done | StepStatus::Failed => {
                    &[Command::Run, Command::Continue, Command::Diff, Command::FullLog, Command::Prompt]
                }
                StepStatus::Ready | StepStatus::Blocked => &[Command::Run, Command::Prompt],
            },
        };
        // A shell has no session to go on in.
        let is_shell = matches!(row, Row::Step(step) if step.agent == "shell");
        ways.iter().copied().filter(|way| !is_shell || *way != Command::Continue).collect()
    }

    /// What can be done with what is under the pointer.
    pub(super) fn open_context_menu(&mut self, place: Position) {
        let Some((snapshot, at)) = self.selected() else { return };
        let id = snapshot.node(at).id.clone();
        let commands = self.ways();
        let about: &[Command] = match snapshot.step(&id).map(|row| row.status) {
            None => &[Command::Why, Command::Review],
            Some(StepStatus::Running | StepStatus::NeedsReview) => &[Command::Why],
            Some(StepStatus::Done | StepStatus::Failed) => &[Command::Reset],
            Some(StepStatus::Ready | StepStatus::Blocked) => &[Command::Why, Command::Skip],
        };
        let more = [Command::Plan, Command::Yank];
        let entries = commands.iter().chain(about).chain(&more).enumerate().map(|(at, &command)| {
            let row = binding(command);
            let key = self.keymap.key(command).and_then(|key| key.chars().next().filter(|_| key.chars().count() == 1));
            let number = char::from_digit(u32::try_from(at + 1).unwrap_or(0), 10).unwrap_or(' ');
            Entry::new(key.unwrap_or(number), row.words, Choice::Command(command))
        });
        let entries = entries.collect();
        self.open(Menu::new(id.to_string(), entries, Some(place)));
    }

    fn log_text(&self) -> String {
        self.log.lines.iter().map(|line| plain(&line.text)).collect::<Vec<_>>().join("\n")
    }

    /// Looking at what a step did, and deciding about it.
    pub(super) fn open_review_menu(&mut self) {
        let Some((snapshot, at)) = self.selected() else { return };
        let id = snapshot.node(at).id.clone();
        let Some(row) = snapshot.step(&id) else { return self.open_gate_menu(&id) };
        let command = |key, words, command| Entry::new(key, words, Choice::Command(command));
        let mut entries = vec![command('d', "what it changed", Command::Diff), command('l', "its log", Command::FullLog)];
        if row.status == StepStatus::NeedsReview {
            entries.push(command('a', "accept", Command::Approve));
            entries.push(command('r', "reject, with a reason or a message to its agent", Command::Block));
        }
        if row.agent != "shell" {
            entries.push(command('c', "go on in its session with a message", Command::Continue));
        }
        self.open(Menu::new(format!("Review {id}"), entries, None));
    }

    /// Deciding about a gate, with a word about it where a person wants to say one.
    fn open_gate_menu(&mut self, id: &Id) {
        let is_pending = self.snapshot.as_ref().and_then(|snapshot| snapshot.gate(id).map(|gate| gate.status))
            == Some(GateStatus::Pending.as_str());
        let about = |name: &'static str| Choice::Action { name, known: Map::from_iter([("id".to_owned(), json!(id))]) };
        let entries = if is_pending {
            vec![
                Entry::new('a', "approve", Choice::Command(Command::Approve)),
                Entry::new('n', "approve with a note, or before it is reached", about("gate.approve")),
                Entry::new('b', "block", Choice::Command(Command::Block)),
                Entry::new('r', "block with a reason", about("gate.block")),
            ]
        } else {
            vec![Entry::new('o', "reopen: it is pending again", about("gate.reopen"))]
        };
        self.open(Menu::new(format!("Decide {id}"), entries, None));
    }

    /// Everything that needs a person.
    pub(super) fn open_attention(&mut self) {
        let Some(snapshot) = self.snapshot.clone() else { return };
        let rows = snapshot.needs().iter().map(|need| {
            let at = snapshot.node_of(need);
            let status = match need.kind {
                NeedKind::Gate | NeedKind::Review => StepStatus::NeedsReview,
                NeedKind::Time => StepStatus::Running,
                _ => at.map_or(StepStatus::Failed, |at| snapshot.status_of(at)),
            };
            let command = Choice::Copy { text: need.remedy.command.clone(), what: "the command" };
            list::Row {
                head: self.look.glyphs.step_status(status).to_string(),
                style: self.look.theme.step(status),
                words: need.words(),
                choice: Some(at.map_or(command, |at| Choice::Node(snapshot.node(at).id.clone()))),
            }
        });
        let rows = rows.collect();
        self.open(List::new("What needs you", "nothing needs you", rows));
    }

    /// What can be copied of the selection.
    pub(super) fn open_yank_menu(&mut self) {
        let Some((snapshot, at)) = self.selected() else { return self.say(Tone::Plain, "nothing is selected", None) };
        let node = snapshot.node(at);
        let copy = |text: String, what| Choice::Copy { text, what };
        let mut entries = vec![Entry::new('i', "id", copy(node.id.to_string(), "the id"))];
        let detail = self.inspector.facts.as_ref().filter(|facts| facts.id == node.id).and_then(|facts| facts.detail.as_ref());
        if let Some(detail) = detail {
            entries.push(Entry::new('c', "command or prompt", copy(detail.work.clone(), "what it runs")));
            if let Some(folder) = &detail.folder {
                entries.push(Entry::new('p', "path of its last attempt", copy(folder.display().to_string(), "the path")));
            }
            let error = detail.state.note.clone().or_else(|| detail.state.outcome.clone());
            entries.extend(error.map(|error| Entry::new('e', "how it ended", copy(error, "how it ended"))));
        }
        let cure = self.inspector.facts.as_ref().filter(|facts| facts.id == node.id).and_then(|facts| facts.why.as_ref());
        if let Some(why) = cure.filter(|why| !why.acts.is_empty()) {
            let commands: Vec<&str> = why.acts.iter().map(|act| act.command.as_str()).collect();
            entries.push(Entry::new('w', "commands that would let it run", copy(commands.join("\n"), "the commands")));
        }
        if !self.log.lines.is_empty() {
            entries.push(Entry::new('l', "log lines", copy(self.log_text(), "the log's last lines")));
        }
        self.open(Menu::new("Copy", entries, None));
    }
}
