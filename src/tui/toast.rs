//! Short messages that go away by themselves.

/// How serious a message is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tone {
    Good,
    Plain,
    Warning,
    Error,
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Toast {
    pub(super) tone: Tone,
    /// What happened.
    pub(super) text: String,
    /// What to do about it.
    pub(super) hint: Option<String>,
    /// When it goes, in milliseconds since 1970.
    pub(super) until: u64,
}

impl Toast {
    /// A message from now on; errors stay longer.
    pub(super) fn new(tone: Tone, text: impl Into<String>, hint: Option<String>, now: u64) -> Self {
        let stays = if matches!(tone, Tone::Error | Tone::Warning) { 8_000 } else { 4_000 };
        Self { tone, text: text.into(), hint, until: now + stays }
    }
}
