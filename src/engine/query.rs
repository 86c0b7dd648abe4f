//! Questions about a project. They take no lock and write nothing.

use std::{collections::HashSet, fs::File, io::Read as _, path::Path};

use super::{
    attention::Need,
    call::Engine,
    crew,
    excerpt::{LIMIT, Part, read_part},
    extend::TimeLeft,
    grounds::grounds,
    log::TranscriptReader,
    output::{Answer, DiffText, GateRow, GroupRow, LogText, Output, RunRow, ShortStatus, StatusReport, StepDetail, StepRow},
    past::{row, run_report},
    pending::Pending,
    progress::Progress,
    request,
    view::View,
};
use crate::{
    action::{Action, query},
    audit, clock,
    error::{Error, count},
    model::{
        GateStatus, Group, Groups, Id, Node, Outcome, OutputFormat, Readiness, Resolved, Sequence, State, StepStatus, Usage,
    },
    policy::Policy,
    runner::SpecFile,
    store::{self, AttemptStatus, Claim, Paths, Record, Run, RunState, list_runs, runs, yaml},
};

impl Engine {
    pub(super) fn query(&self, action: &Action) -> Result<(Output, Option<String>), Error> {
        let audit_log = self.paths().audit();
        let output = match action {
            Action::RunsList(args) => Output::Runs { runs: self.run_list(args.limit)? },
            Action::AuditTail(args) => Output::Audit { entries: audit::last_entries(&audit_log, args.limit)? },
            Action::AuditList(args) => Output::Audit { entries: self.audit_list(args)? },
            Action::AuditVerify(args) => {
                let expected = audit::Expected { head: args.expect.as_deref(), seq: store::displaced::last_kept(self.paths())? };
                let (entries, head) = audit::verify(&audit_log, expected)?;
                Output::Chain { entries, head }
            }
            Action::AuditHead(_) => {
                let (entries, head) = audit::head(&audit_log)?;
                Output::Chain { entries, head }
            }
            Action::Schema(args) if args.write => {
                let path = self.write_schema()?;
                Output::Wrote { path }
            }
            Action::Schema(args) => Output::Schema { schema: super::schema(args.of, args.name.as_deref())? },
            Action::TemplateList(_) => Output::Templates { templates: super::template::list(self.paths())? },
            Action::TemplateShow(args) => Output::Template(super::template::show(self.paths(), &args.name)?),
            Action::Doctor(_) => Output::Checked { checks: super::doctor(Some(self.paths())) },
            _ => return self.query_plan(action),
        };
        Ok((output, None))
    }

    fn query_plan(&self, action: &Action) -> Result<(Output, Option<String>), Error> {
        let view = self.view()?;
        let ready = view.readiness();
        let revision = Some(view.revision());
        let output = match action {
            Action::Status(args) if args.short => Output::Short(self.short_status(&view, &ready)?),
            Action::Status(_) => Output::Status(Box::new(self.status(&view, &ready)?)),
            Action::Attention(_) => self.attention(&view, &ready)?,
            Action::Graph(args) => Output::Graph(Box::new(self.graph(&view, &ready, args)?)),
            Action::Why(args) => Output::Why(Box::new(self.why(&view, &ready, &args.id)?)),
            Action::PolicyShow(_) => self.policy_show(&view)?,
            Action::PolicyCheck(args) => self.policy_check(&view, &args.id)?,
            Action::RequestsList(args) => self.requests(&view, args)?,
            Action::Validate(args) => self.validate(&view, args)?,
            Action::MprocsStatus(_) => Output::Mprocs(Box::new(self.mprocs_status(&view, &ready))),
            Action::StepList(args) => Output::Steps { steps: self.step_list(&view, &ready, args)? },
            Action::StepShow(args) => Output::Step(Box::new(self.step_show(&view, &ready, &args.id)?)),
            Action::PromptCompile(args) => Output::Prompt(super::prompt::compile(self.paths(), &view, args)?),
            Action::Diff(args) => Output::Diff(Box::new(self.diff(&view, args)?)),
            Action::PromptShow(args) => Output::Prompt(super::prompt::show(self.paths(), &view, args)?),
            Action::GroupList(_) => Output::Groups { groups: group_rows(&view.sequence) },
            Action::GateList(_) => Output::Gates { gates: gate_rows(&view, &ready) },
            Action::Logs(args) => Output::Log(self.logs(&view, args)?),
            Action::Result(args) => Output::Answer(Box::new(self.answer(&view, args)?)),
            Action::Metrics(args) => Output::Metrics(Box::new(self.metrics(&view, args)?)),
            Action::RunsShow(args) => {
                let run = match &args.run {
                    Some(run) => Run::read(self.paths(), run)?,
                    None => list_runs(self.paths())?.into_iter().next().ok_or(Error::NoRunYet)?,
                };
                Output::Run(Box::new(run_report(self.paths(), &view, &run)?))
            }
            other => return Err(Error::internal(format!("`{}` is not answered here", other.name()))),
        };
        Ok((output, revision))
    }

