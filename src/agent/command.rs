//! An agent's command line.

use std::path::Path;

use crate::{
    error::Error,
    model::{AgentSettings, OutputFormat, PromptBy},
};

/// Where the arguments of an order stand in a command.
const ARGS: &str = "{args}";

/// An agent: how it is started and how its output is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agent {
    /// Its name in the plan.
    pub name: String,
    /// The program and its arguments; `{args}` is where those of an order go, else the end.
    pub command: Vec<String>,
    /// How it gets its prompt.
    pub prompt: PromptBy,
    /// How its standard output is read.
    pub output: OutputFormat,
    /// Arguments that make it go on with a session; empty where it cannot.
    pub resume: Vec<String>,
    /// What opens a session for a person: the program and its arguments; empty where it cannot.
    pub open: Vec<String>,
    /// The argument before the name of its own model.
    pub model_flag: Option<String>,
    /// The argument before the most it may cost.
    pub budget_flag: Option<String>,
    /// Arguments it needs outside a git repository.
    pub outside_git: Vec<String>,
    /// How people install it.
    pub install: Option<String>,
}

/// What is wanted of an agent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Order<'a> {
    /// Its own model.
    pub model: Option<&'a str>,
    /// The most it may cost, in US dollars.
    pub max_cost_usd: Option<f64>,
    /// What the plan adds to the command line.
    pub args: &'a [String],
    /// The session it goes on with.
    pub session: Option<&'a str>,
    /// Whether it works in a git repository.
    pub is_in_git: bool,
    /// The prompt.
    pub prompt: &'a str,
    /// The file with the prompt.
    pub prompt_file: Option<&'a Path>,
}

impl Agent {
    /// Takes over what `settings` says.
    pub(super) fn change(&mut self, settings: &AgentSettings) {
        let AgentSettings { command, prompt, output, resume, open, model_flag, budget_flag, install } = settings.clone();
        if let Some(command) = command {
            // The same program for a person.
            if let (Some(opened), Some(program)) = (self.open.first_mut(), command.first()) {
                opened.clone_from(program);
            }
            self.command = command;
        }
        if let Some(open) = open {
            self.open = open;
        }
        self.prompt = prompt.unwrap_or(self.prompt);
        self.output = output.unwrap_or(self.output);
        if let Some(resume) = resume {
            self.resume = resume;
        }
        self.model_flag = model_flag.or_else(|| self.model_flag.take());
        self.budget_flag = budget_flag.or_else(|| self.budget_flag.take());
        self.install = install.or_else(|| self.install.take());
    }

    /// The program that has to be there.
    pub fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// The command line for an order.
    ///
    /// # Errors
    /// `AgentUnable` for what the agent has no argument for.
    pub fn argv(&self, order: &Order<'_>) -> Result<Vec<String>, Error> {
        let unable = |what, key| Error::AgentUnable { agent: self.name.clone(), what, key };
        let mut args: Vec<String> = Vec::new();
        if !order.is_in_git {
            args.extend(self.outside_git.iter().cloned());
        }
        if let Some(model) = order.model {
            let flag = self.model_flag.as_ref().ok_or_else(|| unable("takes no model", "model_flag"))?;
            args.extend([flag.clone(), model.into()]);
        }
        if let (Some(cost), Some(flag)) = (order.max_cost_usd, &self.budget_flag) {
            args.extend([flag.clone(), cost.to_string()]);
        }
        args.extend(order.args.iter().cloned());
        if let Some(session) = order.session {
            if self.resume.is_empty() {
                return Err(unable("cannot go on with a session", "resume"));
            }
            args.extend(self.resume.iter().map(|word| word.replace("{session}", session)));
        }
        let at = self.command.iter().position(|word| word == ARGS);
        let (before, after) = self.command.split_at(at.unwrap_or(self.command.len()));
        let mut argv: Vec<String> = [before, &args, after.get(1..).unwrap_or_default()].concat();
        match self.prompt {
            PromptBy::Stdin => {}
            PromptBy::Arg => fill(&mut argv, "{prompt}", order.prompt),
            PromptBy::File => fill(&mut argv, "{prompt_file}", &order.prompt_file.unwrap_or(Path::new("")).to_string_lossy()),
        }
        Ok(argv)
    }
}

