//! What a face is told of a project, and when.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    time::{Duration, Instant},
};

use threados::{
    client::{self, NeedKind, Observer, Snapshot, Subscription, Update},
    error::Error,
    model::StepStatus,
    store::Paths,
};

use crate::harness::{Test, kill};

const PLAN: &str = "\
version: \"1.0\"
steps:
  - {id: a, command: 'until [ -f go ]; do sleep 0.01; done', group_id: pair}
  - {id: b, command: 'true', group_id: pair}
  - {id: c, command: 'true', depends_on: [ship]}
gates:
  - {id: ship, depends_on: [a, b]}
";

/// A subscription and what it has told.
struct Told {
    updates: Receiver<Update>,
    _subscription: Subscription,
}

fn subscribe(test: &Test) -> Told {
    let (sender, updates) = channel();
    let subscription = client::open(Some(test.root())).unwrap().subscribe(move |update| _ = sender.send(update)).unwrap();
    Told { updates, _subscription: subscription }
}

impl Told {
    /// Waits for an update that is as wanted.
    fn until<T>(&self, what: &str, mut wanted: impl FnMut(Update) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            let left = Duration::from_mins(1).saturating_sub(begun.elapsed());
            let update = self.updates.recv_timeout(left).unwrap_or_else(|_| panic!("was not told of {what}"));
            if let Some(found) = wanted(update) {
                return found;
            }
        }
    }

    fn snapshot(&self, what: &str, wanted: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        self.until(what, |update| match update {
            Update::Changed(snapshot) if wanted(&snapshot) => Some(snapshot),
            _ => None,
        })
    }
}

fn status(snapshot: &Snapshot, id: &str) -> Option<StepStatus> {
    snapshot.status.steps.iter().find(|step| step.id.as_str() == id).map(|step| step.status)
}

/// The gates that need a person. What this test's own user has not trusted does not matter.
fn gates(snapshot: &Snapshot) -> Vec<(&str, usize)> {
    let gates = snapshot.needs.iter().filter(|need| need.kind == NeedKind::Gate);
    gates.map(|need| (need.id.as_deref().unwrap_or_default(), need.holds_up)).collect()
}

#[test]
fn a_snapshot_has_everything() {
    let test = Test::new().power().sequence(PLAN);
    test.config("ui: {ascii: true, colour: 1}\n");
    test.write("go", "");
    test.run(&["run"]).fails(9);
    let mut observer = Observer::new(Paths::at(test.root()));
    let snapshot = observer.look().unwrap();
    assert_eq!((snapshot.status.steps.len(), snapshot.status.gates.len(), snapshot.graph.len()), (3, 1, 4));
    assert_eq!((snapshot.groups.len(), snapshot.groups[0].members.len()), (1, 2));
    assert_eq!(gates(&snapshot), [("ship", 1)]);
    assert_eq!((snapshot.status.runs[0].state.as_str(), snapshot.slots), ("waiting", Some((0, 5))));
    assert!(snapshot.ui.is_ascii && snapshot.status.findings == 1 && snapshot.status.progress.is_none());
    let again = observer.look().unwrap();
    assert!(Arc::ptr_eq(&snapshot.sequence, &again.sequence) && Arc::ptr_eq(&snapshot.graph, &again.graph));
    assert_eq!(snapshot.status.steps, again.status.steps);
}

#[test]
fn every_change_is_told_whoever_makes_it() {
    let test = Test::new().power().sequence(PLAN);
    let told = subscribe(&test);
    told.snapshot("the beginning", |snapshot| snapshot.status.steps.len() == 3);
    test.run(&["step", "add", "d", "--command", "true"]).success();
    told.snapshot("a new step", |snapshot| status(snapshot, "d").is_some());
    test.write(".threados/sequence.yaml", test.plan().replace("id: d", "id: e"));
    told.snapshot("a save in an editor", |snapshot| status(snapshot, "e").is_some());
    test.config("ui: {view: list}\n");
    told.snapshot("a setting", |snapshot| snapshot.ui.view.is_some());
    test.run(&["run", "--detach"]).success();
    let running = told.snapshot("a step that runs", |snapshot| status(snapshot, "a") == Some(StepStatus::Running));
    assert!(running.status.progress.is_some() && running.slots.is_some_and(|(taken, _)| taken > 0));
    test.write("go", "");
    told.snapshot("a run that waits", |snapshot| {
        snapshot.status.runs.iter().any(|run| run.state == "waiting") && gates(snapshot) == [("ship", 1)]
    });
    test.run(&["gate", "approve", "ship"]).success();
    told.snapshot("the end", |snapshot| status(snapshot, "c") == Some(StepStatus::Done) && snapshot.status.runs.is_empty());
}

#[test]
fn a_broken_plan_is_told_with_its_line_and_mended_by_itself() {
    let test = Test::new().power().sequence(PLAN);
    let told = subscribe(&test);
    let good = told.snapshot("the beginning", |_| true);
    let plan = test.plan();
    test.write(".threados/sequence.yaml", plan.replace("group_id: pair}\n  - {id: c", "group_id: [}\n  - {id: c"));
    let error = told.until("the damage", |update| match update {
        Update::Broken(error) => Some(error),
        Update::Changed(_) => None,
    });
    assert!(matches!(*error, Error::Yaml { line: 5, .. }), "{error:?}");
    assert_eq!(good.status.steps.len(), 3);
    std::fs::remove_file(test.plan_path()).unwrap();
    told.until("the loss", |update| match update {
        Update::Broken(error) if error.to_string().contains("is missing") => Some(()),
        _ => None,
    });
    test.write(".threados/sequence.yaml", &plan);
    told.snapshot("the repair", |snapshot| snapshot.sha == good.sha);
}

#[test]
fn a_death_is_noticed_though_no_file_changes() {
    let test = Test::new().power().sequence(PLAN);
    test.run(&["run", "--detach"]).success();
    test.wait_for_status("a", "RUNNING");
    let told = subscribe(&test);
    told.snapshot("a step that runs", |snapshot| status(snapshot, "a") == Some(StepStatus::Running));
    for (pid, _) in test.processes() {
        kill(pid, rustix::process::Signal::KILL);
    }
    // Killed before it came to run anything it is READY again.
    told.snapshot("its end", |snapshot| status(snapshot, "a") != Some(StepStatus::Running));
}
