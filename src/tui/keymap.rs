//! Every key, once: the handler, the hint line, help, the palette and the docs read this table.

use std::{collections::HashMap, fmt};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::command::Command;

/// Where help lists a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Section {
    Move,
    Look,
    Act,
    Run,
    Plan,
    Screen,
}

impl Section {
    /// Every section, in help's order.
    pub(super) const ALL: [Self; 6] = [Self::Move, Self::Look, Self::Act, Self::Run, Self::Plan, Self::Screen];

    /// Its heading.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Look => "Look",
            Self::Act => "Act on the selection",
            Self::Run => "Run",
            Self::Plan => "Change the plan",
            Self::Screen => "Screen",
        }
    }
}

/// A row of the table.
pub(super) struct Binding {
    /// What it does.
    pub(super) command: Command,
    /// Its name in config.yaml.
    pub(super) name: &'static str,
    /// The keys that do it unless config.yaml says otherwise.
    pub(super) keys: &'static [&'static str],
    /// In a word or two, for the hint line.
    pub(super) short: &'static str,
    /// In a sentence, for help and the palette.
    pub(super) words: &'static str,
    /// Where help lists it.
    pub(super) section: Section,
}

macro_rules! bindings {
    ($($section:ident { $($command:ident $name:literal [$($key:literal),*] $short:literal $words:literal;)* })*) => {
        /// The table.
        pub(super) const BINDINGS: &[Binding] = &[$($(Binding {
            command: Command::$command,
            name: $name,
            keys: &[$($key),*],
            short: $short,
            words: $words,
            section: Section::$section,
        },)*)*];
    };
}

