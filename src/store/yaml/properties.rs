//! What holds for every file and every change.

use std::{collections::HashSet, path::Path};

use proptest::prelude::*;

use super::{
    Statuses,
    fragments::{Dice, File, Owner, file},
    mutate::change,
    parse, patch,
    shape::{Record, sequence_fields},
};
use crate::{
    error::Error,
    model::{GateStatus, Sequence, StepStatus},
};

fn path() -> &'static Path {
    Path::new("sequence.yaml")
}

fn read(text: &str) -> Sequence {
    parse(text.as_bytes(), path()).unwrap_or_else(|error| panic!("{error:?}\n{text}")).sequence
}

/// What another reader of YAML makes of a text.
fn second_opinion(text: &str) -> Sequence {
    let value: serde_yaml::Value =
        serde_yaml::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_else(|error| panic!("{error}\n{text}"));
    read(&serde_json::to_string(&value).unwrap())
}

fn numbers(most: usize) -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 0..most)
}

/// What differs between two plans.
struct Touched {
    sections: HashSet<&'static str>,
    keys: HashSet<(String, &'static str)>,
    gone: HashSet<String>,
    is_reordered: bool,
}

impl Touched {
    fn new(before: &Sequence, after: &Sequence) -> Self {
        let (old, new) = (sequence_fields(before), sequence_fields(after));
        let sections = old.iter().zip(&new).filter(|(old, new)| old != new).map(|((key, _), _)| *key).collect();
        let (mut keys, mut gone) = (HashSet::new(), HashSet::new());
        let records = |plan: &'_ Sequence| -> Vec<(String, Vec<_>)> {
            let records = plan.steps.iter().map(Record::Step).chain(plan.gates.iter().map(Record::Gate));
            records
                .map(|record| {
                    (
                        record.id().to_owned(),
                        record.fields().into_iter().map(|(key, datum)| (key, format!("{datum:?}"))).collect(),
                    )
                })
                .collect()
        };
        let (old, new) = (records(before), records(after));
        for (id, fields) in &old {
            match new.iter().find(|(other, _)| other == id) {
                None => {
                    gone.insert(id.clone());
                }
                Some((_, now)) => fields.iter().zip(now).filter(|(old, new)| old != new).for_each(|((key, _), _)| {
                    keys.insert((id.clone(), *key));
                }),
            }
        }
        let order = |of: &[(String, Vec<_>)], other: &[(String, Vec<_>)]| -> Vec<String> {
            let ids = of.iter().map(|(id, _)| id.clone());
            ids.filter(|id| other.iter().any(|(other, _): &(String, Vec<(&str, String)>)| other == id)).collect()
        };
        Self { sections, keys, gone, is_reordered: order(&old, &new) != order(&new, &old) }
    }

    /// Whether a line must be in the new text as it was.
    fn leaves(&self, file: &File, owner: &Owner) -> bool {
        match owner {
            Owner::Nobody => true,
            Owner::Section(_, Some(_)) => false,
            Owner::Section(section, None) => !self.sections.contains(section) && !(self.is_flow(file)),
            Owner::Item(id, None) => !self.gone.contains(id),
            Owner::Item(id, Some(key)) => {
                !self.gone.contains(id)
                    && !self.keys.contains(&(id.clone(), key))
                    && !self.keys.iter().any(|(other, _)| other == id && shares(file, id))
            }
        }
    }

    fn changes_item(&self, owner: &Owner) -> bool {
        matches!(owner, Owner::Item(id, _) if self.keys.iter().any(|(other, _)| other == id))
    }

    fn is_flow(&self, file: &File) -> bool {
        file.lines.first().is_some_and(|line| line.text.starts_with('{')) && !self.sections.is_empty()
    }
}

/// Whether several keys of an item stand on one line, or the first behind its `-` may go.
fn shares(file: &File, id: &str) -> bool {
    file.lines
        .iter()
        .any(|line| line.text.trim_start().starts_with('-') && matches!(&line.owner, Owner::Item(other, Some(_)) if other == id))
}

fn check_lines(file: &File, touched: &Touched, new: &str) -> Result<(), TestCaseError> {
    let new_lines: Vec<&str> = new.trim_start_matches('\u{feff}').lines().map(|line| line.trim_end_matches('\r')).collect();
    let mut here = 0;
    for line in &file.lines {
        if line.text.trim().is_empty() || !touched.leaves(file, &line.owner) {
            continue;
        }
        let line_owner = line.owner.clone();
        for line in line.text.lines() {
            let from = if touched.is_reordered { 0 } else { here };
            // What stood below the key behind a `-` may come to stand behind it.
            let is_beside =
                |other: &str| touched.changes_item(&line_owner) && other.trim_start_matches([' ', '-']) == line.trim_start();
            let found = new_lines[from..].iter().position(|other| *other == line || is_beside(other));
            prop_assert!(found.is_some(), "lost or moved: {:?}", line);
            here = from + found.unwrap();
        }
    }
    Ok(())
}

fn marks(text: &str) -> HashSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| {
            word.len() > 2
                && word.starts_with('m')
                && word.ends_with('m')
                && word[1..word.len() - 1].bytes().all(|byte| byte.is_ascii_digit())
        })
        .collect()
}

