//! What holds a node back in the end, and the fewest acts that would let it start.

use std::collections::{BTreeSet, HashMap};

use super::{FailPolicy, GateStatus, Graph, Id, Node, Readiness, Sequence, State, Step, StepStatus};

/// Where the waiting begins: something that is not itself waiting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Root {
    /// The node.
    pub at: usize,
    /// Why it holds the others back.
    pub why: Why,
    /// What lies between the node that was asked about and this one, nearest to this one first.
    pub through: Vec<usize>,
}

/// Why a node holds others back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// It runs.
    Running,
    /// It could start and has not been.
    NotStarted,
    /// It failed.
    Failed,
    /// It ended and wants a person's eye.
    Review,
    /// It is a gate that can be decided.
    GatePending,
    /// It is a gate that somebody blocked.
    GateBlocked,
    /// It failed, and takes its `fail_fast` group with it.
    Group,
}

/// One act. Numbers are nodes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Unblocking {
    /// Wait until a running step has ended well.
    Wait(usize),
    /// Accept what a step made.
    Accept(usize),
    /// Take back that a gate was blocked.
    Reopen(usize),
    /// Run a failed step again.
    Restart(usize),
    /// Run a step.
    Run(usize),
    /// Approve a gate.
    Approve(usize),
}

impl Unblocking {
    /// The node it is done to.
    pub const fn at(self) -> usize {
        match self {
            Self::Wait(at) | Self::Accept(at) | Self::Reopen(at) | Self::Restart(at) | Self::Run(at) | Self::Approve(at) => at,
        }
    }
}

/// What holds a node back, and what would let it start.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Unblock {
    /// Where the waiting begins.
    pub roots: Vec<Root>,
    /// What has to be done, in this order, until the step can start or the gate can be decided.
    pub acts: Vec<Unblocking>,
}

/// What has to be known to find the acts.
struct Search<'a> {
    sequence: &'a Sequence,
    graph: &'a Graph,
    ready: &'a Readiness,
    /// Whether a run starts a step by itself once it can start.
    is_covered: &'a dyn Fn(usize) -> bool,
    /// What has to be satisfied, with how many approvals come before it.
    phases: HashMap<usize, usize>,
    /// In the order in which they can be satisfied.
    order: Vec<usize>,
    acts: BTreeSet<Unblocking>,
    /// Failures that keep members of their group back, so that they come first.
    first: BTreeSet<usize>,
    /// The groups in which something will have ended well, with how many approvals come before it.
    successes: HashMap<&'a Id, usize>,
    /// Whether something may have been noted for a step that is not needed in the end.
    is_doubtful: bool,
}

impl Unblock {
    /// What holds back the node `at`, an idle step or a gate that is not approved.
    pub fn find(sequence: &Sequence, graph: &Graph, ready: &Readiness, is_covered: &dyn Fn(usize) -> bool, at: usize) -> Self {
        let mut search = Search {
            sequence,
            graph,
            ready,
            is_covered,
            phases: HashMap::new(),
            order: Vec::new(),
            acts: BTreeSet::new(),
            first: BTreeSet::new(),
            successes: HashMap::new(),
            is_doubtful: false,
        };
        search.satisfy_needs(at);
        search.clear_group(at);
        let acts = search.sorted();
        let acts = search.fewest(acts, at);
        Self { roots: roots(graph, ready, at), acts }
    }

    /// Whether the node can start, or be decided, after some acts, each of which must be possible
    /// in its turn. Steps that are to run are taken to end well.
    pub fn is_enough(
        sequence: &Sequence,
        graph: &Graph,
        ready: &Readiness,
        is_covered: &dyn Fn(usize) -> bool,
        acts: &[Unblocking],
        at: usize,
    ) -> bool {
        let mut world = World::new(sequence, graph, ready, is_covered, at);
        acts.iter().all(|&act| world.perform(act)) && world.is_open(at)
    }
}

impl<'a> Search<'a> {
    /// What has to be done for everything that `at` needs. A stack of our own: plans may be deep.
    fn satisfy_needs(&mut self, at: usize) {
        let mut stack: Vec<(usize, bool)> = self.unsatisfied(at).map(|need| (need, false)).collect();
        stack.reverse();
        let mut seen = BTreeSet::new();
        while let Some((node, is_left)) = stack.pop() {
            if is_left {
                self.satisfy(node);
                continue;
            }
            if !seen.insert(node) {
                continue;
            }
            if let Some(phase) = self.made_up_for(node) {
                self.phases.insert(node, phase);
                continue;
            }
            stack.push((node, true));
            // What runs or has ended well does not wait for its needs any more.
            if !matches!(self.ready.state(node), State::Running | State::Ended(StepStatus::NeedsReview)) {
                let needs: Vec<usize> = self.unsatisfied(node).collect();
                stack.extend(needs.into_iter().rev().map(|need| (need, false)));
            }
        }
    }

