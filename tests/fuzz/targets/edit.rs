//! An arbitrary text and an arbitrary change of its plan: the new text says the new plan, and what did not change stands
//! as it stood.
#![no_main]

use std::path::Path;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use threados::{
    error::Error,
    model::{CommandLine, Gate, Id, Sequence, Span, Step, StepStatus},
    store::yaml::{Parsed, parse, patch},
};

/// YAML wants keys to end within 1024 characters, escapes included; actions see to it that they do.
const LONGEST_KEY: usize = 100;

#[derive(Arbitrary, Debug)]
enum Change {
    Name(Option<String>),
    Description(Option<String>),
    Tags(Vec<String>),
    Env(String, Option<String>),
    AddStep(u8, u8),
    RemoveStep(u8),
    MoveStep(u8, u8),
    Step(u8, Field),
    AddGate(u8),
    RemoveGate(u8),
    Note(u8, Option<String>),
}

#[derive(Arbitrary, Debug)]
enum Field {
    Name(Option<String>),
    Prompt(Option<String>),
    Shell(String),
    Argv(Vec<String>),
    NoCommand,
    Env(String, Option<String>),
    Needs(Vec<u8>),
    Status(bool),
    Artifacts(Vec<String>),
    Timeout(Option<u32>),
    Retries(Option<u32>),
    Review(Option<bool>),
}

fuzz_target!(|bytes: &[u8]| {
    // The changes, then a byte that no text has, then the text.
    let Some(end) = bytes.iter().position(|&byte| byte == 0xff) else { return };
    let Ok(old) = str::from_utf8(&bytes[end + 1..]) else { return };
    let Ok(changes) = Vec::<Change>::arbitrary_take_rest(Unstructured::new(&bytes[..end])) else { return };
    let path = Path::new("sequence.yaml");
    let Ok(parsed) = parse(old.as_bytes(), path) else { return };
    let mut wanted = parsed.sequence.clone();
    changes.into_iter().for_each(|change| apply(change, &mut wanted));
    let text = match patch(old, &parsed.sequence, &wanted, path) {
        Ok(text) => text,
        // Some texts cannot be changed piecemeal.
        Err(Error::Yaml { .. }) => return,
        Err(error) => panic!("{error}\n{old:?}\n{wanted:?}"),
    };
    let says = parse(text.as_bytes(), path).unwrap().sequence;
    assert_eq!(says, wanted, "{old:?}\n{text:?}");
    if wanted == parsed.sequence {
        assert_eq!(text, old);
    }
    check_untouched(old, &parsed, &wanted, &text);
});

/// The lines of a step that did not change stand as they stood, where the one below it did not change either.
fn check_untouched(before: &str, parsed: &Parsed, wanted: &Sequence, after: &str) {
    let (old, new) = (&parsed.sequence.steps, &wanted.steps);
    let is_same_order = old.len() == new.len() && old.iter().zip(new).all(|(old, new)| old.id == new.id);
    if !is_same_order || before.replace("\r\n", "").contains('\r') {
        return;
    }
    let lines: Vec<&str> = before.trim_start_matches('\u{feff}').split_inclusive('\n').collect();
    for at in 1..old.len() {
        if (&old[at - 1], &old[at]) != (&new[at - 1], &new[at]) {
            continue;
        }
        let place = |step: &Step| parsed.lines.of(step.id.as_str()).unwrap() - 1;
        let (first, next) = (place(&old[at - 1]), place(&old[at]));
        if first < next {
            let untouched = lines[first..next].concat();
            assert!(after.contains(&untouched), "{untouched:?} was in\n{before:?} and is not in\n{after:?}");
        }
    }
}

fn id(number: u8) -> Id {
    format!("new-{number}").parse().unwrap()
}

fn apply(change: Change, plan: &mut Sequence) {
    let (steps, gates) = (plan.steps.len(), plan.gates.len());
    match change {
        Change::Name(name) => plan.name = name,
        Change::Description(text) => plan.metadata.description = text,
        Change::Tags(tags) => plan.metadata.tags = tags,
        Change::Env(name, Some(value)) if name.len() <= LONGEST_KEY => drop(plan.defaults.env.insert(name, value)),
        Change::Env(name, None) => drop(plan.defaults.env.remove(&name)),
        Change::AddStep(number, at) if !plan.contains(id(number).as_str()) => {
            plan.steps.insert(usize::from(at) % (steps + 1), Step::new(id(number)));
        }
        Change::RemoveStep(at) if steps > 0 => drop(plan.steps.remove(usize::from(at) % steps)),
        Change::MoveStep(from, to) if steps > 0 => {
            let step = plan.steps.remove(usize::from(from) % steps);
            plan.steps.insert(usize::from(to) % steps, step);
        }
        Change::Step(at, field) if steps > 0 => set(field, &mut plan.steps[usize::from(at) % steps]),
        Change::AddGate(number) if !plan.contains(id(number).as_str()) => plan.gates.push(Gate::new(id(number))),
        Change::RemoveGate(at) if gates > 0 => drop(plan.gates.remove(usize::from(at) % gates)),
        Change::Note(at, note) if gates > 0 => plan.gates[usize::from(at) % gates].note = note,
        _ => {}
    }
}

fn set(field: Field, step: &mut Step) {
    match field {
        Field::Name(name) => step.name = name,
        Field::Prompt(prompt) => step.prompt = prompt,
        Field::Shell(line) => step.command = Some(CommandLine::Shell(line)),
        Field::Argv(words) => step.command = Some(CommandLine::Argv(words)),
        Field::NoCommand => step.command = None,
        Field::Env(name, Some(value)) if name.len() <= LONGEST_KEY => drop(step.env.insert(name, value)),
        Field::Env(name, None) => drop(step.env.remove(&name)),
        Field::Env(..) => {}
        Field::Needs(numbers) => step.depends_on = numbers.into_iter().map(id).collect(),
        Field::Status(is_done) => step.status = is_done.then_some(StepStatus::Done),
        Field::Artifacts(globs) => step.artifacts = globs,
        Field::Timeout(ms) => step.timeout = ms.map(|ms| Span::from_ms(ms.into())),
        Field::Retries(retries) => step.retries = retries,
        Field::Review(review) => step.review = review,
    }
}
