//! Durations as people write them: `45m`, `2h`, `90s`, `500ms`, `1h30m`.

use std::{
    fmt::{self, Display, Formatter},
    str::FromStr,
    time::Duration,
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::error::Error;

/// A length of time in milliseconds, written with units.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Span(u64);

const UNITS: &[(&str, u64)] = &[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Span {
    /// A span of so many milliseconds.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Its length in milliseconds.
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// The same length for the standard library.
    pub const fn to_std(self) -> Duration {
        Duration::from_millis(self.0)
    }

    /// Rounded to what a person reads at a glance: `412ms`, `9.3s`, `2m14s`, `1h05m`.
    pub fn short(self) -> String {
        let seconds = self.0 / 1000;
        match self.0 {
            0..1_000 => format!("{}ms", self.0),
            1_000..10_000 => format!("{}.{}s", seconds, self.0 % 1000 / 100),
            10_000..60_000 => format!("{seconds}s"),
            60_000..3_600_000 => format!("{}m{:02}s", seconds / 60, seconds % 60),
            _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        }
    }
}

impl Display for Span {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, size) in UNITS {
            // Days are read, but `48h` is how timeouts are talked about.
            if *unit != "d" && rest >= *size {
                write!(f, "{}{unit}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}

impl FromStr for Span {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::DurationInvalid { text: text.into() };
        let (mut rest, mut total) = (text.trim(), 0_u64);
        if rest.is_empty() {
            return Err(bad());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
            let number: u64 = rest[..digits].parse().map_err(|_| bad())?;
            rest = &rest[digits..];
            let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let size = UNITS.iter().find(|(unit, _)| *unit == &rest[..end]).ok_or_else(bad)?.1;
            total = number.checked_mul(size).and_then(|ms| total.checked_add(ms)).ok_or_else(bad)?;
            rest = &rest[end..];
        }
        Ok(Self(total))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^([0-9]+(d|h|m|s|ms))+$", "examples": ["45m"]})
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read() {
        for (text, ms) in [("45m", 2_700_000), ("1h30m", 5_400_000), ("90s", 90_000), ("500ms", 500), ("2d", 172_800_000)] {
            assert_eq!(text.parse::<Span>().unwrap().as_ms(), ms, "{text}");
        }
        assert_eq!(Span::from_ms(90_000).to_string(), "1m30s");
        assert_eq!(Span::from_ms(172_800_000).to_string(), "48h");
        for bad in ["", "5", "m", "5x", "-1s", "99999999999999999h"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_length_reads_back() {
        for ms in [0, 1, 999, 1000, 61_001, 3_600_000, 90_061_001, u64::MAX / 2] {
            assert_eq!(Span::from_ms(ms).to_string().parse::<Span>().unwrap().as_ms(), ms);
        }
    }

    #[test]
    fn short_form() {
        let short = |ms| Span::from_ms(ms).short();
        assert_eq!(
            [short(412), short(9_340), short(59_000), short(134_000), short(3_900_000)],
            ["412ms", "9.3s", "59s", "2m14s", "1h05m"]
        );
    }
}
