//! Templates and groups as text for people.

use super::{
    style,
    table::{Table, tame},
};
use crate::{
    client::{GroupRow, TemplateRow},
    model::Id,
};

/// Every template with its parameters; what these are for and what they have by default with `verbose`.
pub(super) fn templates(rows: &[TemplateRow], width: Option<usize>, verbose: bool) -> String {
    let mut table = Table::default();
    for row in rows {
        let about = match &row.problem {
            Some(problem) => style::bold(&tame(problem)),
            None => row.description.as_deref().map(tame).unwrap_or_default(),
        };
        table.row([row.name.clone(), about]);
        if !verbose {
            let names: Vec<&str> = row.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
            table.row([String::new(), style::dim(&names.join(", "))]);
            continue;
        }
        for parameter in &row.parameters {
            let about = parameter.about.as_deref().map_or(String::new(), |about| format!("  {about}"));
            let default = match parameter.default.as_deref() {
                Some("") => String::new(),
                Some(default) => format!(" = {}", tame(default)),
                None => " (has to be given)".into(),
            };
            table.row([
                String::new(),
                format!("{}: {}{default}{}", parameter.name, parameter.kind.as_str(), style::dim(&tame(&about))),
            ]);
        }
    }
    table.lines("", width)
}

/// Every group with its members.
pub(super) fn groups(rows: &[GroupRow], width: Option<usize>) -> String {
    let mut table = Table::default();
    for row in rows {
        let members: Vec<&str> = row.members.iter().map(Id::as_str).collect();
        table.row([row.id.to_string(), row.fail_policy.as_str().into(), members.join(", ")]);
    }
    if table.is_empty() { "no groups: seqctl group parallelize <ids>…\n".into() } else { table.lines("", width) }
}
