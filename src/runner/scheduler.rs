//! When a step of a run starts: pure, `handle(message) -> effects`, tested without processes.

use std::collections::BTreeSet;

use crate::model::{FailPolicy, GateStatus, Graph, Groups, Id, Node, Readiness, Resolved, Sequence, State, StepStatus};

/// What happened. Nodes are numbered as in [`Graph`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Message {
    /// So many slots of `max_concurrent` are free.
    Slots(usize),
    /// So many more orchestrators may run, by how deep they are nested: they hold no slot.
    Orchestrators([usize; NESTING]),
    /// A step may not start before a person has confirmed it.
    Held(usize),
    /// A step runs, started by us or by somebody else.
    Started(usize),
    /// A step could not be claimed: somebody else has it, and will tell when it ends.
    Taken(usize),
    /// A claim came to nothing; the step is as it was.
    Voided(usize),
    /// A step ended.
    Ended(usize, StepStatus),
    /// A step may not start before some time has come; a fresh scheduler that is not told so lets it.
    Delayed(usize),
    /// Whether nothing more may start for now, however much is ready.
    Hold(bool),
    /// Somebody decided a gate.
    Decided(usize, GateStatus),
    /// Nothing more may start.
    Cancel,
}

/// How deep orchestrators may add orchestrators.
pub const NESTING: usize = 3;

/// What is to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Claim and start a step.
    Start(usize),
    /// Stop a running member of a `fail_fast` group.
    Stop(usize),
}

/// How a run stands when nothing runs and nothing can start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rest {
    /// Steps run or can start.
    Busy,
    /// A person has to decide these gates and reviews, or confirm these steps, before it goes on.
    Waiting(Vec<usize>),
    /// Steps could start and may not.
    Held,
    /// It is over.
    Over,
}

/// The steps of one run, and which of them may start.
pub struct Scheduler {
    ready: Readiness,
    covered: Vec<bool>,
    groups: Vec<Vec<usize>>,
    group_of: Vec<Option<usize>>,
    policies: Vec<FailPolicy>,
    /// How many slots a step takes, if there are as many.
    widths: Vec<usize>,
    /// What takes a slot, then orchestrators by how deep they are nested.
    queues: [BTreeSet<usize>; 1 + NESTING],
    /// How many more of each of these may start.
    free: [usize; 1 + NESTING],
    /// The queue of each node.
    ranks: Vec<usize>,
    /// Watchdogs that may start: they take no slot, since what they watch holds the one they might wait for.
    watchdogs: BTreeSet<usize>,
    asked: BTreeSet<usize>,
    running: BTreeSet<usize>,
    /// Steps that have to wait for a time.
    delayed: BTreeSet<usize>,
    /// Steps that nobody has confirmed.
    held: BTreeSet<usize>,
    is_held: bool,
    is_cancelled: bool,
    fail_fast: bool,
}

impl Scheduler {
    /// A scheduler over `sequence`, in which nothing has happened yet. With `fail_fast` the first
    /// failure starts nothing more.
    pub fn new(sequence: &Sequence, graph: &Graph, covers: impl Fn(&Id) -> bool, fail_fast: bool) -> Self {
        let ready = Readiness::new(sequence, graph);
        let known = Groups::of(sequence);
        let mut group_of = vec![None; graph.len()];
        let mut covered = vec![false; graph.len()];
        let mut widths = vec![1; graph.len()];
        let mut policies = vec![FailPolicy::FailFast; graph.len()];
        for at in 0..graph.len() {
            let Node::Step(step) = graph.node(at) else { continue };
            covered[at] = covers(&sequence.steps[step].id);
            widths[at] = Resolved::new(sequence, &sequence.steps[step]).workers().unwrap_or(1) as usize;
            (policies[at], group_of[at]) = (known.policy(step), known.place(step));
        }
        // The numbers of steps in the graph are their places in the plan.
        let groups = known.all().iter().map(|group| group.members.clone()).collect();
        let mut scheduler = Self {
            ready,
            covered,
            groups,
            group_of,
            policies,
            widths,
            queues: Default::default(),
            free: [0; 1 + NESTING],
            ranks: vec![0; graph.len()],
            watchdogs: BTreeSet::new(),
            asked: BTreeSet::new(),
            running: BTreeSet::new(),
            delayed: BTreeSet::new(),
            held: BTreeSet::new(),
            is_held: false,
            is_cancelled: false,
            fail_fast,
        };
        for at in 0..graph.len() {
            scheduler.review(at);
        }
        scheduler
    }