    fn run_list(&self, limit: usize) -> Result<Vec<RunRow>, Error> {
        let runs: Vec<Run> = list_runs(self.paths())?.into_iter().take(limit).collect();
        // A list of runs is there without a plan, too.
        let view = runs.iter().any(|run| run.state == RunState::Waiting).then(|| View::load(self.paths()).ok()).flatten();
        Ok(runs.iter().map(|run| row(self.paths(), view.as_ref(), run)).collect())
    }

    fn status(&self, view: &View, ready: &Readiness) -> Result<StatusReport, Error> {
        let steps = (0..view.sequence.steps.len()).filter_map(|at| step_row(self.paths(), view, ready, at)).collect();
        let progress = self.progress_now(view, ready)?;
        let pending = self.pending(view, ready)?;
        let needs = self.needs(view, ready, &pending);
        Ok(self.status_of(view, ready, steps, (&pending, &needs), progress))
    }

    /// The same from what is known already.
    pub(super) fn status_of(
        &self,
        view: &View,
        ready: &Readiness,
        mut steps: Vec<StepRow>,
        (pending, needs): (&Pending, &[Need]),
        progress: Option<Progress>,
    ) -> StatusReport {
        let ids: HashSet<&Id> = pending.held.iter().map(|ask| &ask.step).collect();
        for row in &mut steps {
            row.held = ids.contains(&row.id);
        }
        let counts = counts(&steps.iter().map(|row| row.status).collect::<Vec<_>>());
        let gates = gate_rows(view, ready);
        let runs: Vec<RunRow> = pending.runs.iter().map(|run| row(self.paths(), Some(view), run)).collect();
        let attention = needs.iter().map(Need::words).collect();
        let mode =
            view.policy().map_or_else(|_| "policy.yaml cannot be read".to_owned(), |policy| policy.mode.as_str().to_owned());
        let name = self.name_of(view);
        let findings = Self::findings(view).len() + view.config.warnings.len();
        let requests = pending.requests.iter().map(|request| request::row(view, request)).collect();
        StatusReport { name, mode, counts, attention, findings, steps, gates, runs, progress, requests }
    }

    /// The same in numbers.
    fn short_status(&self, view: &View, ready: &Readiness) -> Result<ShortStatus, Error> {
        let open = self.pending(view, ready)?;
        let statuses: Vec<StepStatus> = (0..view.sequence.steps.len()).map(|at| ready.status(at)).collect();
        let gates = (0..view.sequence.gates.len()).map(|gate| view.graph.gate(gate));
        let pending = State::Gate(GateStatus::Pending);
        let gates = gates.filter(|&at| ready.state(at) == pending && ready.is_unhindered(at)).count();
        let reviews = statuses.iter().filter(|status| **status == StepStatus::NeedsReview).count();
        let waiting = gates + reviews + open.requests.len() + open.unasked().count();
        Ok(ShortStatus { name: self.name_of(view), waiting, counts: counts(&statuses) })
    }

    /// What people call the sequence.
    pub(super) fn name_of(&self, view: &View) -> String {
        name_of(self.paths(), view)
    }

