//! Sequences as people might write them: every style of YAML, comments everywhere, keys of their own.

use super::{
    emit::{Place, scalar},
    keys, quote,
    tree::Style,
};

/// Choices taken from a list of numbers, so that shorter lists make simpler files.
#[derive(Debug)]
pub(super) struct Dice<'d> {
    numbers: &'d [u16],
    at: usize,
    named: usize,
}

impl<'d> Dice<'d> {
    pub(super) const fn new(numbers: &'d [u16]) -> Self {
        Self { numbers, at: 0, named: 0 }
    }

    /// A number below `sides`; 0 when the numbers are used up.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        let number = self.numbers.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(number) % sides.max(1)
    }

    /// Whether one chance in `sides` came true.
    pub(super) fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == sides - 1
    }

    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.roll(choices.len())]
    }

    /// A text that stands nowhere else.
    pub(super) fn mark(&mut self) -> String {
        self.named += 1;
        format!("m{}m", self.named)
    }
}

/// What a line belongs to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owner {
    /// It must survive everything.
    Nobody,
    /// A key of the top level, or one in a section of it.
    Section(&'static str, Option<&'static str>),
    /// A step or gate, or a key of it.
    Item(String, Option<&'static str>),
}

/// A line with its owner.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) owner: Owner,
}

/// A file by its lines.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) lines: Vec<Line>,
    pub(super) newline: &'static str,
    pub(super) has_mark: bool,
    pub(super) is_cut: bool,
}

impl File {
    fn push(&mut self, text: impl Into<String>, owner: &Owner) {
        self.lines.push(Line { text: text.into(), owner: owner.clone() });
    }

    /// Its text.
    pub(super) fn text(&self) -> String {
        let mut text = String::from(if self.has_mark { "\u{feff}" } else { "" });
        for (at, line) in self.lines.iter().enumerate() {
            text.push_str(&line.text);
            if !self.is_cut || at + 1 < self.lines.len() {
                text.push_str(self.newline);
            }
        }
        text
    }
}

pub(super) const TEXTS: &[&str] = &[
    "build",
    "Build the thing",
    "cargo test --all -- --nocapture",
    "größer, schöner – ¡olé!",
    "🚀 launch it",
    "yes",
    "null",
    "1.0",
    "0x1f",
    "12:30",
    "a: b",
    "a #b",
    "it's \"quoted\"",
    "# no comment",
    "- no item",
    "C:\\path\\n",
    "{x} [y], z",
    "one\ntwo",
    "one\ntwo\n",
    "one\n\n  deeper\n\ttab\nend\n",
    "  first is deep\nthen not\n",
    "\nafter a blank\n",
    "kept\n\n\n",
    "",
    " blanks ",
    "tab\there",
    "nul-free \u{1} control",
    "next\u{85}line \u{2028} sep",
    "a very long text that goes on and on and on, well beyond the width of any line that people would call pleasant to read",
];
pub(super) const IDS: &[&str] = &["a", "b", "build-api-2", "c3", "deploy", "e", "7", "g-one", "h", "lint", "true"];
const LISTS: &[&[&str]] =
    &[&["a"], &["a", "b"], &["x, y", "z"], &["*.rs", "target/**"], &["--model", "opus", "-p"], &["one\ntwo", "b"]];

/// A whole file.
pub(super) fn file(dice: &mut Dice<'_>) -> File {
    let newline = if dice.one_in(4) { "\r\n" } else { "\n" };
    let mut file = File { newline, has_mark: dice.one_in(10), is_cut: dice.one_in(6), ..File::default() };
    if dice.one_in(6) {
        let json = dice.one_in(2);
        flow_file(dice, &mut file, json);
        return file;
    }
    if dice.one_in(8) {
        file.push(dice.pick(&["---", "--- # start", "%YAML 1.2\n---"]).replace('\n', newline), &Owner::Nobody);
    }
    let mut order: Vec<&'static str> = vec!["version", "name", "metadata", "policy", "defaults", "x-mine", "steps", "gates"];
    for _ in 0..dice.roll(4) {
        let (from, to) = (dice.roll(order.len()), dice.roll(order.len()));
        order.swap(from, to);
    }
    for key in order {
        let is_needed = matches!(key, "version" | "steps");
        if is_needed && !dice.one_in(20) || !is_needed && dice.one_in(2) {
            noise(dice, &mut file, 0, &Owner::Nobody);
            section(dice, &mut file, key);
        }
    }
    if file.lines.iter().all(|line| !line.text.contains(':')) {
        file.push("version: 1", &Owner::Section("version", None));
    }
    noise(dice, &mut file, 0, &Owner::Nobody);
    if dice.one_in(12) {
        file.push("...", &Owner::Nobody);
    }
    // Readers disagree on what a block scalar is that the end of the file cuts off.
    file.is_cut &= !file.lines.iter().rev().take(8).any(|line| line.text.contains(['|', '>']));
    file
}

