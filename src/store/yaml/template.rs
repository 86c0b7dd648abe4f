//! Templates: steps and gates with placeholders, read like those of a plan once these are filled in.

use std::{borrow::Cow, path::Path};

use super::{
    build::build,
    decode::Decoder,
    field::as_bool,
    parsed::Lines,
    source::Source,
    tree::{Entry, Item, Node, Style, Value},
};
use crate::{
    error::Error,
    model::{self, Gate, Graph, Id, Sequence, Step},
    template::{Kind, Parameter, Scope, Template, whole},
};

/// The keys of a template.
const KEYS: &[&str] = &["version", "description", "parameters", "steps", "gates"];
/// The keys of a parameter.
const PARAMETER: &[&str] = &["type", "default", "about"];
/// Keys that a template's steps and gates have beside those of a plan.
const OWN: &[&str] = &["for_each", "when", "after"];
/// Names that stand for something by themselves.
const GIVEN: &[&str] = &["prefix", "item", "previous"];
/// Keys whose values are ids, where what is filled in becomes a part of one.
const IDS: &[&str] = &["id", "depends_on", "group_id", "fusion_candidates", "fusion_synth", "watchdog_for", "after"];

/// What a template says of itself.
///
/// # Errors
/// `TemplateInvalid` with the place.
pub fn template(text: &str, path: &Path) -> Result<Template, Error> {
    let source = Source::new(text, path).map_err(Error::of_template)?;
    header(&source, &root(&source).map_err(Error::of_template)?).map_err(Error::of_template)
}

/// The steps and gates that a template makes.
///
/// # Errors
/// `TemplateInvalid` with the place.
pub fn expand(text: &str, path: &Path, scope: &Scope) -> Result<(Vec<Step>, Vec<Gate>), Error> {
    let source = Source::new(text, path).map_err(Error::of_template)?;
    let root = root(&source).map_err(Error::of_template)?;
    Expansion { source: &source, scope }.all(&root).map_err(Error::of_template)
}

fn root<'t>(source: &Source<'t>) -> Result<Node<'t>, Error> {
    let wrong = |why: &str| Err(source.error(0, why, Some("`description:`, `parameters:` and `steps:`".into())));
    match build(source)? {
        Some(node) if matches!(node.value, Value::Map { .. }) => Ok(node),
        Some(node) if !node.is_null() => wrong("this is not a template"),
        _ => wrong("the file is empty"),
    }
}

fn header(source: &Source<'_>, root: &Node<'_>) -> Result<Template, Error> {
    known(source, root, KEYS, "a template")?;
    let text = |node: &Node<'_>, what: &str| {
        let wrong = || source.error(node.start, format!("`{what}` is not text"), Some("text".into()));
        node.text().map(str::to_owned).ok_or_else(wrong)
    };
    let description = root.get("description").map(|node| text(node, "description")).transpose()?;
    let mut found = Template { description, parameters: Vec::new() };
    let Some(parameters) = root.get("parameters").filter(|node| !node.is_null()) else { return Ok(found) };
    if !matches!(parameters.value, Value::Map { .. }) {
        return Err(source.error(parameters.start, "`parameters` is not a mapping", Some("`name: default` lines".into())));
    }
    for entry in parameters.entries() {
        found.parameters.push(parameter(source, entry)?);
    }
    Ok(found)
}

/// `name: default`, or `name:` with a type, a default and what it is about.
fn parameter(source: &Source<'_>, entry: &Entry<'_>) -> Result<Parameter, Error> {
    let name = entry.name().to_owned();
    if whole(&format!("{{{{{name}}}}}")).is_none() || GIVEN.contains(&name.as_str()) {
        let why = format!("`{name}` cannot be the name of a parameter");
        return Err(source.error(entry.start, why, Some("a name like `timeout`, in small letters".into())));
    }
    let is_section = matches!(entry.value.value, Value::Map { .. });
    if is_section {
        known(source, &entry.value, PARAMETER, "a parameter")?;
    }
    let default = if is_section { entry.value.get("default") } else { Some(&entry.value) };
    let kind = match is_section.then(|| entry.value.get("type")).flatten() {
        None => default.map_or(Kind::Text, inferred),
        Some(node) => node.text().and_then(Kind::parse).ok_or_else(|| {
            let expected = format!("one of {}", Kind::ALL.map(Kind::as_str).join(", "));
            source.error(node.start, format!("`{name}` has an unknown type"), Some(expected))
        })?,
    };
    let default = default.filter(|node| !node.is_null()).map(|node| {
        let text = match &node.value {
            Value::List { items, .. } => {
                items.iter().map(|item| item.node.text()).collect::<Option<Vec<_>>>().map(|list| list.join(","))
            }
            Value::Scalar { text, .. } => Some(text.trim_end().to_owned()),
            Value::Map { .. } => None,
        };
        let text = text.ok_or("text, or a list of texts").and_then(|text| kind.read(&text).map(|_| text));
        text.map_err(|expected| {
            source.error(node.start, format!("this cannot be the default of `{name}`"), Some(expected.into()))
        })
    });
    let about = if is_section { entry.value.get("about").and_then(Node::text).map(str::to_owned) } else { None };
    Ok(Parameter { name, kind, default: default.transpose()?, about })
}