    fn validate(&self, view: &View, args: &query::Validate) -> Result<Output, Error> {
        let (findings, others) = (Self::findings(view), &view.config.warnings);
        let all = findings.len() + others.len();
        if args.strict && all > 0 {
            let in_plan = findings.iter().map(|found| format!("\n  line {}: {}", found.line, found.message));
            let list = in_plan.chain(others.iter().map(|other| format!("\n  {other}"))).collect();
            return Err(Error::Warnings { path: self.paths().sequence(), count: count(all, "warning"), list });
        }
        for name in view.policy().iter().flat_map(Policy::worthless) {
            self.warn(format!("`{name}` in `allowed_commands` runs whatever it is told to, so anything may run"));
        }
        for other in others {
            self.warn(other.clone());
        }
        Ok(Output::Valid { steps: view.sequence.steps.len(), gates: view.sequence.gates.len(), findings })
    }

    fn step_list(&self, view: &View, ready: &Readiness, args: &query::StepList) -> Result<Vec<StepRow>, Error> {
        let wanted = match &args.status {
            None => None,
            Some(word) => Some(StepStatus::parse(&word.to_uppercase()).ok_or_else(|| Error::FieldInvalid {
                field: "status",
                why: format!("`{word}` is none of {}", StepStatus::ALL.map(StepStatus::as_str).join(", ")),
            })?),
        };
        let rows = (0..view.sequence.steps.len()).filter_map(|at| step_row(self.paths(), view, ready, at));
        Ok(rows.filter(|row| wanted.is_none_or(|wanted| row.status == wanted)).collect())
    }

    fn step_show(&self, view: &View, ready: &Readiness, id: &Id) -> Result<StepDetail, Error> {
        let step = view.sequence.expect_step(id.as_str())?;
        let at = view.graph.find(id.as_str()).unwrap_or_default();
        let state = step_row(self.paths(), view, ready, at).ok_or_else(|| Error::internal("a step has a row"))?;
        let place = state.run.clone().zip(state.attempt);
        let work = match (&step.command, &step.prompt, &step.prompt_file) {
            (Some(command), ..) => command.display(),
            (None, Some(prompt), _) => prompt.clone(),
            (None, None, Some(file)) => format!("prompt file {file}"),
            (None, None, None) => format!("prompt file prompts/{id}.md"),
        };
        Ok(StepDetail {
            state,
            step: step.clone(),
            dependents: view.graph.dependents(at).into_iter().map(|at| view.id_of(at).clone()).collect(),
            watchdogs: view.sequence.watchdogs(id).map(|step| step.id.clone()).collect(),
            cwd: match Resolved::new(&view.sequence, step).cwd() {
                "." => self.paths().root.clone(),
                inner => self.paths().root.join(inner),
            },
            folder: place.as_ref().map(|(run, attempt)| self.paths().attempt(run, id.as_str(), *attempt)),
            last: place.and_then(|(run, attempt)| AttemptStatus::read(self.paths(), &run, id.as_str(), attempt)),
            work,
        })
    }

    fn audit_list(&self, args: &query::AuditList) -> Result<Vec<audit::Entry>, Error> {
        audit::last_entries_that(&self.paths().audit(), args.limit, |entry| {
            let is_later = args.after.is_none_or(|after| entry.seq > after);
            is_later.then(|| {
                args.action.as_ref().is_none_or(|action| entry.body.action == *action)
                    && args.target.as_ref().is_none_or(|target| entry.body.is_about(target))
            })
        })
    }

    /// Where the log that `args` asks for is, whether there is something in it or not.
    pub fn log_place(&self, view: &View, args: &query::Logs) -> Result<LogText, Error> {
        let step = &view.sequence.expect_step(args.step.as_str()).map(|step| step.id.clone()).or_else(|error| {
            // A step that is gone from the plan still has its logs.
            let known = args.run.as_ref().is_some_and(|run| self.paths().run(run).join(args.step.as_str()).is_dir());
            if known { Ok(args.step.clone()) } else { Err(error) }
        })?;
        let (run, last) = match &args.run {
            Some(run) => {
                Run::read(self.paths(), run)?;
                (run.clone(), runs::attempts(self.paths(), run, step.as_str())?.pop())
            }
            None => last_attempt(self.paths(), view, step).ok_or_else(|| Error::NeverRan { step: step.clone() })?,
        };
        let attempt = args.attempt.or(last).ok_or_else(|| Error::NeverRan { step: step.clone() })?;
        let (stream, name) = if args.stderr { ("stderr", "stderr.log") } else { ("stdout", "stdout.log") };
        let folder = self.paths().attempt(&run, step.as_str(), attempt);
        if !folder.is_dir() {
            return Err(Error::LogNotFound { step: step.clone(), run, attempt });
        }
        let path = match args.worker {
            Some(worker) => crew::folder(self.paths(), &run, step, attempt, worker)?.join(name),
            None => folder.join(name),
        };
        let spec = (!args.stderr && !args.raw).then(|| store::file::read_json::<SpecFile>(&folder.join("spec.json"))).flatten();
        let format = spec.map_or(OutputFormat::Text, |spec| spec.output);
        let worker = args.worker;
        Ok(LogText {
            step: step.clone(),
            run,
            attempt,
            worker,
            stream,
            format,
            text: String::new(),
            truncated: false,
            cursor: 0,
            path,
        })
    }

