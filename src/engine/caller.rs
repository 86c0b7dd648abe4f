//! Who asks, and what they have agreed to.

use std::env;

use serde::{Deserialize, Serialize};

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
}

impl Caller {
    /// Whoever started this process: a step's environment makes it that step's.
    pub fn from_environment(via: &'static str) -> Self {
        let step = env::var("THREADOS_STEP_ID").ok().filter(|step| !step.is_empty());
        let actor = if step.is_some() { Actor::Orchestrator } else { Actor::User };
        Self { actor, via, step }
    }

    /// `seqctl` itself.
    pub const fn system() -> Self {
        Self { actor: Actor::System, via: "runner", step: None }
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
    /// A person said yes to exactly this.
    Given,
}
