//! Templates: where they come from, and what they make.

use std::{borrow::Cow, fs, path::PathBuf};

use super::output::{TemplateRow, TemplateText};
use crate::{
    action::{Action, template::Apply},
    error::Error,
    model::nearest,
    store::{Paths, file, yaml},
    template::{BUILTIN, Made, Scope},
};

/// A template as it is written.
struct Written {
    name: String,
    /// Its file; nothing where it is one of ours.
    path: Option<PathBuf>,
    text: Cow<'static, str>,
}

impl Written {
    /// What errors call it.
    fn place(&self, paths: Option<&Paths>) -> PathBuf {
        match (&self.path, paths) {
            (Some(path), Some(paths)) => paths.show(path).to_string().into(),
            (Some(path), None) => path.clone(),
            (None, _) => format!("{}.yaml", self.name).into(),
        }
    }
}

/// Every template by its name; the user's own hide ours of the same name.
fn all(paths: Option<&Paths>) -> Result<Vec<Written>, Error> {
    let mut own = Vec::new();
    for entry in paths.and_then(|paths| fs::read_dir(paths.templates()).ok()).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()).filter(|_| is_yaml) {
            let bytes = file::read_if_there(&path)?.unwrap_or_default();
            own.push(Written { name: name.into(), text: String::from_utf8_lossy(&bytes).into_owned().into(), path: Some(path) });
        }
    }
    own.sort_by(|one, other| one.name.cmp(&other.name));
    let ours = BUILTIN.iter().filter(|(name, _)| own.iter().all(|own| own.name != *name));
    let mut found: Vec<Written> =
        ours.map(|(name, text)| Written { name: (*name).into(), path: None, text: Cow::Borrowed(text) }).collect();
    found.extend(own);
    Ok(found)
}

fn find(paths: Option<&Paths>, name: &str) -> Result<Written, Error> {
    let mut all = all(paths)?;
    if let Some(at) = all.iter().position(|template| template.name == name) {
        return Ok(all.swap_remove(at));
    }
    let nearest = nearest(name, all.iter().map(|template| template.name.as_str()));
    Err(Error::TemplateNotFound { template: name.into(), nearest })
}

/// The templates; one that is broken with what is wrong with it.
pub(super) fn list(paths: &Paths) -> Result<Vec<TemplateRow>, Error> {
    let row = |written: Written| {
        let place = written.place(Some(paths));
        let (template, problem) = match yaml::template(&written.text, &place) {
            Ok(template) => (template, None),
            Err(error) => (crate::template::Template::default(), Some(error.to_string())),
        };
        let Written { name, path, .. } = written;
        TemplateRow { name, description: template.description, path, parameters: template.parameters, problem }
    };
    Ok(all(Some(paths))?.into_iter().map(row).collect())
}

/// The text of a template.
pub(super) fn show(paths: &Paths, name: &str) -> Result<TemplateText, Error> {
    let Written { name, path, text } = find(Some(paths), name)?;
    Ok(TemplateText { name, path, text: text.into_owned() })
}

/// The action with what its template makes, so that it can be done anywhere and again.
pub(super) fn filled(paths: Option<&Paths>, action: &Action) -> Result<Action, Error> {
    match action {
        Action::TemplateApply(apply) if apply.made.is_none() => {
            let made = Some(make(paths, apply)?);
            Ok(Action::TemplateApply(Apply { made, ..apply.clone() }))
        }
        other => Ok(other.clone()),
    }
}

fn make(paths: Option<&Paths>, apply: &Apply) -> Result<Made, Error> {
    let written = find(paths, &apply.name)?;
    let place = written.place(paths);
    let template = yaml::template(&written.text, &place)?;
    let scope = Scope::bind(&apply.name, &template.parameters, &apply.given()?, apply.prefix.as_ref())?;
    let (steps, gates) = yaml::expand(&written.text, &place, &scope)?;
    Made::new(steps, gates, apply.prefix.as_ref(), &apply.after)
}
