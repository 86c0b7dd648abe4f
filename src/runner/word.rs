//! How an attempt ended by its own word or exit code.

use std::{fs::File, io::Read as _, path::Path};

use serde::Deserialize;

use crate::{
    agent::plain,
    model::{Outcome, Reason, StepStatus},
};

/// The most of a note that is kept, in bytes.
const NOTE: usize = 200;

/// What a step says of itself in its outcome file.
#[derive(Deserialize)]
pub(super) struct Said {
    pub(super) outcome: Word,
    #[serde(default)]
    pub(super) note: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Word {
    Done,
    Review,
    Fail,
}

/// The outcome file of an attempt: `{"outcome":"done"|"review"|"fail","note":"…"}` or one of the
/// words alone.
pub(super) fn said(folder: &Path) -> Option<Said> {
    let mut text = String::new();
    File::open(folder.join("outcome")).ok()?.take(64 * 1024).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text)
        .ok()
        .or_else(|| serde_json::from_value(text.trim().into()).ok().map(|outcome| Said { outcome, note: None }))
}

/// The outcome of a process that ended by itself. What it said wins over its exit code.
pub(super) fn judge(code: Option<i32>, signal: Option<i32>, said: Option<Said>, review: bool) -> Outcome {
    let note = said.as_ref().and_then(|said| said.note.as_deref()).map(cut);
    let (status, reason) = match (said.map(|said| said.outcome), code, signal) {
        (_, _, Some(_)) => (StepStatus::Failed, Some(Reason::Signal)),
        (Some(Word::Done), ..) => (StepStatus::Done, None),
        (Some(Word::Review), ..) | (None, Some(42), _) => (StepStatus::NeedsReview, None),
        (None, Some(0), _) if review => (StepStatus::NeedsReview, None),
        (None, Some(0), _) => (StepStatus::Done, None),
        (Some(Word::Fail) | None, ..) => (StepStatus::Failed, Some(Reason::Exit)),
    };
    Outcome { status, reason, code, signal, note, until: None }
}

/// A note as it is kept: on one line, with nothing that a terminal would obey, at most [`NOTE`]
/// bytes, cut between characters.
pub(super) fn cut(text: &str) -> String {
    let line = plain(text).split_whitespace().collect::<Vec<_>>().join(" ");
    line[..line.floor_char_boundary(NOTE)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_step_says_wins() {
        let say = |text: &str| serde_json::from_str::<Said>(text).ok();
        assert_eq!(judge(Some(0), None, None, false).status, StepStatus::Done);
        assert_eq!(judge(Some(0), None, None, true).status, StepStatus::NeedsReview);
        assert_eq!(judge(Some(42), None, None, false).status, StepStatus::NeedsReview);
        assert_eq!(judge(Some(1), None, None, false).words(), "exit 1");
        assert_eq!(judge(None, Some(9), None, false).words(), "signal 9");
        let said = judge(Some(0), None, say(r#"{"outcome":"fail","note":"no"}"#), true);
        assert_eq!((said.status, said.note.as_deref()), (StepStatus::Failed, Some("no")));
        assert_eq!(judge(Some(3), None, say(r#"{"outcome":"done"}"#), false).status, StepStatus::Done);
    }

    #[test]
    fn notes_are_tame_and_cut_between_characters() {
        assert_eq!(cut("\u{1b}[2Jred\n\n alert\u{7}"), "red alert");
        assert_eq!(cut(&"ä".repeat(150)).len(), 200);
        assert_eq!(cut(&format!("x{}", "ä".repeat(150))).len(), 199);
    }
}
