//! Variables of a step while only some commands are allowed.

use std::collections::BTreeMap;

use super::shell::is_risky;

/// What shells, the loader and git obey although nobody wrote it into the plan.
const CLEARED: [&str; 8] = ["ENV", "PS4", "IFS", "CDPATH", "SHELLOPTS", "GLOBIGNORE", "EXECIGNORE", "PROMPT_COMMAND"];
const CLEARED_BEGINNINGS: [&str; 4] = ["BASH", "LD_", "DYLD_", "GIT_"];

/// Whether the variable is taken out of the inherited environment of a step. `BASH` covers
/// `BASH_ENV` and exported functions, which are called `BASH_FUNC_name%%`.
pub fn is_cleared(name: &str) -> bool {
    CLEARED.contains(&name) || CLEARED_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// Whether the plan may add these variables; else why not.
pub(super) fn check(env: &BTreeMap<String, String>) -> Result<(), String> {
    for (name, value) in env {
        if is_risky(name) || is_cleared(name) || name.contains(['%', '(', ')']) {
            return Err(format!("`env` sets `{name}`, which may change what runs"));
        }
        // bash runs it where it calculates with the variable.
        if value.contains("$(") || value.contains('`') {
            return Err(format!("`env` puts a command into `{name}`"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_variables_are_added() {
        let env = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        for (name, value) in [("FOO", "bar"), ("CI", "true"), ("PRICE", "$5 (or so)")] {
            assert_eq!(check(&env(name, value)), Ok(()), "{name}");
        }
        for (name, value) in
            [("PATH", "."), ("BASH_FUNC_git%%", "() { rm x; }"), ("X", "a[$(rm x)]"), ("X", "a[`rm x`]"), ("LD_PRELOAD", "x")]
        {
            assert!(check(&env(name, value)).is_err(), "{name}");
        }
    }
}