    fn logs(&self, view: &View, args: &query::Logs) -> Result<LogText, Error> {
        let mut places = self.log_places(view, args)?;
        match places.len() {
            1 => self.read_log(places.remove(0), args),
            _ => self.logs_of_workers(view, places, args),
        }
    }

    /// The part of a log that is asked for, as a transcript where it is that of an agent.
    fn read_log(&self, place: LogText, args: &query::Logs) -> Result<LogText, Error> {
        if !place.format.is_text() {
            return self.transcript(place, args);
        }
        let Part { bytes, truncated, cursor } = read_part(&place.path, args)?;
        Ok(LogText { text: String::from_utf8_lossy(&bytes).into_owned(), truncated, cursor, ..place })
    }

    /// A part of a transcript, always of whole lines of the log: half of one is nothing that a person can read.
    fn transcript(&self, place: LogText, args: &query::Logs) -> Result<LogText, Error> {
        let Some(mut reader) = TranscriptReader::open(&place) else { return Ok(place) };
        let is_over = AttemptStatus::read(self.paths(), &place.run, place.step.as_str(), place.attempt).is_some();
        let limit = args.limit.unwrap_or(LIMIT).max(1);
        let (text, truncated) = if let Some(after) = args.after {
            reader.skip_to(after)?;
            reader.part(is_over, limit)?
        } else {
            reader.tail(is_over, args.tail.unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(usize::MAX))?
        };
        Ok(LogText { text, truncated, cursor: reader.offset(), ..place })
    }

    fn answer(&self, view: &View, args: &query::Answer) -> Result<Answer, Error> {
        let logs = query::Logs { worker: args.worker, ..args.of.logs() };
        let place = self.log_place(view, &logs)?;
        let status = match args.worker {
            None => AttemptStatus::read(self.paths(), &place.run, place.step.as_str(), place.attempt),
            Some(_) => place.path.parent().and_then(AttemptStatus::read_in),
        };
        let of_workers = status.as_ref().filter(|status| !status.workers.is_empty());
        let (text, truncated) = if let Some(status) = of_workers {
            crew::texts(self.paths(), status, LIMIT / status.workers.len() as u64)?
        } else if place.format.is_text() {
            let log = self.logs(view, &logs)?;
            (log.text, log.truncated)
        } else if status.is_none() {
            return Err(Error::NotEnded { step: place.step });
        } else {
            let bytes = store::file::read_if_there(&place.path.with_file_name("summary.md"))?.unwrap_or_default();
            (crate::agent::plain(&String::from_utf8_lossy(&bytes)), false)
        };
        let agent = status.as_ref().map(|status| status.agent.clone()).unwrap_or_default();
        let workers = status.as_ref().map(|status| status.workers.clone()).unwrap_or_default();
        let status = status.map(|status| status.status);
        Ok(Answer { step: place.step, run: place.run, attempt: place.attempt, status, text, truncated, agent, workers })
    }

    fn diff(&self, view: &View, args: &query::Diff) -> Result<DiffText, Error> {
        let logs = query::Logs { raw: true, ..args.of.logs() };
        let LogText { step, run, attempt, path, .. } = self.log_place(view, &logs)?;
        let Some(status) = AttemptStatus::read(self.paths(), &run, step.as_str(), attempt) else {
            return Err(Error::NotEnded { step });
        };
        let path = path.with_file_name("diff.patch");
        let bytes = store::file::read_if_there(&path)?;
        if bytes.is_none() {
            let spec = store::file::read_json::<SpecFile>(&path.with_file_name("spec.json"));
            let why = match status.products.product_notes.as_slice() {
                _ if spec.is_some_and(|spec| spec.agent == "shell") => "it runs a command, and only what agents change is kept",
                [] => "it changed nothing in a git work tree",
                [first, ..] => first,
            };
            self.warn(format!("there is no diff of `{step}`: {why}"));
        }
        let text = bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
        let path = bytes.map(|_| path);
        Ok(DiffText { step, run, attempt, text, path, diff: status.products.diff, shared_with: status.products.shared_with })
    }
}

