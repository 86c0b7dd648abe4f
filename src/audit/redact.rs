//! Taking secrets out of what is written to the audit log.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;
use serde_json::Value;

const HIDDEN: &str = "[redacted]";

/// Names whose values are secrets.
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(^|[_-])(token|secret|password|passwd|passphrase|credential|api_?key|apikey|private_?key|access_?key|auth)s?($|[_-])|(?i)key$").expect("a constant pattern")
});

/// Texts that are secrets by their look, and assignments of secrets inside a command.
static TEXTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        \b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}
        | \bgh[pousr]_[A-Za-z0-9]{20,} | \bgithub_pat_[A-Za-z0-9_]{20,}
        | \bxox[abprs]-[A-Za-z0-9-]{10,} | \bAKIA[0-9A-Z]{16}\b | \bAIza[0-9A-Za-z_-]{30,}
        | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+
        | -----BEGIN\ [A-Z\ ]*PRIVATE\ KEY-----[\s\S]*?(?:-----END\ [A-Z\ ]*PRIVATE\ KEY-----|$)
        | (?i:\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}
        | (?i:\b[A-Z0-9_]*(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY)[A-Z0-9_]*\s*[=:]\s*)(?:"[^"]*"|'[^']*'|[^\s"',;&|]+)
        | (?i:--(?:token|secret|password|api-?key)(?:=|\s+))(?:"[^"]*"|'[^']*'|[^\s"',;&|]+)
        | (?i:[a-z][a-z0-9+.-]*://[^\s/:@]+):[^\s/@]+@
        "#,
    )
    .expect("a constant pattern")
});

/// A text without the secrets in it.
pub fn redact_text(text: &str) -> String {
    TEXTS.replace_all(text, HIDDEN).into_owned()
}

/// A value without the secrets in it: of a name that sounds like one, and of a text that looks
/// like one. Values of an `env` are hidden altogether.
#[must_use]
pub fn redact(mut value: Value) -> Value {
    hide_in(&mut value);
    value
}

fn hide_in(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(clean) = TEXTS.replace_all(text, HIDDEN) {
                *text = clean;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_in),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Object(env) if name == "env" => env.values_mut().for_each(|value| *value = HIDDEN.into()),
                    // The command line gives NAME=VALUE.
                    Value::Array(pairs) if name == "env" => pairs.iter_mut().for_each(hide_value),
                    Value::String(_) if NAMES.is_match(name) => *value = HIDDEN.into(),
                    other => hide_in(other),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn hide_value(pair: &mut Value) {
    match pair.as_str().and_then(|pair| pair.split_once('=')) {
        Some((name, _)) => *pair = format!("{name}={HIDDEN}").into(),
        None => hide_in(pair),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden() {
        for text in [
            "curl -H 'Authorization: Bearer abcdef123456'",
            "OPENAI_API_KEY=sk-abcdefghijklmnopqrstu run",
            "deploy --token hunter2hunter2",
            "git clone https://me:hunter2@example.com/x",
            "export DB_PASSWORD=\"hunter2 hunter2\"",
        ] {
            let clean = redact_text(text);
            assert!(clean.contains(HIDDEN) && !clean.contains("hunter2") && !clean.contains("abcdef"), "{clean}");
        }
        assert_eq!(
            redact(json!({"env": {"A": "x"}, "apiKey": "x", "note": "fine"})),
            json!({"env": {"A": HIDDEN}, "apiKey": HIDDEN, "note": "fine"})
        );
        assert_eq!(
            redact(json!([{"env": ["A=x", "B"], "steps": [{"token": "x", "count": 1}, "--token hunter2"]}, null])),
            json!([{"env": [format!("A={HIDDEN}"), "B"], "steps": [{"token": HIDDEN, "count": 1}, HIDDEN]}, null])
        );
    }

    #[test]
    fn ordinary_text_stays() {
        for text in ["make test", "echo tokenise the input", "keyboard layout", "a: b", "https://example.com/path"] {
            assert_eq!(redact_text(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_assignment_of_a_secret_gets_through(secret in "[a-zA-Z0-9]{12,40}", name in "(MY_)?(API_KEY|TOKEN|SECRET|PASSWORD)") {
            let clean = redact_text(&format!("run {name}={secret} now"));
            prop_assert!(!clean.contains(&secret), "{}", clean);
        }
    }
}
