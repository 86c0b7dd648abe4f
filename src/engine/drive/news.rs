//! What a run tells a person who does not look: what started to need them.

use super::{Runner, View};
use crate::engine::notify;

impl Runner {
    /// Finds out what started to need a person since somebody last looked.
    pub(super) fn look_for_news(&mut self, view: &View, is_last: bool) {
        if !std::mem::take(&mut self.must_tell) {
            return;
        }
        match self.news.look(&self.paths, view, is_last) {
            Ok(news) => self.notices.extend(news),
            Err(error) => self.log_once(&error),
        }
    }

    /// Has it told, by a process that neither holds us up nor ends with us.
    pub(super) fn send_notices(&mut self) {
        self.tellers.retain_mut(|teller| matches!(teller.try_wait(), Ok(None)));
        if self.notices.is_empty() {
            return;
        }
        match notify::send(&self.paths, &self.run.id, &std::mem::take(&mut self.notices)) {
            Ok(teller) => self.tellers.push(teller),
            Err(error) => self.log_once(&error),
        }
    }
}
