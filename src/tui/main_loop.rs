//! Waiting for what happens, updating, drawing: generic over the terminal.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender},
    time::Duration,
};

use ratatui::{Terminal, backend::Backend};

use super::{app::App, draw, effect::Effect, msg::Msg};

/// What only the terminal's owner can do.
pub(super) trait Host<B: Backend> {
    /// Carries out what the terminal is needed for. Answers with what came of it.
    fn carry_out(&mut self, effect: Effect, terminal: &mut Terminal<B>) -> Option<Msg>;

    /// Draws a frame in one piece.
    fn present(&mut self, app: &App, terminal: &mut Terminal<B>) -> Result<(), B::Error>;
}

/// Runs the screen until it is over. Nothing is drawn unless something changed.
pub(super) fn run<B: Backend>(
    app: &mut App,
    terminal: &mut Terminal<B>,
    inbox: &Receiver<Msg>,
    worker: &Sender<Effect>,
    host: &mut impl Host<B>,
) -> Result<(), B::Error> {
    while !app.is_over {
        if app.is_dirty {
            app.is_dirty = false;
            host.present(app, terminal)?;
        }
        let first = match app.rests_for() {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(rest) => inbox.recv_timeout(Duration::from_millis(rest)),
        };
        let first = match first {
            Ok(msg) => msg,
            Err(RecvTimeoutError::Timeout) => Msg::Tick,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        // What has come in meanwhile is drawn at once.
        let mut waiting: std::collections::VecDeque<Msg> = std::iter::once(first).chain(inbox.try_iter().take(1_000)).collect();
        app.now = crate::clock::now_ms();
        while let Some(msg) = waiting.pop_front() {
            for effect in app.update(msg) {
                if effect.needs_terminal() {
                    waiting.extend(host.carry_out(effect, terminal));
                } else {
                    // A worker that has gone cannot do anything.
                    let _ = worker.send(effect);
                }
            }
        }
    }
    Ok(())
}

/// Draws a frame.
pub(super) fn frame<B: Backend>(app: &App, terminal: &mut Terminal<B>) -> Result<(), B::Error> {
    crate::fault::point("frame");
    terminal.draw(|frame| draw::draw(app, frame)).map(|_| ())
}
