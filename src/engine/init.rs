//! Making a project.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    call::Engine,
    caller::{Caller, Consent},
    output::Output,
    template::filled,
    transact::entry,
};
use crate::{
    action::{Action, project::Init, template::Apply},
    audit::Log,
    clock,
    error::Error,
    model::Sequence,
    store::{FileId, Paths, ProjectLock, Stamp, file, sha256, yaml},
};

const IGNORED: &str = "runs/\nstate/\naudit.log\naudit-*.log\naudit.torn\nmprocs.yaml\n";

const POLICY: &str = "\
# What may run in this project. Only people edit this file.
version: \"1.0\"
mode: SAFE              # SAFE asks before it runs anything, POWER only before it destroys
max_concurrent: 5       # attempts at once in the whole project
# allowed_commands: [make, cargo, git]     # empty: all
# allowed_cwd: [./**]                      # globs, from the project root
# forbidden_patterns: ['rm\\s+-rf\\s+/']    # regular expressions on the text to be run
";

/// Tells editors with a YAML language server what the file may say.
const MODELINE: &str = "# yaml-language-server: $schema=schema.json\n";

const EXAMPLE: &str = "\
# The plan. Edit it by hand or with `seqctl`; comments and layout stay as they are.
version: \"1.0\"
name: NAME

steps:
  - id: hello
    command: echo \"hello from seqctl\"

  - id: build
    command: echo building && sleep 1
    depends_on: [hello]

  - id: test
    command: echo testing && sleep 1
    depends_on: [build]
";

impl Engine {
    /// Makes a project in `root` out of a plan's text. Nothing that is there is written over.
    pub fn make(root: &Path, text: &str, policy: &str, caller: &Caller) -> Result<Output, Error> {
        let paths = Paths::at(root);
        if paths.sequence().exists() {
            return Err(Error::ProjectExists { path: root.into() });
        }
        let prompts = paths.dir.join("prompts");
        fs::create_dir_all(&prompts).map_err(Error::io("make the folder", &prompts))?;
        paths.make_folders()?;
        let _lock = ProjectLock::take(&paths)?;
        let mut files = Vec::new();
        let plan = paths.sequence();
        let schema = schema_text()?;
        for (path, text) in [
            (paths.dir.join(".gitignore"), IGNORED),
            (paths.policy(), policy),
            (paths.schema(), schema.as_str()),
            (plan.clone(), text),
        ] {
            if path.exists() {
                continue;
            }
            fs::write(&path, text).map_err(Error::io("write", &path))?;
            files.push(paths.show(&path).to_string());
        }
        if files.contains(&paths.show(&paths.policy()).to_string()) && !paths.config().exists() {
            // It is ours: nobody else had a say in it. Where it cannot be remembered, SAFE holds.
            let _ = super::trust::grant(&paths);
        }
        let sha = sha256(text.as_bytes());
        let mut log = Log::open(&paths.audit())?;
        let mut line = entry(caller, "init", None, json!({"files": files}));
        line.post_sha = Some(sha.clone());
        log.append(line, true)?;
        if FileId::of(&plan).is_some()
            && let Some(stamp) = Stamp::take(&plan, sha)
        {
            stamp.write(&paths)?;
        }
        file::sync_folder(&paths.dir)?;
        Ok(Output::Made { path: paths.dir, files })
    }

    /// Writes the schema of sequence.yaml to where editors look for it.
    pub(super) fn write_schema(&self) -> Result<PathBuf, Error> {
        let path = self.paths().schema();
        fs::write(&path, schema_text()?).map_err(Error::io("write", &path))?;
        Ok(path)
    }

    /// Makes a project in `root`.
    pub fn init(root: &Path, args: &Init, caller: &Caller) -> Result<Output, Error> {
        let folder = root.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = args.name.clone().or(folder).unwrap_or_else(|| "sequence".into());
        let template = args.template.as_ref().map(|name| Apply { name: name.clone(), ..Apply::default() });
        // What cannot be made at all leaves nothing behind.
        let template = template.map(|apply| filled(Some(&Paths::at(root)), &Action::TemplateApply(apply))).transpose()?;
        let text = if args.empty || template.is_some() {
            let mut sequence = Sequence { name: Some(name), ..Sequence::default() };
            sequence.metadata.created_at = Some(clock::stamp());
            format!("{MODELINE}{}", yaml::render(&sequence)?)
        } else {
            let name = serde_json::to_string(&name).map_err(|error| Error::internal(error.to_string()))?;
            format!("{MODELINE}{}", EXAMPLE.replace("NAME", &name))
        };
        let made = Self::make(root, &text, POLICY, caller)?;
        if let Some(apply) = template {
            Self::new(Paths::at(root)).change(caller, &[apply], None, Consent::None)?;
        }
        Ok(made)
    }
}

fn schema_text() -> Result<String, Error> {
    let text = serde_json::to_string_pretty(&yaml::schema()).map_err(|error| Error::internal(error.to_string()))?;
    Ok(text + "\n")
}