    fn unsatisfied(&self, at: usize) -> impl Iterator<Item = usize> + use<> {
        let ready = self.ready;
        let needs: Vec<usize> = self.graph.needs(at).into_iter().filter(|&need| !ready.is_satisfied(need)).collect();
        needs.into_iter()
    }

    /// Takes note of what satisfies a node whose needs are satisfied.
    fn satisfy(&mut self, node: usize) {
        let approved_before = |need: usize| {
            let phase = self.phases.get(&need)?;
            Some(phase + usize::from(matches!(self.ready.state(need), State::Gate(_))))
        };
        let phase = self.graph.needs(node).into_iter().filter_map(approved_before).max().unwrap_or(0);
        if let Some(phase) = self.made_up_for(node) {
            self.is_doubtful = true;
            self.phases.insert(node, phase);
            return;
        }
        self.phases.insert(node, phase);
        self.order.push(node);
        if let Some(group) = self.step(node).and_then(|step| step.group_id.as_ref()) {
            self.successes.entry(group).or_insert(phase);
        }
        match self.ready.state(node) {
            State::Running => drop(self.acts.insert(Unblocking::Wait(node))),
            State::Ended(StepStatus::NeedsReview) => drop(self.acts.insert(Unblocking::Accept(node))),
            State::Ended(_) => {
                self.acts.insert(Unblocking::Restart(node));
                self.clear_group(node);
            }
            State::Idle => {
                self.clear_group(node);
                if !(self.is_covered)(node) {
                    self.acts.insert(Unblocking::Run(node));
                }
            }
            State::Gate(GateStatus::Approved) => {}
            State::Gate(status) => {
                if status == GateStatus::Blocked {
                    self.acts.insert(Unblocking::Reopen(node));
                }
                self.acts.insert(Unblocking::Approve(node));
            }
        }
    }

    fn step(&self, node: usize) -> Option<&'a Step> {
        match self.graph.node(node) {
            Node::Step(step) => Some(&self.sequence.steps[step]),
            Node::Gate(_) => None,
        }
    }

    /// Whether the step is of a group that may have failures.
    fn is_lenient(&self, node: usize) -> bool {
        self.ready.policy(node) == FailPolicy::BestEffort
    }

    /// How many approvals come before the success that makes a failed member of a `best_effort`
    /// group count, if there will be one.
    fn made_up_for(&self, node: usize) -> Option<usize> {
        let is_failed = self.ready.state(node) == State::Ended(StepStatus::Failed) && self.is_lenient(node);
        let group = self.step(node).filter(|_| is_failed)?.group_id.as_ref()?;
        self.successes.get(group).copied()
    }

    /// The failures that keep a member of a `fail_fast` group from starting.
    fn clear_group(&mut self, at: usize) {
        for sibling in self.ready.failed_siblings(at) {
            self.first.insert(sibling);
            self.acts.insert(Unblocking::Restart(sibling));
        }
    }

    /// In an order in which each is possible, with few changes between running and deciding.
    fn sorted(&self) -> Vec<Unblocking> {
        let places: HashMap<usize, usize> = self.order.iter().enumerate().map(|(place, &node)| (node, place)).collect();
        let key = |act: &Unblocking| {
            let at = act.at();
            let phase = self.phases.get(&at).copied().unwrap_or(0);
            let place = places.get(&at).copied().unwrap_or(0);
            match act {
                Unblocking::Wait(_) | Unblocking::Accept(_) => (0, 0, place),
                Unblocking::Restart(_) if self.first.contains(&at) || self.ready.is_unhindered(at) => (0, 1, place),
                Unblocking::Restart(_) | Unblocking::Run(_) => (phase, 2, place),
                Unblocking::Reopen(_) => (phase, 3, 2 * place),
                Unblocking::Approve(_) => (phase, 3, 2 * place + 1),
            }
        };
        let mut acts: Vec<Unblocking> = self.acts.iter().copied().collect();
        acts.sort_by_key(key);
        acts
    }

    /// Leaves out what is not needed: of a `best_effort` group one success is enough.
    fn fewest(&self, acts: Vec<Unblocking>, at: usize) -> Vec<Unblocking> {
        let is_enough =
            |acts: &[Unblocking]| Unblock::is_enough(self.sequence, self.graph, self.ready, self.is_covered, acts, at);
        let without = |acts: &[Unblocking], place: usize| {
            let mut fewer = acts.to_vec();
            fewer.remove(place);
            fewer
        };
        let is_in_doubt = |place: &usize| matches!(acts[*place], Unblocking::Restart(at) if self.is_lenient(at));
        let is_idle = |place: usize| is_enough(&without(&acts, place));
        if !self.is_doubtful && !(0..acts.len()).filter(is_in_doubt).any(is_idle) {
            return acts;
        }
        let mut kept = acts;
        // What a restart needed goes with it, so each is tried until nothing more can go.
        loop {
            let before = kept.len();
            for place in (0..before).rev() {
                let fewer = without(&kept, place);
                if is_enough(&fewer) {
                    kept = fewer;
                }
            }
            if kept.len() == before {
                return kept;
            }
        }
    }
}

