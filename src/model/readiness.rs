//! Which nodes are satisfied, which may start, and what holds the others back.

use std::collections::HashMap;

use super::{FailPolicy, GateStatus, Graph, Groups, Node, Sequence, StepStatus};

/// What is known of a node apart from its dependencies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// A step that has no outcome and does not run.
    Idle,
    /// A step whose lease is held.
    Running,
    /// A step with an outcome.
    Ended(StepStatus),
    /// A gate.
    Gate(GateStatus),
}

/// Why a step cannot start now. Numbers are nodes of the graph.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Blocker {
    /// It waits for a step that has not ended.
    Step(usize),
    /// It waits for a step that failed.
    Failed(usize),
    /// It waits for a step that a person has to look at.
    Review(usize),
    /// It waits for a gate that nobody has approved.
    Gate(usize),
    /// It waits for a gate that somebody blocked.
    GateBlocked(usize),
    /// A member of its `fail_fast` group failed.
    Group(usize),
    /// It is a watchdog and starts with this step, which does not run.
    Watched(usize),
}

impl Blocker {
    /// The node it speaks of.
    pub const fn node(self) -> usize {
        match self {
            Self::Step(at)
            | Self::Failed(at)
            | Self::Review(at)
            | Self::Gate(at)
            | Self::GateBlocked(at)
            | Self::Group(at)
            | Self::Watched(at) => at,
        }
    }
}

struct Place {
    state: State,
    unmet: u32,
    is_satisfied: bool,
    group: Option<u32>,
    policy: FailPolicy,
    /// The step it is a watchdog of.
    watches: Option<u32>,
}

/// What counts of a group's members, so that nobody has to ask each of them.
#[derive(Default)]
struct Group {
    members: Vec<u32>,
    done: u32,
    /// Those whose failure keeps the others from starting.
    failed: u32,
}

/// The incremental answer: a change of one node costs what depends on it, not the whole plan.
pub struct Readiness {
    places: Vec<Place>,
    needs: Vec<Vec<u32>>,
    dependents: Vec<Vec<u32>>,
    groups: Vec<Group>,
    /// The watchdogs of each step that has any.
    watchdogs: HashMap<u32, Vec<u32>>,
}

impl Readiness {
    /// All steps idle, all gates pending.
    pub fn new(sequence: &Sequence, graph: &Graph) -> Self {
        let narrow = |nodes: Vec<usize>| nodes.into_iter().map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect();
        let known = Groups::of(sequence);
        let mut groups: Vec<Group> = known.all().iter().map(|_| Group::default()).collect();
        let mut watchdogs: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut places = Vec::with_capacity(graph.len());
        let needs: Vec<Vec<u32>> = (0..graph.len()).map(|at| narrow(graph.needs(at))).collect();
        for (at, needs) in needs.iter().enumerate() {
            let (state, group, policy) = match graph.node(at) {
                Node::Gate(_) => (State::Gate(GateStatus::Pending), None, FailPolicy::FailFast),
                Node::Step(step) => {
                    let group = known.place(step).map(|group| u32::try_from(group).unwrap_or(u32::MAX));
                    (State::Idle, group, known.policy(step))
                }
            };
            if let Some(group) = group {
                groups[group as usize].members.push(u32::try_from(at).unwrap_or(u32::MAX));
            }
            let unmet = u32::try_from(needs.len()).unwrap_or(u32::MAX);
            let watches = match graph.node(at) {
                Node::Step(step) => sequence.steps[step].watchdog_for.as_ref().and_then(|id| graph.find(id.as_str())),
                Node::Gate(_) => None,
            };
            let watches = watches.and_then(|watched| u32::try_from(watched).ok());
            if let (Some(watched), Ok(at)) = (watches, u32::try_from(at)) {
                watchdogs.entry(watched).or_default().push(at);
            }
            places.push(Place { state, unmet, is_satisfied: false, group, policy, watches });
        }
        let dependents = (0..graph.len()).map(|at| narrow(graph.dependents(at))).collect();
        Self { places, needs, dependents, groups, watchdogs }
    }

