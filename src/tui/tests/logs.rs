//! Logs of steps that really ran: following, going about, searching, streams, colours, transcripts, any size.

use std::fmt::Write as _;

use crossterm::event::MouseEventKind::{ScrollDown, ScrollUp};
use ratatui::style::{Color, Modifier};

use super::stage::Stage;
use crate::tui::{log_panel::Wish, panels::Panel};

const TALK: &str = "\
version: \"1.0\"
steps:
  - id: talk
    command: \"seq -f 'line %g' 0 199; printf '\\\\033[31mred\\\\033[0m plain \\\\033]0;title\\\\007\\\\t\\\\001end\\\\n'; echo oops >&2\"
";

/// A stage whose step has written two hundred lines and a coloured one.
fn talked(size: (u16, u16)) -> Stage {
    let mut stage = Stage::new(size, TALK);
    stage.run("DONE");
    stage.until("the last line", |stage| stage.text().contains("red plain"));
    stage
}

/// The first and the last numbered line that the full screen shows.
fn shown(stage: &Stage) -> (u64, u64) {
    let text = stage.text();
    let numbers: Vec<u64> =
        text.lines().filter_map(|row| row.split("line ").nth(1)?.trim_end_matches(['│', '┃', ' ']).parse().ok()).collect();
    (*numbers.first().unwrap(), *numbers.last().unwrap())
}

#[test]
fn a_log_is_followed_and_gone_about() {
    let mut stage = talked((80, 24));
    stage.press("o");
    assert!(stage.text().contains("─ following") && stage.app.panels.focus == Panel::Log, "{}", stage.text());
    assert_eq!(stage.app.log_rows(), 19);
    assert_eq!(shown(&stage), (182, 199), "the last row is the coloured line");
    let mut at = |keys: &str| shown(stage.press(keys));
    assert_eq!(["up", "k", "down", "j"].map(&mut at), [(181, 199), (180, 198), (181, 199), (182, 199)]);
    assert_eq!(["pageup", "ctrl-u", "pagedown"].map(&mut at), [(163, 181), (144, 162), (163, 181)]);
    assert_eq!(["home", "down", "g", "up"].map(&mut at), [(0, 18), (1, 19), (0, 18), (0, 18)]);
    assert!(stage.text().contains("─ 1/201"), "{}", stage.text());
    let mut at = |keys: &str| shown(stage.press(keys));
    assert_eq!(["end", "home", "G"].map(&mut at), [(182, 199), (0, 18), (182, 199)]);
    stage.press("f");
    assert!(!stage.text().contains("following") && shown(&stage) == (182, 199), "it stays where it is\n{}", stage.text());
    stage.press("home f");
    assert!(stage.text().contains("following") && shown(&stage) == (182, 199), "{}", stage.text());
    let mut at = |kind| shown(stage.mouse(kind, (10, 10)));
    assert_eq!([ScrollUp, ScrollUp, ScrollDown].map(&mut at), [(179, 197), (176, 194), (179, 197)]);
    stage.press("esc");
    assert!(stage.app.panels.focus == Panel::Board && stage.text().contains(" List "), "{}", stage.text());
}

#[test]
fn what_is_written_meanwhile_is_followed() {
    let mut stage = talked((80, 24));
    let more = TALK_MORE;
    stage.log("talk", "stdout.log", more).until("the first lines", |stage| stage.text().contains("second"));
    let path = stage.attempt("talk").join("stdout.log");
    std::fs::write(&path, format!("{more}third\n")).unwrap();
    stage.until("what came", |stage| stage.text().contains("third"));
}

const TALK_MORE: &str = "first\nsecond\n";