/// Blank lines and comments.
fn noise(dice: &mut Dice<'_>, file: &mut File, column: usize, owner: &Owner) {
    for _ in 0..dice.roll(3).saturating_sub(usize::from(dice.one_in(2))) {
        if dice.one_in(2) {
            file.push("", &Owner::Nobody);
        } else {
            let mark = dice.mark();
            file.push(format!("{:column$}# {mark}: a comment", ""), owner);
        }
    }
}

fn section(dice: &mut Dice<'_>, file: &mut File, key: &'static str) {
    let owner = Owner::Section(key, None);
    match key {
        "version" => {
            let text = dice.pick(&["\"1.0\"", "'1.0'", "1.0", "1"]);
            value_lines(dice, file, key, 0, &owner, vec![text.into()]);
        }
        "name" => field(dice, file, key, 0, &owner),
        "x-mine" => {
            let mark = dice.mark();
            file.push("x-mine:", &Owner::Nobody);
            file.push(format!("  - {{{mark}: [1, 2]}} # {mark}"), &Owner::Nobody);
        }
        "steps" | "gates" => items(dice, file, key),
        _ => {
            let known = match key {
                "metadata" => keys::METADATA.names(),
                "policy" => keys::POLICY.names(),
                _ => keys::DEFAULTS.names(),
            };
            let column = dice.pick(&[2, 4, 1]);
            let mut has_one = false;
            let comment = comment(dice);
            file.push(format!("{key}:{comment}"), &owner);
            for name in known {
                if dice.one_in(4) {
                    let owner = Owner::Section(key, Some(name));
                    noise(dice, file, column, &owner);
                    field(dice, file, name, column, &owner);
                    has_one = true;
                }
            }
            if !has_one || dice.one_in(5) {
                let mark = dice.mark();
                file.push(format!("{:column$}x-{mark}: {mark}", ""), &Owner::Nobody);
            }
        }
    }
}

fn comment(dice: &mut Dice<'_>) -> String {
    if dice.one_in(4) {
        format!("{} # {}", " ".repeat(dice.roll(3)), dice.mark())
    } else {
        " ".repeat(dice.roll(8).saturating_sub(6))
    }
}

fn items(dice: &mut Dice<'_>, file: &mut File, list: &'static str) {
    let count = dice.roll(5);
    let owner = Owner::Section(list, None);
    let ids: Vec<&str> = IDS.iter().skip(if list == "steps" { 0 } else { 6 }).copied().take(count).collect();
    let comment = comment(dice);
    if ids.is_empty() {
        let empty = dice.pick(&[" []", "", " ~"]);
        file.push(format!("{list}:{empty}{comment}"), &owner);
        return;
    }
    let column = dice.pick(&[2, 0, 4]);
    let is_spaced = dice.one_in(2);
    file.push(format!("{list}:{comment}"), &owner);
    for (at, id) in ids.iter().enumerate() {
        if is_spaced && at > 0 {
            file.push("", &Owner::Nobody);
        }
        noise(dice, file, column, &Owner::Item((*id).into(), None));
        if dice.one_in(5) {
            flow_item(dice, file, list, id, column);
        } else {
            block_item(dice, file, list, id, column);
        }
    }
}

fn known_keys(list: &str) -> Vec<&'static str> {
    if list == "steps" { keys::STEP.names() } else { keys::GATE.names() }
}

