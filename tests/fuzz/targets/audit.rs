//! Arbitrary bytes as audit.log: reading never fails in a way that it should not, and whatever a writer accepts it can go on
//! with.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use threados::audit::{self, Draft, Log, Tail};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::Builder::new().prefix("fuzz-").tempdir_in("/dev/shm").unwrap();
    let path = folder.path().join("audit.log");
    fs::write(&path, bytes).unwrap();
    let whole = audit::verify(&path, audit::Expected::default());
    let last = audit::last_entries(&path, 3).unwrap();
    assert!(last.len() <= 3);
    let _ = Tail::from_end(&path).and_then(|mut tail| tail.read());
    let head = audit::head(&path);
    assert_eq!(fs::read(&path).unwrap(), bytes, "reading wrote");
    let Ok(mut log) = Log::open(&path) else {
        assert!(whole.is_err(), "a log whose chain is whole can be gone on with");
        return;
    };
    assert_eq!(head.unwrap(), (log.seq(), log.head().to_owned()));
    let (seq, begun) = (log.seq(), fs::read(&path).unwrap());
    assert!(bytes.starts_with(&begun), "only a torn end may go");
    let entry = log.append(Draft { action: "test".into(), ..Draft::default() }, false).unwrap();
    assert_eq!(entry.seq, seq + 1);
    assert_eq!(audit::verify(&path, audit::Expected::default()).is_ok(), whole.is_ok(), "an entry more changes nothing about the rest");
});
