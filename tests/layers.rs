//! Keeps `use crate::…` within the layers of the architecture.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Each top-level module, and what it may name of the others.
const MAY_USE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("fault", &[]),
    ("sys", &[]),
    ("error", &["model"]),
    ("model", &["error"]),
    ("policy", &["model", "error"]),
    ("prompt", &["model"]),
    ("template", &["model", "error"]),
    ("action", &["template", "model", "error"]),
    ("layout", &["model", "error"]),
    ("agent", &["model", "error"]),
    ("audit", &["model", "error", "clock", "fault"]),
    ("store", &["template", "model", "error", "clock", "fault"]),
    ("mprocs", &["model", "error"]),
    ("runner", &["store", "agent", "model", "error", "clock", "fault", "sys"]),
    (
        "engine",
        &[
            "runner", "mprocs", "agent", "store", "audit", "layout", "action", "prompt", "template", "policy", "model", "error",
            "clock", "fault", "sys",
        ],
    ),
    ("client", &["engine", "action", "agent", "store", "audit", "model", "error"]),
    ("tui", &["client", "layout", "action", "model", "error", "clock", "sys", "fault"]),
    ("cli", &["tui", "client", "layout", "action", "model", "error", "clock", "sys"]),
];

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word(text: &str) -> &str {
    &text[..text.find(|c| !is_word(c)).unwrap_or(text.len())]
}

/// The first names of a path's rest: one, or those of a `{…}` list.
fn heads(rest: &str) -> Vec<&str> {
    let Some(list) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let (mut depth, mut start, mut heads) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                heads.push(word(list[start..at].trim_start()));
                if c == '}' {
                    break;
                }
                start = at + 1;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

/// What a source text names of the crate's top level. `depth` is how many `super::` lead there.
fn named(source: &str, depth: usize) -> BTreeSet<&str> {
    let code = source.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let roots = [("crate::".to_owned(), true), ("super::".repeat(depth), depth > 0)];
    let mut found = BTreeSet::new();
    for (root, _) in roots.iter().filter(|(_, is_used)| *is_used) {
        for (at, _) in code.match_indices(root.as_str()) {
            let line = code[..at].rsplit('\n').next().unwrap_or_default();
            let is_whole = !code[..at].ends_with(|c| is_word(c) || c == ':');
            if is_whole && !line.trim_start().starts_with("//") {
                found.extend(heads(&code[at + root.len()..]));
            }
        }
    }
    found
}

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            sources(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|end| end == "rs") {
        found.push(path.into());
    }
}

#[test]
fn no_module_reaches_above_its_layer() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut wrong = Vec::new();
    for file in &files {
        let inside: Vec<&str> = file.strip_prefix(&src).unwrap().iter().map(|part| part.to_str().unwrap()).collect();
        let layer = inside[0].trim_end_matches(".rs");
        if ["main", "lib"].contains(&layer) {
            continue;
        }
        let Some((_, may_use)) = MAY_USE.iter().find(|(name, _)| *name == layer) else {
            wrong.push(format!("`{layer}` is in no layer: give it a row"));
            continue;
        };
        let depth = inside.len() - usize::from(inside.last() == Some(&"mod.rs"));
        let source = fs::read_to_string(file).unwrap();
        let above = named(&source, depth).into_iter().filter(|name| *name != layer && !may_use.contains(name));
        wrong.extend(above.map(|name| format!("{}: `{layer}` must not use `{name}`", inside.join("/"))));
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_layers_have_an_order() {
    // Only `error` and `model` know each other.
    for (at, (name, may_use)) in MAY_USE.iter().enumerate() {
        for other in *may_use {
            let below = MAY_USE.iter().position(|(name, _)| name == other).unwrap();
            assert!(below < at || (*name, *other) == ("error", "model"), "`{name}` may not use `{other}`");
        }
    }
}

#[test]
fn every_way_of_naming_a_module_is_seen() {
    for (source, depth, wanted) in [
        ("use crate::model::Step;", 2, &["model"][..]),
        ("use crate::{\n    error::{A, B},\n    model,\n    tui::{self, x::{Y}},\n};", 2, &["error", "model", "tui"]),
        ("fn f() -> crate::error::Error { crate::sys::fork() }", 1, &["error", "sys"]),
        ("use super::super::cli::Flags;", 2, &["cli"]),
        ("use super::{Paths, file};", 2, &[]),
        ("use super::cli;", 1, &["cli"]),
        ("// crate::cli is elsewhere\n/// [`crate::cli`]", 1, &[]),
        ("use crate::model::Id;\n#[cfg(test)]\nmod tests {\n    use crate::cli::X;\n}", 1, &["model"]),
    ] {
        assert_eq!(named(source, depth).into_iter().collect::<Vec<_>>(), wanted, "{source}");
    }
}
