//! A provider's usage limit, as its messages tell of it, and when it is over.

use std::sync::LazyLock;

use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, Time},
    tz::TimeZone,
};
use regex::{Captures, Regex};

/// When a usage limit is over.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Reset {
    /// Nobody says.
    #[default]
    Unknown,
    /// At this moment.
    At(Timestamp),
    /// So long after it was said.
    After(SignedDuration),
    /// When a clock shows this time next.
    Clock {
        /// The time.
        time: Time,
        /// Month and day, and the year where it is told.
        date: Option<(i8, i8, Option<i16>)>,
        /// Where the clock hangs; here if nobody says.
        zone: Option<String>,
    },
}

/// What failures say that come from a usage limit. A text about a disk's quota or the length of a prompt must not match.
static LIMIT: LazyLock<Regex> = LazyLock::new(|| {
    rule(
        r"usage limit|rate.?limit|(hit|reached) your [\w -]{0,40}limit|too many requests|(current|daily|your) quota|exhausted your|resource.?exhausted|\b(status:?|error:?|http) ?429\b|\(429\)",
    )
});

/// `limit reached|1795371979`
static EPOCH: LazyLock<Regex> = LazyLock::new(|| rule(r"limit[^|\n]*\|(\d{10})(\d{3})?\b"));

/// `try again in 3 hours 5 minutes`, `reset after 18h20m5s`, `retry in 41.5s`
static AFTER: LazyLock<Regex> = LazyLock::new(|| {
    rule(r"(?:again|resets?|retry|available)\b[^.\n\d]{0,20}\b(?:in|after)\s+((?:\d+(?:\.\d+)?\s*[a-z]+[\s,]*(?:and\s+)?)+)")
});

/// A part of such a duration.
static PART: LazyLock<Regex> = LazyLock::new(|| rule(r"(\d+(?:\.\d+)?)\s*(ms|d|h|m|s)"));

/// `resets 6:26pm (Europe/Berlin)`, `resets Nov 25, 3pm`, `try again at Nov 25th, 2026 3:05 PM`
static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    rule(
        r"(?:again|resets?|available)\b(?:\s+(?:at|on))?\s+(?:(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(20\d\d))?,?\s+(?:at\s+)?)?(\d{1,2})(?::(\d\d))?\s*(am|pm)(?:\s*\(([a-z0-9_+/-]+)\))?",
    )
});

fn rule(pattern: &str) -> Regex {
    Regex::new(&format!("(?i){pattern}")).expect("the pattern is a constant that the tests use")
}

impl Reset {
    /// What a failure's words say of a usage limit; nothing where they speak of something else.
    pub fn in_words(text: &str) -> Option<Self> {
        if !LIMIT.is_match(text) {
            return None;
        }
        let told = EPOCH.captures(text).and_then(|found| epoch(&found));
        let told = told.or_else(|| CLOCK.captures(text).and_then(|found| clock(&found)));
        Some(told.or_else(|| AFTER.captures(text).and_then(|found| after(&found))).unwrap_or_default())
    }

    /// This, or what is more exact of two that are told of the same limit.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::At(_), _) | (_, Self::Unknown) => self,
            _ if matches!(other, Self::At(_)) || self == Self::Unknown => other,
            _ => self,
        }
    }

    /// When it is over, told at `now`; nothing where that is not known, or is no time that anybody could mean.
    pub fn moment(&self, now: Timestamp) -> Option<Timestamp> {
        const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);
        let at = match self {
            Self::Unknown => None,
            Self::At(at) => Some(*at),
            Self::After(duration) => now.checked_add(*duration).ok(),
            Self::Clock { time, date, zone } => next(now, *time, *date, zone.as_deref()),
        }?;
        let ahead = at.duration_since(now);
        (ahead > -LONGEST && ahead < LONGEST).then_some(at)
    }
}

fn epoch(found: &Captures<'_>) -> Option<Reset> {
    found[1].parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).map(Reset::At)
}

fn after(found: &Captures<'_>) -> Option<Reset> {
    let mut seconds = 0.0;
    for part in PART.captures_iter(&found[1]) {
        let unit = match part[2].to_ascii_lowercase().as_str() {
            "ms" => 0.001,
            "d" => 86_400.0,
            "h" => 3_600.0,
            "m" => 60.0,
            _ => 1.0,
        };
        seconds += part[1].parse::<f64>().ok()? * unit;
    }
    SignedDuration::try_from_secs_f64(seconds).ok().filter(SignedDuration::is_positive).map(Reset::After)
}

