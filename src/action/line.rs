//! An action as a command that does the same.

use clap::{Arg, ArgAction, Command};
use serde_json::Value;

use super::{Action, camel};

impl Action {
    /// The command line that asks for it, without the project.
    pub fn command_line(&self) -> String {
        let args = self.args();
        let command = (self.spec().command)(Command::new(self.name()));
        let mut words = vec!["seqctl".to_owned()];
        words.extend(self.name().split('.').map(str::to_owned));
        let (mut places, mut last) = (Vec::new(), Vec::new());
        for arg in command.get_arguments() {
            let long = arg.get_long().map(|long| camel(&long.replace('-', "_")));
            let value = args.get(camel(arg.get_id().as_str())).or_else(|| args.get(long?));
            let values = values(value.unwrap_or(&Value::Null));
            match arg.get_long() {
                _ if values.is_empty() => {}
                Some(long) => words.extend(option(arg, long, values)),
                None if arg.is_last_set() => last.extend(values),
                None => places.extend(values),
            }
        }
        if places.iter().any(|value| value.starts_with('-')) {
            words.push("--".into());
        } else if !last.is_empty() {
            places.push("--".into());
        }
        words.extend(places.into_iter().chain(last));
        shell_words::join(words)
    }
}

/// An option with its values.
fn option(arg: &Arg, long: &str, values: Vec<String>) -> Vec<String> {
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return values.into_iter().filter(|value| value == "true").map(|_| format!("--{long}")).collect();
    }
    let values = match arg.get_value_delimiter() {
        Some(delimiter) => vec![values.join(&delimiter.to_string())],
        None => values,
    };
    let is_bare = |value: &String| value.starts_with('-') || value.is_empty() || arg.is_require_equals_set();
    let words = values
        .into_iter()
        .map(|value| if is_bare(&value) { vec![format!("--{long}={value}")] } else { vec![format!("--{long}"), value] });
    words.flatten().collect()
}

/// A value of an argument as words.
fn values(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(values).collect(),
        other => vec![other.to_string()],
    }
}
