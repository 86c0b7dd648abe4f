//! Steps that add and run others: they hold no slot, and have bounds of their own.

use std::{
    collections::HashSet,
    env,
    path::{Path, PathBuf},
};

use super::{caller::Caller, view::View};
use crate::{
    action::{Action, fields::Fields, step::Edit},
    error::Error,
    model::{Id, Node, Orchestrator, Sequence, Step},
    runner::{Spec, scheduler::NESTING},
    store::Confirmed,
};

/// How many orchestrators of one depth may run at once. Each depth has its own bound: those above wait for those below.
const AT_ONCE: usize = 4;

impl View {
    /// How deep an orchestrator is nested, 1 where no other one added it; nothing for any other node.
    pub(super) fn depth(&self, at: usize) -> Option<usize> {
        let Node::Step(step) = self.graph.node(at) else { return None };
        let step = &self.sequence.steps[step];
        step.is_orchestrator().then(|| self.confirmed().depth(&step.id) + 1)
    }

    /// Whether one of the steps is an orchestrator.
    pub(super) fn orchestrates(&self, steps: &[Id]) -> bool {
        steps.iter().filter_map(|id| self.step(id)).any(Step::is_orchestrator)
    }

    /// How many more orchestrators of each depth may start, beside those that are about to.
    pub(super) fn orchestrators_left(&self, starting: &[usize]) -> [usize; NESTING] {
        let mut left = [AT_ONCE; NESTING];
        let held = self.leases.iter().filter(|(_, lease)| lease.is_held);
        let running = held.filter_map(|(id, _)| self.graph.find(id.as_str()));
        for depth in running.chain(starting.iter().copied()).filter_map(|at| self.depth(at)) {
            let left = &mut left[depth.min(NESTING) - 1];
            *left = left.saturating_sub(1);
        }
        left
    }
}

/// Refuses orchestrators that are nested too deep.
pub(super) fn check_nesting(view: &View, caller: &Caller, after: &Sequence) -> Result<(), Error> {
    let Some(by) = caller.step_id() else { return Ok(()) };
    let is_fresh = |step: &&Step| !view.step(&step.id).is_some_and(Step::is_orchestrator);
    let depth = |step: &Step| {
        let is_there = view.step(&step.id).is_some();
        if is_there { view.confirmed().depth(&step.id) + 1 } else { view.confirmed().depth(&by) + 2 }
    };
    match after.steps.iter().filter(|step| step.is_orchestrator()).filter(is_fresh).find(|step| depth(step) > NESTING) {
        Some(step) => Err(Error::Denied {
            why: format!("`{}` would be an orchestrator {} deep, and {NESTING} is the most", step.id, depth(step)),
            rule: "orchestrators",
        }),
        None => Ok(()),
    }
}

/// The actions, and what says in the plan which step added what they add.
pub(super) fn signed(view: &View, caller: &Caller, actions: &[Action], after: &Sequence) -> Vec<Action> {
    let Some(by) = caller.step_id() else { return actions.to_vec() };
    let unsigned = added_steps(view, after).filter(|step| step.orchestrator.is_none());
    let sign = |step: &Step| {
        let fields = Fields { orchestrator: Some(Orchestrator::By(by.clone())), ..Fields::default() };
        Action::StepEdit(Edit { id: step.id.clone(), unset: Vec::new(), fields })
    };
    actions.iter().cloned().chain(unsigned.map(sign)).collect()
}

/// What is known of additions after a change; nothing where it stays as it is. The plan has no room for both who added an
/// orchestrator and that it is one, and people may write into it.
pub(super) fn added(view: &View, caller: &Caller, after: &Sequence) -> Option<Confirmed> {
    let fresh: Vec<Id> = added_steps(view, after).map(|step| step.id.clone()).collect();
    // A new step of an old name is nobody's addition.
    let is_news =
        !fresh.is_empty() && (caller.step.is_some() || fresh.iter().any(|step| view.confirmed().added.contains_key(step)));
    if !is_news {
        return None;
    }
    let mut known = view.confirmations();
    for step in fresh {
        match caller.step_id() {
            Some(by) => known.added.insert(step, by),
            None => known.added.remove(&step),
        };
    }
    let there: HashSet<&Id> = after.steps.iter().map(|step| &step.id).collect();
    known.retain(|step| there.contains(step));
    Some(known)
}

fn added_steps<'a>(view: &View, after: &'a Sequence) -> impl Iterator<Item = &'a Step> {
    after.steps.iter().filter(|step| view.graph.find(step.id.as_str()).is_none())
}

/// Lets a step find this very `seqctl` by its name, and everything else where it was.
pub(super) fn put_on_path(spec: &mut Spec) {
    let Ok(program) = env::current_exe() else { return };
    let usual = || env::var("PATH").unwrap_or_default();
    let path = spec.env.get("PATH").cloned().unwrap_or_else(usual);
    if let Some(path) = with_program(&path, &program) {
        spec.env.insert("PATH".into(), path);
    }
}

/// A search path on which `program` is the first of its name; nothing where it is already. Its folder comes as late as
/// that allows, since there may be other things in it.
fn with_program(path: &str, program: &Path) -> Option<String> {
    let (folder, name) = (program.parent()?, program.file_name()?);
    let folders: Vec<PathBuf> = env::split_paths(path).collect();
    let first = folders.iter().position(|folder| folder.join(name).is_file());
    if first.is_some_and(|at| folders[at].join(name).canonicalize().ok() == program.canonicalize().ok()) {
        return None;
    }
    let mut folders = folders;
    folders.insert(first.unwrap_or(folders.len()), folder.to_owned());
    env::join_paths(folders).ok()?.into_string().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_very_program_is_found_and_nothing_else_moves() {
        let base = tempfile::tempdir().unwrap();
        let [ours, theirs, other] = ["ours", "theirs", "other"].map(|name| base.path().join(name));
        for folder in [&ours, &theirs, &other] {
            fs::create_dir(folder).unwrap();
        }
        for folder in [&ours, &theirs] {
            fs::write(folder.join("seqctl"), "").unwrap();
        }
        let join = |folders: &[&PathBuf]| env::join_paths(folders).unwrap().into_string().unwrap();
        let program = ours.join("seqctl");
        assert_eq!(with_program(&join(&[&other]), &program), Some(join(&[&other, &ours])));
        assert_eq!(with_program(&join(&[&other, &theirs]), &program), Some(join(&[&other, &ours, &theirs])));
        assert_eq!(with_program(&join(&[&other, &ours, &theirs]), &program), None);
        std::os::unix::fs::symlink(&program, other.join("seqctl")).unwrap();
        assert_eq!(with_program(&join(&[&other]), &program), None, "a link to it is as good");
    }
}