fn clock(found: &Captures<'_>) -> Option<Reset> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let hour: i8 = found[4].parse().ok().filter(|hour| (1..=12).contains(hour))?;
    let is_afternoon = found[6].eq_ignore_ascii_case("pm");
    let minute = found.get(5).map_or(Ok(0), |minute| minute.as_str().parse()).ok()?;
    let date = found.get(1).zip(found.get(2)).and_then(|(month, day)| {
        let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month.as_str()))?;
        let year = found.get(3).and_then(|year| year.as_str().parse().ok());
        Some((i8::try_from(month + 1).ok()?, day.as_str().parse().ok()?, year))
    });
    let time = Time::new(hour % 12 + if is_afternoon { 12 } else { 0 }, minute, 0, 0).ok()?;
    Some(Reset::Clock { time, date, zone: found.get(7).map(|zone| zone.as_str().to_owned()) })
}

/// When a clock shows a time next.
fn next(now: Timestamp, time: Time, date: Option<(i8, i8, Option<i16>)>, zone: Option<&str>) -> Option<Timestamp> {
    // A zone that is not known here is most likely this machine's, under another name.
    let zone = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(TimeZone::system);
    let today = now.to_zoned(zone.clone()).date();
    let moment = |day: Date| day.to_datetime(time).to_zoned(zone.clone()).ok().map(|at| at.timestamp());
    match date {
        Some((month, day, Some(year))) => moment(Date::new(year, month, day).ok()?),
        Some((month, day, None)) => {
            let in_year = |year| moment(Date::new(year, month, day).ok()?);
            // The first of January is told of in December.
            in_year(today.year())
                .filter(|at| now.duration_since(*at) < SignedDuration::from_hours(48))
                .or_else(|| in_year(today.year() + 1))
        }
        // A minute that has begun is told as a time that has passed.
        None => moment(today)
            .filter(|at| now.duration_since(*at) < SignedDuration::from_mins(2))
            .or_else(|| moment(today.checked_add(1.day()).ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset(text: &str) -> Option<String> {
        let now = "2026-11-22T15:26:00Z".parse().unwrap();
        Reset::in_words(text).map(|reset| reset.moment(now).map_or("unknown".into(), |at| at.to_string()))
    }

    #[test]
    fn what_the_agents_say() {
        for (text, wanted) in [
            ("Claude AI usage limit reached|1795371979", "2026-11-22T18:26:19Z"),
            ("Claude AI usage limit reached|1795371979000", "2026-11-22T18:26:19Z"),
            ("You've hit your session limit · resets 6:26pm (UTC)", "2026-11-22T18:26:00Z"),
            ("You've hit your weekly limit · resets Nov 25, 3pm (UTC)", "2026-11-25T15:00:00Z"),
            ("You've hit your limit · resets 3am (UTC)", "2026-11-23T03:00:00Z"),
            ("You've hit your limit · resets 3:25pm (UTC)", "2026-11-22T15:25:00Z"),
            ("You've hit your limit · resets 3:20pm (UTC)", "2026-11-23T15:20:00Z"),
            ("You've hit your limit · resets Jan 2, 9am (UTC)", "2027-01-02T09:00:00Z"),
            ("API Error: Request rejected (429) · This request would exceed your account's rate limit.", "unknown"),
            ("You've hit your usage limit. Upgrade to Pro or try again in 3 days 4 hours 5 minutes.", "2026-11-25T19:31:00Z"),
            ("You've hit your usage limit. Try again at Nov 25th, 2026 3:05 PM.", "2026-11-25T15:05:00Z"),
            ("exceeded retry limit, last status: 429 Too Many Requests", "unknown"),
            ("Rate limit reached. Please try again in 11.054s.", "2026-11-22T15:26:11.054Z"),
            ("You have exhausted your capacity on this model. Your quota will reset after 18h20m5s.", "2026-11-23T09:46:05Z"),
            ("You exceeded your current quota. Please retry in 41.5s.", "2026-11-22T15:26:41.5Z"),
            ("usage limit reached|99999999999", "unknown"),
            ("usage limit, try again in 99999999999999 days", "unknown"),
        ] {
            assert_eq!(reset(text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn other_failures_are_no_limit() {
        for text in [
            "No conversation found with session ID 7",
            "Reached maximum budget ($0.00001)",
            "disk quota exceeded",
            "prompt is too long: 429 tokens over the limit",
            "stream disconnected before completion",
            "",
        ] {
            assert_eq!(reset(text), None, "{text}");
        }
    }

    #[test]
    fn the_more_exact_of_two_counts() {
        let at = Reset::At("2026-11-22T18:26:19Z".parse().unwrap());
        let words = Reset::in_words("You've hit your session limit · resets 6:26pm (UTC)").unwrap();
        assert_eq!(words.clone().or(at.clone()), at);
        assert_eq!(at.clone().or(words.clone()), at);
        assert_eq!(Reset::Unknown.or(words.clone()), words);
        assert_eq!(words.clone().or(Reset::Unknown), words);
    }
}
