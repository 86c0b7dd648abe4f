//! Watchdogs: steps that run beside another one for as long as it runs.

use std::collections::HashMap;

use super::{Graph, Id, Node, Sequence, Step};
use crate::error::Error;

/// How many watchdogs a step may have. They hold no slots, so something else has to bound them.
const MOST: usize = 4;

impl Sequence {
    /// The watchdogs of a step, in the plan's order.
    pub fn watchdogs<'a>(&'a self, watched: &'a Id) -> impl Iterator<Item = &'a Step> {
        self.steps.iter().filter(move |step| step.watchdog_for.as_ref() == Some(watched))
    }

    /// Checks that every watchdog can do its work.
    ///
    /// # Errors
    /// `PlanInvalid` with the first that cannot.
    pub(super) fn check_watchdogs(&self, graph: &Graph) -> Result<(), Error> {
        let mut numbers: HashMap<&Id, usize> = HashMap::new();
        for step in &self.steps {
            let Some(watched) = &step.watchdog_for else { continue };
            let invalid = |why: String| Err(Error::PlanInvalid { id: step.id.clone(), why, place: None });
            let (Some(own), Some(at)) = (graph.find(step.id.as_str()), graph.find(watched.as_str())) else {
                let meant = self.nearest(watched.as_str()).map_or(String::new(), |name| format!("; did you mean `{name}`?"));
                return invalid(format!("`watchdog_for` names `{watched}`, which does not exist{meant}"));
            };
            let Node::Step(index) = graph.node(at) else {
                return invalid(format!("`watchdog_for` names `{watched}`, which is a gate"));
            };
            if step.fanout.is_some_and(|workers| workers > 0) {
                return invalid("a watchdog is one process, so `fanout` cannot stand beside `watchdog_for`; leave `fanout` out, or add more watchdogs".into());
            }
            if own == at {
                return invalid("`watchdog_for` names itself".into());
            }
            if self.steps[index].watchdog_for.is_some() {
                return invalid(format!("`watchdog_for` names `{watched}`, which is a watchdog itself"));
            }
            // Both walks are long in a large plan, and hardly any watchdog has neighbours.
            if !graph.needs(own).is_empty() && graph.downstream(at).contains(&own) {
                return invalid(format!("it watches `{watched}` and cannot wait for its end"));
            }
            if !graph.dependents(own).is_empty() && graph.downstream(own).contains(&at) {
                return invalid(format!("it watches `{watched}`, which waits for it"));
            }
            let number = numbers.entry(watched).or_default();
            *number += 1;
            if *number > MOST {
                return invalid(format!("`{watched}` has {MOST} watchdogs already, and that is all it may have"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The id of a step, what it watches, and what it needs.
    type Row<'a> = (&'a str, Option<&'a str>, &'a [&'a str]);

    fn plan(steps: &[Row<'_>]) -> Result<Graph, Error> {
        let steps = steps.iter().map(|(id, watches, needs)| {
            let mut step = Step::new(id.parse().unwrap());
            step.watchdog_for = watches.map(|id| id.parse().unwrap());
            step.depends_on = needs.iter().map(|need| need.parse().unwrap()).collect();
            step
        });
        let gates = vec![super::super::Gate::new("ok".parse().unwrap())];
        Graph::build(&Sequence { steps: steps.collect(), gates, ..Sequence::default() })
    }

    #[test]
    fn a_watchdog_watches_another_step_beside_it() {
        assert!(plan(&[("a", None, &[]), ("b", None, &["a"]), ("dog", Some("b"), &["a", "ok"]), ("c", None, &["dog"])]).is_ok());
        let table: &[(&[Row<'_>], &str)] = &[
            (&[("dog", Some("dog"), &[])], "`dog`: `watchdog_for` names itself"),
            (&[("build", None, &[]), ("dog", Some("biuld"), &[])], "does not exist; did you mean `build`?"),
            (&[("dog", Some("ok"), &[])], "which is a gate"),
            (&[("a", None, &[]), ("dog", Some("a"), &[]), ("cat", Some("dog"), &[])], "which is a watchdog itself"),
            (&[("a", None, &[]), ("b", None, &["a"]), ("dog", Some("a"), &["b"])], "cannot wait for its end"),
            (&[("a", None, &["b"]), ("b", None, &["dog"]), ("dog", Some("a"), &[])], "which waits for it"),
        ];
        for (steps, why) in table {
            let error = plan(steps).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        let mut dog = Step::new("dog".parse().unwrap());
        (dog.watchdog_for, dog.fanout) = ("a".parse().ok(), Some(2));
        let steps = [Step::new("a".parse().unwrap()), dog];
        let fan_out = |fanout| {
            let steps = steps.iter().map(|step| Step { fanout: step.fanout.and(fanout), ..step.clone() });
            Graph::build(&Sequence { steps: steps.collect(), ..Sequence::default() })
        };
        assert!(fan_out(Some(2)).unwrap_err().to_string().contains("leave `fanout` out"));
        assert!(fan_out(Some(0)).is_ok());
        let names: Vec<String> = (0..=MOST).map(|at| format!("dog-{at}")).collect();
        let mut steps: Vec<Row<'_>> = vec![("a", None, &[])];
        steps.extend(names.iter().map(|name| (name.as_str(), Some("a"), &[][..])));
        assert!(plan(&steps[..steps.len() - 1]).is_ok());
        assert!(plan(&steps).unwrap_err().to_string().contains("`a` has 4 watchdogs already"));
    }
}
