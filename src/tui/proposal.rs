//! A proposal: changes of the plan that somebody made up and a person decides about. Whoever makes one, a file now and
//! the conversation of the chat too, sends `Effect::Propose`; what is made of it is a card and ghosts on the canvas.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    app::App,
    effect::Effect,
    keymap::{Key, Section, binding},
    layers::{confirm::Confirm, propose::Propose},
    panels::Panel,
    toast::Tone,
};
use crate::{
    action::{Access, Action, run},
    client::{Preview, Verdict},
    error::{Error, count},
    layout::Mark,
};

/// For so long after a card has appeared it takes no keys, in milliseconds: they were meant for something else.
const DEAF: u64 = 300;

/// Where a proposal comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// A file as `seqctl apply -f` takes it.
    File(PathBuf),
}

impl Source {
    /// What it is called.
    pub(super) fn name(&self) -> String {
        let Self::File(path) = self;
        path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
    }
}

/// What is to be looked through before it becomes a card.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draft {
    pub(super) source: Source,
    /// The actions; those of the file where absent.
    pub(super) actions: Option<Vec<Action>>,
}

/// What came of looking through a draft.
pub(super) struct Proposed {
    pub(super) draft: Draft,
    pub(super) result: Result<(Vec<Action>, Preview), Error>,
}

/// Actions that are applied as they were shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Applying {
    pub(super) actions: Vec<Action>,
    /// The revision that they were shown for.
    pub(super) revision: String,
    /// Whether everything that can start is started then.
    pub(super) runs: bool,
    pub(super) is_confirmed: bool,
}

/// What came of applying actions, in words.
pub(super) struct Applied {
    pub(super) changes: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// A proposal that can be made.
pub(super) struct Proposal {
    pub(super) source: Source,
    pub(super) actions: Vec<Action>,
    /// Each action as a command.
    pub(super) commands: Vec<String>,
    pub(super) preview: Preview,
    /// How many lines its diff has.
    diff_lines: usize,
    /// When it was shown, in milliseconds since 1970.
    since: u64,
    /// The first line of the card.
    pub(super) scroll: usize,
    /// Whether the plan changed after it was made, and it was made again.
    pub(super) is_renewed: bool,
    /// Why it cannot be made any more.
    pub(super) problem: Option<String>,
    /// Whether it had the keys already.
    pub(super) is_seen: bool,
}

impl Proposal {
    /// Whether an action of it takes something away.
    pub(super) fn destroys(&self, at: usize) -> bool {
        self.actions[at].spec().access == Access::Destroy
    }

    /// About how many lines its card has; wrapped ones are not counted, so that it costs nothing.
    pub(super) fn lines(&self) -> usize {
        let problem = self.problem.as_ref().map_or(0, |problem| problem.lines().count() + 3);
        let renewed = if self.is_renewed { 2 } else { 0 };
        problem.max(renewed) + self.actions.len() * 2 + 4 + self.diff_lines
    }

    /// What it is, in one line.
    pub(super) fn words(&self) -> String {
        let destroys = (0..self.actions.len()).filter(|at| self.destroys(*at)).count();
        let asks = self.preview.verdicts.iter().any(|verdict| matches!(verdict, Verdict::Confirm { .. }));
        let denied = self.preview.verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Deny { .. })).count();
        let mut words = vec![count(self.actions.len(), "change")];
        words.extend((destroys > 0).then(|| format!("{destroys} destructive")));
        words.extend((denied > 0).then(|| format!("{denied} denied by the policy")));
        words.extend(asks.then(|| "asks first".to_owned()));
        words.join(" · ")
    }
}

impl App {
    /// Has a draft looked through; it becomes a card if it can be made.
    pub(super) fn propose(&mut self, draft: Draft) {
        self.want(Effect::Propose(Box::new(draft)));
    }

    /// Opens the field for the file of a proposal.
    pub(super) fn propose_from_file(&mut self) {
        let path = self.proposal.as_ref().map(|proposal| {
            let Source::File(path) = &proposal.source;
            path.display().to_string()
        });
        self.open(Propose::new(path.as_deref().unwrap_or_default()));
    }

    /// Takes what was looked through.
    pub(super) fn take_proposed(&mut self, proposed: Proposed) {
        self.is_dirty = true;
        let Proposed { draft, result } = proposed;
        let is_again = draft.actions.is_some();
        let heard = result.as_ref().map(|_| ()).map_err(full);
        let layers = self.layers.len();
        self.layers.retain_mut(|layer| is_again || layer.proposed(&heard) != super::layer::Flow::Close);
        match (result, &mut self.proposal) {
            (Ok((actions, preview)), last) => {
                let is_seen = is_again && last.as_ref().is_some_and(|last| last.is_seen);
                let scroll = last.as_ref().filter(|_| is_again).map_or(0, |last| last.scroll);
                let commands = actions.iter().map(Action::command_line).collect();
                let source = draft.source;
                *last = Some(Proposal {
                    source,
                    actions,
                    commands,
                    diff_lines: preview.diff.lines().count(),
                    preview,
                    since: self.now,
                    scroll,
                    is_renewed: is_again,
                    problem: None,
                    is_seen,
                });
                self.redraw_scene();
            }
            (Err(error), Some(last)) if is_again => {
                last.problem = Some(full(&error));
                self.redraw_scene();
            }
            (Err(error), _) if layers == 0 => self.say(Tone::Error, error.to_string(), error.hint()),
            (Err(_), _) => {}
        }
    }

