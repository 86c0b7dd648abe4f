//! What each running step has said last, for the list and the graph.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender},
    time::Duration,
};

use super::{app::App, effect::Effect, msg::Msg};
use crate::{
    action::query,
    client::{Client, LogWindow, StepRow, Streams, plain},
    layout::tame,
    model::{Id, StepStatus},
};

/// The pause between two looks while something runs. Told of every write, four steps that write at full speed would keep a
/// thread each at work.
const PAUSE: Duration = Duration::from_secs(1);

/// More running steps than this are not looked at.
const MOST: usize = 64;

/// An attempt that runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Running {
    step: Id,
    run: String,
    attempt: u32,
}

/// Reads the ends of logs.
pub(super) struct TailReader {
    client: Client,
    open: Vec<Tail>,
}

struct Tail {
    of: Running,
    window: LogWindow,
    said: String,
}

impl TailReader {
    /// A reader of a project's logs.
    pub(super) const fn new(client: Client) -> Self {
        Self { client, open: Vec::new() }
    }

    /// Reads the logs of these from now on.
    pub(super) fn turn_to(&mut self, running: &[Running]) {
        self.open.retain(|tail| running.contains(&tail.of));
        let fresh: Vec<&Running> = running.iter().filter(|of| self.open.iter().all(|tail| tail.of != **of)).collect();
        if fresh.is_empty() {
            return;
        }
        // Where the plan or a log cannot be read, nothing is said.
        let Ok(view) = self.client.view() else { return };
        for of in fresh {
            let place = (Some(of.run.clone()), Some(of.attempt));
            let args = query::Logs { run: place.0, attempt: place.1, ..query::Logs::of(of.step.clone()) };
            if let Ok(window) = self.client.open_log(&view, &args, Streams::Both) {
                self.open.push(Tail { of: of.clone(), window, said: String::new() });
            }
        }
    }

    /// What is new: steps, with the last line of each that says anything.
    pub(super) fn read(&mut self) -> Vec<(Id, String)> {
        let mut new = Vec::new();
        for tail in &mut self.open {
            let lines = tail.window.tail(3).unwrap_or_default();
            let mut texts = lines.iter().rev().map(|line| tame(plain(&line.text).trim()));
            let Some(text) = texts.find(|text| !text.is_empty()).filter(|text| *text != tail.said) else { continue };
            tail.said.clone_from(&text);
            new.push((tail.of.step.clone(), text));
        }
        new
    }
}

/// Reads what running steps say until nobody listens any more.
pub(super) fn work(mut reader: TailReader, inbox: &Receiver<Vec<Running>>, out: &Sender<Msg>) {
    loop {
        let running = if reader.open.is_empty() { inbox.recv().map_err(Into::into) } else { inbox.recv_timeout(PAUSE) };
        match running {
            Ok(running) => reader.turn_to(&running),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let new = reader.read();
        if !new.is_empty() && out.send(Msg::Tails(new)).is_err() {
            return;
        }
    }
}

impl App {
    /// Has the logs of what runs looked at, where something else runs than before.
    pub(super) fn follow_running(&mut self) {
        let Some(snapshot) = &self.snapshot else { return };
        let steps = snapshot.status().steps.iter().filter(|step| step.status == StepStatus::Running);
        let running = steps.filter_map(|step| Some((&step.id, step.run.as_ref()?, step.attempt?)));
        let running: Vec<Running> =
            running.take(MOST).map(|(id, run, attempt)| Running { step: id.clone(), run: run.clone(), attempt }).collect();
        if running != self.running {
            self.tails.retain(|id, _| running.iter().any(|of| of.step == *id && self.running.contains(of)));
            self.running.clone_from(&running);
            self.want(Effect::Follow(running));
        }
    }

    /// What a step that runs has said last.
    pub(super) fn said(&self, step: &StepRow) -> Option<&str> {
        self.tails.get(&step.id).filter(|_| step.status == StepStatus::Running).map(String::as_str)
    }

    /// Takes what was said.
    pub(super) fn take_tails(&mut self, new: Vec<(Id, String)>) {
        let new = new.into_iter().filter(|(id, _)| self.running.iter().any(|of| of.step == *id));
        self.tails.extend(new.collect::<Vec<_>>());
        self.is_dirty = true;
    }
}
