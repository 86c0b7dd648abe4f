//! Matching commands against an allowlist. What cannot be decided is denied.

/// Characters that give a text another meaning than a plain list of words.
const MEANINGFUL: &[char] = &[
    ';', '&', '|', '<', '>', '(', ')', '{', '}', '$', '`', '\\', '\n', '\r', '*', '?', '[', ']', '~', '#', '!', '"', '\'', '\0',
    '\t',
];

/// Whether every command that the shell text could run is on `allowed`; else why not.
pub(super) fn check_text(text: &str, allowed: &[String]) -> Result<(), String> {
    if let Some(odd) = text.chars().find(|c| MEANINGFUL.contains(c) || c.is_control()) {
        return Err(format!("cannot tell what `{}` would run (because of `{}`)", shorten(text), odd.escape_default()));
    }
    check_name(text.split(' ').find(|word| !word.is_empty()).unwrap_or_default(), allowed)
}

/// Whether the program of an argv is on `allowed`; else why not.
pub(super) fn check_name(name: &str, allowed: &[String]) -> Result<(), String> {
    if name.contains('=') {
        return Err(format!("`{name}` sets a variable for the command, which may change what runs"));
    }
    if !name.is_empty() && allowed.iter().any(|known| known == name) {
        return Ok(());
    }
    Err(format!("`{name}` is not one of the allowed commands"))
}

fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() > 60 || text.lines().count() > 1 {
        format!("{}…", line.chars().take(59).collect::<String>())
    } else {
        line.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_are_decided() {
        let allowed = ["git".to_owned(), "make".to_owned()];
        for good in ["git status", "make -j2 all", "  git"] {
            assert!(check_text(good, &allowed).is_ok(), "{good}");
        }
        for bad in [
            "git-evil",
            "git status; rm -rf /",
            "git $(rm x)",
            "git `rm x`",
            "git | sh",
            "git && rm x",
            "git\nrm x",
            "PATH=. git",
            "/tmp/git",
            "./git",
            "",
            "git > /etc/passwd",
            "g'i't status",
            "rm",
            "git \\\n rm",
            "git # x\rrm",
            "(git)",
            "git & rm",
        ] {
            assert!(check_text(bad, &allowed).is_err(), "{bad:?}");
        }
    }
}