bindings! {
    Move {
        Left "left" ["left", "h"] "left" "go to what it waits for";
        Right "right" ["right", "l"] "right" "go to what waits for it";
        Up "up" ["up", "k"] "up" "go up";
        Down "down" ["down", "j"] "down" "go down";
        First "first" ["home", "g"] "first" "go to the first";
        Last "last" ["end", "G"] "last" "go to the last";
        PageUp "page_up" ["pageup", "ctrl-u"] "page up" "a page up";
        PageDown "page_down" ["pagedown", "ctrl-d"] "page down" "a page down";
        PanLeft "pan_left" ["shift-left", "H"] "pan" "move the window to the left";
        PanRight "pan_right" ["shift-right", "L"] "pan" "move the window to the right";
        PanUp "pan_up" ["shift-up", "K"] "pan" "move the window up";
        PanDown "pan_down" ["shift-down", "J"] "pan" "move the window down";
        NextPanel "next_panel" ["tab"] "next panel" "go to the next panel";
        PreviousPanel "previous_panel" ["backtab"] "previous panel" "go to the panel before";
        Open "open" ["enter"] "open" "open what is selected";
        Close "close" ["esc"] "close" "close what is on top";
        NextAttention "next_attention" ["."] "next that needs you" "go to the next thing that needs you";
        Search "search" ["/"] "search" "search steps and gates; in a log, its lines";
        NextHit "next_hit" ["n"] "next hit" "go to the next hit";
        PreviousHit "previous_hit" ["N"] "hit before" "go to the hit before";
    }
    Look {
        ListView "list_view" ["1"] "list" "show the sequence as a list";
        GraphView "graph_view" ["2"] "graph" "show the sequence as a graph";
        Attention "attention" ["!"] "what needs you" "list everything that needs you";
        NextTab "next_tab" ["]"] "next tab" "go to the next tab of the inspector";
        PreviousTab "previous_tab" ["["] "tab before" "go to the tab before";
        Why "why" ["w"] "why" "why it does not run, and what would let it";
        Diff "diff" ["d"] "diff" "show what it changed";
        FullLog "full_log" ["o"] "log" "show its log on the whole screen";
        Follow "follow" ["f"] "follow" "follow the log, or stop following";
        Stream "stream" ["t"] "stream" "show stdout, stderr or both";
        Wrap "wrap" ["W"] "wrap" "wrap long lines, or cut them";
        Raw "raw" ["u"] "raw" "show an agent's stream as it is, or as a transcript";
        Runs "runs" ["U"] "runs" "list the runs";
        Audit "audit" ["T"] "audit" "show the audit log";
        Minimap "minimap" ["m"] "minimap" "show or hide the minimap";
        Fold "fold" ["z"] "fold" "fold the group of the selection into one node, or unfold it";
        ZoomIn "zoom_in" ["+", "="] "larger" "zoom in";
        ZoomOut "zoom_out" ["-"] "smaller" "zoom out";
    }
    Act {
        Run "run" ["r"] "run" "run it, or run it again";
        Stop "stop" ["x"] "stop" "stop it";
        Approve "approve" ["a"] "approve" "approve the gate, or accept the review";
        Block "block" ["b"] "block" "block the gate, or reject the review";
        Continue "continue" ["c"] "continue" "go on with the agent's session with a message";
        Review "review" ["v"] "review" "look at what it did, then accept or reject it";
        Prompt "prompt" ["e"] "prompt" "edit its prompt in your editor";
        Yank "yank" ["y"] "yank" "copy its id, path, command, error or log";
    }
    Run {
        RunRunnable "run_runnable" ["R", "ctrl-enter"] "run runnable" "run everything that can start";
        RunAll "run_all" ["A"] "run all" "run everything that is not done";
    }
    Plan {
        Plan "plan" ["p"] "plan" "change the plan: new, clone, dependency, gate, group, fusion, template, delete, undo";
        Propose "propose" [] "propose" "propose from file: show what a list of actions would change, then decide";
        MoveUp "move_up" ["alt-up"] "move up" "put the step above its neighbour, in the plan too";
        MoveDown "move_down" ["alt-down"] "move down" "put the step below its neighbour, in the plan too";
        Skip "skip" [] "skip" "count it as done without running it";
        Reset "reset" [] "reset" "forget its outcome";
    }
    Screen {
        Palette "palette" ["ctrl-k", ":"] "commands" "find any command, step or gate";
        Mode "mode" ["S"] "SAFE/POWER" "change between SAFE and POWER";
        Chat "chat" ["i"] "type" "type into the chat";
        Mouse "mouse" ["M"] "mouse" "give the mouse to the terminal to select text, or take it back";
        Narrower "narrower" [">"] "narrower" "make the inspector narrower";
        Wider "wider" ["<"] "wider" "make the inspector wider";
        Lower "lower" ["}"] "lower" "make the log lower";
        Higher "higher" ["{"] "higher" "make the log higher";
        FoldInspector "fold_inspector" ["I"] "inspector" "fold or unfold the inspector";
        FoldLog "fold_log" ["O"] "log panel" "fold or unfold the log";
        Help "help" ["?", "f1"] "all keys" "show every key";
        Redraw "redraw" ["ctrl-l"] "redraw" "draw everything again";
        Suspend "suspend" ["ctrl-z"] "suspend" "go to the background; `fg` comes back";
        Interrupt "interrupt" ["ctrl-c"] "close" "close what is on top, or say how to quit";
        Quit "quit" ["q"] "quit" "leave; what runs goes on";
    }
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    /// A key as the terminal tells it. A shifted letter is a capital letter and nothing else.
    pub(super) fn of(event: KeyEvent) -> Self {
        let mut modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        if let KeyCode::Char(_) | KeyCode::BackTab = event.code {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self { code: event.code, modifiers }
    }

    /// The key as the terminal would tell it.
    #[cfg(test)]
    pub(super) const fn parts(self) -> (KeyCode, KeyModifiers) {
        (self.code, self.modifiers)
    }

    /// A key as the table and config.yaml write it, like `r`, `ctrl-k` or `shift-left`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mut rest, mut modifiers) = (text, KeyModifiers::NONE);
        let names = [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("shift-", KeyModifiers::SHIFT)];
        while let Some((after, modifier)) = names.iter().find_map(|(name, modifier)| Some((rest.strip_prefix(name)?, *modifier)))
        {
            modifiers |= modifier;
            rest = after;
        }
        let mut letters = rest.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(letter), None) => KeyCode::Char(letter),
            _ => NAMED.iter().find(|(name, _)| *name == rest)?.1,
        };
        Some(Self { code, modifiers })
    }
}

