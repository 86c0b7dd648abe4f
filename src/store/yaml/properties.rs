//! What holds for every file and every change.

use std::{collections::HashSet, path::Path};

use proptest::prelude::*;

use super::{
    Statuses,
    fragments::{Dice, File, IDS, Owner, TEXTS, file},
    parse, patch,
    shape::{Record, sequence_fields},
};
use crate::{
    error::Error,
    model::{
        Candidates, CommandLine, FailPolicy, Gate, GateStatus, Id, Mode, Orchestrator, Sequence, Span, Step, StepStatus, Synth,
        ThreadType,
    },
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

fn text(dice: &mut Dice<'_>) -> Option<String> {
    (!dice.one_in(4)).then(|| dice.pick(TEXTS).to_owned())
}

fn id(dice: &mut Dice<'_>) -> Id {
    dice.pick(IDS).parse().unwrap()
}

fn span(dice: &mut Dice<'_>) -> Option<Span> {
    (!dice.one_in(3)).then(|| Span::from_ms(dice.pick(&[0, 1500, 60_000, 5_400_000])))
}

fn flag(dice: &mut Dice<'_>) -> Option<bool> {
    dice.pick(&[None, Some(true), Some(false)])
}

fn count(dice: &mut Dice<'_>) -> Option<u32> {
    dice.pick(&[None, Some(0), Some(4), Some(u32::MAX)])
}

fn change_texts(dice: &mut Dice<'_>, texts: &mut Vec<String>) {
    change_list(dice, texts, |dice| dice.pick(TEXTS).to_owned());
}

fn change_list<T: Clone>(dice: &mut Dice<'_>, list: &mut Vec<T>, new: impl Fn(&mut Dice<'_>) -> T) {
    let at = dice.roll(list.len() + 1);
    match dice.roll(5) {
        0 => list.insert(at, new(dice)),
        1 if at < list.len() => drop(list.remove(at)),
        2 if at < list.len() => list[at] = new(dice),
        3 if at < list.len() => list.rotate_left(at),
        4 => list.clear(),
        _ => list.push(new(dice)),
    }
}

fn change_env(dice: &mut Dice<'_>, env: &mut std::collections::BTreeMap<String, String>) {
    let name = dice.pick(&["A", "B", "NAME", "PATH", "new.key", "y"]).to_owned();
    match dice.roll(4) {
        0 => drop(env.remove(&name)),
        1 => env.clear(),
        _ => drop(env.insert(name, dice.pick(TEXTS).to_owned())),
    }
}

fn change_step(dice: &mut Dice<'_>, step: &mut Step) {
    match dice.roll(30) {
        0 => step.name = text(dice),
        1 => step.kind = dice.pick(&[None, Some(ThreadType::L), Some(ThreadType::Base)]),
        2 => step.lane = text(dice),
        3 => step.role = text(dice),
        4 => step.model = text(dice),
        5 | 6 => step.prompt = text(dice),
        7 => step.prompt_file = text(dice),
        8 => step.command = text(dice).map(CommandLine::Shell),
        9 => match &mut step.command {
            Some(CommandLine::Argv(words)) => change_texts(dice, words),
            other => {
                *other = Some(CommandLine::Argv(
                    dice.pick(&[&[] as &[&str], &["a"], &["sh", "-c", "x\ny"]]).iter().map(|&word| word.into()).collect(),
                ))
            }
        },
        10 => step.cwd = text(dice),
        11 => change_env(dice, &mut step.env),
        12 | 13 => change_list(dice, &mut step.depends_on, id),
        14..=16 => step.status = dice.pick(&[None, Some(StepStatus::Done), Some(StepStatus::NeedsReview)]),
        17 => change_texts(dice, &mut step.artifacts),
        18 => step.group_id = (!dice.one_in(3)).then(|| id(dice)),
        19 => step.fanout = count(dice),
        20 => match &mut step.fusion_candidates {
            Some(Candidates::Of(ids)) if !dice.one_in(3) => change_list(dice, ids, id),
            other => {
                *other = dice
                    .pick(&[None, Some(true), Some(false)])
                    .map_or(Some(Candidates::Of(vec!["true".parse().unwrap()])), |flag| Some(Candidates::Is(flag)))
            }
        },
        21 => step.fusion_synth = flag(dice).map_or_else(|| Some(Synth::By(id(dice))), |flag| Some(Synth::Is(flag))),
        22 => step.watchdog_for = (!dice.one_in(3)).then(|| id(dice)),
        23 => {
            step.orchestrator = flag(dice).map_or_else(|| Some(Orchestrator::By(id(dice))), |flag| Some(Orchestrator::Is(flag)))
        }
        24 => step.timeout = span(dice),
        25 => step.fail_policy = dice.pick(&[None, Some(FailPolicy::FailFast), Some(FailPolicy::BestEffort)]),
        26 => (step.retries, step.retry_delay) = (count(dice), span(dice)),
        27 => (step.watchdog_interval, step.max_cost_usd) = (span(dice), dice.pick(&[None, Some(0.1), Some(1e21), Some(3.0)])),
        28 => (step.limit, step.review) = (text(dice), flag(dice)),
        _ => change_texts(dice, &mut step.agent_args),
    }
}

fn change_gate(dice: &mut Dice<'_>, gate: &mut Gate) {
    match dice.roll(4) {
        0 => gate.name = text(dice),
        1 => change_list(dice, &mut gate.depends_on, id),
        2 => gate.note = text(dice),
        _ => gate.status = dice.pick(&[None, Some(GateStatus::Approved), Some(GateStatus::Pending)]),
    }
}

