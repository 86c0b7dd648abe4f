//! What running steps say, in the list and in the graph.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    super::{msg::Msg, tails::TailReader},
    stage::Stage,
};
use crate::client;

const PLAN: &str = "\
version: \"1.0\"
steps:
  - {id: talk, command: \"printf 'one\\\\n\\\\033[31mtwo of it\\\\033[0m\\\\n\\\\n'; until [ -e go ]; do sleep 0.02; done\"}
  - {id: after, command: \"true\", depends_on: [talk]}
";

#[test]
fn what_a_running_step_said_last_is_in_its_row_and_in_its_box() {
    let mut stage = Stage::new((140, 40), PLAN);
    stage.run("RUNNING");
    let mut reader = TailReader::new(client::open(Some(stage.root())).unwrap());
    let deadline = Instant::now() + Duration::from_secs(30);
    let new = loop {
        reader.turn_to(&stage.app.running);
        let new = reader.read();
        if new.iter().any(|(_, text)| text == "two of it") {
            break new;
        }
        assert!(Instant::now() < deadline, "the step says nothing");
        thread::sleep(Duration::from_millis(20));
    };
    assert!(reader.read().is_empty(), "nothing new");
    stage.tell(Msg::Tails(new));
    stage.press("1");
    let row = |stage: &Stage| stage.text().lines().find(|line| line.contains("● talk")).map(str::to_owned).unwrap();
    assert!(row(&stage).contains("RUNNING") && row(&stage).contains("two of it"), "{}", stage.text());
    stage.press("2").press("+");
    let below = stage.text().lines().skip_while(|line| !line.contains("● talk")).take(4).collect::<Vec<_>>().join("\n");
    assert!(below.contains("two of it"), "{}", stage.text());
    std::fs::write(stage.root().join("go"), "").unwrap();
    stage.until_status("talk", "DONE").press("1");
    assert!(stage.app.running.is_empty() && stage.app.tails.is_empty());
    assert!(!stage.text().lines().any(|line| line.contains("✔ talk") && line.contains("two of it")), "{}", stage.text());
}