/// Where the waiting for `at` begins.
fn roots(graph: &Graph, ready: &Readiness, at: usize) -> Vec<Root> {
    let mut roots = Vec::new();
    let mut seen = BTreeSet::from([at]);
    let mut parents: HashMap<usize, usize> = HashMap::new();
    let mut queue = std::collections::VecDeque::from([at]);
    while let Some(here) = queue.pop_front() {
        let siblings = ready.failed_siblings(here).map(|sibling| (sibling, true));
        let siblings: Vec<(usize, bool)> = siblings.filter(|_| ready.state(here) == State::Idle).collect();
        let needs = graph.needs(here).into_iter().filter(|&need| !ready.is_satisfied(need)).map(|need| (need, false));
        for (node, is_sibling) in needs.chain(siblings) {
            if !seen.insert(node) {
                continue;
            }
            parents.insert(node, here);
            let why = match ready.state(node) {
                _ if is_sibling => Some(Why::Group),
                State::Running => Some(Why::Running),
                State::Ended(StepStatus::NeedsReview) => Some(Why::Review),
                State::Ended(_) => Some(Why::Failed),
                State::Gate(GateStatus::Blocked) => Some(Why::GateBlocked),
                State::Gate(_) => ready.is_unhindered(node).then_some(Why::GatePending),
                State::Idle => ready.is_startable(node).then_some(Why::NotStarted),
            };
            match why {
                Some(why) => {
                    let walk = std::iter::successors(parents.get(&node), |next| parents.get(next));
                    roots.push(Root { at: node, why, through: walk.copied().filter(|&between| between != at).collect() });
                }
                None => queue.push_back(node),
            }
        }
    }
    roots
}

/// A model of the project in which acts can be tried.
struct World<'a> {
    ready: Readiness,
    graph: &'a Graph,
    is_covered: &'a dyn Fn(usize) -> bool,
    wanted: BTreeSet<usize>,
    /// What was asked about: it may be able to start, but it is not started.
    target: usize,
}

impl<'a> World<'a> {
    fn new(
        sequence: &Sequence,
        graph: &'a Graph,
        ready: &Readiness,
        is_covered: &'a dyn Fn(usize) -> bool,
        target: usize,
    ) -> Self {
        let mut copy = Readiness::new(sequence, graph);
        for at in 0..graph.len() {
            copy.set(at, ready.state(at));
        }
        let wanted = (0..graph.len()).filter(|&at| at != target && is_covered(at)).collect();
        let mut world = Self { ready: copy, graph, is_covered, wanted, target };
        world.advance();
        world
    }

    /// Whether the node can start or be decided.
    fn is_open(&self, at: usize) -> bool {
        match self.graph.node(at) {
            Node::Step(_) => self.ready.is_startable(at),
            Node::Gate(_) => self.ready.is_unhindered(at),
        }
    }

    /// Does an act, if it is possible.
    fn perform(&mut self, act: Unblocking) -> bool {
        let state = self.ready.state(act.at());
        let (is_possible, after) = match act {
            Unblocking::Wait(_) => (state == State::Running, State::Ended(StepStatus::Done)),
            Unblocking::Accept(_) => (state == State::Ended(StepStatus::NeedsReview), State::Ended(StepStatus::Done)),
            Unblocking::Reopen(_) => (state == State::Gate(GateStatus::Blocked), State::Gate(GateStatus::Pending)),
            Unblocking::Restart(_) => (state == State::Ended(StepStatus::Failed), State::Idle),
            Unblocking::Run(at) => (state == State::Idle && !(self.is_covered)(at), State::Idle),
            Unblocking::Approve(at) => {
                let is_possible = state == State::Gate(GateStatus::Pending) && self.ready.is_unhindered(at);
                (is_possible, State::Gate(GateStatus::Approved))
            }
        };
        if !is_possible {
            return false;
        }
        self.ready.set(act.at(), after);
        if matches!(act, Unblocking::Restart(_) | Unblocking::Run(_)) {
            self.wanted.insert(act.at());
        }
        self.advance();
        true
    }