impl Agent {
    /// The command line that opens a session for a person. What limits an attempt does not limit a person.
    ///
    /// # Errors
    /// `AgentUnable` if it has none.
    pub fn opening(&self, order: &Order<'_>) -> Result<Vec<String>, Error> {
        if self.open.is_empty() {
            return Err(Error::AgentUnable { agent: self.name.clone(), what: "cannot open a session for a person", key: "open" });
        }
        let mut args: Vec<String> = Vec::new();
        if let (Some(model), Some(flag)) = (order.model, &self.model_flag) {
            args.extend([flag.clone(), model.into()]);
        }
        args.extend(order.args.iter().cloned());
        let at = self.open.iter().position(|word| word == ARGS);
        let (before, after) = self.open.split_at(at.unwrap_or(self.open.len()));
        let words = [before, &args, after.get(1..).unwrap_or_default()].concat();
        let session = order.session.unwrap_or_default();
        Ok(words.into_iter().map(|word| word.replace("{session}", session)).collect())
    }
}

/// Puts `value` where `place` stands, else at the end.
fn fill(argv: &mut Vec<String>, place: &str, value: &str) {
    match argv.iter_mut().find(|word| word.contains(place)) {
        Some(word) => *word = word.replace(place, value),
        None => argv.push(value.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Agents;

    fn line(name: &str, order: &Order<'_>) -> String {
        let agents = Agents::new([]);
        agents.expect(name, &"a".parse().unwrap()).unwrap().argv(order).unwrap().join(" ")
    }

    #[test]
    fn command_lines() {
        let plain = Order { is_in_git: true, ..Order::default() };
        assert_eq!(line("claude-code", &plain), "claude -p --permission-mode acceptEdits --output-format stream-json --verbose");
        assert_eq!(line("codex", &plain), "codex exec --json --sandbox workspace-write -");
        assert_eq!(line("gemini", &plain), "gemini -o stream-json --approval-mode auto_edit --skip-trust");
        let args = ["--add-dir".to_owned(), "/x".to_owned()];
        let full = Order { model: Some("m"), max_cost_usd: Some(1.5), args: &args, session: Some("id"), ..Order::default() };
        assert!(line("claude-code", &full).ends_with("--verbose --model m --max-budget-usd 1.5 --add-dir /x --resume id"));
        assert_eq!(
            line("codex", &full),
            "codex exec --json --sandbox workspace-write --skip-git-repo-check --model m --add-dir /x resume id -"
        );
        assert!(line("gemini", &full).ends_with("--skip-trust --model m --add-dir /x --resume id"));
    }

    #[test]
    fn sessions_for_a_person() {
        let agents = Agents::new([]);
        let args = ["--add-dir".to_owned(), "/x".to_owned()];
        let order = Order { model: Some("m"), max_cost_usd: Some(1.5), args: &args, session: Some("id"), ..Order::default() };
        let line = |name: &str| agents.expect(name, &"a".parse().unwrap()).unwrap().opening(&order).unwrap().join(" ");
        assert_eq!(line("claude-code"), "claude --model m --add-dir /x --resume id");
        assert_eq!(line("codex"), "codex --model m --add-dir /x resume id");
        assert_eq!(line("gemini"), "gemini --model m --add-dir /x --resume id");
        let own = AgentSettings { command: Some(vec!["my-claude".into(), "-p".into()]), ..AgentSettings::default() };
        let agents = Agents::new([("claude-code", &own)]);
        let mine = agents.expect("claude-code", &"a".parse().unwrap()).unwrap();
        assert_eq!(mine.opening(&Order { session: Some("id"), ..Order::default() }).unwrap().join(" "), "my-claude --resume id");
        let error = Agent { name: "x".into(), ..Agent::default() }.opening(&order).unwrap_err();
        assert_eq!(error.to_string(), "the agent `x` cannot open a session for a person");
    }

    #[test]
    fn prompts_as_arguments() {
        let agent = |command: &[&str], prompt| Agent {
            name: "x".into(),
            command: command.iter().map(|&word| word.to_owned()).collect(),
            prompt,
            ..Agent::default()
        };
        let order = Order { prompt: "do it", prompt_file: Some(Path::new("/p.md")), ..Order::default() };
        assert_eq!(agent(&["x", "-m"], PromptBy::Arg).argv(&order).unwrap(), ["x", "-m", "do it"]);
        assert_eq!(agent(&["x", "--ask={prompt}", "-q"], PromptBy::Arg).argv(&order).unwrap(), ["x", "--ask=do it", "-q"]);
        assert_eq!(agent(&["x", "-f"], PromptBy::File).argv(&order).unwrap(), ["x", "-f", "/p.md"]);
        let error = agent(&["x"], PromptBy::Stdin).argv(&Order { session: Some("s"), ..order }).unwrap_err();
        assert_eq!(error.to_string(), "the agent `x` cannot go on with a session");
    }
}
