//! A command line that was not understood, as an error of ours.

use std::{error::Error as _, ffi::OsString};

use clap::{
    Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{error::Error, model};

/// What is wrong with a command line, and what to do about it. `words` are what was typed.
pub(super) fn explain(mistake: &clap::Error, root: &Command, words: &[OsString]) -> Error {
    let path = path(root, words);
    let argument = context(mistake, ContextKind::InvalidArg);
    let help = if path.len() > 1 {
        format!("`seqctl help {}` shows how to use it", path[1..].join(" "))
    } else {
        "`seqctl help` shows the commands".to_owned()
    };
    let usage = |what: String, hint: Option<String>| Error::Usage { what, hint: Some(hint.unwrap_or_else(|| help.clone())) };
    let meant = |kind| context(mistake, kind).first().map(|near| format!("did you mean `{near}`?"));
    let first = |list: &[String]| list.first().cloned().unwrap_or_default();
    match mistake.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = first(&context(mistake, ContextKind::InvalidSubcommand));
            let near = model::nearest(&word, verbs(root, &path).iter().map(String::as_str));
            let near = near.map(|near| format!("did you mean `{}`?", spaced(&path, &near)));
            usage(format!("there is no command `{}`", spaced(&path, &word)), near)
        }
        ErrorKind::UnknownArgument if first(&argument).starts_with('-') => {
            usage(format!("`{}` has no option `{}`", path.join(" "), first(&argument)), meant(ContextKind::SuggestedArg))
        }
        ErrorKind::UnknownArgument => {
            usage(format!("`{}` is one word too many for `{}`", first(&argument), path.join(" ")), None)
        }
        ErrorKind::MissingRequiredArgument => usage(format!("`{}` wants {}", path.join(" "), and(&argument)), None),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let verbs = verbs(root, &path);
            usage(format!("`{}` wants to know what to do", path.join(" ")), Some(format!("one of {}", verbs.join(", "))))
        }
        ErrorKind::InvalidValue => {
            let value = first(&context(mistake, ContextKind::InvalidValue));
            let known = context(mistake, ContextKind::ValidValue);
            let what = if value.is_empty() {
                format!("`{}` wants a value", first(&argument))
            } else {
                format!("`{}` does not take `{value}`", first(&argument))
            };
            let near = meant(ContextKind::SuggestedValue);
            usage(what, near.or_else(|| (!known.is_empty()).then(|| format!("one of {}", known.join(", ")))))
        }
        ErrorKind::ValueValidation => {
            let source = mistake.source();
            let ours = source.and_then(|source| source.downcast_ref::<Error>());
            let value = first(&context(mistake, ContextKind::InvalidValue));
            let why = source.map_or(String::new(), |why| format!(": {why}"));
            let what = ours.map_or_else(
                || format!("`{}` does not take `{value}`{why}", first(&argument)),
                |error| format!("`{}`: {error}", first(&argument)),
            );
            usage(what, ours.and_then(Error::hint))
        }
        ErrorKind::ArgumentConflict => {
            let others = context(mistake, ContextKind::PriorArg);
            let what = match others.first() {
                Some(other) if *other != first(&argument) => format!("`{}` and `{other}` exclude each other", first(&argument)),
                _ => format!("`{}` is given twice", first(&argument)),
            };
            usage(what, None)
        }
        _ => {
            let text = mistake.render().to_string();
            usage(text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(), None)
        }
    }
}

/// The texts that clap gives with a mistake.
fn context(mistake: &clap::Error, kind: ContextKind) -> Vec<String> {
    match mistake.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        Some(ContextValue::StyledStr(text)) => vec![text.to_string()],
        _ => Vec::new(),
    }
}

fn and(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}

fn spaced(path: &[String], word: &str) -> String {
    path[1..].iter().map(String::as_str).chain([word]).collect::<Vec<_>>().join(" ")
}

/// The command that was meant as far as it exists: `seqctl run step`.
fn path(root: &Command, words: &[OsString]) -> Vec<String> {
    let mut path = vec!["seqctl".to_owned()];
    let mut here = root;
    for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
        match here.find_subcommand(word) {
            Some(child) => {
                path.push(child.get_name().to_owned());
                here = child;
            }
            None if word == "--" => break,
            None => {}
        }
    }
    path
}

fn verbs(root: &Command, path: &[String]) -> Vec<String> {
    let found = path[1..].iter().try_fold(root, |here, name| here.find_subcommand(name));
    let names = found.into_iter().flat_map(|command| command.get_subcommands().map(|child| child.get_name().to_owned()));
    names.filter(|name| name != "help").collect()
}
