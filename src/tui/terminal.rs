//! The terminal: taken, given back whatever happens, and what it can.

use std::{
    env,
    io::{self, Stdout, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

use crossterm::{
    cursor, event,
    event::{KeyboardEnhancementFlags, PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags},
    execute, queue,
    terminal::{self, EnterAlternateScreen, LeaveAlternateScreen},
};
use ratatui::{Terminal, backend::CrosstermBackend, layout::Rect};

use super::outside;

/// The terminal of the screen.
pub(super) type Screen = Terminal<CrosstermBackend<Stdout>>;

/// Whether the terminal is ours at the moment.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes the terminal.
pub(super) fn take() -> io::Result<Screen> {
    enter(true)?;
    Terminal::new(CrosstermBackend::new(io::stdout()))
}

/// Switches to the screen.
pub(super) fn enter(has_mouse: bool) -> io::Result<()> {
    terminal::enable_raw_mode()?;
    IS_TAKEN.store(true, Ordering::SeqCst);
    let mut out = io::stdout();
    execute!(out, EnterAlternateScreen, event::EnableBracketedPaste, event::EnableFocusChange, cursor::Hide)?;
    // Terminals that do not know it ignore it.
    queue!(out, PushKeyboardEnhancementFlags(KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES))?;
    mouse(has_mouse)
}

/// Has every cell drawn again. `clear` would ask the terminal where its cursor is, and wait two seconds for one that does
/// not say.
pub(super) fn blank(screen: &mut Screen) -> io::Result<()> {
    let size = screen.size()?;
    screen.resize(Rect::new(0, 0, size.width, size.height))
}

/// Takes the mouse, or leaves it to the terminal for selecting text.
pub(super) fn mouse(is_ours: bool) -> io::Result<()> {
    let mut out = io::stdout();
    if is_ours { execute!(out, event::EnableMouseCapture) } else { execute!(out, event::DisableMouseCapture) }
}

/// Gives the terminal back as it was. May be called any number of times.
pub(super) fn give_back() {
    if !IS_TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = outside::give_back(&mut out);
    let _ = execute!(
        out,
        event::DisableMouseCapture,
        PopKeyboardEnhancementFlags,
        event::DisableFocusChange,
        event::DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = terminal::disable_raw_mode();
    let _ = out.flush();
}

/// Whether colours are wanted.
pub(super) fn has_colours() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && env::var("TERM").is_ok_and(|term| term != "dumb")
}

/// Whether somebody looks from afar, where every cell that changes costs.
pub(super) fn is_remote() -> bool {
    ["SSH_CONNECTION", "SSH_TTY"].iter().any(|name| env::var_os(name).is_some())
}
