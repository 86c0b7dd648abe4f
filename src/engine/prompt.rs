//! Prompts: showing them, and where a new text goes.

use std::{
    fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Component, Path, PathBuf},
};

use serde_json::{Value, json};

use super::{brief, output::PromptText, view::View};
use crate::{
    action::{Action, NewPrompt, Txn, prompt},
    error::Error,
    model::{Resolved, Step},
    store::{Paths, Prompt, file, read_prompt, sha256},
};

/// A prompt file as it shall be.
pub(super) struct PromptFile {
    /// Where it goes, from `.threados/`.
    pub(super) place: PathBuf,
    pub(super) text: Vec<u8>,
    /// The mode of what stands there.
    mode: u32,
}

impl PromptFile {
    /// A text for a place, with the mode of what stands there.
    pub(super) fn new(paths: &Paths, place: PathBuf, text: Vec<u8>) -> Self {
        let meta = fs::metadata(paths.dir.join(&place));
        let mode = meta.map_or(0o644, |meta| meta.permissions().mode() & 0o777);
        Self { place, text, mode }
    }
}

/// The prompt of a step with where it comes from.
pub(super) fn show(paths: &Paths, view: &View, args: &prompt::Show) -> Result<PromptText, Error> {
    let step = view.sequence.expect_step(args.step.as_str())?;
    let found = read_prompt(paths, step)?
        .ok_or_else(|| Error::NoPrompt { step: step.id.clone(), has_command: step.command.is_some() })?;
    Ok(PromptText {
        step: step.id.clone(),
        source: if found.path.is_some() { "file" } else { "plan" },
        sha256: sha256(&found.bytes),
        bytes: found.bytes.len(),
        text: String::from_utf8_lossy(&found.bytes).into_owned(),
        path: found.path,
    })
}

/// What the attempt would be given if the step began now: the script or message as it stands, or an agent's compiled prompt.
pub(super) fn compile(paths: &Paths, view: &View, args: &prompt::Compile) -> Result<PromptText, Error> {
    let step = view.sequence.expect_step(args.step.as_str())?;
    let decided = view.records.get(&step.id).and_then(|record| record.decision.as_ref());
    let text = if let Some(resume) = decided.and_then(|decided| decided.resume.as_ref()) {
        resume.message.clone()
    } else {
        let shown = show(paths, view, &prompt::Show { step: step.id.clone() })?;
        if Resolved::new(&view.sequence, step).is_shell() {
            return Ok(shown);
        }
        let folder = super::agent::folder(view, step);
        brief::compile(paths, view, step, &shown.text, &folder.canonicalize().unwrap_or(folder))?
    };
    let (sha256, bytes) = (sha256(text.as_bytes()), text.len());
    Ok(PromptText { step: step.id.clone(), source: "compiled", path: None, sha256, bytes, text })
}

/// The action with the text of the file it names.
pub(super) fn filled(args: &prompt::Set, path: &Path) -> Result<Action, Error> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map_err(Error::io("read", "standard input"))?;
    } else {
        text = fs::read_to_string(path).map_err(Error::reading(path))?;
    }
    Ok(Action::PromptSet(prompt::Set { text: Some(text), file: None, ..args.clone() }))
}

/// The files that the prompts of a change go to.
pub(super) fn files(paths: &Paths, view: &View, txn: &Txn) -> Result<Vec<PromptFile>, Error> {
    let mut files: Vec<PromptFile> = Vec::new();
    for new in &txn.prompts {
        check_unchanged(paths, view, new)?;
        let Some(text) = &new.text else { continue };
        let step = txn.sequence.expect_step(new.step.as_str())?;
        let place = place(paths, step)?;
        refuse_other(paths, new, &place)?;
        files.retain(|file| file.place != place);
        files.push(PromptFile::new(paths, place, text.clone().into_bytes()));
    }
    Ok(files)
}

/// The file of a new step's prompt must not be somebody else's.
fn refuse_other(paths: &Paths, new: &NewPrompt, place: &Path) -> Result<(), Error> {
    let text = new.text.as_ref().filter(|_| new.is_new);
    match (text, file::read_if_there(&paths.dir.join(place))?) {
        (Some(text), Some(bytes)) if bytes != text.as_bytes() => {
            Err(Error::PromptTaken { step: new.step.clone(), path: paths.show(&paths.dir.join(place)).to_string().into() })
        }
        _ => Ok(()),
    }
}

/// Prompts are read by whoever could read them before; what is staged is private.
pub(super) fn restore_modes(paths: &Paths, files: &[PromptFile]) {
    for file in files {
        // A prompt that only its owner reads is no reason to fail a change that is made.
        let _ = fs::set_permissions(paths.dir.join(&file.place), fs::Permissions::from_mode(file.mode));
    }
}

fn check_unchanged(paths: &Paths, view: &View, new: &NewPrompt) -> Result<(), Error> {
    let Some(expected) = &new.if_unchanged else { return Ok(()) };
    let now = view.sequence.step(new.step.as_str()).map(|step| present(paths, step)).transpose()?.flatten();
    if sha256(&now.map(|prompt| prompt.bytes).unwrap_or_default()) == *expected {
        return Ok(());
    }
    Err(Error::PromptChanged { step: new.step.clone() })
}

/// The prompt as it stands, if it does.
fn present(paths: &Paths, step: &Step) -> Result<Option<Prompt>, Error> {
    match read_prompt(paths, step) {
        Err(Error::PromptNotFound { .. }) => Ok(None),
        other => other,
    }
}

/// Where the prompt file of a step is, or shall be, from `.threados/`.
fn place(paths: &Paths, step: &Step) -> Result<PathBuf, Error> {
    let Some(name) = &step.prompt_file else { return Ok(Path::new("prompts").join(format!("{}.md", step.id))) };
    let outside = || Error::FieldInvalid { field: "prompt_file", why: format!("`{name}` is outside of the project") };
    if Path::new(name).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(outside());
    }
    let Some(path) = present(paths, step)?.and_then(|prompt| prompt.path) else { return Ok(name.into()) };
    // A link is followed, so that the text goes to where it is kept.
    let (path, root) = (path.canonicalize().unwrap_or(path), paths.root.canonicalize().unwrap_or_else(|_| paths.root.clone()));
    let inside = path.strip_prefix(&root).map_err(|_| outside())?;
    Ok(inside.strip_prefix(".threados").map_or_else(|_| Path::new("..").join(inside), Path::to_path_buf))
}

/// The arguments of an action as the audit log keeps them: a prompt by its hash, since it may be long.
pub(super) fn audited(action: &Action, mut args: Value) -> Value {
    if let (Action::PromptSet(set), Some(fields)) = (action, args.as_object_mut())
        && let Some(text) = &set.text
    {
        fields.remove("text");
        fields.insert("sha256".into(), sha256(text.as_bytes()).into());
        fields.insert("bytes".into(), json!(text.len()));
    }
    if let (Action::TemplateApply(apply), Some(fields)) = (action, args.as_object_mut())
        && let Some(made) = &apply.made
    {
        fields.insert("made".into(), json!(made.ids().collect::<Vec<_>>()));
    }
    args
}