const NAMED: &[(&str, KeyCode)] = &[
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("f1", KeyCode::F(1)),
    ("f2", KeyCode::F(2)),
    ("f3", KeyCode::F(3)),
    ("f4", KeyCode::F(4)),
    ("f5", KeyCode::F(5)),
];

impl fmt::Display for Key {
    /// As people write it: `Ctrl-K`, `Esc`, `↑`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in [(KeyModifiers::CONTROL, "Ctrl-"), (KeyModifiers::ALT, "Alt-"), (KeyModifiers::SHIFT, "Shift-")] {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(letter) if self.modifiers.contains(KeyModifiers::CONTROL) => {
                write!(f, "{}", letter.to_ascii_uppercase())
            }
            KeyCode::Char(letter) => write!(f, "{letter}"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::F(number) => write!(f, "F{number}"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// Which key does what, with what config.yaml changes.
#[derive(Clone, Debug)]
pub(super) struct Keymap {
    commands: HashMap<Key, Command>,
    keys: HashMap<Command, Vec<Key>>,
}

impl Keymap {
    /// The table, changed by `others`: a command's name and all its keys. What cannot be
    /// understood is told in words and left out.
    pub(super) fn new(others: &[(String, Vec<String>)]) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let mut keys: HashMap<Command, Vec<Key>> =
            BINDINGS.iter().map(|row| (row.command, row.keys.iter().filter_map(|key| Key::parse(key)).collect())).collect();
        for (name, wanted) in others {
            let Some(row) = BINDINGS.iter().find(|row| row.name == name) else {
                problems.push(format!("`ui.keys` has `{name}`, which is no command"));
                continue;
            };
            let parsed = wanted.iter().filter_map(|text| {
                let key = Key::parse(text);
                if key.is_none() {
                    problems.push(format!("`ui.keys.{name}` has `{text}`, which is no key"));
                }
                key
            });
            let parsed: Vec<Key> = parsed.collect();
            for taken in keys.values_mut() {
                taken.retain(|key| !parsed.contains(key));
            }
            keys.insert(row.command, parsed);
        }
        let commands = keys.iter().flat_map(|(command, keys)| keys.iter().map(|key| (*key, *command))).collect();
        (Self { commands, keys }, problems)
    }

    /// What a key does.
    pub(super) fn command(&self, key: Key) -> Option<Command> {
        self.commands.get(&key).copied()
    }

    /// The keys of a command as people write them, the first one first; nothing where it has none.
    pub(super) fn keys(&self, command: Command) -> Vec<String> {
        self.keys.get(&command).into_iter().flatten().map(Key::to_string).collect()
    }

    /// The key to name where there is room for one.
    pub(super) fn key(&self, command: Command) -> Option<String> {
        self.keys(command).into_iter().next()
    }
}

/// The row of a command.
pub(super) fn binding(command: Command) -> &'static Binding {
    BINDINGS.iter().find(|row| row.command == command).expect("every command has a row")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_key_is_understood_and_means_one_thing() {
        let keys: Vec<Key> = BINDINGS.iter().flat_map(|row| row.keys).map(|key| Key::parse(key).unwrap()).collect();
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
        let commands: HashSet<Command> = BINDINGS.iter().map(|row| row.command).collect();
        let names: HashSet<&str> = BINDINGS.iter().map(|row| row.name).collect();
        assert_eq!((commands.len(), names.len()), (BINDINGS.len(), BINDINGS.len()));
    }

    #[test]
    fn config_moves_a_key_and_what_had_it_loses_it() {
        let (map, problems) = Keymap::new(&[("stop".into(), vec!["r".into()]), ("nonsense".into(), vec![])]);
        assert_eq!(map.command(Key::parse("r").unwrap()), Some(Command::Stop));
        assert_eq!((map.command(Key::parse("x").unwrap()), map.key(Command::Run)), (None, None));
        assert_eq!(problems, ["`ui.keys` has `nonsense`, which is no command"]);
    }
}
