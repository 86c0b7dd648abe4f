//! Who asks, and what they have agreed to.

use std::{env, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    model::Id,
    store::{Paths, Request, active, start_of, stat_of},
};

/// Who asks for something.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// A person.
    User,
    /// A step, through the command line.
    Orchestrator,
    /// A program, over HTTP.
    Api,
    /// The chat.
    Chat,
    /// A tool server.
    Mcp,
    /// `seqctl` itself.
    System,
}

impl Actor {
    /// The word in the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Orchestrator => "orchestrator",
            Self::Api => "api",
            Self::Chat => "chat",
            Self::Mcp => "mcp",
            Self::System => "system",
        }
    }
}

/// Travels beside an action, never inside it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// Through which face.
    pub via: &'static str,
    /// The step it runs in, if any.
    pub step: Option<String>,
    /// The request that a person approves, with their answer, while it is carried out.
    pub request: Option<Box<Request>>,
}

impl Caller {
    /// Whoever started this process: a step's environment makes it that step's.
    pub fn from_environment(via: &'static str) -> Self {
        let step = env::var("THREADOS_STEP_ID").ok().filter(|step| !step.is_empty());
        let actor = if step.is_some() { Actor::Orchestrator } else { Actor::User };
        Self { actor, via, step, request: None }
    }

    /// The same caller, or the step that this process runs in although it does not say so: one of our
    /// ancestors is the supervisor of a held lease. This guards against accidents; against a hostile
    /// process of the same user only a sandbox does.
    #[must_use]
    pub fn by_ancestry(self, paths: &Paths) -> Self {
        if self.step.is_some() {
            return self;
        }
        let proc = Path::new("/proc");
        let ancestors: Vec<u32> = std::iter::successors(Some(std::process::id()), |pid| {
            stat_of(proc, *pid).map(|stat| stat.parent).filter(|pid| *pid > 1)
        })
        .take(1000)
        .collect();
        let leases = active(paths).unwrap_or_default();
        let held = leases.into_iter().filter(|(_, _, is_held)| *is_held);
        let supervisors: Vec<_> = held.filter_map(|(step, record, _)| Some((step, record.supervisor?))).collect();
        // The nearest: the runner of a step may itself descend from another one.
        let above = ancestors.into_iter().find_map(|ancestor| {
            supervisors.iter().find(|(_, (pid, start))| *pid == ancestor && start_of(*pid) == Some(*start)).map(|(step, _)| step)
        });
        match above {
            Some(step) => Self { actor: Actor::Orchestrator, step: Some(step.to_string()), ..self },
            None => self,
        }
    }

    /// `seqctl` itself.
    pub const fn system() -> Self {
        Self { actor: Actor::System, via: "runner", step: None, request: None }
    }

    /// Whether a person asks.
    pub fn is_person(&self) -> bool {
        self.actor == Actor::User
    }

    /// Whether a yes from here is a person's: over HTTP it is passed on.
    pub const fn can_confirm(&self) -> bool {
        matches!(self.actor, Actor::User | Actor::Api)
    }

    /// The step it runs in.
    pub(super) fn step_id(&self) -> Option<Id> {
        self.step.as_ref().and_then(|step| step.parse().ok())
    }

    /// In the audit log: the face, and the step where there is one.
    pub fn via(&self) -> String {
        match &self.step {
            Some(step) => format!("{}:{step}", self.via),
            None => self.via.to_owned(),
        }
    }

    /// In records: who decided.
    pub fn name(&self) -> String {
        match &self.step {
            Some(step) => format!("{} `{step}`", self.actor.as_str()),
            None => self.actor.as_str().to_owned(),
        }
    }
}

/// Whether the caller has confirmed what it asks for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Consent {
    /// Nobody was asked.
    #[default]
    None,
    /// A person said yes to whatever it is.
    Given,
    /// The same, and to what orchestrators will add to it.
    Additions,
    /// A person said yes to what they were shown ([`super::Plan::digest`]).
    Shown {
        /// What that was.
        digest: u64,
        /// Whether the yes is for what orchestrators will add, too.
        additions: bool,
    },
}

impl Consent {
    /// Whether a person said yes.
    pub fn is_given(self) -> bool {
        self != Self::None
    }

    /// Whether what orchestrators add is confirmed, too.
    pub const fn additions(self) -> bool {
        matches!(self, Self::Additions | Self::Shown { additions: true, .. })
    }

    /// Whether it is for what this digest stands for.
    pub const fn is_for(self, digest: u64) -> bool {
        match self {
            Self::None => false,
            Self::Given | Self::Additions => true,
            Self::Shown { digest: shown, .. } => shown == digest,
        }
    }
}