/// The actions in a file, JSON or YAML; `-` is standard input.
pub(super) fn read_actions(path: &Path) -> Result<Vec<Action>, Error> {
    let mut bytes = Vec::new();
    let limit = yaml::SIZE_LIMIT + 1;
    if path == Path::new("-") {
        std::io::stdin().take(limit).read_to_end(&mut bytes).map_err(Error::io("read", "standard input"))?;
    } else {
        // A pipe will do: `seqctl apply <(…)`.
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(Error::reading(path))?;
    }
    // JSON is read as JSON: YAML takes a few characters in it for line breaks.
    let value = match serde_json::from_slice(&bytes) {
        Ok(value) => value,
        Err(_) => yaml::typed(&bytes, path, "a list of actions, like `[{\"action\": \"gate.approve\", \"id\": \"review\"}]`")?
            .unwrap_or(serde_json::Value::Null),
    };
    match value {
        serde_json::Value::Array(entries) => {
            let (actions, wrong): (Vec<_>, Vec<_>) =
                (1..).zip(entries.into_iter().map(Action::from_entry)).partition(|(_, entry)| entry.is_ok());
            let wrong: Vec<(usize, Error)> = wrong.into_iter().filter_map(|(at, entry)| Some((at, entry.err()?))).collect();
            if wrong.is_empty() {
                Ok(actions.into_iter().filter_map(|(_, action)| action.ok()).collect())
            } else {
                Err(Error::Entries { wrong })
            }
        }
        entry @ serde_json::Value::Object(_) => Action::from_entry(entry).map(|action| vec![action]),
        _ => Err(Error::ActionInvalid { action: "apply".into(), why: "expected a list of actions".into() }),
    }
}

/// What people call a sequence.
pub(super) fn name_of(paths: &Paths, view: &View) -> String {
    let folder = paths.root.file_name().map(|name| name.to_string_lossy().into_owned());
    view.sequence.name.clone().or(folder).unwrap_or_default()
}

/// The groups in the order of their first members.
pub(super) fn group_rows(sequence: &Sequence) -> Vec<GroupRow> {
    let row = |group: &Group<'_>| GroupRow {
        id: group.id.clone(),
        members: group.members.iter().map(|&member| sequence.steps[member].id.clone()).collect(),
        fail_policy: group.policy,
    };
    Groups::of(sequence).all().iter().map(row).collect()
}

pub(super) fn counts(statuses: &[StepStatus]) -> Vec<(StepStatus, usize)> {
    StepStatus::ALL.into_iter().map(|status| (status, statuses.iter().filter(|other| **other == status).count())).collect()
}

/// The run and attempt in which a step ran last, or runs.
pub(super) fn last_attempt(paths: &Paths, view: &View, step: &Id) -> Option<(String, Option<u32>)> {
    let lease = view.leases.get(step).map(|lease| &lease.record);
    let record = lease.or_else(|| view.records.get(step));
    if let Some(claim) = record.and_then(|record| record.claim.as_ref()) {
        return Some((claim.run.to_string(), record.map(Record::attempt)));
    }
    // A reset has made the record forget; the folders have not. That of an active run may be a claim that is being made.
    let mut runs = list_runs(paths).ok()?.into_iter().filter(|run| run.state != RunState::Active);
    let run = runs.find(|run| paths.run(&run.id).join(step.as_str()).is_dir())?;
    let attempt = runs::attempts(paths, &run.id, step.as_str()).ok()?.pop();
    Some((run.id, attempt))
}

/// A step in a list; nothing for a gate.
pub(super) fn step_row(paths: &Paths, view: &View, ready: &Readiness, at: usize) -> Option<StepRow> {
    step_row_with(paths, view, ready, at, &mut |claim, attempt| used(paths, claim, attempt))
}