fn block_item(dice: &mut Dice<'_>, file: &mut File, list: &'static str, id: &str, column: usize) {
    let gap = dice.pick(&[1, 1, 1, 3]);
    let inner = column + 1 + gap;
    let start = file.lines.len();
    let mut names: Vec<&'static str> = known_keys(list).iter().copied().filter(|name| *name == "id" || dice.one_in(6)).collect();
    for _ in 0..dice.roll(3) {
        let (from, to) = (dice.roll(names.len()), dice.roll(names.len()));
        names.swap(from, to);
    }
    for (at, name) in names.iter().enumerate() {
        let owner = Owner::Item(id.into(), Some(name));
        if at > 0 {
            noise(dice, file, inner, &Owner::Item(id.into(), None));
        }
        if *name == "id" {
            let written = dice.pick(&["", "\"", "'"]);
            let comment = comment(dice);
            let written = if quote::is_plain(id, false) || id == "7" { written } else { "\"" };
            file.push(format!("{:inner$}id: {written}{id}{written}{comment}", ""), &owner);
        } else {
            field(dice, file, name, inner, &owner);
        }
        if dice.one_in(8) {
            let mark = dice.mark();
            let own = dice.pick(&["x-", "unknown_"]);
            file.push(format!("{:inner$}{own}{mark}: {{{mark}: 1}}", ""), &Owner::Item(id.into(), None));
        }
    }
    if dice.one_in(6) {
        let mark = dice.mark();
        file.push(format!("{:inner$}# {mark}: below", ""), &Owner::Item(id.into(), None));
    }
    let first = &mut file.lines[start].text;
    if dice.one_in(8) {
        let dash = format!("{:column$}-", "");
        file.lines.insert(start, Line { text: dash, owner: Owner::Item(id.into(), None) });
    } else {
        first.replace_range(column..=column, "-");
    }
}

fn flow_item(dice: &mut Dice<'_>, file: &mut File, list: &'static str, id: &str, column: usize) {
    let comment = comment(dice);
    let pairs = flow_pairs(dice, list, id, false);
    let owner = Owner::Item(id.into(), Some("id"));
    if dice.one_in(3) {
        let inner = column + 4;
        file.push(format!("{:column$}- {{", ""), &owner);
        let end = pairs.len() - 1;
        for (at, pair) in pairs.iter().enumerate() {
            let comma = if at < end || dice.one_in(2) { "," } else { "" };
            let comment = if dice.one_in(4) { format!(" # {}", dice.mark()) } else { String::new() };
            file.push(format!("{:inner$}{pair}{comma}{comment}", ""), &owner);
        }
        file.push(format!("{:inner$}}}{comment}", ""), &owner);
    } else {
        file.push(format!("{:column$}- {{{}}}{comment}", "", pairs.join(dice.pick(&[", ", ","]))), &owner);
    }
}

fn flow_pairs(dice: &mut Dice<'_>, list: &'static str, id: &str, is_json: bool) -> Vec<String> {
    let mut pairs = Vec::new();
    let place = Place::Flow { is_json };
    let name = |key: &str| if is_json { format!("\"{key}\"") } else { key.to_owned() };
    pairs.push(format!("{}: {}", name("id"), scalar(id, None, place).head));
    for key in known_keys(list).iter().skip(1) {
        if dice.one_in(6) {
            pairs.push(format!("{}: {}", name(key), flow_value(dice, key, place)));
        }
    }
    if dice.one_in(5) {
        let mark = dice.mark();
        pairs.push(format!("{}: {}", name(&format!("x-{mark}")), scalar(&mark, None, place).head));
    }
    pairs
}