fn free_id(dice: &mut Dice<'_>, plan: &Sequence) -> Id {
    let wanted = dice.roll(90);
    (wanted..).map(|at| format!("new-{at}")).find(|id| !plan.contains(id)).unwrap().parse().unwrap()
}

fn change_order<T>(dice: &mut Dice<'_>, list: &mut Vec<T>) {
    if list.is_empty() {
        return;
    }
    let (from, to) = (dice.roll(list.len()), dice.roll(list.len()));
    match dice.roll(3) {
        0 => list.swap(from, to),
        1 => list.rotate_left(from),
        _ => {
            let moved = list.remove(from);
            list.insert(to, moved);
        }
    }
}

fn change(dice: &mut Dice<'_>, plan: &mut Sequence) {
    let (step, gate) = (dice.roll(plan.steps.len()), dice.roll(plan.gates.len()));
    match dice.roll(16) {
        0 => plan.name = text(dice),
        1 => match dice.roll(5) {
            0 => plan.metadata.description = text(dice),
            1 => plan.metadata.created_at = dice.pick(&[None, Some("2026-01-02T03:04:05Z")]).map(Into::into),
            2 => change_texts(dice, &mut plan.metadata.tags),
            3 => plan.metadata = crate::model::Metadata::default(),
            _ => plan.metadata.created_by = text(dice),
        },
        2 => match dice.roll(4) {
            0 => plan.policy.mode = dice.pick(&[None, Some(Mode::Safe), Some(Mode::Power)]),
            1 => plan.policy.max_fanout = count(dice),
            2 => change_texts(dice, &mut plan.policy.allowed_commands),
            _ => change_texts(dice, &mut plan.policy.forbidden_patterns),
        },
        3 => match dice.roll(5) {
            0 => plan.defaults.model = text(dice),
            1 => plan.defaults.timeout = span(dice),
            2 => change_env(dice, &mut plan.defaults.env),
            3 => plan.defaults = crate::model::Defaults::default(),
            _ => plan.defaults.review = flag(dice),
        },
        4 => {
            let mut new = Step::new(free_id(dice, plan));
            (0..dice.roll(4)).for_each(|_| change_step(dice, &mut new));
            plan.steps.insert(dice.roll(plan.steps.len() + 1), new);
        }
        5 => {
            let mut new = Gate::new(free_id(dice, plan));
            (0..dice.roll(3)).for_each(|_| change_gate(dice, &mut new));
            plan.gates.insert(dice.roll(plan.gates.len() + 1), new);
        }
        6 if !plan.steps.is_empty() => drop(plan.steps.remove(step)),
        7 if !plan.gates.is_empty() => drop(plan.gates.remove(gate)),
        8 => change_order(dice, &mut plan.steps),
        9 => change_order(dice, &mut plan.gates),
        10 if !plan.steps.is_empty() => plan.steps[step].id = free_id(dice, plan),
        11 if !plan.gates.is_empty() => change_gate(dice, &mut plan.gates[gate]),
        _ if !plan.steps.is_empty() => change_step(dice, &mut plan.steps[step]),
        _ => {}
    }
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
                    && !self.keys.iter().any(|(other, _)| other == id && self.shares(file, id))
            }
        }
    }

    fn changes_item(&self, owner: &Owner) -> bool {
        matches!(owner, Owner::Item(id, _) if self.keys.iter().any(|(other, _)| other == id))
    }

    fn is_flow(&self, file: &File) -> bool {
        file.lines.first().is_some_and(|line| line.text.starts_with('{')) && !self.sections.is_empty()
    }

    /// Whether several keys of an item stand on one line, or the first behind its `-` may go.
    fn shares(&self, file: &File, id: &str) -> bool {
        file.lines.iter().any(|line| {
            line.text.trim_start().starts_with('-') && matches!(&line.owner, Owner::Item(other, Some(_)) if other == id)
        })
    }
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
        let mut text = file(&mut Dice::new(&shape)).text();
        let mut dice = Dice::new(&edits);
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
            let expected = patch(&text, &before, &after, path()).unwrap();
            statuses.set(&mut text, &changes).unwrap();
            prop_assert_eq!(&text, &expected);
            prop_assert_eq!(&statuses, &Statuses::find(&text, path()).unwrap());
        }
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
            match dice.roll(3) {
                0 => drop(text.splice(at..(at + dice.roll(6)).min(text.len()), [])),
                _ => {
                    let new = dice.pick(&[" ", "\n", "\t", "#", ":", "- ", ", ", "[", "]", "{", "}", "'", "\"", "|", ">", "? ", "&a ", "!t ", "\r", "...\n", "  "]);
                    drop(text.splice(at..at, new.chars()));
                }
            }
        }
        let text: String = text.into_iter().collect();
        let Ok(parsed) = parse(text.as_bytes(), path()) else { return Ok(()) };
        let mut after = parsed.sequence.clone();
        let mut dice = Dice::new(&edits);
        (0..=dice.roll(3)).for_each(|_| change(&mut dice, &mut after));
        match patch(&text, &parsed.sequence, &after, path()) {
            Ok(_) | Err(Error::Yaml { .. }) => {}
            Err(error) => return Err(TestCaseError::fail(format!("{error}\n{text}\n{after:#?}"))),
        }
    }
}