    /// Sets what is known of a node. Returns the nodes whose answer may have changed, itself
    /// first, each once.
    pub fn set(&mut self, at: usize, state: State) -> Vec<usize> {
        let mut touched = vec![at];
        if self.places[at].state == state {
            return touched;
        }
        let mut queue = vec![at];
        touched.extend(self.watchdogs(at));
        // Only through a group, a gate or who watches can a node be reached twice.
        let mut may_repeat = touched.len() > 1;
        if let Some(group) = self.replace(at, state) {
            // A sibling's end decides whether the failed ones count, and whether the idle ones may start.
            may_repeat = true;
            for &member in &self.groups[group as usize].members {
                if member as usize != at {
                    queue.push(member as usize);
                    touched.push(member as usize);
                }
            }
        }
        while let Some(here) = queue.pop() {
            let is_satisfied = self.judge(here);
            if is_satisfied == self.places[here].is_satisfied {
                continue;
            }
            self.places[here].is_satisfied = is_satisfied;
            for &next in &self.dependents[here] {
                let place = &mut self.places[next as usize];
                place.unmet = if is_satisfied { place.unmet - 1 } else { place.unmet + 1 };
                touched.push(next as usize);
                if matches!(place.state, State::Gate(_)) {
                    may_repeat = true;
                    queue.push(next as usize);
                }
            }
        }
        if may_repeat {
            let mut seen = std::collections::HashSet::new();
            touched.retain(|node| seen.insert(*node));
        }
        touched
    }

    /// Sets the state of a node. Gives its group if that makes a difference to the other members.
    fn replace(&mut self, at: usize, state: State) -> Option<u32> {
        let place = &mut self.places[at];
        let old = std::mem::replace(&mut place.state, state);
        let group = &mut self.groups[place.group? as usize];
        let before = (group.done > 0, group.failed > 0);
        let fails = |state| state == State::Ended(StepStatus::Failed) && place.policy == FailPolicy::FailFast;
        let done = |state| state == State::Ended(StepStatus::Done);
        group.done = group.done + u32::from(done(state)) - u32::from(done(old));
        group.failed = group.failed + u32::from(fails(state)) - u32::from(fails(old));
        (before != (group.done > 0, group.failed > 0)).then_some(place.group?)
    }

    fn judge(&self, at: usize) -> bool {
        let place = &self.places[at];
        match place.state {
            State::Idle | State::Running | State::Ended(StepStatus::NeedsReview) => false,
            State::Gate(status) => status == GateStatus::Approved && place.unmet == 0,
            State::Ended(StepStatus::Done) => true,
            State::Ended(_) => {
                place.policy == FailPolicy::BestEffort && place.group.is_some_and(|group| self.groups[group as usize].done > 0)
            }
        }
    }

    fn siblings(&self, at: usize) -> impl Iterator<Item = usize> {
        let members = self.places[at].group.map_or(&[][..], |group| &self.groups[group as usize].members[..]);
        members.iter().map(|&member| member as usize).filter(move |&member| member != at)
    }

    /// The sibling whose failure keeps an idle member of a `fail_fast` group from starting.
    fn failed_sibling(&self, at: usize) -> Option<usize> {
        self.places[at].group.filter(|group| self.groups[*group as usize].failed > 0)?;
        self.failed_siblings(at).next()
    }

    /// Every sibling whose failure keeps an idle member of a `fail_fast` group from starting.
    pub fn failed_siblings(&self, at: usize) -> impl Iterator<Item = usize> {
        self.siblings(at).filter(|&other| {
            self.places[other].state == State::Ended(StepStatus::Failed) && self.places[other].policy == FailPolicy::FailFast
        })
    }

    /// What a failure of the node means for its group.
    pub(super) fn policy(&self, at: usize) -> FailPolicy {
        self.places[at].policy
    }

    /// What is known of the node.
    pub fn state(&self, at: usize) -> State {
        self.places[at].state
    }

