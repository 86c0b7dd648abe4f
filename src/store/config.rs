//! config.yaml.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_yaml::Value;

use super::{
    Paths, file,
    ui::{Ui, UiSection},
    yaml,
};
use crate::{
    error::Error,
    model::{AgentSettings, CommandLine, nearest},
};

/// Sections that are set aside.
const LATER: [&str; 1] = ["chat"];

/// The keys of the file and of an agent that mean something now.
const KEYS: [&str; 5] = ["version", "status_in_file", "agents", "ui", "notify"];
const AGENT_KEYS: [&str; 8] = ["command", "prompt", "output", "resume", "open", "model_flag", "budget_flag", "install"];

/// config.yaml.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Whether outcomes are written to sequence.yaml.
    pub status_in_file: bool,
    /// How things are shown.
    pub ui: Ui,
    /// What is run when something starts to need a person.
    pub notify: Option<CommandLine>,
    /// Agents, in the order of their names.
    pub agents: BTreeMap<String, AgentSettings>,
    /// What is odd in the file.
    pub warnings: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { status_in_file: true, ui: Ui::default(), notify: None, agents: BTreeMap::new(), warnings: Vec::new() }
    }
}

/// config.yaml as it is written.
#[derive(Deserialize, JsonSchema)]
pub struct ConfigFile {
    /// Whether outcomes are written to sequence.yaml; they are where nothing is said
    #[serde(default)]
    status_in_file: Option<bool>,
    /// Agents by name, and what is different about those that are known
    #[serde(default)]
    agents: Option<BTreeMap<String, Option<AgentSection>>>,
    /// How things are shown
    #[serde(default)]
    ui: Option<UiSection>,
    /// What is run when something starts to need a person, with what it is in `THREADOS_NOTIFY_*`; it counts once the project is trusted
    #[serde(default)]
    notify: Option<CommandLine>,
    #[serde(flatten)]
    #[schemars(skip)]
    others: BTreeMap<String, Value>,
}

#[derive(Deserialize, JsonSchema)]
struct AgentSection {
    #[serde(flatten)]
    settings: AgentSettings,
    #[serde(flatten)]
    #[schemars(skip)]
    others: BTreeMap<String, Value>,
}

impl Config {
    /// config.yaml of a project; the defaults where there is none.
    ///
    /// # Errors
    /// `Yaml` and its kin for a file that cannot be used.
    pub fn read(paths: &Paths) -> Result<Self, Error> {
        let path = paths.config();
        let bytes = file::read_up_to(&path, yaml::SIZE_LIMIT)?.unwrap_or_default();
        let Some(sections) = yaml::typed::<ConfigFile>(&bytes, &path, "sections like `agents:`")? else {
            return Ok(Self::default());
        };
        Self::check(sections).map_err(|why| Error::FileUnusable { path, why })
    }

    fn check(sections: ConfigFile) -> Result<Self, String> {
        let mut warnings = unknown("", sections.others.keys(), &[&KEYS[..], &LATER[..]].concat());
        let mut agents = BTreeMap::new();
        for (name, section) in sections.agents.unwrap_or_default() {
            if name == "shell" || name.is_empty() || name.contains('/') {
                return Err(format!("`{name}` cannot be the name of an agent"));
            }
            let Some(section) = section else { return Err(format!("the agent `{name}` has nothing below it")) };
            warnings.extend(unknown(&format!("agents: {name}: "), section.others.keys(), &AGENT_KEYS));
            let is_known = ["claude-code", "codex", "gemini"].contains(&name.as_str());
            match &section.settings.command {
                None if !is_known => return Err(format!("the agent `{name}` has no `command`")),
                Some(command) if command.first().is_none_or(String::is_empty) => {
                    return Err(format!("the `command` of the agent `{name}` is empty"));
                }
                _ => {}
            }
            agents.insert(name, section.settings);
        }
        let status_in_file = sections.status_in_file.unwrap_or(true);
        let ui = sections.ui.unwrap_or_default();
        warnings.extend(unknown("ui: ", ui.others.keys(), &UiSection::KEYS));
        let is_empty = |command: &CommandLine| match command {
            CommandLine::Shell(text) => text.trim().is_empty(),
            CommandLine::Argv(words) => words.first().is_none_or(String::is_empty),
        };
        if sections.notify.as_ref().is_some_and(is_empty) {
            return Err("`notify` is empty".into());
        }
        Ok(Self { status_in_file, ui: ui.into_ui()?, notify: sections.notify, agents, warnings })
    }
}

