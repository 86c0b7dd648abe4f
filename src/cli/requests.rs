//! What steps ask a person for, for people.

use super::{
    style,
    table::{tame, wrapped},
};
use crate::client::RequestRow;

/// Requests as text.
pub(super) fn list(requests: &[RequestRow], width: Option<usize>) -> String {
    if requests.is_empty() {
        return "no requests\n".into();
    }
    requests.iter().map(|request| row(request, width)).collect()
}

fn row(request: &RequestRow, width: Option<usize>) -> String {
    let (id, what) = (style::bold(&request.id), tame(&request.what));
    let mut text = format!("{id} {}  `{}` asks for {what} ({})\n", request.state, request.step, tame(&request.why));
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(4).max(20));
    for line in request.work.iter().flat_map(|line| wrapped(&tame(line), room)) {
        text.push_str(&format!("    {line}\n"));
    }
    let id = &request.id;
    let last = match (request.state, &request.by) {
        ("open", _) => format!("seqctl requests approve {id}, or seqctl requests deny {id}"),
        ("void", _) => {
            let changed: Vec<&str> = request.changed.iter().map(crate::model::Id::as_str).collect();
            format!("{} changed since, so this cannot be approved any more", changed.join(", "))
        }
        (_, by) => answer(request, by.as_deref().unwrap_or_default()),
    };
    text.push_str(&format!("    {}\n", style::dim(&last)));
    text
}

fn answer(request: &RequestRow, by: &str) -> String {
    let note = request.note.as_ref().map_or(String::new(), |note| format!(": {}", tame(note)));
    let run = request.done_in.as_ref().map_or(String::new(), |run| format!(", in run {run}"));
    format!("by {by}{run}{note}")
}

/// An answer that was just given.
pub(super) fn answered(request: &RequestRow) -> String {
    let run = request.done_in.as_ref().map_or(String::new(), |run| format!(", in run {run}"));
    format!("{} request {}: {}{run}\n", request.state, request.id, tame(&request.what))
}

/// A request that a step has just left.
pub(super) fn left(request: &RequestRow) -> String {
    format!("{} needs a person's word: request {} asks for it\n", tame(&request.what), request.id)
}
