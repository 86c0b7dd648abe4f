//! Carries out effects beside the screen, so that no key waits for a disk.

use std::sync::mpsc::{Receiver, Sender};

use ratatui::style::{Modifier, Style};
use serde_json::{Map, Value};

use super::{
    choice::Choice,
    effect::{Asked, Effect},
    inspector::{Facts, Tab},
    layers::{
        editor::Editor,
        list::{List, Row},
    },
    log_reader::News,
    markdown,
    msg::Msg,
    proposal::{Applied, Applying, Draft, Proposed, Source},
    tails::Running,
};
use crate::{
    action::{Act as _, Action, graph, prompt, query, template},
    client::{self, AttemptStatus, Caller, Client, Consent, Output, StepDetail},
    error::Error,
    model::Id,
};

/// How many entries of the audit log are listed.
const AUDITED: usize = 1_000;

/// How many runs are looked through for the attempts of a step.
const RUNS: usize = 20;

/// Does what the screen wants of a project.
pub(super) struct Worker {
    pub(super) client: Client,
    pub(super) caller: Caller,
    pub(super) out: Sender<Msg>,
    /// Who reads logs.
    pub(super) logs: Sender<News>,
    /// Who reads what running steps say.
    pub(super) tails: Sender<Vec<Running>>,
}

impl Worker {
    /// Works until nobody sends any more.
    pub(super) fn work(&self, inbox: &Receiver<Effect>) {
        while let Ok(effect) = inbox.recv() {
            // Of many looks at the inspector only the last one counts.
            let mut effects = vec![effect];
            effects.extend(inbox.try_iter());
            let last = effects.iter().rposition(|effect| matches!(effect, Effect::Inspect { .. }));
            for (at, effect) in effects.into_iter().enumerate() {
                let is_outdated = matches!(effect, Effect::Inspect { .. }) && last != Some(at);
                if let Some(msg) = (!is_outdated).then(|| self.answer(effect)).flatten() {
                    // Nobody listens any more: the screen is gone.
                    let _ = self.out.send(msg);
                }
            }
        }
    }

    /// Does one thing, and says what came of it.
    pub(super) fn answer(&self, effect: Effect) -> Option<Msg> {
        crate::fault::point("screen.worker");
        match effect {
            Effect::Call(asked) => Some(self.call(asked)),
            Effect::Check(action) => Some(Msg::Checked(self.check(&action))),
            Effect::Propose(draft) => Some(self.propose(*draft)),
            Effect::Apply(applying) => Some(self.apply(applying)),
            Effect::Edit(step) => Some(self.edit(step)),
            Effect::Audit => Some(self.audit()),
            Effect::Templates(known) => Some(self.templates(&known)),
            Effect::Keep(arrangement) => {
                // In a project that cannot be written to it is as it comes the next time.
                let _ = client::keep_arrangement(&self.client, &arrangement);
                None
            }
            Effect::Inspect { id, tab } => Some(Msg::Facts(Box::new(self.inspect(id, tab)))),
            Effect::Log(wish) => {
                // A reader that has gone cannot read.
                let _ = self.logs.send(News::Wish(wish));
                None
            }
            Effect::Follow(running) => {
                // As above.
                let _ = self.tails.send(running);
                None
            }
            _ => None,
        }
    }

    fn call(&self, asked: Box<Asked>) -> Msg {
        let consent = if asked.is_confirmed { Consent::Given } else { Consent::None };
        match self.client.call(&self.caller, &asked.action, consent) {
            Err(Error::ConfirmationRequired { what, why }) => {
                let plan = self.client.plan_run(&asked.action).ok().map(Box::new);
                Msg::Ask { asked, what, why, plan }
            }
            result => Msg::Done { action: asked.action.name(), result: Box::new(result) },
        }
    }

    fn propose(&self, draft: Draft) -> Msg {
        let Source::File(path) = &draft.source;
        let actions = draft.actions.clone().map_or_else(|| self.client.read_actions(path), Ok);
        let looked = actions.and_then(|actions| {
            if actions.is_empty() {
                let why = format!("{} has no actions", path.display());
                return Err(Error::ActionInvalid { action: "apply".into(), why });
            }
            let preview = self.client.preview(&self.caller, &actions)?;
            Ok((actions, preview))
        });
        Msg::Proposed(Box::new(Proposed { draft, result: looked }))
    }

    fn apply(&self, applying: Box<Applying>) -> Msg {
        let consent = if applying.is_confirmed { Consent::Given } else { Consent::None };
        match self.client.change(&self.caller, &applying.actions, Some(&applying.revision), consent) {
            Err(Error::ConfirmationRequired { why, .. }) => Msg::AskToApply { applying, why },
            result => {
                let applied = result.map(|(changes, _)| Applied {
                    changes: changes.into_iter().map(|change| change.text).collect(),
                    warnings: self.client.take_warnings(),
                });
                Msg::Applied { applying, result: Box::new(applied) }
            }
        }
    }

    fn edit(&self, step: Id) -> Msg {
        match self.ask(&Action::PromptShow(prompt::Show { step: step.clone() })) {
            Ok(Output::Prompt(prompt)) => Msg::Open(Box::new(Editor::new(&prompt))),
            // It has none yet.
            Err(Error::NoPrompt { .. } | Error::PromptNotFound { .. }) => Msg::Open(Box::new(Editor::empty(step))),
            Ok(_) => Msg::Say("a prompt is answered with a prompt".into()),
            Err(error) => Msg::Say(error.to_string()),
        }
    }

