//! Reads logs of any size for the screen, and reads on when they grow.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use super::{
    log_panel::{Find, Lines, Wanted, Wish},
    msg::Msg,
};
use crate::{
    action::query,
    client::{Client, Found, LogLine, LogWindow, Search},
    error::Error,
};

/// Bytes that are looked at before somebody else may want something.
const SLICE: u64 = 4 << 20;

/// The pause between two looks at a log that grows all the time.
const PAUSE: Duration = Duration::from_millis(60);

/// What the reader hears.
pub(super) enum News {
    /// Another part of a log is wanted, or none.
    Wish(Option<Box<Wish>>),
    /// The log may have grown.
    Grown,
}

/// Reads logs.
pub(super) struct LogReader {
    client: Client,
    open: Option<(Wanted, LogWindow)>,
}

impl LogReader {
    /// A reader of a project's logs.
    pub(super) const fn new(client: Client) -> Self {
        Self { client, open: None }
    }

    /// Opens the log that is wanted, unless it is open.
    fn turn_to(&mut self, wanted: &Wanted) -> Result<&mut LogWindow, Error> {
        if self.open.as_ref().is_none_or(|(open, _)| open != wanted) {
            let (run, attempt) = wanted.attempt.clone().unzip();
            let args = query::Logs { run, attempt, raw: wanted.is_raw, ..query::Logs::of(wanted.step.clone()) };
            let window = self.client.open_log(&self.client.view()?, &args, wanted.streams)?;
            self.open = Some((wanted.clone(), window));
        }
        self.open.as_mut().map(|(_, window)| window).ok_or_else(|| Error::internal("it was opened a moment ago"))
    }

    /// Reads what a wish asks for; also whether there is more to count.
    pub(super) fn read(&mut self, wish: &Wish) -> (Lines, bool) {
        let nothing = Lines {
            wanted: wish.wanted.clone(),
            shown: Vec::new(),
            total: 0,
            is_counted: true,
            has_other: false,
            found: None,
            problem: None,
        };
        match self.turn_to(&wish.wanted).and_then(|window| look(window, wish)) {
            Ok((shown, total, has_more)) => {
                let has_other = shown.is_empty() && self.open.as_ref().is_some_and(|(_, window)| window.has_other());
                (Lines { shown, total, is_counted: !has_more, has_other, ..nothing }, has_more)
            }
            Err(error) => (Lines { problem: Some(error.to_string()), ..nothing }, false),
        }
    }

    /// Looks for a text to the end; `stop` is asked between slices.
    pub(super) fn find(&mut self, wanted: &Wanted, find: &Find, stop: &mut dyn FnMut() -> bool) -> Option<Found> {
        let search = Search::new(&find.text)?;
        let window = self.turn_to(wanted).ok()?;
        while window.index(SLICE).ok()? {
            if stop() {
                return None;
            }
        }
        let all = window.count();
        let mut range = if find.is_backward { 0..find.from.min(all) } else { find.from.min(all)..all };
        loop {
            match window.find(&search, range, find.is_backward, SLICE).ok()? {
                Found::NotYet(_) if stop() => return None,
                Found::NotYet(rest) => range = rest,
                found => return Some(found),
            }
        }
    }
}

fn look(window: &mut LogWindow, wish: &Wish) -> Result<(Vec<LogLine>, u64, bool), Error> {
    let has_more = window.index(SLICE)?;
    let total = window.count();
    let lines = match wish.top {
        Some(top) => window.lines(top..total.min(top + wish.rows as u64))?,
        None => window.tail(wish.rows)?,
    };
    Ok((lines, total, has_more))
}

/// Reads what is wished for until nobody wishes any more. `again` makes a sender for the log's own news.
pub(super) fn work(mut reader: LogReader, inbox: &Receiver<News>, again: &Sender<News>, out: &Sender<Msg>) {
    let mut wish: Option<Box<Wish>> = None;
    let mut watch = None;
    let mut has_more = false;
    let is_told = Arc::new(AtomicBool::new(false));
    // What came while something was looked for.
    let mut next = None;
    loop {
        let news = match next.take() {
            Some(news) => Ok(news),
            None if has_more => inbox.try_recv().map_err(|_| RecvTimeoutError::Timeout),
            None => inbox.recv().map_err(Into::into),
        };
        match news {
            Ok(News::Wish(other)) => {
                let wanted = other.as_ref().map(|wish| &wish.wanted);
                if wanted != wish.as_ref().map(|wish| &wish.wanted) {
                    watch = None;
                }
                wish = other;
            }
            Ok(News::Grown) => {
                is_told.store(false, Ordering::SeqCst);
                thread::sleep(PAUSE);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let Some(now) = &mut wish else {
            has_more = false;
            continue;
        };
        let find = now.find.take();
        let mut has_another_wish = || {
            while next.is_none() {
                match inbox.try_recv() {
                    // It is read after the search anyway.
                    Ok(News::Grown) => is_told.store(false, Ordering::SeqCst),
                    Ok(wish) => next = Some(wish),
                    Err(_) => break,
                }
            }
            next.is_some()
        };
        let found = find.and_then(|find| reader.find(&now.wanted, &find, &mut has_another_wish));
        let (lines, more) = reader.read(now);
        has_more = more;
        if watch.is_none() {
            let (is_told, again) = (Arc::clone(&is_told), again.clone());
            let tell = move || {
                if !is_told.swap(true, Ordering::SeqCst) {
                    let _ = again.send(News::Grown);
                }
            };
            watch = reader.open.as_ref().and_then(|(_, window)| window.watch(tell));
        }
        if out.send(Msg::Lines(Box::new(Lines { found, ..lines }))).is_err() {
            return;
        }
    }
}