/// What a default without a type is.
fn inferred(node: &Node<'_>) -> Kind {
    match &node.value {
        Value::List { .. } => Kind::List,
        _ if as_bool(node).is_some() => Kind::Flag,
        _ if node.plain().is_some_and(|text| text.parse::<u32>().is_ok()) => Kind::Number,
        _ => Kind::Text,
    }
}

/// Refuses keys that are not in `list`.
fn known(source: &Source<'_>, node: &Node<'_>, list: &[&str], what: &str) -> Result<(), Error> {
    match node.entries().iter().find(|entry| !list.contains(&entry.name()) && !entry.name().starts_with("x-")) {
        None => Ok(()),
        Some(entry) => {
            let near = model::nearest(entry.name(), list.iter().copied());
            let expected = near.map_or_else(|| format!("one of {}", list.join(", ")), |near| format!("`{near}`"));
            Err(source.error(entry.start, format!("{what} has no key `{}`", entry.name()), Some(expected)))
        }
    }
}

/// A template on its way to being steps and gates.
struct Expansion<'e, 't> {
    source: &'e Source<'t>,
    scope: &'e Scope,
}

impl<'t> Expansion<'_, 't> {
    fn all(&self, root: &Node<'t>) -> Result<(Vec<Step>, Vec<Gate>), Error> {
        header(self.source, root)?;
        let (steps, gates) = (self.records(root, "steps")?, self.records(root, "gates")?);
        let mut decoder = Decoder { source: self.source, warnings: Vec::new(), lines: Lines::default(), statuses: None };
        let mut plan = Sequence::default();
        for (node, _) in &steps {
            plan.steps.push(decoder.step(node)?);
        }
        for (node, _) in &gates {
            plan.gates.push(decoder.gate(node)?);
        }
        if let Some(warning) = decoder.warnings.first() {
            return Err(self.at_line(warning.line, warning.message.clone(), warning.hint.clone()));
        }
        for (step, (_, after)) in plan.steps.iter_mut().zip(&steps) {
            step.depends_on.extend(after.iter().cloned());
        }
        for (at, (_, after)) in gates.iter().enumerate().filter(|(_, (_, after))| !after.is_empty()) {
            put_between(&mut plan, at, after);
        }
        let lines = &decoder.lines;
        Graph::build(&plan).map_err(|error| match &error {
            Error::DependencyNotFound { id, dependency, .. } => {
                let line = lines.of_dependency(id.as_str(), dependency.as_str()).or_else(|| lines.of(id.as_str()));
                self.at_line(line.unwrap_or(1), error.to_string(), error.hint())
            }
            Error::CircularDependency { cycle, .. } => {
                let line = cycle.first().and_then(|id| lines.of(id.as_str()));
                self.at_line(line.unwrap_or(1), error.to_string(), None)
            }
            _ => self.at_line(1, error.to_string(), error.hint()),
        })?;
        Ok((plan.steps, plan.gates))
    }

    fn at_line(&self, line: usize, why: String, expected: Option<String>) -> Error {
        let excerpt = self.source.text.lines().nth(line - 1).map(|text| format!("{line:>4} | {text}"));
        Error::TemplateInvalid {
            path: self.source.path.into(),
            line,
            column: 1,
            why,
            expected,
            excerpt: excerpt.unwrap_or_default(),
        }
    }

    /// The records of a list with everything filled in, each with its `after`.
    fn records(&self, root: &Node<'t>, key: &str) -> Result<Vec<(Node<'t>, Vec<Id>)>, Error> {
        let Some(list) = root.get(key).filter(|node| !node.is_null()) else { return Ok(Vec::new()) };
        let Value::List { items, .. } = &list.value else {
            return Err(self.source.error(list.start, format!("`{key}` is not a list"), Some("`- id:` items".into())));
        };
        let mut found = Vec::new();
        for Item { node, .. } in items {
            let Some(each) = node.get("for_each") else {
                found.extend(self.record(node)?);
                continue;
            };
            let list = self.value(each)?;
            if !list.is_list() {
                return Err(self.source.error(
                    each.start,
                    "`for_each` does not name a list",
                    Some("a parameter of type list or count".into()),
                ));
            }
            let mut previous = None;
            for item in list.items() {
                let scope = self.scope.with_item(item, previous);
                found.extend(Expansion { source: self.source, scope: &scope }.record(node)?);
                previous = Some(item);
            }
        }
        Ok(found)
    }

    /// One step or gate; nothing where it is not wanted.
    fn record(&self, node: &Node<'t>) -> Result<Option<(Node<'t>, Vec<Id>)>, Error> {
        if let Some(when) = node.get("when")
            && !self.value(when)?.is_true()
        {
            return Ok(None);
        }
        let mut after = Vec::new();
        if let Some(wanted) = node.get("after") {
            let wanted = self.filled(wanted, true)?;
            let items = wanted.items().iter().map(|item| &item.node);
            for node in items.chain(wanted.text().is_some().then_some(&wanted)).filter(|node| !node.is_null()) {
                let wrong = || self.source.error(node.start, "`after` is no id", Some("an id like `build-api-2`".into()));
                after.push(node.text().and_then(|text| text.parse().ok()).ok_or_else(wrong)?);
            }
        }
        let mut filled = self.filled(node, false)?;
        if let Value::Map { entries, .. } = &mut filled.value {
            entries.retain(|entry| !OWN.contains(&entry.name()));
        }
        Ok(Some((filled, after)))
    }

    /// What a name without braces stands for.
    fn value(&self, node: &Node<'t>) -> Result<&crate::template::Value, Error> {
        let name = node.text().unwrap_or_default();
        self.scope.get(name).map_err(|nearest| self.unknown(node, name, nearest))
    }

    fn unknown(&self, node: &Node<'t>, name: &str, nearest: Option<String>) -> Error {
        let expected = nearest.map(|near| format!("`{near}`"));
        self.source.error(node.start, format!("`{name}` is no parameter of this template"), expected)
    }

    /// A copy of `node` with its placeholders filled in.
    fn filled(&self, node: &Node<'t>, is_id: bool) -> Result<Node<'t>, Error> {
        let value = match &node.value {
            Value::Scalar { text, style } => return self.scalar(node, text, *style, is_id),
            Value::List { items, is_flow } => {
                let mut filled = Vec::with_capacity(items.len());
                for item in items {
                    let nodes = self.element(&item.node, is_id)?;
                    filled.extend(nodes.into_iter().map(|node| Item { start: item.start, node }));
                }
                Value::List { items: filled, is_flow: *is_flow }
            }
            Value::Map { entries, form } => {
                let fill = |entry: &Entry<'t>| {
                    let key = self.filled(&entry.key, false)?;
                    let value = self.filled(&entry.value, IDS.contains(&entry.name()))?;
                    Ok(Entry { start: entry.start, key, colon: entry.colon, value })
                };
                Value::Map { entries: entries.iter().map(fill).collect::<Result<_, Error>>()?, form: *form }
            }
        };
        Ok(Node { start: node.start, end: node.end, is_text: node.is_text, value })
    }

    /// An element of a list: as many as the list that it names has.
    fn element(&self, node: &Node<'t>, is_id: bool) -> Result<Vec<Node<'t>>, Error> {
        let Some(text) = node.text() else { return Ok(vec![self.filled(node, is_id)?]) };
        if is_id && self.scope.lacks_previous(text) {
            return Ok(Vec::new());
        }
        let texts = self.scope.fill_each(text, is_id).map_err(|name| self.unknown_in(node, name))?;
        Ok(texts.into_iter().map(|text| Self::written(node, text, true)).collect())
    }

    fn scalar(&self, node: &Node<'t>, text: &str, style: Style, is_id: bool) -> Result<Node<'t>, Error> {
        if is_id && self.scope.lacks_previous(text) {
            return Ok(Self::written(node, String::new(), false));
        }
        let Some(name) = whole(text) else {
            let text = self.scope.fill(text, is_id).map_err(|name| self.unknown_in(node, name))?;
            let value = Value::Scalar { text: Cow::Owned(text), style };
            return Ok(Node { start: node.start, end: node.end, is_text: node.is_text, value });
        };
        let value = self.scope.get(name).map_err(|nearest| self.unknown(node, name, nearest))?;
        if value.kind() == Kind::List {
            let items = self.element(node, is_id)?.into_iter().map(|node| Item { start: node.start, node });
            let value = Value::List { items: items.collect(), is_flow: true };
            return Ok(Node { start: node.start, end: node.end, is_text: false, value });
        }
        let text = self.scope.fill(text, is_id).map_err(|name| self.unknown_in(node, name))?;
        let is_text = value.kind() == Kind::Text && !text.is_empty() && !matches!(text.as_str(), "true" | "false");
        Ok(Self::written(node, text, is_text))
    }

    fn unknown_in(&self, node: &Node<'t>, name: &str) -> Error {
        self.unknown(node, name, self.scope.get(name).err().flatten())
    }

    /// A scalar without quotes, in the place of `node`.
    fn written(node: &Node<'t>, text: String, is_text: bool) -> Node<'t> {
        let text = if text.ends_with('\n') { text.trim_end().to_owned() } else { text };
        let value = Value::Scalar { text: Cow::Owned(text), style: Style::Plain };
        Node { start: node.start, end: node.end, is_text, value }
    }
}

/// Puts a gate behind what it waits for: what waited for that waits for the gate instead.
fn put_between(plan: &mut Sequence, gate: usize, after: &[Id]) {
    let id = plan.gates[gate].id.clone();
    let lists = plan.steps.iter_mut().map(|step| &mut step.depends_on);
    let gates = plan.gates.iter_mut().filter(|other| other.id != id).map(|gate| &mut gate.depends_on);
    for list in lists.chain(gates) {
        let before = list.len();
        list.retain(|need| !after.contains(need));
        if list.len() < before && !list.contains(&id) {
            list.push(id.clone());
        }
    }
    plan.gates[gate].depends_on.extend(after.iter().cloned());
}