#[test]
fn streams_have_their_colours_and_their_order() {
    let mut stage = talked((80, 24));
    let red = stage.find("red plain");
    assert_eq!(stage.buffer()[red].fg, Color::Red);
    assert_eq!(stage.buffer()[(red.0 + 4, red.1)].fg, Color::Reset, "colours end where they end");
    assert!(
        stage.text().contains("red plain     end"),
        "tabs are blanks, the rest of what terminals obey is gone\n{}",
        stage.text()
    );
    assert!(!stage.text().contains("oops"));
    stage.press("t");
    assert!(stage.text().contains("· stderr ─") && stage.text().contains("oops") && !stage.text().contains("red plain"));
    let oops = stage.find("oops");
    assert_eq!(stage.buffer()[oops].fg, Color::Yellow);
    stage.press("t");
    let text = stage.text();
    assert!(text.contains("· both ─") && text.contains("oops") && text.contains("red plain"), "{text}");
    assert!(!stage.press("t").text().contains("oops"));
    stage.app.look.theme = crate::tui::theme::Theme::new(false);
    let red = stage.find("red plain");
    assert_eq!(stage.buffer()[red].fg, Color::Reset, "nobody wants colours");
}

#[test]
fn times_are_those_of_the_supervisor() {
    let mut stage = talked((140, 40));
    let line = |stage: &Stage| stage.text().lines().find(|row| row.contains("line 199")).unwrap().to_owned();
    let clock = regex::Regex::new(r"[0-2]\d:[0-5]\d:[0-5]\d line 199").unwrap();
    assert!(clock.is_match(&line(&stage)), "{}", line(&stage));
    stage.log("talk", "times.jsonl", "{\"v\":1,\"at\":\"2026-11-22T10:00:05Z\",\"stdout\":100000,\"stderr\":9}\n");
    let then: jiff::Timestamp = "2026-11-22T10:00:05Z".parse().unwrap();
    let there = then.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string();
    assert!(line(&stage).contains(&format!("{there} line 199")), "{}", line(&stage));
}

#[test]
fn a_log_is_searched_whole() {
    let mut stage = talked((80, 24));
    stage.press("o /").write("line 42");
    stage.press("enter");
    let hit = stage.find("line 42  ");
    assert!(stage.buffer()[hit].modifier.contains(Modifier::REVERSED), "{}", stage.text());
    assert!(stage.text().contains("· /line 42"), "{}", stage.text());
    stage.press("/").write("LINE 1").press("enter");
    assert!(stage.app.toasts.iter().any(|toast| toast.text.contains("nowhere else")), "a capital letter makes the case count");
    stage.press("/").write("line 1").press("enter");
    let mut at = |key: &str| stage.press(key).app.log.hit.unwrap();
    assert_eq!([at("N"), at("n"), at("N"), at("N")], [198, 199, 198, 197]);
    stage.press("end n");
    assert_eq!(stage.app.log.hit, Some(198));
    stage.press("home esc n");
    assert!(stage.app.toasts.iter().any(|toast| toast.text.contains("nothing is being searched for")), "the board's search");
}

#[test]
fn the_inspectors_log_is_gone_about_too() {
    let mut stage = talked((140, 40));
    stage.press("] tab");
    assert_eq!(stage.app.panels.focus, Panel::Inspector);
    stage.press("home");
    assert!(stage.text().contains("line 0 "), "{}", stage.text());
    let inside = stage.app.regions().inspector;
    stage.mouse(ScrollDown, (inside.x + 3, inside.y + 3));
    assert_eq!(stage.app.log.top, Some(3));
    stage.press("down up up /").write("line 77");
    stage.press("enter");
    assert!(stage.text().contains("line 77") && stage.app.log.hit == Some(77), "{}", stage.text());
    stage.press("enter");
    assert!(stage.app.panels.is_log_full, "Enter gives it the whole screen");
}

