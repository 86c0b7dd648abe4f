//! `prompt edit`: a person's editor on a copy of a prompt.

use std::{
    env, fs,
    io::{self, IsTerminal as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use super::Session;
use crate::{
    action::{Action, prompt},
    client::{Output, Reply},
    clock,
    error::Error,
    model::Id,
};

/// The SHA-256 of nothing, which is what a prompt has that is not there.
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

impl Session<'_> {
    /// Opens the prompt of `step` in an editor and writes what was saved.
    pub(super) fn edit_prompt(&self, step: &Id) -> Result<ExitCode, Error> {
        if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
            return Err(Error::EditorFailed { why: "wants a terminal".into(), kept: None });
        }
        let (before, sha) = match self.call(&Action::PromptShow(prompt::Show { step: step.clone() })) {
            Ok(reply) => match reply.output {
                Output::Prompt(prompt) => (prompt.text, prompt.sha256),
                _ => return Err(Error::internal("a prompt is answered with a prompt")),
            },
            Err(Error::NoPrompt { .. } | Error::PromptNotFound { .. }) => (String::new(), NOTHING.to_owned()),
            Err(error) => return Err(error),
        };
        let copy = Copy::make(step, &before)?;
        let after = copy.edited()?;
        if after == before {
            copy.remove();
            let output = Output::Changed { changes: Vec::new() };
            if !self.printer.is_json() {
                self.printer.note(&format!("the prompt of `{step}` stays as it is"));
            }
            return self.printer.reply(&Reply {
                action: "prompt.set",
                revision: None,
                output,
                warnings: Vec::new(),
                next: Vec::new(),
            });
        }
        let set = prompt::Set { step: step.clone(), text: Some(after), file: None, if_unchanged: Some(sha) };
        match self.call(&Action::PromptSet(set)) {
            Ok(reply) => {
                copy.remove();
                self.printer.reply(&reply)
            }
            // What was typed is not thrown away.
            Err(error) => {
                self.printer.note(&format!("your text is in {}", copy.path.display()));
                Err(error)
            }
        }
    }
}

/// A copy of a prompt, in a folder of its own.
struct Copy {
    folder: PathBuf,
    path: PathBuf,
}

impl Copy {
    fn make(step: &Id, text: &str) -> Result<Self, Error> {
        let folder = env::temp_dir().join(format!("seqctl-{}", clock::nonce()));
        fs::DirBuilder::new().mode(0o700).create(&folder).map_err(Error::io("make the folder", &folder))?;
        let path = folder.join(format!("{step}.md"));
        fs::write(&path, text).map_err(Error::io("write", &path))?;
        Ok(Self { folder, path })
    }

    /// What the editor left in it.
    fn edited(&self) -> Result<String, Error> {
        let failed = |why: String| Error::EditorFailed { why, kept: None };
        let status = editor(&self.path).status().map_err(|error| failed(format!("cannot be started: {error}")))?;
        if !status.success() {
            return Err(Error::EditorFailed {
                why: format!("ended with {status}; nothing was changed"),
                kept: Some(self.path.clone()),
            });
        }
        fs::read_to_string(&self.path).map_err(Error::reading(&self.path))
    }

    fn remove(&self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The person's editor on a file; its name may have arguments.
fn editor(path: &Path) -> Command {
    let set = ["VISUAL", "EDITOR"].iter().find_map(|name| env::var(name).ok().filter(|value| !value.trim().is_empty()));
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("{} \"$@\"", set.as_deref().unwrap_or("vi"))).arg("editor").arg(path);
    command
}