    fn templates(&self, known: &Map<String, Value>) -> Msg {
        match self.ask(&Action::TemplateList(template::List {})) {
            Ok(Output::Templates { templates }) => {
                let wide = templates.iter().map(|row| row.name.len()).max().unwrap_or(0);
                let rows = templates.into_iter().map(|row| {
                    let mut known = known.clone();
                    known.insert("name".into(), row.name.clone().into());
                    Row {
                        head: format!("{:<wide$} ", row.name),
                        style: Style::new().add_modifier(Modifier::BOLD),
                        words: row.problem.or(row.description).unwrap_or_default(),
                        choice: Some(Choice::Action { name: template::Apply::NAME, known }),
                    }
                });
                Msg::Open(Box::new(List::new("Steps from which template?", "there is no template", rows.collect())))
            }
            Ok(_) => Msg::Say("templates are answered with their names".into()),
            Err(error) => Msg::Say(error.to_string()),
        }
    }

    fn audit(&self) -> Msg {
        match self.ask(&Action::AuditTail(query::AuditTail { limit: AUDITED })) {
            Ok(Output::Audit { entries }) => {
                let rows = entries.into_iter().rev().map(|entry| Row {
                    head: format!("{:>6} {}", entry.seq, entry.at.get(..19).unwrap_or(&entry.at).replace('T', " ")),
                    style: Style::new().add_modifier(Modifier::DIM),
                    words: [entry.body.actor.as_str(), &entry.body.action, entry.body.target.as_deref().unwrap_or_default()]
                        .into_iter()
                        .chain(entry.body.error.as_deref())
                        .collect::<Vec<_>>()
                        .join(" "),
                    choice: None,
                });
                Msg::Open(Box::new(List::new("Audit log, newest first", "nothing has happened yet", rows.collect())))
            }
            Ok(_) => Msg::Say("the audit log is answered with entries".into()),
            Err(error) => Msg::Say(error.to_string()),
        }
    }

    fn check(&self, action: &Action) -> Result<String, String> {
        let preview = self.client.preview(&self.caller, std::slice::from_ref(action)).map_err(|error| error.to_string())?;
        Ok(preview.changes.into_iter().map(|change| change.text).collect::<Vec<_>>().join("; "))
    }

    fn ask(&self, action: &Action) -> Result<Output, Error> {
        self.client.call(&self.caller, action, Consent::None).map(|reply| reply.output)
    }

    fn show(&self, id: Id) -> Option<StepDetail> {
        match self.ask(&Action::StepShow(query::StepShow { id })) {
            Ok(Output::Step(mut detail)) => {
                if let Ok(below) = detail.cwd.strip_prefix(&self.client.paths().root) {
                    detail.cwd = if below.as_os_str().is_empty() { ".".into() } else { below.to_owned() };
                }
                Some(*detail)
            }
            _ => None,
        }
    }

    /// The steps that a gate depends on.
    fn before_gate(&self, gate: &Id) -> Vec<StepDetail> {
        let Ok(Output::Gates { gates }) = self.ask(&Action::GateList(query::GateList {})) else { return Vec::new() };
        let needs = gates.into_iter().find(|row| row.id == *gate).map(|row| row.depends_on).unwrap_or_default();
        needs.into_iter().filter_map(|need| self.show(need)).collect()
    }

    /// How the attempts of a step ended, the newest first.
    fn attempts(&self, step: &Id) -> Vec<AttemptStatus> {
        let Ok(Output::Runs { runs }) = self.ask(&Action::RunsList(query::RunsList { limit: RUNS })) else { return Vec::new() };
        let reports = runs.iter().filter_map(|run| self.client.report(&run.id).ok());
        let mut attempts: Vec<AttemptStatus> =
            reports.flat_map(|report| report.attempts).filter(|attempt| attempt.step == *step).collect();
        attempts.sort_by(|a, b| (&b.started_at, b.attempt).cmp(&(&a.started_at, a.attempt)));
        attempts
    }

    fn inspect(&self, id: Id, tab: Tab) -> Facts {
        let mut facts = Facts::none(id.clone());
        facts.tab = Some(tab);
        facts.detail = self.show(id.clone());
        if facts.detail.is_none() {
            facts.produced = self.before_gate(&id);
            if tab != Tab::Details {
                return facts;
            }
        }
        let of_tab = match tab {
            Tab::Details => Action::Why(graph::Why { id }),
            Tab::Prompt => Action::PromptShow(prompt::Show { step: id }),
            Tab::Diff => Action::Diff(query::Diff { of: query::Attempt { step: id, run: None, attempt: None } }),
            Tab::Runs => {
                facts.attempts = self.attempts(&id);
                return facts;
            }
            Tab::Logs => return facts,
        };
        match self.ask(&of_tab) {
            Ok(Output::Why(why)) => facts.why = Some(*why),
            Ok(Output::Prompt(prompt)) => {
                facts.prompt_lines = markdown::marked(&prompt.text);
                facts.prompt = Some(prompt);
            }
            Ok(Output::Diff(diff)) => facts.diff = Some(*diff),
            Ok(_) => {}
            Err(error) => facts.problem = Some(error.to_string()),
        }
        facts
    }
}
