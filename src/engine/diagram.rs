//! A graph in the languages of other tools: Mermaid and Graphviz.

use std::fmt::Write as _;

use super::graph::{GraphNode, GraphReport, NodeKind};
use crate::layout::tame;

/// The colours of statuses: fill and border, legible with dark text.
const CLASSES: &[(&str, &str, &str)] = &[
    ("READY", "#dbeafe", "#2563eb"),
    ("BLOCKED", "#f3f4f6", "#9ca3af"),
    ("RUNNING", "#fef3c7", "#d97706"),
    ("NEEDS_REVIEW", "#f3e8ff", "#9333ea"),
    ("DONE", "#dcfce7", "#16a34a"),
    ("FAILED", "#fee2e2", "#dc2626"),
    ("PENDING", "#f3e8ff", "#9333ea"),
    ("APPROVED", "#dcfce7", "#16a34a"),
    ("CLOSED", "#fee2e2", "#dc2626"),
];

/// The class of a node. A blocked gate was closed by somebody; a blocked step only waits.
fn class(node: &GraphNode) -> &'static str {
    if node.kind == NodeKind::Gate && node.status == "BLOCKED" { "CLOSED" } else { node.status }
}

/// What a node is labelled with, a line each.
fn label(node: &GraphNode) -> [String; 2] {
    let workers = node.fanout.map_or(String::new(), |workers| format!(" ×{workers}"));
    [format!("{}{workers}", tame(&node.name)), node.status.to_owned()]
}

/// A group, or nothing for who is in none, with its members and their numbers.
type Members<'a> = (Option<&'a str>, Vec<(usize, &'a GraphNode)>);

/// Every node with its group, in the order in which the groups come.
fn grouped(report: &GraphReport) -> Vec<Members<'_>> {
    let mut groups: Vec<Members<'_>> = Vec::new();
    for (at, node) in report.nodes.iter().enumerate() {
        let name = node.group.as_ref().map(crate::model::Id::as_str);
        match groups.iter_mut().find(|(other, _)| *other == name) {
            Some((_, members)) => members.push((at, node)),
            None => groups.push((name, vec![(at, node)])),
        }
    }
    groups
}

/// As a Mermaid flowchart.
pub(super) fn mermaid(report: &GraphReport) -> String {
    // Ids like `end` are words of the language, so nodes are numbered.
    let mut text = String::from("flowchart LR\n");
    for (number, (group, members)) in grouped(report).into_iter().enumerate() {
        if let Some(group) = group {
            let _ = writeln!(text, "  subgraph g{number} [\"{}\"]", mermaid_text(group));
        }
        for (at, node) in members {
            let words = label(node).map(|line| mermaid_text(&line)).join("<br/>");
            let (open, close) = match node.kind {
                NodeKind::Gate => ("{{", "}}"),
                NodeKind::Synthesiser => ("[/", "\\]"),
                NodeKind::Orchestrator => ("[[", "]]"),
                NodeKind::Watchdog => ("([", "])"),
                NodeKind::Step => ("(", ")"),
            };
            let indent = if group.is_some() { "    " } else { "  " };
            let _ = writeln!(text, "{indent}n{at}{open}\"{words}\"{close}:::{}", class(node));
        }
        if group.is_some() {
            text.push_str("  end\n");
        }
    }
    for tie in report.layout.ties() {
        let (from, to) = tie.ends();
        let arrow = if tie.kind.is_dependency() { "-->" } else { "-.->" };
        let _ = writeln!(text, "  n{from} {arrow} n{to}");
    }
    for (class, fill, line) in CLASSES {
        let _ = writeln!(text, "  classDef {class} fill:{fill},stroke:{line},color:#111827");
    }
    text
}

/// Text inside double quotes; `#` begins an entity there, and Markdown and HTML are read.
fn mermaid_text(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || " .,:;!?+-_×/".contains(c) {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}

/// As a Graphviz digraph.
pub(super) fn dot(report: &GraphReport) -> String {
    let mut text = format!("digraph {} {{\n  rankdir=LR;\n", dot_text(&tame(&report.name)));
    text.push_str("  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontcolor=\"#111827\"];\n");
    for (number, (group, members)) in grouped(report).into_iter().enumerate() {
        if let Some(group) = group {
            let _ = writeln!(text, "  subgraph cluster_{number} {{\n    label={}; style=dashed;", dot_text(group));
        }
        for (_, node) in members {
            let class = class(node);
            let (_, fill, line) = CLASSES.iter().find(|(name, ..)| *name == class).unwrap_or(&CLASSES[0]);
            let shape = match node.kind {
                NodeKind::Gate => ", shape=hexagon, style=filled, peripheries=2",
                NodeKind::Synthesiser => ", shape=invtrapezium, style=filled, orientation=270",
                NodeKind::Orchestrator => ", shape=component, style=filled",
                NodeKind::Watchdog => ", shape=ellipse, style=filled",
                NodeKind::Step => "",
            };
            let indent = if group.is_some() { "    " } else { "  " };
            let label = label(node).join("\n");
            let (id, label) = (dot_text(node.id.as_str()), dot_text(&label));
            let _ =
                writeln!(text, "{indent}{id} [label={label}, class=\"{class}\", fillcolor=\"{fill}\", color=\"{line}\"{shape}];");
        }
        if group.is_some() {
            text.push_str("  }\n");
        }
    }
    for edge in &report.edges {
        let style = if ["need", "candidate"].contains(&edge.kind) { "" } else { " [style=dotted, constraint=false]" };
        let _ = writeln!(text, "  {} -> {}{style};", dot_text(edge.from.as_str()), dot_text(edge.to.as_str()));
    }
    text.push_str("}\n");
    text
}

/// Text in double quotes.
fn dot_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_is_obeyed() {
        assert_eq!(mermaid_text("a \"b\" [c] <d> #1;`e`"), "a #34;b#34; #91;c#93; #60;d#62; #35;1;#96;e#96;");
        assert_eq!(dot_text("a \"b\" \\n\n[c]"), "\"a \\\"b\\\" \\\\n\\n[c]\"");
    }
}
