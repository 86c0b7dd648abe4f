//! The order of the plan: moving steps, with what people wrote about them.

use crate::harness::Test;

const PLAN: &str = "\
# The plan.
version: \"1.0\"
steps:
  # The first one
  # has two lines.
  - id: one   # with a remark
    command: echo one

  - {id: two, command: echo two}   # short

  # The third.
  - id: three
    command: |
      echo three   # not a comment

      echo done
    depends_on: [one]
gates: []
";

fn ids(test: &Test) -> Vec<String> {
    let steps = test.run(&["step", "list", "--json"]).success().json();
    steps["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_step_moves_with_its_comments_and_undo_puts_it_back() {
    for (place, order) in [
        (&["three", "--before", "two"][..], ["one", "three", "two"]),
        (&["three", "--first"], ["three", "one", "two"]),
        (&["one", "--after", "two"], ["two", "one", "three"]),
        (&["one", "--last"], ["two", "three", "one"]),
        (&["two", "--last"], ["one", "three", "two"]),
    ] {
        let test = Test::new().power().sequence(PLAN);
        let line = [&["step", "move"], place].concat();
        test.run(&line).success();
        let moved = test.plan();
        let mut lines = [moved.lines().collect::<Vec<_>>(), PLAN.lines().collect()];
        for lines in &mut lines {
            lines.retain(|line| !line.is_empty());
            lines.sort_unstable();
        }
        assert_eq!(lines[0], lines[1], "{place:?} keeps every line:\n{moved}");
        assert!(
            moved.contains("  # The first one\n  # has two lines.\n  - id: one   # with a remark\n    command: echo one\n"),
            "{moved}"
        );
        assert!(moved.contains("  # The third.\n  - id: three\n"), "{moved}");
        assert_eq!(ids(&test), order, "{place:?}\n{moved}");
        test.run(&["undo"]).success();
        assert_eq!(ids(&test), ["one", "two", "three"], "{}", test.plan());
        test.run(&["redo"]).success();
        assert_eq!(ids(&test), order, "{}", test.plan());
        test.assert_chain_valid();
    }
}

#[test]
fn a_place_has_to_be_said_once() {
    let test = Test::new().power().sequence(PLAN);
    test.run(&["step", "move", "one"]).fails(2).says("say one of before, after, first and last");
    test.run(&["step", "move", "one", "--first", "--last"]).fails(2);
    test.run(&["step", "move", "one", "--before", "one"]).fails(2).says("beside itself");
    test.run(&["step", "move", "one", "--after", "fuor"]).fails(3);
    test.run(&["step", "move", "one", "--first"]).success().prints("stands there already");
    assert_eq!(test.plan(), PLAN);
}

#[test]
fn a_plan_in_braces_is_put_in_order_too() {
    let plan = "{\"version\": \"1.0\", \"steps\": [{\"id\": \"a\", \"command\": \"x\"}, {\"id\": \"b\", \"command\": \"y\"}]}\n";
    let test = Test::new().power().sequence(plan);
    test.run(&["step", "move", "b", "--first"]).success();
    assert_eq!(ids(&test), ["b", "a"]);
}
