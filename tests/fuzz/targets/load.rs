//! Arbitrary bytes as sequence.yaml: no panic, and one idea of what they say.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use threados::{
    model::{Graph, Sequence, StepStatus},
    store::yaml::{self, Statuses},
};

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("sequence.yaml");
    let Ok((parsed, statuses)) = yaml::read(bytes, path) else {
        assert!(yaml::parse(bytes, path).is_err());
        return;
    };
    let mut text = String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(Statuses::find(&text, path).unwrap(), statuses);
    let _ = Graph::build(&parsed.sequence);
    for node in 0..parsed.sequence.steps.len() {
        for word in [Some(StepStatus::Done), None] {
            set(&mut text, node, word, path);
        }
    }
});

/// A spliced status is the one that is read afterwards, and nothing else differs.
fn set(text: &mut String, node: usize, word: Option<StepStatus>, path: &Path) {
    let before = read(text, path);
    let mut statuses = Statuses::find(text, path).unwrap();
    if statuses.set(text, &[(node, word.map(StepStatus::as_str))]).is_ok() {
        let mut wanted = before;
        wanted.steps[node].status = word;
        assert_eq!(read(text, path), wanted, "{text}");
    }
}

fn read(text: &str, path: &Path) -> Sequence {
    yaml::parse(text.as_bytes(), path).unwrap().sequence
}
