//! Time and fresh names, where they enter the program.

use jiff::Timestamp;

/// The present moment.
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// RFC 3339 in UTC with milliseconds: `2026-11-22T06:48:00.123Z`.
pub fn rfc3339(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The present moment as [`rfc3339`].
pub fn stamp() -> String {
    rfc3339(now())
}

/// The time, in milliseconds since 1970.
pub fn now_ms() -> u64 {
    u64::try_from(now().as_millisecond()).unwrap_or(0)
}

/// A moment for people, on this machine's clock: `18:26` where it is on the same day as `now`, else with its date.
pub fn local(at: Timestamp, now: Timestamp) -> String {
    let zone = jiff::tz::TimeZone::system();
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone));
    at.strftime(if at.date() == now.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" }).to_string()
}

/// Milliseconds from `from` to `to`, both RFC 3339; nothing where one cannot be read.
pub fn ms_between(from: &str, to: &str) -> Option<u64> {
    let parse = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    u64::try_from(parse(to)? - parse(from)?).ok()
}

/// 16 random hex digits that name one claim or one holder of a lock.
pub fn nonce() -> String {
    format!("{:016x}", random())
}

/// A fresh run id, `20261122-064800-7f3a`: sorts by time and reads well. Two may collide; making
/// the folder decides.
pub fn run_id() -> String {
    format!("{}-{:04x}", now().strftime("%Y%m%d-%H%M%S"), random() & 0xffff)
}

fn random() -> u64 {
    getrandom::u64().expect("the system has a random source")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_with_milliseconds() {
        assert_eq!(rfc3339(Timestamp::from_millisecond(1_700_000_000_120).unwrap()), "2023-11-14T22:13:20.120Z");
        assert_eq!(ms_between("2023-11-14T22:13:20.120Z", "2023-11-14T22:13:21.000Z"), Some(880));
    }
}