/// Sets statuses again and again, and compares with what a patch makes of the same.
fn check_statuses(mut text: String, dice: &mut Dice<'_>) -> Result<(), TestCaseError> {
    let mut statuses = Statuses::find(&text, path()).unwrap();
    for _ in 0..=dice.roll(4) {
        let before = read(&text);
        let mut after = before.clone();
        let mut changes = Vec::new();
        for (at, step) in after.steps.iter_mut().enumerate() {
            if dice.one_in(2) {
                step.status = dice.pick(&[Some(StepStatus::Done), Some(StepStatus::Failed), Some(StepStatus::NeedsReview), None]);
                changes.push((at, step.status.map(StepStatus::as_str)));
            }
        }
        for (at, gate) in after.gates.iter_mut().enumerate() {
            if dice.one_in(2) {
                gate.status = dice.pick(&[Some(GateStatus::Approved), None, Some(GateStatus::Pending)]);
                changes.push((after.steps.len() + at, gate.status.map(GateStatus::as_str)));
            }
        }
        let expected = match patch(&text, &before, &after, path()) {
            Ok(expected) => expected,
            Err(error) => {
                prop_assert!(matches!(error, Error::Yaml { .. }), "{}\n{}", error, text);
                let is_refused = statuses.set(&mut text.clone(), &changes).is_err();
                prop_assert!(is_refused, "{} {:?}\n{}", error, changes, text);
                return Ok(());
            }
        };
        let old = text.clone();
        statuses.set(&mut text, &changes).unwrap();
        prop_assert_eq!(&text, &expected, "{}", old);
        prop_assert_eq!(&statuses, &Statuses::find(&text, path()).unwrap());
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_file_reads_as_others_read_it(numbers in numbers(900)) {
        let file = file(&mut Dice::new(&numbers));
        let text = file.text();
        prop_assert_eq!(read(&text), second_opinion(&text), "{}", text);
    }

    #[test]
    fn changes_are_made_and_nothing_else(shape in numbers(900), edits in numbers(60)) {
        let file = file(&mut Dice::new(&shape));
        let text = file.text();
        let before = read(&text);
        prop_assert_eq!(&patch(&text, &before, &before, path()).unwrap(), &text);
        let mut after = before.clone();
        let mut dice = Dice::new(&edits);
        (0..=dice.roll(5)).for_each(|_| change(&mut dice, &mut after));
        let new = match patch(&text, &before, &after, path()) {
            Ok(new) => new,
            Err(error) => return Err(TestCaseError::fail(format!("{error}\n{text}\n{after:#?}"))),
        };
        let context = format!("---- before\n{text}\n---- after\n{new}");
        prop_assert_eq!(second_opinion(&new), after.clone(), "{}", context);
        if text.contains("\r\n") {
            prop_assert!(!new.replace("\r\n", "").contains('\n'), "{}", context);
        }
        let touched = Touched::new(&before, &after);
        check_lines(&file, &touched, &new).map_err(|error| TestCaseError::fail(format!("{error}\n{context}")))?;
        let kept = file.lines.iter().filter(|line| touched.leaves(&file, &line.owner)).map(|line| &*line.text);
        let kept: String = kept.collect::<Vec<_>>().join(" ");
        let lost: Vec<_> = marks(&kept).difference(&marks(&new)).copied().map(str::to_owned).collect();
        prop_assert!(lost.is_empty(), "lost {:?}\n{}", lost, context);
    }

    #[test]
    fn statuses_are_spliced_as_they_are_patched(shape in numbers(900), edits in numbers(40)) {
        check_statuses(file(&mut Dice::new(&shape)).text(), &mut Dice::new(&edits))?;
    }

    #[test]
    fn no_text_is_a_panic(text in r#"([ \n\t\r:#'"|>&*!?,\[\]{}%@`~-]|[a-c]|steps:|id:|: |- |\n  |\n- |version: 1\n|---|\PC){0,60}"#) {
        drop(parse(text.as_bytes(), path()));
        drop(Statuses::find(&text, path()));
    }

    #[test]
    fn no_bytes_are_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(parse(&bytes, path()));
    }

    #[test]
    fn broken_files_are_no_panic(shape in numbers(700), cuts in numbers(12), edits in numbers(30)) {
        let mut text: Vec<char> = file(&mut Dice::new(&shape)).text().chars().collect();
        let mut dice = Dice::new(&cuts);
        for _ in 0..=dice.roll(4) {
            let at = dice.roll(text.len() + 1);
            if dice.one_in(3) {
                text.drain(at..(at + dice.roll(6)).min(text.len()));
            } else {
                const BITS: &[&str] = &[
                    " ", "\n", "\t", "#", ":", "- ", ", ", "[", "]", "{", "}", "'", "\"", "|", ">", "? ", "&a ", "!t ", "\r", "...\n", "  ",
                ];
                drop(text.splice(at..at, dice.pick(BITS).chars()));
            }
        }
        let text: String = text.into_iter().collect();
        let Ok(parsed) = parse(text.as_bytes(), path()) else { return Ok(()) };
        check_statuses(text.clone(), &mut Dice::new(&edits))?;
        let mut after = parsed.sequence.clone();
        let mut dice = Dice::new(&edits);
        (0..=dice.roll(3)).for_each(|_| change(&mut dice, &mut after));
        match patch(&text, &parsed.sequence, &after, path()) {
            Ok(_) | Err(Error::Yaml { .. }) => {}
            Err(error) => return Err(TestCaseError::fail(format!("{error}\n{text}\n{after:#?}"))),
        }
    }
}
