//! What a text of sequence.yaml says.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Statuses;
use crate::model::{Id, Sequence};

/// What a text of sequence.yaml says.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The plan.
    pub sequence: Sequence,
    /// What is odd, in the order of its lines.
    pub warnings: Vec<Warning>,
    /// Where things stand.
    pub lines: Lines,
    /// Where the statuses stand; nothing where nobody asked.
    pub statuses: Option<Statuses>,
}

/// Something odd that does no harm.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Warning {
    /// From 1.
    pub line: usize,
    /// What is odd.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The lines on which steps, gates and their dependencies stand.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    nodes: HashMap<Id, Place>,
    dependencies: Vec<(Id, usize)>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    line: usize,
    first: usize,
    end: usize,
}

impl Lines {
    /// The line of a step or a gate, from 1.
    pub fn of(&self, id: &str) -> Option<usize> {
        self.nodes.get(id).map(|place| place.line)
    }

    /// The line on which a step or a gate names a dependency, from 1.
    pub fn of_dependency(&self, id: &str, dependency: &str) -> Option<usize> {
        let place = self.nodes.get(id)?;
        let named = &self.dependencies[place.first..place.end];
        named.iter().find(|(name, _)| name.as_str() == dependency).map(|(_, line)| *line)
    }

    /// Notes where `id` stands; gives the line where that name stood already.
    pub(super) fn add(&mut self, id: &Id, line: usize, dependencies: impl Iterator<Item = (Id, usize)>) -> Option<usize> {
        let first = self.dependencies.len();
        self.dependencies.extend(dependencies);
        let place = Place { line, first, end: self.dependencies.len() };
        self.nodes.insert(id.clone(), place).map(|place| place.line)
    }
}