    /// Whether what depends on the node may count on it.
    pub fn is_satisfied(&self, at: usize) -> bool {
        self.places[at].is_satisfied
    }

    /// Whether everything the node depends on is satisfied.
    pub fn is_unhindered(&self, at: usize) -> bool {
        self.places[at].unmet == 0
    }

    /// The step that the node is a watchdog of.
    pub fn watched(&self, at: usize) -> Option<usize> {
        self.places[at].watches.map(|watched| watched as usize)
    }

    /// The watchdogs of a step.
    pub fn watchdogs(&self, at: usize) -> impl Iterator<Item = usize> + use<'_> {
        let found = u32::try_from(at).ok().and_then(|at| self.watchdogs.get(&at));
        found.into_iter().flatten().map(|&watchdog| watchdog as usize)
    }

    /// Whether the node is a watchdog whose step does not run.
    fn lacks_its_step(&self, at: usize) -> bool {
        self.watched(at).is_some_and(|watched| self.places[watched].state != State::Running)
    }

    /// Whether the node is an idle step that may start now.
    pub fn is_startable(&self, at: usize) -> bool {
        self.places[at].state == State::Idle
            && self.places[at].unmet == 0
            && self.failed_sibling(at).is_none()
            && !self.lacks_its_step(at)
    }

    /// A step's status, with READY and BLOCKED computed.
    pub fn status(&self, at: usize) -> StepStatus {
        match self.places[at].state {
            State::Ended(status) => status,
            State::Running => StepStatus::Running,
            State::Idle if self.is_startable(at) => StepStatus::Ready,
            State::Idle | State::Gate(_) => StepStatus::Blocked,
        }
    }

    /// What directly keeps the node from starting or, for a gate, from being satisfied.
    pub fn blockers(&self, at: usize) -> Vec<Blocker> {
        let mut found: Vec<_> = self.needs[at]
            .iter()
            .map(|&need| need as usize)
            .filter(|&need| !self.places[need].is_satisfied)
            .map(|need| match self.places[need].state {
                State::Gate(GateStatus::Blocked) => Blocker::GateBlocked(need),
                State::Gate(_) => Blocker::Gate(need),
                State::Ended(StepStatus::NeedsReview) => Blocker::Review(need),
                State::Ended(_) => Blocker::Failed(need),
                State::Idle | State::Running => Blocker::Step(need),
            })
            .collect();
        if self.places[at].state == State::Idle {
            found.extend(self.failed_sibling(at).map(Blocker::Group));
            found.extend(self.watched(at).filter(|_| self.lacks_its_step(at)).map(Blocker::Watched));
        }
        found
    }

    /// The gates and reviews that a person could decide now and that `at` waits for, directly or
    /// through steps that have not run.
    pub fn waits_for(&self, at: usize) -> Vec<usize> {
        let (mut queue, mut found) = (vec![at], Vec::new());
        let mut seen = std::collections::HashSet::new();
        while let Some(here) = queue.pop() {
            for blocker in self.blockers(here) {
                match blocker {
                    Blocker::Gate(gate) if self.places[gate].unmet == 0 => found.push(gate),
                    Blocker::Review(step) => found.push(step),
                    Blocker::Gate(next) | Blocker::Step(next) | Blocker::Watched(next) => {
                        if seen.insert(next) {
                            queue.push(next);
                        }
                    }
                    Blocker::Failed(_) | Blocker::GateBlocked(_) | Blocker::Group(_) => {}
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether `at` can never start unless somebody mends a failure or reopens a gate before it.
    pub fn is_doomed(&self, at: usize) -> bool {
        let (mut queue, mut seen) = (vec![at], std::collections::HashSet::new());
        while let Some(here) = queue.pop() {
            for blocker in self.blockers(here) {
                match blocker {
                    Blocker::Failed(_) | Blocker::GateBlocked(_) | Blocker::Group(_) => return true,
                    // What has ended is not watched any more.
                    Blocker::Watched(step) if matches!(self.places[step].state, State::Ended(_)) => return true,
                    Blocker::Gate(next) | Blocker::Step(next) | Blocker::Watched(next) => {
                        if seen.insert(next) {
                            queue.push(next);
                        }
                    }
                    Blocker::Review(_) => {}
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Gate, Step};

    fn step(id: &str, needs: &[&str]) -> Step {
        let mut step = Step::new(id.parse().unwrap());
        step.depends_on = needs.iter().map(|need| need.parse().unwrap()).collect();
        step
    }

    fn readiness(sequence: &Sequence) -> Readiness {
        Readiness::new(sequence, &Graph::build(sequence).unwrap())
    }

    /// A root has no `set` to start it, so satisfaction of nodes without needs starts false.
    #[test]
    fn a_gate_holds_and_lets_through() {
        let mut plan = Sequence { steps: vec![step("a", &[]), step("b", &["g"])], ..Sequence::default() };
        let mut gate = Gate::new("g".parse().unwrap());
        gate.depends_on = vec!["a".parse().unwrap()];
        plan.gates.push(gate);
        let mut ready = readiness(&plan);
        assert_eq!(ready.status(0), StepStatus::Ready);
        assert_eq!(ready.status(1), StepStatus::Blocked);
        assert!(ready.waits_for(1).is_empty(), "nothing to decide while `a` has not run");
        ready.set(2, State::Gate(GateStatus::Approved));
        assert_eq!(ready.status(1), StepStatus::Blocked, "approved ahead of what it depends on");
        ready.set(0, State::Ended(StepStatus::Done));
        assert_eq!(ready.status(1), StepStatus::Ready);
        ready.set(2, State::Gate(GateStatus::Pending));
        assert_eq!(ready.waits_for(1), [2]);
    }

    #[test]
    fn best_effort_needs_one_success() {
        let mut plan = Sequence { steps: vec![step("a", &[]), step("b", &[]), step("m", &["a", "b"])], ..Sequence::default() };
        for member in &mut plan.steps[..2] {
            member.group_id = Some("g".parse().unwrap());
            member.fail_policy = Some(FailPolicy::BestEffort);
        }
        let mut ready = readiness(&plan);
        ready.set(0, State::Ended(StepStatus::Failed));
        assert!(ready.is_startable(1));
        assert!(ready.is_doomed(2));
        ready.set(1, State::Ended(StepStatus::Done));
        assert!(ready.is_startable(2));
    }

    #[test]
    fn a_watchdog_starts_while_its_step_runs() {
        let mut plan = Sequence { steps: vec![step("a", &["g"]), step("dog", &[]), step("b", &["dog"])], ..Sequence::default() };
        plan.steps[1].watchdog_for = Some("a".parse().unwrap());
        plan.gates.push(Gate::new("g".parse().unwrap()));
        let mut ready = readiness(&plan);
        assert_eq!((ready.status(1), ready.blockers(1)), (StepStatus::Blocked, vec![Blocker::Watched(0)]));
        assert_eq!(ready.waits_for(2), [3], "what its step waits for");
        ready.set(3, State::Gate(GateStatus::Approved));
        assert!(!ready.is_startable(1) && !ready.is_doomed(1));
        assert!(ready.set(0, State::Running).contains(&1));
        assert!(ready.is_startable(1));
        assert!(ready.set(0, State::Ended(StepStatus::Done)).contains(&1));
        assert!(ready.is_doomed(1) && ready.is_doomed(2), "there is nothing to watch");
    }

    #[test]
    fn fail_fast_keeps_siblings_back() {
        let mut plan = Sequence { steps: vec![step("a", &[]), step("b", &[])], ..Sequence::default() };
        for member in &mut plan.steps {
            member.group_id = Some("g".parse().unwrap());
        }
        let mut ready = readiness(&plan);
        ready.set(0, State::Ended(StepStatus::Failed));
        assert_eq!(ready.blockers(1), [Blocker::Group(0)]);
        ready.set(0, State::Idle);
        assert!(ready.is_startable(1));
    }
}
