//! From the tree to the plan: steps and gates.

use super::{
    decode::{Decoder, FAIL_POLICIES},
    field::{Field, Owner, as_bool},
    keys,
    tree::{Node, Value},
};
use crate::{
    error::Error,
    model::{Candidates, CommandLine, FailPolicy, Gate, GateStatus, Id, Orchestrator, Step, StepStatus, Synth, ThreadType},
};

impl<'t> Decoder<'_, 't> {
    /// An element of `steps:`.
    pub(super) fn step(&mut self, node: &Node<'t>) -> Result<Step, Error> {
        let id = self.id(node, "step", Owner::Step)?;
        let owner = Owner::Step(node.get("id").and_then(Node::text).unwrap_or_default());
        let mut step = Step::new(id);
        self.each(node, owner, &keys::STEP, |decoder, field| decoder.step_field(&mut step, &field))?;
        self.note(node, &step.id)?;
        if let Some(statuses) = &mut self.statuses {
            statuses.add_step(self.source, node);
        }
        if step.prompt.is_none() && step.prompt_file.is_none() && step.command.is_none() {
            let hint = Some("give it a `command:`, a `prompt:` or a `prompt_file:`".into());
            self.warn(node.start, format!("step `{}` has nothing to run", step.id), hint);
        }
        Ok(step)
    }

    /// An element of `gates:`.
    pub(super) fn gate(&mut self, node: &Node<'t>) -> Result<Gate, Error> {
        let id = self.id(node, "gate", Owner::Gate)?;
        let owner = Owner::Gate(node.get("id").and_then(Node::text).unwrap_or_default());
        let mut gate = Gate::new(id);
        self.each(node, owner, &keys::GATE, |_, field| {
            match field.key {
                "name" => gate.name = field.text()?,
                "depends_on" => gate.depends_on = field.ids()?,
                "status" => gate.status = field.word(GateStatus::parse, &GateStatus::ALL.map(GateStatus::as_str))?,
                "note" => gate.note = field.text()?,
                _ => {}
            }
            Ok(())
        })?;
        self.note(node, &gate.id)?;
        if let Some(statuses) = &mut self.statuses {
            statuses.add_gate(self.source, node);
        }
        Ok(gate)
    }

    fn id<'n>(&self, node: &'n Node<'t>, what: &str, owner: fn(&'n str) -> Owner<'n>) -> Result<Id, Error> {
        let wrong = |why: String| self.source.error(node.start, why, Some(format!("`id: a-name` in every {what}")));
        if !matches!(node.value, Value::Map { .. }) {
            return Err(wrong(format!("this is not a {what}")));
        }
        match node.get("id").filter(|id| !id.is_null()) {
            None => Err(wrong(format!("this {what} has no `id`"))),
            Some(id) => {
                let text = id.text().unwrap_or_default();
                Field { source: self.source, owner: owner(text), key: "id", node: id }.as_id(id)
            }
        }
    }

    /// Remembers the lines of a step or gate, whose name must be new.
    fn note(&mut self, node: &Node<'t>, id: &Id) -> Result<(), Error> {
        let source = self.source;
        let named = ["depends_on", "fusion_candidates"].into_iter().filter_map(|key| node.get(key)).flat_map(|node| {
            let items = node.items().iter().map(|item| &item.node);
            items.chain(matches!(node.value, Value::Scalar { .. }).then_some(node))
        });
        let named = named.filter_map(|node| Some((node.text()?.parse().ok()?, source.line(node.start))));
        match self.lines.add(id, source.line(node.start), named) {
            None => Ok(()),
            Some(line) => {
                let why = format!("the id `{id}` stands here and on line {line} already");
                let at = node.get("id").map_or(node.start, |id| id.start);
                let expected = "another id; steps and gates share one space of names";
                Err(source.error(at, why, Some(expected.into())))
            }
        }
    }

    fn step_field(&mut self, step: &mut Step, field: &Field<'_, 't>) -> Result<(), Error> {
        match field.key {
            "name" => step.name = field.text()?,
            "type" => step.kind = field.word(ThreadType::parse, &ThreadType::ALL.map(ThreadType::as_str))?,
            "lane" => step.lane = field.text()?,
            "role" => step.role = field.text()?,
            "model" | "agent" => step.model = field.text()?,
            "prompt" => step.prompt = field.text()?,
            "prompt_file" => step.prompt_file = field.text()?,
            "command" => step.command = Some(command(field)?),
            "cwd" => step.cwd = field.text()?,
            "env" => step.env = self.env(field)?,
            "depends_on" => step.depends_on = field.ids()?,
            "status" => step.status = field.word(StepStatus::parse, &StepStatus::ALL.map(StepStatus::as_str))?,
            "artifacts" => step.artifacts = field.texts()?,
            "group_id" => step.group_id = field.id()?,
            "fanout" => step.fanout = field.count()?,
            "fusion_candidates" => step.fusion_candidates = Some(candidates(field)?),
            "fusion_synth" => step.fusion_synth = Some(either(field, Synth::Is, Synth::By)?),
            "watchdog_for" => step.watchdog_for = field.id()?,
            "orchestrator" => step.orchestrator = Some(either(field, Orchestrator::Is, Orchestrator::By)?),
            "timeout" => step.timeout = field.span()?,
            "timeout_ms" => step.timeout = field.milliseconds()?,
            "fail_policy" => step.fail_policy = field.word(FailPolicy::parse, FAIL_POLICIES)?,
            "retries" => step.retries = field.count()?,
            "retry_delay" => step.retry_delay = field.span()?,
            "retry_delay_ms" => step.retry_delay = field.milliseconds()?,
            "watchdog_interval" => step.watchdog_interval = field.span()?,
            "watchdog_interval_ms" => step.watchdog_interval = field.milliseconds()?,
            "max_cost_usd" => step.max_cost_usd = field.money()?,
            "limit" => step.limit = field.text()?,
            "review" => step.review = field.flag()?,
            "agent_args" => step.agent_args = field.texts()?,
            _ => {}
        }
        Ok(())
    }
}

fn command(field: &Field<'_, '_>) -> Result<CommandLine, Error> {
    match &field.node.value {
        Value::Scalar { text, .. } => Ok(CommandLine::Shell(text.as_ref().into())),
        Value::List { .. } => field.texts().map(CommandLine::Argv),
        Value::Map { .. } => Err(field.wrong(field.node, "a command line, or a list of its words")),
    }
}

fn candidates(field: &Field<'_, '_>) -> Result<Candidates, Error> {
    match as_bool(field.node) {
        Some(flag) => Ok(Candidates::Is(flag)),
        None => field.ids().map(Candidates::Of),
    }
}

fn either<T>(field: &Field<'_, '_>, is: fn(bool) -> T, by: fn(Id) -> T) -> Result<T, Error> {
    match as_bool(field.node) {
        Some(flag) => Ok(is(flag)),
        None => field.as_id(field.node).map(by),
    }
}
