//! Which panels there are and how large a person made them.

/// The panels that take keys.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Panel {
    /// The graph or the list.
    #[default]
    Board,
    Inspector,
    Log,
    Chat,
    /// The card of a proposal.
    Card,
}

/// How the sequence is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum View {
    List,
    Graph,
}

/// What a person chose of the screen's division.
#[derive(Clone, Debug)]
pub(super) struct Panels {
    /// Which one has the keys.
    pub(super) focus: Panel,
    /// The view that was chosen; by the screen's width where none was.
    pub(super) view: Option<View>,
    /// The cells of the inspector.
    pub(super) inspector: u16,
    /// The rows of the log.
    pub(super) log: u16,
    pub(super) is_inspector_folded: bool,
    pub(super) is_log_folded: bool,
    /// Whether the inspector lies over a narrow screen.
    pub(super) is_inspector_open: bool,
    /// Whether the log takes the whole screen.
    pub(super) is_log_full: bool,
    pub(super) has_minimap: bool,
}

impl Default for Panels {
    fn default() -> Self {
        Self {
            focus: Panel::Board,
            view: None,
            inspector: 36,
            log: 7,
            is_inspector_folded: false,
            is_log_folded: false,
            is_inspector_open: false,
            is_log_full: false,
            has_minimap: true,
        }
    }
}
