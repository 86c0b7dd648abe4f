//! Typing into a text field: the keys of readline where the widget's own ones differ.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_textarea::TextArea;

/// Takes a key; whether the text changed.
pub(super) fn type_into(text: &mut TextArea<'_>, key: KeyEvent) -> bool {
    let control = key.modifiers == KeyModifiers::CONTROL;
    let alt = key.modifiers == KeyModifiers::ALT;
    match key.code {
        KeyCode::Char('u') if control => text.delete_line_by_head(),
        KeyCode::Char('y') if control => text.paste(),
        KeyCode::Char('_') if control => text.undo(),
        KeyCode::Backspace if control || alt => text.delete_word(),
        _ => text.input(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_readline_edit() {
        let mut text = TextArea::new(vec!["one two three".into()]);
        text.move_cursor(tui_textarea::CursorMove::End);
        let mut press = |letter, modifiers| {
            type_into(&mut text, KeyEvent::new(KeyCode::Char(letter), modifiers));
            text.lines()[0].clone()
        };
        let mut control = |letter| press(letter, KeyModifiers::CONTROL);
        assert_eq!(control('w'), "one two ");
        assert_eq!(control('y'), "one two three");
        assert_eq!(control('u'), "");
        assert_eq!(control('y'), "one two three");
        assert_eq!((control('a'), control('k')), ("one two three".into(), String::new()));
    }
}
