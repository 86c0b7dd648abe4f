//! SHA-256, as it is kept in memory; in files and answers it is written in 64 hexadecimal digits.

use std::{
    fmt::{self, Debug, Display, Formatter},
    str::FromStr,
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of something. Plans have thousands of steps with two of these each, and in text one takes three times as
/// much.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct Sha([u8; 32]);

impl Sha {
    /// The SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Whether nothing was hashed; written as an empty text.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Calls `with` with its digits.
    fn digits<T>(&self, with: impl FnOnce(&str) -> T) -> T {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'0'; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        let text = if self.is_none() { &[] } else { &text[..] };
        with(std::str::from_utf8(text).expect("hexadecimal digits are ASCII"))
    }
}

impl From<[u8; 32]> for Sha {
    fn from(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

impl Display for Sha {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.digits(|text| f.write_str(text))
    }
}

impl Debug for Sha {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl FromStr for Sha {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NONE: &str = "not 64 hexadecimal digits";
        let mut bytes = [0; 32];
        if text.is_empty() {
            return Ok(Self(bytes));
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(NONE);
        if text.len() != 64 {
            return Err(NONE);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Sha {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.digits(|text| to.serialize_str(text))
    }
}

impl<'de> Deserialize<'de> for Sha {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Digits;
        impl de::Visitor<'_> for Digits {
            type Value = Sha;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("64 hexadecimal digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Sha, E> {
                text.parse().map_err(E::custom)
            }
        }
        from.deserialize_str(Digits)
    }
}

impl JsonSchema for Sha {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sha".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^([0-9a-f]{64})?$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_in_hex_and_read_back() {
        let sha = Sha::of(b"abc");
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((sha.to_string().as_str(), text.parse()), (text, Ok(sha)));
        assert_eq!(serde_json::to_string(&sha).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Sha>(&format!("\"{text}\"")).unwrap(), sha);
        assert!(["x", &text[1..], "é"].iter().all(|text| text.parse::<Sha>().is_err()));
        assert!(text.replace('b', "g").parse::<Sha>().is_err());
    }

    #[test]
    fn nothing_is_an_empty_text() {
        assert_eq!(("".parse(), Sha::default().to_string()), (Ok(Sha::default()), String::new()));
        assert!(Sha::default().is_none() && !Sha::of(b"").is_none());
    }
}