/// What a key may have for a value.
enum Sort {
    Text(&'static str),
    Bare(&'static str),
    List(&'static [&'static str]),
    Pairs(&'static [(&'static str, &'static str)]),
}

fn sort(dice: &mut Dice<'_>, key: &str) -> Sort {
    match key {
        "type" => Sort::Text(dice.pick(&["base", "p", "c"])),
        "status" => Sort::Text(dice.pick(&["BLOCKED", "BLOCKED"])),
        "mode" => Sort::Text(dice.pick(&["SAFE", "POWER"])),
        "timeout" | "retry_delay" | "watchdog_interval" => Sort::Text(dice.pick(&["45m", "90s", "1h30m", "500ms"])),
        "fail_policy" => Sort::Text(dice.pick(&["fail_fast", "best_effort", "stop-all", "continue"])),
        "fanout" | "retries" | "max_fanout" | "max_concurrent" => Sort::Bare(dice.pick(&["1", "3", "12"])),
        "max_cost_usd" => Sort::Bare(dice.pick(&["2.5", "1", "0.25"])),
        "review" => Sort::Bare(dice.pick(&["true", "false"])),
        "env" => Sort::Pairs(dice.pick(&[
            &[("A", "1"), ("PATH", "/bin:/usr/bin")] as &[_],
            &[("B", "one\ntwo\n")],
            &[("NAME", "yes"), ("X_Y", "größer")],
        ])),
        "fusion_candidates" | "fusion_synth" | "orchestrator" if dice.one_in(2) => Sort::Bare("true"),
        "depends_on" | "fusion_candidates" => {
            Sort::List(dice.pick(&[&["a"] as &[_], &["a", "b"], &["deploy", "e", "h", "lint"], &["7", "true"]]))
        }
        "group_id" | "watchdog_for" | "fusion_synth" | "orchestrator" => Sort::Text(dice.pick(IDS)),
        "artifacts" | "agent_args" | "tags" | "allowed_commands" | "allowed_cwd" | "forbidden_patterns" => {
            Sort::List(dice.pick(LISTS))
        }
        "command" if dice.one_in(3) => Sort::List(dice.pick(LISTS)),
        _ => Sort::Text(dice.pick(TEXTS)),
    }
}

fn flow_value(dice: &mut Dice<'_>, key: &str, place: Place) -> String {
    let text = |dice: &mut Dice<'_>, text: &str| {
        let style = dice.pick(&[None, Some(Style::Single), Some(Style::Double)]);
        scalar(text, style, place).head
    };
    let gap = dice.pick(&["", " "]);
    match sort(dice, key) {
        Sort::Text(word) => text(dice, word),
        Sort::Bare(word) => word.into(),
        Sort::List(words) => {
            let words: Vec<_> = words.iter().map(|word| text(dice, word)).collect();
            format!("[{gap}{}{gap}]", words.join(", "))
        }
        Sort::Pairs(pairs) => {
            let name =
                |name: &str| if matches!(place, Place::Flow { is_json: true }) { format!("\"{name}\"") } else { name.to_owned() };
            let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{}: {}", name(key), text(dice, value))).collect();
            format!("{{{gap}{}{gap}}}", pairs.join(", "))
        }
    }
}

/// `key: value` on lines, in one of the many ways to write it.
fn field(dice: &mut Dice<'_>, file: &mut File, key: &'static str, column: usize, owner: &Owner) {
    if dice.one_in(16) {
        let nothing = dice.pick(&["", " ~", " null", " &anchor"]);
        let comment = comment(dice);
        file.push(format!("{:column$}{key}:{nothing}{comment}", ""), owner);
        return;
    }
    let place = Place::Flow { is_json: false };
    let found = sort(dice, key);
    let lines = match found {
        _ if dice.one_in(12) && matches!(found, Sort::Pairs(_) | Sort::List(_)) => vec![flow_value(dice, key, place)],
        Sort::Text(text) if matches!(key, "timeout" | "retry_delay" | "watchdog_interval") && dice.one_in(3) => {
            let milliseconds = text.parse::<crate::model::Span>().expect("these are durations").as_ms().to_string();
            let key = match key {
                "timeout" => "timeout_ms",
                "retry_delay" => "retry_delay_ms",
                _ => "watchdog_interval_ms",
            };
            return value_lines(dice, file, key, column, owner, vec![milliseconds]);
        }
        Sort::Text(text) => {
            let key = if key == "model" && dice.one_in(3) { "agent" } else { key };
            let mut lines = text_lines(dice, text, column);
            if lines.len() == 1 && dice.one_in(16) {
                lines[0].insert_str(0, "!!str ");
            }
            return value_lines(dice, file, key, column, owner, lines);
        }
        Sort::Bare(word) => vec![word.into()],
        Sort::List(words) => list_lines(dice, words, column, key),
        Sort::Pairs(pairs) => pairs_lines(dice, pairs, column),
    };
    value_lines(dice, file, key, column, owner, lines);
}

fn value_lines(dice: &mut Dice<'_>, file: &mut File, key: &str, column: usize, owner: &Owner, mut lines: Vec<String>) {
    let quoted = if dice.one_in(12) { format!("\"{key}\"") } else { key.to_owned() };
    let gap = if lines[0].is_empty() { "" } else { dice.pick(&[" ", " ", " ", "  ", "   "]) };
    let is_quoted_or_plain = lines.len() == 1;
    let property = if is_quoted_or_plain && dice.one_in(16) { dice.pick(&["&anchor ", "&x-1 "]) } else { "" };
    let text = std::mem::take(&mut lines[0]);
    if is_quoted_or_plain && dice.one_in(12) {
        file.push(format!("{:column$}{quoted}:{}", "", comment(dice)), owner);
        file.push(format!("{:column$}  {property}{text}{}", "", comment(dice)), owner);
        return;
    }
    let can_comment = lines.len() == 1 || text.is_empty() || text.starts_with(['|', '>']);
    let comment = if can_comment { comment(dice) } else { String::new() };
    file.push(format!("{:column$}{quoted}:{gap}{property}{text}{comment}", ""), owner);
    for line in lines.into_iter().skip(1) {
        file.push(line, owner);
    }
}

/// A text in one of the styles that can write it: what stands behind the colon, and lines below.
fn text_lines(dice: &mut Dice<'_>, text: &str, column: usize) -> Vec<String> {
    let inner = column + dice.pick(&[2, 4, 1]);
    let style =
        dice.pick(&[None, Some(Style::Plain), Some(Style::Single), Some(Style::Double), Some(Style::Block), Some(Style::Block)]);
    let words: Vec<_> = text.split(' ').collect();
    let is_wordy = words.len() > 2 && words.iter().all(|word| !word.is_empty() && quote::is_plain(word, true));
    if is_wordy && quote::is_plain(text, false) && dice.one_in(3) {
        let quotes = dice.pick(&["", "'", "\""]);
        let first = format!("{quotes}{}", words[0]);
        return vec![first, format!("{:inner$}{}{quotes}", "", words[1..].join(" "))];
    }
    if text.ends_with("\n\n") && style == Some(Style::Block) {
        let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        return [String::from("|+")]
            .into_iter()
            .chain(lines.map(|line| if line.is_empty() { String::new() } else { format!("{:inner$}{line}", "") }))
            .collect();
    }
    if is_wordy && quote::is_plain(text, false) && dice.one_in(3) {
        return vec![">-".into(), format!("{:inner$}{}", "", words[0]), format!("{:inner$}{}", "", words[1..].join(" "))];
    }
    let written = scalar(text, style, Place::Lines { parent: column, column: inner, blocks: true });
    [written.head].into_iter().chain(written.body.lines().map(str::to_owned)).collect()
}

fn list_lines(dice: &mut Dice<'_>, words: &[&str], column: usize, key: &str) -> Vec<String> {
    let place = Place::Flow { is_json: false };
    let quoted =
        |dice: &mut Dice<'_>, word: &str| scalar(word, dice.pick(&[None, Some(Style::Single), Some(Style::Double)]), place).head;
    let words: Vec<_> = words.iter().map(|word| quoted(dice, word)).collect();
    match dice.roll(5) {
        0 => vec![format!("[{}]", words.join(", "))],
        1 => vec![format!("[ {} ]", words.join(" , "))],
        2 if words.len() == 1 && key != "command" => words,
        3 => {
            let inner = column + 3;
            let mut lines = vec![format!("[{}", comment(dice).trim_end())];
            for word in &words {
                if dice.one_in(4) {
                    lines.push(format!("{:inner$}# {}", "", dice.mark()));
                }
                lines.push(format!("{:inner$}{word},{}", "", comment(dice)));
            }
            lines.push(format!("{:inner$}]", ""));
            lines
        }
        _ => {
            let inner = column + dice.pick(&[2, 0, 4]);
            let mut lines = vec![String::new()];
            for word in &words {
                if dice.one_in(6) {
                    lines.push(format!("{:inner$}# {}", "", dice.mark()));
                }
                lines.push(format!("{:inner$}- {word}{}", "", comment(dice)));
            }
            lines
        }
    }
}

fn pairs_lines(dice: &mut Dice<'_>, pairs: &[(&str, &str)], column: usize) -> Vec<String> {
    let inner = column + dice.pick(&[2, 4]);
    let mut lines = vec![String::new()];
    for (name, value) in pairs {
        let mut written = text_lines(dice, value, inner);
        written[0] = format!("{:inner$}{name}: {}", "", written[0]);
        if written.len() == 1 {
            written[0].push_str(&comment(dice));
        }
        lines.extend(written);
    }
    lines
}

fn flow_file(dice: &mut Dice<'_>, file: &mut File, is_json: bool) {
    let name = |key: &str| if is_json { format!("\"{key}\"") } else { key.to_owned() };
    let owner = Owner::Section("version", None);
    let is_pretty = dice.one_in(2);
    let mut parts = vec![format!("{}: \"1.0\"", name("version"))];
    for list in ["steps", "gates"] {
        let ids = IDS.iter().skip(if list == "steps" { 0 } else { 6 }).take(dice.roll(4));
        let items: Vec<_> = ids.map(|id| format!("{{{}}}", flow_pairs(dice, list, id, is_json).join(", "))).collect();
        let joint = if is_pretty && !items.is_empty() { ("\n    ", ",\n    ", "\n  ") } else { ("", ", ", "") };
        parts.push(format!("{}: [{}{}{}]", name(list), joint.0, items.join(joint.1), joint.2));
    }
    let text = if is_pretty { format!("{{\n  {}\n}}", parts.join(",\n  ")) } else { format!("{{{}}}", parts.join(", ")) };
    for line in text.lines() {
        file.push(line, &owner);
    }
}