    /// Looks a proposal through again that was made for another plan.
    pub(super) fn renew_proposal(&mut self) {
        let Some(proposal) = &self.proposal else { return };
        let now = self.snapshot.as_ref().map(|snapshot| &snapshot.project.revision);
        if now != Some(&proposal.preview.revision) || proposal.problem.is_some() {
            let draft = Draft { source: proposal.source.clone(), actions: Some(proposal.actions.clone()) };
            self.propose(draft);
        }
    }

    /// Whether the card takes a key.
    pub(super) fn key_on_card(&mut self, key: KeyEvent) -> bool {
        let Some(proposal) = &mut self.proposal else {
            self.panels.focus = Panel::Board;
            return false;
        };
        if self.now < proposal.since + DEAF {
            return true;
        }
        if !(key.modifiers - KeyModifiers::SHIFT).is_empty() {
            return self.is_of_plan(key);
        }
        match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.scroll_card(1),
            KeyCode::Up | KeyCode::Char('k') => self.scroll_card(-1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll_card(10),
            KeyCode::PageUp => self.scroll_card(-10),
            KeyCode::Home | KeyCode::Char('g') => self.scroll_card(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => self.scroll_card(isize::MAX),
            KeyCode::Char('a') => self.apply_proposal(false),
            KeyCode::Char('A') => self.apply_proposal(true),
            KeyCode::Char('d') => self.discard_proposal(),
            KeyCode::Char('e') => self.propose_from_file(),
            KeyCode::Esc => self.focus(Panel::Board),
            _ => return self.is_of_plan(key),
        }
        true
    }

    /// Whether a key means something for what is selected on the board, which nobody sees who looks at the card.
    fn is_of_plan(&self, key: KeyEvent) -> bool {
        let section = self.keymap.command(Key::of(key)).map(|command| binding(command).section);
        matches!(section, Some(Section::Act | Section::Run | Section::Plan))
    }

    /// Scrolls the card, as far as there is anything to see.
    pub(super) fn scroll_card(&mut self, rows: isize) {
        let (lines, area) = (super::draw::card_lines(self), self.regions().card);
        let most = lines.saturating_sub(usize::from(area.height.saturating_sub(2)));
        if let Some(proposal) = &mut self.proposal {
            proposal.scroll = proposal.scroll.saturating_add_signed(rows).min(most);
        }
    }

    fn apply_proposal(&mut self, runs: bool) {
        let Some(proposal) = &self.proposal else { return };
        if proposal.problem.is_some() {
            let hint = "e makes it anew, d discards it".to_owned();
            return self.say(Tone::Error, "it does not fit the plan any more", Some(hint));
        }
        let applying = Applying {
            actions: proposal.actions.clone(),
            revision: proposal.preview.revision.clone(),
            runs,
            is_confirmed: false,
        };
        self.apply(applying);
    }

    /// Applies actions, unless the policy wants a person's word first.
    pub(super) fn apply(&mut self, applying: Applying) {
        self.pending += 1;
        self.want(Effect::Apply(Box::new(applying)));
    }

    /// The policy wants a person's word before a proposal is applied.
    pub(super) fn ask_to_apply(&mut self, applying: Applying, why: String) {
        self.pending = self.pending.saturating_sub(1);
        let commands = applying.actions.iter().map(Action::command_line).collect();
        let what = format!("apply {}", count(applying.actions.len(), "change"));
        let confirm = Confirm::apply(self, (what, why), commands, applying);
        self.open(confirm);
    }

    /// Takes what came of applying a proposal.
    pub(super) fn take_applied(&mut self, applying: &Applying, result: Result<Applied, Error>) {
        self.pending = self.pending.saturating_sub(1);
        self.is_dirty = true;
        match result {
            Ok(Applied { changes, warnings }) => {
                self.end_proposal();
                for warning in warnings {
                    self.say(Tone::Warning, warning, None);
                }
                self.say(Tone::Good, changes.join("; "), None);
                if applying.runs {
                    self.ask(Action::RunRunnable(run::Runnable::default()), false);
                }
            }
            Err(Error::RevisionChanged { .. }) => {
                let hint = "nothing was applied; look at it again".to_owned();
                self.say(Tone::Warning, "the plan changed meanwhile, so the proposal is made anew", Some(hint));
                if let Some(proposal) = &self.proposal {
                    let draft = Draft { source: proposal.source.clone(), actions: Some(proposal.actions.clone()) };
                    self.propose(draft);
                }
            }
            Err(error) => self.say(Tone::Error, error.to_string(), error.hint()),
        }
    }

    fn discard_proposal(&mut self) {
        let name = self.proposal.as_ref().map(|proposal| proposal.source.name()).unwrap_or_default();
        self.end_proposal();
        self.say(Tone::Plain, format!("discarded the proposal; `{name}` is as it was"), None);
    }

    fn end_proposal(&mut self) {
        self.proposal = None;
        if self.panels.focus == Panel::Card {
            self.panels.focus = Panel::Board;
        }
        self.redraw_scene();
    }
}

/// What is wrong, where, and what to do about it.
fn full(error: &Error) -> String {
    error.hint().map_or_else(|| error.to_string(), |hint| format!("{error}\n{hint}"))
}

/// The signs on the canvas, in words.
pub(super) const LEGEND: [(Mark, &str); 3] = [(Mark::Added, "new"), (Mark::Removed, "goes"), (Mark::Changed, "changes")];