    /// Everything that is to run and can start ends well.
    fn advance(&mut self) {
        loop {
            let startable: Vec<usize> = self.wanted.iter().copied().filter(|&at| self.ready.is_startable(at)).collect();
            if startable.is_empty() {
                return;
            }
            for at in startable.into_iter().filter(|&at| at != self.target) {
                self.ready.set(at, State::Ended(StepStatus::Done));
                self.wanted.remove(&at);
            }
            self.wanted.remove(&self.target);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Gate;

    fn name(at: usize) -> Id {
        format!("n{at}").parse().unwrap()
    }

    /// A node: whether it is a gate, what it needs, its group and policy, its state, whether it is covered.
    type Seed = (bool, Vec<usize>, Option<u8>, bool, u8, bool);

    fn plan(seeds: &[Seed]) -> (Sequence, Vec<State>, Vec<bool>) {
        let mut sequence = Sequence::default();
        let (mut steps, mut gates) = (Vec::new(), Vec::new());
        for (at, (is_gate, needs, group, is_lenient, state, is_covered)) in seeds.iter().enumerate() {
            let mut needs: Vec<Id> = needs.iter().filter(|_| at > 0).map(|need| name(need % at.max(1))).collect();
            needs.sort();
            needs.dedup();
            if *is_gate {
                let mut gate = Gate::new(name(at));
                gate.depends_on = needs;
                sequence.gates.push(gate);
                gates.push((State::Gate(GateStatus::ALL[usize::from(*state) % 3]), false));
            } else {
                let mut step = Step::new(name(at));
                step.depends_on = needs;
                step.group_id = group.map(|group| format!("g{}", group % 2).parse().unwrap());
                step.fail_policy = is_lenient.then_some(FailPolicy::BestEffort);
                sequence.steps.push(step);
                let states = [
                    State::Idle,
                    State::Idle,
                    State::Running,
                    State::Ended(StepStatus::Done),
                    State::Ended(StepStatus::Failed),
                    State::Ended(StepStatus::NeedsReview),
                ];
                steps.push((states[usize::from(*state) % 6], *is_covered));
            }
        }
        steps.extend(gates);
        let (states, covered) = steps.into_iter().unzip();
        (sequence, states, covered)
    }

    fn seeds() -> impl Strategy<Value = Vec<Seed>> {
        let needs = proptest::collection::vec(any::<usize>(), 0..4);
        let seed = (any::<bool>(), needs, proptest::option::of(any::<u8>()), any::<bool>(), any::<u8>(), any::<bool>());
        proptest::collection::vec(seed, 1..14)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_acts_are_enough_and_none_is_idle(seeds in seeds()) {
            let (sequence, states, covered) = plan(&seeds);
            let graph = Graph::build(&sequence).unwrap();
            let mut ready = Readiness::new(&sequence, &graph);
            for (at, state) in states.iter().enumerate() {
                ready.set(at, *state);
            }
            let is_covered = |at: usize| covered[at];
            for at in (0..graph.len()).filter(|&at| matches!(ready.state(at), State::Idle | State::Gate(_))) {
                let found = Unblock::find(&sequence, &graph, &ready, &is_covered, at);
                let is_enough = |acts: &[Unblocking]| Unblock::is_enough(&sequence, &graph, &ready, &is_covered, acts, at);
                prop_assert!(is_enough(&found.acts), "{at}: {found:?} in {states:?}");
                for left_out in 0..found.acts.len() {
                    let mut fewer = found.acts.clone();
                    let act = fewer.remove(left_out);
                    prop_assert!(!is_enough(&fewer), "{at} does not need {act:?} of {:?}", found.acts);
                }
            }
        }

        #[test]
        fn what_waits_has_a_root(seeds in seeds()) {
            let (sequence, states, _) = plan(&seeds);
            let graph = Graph::build(&sequence).unwrap();
            let mut ready = Readiness::new(&sequence, &graph);
            for (at, state) in states.iter().enumerate() {
                ready.set(at, *state);
            }
            for at in (0..graph.len()).filter(|&at| ready.state(at) == State::Idle) {
                let found = Unblock::find(&sequence, &graph, &ready, &|_| false, at);
                prop_assert_eq!(found.roots.is_empty(), ready.is_startable(at), "{}: {:?}", at, found);
            }
        }
    }
}