#[test]
fn long_lines_are_cut_moved_or_wrapped() {
    let mut stage = talked((80, 24));
    let long: String = (0..30).fold(String::new(), |mut text, at| {
        write!(text, "word-{at:02} ").unwrap();
        text
    });
    stage.log("talk", "stdout.log", &format!("{long}\n漢字漢字\n"));
    stage.press("o");
    let has = |stage: &Stage, word: &str| stage.text().contains(word);
    assert!(has(&stage, "word-00") && !has(&stage, "word-20"));
    stage.press("right right right");
    assert!(!has(&stage, "word-00") && has(&stage, "word-09"), "{}", stage.text());
    stage.press("left left left");
    assert!(has(&stage, "word-00"));
    stage.press("W");
    assert!(has(&stage, "word-00") && has(&stage, "word-29") && has(&stage, "漢字漢字"), "{}", stage.text());
    assert!(!has(stage.press("W"), "word-29"));
}

const STREAM: &str = include_str!("../../agent/fixtures/claude.jsonl");

/// Makes the step's attempt one of an agent.
pub(super) fn as_agent(stage: &mut Stage, stream: &str) {
    let path = stage.attempt("talk").join("spec.json");
    let mut spec: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    spec["output"] = "claude".into();
    std::fs::write(&path, spec.to_string()).unwrap();
    stage.log("talk", "stdout.log", stream);
}

#[test]
fn an_agents_stream_is_a_transcript_or_as_it_is() {
    let mut stage = talked((140, 40));
    as_agent(&mut stage, STREAM);
    stage.press("o home");
    let transcript = stage.text();
    assert!(!transcript.contains("\"type\":"), "{transcript}");
    stage.press("u home");
    let raw = stage.text();
    assert!(raw.contains("\"type\":") && raw.contains("stdout as it is"), "{raw}");
    stage.press("u home");
    assert_eq!(stage.text(), transcript);
}

#[test]
fn millions_of_lines_are_not_loaded() {
    const LINES: u64 = 1_500_000;
    let mut stage = talked((80, 24));
    let mut text = String::new();
    for at in 0..LINES {
        writeln!(text, "row {at}").unwrap();
    }
    stage.log("talk", "stdout.log", &text);
    drop(text);
    stage.press("o");
    assert!(stage.text().contains(&format!("row {} ", LINES - 1)), "{}", stage.text());
    assert!(stage.app.log.lines.len() <= 24, "{} lines are in memory", stage.app.log.lines.len());
    let wanted = stage.app.log.wanted.clone().unwrap();
    let (first, has_more) = stage.read_once(&Wish { wanted, top: None, rows: 24, find: None });
    assert!(has_more && !first.is_counted && first.total < LINES, "the end is shown before the rest has been counted");
    assert_eq!(first.shown.last().unwrap().text, format!("row {}", LINES - 1));
    stage.press("home");
    assert!(stage.text().contains(&format!("1/{LINES}")) && stage.text().contains("row 0 "), "{}", stage.text());
    stage.press("/").write("row 777777").press("enter");
    assert_eq!(stage.app.log.hit, Some(777_777));
    assert!(stage.text().contains("row 777777") && stage.app.log.lines.len() <= 24, "{}", stage.text());
}

#[test]
fn what_has_no_log_says_so() {
    let mut stage = Stage::new((80, 24), TALK);
    assert!(stage.text().contains("`talk` has not run yet"), "{}", stage.text());
    stage.run("DONE");
    stage.log("talk", "stdout.log", "").log("talk", "stderr.log", "");
    assert!(stage.text().contains("nothing written yet"), "{}", stage.text());
    stage.log("talk", "stderr.log", "it went wrong\n");
    assert!(stage.text().contains("nothing written to stdout; t shows"), "{}", stage.text());
    stage.press("o").press("t");
    assert!(stage.text().contains("it went wrong"), "{}", stage.text());
    stage.press("t").press("t").press("esc");
    stage.log("talk", "stderr.log", "");
    stage.app.log.is_read = false;
    assert!(stage.text().contains("reading …"), "{}", stage.text());
    std::fs::remove_dir_all(stage.attempt("talk")).unwrap();
    stage.reopen();
    assert!(!stage.text().contains("nothing written yet"), "{}", stage.text());
}