fn unknown<'a>(place: &str, keys: impl Iterator<Item = &'a String>, known: &[&str]) -> Vec<String> {
    keys.filter(|key| !known.contains(&key.as_str()) && !key.starts_with("x-"))
        .map(|key| {
            let meant = nearest(key, known.iter().copied()).map_or(String::new(), |name| format!("; did you mean `{name}`?"));
            format!("config.yaml: {place}unknown key `{key}`{meant}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{OutputFormat, PromptBy},
        store::{Color, FirstView},
    };

    fn read(text: &str) -> Result<Config, String> {
        let sections: ConfigFile = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        Config::check(sections)
    }

    #[test]
    fn agents() {
        let config = read(
            "status_in_file: false\nchat: {provider: x}\nagents:\n  mine:\n    command: [my-agent, -p]\n    prompt: file\n    \
             output: claude\n  codex: {install: brew install codex}\n",
        )
        .unwrap();
        assert!(!config.status_in_file);
        assert_eq!(config.warnings, [""; 0]);
        let mine = &config.agents["mine"];
        assert_eq!((mine.prompt, mine.output), (Some(PromptBy::File), Some(OutputFormat::Claude)));
        assert_eq!(config.agents["codex"].command, None);
    }

    #[test]
    fn how_things_are_shown_and_who_is_told() {
        let config = read(
            "notify: [notify-send, now]\nui:\n  ascii: true\n  animate: false\n  bell: false\n  view: list\n  keys: {run: x, stop: [s, ctrl-s], quit: []}\n  \
             theme: {running: 214, done: '#00ff00'}\n",
        )
        .unwrap();
        assert_eq!(config.notify, Some(CommandLine::Argv(vec!["notify-send".into(), "now".into()])));
        let ui = config.ui;
        assert_eq!((ui.is_ascii, ui.is_animated, ui.has_mouse, ui.view), (true, false, true, Some(FirstView::List)));
        assert_eq!((ui.has_bell, ui.has_title), (false, true));
        assert_eq!((&ui.keys["run"][..], ui.keys["stop"].len(), ui.keys["quit"].len()), (&["x".to_owned()][..], 2, 0));
        assert_eq!((ui.theme["running"], ui.theme["done"]), (Color::Number(214), Color::Rgb(0, 255, 0)));
        assert_eq!(read("ui: {asci: true}").unwrap().warnings, ["config.yaml: ui: unknown key `asci`; did you mean `ascii`?"]);
        assert_eq!(read("notify: ''").unwrap_err(), "`notify` is empty");
        assert_eq!(read("ui: {keys: {run: ''}}").unwrap_err(), "ui: keys: `run` has an empty key");
        assert!(read("ui: {theme: {done: pink}}").unwrap_err().contains("`pink` is no colour"));
        assert!(read("ui: {view: tree}").unwrap_err().contains("unknown variant `tree`"));
    }

    #[test]
    fn what_is_odd_is_a_warning_and_what_cannot_be_an_error() {
        let config = read("agent: {}\nx-own: 1\nagents: {a: {command: [a], modelflag: -m}}\n").unwrap();
        assert_eq!(
            config.warnings,
            [
                "config.yaml: unknown key `agent`; did you mean `agents`?",
                "config.yaml: agents: a: unknown key `modelflag`; did you mean `model_flag`?"
            ]
        );
        assert_eq!(read("agents: {a: {}}").unwrap_err(), "the agent `a` has no `command`");
        assert_eq!(read("agents: {shell: {command: [sh]}}").unwrap_err(), "`shell` cannot be the name of an agent");
        assert!(read("agents: {a: {command: [a], output: xml}}").unwrap_err().contains("unknown variant `xml`"));
    }
}