    /// The same with orchestrators: `depth` says how deep a node is nested, 1 where nobody added it.
    #[must_use]
    pub fn with_orchestrators(mut self, depth: impl Fn(usize) -> Option<usize>) -> Self {
        for at in 0..self.ranks.len() {
            self.queues[self.ranks[at]].remove(&at);
            self.ranks[at] = depth(at).map_or(0, |depth| depth.clamp(1, NESTING));
            self.review(at);
        }
        self
    }

    /// Where a node stands: 0 if it takes a slot, else how deep it is nested as an orchestrator.
    pub fn rank(&self, at: usize) -> usize {
        self.ranks[at]
    }

    /// Takes note of what happened. Returns what is to be done about it.
    pub fn handle(&mut self, message: Message) -> Vec<Effect> {
        let mut effects = Vec::new();
        match message {
            Message::Slots(free) => self.free[0] = free,
            Message::Orchestrators(free) => self.free[1..].copy_from_slice(&free),
            Message::Held(at) => {
                self.asked.remove(&at);
                self.held.insert(at);
                self.review(at);
            }
            Message::Cancel => self.is_cancelled = true,
            Message::Hold(is_held) => self.is_held = is_held,
            Message::Delayed(at) => {
                self.asked.remove(&at);
                self.running.remove(&at);
                self.delayed.insert(at);
                self.set(at, State::Idle);
            }
            Message::Started(at) | Message::Taken(at) => {
                self.asked.remove(&at);
                self.delayed.remove(&at);
                self.running.insert(at);
                self.set(at, State::Running);
            }
            Message::Voided(at) => {
                self.asked.remove(&at);
                self.running.remove(&at);
                self.set(at, State::Idle);
            }
            Message::Decided(at, status) => self.set(at, State::Gate(status)),
            Message::Ended(at, status) => {
                self.asked.remove(&at);
                self.delayed.remove(&at);
                let ran = self.running.remove(&at);
                self.set(at, State::Ended(status));
                if status == StepStatus::Failed {
                    self.is_cancelled |= self.fail_fast && ran && self.covered[at];
                    effects.extend(self.siblings_to_stop(at));
                }
            }
        }
        if !self.is_cancelled && !self.is_held {
            // With the slots, like everything else: whoever tells of the past starts nothing yet.
            if matches!(message, Message::Slots(_)) {
                self.asked.extend(&self.watchdogs);
                effects.extend(std::mem::take(&mut self.watchdogs).into_iter().map(Effect::Start));
            }
            for (queue, free) in self.queues.iter_mut().zip(&mut self.free) {
                while *free > 0
                    && let Some(at) = queue.pop_first()
                {
                    // A fan-out takes what there is; it is enough for one worker after the other.
                    *free = free.saturating_sub(self.widths[at]);
                    self.asked.insert(at);
                    effects.push(Effect::Start(at));
                }
            }
        }
        effects
    }

    fn siblings_to_stop(&self, at: usize) -> Vec<Effect> {
        let members = match self.group_of[at] {
            Some(group) if self.policies[at] == FailPolicy::FailFast => &self.groups[group],
            _ => return Vec::new(),
        };
        members.iter().copied().filter(|member| self.running.contains(member)).map(Effect::Stop).collect()
    }

    fn set(&mut self, at: usize, state: State) {
        for touched in self.ready.set(at, state) {
            self.review(touched);
        }
    }

