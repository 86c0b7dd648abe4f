//! The agents there are: those we know, and those of config.yaml.

use super::Agent;
use crate::{
    error::Error,
    model::{AgentSettings, Id, OutputFormat, PromptBy, nearest},
};

/// The agents of a project.
#[derive(Clone, Debug, PartialEq)]
pub struct Agents {
    agents: Vec<Agent>,
}

impl Agents {
    /// The agents we know, with what config.yaml changes and adds.
    pub fn new<'a>(settings: impl IntoIterator<Item = (&'a str, &'a AgentSettings)>) -> Self {
        let mut agents = vec![claude(), codex(), gemini()];
        for (name, settings) in settings {
            let at = agents.iter().position(|agent| agent.name == name).unwrap_or_else(|| {
                agents.push(Agent { name: name.into(), ..Agent::default() });
                agents.len() - 1
            });
            agents[at].change(settings);
        }
        Self { agents }
    }

    /// The agent of that name, which `step` wants.
    ///
    /// # Errors
    /// `AgentUnknown`, with the nearest name.
    pub fn expect(&self, name: &str, step: &Id) -> Result<&Agent, Error> {
        self.find(name).ok_or_else(|| Error::AgentUnknown {
            step: step.clone(),
            agent: name.into(),
            nearest: nearest(name, self.names().chain(["shell"])),
            known: self.names().map(str::to_owned).collect(),
        })
    }

    /// The agent of that name, where what is wrong without one is said elsewhere.
    pub fn find(&self, name: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.name == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Agent> {
        self.agents.iter()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.agents.iter().map(|agent| agent.name.as_str())
    }
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn claude() -> Agent {
    Agent {
        name: "claude-code".into(),
        command: words("claude -p --permission-mode acceptEdits --output-format stream-json --verbose"),
        output: OutputFormat::Claude,
        resume: words("--resume {session}"),
        open: words("claude {args} --resume {session}"),
        model_flag: Some("--model".into()),
        budget_flag: Some("--max-budget-usd".into()),
        install: Some("npm install -g @anthropic-ai/claude-code".into()),
        ..Agent::default()
    }
}

fn codex() -> Agent {
    Agent {
        name: "codex".into(),
        command: words("codex exec --json --sandbox workspace-write {args} -"),
        output: OutputFormat::Codex,
        resume: words("resume {session}"),
        open: words("codex {args} resume {session}"),
        model_flag: Some("--model".into()),
        // It refuses to work where nothing can be undone; whoever wrote the plan has chosen the place.
        outside_git: words("--skip-git-repo-check"),
        install: Some("npm install -g @openai/codex".into()),
        ..Agent::default()
    }
}

fn gemini() -> Agent {
    Agent {
        name: "gemini".into(),
        command: words("gemini -o stream-json --approval-mode auto_edit --skip-trust"),
        prompt: PromptBy::Stdin,
        output: OutputFormat::Gemini,
        resume: words("--resume {session}"),
        open: words("gemini {args} --resume {session}"),
        model_flag: Some("--model".into()),
        install: Some("npm install -g @google/gemini-cli".into()),
        ..Agent::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_changes_and_adds() {
        let own = AgentSettings { command: Some(words("my-claude -p")), ..AgentSettings::default() };
        let new = AgentSettings { command: Some(words("aider")), ..AgentSettings::default() };
        let agents = Agents::new([("claude-code", &own), ("aider", &new)]);
        assert_eq!(agents.names().collect::<Vec<_>>(), ["claude-code", "codex", "gemini", "aider"]);
        let step: Id = "a".parse().unwrap();
        let claude = agents.expect("claude-code", &step).unwrap();
        assert_eq!((claude.program(), claude.output), ("my-claude", OutputFormat::Claude));
        assert_eq!(agents.expect("aider", &step).unwrap().output, OutputFormat::Text);
        let error = agents.expect("claude-cod", &step).unwrap_err();
        assert_eq!(error.hint().as_deref(), Some("did you mean `claude-code`?"));
    }
}