/// What an attempt took, as its status.json says.
pub(super) fn used(paths: &Paths, claim: &Claim, attempt: u32) -> Option<Usage> {
    AttemptStatus::read(paths, &claim.run, claim.step.as_str(), attempt)?.agent.usage
}

/// The same, where somebody may know already what an attempt took.
pub(super) fn step_row_with(
    paths: &Paths,
    view: &View,
    ready: &Readiness,
    at: usize,
    used: &mut dyn FnMut(&Claim, u32) -> Option<Usage>,
) -> Option<StepRow> {
    let Node::Step(index) = view.graph.node(at) else { return None };
    let step = &view.sequence.steps[index];
    let resolved = Resolved::new(&view.sequence, step);
    let lease = view.leases.get(&step.id);
    let record = lease.map(|lease| &lease.record).or_else(|| view.records.get(&step.id));
    let claim = record.and_then(|record| record.claim.as_ref());
    let status = ready.status(at);
    let exit = record.and_then(|record| record.exit.as_ref()).filter(|_| status.is_outcome());
    let waits_for = match status {
        StepStatus::Blocked => ready.blockers(at).into_iter().map(|blocker| view.id_of(blocker.node()).clone()).collect(),
        _ => Vec::new(),
    };
    let duration_ms = match (status, exit, claim) {
        (StepStatus::Running, _, Some(claim)) => clock::ms_between(&claim.at, &clock::stamp()),
        (_, Some(exit), _) => Some(exit.ms),
        _ => None,
    };
    let outcome = record.and_then(Record::outcome).filter(|_| status.is_outcome());
    let attempt = claim.and(record).map(|record| exit.map_or_else(|| record.attempt(), |exit| exit.attempt));
    let has_report = !resolved.is_shell() && exit.is_some();
    let usage = claim.zip(attempt).filter(|_| has_report).and_then(|(claim, attempt)| used(claim, attempt));
    let time = lease.filter(|lease| lease.is_held).and_then(|lease| TimeLeft::of(paths, &step.id, &lease.record));
    let is_changed = exit.is_some() && record.is_some_and(|record| view.is_changed(paths, step, record));
    let now = clock::now();
    let running = claim.zip(attempt).filter(|_| status == StepStatus::Running && resolved.workers().is_some());
    let workers = running.and_then(|(claim, attempt)| crew::count(paths, &claim.run, &step.id, attempt));
    Some(StepRow {
        id: step.id.clone(),
        name: step.title().to_owned(),
        status,
        kind: resolved.kind().as_str(),
        agent: resolved.agent().to_owned(),
        waits_for,
        reason: outcome.as_ref().and_then(|outcome| outcome.reason),
        outcome: outcome.as_ref().map(Outcome::words),
        note: outcome.and_then(|outcome| outcome.note),
        until: view.waits_until(&step.id).filter(|until| *until > now).map(clock::rfc3339),
        usage,
        run: claim.map(|claim| claim.run.to_string()),
        attempt,
        duration_ms,
        timeout_ms: time.as_ref().map(|time| time.limit_ms),
        left_ms: time.map(|time| time.left_ms),
        workers,
        changed: is_changed,
        held: false,
        group: step.group_id.clone(),
        watches: step.watchdog_for.clone(),
    })
}

fn gate_rows(view: &View, ready: &Readiness) -> Vec<GateRow> {
    let rows = view.sequence.gates.iter().enumerate().map(|(index, gate)| {
        let at = view.graph.gate(index);
        let status = match ready.state(at) {
            State::Gate(status) => status,
            _ => GateStatus::Pending,
        };
        let decided =
            view.records.get(&gate.id).and_then(|record| record.decision.as_ref()).filter(|_| status != GateStatus::Pending);
        GateRow {
            id: gate.id.clone(),
            name: gate.title().to_owned(),
            status: status.as_str(),
            reached: ready.is_unhindered(at),
            digest: grounds(view, at),
            depends_on: gate.depends_on.clone(),
            holds: view.graph.dependents(at).into_iter().map(|at| view.id_of(at).clone()).collect(),
            by: decided.map(|decided| decided.by.clone()),
            at: decided.map(|decided| decided.at.clone()),
            note: decided.and_then(|decided| decided.note.clone()).or_else(|| gate.note.clone()),
        }
    });
    rows.collect()
}
