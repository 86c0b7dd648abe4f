//! One thing that was looked at, and looking at all of them.

use schemars::JsonSchema;
use serde::Serialize;

use super::{machine, project, tools};
use crate::store::Paths;

/// How something is.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Ok,
    /// It works, but not as well as it could.
    Warning,
    /// Nothing can run, or nothing is safe.
    Broken,
}

/// One thing that was looked at.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What was looked at, in a word.
    pub name: String,
    /// How it is.
    pub health: Health,
    /// What was found, in one sentence.
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Check {
    pub(super) fn ok(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.into(), health: Health::Ok, text: text.into(), hint: None }
    }

    pub(super) fn warning(name: &str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name: name.into(), health: Health::Warning, text: text.into(), hint: Some(hint.into()) }
    }

    pub(super) fn broken(name: &str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name: name.into(), health: Health::Broken, text: text.into(), hint: Some(hint.into()) }
    }
}

/// Looks at everything; at less where there is no project.
pub fn doctor(paths: Option<&Paths>) -> Vec<Check> {
    let mut checks = vec![machine::terminal(), machine::colours(), machine::unicode()];
    let view = paths.map(crate::engine::View::load);
    checks.extend(tools::agents(view.as_ref().and_then(|view| view.as_ref().ok())));
    checks.push(tools::git(paths));
    checks.push(tools::mprocs());
    checks.push(machine::watches());
    checks.push(machine::linger());
    match (paths, &view) {
        (Some(paths), Some(view)) => checks.extend(project::all(paths, view)),
        _ => checks.push(Check::warning(
            "project",
            "there is none in this folder or above",
            "make one with `seqctl init`, or look at another with `--project DIR`",
        )),
    }
    checks
}