    fn review(&mut self, at: usize) {
        let queue = if self.ready.watched(at).is_some() { &mut self.watchdogs } else { &mut self.queues[self.ranks[at]] };
        let is_kept = self.asked.contains(&at) || self.delayed.contains(&at) || self.held.contains(&at);
        if self.covered[at] && self.ready.is_startable(at) && !is_kept {
            queue.insert(at);
        } else {
            queue.remove(&at);
        }
    }

    /// What is known of every node.
    pub const fn readiness(&self) -> &Readiness {
        &self.ready
    }

    /// How many slots the node takes, if there are as many.
    pub fn width(&self, at: usize) -> usize {
        self.widths[at]
    }

    /// Whether the run covers the node.
    pub fn covers(&self, at: usize) -> bool {
        self.covered[at]
    }

    /// How the run stands.
    pub fn rest(&self) -> Rest {
        let covered_running = self.running.iter().any(|&at| self.covered[at]);
        let is_queued = !self.watchdogs.is_empty() || self.queues.iter().any(|queue| !queue.is_empty());
        let may_start = is_queued || self.delayed.iter().any(|&at| self.covered[at] && self.ready.is_startable(at));
        match (covered_running || !self.asked.is_empty(), self.is_cancelled) {
            (true, _) => return Rest::Busy,
            (false, true) => return Rest::Over,
            (false, false) if may_start => return if self.is_held { Rest::Held } else { Rest::Busy },
            (false, false) => {}
        }
        let idle = (0..self.covered.len()).filter(|&at| self.covered[at] && self.ready.state(at) == State::Idle);
        let mut waits: Vec<usize> =
            idle.filter(|&at| !self.ready.is_doomed(at)).flat_map(|at| self.ready.waits_for(at)).chain(self.held()).collect();
        waits.sort_unstable();
        waits.dedup();
        // A step outside this run that others run may still let one of ours start.
        if waits.is_empty() { if self.waits_for_others() { Rest::Busy } else { Rest::Over } } else { Rest::Waiting(waits) }
    }

    /// What could start if somebody confirmed it.
    fn held(&self) -> impl Iterator<Item = usize> {
        self.held.iter().copied().filter(|&at| self.covered[at] && self.ready.is_startable(at))
    }

