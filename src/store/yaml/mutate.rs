//! Changes to a plan as somebody might make them.

use std::collections::BTreeMap;

use super::fragments::{Dice, IDS, TEXTS};
use crate::model::{
    Candidates, CommandLine, Defaults, FailPolicy, Gate, GateStatus, Id, Metadata, Mode, Orchestrator, Sequence, Span, Step,
    StepStatus, Synth, ThreadType,
};

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

fn change_env(dice: &mut Dice<'_>, env: &mut BTreeMap<String, String>) {
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
        9 => change_words(dice, step),
        10 => step.cwd = text(dice),
        11 => change_env(dice, &mut step.env),
        12 | 13 => change_list(dice, &mut step.depends_on, id),
        14..=16 => step.status = dice.pick(&[None, Some(StepStatus::Done), Some(StepStatus::NeedsReview)]),
        17 => change_texts(dice, &mut step.artifacts),
        18 => step.group_id = (!dice.one_in(3)).then(|| id(dice)),
        19 => step.fanout = count(dice),
        20 => change_candidates(dice, step),
        21 => step.fusion_synth = flag(dice).map_or_else(|| Some(Synth::By(id(dice))), |flag| Some(Synth::Is(flag))),
        22 => step.watchdog_for = (!dice.one_in(3)).then(|| id(dice)),
        23 => {
            let by = Orchestrator::By(id(dice));
            step.orchestrator = flag(dice).map_or(Some(by), |flag| Some(Orchestrator::Is(flag)));
        }
        24 => step.timeout = span(dice),
        25 => step.fail_policy = dice.pick(&[None, Some(FailPolicy::FailFast), Some(FailPolicy::BestEffort)]),
        26 => (step.retries, step.retry_delay) = (count(dice), span(dice)),
        27 => (step.watchdog_interval, step.max_cost_usd) = (span(dice), dice.pick(&[None, Some(0.1), Some(1e21), Some(3.0)])),
        28 => (step.limit, step.review) = (text(dice), flag(dice)),
        _ => change_texts(dice, &mut step.agent_args),
    }
}

fn change_words(dice: &mut Dice<'_>, step: &mut Step) {
    if let Some(CommandLine::Argv(words)) = &mut step.command {
        change_texts(dice, words);
    } else {
        let words = dice.pick(&[&[] as &[&str], &["a"], &["sh", "-c", "x\ny"]]);
        step.command = Some(CommandLine::Argv(words.iter().map(|&word| word.into()).collect()));
    }
}

fn change_candidates(dice: &mut Dice<'_>, step: &mut Step) {
    match &mut step.fusion_candidates {
        Some(Candidates::Of(ids)) if !dice.one_in(3) => change_list(dice, ids, id),
        other => {
            let one = Candidates::Of(vec!["true".parse().unwrap()]);
            *other = dice.pick(&[None, Some(true), Some(false)]).map_or(Some(one), |flag| Some(Candidates::Is(flag)));
        }
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
    let mut ids = (wanted..wanted + 100).map(|at| format!("new-{at}"));
    ids.find(|id| !plan.contains(id)).unwrap().parse().unwrap()
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

/// Makes one change.
pub(super) fn change(dice: &mut Dice<'_>, plan: &mut Sequence) {
    let (step, gate) = (dice.roll(plan.steps.len()), dice.roll(plan.gates.len()));
    match dice.roll(16) {
        0 => plan.name = text(dice),
        1 => match dice.roll(5) {
            0 => plan.metadata.description = text(dice),
            1 => plan.metadata.created_at = dice.pick(&[None, Some("2026-01-02T03:04:05Z")]).map(Into::into),
            2 => change_texts(dice, &mut plan.metadata.tags),
            3 => plan.metadata = Metadata::default(),
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
            3 => plan.defaults = Defaults::default(),
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
