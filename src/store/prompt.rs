//! Where a step's prompt is.

use std::path::PathBuf;

use super::{Paths, file};
use crate::{error::Error, model::Step};

/// The prompt of a step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Prompt {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its file; nothing where it stands in the plan itself.
    pub path: Option<PathBuf>,
}

/// The prompt of a step: the one in the plan, else the file it names (looked up in `.threados/`,
/// then in the project root), else `prompts/<step>.md` if there is one.
pub fn read_prompt(paths: &Paths, step: &Step) -> Result<Option<Prompt>, Error> {
    if let Some(text) = &step.prompt {
        return Ok(Some(Prompt { bytes: text.clone().into_bytes(), path: None }));
    }
    let Some(name) = &step.prompt_file else {
        if step.command.is_some() {
            return Ok(None);
        }
        let path = paths.dir.join("prompts").join(format!("{}.md", step.id));
        return Ok(file::read_if_there(&path)?.map(|bytes| Prompt { bytes, path: Some(path) }));
    };
    for folder in [&paths.dir, &paths.root] {
        let path = folder.join(name);
        if let Some(bytes) = file::read_if_there(&path)? {
            return Ok(Some(Prompt { bytes, path: Some(path) }));
        }
    }
    Err(Error::PromptNotFound { step: step.id.clone(), file: name.clone() })
}