    fn waits_for_others(&self) -> bool {
        !self.running.is_empty()
            && (0..self.covered.len())
                .any(|at| self.covered[at] && self.ready.state(at) == State::Idle && !self.ready.is_doomed(at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Gate, Step};

    fn plan(needs: &[Vec<usize>]) -> Sequence {
        let id = |at: usize| format!("s{at}").parse().unwrap();
        let steps = needs.iter().enumerate().map(|(at, needs)| {
            let mut step = Step::new(id(at));
            step.depends_on = needs.iter().map(|&need| id(need)).collect();
            step
        });
        Sequence { steps: steps.collect(), ..Sequence::default() }
    }

    fn scheduler(plan: &Sequence) -> Scheduler {
        Scheduler::new(plan, &Graph::build(plan).unwrap(), |_| true, false)
    }

    #[test]
    fn a_chain_starts_one_after_the_other() {
        let mut run = scheduler(&plan(&[vec![], vec![0], vec![1]]));
        assert_eq!(run.handle(Message::Slots(5)), [Effect::Start(0)]);
        assert_eq!(run.handle(Message::Started(0)), []);
        assert_eq!(run.handle(Message::Ended(0, StepStatus::Done)), [Effect::Start(1)]);
        run.handle(Message::Started(1));
        assert_eq!(run.handle(Message::Ended(1, StepStatus::Failed)), []);
        assert_eq!(run.rest(), Rest::Over, "what depends on a failure cannot start");
    }

    #[test]
    fn a_gate_makes_it_wait() {
        let mut sequence = plan(&[vec![], vec![]]);
        let mut gate = Gate::new("g".parse().unwrap());
        gate.depends_on = vec!["s0".parse().unwrap()];
        sequence.gates.push(gate);
        sequence.steps[1].depends_on = vec!["g".parse().unwrap()];
        let mut run = scheduler(&sequence);
        run.handle(Message::Slots(5));
        run.handle(Message::Started(0));
        run.handle(Message::Ended(0, StepStatus::Done));
        assert_eq!(run.rest(), Rest::Waiting(vec![2]));
        assert_eq!(run.handle(Message::Decided(2, GateStatus::Approved)), [Effect::Start(1)]);
        assert_eq!(run.rest(), Rest::Busy);
    }

    #[test]
    fn a_delayed_step_starts_when_nobody_delays_it_any_more() {
        let plan = plan(&[vec![], vec![], vec![0]]);
        let mut run = scheduler(&plan);
        assert_eq!(run.handle(Message::Slots(1)), [Effect::Start(0)]);
        run.handle(Message::Started(0));
        assert_eq!(run.handle(Message::Delayed(0)), []);
        assert_eq!(run.handle(Message::Slots(5)), [Effect::Start(1)], "the others go on");
        run.handle(Message::Started(1));
        run.handle(Message::Ended(1, StepStatus::Done));
        assert_eq!(run.rest(), Rest::Busy, "a time will come");
        let mut fresh = scheduler(&plan);
        fresh.handle(Message::Delayed(0));
        fresh.handle(Message::Ended(0, StepStatus::Failed));
        fresh.handle(Message::Ended(1, StepStatus::Done));
        assert_eq!(fresh.rest(), Rest::Over, "a stop ends the delay");
        run.handle(Message::Cancel);
        assert_eq!(run.rest(), Rest::Over);
    }

    #[test]
    fn a_held_run_lets_what_runs_end_and_starts_nothing() {
        let mut run = scheduler(&plan(&[vec![], vec![0]]));
        run.handle(Message::Slots(5));
        run.handle(Message::Started(0));
        assert_eq!(run.handle(Message::Hold(true)), []);
        assert_eq!(run.rest(), Rest::Busy);
        assert_eq!(run.handle(Message::Ended(0, StepStatus::Done)), []);
        assert_eq!(run.rest(), Rest::Held);
        assert_eq!(run.handle(Message::Hold(false)), [Effect::Start(1)]);
        run.handle(Message::Started(1));
        run.handle(Message::Hold(true));
        run.handle(Message::Ended(1, StepStatus::Done));
        assert_eq!(run.rest(), Rest::Over, "nothing is held back");
    }

    #[test]
    fn fail_fast_stops_siblings_and_starts_nothing_of_the_group() {
        let mut sequence = plan(&[vec![], vec![], vec![]]);
        for step in &mut sequence.steps {
            step.group_id = Some("g".parse().unwrap());
        }
        let mut run = scheduler(&sequence);
        assert_eq!(run.handle(Message::Slots(2)), [Effect::Start(0), Effect::Start(1)]);
        run.handle(Message::Started(0));
        run.handle(Message::Started(1));
        assert_eq!(run.handle(Message::Ended(0, StepStatus::Failed)), [Effect::Stop(1)]);
        run.handle(Message::Ended(1, StepStatus::Failed));
        assert_eq!(run.handle(Message::Slots(5)), []);
        assert_eq!(run.rest(), Rest::Over);
    }

    #[test]
    fn a_watchdog_starts_with_its_step_and_takes_no_slot() {
        let mut sequence = plan(&[vec![], vec![], vec![]]);
        sequence.steps[2].watchdog_for = Some("s0".parse().unwrap());
        let mut run = scheduler(&sequence);
        assert_eq!(run.handle(Message::Slots(1)), [Effect::Start(0)]);
        assert_eq!(run.handle(Message::Started(0)), []);
        assert_eq!(run.handle(Message::Slots(0)), [Effect::Start(2)]);
        run.handle(Message::Started(2));
        run.handle(Message::Ended(0, StepStatus::Done));
        assert_eq!(run.rest(), Rest::Busy);
        assert_eq!(run.handle(Message::Ended(2, StepStatus::Done)), []);
        run.handle(Message::Slots(1));
        run.handle(Message::Started(1));
        run.handle(Message::Ended(1, StepStatus::Done));
        assert_eq!(run.rest(), Rest::Over);
        // It runs again, and so does who watches it.
        run.handle(Message::Started(0));
        run.handle(Message::Voided(2));
        assert_eq!(run.handle(Message::Slots(0)), [Effect::Start(2)]);
    }

    #[test]
    fn a_fan_out_takes_the_slots_that_there_are() {
        let mut sequence = plan(&[vec![], vec![], vec![]]);
        sequence.steps[1].fanout = Some(4);
        let mut run = scheduler(&sequence);
        assert_eq!(run.handle(Message::Slots(3)), [Effect::Start(0), Effect::Start(1)], "two are left for four workers");
        run.handle(Message::Started(0));
        run.handle(Message::Started(1));
        assert_eq!(run.handle(Message::Slots(0)), []);
        assert_eq!(run.handle(Message::Slots(1)), [Effect::Start(2)]);
    }

    #[test]
    fn orchestrators_take_no_slot_and_have_a_bound_for_each_depth() {
        let mut run =
            scheduler(&plan(&[vec![], vec![], vec![], vec![]])).with_orchestrators(|at| [None, Some(1), Some(1), Some(2)][at]);
        assert_eq!(run.handle(Message::Slots(0)), []);
        assert_eq!(run.handle(Message::Orchestrators([1, 0, 0])), [Effect::Start(1)], "without a slot");
        assert_eq!(run.handle(Message::Orchestrators([0, 1, 1])), [Effect::Start(3)], "the others of its depth do not count");
        assert_eq!(run.handle(Message::Slots(1)), [Effect::Start(0)]);
        assert_eq!((run.rank(0), run.rank(1), run.rank(3)), (0, 1, 2));
    }

    #[test]
    fn a_held_step_waits_for_a_person() {
        let mut run = scheduler(&plan(&[vec![], vec![0], vec![]]));
        assert_eq!(run.handle(Message::Slots(1)), [Effect::Start(0)]);
        assert_eq!(run.handle(Message::Held(0)), []);
        assert_eq!(run.handle(Message::Slots(1)), [Effect::Start(2)], "others go on");
        run.handle(Message::Started(2));
        assert_eq!(run.rest(), Rest::Busy);
        run.handle(Message::Ended(2, StepStatus::Done));
        assert_eq!(run.rest(), Rest::Waiting(vec![0]));
    }

    proptest! {
        /// Every step of any graph starts exactly once, never before what it needs, and never
        /// more at a time than there are slots.
        #[test]
        fn everything_starts_once_and_in_order(
            needs in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1..40),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 200),
            slots in 1usize..5,
        ) {
            let needs: Vec<Vec<usize>> = needs.iter().enumerate()
                .map(|(at, needs)| if at == 0 { vec![] } else { needs.iter().map(|need| need.index(at)).collect() }).collect();
            let sequence = plan(&needs);
            let mut run = scheduler(&sequence);
            let (mut running, mut started, mut done) = (Vec::new(), Vec::new(), Vec::new());
            let mut picks = picks.iter();
            loop {
                for effect in run.handle(Message::Slots(slots - running.len())) {
                    let Effect::Start(at) = effect else { panic!("nothing fails here") };
                    prop_assert!(!started.contains(&at));
                    prop_assert!(needs[at].iter().all(|need| done.contains(need)));
                    started.push(at);
                    running.push(at);
                    run.handle(Message::Started(at));
                }
                prop_assert!(running.len() <= slots);
                if running.is_empty() { break; }
                let at = running.swap_remove(picks.next().map_or(0, |pick| pick.index(running.len())));
                done.push(at);
                run.handle(Message::Slots(0));
                run.handle(Message::Ended(at, StepStatus::Done));
            }
            prop_assert_eq!(started.len(), needs.len());
            prop_assert_eq!(run.rest(), Rest::Over);
        }
    }
}
